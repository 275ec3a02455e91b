//! From the bytes of a camera's frame to its counts.
//!
//! | layout | what is sent | where the counts are |
//! |---|---|---|
//! | `y16` | `Y16`, the picture's size | everywhere |
//! | `lepton` | `Y16`, 160 × 122 or 80 × 63 | the first 120 or 60 rows; telemetry below |
//! | `halves` | `YUYV`, 256 × 384 | the lower half; above it an 8-bit picture |
//! | `bands` | `YUYV`, 512 × 484 | rows 0 to 95, two rows of the sensor in each; below them two rows of something else, an 8-bit picture, and two more |
//!
//! `YUYV` is what the last two call it; nothing in their counts is a colour. Their picture for people
//! is grey, so every second byte of it is 128: that tells a frame of which some bytes were lost on the
//! way (it is *desynchronised*, its halves are shifted) from a whole one. Such a frame is never
//! measured: shifted bytes are absurd temperatures.
//!
//! Sources: PureThermal's sizes from groupgets/purethermal1-firmware (`uvc_desc_vs_l2.h`, `_l3.h`);
//! halves from LeoDJ/P2Pro-Viewer and jcalvinowens/ircam-viewer (`dev.c`: grey bytes with 0x80
//! between); bands, and how a shifted frame looks, from AronNovak/PyThermalCamera
//! (`docs/TC002C-DUO.md`).

use super::{Rotation, lepton};
use crate::thermal::profile::Layout;
use ndarray::Array2;

/// A pixel format's four letters, e.g. `Y16 `.
pub type FourCc = [u8; 4];

const Y16: FourCc = *b"Y16 ";
const YUYV: FourCc = *b"YUYV";

/// Rows of telemetry below a Lepton's picture, by its width.
const TELEMETRY_ROWS: [(u32, u32); 2] = [(160, 2), (80, 3)];

/// Rows of each pair that stands below the bands.
const BETWEEN_BANDS: u32 = 2;

/// What a grey pixel has in place of colour, and by how much it may be off.
const GREY: u8 = 128;
const GREY_WITHIN: u8 = 32;

/// Places at which a picture and counts are told from each other: first and last row, where a shift
/// shows first, and three between.
const PROBES: usize = 5;

/// A driver's format: what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// How pixels are packed.
    pub fourcc: FourCc,
    /// Pixels from left to right.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bytes from one row to the next; 0 where the driver does not say.
    pub stride: u32,
}

/// A frame of which bytes are missing, or that begins in the middle of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the frame is shifted: bytes were lost on the way")]
pub struct Desynchronised;

/// What a frame held.
#[derive(Clone, Debug, PartialEq)]
pub struct Unpacked {
    /// The picture, rows × columns.
    pub counts: Array2<u16>,
    /// What the camera says of itself, where it does.
    pub report: Option<lepton::Report>,
}

/// The pixel format that a layout comes in.
#[must_use]
pub const fn fourcc(layout: Layout) -> FourCc {
    match layout {
        Layout::Y16 | Layout::Lepton => Y16,
        Layout::Halves | Layout::Bands => YUYV,
    }
}

fn telemetry_rows(width: u32) -> u32 {
    let found = TELEMETRY_ROWS.iter().find(|(wide, _)| *wide == width);
    found.map_or(0, |(_, rows)| *rows)
}

/// The frames to ask for where a picture of this size is wanted, best first.
#[must_use]
pub fn sizes_sent(layout: Layout, (width, height): (u32, u32)) -> Vec<(u32, u32)> {
    let rows = |more: u32| (width, height.saturating_add(more));
    match layout {
        Layout::Y16 => vec![(width, height)],
        Layout::Lepton => match telemetry_rows(width) {
            0 => vec![(width, height)],
            more => vec![rows(more), (width, height)],
        },
        Layout::Halves => vec![rows(height)],
        Layout::Bands => {
            let picture = height.saturating_mul(2);
            let rows = (height / 2).saturating_add(picture);
            vec![(
                width.saturating_mul(2),
                rows.saturating_add(2 * BETWEEN_BANDS),
            )]
        }
    }
}

/// The picture in frames of this size; `None` where the layout has no such frames.
#[must_use]
pub fn picture_in(layout: Layout, (width, height): (u32, u32)) -> Option<(u32, u32)> {
    let picture = match layout {
        Layout::Y16 | Layout::Lepton => {
            let more = telemetry_rows(width);
            // 120 of 122 and 60 of 63: the sensors are 4:3.
            let has_telemetry = more > 0 && height == width / 4 * 3 + more;
            (width, if has_telemetry { height - more } else { height })
        }
        Layout::Halves => (width, height / 2),
        Layout::Bands => (width / 2, height.saturating_sub(2 * BETWEEN_BANDS) / 5 * 2),
    };
    let sizes = sizes_sent(layout, picture);
    let is_whole = match layout {
        Layout::Y16 => true,
        Layout::Lepton => sizes.contains(&(width, height)),
        // Other modes of these cameras, and webcams, have other shapes: theirs are 4:3.
        Layout::Halves | Layout::Bands => {
            sizes.contains(&(width, height)) && u64::from(picture.0) * 3 == u64::from(picture.1) * 4
        }
    };
    (is_whole && picture.0 > 0 && picture.1 > 0).then_some(picture)
}

