//! What a traced program did: the records that a session sends, in the order in which they happened.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tojimari_evidence::profile::{FileKind, Operation};

/// One message of a session. `Began` comes first, `Ended` once, events between and after.
#[derive(Clone, Debug)]
pub enum Record {
    /// The first process to be recorded started its program (the container's program with
    /// `Begin::WhenRootDiffers`). `pid` is in the tracer's pid namespace.
    Began { pid: i32, at: Instant },
    /// A call that could change a file system.
    Event(Event),
    /// A process that had executed a program ended.
    Ran(Ran),
    /// The process named in `Began` ended. Its descendants may live on.
    Ended { pid: i32, at: Instant, exit: Exit },
}

/// One call that could change a file system, on one path: `rename` makes two events.
#[derive(Clone, Debug)]
pub struct Event {
    /// Since `Record::Began`.
    pub at: Duration,
    /// The thread that made the call, in the tracer's pid namespace.
    pub pid: i32,
    /// Path of its executable, told from the same root as `path`.
    pub program: Arc<str>,
    pub operation: Operation,
    /// Absolute in the tracee's root, or, after a chroot, in the root before it, with symbolic links
    /// resolved as the kernel does for this call: the last component is followed only where the
    /// call follows it. A file made with O_TMPFILE has no name and is told as `#tmpfile` in its
    /// folder. Not always UTF-8.
    pub path: Vec<u8>,
    /// What was there before the call, or what the call makes.
    pub kind: FileKind,
    /// The mount whose read-only flag the kernel would look at.
    pub mount: Arc<Mount>,
    /// Whether `path` existed before the call.
    pub existed: bool,
    /// Bytes that the file held before the call (after it for a truncation), where it existed.
    pub bytes: u64,
    pub outcome: Outcome,
    /// The kernel would answer EROFS to this call if the mount were read-only, by its order of
    /// checks, whatever the outcome was here.
    pub refused_if_read_only: bool,
    /// `refused_if_read_only`, and the call did not fail here: on a read-only mount the program
    /// would see an error that it does not see now.
    pub would_break: bool,
}

/// The life of one executed program.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The executables that led to it and it, the last one: each was executed by, or in the place of,
    /// the one before. At most [`Ran::CHAIN`] of them; the same one in a row stands once. One that was called
    /// by another name than its file has that in brackets: `/bin/busybox (sleep)`.
    pub chain: Arc<[Arc<str>]>,
    /// Since `Record::Began`.
    pub started: Duration,
    pub ended: Duration,
    pub exit: Exit,
}

impl Ran {
    /// The most executables that are kept of a chain: the nearest ones.
    pub const CHAIN: usize = 8;
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Success,
    /// The error number, such as `libc::EACCES`.
    Errno(i32),
    /// The end of the call was not waited for, or the process died in it.
    NotLearned,
}

/// A mount, as the tracee sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Mount point relative to the tracee's root: `/` for its root file system. Empty if unknown.
    pub point: Vec<u8>,
    /// Type of the file system: `overlay`, `tmpfs`, `proc`. Empty if unknown.
    pub fstype: String,
    /// Major and minor number of the device.
    pub device: (u32, u32),
    /// Whether it is read-only now, by its own flags or by those of its file system.
    pub read_only: bool,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    Code(i32),
    /// Killed by this signal.
    Signal(i32),
}

impl Exit {
    /// As a shell tells it: the code, or 128 plus the signal.
    pub fn code(self) -> i32 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128 + signal,
        }
    }
}
