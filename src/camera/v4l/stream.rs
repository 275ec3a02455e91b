//! The buffers of a V4L2 device: beside `node.rs` the only place with `unsafe` code.
//!
//! Why not the stream of the crate `v4l`: after a time-out it queues a buffer that the kernel
//! still owns and fails for ever, it does not tell a damaged frame from a good one, and dropping
//! it can panic, as can opening a node whose name is not UTF-8. Its bindings of the kernel's
//! structures and request numbers are used.
//!
//! A frame is unpacked where the driver put it, in memory that both share, set upright by the same pass,
//! and copied nowhere else.
//!
//! Blocking: [`Stream::next`] waits in `poll`, at most for the time given.
//!
//! Source: the Linux Media Infrastructure userspace API, part I (Video for Linux).
#![allow(unsafe_code)]

use super::node::{Argument, CAPTURE, Node};
use crate::camera::layout::{Packing, Unpacked};
use std::io;
use std::os::fd::RawFd;
use std::ptr::NonNull;
use std::time::Duration;
use v4l::v4l_sys as sys;
use v4l::v4l2::vidioc;

/// Buffers asked of the driver: one being filled, one full, two spare for a thread that is late.
const BUFFERS: u32 = 4;

/// Frames in a row that may be damaged before the camera counts as silent.
const MOST_DAMAGED: u64 = 64;

const MMAP: u32 = sys::v4l2_memory_V4L2_MEMORY_MMAP;

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

/// A frame.
#[derive(Debug)]
pub(super) struct Taken {
    /// What it held.
    pub(super) unpacked: Unpacked,
    /// The driver's number of the frame; wraps at 2³².
    pub(super) sequence: u32,
    /// When the driver says that it was taken, on the machine's monotonic clock.
    pub(super) driver_time: Option<Duration>,
    /// How long ago that is.
    pub(super) age: Option<Duration>,
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
    /// Whole frames with their parts in the wrong place.
    pub(super) shifted: u64,
    /// Frames that the driver numbered and kept to itself: `uvcvideo` does so with damaged ones.
    pub(super) missing: u64,
}

impl Counts {
    fn bad(&self) -> u64 {
        self.damaged + self.shifted
    }
}

/// The driver's numbers of frames, in which a gap is a frame that it threw away.
#[derive(Clone, Copy, Debug, Default)]
struct Numbers {
    last: Option<u32>,
    /// It had no buffer to fill, so that the next gap is ours.
    ran_dry: bool,
}

impl Numbers {
    /// The next frame came; how many are missing before it.
    fn missing_before(&mut self, number: u32) -> u64 {
        let last = self.last.replace(number);
        let ours = std::mem::take(&mut self.ran_dry);
        let step = last.map_or(1, |last| number.wrapping_sub(last).cast_signed());
        let gap = u64::try_from(step.saturating_sub(1)).unwrap_or(0);
        if ours { 0 } else { gap }
    }
}

/// A running stream. Each buffer is the driver's but between the DQBUF that returned it and the
/// QBUF that gives it back, both within one call of [`Stream::next`].
#[derive(Debug)]
pub(super) struct Stream {
    node: Node,
    mappings: Vec<Mapping>,
    packing: Packing,
    counts: Counts,
    numbers: Numbers,
}

