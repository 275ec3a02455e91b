//! What a virtual camera says of itself: the descriptors of a USB video device, and the formats,
//! sizes and extension units of some models.
//!
//! Sources: USB 2.0, chapter 9; USB Device Class Definition for Video Devices 1.0 (June 2005),
//! §3 and §4.3. PureThermal: its public firmware (GroupGets, purethermal1-firmware) and FLIR's
//! Lepton software interface description: a command's module is a unit, its number shifted right
//! by two, plus one, the selector. The InfiRay P2 Pro and the Topdon TC002C Duo: identity and layout as
//! their users describe them; none was held against a real device.

use super::usbip::Speed;
use std::collections::BTreeMap;
use std::time::Duration;

/// An interface of the kind "video" has this class.
const VIDEO: u8 = 0x0e;
/// Type of a class's own descriptor.
const CLASS: u8 = 0x24;
const INTERFACE: u8 = 4;
/// The endpoint that pictures come from.
const PICTURES: u8 = 0x81;
/// The terminals between which the picture goes.
const SENSOR: u8 = 1;
const OUTPUT: u8 = 0xfe;
/// All formats here have so many bytes a pixel.
const PIXEL: u32 = 2;

/// A pixel format with its sizes.
#[derive(Clone, Debug)]
pub(crate) struct Format {
    pub(crate) fourcc: [u8; 4],
    pub(crate) sizes: Vec<(u16, u16)>,
}

/// A unit of a vendor's own controls, with their values by selector.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) id: u8,
    pub(crate) guid: [u8; 16],
    pub(crate) controls: BTreeMap<u8, Vec<u8>>,
}

/// A kind of camera.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// Of maker and product.
    pub(crate) ids: (u16, u16),
    pub(crate) maker: &'static str,
    pub(crate) product: &'static str,
    pub(crate) serial: String,
    pub(crate) speed: Speed,
    pub(crate) formats: Vec<Format>,
    pub(crate) fps: u32,
    /// Bytes of a packet in the streaming interface's settings 1, 2, …
    pub(crate) packets: Vec<u16>,
    pub(crate) units: Vec<Unit>,
}

/// A descriptor or request: its length, then itself.
fn sized(parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut bytes = vec![body.len() as u8 + 1];
    bytes.extend(body);
    bytes
}

/// Four letters, and what makes a GUID of them.
fn guid(fourcc: [u8; 4]) -> [u8; 16] {
    let [a, b, c, d] = fourcc;
    [
        a, b, c, d, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71,
    ]
}

impl Model {
    /// A PureThermal board with a Lepton 3.5.
    pub(crate) fn purethermal(serial: &str) -> Self {
        let unit = |id, name: [u8; 16], controls: &[(u8, &[u8])]| Unit {
            id,
            guid: name,
            controls: controls
                .iter()
                .map(|(command, value)| (selector(*command), value.to_vec()))
                .collect(),
        };
        // Mode automatic; the rest of the structure as it may be.
        let mut ffc_mode = [0; 32];
        ffc_mode[0] = 1;
        Self {
            ids: (0x1e4e, 0x0100),
            maker: "GroupGets",
            product: "PureThermal (fw:v1.3.0)",
            serial: serial.to_owned(),
            speed: Speed::Full,
            formats: vec![
                Format {
                    fourcc: *b"UYVY",
                    sizes: vec![(160, 120)],
                },
                Format {
                    fourcc: *b"Y16 ",
                    sizes: vec![(160, 120), (160, 122)],
                },
            ],
            fps: 9,
            packets: vec![642, 962],
            units: vec![
                unit(3, *b"pt1-lep-agc-0000", &[(0x00, &[0; 4])]),
                unit(4, *b"pt1-lep-oem-0000", &[]),
                // TLinear on, in steps of 0.01 K.
                unit(
                    5,
                    *b"pt1-lep-rad-0000",
                    &[(0xc0, &[1, 0, 0, 0]), (0xc4, &[1, 0, 0, 0])],
                ),
                // Temperatures of the housing and of the detector, cK; telemetry, FFC mode, run
                // FFC, gain mode.
                unit(
                    6,
                    *b"pt1-lep-sys-0000",
                    &[
                        (0x10, &29_900_u16.to_le_bytes()),
                        (0x14, &30_115_u16.to_le_bytes()),
                        (0x18, &[1, 0, 0, 0]),
                        (0x3c, &ffc_mode),
                        (0x42, &[0]),
                        (0x48, &[0, 0, 0, 0]),
                    ],
                ),
                unit(7, *b"pt1-lep-vid-0000", &[]),
            ],
        }
    }

