//! Nothing of anybody in the register leaves the building: the whole gateway with a real Mosquitto, a webhook and a
//! program that rings, while everything is done that publishes. Every byte that went out, and every file that
//! lies about, is searched for every name, phone, card and company.
//!
//! Each place has a mark that was put there in the clear, and the search must find it: one that looked in the
//! wrong place, or at nothing, fails.

use crate::program::{Dashboard, Program, Subscriber, outcome};
use menshen::mqtt::broker::Broker;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

/// Shortest text that is looked for, bytes: what begins alike is found by so many.
const SHORTEST: usize = 8;

/// Texts that are looked for, in each way in which they may be written.
#[derive(Default)]
struct Secrets(BTreeMap<[u8; SHORTEST], Vec<(Vec<u8>, String)>>);

impl Secrets {
    /// As it is, as JSON escapes it, as an address has it, and as base64 has it in the middle of a text.
    fn add(&mut self, text: &str) {
        let mut escaped = String::new();
        for unit in text.encode_utf16() {
            match char::from_u32(u32::from(unit)) {
                Some(c) if c.is_ascii() => escaped.push(c),
                _ => write!(escaped, "\\u{unit:04x}").unwrap(),
            }
        }
        let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let forms = [
            text.to_owned(),
            escaped,
            encoded.clone(),
            encoded.to_lowercase(),
        ];
        for form in BTreeSet::from(forms) {
            let bytes = form.into_bytes();
            let head = *bytes
                .first_chunk()
                .expect("long enough not to be found by chance");
            let all = self.0.entry(head).or_default();
            all.push((bytes, text.to_owned()));
        }
    }

    fn in_bytes(&self, bytes: &[u8]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (at, head) in bytes.windows(SHORTEST).enumerate() {
            for (form, text) in self.0.get(head).into_iter().flatten() {
                if bytes[at..].starts_with(form) {
                    found.insert(text.clone());
                }
            }
        }
        found
    }

    fn below(&self, folder: &Path) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(self.below(&path));
            } else {
                // A log of the database may go while it is looked at.
                found.extend(self.in_bytes(&fs::read(&path).unwrap_or_default()));
            }
        }
        found
    }
}

/// Everything that went past.
type Heard = Arc<Mutex<Vec<u8>>>;

/// A wire between the gateway and its broker that keeps every byte that the gateway sends.
fn wire(broker: u16) -> (u16, Heard) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let ear = Arc::clone(&heard);
    thread::spawn(move || {
        for gateway in listener.incoming() {
            let gateway = gateway.unwrap();
            let broker = TcpStream::connect(("127.0.0.1", broker)).unwrap();
            let (mut from, mut to) = (gateway.try_clone().unwrap(), broker.try_clone().unwrap());
            let ear = Arc::clone(&ear);
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(read @ 1..) = from.read(&mut bytes) {
                    ear.lock().unwrap().extend_from_slice(&bytes[..read]);
                    if to.write_all(&bytes[..read]).is_err() {
                        break;
                    }
                }
                let _ = to.shutdown(Shutdown::Both);
            });
            let (mut from, mut to) = (broker, gateway);
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
    });
    (port, heard)
}

/// A server that takes whatever is posted, and keeps every byte.
fn server() -> (u16, Heard) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let ear = Arc::clone(&heard);
    thread::spawn(move || {
        for guest in listener.incoming() {
            let mut guest = BufReader::new(guest.unwrap());
            let (mut length, mut head, mut line) = (0, String::new(), String::new());
            while guest.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                    length = value.trim().parse().unwrap();
                }
                head.push_str(&line);
                line.clear();
            }
            let mut body = vec![0; length];
            guest.read_exact(&mut body).unwrap();
            let mut ear = ear.lock().unwrap();
            ear.extend_from_slice(head.as_bytes());
            ear.extend_from_slice(&body);
            drop(ear);
            let taken = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n";
            guest.get_mut().write_all(taken).unwrap();
        }
    });
    (port, heard)
}

