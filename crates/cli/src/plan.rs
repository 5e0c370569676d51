//! `tojimari plan`: decides the writable mounts from a profile.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tojimari_model::observed::Profile;
use tojimari_plan::decide::{UNPROVEN, hint};
use tojimari_plan::{Options, Platform, Prefer, decide};
use tojimari_render::terminal;

use crate::exit::{BadInput, Exit};
use crate::{files, task, tell};

/// Decide the fewest and narrowest writable mounts from a write profile; without one, from the
/// recipes for well-known images, as a hint that is not proven.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    task: task::Named,
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
    #[arg(long, value_enum, value_name = "P")]
    platform: Option<PlatformName>,
    /// Mount this folder although it holds programs or is otherwise refused.
    #[arg(long, value_name = "FOLDER")]
    allow: Vec<String>,
    /// Make room for the agent of ECS Exec: /var/lib/amazon and /var/log/amazon.
    #[arg(long)]
    exec: bool,
    /// What to take where a tmpfs and an empty volume would both do.
    #[arg(long, value_enum, default_value = "tmpfs")]
    prefer: PreferName,
    /// EFS file system for --prefer efs, such as fs-0123456789abcdef0.
    #[arg(long, value_name = "ID", required_if_eq("prefer", "efs"))]
    efs: Option<String>,
    /// Raise the task's memory by what the tmpfs mounts may take, to a size that the platform has.
    #[arg(long)]
    raise_memory: bool,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum PlatformName {
    Fargate,
    Ec2,
    ManagedInstances,
    External,
    Compose,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum PreferName {
    Tmpfs,
    Volume,
    /// A VOLUME in the Dockerfile, with a folder of the right owner.
    Dockerfile,
    /// A folder of an EFS file system (--efs), which outlives the task.
    Efs,
}

impl Decisions {
    /// The image has to be built anew before anything can be proven.
    pub fn changes_the_image(&self) -> bool {
        matches!(self.prefer, PreferName::Dockerfile)
    }

    pub fn platform(&self, declared: &task::DeclaredTask) -> Platform {
        self.given_platform().unwrap_or_else(|| Platform::of(&declared.task))
    }

    /// The platform that the user named.
    pub fn given_platform(&self) -> Option<Platform> {
        self.platform.map(|platform| match platform {
            PlatformName::Fargate => Platform::Fargate,
            PlatformName::Ec2 => Platform::Ec2,
            PlatformName::ManagedInstances => Platform::ManagedInstances,
            PlatformName::External => Platform::External,
            PlatformName::Compose => Platform::Compose,
        })
    }

    pub fn options(&self) -> Options {
        let prefer = match self.prefer {
            PreferName::Tmpfs => Prefer::Tmpfs,
            PreferName::Volume => Prefer::Volume,
            PreferName::Dockerfile => Prefer::Dockerfile,
            PreferName::Efs => Prefer::Efs(self.efs.clone().unwrap_or_default()),
        };
        let raise_memory = self.raise_memory;
        Options { allow: self.allow.clone(), exec: self.exec, prefer, raise_memory, keep_content: false }
    }
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    let declared = task::read(&arguments.task)?;
    let decisions = &arguments.decisions;
    let (platform, options) = (decisions.platform(&declared), decisions.options());
    let plan = match &arguments.profile {
        Some(path) => decide(&declared.task, &read_profile(path)?, platform, &options),
        None => hint(&declared.task, platform, &options).ok_or_else(|| {
            BadInput(format!(
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
    files::write_json_or_print(arguments.output.as_deref(), &plan)?;
    if arguments.output.is_some() {
        tell::print(&terminal::plan(&plan));
    }
    Ok(Exit::Done)
}

fn read_profile(path: &Path) -> Result<Profile> {
    let shown = path.display();
    let text = files::read(path)?;
    let profile: Profile = serde_json::from_str(&text)
        .map_err(|error| BadInput(format!("{shown}:{}:{}: not a profile: {error}", error.line(), error.column())))?;
    if profile.version != 1 {
        return Err(
            BadInput(format!("{shown}: profile version {}, this program knows version 1", profile.version)).into()
        );
    }
    Ok(profile)
}
