//! A throw-away Mosquitto as a child process, for demonstrations and tests: on this machine's
//! loopback only, on a free port, without passwords unless asked for.
//!
//! No broker for a building: that one is installed by the system, with users and persistence
//! (`persistence true`: without it, what the broker accepted dies with it).
//!
//! Everything here blocks for as long as a process takes to start (tens of milliseconds).

use crate::secret::Secret;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Where Mosquitto may be: on the path of programs, or where Debian puts it (which is not on every
/// user's path).
const PROGRAMS: [&str; 2] = ["mosquitto", "/usr/sbin/mosquitto"];
/// Waits of 10 ms for the broker to listen: 10 s in all.
const PATIENCE: u32 = 1000;
/// Ports tried, where another program takes the one that was free a moment ago.
const ATTEMPTS: u32 = 5;

/// Who may connect.
#[derive(Clone, Debug, Default)]
pub enum Access {
    /// Whoever reaches this machine's loopback.
    #[default]
    Anyone,
    /// One user.
    User {
        /// Name.
        name: String,
        /// Password.
        password: Secret<String>,
    },
}

/// What the broker keeps when it dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keeping {
    /// Nothing.
    #[default]
    Nothing,
    /// Everything that it accepted, by writing its whole state after every message. Slow where a
    /// subscriber is behind: 100 000 messages took 277 s instead of 6 s on the same machine.
    Everything,
}

/// How to run the broker.
#[derive(Clone, Debug, Default)]
pub struct BrokerSettings {
    /// Who may connect.
    pub access: Access,
    /// What it keeps when it dies.
    pub keeping: Keeping,
    /// Further lines of its configuration.
    pub more: String,
}

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Mosquitto is not installed.
    #[error(
        "mosquitto is not installed: sudo apt install mosquitto (or name a broker of your own)"
    )]
    Missing,
    /// Its files could not be written.
    #[error(
        "cannot prepare the broker's folder {folder}: {source}. Choose one that can be written"
    )]
    Folder {
        /// Which.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It ended at once, or never listened.
    #[error("mosquitto did not start; its log says: {0}")]
    Failed(String),
    /// The system did not let us.
    #[error("mosquitto could not be run: {0}")]
    System(#[from] io::Error),
}

/// A running broker; killed when dropped.
#[derive(Debug)]
pub struct Broker {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Broker {
    /// Starts a broker with its files in this folder, for anyone on this machine; it keeps nothing
    /// when it dies.
    ///
    /// # Errors
    /// [`BrokerError`]; its text says what to do.
    pub fn start(folder: &Path) -> Result<Self, BrokerError> {
        Self::start_with(folder, &BrokerSettings::default())
    }

    /// Starts a broker.
    ///
    /// # Errors
    /// [`BrokerError`]; its text says what to do.
    pub fn start_with(folder: &Path, settings: &BrokerSettings) -> Result<Self, BrokerError> {
        let mut failure = BrokerError::Failed("no free port".to_owned());
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
                .local_addr()?
                .port();
            configure(folder, port, settings)?;
            let mut broker = Self {
                folder: folder.to_owned(),
                port,
                child: None,
            };
            match broker.restart() {
                Ok(()) => return Ok(broker),
                Err(error @ BrokerError::Failed(_)) => failure = error,
                Err(error) => return Err(error),
            }
        }
        Err(failure)
    }

    /// Address for clients.
    #[must_use]
    pub fn host(&self) -> String {
        Ipv4Addr::LOCALHOST.to_string()
    }

    /// Port for clients; the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it without a word (SIGKILL), as a power cut would.
    ///
    /// # Errors
    /// Where the system does not let us.
    pub fn kill(&mut self) -> Result<(), BrokerError> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Has it read its files of passwords and rights again (SIGHUP).
    ///
    /// # Errors
    /// Where the system does not let us.
    pub fn reload(&self) -> Result<(), BrokerError> {
        if let Some(child) = &self.child {
            let process = rustix::process::Pid::from_child(child);
            rustix::process::kill_process(process, rustix::process::Signal::HUP)
                .map_err(io::Error::from)?;
        }
        Ok(())
    }

    /// Starts it again on the same port, after a kill; kills it first where it still runs.
    ///
    /// # Errors
    /// [`BrokerError`]; its text says what to do.
    pub fn restart(&mut self) -> Result<(), BrokerError> {
        self.kill()?;
        let log = fs::File::create(self.log()).map_err(|source| self.unwritable(source))?;
        self.child = Some(spawn(&PROGRAMS, &self.folder.join("mosquitto.conf"), &log)?);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        for _ in 0..PATIENCE {
            let ended = match &mut self.child {
                Some(child) => child.try_wait()?.is_some(),
                None => true,
            };
            if ended {
                break;
            }
            // Its own log, not the port alone: another program may have taken the port meanwhile.
            let running = fs::read_to_string(self.log()).is_ok_and(|log| log.contains(" running"));
            if running && TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
            sleep(Duration::from_millis(10));
        }
        self.kill()?;
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        Err(BrokerError::Failed(log.trim().replace('\n', "; ")))
    }

    /// Where it writes what it does.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.folder.join("mosquitto.log")
    }

    /// For errors.
    fn unwritable(&self, source: io::Error) -> BrokerError {
        BrokerError::Folder {
            folder: self.folder.clone(),
            source,
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            tracing::warn!(%error, "the throw-away broker could not be stopped");
        }
    }
}

