//! The process that runs one container: sets it up with libcontainer, starts it, waits for its
//! end, and reports each of these. Also the process that runs one health check in it.

use std::collections::HashMap;
use std::fs;
use std::io::{self, PipeWriter};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use libcontainer::container::builder::ContainerBuilder;
use libcontainer::oci_spec::runtime::Spec;
use libcontainer::syscall::syscall::SyscallType;
use libcontainer::workload::{Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::failure::{CannotRun, NotStarted};
use super::job::{Report, TaskJob};
use super::pipe::{ChildSignal, Incoming, exit_code, send, wait_for};
use super::spec;

/// Exit codes of a shell, and of Docker, for a program that cannot be run and one that is not there.
const CANNOT_RUN: i32 = 126;
const NOT_FOUND: i32 = 127;

/// Longest message of a report, so that a report is written in one piece.
const MESSAGE: usize = 600;

/// The name of a container within its own folder of state.
const ID: &str = "container";

pub(super) fn run(folder: &Path, index: usize) -> io::Result<()> {
    let job = TaskJob::read(folder)?;
    let mut reports = fs::OpenOptions::new().write(true).open(job.reports())?;
    let (mut failed, exec_pipe) = exec_pipe()?;
    match start(&job, index, exec_pipe) {
        Ok(pid) => {
            send(&mut reports, &Report::Started { container: index, pid: pid.as_raw() })?;
            let status = wait(pid)?;
            match failed.messages::<CannotRun>().pop() {
                // It counted as started, but nothing of the image has run.
                Some(why) => send(&mut reports, &Report::NotStarted { container: index, why: NotStarted::Input(why) }),
                None => send(&mut reports, &Report::Exited { container: index, status }),
            }
        }
        Err(error) => {
            let why = not_started(&mut failed, error);
            send(&mut reports, &Report::NotStarted { container: index, why })
        }
    }
}

fn start(job: &TaskJob, index: usize, exec_pipe: ExecPipe) -> Result<Pid, BoxError> {
    let container = &job.containers[index];
    let folder = job.container_folder(index);
    spec::of(job, index)?.save(folder.join("bundle/config.json"))?;
    let mut built = ContainerBuilder::new(ID.to_owned(), SyscallType::default())
        .with_executor(Program { init: container.init, exec_pipe })
        .with_root_path(folder.join("state"))?
        .as_init(folder.join("bundle"))
        .with_systemd(false)
        .with_detach(true)
        .build()?;
    built.start()?;
    let pid = built.pid().ok_or("the container has no process")?;
    Ok(Pid::from_raw(pid.as_raw()))
}

/// Runs a health check; its output goes to where this process's does.
pub(super) fn probe(folder: &Path, index: usize, number: u32) -> io::Result<()> {
    let job = TaskJob::read(folder)?;
    let mut reports = fs::OpenOptions::new().write(true).open(job.reports())?;
    let (mut failed, exec_pipe) = exec_pipe()?;
    let (status, not_started) = match run_probe(&job, index, number, exec_pipe) {
        // A status of its own counts for more than what was said before it ran.
        Ok(status) => (status, failed.messages().pop().filter(|_| could_not_run(status)).map(NotStarted::Input)),
        Err(error) => (None, Some(not_started(&mut failed, error))),
    };
    send(&mut reports, &Report::Probed { container: index, status, not_started })
}

fn run_probe(job: &TaskJob, index: usize, number: u32, exec_pipe: ExecPipe) -> Result<Option<i32>, BoxError> {
    let container = &job.containers[index];
    let Some(health) = &container.health else { return Ok(None) };
    let folder = job.container_folder(index);
    let process = spec::process(container, health.args.clone())?;
    let file = folder.join(format!("probe-{number}.json"));
    fs::write(&file, serde_json::to_vec(&process)?)?;
    let built = ContainerBuilder::new(ID.to_owned(), SyscallType::default())
        .with_executor(Program { init: false, exec_pipe })
        .with_root_path(folder.join("state"))
        .and_then(|builder| builder.as_tenant().with_process(Some(&file)).with_detach(true).build());
    let _ = fs::remove_file(&file);
    Ok(wait_within(Pid::from_raw(built?.as_raw()), health.timeout)?)
}

fn could_not_run(status: Option<i32>) -> bool {
    matches!(status, Some(CANNOT_RUN | NOT_FOUND))
}

fn wait(pid: Pid) -> io::Result<i32> {
    loop {
        match waitpid(pid, None) {
            Ok(status) => {
                if let Some(code) = exit_code(status) {
                    return Ok(code);
                }
            }
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// `None` when it did not end in time and was killed.
fn wait_within(pid: Pid, within: Duration) -> io::Result<Option<i32>> {
    let deadline = Instant::now() + within;
    let children = ChildSignal::new()?;
    loop {
        match waitpid(pid, Some(WaitPidFlag::WNOHANG))? {
            WaitStatus::StillAlive if Instant::now() >= deadline => {
                let _ = kill(pid, Signal::SIGKILL);
                wait(pid)?;
                return Ok(None);
            }
            WaitStatus::StillAlive => {
                use std::os::fd::AsFd;
                wait_for(&[children.as_fd()], deadline)?;
                children.drain();
            }
            status => return Ok(exit_code(status)),
        }
    }
}

/// Tells the user's mistakes from faults: libcontainer knows them only as text.
fn not_started(failed: &mut Incoming, error: BoxError) -> NotStarted {
    match failed.messages().pop() {
        Some(why) => NotStarted::Input(why),
        None => NotStarted::Fault(told(&*error)),
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The end that the process which becomes the container's program writes to.
type ExecPipe = Arc<Mutex<Option<PipeWriter>>>;

/// A way for the process that becomes the container's program to tell why it cannot. No program of
/// the container ever holds its end, which is close-on-exec.
fn exec_pipe() -> io::Result<(Incoming, ExecPipe)> {
    let (reader, writer) = io::pipe()?;
    Ok((Incoming::new(reader)?, Arc::new(Mutex::new(Some(writer)))))
}

/// An error with its causes in one line, each part once.
fn told(error: &dyn std::error::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let part = error.to_string().replace('\n', " ");
        if !parts.iter().any(|said| said.contains(&part)) {
            parts.push(part);
        }
        cause = error.source();
    }
    let mut text = parts.join(": ");
    if let Some((end, _)) = text.char_indices().nth(MESSAGE) {
        text.truncate(end);
    }
    text
}

/// Starts the container's program in the process that libcontainer prepared for it.
///
/// libcontainer's own executor hands the signals on as it got them: in a Rust program SIGPIPE is
/// ignored, and so is SIGHUP in one that was started with nohup.
#[derive(Clone)]
struct Program {
    init: bool,
    exec_pipe: ExecPipe,
}

impl Program {
    fn report(&self, why: CannotRun) {
        if let Some(pipe) = &mut *self.exec_pipe.lock().unwrap_or_else(PoisonError::into_inner) {
            // Without a listener the status alone tells.
            let _ = send(pipe, &why);
        }
    }
}

impl Executor for Program {
    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        let found = match program_of(spec) {
            Some((program, _, environment)) => find(&program, &environment).map(drop),
            None => Err(CannotRun::NoCommand),
        };
        found.map_err(|why| {
            let error = ExecutorValidationError::ArgValidationError(why.to_string());
            self.report(why);
            error
        })
    }

    /// The environment is given to the program directly.
    fn setup_envs(&self, _: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        Ok(())
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let (program, arguments, environment) = program_of(spec).ok_or(ExecutorError::InvalidArg)?;
        let path = find(&program, &environment).map_err(|why| ExecutorError::Other(why.to_string()))?;
        // What whoever started this tool had ignored is no concern of the container.
        tojimari_tracer::default_signals();
        let mut command = Command::new(&path);
        command.arg0(&program).args(&arguments).env_clear().envs(environment);
        let error = if self.init { self.be_init(&mut command) } else { command.exec() };
        // Too late for an error: the container counts as started.
        self.report(CannotRun::Refused(error.raw_os_error().unwrap_or(libc::EIO)));
        std::process::exit(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN })
    }
}

type Environment = Vec<(String, String)>;

fn program_of(spec: &Spec) -> Option<(String, Vec<String>, Environment)> {
    let process = spec.process().as_ref()?;
    let (program, arguments) = process.args().as_ref()?.split_first()?;
    let environment = process
        .env()
        .iter()
        .flatten()
        .filter_map(|entry| entry.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())))
        .collect();
    Some((program.clone(), arguments.to_vec(), environment))
}

/// Where the program is, as execvp(3) looks for it. The error tells why it cannot be run.
fn find(program: &str, environment: &Environment) -> Result<PathBuf, CannotRun> {
    let path = environment.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value.as_str());
    let places: Vec<PathBuf> = if program.contains('/') {
        vec![PathBuf::from(program)]
    } else {
        path.split(':').map(|folder| Path::new(if folder.is_empty() { "." } else { folder }).join(program)).collect()
    };
    let mut because = if program.contains('/') { CannotRun::NoSuchFile } else { CannotRun::NotInPath };
    for place in places {
        match fs::metadata(&place) {
            Ok(metadata) if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 => return Ok(place),
            Ok(metadata) if metadata.is_dir() => because = CannotRun::Folder,
            Ok(_) => because = CannotRun::NotExecutable,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => because = CannotRun::PermissionDenied,
            Err(_) => {}
        }
    }
    Err(because)
}

