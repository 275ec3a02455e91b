//! What is shipped for installing agrees with what the program knows.
#![allow(clippy::unwrap_used, reason = "a test: what fails here is its finding")]

use menshen::config::profile;
use menshen::thermal::profile::UsbId;
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_udev_rule_and_the_profiles_name_the_same_cameras() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/99-menshen-camera.rules");
    let rules = std::fs::read_to_string(path).unwrap();
    let quoted = |line: &str, name: &str| {
        let rest = line.split_once(&format!("ATTRS{{{name}}}==\""))?.1;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let ruled: BTreeSet<UsbId> = rules
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let id = format!(
                "{}:{}",
                quoted(line, "idVendor")?,
                quoted(line, "idProduct")?
            );
            assert!(line.contains("GOTO=\"menshen_camera\""), "{line}");
            Some(UsbId::from_text(&id).unwrap())
        })
        .collect();
    let known: BTreeSet<UsbId> = profile::built_in_names()
        .flat_map(|name| profile::built_in(name).unwrap().connection.usb)
        .collect();
    assert_eq!(ruled, known);
    assert!(known.len() >= 4, "{known:?}");
}
