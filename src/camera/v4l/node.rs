//! A V4L2 device node and what can be asked of it. One of the two places with `unsafe` code; the
//! other one, `stream.rs`, has its buffers.
//!
//! Blocking: the node is opened non-blocking. What is asked of it is answered by the driver at once,
//! or, by a USB camera that hangs, after the kernel's own time limits (up to 5 s each). Closing the
//! node of a camera that was unplugged waits for the kernel, see [`Node`].
//!
//! Sources: the Linux Media Infrastructure userspace API, part I (Video for Linux); for extension
//! units the kernel's `Documentation/userspace-api/media/drivers/uvcvideo.rst` and
//! `include/uapi/linux/uvcvideo.h`.
#![allow(unsafe_code)]

use super::control::Units;
use crate::camera::layout::{FourCc, Sent};
use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use v4l::v4l_sys as sys;
use v4l::v4l2::vidioc;

/// Longest list of formats or sizes that is read, against a driver that never ends it.
const LONGEST_LIST: u32 = 64;

/// How often it is looked whether the kernel is done with a camera.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Looks, at most, until the kernel notices that a camera that failed was unplugged: 1 s, where it
/// takes some milliseconds. A camera that failed otherwise stays.
const UNTIL_NOTICED: u32 = 100;
/// Looks, at most, until the kernel has taken an unplugged camera apart: 10 s, where it takes some
/// milliseconds.
const UNTIL_APART: u32 = 1000;

pub(super) const CAPTURE: u32 = sys::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;

// Requests to a control of a UVC unit (USB Video Class 1.1, table A-8).
const SET_CUR: u8 = 0x01;
const GET_CUR: u8 = 0x81;

/// `struct uvc_xu_control_query` of the kernel's `uvcvideo.h`.
#[repr(C)]
struct XuQuery {
    unit: u8,
    selector: u8,
    query: u8,
    size: u16,
    data: *mut u8,
}

/// `UVCIOC_CTRL_QUERY`: `_IOWR('u', 0x21, struct uvc_xu_control_query)`. With another size the kernel
/// would not know the number.
const XU_QUERY: vidioc::_IOC_TYPE = {
    let (read_write, size) = (3, size_of::<XuQuery>() as vidioc::_IOC_TYPE);
    (read_write << 30) | (size << 16) | ((b'u' as vidioc::_IOC_TYPE) << 8) | 0x21
};

/// # Safety
/// Every bit pattern, all zeros included, must be a value of the type, and it must be the
/// kernel's own layout of the argument of the requests it is used for.
pub(super) unsafe trait Argument: Sized {
    /// All zeros, as the interface wants fields that are not used.
    fn zeroed() -> Self {
        // SAFETY: the trait promises that zeros are a value.
        unsafe { MaybeUninit::zeroed().assume_init() }
    }
}
// SAFETY (all): C structures and unions of integers and raw pointers, generated from the kernel's
// header (the last one written after it); zeros are a value of each.
unsafe impl Argument for sys::v4l2_capability {}
unsafe impl Argument for sys::v4l2_fmtdesc {}
unsafe impl Argument for sys::v4l2_frmsizeenum {}
unsafe impl Argument for sys::v4l2_format {}
unsafe impl Argument for sys::v4l2_streamparm {}
unsafe impl Argument for sys::v4l2_requestbuffers {}
unsafe impl Argument for sys::v4l2_buffer {}
unsafe impl Argument for libc::c_int {}
unsafe impl Argument for XuQuery {}

/// What a node says of itself.
#[derive(Clone, Debug)]
pub(super) struct Capability {
    pub(super) driver: String,
    pub(super) card: String,
    pub(super) bus: String,
    /// Whether frames can be taken from it by streaming; no for the metadata nodes that stand
    /// beside UVC cameras.
    pub(super) captures: bool,
}

