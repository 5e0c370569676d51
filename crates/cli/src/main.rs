//! The `tojimari` binary: one file a verb, arguments in, an exit code out.

mod baseline;
mod check;
mod choice;
mod exit;
mod explain;
mod fix;
#[cfg(all(feature = "lab", target_os = "linux"))]
mod harden;
#[cfg(all(feature = "lab", target_os = "linux"))]
mod interrupt;
#[cfg(all(feature = "lab", target_os = "linux"))]
mod lab;
mod plan;
#[cfg(all(feature = "lab", target_os = "linux"))]
mod progress;
#[cfg(all(feature = "lab", target_os = "linux"))]
mod prove;
#[cfg(feature = "schema")]
mod schema;
mod task;
mod tell;
#[cfg(all(feature = "lab", target_os = "linux"))]
mod trace;
mod values;
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
    #[cfg(all(feature = "lab", target_os = "linux"))]
    // The containers of a run are started by this same program under another first argument.
    if let Some(code) = tojimari_lab::run::runner::entered() {
        return code;
    }
    let done = match Arguments::try_parse() {
        Ok(arguments) => arguments.verb.run(),
        Err(usage) => tell::usage(&usage),
    };
    done.unwrap_or_else(|error| exit::say(&error)).into()
}
