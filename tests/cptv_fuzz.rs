//! Files from anywhere: whatever stands in a recording, the reader neither panics nor takes
//! memory on its word, and its error names the file and says what is wrong.
#![allow(clippy::unwrap_used, reason = "a test: what fails here is its finding")]

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use menshen::camera::cptv::{CptvHeader, CptvReader, CptvWriter, MAX_SIDE};
use menshen::camera::recording::Recording;
use menshen::camera::{Camera, CameraError, Rotation};
use menshen::clock::{BootId, ClockTrust, Stamp, WallTime};
use menshen::thermal::{RawFrame, Telemetry};
use ndarray::Array2;
use proptest::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::time::Duration;

const FRAMES: usize = 4;

/// Most memory that reading a picture of the largest size may take at a time: the previous frame,
/// the frame at hand (each 2 MiB) and its packed form (4 MiB), with as much again to spare.
const MOST_MEMORY: usize = 16 << 20;

/// Counts what this thread holds, and the most it held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    // Not there any more while the thread ends: then nobody asks.
    let _ = HELD.try_with(|held| {
        held.set(held.get() + change);
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

#[expect(
    unsafe_code,
    reason = "an allocator that counts, for the test of memory"
)]
// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that `work` held at its highest, beyond what was held before.
fn memory_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.get();
    MOST.set(before);
    let result = work();
    (result, (MOST.get() - before).cast_unsigned())
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(file: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(file).read_to_end(&mut plain).unwrap();
    plain
}

/// A sound recording of 8 × 6 pixels.
fn sound() -> Vec<u8> {
    let header = CptvHeader {
        width: 8,
        height: 6,
        timestamp_us: 1_582_000_000_000_000,
        fps: Some(9),
        device_name: Some("东门".into()),
        ..CptvHeader::default()
    };
    let mut writer = CptvWriter::create(Vec::new(), &header).unwrap();
    for number in 0..FRAMES {
        let counts = Array2::from_shape_fn((6, 8), |(row, column)| {
            29_000 + (row * 97 * number + column * 13) as u16
        });
        writer
            .write(&RawFrame {
                stamp: Stamp {
                    boot: BootId(1),
                    monotonic: Duration::from_millis(114 * number as u64),
                    wall: WallTime(0),
                    trust: ClockTrust::Unsynchronised,
                },
                sequence: number as u64,
                counts,
                telemetry: Telemetry::default(),
            })
            .unwrap();
    }
    writer.finish().unwrap()
}

/// Reads a file to its end as the gateway does; gives its frames and the error's text.
fn read(file: &[u8]) -> (usize, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("suspect.cptv");
    std::fs::write(&path, file).unwrap();
    let mut frames = 0;
    let fate = Recording::open(&path, Rotation::Clockwise90, BootId(0)).and_then(|mut camera| {
        let mut last = None;
        while let Some(frame) = camera.next_frame()? {
            assert!(last < Some(frame.stamp.monotonic), "time stands");
            assert_eq!(frame.counts.ncols(), camera.info().width);
            last = Some(frame.stamp.monotonic);
            frames += 1;
        }
        Ok(())
    });
    (
        frames,
        fate.err().map(|error: CameraError| error.to_string()),
    )
}

