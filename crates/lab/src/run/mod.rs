//! A task run as ECS would run it: traced with a writable root, proven with a read-only one, and
//! proven again without each planned mount.
//!
//! A run is a chain of processes, each this same program. The lab starts a *keeper*, which makes
//! the network and process namespaces, runs the exercise, and cleans up whatever happens to the
//! others. It starts the *supervisor*, the first process of the task's namespace, which mounts,
//! starts the containers in order, watches and stops them. For each container and each health
//! check it starts a *watcher* with the tracer in it, and that one the process that sets the
//! container up with libcontainer. When one of these dies, all below it die with it.

mod baseline;
mod cgroup;
mod compare;
mod container;
mod declare;
mod error;
mod failure;
mod job;
mod keeper;
mod launch;
mod minimise;
mod network;
mod observe;
mod output;
mod pipe;
mod prepare;
mod proc;
mod profile;
mod proof;
mod role;
pub mod runner;
mod scratch;
mod spec;
mod supervisor;
mod surroundings;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tojimari_evidence::profile::{ImageIdentity, Profile};
use tojimari_evidence::proof::Proof;
use tojimari_model::declared::{Container, Field, TaskDefinition};
use tojimari_plan::{Plan, Platform};

use crate::image::{Image, Limits, Opening, Reference};
use baseline::Baseline;
use declare::{Choices, LoadedImage, declare};
pub use error::{ContainerMistake, Error, FailedRun, Mistake};
pub use failure::{CannotRun, FailureKind, NotStarted};
use job::{ExerciseJob, TaskJob};
use launch::Ran;
use scratch::Scratch;
use surroundings::Surroundings;

/// How long a task runs on after its exercise, and without one, where nothing else is asked for.
const AFTER_EXERCISE: Duration = Duration::from_secs(1);
const WITHOUT_EXERCISE: Duration = Duration::from_secs(5);

