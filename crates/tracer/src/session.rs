//! A traced program from its start to the end of its last process.

use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use crate::command::Command;
use crate::config::{Config, Error, Report, Shared};
use crate::engine::Engine;
use crate::ptrace;
use crate::records::{self, Records};

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
