//! USB/IP: what the kernel's virtual host controller (`vhci-hcd`) asks of a device, and how it is
//! answered. One end of a socket pair is given to the controller, the other one is the device's
//! cable: no network, none of the usbip programs.
//!
//! Source: `Documentation/usb/usbip_protocol.rst` of the Linux kernel. Numbers are big-endian. The
//! files of the controller: `drivers/usb/usbip/vhci_sysfs.c`.

use std::fs;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

/// Where the controller is.
const CONTROLLER: &str = "/sys/devices/platform/vhci_hcd.0";
/// Most controllers that share one numbering of ports.
const CONTROLLERS: usize = 8;

/// Bytes of a header, of either direction.
const HEADER: usize = 48;
/// Bytes of the description of an isochronous packet.
const PACKET: usize = 16;

const SUBMIT: u32 = 1;
const UNLINK: u32 = 2;
const SUBMITTED: u32 = 3;
const UNLINKED: u32 = 4;

/// Linux's numbers of what went wrong: the endpoint stalls; the bus garbles; the request was taken back.
const EPIPE: i32 = 32;
const EPROTO: i32 = 71;
const ECONNRESET: i32 = 104;

/// How fast a device is, by the controller's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speed {
    /// 12 Mbit/s.
    Full = 2,
    /// 480 Mbit/s.
    High = 3,
}

/// A place where a device can be plugged in.
#[derive(Debug)]
pub(crate) struct Port(u32);

impl Port {
    /// Plugs a device in, each time at the next controller: a cable that was pulled while the kernel
    /// asked the device something leaves that controller waiting for the answer, up to 5 s, where a
    /// real one knows at once.
    pub(crate) fn attach(device: &UnixStream, speed: Speed) -> io::Result<Self> {
        static NEXT: Mutex<usize> = Mutex::new(0);
        let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
        let port = (*next..*next + CONTROLLERS)
            .find_map(|controller| free_ports(controller % CONTROLLERS).first().copied())
            .ok_or_else(|| {
                io::Error::other("no free USB port: this runs in the guest only (tests/vm/run.sh)")
            })?;
        *next += 1;
        let socket = device.as_raw_fd();
        // The device's number is the bus's in the upper half, and any but 0 in the lower.
        let number = (1 << 16) | (port + 1);
        let line = format!("{port} {socket} {number} {}", speed as u32);
        fs::write(format!("{CONTROLLER}/attach"), line)?;
        Ok(Self(port))
    }

    /// Whether the kernel has let go of what was plugged in here.
    pub(crate) fn is_free(&self) -> bool {
        (0..CONTROLLERS).any(|controller| free_ports(controller).contains(&self.0))
    }
}

/// The free ports of a controller, for devices of these speeds.
fn free_ports(controller: usize) -> Vec<u32> {
    /// State of a port with nothing in it.
    const NOTHING: &str = "004";
    let file = match controller {
        0 => format!("{CONTROLLER}/status"),
        n => format!("{CONTROLLER}/status.{n}"),
    };
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter_map(
            |line| match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["hs", port, NOTHING, ..] => port.parse().ok(),
                _ => None,
            },
        )
        .collect()
}

/// What the host wants of the device.
#[derive(Debug)]
pub(crate) enum Request {
    /// A transfer.
    Submit(Submit),
    /// To have a transfer back that was not answered yet.
    Unlink { number: u32, of: u32 },
}

/// A transfer.
#[derive(Debug)]
pub(crate) struct Submit {
    pub(crate) number: u32,
    /// 0: control.
    pub(crate) endpoint: u32,
    /// The eight bytes of a control request.
    pub(crate) setup: [u8; 8],
    /// What the host sends.
    pub(crate) data: Vec<u8>,
    /// Room for the device's answer, bytes.
    room: usize,
    inward: bool,
    start_frame: u32,
    /// Place and room of each isochronous packet.
    pub(crate) packets: Vec<(u32, u32)>,
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    u32::from_be_bytes(four.unwrap_or_default())
}

