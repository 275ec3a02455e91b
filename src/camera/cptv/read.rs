//! Reading a recording, frame by frame.
//!
//! Blocks as the file beneath does. What bounds it is said in [`super`].

use super::{
    COMPRESSION, CptvError, CptvFrame, CptvHeader, MAGIC, MAX_SIDE, VERSION, milliseconds,
    packed_size, snake,
};
use crate::units::Celsius;
use flate2::read::MultiGzDecoder;
use ndarray::Array2;
use std::io::{self, BufRead, BufReader, Read};

/// Widest packing read, bits: the first difference has as many.
const MAX_BITS: u32 = 32;

/// A published writer leaves unused bytes behind the pixels, up to this many times what is
/// needed. They are skipped.
const MAX_SLACK: usize = 4;

/// Reads a CPTV recording as a stream: an iterator of frames, background pictures included.
///
/// After an error there are no more frames.
#[derive(Debug)]
pub struct CptvReader<R> {
    input: BufReader<MultiGzDecoder<R>>,
    header: CptvHeader,
    /// The previous frame along the snake.
    previous: Vec<u16>,
    packed: Vec<u8>,
    /// Frames read.
    frames: u64,
    over: bool,
}

impl<R: Read> CptvReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`CptvError`]: not a CPTV file of version 2, cut short, damaged, or a picture larger than
    /// [`MAX_SIDE`] × [`MAX_SIDE`].
    pub fn new(input: R) -> Result<Self, CptvError> {
        let mut input = BufReader::new(MultiGzDecoder::new(input));
        let header = read_header(&mut input)?;
        Ok(Self {
            input,
            previous: vec![0; header.width * header.height],
            packed: Vec::new(),
            header,
            frames: 0,
            over: false,
        })
    }

    /// What the recording says of itself.
    pub fn header(&self) -> &CptvHeader {
        &self.header
    }

    fn read_frame(&mut self) -> Result<Option<CptvFrame>, CptvError> {
        let frame = self.frames;
        let damaged = |problem: String| CptvError::Damaged { frame, problem };
        let fail = |error| fault(error, frame);

        let Some(section) = first_byte(&mut self.input).map_err(fail)? else {
            return Ok(None);
        };
        if section != b'F' {
            return Err(damaged(format!(
                "a frame should begin, but there is the byte 0x{section:02x}"
            )));
        }
        let fields = FrameFields::read(&mut self.input, frame)?;
        let bits = fields
            .bits
            .ok_or_else(|| damaged("the width of its numbers is missing".into()))?;
        if !(1..=MAX_BITS).contains(&bits) {
            return Err(damaged(format!(
                "its numbers are said to have {bits} bits, but 1 to {MAX_BITS} can be read"
            )));
        }
        let said = fields
            .size
            .ok_or_else(|| damaged("the size of its pixels is missing".into()))?;
        let needed = packed_size(self.previous.len(), bits);
        if !(needed..=needed * MAX_SLACK).contains(&said) {
            return Err(damaged(format!(
                "its pixels are said to take {said} bytes, but need {needed}"
            )));
        }
        self.packed.resize(needed, 0);
        self.input.read_exact(&mut self.packed).map_err(fail)?;
        let slack = (said - needed) as u64;
        let skipped =
            io::copy(&mut (&mut self.input).take(slack), &mut io::sink()).map_err(fail)?;
        if skipped < slack {
            return Err(CptvError::Cut { frame });
        }
        let counts = self.unpack(bits)?;
        self.frames += 1;
        Ok(Some(CptvFrame {
            counts,
            time_on: fields.time_on.map(milliseconds),
            last_ffc: fields.last_ffc.map(milliseconds),
            camera_temperature: fields.temperature,
            last_ffc_temperature: fields.ffc_temperature,
            background: fields.background,
        }))
    }

    /// Adds the packed differences to the previous frame.
    fn unpack(&mut self, bits: u32) -> Result<Array2<u16>, CptvError> {
        let (first, rest) = self
            .packed
            .split_first_chunk::<4>()
            .ok_or(CptvError::Cut { frame: self.frames })?;
        let mut rest = rest.iter();
        // Only the lowest 16 bits of any number count, so a 32-bit one may lose its sign here.
        let mut difference = i32::from_le_bytes(*first) as u16;
        let mut pool: u64 = 0;
        let mut pooled: u32 = 0;
        let shift = 64 - bits;
        let (width, height) = (self.header.width, self.header.height);
        let mut pixels = vec![0_u16; width * height];
        for (step, (index, previous)) in snake(width, height)
            .zip(self.previous.iter_mut())
            .enumerate()
        {
            if step > 0 {
                while pooled < bits {
                    pool = (pool << 8) | u64::from(rest.next().copied().unwrap_or(0));
                    pooled += 8;
                }
                pooled -= bits;
                let number = ((pool >> pooled) << shift).cast_signed() >> shift;
                difference = difference.wrapping_add(number as u16);
            }
            *previous = previous.wrapping_add(difference);
            if let Some(pixel) = pixels.get_mut(index) {
                *pixel = *previous;
            }
        }
        Array2::from_shape_vec((height, width), pixels).map_err(|error| CptvError::Damaged {
            frame: self.frames,
            problem: error.to_string(),
        })
    }
}

