//! The one table of words: Chinese first, English beside it.
//!
//! Every enum that a page shows gets its words here and nowhere else, so that the same state is
//! called the same on the screen, in JSON and in the live view. Nothing here blocks.

use super::state::{LinkWord, Mode, PersonState};
use crate::alert::{AlertState, BodySite, Outcome, ThermometerMode};
use crate::clock::ClockTrust;
use crate::estimate::Part;
use crate::event::{Escalation, Fault};
use crate::screening::{Obstacle, RetestReason, Verdict};
use crate::thermal::self_check::Complaint;
use crate::thermal::{FrameHealth, ReferenceFlaw};
use askama::Template;
use serde::Serialize;

pub mod checklist;
pub mod duties;
pub mod frame;
pub mod people;
mod remedy;
pub mod sign_in;
pub mod street;
pub mod today;
pub mod visitor;
pub use remedy::remedy;

/// One thing in both languages. In a page each stands in a `span` of its own, the English with its
/// `lang`, so that the style sheet can show one of them alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Template)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[template(
    source = r#"<span class="zh">{{ zh }}</span> <span class="en" lang="en">{{ en }}</span>"#,
    ext = "html"
)]
pub struct Words {
    /// Chinese (zh-CN).
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

/// The template above escapes both texts; this says that its markup is meant.
impl askama::filters::HtmlSafe for Words {}

const fn words(zh: &'static str, en: &'static str) -> Words {
    Words { zh, en }
}

/// The same for a file.
pub(super) fn said(words: Words) -> crate::text::Words {
    crate::export::words(words.zh, words.en)
}

/// Something that has words.
pub trait InWords {
    /// Its words.
    fn words(&self) -> Words;
}

impl InWords for Verdict {
    fn words(&self) -> Words {
        match self {
            Self::Clear => words("未见发热", "Clear"),
            Self::PossibleFever => words("疑似发热", "Possible fever"),
            Self::Retest(_) => words("需要复测", "Retest"),
            Self::CannotJudge(_) => words("无法判断", "Cannot judge"),
        }
    }
}

/// Why a verdict is what it is, where it has a reason.
#[must_use]
pub fn reason(verdict: Verdict) -> Option<Words> {
    match verdict {
        Verdict::Clear | Verdict::PossibleFever => None,
        Verdict::Retest(why) => Some(why.words()),
        Verdict::CannotJudge(why) => Some(why.words()),
    }
}

impl InWords for RetestReason {
    fn words(&self) -> Words {
        match self {
            Self::NearThreshold => words("接近阈值", "near the threshold"),
            Self::Unsteady => words("读数不稳", "unsteady readings"),
            Self::JustIn => words("刚从冷处进来", "just in from the cold"),
        }
    }
}

impl InWords for Obstacle {
    fn words(&self) -> Words {
        match self {
            Self::TooFewLooks => words("有效画面太少", "too few good looks"),
            Self::TooFar => words("距离太远", "too far away"),
            Self::Cut => words("脸在画面边缘", "at the edge of the picture"),
            Self::Turned => words("未正对镜头", "looking away"),
            Self::Glasses => words("戴着眼镜", "wearing glasses"),
            Self::ReferenceLost => words("黑体丢失", "reference lost"),
            Self::LearningPopulation => words("对照人数不足", "too few people to compare with yet"),
            Self::Settling => words("快门校正后尚未稳定", "settling after the shutter"),
            Self::TooCold => words("面部过冷或被遮挡", "face too cold or covered"),
            Self::TooHot => words("温度过高，不是人脸", "too hot for a face"),
            Self::RoomOutOfRange => words("室温超出适用范围", "room outside the valid range"),
            Self::CalibrationExpired => {
                words("相机校准已过期", "the camera's calibration has expired")
            }
        }
    }
}

/// What a person before the camera can do about it, where there is something.
#[must_use]
pub const fn advice(obstacle: Obstacle) -> Option<Words> {
    match obstacle {
        Obstacle::TooFewLooks => Some(words("请站定，看镜头", "please stand still and look here")),
        Obstacle::TooFar => Some(words("请走近一点", "please step closer")),
        Obstacle::Cut => Some(words(
            "请站到画面中间",
            "please stand in the middle of the picture",
        )),
        Obstacle::Turned => Some(words("请正对镜头", "please face the camera")),
        Obstacle::Glasses => Some(words("请摘下眼镜", "please take off your glasses")),
        Obstacle::ReferenceLost
        | Obstacle::LearningPopulation
        | Obstacle::Settling
        | Obstacle::TooCold
        | Obstacle::TooHot
        | Obstacle::RoomOutOfRange
        | Obstacle::CalibrationExpired => None,
    }
}

/// What a person with this verdict does next, where there is something.
#[must_use]
pub const fn advice_after(verdict: Verdict) -> Option<Words> {
    match verdict {
        Verdict::Retest(RetestReason::JustIn) => Some(words(
            "请在室内等十分钟，再测一次",
            "please wait 10 minutes indoors, then measure again",
        )),
        Verdict::Clear
        | Verdict::PossibleFever
        | Verdict::Retest(RetestReason::NearThreshold | RetestReason::Unsteady)
        | Verdict::CannotJudge(_) => None,
    }
}

/// What a self-check came to.
pub const fn of_check(complaint: Option<Complaint>) -> Words {
    match complaint {
        None => words("通过", "passed"),
        Some(Complaint::Noisy) => words("相机噪声过大", "the camera is too noisy"),
        Some(Complaint::Uneven) => words("黑体表面不均匀", "the reference is uneven"),
        Some(Complaint::Hunting) => words("黑体温度波动", "the reference moves up and down"),
    }
}

/// What it means that there is no reference, for every screen that shows verdicts.
pub const RELATIVE: Words = words(
    "相对模式：没有黑体，只显示与近期人群的差值，不是体温；画面上的温度未经校正",
    "Relative mode: without a reference only the difference to the people before is shown, no body \
     temperature; temperatures in the picture are uncorrected",
);

/// The same in a word, beside a value.
pub const RELATIVE_BRIEFLY: Words = words("相对值", "relative");

impl InWords for Fault {
    fn words(&self) -> Words {
        match self {
            Self::ReferenceLost => words("黑体丢失", "Reference lost"),
            Self::CameraSilent => words("相机没有画面", "Camera silent"),
            Self::CameraFrozen => words("相机画面卡住", "Camera frozen"),
            Self::CameraBlank => words("相机画面空白", "Camera blank"),
            Self::WrongScale => words("相机温度刻度不对", "Wrong temperature scale"),
            Self::SelfCheckFailed => words("每日自检未通过", "Daily self-check failed"),
            Self::CalibrationDue => words("校准即将到期", "Calibration due soon"),
            Self::CalibrationExpired => words("校准已过期", "Calibration expired"),
            Self::BrokerAway => words("消息服务器断开", "Message broker away"),
            Self::StreetSilent => words("街道办未回执", "Street office does not acknowledge"),
            Self::MessageParked => words("有消息被拒收", "A message was refused"),
            Self::OutboxFull => words("待发消息过多", "Outbox full"),
            Self::StoreFailing => words("记录无法保存", "Events cannot be saved"),
            Self::DiskLow => words("磁盘空间不足", "Disk nearly full"),
            Self::DatabaseSalvaged => words("数据库曾损坏", "Database was damaged"),
            Self::BackupMissed => words("数据库未能备份", "No backup was made"),
            Self::ClockUnset => words("时间未校准", "Clock not set"),
            Self::ConfigRefused => words("配置文件有错，未采用", "Configuration refused"),
        }
    }
}

impl InWords for FrameHealth {
    fn words(&self) -> Words {
        match self {
            Self::Good => words("画面正常，可以测温", "Picture good, measuring"),
            Self::Searching => words("正在寻找黑体", "Looking for the reference"),
            Self::ReferenceLost => words("黑体丢失，停止测温", "Reference lost, not measuring"),
            Self::NoReference => words(
                "没有黑体：只与近期人群比较",
                "No reference: people are compared with each other",
            ),
            Self::CalibrationExpired => {
                words("校准已过期，停止测温", "Calibration expired, not measuring")
            }
            Self::ReferenceUnstable => words(
                "黑体温度不稳，停止测温；请检查其电源和温控",
                "Reference unstable, not measuring: check its power and controller",
            ),
            Self::ReferencesDisagree => words(
                "两个黑体互相矛盾，停止测温；请检查两者的设定温度",
                "The two references disagree, not measuring: check the set points of both",
            ),
            Self::Shutter => words("快门校正中", "Shutter closed"),
            Self::Settling => words("快门校正后正在稳定", "Settling after the shutter"),
            Self::Frozen => words("画面卡住，停止测温", "Picture frozen, not measuring"),
            Self::Blank => words("画面空白，停止测温", "Picture blank, not measuring"),
            Self::WrongScale => words(
                "数值不是室内的温度，停止测温",
                "No temperatures of a room, not measuring",
            ),
            Self::WrongSize => words(
                "画面尺寸不对，停止测温",
                "Wrong picture size, not measuring",
            ),
        }
    }
}

impl InWords for ReferenceFlaw {
    fn words(&self) -> Words {
        match self {
            Self::Occluded => words("黑体被部分遮挡", "reference partly covered"),
            Self::Moved => words("黑体移动过", "reference moved"),
            Self::Unstable => words("黑体温度不稳", "reference unsteady"),
            Self::OffSetPoint => words("黑体偏离设定温度", "reference off its set point"),
        }
    }
}

impl InWords for PersonState {
    fn words(&self) -> Words {
        match self {
            Self::Looking { .. } => words("正在测量", "Measuring"),
            Self::Judged(verdict) => verdict.words(),
        }
    }
}

impl InWords for Part {
    fn words(&self) -> Words {
        match self {
            Self::Reference => words("黑体", "blackbody"),
            Self::Drift => words("相机漂移", "drift"),
            Self::NonUniformity => words("画面不均匀", "uneven picture"),
            Self::Emissivity => words("皮肤发射率", "emissivity of skin"),
            Self::Reflected => words("环境反射", "reflected surroundings"),
            Self::Path => words("空气", "air"),
            Self::SizeOfSource => words("目标大小", "size of the warm spot"),
            Self::Looks => words("多次测量的离散", "scatter of the looks"),
            Self::Ambient => words("室温", "room temperature"),
            Self::Transfer => words("由面部推算体温", "from face to body"),
        }
    }
}

/// Where the number of a part of the uncertainty comes from.
#[must_use]
pub const fn source(part: Part) -> Words {
    match part {
        Part::Reference => words("黑体证书", "its certificate"),
        Part::Drift => words("每帧对照黑体", "read against it in every frame"),
        Part::NonUniformity => words("黑体到面部 ±0.15 K", "0.15 K from blackbody to face"),
        Part::Emissivity => words("0.98，可能差 0.01", "0.98, known to 0.01"),
        Part::Reflected => words("可能差 5 K", "known to 5 K"),
        Part::Path => words("1 到 2 m", "1 to 2 m of it"),
        Part::SizeOfSource => words(
            "已修正；余下的取决于面部像素数",
            "corrected; the rest goes with the pixels of the face",
        ),
        Part::Looks => words("本次测量", "this measurement"),
        Part::Ambient => words("室温的不确定度乘以 k", "what it is unsure by, times k"),
        Part::Transfer => words(
            "与口腔体温计的标准差（Wang 等，2023）",
            "about an oral thermometer (Wang et al. 2023)",
        ),
    }
}

impl InWords for AlertState {
    fn words(&self) -> Words {
        match self {
            Self::Open => words("待处理", "Open"),
            Self::Acknowledged { .. } => words("处理中", "Being looked after"),
            Self::Resolved { .. } => words("已处理", "Resolved"),
        }
    }
}

/// Who has been told of an alert that waits.
#[must_use]
pub const fn told(level: Escalation, state: &AlertState) -> Words {
    match (level, state) {
        (Escalation::Reminder, AlertState::Acknowledged { .. }) => {
            words("请记录结果", "please record the outcome")
        }
        (Escalation::Reminder, _) => words("已再次提醒保安", "guard reminded"),
        (Escalation::Manager, _) => words("已通知物业经理", "manager told"),
        (Escalation::Street, _) => words("已通知街道办", "street office told"),
    }
}

/// Something of an alert is not on the disk.
pub const NOT_SAVED: Words = words("尚未保存：请勿断电", "not saved yet: do not switch off");

impl InWords for Outcome {
    fn words(&self) -> Words {
        match self {
            Self::Confirmed(_) => words("确认发热", "Fever confirmed"),
            Self::NotConfirmed(_) => words("未确认发热", "Fever not confirmed"),
            Self::Referred => words("转送发热门诊", "Referred to a fever clinic"),
            Self::Left => words("测量前已离开", "Left before measuring"),
            Self::FalseAlarm { .. } => words("误报", "False alarm"),
        }
    }
}

impl InWords for BodySite {
    fn words(&self) -> Words {
        match self {
            Self::Oral => words("口腔", "Mouth"),
            Self::Axilla => words("腋下", "Armpit"),
            Self::Ear => words("耳道", "Ear"),
            Self::Forehead => words("额头（接触式）", "Forehead, touching"),
        }
    }
}

impl InWords for ThermometerMode {
    fn words(&self) -> Words {
        match self {
            Self::Monitor => words("等待稳定值", "Waits for the end value"),
            Self::Fast => words("快速预测值", "Fast, predicted value"),
        }
    }
}

impl InWords for LinkWord {
    fn words(&self) -> Words {
        match self {
            Self::NotConfigured => {
                words("未配置，事件只存本机", "Not configured: events stay here")
            }
            Self::Connecting => words("正在连接", "Connecting"),
            Self::Connected => words("已连接", "Connected"),
            Self::Away(_) => words(
                "连不上，恢复后自动补发",
                "Away: will be sent when it is back",
            ),
        }
    }
}

impl InWords for ClockTrust {
    fn words(&self) -> Words {
        match self {
            Self::Synchronised => words("时间已校准", "clock set by the network"),
            Self::Unsynchronised => words("时间未校准，可能不准", "clock not set, may be wrong"),
        }
    }
}

impl InWords for Mode {
    fn words(&self) -> Words {
        match self {
            Self::Real => words("实际运行", "In service"),
            Self::Demo => words(
                "演示数据：画面不是真人，请勿用于放行",
                "Demonstration: not real people, do not use it to let anybody in",
            ),
        }
    }
}

/// Sites of a contact thermometer, as the form offers them; the value is what the form sends.
pub const BODY_SITES: [(&str, BodySite); 4] = [
    ("axilla", BodySite::Axilla),
    ("ear", BodySite::Ear),
    ("oral", BodySite::Oral),
    ("forehead", BodySite::Forehead),
];

/// Modes of a contact thermometer, as the form offers them.
pub const THERMOMETER_MODES: [(&str, ThermometerMode); 2] = [
    ("monitor", ThermometerMode::Monitor),
    ("fast", ThermometerMode::Fast),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::ContactReading;
    use crate::clock::{BootId, Stamp, WallTime};
    use crate::units::Celsius;
    use std::collections::HashSet;
    use std::time::Duration;

    pub(super) fn both(all: &[Words]) {
        let mut zh = HashSet::new();
        let mut en = HashSet::new();
        for words in all {
            assert!(
                words
                    .zh
                    .chars()
                    .any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
                "{words:?} has no Chinese"
            );
            assert!(
                words.en.is_ascii() && words.en.chars().any(char::is_alphabetic),
                "{words:?} has no English"
            );
            assert!(zh.insert(words.zh), "{} stands for two things", words.zh);
            assert!(en.insert(words.en), "{} stands for two things", words.en);
        }
    }

    fn table<T: InWords>(all: &[T]) {
        both(&all.iter().map(InWords::words).collect::<Vec<_>>());
    }

    #[test]
    fn every_variant_has_both_languages_and_its_own_words() {
        let at = Stamp {
            boot: BootId(1),
            monotonic: Duration::ZERO,
            wall: WallTime(0),
            trust: ClockTrust::Synchronised,
        };
        let contact = ContactReading {
            device: "1".into(),
            site: BodySite::Ear,
            mode: ThermometerMode::Fast,
            value: Celsius::literal(38.0),
        };
        let outcomes = [
            Outcome::Confirmed(contact.clone()),
            Outcome::NotConfirmed(contact),
            Outcome::Referred,
            Outcome::Left,
            Outcome::FalseAlarm { reason: "1".into() },
        ];
        let by = String::from("1");
        table(&[
            Verdict::Clear,
            Verdict::PossibleFever,
            Verdict::Retest(RetestReason::Unsteady),
            Verdict::CannotJudge(Obstacle::TooFar),
        ]);
        table(&RetestReason::ALL);
        table(&Obstacle::ALL);
        both(
            &Obstacle::ALL
                .map(advice)
                .into_iter()
                .flatten()
                .collect::<Vec<_>>(),
        );
        let just_in = Verdict::Retest(RetestReason::JustIn);
        both(&[RELATIVE, RELATIVE_BRIEFLY, advice_after(just_in).unwrap()]);
        table(&Part::ALL);
        both(&Part::ALL.map(source));
        table(&Fault::ALL);
        both(&Fault::ALL.map(remedy));
        table(&FrameHealth::ALL);
        table(&[
            ReferenceFlaw::Occluded,
            ReferenceFlaw::Moved,
            ReferenceFlaw::Unstable,
            ReferenceFlaw::OffSetPoint,
        ]);
        table(&[
            AlertState::Open,
            AlertState::Acknowledged { by: by.clone(), at },
            AlertState::Resolved {
                by,
                at,
                outcome: Outcome::Left,
            },
        ]);
        let taken = AlertState::Acknowledged {
            by: String::new(),
            at,
        };
        let waits = Escalation::ALL.map(|level| told(level, &AlertState::Open));
        both(
            &[
                waits.as_slice(),
                &[told(Escalation::Reminder, &taken), NOT_SAVED],
            ]
            .concat(),
        );
        table(&outcomes);
        table(&BODY_SITES.map(|(_, site)| site));
        table(&THERMOMETER_MODES.map(|(_, mode)| mode));
        table(&[
            LinkWord::NotConfigured,
            LinkWord::Connecting,
            LinkWord::Connected,
            LinkWord::Away(String::new()),
        ]);
        table(&[ClockTrust::Synchronised, ClockTrust::Unsynchronised]);
        table(&[Mode::Real, Mode::Demo]);
        table(&[
            PersonState::Looking {
                looks: 1,
                needed: 3,
            },
            PersonState::Judged(Verdict::Clear),
        ]);
    }

    #[test]
    fn a_verdict_has_a_reason_where_its_class_has_one() {
        assert_eq!(reason(Verdict::Clear), None);
        for why in Obstacle::ALL {
            assert_eq!(reason(Verdict::CannotJudge(why)), Some(why.words()));
        }
        for why in RetestReason::ALL {
            assert_eq!(reason(Verdict::Retest(why)), Some(why.words()));
        }
    }

    #[test]
    fn english_is_marked_as_english() {
        assert_eq!(
            Verdict::Clear.words().to_string(),
            r#"<span class="zh">未见发热</span> <span class="en" lang="en">Clear</span>"#
        );
    }
}
