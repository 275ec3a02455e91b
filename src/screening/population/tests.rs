//! Streams of people before a camera without reference, whose level wanders.

use super::*;
use crate::clock::{BootId, ClockTrust, WallTime};
use crate::screening::Rules;
use crate::screening::rules::HEALTHY;
use crate::thermal::FrameHealth;
use crate::thermal::path::Path;
use ndarray::Array2;
use proptest::prelude::*;

fn at(seconds: f64) -> Stamp {
    Stamp {
        boot: BootId(1),
        monotonic: Duration::from_secs_f64(seconds),
        wall: WallTime(0),
        trust: ClockTrust::Unsynchronised,
    }
}

fn celsius(degrees: f64) -> Celsius {
    Celsius::new(degrees).unwrap()
}

fn level(degrees: f64) -> Level {
    Level(celsius(degrees))
}

/// Chance that is the same every time.
struct Chance(u64);

impl Chance {
    /// Even, 0…1.
    fn even(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal, of standard deviation 1 (twelve even numbers).
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.even()).sum::<f64>() - 6.0
    }
}

/// A lobby before a camera without reference.
#[derive(Clone, Copy)]
struct Lobby {
    people_per_hour: f64,
    /// What the camera reads too much, K, at an hour.
    camera: fn(f64) -> f64,
    /// What the walls are warmer than at the beginning, K, at an hour.
    walls: fn(f64) -> f64,
    /// Share of the feverish at an hour, and how much they are above the healthy, K.
    feverish: fn(f64) -> f64,
    height: (f64, f64),
}

const USUAL: Lobby = Lobby {
    people_per_hour: 240.0,
    camera: |_| -2.0,
    walls: |_| 0.0,
    feverish: |_| 0.0,
    height: (1.6, 0.4),
};

/// What came of it.
#[derive(Default)]
struct Day {
    healthy: u32,
    false_alarms: u32,
    feverish: u32,
    found: u32,
    /// What each baseline was above the truth, K.
    errors: Vec<f64>,
}

impl Day {
    fn bias(&self) -> f64 {
        self.errors.iter().sum::<f64>() / self.errors.len() as f64
    }

    fn highest(&self) -> f64 {
        self.errors.iter().copied().fold(f64::MIN, f64::max)
    }

    fn lowest(&self) -> f64 {
        self.errors.iter().copied().fold(f64::MAX, f64::min)
    }
}

impl Lobby {
    fn day(&self, hours: f64) -> Day {
        let mut chance = Chance(7);
        let mut population = Population::default();
        let mut day = Day::default();
        for n in 0..(hours * self.people_per_hour) as u32 {
            let hour = f64::from(n) / self.people_per_hour;
            let now = at(hour * 3600.0);
            population.now = Some(now);
            let camera = (self.camera)(hour);
            let level = level(20.0 + camera + (self.walls)(hour));
            let ill = chance.even() < (self.feverish)(hour);
            let height = if ill {
                self.height.0 + self.height.1 * chance.normal()
            } else {
                SPREAD * chance.normal()
            };
            let estimate = HEALTHY.degrees() + camera + height;
            let mut alarmed = false;
            if let Some(baseline) = population.baseline(&now, level) {
                day.errors
                    .push(baseline.median.degrees() - HEALTHY.degrees() - camera);
                alarmed = celsius(estimate) >= Rules::default().threshold(&baseline.basis());
                let count = |alarms: &mut u32, all: &mut u32| {
                    *alarms += u32::from(alarmed);
                    *all += 1;
                };
                if ill {
                    count(&mut day.found, &mut day.feverish);
                } else {
                    count(&mut day.false_alarms, &mut day.healthy);
                }
            }
            if !alarmed {
                population.learn(Seen {
                    at: now,
                    estimate: celsius(estimate),
                    level,
                });
            }
        }
        day
    }
}

#[test]
fn a_quiet_day_is_as_good_as_a_reference_for_nearly_everybody() {
    let day = USUAL.day(8.0);
    assert!(day.bias().abs() < 0.05, "{}", day.bias());
    assert!(day.highest() < 0.12 && day.lowest() > -0.2);
    // 0.9 K above the middle are 2.4 standard deviations: 0.8 % by chance.
    let share = f64::from(day.false_alarms) / f64::from(day.healthy);
    assert!(share < 0.02, "{share}");
}

