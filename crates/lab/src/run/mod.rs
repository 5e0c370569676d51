//! A task run as ECS would run it: traced with a writable root, proven with a read-only one, and
//! proven again without each planned mount.

pub mod runner;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tojimari_model::declared::TaskDefinition;
use tojimari_model::observed::Profile;
use tojimari_model::proof::Proof;
use tojimari_plan::Plan;

/// What goes wrong in the lab. `is_input` tells the user's mistakes (exit 2) from faults (exit 3).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Input(String),
    #[error("{0}")]
    Fault(String),
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    pub fn is_input(&self) -> bool {
        matches!(self, Error::Input(_))
    }
}

/// How a task is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sh -c` on the host, in the task's network namespace, with TOJIMARI_TASK_IP set.
    pub exercise: Option<String>,
    /// How long the task runs after it is up, beside the exercise; a settling time by default.
    pub duration: Option<Duration>,
    /// How long the exercise may take.
    pub exercise_timeout: Duration,
    /// Only this container of the task.
    pub container: Option<String>,
    /// Set from outside (Ctrl-C): every wait ends, everything is cleaned up, `Error::Interrupted`.
    pub cancelled: Arc<AtomicBool>,
}

/// Told what is being done. Called from the thread that called the lab, and from those it makes.
pub trait Progress: Send + Sync {
    /// A step begins, in words such as "tracing web with a writable root".
    fn step(&self, what: &str, expected: Option<Duration>);
}

/// The outcome of taking mounts away.
#[derive(Clone, Debug)]
pub struct Minimised {
    /// What is left, with what was taken away under `not_mounted`.
    pub plan: Plan,
    /// The proof of the plan that is left.
    pub proof: Proof,
}

/// The images of a task, unpacked once and run as often as needed. Dropping it removes everything.
pub struct Lab {}

impl Lab {
    /// Reads (and pulls, where they are registry references) and unpacks the images of the task's
    /// containers. `images` are the user's `--image NAME=REF`; other containers use what the task
    /// definition names.
    pub fn open(
        task: &TaskDefinition,
        images: &BTreeMap<String, String>,
        options: Options,
        progress: Arc<dyn Progress>,
    ) -> Result<Lab, Error> {
        let _ = (task, images, options, progress);
        Err(Error::Fault("not built yet".into()))
    }

    /// Runs the task with a writable root under the tracer.
    pub fn trace(&self, task: &TaskDefinition) -> Result<Profile, Error> {
        let _ = task;
        Err(Error::Fault("not built yet".into()))
    }

    /// Runs the task as it is declared (hardened), under the tracer, and reports every refused write.
    pub fn prove(&self, task: &TaskDefinition) -> Result<Proof, Error> {
        let _ = task;
        Err(Error::Fault("not built yet".into()))
    }

    /// Adds the refused writes of a proof to a profile, with the facts of their folders, so that
    /// the next plan covers them.
    pub fn learn(&self, profile: &mut Profile, proof: &Proof) {
        let _ = (profile, proof);
    }

    /// Tries each planned mount away. `proof` is that of the whole plan; `apply` gives the task
    /// definition that a plan makes of it (`None` is a fault).
    pub fn minimise(
        &self,
        plan: &Plan,
        proof: &Proof,
        apply: &(dyn Fn(&Plan) -> Option<TaskDefinition> + Sync),
    ) -> Result<Minimised, Error> {
        let _ = (plan, proof, apply);
        Err(Error::Fault("not built yet".into()))
    }
}
