//! What was observed: the write profile of a task's containers (`profile.json`), and the facts
//! about the image that a plan needs beside it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `profile.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Profile {
    #[cfg_attr(feature = "schema", schemars(extend("const" = 1)))]
    pub version: u32,
    /// The family of the task definition that was run.
    pub family: String,
    pub containers: Vec<ContainerProfile>,
    /// Whether an exercise was run against the task, and how it ended.
    pub exercise: Option<ExerciseOutcome>,
    /// What a reader must know to trust this profile.
    #[serde(default)]
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExerciseOutcome {
    pub command: String,
    pub exit: i32,
    pub seconds: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContainerProfile {
    pub name: String,
    pub image: ImageIdentity,
    /// Entry point and command as they were run.
    pub command: Vec<String>,
    /// `uid:gid` that the container was started as.
    pub user: String,
    pub working_directory: String,
    pub duration_seconds: f64,
    /// `None` while it still ran when we stopped it.
    pub exit: Option<i32>,
    /// `None` without a health check.
    pub healthy: Option<bool>,
    pub saturation: Saturation,
    /// How often a program asked for io_uring and was answered ENOSYS.
    pub io_uring_refused: u64,
    /// Every path whose write would matter, sorted by path.
    pub paths: Vec<PathProfile>,
    /// The folders of the image that hold a written path, and all above them, sorted by path.
    pub folders: Vec<FolderFact>,
    /// `VOLUME`s of the image.
    pub volumes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImageIdentity {
    pub reference: String,
    /// Digest of the image's manifest or, for an archive without one, of its configuration.
    pub digest: String,
}

/// How hard the tracer worked, so that a reader can judge whether it disturbed the service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Saturation {
    /// Calls that were stopped and looked at.
    pub stops: u64,
    /// The most stops seen in one second.
    pub peak_stops_per_second: u64,
    /// Share of the run's wall time that the tracer spent handling stops, 0 to 1.
    pub busy: f64,
    /// Calls whose path could not be read or resolved.
    pub unresolved: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PathProfile {
    /// Absolute in the container, without symbolic links. Bytes that are not UTF-8 are escaped `\xNN`.
    pub path: String,
    pub operations: Vec<OperationCount>,
    /// Seconds since the container's program was started.
    pub first_seconds: f64,
    pub last_seconds: f64,
    /// The executables that did it, sorted.
    pub programs: Vec<String>,
    pub existed_in_image: bool,
    pub present_at_end: bool,
    /// The most bytes that the file was seen to hold.
    pub peak_bytes: u64,
    /// Mount point that the path lies on: `/` for the root file system.
    pub mount: String,
    pub kind: FileKind,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OperationCount {
    pub operation: Operation,
    pub count: u64,
    /// Calls that failed, by errno name where it was learned: `EEXIST`, `EACCES`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// Whether at least one of these calls succeeded here (or its outcome was not learned) and
    /// the kernel would have answered EROFS on a read-only root. A call that fails on a writable
    /// root too (EACCES, ENOENT) breaks nothing.
    pub would_break: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    File,
    Directory,
    Symlink,
    Socket,
    Fifo,
    Device,
    /// It was gone before it could be looked at.
    Unknown,
}

/// What was done to a path. One name per thing done, whatever form of call did it
/// (`rename`, `renameat2` and their two ends become `rename-from` and `rename-to`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Open of an existing file for writing.
    OpenWrite,
    /// Open with O_CREAT (the file may have existed).
    Create,
    /// Open with O_TRUNC, or truncate and ftruncate.
    Truncate,
    Mkdir,
    Rmdir,
    Unlink,
    RenameFrom,
    RenameTo,
    /// A new hard link.
    Link,
    Symlink,
    Mknod,
    Chmod,
    Chown,
    /// utimensat and its older forms.
    SetTimes,
    SetXattr,
    RemoveXattr,
    /// `bind` of a UNIX socket to a path.
    BindSocket,
    /// `access` or `faccessat` with W_OK: the program asks whether it could write.
    AccessWrite,
    /// FS_IOC_SETFLAGS and the like.
    SetFlags,
    /// `mount`, `umount`, `pivot_root`: seen and noted, never planned for.
    Mount,
}

impl fmt::Display for Operation {
    /// The name that stands in the JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operation::OpenWrite => "open-write",
            Operation::Create => "create",
            Operation::Truncate => "truncate",
            Operation::Mkdir => "mkdir",
            Operation::Rmdir => "rmdir",
            Operation::Unlink => "unlink",
            Operation::RenameFrom => "rename-from",
            Operation::RenameTo => "rename-to",
            Operation::Link => "link",
            Operation::Symlink => "symlink",
            Operation::Mknod => "mknod",
            Operation::Chmod => "chmod",
            Operation::Chown => "chown",
            Operation::SetTimes => "set-times",
            Operation::SetXattr => "set-xattr",
            Operation::RemoveXattr => "remove-xattr",
            Operation::BindSocket => "bind-socket",
            Operation::AccessWrite => "access-write",
            Operation::SetFlags => "set-flags",
            Operation::Mount => "mount",
        })
    }
}

/// One folder of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FolderFact {
    pub path: String,
    /// Whether the image has it at all: a folder made at run time is not in the image.
    pub in_image: bool,
    /// Files, links and devices below it in the image, at any depth (folders not counted).
    pub files: u64,
    /// Folders below it in the image, at any depth.
    pub folders: u64,
    pub bytes: u64,
    pub uid: u32,
    pub gid: u32,
    /// Permission bits, such as 0o1777.
    pub mode: u32,
    /// Whether a file below it is a program or library: an executable bit, an ELF head, or a
    /// name that an interpreter loads (`.py`, `.pyc`, `.js`, `.php`, `.rb`, `.pl`, `.jar`, `.so`).
    pub programs: bool,
}
