//! What is shipped for installing agrees with what the program knows.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test: what fails here is its finding"
)]

use menshen::config::{Config, LedgerConfig, StreetConfig, profile};
use menshen::mqtt::broker::{Access, Broker, BrokerSettings};
use menshen::mqtt::dial::{Account, Network};
use menshen::mqtt::probe::{self, Rights};
use menshen::mqtt::tls::TlsFiles;
use menshen::mqtt::topic::Address;
use menshen::secret::Secret;
use menshen::thermal::profile::UsbId;
use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// A file of `deploy/`.
fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("deploy")
        .join(name)
}

/// What each unit starts of the program, and how exposed it may be, in tenths of what `systemd-analyze security`
/// says. The judge of an upgrade has to be root; a browser has to have the screen, and namespaces to keep its pages in.
const UNITS: [(&str, &str, u32); 5] = [
    ("menshen.service", "run", 18),
    ("menshen-trouble.service", "trouble", 18),
    ("menshen-street.service", "street", 18),
    ("menshen-upgrade.service", "upgrade", 20),
    ("menshen-kiosk.service", "", 21),
];

#[test]
fn the_units_expose_little() {
    for (unit, _, most) in UNITS {
        let asked = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager"])
            .arg(format!("--threshold={most}"))
            .arg(shipped("systemd").join(unit))
            .output();
        let Ok(answer) = asked else {
            println!("skipped: systemd-analyze is not installed");
            return;
        };
        // The threshold is in tenths: above it systemd-analyze fails.
        let said = String::from_utf8_lossy(&answer.stdout);
        assert!(
            said.contains("Overall exposure level"),
            "{unit}: {answer:?}"
        );
        assert!(
            answer.status.success(),
            "{unit}: {}",
            said.lines().last().unwrap()
        );
    }
}

