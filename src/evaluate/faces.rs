//! Single frames: faces found, their points, what they wear, how they are held.

use super::{Count, FOUND_IOU, IGNORED_SHARE, SeenFace, SeenFrame, TOUCH_IOU};
use crate::face::{Face, Landmarks, Occlusion, Pose};
use crate::units::{PixelBox, PixelPoint};

/// Likelihood from which a flag counts as said.
const SAID: f32 = 0.5;

/// Where the eyes and the canthi stand in [`Landmarks::points`].
const EYES: [usize; 2] = [0, 1];
const CANTHI: [usize; 2] = [2, 3];

/// What may hide a part of a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// [`Occlusion::glasses`].
    Glasses,
    /// [`Occlusion::mask`].
    Mask,
    /// [`Occlusion::brow`].
    Brow,
}

impl Flag {
    /// Them all.
    pub const ALL: [Self; 3] = [Self::Glasses, Self::Mask, Self::Brow];

    /// How likely it is.
    #[must_use]
    pub const fn of(self, occlusion: &Occlusion) -> f32 {
        match self {
            Self::Glasses => occlusion.glasses,
            Self::Mask => occlusion.mask,
            Self::Brow => occlusion.brow,
        }
    }
}

/// A way to turn a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoseAxis {
    /// [`Pose::yaw_deg`].
    Yaw,
    /// [`Pose::pitch_deg`].
    Pitch,
    /// [`Pose::roll_deg`].
    Roll,
}

impl PoseAxis {
    /// Them all.
    pub const ALL: [Self; 3] = [Self::Yaw, Self::Pitch, Self::Roll];

    const fn of(self, pose: &Pose) -> f32 {
        match self {
            Self::Yaw => pose.yaw_deg,
            Self::Pitch => pose.pitch_deg,
            Self::Roll => pose.roll_deg,
        }
    }
}

/// Right and wrong answers to a question of yes and no.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlagScore {
    /// Said yes, of those that are.
    pub yes: Count,
    /// Said no, of those that are not.
    pub no: Count,
}

impl FlagScore {
    /// One more answer.
    pub const fn add(&mut self, truth: bool, likelihood: f32) {
        let said = likelihood >= SAID;
        if truth {
            self.yes.add(said);
        } else {
            self.no.add(!said);
        }
    }

    /// Mean of sensitivity and specificity; `None` where either is unknown.
    #[must_use]
    pub fn balanced_accuracy(&self) -> Option<f64> {
        Some(f64::midpoint(self.yes.ratio()?, self.no.ratio()?))
    }
}

/// Mean distance between points that were said and points that were seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PointError {
    /// Points.
    pub points: u64,
    /// Sum of the distances, pixels.
    pixels: f64,
    /// Sum of the distances as shares of the face's own measure.
    shares: f64,
}

impl PointError {
    fn add(&mut self, said: PixelPoint, seen: PixelPoint, measure: f32) {
        let off = distance(said, seen);
        self.points += 1;
        self.pixels += f64::from(off);
        self.shares += f64::from(off / measure.max(1.0));
    }

    /// Pixels; `None` without points.
    #[must_use]
    pub fn mean_pixels(&self) -> Option<f64> {
        (self.points > 0).then(|| self.pixels / self.points as f64)
    }

    /// Per cent of the measure; `None` without points.
    #[must_use]
    pub fn mean_percent(&self) -> Option<f64> {
        (self.points > 0).then(|| 100.0 * self.shares / self.points as f64)
    }
}

/// What was found of some faces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detections {
    /// Faces found, of those seen.
    pub recall: Count,
    /// Detections that found a face, of all.
    pub precision: Count,
    /// Detections that touch no face.
    pub wrong: u64,
}

/// A face, and what belongs to it.
#[derive(Clone, Debug)]
struct Pair {
    seen: SeenFace,
    /// The detection that touches it, and by how much.
    found: Option<(Face, f32)>,
}

