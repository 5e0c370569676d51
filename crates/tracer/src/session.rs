//! A traced program from its start to the end of its last process.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::command::Command;
use crate::engine::Engine;
use crate::event::Exit;
use crate::records::{self, Records};
use crate::{kernel, ptrace};

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

impl Report {
    pub(crate) fn empty() -> Report {
        Report {
            exit: Exit::Code(0),
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

/// A running traced program. Dropping it kills what is left of it and waits for the end.
#[derive(Debug)]
pub struct Session {
    pid: i32,
    shared: Arc<Shared>,
    tracer: Option<JoinHandle<Result<Report, Error>>>,
}

/// Ends a session from anywhere.
#[derive(Clone, Debug)]
pub struct Killer {
    shared: Arc<Shared>,
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

    fn kill(&self) {
        let target = self.target();
        self.killed.store(true, Ordering::Relaxed);
        if let Some((_, process)) = &*target {
            kernel::kill(process.as_fd());
        }
    }
}

/// Starts `command` under the tracer, on a thread of its own. Returns when the program has been
/// executed, or with the reason why it could not be.
///
/// Receive the records while the program runs: they pile up otherwise.
pub fn spawn(command: Command, config: Config) -> Result<(Session, Records), Error> {
    let shared = Arc::new(Shared::default());
    let (sender, records) = records::channel();
    let (started, start) = mpsc::channel();
    let for_tracer = shared.clone();
    let tracer = thread::Builder::new()
        .name("tracer".into())
        .spawn(move || {
            ptrace::block_signals();
            let engine = match Engine::start(&command, config, for_tracer, sender) {
                Ok(engine) => engine,
                Err(error) => {
                    let _ = started.send(Err(error));
                    return Err(Error::NotStarted);
                }
            };
            // The descriptors handed over belong to the program alone from now on.
            drop(command);
            let _ = started.send(Ok(engine.first()));
            engine.run()
        })
        .map_err(|source| Error::System { what: "start the tracer's thread", source })?;
    let pid = start.recv().map_err(|_| Error::Panicked)??;
    Ok((Session { pid, shared, tracer: Some(tracer) }, records))
}

impl Session {
    /// The process that was started, in the tracer's pid namespace.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    pub fn killer(&self) -> Killer {
        Killer { shared: self.shared.clone() }
    }

    /// Waits until every process of the tree has ended.
    pub fn wait(mut self) -> Result<Report, Error> {
        let tracer = self.tracer.take().ok_or(Error::Panicked)?;
        tracer.join().map_err(|_| Error::Panicked)?
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(tracer) = self.tracer.take() {
            self.shared.kill();
            let _ = tracer.join();
        }
    }
}

impl Killer {
    /// Sends SIGKILL to every process of the session. Does nothing after its end.
    pub fn kill(&self) {
        self.shared.kill();
    }
}
