//! What the thresholds mean: whom they find and whom they call in error, from the data that is built in.

use crate::screening::operating::{Point, Share, step_of};
use crate::units::Celsius;
use crate::web::state::{Evidence, Thresholds};

/// One threshold, as it is shown.
pub(super) struct ThresholdView {
    /// Of 0.1 °C: the data know nothing finer.
    pub(super) at: String,
    /// Of people at 37.5 °C and more, of those at 38.0 °C and more, of all others not called, and false
    /// alarms of 1000, each with its 95 % interval.
    pub(super) sensitivity: String,
    pub(super) sensitivity_high: String,
    pub(super) specificity: String,
    pub(super) false_alarms: String,
}

/// Both, and where the figures come from.
pub(super) struct Meaning {
    pub(super) attention: ThresholdView,
    pub(super) fever: ThresholdView,
    /// False alarms to be expected among the people who were judged on the shown day: from, to.
    pub(super) expected: (String, String),
    pub(super) judged: u64,
    pub(super) people: usize,
    pub(super) source: String,
}

fn percent(it: Share) -> String {
    let [value, low, high] = [it.value, it.low, it.high].map(|it| 100.0 * it);
    format!("{value:.0} % [{low:.0}, {high:.0}]")
}

impl ThresholdView {
    fn of(at: i64, point: &Point) -> Option<Self> {
        let alarms = point.false_alarms_per_1000()?;
        Some(Self {
            at: format!("{:.1}", at as f64 / 10.0),
            sensitivity: percent(point.sensitivity()?),
            sensitivity_high: percent(point.sensitivity_high()?),
            specificity: percent(point.specificity()?),
            false_alarms: format!(
                "{:.0} [{:.0}, {:.0}]",
                alarms.value, alarms.low, alarms.high
            ),
        })
    }
}

impl Meaning {
    /// `None` where the data say nothing of a threshold.
    pub(super) fn of(evidence: &Evidence, thresholds: Thresholds, judged: u64) -> Option<Self> {
        let step = |degrees| Celsius::new(degrees).map(step_of);
        let (attention, fever) = (step(thresholds.attention_c)?, step(thresholds.fever_c)?);
        let point = evidence.operating.point(fever)?;
        let alarms = point.false_alarms_per_1000()?;
        let of_judged = |per_1000: f64| format!("{:.0}", per_1000 * judged as f64 / 1000.0);
        Some(Self {
            attention: ThresholdView::of(attention, &evidence.operating.point(attention)?)?,
            fever: ThresholdView::of(fever, &point)?,
            expected: (of_judged(alarms.low), of_judged(alarms.high)),
            judged,
            people: evidence.people,
            source: evidence.source.clone(),
        })
    }
}
