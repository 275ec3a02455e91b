//! Why a video device may not be opened, and what to do about it.
//!
//! The kernel answers "permission denied" whatever the reason: the node belongs to the wrong group,
//! the user is not in it, or was put into it after logging in. What is wrong here can be read from
//! the node and from three small files; the refusal then says the one command that mends it.
//!
//! Blocking: reads `/proc/self/status`, `/etc/passwd` and `/etc/group`.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Bits of a mode by which the group may read and write.
const GROUP_MAY: u32 = 0o060;

/// What is installed from `deploy/`.
const RULE: &str = "99-menshen-camera.rules";

/// A refusal in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is the case.
    pub why: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Refusal {
    /// `this user (menshen) may not open it …: sudo usermod -aG video menshen, then …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.why, self.remedy)
    }
}

/// Why this process may not open a device.
#[must_use]
pub fn refusal(device: &Path) -> Refusal {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let metadata = fs::metadata(device).ok();
    let node = metadata.map(|node| Node {
        gid: node.gid(),
        group_may: node.mode() & GROUP_MAY == GROUP_MAY,
    });
    let process = Process::of(&read("/proc/self/status"));
    explain(node, &process, &read("/etc/passwd"), &read("/etc/group"))
}

#[derive(Clone, Copy)]
struct Node {
    gid: u32,
    group_may: bool,
}

struct Process {
    uid: u32,
    /// Of its own and the supplementary ones.
    gids: Vec<u32>,
}

impl Process {
    /// From `/proc/self/status`.
    fn of(status: &str) -> Self {
        let numbers = |name: &str| -> Vec<u32> {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let words = line.unwrap_or_default().split_ascii_whitespace();
            words.filter_map(|word| word.parse().ok()).collect()
        };
        let mut gids = numbers("Groups:");
        gids.extend(numbers("Gid:").get(1));
        Self {
            uid: numbers("Uid:").get(1).copied().unwrap_or(u32::MAX),
            gids,
        }
    }
}

fn explain(node: Option<Node>, process: &Process, passwd: &str, groups: &str) -> Refusal {
    let name = |table: &str, number: u32| {
        let entry = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(number)).then(|| name.to_owned())
        };
        table.lines().find_map(entry)
    };
    let user = name(passwd, process.uid).unwrap_or_else(|| process.uid.to_string());
    let why = format!("this user ({user}) may not open it");
    let rule = format!(
        "install deploy/{RULE} (sudo cp deploy/{RULE} /etc/udev/rules.d/, then sudo udevadm control \
         --reload, then sudo udevadm trigger --subsystem-match=video4linux)"
    );
    let Some(node) = node else {
        return Refusal { why, remedy: rule };
    };
    if !node.group_may || node.gid == 0 {
        return Refusal {
            why: format!("{why}, nor may any group but root's"),
            remedy: rule,
        };
    }
    let group = name(groups, node.gid).unwrap_or_else(|| node.gid.to_string());
    if process.gids.contains(&node.gid) {
        return Refusal {
            why: format!("{why} although it is in the group {group}"),
            remedy: "a container or systemd's DevicePolicy= keeps it away: pass the device in \
                     (DeviceAllow=char-video4linux rw, or --device)"
                .to_owned(),
        };
    }
    let listed = groups.lines().any(|line| {
        let mut fields = line.split(':');
        fields.next() == Some(group.as_str())
            && fields
                .nth(2)
                .is_some_and(|users| users.split(',').any(|it| it == user))
    });
    Refusal {
        why: format!("{why}, the group {group} may"),
        remedy: if listed {
            format!(
                "{user} is in it since the last login only: log in again, or restart the service"
            )
        } else {
            format!("sudo usermod -aG {group} {user}, then log in again or restart the service")
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/bash\nmenshen:x:998:998::/var/lib:/bin/false\n";
    const GROUPS: &str = "root:x:0:\nvideo:x:44:guard,door\nmenshen:x:998:\n";

    fn said(node: Option<(u32, bool)>, gids: &[u32], groups: &str) -> String {
        let node = node.map(|(gid, group_may)| Node { gid, group_may });
        let process = Process {
            uid: 998,
            gids: gids.to_vec(),
        };
        explain(node, &process, PASSWD, groups).to_string()
    }

    #[test]
    fn each_reason_has_its_own_remedy() {
        let outside = said(Some((44, true)), &[998], GROUPS);
        assert!(
            outside.contains("sudo usermod -aG video menshen"),
            "{outside}"
        );
        let joined = GROUPS.replace("guard,door", "guard,menshen");
        let since = said(Some((44, true)), &[998], &joined);
        assert!(
            since.contains("log in again") && !since.contains("usermod"),
            "{since}"
        );
        let roots = said(Some((0, true)), &[998], GROUPS);
        assert!(roots.contains("99-menshen-camera.rules"), "{roots}");
        let closed = said(Some((44, false)), &[998, 44], GROUPS);
        assert!(closed.contains("99-menshen-camera.rules"), "{closed}");
        let kept_away = said(Some((44, true)), &[998, 44], GROUPS);
        assert!(kept_away.contains("DeviceAllow"), "{kept_away}");
        let unknown = said(None, &[], "");
        assert!(unknown.contains("menshen"), "{unknown}");
        let nameless = said(Some((777, true)), &[998], GROUPS);
        assert!(nameless.contains("-aG 777"), "{nameless}");
    }

    #[test]
    fn the_rule_that_is_named_is_the_one_that_is_shipped() {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("deploy")
            .join(RULE);
        assert!(shipped.is_file(), "{}", shipped.display());
    }

    #[test]
    fn the_process_is_read_as_the_kernel_writes_it() {
        let status =
            "Name:\tmenshen\nUid:\t1000\t998\t998\t998\nGid:\t7\t8\t8\t8\nGroups:\t44 27 \n";
        let process = Process::of(status);
        assert_eq!((process.uid, process.gids), (998, vec![44, 27, 8]));
        assert_eq!(Process::of("").uid, u32::MAX);
        // Of this process it says something.
        assert!(!refusal(Path::new("/dev/null")).why.is_empty());
    }
}