    /// The same board with a Lepton 2.5.
    pub(crate) fn lepton_2_5(serial: &str) -> Self {
        let format = |fourcc, sizes: &[(u16, u16)]| Format {
            fourcc,
            sizes: sizes.to_vec(),
        };
        Self {
            formats: vec![
                format(*b"UYVY", &[(80, 60)]),
                format(*b"Y16 ", &[(80, 60), (80, 63)]),
            ],
            ..Self::purethermal(serial)
        }
    }

    /// The value of a command of an extension unit, to be changed.
    pub(crate) fn value(&mut self, unit: u8, command: u8) -> &mut Vec<u8> {
        let unit = self.units.iter_mut().find(|it| it.id == unit);
        let value = unit.and_then(|it| it.controls.get_mut(&selector(command)));
        value.expect("such a control")
    }

    /// An InfiRay P2 Pro: the picture above, its temperatures below.
    pub(crate) fn p2_pro(serial: &str) -> Self {
        Self {
            ids: (0x0bda, 0x5830),
            maker: "Generic",
            product: "USB Camera",
            serial: serial.to_owned(),
            speed: Speed::High,
            formats: vec![Format {
                fourcc: *b"YUY2",
                sizes: vec![(256, 192), (256, 384)],
            }],
            fps: 25,
            packets: vec![1024],
            units: Vec::new(),
        }
    }

    /// A Topdon TC002C Duo: its temperatures above, two rows of them in one, the picture below.
    pub(crate) fn tc002c(serial: &str) -> Self {
        Self {
            ids: (0x2bdf, 0x0102),
            maker: "Topdon",
            product: "TC002C",
            formats: vec![Format {
                fourcc: *b"YUY2",
                sizes: vec![(512, 384), (512, 484)],
            }],
            // As much as an emulated processor can carry.
            fps: 10,
            ..Self::p2_pro(serial)
        }
    }

    /// The link that udev makes to its pictures.
    pub(crate) fn link(&self) -> String {
        let word = |text: &str| text.replace(' ', "_");
        let name = format!(
            "{}_{}_{}",
            word(self.maker),
            word(self.product),
            self.serial
        );
        format!("/dev/v4l/by-id/usb-{name}-video-index0")
    }

    /// The size of a format and frame, as they are numbered from 1.
    pub(crate) fn size(&self, format: u8, frame: u8) -> Option<(u16, u16)> {
        let format = self.formats.get(usize::from(format).checked_sub(1)?)?;
        let size = format.sizes.get(usize::from(frame).checked_sub(1)?)?;
        Some(*size)
    }

    /// From frame to frame.
    pub(crate) fn frame_time(&self) -> Duration {
        Duration::from_secs(1) / self.fps
    }

    /// From packet to packet.
    pub(crate) fn packet_time(&self) -> Duration {
        match self.speed {
            Speed::Full => Duration::from_millis(1),
            Speed::High => Duration::from_micros(125),
        }
    }

    /// A descriptor by its kind and number.
    pub(crate) fn descriptor(&self, kind: u8, index: u8) -> Option<Vec<u8>> {
        match (kind, index) {
            (1, _) => Some(self.device()),
            (2, _) => Some(self.configuration()),
            // Strings: first which language, English.
            (3, 0) => Some(sized(&[&[3, 0x09, 0x04]])),
            (3, 1) => Some(string(self.maker)),
            (3, 2) => Some(string(self.product)),
            (3, 3) => Some(string(&self.serial)),
            _ => None,
        }
    }

    fn device(&self) -> Vec<u8> {
        sized(&[
            // USB 2.0; functions are joined by association; packets of 64 bytes for control.
            &[1, 0x00, 0x02, 0xef, 2, 1, 64],
            &self.ids.0.to_le_bytes(),
            &self.ids.1.to_le_bytes(),
            // Version 1.0; the three strings; one configuration.
            &[0x00, 0x01, 1, 2, 3, 1],
        ])
    }

    fn configuration(&self) -> Vec<u8> {
        let mut parts = vec![
            // Interfaces 0 and 1 are one video function.
            sized(&[&[11, 0, 2, VIDEO, 3, 0, 2]]),
            sized(&[&[INTERFACE, 0, 0, 0, VIDEO, 1, 0, 0]]),
            self.control(),
            sized(&[&[INTERFACE, 1, 0, 0, VIDEO, 2, 0, 0]]),
            self.streaming(),
        ];
        for (setting, packet) in (1..).zip(&self.packets) {
            parts.push(sized(&[&[INTERFACE, 1, setting, 1, VIDEO, 2, 0, 0]]));
            // Isochronous, asynchronous, in each (micro)frame.
            parts.push(sized(&[&[5, PICTURES, 5], &packet.to_le_bytes(), &[1]]));
        }
        let parts = parts.concat();
        let total = (parts.len() as u16 + 9).to_le_bytes();
        // Two interfaces; configuration 1; powered by the bus with 100 mA.
        let mut all = sized(&[&[2], &total, &[2, 1, 0, 0x80, 50]]);
        all.extend(parts);
        all
    }

