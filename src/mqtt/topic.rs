//! Topics as values, and the only place that knows how they are written:
//!
//! ```text
//! menshen/v1/<street>/<building>/<gate>/<class>/<name>
//! ```
//!
//! The depth is fixed, so that one wildcard reads a street. Parts are `[A-Za-z0-9_-]{1,64}`: what
//! Mosquitto, EMQX and NATS all carry (NATS closes the connection on `.` and on a space).

use crate::calendar::Date;
use std::fmt;
use std::str::FromStr;

/// First part: the program.
const PROGRAM: &str = "menshen";
/// Second part: version of the topics and payloads.
const VERSION: &str = "v1";
/// What Home Assistant's topics begin with, where nobody has changed it.
const HOME_ASSISTANT: &str = "homeassistant";
/// Where Home Assistant says that it has started.
pub const HOME_ASSISTANT_STATUS: &str = "homeassistant/status";
/// Longest part, bytes.
const LONGEST: usize = 64;

/// A text that is no part of a topic, or no topic at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicError {
    /// A part is empty, too long, or has other letters than `[A-Za-z0-9_-]`.
    Part(String),
    /// Not `<street>/<building>/<gate>`.
    Address(String),
    /// Not `menshen/v1/` and five parts.
    Shape(String),
    /// No such class.
    Class(String),
}

impl fmt::Display for TopicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(text) => write!(
                f,
                "{text:?} cannot stand in a topic: use 1 to {LONGEST} of the letters A-Z a-z, \
                 digits, _ and - (pinyin for Chinese names)"
            ),
            Self::Address(text) => write!(f, "{text:?} is not <street>/<building>/<gate>"),
            Self::Shape(text) => write!(
                f,
                "{text:?} is not {PROGRAM}/{VERSION}/<street>/<building>/<gate>/<class>/<name>"
            ),
            Self::Class(text) => write!(
                f,
                "{text:?} is no class of topics: status, event, state, report, cmd or ack"
            ),
        }
    }
}

impl std::error::Error for TopicError {}

/// One level of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part(String);

impl Part {
    /// The text of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Part {
    type Err = TopicError;
    fn from_str(text: &str) -> Result<Self, TopicError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=LONGEST).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(TopicError::Part(text.to_owned()))
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a gate is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The sub-district.
    pub street: Part,
    /// The building.
    pub building: Part,
    /// The door within it.
    pub gate: Part,
}

impl Address {
    /// From the three names.
    ///
    /// # Errors
    /// Where one of them cannot stand in a topic.
    pub fn new(street: &str, building: &str, gate: &str) -> Result<Self, TopicError> {
        Ok(Self {
            street: street.parse()?,
            building: building.parse()?,
            gate: gate.parse()?,
        })
    }

    /// A door that nobody has, in the same street: what is allowed there is allowed everywhere in it.
    #[must_use]
    pub fn beside(&self) -> Self {
        let nobody = Part("nobody".to_owned());
        Self {
            street: self.street.clone(),
            building: nobody.clone(),
            gate: nobody,
        }
    }

    /// What the topics of this gate begin with.
    fn root(&self) -> String {
        let Self {
            street,
            building,
            gate,
        } = self;
        format!("{PROGRAM}/{VERSION}/{street}/{building}/{gate}")
    }

    /// Filter for everything that this gate publishes, and that is published to it.
    #[must_use]
    pub fn everything(&self) -> String {
        format!("{}/#", self.root())
    }

    /// Filter for one class of this gate's topics.
    #[must_use]
    pub fn all_of(&self, class: Class) -> String {
        format!("{}/{}/+", self.root(), class.as_str())
    }

    /// What this gate's account at the broker has to be allowed, as Mosquitto's access list says it: to read
    /// what is its own, and to write all of that but receipts and commands, which are not its to write.
    #[must_use]
    pub fn rights(&self) -> [(&'static str, String); 5] {
        let write = |class| ("write", self.all_of(class));
        [
            ("read", self.everything()),
            write(Class::Status),
            write(Class::Event),
            write(Class::State),
            write(Class::Report),
        ]
    }

    /// Where Home Assistant looks for this gate's entities. Other than all our topics, and named
    /// by Home Assistant's own rule (its documentation of MQTT, "Device discovery payload").
    #[must_use]
    pub fn home_assistant(&self) -> String {
        format!(
            "{HOME_ASSISTANT}/device/{}/config",
            self.home_assistant_id()
        )
    }

    /// This gate's id at Home Assistant, which takes the letters of our parts. Two underscores
    /// stand between them, and one within a part becomes `_u`, so that no two gates have one id.
    #[must_use]
    pub fn home_assistant_id(&self) -> String {
        [&self.street, &self.building, &self.gate]
            .iter()
            .fold(PROGRAM.to_owned(), |id, part| {
                format!("{id}__{}", part.as_str().replace('_', "_u"))
            })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            street,
            building,
            gate,
        } = self;
        write!(f, "{street}/{building}/{gate}")
    }
}

