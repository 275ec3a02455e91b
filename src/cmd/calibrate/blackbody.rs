//! `menshen calibrate blackbody`: what the camera reads of a blackbody at one set point or several,
//! guided in the terminal and on a page.
//!
//! The page is served for whoever stands at the blackbody and cannot see the terminal. Nothing has
//! to be pressed: the next set point begins as soon as the camera sees the blackbody on its way.
//! Every frame's reading goes to a log beside the profile, so that a calibration can be looked into
//! years later.

use crate::camera::{Camera, CameraError};
use crate::clock::{BootId, Clock, Stamp, SystemClock, WallTime};
use crate::cmd::{self, in_words, must_be_new, say, tell, until_told_to_stop};
use crate::config::Config;
use crate::config::profile::to_toml;
use crate::pipeline::source::open_camera;
use crate::thermal::RawFrame;
use crate::thermal::profile::{
    BlackbodyUsed, Calibration, CameraProfile, Gain, MOST_GAIN_ERROR, MOST_POINTS, SetPoint,
};
use crate::thermal::reference::{LEAST_SPAN_K, ReferenceSettings};
use crate::thermal::session::{Point, Progress, STEADY_WITHIN_K, Session, Stage};
use crate::units::{Celsius, ReferenceTemperature, StandardUncertainty};
use crate::web::calibration::{self, CalibrationStep, CalibrationView, PointView};
use anyhow::{Context as _, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Most values of the trace on the page: five minutes at 9 frames a second, every third frame.
const TRACE: usize = 900;

/// Arguments of `menshen calibrate blackbody`.
#[derive(clap::Args, Clone, Debug)]
pub struct BlackbodyArgs {
    /// Configuration; without it the file that MENSHEN_CONFIG names, or ./menshen.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A set point of the blackbody, °C; give two that are 2 K or more apart, in the order in which
    /// you will set them, and the camera's gain is checked, too.
    #[arg(long = "set-point", value_name = "T", required = true, value_parser = cmd::set_point)]
    set_points: Vec<Celsius>,
    /// How long the blackbody must read steadily.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = cmd::seconds)]
    steady: Duration,
    /// How long to wait for one set point before giving up.
    #[arg(long, value_name = "SECONDS", default_value = "2700", value_parser = cmd::seconds)]
    patience: Duration,
    /// The new profile; one that exists is not overwritten. The log of all frames goes beside it.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Make and serial number of the blackbody.
    #[arg(long, value_name = "NAME")]
    blackbody: String,
    /// Days for which the calibration holds.
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=1100))]
    valid_days: u32,
    /// Where the page is served, this machine only.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
}

/// Calibrates.
///
/// # Errors
/// Where the camera, the page or the files cannot be used, the blackbody does not come to rest in
/// time, or the camera's gain is none that one reference can mend.
pub(super) fn run(args: &BlackbodyArgs) -> anyhow::Result<ExitCode> {
    must_be_new(&args.out)?;
    let log = args.out.with_extension("csv");
    must_be_new(&log)?;
    are_apart(&args.set_points)?;
    let (config, _) = Config::find(args.config.as_deref())?;
    let profile = config.camera.known()?;
    let Some(reference) = config.reference else {
        bail!(
            "the configuration says that there is no blackbody (present = false in [reference])\n\
             hint: set it to true: nothing can be calibrated without one"
        );
    };
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        let stop = until_told_to_stop(None);
        let (shown, watched) = watch::channel(CalibrationView {
            set_points_c: args.set_points.iter().map(|t| t.degrees()).collect(),
            steady_for_s: args.steady.as_secs_f64(),
            steady_within_k: STEADY_WITHIN_K,
            ..CalibrationView::default()
        });
        let listener = TcpListener::bind(args.listen).await.with_context(|| {
            format!(
                "the page cannot be served on {}\nhint: choose another port with --listen",
                args.listen
            )
        })?;
        tell(&format!("page: http://{}/", listener.local_addr()?));
        let page = tokio::spawn(calibration::serve(listener, watched, stop.clone()));
        let work = Work {
            args: args.clone(),
            config,
            profile,
            reference,
            log,
            shown,
            stop: stop.clone(),
        };
        let done = tokio::task::spawn_blocking(move || work.run()).await?;
        stop.cancel();
        page.await??;
        done
    })
}

/// Refuses set points of which no gain can be told.
fn are_apart(set_points: &[Celsius]) -> anyhow::Result<()> {
    ensure!(
        set_points.len() <= MOST_POINTS,
        "{} set points are too many\nhint: give at most {MOST_POINTS}",
        set_points.len()
    );
    for (n, one) in set_points.iter().enumerate() {
        for other in &set_points[..n] {
            ensure!(
                (*one - *other).kelvin().abs() >= LEAST_SPAN_K,
                "the set points {other} and {one} are too close to each other\n\
                 hint: give set points that are {LEAST_SPAN_K} K or more apart, such as 35 and 39"
            );
        }
    }
    Ok(())
}

