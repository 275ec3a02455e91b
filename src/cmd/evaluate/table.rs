//! The figures for people.

use super::report::{
    BandReport, ByFlag, DetectionReport, FeaturesReport, FiresReport, FlagReport, LabelsReport,
    PeopleReport, PointReport, RecordingsReport, Report, ScenesReport, Share,
};
use crate::cmd::replay::CpuLine;

/// Everything, as lines.
pub(super) fn table(report: &Report) -> String {
    let mut lines = vec![format!("face networks {}", report.model)];
    if let Some(recordings) = &report.recordings {
        add_recordings(&mut lines, recordings);
    }
    if let Some(scenes) = &report.scenes {
        add_scenes(&mut lines, scenes);
    }
    lines.join("\n")
}

fn add_recordings(lines: &mut Vec<String>, report: &RecordingsReport) {
    let pictures = report.pictures.join(", ");
    lines.push(String::new());
    lines.push(format!(
        "{} recordings, {} frames of {pictures}",
        report.each.len(),
        report.frames
    ));
    for line in &report.each {
        if let Some(error) = &line.error {
            lines.push(format!("  not to its end: {}: {error}", line.file));
        }
    }
    add_cpu(lines, "detector", Some(&report.cpu_ms_per_frame.detector));
    add_cpu(
        lines,
        "whole pipeline",
        report.cpu_ms_per_frame.pipeline.as_ref(),
    );
    match &report.labels {
        Some(labels) => add_labels(lines, labels),
        None => lines.push("no labels: single frames are not scored".to_owned()),
    }
    match &report.people {
        Some(people) => add_people(lines, people),
        None => lines.push("no index.csv: people are not scored".to_owned()),
    }
}

fn add_labels(lines: &mut Vec<String>, report: &LabelsReport) {
    lines.push(String::new());
    lines.push(detection_head("labelled frames"));
    lines.push(detection("all faces", &report.all));
    lines.push(detection("20 px and wider", &report.near));
    lines.push(detection("narrower", &report.far));
    lines.push(fires("backs of heads", &report.backs_of_heads));
    lines.push(fires(
        "spans seen without faces",
        &report.spans_without_faces,
    ));
    lines.push(fires("of these, with backs", &report.spans_of_backs));
    add_features(lines, &report.features);
}

fn add_scenes(lines: &mut Vec<String>, report: &ScenesReport) {
    lines.push(String::new());
    lines.push(format!("rendered scenes of {}", report.picture));
    add_cpu(lines, "detector", Some(&report.cpu_ms_per_frame.detector));
    lines.push(detection_head("frames"));
    lines.push(detection("all faces", &report.all));
    add_bands(lines, "turned", "°", &report.recall_by_yaw);
    add_bands(lines, "wide", " px", &report.recall_by_width);
    lines.push(format!(
        "{:<26}{} taken for a face",
        "heads from behind",
        share(report.heads_from_behind)
    ));
    add_features(lines, &report.features);
}

fn add_people(lines: &mut Vec<String>, report: &PeopleReport) {
    lines.push(String::new());
    lines.push(format!(
        "{:<26}{:>6}{:>14}{:>9}{:>10}",
        "recordings", "", "with people", "people", "measured"
    ));
    for (class, row) in &report.by_class {
        lines.push(format!(
            "{class:<26}{:>6}{:>14}{:>9}{:>10}",
            row.recordings, row.with_people, row.people, row.measured
        ));
    }
    let mut add = |what: &str, count: Share, files: &[String]| {
        lines.push(format!("{what:<26}{}", share(count)));
        lines.extend(files.iter().map(|file| format!("  {file}")));
    };
    add("somebody came: found", report.found, &report.missed);
    add("nobody came: found", report.fooled, &report.false_in);
    add("counted, some: found", report.counted_found, &[]);
    add("counted, none: found", report.counted_false, &[]);
    add("as many as counted", report.exact, &report.not_exact);
    lines.push(format!(
        "{:<26}{}",
        "measured unasked", report.measured_unasked
    ));
    add_flags(lines, "recordings, ", &report.flags);
}

fn add_features(lines: &mut Vec<String>, report: &FeaturesReport) {
    let mut point = |what: &str, of: &str, error: &Option<PointReport>| {
        lines.push(error.as_ref().map_or_else(
            || format!("{what:<26}n/a"),
            |error| {
                format!(
                    "{what:<26}{:.2} px, {:.1} % of {of} ({} points)",
                    error.pixels, error.percent, error.points
                )
            },
        ));
    };
    point("eyes off by", "their distance", &report.eyes);
    point("all points", "the eyes' distance", &report.all_points);
    point("inner canthi", "the face's width", &report.canthi);
    add_flags(lines, "", &report.flags);
    let pose = &report.pose_error_deg;
    let degrees = |error: Option<f64>| error.map_or("n/a".to_owned(), |it| format!("{it:.1}°"));
    lines.push(format!(
        "{:<26}yaw {}, pitch {}, roll {} ({} faces)",
        "pose off by",
        degrees(pose.yaw),
        degrees(pose.pitch),
        degrees(pose.roll),
        pose.faces
    ));
}

fn add_flags(lines: &mut Vec<String>, before: &str, flags: &ByFlag<FlagReport>) {
    let each = [
        ("glasses", flags.glasses),
        ("mask", flags.mask),
        ("brow covered", flags.brow),
    ];
    for (what, flag) in each {
        lines.push(format!(
            "{:<26}balanced accuracy {}; sensitivity {}; specificity {}",
            format!("{before}{what}"),
            ratio(flag.balanced_accuracy),
            share(flag.sensitivity),
            share(flag.specificity)
        ));
    }
}

fn add_bands(lines: &mut Vec<String>, what: &str, unit: &str, bands: &[BandReport]) {
    for band in bands {
        let end = band
            .below
            .map_or("and more".to_owned(), |it| format!("to {it}{unit}"));
        lines.push(format!(
            "{:<26}{}",
            format!("  {what} {}{unit} {end}", band.from),
            share(band.recall)
        ));
    }
}

fn add_cpu(lines: &mut Vec<String>, what: &str, cpu: Option<&CpuLine>) {
    if let Some(cpu) = cpu {
        lines.push(format!(
            "{what:<26}{:.2} ms CPU a frame, 99 % below {:.2}",
            cpu.mean, cpu.p99
        ));
    }
}

fn detection_head(what: &str) -> String {
    format!(
        "{what:<26}{:>7}{:>7}{:>9}{:>11}{:>7}{:>9}",
        "frames", "faces", "recall", "precision", "false", "a frame"
    )
}

fn detection(what: &str, report: &DetectionReport) -> String {
    format!(
        "{what:<26}{:>7}{:>7}{:>9}{:>11}{:>7}{:>9}",
        report.frames,
        report.recall.of,
        ratio(report.recall.ratio),
        ratio(report.precision.ratio),
        report.wrong,
        ratio(report.false_per_frame)
    )
}

fn fires(what: &str, report: &FiresReport) -> String {
    format!(
        "{what:<26}{:>7}{:>34}{:>9}",
        report.frames,
        report.fires,
        ratio(report.per_frame)
    )
}

fn ratio(value: Option<f64>) -> String {
    value.map_or("n/a".to_owned(), |value| format!("{value:.3}"))
}

fn share(share: Share) -> String {
    match share.ratio {
        Some(ratio) => format!("{ratio:.3} ({} of {})", share.hits, share.of),
        None => "n/a".to_owned(),
    }
}