/// Writes the broker's configuration.
fn configure(folder: &Path, port: u16, settings: &BrokerSettings) -> Result<(), BrokerError> {
    let unwritable = |source| BrokerError::Folder {
        folder: folder.to_owned(),
        source,
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    let users = match &settings.access {
        // Allowed only because nobody beyond this machine reaches it, and it keeps nothing of worth.
        Access::Anyone => "allow_anonymous true\n".to_owned(),
        Access::User { name, password } => {
            let users = folder.join("users");
            write_users(&users, name, password)?;
            format!("allow_anonymous false\npassword_file {}\n", users.display())
        }
    };
    // `user root` matters only to root, whose Mosquitto would else become the user `mosquitto`,
    // who may not read a private folder. Anybody else's stays who it is.
    let keeping = match settings.keeping {
        Keeping::Nothing => "persistence false\n".to_owned(),
        Keeping::Everything => format!(
            "persistence true\npersistence_location {}/\n\
             autosave_interval 1\nautosave_on_changes true\n",
            folder.display()
        ),
    };
    let address = Ipv4Addr::LOCALHOST;
    let more = &settings.more;
    let text = format!(
        "listener {port} {address}\n{users}user root\n{keeping}\
         log_type error\nlog_type warning\nlog_type notice\nlog_type information\nlog_dest stderr\nmax_queued_messages 0\n{more}\n"
    );
    fs::write(folder.join("mosquitto.conf"), text).map_err(unwritable)
}

/// Lets Mosquitto's own tool write the password file: it knows the format of the hash.
fn write_users(file: &Path, name: &str, password: &Secret<String>) -> Result<(), BrokerError> {
    let status = Command::new("mosquitto_passwd")
        .args(["-b", "-c"])
        .arg(file)
        .args([name, password.reveal()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(missing)?;
    if status.success() {
        Ok(())
    } else {
        Err(BrokerError::Failed(format!("mosquitto_passwd: {status}")))
    }
}

/// Runs the first Mosquitto that is there.
fn spawn(programs: &[&str], configuration: &Path, log: &fs::File) -> Result<Child, BrokerError> {
    let mut failure = BrokerError::Missing;
    for program in programs {
        let spawned = Command::new(program)
            .arg("-c")
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.try_clone()?)
            .spawn();
        match spawned {
            Ok(child) => return Ok(child),
            Err(error) => failure = missing(error),
        }
    }
    Err(failure)
}

/// A program that could not be run: most often it is not there.
fn missing(error: io::Error) -> BrokerError {
    if error.kind() == ErrorKind::NotFound {
        BrokerError::Missing
    } else {
        BrokerError::System(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_mosquitto_is_told_how_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let error = spawn(&["no-such-broker"], folder.path(), &log).unwrap_err();
        assert!(
            error.to_string().contains("sudo apt install mosquitto"),
            "{error}"
        );
    }

    #[test]
    fn a_broker_that_ends_at_once_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let mut broker = Broker {
            folder: folder.path().to_owned(),
            port: 1,
            child: None,
        };
        fs::write(folder.path().join("mosquitto.conf"), "nonsense\n").unwrap();
        let error = broker.restart().unwrap_err();
        assert!(error.to_string().contains("nonsense"), "{error}");
    }
}