#[test]
fn one_in_ten_feverish_does_not_matter() {
    let lobby = Lobby {
        feverish: |_| 0.1,
        ..USUAL
    };
    let (day, without) = (lobby.day(8.0), USUAL.day(8.0));
    assert!((day.bias() - without.bias()).abs() < 0.05, "{}", day.bias());
    let found = f64::from(day.found) / f64::from(day.feverish);
    assert!(day.feverish > 150 && found > 0.9, "{found}");
}

#[test]
fn a_drift_of_a_kelvin_an_hour_is_followed_by_the_walls() {
    for (camera, lowest, highest) in [
        // Downwards nearly wholly; upwards as far as the walls may raise.
        ((|h| -h) as fn(f64) -> f64, -0.06, 0.06),
        (|h| h - 9.0, -0.25, 0.1),
    ] {
        let slow = Lobby {
            people_per_hour: 120.0,
            camera,
            ..USUAL
        };
        let day = slow.day(6.0);
        assert!(
            lowest < day.bias() && day.bias() < highest,
            "{}",
            day.bias()
        );
        // The same camera, and walls that hide its drift: half an hour's drift is left.
        let hidden = Lobby {
            walls: if camera(1.0) > camera(0.0) {
                |h| -h
            } else {
                |h| h
            },
            ..slow
        };
        let alone = hidden.day(6.0).bias();
        assert!(
            alone.abs() > day.bias().abs() + 0.15,
            "{alone} {}",
            day.bias()
        );
    }
}

#[test]
fn a_step_of_the_camera_is_followed_at_once() {
    // Up by what a shutter event does: too low by what the walls may not raise. Down: at once.
    for (camera, lowest) in [
        (
            (|h| if h < 1.0 { -2.0 } else { -1.4 }) as fn(f64) -> f64,
            -0.45,
        ),
        (|h| if h < 1.0 { -2.0 } else { -2.6 }, -0.2),
    ] {
        let day = Lobby { camera, ..USUAL }.day(3.0);
        assert!(day.lowest() > lowest, "{}", day.lowest());
        assert!(day.highest() < 0.12, "{}", day.highest());
    }
}

#[test]
fn walls_alone_move_little_and_hardly_upwards() {
    let warmer = Lobby {
        walls: |h| if h < 1.0 { 0.0 } else { 3.0 },
        ..USUAL
    };
    let highest = warmer.day(3.0).highest();
    assert!((0.2..0.42).contains(&highest), "{highest}");
    let open_door = Lobby {
        walls: |h| if h < 1.0 { 0.0 } else { -3.0 },
        ..USUAL
    };
    let lowest = open_door.day(3.0).lowest();
    assert!((-0.8..-0.5).contains(&lowest), "{lowest}");
}

#[test]
fn an_outbreak_hides_itself_by_little() {
    // Mean and deviation of how far the feverish are above the healthy, and the share of them whom an
    // alarm 1.1 K above the median finds when it is raised by all that it may be.
    for (height, share) in [
        ((0.7, 0.1), None),
        ((0.85, 0.3), None),
        ((1.5, 0.5), Some(0.58)),
        ((3.0, 0.3), Some(0.99)),
    ] {
        let lobby = Lobby {
            feverish: |h| if h < 1.0 { 0.02 } else { 0.5 },
            height,
            ..USUAL
        };
        let day = lobby.day(6.0);
        assert!(
            day.highest() <= MOST_RAISED.kelvin(),
            "{height:?} {}",
            day.highest()
        );
        if let Some(share) = share {
            let found = f64::from(day.found) / f64::from(day.feverish);
            assert!(found > share, "{height:?}: {found}");
        }
    }
}