/// How counts lie in the bytes of a frame, agreed upon with a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    layout: Layout,
    /// Columns of the picture.
    width: usize,
    /// Rows of the picture.
    height: usize,
    /// Rows that are sent.
    rows: usize,
    /// Bytes of a row that are pixels.
    row_bytes: usize,
    /// Bytes from row to row.
    stride: usize,
    /// The turn that sets people upright.
    rotation: Rotation,
}

impl Packing {
    /// Compares what the driver set up with the picture that was asked for.
    ///
    /// # Errors
    /// In words, where it is something else.
    pub fn agree(layout: Layout, wanted: (u32, u32), sent: Sent) -> Result<Self, String> {
        let (width, height) = (sent.width, sent.height);
        let picture = picture_in(layout, (width, height));
        let as_asked = picture.is_some_and(|it| it == wanted || (width, height) == wanted);
        let (true, Some(picture)) = (sent.fourcc == fourcc(layout) && as_asked, picture) else {
            return Err(format!(
                "asked for {} with a picture of {}×{}, but the driver gives {} {width}×{height}",
                letters(fourcc(layout)),
                wanted.0,
                wanted.1,
                letters(sent.fourcc),
            ));
        };
        // Two bytes a pixel in either format. Some drivers leave the stride at 0 where rows have no
        // gap.
        let least = width.saturating_mul(2);
        let stride = if sent.stride == 0 { least } else { sent.stride };
        if stride < least {
            return Err(format!(
                "the driver gives {width}×{height} in rows of {stride} bytes, which is no picture"
            ));
        }
        Ok(Self {
            layout,
            width: picture.0 as usize,
            height: picture.1 as usize,
            rows: height as usize,
            row_bytes: least as usize,
            stride: stride as usize,
            rotation: Rotation::None,
        })
    }

    /// The same for a camera that does not stand upright: its pictures are turned as they are unpacked.
    #[must_use]
    pub const fn turned(self, rotation: Rotation) -> Self {
        Self { rotation, ..self }
    }

    /// Columns and rows of the picture, upright.
    #[must_use]
    pub const fn size(&self) -> (usize, usize) {
        match self.rotation {
            Rotation::None | Rotation::Half => (self.width, self.height),
            Rotation::Clockwise90 | Rotation::Clockwise270 => (self.height, self.width),
        }
    }

    /// Bytes of a whole frame.
    #[must_use]
    pub const fn frame_bytes(&self) -> usize {
        self.stride.saturating_mul(self.rows)
    }

    /// The picture, and what the camera says of itself.
    ///
    /// # Errors
    /// [`Desynchronised`]; also where the frame is too short.
    pub fn unpack(&self, bytes: &[u8]) -> Result<Unpacked, Desynchronised> {
        if bytes.len() < self.frame_bytes() {
            return Err(Desynchronised);
        }
        let rows = |from: usize, count: usize| {
            bytes
                .chunks_exact(self.stride)
                .skip(from)
                .take(count)
                .filter_map(|row| row.get(..self.row_bytes))
        };
        let (first, count) = match self.layout {
            Layout::Y16 | Layout::Lepton => (0, self.height),
            Layout::Halves => {
                let picture: Vec<&[u8]> = rows(0, self.height).collect();
                let counts: Vec<&[u8]> = rows(self.height, self.height).collect();
                in_step(&picture, &counts)?;
                (self.height, self.height)
            }
            Layout::Bands => {
                let band = self.height / 2;
                let counts: Vec<&[u8]> = rows(0, band).collect();
                let first = band + BETWEEN_BANDS as usize;
                let picture: Vec<&[u8]> = rows(first, 2 * self.height).collect();
                in_step(&picture, &counts)?;
                (0, band)
            }
        };
        let words = |from: usize, count: usize| {
            rows(from, count)
                .flat_map(|row| row.chunks_exact(2))
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        };
        let (columns, rows) = self.size();
        let mut counts = Array2::zeros((rows, columns));
        let mut sent = words(first, count);
        for mut row in self.rotation.as_sent(counts.view_mut()).rows_mut() {
            row.iter_mut()
                .zip(sent.by_ref())
                .for_each(|(to, count)| *to = count);
        }
        let report = match self.layout {
            Layout::Y16 | Layout::Lepton if self.rows > self.height => {
                let below: Vec<u16> = words(self.height, self.rows - self.height).collect();
                lepton::Report::read(&below)
            }
            _ => None,
        };
        Ok(Unpacked { counts, report })
    }
}