impl FromStr for Address {
    type Err = TopicError;
    fn from_str(text: &str) -> Result<Self, TopicError> {
        match text.split('/').collect::<Vec<_>>().as_slice() {
            [street, building, gate] => Self::new(street, building, gate),
            _ => Err(TopicError::Address(text.to_owned())),
        }
    }
}

/// Filters for all that the gates of a street number and wait for receipts of: events and reports.
#[must_use]
pub fn numbered_of(street: &Part) -> Vec<String> {
    [Class::Event, Class::Report]
        .map(|class| format!("{PROGRAM}/{VERSION}/{street}/+/+/{}/+", class.as_str()))
        .to_vec()
}

/// Filters for how things stand at the gates of a street: retained, so that whoever begins to listen
/// hears the latest of each.
#[must_use]
pub fn standing_of(street: &Part) -> Vec<String> {
    ["status/gateway", "state/+"]
        .map(|end| format!("{PROGRAM}/{VERSION}/{street}/+/+/{end}"))
        .to_vec()
}

/// A filter of which the broker gives each message to one client of the group only. No word of
/// MQTT 3.1.1: Mosquitto and EMQX know it there all the same, NATS does not.
#[must_use]
pub fn shared(group: &Part, filter: &str) -> String {
    format!("$share/{group}/{filter}")
}

/// What kind of message a topic carries, and so how it is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Retained, with a last will.
    Status,
    /// QoS 1, never retained: something happened.
    Event,
    /// Retained: how things stand.
    State,
    /// QoS 1, never retained, since each day has a topic of its own: the report of the day.
    Report,
    /// To the gateway: commands.
    Cmd,
    /// To the gateway: receipts.
    Ack,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 6] = [
        Self::Status,
        Self::Event,
        Self::State,
        Self::Report,
        Self::Cmd,
        Self::Ack,
    ];

    /// The word in the topic.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Event => "event",
            Self::State => "state",
            Self::Report => "report",
            Self::Cmd => "cmd",
            Self::Ack => "ack",
        }
    }

    /// Whether the broker keeps the last message for late subscribers.
    #[must_use]
    pub const fn retained(self) -> bool {
        matches!(self, Self::Status | Self::State)
    }
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    /// Whose.
    pub address: Address,
    /// What kind.
    pub class: Class,
    /// What.
    pub name: Part,
}

impl Topic {
    /// A topic of ours; `name` is a word of this module.
    fn own(address: &Address, class: Class, name: &'static str) -> Self {
        Self {
            address: address.clone(),
            class,
            name: Part(name.to_owned()),
        }
    }

    /// Whether the gateway is there.
    #[must_use]
    pub fn gateway_status(address: &Address) -> Self {
        Self::own(address, Class::Status, "gateway")
    }

    /// Where a technician tries what this gateway may do; nobody listens to it.
    #[must_use]
    pub fn doctor(address: &Address) -> Self {
        Self::own(address, Class::Status, "doctor")
    }

    /// An alert was raised, acknowledged or resolved.
    #[must_use]
    pub fn alert_event(address: &Address) -> Self {
        Self::own(address, Class::Event, "alert")
    }

    /// A fault of the gateway began or ended.
    #[must_use]
    pub fn fault_event(address: &Address) -> Self {
        Self::own(address, Class::Event, "fault")
    }

    /// Numbers of messages will never come.
    #[must_use]
    pub fn void_event(address: &Address) -> Self {
        Self::own(address, Class::Event, "void")
    }

    /// A command was done, or refused.
    #[must_use]
    pub fn command_event(address: &Address) -> Self {
        Self::own(address, Class::Event, "command")
    }

    /// Which faults stand.
    #[must_use]
    pub fn faults_state(address: &Address) -> Self {
        Self::own(address, Class::State, "faults")
    }

    /// How far today's round has come.
    #[must_use]
    pub fn checklist_state(address: &Address) -> Self {
        Self::own(address, Class::State, "checklist")
    }