#[test]
fn the_units_are_what_systemd_understands_and_the_package_has_what_it_names() {
    let manifest = fs::read_to_string(shipped("../Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let package = &manifest["package"]["metadata"]["deb"];
    let installed: BTreeSet<&str> = package["assets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|asset| asset[0].as_str().unwrap())
        .collect();
    for source in &installed {
        let built = source.starts_with("target/") || source.ends_with('*');
        assert!(built || shipped("..").join(source).exists(), "{source}");
    }
    for (unit, command, _) in UNITS {
        assert!(installed.contains(format!("deploy/systemd/{unit}").as_str()));
        let text = fs::read_to_string(shipped("systemd").join(unit)).unwrap();
        let Some(start) = text
            .lines()
            .find_map(|it| it.strip_prefix("ExecStart=")?.split_once("/menshen "))
        else {
            assert_eq!(command, "", "{unit}");
            continue;
        };
        // The subcommand exists, and reads the file that is installed.
        let said: Vec<&str> = start.1.split(' ').collect();
        assert_eq!(said[0], command);
        let file = said.iter().position(|it| *it == "--config").unwrap() + 1;
        assert!(
            manifest["package"]["metadata"]["deb"]["conf-files"]
                .as_array()
                .unwrap()
                .iter()
                .any(|it| it.as_str() == Some(said[file]))
        );
        let help = Command::new(env!("CARGO_BIN_EXE_menshen"))
            .args([said[0], "--help"])
            .output()
            .unwrap();
        assert!(help.status.success(), "{help:?}");
    }
    let config = Config::load(&shipped("menshen.toml")).unwrap();
    assert_eq!(config.store.folder, Path::new("/var/lib/menshen"));
    let street = StreetConfig::load(&shipped("street.toml")).unwrap();
    let LedgerConfig::File(ledger) = street.ledger else {
        panic!("the package's ledger is a file: {:?}", street.ledger);
    };
    assert!(ledger.starts_with("/var/lib/menshen-street"));
}

/// What `systemd-analyze verify` says of the units, with the programs that they start in their places.
#[test]
fn the_units_are_written_in_words_that_systemd_knows() {
    let folder = tempfile::tempdir().unwrap();
    for (unit, ..) in UNITS {
        let text = fs::read_to_string(shipped("systemd").join(unit)).unwrap();
        let text: String = text
            .lines()
            .map(|line| match line.strip_prefix("ExecStart=") {
                Some(_) => "ExecStart=/bin/true".to_owned(),
                None => line.to_owned(),
            } + "\n")
            .collect();
        let text = text.replace("=/bin/true\n    ", "=/bin/true \\\n    ");
        fs::write(folder.path().join(unit), text).unwrap();
    }
    for (unit, ..) in UNITS {
        let Ok(asked) = Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(folder.path().join(unit))
            .output()
        else {
            println!("skipped: systemd-analyze is not installed");
            return;
        };
        let said = String::from_utf8_lossy(&asked.stderr).into_owned();
        let ours: Vec<&str> = said.lines().filter(|it| it.contains("menshen")).collect();
        assert!(asked.status.success() && ours.is_empty(), "{unit}: {said}");
    }
}

#[test]
fn at_the_broker_a_gate_speaks_for_itself_only() {
    let folder = tempfile::tempdir().unwrap();
    let settings = BrokerSettings {
        access: Access::User {
            name: "gate-north".to_owned(),
            password: Secret::new("sesame".to_owned()),
        },
        ..BrokerSettings::default()
    };
    let mut broker = Broker::start_with(folder.path(), &settings).unwrap();
    let list = folder.path().join("acl");
    fs::copy(shipped("mosquitto/menshen.acl"), &list).unwrap();
    fs::set_permissions(&list, fs::Permissions::from_mode(0o600)).unwrap();
    let rights = |port: u16, building: &str| {
        let account = Account {
            dial: Arc::new(Network {
                host: "127.0.0.1".to_owned(),
                port,
                tls: None,
            }),
            broker: "the broker".to_owned(),
            client_id: "north".to_owned(),
            username: Some("gate-north".to_owned()),
            password: Some(Secret::new("sesame".to_owned())),
            keep_alive: Duration::from_secs(5),
        };
        let address = Address::new("dongfang", building, "north").unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(probe::rights(&account, &address)).unwrap()
    };
    assert_eq!(
        rights(broker.port(), "no-12"),
        Rights::Others,
        "without the list"
    );
    let file = folder.path().join("mosquitto.conf");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}acl_file {}\n", list.display())).unwrap();
    broker.restart().unwrap();
    assert_eq!(rights(broker.port(), "no-12"), Rights::Own);
    assert_eq!(rights(broker.port(), "no-13"), Rights::None);
}

/// The broker's configuration as it is shipped, at other places and ports, and with TLS.
fn at_home(folder: &Path, plain: u16, tls: u16) -> String {
    let text = fs::read_to_string(shipped("mosquitto/menshen.conf")).unwrap();
    let option = |line: &str| {
        let word = line.strip_prefix('#')?.split(' ').next()?;
        let options = ["listener", "cafile", "certfile", "keyfile", "tls_version"];
        options.contains(&word).then(|| line[1..].to_owned())
    };
    let text: String = text
        .lines()
        .map(|line| option(line).unwrap_or_else(|| line.to_owned()) + "\n")
        .collect();
    let here = format!("{}/", folder.display());
    let text = text
        .replace(
            "#persistence_location /var/lib/mosquitto/",
            &format!("persistence_location {here}"),
        )
        .replace("/etc/mosquitto/", &here)
        .replace("listener 1883 ", &format!("listener {plain} "))
        .replace("listener 8883", &format!("listener {tls} 127.0.0.1"));
    // To root alone the user matters: it would else be one who may not read this folder.
    text + "user root\nlog_dest stderr\nlog_type all\n"
}

#[test]
fn the_broker_that_is_shipped_takes_a_password_here_and_over_tls_and_nobody_without() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let mut broker = Broker::start(here).unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let tls = free.local_addr().unwrap().port();
    drop(free);
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    fs::create_dir(here.join("certs")).unwrap();
    for (file, text) in [
        ("certs/ca.crt", made.cert.pem()),
        ("certs/server.crt", made.cert.pem()),
        ("certs/server.key", made.signing_key.serialize_pem()),
        (
            "menshen.acl",
            fs::read_to_string(shipped("mosquitto/menshen.acl")).unwrap(),
        ),
    ] {
        fs::write(here.join(file), text).unwrap();
        fs::set_permissions(here.join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let passwords = here.join("passwd");
    let noted = Command::new("mosquitto_passwd")
        .args([
            "-b",
            "-c",
            passwords.to_str().unwrap(),
            "gate-north",
            "sesame",
        ])
        .status();
    assert!(noted.unwrap().success());
    let text = at_home(here, broker.port(), tls);
    fs::write(here.join("mosquitto.conf"), text).unwrap();
    broker.restart().unwrap();

    let authority = TlsFiles {
        ca: here.join("certs/ca.crt"),
        own: None,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = Address::new("dongfang", "no-12", "north").unwrap();
    let rights = |port: u16, tls: Option<&TlsFiles>, password: Option<&str>| {
        let account = Account {
            dial: Arc::new(Network {
                host: "127.0.0.1".to_owned(),
                port,
                tls: tls.cloned(),
            }),
            broker: "the broker".to_owned(),
            client_id: "north".to_owned(),
            username: password.map(|_| "gate-north".to_owned()),
            password: password.map(|it| Secret::new(it.to_owned())),
            keep_alive: Duration::from_secs(5),
        };
        runtime.block_on(probe::rights(&account, &address))
    };
    for (port, tls) in [(broker.port(), None), (tls, Some(&authority))] {
        assert_eq!(rights(port, tls, Some("sesame")), Ok(Rights::Own));
        for wrong in [Some("mustard"), None] {
            let refused = rights(port, tls, wrong).unwrap_err();
            assert!(refused.contains("password"), "{refused}");
        }
    }
    assert!(
        rights(tls, None, Some("sesame")).is_err(),
        "not in the clear"
    );
}

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

#[test]
fn what_is_given_away_is_verified_by_its_signature_and_no_change_goes_unseen() {
    let folder = tempfile::tempdir().unwrap();
    let (key, files) = (folder.path().join("key"), folder.path().join("files"));
    fs::create_dir(&files).unwrap();
    fs::write(files.join("menshen.deb"), "a package").unwrap();
    fs::write(files.join("menshen.cdx.json"), "{}").unwrap();
    let pair = |name: &Path| {
        // Without a password, which a key for release has.
        let made = Command::new("minisign")
            .arg("-GW")
            .arg("-s")
            .arg(name)
            .arg("-p")
            .arg(name.with_extension("pub"))
            .output();
        made.is_ok_and(|it| it.status.success())
    };
    if !pair(&key) {
        println!("skipped: minisign is not installed");
        return;
    }
    let run = |what: &str, key: &Path| {
        let ran = Command::new(shipped("sign.sh"))
            .arg(what)
            .arg(&files)
            .arg(key)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        (ran.status.success(), said)
    };
    let public = key.with_extension("pub");
    assert!(run("sign", &key).0);
    assert!(run("verify", &public).0);
    fs::write(files.join("menshen.deb"), "another one").unwrap();
    assert!(run("verify", &public).1.contains("is not as it was signed"));
    fs::write(files.join("menshen.deb"), "a package").unwrap();
    fs::write(files.join("more"), "").unwrap();
    assert!(run("verify", &public).1.contains("nobody signed"));
    fs::remove_file(files.join("more")).unwrap();
    assert!(run("verify", &public).0);
    let other = folder.path().join("other");
    assert!(pair(&other));
    let stranger = run("verify", &other.with_extension("pub"));
    assert!(
        !stranger.0 && stranger.1.contains("not signed with this key"),
        "{}",
        stranger.1
    );
}
