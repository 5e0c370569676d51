//! The verbs, and who carries each out.

use anyhow::Result;
use clap::Subcommand;

use crate::exit::Exit;
use crate::{baseline, check, explain, fix, harden, plan, prove, schema, trace};

#[derive(Subcommand)]
pub enum Verb {
    Check(check::Arguments),
    Baseline(baseline::Arguments),
    Trace(trace::Arguments),
    Plan(plan::Arguments),
    Fix(fix::Arguments),
    Prove(prove::Arguments),
    Harden(harden::Arguments),
    Explain(explain::Arguments),
    Schema(schema::Arguments),
}

impl Verb {
    pub fn run(self) -> Result<Exit> {
        match self {
            Verb::Check(arguments) => check::run(arguments),
            Verb::Baseline(arguments) => baseline::run(arguments),
            Verb::Trace(arguments) => trace::run(arguments),
            Verb::Plan(arguments) => plan::run(arguments),
            Verb::Fix(arguments) => fix::run(arguments),
            Verb::Prove(arguments) => prove::run(arguments),
            Verb::Harden(arguments) => harden::run(arguments),
            Verb::Explain(arguments) => explain::run(arguments),
            Verb::Schema(arguments) => schema::run(arguments),
        }
    }
}
