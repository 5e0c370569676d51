//! What `trace`, `prove` and `harden` have in common: the arguments of a run, and opening the lab
//! with them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tojimari_engine::Error;
use tojimari_engine::images::{self, ImageArgument};
use tojimari_engine::task::DeclaredTask;
use tojimari_evidence::proof::{Proof, Verdict};
use tojimari_lab::{Lab, Options};
use tojimari_plan::Platform;

use crate::exit::Exit;
use crate::interrupt;
use crate::progress::Steps;

#[derive(clap::Args)]
pub struct RunArguments {
    /// Image of a container, instead of the one that its task definition names: an OCI layout
    /// (`oci:DIR[:TAG]`), an archive (`docker-archive:FILE`) or a registry reference.
    #[arg(long = "image", value_name = "NAME=REF")]
    pub images: Vec<ImageArgument>,
    /// Command that uses the service as its clients would. Runs on this machine with `sh -c` in
    /// the task's network; TOJIMARI_TASK_IP holds the task's address. It must end with 0.
    #[arg(long, value_name = "CMD")]
    pub exercise: Option<String>,
    /// How long the exercise may take, in seconds.
    #[arg(long, value_name = "SECS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub exercise_timeout: u64,
    /// How long the task runs after it is up, beside the exercise, in seconds.
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub duration: Option<u64>,
    /// A difference between the writable and the read-only run that does not matter, by the id that the
    /// proof gives it. Can be given several times.
    #[arg(long = "accept", value_name = "ID")]
    pub accepted: Vec<String>,
    /// Take a proof in which nothing was exercised for good enough.
    #[arg(long)]
    pub allow_unexercised: bool,
    /// Say nothing but the result.
    #[arg(short, long)]
    pub quiet: bool,
}

impl RunArguments {
    /// The exit code of a proof.
    pub fn judge(&self, proof: &Proof) -> Exit {
        match proof.verdict {
            Verdict::Holds => Exit::Done,
            Verdict::Starts if self.allow_unexercised => Exit::Done,
            Verdict::Starts | Verdict::Differs | Verdict::Fails => Exit::Failing,
        }
    }
}

pub fn open(
    declared: &DeclaredTask,
    run: &RunArguments,
    container: Option<String>,
    platform: Option<Platform>,
) -> Result<(Lab, Arc<Steps>)> {
    let images = images::by_container(&run.images, &declared.task, &declared.name)?;
    if let Some(name) = &container
        && declared.task.container(name).is_none()
    {
        return Err(Error::Input(format!("--container {name}: {} has no container of that name", declared.name)).into());
    }
    let steps = Arc::new(Steps::new(run.quiet));
    let options = Options {
        exercise: run.exercise.clone(),
        duration: run.duration.map(Duration::from_secs),
        exercise_timeout: Duration::from_secs(run.exercise_timeout),
        container,
        platform,
        accepted: run.accepted.clone(),
        cancelled: interrupt::flag()?,
    };
    let lab = Lab::open(&declared.task, &images, options, steps.clone())?;
    Ok((lab, steps))
}