/// In a read-only run a container gets this many times the time that it took to come up in the
/// writable one, and at the least so much, before it counts as not coming up at all.
const SLOWER: u32 = 5;
const LEAST_PATIENCE: Duration = Duration::from_secs(15);

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
    /// Where the task is to run, instead of what requiresCompatibilities says: platforms differ in
    /// what they give a container.
    pub platform: Option<Platform>,
    /// Differences between the writable run and the read-only one, by their ids, that a person said do not
    /// matter.
    pub accepted: Vec<String>,
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
pub struct Lab {
    scratch: Scratch,
    /// By container name.
    images: BTreeMap<String, Arc<LoadedImage>>,
    /// By the words of the task definition: a container that a plan added runs such an image.
    by_words: BTreeMap<String, Arc<LoadedImage>>,
    options: Options,
    progress: Arc<dyn Progress>,
    surroundings: Surroundings,
    baseline: Mutex<Option<Baseline>>,
    /// Held while the writable run is made again.
    repeating: Mutex<()>,
}

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
        let scratch = Scratch::new().map_err(Error::fault("make a temporary folder"))?;
        let mut lab = Lab {
            scratch,
            images: BTreeMap::new(),
            by_words: BTreeMap::new(),
            options,
            progress,
            surroundings: Surroundings::look(),
            baseline: Mutex::new(None),
            repeating: Mutex::new(()),
        };
        let mut unpacked: BTreeMap<String, Arc<LoadedImage>> = BTreeMap::new();
        for container in &task.containers {
            let Some(name) = container.name.as_str() else { continue };
            if lab.options.container.as_deref().is_some_and(|chosen| chosen != name) {
                continue;
            }
            let text = match (images.get(name), &container.image) {
                (Some(given), _) => given.clone(),
                (None, Field::Known(declared, _)) => declared.clone(),
                (None, Field::Absent) => return Err(Mistake::NoImage(name.to_owned()).into()),
                (None, Field::Unknown(reason, _)) => {
                    let (container, reason) = (name.to_owned(), reason.to_string());
                    return Err(Mistake::ImageNotKnown { container, reason }.into());
                }
            };
            let image = match unpacked.get(&text) {
                Some(image) => image.clone(),
                None => {
                    let image = Arc::new(lab.unpack(&text, unpacked.len())?);
                    unpacked.insert(text, image.clone());
                    image
                }
            };
            if let Some(words) = container.image.as_str() {
                lab.by_words.entry(words.to_owned()).or_insert_with(|| image.clone());
            }
            lab.images.insert(name.to_owned(), image);
        }
        Ok(lab)
    }

    fn unpack(&self, text: &str, number: usize) -> Result<LoadedImage, Error> {
        self.go_on()?;
        self.progress.step(&format!("unpacking {text}"), None);
        let reference = Reference::parse(text).map_err(Mistake::Reference)?;
        let opening = Opening {
            architecture: architecture(),
            scratch: self.scratch.path(),
            cancelled: &self.options.cancelled,
            tell: &|what| self.progress.step(what, None),
        };
        let image = Image::open_with(&reference, &opening)?;
        let root = self.scratch.path().join(format!("image-{number}"));
        std::fs::create_dir(&root).map_err(Error::fault("make a folder for an image"))?;
        image.unpack_until(&root, &Limits::default(), &self.options.cancelled)?;
        let identity = ImageIdentity { reference: image.reference.clone(), digest: image.digest.clone() };
        Ok(LoadedImage { identity, root, config: image.config })
    }

    /// Runs the task with a writable root under the tracer.
    pub fn trace(&self, task: &TaskDefinition) -> Result<Profile, Error> {
        let (job, notes) = self.writable_job(task)?;
        self.progress.step(&format!("tracing {} with a writable root", names(&job)), None);
        let ran = self.run(&job)?;
        if let Some(failure) = &ran.outcome.failure {
            return Err(proof::as_error(&job, &ran, failure));
        }
        self.remember(task, &job, &ran);
        let family = task.family.as_str().unwrap_or_default();
        Ok(profile::of(family, &job, &ran, notes, |index| self.image_at(&job, index)))
    }

    /// Runs the task as it is declared (hardened), under the tracer, and reports every refused write.
    pub fn prove(&self, task: &TaskDefinition) -> Result<Proof, Error> {
        let (job, notes) = self.job(task)?;
        self.progress.step(&format!("proving {} with a read-only root", names(&job)), self.expected());
        let ran = self.run(&job)?;
        Ok(self.proof_of(&job, &ran, notes)?.proof)
    }

    /// Adds the refused writes of a proof to a profile, with the facts of their folders, so that
    /// the next plan covers them.
    pub fn learn(&self, profile: &mut Profile, proof: &Proof) {
        profile::learn(profile, proof, |name| self.images.get(name).map(Arc::as_ref));
    }

    /// Tries each planned mount away. `proof` is that of the whole plan; `apply` gives the task
    /// definition that a plan makes of it (`None` is a fault).
    pub fn minimise(
        &self,
        plan: &Plan,
        proof: &Proof,
        apply: &(dyn Fn(&Plan) -> Option<TaskDefinition> + Sync),
    ) -> Result<Minimised, Error> {
        minimise::minimise(self, plan, proof, apply)
    }

    /// The job of a run of the task with writable roots, whatever it declares.
    fn writable_job(&self, task: &TaskDefinition) -> Result<(TaskJob, Vec<String>), Error> {
        let (mut job, notes) = self.job(task)?;
        job.containers.iter_mut().for_each(|container| container.readonly_root = false);
        Ok((job, notes))
    }

    /// The job of a run of the task, in a folder of its own, and what has to be said of it.
    fn job(&self, task: &TaskDefinition) -> Result<(TaskJob, Vec<String>), Error> {
        self.go_on()?;
        if !nix::unistd::geteuid().is_root() {
            return Err(Error::NotRoot);
        }
        let choices = Choices {
            container: self.options.container.as_deref(),
            platform: self.options.platform,
            surroundings: &self.surroundings,
        };
        let declared = declare(task, |container| self.image_of(container), &choices)?;
        let (folder, cgroup) = self.scratch.run().map_err(Error::fault("make a folder for a run"))?;
        let mut containers = declared.containers;
        if let Some(baseline) = self.baseline() {
            for container in &mut containers {
                let known = baseline.containers.get(&container.name).and_then(|known| known.ready_after);
                if let Some(after) = known {
                    container.patience = container.patience.min((after * SLOWER).max(LEAST_PATIENCE));
                }
            }
        }
        let exercise = self
            .options
            .exercise
            .as_ref()
            .map(|command| ExerciseJob { command: command.clone(), timeout: self.options.exercise_timeout });
        let settling = if exercise.is_some() { AFTER_EXERCISE } else { WITHOUT_EXERCISE };
        let job = TaskJob {
            folder,
            scratch: self.scratch.path().to_owned(),
            cgroup,
            address: declare::ADDRESS,
            containers,
            volumes: declared.volumes,
            exercise,
            duration: self.options.duration.unwrap_or(settling),
            shared_ipc: declared.shared_ipc,
            stop_hard: false,
        };
        Ok((job, declared.notes))
    }

    fn run(&self, job: &TaskJob) -> Result<Ran, Error> {
        launch::run(job, &self.options.cancelled)
    }

    fn image_of(&self, container: &Container) -> Option<&LoadedImage> {
        let by_name = container.name.as_str().and_then(|name| self.images.get(name));
        let image = by_name.or_else(|| container.image.as_str().and_then(|words| self.by_words.get(words)));
        image.map(Arc::as_ref)
    }

    fn image_at(&self, job: &TaskJob, index: usize) -> Option<&LoadedImage> {
        self.images.get(&job.containers.get(index)?.name).map(Arc::as_ref)
    }

    fn expected(&self) -> Option<Duration> {
        self.baseline().map(|baseline| baseline.took)
    }

    fn go_on(&self) -> Result<(), Error> {
        if self.options.cancelled.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }
}

fn names(job: &TaskJob) -> String {
    let names: Vec<&str> = job.containers.iter().map(|container| container.name.as_str()).collect();
    names.join(", ")
}

/// This machine's architecture in the words of OCI.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
