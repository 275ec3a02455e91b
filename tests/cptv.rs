//! Recordings from end to end: files written by the gateway, and real ones where there are any.
#![allow(clippy::unwrap_used, reason = "a test: what fails here is its finding")]

use menshen::camera::recording::{Recording, RecordingWriter, recordings_in};
use menshen::camera::{Camera, CameraInfo, Rotation};
use menshen::clock::{BootId, ClockTrust, Stamp, WallTime};
use menshen::thermal::radiometry::CountScale;
use menshen::thermal::{RawFrame, Telemetry};
use ndarray::Array2;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// A film of a warm spot that wanders over a noisy wall, centikelvin.
fn film(width: usize, height: usize, noise: &[u16], frames: usize) -> Vec<RawFrame> {
    (0..frames)
        .map(|number| {
            let counts = Array2::from_shape_fn((height, width), |(row, column)| {
                let grain = noise[(row * width + column + 31 * number) % noise.len()];
                let warm = row.abs_diff(number) + column.abs_diff(number) < 4;
                29_500_u16.wrapping_add(grain) + if warm { 1_400 } else { 0 }
            });
            let time_on = Duration::from_millis(5_000 + 114 * number as u64);
            RawFrame {
                stamp: Stamp {
                    boot: BootId(1),
                    monotonic: time_on,
                    wall: WallTime(0),
                    trust: ClockTrust::Unsynchronised,
                },
                sequence: number as u64,
                counts,
                telemetry: Telemetry {
                    time_on: Some(time_on),
                    last_ffc: Some(Duration::from_secs(4)),
                    ..Telemetry::default()
                },
            }
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_film_written_to_disk_is_read_back(
        width in 1..40_usize,
        height in 1..40_usize,
        frames in 0..8_usize,
        noise in proptest::collection::vec(0..3_000_u16, 1..60),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.cptv");
        let info = CameraInfo {
            name: "simulated".into(),
            width,
            height,
            fps: 9.0,
            scale: CountScale::CentiKelvin,
        };
        let film = film(width, height, &noise, frames);
        let began = WallTime(1_582_000_000_000);
        let mut writer = RecordingWriter::create(&path, &info, "test", began).unwrap();
        for frame in &film {
            writer.write(frame).unwrap();
        }
        writer.finish().unwrap();

        let mut recording = Recording::open(&path, Rotation::None, BootId(1)).unwrap();
        for frame in &film {
            let read = recording.next_frame().unwrap().unwrap();
            prop_assert_eq!(&read.counts, &frame.counts);
            prop_assert_eq!(read.telemetry, frame.telemetry);
            prop_assert_eq!(read.sequence, frame.sequence);
            let since = Duration::from_millis(114 * frame.sequence);
            prop_assert_eq!(read.stamp.monotonic, since);
            prop_assert_eq!(read.stamp.wall.0, began.0 + since.as_millis() as i64);
        }
        prop_assert!(recording.next_frame().unwrap().is_none());
    }
}

/// Real recordings show real people, so they lie outside of the project and may be absent.
#[test]
fn real_recordings_are_read_to_their_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/recordings");
    let Ok(index) = std::fs::read_to_string(folder.join("index.csv")) else {
        println!("skipped: there are no real recordings in ../shared/data/recordings");
        return;
    };
    let announced: BTreeMap<&str, usize> = index
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split(',');
            Some((cells.next()?, cells.next()?.parse().ok()?))
        })
        .collect();
    let found = recordings_in(&[folder]).unwrap();
    assert_eq!(found.len(), announced.len());
    for path in found {
        let name = path.file_name().unwrap().to_str().unwrap();
        let mut recording = Recording::open(&path, Rotation::Clockwise90, BootId(0)).unwrap();
        assert_eq!(
            (recording.info().width, recording.info().height),
            (120, 160)
        );
        let mut frames = 0;
        let mut last = None;
        while let Some(frame) = recording.next_frame().unwrap() {
            assert_eq!(frame.counts.dim(), (160, 120), "{name}");
            assert!(last < Some(frame.stamp.monotonic), "{name}: time stands");
            assert!(frame.telemetry.last_ffc.is_some(), "{name}");
            last = Some(frame.stamp.monotonic);
            frames += 1;
        }
        assert_eq!(frames, announced[name], "{name}");
    }
}
