//! The V4L2 device node and its buffers: the one place of the gateway with `unsafe` code.
//!
//! Why not the stream of the crate `v4l`: after a time-out it queues a buffer that the kernel
//! still owns and fails for ever, it does not tell a damaged frame from a good one, and dropping
//! it can panic, as can opening a node whose name is not UTF-8. Its bindings of the kernel's
//! structures and request numbers are used.
//!
//! Blocking: [`Stream::next`] waits in `poll`, at most for the time given. The node is opened
//! non-blocking; what else is asked of it is answered by the driver at once, or, by a USB camera
//! that hangs, after the kernel's own time limits (seconds).
//!
//! Source: the Linux Media Infrastructure userspace API, part I (Video for Linux).
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::ptr::NonNull;
use std::time::Duration;
use v4l::v4l_sys as sys;
use v4l::v4l2::vidioc;

/// Buffers asked of the driver: one being filled, one full, two spare for a thread that is late.
const BUFFERS: u32 = 4;

/// Frames in a row that may be damaged before the camera counts as silent.
const MOST_DAMAGED: u64 = 64;

/// Longest list of formats or sizes that is read, against a driver that never ends it.
const LONGEST_LIST: u32 = 64;

const CAPTURE: u32 = sys::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;
const MMAP: u32 = sys::v4l2_memory_V4L2_MEMORY_MMAP;

/// A pixel format's four letters, e.g. `Y16 `.
pub(super) type FourCc = [u8; 4];

/// # Safety
/// Every bit pattern, all zeros included, must be a value of the type, and it must be the
/// kernel's own layout of the argument of the requests it is used for.
unsafe trait Argument: Sized {
    /// All zeros, as the interface wants fields that are not used.
    fn zeroed() -> Self {
        // SAFETY: the trait promises that zeros are a value.
        unsafe { MaybeUninit::zeroed().assume_init() }
    }
}
// SAFETY (all): C structures and unions of integers and raw pointers, generated from the kernel's
// header; zeros are a value of each.
unsafe impl Argument for sys::v4l2_capability {}
unsafe impl Argument for sys::v4l2_fmtdesc {}
unsafe impl Argument for sys::v4l2_frmsizeenum {}
unsafe impl Argument for sys::v4l2_format {}
unsafe impl Argument for sys::v4l2_streamparm {}
unsafe impl Argument for sys::v4l2_requestbuffers {}
unsafe impl Argument for sys::v4l2_buffer {}
unsafe impl Argument for libc::c_int {}

