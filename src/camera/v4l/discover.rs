//! Which cameras are plugged in.
//!
//! A camera is known by its USB ids and by its link under `/dev/v4l/by-id`; the number of its node is
//! whatever was free when it was plugged in. A UVC camera has a second node for metadata, which is
//! told by its capabilities, or, where it may not be opened, by its index.
//!
//! Blocking: opens every video node for a moment; takes what the drivers take.

use super::access::{Refusal, refusal};
use super::node::Node;
use crate::camera::layout::{self, FourCc};
use crate::thermal::profile::{Layout, UsbId};
use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where the kernel says what video nodes are.
const SYSFS: &str = "/sys/class/video4linux";

/// Where udev puts a link for each camera, named after it.
const BY_ID: &str = "/dev/v4l/by-id";

/// A pixel format and its sizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Four letters, e.g. `Y16`; blanks at the end are left out.
    pub fourcc: String,
    /// Width and height in pixels; empty where the driver takes any in a range.
    pub sizes: Vec<(u32, u32)>,
}

impl fmt::Display for Offer {
    /// `Y16 160×120, 160×122`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fourcc)?;
        for (number, (width, height)) in self.sizes.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            write!(f, "{comma} {width}×{height}")?;
        }
        Ok(())
    }
}

/// A capture node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its node, e.g. `/dev/video0`.
    pub path: PathBuf,
    /// The camera's name, cut to 31 characters by the kernel.
    pub card: String,
    /// The driver, e.g. `uvcvideo`; empty where the node may not be opened.
    pub driver: String,
    /// Where it is plugged in; empty where the node may not be opened.
    pub bus: String,
    /// What it is on the USB; `None` where it is no USB device.
    pub usb: Option<UsbId>,
    /// Its link under `/dev/v4l/by-id`, which stays the same after re-plugging.
    pub by_id: Option<PathBuf>,
    /// What it offers, in the driver's order; empty where the node may not be opened.
    pub formats: Vec<Offer>,
    /// Why it may not be opened; `None` where it may.
    pub refused: Option<Refusal>,
}

impl Found {
    /// Whether it gives 16-bit grey pictures.
    pub fn has_y16(&self) -> bool {
        self.offers(layout::fourcc(Layout::Y16)).is_some()
    }

    /// What it offers in a pixel format.
    fn offers(&self, fourcc: FourCc) -> Option<&Offer> {
        let letters = layout::letters(fourcc);
        self.formats.iter().find(|offer| offer.fourcc == letters)
    }

    /// The pictures of a layout that it offers, by columns and rows.
    pub fn pictures(&self, layout: Layout) -> Vec<(u32, u32)> {
        let mut pictures: Vec<(u32, u32)> = self
            .offers(layout::fourcc(layout))
            .into_iter()
            .flat_map(|offer| &offer.sizes)
            .filter_map(|size| layout::picture_in(layout, *size))
            .collect();
        pictures.sort_unstable();
        pictures.dedup();
        pictures
    }
}

impl fmt::Display for Found {
    /// `/dev/video0 (PureThermal: UYVY 160×120; Y16 160×120)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}: ", self.path.display(), self.card)?;
        match &self.refused {
            Some(refusal) => write!(f, "{refusal})"),
            None => write!(f, "{})", listed(&self.formats, "; ")),
        }
    }
}

/// Every capture node of this machine, by number. Metadata nodes are left out; nodes that may not be
/// opened are in it, with the reason.
pub fn discover() -> Vec<Found> {
    let mut numbers: Vec<u32> = fs::read_dir("/dev")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            name.to_str()?.strip_prefix("video")?.parse().ok()
        })
        .collect();
    numbers.sort_unstable();
    numbers
        .into_iter()
        .filter_map(|number| look(PathBuf::from(format!("/dev/video{number}"))))
        .collect()
}

fn look(path: PathBuf) -> Option<Found> {
    let opened = Node::open(&path).and_then(|node| Ok((node.capability()?, node)));
    match opened {
        Ok((capability, node)) => capability.captures.then(|| Found {
            by_id: link_by_id(&path),
            usb: usb_id(&path),
            path,
            card: capability.card,
            driver: capability.driver,
            bus: capability.bus,
            formats: offers(&node),
            refused: None,
        }),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            // The first node of a camera is the one with the pictures.
            let first = about(&path, "index").is_none_or(|index| index == "0");
            first.then(|| Found {
                by_id: link_by_id(&path),
                usb: usb_id(&path),
                card: about(&path, "name").unwrap_or_default(),
                driver: String::new(),
                bus: String::new(),
                formats: Vec::new(),
                refused: Some(refusal(&path)),
                path,
            })
        }
        Err(error) => {
            tracing::debug!(path = %path.display(), %error, "video node passed over");
            None
        }
    }
}

/// What the kernel says of a node in a small file.
fn about(node: &Path, file: &str) -> Option<String> {
    let text = fs::read_to_string(Path::new(SYSFS).join(node.file_name()?).join(file)).ok()?;
    Some(text.trim().to_owned())
}

fn usb_id(node: &Path) -> Option<UsbId> {
    usb_id_in(&about(node, "device/modalias")?)
}

/// From `usb:v1E4Ep0100d0100dc…`.
fn usb_id_in(modalias: &str) -> Option<UsbId> {
    let (vendor, rest) = modalias.strip_prefix("usb:v")?.split_at_checked(4)?;
    let product = rest.strip_prefix('p')?.get(..4)?;
    UsbId::from_text(&format!("{vendor}:{product}"))
}

