//! From a run that went well to the profile that people read.

use tojimari_evidence::profile::{ContainerProfile, ExerciseOutcome, Profile};
use tojimari_evidence::proof::{DeniedWrite, Proof};
use tojimari_recorder::{self as recorder, Recording};

use super::declare::LoadedImage;
use super::job::{ContainerJob, ContainerOutcome, TaskJob};
use super::launch::Ran;

/// The profile of a run that went well. `image_of` is by place in the job.
pub(super) fn of<'i>(
    family: &str,
    job: &TaskJob,
    ran: &Ran,
    notes: Vec<String>,
    image_of: impl Fn(usize) -> Option<&'i LoadedImage>,
) -> Profile {
    let mut notes = notes;
    notes.extend(ran.outcome.notes.iter().cloned());
    let exercise = ran.outcome.exercise.as_ref().zip(job.exercise.as_ref()).map(|(report, exercise)| ExerciseOutcome {
        command: exercise.command.clone(),
        exit: report.exit.unwrap_or(-1),
        seconds: report.took.as_secs_f64(),
    });
    let containers = job
        .containers
        .iter()
        .enumerate()
        .filter_map(|(index, container)| {
            let recordings = ran.recordings(index);
            if container.traced {
                notes.extend(recorder::doubts(&container.name, &recordings));
            }
            Some(container_profile(container, &ran.outcome.containers[index], &recordings, image_of(index)?))
        })
        .collect();
    Profile { version: 1, family: family.to_owned(), containers, exercise, notes }
}

fn container_profile(
    container: &ContainerJob,
    outcome: &ContainerOutcome,
    recordings: &[&Recording],
    image: &LoadedImage,
) -> ContainerProfile {
    let paths = recorder::paths(recordings, &image.root);
    let folders = recorder::folders(&paths, &image.root);
    let mut volumes = image.config.config().as_ref().and_then(|config| config.volumes().clone()).unwrap_or_default();
    volumes.sort();
    ContainerProfile {
        name: container.name.clone(),
        image: image.identity.clone(),
        command: container.args.clone(),
        user: format!("{}:{}", container.user.uid, container.user.gid),
        working_directory: container.working_directory.clone(),
        duration_seconds: outcome.ran.as_secs_f64(),
        exit: outcome.exit,
        healthy: outcome.healthy,
        saturation: recorder::saturation(recordings),
        io_uring_refused: recorder::io_uring_refused(recordings),
        paths,
        folders,
        volumes,
    }
}

/// What was refused in one container because its root is read-only, sorted.
pub(super) fn denied(ran: &Ran, index: usize, tolerated: bool) -> Vec<DeniedWrite> {
    recorder::denied(&ran.recordings(index), tolerated)
}

/// Adds the refused writes of a proof to a profile, as if they had been seen in the writable run.
pub(super) fn learn<'i>(profile: &mut Profile, proof: &Proof, image_of: impl Fn(&str) -> Option<&'i LoadedImage>) {
    for proven in &proof.containers {
        let Some(image) = image_of(&proven.name) else { continue };
        let Some(known) = profile.containers.iter_mut().find(|known| known.name == proven.name) else { continue };
        recorder::learn(known, &proven.denied, &image.root);
    }
}
