//! Writing a recording, frame by frame.
//!
//! Blocks as the file beneath does.

use super::{
    Added, COMPRESSION, CptvError, CptvHeader, MAGIC, MAX_SIDE, VERSION, packed_size, snake,
};
use crate::thermal::RawFrame;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::time::Duration;

/// Writes a CPTV recording of version 2.
///
/// Of a frame's telemetry the format keeps the camera's time and last shutter event (whole
/// milliseconds, modulo 2³²) and its temperature; the rest, and the gateway's time, stand in a field
/// of our own ([`Added`]). A camera that does not tell its time gets the gateway's, so that the film
/// keeps its pace in other players.
#[derive(Debug)]
pub struct CptvWriter<W: Write> {
    output: GzEncoder<W>,
    width: usize,
    height: usize,
    /// The previous frame along the snake.
    previous: Vec<u16>,
    /// Second differences of the frame at hand.
    differences: Vec<i16>,
    section: Vec<u8>,
}

impl<W: Write> CptvWriter<W> {
    /// Writes the header. `background_frames` and `frames_announced` are not written: a stream
    /// has no background picture, and does not know its end. Names are cut to 255 bytes.
    ///
    /// # Errors
    /// [`CptvError::Size`] or [`CptvError::Write`].
    pub fn create(output: W, header: &CptvHeader) -> Result<Self, CptvError> {
        let (width, height) = (header.width, header.height);
        let side = |pixels: usize| {
            u32::try_from(pixels)
                .ok()
                .filter(|_| (1..=MAX_SIDE).contains(&pixels))
        };
        let (columns, rows) = side(width).zip(side(height)).ok_or(CptvError::Size {
            width: width as u64,
            height: height as u64,
        })?;
        let mut fields = Fields::default();
        fields.put(b'T', &header.timestamp_us.to_le_bytes());
        fields.put(b'X', &columns.to_le_bytes());
        fields.put(b'Y', &rows.to_le_bytes());
        fields.put(b'C', &[COMPRESSION]);
        for (code, text) in [
            (b'D', &header.device_name),
            (b'B', &header.brand),
            (b'E', &header.model),
            (b'V', &header.firmware),
        ] {
            if let Some(text) = text {
                fields.put(code, text.as_bytes());
            }
        }
        for (code, number) in [(b'I', header.device_id), (b'N', header.camera_serial)] {
            if let Some(number) = number {
                fields.put(code, &number.to_le_bytes());
            }
        }
        for (code, number) in [(b'Z', header.fps), (b'P', header.preview_secs)] {
            if let Some(number) = number {
                fields.put(code, &[number]);
            }
        }
        let mut section = Vec::new();
        section.extend_from_slice(MAGIC);
        section.push(VERSION);
        fields.append_to(&mut section, b'H');
        let mut output = GzEncoder::new(output, Compression::fast());
        output.write_all(&section).map_err(CptvError::Write)?;
        Ok(Self {
            output,
            width,
            height,
            previous: vec![0; width * height],
            differences: Vec::with_capacity(width * height),
            section,
        })
    }

    /// Adds a frame.
    ///
    /// # Errors
    /// [`CptvError::Misfit`], after which another frame may be written; [`CptvError::Write`],
    /// after which the recording cannot be continued.
    pub fn write(&mut self, frame: &RawFrame) -> Result<(), CptvError> {
        let (height, width) = frame.counts.dim();
        if (width, height) != (self.width, self.height) {
            return Err(CptvError::Misfit {
                width,
                height,
                expected_width: self.width,
                expected_height: self.height,
            });
        }
        let counts = frame.counts.as_standard_layout();
        let pixels = counts.as_slice().unwrap_or_default();
        let first = self.differences_of(pixels);
        let bits = bits_for(&self.differences);
        let size = packed_size(pixels.len(), bits) as u32;

        let telemetry = &frame.telemetry;
        let mut fields = Fields::default();
        let time_on = telemetry.time_on.unwrap_or(frame.stamp.monotonic);
        fields.put(b't', &milliseconds(time_on).to_le_bytes());
        if let Some(last_ffc) = telemetry.last_ffc {
            fields.put(b'c', &milliseconds(last_ffc).to_le_bytes());
        }
        if let Some(fpa) = telemetry.fpa {
            fields.put(b'a', &(fpa.degrees() as f32).to_le_bytes());
        }
        fields.put(Added::CODE, &Added::of(frame).bytes());
        fields.put(b'w', &[bits as u8]);
        fields.put(b'f', &size.to_le_bytes());
        self.section.clear();
        fields.append_to(&mut self.section, b'F');
        self.section
            .extend_from_slice(&i32::from(first).to_le_bytes());
        pack(&self.differences, bits, &mut self.section);
        self.output
            .write_all(&self.section)
            .map_err(CptvError::Write)
    }

