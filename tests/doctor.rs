//! `menshen doctor` on installs that are broken on purpose: it says what is wrong with each, and what to
//! do, and ends with 1; a sound one ends with 0.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;
#[path = "common/program.rs"]
mod program;

use common::{alert, tempfolder};
use menshen::event::Event;
use menshen::journal::Journal;
use menshen::mqtt::broker::{Access, Broker, BrokerSettings};
use menshen::secret::Secret;
use menshen::store::Store;
use program::outcome;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// A sound site: a simulated camera whose picture has a blackbody.
const SITE: &str = "[camera]\nsource = \"simulator\"\nscenario = \"empty\"\n\
                    [reference]\npresent = true\nset_point_c = 37.0\n";
const DATA: &str = "[store]\nfolder = \"data\"\ndisk_floor_mib = 0\n";

/// What the doctor says of a folder with this configuration: its exit code, and the words for each check.
fn examined(folder: &Path, configuration: &str) -> (Option<i32>, Value) {
    std::fs::write(folder.join("menshen.toml"), configuration).unwrap();
    let (code, said, err) = outcome(folder, &["doctor", "--json"]);
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic_with(&said, &err));
    assert_eq!(report["well"], Value::Bool(code == Some(0)), "{report}");
    (code, report)
}

#[allow(clippy::panic, reason = "a test fails by panicking")]
fn panic_with(said: &str, err: &str) -> Value {
    panic!("no JSON: {said}\n{err}")
}

/// The finding of one check.
fn finding<'a>(report: &'a Value, check: &str) -> &'a Value {
    let findings = report["findings"].as_array().unwrap();
    findings
        .iter()
        .find(|it| it["check"] == check)
        .unwrap_or(&Value::Null)
}

/// One check is wrong, with this word in its text, and with something to do.
fn is_wrong(configuration: &str, prepare: impl Fn(&Path), check: &str, word: &str) {
    let folder = tempfolder();
    prepare(folder.path());
    let (code, report) = examined(folder.path(), configuration);
    assert_eq!(code, Some(1), "{check}: {report}");
    let found = finding(&report, check);
    assert_eq!(found["state"], "wrong", "{check}: {report}");
    let said = format!("{} {}", found["en"], found["todo_en"]);
    assert!(said.contains(word), "{check}: {word} is not in {found}");
    let others = report["findings"].as_array().unwrap();
    let wrong = others.iter().filter(|it| it["state"] == "wrong").count();
    assert_eq!(wrong, 1, "{check} alone is wrong: {report}");
}

fn a_database(folder: &Path) {
    let store = Store::open(&folder.join("data"), Vec::new()).unwrap();
    let boot = store.boot();
    let alerts: Vec<_> = (1..200)
        .map(|n| Event::AlertRaised(alert(boot, n)))
        .collect();
    store.record(&alerts).unwrap();
}

#[test]
fn a_sound_install_is_well_and_a_running_one_keeps_its_camera() {
    let folder = tempfolder();
    let site = format!("{SITE}{DATA}");
    let (code, report) = examined(folder.path(), &site);
    assert_eq!(code, Some(0), "{report}");
    for check in [
        "configuration",
        "model",
        "camera",
        "reference",
        "mount",
        "database",
    ] {
        assert_eq!(finding(&report, check)["state"], "well", "{report}");
    }
    assert_eq!(finding(&report, "broker")["state"], "skipped");
    let (code, said, _) = outcome(folder.path(), &["doctor"]);
    assert_eq!(code, Some(0));
    assert!(
        said.contains("可以开始筛查") && said.contains("Ready to screen"),
        "{said}"
    );

    // Somebody has the folder, and no page answers.
    let store = Store::open(&folder.path().join("data"), Vec::new()).unwrap();
    let quiet = format!("{site}[web]\nlisten = \"127.0.0.1:1\"\n");
    let (code, report) = examined(folder.path(), &quiet);
    assert_eq!(code, Some(1), "{report}");
    assert_eq!(finding(&report, "gateway")["state"], "wrong", "{report}");
    assert_eq!(finding(&report, "camera"), &Value::Null);
    assert_eq!(finding(&report, "database")["state"], "well", "{report}");
    drop(store);
}

#[test]
fn the_configuration_is_the_first_thing() {
    let nothing = |_: &Path| {};
    is_wrong("[camera]\nsauce = 1\n", nothing, "configuration", "sauce");
    let secret = format!(
        "{SITE}{DATA}[mqtt]\nenabled = false\nusername = \"gate\"\npassword_file = \"nowhere\"\n"
    );
    is_wrong(&secret, nothing, "secrets", "nowhere");
}

#[test]
fn camera_and_blackbody() {
    let nothing = |_: &Path| {};
    let recording = format!("[camera]\nsource = \"recording\"\nrecording = \"lobby.cptv\"\n{DATA}");
    is_wrong(&recording, nothing, "camera", "lobby.cptv");
    let garbage =
        |folder: &Path| std::fs::write(folder.join("lobby.cptv"), b"no recording").unwrap();
    is_wrong(&recording, garbage, "camera", "lobby.cptv");
    let no_device = format!("[camera]\nsource = \"v4l\"\ndevice = \"/dev/no-camera\"\n{DATA}");
    is_wrong(&no_device, nothing, "camera", "menshen cameras");
    let bare = |folder: &Path| {
        std::fs::write(
            folder.join("bare.toml"),
            "name = \"bare\"\nseed = 2\nduration_s = 20.0\n[room]\nambient_c = 23.0\n",
        )
        .unwrap();
    };
    let bare_site = format!("[camera]\nsource = \"simulator\"\nscenario = \"bare.toml\"\n{DATA}");
    is_wrong(&bare_site, bare, "reference", "blackbody");
}