/// An open device node.
///
/// Dropping it closes it, and of a camera that was unplugged only when the kernel has taken it apart.
/// A stream learns of the unplugging just before the driver does, and closing the node meanwhile lets
/// Linux take the camera's media entity out of its list twice
/// (`media_device_unregister_entity` looks without a lock whether somebody else does so): the kernel
/// dies, and the gateway with it. Seen with Linux 6.1 (Debian 12), `tests/vm`.
#[derive(Debug)]
pub(super) struct Node {
    file: File,
    /// Where the kernel has what is plugged in; `None` where it is no such device.
    place: Option<Place>,
    /// Whether it failed as cameras do that are unplugged.
    failed: Cell<bool>,
}

impl Node {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)?;
        Ok(Self {
            place: Place::of(&file),
            file,
            failed: Cell::new(false),
        })
    }

    pub(super) fn fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// Runs one request, again where a signal interrupts it.
    ///
    /// # Safety
    /// `request` must be one whose argument is a `T`, and any pointer in `argument` that the request
    /// follows must be valid for it.
    pub(super) unsafe fn ioctl<T: Argument>(
        &self,
        request: vidioc::_IOC_TYPE,
        argument: &mut T,
    ) -> io::Result<()> {
        loop {
            // SAFETY: the argument is exclusively borrowed and of the request's type (promised by
            // the caller), so the kernel reads and writes only it.
            let answer = unsafe {
                v4l::v4l2::ioctl(self.fd(), request, std::ptr::from_mut(argument).cast())
            };
            match answer {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if !is_an_answer(&error) {
                        self.failed.set(true);
                    }
                    return Err(error);
                }
                Ok(()) => return Ok(()),
            }
        }
    }

    /// The stream broke off without a word of the driver.
    pub(super) fn broke_off(&self) {
        self.failed.set(true);
    }

    /// Whether the driver still has the camera.
    fn is_there(&self) -> bool {
        let refused = self.capability().err();
        refused.and_then(|error| error.raw_os_error()) != Some(libc::ENODEV)
    }

    pub(super) fn capability(&self) -> io::Result<Capability> {
        let mut answer = sys::v4l2_capability::zeroed();
        // SAFETY: QUERYCAP takes a v4l2_capability, without pointers.
        unsafe { self.ioctl(vidioc::VIDIOC_QUERYCAP, &mut answer) }?;
        // Of a device with several nodes, `capabilities` speaks for all, `device_caps` for this.
        let flags = if answer.capabilities & sys::V4L2_CAP_DEVICE_CAPS == 0 {
            answer.capabilities
        } else {
            answer.device_caps
        };
        let wanted = sys::V4L2_CAP_VIDEO_CAPTURE | sys::V4L2_CAP_STREAMING;
        Ok(Capability {
            driver: text(&answer.driver),
            card: text(&answer.card),
            bus: text(&answer.bus_info),
            captures: flags & wanted == wanted,
        })
    }

    /// The pixel formats, in the driver's order.
    pub(super) fn formats(&self) -> Vec<FourCc> {
        (0..LONGEST_LIST)
            .map_while(|index| {
                let mut answer = sys::v4l2_fmtdesc {
                    index,
                    type_: CAPTURE,
                    ..sys::v4l2_fmtdesc::zeroed()
                };
                // SAFETY: ENUM_FMT takes a v4l2_fmtdesc, without pointers.
                unsafe { self.ioctl(vidioc::VIDIOC_ENUM_FMT, &mut answer) }.ok()?;
                Some(answer.pixelformat.to_le_bytes())
            })
            .collect()
    }

    /// The sizes of a format, in the driver's order; none where it takes any in a range.
    pub(super) fn sizes(&self, fourcc: FourCc) -> Vec<(u32, u32)> {
        (0..LONGEST_LIST)
            .map_while(|index| {
                let mut answer = sys::v4l2_frmsizeenum {
                    index,
                    pixel_format: u32::from_le_bytes(fourcc),
                    ..sys::v4l2_frmsizeenum::zeroed()
                };
                // SAFETY: ENUM_FRAMESIZES takes a v4l2_frmsizeenum, without pointers.
                unsafe { self.ioctl(vidioc::VIDIOC_ENUM_FRAMESIZES, &mut answer) }.ok()?;
                if answer.type_ != sys::v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE {
                    return None;
                }
                // SAFETY: all members of the union are integers, so any may be read; the driver
                // says that this one is meant.
                let size = unsafe { answer.__bindgen_anon_1.discrete };
                Some((size.width, size.height))
            })
            .collect()
    }

    /// The format that is set up at present.
    pub(super) fn format(&self) -> io::Result<Sent> {
        let mut answer = sys::v4l2_format {
            type_: CAPTURE,
            ..sys::v4l2_format::zeroed()
        };
        // SAFETY: G_FMT takes a v4l2_format; for single-planar capture it follows no pointer.
        unsafe { self.ioctl(vidioc::VIDIOC_G_FMT, &mut answer) }?;
        Ok(format_of(&answer))
    }

    /// Asks for a format; the answer is what the driver took instead, perhaps.
    pub(super) fn set_format(
        &self,
        fourcc: FourCc,
        (width, height): (u32, u32),
    ) -> io::Result<Sent> {
        let mut request = sys::v4l2_format {
            type_: CAPTURE,
            ..sys::v4l2_format::zeroed()
        };
        // Writing a member of a union is safe where it is a plain one; zeros stand for "the
        // driver's choice" in the rest.
        request.fmt.pix.width = width;
        request.fmt.pix.height = height;
        request.fmt.pix.pixelformat = u32::from_le_bytes(fourcc);
        request.fmt.pix.field = sys::v4l2_field_V4L2_FIELD_NONE;
        // SAFETY: S_FMT takes a v4l2_format; for single-planar capture it follows no pointer.
        unsafe { self.ioctl(vidioc::VIDIOC_S_FMT, &mut request) }?;
        Ok(format_of(&request))
    }

    /// Asks for so many frames a second; what came of it is told by [`Node::frame_rate`].
    pub(super) fn set_frame_rate(&self, fps: f64) -> io::Result<()> {
        let mut request = sys::v4l2_streamparm {
            type_: CAPTURE,
            ..sys::v4l2_streamparm::zeroed()
        };
        request.parm.capture.timeperframe = sys::v4l2_fract {
            numerator: 1000,
            denominator: (fps * 1000.0).round() as u32,
        };
        // SAFETY: S_PARM takes a v4l2_streamparm, without pointers.
        unsafe { self.ioctl(vidioc::VIDIOC_S_PARM, &mut request) }
    }

    /// Frames a second, where the driver tells.
    pub(super) fn frame_rate(&self) -> Option<f64> {
        let mut answer = sys::v4l2_streamparm {
            type_: CAPTURE,
            ..sys::v4l2_streamparm::zeroed()
        };
        // SAFETY: G_PARM takes a v4l2_streamparm, without pointers.
        unsafe { self.ioctl(vidioc::VIDIOC_G_PARM, &mut answer) }.ok()?;
        // SAFETY: all members of the union are integers; for capture this one is meant.
        let time = unsafe { answer.parm.capture.timeperframe };
        (time.numerator > 0 && time.denominator > 0)
            .then(|| f64::from(time.denominator) / f64::from(time.numerator))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let Some(place) = &self.place else {
            return;
        };
        if self.failed.get() {
            wait(UNTIL_NOTICED, || !self.is_there());
        }
        if !self.is_there() {
            wait(UNTIL_APART, || place.is_apart());
        }
    }
}

