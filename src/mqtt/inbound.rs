//! What comes in from the broker, read with suspicion: receipts of the street's collector,
//! commands, and Home Assistant's word that it has started. [`read`] is the only door; what it
//! refuses changes nothing. Pure: the message goes in, a value or the reason against it comes out.
//!
//! MQTT 3.1.1 does not tell who published: who may is the broker's access list to say
//! (`deploy/mosquitto/menshen.acl`), and which commands a gateway follows at all is its own configuration's.

use super::payload::rfc3339;
use super::topic::{Address, Class, HOME_ASSISTANT_STATUS, Topic};
use crate::clock::WallTime;
use crate::command::{Asked, Command, CommandName, NotAToken, Notice, Token};
use crate::id::{DeviceEpoch, MessageNumber};
use crate::journal::Receipt;
use crate::text::Note;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Largest payload that is looked at, bytes: a receipt with all its gaps has about 20 KiB.
pub const LARGEST: usize = 32 * 1024;
/// Most gaps of a receipt. A collector that lacks more names the first ones, and later the others.
const MOST_GAPS: usize = 1000;
/// Longest stretch of messages of one command.
const LONGEST_STRETCH: u64 = 100_000;

/// Something that came in.
#[derive(Clone, Debug, PartialEq)]
pub enum Inbound {
    /// The street's collector has messages.
    Receipt(Receipt),
    /// Somebody wants something done.
    Command {
        /// What.
        asked: Asked,
        /// Not after this.
        expires: Option<WallTime>,
    },
    /// Home Assistant has started, and knows nothing yet.
    HomeAssistantStarted,
}

/// Why a message is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Not a topic that this gateway listens to.
    Topic,
    /// Larger than anything that is meant for it.
    Large,
    /// The payload is not what the topic asks for; the text says in what.
    Payload(String),
    /// No such command.
    UnknownCommand,
    /// A broker that keeps a command would have it done again after each reconnect.
    Retained,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic => f.write_str("not a topic that this gateway listens to"),
            Self::Large => write!(f, "longer than {LARGEST} bytes"),
            Self::Payload(why) => write!(f, "not as it should be: {why}"),
            Self::UnknownCommand => f.write_str("no such command"),
            Self::Retained => f.write_str("a command must not be retained"),
        }
    }
}

impl std::error::Error for Unfit {}

impl From<serde_json::Error> for Unfit {
    fn from(error: serde_json::Error) -> Self {
        Self::Payload(error.to_string())
    }
}

/// `ack/<collector>`: what the collector has.
#[derive(Debug, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ReceiptPayload {
    /// Version of the payload: 1.
    v: u8,
    /// Which database's messages.
    epoch: String,
    /// The highest `seq` that the collector knows of.
    up_to: u64,
    /// First and last of each stretch below that it lacks, ascending.
    #[serde(default)]
    gaps: Vec<(u64, u64)>,
}

impl From<&Receipt> for ReceiptPayload {
    fn from(receipt: &Receipt) -> Self {
        let Receipt { epoch, up_to, gaps } = receipt;
        Self {
            v: super::payload::V,
            epoch: epoch.0.clone(),
            up_to: up_to.0,
            gaps: gaps.iter().map(|(first, last)| (first.0, last.0)).collect(),
        }
    }
}

/// `cmd/<name>`: what is asked for. Only `resend` takes `from` and `to`; only `notice` text, begin and end; only
/// `template` the last; each needs all of its own.
#[derive(Debug, Default, Deserialize, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct CommandPayload {
    /// Version of the payload: 1.
    v: u8,
    /// Chosen by the sender: what comes twice with one id is done once.
    id: String,
    /// Who asks.
    by: String,
    /// RFC 3339: not to be done after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// First `seq` to send again.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    /// Last `seq` to send again.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<u64>,
    /// What whoever runs the building is to read: one line, at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// RFC 3339: shown from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    begins: Option<String>,
    /// RFC 3339: shown until here.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends: Option<String>,
    /// A new version of the site's list: the text of a template's file, as in `src/checklist/templates`.
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
}