/// Everything that came of some frames.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// How many frames.
    pub frames: u64,
    /// Heads from behind that were taken for a face, of those in `SeenFrame::backs`.
    pub backs: Count,
    pairs: Vec<Pair>,
    /// Touch a face which a better one has found, or which they miss by more than half.
    loose: Vec<PixelBox>,
    wrong: Vec<PixelBox>,
}

impl Sheet {
    /// One more frame.
    pub fn add(&mut self, seen: &SeenFrame, found: &[Face]) {
        self.frames += 1;
        let mut touching: Vec<(usize, usize, f32)> = Vec::new();
        for (f, face) in seen.faces.iter().enumerate() {
            for (d, detection) in found.iter().enumerate() {
                let iou = face.area.iou(&detection.area);
                if iou >= TOUCH_IOU {
                    touching.push((f, d, iou));
                }
            }
        }
        touching.sort_by(|a, b| b.2.total_cmp(&a.2));
        let mut of_face = vec![None; seen.faces.len()];
        let mut paired = vec![None; found.len()];
        for &(f, d, iou) in &touching {
            if of_face[f].is_none() && paired[d].is_none() {
                of_face[f] = Some((found[d], iou));
                paired[d] = Some(iou);
            }
        }
        for (face, found) in seen.faces.iter().zip(of_face) {
            let seen = face.clone();
            self.pairs.push(Pair { seen, found });
        }
        for (d, detection) in found.iter().enumerate() {
            let area = detection.area;
            let touches = touching.iter().any(|&(_, it, _)| it == d);
            if paired[d].is_some_and(|iou| iou >= FOUND_IOU) {
                continue;
            }
            if touches {
                self.loose.push(area);
            } else if !is_ignored(&area, seen) {
                self.wrong.push(area);
            }
        }
        for head in &seen.backs {
            let taken = found.iter().any(|it| is_of(&it.area, head));
            self.backs.add(taken);
        }
    }

    /// Of the faces and detections of these widths; a detection that found a face counts where
    /// that face does.
    #[must_use]
    pub fn detections(&self, width: impl Fn(f32) -> bool) -> Detections {
        let count = |areas: &[PixelBox]| areas.iter().filter(|it| width(it.width())).count() as u64;
        let recall = self.recall(|face| width(face.area.width()));
        let wrong = count(&self.wrong);
        Detections {
            recall,
            precision: Count {
                hits: recall.hits,
                of: recall.hits + count(&self.loose) + wrong,
            },
            wrong,
        }
    }

    /// Faces found, of those that are so.
    #[must_use]
    pub fn recall(&self, which: impl Fn(&SeenFace) -> bool) -> Count {
        let mut recall = Count::default();
        for pair in self.pairs.iter().filter(|pair| which(&pair.seen)) {
            recall.add(pair.found.is_some_and(|(_, iou)| iou >= FOUND_IOU));
        }
        recall
    }

    /// Centres of the eyes, against the distance between them.
    #[must_use]
    pub fn eyes(&self) -> PointError {
        self.points(&EYES, eye_distance)
    }

    /// Every point, against the distance between the eyes.
    #[must_use]
    pub fn all_points(&self) -> PointError {
        let all: [usize; Landmarks::COUNT] = std::array::from_fn(|index| index);
        self.points(&all, eye_distance)
    }

    /// Inner canthi, against the width of the face.
    #[must_use]
    pub fn canthi(&self) -> PointError {
        self.points(&CANTHI, |face| Some(face.area.width()))
    }

    fn points(&self, which: &[usize], measure: impl Fn(&SeenFace) -> Option<f32>) -> PointError {
        let mut error = PointError::default();
        for pair in &self.pairs {
            let features = pair.found.and_then(|(face, _)| face.features);
            let (Some(features), Some(measure)) = (features, measure(&pair.seen)) else {
                continue;
            };
            let said = features.landmarks.points();
            for &index in which {
                if let Some(seen) = pair.seen.points[index] {
                    error.add(said[index], seen, measure);
                }
            }
        }
        error
    }