/// Whether grey is where the picture must be, and nothing grey where the counts are.
fn in_step(picture: &[&[u8]], counts: &[&[u8]]) -> Result<(), Desynchronised> {
    let probe = |rows: &[&[u8]], grey: bool| {
        let last = rows.len().saturating_sub(1);
        (0..PROBES).all(|n| {
            let row = rows.get(last * n / (PROBES - 1));
            row.is_some_and(|row| is_grey(row) == grey)
        })
    };
    if probe(picture, true) && probe(counts, false) {
        Ok(())
    } else {
        Err(Desynchronised)
    }
}

/// Whether a row is pixels without colour: three in four of its second bytes are.
fn is_grey(row: &[u8]) -> bool {
    let grey = |pair: &[u8]| pair[1].abs_diff(GREY) <= GREY_WITHIN;
    let (of, pairs) = (row.len() / 2, row.chunks_exact(2));
    pairs.filter(|pair| grey(pair)).count() * 4 >= of * 3
}

/// Four letters for people.
pub(super) fn letters(fourcc: FourCc) -> String {
    String::from_utf8_lossy(&fourcc).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    fn sent(fourcc: FourCc, width: u32, height: u32, stride: u32) -> Sent {
        Sent {
            fourcc,
            width,
            height,
            stride,
        }
    }

    #[test]
    fn what_the_driver_answers_is_compared() {
        let plain = sent(*b"Y16 ", 160, 120, 320);
        for layout in [Layout::Y16, Layout::Lepton] {
            let agreed = Packing::agree(layout, (160, 120), plain).unwrap();
            assert_eq!((agreed.size(), agreed.rows), ((160, 120), 120));
            for wanted in [(160, 120), (160, 122)] {
                let telemetry =
                    Packing::agree(layout, wanted, sent(*b"Y16 ", 160, 122, 0)).unwrap();
                assert_eq!(telemetry.size(), (160, 120));
                assert_eq!(telemetry.frame_bytes(), 122 * 320);
            }
        }
        let small = Packing::agree(Layout::Lepton, (80, 60), sent(*b"Y16 ", 80, 63, 160)).unwrap();
        assert_eq!((small.size(), small.rows), ((80, 60), 63));
        let halves = sent(*b"YUYV", 256, 384, 512);
        let halves = Packing::agree(Layout::Halves, (256, 192), halves).unwrap();
        assert_eq!(halves.size(), (256, 192));
        let bands = sent(*b"YUYV", 512, 484, 1024);
        let bands = Packing::agree(Layout::Bands, (256, 192), bands).unwrap();
        assert_eq!(bands.size(), (256, 192));

        let refusal = |layout, wanted, sent| Packing::agree(layout, wanted, sent).unwrap_err();
        let text = refusal(Layout::Y16, (640, 480), sent(*b"Y16 ", 160, 122, 320));
        assert!(
            text.contains("640×480") && text.contains("160×122"),
            "{text}"
        );
        let text = refusal(Layout::Y16, (160, 120), sent(*b"UYVY", 160, 120, 320));
        assert!(text.contains("UYVY"), "{text}");
        let text = refusal(Layout::Halves, (256, 192), sent(*b"YUYV", 320, 240, 640));
        assert!(text.contains("320×240"), "{text}");
        refusal(Layout::Y16, (160, 120), sent(*b"Y16 ", 160, 120, 319));
        refusal(Layout::Y16, (0, 0), sent(*b"Y16 ", 0, 0, 0));
    }

    #[test]
    fn the_picture_in_a_frame_is_told_by_its_size() {
        for (layout, picture, best) in [
            (Layout::Y16, (160, 120), (160, 120)),
            (Layout::Lepton, (160, 120), (160, 122)),
            (Layout::Lepton, (80, 60), (80, 63)),
            (Layout::Lepton, (640, 512), (640, 512)),
            (Layout::Halves, (256, 192), (256, 384)),
            (Layout::Bands, (256, 192), (512, 484)),
        ] {
            assert_eq!(sizes_sent(layout, picture)[0], best);
            assert_eq!(picture_in(layout, best), Some(picture), "{layout:?}");
        }
        // Other modes of these cameras hold no counts.
        assert_eq!(picture_in(Layout::Bands, (512, 384)), None);
        assert_eq!(picture_in(Layout::Bands, (256, 392)), None);
        assert_eq!(picture_in(Layout::Halves, (256, 193)), None);
        assert_eq!(picture_in(Layout::Halves, (640, 480)), None, "a webcam");
    }

    #[test]
    fn gaps_and_telemetry_are_no_pixels() {
        let packing = Packing {
            layout: Layout::Y16,
            width: 2,
            height: 2,
            rows: 3,
            row_bytes: 4,
            stride: 5,
            rotation: Rotation::None,
        };
        let bytes = [1, 0, 0, 1, 9, 2, 0, 0xff, 0xff, 9, 7, 7, 7, 7, 9];
        let unpacked = packing.unpack(&bytes).unwrap();
        assert_eq!(unpacked.counts, array![[1, 256], [2, 65_535]]);
        assert_eq!(unpacked.report, None);
        assert_eq!(packing.unpack(&bytes[..14]), Err(Desynchronised));
    }

    /// A frame of a room of 22 °C with somebody in it: counts, and grey bytes above or below.
    fn packed(layout: Layout) -> (Packing, Vec<u8>, Array2<u16>) {
        let per_kelvin = if layout == Layout::Halves { 64.0 } else { 16.0 };
        let counts = Array2::from_shape_fn((192, 256), |(row, col)| {
            let warm = (60..140).contains(&row) && (90..160).contains(&col);
            let kelvin = if warm { 308.0 } else { 295.0 };
            (kelvin * per_kelvin) as u16 + ((row * 7 + col * 3) % 5) as u16
        });
        let bytes: Vec<u8> = counts
            .iter()
            .flat_map(|count| count.to_le_bytes())
            .collect();
        let grey = |pixels: usize| {
            (0..pixels).flat_map(|n| [(n * 31 % 251) as u8, if n % 7 == 0 { 127 } else { 128 }])
        };
        let (frame, format): (Vec<u8>, Sent) = if layout == Layout::Halves {
            (
                grey(256 * 192).chain(bytes).collect(),
                sent(*b"YUYV", 256, 384, 0),
            )
        } else {
            let between = vec![0xff; 2 * 1024];
            let frame = bytes.into_iter().chain(between.clone());
            (
                frame.chain(grey(512 * 384)).chain(between).collect(),
                sent(*b"YUYV", 512, 484, 0),
            )
        };
        let packing = Packing::agree(layout, (256, 192), format).unwrap();
        assert_eq!(packing.frame_bytes(), frame.len());
        (packing, frame, counts)
    }

    #[test]
    fn the_counts_of_a_packed_frame_come_out_as_they_went_in() {
        for layout in [Layout::Halves, Layout::Bands] {
            let (packing, frame, counts) = packed(layout);
            let unpacked = packing.unpack(&frame).unwrap();
            assert_eq!(unpacked.counts, counts, "{layout:?}");
            for rotation in [
                Rotation::Clockwise90,
                Rotation::Half,
                Rotation::Clockwise270,
            ] {
                let upright = packing.turned(rotation);
                let unpacked = upright.unpack(&frame).unwrap().counts;
                let (columns, rows) = upright.size();
                assert_eq!(unpacked.dim(), (rows, columns));
                assert_eq!(unpacked, rotation.turn(counts.clone()), "{rotation:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_shifted_frame_is_never_measured(bands in any::<bool>(), by in 1..196_000_usize) {
            let layout = if bands { Layout::Bands } else { Layout::Halves };
            let (packing, mut frame, _) = packed(layout);
            let by = by % frame.len();
            // A shift of a few pixels within one row moves the picture, but mixes nothing up: with
            // less than a row it may pass where the rows that are looked at are still whole.
            prop_assume!(by % 2 == 1 || by >= frame.len() / packing.rows);
            prop_assume!(frame.len() - by >= frame.len() / packing.rows);
            frame.rotate_left(by);
            prop_assert_eq!(packing.unpack(&frame), Err(Desynchronised));
        }

        #[test]
        fn no_bytes_bring_the_reader_down(
            layout in prop_oneof![
                Just(Layout::Y16), Just(Layout::Lepton), Just(Layout::Halves), Just(Layout::Bands)
            ],
            width in 0..80_u32, height in 0..80_u32, stride in 0..200_u32,
            bytes in proptest::collection::vec(any::<u8>(), 0..4_000),
        ) {
            let wanted = picture_in(layout, (width, height)).unwrap_or((width, height));
            let format = Sent { fourcc: fourcc(layout), width, height, stride };
            if let Ok(packing) = Packing::agree(layout, wanted, format)
                && let Ok(unpacked) = packing.unpack(&bytes)
            {
                let (columns, rows) = packing.size();
                prop_assert_eq!(unpacked.counts.dim(), (rows, columns));
            }
        }

        #[test]
        fn no_size_brings_the_arithmetic_down(width in any::<u32>(), height in any::<u32>()) {
            for layout in [Layout::Y16, Layout::Lepton, Layout::Halves, Layout::Bands] {
                let _ = sizes_sent(layout, (width, height));
                let _ = picture_in(layout, (width, height));
            }
        }
    }
}
