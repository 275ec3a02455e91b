//! The rules on readings made by hand.

use super::*;
use crate::estimate::{BodyEstimate, Budget, Chain, Part};
use crate::screening::Difference;
use crate::units::AmbientTemperature;
use Obstacle::{RoomOutOfRange, TooCold, TooHot};
use RetestReason::{JustIn, NearThreshold, Unsteady};
use Verdict::{CannotJudge, Clear, PossibleFever, Retest};
use proptest::prelude::*;

/// Healthy, steady, in a good room.
fn reading(estimate_c: f64) -> Reading {
    let skin = |degrees| SkinTemperature(Celsius::literal(degrees));
    Reading {
        face: skin(35.0),
        canthi: Some(skin(35.0)),
        forehead: Some(skin(34.6)),
        estimate: BodyEstimate {
            value: Celsius::new(estimate_c).unwrap(),
            u: StandardUncertainty::literal(0.39),
        },
        looks: 15,
        spread: TemperatureDelta::literal(0.1),
        chain: Chain {
            apparent: Celsius::literal(34.0),
            offset: TemperatureDelta::literal(0.5),
            size_of_source: TemperatureDelta::ZERO,
            ambient: AmbientTemperature(Celsius::literal(22.0)),
        },
        basis: Basis::Reference,
        budget: Budget::SYSTEMATIC.with(Part::Reference, 0.1),
    }
}

fn with(face_c: f64, estimate_c: f64, room_c: f64, spread_k: f64) -> Reading {
    let mut reading = reading(estimate_c);
    reading.face = SkinTemperature(Celsius::new(face_c).unwrap());
    reading.chain.ambient = AmbientTemperature(Celsius::new(room_c).unwrap());
    reading.spread = TemperatureDelta::new(spread_k).unwrap();
    reading
}

/// The forehead lags behind the canthi by so much.
fn lagging(gap_k: f64, reading: Reading) -> Reading {
    let canthi = Celsius::literal(35.0);
    let forehead = canthi + TemperatureDelta::new(-gap_k).unwrap();
    Reading {
        canthi: Some(SkinTemperature(canthi)),
        forehead: Some(SkinTemperature(forehead)),
        ..reading
    }
}

fn among(median_c: f64, reading: Reading) -> Reading {
    let median = Celsius::new(median_c).unwrap();
    Reading {
        basis: Basis::Population {
            people: 120,
            median,
        },
        ..reading
    }
}

fn judge(reading: &Reading) -> Verdict {
    Rules::default().judge(reading)
}

#[test]
fn verdicts_change_at_their_bounds() {
    let just = 1e-9;
    for (face_c, estimate_c, room_c, spread_k, verdict) in [
        (35.0, 37.3 - just, 22.0, 0.1, Clear),
        (35.0, 37.3, 22.0, 0.1, Retest(NearThreshold)),
        (35.0, 37.9 - just, 22.0, 0.1, Retest(NearThreshold)),
        (35.0, 37.9, 22.0, 0.1, PossibleFever),
        // Coldest and hottest skin still count.
        (33.0, 36.0, 22.0, 0.1, Clear),
        (33.0 - just, 36.0, 22.0, 0.1, CannotJudge(TooCold)),
        (43.0, 40.0, 22.0, 0.1, PossibleFever),
        (43.0 + just, 40.0, 22.0, 0.1, CannotJudge(TooHot)),
        // So do the ends of the range of rooms.
        (35.0, 36.0, 12.0, 0.1, Clear),
        (35.0, 36.0, 12.0 - just, 0.1, CannotJudge(RoomOutOfRange)),
        (35.0, 36.0, 34.0, 0.1, Clear),
        (35.0, 36.0, 34.0 + just, 0.1, CannotJudge(RoomOutOfRange)),
        // Looks that disagree by more than the largest spread are measured again; a possible
        // fever stays one.
        (35.0, 36.0, 22.0, 0.5, Clear),
        (35.0, 36.0, 22.0, 0.5 + just, Retest(Unsteady)),
        (35.0, 37.5, 22.0, 0.5 + just, Retest(Unsteady)),
        (35.0, 37.9, 22.0, 9.0, PossibleFever),
    ] {
        let judged = judge(&with(face_c, estimate_c, room_c, spread_k));
        assert_eq!(judged, verdict, "{face_c} {estimate_c} {room_c} {spread_k}");
    }
}

#[test]
fn a_site_moves_its_thresholds_and_nothing_else() {
    let rules = Rules {
        attention: Celsius::literal(37.0),
        fever: Celsius::literal(37.6),
        ..Rules::default()
    };
    let judge = |estimate_c| rules.judge(&reading(estimate_c)).as_str();
    assert_eq!(
        [36.99, 37.0, 37.59, 37.6].map(judge),
        ["clear", "retest", "retest", "possible_fever"]
    );
}

