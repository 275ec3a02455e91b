//! A street of thirteen sites in a real ledger, and its pages behind a real socket with a clock that stands still.

use crate::browser::Browser;
use menshen::account::{Accounts, Act, Change, Digest, Keys, NewAccount, Session};
use menshen::calendar::TimeOfDay;
use menshen::checklist::SiteKind;
use menshen::clock::{BootId, Clock, ClockTrust, SimulatedClock, Stamp, WallTime};
use menshen::config::checklist::versions;
use menshen::mqtt::{Address, Heard};
use menshen::staff::Role;
use menshen::store::Store;
use menshen::street::sqlite::SqliteLedger;
use menshen::street::{Ledger, Listed, Lists};
use menshen::text::Note;
use menshen::web::street::{StreetOffice, serve};
use menshen::web::{Pages, Transport};
use serde_json::{Value, json};
use sha2::Digest as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// 2020-02-24 12:00 UTC: noon or evening of the day, wherever the test runs between UTC−12 and +11.
const NOW: WallTime = WallTime(1_582_545_600_000);

fn stamp() -> Stamp {
    Stamp {
        boot: BootId(1),
        monotonic: Duration::from_hours(2),
        wall: NOW,
        trust: ClockTrust::Synchronised,
    }
}

pub(crate) fn state(building: &str, end: &str, payload: &Value) -> Heard {
    Heard {
        topic: format!("menshen/v1/dongfang/{building}/main/{end}"),
        payload: payload.to_string().into_bytes(),
    }
}

pub(crate) fn letter(building: &str, end: &str, seq: u64, mut payload: Value) -> Heard {
    payload["seq"] = json!(seq);
    state(building, end, &payload)
}

/// A gate that numbers what it says.
pub(crate) struct Sender {
    building: &'static str,
    seq: u64,
}

impl Sender {
    pub(crate) fn new(building: &'static str, seq: u64) -> Self {
        Self { building, seq }
    }

    pub(crate) fn alert(&mut self, id: &str, kind: &str, late: bool) -> Heard {
        self.seq += 1;
        let mut payload = json!({"v":1,"epoch":"e","id":id,"kind":kind,"at":"2020-02-24T11:58:00Z","clock":"synced","gate":"main"});
        match kind {
            "raised" => {
                for (key, value) in [
                    ("face_c", 36.5),
                    ("face_u_k", 0.4),
                    ("estimate_c", 38.9),
                    ("estimate_u_k", 0.9),
                    ("threshold_c", 37.9),
                ] {
                    payload[key] = json!(value);
                }
            }
            "resolved" => payload["outcome"] = json!("referred"),
            _ => {}
        }
        if late {
            payload["late"] = json!(true);
        }
        letter(self.building, "event/alert", self.seq, payload)
    }
}

/// Name, kind and phone of the sites; the last two are never heard, or in no list.
const SITES: [(&str, &str, SiteKind); 13] = [
    ("no-01", "翠湖花园", SiteKind::Residential),
    ("no-02", "东方新村", SiteKind::Residential),
    ("no-03", "静安大厦", SiteKind::Office),
    ("no-04", "环球商务楼", SiteKind::Office),
    ("no-05", "老街面馆", SiteKind::StreetShop),
    ("no-06", "街道事务受理中心", SiteKind::PublicUnit),
    ("no-07", "滨江公寓", SiteKind::TalentApartment),
    ("no-08", "青年人才公寓", SiteKind::TalentApartment),
    ("no-09", "地铁十四号线工地", SiteKind::Other),
    ("no-10", "苏河湾中心", SiteKind::Office),
    ("no-11", "新华书店", SiteKind::StreetShop),
    ("no-12", "第三小学", SiteKind::PublicUnit),
    ("no-99", "未接入的楼", SiteKind::Residential),
];

fn listed() -> Vec<Listed> {
    let site = |(at, (building, name, kind)): (usize, (&str, &str, SiteKind))| Listed {
        address: Address::new("dongfang", building, "main").unwrap(),
        name: name.to_owned(),
        kind: (building == "no-99").then_some(kind),
        contact: Some(format!("{}经理", ["王", "李", "张", "陈"][at % 4])),
        phone: Some(format!("021-5555 01{:02}", at + 1)),
    };
    SITES.into_iter().enumerate().map(site).collect()
}

