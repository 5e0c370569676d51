//! The folder that an image is unpacked into, as the root of every path: the kernel resolves links
//! below it as a process confined to it would see them.

use std::ffi::{CString, OsStr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{self, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::entry::{Failure, MAX_DEPTH};

pub(super) struct Root {
    root: OwnedFd,
    /// As the kernel names it, to be taken off the paths below it.
    path: Vec<u8>,
}

impl Root {
    pub fn open(folder: &Path) -> Result<Root, Errno> {
        let root = fs::open(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Root { path: kernel_path(&root)?, root })
    }

    /// Bytes that are free on its disk.
    pub fn free(&self) -> Result<u64, Errno> {
        let disk = fs::fstatvfs(&self.root)?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Opens a folder below the root.
    pub fn folder(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        fs::openat2(
            &self.root,
            OsStr::from_bytes(if path.is_empty() { b"." } else { path }),
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV,
        )
    }

    /// The path of an open folder below the root, links resolved; empty for the root itself.
    pub fn path_of(&self, folder: &OwnedFd) -> Result<Vec<u8>, Errno> {
        let full = kernel_path(folder)?;
        let below = full.strip_prefix(&*self.path).unwrap_or(&full);
        Ok(below.strip_prefix(b"/").unwrap_or(below).to_vec())
    }

    /// The same of a name in an open folder.
    pub fn path_of_name(&self, folder: &OwnedFd, name: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut path = self.path_of(folder)?;
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        if path.iter().filter(|byte| **byte == b'/').count() >= MAX_DEPTH {
            return Err(Failure::Bad(format!("more than {MAX_DEPTH} folders deep")));
        }
        Ok(path)
    }
}

/// Where an open folder lies, as the kernel names it.
fn kernel_path(folder: &OwnedFd) -> Result<Vec<u8>, Errno> {
    let link = format!("/proc/self/fd/{}", folder.as_raw_fd());
    fs::readlink(link, Vec::new()).map(CString::into_bytes)
}

pub(super) fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.join(&b'/')
}
