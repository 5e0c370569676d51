//! What the writable run showed of each container, and the proof of a read-only one beside it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tojimari_model::declared::TaskDefinition;

use super::compare::{self, Behaviour};
use super::job::TaskJob;
use super::launch::Ran;
use super::{Error, Lab, names, profile, proof};

/// What the writable run showed of each container, for comparison.
#[derive(Clone, Debug)]
pub(super) struct Baseline {
    /// The task that ran, for running it again.
    pub task: Arc<TaskDefinition>,
    pub containers: BTreeMap<String, BaselineContainer>,
    pub repeated: Repeated,
    pub took: Duration,
}

/// Whether the task was run a second time, to see what differs by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeated {
    No,
    Passed,
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct BaselineContainer {
    /// One a writable run.
    pub behaviours: Vec<Behaviour>,
    pub exit: Option<i32>,
    pub listening: Option<bool>,
    pub ready_after: Option<Duration>,
}

impl Lab {
    /// Runs the task with a writable root, for proofs to be compared with. A run that fails there too is
    /// nothing to compare with.
    pub fn watch_writable(&self, task: &TaskDefinition) -> Result<(), Error> {
        let (job, _) = self.writable_job(task)?;
        self.progress.step(&format!("running {} with a writable root", names(&job)), None);
        let ran = self.run(&job)?;
        if ran.outcome.failure.is_none() {
            self.remember(task, &job, &ran);
        }
        Ok(())
    }

    /// The proof of a run. Where it differs from the writable run, that one is made again: what it does
    /// otherwise by itself does not count.
    pub(super) fn proof_of(&self, job: &TaskJob, ran: &Ran, mut notes: Vec<String>) -> Result<proof::Proven, Error> {
        let compared = |baseline: Option<&Baseline>| {
            let mut differences = Vec::new();
            for (index, container) in job.containers.iter().enumerate() {
                let before = baseline.and_then(|baseline| baseline.containers.get(&container.name));
                let Some(before) = before else { continue };
                let denied = profile::denied(ran, index, true);
                let denied = denied.iter().map(|denied| denied.path.as_str()).collect();
                let now = self.behaviour(job, ran, index);
                differences.extend(compare::differences(&container.name, &before.behaviours, &now, &denied));
            }
            differences
        };
        let mut baseline = self.baseline();
        let mut differences = match &ran.outcome.failure {
            // A run that failed did not get to do the rest.
            Some(_) => Vec::new(),
            None => compared(baseline.as_ref()),
        };
        if !differences.is_empty() {
            baseline = self.repeated_baseline()?;
            differences = compared(baseline.as_ref());
        }
        if !differences.is_empty() && baseline.as_ref().is_some_and(|known| known.repeated == Repeated::Failed) {
            notes.push(
                "the task failed when it was run with a writable root again: what varies by itself is not known"
                    .to_owned(),
            );
        }
        for difference in &mut differences {
            difference.accepted = self.options.accepted.contains(&difference.id);
        }
        proof::of(job, ran, notes, baseline.as_ref(), differences)
    }

    /// The writable run with another one beside it, made now if it was not before, for what varies by itself.
    fn repeated_baseline(&self) -> Result<Option<Baseline>, Error> {
        // Of trials that run side by side one repeats it, for all.
        let _turn = self.repeating.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut baseline) = self.baseline().filter(|known| known.repeated == Repeated::No) else {
            return Ok(self.baseline());
        };
        let (job, _) = self.writable_job(&baseline.task)?;
        self.progress.step(&format!("running {} with a writable root again", names(&job)), self.expected());
        let ran = self.run(&job)?;
        baseline.repeated = match &ran.outcome.failure {
            // It did not get to do what it does: all that it lacks would seem to vary.
            Some(_) => Repeated::Failed,
            None => Repeated::Passed,
        };
        if baseline.repeated == Repeated::Passed {
            for (index, container) in job.containers.iter().enumerate() {
                if let Some(known) = baseline.containers.get_mut(&container.name) {
                    known.behaviours.push(self.behaviour(&job, &ran, index));
                }
            }
        }
        self.keep(baseline.clone());
        Ok(Some(baseline))
    }

    fn behaviour(&self, job: &TaskJob, ran: &Ran, index: usize) -> Behaviour {
        let root = self.image_at(job, index).map(|image| image.root.as_path());
        let in_image = |path: &str| root.is_some_and(|root| tojimari_recorder::exists(root, path));
        Behaviour::new(ran.own_recording(index), &ran.outcome.containers[index], in_image)
    }

    pub(super) fn remember(&self, task: &TaskDefinition, job: &TaskJob, ran: &Ran) {
        let outcome = &ran.outcome;
        let containers = job.containers.iter().zip(&outcome.containers).enumerate();
        let containers = containers
            .map(|(index, (container, outcome))| {
                let known = BaselineContainer {
                    behaviours: vec![self.behaviour(job, ran, index)],
                    exit: outcome.exit,
                    listening: outcome.listening,
                    ready_after: outcome.ready_after,
                };
                (container.name.clone(), known)
            })
            .collect();
        let task = Arc::new(task.clone());
        let baseline = Baseline { task, containers, repeated: Repeated::No, took: outcome.took };
        self.keep(baseline);
    }

    fn keep(&self, baseline: Baseline) {
        *self.baseline.lock().unwrap_or_else(PoisonError::into_inner) = Some(baseline);
    }

    pub(super) fn baseline(&self) -> Option<Baseline> {
        self.baseline.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