impl<R: Read> Iterator for CptvReader<R> {
    type Item = Result<CptvFrame, CptvError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let frame = self.read_frame().transpose();
        self.over = !matches!(frame, Some(Ok(_)));
        frame
    }
}

/// One field: its letter and its data.
struct Field {
    code: u8,
    length: usize,
    data: [u8; 255],
}

impl Field {
    fn read(input: &mut impl Read) -> io::Result<Self> {
        let mut head = [0; 2];
        input.read_exact(&mut head)?;
        let [length, code] = head;
        let length = usize::from(length);
        let mut data = [0; 255];
        if let Some(wanted) = data.get_mut(..length) {
            input.read_exact(wanted)?;
        }
        Ok(Self { code, length, data })
    }

    fn bytes(&self) -> &[u8] {
        self.data.get(..self.length).unwrap_or_default()
    }

    fn array<const N: usize>(&self) -> Result<[u8; N], String> {
        self.bytes().try_into().map_err(|_| {
            format!(
                "field '{}' has {} bytes in place of {N}",
                self.code.escape_ascii(),
                self.length
            )
        })
    }

    fn u8(&self) -> Result<u8, String> {
        self.array().map(u8::from_le_bytes)
    }

    fn u32(&self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    fn text(&self) -> Option<String> {
        (self.length > 0).then(|| String::from_utf8_lossy(self.bytes()).into_owned())
    }

    /// `None` for what is no temperature, and for 0, which stands for "not known".
    fn temperature(&self) -> Option<Celsius> {
        let degrees = f32::from_le_bytes(self.array().ok()?);
        (degrees != 0.0)
            .then(|| Celsius::new(f64::from(degrees)))
            .flatten()
    }
}

/// The fields of a frame that mean something here.
#[derive(Default)]
struct FrameFields {
    bits: Option<u32>,
    size: Option<usize>,
    time_on: Option<u32>,
    last_ffc: Option<u32>,
    temperature: Option<Celsius>,
    ffc_temperature: Option<Celsius>,
    background: bool,
}

impl FrameFields {
    fn read(input: &mut impl Read, frame: u64) -> Result<Self, CptvError> {
        let mut fields = Self::default();
        for _ in 0..byte(input).map_err(|error| fault(error, frame))? {
            let field = Field::read(input).map_err(|error| fault(error, frame))?;
            fields
                .take(&field)
                .map_err(|problem| CptvError::Damaged { frame, problem })?;
        }
        Ok(fields)
    }

