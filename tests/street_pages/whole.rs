//! All of it at once: a simulated camera, the gateway's program, a real Mosquitto that asks for certificates and has
//! the access list as it is shipped, the street's program with its PostgreSQL, and its page in a real browser.

use crate::authority::{Authority, free_port, listener};
use crate::browser::{Browser, DESK, PHONE};
use crate::database::Server;
use crate::program::{Dashboard, Program, outcome};
use menshen::mqtt::broker::{Broker, BrokerSettings};
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

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
            "port = {port}\ntls = true\nca_file = \"{}\"\ncertificate_file = \"{}\"\nkey_file = \"{}\"\n",
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

#[test]
fn a_new_list_goes_down_to_a_site_whose_manager_takes_it_over() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(&folder.path().join("broker")).unwrap();
    let port = broker.port();
    let street = folder.path().join("street");
    let configuration = format!("[street]\nid = \"dongfang\"\n[mqtt]\nport = {port}\n");
    write(&street, "street.toml", &configuration);
    let mut collector = Program::start(&street, &["street"]);
    let gateway = folder.path().join("gateway");
    write(&gateway, "lobby.toml", LOBBY);
    let configured = |more: &str| {
        let text = format!(
            "[site]\nstreet = \"dongfang\"\nbuilding = \"no-12\"\ngate = \"north\"\n\
             [camera]\nsource = \"simulator\"\nscenario = \"lobby.toml\"\n\
             [web]\nlisten = \"127.0.0.1:0\"\n[store]\nfolder = \"data\"\n{more}\
             [mqtt]\nenabled = true\nport = {port}\nstreet_receipts = true\ncommands = [\"template\"]\n"
        );
        write(&gateway, "menshen.toml", &text);
    };
    configured("");
    let mut running = Program::start(&gateway, &["run", "--config", "menshen.toml"]);
    let door = manager(&running.dashboard());

    let file = second_version(&street);
    let file = file.to_str().unwrap();
    let send = || outcome(&street, &["street", "template", file]);
    collector.wait("a site of that kind", |_| {
        (send().0 == Some(0)).then_some(())
    });
    running.wait("what it would change", |_| {
        let page = door.get("/pledge");
        (page.contains("清单已有第 2 版") && page.contains("off-balcony")).then_some(())
    });
    let answers = || outcome(&street, &["street", "orders"]).1;
    collector.wait("the site's receipt", |_| {
        answers().contains("no-12/north done").then_some(())
    });
    // Sent again under another id, and one that is none.
    assert_eq!(send().0, Some(0));
    collector.wait("a refusal", |_| {
        answers()
            .contains("no-12/north refused: not_newer")
            .then_some(())
    });
    let (code, _, err) = outcome(&street, &["street", "template", "street.toml"]);
    assert!(code == Some(1) && err.contains("street.toml"), "{err}");

    // Taken over, and kept by a gateway that starts anew.
    drop(running);
    write(
        &gateway,
        "site.toml",
        "[site]\nkind = \"office\"\nbuilt_on = 2\n",
    );
    configured("[checklist]\nfile = \"site.toml\"\n");
    let mut running = Program::start(&gateway, &["run", "--config", "menshen.toml"]);
    let admin = running.dashboard();
    let sign_in = "name=Wang&password=nine+yellow+oyster+boats";
    let door = Dashboard {
        cookie: admin.cookie_of("/sign-in", sign_in),
        ..admin
    };
    running.wait("the new list", |_| {
        let page = door.get("/rounds");
        page.contains("露台通风").then_some(())
    });
    assert!(!door.get("/pledge").contains("清单已有第"));
}
