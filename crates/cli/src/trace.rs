//! `tojimari trace`: runs a task with a writable root and writes down every write.

use std::path::PathBuf;

use anyhow::Result;
use tojimari_engine::task;
use tojimari_render::terminal;

use crate::exit::Exit;
use crate::lab::{self, RunArguments};
use crate::task::TaskArguments;
use crate::tell;

/// Run a task's containers with a writable root and record every write that a read-only root
/// would refuse, also of files that are deleted again.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    task: TaskArguments,
    #[command(flatten)]
    run: RunArguments,
    /// Only this container of the task.
    #[arg(long, value_name = "NAME")]
    container: Option<String>,
    /// Where the profile goes; standard output if not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    let declared = task::read(&arguments.task.into())?;
    let (lab, steps) = lab::open(&declared, &arguments.run, arguments.container, None)?;
    let profile = lab.trace(&declared.task)?;
    steps.done();
    tell::document(arguments.output.as_deref(), &profile)?;
    if arguments.output.is_some() {
        tell::print(&terminal::profile(&profile))?;
    }
    Ok(Exit::Done)
}