    /// Ends the recording and gives the file beneath back. Without it the file has no end mark,
    /// and a reader calls it cut short after its last frame.
    ///
    /// # Errors
    /// [`CptvError::Write`].
    pub fn finish(self) -> Result<W, CptvError> {
        let mut output = self.output.finish().map_err(CptvError::Write)?;
        output.flush().map_err(CptvError::Write)?;
        Ok(output)
    }

    /// Fills `differences` for all pixels but the first along the snake, and gives the first.
    fn differences_of(&mut self, pixels: &[u16]) -> i16 {
        self.differences.clear();
        let mut first = 0;
        let mut before = 0;
        for (step, (index, previous)) in snake(self.width, self.height)
            .zip(self.previous.iter_mut())
            .enumerate()
        {
            let pixel = pixels.get(index).copied().unwrap_or_default();
            let difference = pixel.wrapping_sub(*previous).cast_signed();
            *previous = pixel;
            if step == 0 {
                first = difference;
            } else {
                self.differences.push(difference.wrapping_sub(before));
            }
            before = difference;
        }
        first
    }
}

/// Of 8, 12 and 16 the fewest bits that hold all. Widths that keep to bytes and half bytes let
/// gzip find what repeats.
fn bits_for(differences: &[i16]) -> u32 {
    let widest = differences
        .iter()
        .map(|d| if *d < 0 { !*d } else { *d })
        .max()
        .unwrap_or(0);
    match widest {
        0..=0x7f => 8,
        0x80..=0x7ff => 12,
        _ => 16,
    }
}

/// Appends numbers of `bits` bits, highest bit first, filled up to a whole byte.
fn pack(numbers: &[i16], bits: u32, to: &mut Vec<u8>) {
    let mut pool: u32 = 0;
    let mut pooled = 0;
    let mask = (1_u32 << bits) - 1;
    for number in numbers {
        pool = (pool << bits) | (i32::from(*number) as u32 & mask);
        pooled += bits;
        while pooled >= 8 {
            pooled -= 8;
            to.push((pool >> pooled) as u8);
        }
    }
    if pooled > 0 {
        to.push((pool << (8 - pooled)) as u8);
    }
}

/// Whole milliseconds modulo 2³², as cameras count them.
fn milliseconds(time: Duration) -> u32 {
    time.as_millis() as u32
}

/// The fields of a section.
#[derive(Default)]
struct Fields {
    count: u8,
    bytes: Vec<u8>,
}

impl Fields {
    fn put(&mut self, code: u8, data: &[u8]) {
        let data = data.get(..255).unwrap_or(data);
        self.count += 1;
        self.bytes.extend_from_slice(&[data.len() as u8, code]);
        self.bytes.extend_from_slice(data);
    }

