//! What a session is told, what it reports, and what its threads share.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::event::Exit;
use crate::kernel;

/// From when on a process is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begin {
    /// From its start, with all its descendants.
    #[default]
    AtOnce,
    /// From the first `execve` after which its root directory differs from the tracer's own, with
    /// all its descendants from then on: the container's program, not the runtime that sets it up.
    WhenRootDiffers,
}

/// For which calls the end is waited for, to learn the outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcomes {
    /// Until a success of the same operation on the same path has been seen.
    #[default]
    WhereNeeded,
    /// For each call. Nearly doubles the price of a stop.
    Always,
}

#[derive(Clone, Debug, Default)]
pub struct Config {
    pub begin: Begin,
    pub outcomes: Outcomes,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what}: {source}")]
    System { what: &'static str, source: io::Error },
    /// The program could not be executed.
    #[error("execute {program}: {source}")]
    Execute { program: String, source: io::Error },
    #[error("the tracer's thread ended unexpectedly")]
    Panicked,
    #[error("the traced program was not started")]
    NotStarted,
}

/// What the tracer says of a whole session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// How the process that was started ended.
    pub exit: Exit,
    /// How the first recorded process ended; `None` if none was, or it was killed with the rest.
    pub begun_exit: Option<Exit>,
    /// From the start to the end of the last process.
    pub duration: Duration,
    /// Stops at calls that could change a file system, of recorded processes and others.
    pub stops: u64,
    /// The most such stops within one second.
    pub peak_stops_per_second: u64,
    /// Share of the session's wall time in which the tracer was at work, 0 to 1.
    pub busy: f64,
    /// Calls of recorded processes that may have changed something whose path was not learned.
    pub unresolved: u64,
    /// Calls to `io_uring_setup` by recorded processes, each answered ENOSYS.
    pub io_uring_refused: u64,
    /// Calls through a table that is not traced (x32), each answered ENOSYS.
    pub foreign_calls_refused: u64,
    /// Attempts of recorded processes to trace others, which cannot work under a tracer.
    pub ptrace_asked: u64,
    /// Without CAP_SYS_ADMIN the filter needs no_new_privs: setuid programs did not elevate.
    pub no_new_privileges: bool,
}

impl Report {
    /// Of a session in which nothing happened but the end of its program.
    pub fn new(exit: Exit) -> Report {
        Report {
            exit,
            begun_exit: None,
            duration: Duration::ZERO,
            stops: 0,
            peak_stops_per_second: 0,
            busy: 0.0,
            unresolved: 0,
            io_uring_refused: 0,
            foreign_calls_refused: 0,
            ptrace_asked: 0,
            no_new_privileges: false,
        }
    }
}

/// What the tracer's thread and the others both see.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub killed: AtomicBool,
    /// A living process of the tree: its end wakes the tracer's thread, which waits for nothing else.
    target: Mutex<Option<(i32, OwnedFd)>>,
}

impl Shared {
    pub fn target(&self) -> MutexGuard<'_, Option<(i32, OwnedFd)>> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_target(&self, pid: i32) -> bool {
        self.target().as_ref().is_some_and(|(target, _)| *target == pid)
    }

    pub fn kill(&self) {
        let target = self.target();
        self.killed.store(true, Ordering::Relaxed);
        if let Some((_, process)) = &*target {
            kernel::kill(process.as_fd());
        }
    }
}