    /// How many people are followed in each colour.
    #[must_use]
    pub fn follow_up_state(address: &Address) -> Self {
        Self::own(address, Class::State, "followup")
    }

    /// The report of a day.
    #[must_use]
    pub fn report(address: &Address, date: Date) -> Self {
        Self {
            address: address.clone(),
            class: Class::Report,
            name: Part(date.to_string()),
        }
    }

    /// Everything of a gate that a broker retains.
    #[must_use]
    pub fn retained(address: &Address) -> [Self; 5] {
        [
            Self::gateway_status(address),
            Self::alerts_state(address),
            Self::faults_state(address),
            Self::checklist_state(address),
            Self::follow_up_state(address),
        ]
    }

    /// Where a collector of the street tells a gate what it has.
    #[must_use]
    pub fn receipt(address: &Address, collector: &Part) -> Self {
        Self {
            address: address.clone(),
            class: Class::Ack,
            name: collector.clone(),
        }
    }

    /// Which alerts are open.
    #[must_use]
    pub fn alerts_state(address: &Address) -> Self {
        Self::own(address, Class::State, "alerts")
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, name) = (self.class.as_str(), &self.name);
        write!(f, "{}/{class}/{name}", self.address.root())
    }
}

impl FromStr for Topic {
    type Err = TopicError;
    fn from_str(text: &str) -> Result<Self, TopicError> {
        let parts: Vec<&str> = text.split('/').collect();
        let [PROGRAM, VERSION, street, building, gate, class, name] = parts.as_slice() else {
            return Err(TopicError::Shape(text.to_owned()));
        };
        Ok(Self {
            address: Address::new(street, building, gate)?,
            class: Class::ALL
                .into_iter()
                .find(|known| known.as_str() == *class)
                .ok_or_else(|| TopicError::Class((*class).to_owned()))?,
            name: name.parse()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_topic_reads_back_what_it_wrote(
            street in "[A-Za-z0-9_-]{1,64}",
            building in "[A-Za-z0-9_-]{1,64}",
            gate in "[A-Za-z0-9_-]{1,64}",
            class in prop::sample::select(Class::ALL.to_vec()),
            name in "[A-Za-z0-9_-]{1,64}",
        ) {
            let topic = Topic {
                address: Address::new(&street, &building, &gate).unwrap(),
                class,
                name: name.parse().unwrap(),
            };
            prop_assert_eq!(topic.to_string().parse(), Ok(topic));
        }

        #[test]
        fn whatever_parses_is_written_the_same(text in "(menshen|x)/v[12](/[a-c+#. ]{0,3}){3,6}") {
            if let Ok(topic) = text.parse::<Topic>() {
                prop_assert_eq!(topic.to_string(), text);
            }
        }
    }

    #[test]
    fn what_a_broker_would_refuse_is_no_part() {
        let long = "x".repeat(65);
        for wrong in ["", "a/b", "+", "#", "a b", "a.b", "门神", "a\0", &long] {
            assert_eq!(
                wrong.parse::<Part>(),
                Err(TopicError::Part(wrong.to_owned()))
            );
        }
    }

    #[test]
    fn topics_stand_as_documented() {
        let address = Address::new("dongfang", "no-12", "main").unwrap();
        assert_eq!(
            Topic::gateway_status(&address).to_string(),
            "menshen/v1/dongfang/no-12/main/status/gateway"
        );
        assert_eq!(
            Topic::alert_event(&address).to_string(),
            "menshen/v1/dongfang/no-12/main/event/alert"
        );
        assert_eq!(
            Topic::fault_event(&address).to_string(),
            "menshen/v1/dongfang/no-12/main/event/fault"
        );
        assert_eq!(
            Topic::alerts_state(&address).to_string(),
            "menshen/v1/dongfang/no-12/main/state/alerts"
        );
        assert_eq!(
            address.home_assistant(),
            "homeassistant/device/menshen__dongfang__no-12__main/config"
        );
        let id = |a, b| Address::new(a, b, "c").unwrap().home_assistant_id();
        assert_ne!(id("a_b", "b"), id("a", "b_b"));
        assert_ne!(id("a_", "b"), id("a", "_b"));
        assert!(matches!(
            "menshen/v1/a/b/c/nonsense/d".parse::<Topic>(),
            Err(TopicError::Class(_))
        ));
        assert!(matches!(
            "menshen/v2/a/b/c/event/d".parse::<Topic>(),
            Err(TopicError::Shape(_))
        ));
    }
}
