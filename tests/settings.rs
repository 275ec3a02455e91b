//! Settings on a page: a real file, the real store behind the audit, a real socket; and the whole program that
//! starts though its file is broken.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "common/dashboard.rs"]
mod dashboard;
#[path = "common/program.rs"]
mod program;

use dashboard::{Answer, Gateway, stamp};
use menshen::account::{Accounts as _, Act, Change, Digest, Keys, NewAccount, Session};
use menshen::config::{Config, LastGood, SettingsFile};
use menshen::staff::Role;
use menshen::store::Store;
use menshen::text::Note;
use menshen::web::Entrance;
use program::Program;
use sha2::Digest as _;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

const FILE: &str = "# Ours, since February.\n[site]\ngate = \"east\" # not the garage\n\n\
    [screening]\n# Agreed with the street office.\nfever_c = 37.8\n";

/// A gateway whose file is in a folder of its own.
struct Office {
    gateway: Gateway,
    store: Store,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

fn digest(secret: &str) -> Digest {
    Digest(sha2::Sha256::digest(secret.as_bytes()).into())
}

/// Somebody of this role is signed in; the token is the role's word.
fn sign_in(store: &Store, role: Role) {
    let act = || Act {
        by: "test",
        at: stamp(0),
    };
    let new = NewAccount {
        name: Note::name(role.zh()).unwrap(),
        role,
        shared: false,
        keys: Keys::default(),
    };
    let account = store.create(&new, act()).unwrap().unwrap();
    let usable = Change::Password("none that opens".to_owned());
    store.change(account, &usable, None, act()).unwrap();
    let session = Session {
        token: digest(role.as_str()),
        account,
        begun: stamp(0),
        seen: stamp(0),
    };
    store.begin(&session, "", act()).unwrap();
}

impl Office {
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("menshen.toml");
        fs::write(&file, text).unwrap();
        let store = Store::open(&folder.path().join("data"), Vec::new()).unwrap();
        for role in [Role::Admin, Role::Manager, Role::Guard] {
            sign_in(&store, role);
        }
        let mut running = Config::parse(FILE, "good").unwrap();
        running.store.folder = folder.path().join("data");
        let settings = SettingsFile::new(file.clone(), running, None, store.clone());
        let entrance = Entrance::Accounts(Arc::new(store.clone()));
        let gateway = Gateway::with_settings(entrance, Vec::new(), Some(Arc::new(settings)));
        Self {
            gateway,
            store,
            file,
            _folder: folder,
        }
    }

    fn head(&self, role: Role, method: &str, path: &str) -> String {
        let address = self.gateway.address;
        let token = role.as_str();
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
             Cookie: menshen-session={token}"
        )
    }

    fn get(&self, role: Role, path: &str) -> Answer {
        self.gateway.send(&self.head(role, "GET", path), "")
    }

    /// A field's value on a page.
    fn field(&self, role: Role, path: &str, name: &str) -> String {
        let page = self.get(role, path).body;
        let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
        rest.unwrap_or("").split('"').next().unwrap().to_owned()
    }

    fn version(&self) -> String {
        self.field(Role::Admin, "/settings", "version")
    }

    fn post(&self, role: Role, path: &str, form: &[(&str, &str)]) -> Answer {
        let csrf = self.field(role, "/account", "csrf");
        let mut body = format!("csrf={csrf}");
        for (name, value) in form {
            write!(body, "&{name}=").unwrap();
            for byte in value.bytes() {
                write!(body, "%{byte:02X}").unwrap();
            }
        }
        self.gateway.send(&self.head(role, "POST", path), &body)
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }

    /// What stands in the audit of acts of this kind: who, and to what.
    fn audit(&self, what: &str) -> Vec<(String, String)> {
        let rows = self.store.audit(100).unwrap().into_iter();
        rows.filter(|it| it.what == what)
            .map(|it| (it.who, it.subject))
            .collect()
    }
}