/// A day's report of a site.
fn report(building: &str, kind: SiteKind, seq: u64, bad: bool) -> Heard {
    let list = versions(kind).unwrap().pop().unwrap();
    let items = list.items().iter().enumerate().map(|(at, it)| {
        let mut item = json!({"id":it.id.as_str(),"category":it.category.as_str(),"duty":it.duty.as_str(),"done":1});
        if bad && at % 9 == 2 {
            item = json!({"id":it.id.as_str(),"category":it.category.as_str(),"duty":it.duty.as_str(),"missed":1});
        }
        item
    });
    let items: Vec<Value> = items.collect();
    let failed = if bad {
        json!([{"id":list.items()[0].id.as_str(),"time":1,"why":"口罩只够半天","action":"下午四点前补货","deadline":"x"}])
    } else {
        json!([])
    };
    let payload = json!({"v":1,"epoch":"e","date":"2020-02-24","revision":1,"part":1,"of":1,"site":kind.as_str(),"template":list.version,
        "screened":{"clear":300,"retest":6,"possible_fever":u32::from(bad),"cannot_judge":12},"items":items,"failed":failed,
        "alerts": if bad { json!([{"id":"1-4","raised":"x","end":null}]) } else { json!([]) },
        "colours":{"red":3,"green":21},"colours_below":{"purple":5},
        "innovations": if bad { json!(["电梯按钮旁挂牙签盒，一次一根，用完即弃"]) } else { json!([]) },"gate":"main"});
    letter(building, "report/2020-02-24", seq, payload)
}

/// Everything that came on one day of a street.
pub(crate) fn a_street() -> Vec<Heard> {
    let mut all = Vec::new();
    for (at, (building, _, kind)) in SITES.into_iter().enumerate().take(12) {
        let bad = at % 5 == 2;
        let presence = if building == "no-07" {
            "offline"
        } else {
            "online"
        };
        all.push(state(building, "status/gateway", &json!({"v":1,"epoch":"e","state":presence,"version":"0.1.0","basis":"reference","clock":"synced","at":"2020-02-24T00:10:00Z"})));
        let required = if bad {
            json!({"done":17,"late":1,"missed":3,"overdue":2,"failed":2})
        } else {
            json!({"done":25})
        };
        let escalated = if bad {
            let list = versions(kind).unwrap().pop().unwrap();
            let items = list
                .items()
                .iter()
                .filter(|it| it.duty == menshen::checklist::Duty::Required)
                .take(4);
            items.map(|it| json!({"item":it.id.as_str(),"group":it.group.as_str(),"overdue":1,"missed":0,"failed":0,"since":"2020-02-24T03:00:00Z"})).collect()
        } else {
            Vec::new()
        };
        let v = if building == "no-10" { 2 } else { 1 };
        all.push(state(building, "state/checklist", &json!({"v":v,"epoch":"e","date":"2020-02-24","site":kind.as_str(),"template":1,"required":required,"optional":{"done":6 + at % 8,"open":8 - at % 8},
            "screened":{"clear":120 + 13 * at,"retest":at,"possible_fever":u32::from(bad),"cannot_judge":4},"overdue":{},"escalated":escalated,"submitted":false,"revision":1,"at":"x","clock":"synced"})));
        all.push(state(building, "state/followup", &json!({"v":1,"epoch":"e","date":"2020-02-24","colours":{"red":at,"green":20},"colours_below":{"purple":5},"sources":{},"sources_below":{},"overdue":0,"without_health":0,"at":"x","clock":"synced"})));
        let faults = match at {
            8 => json!(["reference_lost"]),
            9 => json!(["calibration_due"]),
            _ => json!([]),
        };
        all.push(state(
            building,
            "state/faults",
            &json!({"v":1,"epoch":"e","standing":faults,"at":"x","clock":"synced"}),
        ));
        let open = if bad { json!(["1-4"]) } else { json!([]) };
        all.push(state(
            building,
            "state/alerts",
            &json!({"v":1,"epoch":"e","open":u32::from(bad),"ids":open,"at":"x","clock":"synced"}),
        ));
        if bad {
            let mut gate = Sender { building, seq: 1 };
            all.push(gate.alert("1-4", "raised", false));
            if at > 2 {
                all.push(gate.alert("1-4", "acknowledged", false));
            }
        }
        if at % 3 != 0 {
            all.push(report(building, kind, 40, bad));
        }
    }
    all.push(Heard {
        topic: "menshen/v1/dongfang/no-02/main/event/alert".to_owned(),
        payload: b"{\"v\":1,\"epoch\":\"e\",\"seq\":1,\"gate\":\"side\"}".to_vec(),
    });
    all.push(Heard {
        topic: "menshen/v1/dongfang/no-03/main/event/alert".to_owned(),
        payload: b"no json".to_vec(),
    });
    all
}

/// The pages.
pub(crate) struct Office {
    pub(crate) address: SocketAddr,
    ledger: Arc<dyn Ledger>,
    stop: CancellationToken,
    _runtime: Runtime,
    _folder: tempfile::TempDir,
}

fn token(role: Role) -> String {
    format!("token-of-{}", role.as_str())
}

fn digest(secret: &str) -> Digest {
    Digest(sha2::Sha256::digest(secret.as_bytes()).into())
}