/// The payload by which a command is asked for; a gateway reads it as it was meant.
#[must_use]
pub fn asking(asked: &Asked, expires: WallTime) -> Vec<u8> {
    let plain = CommandPayload {
        v: super::payload::V,
        id: asked.id.to_string(),
        by: asked.by.to_string(),
        expires: Some(rfc3339(expires)),
        ..CommandPayload::default()
    };
    super::payload::bytes(&match &asked.command {
        Command::Announce => plain,
        Command::Resend { from, to } => CommandPayload {
            from: Some(from.0),
            to: Some(to.0),
            ..plain
        },
        Command::Notice(it) => CommandPayload {
            text: Some(it.text.to_string()),
            begins: Some(rfc3339(it.begins)),
            ends: Some(rfc3339(it.ends)),
            ..plain
        },
        Command::Template(text) => CommandPayload {
            template: Some(text.clone()),
            ..plain
        },
    })
}

/// Reads a message that came in on a topic.
///
/// # Errors
/// [`Unfit`]: then it means nothing, and nothing may be done about it but counting.
pub fn read(own: &Address, topic: &str, payload: &[u8], retained: bool) -> Result<Inbound, Unfit> {
    if payload.len() > LARGEST {
        return Err(Unfit::Large);
    }
    if topic == HOME_ASSISTANT_STATUS {
        return match payload {
            b"online" => Ok(Inbound::HomeAssistantStarted),
            _ => Err(Unfit::Payload("not \"online\"".to_owned())),
        };
    }
    let topic: Topic = topic.parse().map_err(|_| Unfit::Topic)?;
    if topic.address != *own {
        return Err(Unfit::Topic);
    }
    match topic.class {
        Class::Ack => receipt(payload).map(Inbound::Receipt),
        Class::Cmd if retained => Err(Unfit::Retained),
        Class::Cmd => command(topic.name.as_str(), payload),
        Class::Status | Class::Event | Class::State | Class::Report => Err(Unfit::Topic),
    }
}

fn version(v: u8) -> Result<(), Unfit> {
    if v == 1 {
        Ok(())
    } else {
        Err(Unfit::Payload(format!("version {v} is not known, only 1")))
    }
}

fn receipt(payload: &[u8]) -> Result<Receipt, Unfit> {
    let ReceiptPayload {
        v,
        epoch,
        up_to,
        gaps,
    } = serde_json::from_slice(payload)?;
    version(v)?;
    if gaps.len() > MOST_GAPS {
        return Err(Unfit::Payload(format!("more than {MOST_GAPS} gaps")));
    }
    let mut before = 0;
    for &(first, last) in &gaps {
        if first <= before || last < first || last > up_to {
            return Err(Unfit::Payload(format!(
                "gap [{first},{last}] is not above the one before it and below up_to"
            )));
        }
        before = last;
    }
    Ok(Receipt {
        epoch: DeviceEpoch(epoch),
        up_to: MessageNumber(up_to),
        gaps: gaps
            .into_iter()
            .map(|(first, last)| (MessageNumber(first), MessageNumber(last)))
            .collect(),
    })
}

fn command(name: &str, payload: &[u8]) -> Result<Inbound, Unfit> {
    let name = CommandName::named(name).ok_or(Unfit::UnknownCommand)?;
    let it: CommandPayload = serde_json::from_slice(payload)?;
    version(it.v)?;
    let token = |text: &str, what: &str| -> Result<Token, Unfit> {
        text.parse()
            .map_err(|wrong: NotAToken| Unfit::Payload(format!("{what}: {wrong}")))
    };
    let stretch = it.from.is_some() || it.to.is_some();
    let notice = it.text.is_some() || it.begins.is_some() || it.ends.is_some();
    let command = match (name, stretch, notice, it.template) {
        (CommandName::Resend, _, false, None) => resend(it.from, it.to)?,
        (CommandName::Notice, false, _, None) => shown(it.text, it.begins, it.ends)?,
        (CommandName::Announce, false, false, None) => Command::Announce,
        (CommandName::Template, false, false, Some(text)) => Command::Template(text),
        _ => {
            let what = format!("{} needs something else", name.as_str());
            return Err(Unfit::Payload(what));
        }
    };
    Ok(Inbound::Command {
        asked: Asked {
            id: token(&it.id, "id")?,
            by: token(&it.by, "by")?,
            command,
        },
        expires: it.expires.map(|it| moment(&it, "expires")).transpose()?,
    })
}

