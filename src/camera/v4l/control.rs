//! What a Lepton behind a PureThermal board can be told over USB: that it sends temperatures, which
//! range it is in, and when it closes its shutter.
//!
//! The board passes FLIR's own commands on as *extension units* of USB Video Class: one unit for
//! each of FLIR's modules, one control for each command, with the number `(command >> 2) + 1`. A
//! control of one byte runs a command, others read and write values, 32-bit ones with their lowest
//! byte first. A unit is known by its GUID, which stands in the device's descriptors; its number is
//! looked up there and never assumed.
//!
//! None of it is needed: a camera without these units, or one that refuses, is used as it is, and the
//! log says so once, at level debug.
//!
//! Sources: groupgets/purethermal1-firmware (`uvc_desc_vc.h`: GUIDs; `usbd_uvc_if.c`,
//! `usbd_uvc_lepton_xu.c`: numbers and lengths); FLIR Lepton Software Interface Description Document,
//! 110-0144-04 (module SYS 0x0200, RAD 0x0e00: commands and values).

use std::io;

/// A unit's number and the number of one of its controls.
pub(super) type Control = (u8, u8);

/// A device's extension units.
pub(super) trait Units {
    /// Reads a control.
    fn get(&self, control: Control, data: &mut [u8]) -> io::Result<()>;
    /// Writes a control.
    fn set(&self, control: Control, data: &[u8]) -> io::Result<()>;
}

const SYS: &[u8; 16] = b"pt1-lep-sys-0000";
const RAD: &[u8; 16] = b"pt1-lep-rad-0000";

/// The number of a command's control.
const fn selector(command: u8) -> u8 {
    (command >> 2) + 1
}

// Of the module SYS.
const FFC_MODE: u8 = selector(0x3c);
const RUN_FFC: u8 = selector(0x42);
const GAIN_MODE: u8 = selector(0x48);
// Of the module RAD.
const TLINEAR_ENABLE: u8 = selector(0xc0);
const TLINEAR_RESOLUTION: u8 = selector(0xc4);

/// Bytes of the object that holds the shutter's mode; the mode is its first number.
const FFC_MODE_BYTES: usize = 32;
const MANUAL: [u8; 4] = 0_u32.to_le_bytes();
const AUTOMATIC: [u8; 4] = 1_u32.to_le_bytes();
const HIGH_GAIN: [u8; 4] = 0_u32.to_le_bytes();
const ON: [u8; 4] = 1_u32.to_le_bytes();
const HUNDREDTHS: [u8; 4] = 1_u32.to_le_bytes();
const TENTHS: [u8; 4] = 0_u32.to_le_bytes();

