//! The `tojimari` binary: one file a verb, arguments in, an exit code out.

mod accept;
mod baseline;
mod check;
mod config;
mod edits;
mod exit;
mod explain;
mod files;
mod fix;
mod harden;
mod images;
mod input;
mod interrupt;
mod judge;
mod lab;
mod plan;
mod progress;
mod prove;
mod task;
mod tell;
mod trace;

use clap::{Parser, Subcommand};

/// Turn on a read-only root file system for Amazon ECS containers without breaking them.
#[derive(Parser)]
#[command(version, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Check(check::Arguments),
    Baseline(baseline::Arguments),
    Trace(trace::Arguments),
    Plan(plan::Arguments),
    Fix(fix::Arguments),
    Prove(prove::Arguments),
    Harden(harden::Arguments),
    Explain(explain::Arguments),
}

fn main() -> std::process::ExitCode {
    // The containers of a run are started by this same program under another first argument.
    if let Some(code) = tojimari_lab::run::runner::entered() {
        return code;
    }
    let outcome = match Arguments::parse().verb {
        Verb::Baseline(arguments) => baseline::run(arguments),
        Verb::Check(arguments) => check::run(arguments),
        Verb::Trace(arguments) => trace::run(arguments),
        Verb::Plan(arguments) => plan::run(arguments),
        Verb::Fix(arguments) => fix::run(arguments),
        Verb::Prove(arguments) => prove::run(arguments),
        Verb::Harden(arguments) => harden::run(arguments),
        Verb::Explain(arguments) => explain::run(arguments),
    };
    outcome.unwrap_or_else(|error| exit::say(&error)).into()
}
