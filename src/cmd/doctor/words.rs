//! What the doctor says: findings, each with what to do where something is to be done.

use crate::text::Words;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// The configuration file.
    Configuration,
    /// Files with passwords and addresses.
    Secrets,
    /// The face networks.
    Model,
    /// The running gateway's page.
    Gateway,
    /// The camera, and whether it may be opened.
    Camera,
    /// Frames a second.
    FrameRate,
    /// The blackbody.
    Reference,
    /// The data folder.
    DataFolder,
    /// Room on the disk.
    DiskSpace,
    /// How the disk is mounted.
    Mount,
    /// The database.
    Database,
    /// Copies of it.
    Backups,
    /// The wall clock.
    Clock,
    /// Until when certificates hold.
    Certificates,
    /// The broker, and what this gateway may do there.
    Broker,
}

impl Check {
    /// Its word for machines, and its names in Chinese and English.
    pub(super) const fn names(self) -> [&'static str; 3] {
        match self {
            Self::Configuration => ["configuration", "配置", "Configuration"],
            Self::Secrets => ["secrets", "口令文件", "Secrets"],
            Self::Model => ["model", "人脸模型", "Face model"],
            Self::Gateway => ["gateway", "运行中的网关", "Running gateway"],
            Self::Camera => ["camera", "相机", "Camera"],
            Self::FrameRate => ["frame_rate", "帧率", "Frame rate"],
            Self::Reference => ["reference", "黑体", "Blackbody"],
            Self::DataFolder => ["data_folder", "数据目录", "Data folder"],
            Self::DiskSpace => ["disk_space", "磁盘空间", "Disk space"],
            Self::Mount => ["mount", "挂载方式", "Mount"],
            Self::Database => ["database", "数据库", "Database"],
            Self::Backups => ["backups", "备份", "Backups"],
            Self::Clock => ["clock", "时钟", "Clock"],
            Self::Certificates => ["certificates", "证书", "Certificates"],
            Self::Broker => ["broker", "消息服务器", "Broker"],
        }
    }
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// In order.
    Well,
    /// Works, but somebody should look at it.
    Look,
    /// Must be mended before people are screened.
    Wrong,
    /// Not looked at.
    Skipped,
}

impl State {
    /// Its word for machines.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Look => "look",
            Self::Wrong => "wrong",
            Self::Skipped => "skipped",
        }
    }

    /// A sign before the line.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Well => "✓",
            Self::Look => "!",
            Self::Wrong => "✗",
            Self::Skipped => "-",
        }
    }
}

/// What was found.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) state: State,
    pub(super) what: Words,
    pub(super) todo: Option<Words>,
}

fn words(zh: &str, en: &str) -> Words {
    Words {
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

impl Finding {
    fn new(check: Check, state: State, zh: &str, en: &str) -> Self {
        Self {
            check,
            state,
            what: words(zh, en),
            todo: None,
        }
    }

    /// In order.
    pub(super) fn well(check: Check, zh: &str, en: &str) -> Self {
        Self::new(check, State::Well, zh, en)
    }

    /// Somebody should look at it.
    pub(super) fn look(check: Check, zh: &str, en: &str) -> Self {
        Self::new(check, State::Look, zh, en)
    }

    /// Must be mended.
    pub(super) fn wrong(check: Check, zh: &str, en: &str) -> Self {
        Self::new(check, State::Wrong, zh, en)
    }

    /// Not looked at, and why.
    pub(super) fn skipped(check: Check, zh: &str, en: &str) -> Self {
        Self::new(check, State::Skipped, zh, en)
    }

    /// With what to do.
    pub(super) fn todo(self, zh: &str, en: &str) -> Self {
        Self {
            todo: Some(words(zh, en)),
            ..self
        }
    }

    /// An error of the gateway, whose text says what to do.
    pub(super) fn error(check: Check, zh: &str, error: &dyn std::fmt::Display) -> Self {
        let text = error.to_string();
        let (what, hint) = match text.split_once("\nhint: ") {
            Some((what, hint)) => (what, Some(hint)),
            None => (text.as_str(), None),
        };
        let finding = Self::wrong(check, &format!("{zh}：{what}"), what);
        match hint {
            Some(hint) => finding.todo(hint, hint),
            None => finding,
        }
    }
}