#[test]
fn nobody_is_judged_before_a_hundred_and_after_a_pause() {
    let mut population = Population::default();
    for n in 0..PEOPLE_NEEDED {
        let now = at(n as f64);
        population.now = Some(now);
        assert_eq!(population.people(&now), n);
        assert_eq!(population.baseline(&now, level(20.0)), None);
        population.learn(Seen {
            at: now,
            estimate: celsius(35.0),
            level: level(20.0),
        });
    }
    let last = PEOPLE_NEEDED as f64 - 1.0;
    let hour = 3600.0;
    let baseline = population.baseline(&at(last), level(20.0)).unwrap();
    assert_eq!(baseline.people, 100);
    assert_eq!(baseline.median, celsius(35.0));
    assert!(population.baseline(&at(hour), level(20.0)).is_some());
    assert_eq!(population.baseline(&at(hour + 0.1), level(20.0)), None);
    assert_eq!(population.people(&at(hour + 0.1)), 99);
    // Only the newest count.
    for n in 0..500 {
        let now = at(100.0 + f64::from(n));
        population.now = Some(now);
        population.learn(Seen {
            at: now,
            estimate: celsius(34.0),
            level: level(20.0),
        });
    }
    let now = at(600.0);
    assert_eq!(population.people(&now), MOST_PEOPLE);
    let newest = population.baseline(&now, level(20.0)).unwrap();
    assert_eq!(newest.median, celsius(34.0));
}

#[test]
fn a_baseline_is_less_sure_than_a_reference() {
    let sure = |camera: f64| {
        let seen: Vec<Seen> = (0..150)
            .map(|n| Seen {
                at: at(f64::from(n)),
                estimate: celsius(35.0 + 0.01 * f64::from(n % 100)),
                level: level(20.0),
            })
            .collect();
        baseline(&seen, &at(150.0), level(20.0 + camera))
            .unwrap()
            .u
            .kelvin()
    };
    // U of the face at least 0.4 K with it, whatever else.
    assert!((0.17..0.25).contains(&sure(0.0)), "{}", sure(0.0));
    // What the walls say beyond what is followed is not sure.
    assert!((sure(0.25) - sure(0.0)).abs() < 1e-6);
    assert!(
        sure(1.3) > 0.55 && sure(-1.6) > 0.55,
        "{} {}",
        sure(1.3),
        sure(-1.6)
    );
}

fn frame(seconds: f64, walls_c: f32) -> ThermalFrame {
    let mut celsius = Array2::from_elem((60, 80), walls_c);
    // A crowd in half of the picture.
    celsius.slice_mut(ndarray::s![.., 40..]).fill(33.0);
    ThermalFrame {
        stamp: at(seconds),
        sequence: 1,
        celsius,
        health: FrameHealth::NoReference,
        reference: None,
        second: None,
        offset: TemperatureDelta::ZERO,
        scene: None,
        ambient_u: StandardUncertainty::literal(0.5),
        path: Path::default(),
    }
}

#[test]
fn a_picture_of_nothing_has_no_level() {
    let nothing = ThermalFrame {
        celsius: Array2::zeros((0, 0)),
        ..frame(0.0, 20.0)
    };
    assert_eq!(
        Population::default().watch(&nothing),
        Err(Obstacle::Settling)
    );
}

#[test]
fn the_level_is_watched_before_it_is_believed() {
    let mut population = Population::default();
    let mut watch = |from: f64, until: f64, walls: fn(f64) -> f64| -> Vec<bool> {
        let frames = ((until - from) * 10.0) as u32;
        (0..frames)
            .map(|n| from + 0.1 * f64::from(n))
            .map(|t| population.watch(&frame(t, walls(t) as f32)).is_ok())
            .collect()
    };
    let settles = |frames: &[bool]| frames.iter().position(|ok| *ok);
    assert_eq!(settles(&watch(0.0, 4.0, |_| 20.0)), Some(30));
    // A step of a shutter event that nobody announced.
    let step = watch(4.0, 9.0, |_| 20.6);
    assert!(!step[0], "{step:?}");
    assert!((25..=31).contains(&settles(&step).unwrap()), "{step:?}");
    // A slide of 0.2 K a second, then a drift of 1 K an hour.
    assert_eq!(
        settles(&watch(9.0, 14.0, |t| 20.6 + 0.2 * (t - 9.0))[20..]),
        None
    );
    let drift = watch(14.0, 24.0, |t| 21.6 + (t - 14.0) / 3600.0);
    assert!(drift[40..].iter().all(|ok| *ok), "{drift:?}");
    // A gap.
    assert_eq!(settles(&watch(25.5, 30.0, |_| 21.6)), Some(30));
    population.blind();
    assert_eq!(
        population.watch(&frame(30.1, 21.6)),
        Err(Obstacle::Settling)
    );
}

