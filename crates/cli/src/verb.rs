//! The verbs, and who carries each out.

use anyhow::Result;
use clap::Subcommand;

use crate::exit::Exit;
#[cfg(feature = "schema")]
use crate::schema;
use crate::{baseline, check, explain, fix, plan};
#[cfg(all(feature = "lab", target_os = "linux"))]
use crate::{harden, prove, trace};

#[derive(Subcommand)]
pub enum Verb {
    Check(check::Arguments),
    Baseline(baseline::Arguments),
    #[cfg(all(feature = "lab", target_os = "linux"))]
    Trace(trace::Arguments),
    Plan(plan::Arguments),
    Fix(fix::Arguments),
    #[cfg(all(feature = "lab", target_os = "linux"))]
    Prove(prove::Arguments),
    #[cfg(all(feature = "lab", target_os = "linux"))]
    Harden(harden::Arguments),
    Explain(explain::Arguments),
    #[cfg(feature = "schema")]
    Schema(schema::Arguments),
}

impl Verb {
    pub fn run(self) -> Result<Exit> {
        match self {
            Verb::Check(arguments) => check::run(arguments),
            Verb::Baseline(arguments) => baseline::run(arguments),
            #[cfg(all(feature = "lab", target_os = "linux"))]
            Verb::Trace(arguments) => trace::run(arguments),
            Verb::Plan(arguments) => plan::run(arguments),
            Verb::Fix(arguments) => fix::run(arguments),
            #[cfg(all(feature = "lab", target_os = "linux"))]
            Verb::Prove(arguments) => prove::run(arguments),
            #[cfg(all(feature = "lab", target_os = "linux"))]
            Verb::Harden(arguments) => harden::run(arguments),
            Verb::Explain(arguments) => explain::run(arguments),
            #[cfg(feature = "schema")]
            Verb::Schema(arguments) => schema::run(arguments),
        }
    }
}
