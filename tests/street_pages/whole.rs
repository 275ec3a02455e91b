//! All of it at once: a simulated camera, the gateway's program, a real Mosquitto that asks for certificates and has
//! the access list as it is shipped, the street's program with its PostgreSQL, and its page in a real browser.

use crate::authority::{Authority, free_port, listener};
use crate::browser::{Browser, DESK, PHONE};
use crate::database::Server;
use crate::program::{Dashboard, Program};
use menshen::clock::{ClockTrust, Stamp, WallTime};
use menshen::command::{Asked, Command};
use menshen::event::Event;
use menshen::journal::Journal as _;
use menshen::mqtt::broker::{Broker, BrokerSettings};
use menshen::store::Store;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

fn write(folder: &Path, name: &str, text: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(name), text).unwrap();
}

/// A lobby into which somebody feverish comes after a while.
const LOBBY: &str = "name = \"lobby\"\nseed = 3\nduration_s = 600.0\n\
    [room]\nambient_c = 22.0\n\
    [blackbody]\nset_point_c = 37.0\nx = 0.16\ny = 0.84\n\
    [[visitor]]\narrive_s = 12.0\nenter = \"left\"\nleave = \"right\"\nwalk_s = 1.5\n\
    stand_s = 8.0\ndistance_m = 0.72\nlateral_m = 0.04\ncore_c = 39.2\n";

#[test]
fn from_the_camera_to_the_street_offices_page() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("acl");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/mosquitto/menshen.acl");
    fs::copy(shipped, &list).unwrap();
    fs::set_permissions(&list, fs::Permissions::from_mode(0o600)).unwrap();
    let authority = Authority::new(folder.path(), "authority");
    let (port, ca) = (free_port(), authority.certificate());
    // Who somebody is stands in their certificate.
    let settings = BrokerSettings {
        more: format!(
            "acl_file {}\n{}use_identity_as_username true\n",
            list.display(),
            listener(port, &ca, &authority.signs("broker", "127.0.0.1", 4000))
        ),
        ..BrokerSettings::default()
    };
    let _broker = Broker::start_with(&folder.path().join("broker"), &settings).unwrap();
    let over_tls = |name: &str| {
        let (certificate, key) = authority.signs(name, name, 4000);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        format!(
            "host = \"127.0.0.1\"\nport = {port}\ntls = true\nca_file = \"{}\"\ncertificate_file = \"{}\"\nkey_file = \"{}\"\n",
            ca.display(),
            certificate.display(),
            key.display()
        )
    };
    let server = Server::start();

    let street = folder.path().join("street");
    write(
        &street,
        "street.toml",
        &format!(
            "[street]\nid = \"dongfang\"\nname = \"东方街道\"\n\
             [mqtt]\n{}[ledger]\nurl = \"{}\"\n[web]\nlisten = \"127.0.0.1:0\"\n\
             [[site]]\nbuilding = \"no-12\"\ngate = \"north\"\nname = \"十二号楼\"\ncontact = \"王经理\"\nphone = \"021-5555 0100\"\n",
            over_tls("street-dongfang"),
            server.url()
        ),
    );
    let mut office = Program::start(&street, &["street"]);
    let page = office.dashboard();
    let browser = Browser::start();
    let (name, value) = page.cookie.split_once('=').unwrap();
    let address = page.address.parse().unwrap();
    browser.devtools(
        "Network.setCookie",
        &json!({"name":name,"value":value,"url":format!("http://{}/", page.address)}),
    );
    let open: &std::net::SocketAddr = &address;
    browser.open(open, "/", DESK);
    browser.until("document.body.textContent.includes('从未连接')");
    browser.eval("window.never_left = true");

    let gateway = folder.path().join("gateway");
    write(&gateway, "lobby.toml", LOBBY);
    write(
        &gateway,
        "menshen.toml",
        &format!(
            "[site]\nstreet = \"dongfang\"\nbuilding = \"no-12\"\ngate = \"north\"\n\
             [camera]\nsource = \"simulator\"\nscenario = \"lobby.toml\"\n\
             [web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"data\"\n\
             [mqtt]\nenabled = true\nstreet_receipts = true\n{}",
            over_tls("gate-north")
        ),
    );
    let mut running = Program::start(&gateway, &["run", "--config", "menshen.toml"]);
    let row = "document.querySelector('#rows tbody').textContent";
    browser.until(&format!(
        "{row}.includes('在线') && {row}.includes('商务楼宇')"
    ));
    browser.until("document.querySelectorAll('#open li.fresh').length === 1");
    browser.until("(document.body.dataset.melody || '').startsWith('alarm ')");
    browser.until("document.querySelector('#open li').textContent.includes('°C')");
    assert_eq!(
        browser.eval("window.never_left"),
        json!(true),
        "nothing was loaded anew"
    );
    browser.shoot("street-whole-desk");
    browser.open(open, "/sites/no-12/north", PHONE);
    browser.until("document.body.textContent.includes('raised')");
    browser.no_sideways_scroll(PHONE);
    browser.shoot("street-whole-phone");
    // What the street has, the gateway no longer keeps for it.
    let door = running.dashboard();
    running.wait("everything received", |_| {
        let waits = &door.json("/api/v1/state")["outbox"];
        (waits["saved"] == 0 && waits["accepted_by_broker"] == 0).then_some(())
    });
    let counts = server.psql(
        "street",
        "SELECT (SELECT count(DISTINCT site) FROM message), (SELECT count(*) FROM quarantine),
                (SELECT count(*) FROM message WHERE name = 'alert') > 0",
    );
    assert_eq!(counts, "1|0|t");
    drop(office);
}

