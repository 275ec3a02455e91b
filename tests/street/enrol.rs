//! Sites get accounts at a real Mosquitto, may speak and hear what is theirs, and lose the accounts again.

use crate::collector::{Gate, account, collect, eventually};
use crate::common::tempfolder;
use crate::program::outcome;
use menshen::mqtt::Address;
use menshen::mqtt::broker::{Broker, BrokerSettings};
use menshen::mqtt::dial::{Account, Network};
use menshen::mqtt::link::LinkState;
use menshen::mqtt::probe::{Rights, rights};
use menshen::mqtt::tls::TlsFiles;
use menshen::secret::Secret;
use menshen::street::sqlite::SqliteLedger;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tokio::task::block_in_place;

const OFFICE: &str = "street-dongfang";

fn site(building: &str) -> Address {
    Address::new("dongfang", building, "main").unwrap()
}

/// A broker that asks everybody who they are; it knows the office.
fn broker(folder: &Path) -> Broker {
    fs::write(
        folder.join("acl"),
        format!(
            "# By hand.\nuser {OFFICE}\ntopic read menshen/v1/dongfang/#\n\
             topic write menshen/v1/dongfang/+/+/ack/+\ntopic write menshen/v1/dongfang/+/+/cmd/+\n"
        ),
    )
    .unwrap();
    fs::write(folder.join("passwd"), format!("{OFFICE}:office\n")).unwrap();
    for file in ["acl", "passwd"] {
        fs::set_permissions(folder.join(file), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let hashed = Command::new("mosquitto_passwd")
        .args(["-U", "passwd"])
        .current_dir(folder)
        .status();
    assert!(hashed.unwrap().success());
    fs::write(folder.join("office-password"), "office\n").unwrap();
    let settings = BrokerSettings {
        more: format!(
            "allow_anonymous false\npassword_file {0}/passwd\nacl_file {0}/acl\n",
            folder.display()
        ),
        ..BrokerSettings::default()
    };
    let broker = Broker::start_with(&folder.join("broker"), &settings).unwrap();
    let text = format!(
        "[street]\nid = \"dongfang\"\n[mqtt]\nport = {}\nusername = \"{OFFICE}\"\n\
         password_file = \"office-password\"\n",
        broker.port()
    );
    fs::write(folder.join("street.toml"), text).unwrap();
    broker
}

fn street(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let files = ["--passwords", "passwd", "--acl", "acl"];
    outcome(folder, &[&["street"], arguments, &files].concat())
}

/// The account that was handed over in this folder.
fn handed_over(folder: &Path, out: &str, client: &str, port: u16) -> Account {
    let text = fs::read_to_string(folder.join(out).join("menshen.toml")).unwrap();
    let settings: toml::Table = text.parse().unwrap();
    let checked = outcome(&folder.join(out), &["check", "--config", "menshen.toml"]);
    assert_eq!(checked.0, Some(0), "{checked:?}");
    let mqtt = &settings["mqtt"];
    assert_eq!(mqtt["port"].as_integer(), Some(i64::from(port)));
    let file = folder
        .join(out)
        .join(mqtt["password_file"].as_str().unwrap());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let password = fs::read_to_string(file).unwrap().trim().to_owned();
    Account {
        username: Some(mqtt["username"].as_str().unwrap().to_owned()),
        password: Some(Secret::new(password)),
        ..account(client, port)
    }
}

/// `mosquitto_sub` and `mosquitto_pub` as somebody else's program.
fn mosquitto(program: &str, as_whom: &Account, port: u16) -> Command {
    // Line by line, also into a file.
    let mut command = Command::new("stdbuf");
    command
        .arg("-oL")
        .arg(format!("mosquitto_{program}"))
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-q", "1"])
        .args(["-u", as_whom.username.as_ref().unwrap()])
        .args(["-P", as_whom.password.as_ref().unwrap().reveal()]);
    command
}

/// Ended when dropped.
struct Spy(Child);

impl Drop for Spy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_speaks_and_hears_what_is_its_own_until_it_is_revoked() {
    let folder = tempfolder();
    let folder = folder.path();
    let broker = broker(folder);
    let port = broker.port();
    for building in ["no-1", "no-2"] {
        let site = format!("{building}/main");
        let (code, out, err) = street(folder, &["enrol", &site, "--out", building]);
        assert_eq!(code, Some(0), "{err}");
        assert!(out.contains("reload"), "{out}");
    }
    broker.reload().unwrap();
    let [one, two] = ["no-1", "no-2"].map(|it| handed_over(folder, it, it, port));
    let may = async |who: &Account, building: &str| rights(who, &site(building)).await;
    eventually_let_in(&one).await;
    assert_eq!(may(&one, "no-1").await, Ok(Rights::Own));
    assert_eq!(may(&one, "no-2").await, Ok(Rights::None));
    assert_eq!(may(&two, "no-2").await, Ok(Rights::Own));

    let _collector = collect(folder);
    let ledger = SqliteLedger::open(&folder.join("street.db")).unwrap();
    // With the first site's account, everything that there is to hear, and every way to ask for it.
    let heard = folder.join("heard");
    let spy = mosquitto("sub", &one, port)
        .args(["-v", "-t", "#", "-t", "menshen/v1/dongfang/+/+/ack/+"])
        .args(["-t", "menshen/v1/dongfang/no-2/#", "-d"])
        .stdout(fs::File::create(&heard).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _spy = Spy(spy);
    let said = || fs::read_to_string(&heard).unwrap();
    eventually("a listener", || said().contains("Subscribed")).await;
    // And a message in the second one's name, that would be its first.
    let topic = "menshen/v1/dongfang/no-2/main/event/alert";
    let sent = mosquitto("pub", &one, port)
        .args(["-t", topic, "-m", r#"{"v":1,"epoch":"forged","seq":1}"#])
        .status();
    assert!(sent.unwrap().success());
    let second = Gate::open_as(folder, "no-2", two.clone(), &[]);
    second.record(1..=20);
    eventually("everything acknowledged", || second.waiting() == 0).await;
    let first = Gate::open_as(folder, "no-1", one.clone(), &[]);
    first.record(1..=20);
    eventually("everything acknowledged", || first.waiting() == 0).await;
    let own = "menshen/v1/dongfang/no-1/main/ack/";
    eventually("its own receipts", || said().contains(own)).await;
    assert!(
        !said().contains("menshen/v1/dongfang/no-2/main/"),
        "{}",
        said()
    );
    let counts = menshen::street::ledger::Ledger::counts(&ledger).unwrap();
    assert_eq!((counts.messages, counts.quarantined), (40, 0));

    // A new password: the old one ends.
    let again = ["enrol", "no-2/main", "--out", "no-2-again"];
    let (code, _, err) = street(folder, &again);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("--renew"), "{err}");
    let (code, _, err) = street(folder, &[&again[..], &["--renew"]].concat());
    assert_eq!(code, Some(0), "{err}");
    broker.reload().unwrap();
    let renewed = handed_over(folder, "no-2-again", "no-2-again", port);
    eventually_let_in(&renewed).await;
    let refused = may(&two, "no-2").await.unwrap_err();
    assert!(refused.contains("does not accept"), "{refused}");
    assert_eq!(may(&renewed, "no-2").await, Ok(Rights::Own));

    // Revoked: the running gate is thrown out, and nobody comes in with its account any more.
    let (code, _, err) = street(folder, &["revoke", "no-1/main"]);
    assert_eq!(code, Some(0), "{err}");
    broker.reload().unwrap();
    let away = || matches!(&*first.state.borrow(), LinkState::Away { why } if why.contains("does not accept"));
    eventually("the gate is away", away).await;
    let refused = may(&one, "no-1").await.unwrap_err();
    assert!(refused.contains("does not accept"), "{refused}");
    let (code, _, err) = street(folder, &["revoke", "no-1/main"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("no account"), "{err}");
    // What stood there by hand stands there still.
    let acl = fs::read_to_string(folder.join("acl")).unwrap();
    assert!(
        acl.starts_with("# By hand.\n") && !acl.contains("no-1"),
        "{acl}"
    );
    let passwords = fs::read_to_string(folder.join("passwd")).unwrap();
    assert!(!passwords.contains("no-1") && passwords.starts_with(OFFICE));
    block_in_place(|| drop(second));
}

/// The same with certificates of the street's own authority: no password anywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_is_known_by_its_certificate_until_that_is_revoked() {
    let folder = tempfolder();
    let folder = folder.path();
    let plain = broker(folder);
    drop(plain);
    for building in ["no-1", "no-2"] {
        let site = format!("{building}/main");
        let enrol = ["enrol", &site, "--out", building, "--certificate"];
        let (code, _, err) = street(folder, &enrol);
        assert_eq!(code, Some(0), "{err}");
    }
    // The broker's own certificate is another authority's affair.
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    fs::write(
        folder.join("server.pem"),
        own.self_signed(&key).unwrap().pem(),
    )
    .unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let settings = BrokerSettings {
        more: format!(
            "allow_anonymous false\npassword_file {0}/passwd\nacl_file {0}/acl\n\
             listener {port} 127.0.0.1\ncafile {0}/authority/ca.pem\n\
             certfile {0}/server.pem\nkeyfile {0}/server.key\ncrlfile {0}/authority/crl.pem\n\
             require_certificate true\nuse_identity_as_username true\n",
            folder.display()
        ),
        ..BrokerSettings::default()
    };
    let broker = Broker::start_with(&folder.join("broker"), &settings).unwrap();
    let with = |out: &str| Account {
        dial: Arc::new(Network {
            host: "localhost".to_owned(),
            port,
            tls: Some(TlsFiles {
                ca: folder.join("server.pem"),
                own: Some((
                    folder.join(out).join("cert.pem"),
                    folder.join(out).join("key.pem"),
                )),
            }),
        }),
        ..account(out, port)
    };
    let may = async |out: &str, building: &str| rights(&with(out), &site(building)).await;
    assert_eq!(may("no-1", "no-1").await, Ok(Rights::Own));
    assert_eq!(may("no-1", "no-2").await, Ok(Rights::None));
    // Another one, long before the first runs out: both are good.
    let again = ["enrol", "no-1/main", "--out", "again", "--certificate"];
    let (code, _, err) = street(folder, &again);
    assert!(code == Some(1) && err.contains("--renew"), "{err}");
    let (code, _, err) = street(folder, &[&again[..], &["--renew"]].concat());
    assert_eq!(code, Some(0), "{err}");
    for out in ["no-1", "again"] {
        assert_eq!(may(out, "no-1").await, Ok(Rights::Own));
    }
    // Revoked: all of them, at once.
    let (code, _, err) = street(folder, &["revoke", "no-1/main"]);
    assert_eq!(code, Some(0), "{err}");
    broker.reload().unwrap();
    for out in ["no-1", "again"] {
        for left in (0..1000).rev() {
            if let Err(why) = may(out, "no-1").await {
                assert!(why.contains("certificate"), "{why}");
                break;
            }
            assert!(left > 0, "a revoked certificate is accepted");
        }
    }
    assert_eq!(may("no-2", "no-2").await, Ok(Rights::Own));
}

/// Waits until the broker has read its files again.
async fn eventually_let_in(who: &Account) {
    let who = Arc::new(who.clone());
    for _ in 0..1000 {
        if rights(&who, &site("nobody")).await.is_ok() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the broker never let it in");
}

#[test]
fn a_site_that_cannot_be_is_refused_before_anything_is_written() {
    let folder = tempfolder();
    let text = "[street]\nid = \"dongfang\"\n";
    fs::write(folder.path().join("street.toml"), text).unwrap();
    for wrong in ["no-1", "no 1/main", "東方/main", "a/b/c", "no-1/#"] {
        let (code, _, err) = street(folder.path(), &["enrol", wrong]);
        assert_eq!(code, Some(1), "{wrong}");
        assert!(err.contains("BUILDING/GATE"), "{err}");
    }
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