impl Program {
    /// The first process of a container with `initProcessEnabled`: starts the program, passes
    /// signals on to it, reaps orphans, and ends as the program ends. Returns only if the program
    /// could not be started.
    fn be_init(&self, command: &mut Command) -> io::Error {
        // The program runs before this process has let go of the pipe: until then nobody may look
        // at this process's descriptors.
        let visible = prctl::get_dumpable().unwrap_or(true);
        let started = prctl::set_dumpable(false).map_err(io::Error::from).and_then(|()| command.spawn());
        let program = match started {
            Ok(child) => Pid::from_raw(child.id() as i32),
            Err(error) => return error,
        };
        drop(self.exec_pipe.lock().unwrap_or_else(PoisonError::into_inner).take());
        // Fails nowhere where it could be set before.
        let _ = prctl::set_dumpable(visible);
        // Not before: the program would begin with its signals blocked.
        let signals = SigSet::all();
        if let Err(error) = signals.thread_block() {
            return error.into();
        }
        reap(program);
        loop {
            match signals.wait() {
                Ok(Signal::SIGCHLD) => reap(program),
                Ok(signal) => {
                    let _ = kill(program, signal);
                }
                Err(_) => {}
            }
        }
    }
}

/// Reaps all that have ended; ends with the program.
fn reap(program: Pid) {
    while let Ok(status) = waitpid(None::<Pid>, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            return;
        }
        if status.pid() == Some(program)
            && let Some(code) = exit_code(status)
        {
            std::process::exit(code);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(path: &str) -> Environment {
        vec![("PATH".to_owned(), path.to_owned())]
    }

    #[test]
    fn a_program_is_found_as_execvp_finds_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("program");
        fs::write(&program, "").expect("a file");
        let path = environment(&format!("/nowhere:{}", folder.path().display()));
        assert_eq!(find("program", &path), Err(CannotRun::NotExecutable));
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
        assert_eq!(find("program", &path), Ok(program.clone()));
        assert_eq!(find(program.to_str().expect("UTF-8"), &Vec::new()), Ok(program));
        assert_eq!(find("other", &path), Err(CannotRun::NotInPath));
        assert_eq!(find("/no/such", &path), Err(CannotRun::NoSuchFile));
        assert_eq!(find(folder.path().to_str().expect("UTF-8"), &path), Err(CannotRun::Folder));
    }
}
