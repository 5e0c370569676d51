//! Starts the processes of one run from the lab and waits for what they say, until the run ends,
//! fails, or is interrupted.

use std::fs;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tojimari_recorder::Recording;

use super::job::{FromTask, TaskJob, TaskOutcome};
use super::observe::Observed;
use super::pipe::{Incoming, wait_for};
use super::role::{self, Role};
use super::{Error, keeper};

/// How soon an interrupt is seen.
const TICK: Duration = Duration::from_millis(50);

/// What came of a run.
pub(super) struct Ran {
    pub outcome: TaskOutcome,
    pub observed: Vec<Observed>,
}

impl Ran {
    /// What was recorded of one container, by its place in the job, and of its health checks.
    pub fn recordings(&self, container: usize) -> Vec<&Recording> {
        let of_it = self.observed.iter().filter(|observed| observed.container == container);
        of_it.map(|observed| &observed.recording).collect()
    }
}

impl Ran {
    /// What was recorded of the container's own program.
    pub fn own_recording(&self, container: usize) -> Option<&Recording> {
        let own = |observed: &&Observed| observed.container == container && !observed.is_probe;
        self.observed.iter().find(own).map(|observed| &observed.recording)
    }
}

/// Runs a task from start to end. When this returns, nothing of the run is left.
pub(super) fn run(job: &TaskJob, cancelled: &AtomicBool) -> Result<Ran, Error> {
    let fault = Error::fault::<io::Error>("start a run");
    let json = serde_json::to_vec(job).map_err(|error| fault(error.into()))?;
    // It holds the environment of the containers.
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(job.folder.join(TaskJob::FILE))
        .map_err(&fault)?;
    file.write_all(&json).map_err(&fault)?;
    drop(file);
    let mut keeper = role::command(Path::new("/proc/self/exe"), Role::Keeper, &job.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(keeper::log(job).map_err(&fault)?)
        .spawn()
        .map_err(&fault)?;
    let heard = listen(&mut keeper, cancelled);
    let ran = match heard {
        Ok(Some(FromTask::Ended(outcome))) => observed(job).map(|observed| Ran { outcome, observed }).map_err(&fault),
        Ok(Some(FromTask::Fault(what))) => Err(Error::fault("run the task")(with_log(job, &what))),
        Ok(Some(FromTask::Ready) | None) => Err(Error::fault("run the task")(with_log(job, "it ended without a word"))),
        Err(error) => Err(error),
    };
    if let Some(pipe) = keeper.stdin.take() {
        keeper::release(pipe);
    }
    // It removes what is left of the run.
    match keeper.wait() {
        Ok(status) if !status.success() && ran.is_ok() => {
            Err(Error::fault("clean up after a run")(with_log(job, "what was left could not be removed")))
        }
        _ => ran,
    }
}

/// The last message of the keeper; `None` if it ended without one.
fn listen(keeper: &mut Child, cancelled: &AtomicBool) -> Result<Option<FromTask>, Error> {
    let fault = Error::fault::<io::Error>("follow a run");
    let Some(stdout) = keeper.stdout.take() else { return Ok(None) };
    let mut incoming = Incoming::new(stdout).map_err(&fault)?;
    loop {
        if cancelled.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        wait_for(&[incoming.as_fd()], Instant::now() + TICK).map_err(&fault)?;
        if let Some(last) = incoming.messages::<FromTask>().pop() {
            return Ok(Some(last));
        }
        if !incoming.is_open() {
            return Ok(None);
        }
    }
}

fn observed(job: &TaskJob) -> io::Result<Vec<Observed>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(job.observed_folder())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            all.push(serde_json::from_slice(&fs::read(path)?)?);
        }
    }
    Ok(all)
}

/// A message with the last line that a process of the run had to say.
fn with_log(job: &TaskJob, what: &str) -> String {
    let log = fs::read_to_string(job.folder.join("log")).unwrap_or_default();
    match log.lines().rfind(|line| !line.trim().is_empty()) {
        Some(line) => format!("{what}: {line}"),
        None => what.to_owned(),
    }
}
