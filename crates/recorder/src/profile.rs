//! From the recordings of one container, its health checks among them, to its part of a profile:
//! one entry a path, with what the image had there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use tojimari_evidence::profile::{
    ContainerProfile, FileKind, FolderFact, Operation, OperationCount, PathProfile, Saturation,
};
use tojimari_evidence::proof::DeniedWrite;

use crate::facts::{exists, folder_facts};
use crate::recording::{RecordedPath, Recording};

/// Every path that was written, sorted by path. `image` is the unpacked image.
pub fn paths(recordings: &[&Recording], image: &Path) -> Vec<PathProfile> {
    let merged = merged(recordings).into_iter();
    merged.map(|path| path_profile(path, image)).collect()
}

/// The folders of the image that hold a path of the root, and all above them, sorted by path.
pub fn folders(paths: &[PathProfile], image: &Path) -> Vec<FolderFact> {
    let on_root = paths.iter().filter(|path| path.mount == "/").map(|path| path.path.as_str());
    folder_facts(image, on_root.collect::<BTreeSet<&str>>())
}

/// The container's own program sets the time; health checks came later.
fn merged(recordings: &[&Recording]) -> Vec<RecordedPath> {
    let zero = recordings.iter().filter_map(|recording| recording.began).min();
    let mut paths: BTreeMap<(String, String), RecordedPath> = BTreeMap::new();
    for recording in recordings {
        let later = recording.began.zip(zero).map_or(Duration::ZERO, |(began, zero)| began.saturating_sub(zero));
        for path in &recording.paths {
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

fn path_profile(path: RecordedPath, image: &Path) -> PathProfile {
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
        existed_in_image: on_root && exists(image, &path.path),
        present_at_end: path.present_at_end,
        peak_bytes: path.bytes,
        mount: path.mount,
        kind: path.kind,
        path: path.path,
    }
}

/// To the millisecond: more is noise.
fn rounded(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}

/// How hard the tracers worked, taken together.
pub fn saturation(recordings: &[&Recording]) -> Saturation {
    let reports = || recordings.iter().map(|recording| &recording.report);
    Saturation {
        stops: reports().map(|report| report.stops).sum(),
        peak_stops_per_second: reports().map(|report| report.peak_stops_per_second).max().unwrap_or(0),
        busy: reports().max_by_key(|report| report.duration).map_or(0.0, |report| report.busy),
        unresolved: reports().map(|report| report.unresolved).sum(),
    }
}

/// How often io_uring was asked for and refused.
pub fn io_uring_refused(recordings: &[&Recording]) -> u64 {
    recordings.iter().map(|recording| recording.report.io_uring_refused).sum()
}

/// In which way what was recorded of a container of this name may not be all, in sentences.
pub fn doubts(name: &str, recordings: &[&Recording]) -> Vec<String> {
    let mut notes = Vec::new();
    let sum = |of: fn(&Recording) -> u64| recordings.iter().map(|recording| of(recording)).sum::<u64>();
    if recordings.is_empty() {
        notes.push(format!("{name}: nothing was recorded"));
    }
    let left_out = sum(|recording| recording.left_out);
    if left_out > 0 {
        notes.push(format!("{name}: so many paths were written that {left_out} events on further ones are left out"));
    }
    if sum(|recording| recording.report.foreign_calls_refused) > 0 {
        notes.push(format!("{name}: used system calls of a table that is not traced, and was refused"));
    }
    if sum(|recording| recording.report.ptrace_asked) > 0 {
        notes.push(format!("{name}: a program wanted to trace another, which does not work while it is traced"));
    }
    if recordings.iter().any(|recording| recording.report.no_new_privileges) {
        notes.push(format!("{name}: setuid programs did not get their rights while they were traced"));
    }
    notes
}

/// What was refused because the root is read-only, sorted.
pub fn denied(recordings: &[&Recording], tolerated: bool) -> Vec<DeniedWrite> {
    let all: BTreeSet<DeniedWrite> = recordings
        .iter()
        .flat_map(|recording| &recording.paths)
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

/// Adds refused writes to a profile, as if they had been seen in the writable run.
pub fn learn(known: &mut ContainerProfile, denied: &[DeniedWrite], image: &Path) {
    for denied in denied {
        add_denied(known, denied, image);
    }
    known.paths.sort_by(|a, b| (&a.path, &a.mount).cmp(&(&b.path, &b.mount)));
    known.folders = folders(&known.paths, image);
}

fn add_denied(known: &mut ContainerProfile, denied: &DeniedWrite, image: &Path) {
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
    let existed_in_image = exists(image, &denied.path);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tojimari_tracer::{Exit, Report};

    use super::*;
    use crate::recording::Seen;

    fn recording(began: u64, stops: u64, paths: Vec<RecordedPath>) -> Recording {
        let report = Report { stops, duration: Duration::from_secs(stops), busy: 0.1, ..Report::new(Exit::Code(0)) };
        Recording {
            began: Some(Duration::from_secs(began)),
            paths,
            left_out: 0,
            programs: Vec::new(),
            programs_left_out: 0,
            report,
        }
    }

    fn path(path: &str, operation: Operation, at: u64, present_at_end: bool) -> RecordedPath {
        let at = Duration::from_millis(at);
        RecordedPath {
            path: path.to_owned(),
            mount: "/".to_owned(),
            operations: BTreeMap::from([(operation, Seen { count: 1, ..Seen::default() })]),
            first: at,
            last: at,
            programs: BTreeSet::from([format!("/bin/{operation}")]),
            kind: FileKind::File,
            bytes: at.as_secs(),
            present_at_end,
            denied: BTreeSet::new(),
        }
    }

    #[test]
    fn recordings_of_a_container_and_its_health_check_become_one() {
        let image = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(image.path().join("run")).expect("a folder");
        let service = recording(100, 7, vec![path("/run/pid", Operation::Create, 1500, true)]);
        // It began two seconds later.
        let check = recording(102, 3, vec![path("/run/pid", Operation::Unlink, 250, false)]);
        let both = [&check, &service];
        let merged = paths(&both, image.path());
        let [pid] = merged.as_slice() else { panic!("{merged:?}") };
        assert_eq!((pid.first_seconds, pid.last_seconds), (1.5, 2.25));
        assert_eq!(pid.operations.len(), 2);
        assert_eq!(pid.programs, ["/bin/create", "/bin/unlink"]);
        assert!(!pid.present_at_end, "the health check looked last");
        assert!(!pid.existed_in_image);
        assert_eq!(saturation(&both).stops, 10);
        let folders = folders(&merged, image.path());
        assert!(folders.iter().any(|fact| fact.path == "/run"), "{folders:?}");
    }

    #[test]
    fn what_may_not_be_all_is_said() {
        let mut doubtful = recording(1, 1, Vec::new());
        doubtful.left_out = 3;
        doubtful.report.ptrace_asked = 1;
        assert_eq!(doubts("app", &[]), ["app: nothing was recorded"]);
        assert!(doubts("app", &[&recording(1, 1, Vec::new())]).is_empty());
        assert_eq!(doubts("app", &[&doubtful]).len(), 2);
    }
}