    fn take(&mut self, field: &Field) -> Result<(), String> {
        match field.code {
            b'w' => self.bits = Some(u32::from(field.u8()?)),
            b'f' => {
                let size = field.u32()?;
                self.size = Some(usize::try_from(size).map_err(|error| error.to_string())?);
            }
            b't' => self.time_on = Some(field.u32()?),
            b'c' => self.last_ffc = Some(field.u32()?),
            b'a' => self.temperature = field.temperature(),
            b'b' => self.ffc_temperature = field.temperature(),
            b'g' => self.background = field.u8()? > 0,
            _ => {}
        }
        Ok(())
    }
}

fn read_header(input: &mut impl Read) -> Result<CptvHeader, CptvError> {
    let mut start = [0; 5];
    input
        .read_exact(&mut start)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => CptvError::NotCptv("it is empty or nearly so"),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                CptvError::NotCptv("it is not gzip-compressed, or damaged at its very start")
            }
            _ => CptvError::Read(error),
        })?;
    let [magic @ .., version] = start;
    if &magic != MAGIC {
        return Err(CptvError::NotCptv("it does not begin with the word CPTV"));
    }
    if version != VERSION {
        return Err(CptvError::Version(version));
    }
    let section = byte(input).map_err(header_fault)?;
    if section != b'H' {
        return Err(CptvError::Header(format!(
            "it should begin with 'H', but there is the byte 0x{section:02x}"
        )));
    }
    let mut header = CptvHeader::default();
    let (mut width, mut height, mut compression, mut timestamp) = (None, None, None, None);
    for _ in 0..byte(input).map_err(header_fault)? {
        let field = Field::read(input).map_err(header_fault)?;
        match field.code {
            b'X' => width = Some(field.u32().map_err(CptvError::Header)?),
            b'Y' => height = Some(field.u32().map_err(CptvError::Header)?),
            b'C' => compression = Some(field.u8().map_err(CptvError::Header)?),
            b'T' => {
                let bytes = field.array().map_err(CptvError::Header)?;
                timestamp = Some(u64::from_le_bytes(bytes));
            }
            b'D' => header.device_name = field.text(),
            b'B' => header.brand = field.text(),
            b'E' => header.model = field.text(),
            b'V' => header.firmware = field.text(),
            // The rest is of use where it is right, and no reason to refuse a recording.
            b'I' => header.device_id = field.u32().ok(),
            b'N' => header.camera_serial = field.u32().ok(),
            b'Z' => header.fps = field.u8().ok().filter(|fps| *fps > 0),
            b'P' => header.preview_secs = field.u8().ok(),
            b'g' => header.background_frames = field.u8().unwrap_or(0),
            b'J' => header.frames_announced = field.array().ok().map(u16::from_le_bytes),
            _ => {}
        }
    }
    let missing = |what: &str| CptvError::Header(format!("it does not give {what}"));
    match compression.ok_or_else(|| missing("the compression"))? {
        COMPRESSION => {}
        other => return Err(CptvError::Compression(other)),
    }
    header.timestamp_us = timestamp.ok_or_else(|| missing("the time of recording"))?;
    let width = width.ok_or_else(|| missing("the picture's width"))?;
    let height = height.ok_or_else(|| missing("the picture's height"))?;
    let side = |pixels: u32| {
        usize::try_from(pixels)
            .ok()
            .filter(|pixels| (1..=MAX_SIDE).contains(pixels))
    };
    (header.width, header.height) = side(width).zip(side(height)).ok_or(CptvError::Size {
        width: u64::from(width),
        height: u64::from(height),
    })?;
    Ok(header)
}

fn byte(input: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    input.read_exact(&mut byte)?;
    let [byte] = byte;
    Ok(byte)
}

/// The next byte; `None` where the file ends here, as it should.
fn first_byte(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    // An end inside of the gzip data is an error by itself, so no data here is a true end.
    let first = loop {
        match input.fill_buf() {
            Ok(buffer) => break buffer.first().copied(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    if first.is_some() {
        input.consume(1);
    }
    Ok(first)
}

fn header_fault(error: io::Error) -> CptvError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => CptvError::HeaderCut,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            CptvError::Header(error.to_string())
        }
        _ => CptvError::Read(error),
    }
}