/// What the thread that looks at the camera needs.
struct Work {
    args: BlackbodyArgs,
    config: Config,
    profile: CameraProfile,
    reference: ReferenceSettings,
    log: PathBuf,
    shown: watch::Sender<CalibrationView>,
    stop: CancellationToken,
}

impl Work {
    fn run(self) -> anyhow::Result<ExitCode> {
        match self
            .measure()
            .and_then(|(session, at)| self.write(&session, at))
        {
            Ok(gain) => {
                let gain = (self.args.set_points.len() > 1).then_some(gain);
                self.show(|view| {
                    view.step = CalibrationStep::Done {
                        gain: gain.map(|it| it.value),
                        u_gain: gain.map(|it| it.u),
                        profile: self.args.out.display().to_string(),
                    };
                });
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                let why = in_words(&error);
                self.show(|view| view.step = CalibrationStep::Failed { why });
                Err(error)
            }
        }
    }

    fn show(&self, change: impl FnOnce(&mut CalibrationView)) {
        self.shown.send_modify(change);
    }

    /// Looks at the camera until every set point is done.
    fn measure(&self) -> anyhow::Result<(Session, Stamp)> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start(BootId(0)));
        let mut camera = open_camera(&self.config.camera, Arc::clone(&clock), BootId(0))?()?;
        self.show(|view| view.camera.clone_from(&camera.info().name));
        let settings: Vec<_> = self
            .args
            .set_points
            .iter()
            .map(|&set_point| ReferenceSettings {
                set_point: ReferenceTemperature(set_point),
                ..self.reference
            })
            .collect();
        let scale = camera.info().scale;
        let mut session = Session::new(&settings, scale, self.args.steady);
        let mut log = Log::create(&self.log)?;
        let bar = ProgressBar::new(self.args.steady.as_secs());
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} s {msg}") {
            bar.set_style(style);
        }
        let mut since = None;
        loop {
            ensure!(!self.stop.is_cancelled(), "stopped before it was done");
            let Some(frame) = next_frame(&mut *camera)? else {
                if self.stop.is_cancelled() {
                    continue;
                }
                bail!(
                    "the camera's frames ended before the blackbody was steady\n\
                     hint: use a longer recording or scenario"
                );
            };
            let since = since.get_or_insert(frame.stamp);
            let done = session.points().len();
            let stage = session.step(&frame);
            if session.points().len() > done {
                *since = frame.stamp;
            }
            let wanted = self.args.set_points[done.min(self.args.set_points.len() - 1)];
            log.write(frame.stamp, wanted, stage)?;
            self.report(&session, stage);
            Self::tell(&bar, wanted, stage);
            if session.points().len() == self.args.set_points.len() {
                bar.finish_and_clear();
                log.finish()?;
                return Ok((session, frame.stamp));
            }
            let waited = frame.stamp.since(since).unwrap_or_default();
            if waited > self.args.patience {
                log.finish()?;
                bail!(
                    "the blackbody was not steady at {wanted} within {:.0} minutes\n\
                     hint: see in {} what was read of it; a blackbody far from the room's temperature \
                     takes half an hour, and nothing may stand before it",
                    self.args.patience.as_secs_f64() / 60.0,
                    self.log.display()
                );
            }
        }
    }

    /// Shows the page how far it is.
    fn report(&self, session: &Session, stage: Stage) {
        self.show(|view| {
            view.points = session.points().iter().map(point_view).collect();
            view.step = match stage {
                Stage::SetBlackbody => CalibrationStep::SetBlackbody,
                Stage::At(Progress::Watching {
                    reading,
                    above_scene,
                    watched,
                    moved,
                }) => {
                    view.trace_k.push(above_scene.kelvin() as f32);
                    let over = view.trace_k.len().saturating_sub(TRACE);
                    view.trace_k.drain(..over);
                    CalibrationStep::Watching {
                        reading_c: reading.degrees(),
                        watched_s: watched.as_secs_f64(),
                        moved_k: moved.kelvin(),
                    }
                }
                Stage::At(Progress::NotInView) => CalibrationStep::NotInView,
                Stage::At(Progress::Steady(_)) | Stage::Done => {
                    view.trace_k.clear();
                    CalibrationStep::SetBlackbody
                }
            };
        });
    }

    /// Shows the terminal how far it is.
    fn tell(bar: &ProgressBar, wanted: Celsius, stage: Stage) {
        bar.set_prefix(format!("{:.1} °C", wanted.degrees()));
        match stage {
            Stage::SetBlackbody => {
                bar.set_position(0);
                bar.set_message(format!("set the blackbody to {:.1} °C", wanted.degrees()));
            }
            Stage::At(Progress::NotInView) => {
                bar.set_position(0);
                bar.set_message("no blackbody in view");
            }
            Stage::At(Progress::Watching {
                reading,
                watched,
                moved,
                ..
            }) => {
                bar.set_position(watched.as_secs());
                bar.set_message(format!(
                    "reads {:.2} °C, moved {:.3} K (wait for {STEADY_WITHIN_K} K)",
                    reading.degrees(),
                    moved.kelvin()
                ));
            }
            Stage::At(Progress::Steady(point)) => bar.println(format!(
                "{:.1} °C: reads {:.2} °C, noise {:.3} K, unevenness {:.3} K, {} frames",
                wanted.degrees(),
                point.reading.degrees(),
                point.noise.kelvin(),
                point.spread.kelvin(),
                point.frames
            )),
            Stage::Done => {}
        }
    }

    /// The profile with its calibration, as a file.
    fn write(&self, session: &Session, at: Stamp) -> anyhow::Result<Gain> {
        let point = |(point, read): (&Point, ReferenceTemperature)| SetPoint {
            set: point.set_point,
            read: ReferenceTemperature(in_hundredths(read.0)),
            deviation: point.noise,
        };
        // Where no thermometer says it: the scene, set right by the first set point.
        let room = match (self.config.room.ambient, session.points().first()) {
            (Some(room), _) => room.0,
            (None, Some(point)) => point.scene + (point.set_point.0 - point.reading),
            (None, None) => bail!("no set point was measured"),
        };
        let days = i64::from(self.args.valid_days) * WallTime::DAY_MS;
        let today = WallTime(at.wall.0.div_euclid(WallTime::DAY_MS) * WallTime::DAY_MS);
        let calibration = Calibration {
            made: today,
            valid_until: WallTime(today.0.saturating_add(days)),
            room: in_hundredths(room),
            blackbody: BlackbodyUsed {
                name: self.args.blackbody.clone(),
                emissivity: self.reference.emissivity,
                u_certificate: self.reference.u_set_point,
                u_evenness: StandardUncertainty::literal(0.0),
            },
            points: session.readings().map(point).collect(),
        };
        let gain = calibration.gain();
        let profile = CameraProfile {
            calibration: Some(calibration),
            ..self.profile.clone()
        };
        ensure!(
            gain.is_fit(),
            "the camera's gain is {:.3}: one reference cannot mend more than {:.0} %, and people far \
             from the set point would be read wrongly\n\
             hint: check that the blackbody had reached its set points and that the camera's profile is \
             right; what was read stands in {}. Else use two references, or another camera",
            gain.value,
            100.0 * MOST_GAIN_ERROR,
            self.log.display()
        );
        std::fs::write(&self.args.out, to_toml(&profile))
            .with_context(|| format!("writing {}", self.args.out.display()))?;
        say(&format!(
            "{}: {} set points, {}\nnow write into the configuration, below [camera]:\n\
             profile = \"{}\"\n",
            self.args.out.display(),
            session.points().len(),
            if session.points().len() > 1 {
                format!("gain {:.4} ± {:.4}", gain.value, 2.0 * gain.u)
            } else {
                "gain not checked (give two --set-point)".to_owned()
            },
            self.args.out.display()
        ))?;
        Ok(gain)
    }
}