/// One who is signed in, of each role.
fn people(store: &Store) {
    let act = Act {
        by: "test",
        at: stamp(),
    };
    for role in Role::ALL {
        let new = NewAccount {
            name: Note::name(role.en()).unwrap(),
            role: *role,
            shared: false,
            keys: Keys::default(),
        };
        let account = store.create(&new, act).unwrap().unwrap();
        let usable = Change::Password("none that opens".to_owned());
        store.change(account, &usable, None, act).unwrap();
        let session = Session {
            token: digest(&token(*role)),
            account,
            begun: stamp(),
            seen: stamp(),
        };
        store.begin(&session, "", act).unwrap();
    }
}

impl Office {
    /// Of a street that has said all this.
    pub(crate) fn open(said: impl FnOnce() -> Vec<Heard>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger: Arc<dyn Ledger> =
            Arc::new(SqliteLedger::open(&folder.path().join("street.db")).unwrap());
        let before = WallTime(NOW.0 - 120_000);
        ledger.take(&said(), before).unwrap();
        let store = Store::open(&folder.path().join("pages"), Vec::new()).unwrap();
        people(&store);
        let templates: Vec<_> = SiteKind::ALL
            .iter()
            .flat_map(|it| versions(*it).unwrap())
            .collect();
        let clock: Arc<dyn Clock> = Arc::new(SimulatedClock::at(stamp()));
        let office = StreetOffice {
            street: "dongfang".to_owned(),
            name: "东方街道".to_owned(),
            accounts: Arc::new(store),
            clock,
            ledger: Arc::clone(&ledger),
            listed: listed().into(),
            report_by: TimeOfDay::new(23, 59).unwrap(),
            lists: Arc::new(Lists::of(&templates)),
        };
        let runtime = Runtime::new().unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let pages = Pages {
            listener,
            transport: Transport::Plain,
            metrics: None,
        };
        runtime.spawn(serve(pages, office, stop.clone()));
        let office = Self {
            address,
            ledger,
            stop,
            _runtime: runtime,
            _folder: folder,
        };
        // They answer once the ledger was read.
        let (status, page) = office.get("/", Role::Admin);
        assert!(
            status == 200 && page.contains("t-online"),
            "{status}: {page}"
        );
        office
    }

    /// A gate says something.
    pub(crate) fn hear(&self, said: &[Heard]) {
        self.ledger.take(said, NOW).unwrap();
    }

    /// Lets a browser in.
    pub(crate) fn admit(&self, browser: &Browser, role: Role) {
        browser.devtools(
            "Network.setCookie",
            &json!({"name":"menshen-session","value":token(role),"url":format!("http://{}/", self.address)}),
        );
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        role: Option<Role>,
        form: &str,
    ) -> ureq::http::Response<ureq::Body> {
        let url = format!("http://{}{path}", self.address);
        let cookie = role.map_or_else(String::new, |it| format!("menshen-session={}", token(it)));
        if method == "GET" {
            ureq::get(url)
                .config()
                .http_status_as_error(false)
                .max_redirects(0)
                .timeout_recv_body(Some(Duration::from_secs(20)))
                .build()
                .header("Cookie", cookie)
                .call()
                .unwrap()
        } else {
            ureq::post(url)
                .config()
                .http_status_as_error(false)
                .max_redirects(0)
                .build()
                .header("Cookie", cookie)
                .header("Origin", format!("http://{}", self.address))
                .content_type("application/x-www-form-urlencoded")
                .send(form)
                .unwrap()
        }
    }

    /// Status and text; of a stream, which has no end, only the status.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        role: Option<Role>,
        form: &str,
    ) -> (u16, String) {
        let mut answer = self.send(method, path, role, form);
        let status = answer.status().as_u16();
        let kind = answer.headers().get("content-type");
        let is_stream =
            kind.is_some_and(|it| it.to_str().unwrap().starts_with("text/event-stream"));
        if is_stream {
            return (status, String::new());
        }
        let bytes = answer.body_mut().read_to_vec().unwrap();
        (status, String::from_utf8_lossy(&bytes).into_owned())
    }

    pub(crate) fn get(&self, path: &str, role: Role) -> (u16, String) {
        self.ask("GET", path, Some(role), "")
    }

    pub(crate) fn bytes(&self, path: &str, role: Role) -> (u16, Vec<u8>) {
        let mut answer = self.send("GET", path, Some(role), "");
        let status = answer.status().as_u16();
        (status, answer.body_mut().read_to_vec().unwrap())
    }

    /// Sends a form with its session's word.
    pub(crate) fn post(&self, path: &str, form: &str, role: Role) -> (u16, String) {
        let page = self.get("/account", role).1;
        let rest = page.split("name=\"csrf\" value=\"").nth(1).unwrap();
        let csrf = rest.split('"').next().unwrap();
        self.ask("POST", path, Some(role), &format!("{form}&csrf={csrf}"))
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