#[test]
fn a_change_is_looked_at_then_saved_with_comments_kept_and_the_name_in_the_audit() {
    let office = Office::with(FILE);
    let page = office.get(Role::Admin, "/settings").body;
    for said in [
        "从这个估计值起为疑似发热并报警",
        "from here on it is a possible fever and an alert",
        "35.0 到 40.0 °C",
        "name=\"screening.fever_c\" value=\"37.8\"",
        "只能在文件里改",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let version = office.version();
    let wish = [
        ("version", version.as_str()),
        ("screening.fever_c", "３８．１"),
        ("site.gate", "east"),
        ("mqtt.commands", "resend"),
        ("mqtt.commands", "announce"),
    ];
    let preview = office.post(Role::Admin, "/settings/preview", &wish);
    assert_eq!(preview.status, 200, "{}", preview.body);
    for said in [
        "<del>37.8</del>",
        "<ins>38.1</ins>",
        "<ins>resend, announce</ins>",
    ] {
        assert!(preview.body.contains(said), "{said}: {}", preview.body);
    }
    assert!(!preview.body.contains("site.gate"), "{}", preview.body);
    assert_eq!(office.text(), FILE, "nothing is saved yet");

    assert_eq!(office.post(Role::Admin, "/settings", &wish).status, 303);
    let changed = FILE.replace("37.8", "38.1");
    assert_eq!(
        office.text(),
        format!("{changed}\n[mqtt]\ncommands = [\"resend\", \"announce\"]\n")
    );
    let previous = office.file.with_file_name("menshen.toml.previous");
    assert_eq!(fs::read_to_string(previous).unwrap(), FILE);
    let audit = office.audit("setting_changed");
    assert_eq!(audit.len(), 2);
    assert!(audit.contains(&(
        "管理员".to_owned(),
        "screening.fever_c: \"37.8\" -> \"38.1\"".to_owned()
    )));
    let page = office.get(Role::Admin, "/settings").body;
    assert!(
        page.contains("重启后生效") && page.contains("<del>37.8</del>"),
        "{page}"
    );

    // Taken out again, its line stays as a comment, and the default stands in the field in grey.
    let version = office.version();
    let wish = [("version", version.as_str()), ("screening.fever_c", "")];
    assert_eq!(office.post(Role::Admin, "/settings", &wish).status, 303);
    assert!(
        office
            .text()
            .contains("# Agreed with the street office.\n# fever_c = 38.1\n")
    );
}

#[test]
fn of_two_people_the_second_is_shown_what_the_first_has_saved() {
    let office = Office::with(FILE);
    let seen = office.version();
    let first = [("version", seen.as_str()), ("screening.fever_c", "38.1")];
    assert_eq!(office.post(Role::Admin, "/settings", &first).status, 303);
    let saved = office.text();
    let second = [("version", seen.as_str()), ("screening.fever_c", "37.5")];
    for path in ["/settings/preview", "/settings"] {
        let answer = office.post(Role::Admin, path, &second);
        assert_eq!(answer.status, 409);
        assert!(
            answer.body.contains("别人刚刚改了配置文件"),
            "{}",
            answer.body
        );
        assert!(
            answer
                .body
                .contains("name=\"screening.fever_c\" value=\"37.5\"")
        );
        assert!(answer.body.contains("<b>38.1</b>"), "{}", answer.body);
    }
    assert_eq!(office.text(), saved);
}

#[test]
fn what_the_file_may_not_say_no_page_saves() {
    let office = Office::with(FILE);
    let version = office.version();
    for (name, value, said) in [
        ("screening.fever_c", "99", "is 99"),
        ("screening.fever_c", "warm", "is of the wrong type"),
        ("screening.fever_c", "nan", "35.0 到 40.0"),
        ("screening.fever_c", "37.2", "attention_c"),
        ("site.gate", "<i>east</i>\"\n[mqtt]", "&#60;"),
        ("reference.present", "perhaps", "reference.present"),
        ("mqtt.commands", "reboot", "reboot"),
        ("no.such_key", "1", "没有这个设置"),
        ("alerts.hook", "/bin/sh", "只能在文件里改"),
        ("store.folder", "/tmp", "只能在文件里改"),
    ] {
        let wish = [("version", version.as_str()), (name, value)];
        for path in ["/settings/preview", "/settings"] {
            let answer = office.post(Role::Admin, path, &wish);
            assert_eq!(answer.status, 422, "{name} {value}: {}", answer.body);
            assert!(answer.body.contains(said), "{name} {said}: {}", answer.body);
            assert!(!answer.body.contains("<i>east"), "{}", answer.body);
        }
    }
    let nothing = [("version", version.as_str())];
    assert_eq!(office.post(Role::Admin, "/settings", &nothing).status, 422);
    let huge = "x".repeat(30_000);
    let wish = [("version", version.as_str()), ("site.gate", huge.as_str())];
    assert_eq!(office.post(Role::Admin, "/settings", &wish).status, 413);
    assert_eq!(office.text(), FILE);
    assert_eq!(office.audit("setting_changed"), []);
    // Who may not change settings.
    for role in [Role::Guard, Role::Manager] {
        assert_eq!(office.get(role, "/settings").status, 403);
        let wish = [("version", version.as_str()), ("site.gate", "west")];
        assert_eq!(office.post(role, "/settings", &wish).status, 403);
    }
    assert_eq!(office.text(), FILE);
}

#[test]
fn a_file_that_may_not_be_written_stays_and_the_page_says_what_to_do() {
    let office = Office::with(FILE);
    let version = office.version();
    fs::set_permissions(&office.file, fs::Permissions::from_mode(0o444)).unwrap();
    let wish = [("version", version.as_str()), ("site.gate", "west")];
    let answer = office.post(Role::Admin, "/settings", &wish);
    assert_eq!(answer.status, 503);
    assert!(
        answer.body.contains("必须能写这个文件夹"),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("name=\"site.gate\" value=\"west\""));
    assert_eq!(office.text(), FILE);
    assert_eq!(office.audit("settings_not_written").len(), 1);
    // Nobody would start the gateway again: no button ends it.
    let answer = office.post(Role::Admin, "/settings/restart", &[]);
    assert_eq!(answer.status, 422);
}

#[test]
fn a_broken_file_is_shown_with_its_lines_without_secrets_and_the_last_good_one_comes_back() {
    let broken = "[mqtt]\npassword = \"hunter2\"\nport = 0\n";
    let office = Office::with(broken);
    let page = office.get(Role::Admin, "/settings").body;
    assert!(
        page.contains("menshen.toml:2:1") && page.contains("menshen.toml:3:8"),
        "{page}"
    );
    assert!(!page.contains("hunter2"), "{page}");
    assert!(
        !page.contains("/settings/back"),
        "there is none to go back to"
    );
    let data = office.file.with_file_name("data");
    fs::write(data.join("last-good.toml"), FILE).unwrap();
    let version = office.version();
    let back = [("version", version.as_str())];
    assert_eq!(
        office.post(Role::Admin, "/settings/back", &back).status,
        303
    );
    assert_eq!(office.text(), FILE);
    assert_eq!(office.audit("settings_restored").len(), 1);
    let previous = office.file.with_file_name("menshen.toml.previous");
    assert_eq!(fs::read_to_string(previous).unwrap(), broken);
}

#[test]
fn a_gateway_whose_file_is_broken_runs_by_the_last_good_one_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("menshen.toml");
    let good = format!(
        "[camera]\nsource = \"simulator\"\n[web]\nlisten = \"127.0.0.1:0\"\n[screening]\nfever_c = 38.2\n\
         [store]\nfolder = \"{}/data\"\n",
        folder.path().display()
    );
    fs::write(&file, &good).unwrap();
    let run = ["run", "--config", "menshen.toml"];
    let mut first = Program::start(folder.path(), &run);
    first.dashboard();
    first.terminate();
    first.ended();
    let kept = LastGood::beside(&folder.path().join("data")).text();
    assert_eq!(kept.as_deref(), Some(good.as_str()));

    fs::write(&file, good.replace("fever_c = 38.2", "fewer_c = 36")).unwrap();
    let mut second = Program::start(folder.path(), &run);
    let pages = second.dashboard();
    assert!(second.err().contains("running by the last good one"));
    let status = second.wait("the fault", |_| {
        let status = pages.json("/api/v1/state");
        let faults = status["faults"].to_string();
        faults.contains("config_refused").then_some(status)
    });
    assert!(status.to_string().contains("38.2"), "{status}");
    let page = pages.get("/account");
    assert!(page.contains("正在按上一次的有效配置运行"), "{page}");
    assert!(page.contains("menshen.toml:6:1: unknown key"), "{page}");
    drop(second);

    // Nothing to fall back on: it ends, and says why as it always did.
    fs::remove_file(folder.path().join("data/last-good.toml")).unwrap();
    let (code, _, said) = program::outcome(folder.path(), &run);
    assert_ne!(code, Some(0));
    assert!(said.contains("did you mean \"fever_c\"?"), "{said}");
}
