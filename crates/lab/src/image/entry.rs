//! One entry of a root at a time: its name checked, removed without being followed, and given its
//! owner, mode and attributes.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{self, AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use super::members::Member;

pub(super) enum Failure {
    /// The layer's fault.
    Bad(String),
    /// The disk's.
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // What the decompressor and the tar reader say of malformed input.
            io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Other => Failure::Bad(error.to_string()),
            _ => Failure::Io(error),
        }
    }
}

impl From<Errno> for Failure {
    fn from(error: Errno) -> Self {
        match error {
            // What only the names and links of the layer can cause.
            Errno::LOOP | Errno::NAMETOOLONG | Errno::NOTDIR | Errno::XDEV | Errno::INVAL | Errno::MLINK => {
                Failure::Bad(io::Error::from(error).to_string())
            }
            _ => Failure::Io(error.into()),
        }
    }
}

/// How deep folders may lie, links resolved: removing them again needs a descriptor a level.
pub(super) const MAX_DEPTH: usize = 256;

/// A member's path as its components below the root.
pub(super) fn parts(path: &[u8]) -> Result<Vec<&[u8]>, Failure> {
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".").collect();
    if parts.contains(&b"..".as_slice()) {
        return Err(Failure::Bad("a path that climbs out with `..`".to_owned()));
    }
    if parts.len() > MAX_DEPTH {
        return Err(Failure::Bad(format!("more than {MAX_DEPTH} folders deep")));
    }
    if parts.iter().any(|part| part.len() > 255) {
        return Err(Failure::Bad("a name of more than 255 bytes".to_owned()));
    }
    Ok(parts)
}

pub(super) fn c_string(name: &[u8]) -> Result<CString, Failure> {
    CString::new(name).map_err(|_| Failure::Bad("a name with a NUL byte".to_owned()))
}

/// Removes whatever has that name in a folder, without following it.
pub(super) fn remove(parent: &OwnedFd, name: &[u8]) -> Result<(), Failure> {
    let c_name = c_string(name)?;
    match fs::unlinkat(parent, &c_name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR) => {
            // The parent is held open; its path through /proc cannot be led elsewhere, and the
            // standard library does not follow links below it.
            let path = Path::new("/proc/self/fd").join(parent.as_fd().as_raw_fd().to_string());
            Ok(std::fs::remove_dir_all(path.join(OsStr::from_bytes(name)))?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Owner before mode, since a change of owner clears the setuid bit; attributes last, since it
/// clears file capabilities as well.
pub(super) fn set_metadata(file: impl AsFd, member: &Member) -> Result<(), Failure> {
    match fs::fchown(&file, Some(Uid::from_raw(member.uid)), Some(Gid::from_raw(member.gid))) {
        // Without root everything belongs to us, and runs as us.
        Ok(()) | Err(Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    fs::fchmod(&file, Mode::from_raw_mode(member.mode))?;
    for (name, value) in &member.xattrs {
        // What a program can need. `trusted.overlay.*` and the like would speak to our own mounts.
        if name == "security.capability" || name.starts_with("user.") && !name.starts_with("user.overlay.") {
            match fs::fsetxattr(&file, name.as_str(), value, XattrFlags::empty()) {
                Ok(()) | Err(Errno::PERM | Errno::NOTSUP) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

pub(super) fn own(parent: &OwnedFd, name: &CString, member: &Member) -> Result<(), Failure> {
    let (uid, gid) = (Uid::from_raw(member.uid), Gid::from_raw(member.gid));
    match fs::chownat(parent, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(()) | Err(Errno::PERM) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn times((seconds, nanoseconds): (i64, i64)) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    Timestamps { last_access: time, last_modification: time }
}
