//! What a threshold means: how many feverish people it finds, and how many others it calls.
//!
//! From counts of people by what was shown for them, in steps of 0.1 °C, as `menshen calibrate
//! transfer` wrote them: no single person is in them.
//!
//! The cameras of the data are never added up: the same people stood before each of them, so a sum
//! would count everybody twice and be surer than anybody can be. Where they differ,
//! - the figures of a threshold are those of the **worse** camera, each figure by itself;
//! - a threshold for a wanted specificity is the lowest whose **mean** specificity over the cameras
//!   reaches it. The worse one alone would cost more feverish people than it spares false alarms,
//!   and nobody knows which of them a site's camera is like.

use crate::evaluate::Count;
use crate::evaluate::clinical::{FEVER_C, HIGH_FEVER_C};
use crate::units::Celsius;

/// Steps in one degree.
const STEPS: f64 = 10.0;

/// The people before one camera whose shown value is within one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Oral temperature below 37.5 °C.
    pub well: u64,
    /// From 37.5 to below 38.0 °C.
    pub feverish: u64,
    /// 38.0 °C and more.
    pub high: u64,
}

/// The people before one camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    /// The camera's name.
    pub camera: String,
    /// Where the first step begins, tenths of a degree Celsius.
    pub first: i64,
    /// Step after step.
    pub steps: Vec<Step>,
}

/// The people before all cameras.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operating(pub Vec<People>);

/// What a threshold makes of the people before one camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Oral 37.5 °C and more: those who are called, of all.
    pub sensitivity: Count,
    /// Oral 38.0 °C and more: those who are called, of all.
    pub sensitivity_high: Count,
    /// Oral below 37.5 °C: those who are not called, of all.
    pub specificity: Count,
}

/// A share with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// What was seen.
    pub value: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

impl Share {
    fn of(count: Count) -> Option<Self> {
        let (value, (low, high)) = (count.ratio()?, count.interval()?);
        Some(Self { value, low, high })
    }
}

/// The number of the step in which a value is, or at which a threshold stands.
#[must_use]
pub fn step_of(value: Celsius) -> i64 {
    // Decimals are not exact: 37.8 is to be in the step that begins there.
    (value.degrees() * STEPS + 1e-6).floor() as i64
}

impl People {
    /// Counts people: what was shown for them, and their oral temperature.
    #[must_use]
    pub fn count(camera: &str, people: &[(Celsius, Celsius)]) -> Self {
        let steps_of = || people.iter().map(|(shown, _)| step_of(*shown));
        let first = steps_of().min().unwrap_or_default();
        let mut steps = vec![
            Step::default();
            steps_of()
                .max()
                .map_or(0, |last| (last - first + 1) as usize)
        ];
        for (shown, oral) in people {
            let step = &mut steps[(step_of(*shown) - first) as usize];
            let kind = match oral.degrees() {
                high if high >= HIGH_FEVER_C => &mut step.high,
                fever if fever >= FEVER_C => &mut step.feverish,
                _ => &mut step.well,
            };
            *kind += 1;
        }
        Self {
            camera: camera.to_owned(),
            first,
            steps,
        }
    }

    fn point(&self, threshold: i64) -> Point {
        let mut point = Point {
            sensitivity: Count::default(),
            sensitivity_high: Count::default(),
            specificity: Count::default(),
        };
        for (at, step) in (self.first..).zip(&self.steps) {
            let called = at >= threshold;
            let add = |count: &mut Count, people: u64, hit: bool| {
                count.hits += if hit { people } else { 0 };
                count.of += people;
            };
            add(&mut point.sensitivity, step.feverish + step.high, called);
            add(&mut point.sensitivity_high, step.high, called);
            add(&mut point.specificity, step.well, !called);
        }
        point
    }
}

impl Operating {
    /// What an alarm from this step on makes of the people before each camera.
    #[must_use]
    pub fn points(&self, threshold: i64) -> Vec<(&str, Point)> {
        let each = self.0.iter();
        each.map(|people| (people.camera.as_str(), people.point(threshold)))
            .collect()
    }

    /// The same as one: each figure of the camera that is worse in it. `None` without people of
    /// each kind.
    #[must_use]
    pub fn point(&self, threshold: i64) -> Option<Point> {
        let points = self.points(threshold);
        let worse = |of: fn(&Point) -> Count| -> Option<Count> {
            let counts = points.iter().map(|(_, point)| of(point));
            counts
                .filter_map(|count| Some((count.ratio()?, count)))
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .map(|it| it.1)
        };
        Some(Point {
            sensitivity: worse(|it| it.sensitivity)?,
            sensitivity_high: worse(|it| it.sensitivity_high)?,
            specificity: worse(|it| it.specificity)?,
        })
    }

    /// The lowest threshold that reaches this specificity, mean over the cameras, °C. `None` where
    /// there is nobody to say.
    #[must_use]
    pub fn threshold_for(&self, specificity: f64) -> Option<Celsius> {
        let first = self.0.iter().map(|it| it.first).min()?;
        let last = |it: &People| (it.first..).zip(&it.steps).map(|(at, _)| at).last();
        let last = self.0.iter().filter_map(last).max()?;
        let reaches = |threshold: &i64| {
            let points = self.points(*threshold);
            let ratios = points.iter().filter_map(|(_, it)| it.specificity.ratio());
            let (sum, count) = ratios.fold((0.0, 0), |(sum, n), ratio| (sum + ratio, n + 1));
            count > 0 && sum / f64::from(count) >= specificity
        };
        let step = (first..=last + 1).find(reaches)?;
        Celsius::new(step as f64 / STEPS)
    }
}

