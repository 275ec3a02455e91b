//! Camera profiles as files: `calibration/cameras/*.toml`, built in, and those that are written on
//! site.
//!
//! Read with the same reader as the configuration, so that a wrong key, unit or range is said with
//! its line and a hint; what is printed reads back as the same profile. Only [`load`] touches the
//! disk; it reads one small file and blocks no longer than that.

use super::convert::{scale_named, scale_word};
use super::effective::{number, quoted};
use super::environment::text_of;
use super::keys::{self, Key};
use super::profile_keys as its;
use super::read::{Placed, Reader};
use super::report::ConfigError;
use crate::clock::WallTime;
use crate::thermal::profile::{
    BlackbodyUsed, Calibration, CameraProfile, Connection, Layout, Optics, SetPoint, UsbId,
};
use crate::thermal::radiometry::{CountScale, Emissivity};
use crate::units::{Celsius, ReferenceTemperature, StandardUncertainty, TemperatureDelta};
use std::fmt::Write as _;
use std::path::Path;

/// The profile of whoever names none.
pub(super) const USUAL: &str = "lepton-3.5";

/// The built-in profiles.
const BUILT_IN: [(&str, &str); 6] = [
    (
        USUAL,
        include_str!("../../calibration/cameras/lepton-3.5.toml"),
    ),
    (
        "lepton-2.5",
        include_str!("../../calibration/cameras/lepton-2.5.toml"),
    ),
    (
        "infiray-p2-pro",
        include_str!("../../calibration/cameras/infiray-p2-pro.toml"),
    ),
    (
        "topdon-tc002c",
        include_str!("../../calibration/cameras/topdon-tc002c.toml"),
    ),
    (
        "core-384",
        include_str!("../../calibration/cameras/core-384.toml"),
    ),
    (
        "core-640",
        include_str!("../../calibration/cameras/core-640.toml"),
    ),
];

/// What the built-in profiles are called.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

/// A built-in profile.
///
/// # Errors
/// Where there is none of this name.
pub fn built_in(name: &str) -> Result<CameraProfile, ConfigError> {
    match BUILT_IN.iter().find(|(it, _)| *it == name) {
        Some((_, text)) => parse(text, name),
        None => Err(ConfigError::unreadable(
            name,
            "is no built-in camera profile".to_owned(),
            &format!(
                "there are {}",
                built_in_names().collect::<Vec<_>>().join(", ")
            ),
        )),
    }
}

/// Reads a profile's file.
///
/// # Errors
/// As [`parse`]; and where the file cannot be read, is not UTF-8 or larger than 1 MiB.
pub fn load(path: &Path) -> Result<CameraProfile, ConfigError> {
    let name = path.display().to_string();
    parse(&text_of(path, &name)?, &name)
}

/// Reads the text of a profile; `file_name` is what errors call it.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong with it.
pub fn parse(text: &str, file_name: &str) -> Result<CameraProfile, ConfigError> {
    let mut read = Reader::new(text, its::ALL);
    let profile = if read.is_syntax() {
        profile(&mut read)
    } else {
        None
    };
    let problems = read.into_problems();
    match profile {
        Some(profile) if problems.is_empty() => Ok(profile),
        _ => Err(ConfigError::of(file_name, problems)),
    }
}

/// Notes a key that must be there and is not.
fn needed<T>(read: &mut Reader<'_>, key: &Key, found: Option<T>) -> Option<T> {
    if found.is_none() {
        read.missing(key);
    }
    found
}

fn profile(read: &mut Reader<'_>) -> Option<CameraProfile> {
    let name = read.text(&its::NAME);
    let name = needed(read, &its::NAME, name);
    let scale = scale(read);
    let connection = connection(read);
    let field_of_view = positive(read, &its::FIELD_OF_VIEW);
    let width = read.whole(&its::WIDTH);
    let width = needed(read, &its::WIDTH, width);
    let height = read.whole(&its::HEIGHT);
    let height = needed(read, &its::HEIGHT, height);
    let blur = positive(read, &its::BLUR);
    let netd = positive(read, &its::NETD);
    let non_uniformity = positive(read, &its::NON_UNIFORMITY);
    let calibration = if read.has(its::MADE.section) || read.has(its::BLACKBODY.section) {
        Some(calibration(read)?)
    } else {
        None
    };
    if let (Some(width), Some(height)) = (width, height)
        && width < height
    {
        read.problem(
            0..0,
            &format!("height in [lens] ({height}) is above width ({width})"),
            "width is the longer side, as the sensor has it; rotate_degrees in the configuration \
             turns the picture",
        );
    }
    Some(CameraProfile {
        name: name?.value,
        connection: connection?,
        scale: scale?,
        optics: Optics {
            field_of_view_deg: field_of_view?,
            width: width?,
            height: height?,
            blur_px: blur?,
        },
        netd_k: netd?,
        u_uniformity: StandardUncertainty::new(non_uniformity?)?,
        calibration,
    })
}