fn fault(error: io::Error, frame: u64) -> CptvError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => CptvError::Cut { frame },
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => CptvError::Damaged {
            frame,
            problem: error.to_string(),
        },
        _ => CptvError::Read(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use std::io::Write;
    use std::time::Duration;

    /// Made by the published Python writer (cptv 1.5.5) from made-up numbers, 4 × 3 pixels: a
    /// background picture, then frames that need 8, 12 and 16 bits; two gzip members; behind the
    /// 16-bit pixels stand bytes that mean nothing.
    const GOLDEN: &str = "\
        1f8b080880674b5e04ff672d686561646572732e6370747600730e080963f2e06174666489606160 \
        6060896406924c811dc24cde858799bc5818585d72f293922a3942266ce011b9348f9581318a93d3 \
        3527b5a0243fcf58cf94c5292d27b388c5cf17a80d00a944dd4c4d0000001f8b0808cf56046b04ff \
        672e63707476007363672979ceccc0c092cccac0c0c058cec19208a41958924024633a234b1a3f90 \
        71a6848181999999e7efdfbf3c40da8d8da5e405581317481544d31a4790a6458e101d2920fd0800 \
        d211c502b206a28307640d42872854254fc3099e7e8bcffd1646fc163c3d0f781a40face20e91340 \
        d51703d41731effffff50cfe05eb19184e04326c98e02bc170623d437004904f310000432cd6081e \
        010000 \
    ";

    fn golden() -> Vec<u8> {
        let digits: Vec<u8> = GOLDEN.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn plain() -> Vec<u8> {
        let mut plain = Vec::new();
        MultiGzDecoder::new(golden().as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        plain
    }

    /// The golden file with one field of its header or first frame changed.
    fn changed(code: u8, data: &[u8]) -> Vec<u8> {
        let mut plain = plain();
        let head = [data.len() as u8, code];
        let at = plain.windows(2).position(|two| two == head).unwrap() + 2;
        plain[at..at + data.len()].copy_from_slice(data);
        gzip(&plain)
    }

    fn refusal(file: &[u8]) -> String {
        CptvReader::new(file).unwrap_err().to_string()
    }

    fn fate(file: &[u8]) -> (usize, String) {
        let mut reader = CptvReader::new(file).unwrap();
        let mut whole = 0;
        loop {
            match reader.next() {
                Some(Ok(_)) => whole += 1,
                Some(Err(error)) => {
                    assert!(reader.next().is_none(), "nothing comes after an error");
                    return (whole, error.to_string());
                }
                None => return (whole, String::new()),
            }
        }
    }

    #[test]
    fn reads_what_the_python_writer_wrote() {
        let file = golden();
        let mut reader = CptvReader::new(file.as_slice()).unwrap();
        assert_eq!(
            reader.header(),
            &CptvHeader {
                width: 4,
                height: 3,
                timestamp_us: 1_582_000_000_250_000,
                fps: Some(9),
                device_name: Some("lobby".into()),
                camera_serial: Some(77),
                brand: Some("flir".into()),
                model: Some("lepton3.5".into()),
                frames_announced: Some(4),
                ..CptvHeader::default()
            }
        );
        let background = reader.next().unwrap().unwrap();
        assert!(background.background);
        assert_eq!(background.counts[(2, 3)], 29_933);
        assert_eq!(background.camera_temperature, None, "0 stands for unknown");

        let frames: Vec<_> = reader.map(Result::unwrap).collect();
        assert_eq!(frames.len(), 3);
        assert_eq!(
            frames[0],
            CptvFrame {
                counts: array![
                    [30000, 30003, 30006, 30009],
                    [30012, 30015, 30018, 30021],
                    [30024, 30027, 30030, 30033]
                ],
                time_on: Some(Duration::from_millis(1000)),
                last_ffc: Some(Duration::from_millis(10)),
                camera_temperature: Celsius::new(21.5),
                last_ffc_temperature: Celsius::new(20.25),
                background: false,
            }
        );
        assert_eq!(
            frames[1].counts,
            array![
                [30000, 30203, 30406, 30609],
                [30812, 30015, 30218, 30421],
                [30624, 30827, 30030, 30233]
            ]
        );
        assert_eq!(
            frames[2].counts,
            array![
                [5000, 50003, 5006, 50009],
                [5012, 50015, 5018, 50021],
                [5024, 50027, 5030, 50033]
            ]
        );
        assert_eq!(frames[2].time_on, Some(Duration::from_millis(1228)));
    }

    #[test]
    fn numbers_of_any_width_are_read() {
        // Three pixels in a row, by hand: 100, then differences −1 and +1 in `bits` bits.
        for bits in 2..=MAX_BITS {
            let mask = (1_u128 << bits) - 1;
            let packed = (mask << bits | 1) << (128 - 2 * bits);
            let size = packed_size(3, bits) as u32;
            let mut plain = b"CPTV\x02H\x04\x04X\x03\0\0\0\x04Y\x01\0\0\0\x01C\x01".to_vec();
            plain.extend_from_slice(b"\x08T\0\0\0\0\0\0\0\0F\x02\x01w");
            plain.push(bits as u8);
            plain.extend_from_slice(b"\x04f");
            plain.extend_from_slice(&size.to_le_bytes());
            plain.extend_from_slice(&100_i32.to_le_bytes());
            plain.extend_from_slice(&packed.to_be_bytes()[..size as usize - 4]);
            let file = gzip(&plain);
            let mut reader = CptvReader::new(file.as_slice()).unwrap();
            // 100 more than nothing, then 100 − 1 more, then 99 + 1 more.
            let frame = reader.next().unwrap().unwrap();
            assert_eq!(frame.counts, array![[100, 99, 100]], "{bits} bits");
            assert_eq!((frame.time_on, frame.last_ffc), (None, None));
            assert!(reader.next().is_none());
        }
    }

    #[test]
    fn a_file_cut_anywhere_gives_its_whole_frames_and_says_where() {
        let plain = plain();
        // A cut where a frame begins leaves a shorter, sound recording: so they are found.
        let starts: Vec<usize> = (0..plain.len())
            .filter(|at| plain[*at..].starts_with(b"F"))
            .filter(|at| CptvReader::new(gzip(&plain[..*at]).as_slice()).is_ok())
            .filter(|at| fate(&gzip(&plain[..*at])).1.is_empty())
            .collect();
        assert_eq!(starts.len(), 4);
        for end in starts[0]..plain.len() {
            let (whole, text) = fate(&gzip(&plain[..end]));
            let before = starts.iter().filter(|start| **start < end).count();
            if starts.contains(&end) {
                assert_eq!((whole, text.as_str()), (before, ""));
            } else {
                assert_eq!(whole, before - 1, "cut at {end}");
                assert!(
                    text.starts_with(&format!("cut short in frame {whole} ")),
                    "{text}"
                );
            }
        }
        for end in 5..starts[0] {
            assert!(refusal(&gzip(&plain[..end])).contains("cut short in the header"));
        }
        // A cut in the compressed file.
        let file = golden();
        let (whole, text) = fate(&file[..file.len() - 30]);
        assert!(
            whole < 4 && text.contains(&format!("cut short in frame {whole}")),
            "{text}"
        );
        // The frames are all there; only the end mark is not.
        let (whole, text) = fate(&file[..file.len() - 2]);
        assert_eq!(
            (whole, text.contains("cut short in frame 4")),
            (4, true),
            "{text}"
        );
    }

    #[test]
    fn says_what_is_wrong() {
        assert!(refusal(b"").contains("empty"));
        assert!(refusal(b"not a gzip file at all").contains("not gzip-compressed"));
        assert!(refusal(&gzip(b"GIF89a")).contains("word CPTV"));
        assert!(refusal(&gzip(b"CPTV\x01")).contains("version 1"));
        assert!(refusal(&gzip(b"CPTV\x02F")).contains("'H'"));
        assert!(refusal(&gzip(b"CPTV\x02H\0")).contains("does not give"));
        assert!(refusal(&changed(b'C', &[0])).contains("compression 0"));
        let wide = refusal(&changed(b'X', &u32::MAX.to_le_bytes()));
        assert!(wide.contains("4294967295×3"), "{wide}");
        assert!(refusal(&changed(b'Y', &0_u32.to_le_bytes())).contains("4×0"));
        assert!(refusal(&changed(b'Y', &1025_u32.to_le_bytes())).contains("4×1025"));

        let (whole, text) = fate(&changed(b'w', &[0]));
        assert_eq!((whole, text.contains("0 bits")), (0, true), "{text}");
        let (_, text) = fate(&changed(b'w', &[33]));
        assert!(text.contains("33 bits"), "{text}");
        for size in [0, 14, 61, u32::MAX] {
            let (_, text) = fate(&changed(b'f', &size.to_le_bytes()));
            assert!(
                text.contains(&format!("said to take {size} bytes, but need 15")),
                "{text}"
            );
        }
        let mut more = plain();
        more.push(b'Q');
        let (whole, text) = fate(&gzip(&more));
        assert_eq!(whole, 4);
        assert!(
            text.contains("damaged at frame 4") && text.contains("0x51"),
            "{text}"
        );
    }
}
