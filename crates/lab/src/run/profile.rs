//! From what the tracers of a run saw to the profile that people read: one entry a path, with what
//! the image had there.

use std::collections::{BTreeMap, BTreeSet};

use nix::errno::Errno;
use tojimari_model::observed::{
    ContainerProfile, ExerciseOutcome, FileKind, FolderFact, Operation, OperationCount, PathProfile, Profile,
    Saturation,
};
use tojimari_model::proof::{DeniedWrite, Proof};

use super::declare::LoadedImage;
use super::job::{ContainerJob, TaskJob};
use super::launch::Ran;
use super::observe::{Observed, ObservedPath};
use crate::image::{exists, folder_facts};

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
            let seen: Vec<&Observed> = ran.observed.iter().filter(|seen| seen.container == index).collect();
            notes.extend(doubts(container, &seen));
            Some(container_profile(container, index, ran, &seen, image_of(index)?))
        })
        .collect();
    Profile { version: 1, family: family.to_owned(), containers, exercise, notes }
}

fn container_profile(
    container: &ContainerJob,
    index: usize,
    ran: &Ran,
    seen: &[&Observed],
    image: &LoadedImage,
) -> ContainerProfile {
    let outcome = &ran.outcome.containers[index];
    let mut paths: Vec<PathProfile> = merged(seen).into_iter().map(|path| path_profile(path, image)).collect();
    paths.sort_by(|a, b| (&a.path, &a.mount).cmp(&(&b.path, &b.mount)));
    let folders = folders(image, paths.iter().filter(|path| path.mount == "/").map(|path| path.path.as_str()));
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
        saturation: saturation(seen),
        io_uring_refused: seen.iter().map(|seen| seen.io_uring_refused).sum(),
        paths,
        folders,
        volumes,
    }
}

/// The container's own program sets the time; health checks came later.
fn merged(seen: &[&Observed]) -> Vec<ObservedPath> {
    let zero = seen.iter().map(|seen| seen.began).filter(|began| *began > 0.0).fold(f64::INFINITY, f64::min);
    let mut paths: BTreeMap<(String, String), ObservedPath> = BTreeMap::new();
    for seen in seen {
        let later = if zero.is_finite() { (seen.began - zero).max(0.0) } else { 0.0 };
        for path in &seen.paths {
            let mut path = path.clone();
            path.first += later;
            path.last += later;
            let key = (path.path.clone(), path.mount.clone());
            match paths.get_mut(&key) {
                Some(known) => known.add(path),
                None => {
                    paths.insert(key, path);
                }
            }
        }
    }
    paths.into_values().collect()
}

impl ObservedPath {
    fn add(&mut self, other: ObservedPath) {
        for (operation, seen) in other.operations {
            let known = self.operations.entry(operation).or_default();
            known.count += seen.count;
            known.failed.extend(seen.failed);
            known.would_break |= seen.would_break;
        }
        // What is there at the end is told by who looked last.
        if other.last >= self.last {
            self.present_at_end = other.present_at_end;
            if other.kind != FileKind::Unknown {
                self.kind = other.kind;
            }
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.programs.extend(other.programs);
        self.bytes = self.bytes.max(other.bytes);
        self.denied.extend(other.denied);
    }
}

fn path_profile(path: ObservedPath, image: &LoadedImage) -> PathProfile {
    let on_root = path.mount == "/";
    PathProfile {
        operations: path
            .operations
            .into_iter()
            .map(|(operation, seen)| OperationCount {
                operation,
                count: seen.count,
                failed: seen.failed.into_iter().map(|errno| format!("{:?}", Errno::from_raw(errno))).collect(),
                would_break: seen.would_break,
            })
            .collect(),
        first_seconds: rounded(path.first),
        last_seconds: rounded(path.last),
        programs: path.programs.into_iter().collect(),
        existed_in_image: on_root && exists(&image.root, &path.path),
        present_at_end: path.present_at_end,
        peak_bytes: path.bytes,
        mount: path.mount,
        kind: path.kind,
        path: path.path,
    }
}

/// To the millisecond: more is noise.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

fn folders<'a>(image: &LoadedImage, paths: impl Iterator<Item = &'a str>) -> Vec<FolderFact> {
    let folders: BTreeSet<&str> = paths.collect();
    folder_facts(&image.root, folders)
}

