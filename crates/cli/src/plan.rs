//! `tojimari plan`: decides the writable mounts from a profile.

use std::path::PathBuf;

use anyhow::Result;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use tojimari_engine::{Error, document, task};
use tojimari_plan::decide::{UNPROVEN, hint};
use tojimari_plan::{Options, Platform, Prefer, decide};
use tojimari_render::terminal;

use crate::choice::choice;
use crate::exit::Exit;
use crate::task::TaskArguments;
use crate::tell;

/// Decide the fewest and narrowest writable mounts from a write profile; without one, from the
/// recipes for well-known images, as a hint that is not proven.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    task: TaskArguments,
    /// Profile that `trace` wrote.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    #[command(flatten)]
    decisions: Decisions,
    /// Where the plan goes; standard output if not given.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What a person decides of a plan.
#[derive(clap::Args, Clone)]
pub struct Decisions {
    /// Where the task runs; by default what requiresCompatibilities says.
    #[arg(long, value_parser = choice::<Platform>(), value_name = "P")]
    platform: Option<Platform>,
    /// Mount this folder although it holds programs or is otherwise refused.
    #[arg(long, value_name = "FOLDER")]
    allow: Vec<String>,
    /// Make room for the agent of ECS Exec: /var/lib/amazon and /var/log/amazon.
    #[arg(long)]
    exec: bool,
    /// What to take where a tmpfs and an empty volume would both do.
    #[arg(long, value_parser = preferences(), default_value = "tmpfs")]
    prefer: Prefer,
    /// EFS file system for --prefer efs, such as fs-0123456789abcdef0.
    #[arg(long, value_name = "ID", required_if_eq("prefer", "efs"))]
    efs: Option<String>,
    /// Raise the task's memory by what the tmpfs mounts may take, to a size that the platform has.
    #[arg(long)]
    raise_memory: bool,
}

impl Decisions {
    #[cfg(all(feature = "lab", target_os = "linux"))]
    /// The image has to be built anew before anything can be proven.
    pub fn changes_the_image(&self) -> bool {
        self.prefer == Prefer::Dockerfile
    }

    pub fn platform(&self, declared: &task::DeclaredTask) -> Platform {
        self.given_platform().unwrap_or_else(|| declared.task.platform())
    }

    /// The platform that the user named.
    pub fn given_platform(&self) -> Option<Platform> {
        self.platform
    }

    pub fn options(&self) -> Options {
        let prefer = match &self.prefer {
            Prefer::Efs(_) => Prefer::Efs(self.efs.clone().unwrap_or_default()),
            other => other.clone(),
        };
        let raise_memory = self.raise_memory;
        Options { allow: self.allow.clone(), exec: self.exec, prefer, raise_memory, keep_content: false }
    }
}

/// What can be preferred; the file system of `efs` comes with --efs.
fn preferences() -> impl TypedValueParser<Value = Prefer> {
    let dockerfile = "A VOLUME in the Dockerfile, with a folder of the right owner";
    let efs = "A folder of an EFS file system (--efs), which outlives the task";
    PossibleValuesParser::new([
        PossibleValue::new("tmpfs"),
        PossibleValue::new("volume"),
        PossibleValue::new("dockerfile").help(dockerfile),
        PossibleValue::new("efs").help(efs),
    ])
    .map(|name| match &*name {
        "volume" => Prefer::Volume,
        "dockerfile" => Prefer::Dockerfile,
        "efs" => Prefer::Efs(String::new()),
        _ => Prefer::Tmpfs,
    })
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    let declared = task::read(&arguments.task.into())?;
    let decisions = &arguments.decisions;
    let (platform, options) = (decisions.platform(&declared), decisions.options());
    let plan = match &arguments.profile {
        Some(path) => decide(&declared.task, &document::read(path)?, platform, &options),
        None => hint(&declared.task, platform, &options).ok_or_else(|| {
            Error::Input(format!(
                "{}: no recipe is for an image of this task; `tojimari trace` writes a profile for --profile",
                declared.name
            ))
        })?,
    };
    // With --output the plan is shown, and its notes with it.
    if arguments.output.is_none()
        && let Some(note) = plan.notes.iter().find(|note| note.starts_with(UNPROVEN))
    {
        tell::notes(std::slice::from_ref(note));
    }
    tell::document(arguments.output.as_deref(), &plan)?;
    if arguments.output.is_some() {
        tell::print(&terminal::plan(&plan))?;
    }
    Ok(Exit::Done)
}