/// Runs one request, again where a signal interrupts it.
///
/// # Safety
/// `request` must be one whose argument is a `T`, and any pointer in `argument` that the request
/// follows must be valid for it.
unsafe fn ioctl<T: Argument>(
    fd: RawFd,
    request: vidioc::_IOC_TYPE,
    argument: &mut T,
) -> io::Result<()> {
    loop {
        // SAFETY: the argument is exclusively borrowed and of the request's type (promised by the
        // caller), so the kernel reads and writes only it.
        let answer = unsafe { v4l::v4l2::ioctl(fd, request, std::ptr::from_mut(argument).cast()) };
        match answer {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

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

/// What the driver has set up, which need not be what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) fourcc: FourCc,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bytes from one row to the next.
    pub(super) stride: u32,
}

/// An open device node.
#[derive(Debug)]
pub(super) struct Node(File);

impl Node {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)
            .map(Self)
    }

    fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    pub(super) fn capability(&self) -> io::Result<Capability> {
        let mut answer = sys::v4l2_capability::zeroed();
        // SAFETY: QUERYCAP takes a v4l2_capability, without pointers.
        unsafe { ioctl(self.fd(), vidioc::VIDIOC_QUERYCAP, &mut answer) }?;
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
                unsafe { ioctl(self.fd(), vidioc::VIDIOC_ENUM_FMT, &mut answer) }.ok()?;
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
                unsafe { ioctl(self.fd(), vidioc::VIDIOC_ENUM_FRAMESIZES, &mut answer) }.ok()?;
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
    pub(super) fn format(&self) -> io::Result<Format> {
        let mut answer = sys::v4l2_format {
            type_: CAPTURE,
            ..sys::v4l2_format::zeroed()
        };
        // SAFETY: G_FMT takes a v4l2_format; for single-planar capture it follows no pointer.
        unsafe { ioctl(self.fd(), vidioc::VIDIOC_G_FMT, &mut answer) }?;
        Ok(format_of(&answer))
    }

    /// Asks for a format; the answer is what the driver took instead, perhaps.
    pub(super) fn set_format(
        &self,
        fourcc: FourCc,
        (width, height): (u32, u32),
    ) -> io::Result<Format> {
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
        unsafe { ioctl(self.fd(), vidioc::VIDIOC_S_FMT, &mut request) }?;
        Ok(format_of(&request))
    }

    /// Frames a second, where the driver tells.
    pub(super) fn frame_rate(&self) -> Option<f64> {
        let mut answer = sys::v4l2_streamparm {
            type_: CAPTURE,
            ..sys::v4l2_streamparm::zeroed()
        };
        // SAFETY: G_PARM takes a v4l2_streamparm, without pointers.
        unsafe { ioctl(self.fd(), vidioc::VIDIOC_G_PARM, &mut answer) }.ok()?;
        // SAFETY: all members of the union are integers; for capture this one is meant.
        let time = unsafe { answer.parm.capture.timeperframe };
        (time.numerator > 0 && time.denominator > 0)
            .then(|| f64::from(time.denominator) / f64::from(time.numerator))
    }
}

fn format_of(answer: &sys::v4l2_format) -> Format {
    // SAFETY: all members of the union are integers or raw pointers; for single-planar capture
    // this one is meant.
    let pix = unsafe { answer.fmt.pix };
    Format {
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

/// One of the driver's buffers, seen from here: read only.
#[derive(Debug)]
struct Mapping {
    start: NonNull<libc::c_void>,
    length: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread, and is reached only through the
// stream that owns it.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(fd: RawFd, length: usize, offset: u32) -> io::Result<Self> {
        let offset = libc::off_t::from(offset);
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory in use.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_SHARED,
                fd,
                offset,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start).ok_or_else(|| io::Error::other("mapped at zero"))?;
        Ok(Self { start, length })
    }

    /// # Safety
    /// The buffer must not be the driver's: DQBUF gave it back, and it was not queued since.
    unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is readable, `length` bytes long and lives as long as `self`; the
        // caller promises that nobody writes to it meanwhile. Bytes need no alignment.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr().cast(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this mapping was made in `new`, and no slice of it outlives `self`. A failure
        // would leave it mapped, which does no harm.
        unsafe { libc::munmap(self.start.as_ptr(), self.length) };
    }
}

/// What [`Stream::next`] says of the frame it gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    /// The driver's number of the frame; wraps at 2³².
    pub(super) sequence: u32,
    /// When the driver says that it was taken, on the machine's monotonic clock.
    pub(super) driver_time: Option<Duration>,
}

/// What one look at the full buffers gave.
struct Drained {
    taken: Option<Taken>,
    /// Whether the driver had no buffer left to fill.
    all_full: bool,
}

/// Why there is no frame.
#[derive(Debug)]
pub(super) enum Fault {
    /// None came in time. The stream goes on.
    Silent,
    /// The device is gone, or its stream cannot be saved.
    Gone(io::Error),
}

/// What was lost on this side of the cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Good frames passed over because a newer one was there.
    pub(super) skipped: u64,
    /// Frames that the driver flagged, or that were short.
    pub(super) damaged: u64,
}

/// A running stream. Each buffer is the driver's but between the DQBUF that returned it and the
/// QBUF that gives it back, both within one call of [`Stream::next`].
#[derive(Debug)]
pub(super) struct Stream {
    node: Node,
    mappings: Vec<Mapping>,
    frame_bytes: usize,
    counts: Counts,
}