fn saturation(seen: &[&Observed]) -> Saturation {
    let longest = seen.iter().max_by(|a, b| a.seconds.total_cmp(&b.seconds));
    Saturation {
        stops: seen.iter().map(|seen| seen.stops).sum(),
        peak_stops_per_second: seen.iter().map(|seen| seen.peak_stops_per_second).max().unwrap_or(0),
        busy: longest.map_or(0.0, |seen| seen.busy),
        unresolved: seen.iter().map(|seen| seen.unresolved).sum(),
    }
}

/// In which way what was seen may not be all.
fn doubts(container: &ContainerJob, seen: &[&Observed]) -> Vec<String> {
    let name = &container.name;
    let mut notes = Vec::new();
    let sum = |of: fn(&Observed) -> u64| seen.iter().map(|seen| of(seen)).sum::<u64>();
    if container.traced && seen.is_empty() {
        notes.push(format!("{name}: nothing was recorded"));
    }
    let left_out = sum(|seen| seen.left_out);
    if left_out > 0 {
        notes.push(format!("{name}: so many paths were written that {left_out} events on further ones are left out"));
    }
    if sum(|seen| seen.foreign_calls_refused) > 0 {
        notes.push(format!("{name}: used system calls of a table that is not traced, and was refused"));
    }
    if sum(|seen| seen.ptrace_asked) > 0 {
        notes.push(format!("{name}: a program wanted to trace another, which does not work while it is traced"));
    }
    if seen.iter().any(|seen| seen.no_new_privileges) {
        notes.push(format!("{name}: setuid programs did not get their rights while they were traced"));
    }
    notes
}

/// What was refused in one container because its root is read-only, sorted.
pub(super) fn denied(ran: &Ran, index: usize, tolerated: bool) -> Vec<DeniedWrite> {
    let seen = ran.observed.iter().filter(|seen| seen.container == index);
    let all: BTreeSet<DeniedWrite> = seen
        .flat_map(|seen| &seen.paths)
        .flat_map(|path| {
            path.denied.iter().map(|(operation, program)| DeniedWrite {
                path: path.path.clone(),
                operation: *operation,
                program: program.clone(),
                tolerated,
            })
        })
        .collect();
    all.into_iter().collect()
}

/// Adds the refused writes of a proof to a profile, as if they had been seen in the writable run.
pub(super) fn learn<'i>(profile: &mut Profile, proof: &Proof, image_of: impl Fn(&str) -> Option<&'i LoadedImage>) {
    for proven in &proof.containers {
        let Some(image) = image_of(&proven.name) else { continue };
        let Some(known) = profile.containers.iter_mut().find(|known| known.name == proven.name) else { continue };
        for denied in &proven.denied {
            add_denied(known, denied, image);
        }
        known.paths.sort_by(|a, b| (&a.path, &a.mount).cmp(&(&b.path, &b.mount)));
        let paths = known.paths.iter().filter(|path| path.mount == "/").map(|path| path.path.as_str());
        known.folders = folders(image, paths);
    }
}

fn add_denied(known: &mut ContainerProfile, denied: &DeniedWrite, image: &LoadedImage) {
    let found = known.paths.iter_mut().find(|path| path.path == denied.path && path.mount == "/");
    if let Some(path) = found {
        match path.operations.iter_mut().find(|seen| seen.operation == denied.operation) {
            Some(seen) => seen.would_break = true,
            None => path.operations.push(refused(denied.operation)),
        }
        if !path.programs.contains(&denied.program) {
            path.programs.push(denied.program.clone());
            path.programs.sort();
        }
        return;
    }
    let existed_in_image = exists(&image.root, &denied.path);
    known.paths.push(PathProfile {
        path: denied.path.clone(),
        operations: vec![refused(denied.operation)],
        first_seconds: 0.0,
        last_seconds: 0.0,
        programs: vec![denied.program.clone()],
        existed_in_image,
        present_at_end: existed_in_image,
        peak_bytes: 0,
        mount: "/".to_owned(),
        kind: kind_after(denied.operation),
    });
}

fn refused(operation: Operation) -> OperationCount {
    OperationCount { operation, count: 1, failed: vec!["EROFS".to_owned()], would_break: true }
}

/// What would have been there.
fn kind_after(operation: Operation) -> FileKind {
    match operation {
        Operation::Mkdir | Operation::Rmdir => FileKind::Directory,
        Operation::Symlink => FileKind::Symlink,
        Operation::BindSocket => FileKind::Socket,
        Operation::OpenWrite | Operation::Create | Operation::Truncate => FileKind::File,
        _ => FileKind::Unknown,
    }
}