/// The descriptors of the USB device behind a node; nothing where it is none.
pub(super) fn descriptors(device: &Path) -> Vec<u8> {
    let node = fs::canonicalize(device).unwrap_or_default();
    let interface = node
        .file_name()
        .and_then(|name| fs::canonicalize(Path::new(SYSFS).join(name).join("device")).ok());
    interface
        .and_then(|interface| fs::read(interface.parent()?.join("descriptors")).ok())
        .unwrap_or_default()
}

/// The serial number of the camera that was opened, where its link under `/dev/v4l/by-id` is that of
/// another one. A camera that is unplugged frees its node's number at once, and its link goes when
/// udev comes to it: until then the link leads to whichever camera took the number.
pub(super) fn another_one(link: &Path, node: &Node) -> Option<String> {
    let name = link.strip_prefix(BY_ID).ok()?.to_str()?;
    let serial = serial(node)?;
    (!is_named(name, &serial)).then_some(serial)
}

/// The serial number of the USB device behind an open node.
fn serial(node: &Node) -> Option<String> {
    let number = fs::metadata(format!("/proc/self/fd/{}", node.fd()))
        .ok()?
        .rdev();
    let (major, minor) = (libc::major(number), libc::minor(number));
    let device = format!("/sys/dev/char/{major}:{minor}/device/../serial");
    Some(fs::read_to_string(device).ok()?.trim().to_owned())
}

/// Whether udev gives this link to a camera of this serial number. Only letters and digits are
/// compared, as udev puts `_` for most else.
///
/// Source: systemd, `60-persistent-v4l.rules` and `udev-builtin-usb_id.c` (which passes over serial
/// numbers with commas and with what is not printable ASCII).
fn is_named(link: &str, serial: &str) -> bool {
    let plain =
        |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
    let named = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b',';
    let of_camera = link
        .rsplit_once("-video-index")
        .map_or(link, |(of_camera, _)| of_camera);
    !serial.bytes().all(named) || plain(of_camera).ends_with(&plain(serial))
}

fn link_by_id(node: &Path) -> Option<PathBuf> {
    let mut links: Vec<PathBuf> = fs::read_dir(BY_ID)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|link| fs::canonicalize(link).is_ok_and(|target| target == node))
        .collect();
    links.sort();
    links.into_iter().next()
}

pub(super) fn offers(node: &Node) -> Vec<Offer> {
    let offer = |fourcc: FourCc| Offer {
        fourcc: layout::letters(fourcc),
        sizes: node.sizes(fourcc),
    };
    node.formats().into_iter().map(offer).collect()
}

pub(super) fn listed<T: fmt::Display>(things: &[T], between: &str) -> String {
    if things.is_empty() {
        return "nothing".into();
    }
    let words: Vec<String> = things.iter().map(ToString::to_string).collect();
    words.join(between)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A PureThermal with a Lepton 3 as its driver tells it.
    pub(crate) fn purethermal() -> Found {
        let offer = |fourcc: &str, sizes: &[(u32, u32)]| Offer {
            fourcc: fourcc.to_owned(),
            sizes: sizes.to_vec(),
        };
        Found {
            path: "/dev/video0".into(),
            card: "PureThermal (fw:v1.3.0)".to_owned(),
            driver: "uvcvideo".to_owned(),
            bus: "usb-0000:00:14.0-1".to_owned(),
            usb: UsbId::from_text("1e4e:0100"),
            by_id: None,
            formats: vec![
                offer("UYVY", &[(160, 120)]),
                offer("Y16", &[(160, 120), (160, 122)]),
            ],
            refused: None,
        }
    }

    #[test]
    fn a_link_is_that_of_one_serial_number() {
        let link = "usb-GroupGets_PureThermal_(fw:v1.3.0)_8014-0012-video-index0";
        assert!(is_named(link, "8014-0012") && is_named(link, "8014 0012"));
        for other in ["8014-0013", "014-00123", "18014-0012", "12-video-index0"] {
            assert!(!is_named(link, other), "{other}");
        }
        // Of these udev makes no names.
        assert!(is_named(link, "8014,0013") && is_named(link, "门神"));
        // Without a number there is nothing to compare.
        assert!(is_named(link, ""));
        let null = Node::open(Path::new("/dev/null")).unwrap();
        assert_eq!(another_one(Path::new("/dev/v4l/by-id/x"), &null), None);
    }

    #[test]
    fn usb_ids_are_read_from_the_kernel_s_alias() {
        let alias = "usb:v1E4Ep0100d0200dcEFdsc02dp01ic0Eisc01ip00in00";
        let id = usb_id_in(alias).unwrap();
        assert_eq!(id.to_string(), "1e4e:0100");
        for other in [
            "",
            "platform:vivid",
            "usb:v1E4E",
            "usb:v1E4Ep01",
            "usb:vXXXXp0100d",
        ] {
            assert_eq!(usb_id_in(other), None, "{other}");
        }
    }

    #[test]
    fn offers_are_listed_for_people() {
        let found = purethermal();
        assert_eq!(found.formats[1].to_string(), "Y16 160×120, 160×122");
        assert_eq!(
            found.to_string(),
            "/dev/video0 (PureThermal (fw:v1.3.0): UYVY 160×120; Y16 160×120, 160×122)"
        );
        assert_eq!(listed::<Offer>(&[], "; "), "nothing");
    }

    #[test]
    fn pictures_are_counted_without_telemetry() {
        let found = purethermal();
        assert!(found.has_y16());
        assert_eq!(found.pictures(Layout::Lepton), [(160, 120)]);
        assert_eq!(found.pictures(Layout::Halves), []);
    }
}