/// Somebody who is signed in.
struct Staff(Dashboard);

impl Staff {
    /// A page's text between two others, the first that there is.
    fn between(page: &str, before: &str, after: &str) -> String {
        let rest = page.split_once(before);
        let (_, rest) = rest.unwrap_or_else(|| panic!("no {before} in\n{page}"));
        rest.split(after).next().unwrap().to_owned()
    }

    fn form(&self, fields: &[(&str, &str)]) -> String {
        let csrf = Self::between(&self.0.get("/account"), "name=\"csrf\" value=\"", "\"");
        let mut form = format!("csrf={csrf}");
        for (name, value) in fields {
            write!(
                form,
                "&{name}={}",
                utf8_percent_encode(value, NON_ALPHANUMERIC)
            )
            .unwrap();
        }
        form
    }

    /// Sends a form that is taken.
    fn send(&self, path: &str, fields: &[(&str, &str)]) {
        let form = self.form(fields);
        let (status, _) = self.0.post(path, &form);
        assert_eq!(status, 303, "{path}: {}", self.0.text(path, &form));
    }

    /// The page that answers a form.
    fn page(&self, path: &str, fields: &[(&str, &str)]) -> String {
        self.0.text(path, &self.form(fields))
    }
}

/// Somebody of the register.
struct One {
    name: String,
    phone: String,
    card: String,
    company: String,
}

/// The nth: nobody shares a name, a phone or a card.
fn one(n: usize) -> One {
    const SURNAMES: [&str; 10] = [
        "欧阳", "司马", "诸葛", "上官", "夏侯", "尉迟", "皇甫", "公孙", "慕容", "宇文",
    ];
    const GIVEN: [char; 20] = [
        '岚', '璟', '霁', '翊', '琛', '沅', '彧', '珩', '旻', '晗', '筠', '澍', '菡', '煜', '昕',
        '朔', '芮', '珂', '骁', '瑾',
    ];
    One {
        name: format!(
            "{}{}{}",
            SURNAMES[n % 10],
            GIVEN[n / 10 % 20],
            GIVEN[n / 200 % 20]
        ),
        phone: format!("138{:08}", 10_000_019 + n * 7919),
        card: format!("{:07}X", 1_003_003 + n * 6007),
        company: format!("古北第{:02}贸易行", n % 30),
    }
}

/// So many come by the list; the others say of themselves that they are there.
const LISTED: usize = 400;
const DECLARED: usize = 12;

fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    for n in 0..LISTED + DECLARED {
        let it = one(n);
        for text in [&it.name, &it.phone, &it.card, &it.company] {
            secrets.add(text);
        }
    }
    secrets
}

/// A lobby; one feverish visitor comes at once.
const FEVER: &str = "name = \"lobby\"\nseed = 3\nduration_s = 600.0\n\
    [room]\nambient_c = 22.0\n\
    [blackbody]\nset_point_c = 37.0\nx = 0.16\ny = 0.84\n\
    [[visitor]]\narrive_s = 0.5\nenter = \"left\"\nleave = \"right\"\nwalk_s = 1.5\n\
    stand_s = 5.0\ndistance_m = 0.72\nlateral_m = 0.04\ncore_c = 39.2\n";

/// What stands in the clear on purpose: in the report, for the broker; in a step's reason, and in the building's
/// name, for the notifiers.
const IN_REPORT: &str = "对照文字放在日报里";
const BUILDING: &str = "对照楼宇海鸥大厦";
/// Who does everything: staff's names stand in the audit.
const MANAGER: &str = "对照经理王";

