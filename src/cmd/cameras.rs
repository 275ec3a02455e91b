//! `menshen cameras`: what is plugged in, and which profile it would be used with.

use super::say;
use crate::camera::v4l::{Found, discover};
use crate::config::profile;
use crate::thermal::profile::CameraProfile;
use anyhow::Context as _;
use serde::Serialize;
use std::fmt::Write as _;
use std::process::ExitCode;

/// Arguments of `menshen cameras`.
#[derive(clap::Args, Debug)]
pub struct CamerasArgs {
    /// Print one JSON object a line for each camera.
    #[arg(long)]
    json: bool,
}

/// One camera for machines.
#[derive(Debug, PartialEq, Serialize)]
struct CameraLine {
    name: String,
    /// What to write behind `device`.
    device: String,
    node: String,
    by_id: Option<String>,
    usb: Option<String>,
    driver: String,
    /// The built-in profiles that it is one of; none where it is not known.
    profiles: Vec<&'static str>,
    formats: Vec<FormatLine>,
    may_be_opened: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

#[derive(Debug, PartialEq, Serialize)]
struct FormatLine {
    format: String,
    sizes: Vec<(u32, u32)>,
}

impl CameraLine {
    fn of(found: &Found, known: &[(&'static str, CameraProfile)]) -> Self {
        let by_id = found.by_id.as_ref().map(|link| link.display().to_string());
        let node = found.path.display().to_string();
        Self {
            name: found.card.clone(),
            device: by_id.clone().unwrap_or_else(|| node.clone()),
            node,
            by_id,
            usb: found.usb.map(|id| id.to_string()),
            driver: found.driver.clone(),
            profiles: known
                .iter()
                .filter(|(_, profile)| suits(found, profile))
                .map(|(name, _)| *name)
                .collect(),
            formats: found
                .formats
                .iter()
                .map(|offer| FormatLine {
                    format: offer.fourcc.clone(),
                    sizes: offer.sizes.clone(),
                })
                .collect(),
            may_be_opened: found.refused.is_none(),
            hint: found.refused.as_ref().map(ToString::to_string),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{} ({})\n", self.name, self.node);
        let mut line = |what: &str, value: &str| {
            let _ = writeln!(text, "  {what:9}{value}");
        };
        line("usb", self.usb.as_deref().unwrap_or("not a USB camera"));
        line("device", &self.device);
        let sizes = |format: &FormatLine| {
            let sizes: Vec<String> = format
                .sizes
                .iter()
                .map(|(w, h)| format!("{w}×{h}"))
                .collect();
            format!("{} {}", format.format, sizes.join(", "))
        };
        let formats: Vec<String> = self.formats.iter().map(sizes).collect();
        if !formats.is_empty() {
            line("formats", &formats.join("; "));
        }
        match (self.profiles.as_slice(), self.may_be_opened) {
            ([], true) => line(
                "profile",
                "none is built in for it. If it is a thermal camera with Y16 pictures, copy \
                 calibration/cameras/core-640.toml, write its scale into it and name the copy as profile",
            ),
            ([], false) => line("profile", "not known before it may be opened"),
            ([one], _) => line("profile", one),
            ([one, others @ ..], _) => {
                line("profile", &format!("{one}, or {}", others.join(" or ")));
            }
        }
        if let Some(hint) = &self.hint {
            line("problem", hint);
        }
        text
    }
}

/// Whether a camera is what a profile is for: its USB id, and pictures of its size where that can be
/// seen.
fn suits(found: &Found, profile: &CameraProfile) -> bool {
    let connection = &profile.connection;
    let size = (profile.optics.width, profile.optics.height);
    let is_one = found.usb.is_some_and(|id| connection.usb.contains(&id));
    let has_size = found.pictures(connection.layout).contains(&size);
    is_one && (has_size || found.refused.is_some())
}

const NOTHING: &str = "No camera is plugged in (there is no /dev/videoN that gives pictures).
- A USB camera shows in lsusb, too: a PureThermal as 1e4e:0100. If it does not, try another cable or port.
- If it does, its driver is missing: sudo modprobe uvcvideo
- In a container or a virtual machine the device has to be passed in.
- Without a camera: menshen demo
";

/// Lists them.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(args: &CamerasArgs) -> anyhow::Result<ExitCode> {
    let found = discover();
    let known = profile::built_in_names()
        .map(|name| Ok((name, profile::built_in(name)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let lines: Vec<CameraLine> = found
        .iter()
        .map(|found| CameraLine::of(found, &known))
        .collect();
    if args.json {
        for line in &lines {
            let text = serde_json::to_string(line).context("writing JSON")?;
            say(&format!("{text}\n"))?;
        }
    } else if lines.is_empty() {
        say(NOTHING)?;
    } else {
        let texts: Vec<String> = lines.iter().map(CameraLine::text).collect();
        say(&texts.join("\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::v4l::Offer;
    use crate::camera::v4l::access::Refusal;
    use crate::thermal::profile::UsbId;

    fn camera(usb: &str, fourcc: &str, sizes: &[(u32, u32)]) -> Found {
        Found {
            path: "/dev/video3".into(),
            card: "Camera".to_owned(),
            driver: "uvcvideo".to_owned(),
            bus: "usb-1".to_owned(),
            usb: UsbId::from_text(usb),
            by_id: None,
            formats: vec![Offer {
                fourcc: fourcc.to_owned(),
                sizes: sizes.to_vec(),
            }],
            refused: None,
        }
    }

    fn line(found: &Found) -> CameraLine {
        let known: Vec<_> = profile::built_in_names()
            .map(|name| (name, profile::built_in(name).unwrap()))
            .collect();
        CameraLine::of(found, &known)
    }

    #[test]
    fn a_camera_gets_the_profile_of_what_it_is_and_offers() {
        for (usb, fourcc, sizes, profiles) in [
            (
                "1e4e:0100",
                "Y16",
                &[(160, 120), (160, 122)][..],
                &["lepton-3.5"][..],
            ),
            ("1e4e:0100", "Y16", &[(160, 122)], &["lepton-3.5"]),
            ("1e4e:0100", "Y16", &[(80, 60), (80, 63)], &["lepton-2.5"]),
            (
                "0bda:5830",
                "YUYV",
                &[(256, 192), (256, 384)],
                &["infiray-p2-pro"],
            ),
            ("0bda:5840", "YUYV", &[(256, 384)], &["infiray-p2-pro"]),
            ("2bdf:0102", "YUYV", &[(512, 484)], &["topdon-tc002c"]),
            // A webcam behind the same bridge, and one with pictures of that size.
            ("0bda:5830", "YUYV", &[(640, 480), (1280, 720)], &[]),
            ("046d:0825", "Y16", &[(160, 120)], &[]),
        ] {
            assert_eq!(
                line(&camera(usb, fourcc, sizes)).profiles,
                profiles,
                "{usb} {sizes:?}"
            );
        }
    }

    #[test]
    fn the_text_says_what_to_write_and_what_to_do() {
        let mut found = camera("1e4e:0100", "Y16", &[(160, 120)]);
        found.by_id = Some("/dev/v4l/by-id/usb-GroupGets".into());
        let text = line(&found).text();
        for word in [
            "1e4e:0100",
            "/dev/v4l/by-id/usb-GroupGets",
            "Y16 160×120",
            "lepton-3.5",
        ] {
            assert!(text.contains(word), "{word} is missing in\n{text}");
        }
        found.formats.clear();
        found.refused = Some(Refusal {
            why: "this user may not open it".to_owned(),
            remedy: "sudo usermod".to_owned(),
        });
        let text = line(&found).text();
        assert!(text.contains("lepton-3.5, or lepton-2.5"), "{text}");
        assert!(text.contains("sudo usermod"), "{text}");
        let text = line(&camera("046d:0825", "YUYV", &[(640, 480)])).text();
        assert!(text.contains("none is built in"), "{text}");
    }
}
