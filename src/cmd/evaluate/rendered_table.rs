//! The figures of rendered visitors, for people.

use super::rendered::{Group, LineReport, Report};

/// Everything, as lines.
pub(super) fn table(report: &Report) -> String {
    let targets = &report.targets;
    let mut lines = vec![
        format!(
            "face networks {}, {} visitors for each line",
            report.model, report.visitors
        ),
        format!(
            "targets from {} px on: bias ± {} K, SD {} K, {} % of truths within ± U",
            targets.face_px,
            targets.bias_k,
            targets.sd_k,
            100.0 * targets.covered
        ),
    ];
    let mut add = |title: &str, groups: &[Group]| {
        lines.push(String::new());
        lines.push(format!(
            "{title:<24}{:>6}{:>10}{:>8}{:>9}{:>8}{:>8}{:>8}{:>11}",
            "px", "measured", "bias", "SD", "worst", "U", "within", "not judged"
        ));
        lines.extend(groups.iter().map(line));
    };
    add("width of the face", &report.by_face_px);
    add("sensor", &report.by_sensor);
    add("condition", &report.by_condition);
    add("lens and eyes", &report.by_optics);
    add("stated conditions", std::slice::from_ref(&report.stated));
    lines.push(String::new());
    let mut add = |what: &str, line: &Option<LineReport>| {
        lines.push(line.as_ref().map_or_else(
            || format!("{what}: too few readings"),
            |line| {
                format!(
                    "{what}: slope {:.4} (1 ± {}), residual {:.3} K (to {}), \
                     least rise {:.2} of a step, {} steps",
                    line.slope,
                    targets.slope,
                    line.residual_k,
                    targets.residual_k,
                    line.least_rise,
                    line.points
                )
            },
        ));
    };
    add("33 to 41 °C", &report.linearity);
    add("gain 3 % off, one reference", &report.steep[0]);
    add("gain 3 % off, two references", &report.steep[1]);
    for moved in &report.invariance {
        let by = kelvin(moved.moved_k, true);
        lines.push(format!(
            "{:<32}moves a reading by {by} K (to {})",
            moved.what, targets.moved_k
        ));
    }
    lines.join("\n")
}

fn line(group: &Group) -> String {
    format!(
        "{:<24}{:>6}{:>10}{:>8}{:>9}{:>8}{:>8}{:>8}{:>11}",
        group.what,
        group.face_px,
        format!("{} of {}", group.measured, group.visitors),
        kelvin(group.bias_k, true),
        kelvin(group.sd_k, false),
        kelvin(group.worst_k, false),
        kelvin(group.expanded_u_k, false),
        kelvin(group.covered, false),
        group.not_judged
    )
}

fn kelvin(value: Option<f64>, signed: bool) -> String {
    match value {
        None => "n/a".to_owned(),
        Some(value) if signed => format!("{value:+.3}"),
        Some(value) => format!("{value:.3}"),
    }
}