impl Point {
    /// Share of the feverish (37.5 °C and more) who are called.
    #[must_use]
    pub fn sensitivity(&self) -> Option<Share> {
        Share::of(self.sensitivity)
    }

    /// Share of those with 38.0 °C and more who are called.
    #[must_use]
    pub fn sensitivity_high(&self) -> Option<Share> {
        Share::of(self.sensitivity_high)
    }

    /// Share of the others who are not called.
    #[must_use]
    pub fn specificity(&self) -> Option<Share> {
        Share::of(self.specificity)
    }

    /// Of 1000 people without a fever, those who are called.
    #[must_use]
    pub fn false_alarms_per_1000(&self) -> Option<Share> {
        let Share { value, low, high } = self.specificity()?;
        let alarms = |specificity: f64| 1000.0 * (1.0 - specificity);
        Some(Share {
            value: alarms(value),
            low: alarms(high),
            high: alarms(low),
        })
    }

    /// The chance that who is called is feverish (37.5 °C and more), where this share of all
    /// people is. Its limits take both shares at their lower, and both at their upper limits, so
    /// they are wider than 95 %. `None` where nobody is called at all.
    #[must_use]
    pub fn predictive(&self, prevalence: f64) -> Option<Share> {
        let (found, spared) = (self.sensitivity()?, self.specificity()?);
        let of = |sensitivity: f64, specificity: f64| {
            let right = sensitivity * prevalence;
            let wrong = (1.0 - specificity) * (1.0 - prevalence);
            (right + wrong > 0.0).then(|| right / (right + wrong))
        };
        Some(Share {
            value: of(found.value, spared.value)?,
            low: of(found.low, spared.low)?,
            high: of(found.high, spared.high)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(camera: &str, well: &[f64], feverish: &[f64], high: &[f64]) -> People {
        let kind = |shown: &[f64], oral: f64| -> Vec<(Celsius, Celsius)> {
            let pair = |it: &f64| (Celsius::literal(*it), Celsius::literal(oral));
            shown.iter().map(pair).collect()
        };
        let all = [kind(well, 37.49), kind(feverish, 37.5), kind(high, 38.0)].concat();
        People::count(camera, &all)
    }

    fn two() -> Operating {
        Operating(vec![
            people("A", &[36.0, 36.5, 37.0, 37.8], &[37.4, 37.9], &[38.5]),
            people("B", &[36.0, 36.1, 36.2, 36.3], &[37.0, 37.0], &[38.5]),
        ])
    }

    const fn count(hits: u64, of: u64) -> Count {
        Count { hits, of }
    }

    #[test]
    fn a_threshold_calls_who_reaches_it() {
        let table = two();
        let points = table.points(378);
        assert_eq!(points[0].0, "A");
        assert_eq!(points[0].1.specificity, count(3, 4));
        assert_eq!(points[0].1.sensitivity, count(2, 3));
        assert_eq!(points[0].1.sensitivity_high, count(1, 1));
        assert_eq!(table.points(379)[0].1.specificity, count(4, 4));
    }

    #[test]
    fn of_two_cameras_the_worse_one_counts_in_each_figure() {
        let point = two().point(378).unwrap();
        assert_eq!(point.specificity, count(3, 4));
        assert_eq!(point.sensitivity, count(1, 3));
        assert_eq!(Operating::default().point(378), None);
    }

    #[test]
    fn the_threshold_for_a_specificity_is_the_lowest_that_reaches_it_on_average() {
        let table = two();
        let at = |specificity| table.threshold_for(specificity).map(Celsius::degrees);
        // From 36.4 on B calls nobody, A three of four: 0.625. From 37.1 on 0.875.
        assert_eq!(at(0.6), Some(36.4));
        assert_eq!(at(0.875), Some(37.1));
        assert_eq!(at(0.99), Some(37.9));
        assert_eq!(at(0.0), Some(36.0));
        assert_eq!(Operating::default().threshold_for(0.9), None);
    }

    #[test]
    fn a_higher_threshold_never_finds_more_nor_calls_more() {
        let table = two();
        let all: Vec<Point> = (350..=390).filter_map(|at| table.point(at)).collect();
        for pair in all.windows(2) {
            assert!(pair[1].sensitivity.ratio() <= pair[0].sensitivity.ratio());
            assert!(pair[1].specificity.ratio() >= pair[0].specificity.ratio());
        }
    }

    #[test]
    fn the_predictive_value_follows_from_bayes() {
        let point = Point {
            sensitivity: count(90, 100),
            sensitivity_high: count(10, 10),
            specificity: count(950, 1000),
        };
        let found = point.predictive(0.01).unwrap();
        // 0.009 of 0.009 + 0.0495.
        assert!((found.value - 0.009 / 0.0585).abs() < 1e-12);
        assert!(found.low < found.value && found.value < found.high);
        let alarms = point.false_alarms_per_1000().unwrap();
        assert!((alarms.value - 50.0).abs() < 1e-9);
        assert!(alarms.low < 50.0 && alarms.high > 50.0);
        let mute = Point {
            sensitivity: count(0, 10),
            specificity: count(10, 10),
            ..point
        };
        assert_eq!(mute.predictive(0.01), None);
        // Without one false alarm, whoever is called is feverish.
        let spared = Point {
            specificity: count(10, 10),
            ..point
        };
        assert_eq!(spared.predictive(0.01).unwrap().value, 1.0);
    }

    #[test]
    fn steps_begin_where_they_are_written() {
        for tenths in 330..=430 {
            let written = Celsius::new(f64::from(tenths) / 10.0).unwrap();
            assert_eq!(step_of(written), i64::from(tenths));
        }
        assert_eq!(step_of(Celsius::literal(37.8999)), 378);
    }
}