#[test]
fn the_less_the_camera_knows_the_earlier_staff_measure_again() {
    // Attention and alarm at one bound: what is left between them is the guard band.
    let rules = Rules {
        attention: Celsius::literal(37.9),
        ..Rules::default()
    };
    let mut bands = Vec::new();
    for (u_reference, u_looks) in [(0.0, 0.0), (0.1, 0.0), (0.1, 0.2), (0.5, 0.2)] {
        let budget = Budget::SYSTEMATIC
            .with(Part::Reference, u_reference)
            .with(Part::Looks, u_looks)
            // Physiology is in the threshold's sensitivity already.
            .with(Part::Transfer, 5.0)
            .with(Part::Ambient, 5.0);
        let judge = |estimate_c: f64| {
            rules.judge(&Reading {
                budget,
                ..reading(estimate_c)
            })
        };
        let band = 1.645 * 1.08 * budget.face().kelvin();
        assert_eq!(judge(37.9 - band - 1e-9), Clear);
        assert_eq!(judge(37.9 - band + 1e-9), Retest(NearThreshold));
        assert_eq!(judge(37.9 - 1e-9), Retest(NearThreshold));
        assert_eq!(judge(37.9), PossibleFever);
        bands.push(band);
    }
    assert!(bands.is_sorted() && bands[0] < bands[3], "{bands:?}");
    // With the usual reference the band begins above the usual rule of attention.
    assert!(37.9 - bands[1] > 37.3, "{bands:?}");
}

#[test]
fn a_verdict_gets_graver_at_once_and_milder_only_beyond_the_hysteresis() {
    let rules = Rules::default();
    let again = |before, estimate_c| rules.judge_again(before, &reading(estimate_c));
    assert_eq!(again(Clear, 37.29), Clear);
    assert_eq!(again(Clear, 37.3), Retest(NearThreshold));
    assert_eq!(again(Clear, 37.9), PossibleFever);
    let near = Retest(NearThreshold);
    assert_eq!([37.3, 37.25, 37.201].map(|c| again(near, c)), [near; 3]);
    assert_eq!(again(near, 37.199), Clear);
    assert_eq!(again(PossibleFever, 37.81), PossibleFever);
    assert_eq!(again(PossibleFever, 37.79), near);
    // So with looks that disagree, and with the gap of somebody who warms up.
    let unsteady = Retest(Unsteady);
    let spread = |k| rules.judge_again(unsteady, &with(35.0, 36.5, 22.0, k));
    assert_eq!([0.51, 0.41, 0.39].map(spread), [unsteady, unsteady, Clear]);
    let cold = Retest(JustIn);
    let gap = |k| rules.judge_again(cold, &lagging(k, reading(36.5)));
    assert_eq!([1.2, 1.06, 1.04].map(gap), [cold, cold, Clear]);
    // What could not be judged holds nothing, and nothing holds it.
    assert_eq!(again(CannotJudge(TooCold), 36.5), Clear);
    let cold_face = with(32.0, 36.5, 22.0, 0.1);
    assert_eq!(rules.judge_again(near, &cold_face), CannotJudge(TooCold));
}

#[test]
fn who_is_just_in_from_the_cold_waits() {
    assert_eq!(judge(&lagging(1.15, reading(36.5))), Clear);
    assert_eq!(judge(&lagging(1.16, reading(36.5))), Retest(JustIn));
    // A gap that was not seen holds nobody.
    for (no_canthi, no_forehead) in [(true, false), (false, true), (true, true)] {
        let mut unseen = lagging(3.0, reading(36.5));
        unseen.canthi = unseen.canthi.filter(|_| !no_canthi);
        unseen.forehead = unseen.forehead.filter(|_| !no_forehead);
        assert_eq!(judge(&unseen), Clear);
    }
    let cold = lagging(3.0, with(32.9, 36.5, 22.0, 0.1));
    assert_eq!(judge(&cold), CannotJudge(TooCold));
}

#[test]
fn who_is_unsteady_just_in_or_in_another_climate_says_nothing_of_healthy_people() {
    assert!(Rules::is_in_condition(&with(35.0, 36.5, 22.0, 0.5)));
    assert!(!Rules::is_in_condition(&with(35.0, 36.5, 22.0, 0.51)));
    assert!(Rules::is_in_condition(&with(35.0, 36.5, 34.0, 0.1)));
    assert!(!Rules::is_in_condition(&with(35.0, 36.5, 34.1, 0.1)));
    assert!(!Rules::is_in_condition(&with(35.0, 36.5, 11.9, 0.1)));
    assert!(Rules::is_in_condition(&lagging(1.15, reading(36.5))));
    assert!(!Rules::is_in_condition(&lagging(1.16, reading(36.5))));
}

