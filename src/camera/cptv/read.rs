//! Reading a recording, frame by frame.
//!
//! Blocks as the file beneath does. What bounds it is said in [`super`].

use super::{
    Added, COMPRESSION, CptvError, CptvFrame, CptvHeader, MAGIC, MAX_SIDE, VERSION, milliseconds,
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
            added: fields.added,
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
    added: Option<Added>,
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
            Added::CODE => self.added = Added::read(field.bytes()),
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
mod tests;
