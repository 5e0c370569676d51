//! How large a container's files get: by their path in its root at this moment, and, for files
//! that were removed while someone writes on (nginx does that with an upload), by the descriptors
//! of its processes and by what the kernel tells when such a descriptor is closed.

use std::collections::HashMap;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::fanotify::{EventFFlags, Fanotify, InitFlags, MarkFlags, MaskFlags};
use rustix::fs::{FileType, OFlags, Stat, fstat};
use tojimari_evidence::profile::FileKind;

use crate::root::open_in_root;

/// How many files are watched while they may grow.
pub(crate) const WATCHED: usize = 2000;
/// Processes of a container, and descriptors of one, that are looked at.
const PROCESSES: usize = 500;
const DESCRIPTORS: usize = 1000;

/// Paths whose size at a close is kept.
const CLOSED: usize = 100_000;

/// The sizes that files of one file system had when someone who wrote to them closed them. An
/// upload may come and go between two looks at the descriptors; this misses none.
pub(crate) struct Closed {
    kernel: Fanotify,
    sizes: HashMap<Vec<u8>, u64>,
}

impl Closed {
    /// `None` where the kernel does not tell.
    pub fn watch(root: &Path) -> Option<Closed> {
        let flags = InitFlags::FAN_CLASS_NOTIF | InitFlags::FAN_NONBLOCK | InitFlags::FAN_CLOEXEC;
        let each = EventFFlags::O_RDONLY | EventFFlags::O_CLOEXEC | EventFFlags::O_LARGEFILE;
        let kernel = Fanotify::init(flags, each).ok()?;
        let whole = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_FILESYSTEM;
        kernel.mark(whole, MaskFlags::FAN_CLOSE_WRITE, nix::fcntl::AT_FDCWD, Some(root)).ok()?;
        Some(Closed { kernel, sizes: HashMap::new() })
    }

    /// Takes in what the kernel has to tell.
    pub fn read(&mut self) {
        while let Ok(events) = self.kernel.read_events() {
            if events.is_empty() {
                return;
            }
            for event in &events {
                // An overflow of the kernel's queue has none.
                let Some(fd) = event.fd() else { continue };
                let Ok(stat) = fstat(fd) else { continue };
                let Ok(path) = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())) else { continue };
                let path = path.as_os_str().as_bytes();
                let path = path.strip_suffix(b" (deleted)").map_or_else(|| path.to_vec(), named);
                if kind(&stat) == FileKind::File && (self.sizes.len() < CLOSED || self.sizes.contains_key(&path)) {
                    let size = u64::try_from(stat.st_size).unwrap_or(0);
                    let known = self.sizes.entry(path).or_default();
                    *known = size.max(*known);
                }
            }
        }
    }

    pub fn size(&self, path: &[u8]) -> u64 {
        self.sizes.get(path).copied().unwrap_or(0)
    }
}

/// Size of the file at a path without following a link out of the root.
pub(crate) fn of(root: &Path, path: &[u8]) -> Option<u64> {
    let (kind, size) = look(root, path)?;
    (kind == FileKind::File).then_some(size)
}

/// What is at a path of the root, and its size; `None` if nothing is.
pub(crate) fn look(root: &Path, path: &[u8]) -> Option<(FileKind, u64)> {
    let found = open_in_root(root, path, OFlags::PATH | OFlags::NOFOLLOW).ok()?;
    let stat = fstat(&found).ok()?;
    let kind = kind(&stat);
    Some((kind, if kind == FileKind::File { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 }))
}

fn kind(stat: &Stat) -> FileKind {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Symlink,
        FileType::Socket => FileKind::Socket,
        FileType::Fifo => FileKind::Fifo,
        FileType::CharacterDevice | FileType::BlockDevice => FileKind::Device,
        _ => FileKind::Unknown,
    }
}

/// The removed files that processes in the same mount namespace as `process` hold open, by the
/// path that they had. A file that never had a name is told as the tracer tells it: `#tmpfile` in
/// its folder.
pub(crate) fn without_name(process: i32) -> Vec<(Vec<u8>, u64)> {
    let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
    let Some(ours) = namespace(&process.to_string()) else { return Vec::new() };
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found = Vec::new();
    let pids = processes.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    for pid in pids.filter(|name| name.bytes().all(|b| b.is_ascii_digit())).take(PROCESSES) {
        if namespace(&pid).as_ref() != Some(&ours) {
            continue;
        }
        let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        for descriptor in descriptors.flatten().take(DESCRIPTORS) {
            let Ok(target) = fs::read_link(descriptor.path()) else { continue };
            let Some(path) = target.as_os_str().as_bytes().strip_suffix(b" (deleted)") else { continue };
            let Ok(metadata) = fs::metadata(descriptor.path()) else { continue };
            if path.starts_with(b"/") && metadata.is_file() && metadata.nlink() == 0 {
                found.push((named(path), metadata.len()));
            }
        }
    }
    found
}

/// The kernel calls a file made with O_TMPFILE by a number.
fn named(path: &[u8]) -> Vec<u8> {
    let at = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    let (folder, name) = path.split_at(at);
    let numbered = name.strip_prefix(b"#").is_some_and(|rest| !rest.is_empty() && rest.iter().all(u8::is_ascii_digit));
    if numbered { [folder, b"#tmpfile"].concat() } else { path.to_vec() }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;

    #[test]
    fn a_removed_file_is_found_by_its_descriptor() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("upload");
        let mut file = File::create(&path).expect("a file");
        fs::remove_file(&path).expect("removed");
        file.write_all(&[0; 5000]).expect("written");
        let own = i32::try_from(std::process::id()).expect("a number");
        let found = without_name(own);
        assert!(found.contains(&(path.as_os_str().as_bytes().to_vec(), 5000)), "{found:?}");
        drop(file);
    }

    #[test]
    fn a_file_without_a_name_is_told_by_its_folder() {
        assert_eq!(named(b"/tmp/#12345"), b"/tmp/#tmpfile");
        assert_eq!(named(b"/tmp/#notes"), b"/tmp/#notes");
    }

    #[test]
    fn links_do_not_lead_out_of_the_root() {
        let root = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink("/etc", root.path().join("link")).expect("a link");
        assert_eq!(look(root.path(), b"/link/passwd"), None);
        assert_eq!(look(root.path(), b"/link"), Some((FileKind::Symlink, 0)));
    }
}