/// What a count means: a word, or two numbers behind the word `linear`.
fn scale(read: &mut Reader<'_>) -> Option<CountScale> {
    let word = read.text(&its::SCALE);
    let word = needed(read, &its::SCALE, word);
    let per_count = read.number(&its::PER_COUNT);
    let at_zero = read.number(&its::AT_ZERO);
    let word = word?;
    if let Some(named) = scale_named(&word.value) {
        for (key, given) in [(&its::PER_COUNT, &per_count), (&its::AT_ZERO, &at_zero)] {
            if let Some(given) = given {
                read.problem(
                    given.span.clone(),
                    &format!("{} in [camera] with scale \"{}\"", key.name, word.value),
                    "write scale = \"linear\", or leave this key away",
                );
            }
        }
        return Some(named);
    }
    let kelvin_per_count = needed(read, &its::PER_COUNT, per_count);
    let kelvin_at_zero = needed(read, &its::AT_ZERO, at_zero);
    Some(CountScale::Linear {
        kelvin_per_count: kelvin_per_count?.value,
        kelvin_at_zero: kelvin_at_zero?.value,
    })
}

fn connection(read: &mut Reader<'_>) -> Option<Connection> {
    let layout = match read.text(&its::LAYOUT) {
        Some(word) => layout_named(&word.value)?,
        None => Layout::default(),
    };
    let Some(Placed { value, span }) = read.text(&its::USB_IDS) else {
        return Some(Connection {
            usb: Vec::new(),
            layout,
        });
    };
    let ids: Option<Vec<UsbId>> = value
        .split(',')
        .map(|it| UsbId::from_text(it.trim()))
        .collect();
    let Some(usb) = ids else {
        let what = "is no list of USB ids: write them like \"1e4e:0100, 0bda:5830\"";
        read.wrong(&its::USB_IDS, span, what);
        return None;
    };
    Some(Connection { usb, layout })
}

/// The file's word for a layout.
const fn layout_word(layout: Layout) -> &'static str {
    match layout {
        Layout::Y16 => "y16",
        Layout::Lepton => "lepton",
        Layout::Halves => "halves",
        Layout::Bands => "bands",
    }
}

fn layout_named(word: &str) -> Option<Layout> {
    [Layout::Y16, Layout::Lepton, Layout::Halves, Layout::Bands]
        .into_iter()
        .find(|layout| layout_word(*layout) == word)
}

/// A number that must be there.
fn positive(read: &mut Reader<'_>, key: &Key) -> Option<f64> {
    let found = read.number(key);
    needed(read, key, found).map(|number| number.value)
}