impl Stream {
    /// Sets up the buffers and starts.
    pub(super) fn start(node: Node, packing: Packing) -> io::Result<Self> {
        let mut stream = Self {
            node,
            mappings: Vec::new(),
            packing,
            counts: Counts::default(),
            numbers: Numbers::default(),
        };
        let granted = stream.request(BUFFERS)?;
        if granted < 2 {
            return Err(io::Error::other("the driver grants fewer than two buffers"));
        }
        for index in 0..granted {
            let mut buffer = blank(index);
            // SAFETY: QUERYBUF takes a v4l2_buffer; for single-planar buffers no pointer in it is
            // followed.
            unsafe { stream.node.ioctl(vidioc::VIDIOC_QUERYBUF, &mut buffer) }?;
            let length = buffer.length as usize;
            if length < packing.frame_bytes() {
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

    /// The node that it streams from.
    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// What was lost so far.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Waits for a good frame and takes the newest there is.
    ///
    /// `now` is any monotonic clock: damaged frames must not make the wait longer.
    pub(super) fn next(
        &mut self,
        timeout: Duration,
        now: &dyn Fn() -> Duration,
    ) -> Result<Taken, Fault> {
        let began = now();
        let bad = self.counts.bad();
        let mut starved = false;
        loop {
            let left = timeout.saturating_sub(now().saturating_sub(began));
            if left.is_zero() || self.counts.bad() - bad > MOST_DAMAGED {
                return Err(Fault::Silent);
            }
            self.wait(left)?;
            let drained = self.drain().map_err(Fault::Gone)?;
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
                self.node.broke_off();
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
    fn drain(&mut self) -> io::Result<Drained> {
        let mut full = 0;
        let mut newest: Option<sys::v4l2_buffer> = None;
        // A camera faster than this loop must not hold it for ever.
        for _ in 0..self.mappings.len() {
            let Some(buffer) = self.dequeue()? else {
                break;
            };
            full += 1;
            self.counts.missing += self.numbers.missing_before(buffer.sequence);
            let flagged = buffer.flags & sys::V4L2_BUF_FLAG_ERROR != 0;
            if flagged || (buffer.bytesused as usize) < self.packing.frame_bytes() {
                self.counts.damaged += 1;
                self.queue(buffer.index)?;
            } else if let Some(older) = newest.replace(buffer) {
                self.counts.skipped += 1;
                self.queue(older.index)?;
            }
        }
        let all_full = full == self.mappings.len();
        self.numbers.ran_dry = all_full;
        let Some(buffer) = newest else {
            return Ok(Drained {
                taken: None,
                all_full,
            });
        };
        let whole = self.packing.frame_bytes();
        let unpacked = self.mappings.get(buffer.index as usize).map(|mapping| {
            // SAFETY: DQBUF returned this buffer and it is queued again only below.
            let bytes = unsafe { mapping.bytes() };
            self.packing.unpack(bytes.get(..whole).unwrap_or_default())
        });
        self.queue(buffer.index)?;
        let clock = buffer.flags & sys::V4L2_BUF_FLAG_TIMESTAMP_MASK;
        let driver_time = (clock == sys::V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC).then(|| {
            let seconds = u64::try_from(buffer.timestamp.tv_sec).unwrap_or(0);
            let microseconds = u64::try_from(buffer.timestamp.tv_usec).unwrap_or(0);
            Duration::from_secs(seconds) + Duration::from_micros(microseconds)
        });
        let taken = if let Some(Ok(unpacked)) = unpacked {
            Some(Taken {
                unpacked,
                sequence: buffer.sequence,
                driver_time,
                age: driver_time.and_then(|then| monotonic_time()?.checked_sub(then)),
            })
        } else {
            self.counts.shifted += 1;
            None
        };
        Ok(Drained { taken, all_full })
    }

    /// A full buffer, where there is one.
    fn dequeue(&self) -> io::Result<Option<sys::v4l2_buffer>> {
        let mut buffer = blank(0);
        // SAFETY: DQBUF takes a v4l2_buffer; for single-planar buffers no pointer is followed.
        match unsafe { self.node.ioctl(vidioc::VIDIOC_DQBUF, &mut buffer) } {
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
        unsafe { self.node.ioctl(vidioc::VIDIOC_QBUF, &mut buffer) }
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
        unsafe { self.node.ioctl(vidioc::VIDIOC_REQBUFS, &mut request) }?;
        Ok(request.count)
    }

    fn switch(&self, request: vidioc::_IOC_TYPE) -> io::Result<()> {
        let mut kind = CAPTURE.cast_signed();
        // SAFETY: STREAMON and STREAMOFF, the only ones given, take an int: the type of buffer.
        unsafe { self.node.ioctl(request, &mut kind) }
    }
}

/// The clock that drivers stamp frames by, which std has but does not tell.
fn monotonic_time() -> Option<Duration> {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes one timespec, exclusively borrowed.
    let answer = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    let seconds = u64::try_from(now.tv_sec).ok()?;
    let nanoseconds = u64::try_from(now.tv_nsec).ok()?;
    (answer == 0).then(|| Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds))
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
    use crate::camera::layout::Sent;
    use crate::thermal::profile::Layout;
    use std::path::Path;

    #[test]
    fn a_half_made_stream_is_dropped_without_harm() {
        let sent = Sent {
            fourcc: *b"Y16 ",
            width: 160,
            height: 120,
            stride: 320,
        };
        let packing = Packing::agree(Layout::Y16, (160, 120), sent).unwrap();
        let node = Node::open(Path::new("/dev/null")).unwrap();
        assert!(Stream::start(node, packing).is_err());
    }

    #[test]
    fn a_gap_in_the_driver_s_numbers_is_what_it_threw_away_unless_it_had_no_room() {
        let mut numbers = Numbers::default();
        let missing = [7, 8, 11, u32::MAX - 1, 1].map(|number| numbers.missing_before(number));
        // The fourth goes backwards: no driver does, and nothing is made of it.
        assert_eq!(missing, [0, 0, 2, 0, 2]);
        numbers.ran_dry = true;
        assert_eq!(
            (numbers.missing_before(9), numbers.missing_before(11)),
            (0, 1)
        );
    }

    #[test]
    fn the_structures_are_the_kernel_s() {
        assert_eq!(size_of::<sys::v4l2_buffer>(), 88);
        assert_eq!(size_of::<sys::v4l2_requestbuffers>(), 20);
    }

    #[test]
    fn the_drivers_clock_runs() {
        let (first, then) = (monotonic_time().unwrap(), monotonic_time().unwrap());
        assert!(first > Duration::ZERO && then >= first);
    }
}
