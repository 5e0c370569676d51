//! `tojimari prove`: runs a hardened task definition and tells whether it holds.

use std::path::PathBuf;

use anyhow::Result;
use tojimari_engine::{Error, task};
use tojimari_render::terminal;

use crate::exit::Exit;
use crate::lab::{self, RunArguments};
use crate::task::TaskArguments;
use crate::tell;

/// Run a hardened task definition as it is written and report every write that is refused.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    task: TaskArguments,
    #[command(flatten)]
    run: RunArguments,
    /// Where the proof goes; standard output if not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    let declared = task::read(&arguments.task.into())?;
    let writable: Vec<&str> = declared
        .task
        .containers
        .iter()
        .filter(|container| container.readonly_root_filesystem.known() != Some(&true))
        .filter_map(|container| container.name.as_str())
        .collect();
    if !writable.is_empty() {
        return Err(Error::Input(format!(
            "{}: readonlyRootFilesystem is not true for {}: there is nothing to prove (harden makes it so)",
            declared.name,
            writable.join(", ")
        ))
        .into());
    }
    let (lab, steps) = lab::open(&declared, &arguments.run, None, None)?;
    lab.watch_writable(&declared.task)?;
    let proof = lab.prove(&declared.task)?;
    steps.done();
    tell::document(arguments.output.as_deref(), &proof)?;
    if arguments.output.is_some() {
        tell::print(&terminal::proof(&proof))?;
    }
    Ok(arguments.run.judge(&proof))
}