fn moment(text: &str, what: &str) -> Result<WallTime, Unfit> {
    text.parse::<jiff::Timestamp>()
        .map(|moment| WallTime(moment.as_millisecond()))
        .map_err(|error| Unfit::Payload(format!("{what}: {error}")))
}

fn resend(from: Option<u64>, to: Option<u64>) -> Result<Command, Unfit> {
    let (Some(from), Some(to)) = (from, to) else {
        return Err(Unfit::Payload("resend needs from and to".to_owned()));
    };
    if from == 0 || to < from || to - from >= LONGEST_STRETCH {
        return Err(Unfit::Payload(format!(
            "from and to must be 1 or more, ascending, and at most {LONGEST_STRETCH} apart"
        )));
    }
    Ok(Command::Resend {
        from: MessageNumber(from),
        to: MessageNumber(to),
    })
}

fn shown(
    text: Option<String>,
    begins: Option<String>,
    ends: Option<String>,
) -> Result<Command, Unfit> {
    let (Some(text), Some(begins), Some(ends)) = (text, begins, ends) else {
        return Err(Unfit::Payload(
            "notice needs text, begins and ends".to_owned(),
        ));
    };
    let (begins, ends) = (moment(&begins, "begins")?, moment(&ends, "ends")?);
    if ends <= begins {
        return Err(Unfit::Payload(
            "a notice must end after it begins".to_owned(),
        ));
    }
    let text = Note::new(&text).ok_or_else(|| {
        Unfit::Payload(format!(
            "text must be one line of 1 to {} characters",
            Note::LONGEST
        ))
    })?;
    Ok(Command::Notice(Notice { text, begins, ends }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own() -> Address {
        Address::new("dongfang", "no-12", "main").unwrap()
    }

    fn taken(end: &str, payload: &str) -> Result<Inbound, Unfit> {
        let topic = format!("{}{end}", own().everything().trim_end_matches('#'));
        read(&own(), &topic, payload.as_bytes(), false)
    }

    #[test]
    fn a_receipt_says_what_the_street_has() {
        let text = r#"{"v":1,"epoch":"e","up_to":9,"gaps":[[2,3],[5,5]],"more":"ignored"}"#;
        let expected = Receipt {
            epoch: DeviceEpoch("e".to_owned()),
            up_to: MessageNumber(9),
            gaps: vec![
                (MessageNumber(2), MessageNumber(3)),
                (MessageNumber(5), MessageNumber(5)),
            ],
        };
        assert_eq!(taken("ack/street", text), Ok(Inbound::Receipt(expected)));
        assert!(taken("ack/street", r#"{"v":1,"epoch":"e","up_to":9}"#).is_ok());
    }

    #[test]
    fn a_receipt_that_contradicts_itself_is_none() {
        for gaps in [
            "[[0,1]]",
            "[[3,2]]",
            "[[2,10]]",
            "[[5,6],[2,3]]",
            "[[2,5],[5,6]]",
            "[[1,2,3]]",
            "[[-1,2]]",
        ] {
            let text = format!(r#"{{"v":1,"epoch":"e","up_to":9,"gaps":{gaps}}}"#);
            let found = taken("ack/street", &text);
            assert!(matches!(found, Err(Unfit::Payload(_))), "{gaps}: {found:?}");
        }
        for text in [
            "",
            "{}",
            "[]",
            r#"{"v":2,"epoch":"e","up_to":9}"#,
            r#"{"v":1,"epoch":"e","up_to":9.5}"#,
            r#"{"v":1,"epoch":"e","up_to":18446744073709551616}"#,
            r#"{"v":1,"epoch":"e","up_to":1,"up_to":9}"#,
        ] {
            let found = taken("ack/street", text);
            assert!(matches!(found, Err(Unfit::Payload(_))), "{text}: {found:?}");
        }
    }

    #[test]
    fn commands_are_typed_and_never_retained() {
        let text = r#"{"v":1,"id":"c-1","by":"street","from":3,"to":9,"expires":"2026-11-24T12:00:00+08:00"}"#;
        let Ok(Inbound::Command { asked, expires }) = taken("cmd/resend", text) else {
            panic!("refused");
        };
        let (from, to) = (MessageNumber(3), MessageNumber(9));
        assert_eq!(asked.command, Command::Resend { from, to });
        assert_eq!(expires, Some(WallTime(1_795_492_800_000)));
        assert!(taken("cmd/announce", r#"{"v":1,"id":"c-2","by":"street"}"#).is_ok());
        let topic = format!("{}cmd/resend", own().everything().trim_end_matches('#'));
        assert_eq!(
            read(&own(), &topic, text.as_bytes(), true),
            Err(Unfit::Retained)
        );
        assert_eq!(taken("cmd/reboot", text), Err(Unfit::UnknownCommand));
        for wrong in [
            r#"{"v":1,"id":"","by":"street","from":3,"to":9}"#,
            r#"{"v":1,"id":"c","by":"王芳","from":3,"to":9}"#,
            r#"{"v":1,"id":"c","by":"b","from":0,"to":9}"#,
            r#"{"v":1,"id":"c","by":"b","from":9,"to":3}"#,
            r#"{"v":1,"id":"c","by":"b","from":1,"to":100001}"#,
            r#"{"v":1,"id":"c","by":"b"}"#,
            r#"{"v":1,"id":"c","by":"b","from":3,"to":9,"expires":"soon"}"#,
            r#"{"v":1,"id":"c","by":"b","from":3,"to":9,"sudo":true}"#,
            r#"{"v":1,"id":"c","by":"b","from":3,"to":9,"text":"x"}"#,
            r#"{"v":1,"id":"c","by":"b","from":3,"to":9,"template":"x"}"#,
        ] {
            let found = taken("cmd/resend", wrong);
            assert!(
                matches!(found, Err(Unfit::Payload(_))),
                "{wrong}: {found:?}"
            );
        }
    }

    #[test]
    fn what_is_asked_for_is_read_as_it_was_meant() {
        let commands = [
            Command::Announce,
            Command::Resend {
                from: MessageNumber(3),
                to: MessageNumber(9),
            },
            Command::Notice(Notice {
                text: Note::new("明早九点消毒 \"大堂\"").unwrap(),
                begins: WallTime(1_582_000_000_000),
                ends: WallTime(1_582_000_360_000),
            }),
            Command::Template("site = \"office\"\n# 第二版\n".to_owned()),
        ];
        for command in commands {
            let end = format!("cmd/{}", command.name().as_str());
            let asked = Asked {
                id: "c-1".parse().unwrap(),
                by: "street".parse().unwrap(),
                command,
            };
            let expires = WallTime(1_582_000_000_000);
            let text = String::from_utf8(asking(&asked, expires)).unwrap();
            let expected = Inbound::Command {
                asked,
                expires: Some(expires),
            };
            assert_eq!(taken(&end, &text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_notice_that_cannot_be_shown_is_none() {
        for wrong in [
            r#""text":"x","begins":"2020-02-24T00:00:00Z""#,
            r#""text":"x","begins":"2020-02-24T00:00:00Z","ends":"2020-02-24T00:00:00Z""#,
            r#""text":" ","begins":"2020-02-24T00:00:00Z","ends":"2020-02-25T00:00:00Z""#,
            r#""text":"x","begins":"today","ends":"2020-02-25T00:00:00Z""#,
            r#""text":"x","begins":"2020-02-24T00:00:00Z","ends":"2020-02-25T00:00:00Z","from":1"#,
        ] {
            let text = format!(r#"{{"v":1,"id":"c","by":"b",{wrong}}}"#);
            let found = taken("cmd/notice", &text);
            assert!(matches!(found, Err(Unfit::Payload(_))), "{text}: {found:?}");
        }
    }

    #[test]
    fn what_is_meant_for_others_is_not_taken() {
        let text = r#"{"v":1,"epoch":"e","up_to":9}"#;
        for topic in [
            "menshen/v1/dongfang/no-12/other/ack/street",
            "menshen/v1/dongfang/no-12/main/event/alert",
            "menshen/v2/dongfang/no-12/main/ack/street",
            "",
        ] {
            let found = read(&own(), topic, text.as_bytes(), false);
            assert_eq!(found, Err(Unfit::Topic), "{topic}");
        }
        let large = vec![b' '; LARGEST + 1];
        assert_eq!(
            read(&own(), HOME_ASSISTANT_STATUS, &large, false),
            Err(Unfit::Large)
        );
        assert_eq!(
            read(&own(), HOME_ASSISTANT_STATUS, b"online", true),
            Ok(Inbound::HomeAssistantStarted)
        );
    }
}