impl Stream {
    /// Sets up the buffers and starts. A frame is good where it has `frame_bytes` bytes or more.
    pub(super) fn start(node: Node, frame_bytes: usize) -> io::Result<Self> {
        let mut stream = Self {
            node,
            mappings: Vec::new(),
            frame_bytes,
            counts: Counts::default(),
        };
        let granted = stream.request(BUFFERS)?;
        if granted < 2 {
            return Err(io::Error::other("the driver grants fewer than two buffers"));
        }
        for index in 0..granted {
            let mut buffer = blank(index);
            // SAFETY: QUERYBUF takes a v4l2_buffer; for single-planar buffers no pointer in it is
            // followed.
            unsafe { ioctl(stream.node.fd(), vidioc::VIDIOC_QUERYBUF, &mut buffer) }?;
            let length = buffer.length as usize;
            if length < frame_bytes {
                return Err(io::Error::other(
                    "the driver's buffers are smaller than a frame",
                ));
            }
            // SAFETY: of the union, mapped single-planar buffers use the offset, an integer.
            let offset = unsafe { buffer.m.offset };
            let mapping = Mapping::new(stream.node.fd(), length, offset)?;
            stream.mappings.push(mapping);
            stream.queue(index)?;
        }
        stream.switch(vidioc::VIDIOC_STREAMON)?;
        Ok(stream)
    }

    /// What was lost so far.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Waits for a good frame, takes the newest there is and puts its bytes into `frame`.
    ///
    /// `now` is any monotonic clock: damaged frames must not make the wait longer.
    pub(super) fn next(
        &mut self,
        timeout: Duration,
        now: &dyn Fn() -> Duration,
        frame: &mut Vec<u8>,
    ) -> Result<Taken, Fault> {
        let began = now();
        let damaged = self.counts.damaged;
        let mut starved = false;
        loop {
            let left = timeout.saturating_sub(now().saturating_sub(began));
            if left.is_zero() || self.counts.damaged - damaged > MOST_DAMAGED {
                return Err(Fault::Silent);
            }
            self.wait(left)?;
            let drained = self.drain(frame).map_err(Fault::Gone)?;
            match drained.taken {
                // All buffers were full: since then the driver had to drop frames, and even the
                // newest here is of unknown age. The next one is fresh. Once is enough: a machine
                // that is this slow again at once gets what there is.
                Some(_) if drained.all_full && !starved => {
                    starved = true;
                    self.counts.skipped += 1;
                }
                Some(taken) => return Ok(taken),
                None => {}
            }
        }
    }

