//! The `menshen` program: reads the command line, starts the log, and says how it ended.

use clap::Parser;
use menshen::cmd::Cli;
use menshen::config::log_filter;
use std::io;
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
        .init();
    match cli.command.run() {
        Ok(code) => code,
        // A hint, where there is one, is the last line of the error itself.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
