//! The thermal picture of the moment in which an alert was raised, for the guard who must find the
//! person: only where the site has switched that on.
//!
//! It is a crop about one face, kept in this process's memory and nowhere else: not in the database, not in
//! a backup, not at the broker. It goes when the outcome is recorded, when `MOST` newer ones have come, and
//! with the process. Only whoever may handle alerts is shown it. Nothing here blocks for long.

use super::problem::Problem;
use super::routes::{Entry, get};
use super::{Shared, alerts};
use crate::id::AlertId;
use crate::staff::Right;
use crate::units::PixelBox;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use ndarray::{Array2, s};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most that are kept: as many alerts wait at a time in no building that works.
const MOST: usize = 32;

/// How much of the face's box is shown around it, on each side.
const AROUND: f32 = 0.6;

/// Enlargement: a face of 24 pixels is 50 with what is around it, and 200 on the card.
const SCALE: usize = 4;

/// The pictures that are kept, oldest first.
#[derive(Debug, Default)]
pub struct Moments(Mutex<VecDeque<(AlertId, Arc<Array2<f32>>)>>);

impl Moments {
    fn kept(&self) -> MutexGuard<'_, VecDeque<(AlertId, Arc<Array2<f32>>)>> {
        // Whoever panicked left the list whole: it is changed by single calls.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the surroundings of a face, °C.
    pub fn keep(&self, alert: AlertId, celsius: &Array2<f32>, face: &PixelBox) {
        let crop = Arc::new(crop(celsius, face));
        if crop.is_empty() {
            return;
        }
        let mut kept = self.kept();
        kept.push_back((alert, crop));
        while kept.len() > MOST {
            kept.pop_front();
        }
    }

    /// Whether there is one of this alert.
    #[must_use]
    pub fn has(&self, alert: AlertId) -> bool {
        self.kept().iter().any(|(id, _)| *id == alert)
    }

    fn of(&self, alert: AlertId) -> Option<Arc<Array2<f32>>> {
        let kept = self.kept();
        let found = kept.iter().find(|(id, _)| *id == alert);
        found.map(|(_, crop)| Arc::clone(crop))
    }

    /// Its outcome is recorded.
    pub fn forget(&self, alert: AlertId) {
        self.kept().retain(|(id, _)| *id != alert);
    }
}

fn crop(celsius: &Array2<f32>, face: &PixelBox) -> Array2<f32> {
    let more = AROUND * face.width().max(face.height());
    // A float-to-integer cast saturates, and what lies outside of the picture is cut off.
    let range = |from: f32, to: f32, end: usize| {
        let to = ((to + more).ceil() as usize).min(end);
        ((from - more).floor() as usize).min(to)..to
    };
    let (rows, columns) = celsius.dim();
    let (y, x) = (
        range(face.top, face.bottom, rows),
        range(face.left, face.right, columns),
    );
    celsius.slice(s![y, x]).to_owned()
}

/// In grey, warm is white: it needs no legend and no colours.
fn png(crop: &Array2<f32>) -> Result<Vec<u8>, Problem> {
    let low = crop.iter().copied().fold(f32::INFINITY, f32::min);
    let high = crop.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let range = (high - low).max(1.0);
    let (rows, columns) = crop.dim();
    let mut grey = Vec::with_capacity(rows * columns * SCALE * SCALE);
    for y in 0..rows * SCALE {
        for x in 0..columns * SCALE {
            let level = (crop[[y / SCALE, x / SCALE]] - low) / range;
            grey.push((level * 255.0).round() as u8);
        }
    }
    let size = |pixels: usize| u32::try_from(pixels * SCALE).unwrap_or(u32::MAX);
    let mut bytes = Vec::new();
    let written = PngEncoder::new(&mut bytes).write_image(
        &grey,
        size(columns),
        size(rows),
        ExtendedColorType::L8,
    );
    written.map_err(|error| Problem::Storage(error.to_string()))?;
    Ok(bytes)
}

pub(super) fn routes() -> Vec<Entry> {
    vec![get(
        "/alerts/{id}/picture.png",
        Right::HandleAlerts,
        picture,
    )]
}

/// `GET /alerts/{id}/picture.png`.
async fn picture(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = alerts::alert_id(&id)?;
    let moments = shared.dashboard.moments.as_ref();
    let crop = moments.and_then(|it| it.of(id)).ok_or(Problem::NoPage)?;
    Ok(([(CONTENT_TYPE, "image/png")], png(&crop)?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::BootId;
    use crate::id::{ScreeningId, TrackId};

    const FACE: PixelBox = PixelBox {
        left: 10.0,
        top: 5.0,
        right: 20.0,
        bottom: 17.0,
    };

    fn id(track: u64) -> AlertId {
        ScreeningId {
            boot: BootId(1),
            track: TrackId(track),
        }
    }

    #[test]
    fn a_moment_is_kept_until_its_outcome_and_never_many() {
        let (moments, picture) = (Moments::default(), Array2::from_elem((30, 40), 30.0));
        for track in 0..40 {
            moments.keep(id(track), &picture, &FACE);
        }
        assert!(!moments.has(id(7)), "newer ones have come");
        assert!(moments.has(id(8)) && moments.has(id(39)));
        moments.forget(id(39));
        assert!(moments.of(id(39)).is_none());
    }

    #[test]
    fn only_the_surroundings_of_the_face_are_kept_and_never_more_than_there_is() {
        let picture = Array2::from_elem((30, 40), 30.0);
        let size = |face: &PixelBox| crop(&picture, face).dim();
        assert_eq!(
            size(&FACE),
            (25, 26),
            "7.2 pixels on each side, cut off above"
        );
        let beside = PixelBox {
            left: 39.0,
            right: 80.0,
            ..FACE
        };
        assert!(size(&beside).1 <= 40);
        let nowhere = PixelBox {
            left: f32::NAN,
            top: f32::NAN,
            right: f32::NAN,
            bottom: f32::NAN,
        };
        assert!(crop(&picture, &nowhere).is_empty());
        let png = png(&crop(&picture, &FACE)).unwrap();
        assert_eq!(&png[..4], b"\x89PNG");
    }
}