    fn append_to(&self, section: &mut Vec<u8>, letter: u8) {
        section.extend_from_slice(&[letter, self.count]);
        section.extend_from_slice(&self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::cptv::CptvReader;
    use crate::clock::{BootId, ClockTrust, Stamp, WallTime};
    use crate::thermal::Telemetry;
    use crate::units::Celsius;
    use ndarray::Array2;
    use proptest::prelude::*;

    fn frame(counts: Array2<u16>, telemetry: Telemetry) -> RawFrame {
        RawFrame {
            stamp: Stamp {
                boot: BootId(1),
                monotonic: Duration::from_millis(1_234),
                wall: WallTime(0),
                trust: ClockTrust::Unsynchronised,
            },
            sequence: 0,
            counts,
            telemetry,
        }
    }

    fn header(width: usize, height: usize) -> CptvHeader {
        CptvHeader {
            width,
            height,
            timestamp_us: 1_582_000_000_123_456,
            fps: Some(9),
            device_name: Some("东门".into()),
            device_id: Some(7),
            camera_serial: Some(u32::MAX),
            brand: Some("flir".into()),
            model: Some("lepton3.5".into()),
            firmware: Some("3.3.26".into()),
            preview_secs: Some(3),
            ..CptvHeader::default()
        }
    }

    /// Films of any size; counts of all kinds: anything, a smooth scene, and the ends of the scale.
    fn film() -> impl Strategy<Value = (usize, usize, Vec<Vec<u16>>)> {
        let count = prop_oneof![any::<u16>(), 29_000..31_000_u16, Just(0), Just(u16::MAX)];
        (1..12_usize, 1..12_usize).prop_flat_map(move |(width, height)| {
            let picture = prop_oneof![
                proptest::collection::vec(count.clone(), width * height),
                proptest::collection::vec(29_900..29_960_u16, width * height),
            ];
            (
                Just(width),
                Just(height),
                proptest::collection::vec(picture, 0..5),
            )
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read((width, height, film) in film()) {
            let header = header(width, height);
            let mut writer = CptvWriter::create(Vec::new(), &header).unwrap();
            let frames: Vec<RawFrame> = film
                .into_iter()
                .zip(0_u32..)
                .map(|(counts, number)| frame(
                    Array2::from_shape_vec((height, width), counts).unwrap(),
                    Telemetry {
                        time_on: Some(Duration::from_millis(u64::from(u32::MAX - number))),
                        last_ffc: (number > 1).then_some(Duration::from_millis(5)),
                        fpa: Celsius::new(27.5),
                        ..Telemetry::default()
                    },
                ))
                .collect();
            for frame in &frames {
                writer.write(frame).unwrap();
            }
            let file = writer.finish().unwrap();
            let reader = CptvReader::new(file.as_slice()).unwrap();
            prop_assert_eq!(reader.header(), &header);
            let read: Vec<_> = reader.map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), frames.len());
            for (read, frame) in read.iter().zip(&frames) {
                prop_assert_eq!(&read.counts, &frame.counts);
                prop_assert_eq!(read.time_on, frame.telemetry.time_on);
                prop_assert_eq!(read.last_ffc, frame.telemetry.last_ffc);
                prop_assert_eq!(read.camera_temperature, frame.telemetry.fpa);
                prop_assert!(!read.background);
            }
        }
    }

    #[test]
    fn a_turned_view_is_written_by_its_rows() {
        let turned = ndarray::array![[1_u16, 2, 3], [4, 5, 6]].reversed_axes();
        let mut writer = CptvWriter::create(Vec::new(), &header(2, 3)).unwrap();
        writer
            .write(&frame(turned.clone(), Telemetry::default()))
            .unwrap();
        let file = writer.finish().unwrap();
        let read = CptvReader::new(file.as_slice())
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(read.counts, turned);
        assert_eq!(
            read.time_on,
            Some(Duration::from_millis(1_234)),
            "the gateway's"
        );
        assert_eq!(read.camera_temperature, None);
    }

    #[test]
    fn another_size_is_refused_and_does_no_harm() {
        let mut writer = CptvWriter::create(Vec::new(), &header(2, 2)).unwrap();
        let misfit = frame(Array2::zeros((2, 3)), Telemetry::default());
        let text = writer.write(&misfit).unwrap_err().to_string();
        assert!(
            text.contains("3×2 pixels does not fit a recording of 2×2"),
            "{text}"
        );
        let fit = frame(Array2::from_elem((2, 2), 9), Telemetry::default());
        writer.write(&fit).unwrap();
        let file = writer.finish().unwrap();
        assert_eq!(CptvReader::new(file.as_slice()).unwrap().count(), 1);

        for (width, height) in [(0, 1), (1, 0), (MAX_SIDE + 1, 1)] {
            assert!(CptvWriter::create(Vec::new(), &header(width, height)).is_err());
        }
    }

    #[test]
    fn a_recording_that_was_never_finished_is_read_to_its_cut() {
        let mut writer = CptvWriter::create(Vec::new(), &header(2, 2)).unwrap();
        for count in 0..3 {
            let counts = Array2::from_elem((2, 2), count);
            writer.write(&frame(counts, Telemetry::default())).unwrap();
        }
        let mut file = writer.finish().unwrap();
        file.truncate(file.len() - 8);
        let mut reader = CptvReader::new(file.as_slice()).unwrap();
        assert_eq!(reader.by_ref().map_while(Result::ok).count(), 3);
    }

    #[test]
    fn a_full_disk_is_told() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let text = CptvWriter::create(Full, &header(2, 2))
            .and_then(CptvWriter::finish)
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(text.contains("disk full"), "{text}");
    }
}
