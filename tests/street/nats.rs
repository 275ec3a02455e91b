//! The same over NATS, with the configuration that is shipped (`deploy/nats`): its accounts, its rights, its
//! sessions. Where no nats-server is installed, one line says so and nothing is tried.

use crate::collector::{Gate, account, collect, eventually};
use crate::common::tempfolder;
use menshen::command::CommandName;
use menshen::mqtt::Address;
use menshen::mqtt::dial::Account;
use menshen::mqtt::probe::{Rights, rights};
use menshen::secret::Secret;
use menshen::street::ledger::Ledger;
use menshen::street::sqlite::SqliteLedger;
use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const PROGRAMS: [&str; 2] = ["nats-server", "/usr/sbin/nats-server"];

/// A running server; killed when dropped.
struct Nats {
    configuration: PathBuf,
    port: u16,
    child: Child,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn spawn(configuration: &Path) -> Option<Child> {
    let log = fs::File::create(configuration.with_extension("log")).unwrap();
    PROGRAMS.iter().find_map(|program| {
        let spawned = Command::new(program)
            .arg("-c")
            .arg(configuration)
            .env("GATE_NO_12_NORTH", "\"a password of the gate\"")
            .env("STREET_DONGFANG", "\"a password of the office\"")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.try_clone().unwrap())
            .spawn();
        match spawned {
            Ok(child) => Some(child),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => panic!("{error}"),
        }
    })
}

impl Nats {
    /// With the shipped configuration, on ports and in a folder of its own; `None` where there is none.
    fn start(folder: &Path) -> Option<Self> {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nats/nats-server.conf");
        let (port, other) = (free_port(), free_port());
        let text = fs::read_to_string(shipped)
            .unwrap()
            .replace("/var/lib/nats", folder.join("nats").to_str().unwrap())
            .replace("127.0.0.1:4222", &format!("127.0.0.1:{other}"))
            .replace("127.0.0.1:1883", &format!("127.0.0.1:{port}"));
        let configuration = folder.join("nats-server.conf");
        fs::write(&configuration, text).unwrap();
        let child = spawn(&configuration)?;
        let mut server = Self {
            configuration,
            port,
            child,
        };
        server.answers();
        Some(server)
    }

    /// Waits until it listens.
    fn answers(&mut self) {
        for _ in 0..2400 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            let log = self.configuration.with_extension("log");
            assert!(ended.is_none(), "{}", fs::read_to_string(log).unwrap());
            sleep(Duration::from_millis(50));
        }
        panic!("nats-server never listened");
    }

    fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(&self.configuration).unwrap();
        self.answers();
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_street_works_over_nats_as_it_is_shipped() {
    let folder = tempfolder();
    let folder = folder.path();
    let Some(mut nats) = Nats::start(folder) else {
        println!("skipped: nats-server is not installed (apt-get install nats-server)");
        return;
    };
    let text = format!(
        "[street]\nid = \"dongfang\"\n[mqtt]\nport = {}\nusername = \"street-dongfang\"\n\
         password_file = \"password\"\n",
        nats.port
    );
    fs::write(folder.join("street.toml"), text).unwrap();
    fs::write(folder.join("password"), "a password of the office\n").unwrap();
    let _collector = collect(folder);
    let ledger = SqliteLedger::open(&folder.join("street.db")).unwrap();
    let own = Account {
        username: Some("dongfang.no-12.north".to_owned()),
        password: Some(Secret::new("a password of the gate".to_owned())),
        ..account("north", nats.port)
    };
    let gate = Gate::at(
        folder,
        &Address::new("dongfang", "no-12", "north").unwrap(),
        own.clone(),
        &[CommandName::Notice],
    );
    gate.record(1..=50);
    eventually("everything acknowledged", || gate.waiting() == 0).await;
    nats.restart();
    gate.record(51..=100);
    eventually("everything acknowledged", || gate.waiting() == 0).await;
    assert_eq!(gate.kept(&ledger), (1..=100).collect::<Vec<u64>>());
    assert!(ledger.quarantine(1).unwrap().is_empty());
    // How it stands has come, too, and nobody speaks for another gate.
    eventually("how it stands", || {
        ledger.states(Some(&gate.address)).unwrap().len() >= 3
    })
    .await;
    assert_eq!(rights(&own, &gate.address).await, Ok(Rights::Own));
}
