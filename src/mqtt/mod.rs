//! MQTT: what the gateway says to the street, and how it gets there without loss.
//!
//! MQTT 3.1.1 at QoS 1. What goes out waits in the outbox until it is safe; what comes in is read
//! with suspicion.
//!
//! | module | holds |
//! |---|---|
//! | [`topic`], [`payload`], `answer` | every topic, every payload |
//! | [`inbound`] | the only door for what comes in |
//! | [`link`] | the link: connects, and comes back after every loss |
//! | `connection`, `disk` | one connection: empties the outbox into it, takes receipts and commands |
//! | `rounds`, `signs` | pure rules: when what the street lacks goes again, when it counts as silent |
//! | `session`, `wire`, [`dial`], [`tls`], `wait` | MQTT's own part: a session, packets, the way to the broker, waiting |
//! | `home_assistant`, [`forget`] | Home Assistant's entities; what a gate leaves behind at a broker, taken away |
//! | [`probe`] | what an account may do at a broker, found out by trying |
//! | [`collector`] | the other end: a session that hears a street and answers with receipts |
//! | [`broker`] | a throw-away Mosquitto for demonstrations and tests |

mod answer;
pub mod broker;
pub mod collector;
mod connection;
pub mod dial;
mod disk;
pub mod forget;
mod home_assistant;
pub mod inbound;
pub mod link;
pub mod payload;
pub mod probe;
mod rounds;
#[cfg(test)]
mod schema_tests;
mod session;
mod signs;
pub mod tls;
pub mod topic;
mod wait;
mod wire;

pub use collector::{Heard, Listener, Lost, command, receipt};
pub use dial::Account;
pub use inbound::asking;
pub use link::Backoff;
pub use tls::{TlsFiles, config as tls_config};
pub use topic::{Address, Class, Part, Topic, numbered_of, shared, standing_of};
pub use wire::Stream;