fn wait(looks: u32, mut done: impl FnMut() -> bool) {
    for _ in 0..looks {
        if done() {
            return;
        }
        thread::sleep(LOOK_AGAIN);
    }
}

/// Errors by which drivers say what they do not do, or not now; with any other one the camera may
/// be gone.
fn is_an_answer(error: &io::Error) -> bool {
    [
        libc::EINVAL,
        libc::ENOTTY,
        libc::EBUSY,
        libc::EAGAIN,
        libc::EACCES,
        libc::EPIPE,
        libc::ENOMEM,
        libc::ENOBUFS,
    ]
    .iter()
    .any(|answer| error.raw_os_error() == Some(*answer))
}

/// The folder in which the kernel shows what a camera is, and the number of that folder: the next
/// camera at the same cable has another one.
#[derive(Debug)]
struct Place {
    folder: PathBuf,
    number: u64,
}

impl Place {
    fn of(node: &File) -> Option<Self> {
        let device = node.metadata().ok()?.rdev();
        let (major, minor) = (libc::major(device), libc::minor(device));
        let folder = fs::canonicalize(format!("/sys/dev/char/{major}:{minor}/device")).ok()?;
        let number = fs::metadata(&folder).ok()?.ino();
        Some(Self { folder, number })
    }

    /// Whether the kernel has no media device there any more: the last part that goes.
    fn is_apart(&self) -> bool {
        let is_media =
            |entry: fs::DirEntry| entry.file_name().as_encoded_bytes().starts_with(b"media");
        fs::metadata(&self.folder).map(|it| it.ino()).ok() != Some(self.number)
            || !fs::read_dir(&self.folder).is_ok_and(|entries| entries.flatten().any(is_media))
    }
}