    fn wait(&self, timeout: Duration) -> Result<(), Fault> {
        let mut poll = libc::pollfd {
            fd: self.node.fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let milliseconds = timeout.as_micros().div_ceil(1000);
        let milliseconds = libc::c_int::try_from(milliseconds).unwrap_or(libc::c_int::MAX);
        // SAFETY: one pollfd, exclusively borrowed, and the count says one.
        let answer = unsafe { libc::poll(&raw mut poll, 1, milliseconds) };
        match answer {
            0 => Err(Fault::Silent),
            1.. if poll.revents & (libc::POLLERR | libc::POLLHUP | libc::POLLNVAL) != 0 => {
                Err(Fault::Gone(io::Error::from_raw_os_error(libc::ENODEV)))
            }
            1.. => Ok(()),
            _ => match io::Error::last_os_error() {
                // Nothing to take then: the caller waits again, for what is left of its time.
                error if error.kind() == io::ErrorKind::Interrupted => Ok(()),
                error => Err(Fault::Gone(error)),
            },
        }
    }

    /// Takes what is full, keeps the newest good frame and gives every buffer back.
    fn drain(&mut self, frame: &mut Vec<u8>) -> io::Result<Drained> {
        let mut full = 0;
        let mut newest: Option<sys::v4l2_buffer> = None;
        // A camera faster than this loop must not hold it for ever.
        for _ in 0..self.mappings.len() {
            let Some(buffer) = self.dequeue()? else {
                break;
            };
            full += 1;
            let flagged = buffer.flags & sys::V4L2_BUF_FLAG_ERROR != 0;
            if flagged || (buffer.bytesused as usize) < self.frame_bytes {
                self.counts.damaged += 1;
                self.queue(buffer.index)?;
            } else if let Some(older) = newest.replace(buffer) {
                self.counts.skipped += 1;
                self.queue(older.index)?;
            }
        }
        let all_full = full == self.mappings.len();
        let Some(buffer) = newest else {
            return Ok(Drained {
                taken: None,
                all_full,
            });
        };
        frame.clear();
        if let Some(mapping) = self.mappings.get(buffer.index as usize) {
            // SAFETY: DQBUF returned this buffer and it is queued again only below.
            let bytes = unsafe { mapping.bytes() };
            frame.extend_from_slice(bytes.get(..self.frame_bytes).unwrap_or_default());
        }
        self.queue(buffer.index)?;
        let clock = buffer.flags & sys::V4L2_BUF_FLAG_TIMESTAMP_MASK;
        let driver_time = (clock == sys::V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC).then(|| {
            let seconds = u64::try_from(buffer.timestamp.tv_sec).unwrap_or(0);
            let microseconds = u64::try_from(buffer.timestamp.tv_usec).unwrap_or(0);
            Duration::from_secs(seconds) + Duration::from_micros(microseconds)
        });
        Ok(Drained {
            taken: Some(Taken {
                sequence: buffer.sequence,
                driver_time,
            }),
            all_full,
        })
    }

    /// A full buffer, where there is one.
    fn dequeue(&self) -> io::Result<Option<sys::v4l2_buffer>> {
        let mut buffer = blank(0);
        // SAFETY: DQBUF takes a v4l2_buffer; for single-planar buffers no pointer is followed.
        match unsafe { ioctl(self.node.fd(), vidioc::VIDIOC_DQBUF, &mut buffer) } {
            Ok(()) if (buffer.index as usize) < self.mappings.len() => Ok(Some(buffer)),
            Ok(()) => Err(io::Error::other("the driver names a buffer it never gave")),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn queue(&self, index: u32) -> io::Result<()> {
        let mut buffer = blank(index);
        // SAFETY: QBUF takes a v4l2_buffer; for mapped single-planar buffers no pointer is
        // followed. From here the driver writes to the mapping, of which no slice is alive.
        unsafe { ioctl(self.node.fd(), vidioc::VIDIOC_QBUF, &mut buffer) }
    }

    /// Asks for buffers; 0 gives them back.
    fn request(&self, count: u32) -> io::Result<u32> {
        let mut request = sys::v4l2_requestbuffers {
            count,
            type_: CAPTURE,
            memory: MMAP,
            ..sys::v4l2_requestbuffers::zeroed()
        };
        // SAFETY: REQBUFS takes a v4l2_requestbuffers, without pointers. Where buffers exist
        // already, it is called only after streaming was stopped and the mappings were dropped.
        unsafe { ioctl(self.node.fd(), vidioc::VIDIOC_REQBUFS, &mut request) }?;
        Ok(request.count)
    }

    fn switch(&self, request: vidioc::_IOC_TYPE) -> io::Result<()> {
        let mut kind = CAPTURE.cast_signed();
        // SAFETY: STREAMON and STREAMOFF, the only ones given, take an int: the type of buffer.
        unsafe { ioctl(self.node.fd(), request, &mut kind) }
    }
}

fn blank(index: u32) -> sys::v4l2_buffer {
    let mut buffer = sys::v4l2_buffer::zeroed();
    buffer.index = index;
    buffer.type_ = CAPTURE;
    buffer.memory = MMAP;
    buffer
}

impl Drop for Stream {
    fn drop(&mut self) {
        // A device that is gone refuses all of this, and then there is nothing left to undo:
        // closing the node, which follows, frees what the driver holds.
        let _ = self.switch(vidioc::VIDIOC_STREAMOFF);
        self.mappings.clear();
        let _ = self.request(0);
    }
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
        // Its half-made stream is dropped on the way.
        assert!(Stream::start(node, 160 * 120 * 2).is_err());
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
        assert_eq!(size_of::<sys::v4l2_buffer>(), 88);
        assert_eq!(size_of::<sys::v4l2_requestbuffers>(), 20);
    }
}