/// Extension units in a USB device's descriptors: number and GUID of each.
///
/// Source: USB Video Class 1.1, 3.7.2.6 (extension unit descriptor) and table A-6.
pub(super) fn extension_units(descriptors: &[u8]) -> Vec<(u8, [u8; 16])> {
    const INTERFACE: u8 = 0x04;
    const CLASS_SPECIFIC: u8 = 0x24;
    const EXTENSION_UNIT: u8 = 0x06;
    const VIDEO_CONTROL: [u8; 2] = [14, 1];
    let mut found = Vec::new();
    let mut controls = false;
    let mut rest = descriptors;
    while let Some(length) = rest.first().map(|length| usize::from(*length)) {
        let (Some(one), true) = (rest.get(..length), length >= 2) else {
            break;
        };
        match *one {
            [_, INTERFACE, _, _, _, class, subclass, ..] => {
                controls = [class, subclass] == VIDEO_CONTROL;
            }
            [_, CLASS_SPECIFIC, EXTENSION_UNIT, unit, ..] if controls => {
                if let Some(guid) = one.get(4..20).and_then(|guid| guid.try_into().ok()) {
                    found.push((unit, guid));
                }
            }
            _ => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    found
}

/// A Lepton that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LeptonControl {
    sys: u8,
    rad: u8,
}

impl LeptonControl {
    /// Looks for its units in the device's descriptors.
    pub(super) fn find(descriptors: &[u8]) -> Option<Self> {
        let units = extension_units(descriptors);
        let unit = |guid: &[u8; 16]| {
            units
                .iter()
                .find(|(_, it)| it == guid)
                .map(|(unit, _)| *unit)
        };
        Some(Self {
            sys: unit(SYS)?,
            rad: unit(RAD)?,
        })
    }

    /// Has it send temperatures of this resolution, in the range for people.
    pub(super) fn prepare(self, units: &dyn Units, tenths: bool) -> io::Result<()> {
        ensure(units, (self.rad, TLINEAR_ENABLE), ON)?;
        let resolution = if tenths { TENTHS } else { HUNDREDTHS };
        ensure(units, (self.rad, TLINEAR_RESOLUTION), resolution)?;
        ensure(units, (self.sys, GAIN_MODE), HIGH_GAIN)
    }

    /// Closes the shutter for a correction.
    pub(super) fn run_ffc(self, units: &dyn Units) -> io::Result<()> {
        units.set((self.sys, RUN_FFC), &[0])
    }

    /// Who decides when: the gateway (manual) or the camera.
    pub(super) fn decide_by_hand(self, units: &dyn Units, manual: bool) -> io::Result<()> {
        let control = (self.sys, FFC_MODE);
        let mut object = [0; FFC_MODE_BYTES];
        units.get(control, &mut object)?;
        let mode = if manual { MANUAL } else { AUTOMATIC };
        if object[..4] == mode {
            return Ok(());
        }
        // The rest of the object (periods, delays) stays as the camera has it.
        object[..4].copy_from_slice(&mode);
        units.set(control, &object)
    }
}

/// Writes only what is not so already, and looks whether it was taken.
fn ensure(units: &dyn Units, control: Control, wanted: [u8; 4]) -> io::Result<()> {
    let mut value = [0; 4];
    units.get(control, &mut value)?;
    if value == wanted {
        return Ok(());
    }
    units.set(control, &wanted)?;
    units.get(control, &mut value)?;
    if value == wanted {
        Ok(())
    } else {
        Err(io::Error::other("it does not take the value"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::RefCell;
    use std::collections::HashMap;

    /// Units that remember; what is not in them is refused as the kernel does.
    struct Board {
        values: RefCell<HashMap<Control, Vec<u8>>>,
        written: RefCell<Vec<(Control, Vec<u8>)>>,
        stubborn: bool,
    }

    impl Board {
        fn new(values: &[(Control, &[u8])]) -> Self {
            let values = values.iter().map(|(at, value)| (*at, value.to_vec()));
            Self {
                values: RefCell::new(values.collect()),
                written: RefCell::default(),
                stubborn: false,
            }
        }
    }

    impl Units for Board {
        fn get(&self, control: Control, data: &mut [u8]) -> io::Result<()> {
            let values = self.values.borrow();
            let value = values.get(&control).filter(|it| it.len() == data.len());
            let value = value.ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))?;
            data.copy_from_slice(value);
            Ok(())
        }

        fn set(&self, control: Control, data: &[u8]) -> io::Result<()> {
            self.written.borrow_mut().push((control, data.to_vec()));
            if !self.stubborn {
                self.values.borrow_mut().insert(control, data.to_vec());
            }
            Ok(())
        }
    }

    const LEPTON: LeptonControl = LeptonControl { sys: 6, rad: 5 };

    #[test]
    fn controls_have_the_firmware_s_numbers() {
        assert_eq!((FFC_MODE, RUN_FFC, GAIN_MODE), (16, 17, 19));
        assert_eq!((TLINEAR_ENABLE, TLINEAR_RESOLUTION), (49, 50));
    }

    #[test]
    fn temperatures_are_switched_on_where_they_are_off() {
        let off = 0_u32.to_le_bytes();
        let board = Board::new(&[
            ((5, 49), &off),
            ((5, 50), &HUNDREDTHS),
            ((6, 19), &HIGH_GAIN),
        ]);
        LEPTON.prepare(&board, false).unwrap();
        assert_eq!(*board.written.borrow(), [((5, 49), ON.to_vec())]);
        LEPTON.prepare(&board, false).unwrap();
        assert_eq!(
            board.written.borrow().len(),
            1,
            "all is well: nothing is written"
        );
        LEPTON.prepare(&board, true).unwrap();
        assert_eq!(board.written.borrow()[1], ((5, 50), TENTHS.to_vec()));
    }

    #[test]
    fn a_camera_that_does_not_take_it_or_has_no_such_control_is_said() {
        let off = 0_u32.to_le_bytes();
        let mut board = Board::new(&[((5, 49), &off)]);
        board.stubborn = true;
        assert!(LEPTON.prepare(&board, false).is_err());
        let bare = Board::new(&[]);
        assert!(LEPTON.prepare(&bare, false).is_err());
        assert!(LEPTON.decide_by_hand(&bare, true).is_err());
        assert!(bare.written.borrow().is_empty());
    }

    #[test]
    fn of_the_shutter_s_object_only_the_mode_is_changed() {
        let mut object: Vec<u8> = (0..32).collect();
        object[..4].copy_from_slice(&AUTOMATIC);
        let board = Board::new(&[((6, 16), &object)]);
        LEPTON.decide_by_hand(&board, true).unwrap();
        let written = board.written.borrow()[0].clone();
        assert_eq!((written.0, &written.1[..4]), ((6, 16), &MANUAL[..]));
        assert_eq!(written.1[4..], object[4..]);
        LEPTON.decide_by_hand(&board, true).unwrap();
        assert_eq!(board.written.borrow().len(), 1);
        LEPTON.decide_by_hand(&board, false).unwrap();
        assert_eq!(board.written.borrow()[1].1, object);
    }

    #[test]
    fn a_correction_is_one_byte() {
        let board = Board::new(&[]);
        LEPTON.run_ffc(&board).unwrap();
        assert_eq!(*board.written.borrow(), [((6, 17), vec![0])]);
    }

    /// The control interface of a PureThermal, with a GUID for each unit, then its stream.
    fn descriptors(units: &[(u8, &[u8; 16])]) -> Vec<u8> {
        let mut bytes = vec![18, 1];
        bytes.resize(18, 0);
        bytes.extend([9, 2, 0, 0, 2, 1, 0, 0x80, 50]);
        bytes.extend([9, 4, 0, 0, 1, 14, 1, 0, 0]);
        for (unit, guid) in units {
            bytes.extend([29, 0x24, 6, *unit]);
            bytes.extend(*guid);
            bytes.extend([8, 1, 2, 4, 0xff, 0xff, 0xff, 0, 0]);
        }
        // Subtype 6 of a stream is a format, no unit.
        bytes.extend([9, 4, 1, 0, 0, 14, 2, 0, 0]);
        bytes.extend([29, 0x24, 6, 9]);
        bytes.extend(SYS);
        bytes.extend([0; 9]);
        bytes
    }

    #[test]
    fn units_are_found_by_their_guid() {
        let board = descriptors(&[(3, b"pt1-lep-agc-0000"), (8, RAD), (4, SYS)]);
        assert_eq!(
            LeptonControl::find(&board),
            Some(LeptonControl { sys: 4, rad: 8 })
        );
        let other = descriptors(&[(3, b"some-other-unit!"), (4, SYS)]);
        assert_eq!(LeptonControl::find(&other), None);
        assert_eq!(LeptonControl::find(&[]), None);
        assert_eq!(LeptonControl::find(&board[..40]), None, "cut short");
    }

    proptest! {
        #[test]
        fn no_descriptors_bring_the_reader_down(
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
            at in 0..100_usize, put in any::<u8>(),
        ) {
            let _ = extension_units(&bytes);
            let mut board = descriptors(&[(8, RAD), (4, SYS)]);
            let at = at % board.len();
            board[at] = put;
            let _ = LeptonControl::find(&board);
        }
    }
}
