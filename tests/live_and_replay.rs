//! A recording is what was lived through: the same frames, live and replayed from the file that was
//! written meanwhile, give the same events with the same readings at the same moments.
#![allow(clippy::unwrap_used, reason = "a test: what fails here is its finding")]

use menshen::camera::recording::{Recording, RecordingWriter};
use menshen::camera::simulator::{Simulator, builtin};
use menshen::camera::{Camera, CameraError, Rotation};
use menshen::clock::{BootId, WallTime};
use menshen::detect::OnnxDetector;
use menshen::event::{Event, Fault};
use menshen::pipeline::Pipeline;
use menshen::screening::Rules;
use menshen::thermal::reference::ReferenceSettings;
use menshen::thermal::{RadiometerSettings, RawFrame};
use menshen::units::{Celsius, ReferenceTemperature};
use std::time::Duration;

/// 2020-02-24 00:00 in Shanghai.
const START: WallTime = WallTime(1_582_473_600_000);

fn pipeline() -> Pipeline<OnnxDetector> {
    let settings = RadiometerSettings {
        reference: Some(ReferenceSettings {
            set_point: ReferenceTemperature(Celsius::literal(37.0)),
            ..ReferenceSettings::default()
        }),
        ..RadiometerSettings::default()
    };
    Pipeline::new(
        settings,
        Rules::default(),
        OnnxDetector::built_in().unwrap(),
    )
}

/// Everything of an event but its wall time and the number of the start, which a file cannot know.
fn told(event: &Event, since: Duration) -> String {
    let what = match event {
        Event::Screened(it) => format!(
            "{:?} {}-{} {:?} {:?} {}",
            it.id.track, it.first.sequence, it.last.sequence, it.verdict, it.reading, it.presented
        ),
        Event::AlertRaised(alert) => format!("{:?} {:?}", alert.id.track, alert.reading),
        Event::FaultRaised { fault, .. } => format!("raised {fault:?}"),
        Event::FaultCleared { fault, .. } => format!("cleared {fault:?}"),
        other => other.kind().to_owned(),
    };
    format!(
        "{:?} {what}",
        event.at().monotonic.checked_sub(since).unwrap()
    )
}

/// Lives through a scenario, recording it, with each frame as `change` has it; then replays it.
fn both_ways(name: &str, mut change: impl FnMut(&mut RawFrame)) -> (Vec<String>, Vec<Event>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.cptv");
    let mut camera = Simulator::new(builtin(name).unwrap().repeated(false), BootId(4), START);
    let mut film = RecordingWriter::create(&path, camera.info(), "door", START).unwrap();
    let (mut live, mut first) = (pipeline(), None);
    let mut events = Vec::new();
    loop {
        match camera.next_frame() {
            Ok(Some(mut frame)) => {
                // A gateway's clock has no round numbers.
                frame.stamp.monotonic += Duration::from_nanos(7_123_456_789 + frame.sequence % 997);
                change(&mut frame);
                first.get_or_insert(frame.stamp.monotonic);
                film.write(&frame).unwrap();
                events.extend(live.step(&frame).events);
            }
            Ok(None) => break,
            Err(CameraError::Silent { .. }) => {}
            Err(error) => unreachable!("{error}"),
        }
    }
    events.extend(live.finish());
    film.finish().unwrap();
    let first = first.unwrap();
    let lived = events.iter().map(|event| told(event, first)).collect();

    let mut recording = Recording::open(&path, Rotation::None, BootId(0)).unwrap();
    let mut again = pipeline();
    let mut replayed = Vec::new();
    while let Some(frame) = recording.next_frame().unwrap() {
        replayed.extend(again.step(&frame).events);
    }
    replayed.extend(again.finish());
    let seen: Vec<String> = replayed.iter().map(|it| told(it, Duration::ZERO)).collect();
    assert_eq!(
        lived, seen,
        "{name}: live at the left, replayed at the right"
    );
    (lived, events)
}

#[test]
fn a_camera_that_hangs_and_goes_blank() {
    let (_, events) = both_ways("faults", |_| {});
    let alerts = events
        .iter()
        .filter(|it| matches!(it, Event::AlertRaised(_)));
    assert_eq!(alerts.count(), 3, "as in the golden run: {events:#?}");
}

/// A Lepton shows its last picture while the shutter is closed, and says that it is: without what the
/// recording keeps of that, the replay would have a fault that nobody lived through.
#[test]
fn a_shutter_behind_which_the_picture_stands_still() {
    let mut last = None;
    let (lived, events) = both_ways("group", |frame| {
        let closed = (180..200).contains(&frame.sequence);
        let counts = last.get_or_insert_with(|| frame.counts.clone());
        if closed {
            frame.counts.assign(counts);
        } else {
            counts.assign(&frame.counts);
        }
        frame.telemetry.shutter_closed = Some(closed);
        frame.telemetry.frame = Some(3 * frame.sequence as u32);
    });
    let frozen = |event: &&Event| matches!(event, Event::FaultRaised { fault, .. } if *fault == Fault::CameraFrozen);
    assert_eq!(events.iter().find(frozen), None, "{lived:#?}");
    assert!(events.iter().any(|it| matches!(it, Event::Screened(_))));
}
