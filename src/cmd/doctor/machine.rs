//! The machine under the gateway: its disk, how that is mounted, its clock.

use super::words::{Check, Finding};
use crate::clock::{BootId, Clock as _, ClockTrust, SystemClock, WallTime};
use crate::config::Config;
use crate::store::{self, backup};
use std::path::{Path, PathBuf};

/// The oldest moment that a set clock can show: 1 January 2020.
const EARLIEST: WallTime = WallTime(1_577_836_800_000);

/// Days after which the newest copy is an old one.
const OLD_COPY_DAYS: u64 = 3;

/// The data folder, the room on its disk and how that is mounted.
pub(super) fn disk(config: &Config) -> Vec<Finding> {
    let folder = &config.store.folder;
    let shown = folder.display();
    let what = match store::may_write(folder) {
        Ok(()) => Finding::well(
            Check::DataFolder,
            &format!("{shown} 可写"),
            &format!("{shown} can be written"),
        ),
        Err(error) => return vec![Finding::error(Check::DataFolder, "不可用", &error)],
    };
    vec![what, room(config), mount(folder)]
}

fn room(config: &Config) -> Finding {
    let folder = &config.store.folder;
    let floor = config.store.upkeep.disk_floor;
    match store::free(folder) {
        Err(error) => Finding::error(Check::DiskSpace, "无法读取", &error),
        Ok(free) => {
            let (free_mib, floor_mib) = (free >> 20, floor >> 20);
            let (zh, en) = (
                format!("剩余 {free_mib} MiB，下限 {floor_mib} MiB"),
                format!("{free_mib} MiB are free, at least {floor_mib} MiB should be"),
            );
            if free >= floor {
                Finding::well(Check::DiskSpace, &zh, &en)
            } else {
                Finding::wrong(Check::DiskSpace, &zh, &en).todo(
                    "请清理磁盘，先清旧的录像与日志",
                    "Free some space: old recordings and logs first",
                )
            }
        }
    }
}

/// One line of the kernel's list of mounts.
#[derive(Debug, PartialEq)]
struct Mounted {
    point: PathBuf,
    kind: String,
    read_only: bool,
}

/// The mount under a path, from the text of `/proc/self/mountinfo` (proc(5), section of that name).
fn mounted(list: &str, path: &Path) -> Option<Mounted> {
    let one = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let fields: Vec<&str> = before.split(' ').collect();
        // The kernel writes a blank in a path as \040.
        let point = PathBuf::from(fields.get(4)?.replace("\\040", " "));
        let mut after = after.split(' ');
        let kind = after.next()?.to_owned();
        let of_disk = after.nth(1).unwrap_or_default();
        let is_ro = |options: &str| options.split(',').any(|it| it == "ro");
        Some(Mounted {
            read_only: is_ro(fields.get(5)?) || is_ro(of_disk),
            point,
            kind,
        })
    };
    // Later mounts lie over earlier ones.
    list.lines()
        .filter_map(one)
        .filter(|it| path.starts_with(&it.point))
        .enumerate()
        .max_by_key(|(number, it)| (it.point.components().count(), *number))
        .map(|(_, it)| it)
}

fn mount(folder: &Path) -> Finding {
    let list = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let folder = store::existing(folder);
    let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    match mounted(&list, &folder) {
        None => Finding::skipped(Check::Mount, "无法得知", "The kernel does not say"),
        Some(mounted) => judged(&mounted),
    }
}

