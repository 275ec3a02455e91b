//! A recording through the whole pipeline: the same door as the running gateway, without its rim.
//!
//! Nothing here reads a clock but the processor's own: replaying a recording twice gives the same
//! people, byte for byte.

use super::Pipeline;
use crate::camera::Camera;
use crate::event::Event;
use crate::face::Detector;
use crate::screening::{Screening, Verdict};
use cpu_time::ThreadTime;
use std::collections::BTreeMap;

/// What a recording came to.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Frames that could be read.
    pub frames: u64,
    /// Everybody who came to be screened.
    pub people: Vec<Screening>,
    /// Everybody who could not be judged, by reason; also those who merely passed.
    pub cannot_judge: BTreeMap<&'static str, u64>,
    /// Every event, in order.
    pub events: Vec<Event>,
    /// CPU time of each frame: radiometry to verdict, without reading the file.
    pub cpu: CpuTimes,
    /// What ended the recording early.
    pub error: Option<String>,
}

/// CPU time of each of some frames, of one thread.
#[derive(Clone, Debug, Default)]
pub struct CpuTimes(Vec<f64>);

impl CpuTimes {
    /// Does the work of a frame, and keeps what it cost.
    pub fn watch<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = ThreadTime::now();
        let done = work();
        self.0.push(start.elapsed().as_secs_f64() * 1e3);
        done
    }

    /// More frames.
    pub fn append(&mut self, mut more: Self) {
        self.0.append(&mut more.0);
    }

    /// Mean of a frame, ms; 0 without frames.
    #[must_use]
    pub fn mean_ms(&self) -> f64 {
        let count = self.0.len().max(1) as f64;
        // Not `sum`, whose nothing is -0.
        self.0.iter().fold(0.0, |sum, ms| sum + ms) / count
    }

    /// What this share of the frames stays below, ms; 0 without frames.
    #[must_use]
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        let at = ((last as f64) * share.clamp(0.0, 1.0)).round() as usize;
        sorted.get(at).copied().unwrap_or(0.0)
    }
}

impl Replay {
    fn take(&mut self, events: Vec<Event>) {
        for event in &events {
            if let Event::Screened(screening) = event {
                if let Verdict::CannotJudge(obstacle) = screening.verdict {
                    *self.cannot_judge.entry(obstacle.as_str()).or_default() += 1;
                }
                if screening.presented {
                    self.people.push(*screening);
                }
            }
        }
        self.events.extend(events);
    }
}

/// Runs a camera to its end. `each` is called after every frame, for a progress bar.
pub fn replay<D: Detector>(
    camera: &mut dyn Camera,
    pipeline: &mut Pipeline<D>,
    mut each: impl FnMut(),
) -> Replay {
    let mut replay = Replay::default();
    loop {
        match camera.next_frame() {
            Ok(Some(frame)) => {
                let step = replay.cpu.watch(|| pipeline.step(&frame));
                replay.frames += 1;
                replay.take(step.events);
                if let Some(error) = step.detector {
                    replay.error = Some(error.to_string());
                }
                each();
            }
            Ok(None) => break,
            Err(error) => {
                replay.error = Some(error.to_string());
                break;
            }
        }
    }
    replay.take(pipeline.finish());
    replay
}