/// A manager, made by the administrator of a first start.
fn manager(admin: &Dashboard) -> Dashboard {
    let between = |page: &str, before: &str, after: &str| {
        let (_, rest) = page.split_once(before).unwrap();
        rest.split(after).next().unwrap().to_owned()
    };
    let csrf = between(&admin.get("/account"), "name=\"csrf\" value=\"", "\"");
    let given = admin.text("/accounts", &format!("csrf={csrf}&name=Wang&role=manager"));
    let code = between(&given, "<p class=\"code digits\">", "<");
    let password = "password=nine+yellow+oyster+boats&again=nine+yellow+oyster+boats";
    Dashboard {
        address: admin.address.clone(),
        cookie: admin.cookie_of("/setup", &format!("code={code}&{password}")),
    }
}

/// The list of offices as shipped, one version later and with another item.
fn second_version(folder: &Path) -> std::path::PathBuf {
    let shipped = include_str!("../../src/checklist/templates/office.toml");
    let (before, after) = shipped.split_once("version = 1\n").unwrap();
    let text = format!(
        "{before}version = 2\n{after}\n[[item]]\nid = \"off-balcony\"\ncategory = \"environment\"\n\
         required = false\nzh = \"露台通风\"\nen = \"The balcony is aired\"\nwho = \"cleaner\"\n\
         when = \"daily by 17:00\"\nproof = \"tick\"\n"
    );
    let file = folder.join("office-2.toml");
    fs::write(&file, text).unwrap();
    file
}

/// As it arrives over MQTT (`tests/street`), which needs a clock that is set: the machine of a test may have none.
#[test]
fn a_list_that_was_sent_is_shown_as_a_difference_and_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let text = fs::read_to_string(second_version(folder)).unwrap();
    let store = Store::open(&folder.join("data"), Vec::new()).unwrap();
    let asked = Asked {
        id: "c-1".parse().unwrap(),
        by: "street".parse().unwrap(),
        command: Command::Template(text),
    };
    let at = Stamp {
        boot: store.boot(),
        monotonic: Duration::ZERO,
        wall: WallTime(0),
        trust: ClockTrust::Unsynchronised,
    };
    store.record(&[Event::Commanded { asked, at }]).unwrap();
    drop(store);
    write(folder, "lobby.toml", LOBBY);
    let configured = |more: &str| {
        let text = format!(
            "[camera]\nsource = \"simulator\"\nscenario = \"lobby.toml\"\n\
             [web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"data\"\n{more}"
        );
        write(folder, "menshen.toml", &text);
    };
    configured("");
    let mut gateway = Program::start(folder, &["run", "--config", "menshen.toml"]);
    let door = manager(&gateway.dashboard());
    let page = door.get("/pledge");
    assert!(
        page.contains("清单已有第 2 版") && page.contains("off-balcony"),
        "{page}"
    );
    assert!(!door.get("/rounds").contains("露台通风"));
    drop(gateway);

    write(
        folder,
        "site.toml",
        "[site]\nkind = \"office\"\nbuilt_on = 2\n",
    );
    configured("[checklist]\nfile = \"site.toml\"\n");
    let mut gateway = Program::start(folder, &["run", "--config", "menshen.toml"]);
    let admin = gateway.dashboard();
    let door = Dashboard {
        cookie: admin.cookie_of("/sign-in", "name=Wang&password=nine+yellow+oyster+boats"),
        ..admin
    };
    assert!(door.get("/rounds").contains("露台通风"));
    assert!(!door.get("/pledge").contains("清单已有第"));
}
