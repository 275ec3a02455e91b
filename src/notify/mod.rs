//! Ways out to people, beside the street's broker: a lamp or a loudspeaker at this machine, the group
//! robots of WeCom and DingTalk, and a webhook for whatever else a site has.
//!
//! Nothing that goes out here names anybody, and no temperature does: what was measured of a person at a
//! door at a minute is on the page, where staff are. A message says that somebody is needed, and where.
//!
//! | module | holds |
//! |---|---|
//! | [`notice`] | what an event comes to in a sentence, and many of them in one |
//! | [`hook`] | the program at this machine: runs at once, whether saved or not |
//! | [`pace`] | how many messages a minute, and when they become a digest |
//! | [`robot`] | what each server wants to be sent, and what its answers mean |
//! | [`post`] | the request itself |
//! | [`courier`] | empties one notifier's part of the outbox |
//!
//! Notifiers have a channel of the outbox each: a message is saved with its event and goes out until the
//! server has taken it. It may come twice where the gateway dies between the answer and its own note of it.

pub mod courier;
pub mod hook;
pub mod notice;
pub mod pace;
pub mod post;
pub mod robot;
