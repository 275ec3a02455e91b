//! Every key of a camera profile, as `keys.rs` has those of the configuration.

use super::keys::{Key, Kind, Table, keys};
use crate::thermal::profile::MOST_POINTS;

// Limits: scales from a 16-bit span of 6 K to one that leaves 16 bits unused; angles from a telephoto lens to a fish-eye; sizes of any microbolometer; a calibration
// within what blackbodies for people can be set to, read by a camera that is off by up to 20 K.
keys! {
    NAME = "camera"."name": Kind::Text(80), "what the camera is called";
    SCALE = "camera"."scale": Kind::Word(&["centikelvin", "decikelvin", "sixty-fourth-kelvin", "sixteenth-kelvin", "linear"]), "kelvin in one count: 0.01, 0.1, 1/64 or 1/16; linear: as the two keys below say";
    PER_COUNT = "camera"."kelvin_per_count": Kind::Number { low: 0.0001, high: 10.0, unit: "K" }, "with scale \"linear\": kelvin in one count";
    AT_ZERO = "camera"."kelvin_at_zero": Kind::Number { low: -1000.0, high: 1000.0, unit: "K" }, "with scale \"linear\": absolute temperature that the count 0 stands for (273.15 where counts are from 0 °C on)";
    LAYOUT = "camera"."layout": Kind::Word(&["y16", "lepton", "halves", "bands"]), "how a frame is packed: 16-bit counts; the same with a Lepton's rows of telemetry; a picture above the counts (InfiRay); counts above a picture (Topdon TC002C)";
    USB_IDS = "camera"."usb_ids": Kind::Text(200), "vendor:product of the cameras that this profile is for, as lsusb shows them, with commas between";

    FIELD_OF_VIEW = "lens"."field_of_view_deg": Kind::Number { low: 3.0, high: 150.0, unit: "degrees" }, "angle across the longer side of the picture";
    WIDTH = "lens"."width": Kind::Whole { low: 16, high: 2048, unit: "pixels" }, "the longer side, for which the angle holds";
    HEIGHT = "lens"."height": Kind::Whole { low: 16, high: 2048, unit: "pixels" }, "the shorter side";
    BLUR = "lens"."blur_px": Kind::Number { low: 0.0, high: 5.0, unit: "pixels" }, "size of source: sigma of the Gaussian that lens and pixel spread a point over";

    NETD = "sensor"."netd_k": Kind::Number { low: 0.001, high: 1.0, unit: "K" }, "noise of one pixel in one frame, one standard deviation";
    NON_UNIFORMITY = "sensor"."non_uniformity_k": Kind::Number { low: 0.0, high: 2.0, unit: "K" }, "standard uncertainty (k = 1) of the difference between two places of the picture";

    MADE = "calibration"."made": Kind::Date, "the day on which it was measured";
    VALID_UNTIL = "calibration"."valid_until": Kind::Date, "the last day on which it holds";
    ROOM = "calibration"."room_c": Kind::Number { low: 5.0, high: 40.0, unit: "°C" }, "the room at that time, which the blackbody reflects";
    SET_POINTS = "calibration"."set_points_c": Kind::Numbers { most: MOST_POINTS, low: 20.0, high: 50.0, unit: "°C" }, "what the blackbody was set to";
    READINGS = "calibration"."readings_c": Kind::Numbers { most: MOST_POINTS, low: 0.0, high: 70.0, unit: "°C" }, "what the camera read of it each time, uncorrected, mean";
    DEVIATIONS = "calibration"."deviations_k": Kind::Numbers { most: MOST_POINTS, low: 0.0, high: 5.0, unit: "K" }, "standard deviation of the frames' readings each time";

    BLACKBODY = "blackbody"."name": Kind::Text(80), "make and serial number";
    EMISSIVITY = "blackbody"."emissivity": Kind::Number { low: 0.9, high: 1.0, unit: "" }, "of its surface; 1.0 where its maker has put it into the set point";
    CERTIFICATE = "blackbody"."certificate_uncertainty_k": Kind::Number { low: 0.0, high: 2.0, unit: "K" }, "standard uncertainty (k = 1) of its set point";
    EVENNESS = "blackbody"."evenness_uncertainty_k": Kind::Number { low: 0.0, high: 2.0, unit: "K" }, "standard uncertainty (k = 1) from one place of its surface to another";
}