/// Reads a file; an error must name it, say more than its name, and be fit for a screen.
fn survives(file: &[u8]) -> Result<(usize, Option<String>), TestCaseError> {
    let ((frames, error), memory) = memory_of(|| read(file));
    prop_assert!(memory < MOST_MEMORY, "held {memory} bytes");
    if let Some(text) = &error {
        let problem = text
            .split_once("suspect.cptv: ")
            .map(|(_, problem)| problem);
        prop_assert!(problem.is_some_and(|problem| problem.len() > 20), "{text}");
        prop_assert!(!text.chars().any(char::is_control), "{text:?}");
    }
    Ok((frames, error))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (frames, error) = survives(&bytes)?;
        prop_assert!(frames == 0 && error.is_some());
    }

    #[test]
    fn any_bytes_in_gzip(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        survives(&gzip(&bytes))?;
    }

    #[test]
    fn any_bytes_after_a_sound_header(
        bytes in proptest::collection::vec(any::<u8>(), 1..200),
        frame in any::<bool>(),
    ) {
        let mut plain = gunzip(&sound());
        let start = plain.windows(2).position(|two| two == [b'F', 4]).unwrap();
        plain.truncate(start + usize::from(frame));
        plain.extend(bytes);
        survives(&gzip(&plain))?;
    }

    #[test]
    fn flipped_bits(flips in proptest::collection::vec(any::<prop::sample::Index>(), 1..6)) {
        let mut plain = gunzip(&sound());
        for flip in flips {
            let bit = flip.index(plain.len() * 8);
            plain[bit / 8] ^= 1 << (bit % 8);
        }
        survives(&gzip(&plain))?;
    }

    #[test]
    fn flipped_bits_in_the_compressed_file(flip in any::<prop::sample::Index>()) {
        let mut file = sound();
        let bit = flip.index(file.len() * 8);
        file[bit / 8] ^= 1 << (bit % 8);
        survives(&file)?;
    }

    #[test]
    fn bytes_put_in_taken_out_or_set(
        at in any::<prop::sample::Index>(),
        way in 0..3,
        byte in prop_oneof![Just(0), Just(1), Just(0x7f), Just(0xff), any::<u8>()],
    ) {
        let mut plain = gunzip(&sound());
        let at = at.index(plain.len());
        match way {
            0 => plain.insert(at, byte),
            1 => { plain.remove(at); }
            _ => plain[at] = byte,
        }
        survives(&gzip(&plain))?;
    }

    #[test]
    fn a_cut_file_gives_what_came_before(at in any::<prop::sample::Index>()) {
        let file = sound();
        let at = at.index(file.len());
        let (frames, error) = survives(&file[..at])?;
        let error = error.expect("a cut is told");
        prop_assert!(frames <= FRAMES);
        let told = error.contains(&format!("cut short in frame {frames}"))
            || error.contains("cut short in the header")
            || error.contains("empty");
        prop_assert!(told, "{error}");
    }

    #[test]
    fn any_size_of_picture(width in any::<u32>(), height in any::<u32>(), small in any::<bool>()) {
        let (width, height) = if small {
            (width % 1_100, height % 1_100)
        } else {
            (width, height)
        };
        let mut plain = gunzip(&sound());
        for (code, side) in [(b'X', width), (b'Y', height)] {
            let at = plain.windows(2).position(|two| two == [4, code]).unwrap() + 2;
            plain[at..at + 4].copy_from_slice(&side.to_le_bytes());
        }
        let (_, error) = survives(&gzip(&plain))?;
        let error = error.unwrap_or_default();
        let fits = |side: u32| (1..=MAX_SIDE).contains(&(side as usize));
        if fits(width) && fits(height) {
            // A smaller picture finds all its pixels in the frame's bytes.
            let held = width * height <= 8 * 6;
            prop_assert!(held || error.contains("frame 0"), "{error}");
        } else {
            prop_assert!(error.contains(&format!("{width}×{height}")), "{error}");
        }
    }
}

#[test]
fn the_sound_file_is_sound() {
    assert_eq!(read(&sound()), (FRAMES, None));
}

#[test]
fn no_frames_at_all_are_a_recording_too() {
    let plain = gunzip(&sound());
    let start = plain.windows(2).position(|two| two == [b'F', 4]).unwrap();
    assert_eq!(read(&gzip(&plain[..start])), (0, None));
}

/// A few kilobytes that unpack to the largest pictures there are, over and over.
#[test]
fn a_bomb_is_read_a_frame_at_a_time() {
    let header = CptvHeader {
        width: MAX_SIDE,
        height: MAX_SIDE,
        ..CptvHeader::default()
    };
    let mut plain = gunzip(
        &CptvWriter::create(Vec::new(), &header)
            .unwrap()
            .finish()
            .unwrap(),
    );
    let size = 4 + (MAX_SIDE * MAX_SIDE - 1) * 4;
    let mut frame = b"F\x02\x01w\x20\x04f".to_vec();
    frame.extend_from_slice(&(size as u32).to_le_bytes());
    frame.resize(frame.len() + size, 0);
    for _ in 0..20 {
        plain.extend_from_slice(&frame);
    }
    let file = gzip(&plain);
    assert!(file.len() * 100 < plain.len(), "a bomb");
    drop(plain);
    let (frames, memory) = memory_of(|| {
        let reader = CptvReader::new(file.as_slice()).unwrap();
        reader.map_while(Result::ok).count()
    });
    assert_eq!(frames, 20);
    assert!(memory < MOST_MEMORY, "held {memory} bytes");

    // The word of a length field is not enough to reserve what it says.
    let lie = gunzip(&sound());
    let at = lie.windows(2).position(|two| two == [4, b'f']).unwrap() + 2;
    let mut lie = lie;
    lie[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let file = gzip(&lie);
    let (count, memory) = memory_of(|| CptvReader::new(file.as_slice()).unwrap().count());
    assert_eq!(count, 1, "the error alone");
    assert!(memory < 1 << 20, "held {memory} bytes");
}