impl Node {
    fn query(&self, query: u8, (unit, selector): (u8, u8), data: &mut [u8]) -> io::Result<()> {
        let size =
            u16::try_from(data.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let mut request = XuQuery {
            unit,
            selector,
            query,
            size,
            data: data.as_mut_ptr(),
        };
        // SAFETY: UVCIOC_CTRL_QUERY takes this structure. The kernel reads or writes `size` bytes at
        // `data`, which is exclusively borrowed and so long.
        unsafe { self.ioctl(XU_QUERY, &mut request) }
    }
}

impl Units for Node {
    fn get(&self, control: (u8, u8), data: &mut [u8]) -> io::Result<()> {
        self.query(GET_CUR, control, data)
    }

    fn set(&self, control: (u8, u8), data: &[u8]) -> io::Result<()> {
        self.query(SET_CUR, control, &mut data.to_vec())
    }
}

fn format_of(answer: &sys::v4l2_format) -> Sent {
    // SAFETY: all members of the union are integers or raw pointers; for single-planar capture
    // this one is meant.
    let pix = unsafe { answer.fmt.pix };
    Sent {
        fourcc: pix.pixelformat.to_le_bytes(),
        width: pix.width,
        height: pix.height,
        stride: pix.bytesperline,
    }
}

/// A text that the kernel ends by a zero.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let bytes = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or(bytes);
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_camera_refuses_and_does_no_harm() {
        let node = Node::open(Path::new("/dev/null")).unwrap();
        assert_eq!(
            node.capability().unwrap_err().raw_os_error(),
            Some(libc::ENOTTY)
        );
        assert!(node.formats().is_empty() && node.sizes(*b"Y16 ").is_empty());
        assert!(node.format().is_err() && node.set_format(*b"Y16 ", (160, 120)).is_err());
        assert_eq!(node.frame_rate(), None);
        assert!(node.set_frame_rate(9.0).is_err());
        assert!(node.get((6, 17), &mut [0; 4]).is_err() && node.set((6, 17), &[0]).is_err());
    }

    #[test]
    fn names_end_at_the_zero_and_may_be_no_unicode() {
        assert_eq!(
            text(b"PureThermal (fw:v1.3.0)\0\0x"),
            "PureThermal (fw:v1.3.0)"
        );
        assert_eq!(text(b"whole"), "whole");
        assert_eq!(text(b"ca\xffm\0"), "ca\u{fffd}m");
    }

    #[test]
    fn the_structures_are_the_kernel_s() {
        // Sizes on 64-bit Linux: with another one the request numbers would not be known.
        assert_eq!(size_of::<sys::v4l2_capability>(), 104);
        assert_eq!(size_of::<sys::v4l2_format>(), 208);
        assert_eq!(size_of::<XuQuery>(), 16);
        assert_eq!(XU_QUERY, 0xc010_7521);
    }
}
