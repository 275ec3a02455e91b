//! Subcommands.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "commands talk to people")]
pub mod replay;
