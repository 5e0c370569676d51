//! The cgroups of a run, by name: libcontainer makes them, here they are removed, also those that
//! a killed run left behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a cgroup may stay busy after its last process was reaped.
const PATIENCE: Duration = Duration::from_secs(2);

/// Every name begins with this.
pub(super) const PREFIX: &str = "tojimari-";

/// Mount points of all cgroup hierarchies, of both versions.
fn hierarchies() -> Vec<PathBuf> {
    let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else { return Vec::new() };
    // See proc(5): the mount point is the fifth field, the type follows a lone hyphen.
    mounts
        .lines()
        .filter_map(|line| {
            let (before, after) = line.split_once(" - ")?;
            let kind = after.split(' ').next()?;
            let point = before.split(' ').nth(4)?;
            matches!(kind, "cgroup" | "cgroup2").then(|| PathBuf::from(point))
        })
        .collect()
}

/// Whether the hierarchy that confines devices is there, which only version 1 has as files.
pub(super) fn confines_devices() -> bool {
    hierarchies().iter().any(|hierarchy| hierarchy.join("devices.list").exists())
}

/// Removes every cgroup whose name begins with `prefix`. Its processes must have ended.
pub(super) fn remove(prefix: &str) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    for hierarchy in hierarchies() {
        for cgroup in named(&hierarchy, prefix) {
            remove_one(&cgroup, deadline)?;
        }
    }
    Ok(())
}

fn named(hierarchy: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(hierarchy) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}

/// A privileged container can have made cgroups below its own: those go first.
fn remove_one(cgroup: &Path, deadline: Instant) -> io::Result<()> {
    for below in named(cgroup, "") {
        remove_one(&below, deadline)?;
    }
    loop {
        match fs::remove_dir(cgroup) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

/// The owners that cgroup names speak of: what stands between the prefix and the first dot.
pub(super) fn owners() -> Vec<String> {
    let mut owners: Vec<String> = hierarchies()
        .iter()
        .flat_map(|hierarchy| named(hierarchy, PREFIX))
        .filter_map(|cgroup| {
            let name = cgroup.file_name()?.to_string_lossy().into_owned();
            Some(name.split('.').next()?.to_owned())
        })
        .collect();
    owners.sort();
    owners.dedup();
    owners
}
