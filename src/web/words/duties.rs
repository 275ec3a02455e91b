//! Words of what an item asks for: how often, by when, and how it is proved.

use crate::calendar::TimeOfDay;
use crate::checklist::{Proof, Schedule};
use crate::text::Words;

fn both(zh: String, en: String) -> Words {
    Words { zh, en }
}

/// How often, and by when.
#[must_use]
pub fn schedule(it: Schedule) -> Words {
    match it {
        Schedule::Every { minutes, during } => {
            let (zh, en) = match minutes {
                60 => ("每小时".to_owned(), "hourly".to_owned()),
                _ if minutes % 60 == 0 => {
                    let hours = minutes / 60;
                    (format!("每{hours}小时"), format!("every {hours} hours"))
                }
                _ => (
                    format!("每{minutes}分钟"),
                    format!("every {minutes} minutes"),
                ),
            };
            match during {
                Some(span) => both(format!("{zh}（{span}）"), format!("{en}, {span}")),
                None => both(zh, en),
            }
        }
        Schedule::Daily { from, by } if from == TimeOfDay::MIDNIGHT => {
            both(format!("每日{by}前"), format!("daily by {by}"))
        }
        Schedule::Daily { from, by } => {
            both(format!("每日{from}–{by}"), format!("daily {from}–{by}"))
        }
        Schedule::PerShift { within: None } => both("每班".to_owned(), "each shift".to_owned()),
        Schedule::PerShift {
            within: Some(minutes),
        } => both(
            format!("每班开始后{minutes}分钟内"),
            format!("each shift, within {minutes} minutes"),
        ),
        Schedule::Weekly { on, by } => both(
            format!("每{}{by}前", on.zh()),
            format!("{} by {by}", on.en()),
        ),
        Schedule::Once { days } => both(
            format!("启用后{days}天内一次"),
            format!("once, within {days} days"),
        ),
        Schedule::AsNeeded => both("需要时".to_owned(), "as needed".to_owned()),
    }
}

/// How it is proved.
#[must_use]
pub fn proof(it: &Proof) -> Words {
    match it {
        Proof::Tick => both("打钩".to_owned(), "tick".to_owned()),
        Proof::Number(range) => {
            let (low, high) = range.limits();
            let limits = format!("{low}–{high} {}", range.unit());
            both(format!("数值 {limits}"), format!("number {limits}"))
        }
        Proof::Time => both("时间".to_owned(), "time".to_owned()),
        Proof::Text => both("简述".to_owned(), "a few words".to_owned()),
        Proof::Known(fact) => both(
            format!("本机填写：{}", fact.zh()),
            format!("filled in by the gateway: {}", fact.en()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_a_schedule_has_words_in_both_languages() {
        for (text, zh, en) in [
            ("every 60 min", "每小时", "hourly"),
            (
                "every 120 min 08:00-20:00",
                "每2小时（08:00-20:00）",
                "every 2 hours, 08:00-20:00",
            ),
            ("every 45 min", "每45分钟", "every 45 minutes"),
            ("daily by 09:00", "每日09:00前", "daily by 09:00"),
            ("daily 11:00-14:00", "每日11:00–14:00", "daily 11:00–14:00"),
            ("per shift", "每班", "each shift"),
            (
                "per shift within 30 min",
                "每班开始后30分钟内",
                "each shift, within 30 minutes",
            ),
            ("weekly fri by 18:00", "每星期五18:00前", "Friday by 18:00"),
            (
                "once within 3 days",
                "启用后3天内一次",
                "once, within 3 days",
            ),
            ("as needed", "需要时", "as needed"),
        ] {
            let words = schedule(text.parse().unwrap());
            assert_eq!((words.zh.as_str(), words.en.as_str()), (zh, en), "{text}");
        }
    }
}
