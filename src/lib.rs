//! Menshen (门神): fever screening at a building's door.
//!
//! One value flows one way:
//!
//! ```text
//! camera ─RawFrame─▶ thermal ─ThermalFrame─▶ face ─Face[]─▶ track ─looks─▶ estimate ─Reading─▶
//! screening ─Screening─▶ alert ─Event─▶ store (one transaction: event + outbox + audit)
//!                                         └─▶ mqtt, notify, web
//! ```
//!
//! Everything from `RawFrame` to `Event` is a pure state machine: no I/O, no clock, no thread.
//! Time comes in with the frame; replaying a recording gives the same events, byte for byte.
//!
//! | layer | modules | may use |
//! |---|---|---|
//! | 0 words | [`units`], [`clock`], [`calendar`], [`text`], [`id`], [`secret`], [`staff`] | std |
//! | 1 core | [`thermal`], [`face`], [`track`], [`estimate`], [`screening`], [`alert`], [`account`], [`command`], [`event`], [`journal`], [`evaluate`], [`checklist`], [`procedure`] | layer 0, ndarray |
//! | 2 rim | [`camera`], [`detect`], [`store`], [`mqtt`], [`notify`], [`web`], [`street`], [`picture`], [`export`] | layers 0–1 |
//! | 3 wiring | [`pipeline`], [`config`], [`cmd`] | all |
//!
//! `tests/architecture.rs` holds everybody to this table.

pub mod account;
pub mod alert;
pub mod calendar;
pub mod camera;
pub mod checklist;
pub mod clock;
pub mod cmd;
pub mod command;
pub mod config;
pub mod detect;
pub mod estimate;
pub mod evaluate;
pub mod event;
pub mod export;
pub mod face;
pub mod id;
pub mod journal;
pub mod mqtt;
pub mod notify;
pub mod picture;
pub mod pipeline;
pub mod procedure;
pub mod screening;
pub mod secret;
pub mod staff;
pub mod store;
pub mod street;
pub mod text;
pub mod thermal;
pub mod track;
pub mod units;
pub mod web;