impl Request {
    /// Waits for the next one.
    pub(crate) fn read(cable: &mut impl Read) -> io::Result<Self> {
        let mut header = [0; HEADER];
        cable.read_exact(&mut header)?;
        let field = |at| number(&header, at);
        match field(0) {
            UNLINK => Ok(Self::Unlink {
                number: field(4),
                of: field(20),
            }),
            SUBMIT => {
                let (inward, room) = (field(12) == 1, field(24) as usize);
                let mut data = vec![0; if inward { 0 } else { room }];
                cable.read_exact(&mut data)?;
                // Other kinds of transfer say 0 here, or all ones: that depends on the kernel.
                let packets = match field(32) {
                    u32::MAX => 0,
                    packets => packets as usize,
                };
                let mut described = vec![0; packets * PACKET];
                cable.read_exact(&mut described)?;
                let (packets, _) = described.as_chunks::<PACKET>();
                Ok(Self::Submit(Submit {
                    number: field(4),
                    endpoint: field(16),
                    setup: [40, 41, 42, 43, 44, 45, 46, 47].map(|at| header[at]),
                    data,
                    room,
                    inward,
                    start_frame: field(28),
                    packets: packets
                        .iter()
                        .map(|packet| (number(packet, 0), number(packet, 4)))
                        .collect(),
                }))
            }
            other => Err(io::Error::other(format!("request {other} of USB/IP"))),
        }
    }
}

fn header(command: u32, number: u32, fields: [u32; 5]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    for field in [command, number, 0, 0, 0].into_iter().chain(fields) {
        bytes.extend(field.to_be_bytes());
    }
    bytes.resize(HEADER, 0);
    bytes
}

impl Submit {
    /// A control request that was done, with what the device says.
    pub(crate) fn done(&self, answer: &[u8]) -> Vec<u8> {
        let answer = &answer[..answer.len().min(self.room)];
        let length = if self.inward { answer.len() } else { self.room };
        let fields = [0, length as u32, self.start_frame, u32::MAX, 0];
        let mut bytes = header(SUBMITTED, self.number, fields);
        bytes.extend(answer);
        bytes
    }

    /// The device does not know this request.
    pub(crate) fn stalled(&self) -> Vec<u8> {
        let fields = [EPIPE.wrapping_neg().cast_unsigned(), 0, 0, u32::MAX, 0];
        header(SUBMITTED, self.number, fields)
    }

    /// An error of the bus in place of isochronous packets.
    pub(crate) fn broken(&self) -> Vec<u8> {
        let status = EPROTO.wrapping_neg().cast_unsigned();
        let fields = [status, 0, self.start_frame, self.packets.len() as u32, 0];
        let mut bytes = header(SUBMITTED, self.number, fields);
        for (place, room) in &self.packets {
            for field in [*place, *room, 0, status] {
                bytes.extend(field.to_be_bytes());
            }
        }
        bytes
    }

    /// Isochronous packets, each as full as it is.
    pub(crate) fn filled(&self, packets: &[Vec<u8>]) -> Vec<u8> {
        let length: usize = packets.iter().map(Vec::len).sum();
        let count = packets.len() as u32;
        let fields = [0, length as u32, self.start_frame, count, 0];
        let mut bytes = header(SUBMITTED, self.number, fields);
        bytes.extend(packets.iter().flatten());
        for ((place, room), packet) in self.packets.iter().zip(packets) {
            for field in [*place, *room, packet.len() as u32, 0] {
                bytes.extend(field.to_be_bytes());
            }
        }
        bytes
    }
}

/// A transfer was taken back, or there was none of this number any more.
pub(crate) fn unlinked(number: u32, found: bool) -> Vec<u8> {
    let status = if found { ECONNRESET.wrapping_neg() } else { 0 };
    header(UNLINKED, number, [status.cast_unsigned(), 0, 0, 0, 0])
}
