//! MQTT: what the gateway says to the street, and how it gets there without loss.
//!
//! MQTT 3.1.1 at QoS 1. [`topic`] knows every topic, [`payload`] every payload, [`link`] empties
//! the outbox into a broker, [`broker`] runs a throw-away Mosquitto for demonstrations and tests.
//! Commands from the street are a later issue; so is TLS.

pub mod broker;
mod connection;
pub mod link;
pub mod payload;
pub mod topic;