fn write(folder: &Path, broker: u16, webhook: u16) {
    let here = folder.display();
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    put("fever.toml", FEVER);
    let rules = include_str!("../../src/people/rules.toml");
    put("rules.toml", &rules.replace("\"16:00\"", "\"00:00\""));
    put("address", &format!("http://127.0.0.1:{webhook}/hook\n"));
    put(
        "ring",
        &format!("#!/bin/sh\ncd {here}\nprintf '%s ' \"$1\" >>rung\ncat >>rung\necho >>rung\n"),
    );
    fs::set_permissions(folder.join("ring"), fs::Permissions::from_mode(0o700)).unwrap();
    put(
        "site.toml",
        &format!(
            "[site]\nname_zh = \"{BUILDING}\"\n\
             [camera]\nsource = \"simulator\"\nscenario = \"{here}/fever.toml\"\n\
             [web]\nlisten = \"127.0.0.1:0\"\naddress = \"https://menshen.example\"\n\
             [store]\nfolder = \"{here}/data\"\n\
             [people]\nrules = \"{here}/rules.toml\"\n\
             [mqtt]\nenabled = true\nhost = \"127.0.0.1\"\nport = {broker}\nhome_assistant = true\n\
             [alerts]\nhook = \"{here}/ring\"\n\
             [notify_webhook]\nurl_file = \"{here}/address\"\n"
        ),
    );
    let mut list = "姓名,手机,单位,楼层,证件号后几位,来自,返沪日期\n".to_owned();
    // Some are back since yesterday, and nothing was said of their health yet.
    let yesterday = jiff::Zoned::now().date().yesterday().unwrap();
    for n in 0..LISTED {
        let it = one(n);
        let from = ["湖北武汉", "浙江温州", "江苏苏州"][n % 3];
        let back = if n % 30 == 3 {
            yesterday.to_string()
        } else {
            String::new()
        };
        writeln!(
            list,
            "{},{},{},{},{},{from},{back}",
            it.name,
            it.phone,
            it.company,
            n % 40,
            it.card
        )
        .unwrap();
    }
    // One that is refused: its line is said, not what stands in it.
    let it = one(LISTED);
    writeln!(
        list,
        "{},{}9,{},1,{},,",
        it.name, it.phone, it.company, it.card
    )
    .unwrap();
    put("list.csv", &list);
}

/// Everything that people do with the register, and much of what they do beside it. Gives the alert that was
/// somebody's of the register.
fn a_morning(staff: &Staff, gateway: &mut Program) {
    let page = staff.0.get("/people/posters?places=east");
    let poster = format!(
        "/declare/{}",
        Staff::between(&page, "/declare/", "<").trim()
    );
    let (mut codes, mut feverish) = (Vec::new(), String::new());
    for n in LISTED..LISTED + DECLARED {
        let it = one(n);
        let declared = staff.page(
            &poster,
            &[
                ("name", &it.name),
                ("phone", &it.phone),
                ("company", &it.company),
                ("from", if n % 2 == 0 { "湖北武汉" } else { "" }),
                ("symptoms", "none"),
                ("contact", "no"),
                ("agree", "yes"),
            ],
        );
        codes.push(Staff::between(&declared, "<p class=\"code digits\">", "<"));
    }
    let alert = gateway.wait("the alert", |_| staff.0.alerts().pop());
    let alert = alert["id"].as_str().unwrap().to_owned();
    for (n, code) in codes.iter().enumerate() {
        let glance = staff.page("/gate/check", &[("code", code)]);
        let person = Staff::between(&glance, "name=\"person\" value=\"", "\"");
        let passage = if n % 2 == 0 { "turned_back" } else { "entered" };
        let screening = if n == 1 { alert.as_str() } else { "" };
        if n == 1 {
            feverish.clone_from(&person);
        }
        staff.send(
            "/gate/pass",
            &[
                ("person", &person),
                ("passage", passage),
                ("screening", screening),
            ],
        );
    }
    staff.send("/gate/count", &[("passage", "courier")]);
    let today = jiff::Zoned::now().date().to_string();
    let it = one(0);
    let planned = [
        ("date", today.as_str()),
        ("company", &it.company),
        ("people", "20"),
    ];
    staff.send("/people/companies/plan", &planned);
    let found = staff.page("/people/find", &[("text", &it.phone)]);
    let person = Staff::between(&found, "<th scope=\"row\"><a href=\"/people/", "\"");
    let why = [
        ("to", "purple"),
        ("on", today.as_str()),
        ("why", "电话核实"),
    ];
    staff.send(&format!("/people/{person}/move"), &why);
    let ill = [
        ("temperature", "38.5"),
        ("symptoms", "fever"),
        ("date", today.as_str()),
    ];
    staff.send(&format!("/people/{person}/health"), &ill);
    staff.page("/people/taken", &[("show", "red"), ("ending", "csv")]);
    staff.page(&format!("/people/{person}/export"), &[]);

    // The fever was confirmed, of somebody who had said that the screening is theirs.
    staff.send(&format!("/alerts/{alert}/acknowledge"), &[("by", MANAGER)]);
    let found = [
        ("by", MANAGER),
        ("outcome", "confirmed"),
        ("device", "Omron 3"),
        ("site", "axilla"),
        ("mode", "monitor"),
        ("value", "38.9"),
    ];
    staff.send(&format!("/alerts/{alert}/resolve"), &found);
    let page = format!("/people/{feverish}");
    gateway.wait("the proposal", |_| {
        staff.0.get(&page).contains("id=\"proposal\"").then_some(())
    });
    let report = format!("/report/{today}");
    staff.send(
        &format!("{report}/innovation"),
        &[("by", MANAGER), ("text", IN_REPORT)],
    );
    let seen = Staff::between(&staff.0.get(&report), "name=\"seen\" value=\"", "\"");
    staff.send(
        &format!("{report}/submit"),
        &[("by", MANAGER), ("seen", &seen)],
    );
}

