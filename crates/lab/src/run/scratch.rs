//! The lab's folder for unpacked images and running tasks, and the removal of what killed runs
//! left behind. The folder is locked as long as its owner lives, so that a dead owner is told from
//! a living one without a guess.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::cgroup;

const LOCK: &str = "lock";

/// A folder that goes with its owner: when dropped, or else by whoever comes next.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    /// Held, never read: closing it unlocks.
    _lock: File,
    runs: AtomicU32,
}

impl Scratch {
    /// Makes the folder in the directory for temporary files, after removing those of dead owners.
    pub fn new() -> io::Result<Scratch> {
        let parent = std::path::absolute(std::env::temp_dir())?;
        sweep(&parent);
        let started = start_time(std::process::id()).unwrap_or_default();
        // Several labs in one process need names of their own; a name of a dead process in another
        // PID namespace may lie there still.
        for number in 0..1000 {
            let path = parent.join(format!("{}{}-{started}-{number}", cgroup::PREFIX, std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    // Locked before it has its name: nobody finds it unlocked.
                    let unnamed = path.join("unlocked");
                    let lock = File::create_new(&unnamed)?;
                    lock.lock()?;
                    fs::rename(unnamed, path.join(LOCK))?;
                    return Ok(Scratch { path, _lock: lock, runs: AtomicU32::new(0) });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many folders of the same name"))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder for a run that begins, and the prefix of its cgroups' names.
    pub fn run(&self) -> io::Result<(PathBuf, String)> {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let folder = self.path.join(format!("run-{number}"));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        Ok((folder, format!("{name}.{number}")))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next lab.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folder if its owner has died.
pub(super) fn remove_if_abandoned(folder: &Path) {
    let Ok(lock) = File::open(folder.join(LOCK)) else { return };
    if lock.try_lock().is_ok() {
        let _ = fs::remove_dir_all(folder);
    }
}

fn sweep(parent: &Path) {
    let own_uid = nix::unistd::geteuid().as_raw();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name.to_string_lossy().starts_with(cgroup::PREFIX)
            && entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == own_uid);
        if ours {
            remove_if_abandoned(&entry.path());
        }
    }
    for owner in cgroup::owners() {
        if !parent.join(&owner).exists() && !lives(&owner) {
            // A cgroup with processes in it stays: it cannot be removed.
            let _ = cgroup::remove(&format!("{owner}."));
        }
    }
}

/// Whether the process that a folder is named after lives. A name of another form counts as alive.
fn lives(owner: &str) -> bool {
    let mut parts = owner.trim_start_matches(cgroup::PREFIX).split('-');
    let (Some(Ok(pid)), Some(Ok(started))) = (parts.next().map(str::parse), parts.next().map(str::parse)) else {
        return true;
    };
    start_time(pid) == Some(started)
}

/// When a process was started, in clock ticks since the machine was: with its number, that names
/// it for good.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces and parentheses; field 22 is the 20th after it.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_goes_when_it_is_dropped() {
        let scratch = Scratch::new().expect("a folder");
        let path = scratch.path().to_owned();
        assert!(path.join(LOCK).exists());
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_in_use_is_not_abandoned() {
        let scratch = Scratch::new().expect("a folder");
        remove_if_abandoned(scratch.path());
        assert!(scratch.path().exists());
    }

    #[test]
    fn the_folder_of_a_dead_owner_is_swept() {
        let parent = tempfile::tempdir().expect("a folder");
        let left = parent.path().join("tojimari-4294967295-1-0");
        fs::create_dir(&left).expect("a folder");
        fs::write(left.join(LOCK), "").expect("a file");
        sweep(parent.path());
        assert!(!left.exists());
    }

    #[test]
    fn a_folder_that_is_not_ours_is_left_alone() {
        let parent = tempfile::tempdir().expect("a folder");
        let other = parent.path().join("tojimari-notes");
        fs::create_dir(&other).expect("a folder");
        sweep(parent.path());
        assert!(other.exists());
    }

    #[test]
    fn this_process_lives() {
        let pid = std::process::id();
        let started = start_time(pid).expect("its start time");
        assert!(lives(&format!("tojimari-{pid}-{started}-0")));
        assert!(!lives(&format!("tojimari-{pid}-{}-0", started + 1)));
    }
}