fn calibration(read: &mut Reader<'_>) -> Option<Calibration> {
    let made = read.date(&its::MADE);
    let made = needed(read, &its::MADE, made);
    let valid_until = read.date(&its::VALID_UNTIL);
    let valid_until = needed(read, &its::VALID_UNTIL, valid_until);
    let room = positive(read, &its::ROOM).and_then(Celsius::new);
    let mut list = |key: &Key| {
        let found = read.numbers(key);
        needed(read, key, found)
    };
    let set = list(&its::SET_POINTS);
    let readings = list(&its::READINGS);
    let deviations = list(&its::DEVIATIONS);
    let blackbody = blackbody(read);
    if let (Some(made), Some(until)) = (&made, &valid_until)
        && until.value < made.value
    {
        read.problem(
            until.span.clone(),
            "valid_until in [calibration] is before made",
            "a calibration ends on or after the day on which it was made: are the dates reversed?",
        );
    }
    let (set, readings, deviations) = (set?, readings?, deviations?);
    let n = set.value.len();
    for (key, list) in [(&its::READINGS, &readings), (&its::DEVIATIONS, &deviations)] {
        same_length(read, key, list, n);
    }
    let points = set
        .value
        .iter()
        .zip(&readings.value)
        .zip(&deviations.value)
        .map(|((&set, &reading), &deviation)| {
            Some(SetPoint {
                set: ReferenceTemperature(Celsius::new(set)?),
                read: ReferenceTemperature(Celsius::new(reading)?),
                deviation: TemperatureDelta::new(deviation)?,
            })
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Calibration {
        made: made?.value,
        valid_until: valid_until?.value,
        room: room?,
        blackbody: blackbody?,
        points,
    })
}

fn same_length(read: &mut Reader<'_>, key: &Key, list: &Placed<Vec<f64>>, n: usize) {
    let has = list.value.len();
    if has != n {
        read.problem(
            list.span.clone(),
            &format!("{} in [calibration] holds {has} numbers", key.name),
            &format!("one for each of set_points_c, which holds {n}"),
        );
    }
}

fn blackbody(read: &mut Reader<'_>) -> Option<BlackbodyUsed> {
    let name = read.text(&its::BLACKBODY);
    let name = needed(read, &its::BLACKBODY, name);
    let emissivity = positive(read, &its::EMISSIVITY);
    let certificate = positive(read, &its::CERTIFICATE);
    let evenness = positive(read, &its::EVENNESS);
    Some(BlackbodyUsed {
        name: name?.value,
        emissivity: Emissivity::new(emissivity?)?,
        u_certificate: StandardUncertainty::new(certificate?)?,
        u_evenness: StandardUncertainty::new(evenness?)?,
    })
}

/// The profile as a file, each key with what it is for.
#[must_use]
pub fn to_toml(profile: &CameraProfile) -> String {
    let mut text = String::new();
    for section in keys::sections(its::ALL) {
        let lines: Vec<(&Key, String)> = its::ALL
            .iter()
            .filter(|key| key.section == section)
            .filter_map(|key| Some((*key, value(profile, key)?)))
            .collect();
        if lines.is_empty() {
            continue;
        }
        let gap = if text.is_empty() { "" } else { "\n" };
        let _ = writeln!(text, "{gap}[{section}]");
        for (key, value) in lines {
            let _ = writeln!(text, "# {}\n{} = {value}", key.about, key.name);
        }
    }
    if profile.calibration.is_some() {
        let gain = profile.gain();
        let _ = writeln!(
            text,
            "\n# From these set points: gain {:.4} ± {:.4} (k = 1), residual {:.3} K",
            gain.value, gain.u, gain.residual_k
        );
    }
    text
}

fn value(profile: &CameraProfile, key: &Key) -> Option<String> {
    let optics = &profile.optics;
    let fixed = match (key.section, key.name) {
        ("camera", "name") => Some(quoted(&profile.name)),
        ("camera", "scale") => Some(quoted(scale_word(profile.scale))),
        ("camera", "kelvin_per_count" | "kelvin_at_zero") => linear(profile.scale, key.name),
        ("camera", "layout") => Some(quoted(layout_word(profile.connection.layout))),
        ("camera", "usb_ids") => usb_ids(&profile.connection.usb),
        ("lens", "field_of_view_deg") => Some(number(optics.field_of_view_deg)),
        ("lens", "width") => Some(optics.width.to_string()),
        ("lens", "height") => Some(optics.height.to_string()),
        ("lens", "blur_px") => Some(number(optics.blur_px)),
        ("sensor", "netd_k") => Some(number(profile.netd_k)),
        ("sensor", "non_uniformity_k") => Some(number(profile.u_uniformity.kelvin())),
        _ => None,
    };
    fixed.or_else(|| measured(profile.calibration.as_ref()?, key))
}

fn linear(scale: CountScale, name: &str) -> Option<String> {
    let CountScale::Linear {
        kelvin_per_count,
        kelvin_at_zero,
    } = scale
    else {
        return None;
    };
    Some(number(match name {
        "kelvin_per_count" => kelvin_per_count,
        _ => kelvin_at_zero,
    }))
}

fn usb_ids(ids: &[UsbId]) -> Option<String> {
    let words: Vec<String> = ids.iter().map(ToString::to_string).collect();
    (!words.is_empty()).then(|| quoted(&words.join(", ")))
}

fn measured(calibration: &Calibration, key: &Key) -> Option<String> {
    let blackbody = &calibration.blackbody;
    let list = |of: fn(&SetPoint) -> f64| {
        let numbers: Vec<_> = calibration.points.iter().map(|p| number(of(p))).collect();
        format!("[{}]", numbers.join(", "))
    };
    Some(match (key.section, key.name) {
        ("calibration", "made") => day(calibration.made),
        ("calibration", "valid_until") => day(calibration.valid_until),
        ("calibration", "room_c") => number(calibration.room.degrees()),
        ("calibration", "set_points_c") => list(|point| point.set.degrees()),
        ("calibration", "readings_c") => list(|point| point.read.degrees()),
        ("calibration", "deviations_k") => list(|point| point.deviation.kelvin()),
        ("blackbody", "name") => quoted(&blackbody.name),
        ("blackbody", "emissivity") => number(blackbody.emissivity.value()),
        ("blackbody", "certificate_uncertainty_k") => number(blackbody.u_certificate.kelvin()),
        ("blackbody", "evenness_uncertainty_k") => number(blackbody.u_evenness.kelvin()),
        _ => return None,
    })
}

/// `2020-02-24`, UTC.
fn day(moment: WallTime) -> String {
    jiff::Timestamp::from_millisecond(moment.0)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date()
        .to_string()
}
