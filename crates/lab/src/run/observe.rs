//! The process between the supervisor and the one that runs a container or a health check: it
//! traces that, and writes down what it saw.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tojimari_recorder::{Gatherer, Recording};
use tojimari_tracer::{Begin, Command, Config, Outcomes};

use super::failure::NotStarted;
use super::job::{Report, TaskJob};
use super::pipe::send;
use super::role::{self, Role};

/// What was seen of one container, or of one of its health checks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Observed {
    /// Place in the job.
    pub container: usize,
    /// Of a health check, not of the container's own program.
    pub is_probe: bool,
    pub recording: Recording,
}

/// Runs `role` under a tracer, and writes down what it saw when all of it has ended.
pub(super) fn main(folder: &Path, role: Role) -> io::Result<()> {
    let job = TaskJob::read(folder)?;
    let (container, name) = match role {
        Role::Container { container } => (container, format!("{container}.json")),
        Role::Probe { container, number } => (container, format!("{container}-{number}.json")),
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "nothing to trace")),
    };
    let words = role::command(&job.program(), role, folder);
    let command = Command::new(job.program()).arguments(words.get_args());
    // The runtime sets the container up in the same tree: what it does is not the container's doing.
    let config = Config { begin: Begin::WhenRootDiffers, outcomes: Outcomes::WhereNeeded };
    let traced = tojimari_tracer::spawn(command, config);
    let (session, records) = match traced {
        Ok(traced) => traced,
        Err(error) => {
            let why = NotStarted::Fault(format!("cannot be traced: {error}"));
            let mut reports = fs::OpenOptions::new().write(true).open(job.reports())?;
            return send(&mut reports, &Report::NotStarted { container, why });
        }
    };
    let mut gatherer = Gatherer::new(&job.container_root(container));
    gatherer.receive(&records);
    let report = session.wait().map_err(io::Error::other)?;
    let observed =
        Observed { container, is_probe: matches!(role, Role::Probe { .. }), recording: gatherer.finish(report) };
    let file = job.observed_folder().join(name);
    let unfinished = file.with_extension("part");
    fs::write(&unfinished, serde_json::to_vec(&observed)?)?;
    fs::rename(unfinished, file)
}
