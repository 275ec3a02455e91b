//! The figures as they are written: one JSON object, or tables for people.
//!
//! Every share is written with what it is a share of; `null` (in tables `n/a`) where there was
//! nothing to compare.

use super::data::Listed;
use crate::cmd::replay::CpuLine;
use crate::evaluate::{
    Count, Detections, Flag, FlagScore, NEAR_WIDTH, Outcome, PointError, PoseAxis, SeenFace, Sheet,
    Summary,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recordings: Option<RecordingsReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scenes: Option<ScenesReport>,
}

/// What came of real recordings.
#[derive(Serialize)]
pub(super) struct RecordingsReport {
    pub(super) frames: u64,
    /// Width × height, upright.
    pub(super) pictures: Vec<String>,
    pub(super) labels: Option<LabelsReport>,
    pub(super) people: Option<PeopleReport>,
    pub(super) cpu_ms_per_frame: CpuReport,
    pub(super) each: Vec<RecordingLine>,
}

/// One recording.
#[derive(Serialize)]
pub(super) struct RecordingLine {
    pub(super) file: String,
    pub(super) class: Option<&'static str>,
    pub(super) people_seen: Option<u64>,
    pub(super) people: u64,
    pub(super) measured: u64,
    /// Of all faces that were measured, °C.
    pub(super) coldest_face_c: Option<f64>,
    /// How likely what is worn is: median over all faces.
    pub(super) wears: ByFlag<Option<f32>>,
    pub(super) error: Option<String>,
}

/// Single frames that somebody labelled.
#[derive(Serialize)]
pub(super) struct LabelsReport {
    pub(super) all: DetectionReport,
    pub(super) near: DetectionReport,
    pub(super) far: DetectionReport,
    pub(super) backs_of_heads: FiresReport,
    pub(super) spans_without_faces: FiresReport,
    pub(super) spans_of_backs: FiresReport,
    #[serde(flatten)]
    pub(super) features: FeaturesReport,
}

/// Rendered scenes.
#[derive(Serialize)]
pub(super) struct ScenesReport {
    pub(super) picture: String,
    pub(super) all: DetectionReport,
    pub(super) recall_by_yaw: Vec<BandReport>,
    pub(super) recall_by_width: Vec<BandReport>,
    pub(super) heads_from_behind: Share,
    #[serde(flatten)]
    pub(super) features: FeaturesReport,
    pub(super) cpu_ms_per_frame: CpuReport,
}

/// Hits, of how many, and the ratio.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Share {
    pub(super) hits: u64,
    pub(super) of: u64,
    #[serde(rename = "share")]
    pub(super) ratio: Option<f64>,
}

/// Faces found.
#[derive(Serialize)]
pub(super) struct DetectionReport {
    pub(super) frames: u64,
    pub(super) recall: Share,
    pub(super) precision: Share,
    #[serde(rename = "false")]
    pub(super) wrong: u64,
    pub(super) false_per_frame: Option<f64>,
}

/// Detections where there is no face.
#[derive(Serialize)]
pub(super) struct FiresReport {
    pub(super) frames: u64,
    pub(super) fires: u64,
    pub(super) per_frame: Option<f64>,
}

/// Recall of faces from, and below, a size.
#[derive(Serialize)]
pub(super) struct BandReport {
    pub(super) from: f32,
    pub(super) below: Option<f32>,
    pub(super) recall: Share,
}

/// Points, flags, pose.
#[derive(Serialize)]
pub(super) struct FeaturesReport {
    pub(super) eyes: Option<PointReport>,
    pub(super) all_points: Option<PointReport>,
    pub(super) canthi: Option<PointReport>,
    pub(super) flags: ByFlag<FlagReport>,
    pub(super) pose_error_deg: PoseReport,
}

/// Mean distance of points from where they should be.
#[derive(Serialize)]
pub(super) struct PointReport {
    pub(super) points: u64,
    pub(super) pixels: f64,
    /// Of the distance between the eyes; of the canthi: of the width of the face.
    pub(super) percent: f64,
}