/// A manager, made by the administrator of a first start.
fn manager(gateway: &mut Program) -> Staff {
    let admin = Staff(gateway.dashboard());
    let given = admin.page("/accounts", &[("name", MANAGER), ("role", "manager")]);
    let code = Staff::between(&given, "<p class=\"code digits\">", "<");
    let password = "password=nine+yellow+oyster+boats&again=nine+yellow+oyster+boats";
    let cookie = admin
        .0
        .cookie_of("/setup", &format!("code={code}&{password}"));
    Staff(Dashboard {
        address: admin.0.address,
        cookie,
    })
}

/// Waits until everything that was done has gone out by its way.
fn all_is_out(gateway: &mut Program, street: &Subscriber, posted: &Heard) {
    // The day's totals arrive, with everybody in them: two of three on the list come from a key region, and half
    // of those who declared.
    let followed = (0..LISTED).filter(|n| n % 3 < 2).count() + DECLARED / 2;
    let totals = gateway.wait("the totals of all", |_| {
        let (retained, last) = street.on("/state/followup").pop()?;
        let colours = last["colours"].as_object().unwrap();
        let people: u64 = colours.values().filter_map(serde_json::Value::as_u64).sum();
        (!retained && people == followed as u64).then_some(last)
    });
    assert_eq!(totals["sources"]["population"], LISTED, "{totals}");
    assert_eq!(totals["sources"]["declared"], DECLARED, "{totals}");
    gateway.wait("the report at the street", |_| {
        street.heard_text().contains(IN_REPORT).then_some(())
    });
    gateway.wait("the word of what became of the alert", |_| {
        street.kind("/event/alert", "resolved").pop()
    });
    gateway.wait("Home Assistant's description", |_| {
        let topics = street.topics();
        topics
            .iter()
            .any(|it| it.starts_with("homeassistant/"))
            .then_some(())
    });
    gateway.wait("the reminder at the webhook", |_| {
        let text = String::from_utf8_lossy(&posted.lock().unwrap()).into_owned();
        (text.contains("\"people_due\"") && text.contains("alert_resolved")).then_some(())
    });
}

