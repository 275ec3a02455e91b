//! The `menshen` program: reads the command line, starts the log, and says how it ended.

use clap::Parser;
use menshen::cmd::{self, Cli};
use menshen::config::log_filter;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

#[expect(
    clippy::print_stderr,
    reason = "the last word of a command that failed"
)]
fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Also `--help` and `--version`, which go to standard output and end with 0.
        Err(answer) => {
            let _ = answer.print();
            return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2));
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(log_filter()))
        .with_writer(io::stderr)
        // Colours are for eyes; in a file or the journal they are rubbish between the words.
        .with_ansi(io::stderr().is_terminal())
        .init();
    match cli.command.run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", cmd::in_words(&error));
            ExitCode::FAILURE
        }
    }
}
