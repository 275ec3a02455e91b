//! A throw-away PostgreSQL server: a folder of its own, this machine's loopback and a socket, no password,
//! nothing of it left behind.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests, of which each test program uses a part, fail as tests do"
)]

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;
use tempfile::TempDir;

/// Looks of 50 ms for the server to answer: two minutes.
const LOOKS: u32 = 2400;

/// A running server; gone when dropped.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

/// Where Debian keeps the server's programs: not on the path.
fn program(name: &str) -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|it| it.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    versions.sort();
    let newest = versions.pop().expect("PostgreSQL is installed: make deps");
    newest.join("bin").join(name)
}

/// A program of the server's. It refuses to run as root: then it runs as nobody.
fn command(name: &str) -> Command {
    if !is_root() {
        return Command::new(program(name));
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
        .arg(program(name));
    command
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

impl Server {
    /// Makes one with an empty database `street`, whose owner is `street`.
    pub(crate) fn start() -> Self {
        Self::start_with("fsync = off\n")
    }

    /// Makes one with these lines of configuration.
    pub(crate) fn start_with(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            chown(folder.path(), Some(65534), Some(65534)).unwrap();
        }
        let data = folder.path().join("data");
        let made = command("initdb")
            .arg("-D")
            .arg(&data)
            .args(["-U", "street", "-A", "trust", "-E", "UTF8"])
            .args(["--no-locale", "--no-sync"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|it| it.local_addr())
            .unwrap()
            .port();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\n\
             log_min_messages = warning\n{more}",
            folder.path().display()
        );
        fs::write(data.join("postgresql.auto.conf"), settings).unwrap();
        let mut server = Self {
            folder,
            port,
            child: None,
        };
        server.restart();
        server.psql("postgres", "CREATE DATABASE street");
        server
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("postgres://street@127.0.0.1:{}/street", self.port)
    }

    /// Its folder: files for it can be put there.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Gives it a file that only it may read.
    pub(crate) fn give(&self, name: &str, content: &[u8]) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            chown(&file, Some(65534), Some(65534)).unwrap();
        }
        file
    }

    /// Has it do something, as its owner.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        let output = Command::new(program("psql"))
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(["-U", "street", "-d", database, "-Atqc", sql])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Ends it at once, as a crash would (SIGQUIT): what is committed is there after the restart.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let told = Command::new("kill")
                .args(["-QUIT", &child.id().to_string()])
                .status();
            assert!(told.unwrap().success());
            child.wait().unwrap();
        }
    }

    /// Starts it again.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let mut child = command("postgres")
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        for _ in 0..LOOKS {
            let ended = child.try_wait().unwrap();
            let answers = Command::new(program("pg_isready"))
                .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
                .status()
                .unwrap();
            if answers.success() {
                self.child = Some(child);
                return;
            }
            if ended.is_some() {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start: {log}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