#[test]
fn nothing_of_anybody_leaves_the_building_and_no_file_says_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let broker = Broker::start(&here.join("broker"))
        .unwrap_or_else(|error| panic!("no broker to test with: {error}"));
    let street = Subscriber::start(broker.port(), "#");
    let ((to_broker, on_wire), (webhook, posted)) = (wire(broker.port()), server());
    write(here, to_broker, webhook);
    let arguments = [
        "people",
        "import",
        "list.csv",
        "--config",
        "site.toml",
        "--by",
        MANAGER,
    ];
    let (code, said, complained) = outcome(here, &arguments);
    assert_eq!(code, Some(0), "{complained}");
    assert!(
        said.contains(&format!("new {LISTED} ")) && said.contains("line 402"),
        "{said}"
    );

    let mut gateway = Program::start(here, &["run", "--config", "site.toml"]);
    let staff = manager(&mut gateway);
    a_morning(&staff, &mut gateway);
    all_is_out(&mut gateway, &street, &posted);
    let (code, _, err) = outcome(here, &["backup", "--config", "site.toml"]);
    assert_eq!(code, Some(0), "{err}");

    let mut secrets = secrets();
    for mark in [IN_REPORT, BUILDING, MANAGER] {
        secrets.add(mark);
    }
    let only =
        |marks: &[&str]| -> BTreeSet<String> { marks.iter().map(ToString::to_string).collect() };
    // While it runs: the database with its log.
    let in_files = only(&[IN_REPORT, MANAGER, BUILDING]);
    assert_eq!(
        secrets.below(&here.join("data")),
        in_files,
        "the files of the running gateway"
    );
    gateway.terminate();
    assert_eq!(gateway.ended().code(), Some(0), "{}", gateway.err());
    assert_eq!(secrets.below(&here.join("data")), in_files, "the files");
    let wire = on_wire.lock().unwrap().clone();
    assert_eq!(
        secrets.in_bytes(&wire),
        only(&[IN_REPORT]),
        "the wire to the broker"
    );
    let (topics, texts) = (street.topics().join("\n"), street.heard_text());
    assert_eq!(secrets.in_bytes(topics.as_bytes()), only(&[]), "topics");
    assert_eq!(
        secrets.in_bytes(texts.as_bytes()),
        only(&[IN_REPORT]),
        "payloads"
    );
    assert_eq!(
        secrets.below(&here.join("broker")),
        only(&[]),
        "the broker's files"
    );
    let posted = posted.lock().unwrap().clone();
    assert_eq!(
        secrets.in_bytes(&posted),
        only(&[BUILDING]),
        "what was posted"
    );
    let rung = fs::read(here.join("rung")).unwrap();
    assert_eq!(
        secrets.in_bytes(&rung),
        only(&[BUILDING]),
        "what the program was told"
    );
    let logged = format!("{said}{complained}{}{}", gateway.out(), gateway.err());
    assert_eq!(secrets.in_bytes(logged.as_bytes()), only(&[]), "the log");
    // The list that was read in lies beside: somebody left in the clear is found, each of them.
    let left: BTreeSet<String> = secrets.in_bytes(&fs::read(here.join("list.csv")).unwrap());
    assert_eq!(left.len(), (LISTED + 1) * 3 + 30);
}

#[test]
fn what_stands_in_the_clear_is_found_in_each_way_of_writing_it() {
    let secrets = secrets();
    let it = one(7);
    let hidden = written(&it);
    for text in [
        format!("{{\"who\":\"{}\"}}", it.name),
        format!("{{\"who\":\"{}\"}}", hidden.0),
        format!("GET /people?name={}", hidden.1),
        format!("tel:+86{}", it.phone),
        format!("id={}", it.card),
        format!("x{}", it.company),
    ] {
        assert_eq!(secrets.in_bytes(text.as_bytes()).len(), 1, "{text}");
    }
    assert!(
        secrets
            .in_bytes("王** 古北 138****0013".as_bytes())
            .is_empty()
    );
}

/// A name as JSON escapes it, and as an address has it.
fn written(it: &One) -> (String, String) {
    let escaped = it.name.encode_utf16().fold(String::new(), |mut all, unit| {
        write!(all, "\\u{unit:04x}").unwrap();
        all
    });
    (
        escaped,
        utf8_percent_encode(&it.name, NON_ALPHANUMERIC).to_string(),
    )
}