    /// Whether glasses, masks, covered brows are told apart.
    #[must_use]
    pub fn flag(&self, flag: Flag) -> FlagScore {
        let mut score = FlagScore::default();
        for pair in &self.pairs {
            let features = pair.found.and_then(|(face, _)| face.features);
            if let (Some(truth), Some(features)) = (pair.seen.wears[flag as usize], features) {
                score.add(truth, flag.of(&features.occlusion));
            }
        }
        score
    }

    /// Mean absolute error of the pose, degrees, and of how many faces.
    #[must_use]
    pub fn pose(&self, axis: PoseAxis) -> Option<(f64, u64)> {
        let errors: Vec<f64> = self
            .pairs
            .iter()
            .filter_map(|pair| {
                let said = axis.of(&pair.found?.0.features?.pose);
                Some(f64::from((said - pair.seen.pose[axis as usize]?).abs()))
            })
            .collect();
        let count = errors.len() as u64;
        (count > 0).then(|| (errors.iter().sum::<f64>() / count as f64, count))
    }
}

/// Whether a detection is of this head: a face's box is smaller than a head's.
fn is_of(area: &PixelBox, head: &PixelBox) -> bool {
    area.overlap(head) > IGNORED_SHARE * area.area() && area.iou(head) >= TOUCH_IOU
}

fn is_ignored(area: &PixelBox, seen: &SeenFrame) -> bool {
    seen.ignore
        .iter()
        .any(|ignored| area.overlap(ignored) > IGNORED_SHARE * area.area())
}

fn distance(a: PixelPoint, b: PixelPoint) -> f32 {
    (a.x - b.x).hypot(a.y - b.y)
}