/// Rounded to what is worth writing down, 0.01 °C.
fn in_hundredths(temperature: Celsius) -> Celsius {
    Celsius::new((temperature.degrees() * 100.0).round() / 100.0).unwrap_or(temperature)
}

/// The next frame; waits through silences. `None` at the end.
fn next_frame(camera: &mut dyn Camera) -> anyhow::Result<Option<RawFrame>> {
    loop {
        match camera.next_frame() {
            Ok(frame) => return Ok(frame),
            Err(CameraError::Silent { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn point_view(point: &Point) -> PointView {
    PointView {
        set_point_c: point.set_point.degrees(),
        reading_c: point.reading.degrees(),
        noise_k: point.noise.kelvin(),
        spread_k: point.spread.kelvin(),
        frames: point.frames,
    }
}

/// The raw log: one line a frame.
struct Log(BufWriter<File>);

impl Log {
    fn create(path: &Path) -> anyhow::Result<Self> {
        let file = File::create_new(path).with_context(|| path.display().to_string())?;
        let mut log = Self(BufWriter::new(file));
        log.line("unix_ms,set_point_c,state,reading_c,above_scene_k,moved_k")?;
        Ok(log)
    }

    fn line(&mut self, text: &str) -> anyhow::Result<()> {
        writeln!(self.0, "{text}").context("writing the log of the calibration")
    }

    fn write(&mut self, at: Stamp, wanted: Celsius, stage: Stage) -> anyhow::Result<()> {
        let (ms, wanted) = (at.wall.0, wanted.degrees());
        let line = match stage {
            Stage::SetBlackbody => format!("{ms},{wanted},set_blackbody,,,"),
            Stage::At(Progress::NotInView) => format!("{ms},{wanted},not_in_view,,,"),
            Stage::At(Progress::Watching {
                reading,
                above_scene,
                moved,
                ..
            }) => format!(
                "{ms},{wanted},watching,{:.3},{:.4},{:.4}",
                reading.degrees(),
                above_scene.kelvin(),
                moved.kelvin()
            ),
            Stage::At(Progress::Steady(point)) => format!(
                "{ms},{wanted},steady,{:.3},{:.4},",
                point.reading.degrees(),
                point.above_scene.kelvin()
            ),
            Stage::Done => return Ok(()),
        };
        self.line(&line)
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.0.flush().context("writing the log of the calibration")
    }
}