fn judged(mounted: &Mounted) -> Finding {
    let (point, kind) = (mounted.point.display(), &mounted.kind);
    let (zh, en) = (format!("{point}（{kind}）"), format!("{point} ({kind})"));
    if mounted.read_only {
        return Finding::wrong(
            Check::Mount,
            &format!("{zh} 只读"),
            &format!("{en} is mounted read-only"),
        )
        .todo(
            "查看 dmesg；磁盘报错时系统会改为只读，请更换存储卡",
            "Look at dmesg: after an error the system mounts a disk read-only; replace the card then",
        );
    }
    match kind.as_str() {
        "tmpfs" | "ramfs" | "overlay" => Finding::wrong(
            Check::Mount,
            &format!("{zh} 断电或重装后数据全失"),
            &format!("what is written to {en} is lost with the power, or with the container"),
        )
        .todo(
            "在 [store] 的 folder 中改用磁盘上的目录",
            "Name a folder on a disk: folder in [store]",
        ),
        "vfat" | "exfat" | "msdos" | "fuseblk" | "nfs" | "nfs4" | "cifs" => Finding::look(
            Check::Mount,
            &format!("{zh} 断电时不可靠"),
            &format!("{en} does not keep its promises in a power cut"),
        )
        .todo("建议使用 ext4", "Use ext4 where you can"),
        _ => Finding::well(Check::Mount, &zh, &en),
    }
}

/// The copies of the database.
pub(super) fn backups(config: &Config) -> Finding {
    let rules = &config.store.upkeep;
    if rules.backups_kept == 0 {
        return Finding::look(Check::Backups, "未启用", "None are made")
            .todo("在 [store] 设 backups_kept", "Set backups_kept in [store]");
    }
    let folder = rules.backups(&config.store.folder);
    let now = SystemClock::start(BootId(0)).now().wall;
    let count = backup::copies(&folder).len();
    match backup::age(&folder, now).map(|age| age.as_secs() / 86_400) {
        Some(days) if days < OLD_COPY_DAYS => Finding::well(
            Check::Backups,
            &format!("{count} 份"),
            &format!("{count} copies"),
        ),
        Some(days) => Finding::look(
            Check::Backups,
            &format!("最近一份在 {days} 天前"),
            &format!("the newest copy is {days} days old"),
        )
        .todo(
            "运行 menshen backup，并检查备份盘",
            "Run menshen backup, and look at the backup disk",
        ),
        None => Finding::look(Check::Backups, "还没有备份", "There is no copy yet").todo(
            "网关运行后每夜自动备份，也可运行 menshen backup",
            "The gateway makes one each night; menshen backup makes one now",
        ),
    }
}

/// The wall clock.
pub(super) fn clock() -> Finding {
    let now = SystemClock::start(BootId(0)).now();
    if now.wall < EARLIEST {
        return Finding::wrong(
            Check::Clock,
            "显示的年份早于 2020",
            "It shows a year before 2020",
        )
        .todo(
            "设置时间：sudo timedatectl set-ntp true，或 sudo date -s",
            "Set it: sudo timedatectl set-ntp true, or sudo date -s",
        );
    }
    match now.trust {
        ClockTrust::Synchronised => Finding::well(Check::Clock, "已对时", "Set by the network"),
        ClockTrust::Unsynchronised => Finding::look(
            Check::Clock,
            "本次开机未对时，时间仅供参考",
            "Not set by the network since the machine started: times are shown as not certain",
        )
        .todo(
            "安装并启用 systemd-timesyncd：sudo timedatectl set-ntp true",
            "Install and enable systemd-timesyncd: sudo timedatectl set-ntp true",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::State;
    use super::*;

    const LIST: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:26 / /dev/shm rw - tmpfs tmpfs rw
31 22 254:1 / /var/lib ro,noatime - ext4 /dev/vdb rw
32 22 254:2 / /srv/my\\040disk rw - vfat /dev/sda1 ro
33 22 254:3 / /srv rw - xfs /dev/sdc rw
";

    #[test]
    fn the_mount_under_a_folder_is_found_and_judged() {
        for (path, kind, state) in [
            ("/home/x", "ext4", State::Well),
            ("/dev/shm/m", "tmpfs", State::Wrong),
            ("/var/lib/menshen", "ext4", State::Wrong),
            ("/srv/my disk/x", "vfat", State::Wrong),
            ("/srv/my", "xfs", State::Well),
        ] {
            let found = mounted(LIST, Path::new(path)).unwrap();
            assert_eq!(found.kind, kind, "{path}");
            assert_eq!(judged(&found).state, state, "{path}");
        }
        assert_eq!(mounted("nonsense\n", Path::new("/")), None);
    }
}