    /// The video control interface: sensor, the vendor's units on it, output.
    fn control(&self) -> Vec<u8> {
        let mut parts = sized(&[
            &[CLASS, 2, SENSOR, 0x01, 0x02, 0, 0],
            // No focal lengths, no controls.
            &[0; 6],
            &[3, 0, 0, 0],
        ]);
        for unit in &self.units {
            parts.extend(sized(&[
                &[CLASS, 6, unit.id],
                &unit.guid,
                // 64 controls, one source.
                &[64, 1, SENSOR, 8],
                &[0xff; 8],
                &[0],
            ]));
        }
        parts.extend(sized(&[&[CLASS, 3, OUTPUT, 0x01, 0x01, 0, SENSOR, 0]]));
        let total = (parts.len() as u16 + 13).to_le_bytes();
        // UVC 1.0; a clock of 6 MHz; one streaming interface, number 1.
        let clock = 6_000_000_u32.to_le_bytes();
        let mut all = sized(&[&[CLASS, 1, 0x00, 0x01], &total, &clock, &[1, 1]]);
        all.extend(parts);
        all
    }

    /// What the streaming interface offers.
    fn streaming(&self) -> Vec<u8> {
        let mut parts = Vec::new();
        for (index, format) in (1..).zip(&self.formats) {
            parts.extend(sized(&[
                &[CLASS, 4, index, format.sizes.len() as u8],
                &guid(format.fourcc),
                // Bits a pixel; the first frame is the usual one.
                &[8 * PIXEL as u8, 1, 0, 0, 0, 0],
            ]));
            for (frame, (width, height)) in (1..).zip(&format.sizes) {
                let bytes = frame_bytes((*width, *height));
                let rate = (bytes * 8 * self.fps).to_le_bytes();
                let time = self.interval();
                parts.extend(sized(&[
                    &[CLASS, 5, frame, 2],
                    &width.to_le_bytes(),
                    &height.to_le_bytes(),
                    &rate,
                    &rate,
                    &bytes.to_le_bytes(),
                    &time,
                    &[1],
                    &time,
                ]));
            }
        }
        let formats = self.formats.len() as u8;
        let total = (parts.len() as u16 + 13 + u16::from(formats)).to_le_bytes();
        let mut all = sized(&[
            &[CLASS, 1, formats],
            &total,
            // No still pictures, no trigger; no controls, of one byte a format.
            &[PICTURES, 0, OUTPUT, 0, 0, 0, 1],
            &vec![0; usize::from(formats)],
        ]);
        all.extend(parts);
        all
    }

    /// From frame to frame in units of 100 ns.
    fn interval(&self) -> [u8; 4] {
        (10_000_000 / self.fps).to_le_bytes()
    }

    /// What the camera would do where it is asked for this format and frame (probe and commit).
    pub(crate) fn probe(&self, format: u8, frame: u8) -> Vec<u8> {
        let (format, frame, size) = match self.size(format, frame) {
            Some(size) => (format, frame, size),
            None => (1, 1, self.formats[0].sizes[0]),
        };
        let bytes = frame_bytes(size);
        // The smallest packet that carries the stream with a quarter to spare, or the largest.
        let needed = f64::from(bytes * self.fps) * self.packet_time().as_secs_f64() * 1.25;
        let fits = self
            .packets
            .iter()
            .find(|&&it| f64::from(it) > needed + 2.0);
        let packet = u32::from(*fits.or(self.packets.last()).unwrap_or(&0));
        [
            &[0, 0, format, frame],
            &self.interval()[..],
            // Key frames, compression, delay: nothing of the kind.
            &[0; 10],
            &bytes.to_le_bytes(),
            &packet.to_le_bytes(),
        ]
        .concat()
    }
}

/// Bytes of a frame of this size.
pub(crate) fn frame_bytes((width, height): (u16, u16)) -> u32 {
    u32::from(width) * u32::from(height) * PIXEL
}

/// The selector of a Lepton's command.
pub(crate) const fn selector(command: u8) -> u8 {
    (command >> 2) + 1
}

fn string(text: &str) -> Vec<u8> {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    sized(&[&[3], &utf16])
}