#[test]
fn a_jump_of_the_clock_forgets_everybody() {
    let learnt = || {
        let mut population = Population::default();
        for n in 0..120 {
            let t = 1000.0 + f64::from(n);
            population.watch(&frame(t, 20.0)).ok();
            population.learn(Seen {
                at: at(t),
                estimate: celsius(35.0),
                level: level(20.0),
            });
        }
        assert!(population.baseline(&at(1120.0), level(20.0)).is_some());
        population
    };
    for (boot, seconds) in [(1, 500.0), (2, 1120.0), (2, 0.0)] {
        let mut population = learnt();
        let mut next = frame(seconds, 20.0);
        next.stamp.boot = BootId(boot);
        assert_eq!(population.watch(&next), Err(Obstacle::Settling));
        assert_eq!(population.people(&next.stamp), 0);
        // Not even once that time comes again; nor does it learn from before the jump.
        population.learn(Seen {
            at: at(1119.0),
            estimate: celsius(35.0),
            level: level(20.0),
        });
        assert_eq!(population.people(&at(1130.0)), 0);
    }
}

fn any_seen() -> impl Strategy<Value = Vec<Seen>> {
    let one = (0..3000_u32, 28.0..42.0_f64, 10.0..30.0_f64);
    proptest::collection::vec(one, 100..180).prop_map(|all| {
        let seen = |(second, estimate, wall)| Seen {
            at: at(f64::from(second)),
            estimate: celsius(estimate),
            level: level(wall),
        };
        all.into_iter().map(seen).collect()
    })
}

proptest! {
    #[test]
    fn in_which_order_people_are_kept_does_not_matter(
        (seen, mixed) in any_seen().prop_flat_map(|seen| (Just(seen.clone()), Just(seen).prop_shuffle())),
        wall in 10.0..30.0_f64,
    ) {
        let of = |seen: &[Seen]| baseline(seen, &at(3000.0), level(wall)).unwrap();
        // Two who left in the same second with the same estimate are one to the last bit but their wall.
        prop_assert!((of(&seen).median - of(&mixed).median).kelvin().abs() < 1e-9);
        prop_assert!((of(&seen).u.kelvin() - of(&mixed).u.kelvin()).abs() < 1e-9);
    }

    #[test]
    fn a_camera_that_reads_more_moves_the_baseline_by_as_much(seen in any_seen(), more in -5.0..5.0_f64) {
        let shifted: Vec<Seen> = seen
            .iter()
            .map(|it| Seen {
                at: it.at,
                estimate: celsius(it.estimate.degrees() + more),
                level: level(it.level.0.degrees() + more),
            })
            .collect();
        let (plain, moved) = (
            baseline(&seen, &at(3000.0), level(20.0)).unwrap(),
            baseline(&shifted, &at(3000.0), level(20.0 + more)).unwrap(),
        );
        prop_assert!(((moved.median - plain.median).kelvin() - more).abs() < 1e-9);
    }

    #[test]
    fn one_more_hot_person_never_lowers_the_baseline(seen in any_seen(), wall in 10.0..30.0_f64, who in 0..100_usize) {
        let mut hotter = seen.clone();
        hotter[who].estimate = celsius(45.0);
        let of = |seen: &[Seen]| baseline(seen, &at(3000.0), level(wall)).unwrap().median;
        prop_assert!(of(&hotter) >= of(&seen));
    }

    #[test]
    fn judging_against_people_is_shift_invariant_where_the_limit_is_not_reached(
        estimate in 35.0..40.0_f64, camera in -6.0..0.3_f64, middle_c in 36.3..36.9_f64,
    ) {
        // As the camera reads it, the threshold may rise by 0.3 K.
        prop_assume!(middle_c + camera - 36.8 < 0.3);
        let verdict = |camera: f64| {
            let basis = Basis::Population { people: 100, median: celsius(middle_c + camera) };
            celsius(estimate + camera) >= Rules::default().threshold(&basis)
        };
        let far = (estimate - (middle_c + 0.9)).abs() > 1e-9;
        prop_assert!(!far || verdict(camera) == verdict(0.0));
    }
}
