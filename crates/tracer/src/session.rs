//! A traced program from its start to the end of its last process.

use std::io;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use crate::command::Command;
use crate::event::{Exit, Record};

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
}

/// What the tracer says of a whole session.
#[derive(Clone, Debug)]
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

/// A running traced program. Dropping it kills what is left of it and waits for the end.
pub struct Session {}

/// Ends a session from anywhere.
#[derive(Clone)]
pub struct Killer {}

/// Starts `command` under the tracer, on a thread of its own. Returns when the program has been
/// executed, or with the reason why it could not be.
///
/// The records come in order and are not bounded: receive them while the program runs. The channel
/// closes when the last process has ended.
pub fn spawn(command: Command, config: Config) -> Result<(Session, Receiver<Record>), Error> {
    let _ = (command, config);
    Err(Error::System { what: "start the tracer", source: io::ErrorKind::Unsupported.into() })
}

impl Session {
    /// The process that was started, in the tracer's pid namespace.
    pub fn pid(&self) -> i32 {
        0
    }

    pub fn killer(&self) -> Killer {
        Killer {}
    }

    /// Waits until every process of the tree has ended.
    pub fn wait(self) -> Result<Report, Error> {
        Err(Error::Panicked)
    }
}

impl Killer {
    /// Sends SIGKILL to every process of the session. Does nothing after its end.
    pub fn kill(&self) {}
}
