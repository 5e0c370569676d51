//! The `tojimari` binary: one file a verb, arguments in, an exit code out.

mod baseline;
mod check;
mod choice;
mod exit;
mod explain;
mod fix;
mod harden;
mod interrupt;
mod lab;
mod plan;
mod progress;
mod prove;
mod schema;
mod task;
mod tell;
mod trace;
mod verb;

use clap::Parser;

/// Turn on a read-only root file system for Amazon ECS containers without breaking them.
#[derive(Parser)]
#[command(version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    verb: verb::Verb,
}

fn main() -> std::process::ExitCode {
    // The containers of a run are started by this same program under another first argument.
    if let Some(code) = tojimari_lab::run::runner::entered() {
        return code;
    }
    Arguments::parse().verb.run().unwrap_or_else(|error| exit::say(&error)).into()
}
