//! From the configuration to a camera.

use super::capture::OpenCamera;
use super::pace::{Live, Paced};
use crate::camera::recording::Recording;
use crate::camera::simulator::{self, Scenario, Simulator};
use crate::camera::v4l::{V4lCamera, V4lSettings};
use crate::camera::{Camera, CameraError};
use crate::clock::{BootId, Clock};
use crate::config::{CameraConfig, CameraSource};
use crate::thermal::profile::CameraProfile;
use crate::thermal::radiometry::CountScale;
use anyhow::Context as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long a V4L2 camera is waited for at a time: longer than the 2 s that a Lepton's shutter
/// takes, so that a shutter event is no silence.
const V4L_TIMEOUT: Duration = Duration::from_secs(3);

/// How to open the configured camera, each time anew. What can be checked now is checked now.
///
/// # Errors
/// Where a scenario does not exist or cannot be read.
pub fn open_camera(
    config: &CameraConfig,
    clock: Arc<dyn Clock>,
    boot: BootId,
) -> anyhow::Result<OpenCamera> {
    Ok(match &config.source {
        CameraSource::Simulator { scenario } => {
            let scenario = self::scenario(scenario)?;
            Arc::new(move || {
                let camera = Simulator::new(scenario.clone(), boot, clock.now().wall);
                Ok(paced(camera, &clock))
            })
        }
        CameraSource::Recording { file } => {
            let (file, rotation) = (file.clone(), config.rotation);
            Arc::new(move || Ok(paced(Recording::open(&file, rotation, boot)?, &clock)))
        }
        CameraSource::V4l { device } => {
            let known = config.known()?;
            let settings = V4lSettings {
                device: device.clone(),
                usb: known.connection.usb,
                layout: known.connection.layout,
                size: Some((
                    config.width.unwrap_or(known.optics.width),
                    config.height.unwrap_or(known.optics.height),
                )),
                fps: config.fps,
                scale: known.scale,
                rotation: config.rotation,
                timeout: V4L_TIMEOUT,
                shutter_by_hand: config.shutter_by_hand,
            };
            Arc::new(move || {
                let camera = V4lCamera::open(&settings, Arc::clone(&clock))?;
                Ok::<Box<dyn Camera>, CameraError>(Box::new(Live::new(Box::new(camera))))
            })
        }
    })
}

/// What is known of the camera that the frames come from. A recording is of the site's own camera,
/// written in centikelvin; a scenario has a camera of its own.
///
/// # Errors
/// Where a profile or a scenario does not exist or cannot be read.
pub fn camera_profile(config: &CameraConfig) -> anyhow::Result<CameraProfile> {
    Ok(match &config.source {
        CameraSource::V4l { .. } => config.known()?,
        CameraSource::Recording { .. } => CameraProfile {
            scale: CountScale::CentiKelvin,
            ..config.known()?
        },
        CameraSource::Simulator { scenario } => self::scenario(scenario)?.profile(),
    })
}

fn paced(camera: impl Camera + 'static, clock: &Arc<dyn Clock>) -> Box<dyn Camera> {
    Box::new(Paced::new(Box::new(camera), Arc::clone(clock)))
}

/// A scenario by its built-in name or its file.
///
/// # Errors
/// Where there is neither, or the file is no scenario.
pub fn scenario(name: &str) -> anyhow::Result<Scenario> {
    if let Some(scenario) = simulator::builtin(name) {
        return Ok(scenario);
    }
    let path = Path::new(name);
    let text = std::fs::read_to_string(path).with_context(|| {
        format!(
            "{name} is no built-in scenario ({}) and no file that can be read",
            simulator::builtin_names().join(", ")
        )
    })?;
    Scenario::from_toml(&text).with_context(|| path.display().to_string())
}