fn eye_distance(face: &SeenFace) -> Option<f32> {
    Some(distance(face.points[EYES[0]]?, face.points[EYES[1]]?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::face::Features;

    fn square(left: f32, top: f32, side: f32) -> PixelBox {
        PixelBox {
            left,
            top,
            right: left + side,
            bottom: top + side,
        }
    }

    fn seen(left: f32, side: f32) -> SeenFace {
        SeenFace {
            area: square(left, 0.0, side),
            points: [None; Landmarks::COUNT],
            wears: [None; 3],
            pose: [None; 3],
        }
    }

    fn found(left: f32, side: f32) -> Face {
        Face {
            area: square(left, 0.0, side),
            features: None,
            score: 0.9,
        }
    }

    fn frame(faces: Vec<SeenFace>) -> SeenFrame {
        SeenFrame {
            faces,
            ..SeenFrame::default()
        }
    }

    #[test]
    fn found_loose_and_false_are_three_things() {
        let mut sheet = Sheet::default();
        let two = frame(vec![seen(0.0, 30.0), seen(60.0, 30.0)]);
        // 24 of 36 columns in common: found. 15 of 45: touched. Far away: false.
        sheet.add(
            &two,
            &[found(6.0, 30.0), found(75.0, 30.0), found(150.0, 30.0)],
        );
        let all = sheet.detections(|_| true);
        assert_eq!(all.recall, Count { hits: 1, of: 2 });
        assert_eq!(all.precision, Count { hits: 1, of: 3 });
        assert_eq!(all.wrong, 1);
    }

    #[test]
    fn one_detection_finds_one_face_and_one_face_is_found_once() {
        let mut sheet = Sheet::default();
        sheet.add(
            &frame(vec![seen(0.0, 30.0), seen(4.0, 30.0)]),
            &[found(1.0, 30.0)],
        );
        assert_eq!(sheet.recall(|_| true), Count { hits: 1, of: 2 });
        let mut sheet = Sheet::default();
        sheet.add(
            &frame(vec![seen(0.0, 30.0)]),
            &[found(3.0, 30.0), found(0.0, 30.0)],
        );
        let all = sheet.detections(|_| true);
        assert_eq!(all.precision, Count { hits: 1, of: 2 });
        assert_eq!(
            all.wrong, 0,
            "a second answer is not a face where there is none"
        );
    }

    #[test]
    fn what_lies_in_an_ignored_area_does_not_count() {
        let mut sheet = Sheet::default();
        let mut none = frame(Vec::new());
        none.ignore.push(square(0.0, 0.0, 20.0));
        // 19 of 30 columns by 20 of 30 rows: less than half; 20 of 20: all.
        sheet.add(&none, &[found(1.0, 30.0), found(0.0, 20.0)]);
        assert_eq!(sheet.detections(|_| true).wrong, 1);
    }

    #[test]
    fn widths_are_scored_apart() {
        let mut sheet = Sheet::default();
        let both = frame(vec![seen(0.0, 30.0), seen(60.0, 12.0)]);
        sheet.add(&both, &[found(0.0, 30.0), found(100.0, 12.0)]);
        let near = sheet.detections(|width| width >= super::super::NEAR_WIDTH);
        assert_eq!((near.recall.ratio(), near.wrong), (Some(1.0), 0));
        let far = sheet.detections(|width| width < super::super::NEAR_WIDTH);
        assert_eq!((far.recall.ratio(), far.wrong), (Some(0.0), 1));
        assert_eq!(far.precision, Count { hits: 0, of: 1 });
    }

    #[test]
    fn the_back_of_a_head_is_fired_on_or_not() {
        let mut sheet = Sheet::default();
        let mut backs = frame(Vec::new());
        backs.backs = vec![square(0.0, 0.0, 40.0), square(80.0, 0.0, 40.0)];
        sheet.add(&backs, &[found(5.0, 30.0)]);
        assert_eq!(sheet.backs, Count { hits: 1, of: 2 });
        assert_eq!(sheet.detections(|_| true).wrong, 1);
    }

    #[test]
    fn points_flags_and_pose_are_compared_where_both_say_something() {
        let point = |x, y| PixelPoint { x, y };
        let mut one = seen(0.0, 40.0);
        one.points[0] = Some(point(10.0, 15.0));
        one.points[1] = Some(point(30.0, 15.0));
        one.points[2] = Some(point(16.0, 16.0));
        one.wears = [Some(true), Some(false), None];
        one.pose = [Some(10.0), None, None];
        let mut said = found(0.0, 40.0);
        said.features = Some(Features {
            landmarks: Landmarks::from_points(
                // Both eyes 2 pixels too far right, everything else at (16, 20).
                std::array::from_fn(|index| match index {
                    0 => point(12.0, 15.0),
                    1 => point(32.0, 15.0),
                    _ => point(16.0, 20.0),
                }),
            ),
            occlusion: Occlusion {
                glasses: 0.4,
                mask: 0.4,
                brow: 0.9,
            },
            pose: Pose {
                yaw_deg: -5.0,
                ..Pose::default()
            },
        });
        let mut sheet = Sheet::default();
        sheet.add(&frame(vec![one.clone()]), &[said]);
        // The same face with a detector that says no more than where it is.
        sheet.add(&frame(vec![one]), &[found(0.0, 40.0)]);
        assert_eq!(sheet.eyes().mean_pixels(), Some(2.0));
        assert!((sheet.eyes().mean_percent().unwrap() - 10.0).abs() < 1e-4);
        assert!((sheet.canthi().mean_percent().unwrap() - 10.0).abs() < 1e-4);
        assert_eq!((sheet.canthi().points, sheet.all_points().points), (1, 3));
        let glasses = sheet.flag(Flag::Glasses);
        assert_eq!(glasses.yes, Count { hits: 0, of: 1 });
        assert_eq!(glasses.balanced_accuracy(), None);
        assert_eq!(sheet.flag(Flag::Mask).no, Count { hits: 1, of: 1 });
        assert_eq!(sheet.flag(Flag::Brow), FlagScore::default());
        assert_eq!(sheet.pose(PoseAxis::Yaw), Some((15.0, 1)));
        assert_eq!(sheet.pose(PoseAxis::Roll), None);
    }
}