#[test]
fn disk_and_database() {
    let nothing = |_: &Path| {};
    let site = format!("{SITE}{DATA}");
    let in_the_way = |folder: &Path| std::fs::write(folder.join("data"), b"").unwrap();
    is_wrong(&site, in_the_way, "data_folder", "data");
    let greedy = format!("{SITE}[store]\nfolder = \"data\"\ndisk_floor_mib = 1048576\n");
    if menshen::store::free(Path::new(".")).unwrap() >> 20 < 1_048_576 {
        is_wrong(&greedy, nothing, "disk_space", "Free some space");
    }
    let damaged = |folder: &Path| {
        a_database(folder);
        let file = folder.join("data/menshen.db");
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 4;
        bytes[middle..2 * middle].fill(0xff);
        std::fs::write(&file, bytes).unwrap();
    };
    is_wrong(&site, damaged, "database", "menshen restore");
    let gone = |folder: &Path| {
        a_database(folder);
        std::fs::remove_file(folder.join("data/menshen.db")).unwrap();
    };
    is_wrong(&site, gone, "database", "it is gone");
    if Path::new("/dev/shm").is_dir() {
        let memory = tempfile::tempdir_in("/dev/shm").unwrap();
        let site = format!(
            "{SITE}[store]\nfolder = {:?}\ndisk_floor_mib = 0\n",
            memory.path()
        );
        is_wrong(&site, nothing, "mount", "lost with the power");
    }
}

/// With a broker at this port, and this account.
fn at(port: u16, account: &str) -> String {
    format!("{SITE}{DATA}[mqtt]\nenabled = true\nhost = \"127.0.0.1\"\nport = {port}\n{account}")
}

const ACCOUNT: &str = "username = \"gate\"\npassword_file = \"password\"\n";

fn password(word: &'static str) -> impl Fn(&Path) {
    move |folder| {
        let file = folder.join("password");
        std::fs::write(&file, word).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn the_broker_and_what_may_be_said_there() {
    is_wrong(&at(1, ""), |_| {}, "broker", "nothing listens");
    let folder = tempfolder();
    let settings = BrokerSettings {
        access: Access::User {
            name: "gate".to_owned(),
            password: Secret::new("sesame".to_owned()),
        },
        ..BrokerSettings::default()
    };
    let mut broker = Broker::start_with(folder.path(), &settings).unwrap();
    let site = at(broker.port(), ACCOUNT);
    is_wrong(&site, password("wrong"), "broker", "does not accept");

    // Whoever may speak for other gates is told so.
    let here = tempfolder();
    password("sesame")(here.path());
    let (code, report) = examined(here.path(), &site);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(finding(&report, "broker")["state"], "look", "{report}");

    // With rights at the broker: for its own topics all is well, without them it is told.
    let rights = |text: &str| {
        let list = folder.path().join("acl");
        std::fs::write(&list, text).unwrap();
        std::fs::set_permissions(&list, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    let file = folder.path().join("mosquitto.conf");
    let text = std::fs::read_to_string(&file).unwrap();
    let list = folder.path().join("acl");
    std::fs::write(&file, format!("{text}acl_file {}\n", list.display())).unwrap();
    rights("user gate\ntopic readwrite menshen/v1/street/building/lobby/#\n");
    broker.restart().unwrap();
    let (code, report) = examined(here.path(), &site);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(finding(&report, "broker")["state"], "well", "{report}");
    rights("user gate\ntopic readwrite menshen/v1/street/building/other/#\n");
    broker.restart().unwrap();
    is_wrong(&site, password("sesame"), "broker", "does not come back");
}

/// A certificate and its key that hold between two years, in these files.
fn certificate(folder: &Path, from: i32, until: i32) {
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    std::fs::write(folder.join("page.pem"), made.pem()).unwrap();
    let file = folder.join("page.key");
    std::fs::write(&file, key.serialize_pem()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn certificates_that_hold_no_more_or_not_yet() {
    let site =
        format!("{SITE}{DATA}[web]\ncertificate_file = \"page.pem\"\nkey_file = \"page.key\"\n");
    let old = |folder: &Path| certificate(folder, 2019, 2020);
    is_wrong(&site, old, "certificates", "expired on 2020-01-01");
    let early = |folder: &Path| certificate(folder, 2090, 2091);
    is_wrong(&site, early, "certificates", "Set the clock first");
    let no_text = |folder: &Path| {
        certificate(folder, 2019, 2090);
        std::fs::write(folder.join("page.pem"), "nothing").unwrap();
    };
    is_wrong(&site, no_text, "certificates", "no certificate in it");
    let folder = tempfolder();
    certificate(folder.path(), 2019, 2090);
    let (code, report) = examined(folder.path(), &site);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(
        finding(&report, "certificates")["state"],
        "well",
        "{report}"
    );
}