#[test]
fn a_population_moves_every_bound_with_the_camera() {
    // A camera that reads 4 K too low.
    let seen =
        |face_c: f64, estimate_c: f64| judge(&among(32.8, with(face_c, estimate_c, 22.0, 0.1)));
    assert_eq!(seen(31.0, 33.29), Clear);
    assert_eq!(seen(31.0, 33.31), Retest(NearThreshold));
    assert_eq!(seen(31.0, 33.89), Retest(NearThreshold));
    assert_eq!(seen(31.0, 33.91), PossibleFever);
    assert_eq!(seen(28.9, 32.9), CannotJudge(TooCold));
    assert_eq!(seen(29.1, 32.9), Clear);
    assert_eq!(seen(39.1, 36.0), CannotJudge(TooHot));
    // One that reads 2 K too high: the alarm comes 0.3 K later, not 2 K.
    let seen = |estimate_c: f64| judge(&among(38.8, with(37.0, estimate_c, 22.0, 0.1)));
    assert_eq!(seen(37.59), Clear);
    assert_eq!(seen(38.19), Retest(NearThreshold));
    assert_eq!(seen(38.21), PossibleFever);
    // What reads 34.9 of a skin of 32.9 is too cold all the same.
    let cold = among(38.8, with(34.9, 37.0, 22.0, 0.1));
    assert_eq!(judge(&cold), CannotJudge(TooCold));
}

fn any_reading() -> impl Strategy<Value = Reading> {
    let median = proptest::option::of(25.0..45.0_f64);
    let shape = (33.0..41.0_f64, 12.0..34.0_f64, 0.0..1.0_f64, 0.0..3.0_f64);
    (shape, 33.0..41.0_f64, 0.0..1.0_f64, median).prop_map(
        |((face_c, room_c, spread_k, gap_k), estimate_c, u, median_c)| {
            let mut reading = lagging(gap_k, with(face_c, estimate_c, room_c, spread_k));
            reading.budget = reading.budget.with(Part::Looks, u);
            match median_c {
                None => reading,
                Some(median_c) => among(median_c, reading),
            }
        },
    )
}

fn warmer(reading: &Reading, kelvin: f64) -> Reading {
    let mut warmer = *reading;
    warmer.estimate.value = warmer.estimate.value + TemperatureDelta::new(kelvin).unwrap();
    warmer
}

proptest! {
    #[test]
    fn a_hotter_reading_is_never_judged_milder(reading in any_reading(), more in 0.0..5.0_f64) {
        let (cold, hot) = (judge(&reading), judge(&warmer(&reading, more)));
        prop_assert!(cold.gravity() <= hot.gravity(), "{cold:?} {hot:?}");
    }

    #[test]
    fn a_wider_gap_only_turns_clear_into_retest(reading in any_reading(), gap_k in 0.0..5.0_f64) {
        let usual = judge(&lagging(0.4, reading));
        let held = judge(&lagging(gap_k, reading));
        prop_assert!(held == usual || (usual, held) == (Clear, Retest(JustIn)), "{usual:?} {held:?}");
    }

    #[test]
    fn what_was_said_before_makes_nothing_milder(reading in any_reading(), before in any_reading()) {
        let rules = Rules::default();
        let (now, before) = (rules.judge(&reading), rules.judge(&before));
        let held = rules.judge_again(before, &reading);
        prop_assert!(held == now || (held == before && held.gravity() > now.gravity()));
        // And holds nothing that is clearly over.
        let cooler = warmer(&reading, -0.11);
        if let Retest(NearThreshold) = before && rules.judge(&reading) == Clear {
            prop_assert_eq!(rules.judge_again(before, &cooler), rules.judge(&cooler));
        }
    }

    #[test]
    fn no_population_raises_the_alarm_by_more_than_its_limit(median_c in 0.0..60.0_f64) {
        let rules = Rules::default();
        let threshold = rules.threshold(&among(median_c, reading(36.5)).basis);
        prop_assert!(threshold <= rules.fever + MOST_RAISED);
        prop_assert!(threshold.degrees() <= median_c + 1.1 + 1e-9);
    }

    #[test]
    fn a_difference_is_linear_in_the_estimate(median_c in 25.0..45.0_f64, step in 0..32_u32) {
        let at = |step: u32| {
            let reading = among(median_c, reading(33.0 + 0.25 * f64::from(step)));
            Difference::of(&reading).unwrap().above.kelvin()
        };
        prop_assert!((at(step + 1) - at(step) - 0.25).abs() < 1e-9);
    }
}
