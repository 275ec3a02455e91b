//! Empty pictures that are passed over, and everything that must not be.

use super::*;
use crate::clock::{BootId, ClockTrust, WallTime};
use crate::units::{PixelBox, StandardUncertainty, TemperatureDelta};
use proptest::prelude::*;

/// Finds nothing, or says what it is told to.
#[derive(Debug, Default)]
struct Told {
    faces: Vec<Face>,
    sure_of_nobody: bool,
    fails: bool,
    asked: u32,
}

impl Detector for Told {
    fn detect(&mut self, _: &ThermalFrame) -> Result<Vec<Face>, DetectorError> {
        self.asked += 1;
        if self.fails {
            return Err(DetectorError("told to".to_owned()));
        }
        Ok(self.faces.clone())
    }

    fn is_sure_of_nobody(&self) -> bool {
        self.sure_of_nobody
    }
}

/// A gate before a detector that finds nothing at all.
fn gate() -> Gated<Told> {
    Gated::new(Told {
        sure_of_nobody: true,
        ..Told::default()
    })
}

fn stamp(boot: u64, milliseconds: u64) -> Stamp {
    Stamp {
        boot: BootId(boot),
        monotonic: Duration::from_millis(milliseconds),
        wall: WallTime(0),
        trust: ClockTrust::Unsynchronised,
    }
}

/// A lobby with a warm lamp, 117 × 158 pixels: blocks at two edges are smaller than the others.
fn frame(milliseconds: u64) -> ThermalFrame {
    let mut celsius = Array2::from_elem((117, 158), 22.0);
    celsius.slice_mut(ndarray::s![20..30, 30..40]).fill(38.0);
    ThermalFrame {
        stamp: stamp(1, milliseconds),
        sequence: milliseconds,
        celsius,
        health: FrameHealth::Good,
        reference: None,
        second: None,
        offset: TemperatureDelta::ZERO,
        scene: None,
        ambient_u: StandardUncertainty::literal(0.5),
        path: crate::thermal::path::Path::default(),
    }
}

/// Whether the detector is asked about this frame, half a second after an empty one.
fn is_asked(change: impl FnOnce(&mut ThermalFrame)) -> bool {
    let mut gate = gate();
    gate.detect(&frame(1000)).unwrap();
    let mut next = frame(1500);
    change(&mut next);
    assert!(gate.detect(&next).unwrap().is_empty());
    assert_eq!(u64::from(gate.detector.asked) + gate.skipped(), 2);
    gate.detector.asked == 2
}

#[test]
fn a_lobby_that_stays_empty_is_searched_once_a_second() {
    let mut gate = gate();
    for n in 0..90 {
        gate.detect(&frame(n * 100)).unwrap();
    }
    assert_eq!((gate.detector.asked, gate.skipped()), (9, 81));
}

#[test]
fn drift_of_the_whole_picture_and_noise_are_no_change() {
    assert!(!is_asked(|frame| frame.celsius += 3.0));
    assert!(!is_asked(|frame| {
        for ((row, col), value) in frame.celsius.indexed_iter_mut() {
            *value += if (row + col) % 2 == 0 { 0.2 } else { -0.2 };
        }
    }));
}

#[test]
fn every_doubt_asks() {
    for health in FrameHealth::ALL {
        let good = health == FrameHealth::Good;
        assert_eq!(is_asked(|frame| frame.health = health), !good, "{health:?}");
    }
    assert!(is_asked(
        |frame| frame.celsius = Array2::from_elem((120, 160), 22.0)
    ));
    // As many pixels and blocks, another shape.
    assert!(is_asked(
        |frame| frame.celsius = Array2::from_elem((158, 117), 22.0)
    ));
    for (boot, milliseconds) in [(2, 1500), (1, 999), (1, 2000), (0, 0)] {
        let odd = is_asked(|frame| frame.stamp = stamp(boot, milliseconds));
        assert!(odd, "boot {boot}, {milliseconds} ms");
    }
    assert!(is_asked(|frame| frame.celsius[[50, 50]] = f32::NAN));
}

#[test]
fn only_where_there_was_nothing_at_all_is_a_frame_passed_over() {
    let face = Face {
        area: PixelBox {
            left: 1.0,
            top: 1.0,
            right: 20.0,
            bottom: 30.0,
        },
        features: None,
        score: 0.9,
    };
    for told in [
        Told::default(),
        Told {
            faces: vec![face],
            sure_of_nobody: true,
            ..Told::default()
        },
        Told {
            sure_of_nobody: true,
            fails: true,
            ..Told::default()
        },
    ] {
        let mut gate = Gated::new(told);
        for n in 0..5 {
            let failed = gate.detect(&frame(n * 100)).is_err();
            assert_eq!(failed, gate.detector.fails);
        }
        assert_eq!(gate.skipped(), 0, "{:?}", gate.detector);
    }
}

#[test]
fn who_comes_slowly_is_noticed_before_the_second_is_over() {
    let mut gate = gate();
    gate.detect(&frame(0)).unwrap();
    for n in 1..9 {
        let mut frame = frame(n * 100);
        let warmth = 0.06 * n as f32;
        let mut part = frame.celsius.slice_mut(ndarray::s![40..60, 50..70]);
        part += warmth;
        gate.detect(&frame).unwrap();
    }
    assert_eq!(gate.detector.asked, 2, "0.06 K a frame is 0.3 K in five");
}

proptest! {
    /// The smallest face that is looked for, over a background that is as warm as a lobby gets,
    /// anywhere, whole in the picture: it is never passed over, and neither is one that has left.
    #[test]
    fn a_face_that_comes_or_goes_anywhere_is_looked_for(
        top in 0_usize..=117 - 15,
        left in 0_usize..=158 - 12,
        contrast in prop_oneof![1.0_f32..12.0, -12.0_f32..-1.0],
        drift in -2.0_f32..2.0,
    ) {
        let face = |frame: &mut ThermalFrame| {
            let area = ndarray::s![top..top + 15, left..left + 12];
            frame.celsius.slice_mut(area).mapv_inplace(|t| t + contrast);
        };
        let asked = is_asked(|frame| {
            face(frame);
            frame.celsius += drift;
        });
        prop_assert!(asked);
        let mut gate = gate();
        let mut before = frame(0);
        face(&mut before);
        gate.detect(&before).unwrap();
        gate.detect(&frame(100)).unwrap();
        prop_assert_eq!(gate.detector.asked, 2);
    }
}
