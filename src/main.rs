//! The `menshen` program.
use clap::Parser;
#[derive(Parser)]
enum C { Replay(menshen::cmd::replay::ReplayArgs) }
fn main()->anyhow::Result<std::process::ExitCode> { let C::Replay(a)=C::parse(); menshen::cmd::replay::run(&a) }
