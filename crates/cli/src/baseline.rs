//! `tojimari baseline`: writes down the failures that there are, so that only new ones fail.

use std::path::PathBuf;

use anyhow::Result;
use tojimari_controls::Baseline;
use tojimari_engine::accept::accept;
use tojimari_engine::input::{self, Loader};
use tojimari_engine::judge::{Rules, judge};
use tojimari_engine::nothing::nothing;

use crate::exit::Exit;
use crate::tell;

/// Write down the failures that there are, for `check --baseline`: only new ones fail then.
#[derive(clap::Args)]
pub struct Arguments {
    /// Files and folders; `-` is standard input. The working folder if none is given.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only this control, by its id or name; may be given several times.
    #[arg(long = "control", value_name = "ID")]
    controls: Vec<String>,
    /// Where the baseline goes; standard output if not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Take it that nothing of ECS or ECR is found.
    #[arg(long)]
    allow_empty: bool,
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    let paths = if arguments.paths.is_empty() { vec![PathBuf::from(".")] } else { arguments.paths };
    let input = input::gather(&paths);
    let rules = Rules::named(&arguments.controls, &input.config)?;
    let loader = Loader::new(&input.sources, &input.known);
    let mut judged = judge(&input.sources, &input.files, &loader, &rules, input.problems.clone());
    accept(&mut judged, &input.sources, &input.config, &rules, input.is_complete(), None);
    tell::document(arguments.output.as_deref(), &Baseline::of(&judged.evaluations))?;
    if !arguments.allow_empty {
        judged.problems.extend(tell::nothing(nothing(&input, &judged)));
    }
    tell::problems(&input.sources, &judged.problems);
    tell::notes(&input.notes);
    Ok(if judged.problems.is_empty() { Exit::Done } else { Exit::Input })
}