/// One thing for each flag.
#[derive(Clone, Copy, Serialize)]
pub(super) struct ByFlag<T> {
    pub(super) glasses: T,
    pub(super) mask: T,
    pub(super) brow: T,
}

impl<T> ByFlag<T> {
    pub(super) fn of(each: impl FnMut(Flag) -> T) -> Self {
        let [glasses, mask, brow] = Flag::ALL.map(each);
        Self {
            glasses,
            mask,
            brow,
        }
    }
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct FlagReport {
    pub(super) balanced_accuracy: Option<f64>,
    pub(super) sensitivity: Share,
    pub(super) specificity: Share,
}

#[derive(Serialize)]
pub(super) struct PoseReport {
    pub(super) faces: u64,
    pub(super) yaw: Option<f64>,
    pub(super) pitch: Option<f64>,
    pub(super) roll: Option<f64>,
}

/// Whole recordings, against an index.
#[derive(Serialize)]
pub(super) struct PeopleReport {
    pub(super) by_class: BTreeMap<&'static str, ClassReport>,
    /// Somebody found, of the recordings in which somebody faces the camera.
    pub(super) found: Share,
    pub(super) missed: Vec<String>,
    /// Somebody found, of those in which nobody should be.
    #[serde(rename = "false")]
    pub(super) fooled: Share,
    pub(super) false_in: Vec<String>,
    pub(super) measured_unasked: u64,
    /// As `found` and `false`, where people were counted: some, or none.
    pub(super) counted_found: Share,
    pub(super) counted_false: Share,
    pub(super) exact: Share,
    pub(super) not_exact: Vec<String>,
    /// By recording: the median over its faces, against the index.
    pub(super) flags: ByFlag<FlagReport>,
}

#[derive(Default, Serialize)]
pub(super) struct ClassReport {
    pub(super) recordings: u64,
    pub(super) with_people: u64,
    pub(super) people: u64,
    pub(super) measured: u64,
}

/// CPU time of a frame, one thread.
#[derive(Serialize)]
pub(super) struct CpuReport {
    pub(super) detector: CpuLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pipeline: Option<CpuLine>,
}

impl From<Count> for Share {
    fn from(count: Count) -> Self {
        Self {
            hits: count.hits,
            of: count.of,
            ratio: count.ratio().map(rounded),
        }
    }
}

/// Four decimal places: nothing is computed from it.
fn rounded(value: f64) -> f64 {
    super::super::replay::rounded(value, 1e4)
}

impl DetectionReport {
    pub(super) fn of(sheet: &Sheet, width: impl Fn(f32) -> bool) -> Self {
        let Detections {
            recall,
            precision,
            wrong,
        } = sheet.detections(width);
        Self {
            frames: sheet.frames,
            recall: recall.into(),
            precision: precision.into(),
            wrong,
            false_per_frame: per_frame(wrong, sheet.frames),
        }
    }
}

impl FiresReport {
    pub(super) fn of(sheet: &Sheet) -> Self {
        let fires = sheet.detections(|_| true).wrong;
        Self {
            frames: sheet.frames,
            fires,
            per_frame: per_frame(fires, sheet.frames),
        }
    }
}

fn per_frame(times: u64, frames: u64) -> Option<f64> {
    (frames > 0).then(|| rounded(times as f64 / frames as f64))
}

impl BandReport {
    /// Recall by some measure of a face, from each bound to the next; the last one is open where
    /// there is none.
    pub(super) fn all(
        sheet: &Sheet,
        bounds: &[(f32, Option<f32>)],
        measure: impl Fn(&SeenFace) -> f32,
    ) -> Vec<Self> {
        bounds
            .iter()
            .map(|&(from, below)| {
                let within = |value: f32| value >= from && below.is_none_or(|end| value < end);
                Self {
                    from,
                    below,
                    recall: sheet.recall(|face| within(measure(face))).into(),
                }
            })
            .collect()
    }
}

impl LabelsReport {
    pub(super) fn of(scored: &Sheet, backs: &Sheet, spans: &Sheet, spans_of_backs: &Sheet) -> Self {
        Self {
            all: DetectionReport::of(scored, |_| true),
            near: DetectionReport::of(scored, |width| width >= NEAR_WIDTH),
            far: DetectionReport::of(scored, |width| width < NEAR_WIDTH),
            backs_of_heads: FiresReport::of(backs),
            spans_without_faces: FiresReport::of(spans),
            spans_of_backs: FiresReport::of(spans_of_backs),
            features: FeaturesReport::of(scored),
        }
    }
}

impl FeaturesReport {
    pub(super) fn of(sheet: &Sheet) -> Self {
        let [yaw, pitch, roll] = PoseAxis::ALL.map(|axis| sheet.pose(axis));
        Self {
            eyes: PointReport::of(&sheet.eyes()),
            all_points: PointReport::of(&sheet.all_points()),
            canthi: PointReport::of(&sheet.canthi()),
            flags: ByFlag::of(|flag| FlagReport::of(&sheet.flag(flag))),
            pose_error_deg: PoseReport {
                faces: [yaw, pitch, roll]
                    .iter()
                    .flatten()
                    .map(|it| it.1)
                    .max()
                    .unwrap_or(0),
                yaw: yaw.map(|it| rounded(it.0)),
                pitch: pitch.map(|it| rounded(it.0)),
                roll: roll.map(|it| rounded(it.0)),
            },
        }
    }
}

impl PointReport {
    fn of(error: &PointError) -> Option<Self> {
        Some(Self {
            points: error.points,
            pixels: rounded(error.mean_pixels()?),
            percent: rounded(error.mean_percent()?),
        })
    }
}

impl FlagReport {
    fn of(score: &FlagScore) -> Self {
        Self {
            balanced_accuracy: score.balanced_accuracy().map(rounded),
            sensitivity: score.yes.into(),
            specificity: score.no.into(),
        }
    }
}

impl PeopleReport {
    /// Of the recordings that the index knows; nothing where it knows none.
    pub(super) fn of(each: &[RecordingLine], index: &BTreeMap<String, Listed>) -> Option<Self> {
        let (mut summary, mut by_class) = (Summary::default(), BTreeMap::new());
        let (mut missed, mut false_in, mut not_exact) = (Vec::new(), Vec::new(), Vec::new());
        let mut scores = [FlagScore::default(); 3];
        for line in each {
            let Some(listed) = index.get(&line.file) else {
                continue;
            };
            let (known, outcome) = (&listed.known, line.outcome());
            summary.add(known, &outcome);
            let row: &mut ClassReport = by_class.entry(known.class.as_str()).or_default();
            row.recordings += 1;
            row.with_people += u64::from(outcome.people > 0);
            row.people += outcome.people;
            row.measured += outcome.measured;
            let lists = [
                (outcome.missed(known), &mut missed),
                (outcome.is_false(known), &mut false_in),
                (
                    known.people.is_some_and(|it| it != outcome.people),
                    &mut not_exact,
                ),
            ];
            for (_, list) in lists.into_iter().filter(|it| it.0) {
                list.push(line.file.clone());
            }
            for flag in Flag::ALL {
                if let (Some(worn), Some(said)) = (listed.wears(flag), line.wears.get(flag)) {
                    scores[flag as usize].add(worn, said);
                }
            }
        }
        (!by_class.is_empty()).then(|| Self {
            by_class,
            found: summary.found.into(),
            missed,
            fooled: summary.fooled.into(),
            false_in,
            measured_unasked: summary.measured_unasked,
            counted_found: summary.counted_found.into(),
            counted_false: summary.counted_fooled.into(),
            exact: summary.exact.into(),
            not_exact,
            flags: ByFlag::of(|flag| FlagReport::of(&scores[flag as usize])),
        })
    }
}

impl RecordingLine {
    const fn outcome(&self) -> Outcome {
        Outcome {
            people: self.people,
            measured: self.measured,
        }
    }
}

impl<T: Copy> ByFlag<T> {
    const fn get(&self, flag: Flag) -> T {
        match flag {
            Flag::Glasses => self.glasses,
            Flag::Mask => self.mask,
            Flag::Brow => self.brow,
        }
    }
}
