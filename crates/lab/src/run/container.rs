//! The process that runs one container: sets it up with libcontainer, starts it, waits for its
//! end, and reports each of these. Also the process that runs one health check in it.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use libcontainer::container::builder::ContainerBuilder;
use libcontainer::error::LibcontainerError;
use libcontainer::oci_spec::runtime::Spec;
use libcontainer::syscall::syscall::SyscallType;
use libcontainer::workload::{Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError};
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::job::{NotStarted, Report, TaskJob};
use super::keeper::exit_code;
use super::pipe::{ChildSignal, send, wait_for};
use super::spec;

/// Begins the message of a mistake in the image or the task definition, so that it is found again
/// in what libcontainer makes of it.
const MISTAKE: &str = "tojimari cannot run ";

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
    match start(&job, index) {
        Ok(pid) => {
            send(&mut reports, &Report::Started { container: index, pid: pid.as_raw() })?;
            let status = wait(pid)?;
            send(&mut reports, &Report::Exited { container: index, status })
        }
        Err(why) => send(&mut reports, &Report::NotStarted { container: index, why }),
    }
}

fn start(job: &TaskJob, index: usize) -> Result<Pid, NotStarted> {
    let fault = |error: &dyn std::error::Error| NotStarted::Fault(told(error));
    let container = &job.containers[index];
    let folder = job.container_folder(index);
    let spec = spec::of(job, index).map_err(|error| fault(&error))?;
    spec.save(folder.join("bundle/config.json")).map_err(|error| fault(&error))?;
    let built = ContainerBuilder::new(ID.to_owned(), SyscallType::default())
        .with_executor(Program { init: container.init })
        .with_root_path(folder.join("state"))
        .and_then(|builder| builder.as_init(folder.join("bundle")).with_systemd(false).with_detach(true).build())
        .and_then(|mut built| built.start().map(|()| built));
    match built {
        Ok(built) => match built.pid() {
            Some(pid) => Ok(Pid::from_raw(pid.as_raw())),
            None => Err(NotStarted::Fault("the container has no process".to_owned())),
        },
        Err(error) => Err(why(&error)),
    }
}

/// Runs a health check; its output goes to where this process's does.
pub(super) fn probe(folder: &Path, index: usize, number: u32) -> io::Result<()> {
    let job = TaskJob::read(folder)?;
    let mut reports = fs::OpenOptions::new().write(true).open(job.reports())?;
    let (status, message) = match run_probe(&job, index, number) {
        Ok(status) => (status, None),
        Err(NotStarted::Input(message) | NotStarted::Fault(message)) => (None, Some(message)),
    };
    send(&mut reports, &Report::Probed { container: index, status, message })
}

fn run_probe(job: &TaskJob, index: usize, number: u32) -> Result<Option<i32>, NotStarted> {
    let fault = |error: &dyn std::error::Error| NotStarted::Fault(told(error));
    let container = &job.containers[index];
    let Some(health) = &container.health else { return Ok(None) };
    let folder = job.container_folder(index);
    let process = spec::process(container, health.args.clone()).map_err(|error| fault(&error))?;
    let file = folder.join(format!("probe-{number}.json"));
    let written = serde_json::to_vec(&process).map_err(io::Error::from).and_then(|json| fs::write(&file, json));
    written.map_err(|error| fault(&error))?;
    let built = ContainerBuilder::new(ID.to_owned(), SyscallType::default())
        .with_executor(Program { init: false })
        .with_root_path(folder.join("state"))
        .and_then(|builder| builder.as_tenant().with_process(Some(&file)).with_detach(true).build());
    let _ = fs::remove_file(&file);
    let pid = built.map(|pid| Pid::from_raw(pid.as_raw())).map_err(|error| why(&error))?;
    let within = Duration::try_from_secs_f64(health.timeout).unwrap_or(Duration::from_secs(5));
    wait_within(pid, within).map_err(|error| fault(&error))
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

/// Tells the user's mistakes from faults.
fn why(error: &LibcontainerError) -> NotStarted {
    let told = told(error);
    match told.find(MISTAKE) {
        Some(at) => NotStarted::Input(told[at + MISTAKE.len()..].to_owned()),
        None => NotStarted::Fault(told),
    }
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
}

impl Executor for Program {
    fn validate(&self, spec: &Spec) -> Result<(), ExecutorValidationError> {
        let Some((program, _, environment)) = program_of(spec) else {
            return Err(ExecutorValidationError::ArgValidationError(format!("{MISTAKE}a container without a command")));
        };
        match find(&program, &environment) {
            Ok(_) => Ok(()),
            Err(because) => {
                Err(ExecutorValidationError::ArgValidationError(format!("{MISTAKE}`{program}`: {because}")))
            }
        }
    }

    /// The environment is given to the program directly.
    fn setup_envs(&self, _: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        Ok(())
    }

    fn exec(&self, spec: &Spec) -> Result<(), ExecutorError> {
        let (program, arguments, environment) = program_of(spec).ok_or(ExecutorError::InvalidArg)?;
        let path = find(&program, &environment).map_err(|because| ExecutorError::Other(because.to_owned()))?;
        // What whoever started this tool had ignored is no concern of the container.
        tojimari_tracer::default_signals();
        let mut command = Command::new(&path);
        command.arg0(&program).args(&arguments).env_clear().envs(environment);
        let error = if self.init { be_init(&mut command) } else { command.exec() };
        // Too late for a report: the container counts as started.
        let _ = writeln!(io::stderr(), "{MISTAKE}`{program}`: {error}");
        std::process::exit(if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { CANNOT_RUN })
    }
}

/// The mistake that a container's last line of output tells of, where its program could not be run.
pub(super) fn mistake(status: i32, output: &[String]) -> Option<String> {
    let tried = status == CANNOT_RUN || status == NOT_FOUND;
    output.last().filter(|_| tried)?.strip_prefix(MISTAKE).map(str::to_owned)
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
fn find(program: &str, environment: &Environment) -> Result<PathBuf, &'static str> {
    let path = environment.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value.as_str());
    let places: Vec<PathBuf> = if program.contains('/') {
        vec![PathBuf::from(program)]
    } else {
        path.split(':').map(|folder| Path::new(if folder.is_empty() { "." } else { folder }).join(program)).collect()
    };
    let mut because = if program.contains('/') { "no such file in the image" } else { "not found in PATH" };
    for place in places {
        match fs::metadata(&place) {
            Ok(metadata) if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 => return Ok(place),
            Ok(metadata) if metadata.is_dir() => because = "is a folder",
            Ok(_) => because = "is not executable",
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => because = "permission denied",
            Err(_) => {}
        }
    }
    Err(because)
}

/// The first process of a container with `initProcessEnabled`: starts the program, passes signals
/// on to it, reaps orphans, and ends as the program ends. Returns only if it could not be started.
fn be_init(command: &mut Command) -> io::Error {
    let program = match command.spawn() {
        Ok(child) => Pid::from_raw(child.id() as i32),
        Err(error) => return error,
    };
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
        assert_eq!(find("program", &path), Err("is not executable"));
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("executable");
        assert_eq!(find("program", &path), Ok(program.clone()));
        assert_eq!(find(program.to_str().expect("UTF-8"), &Vec::new()), Ok(program));
        assert_eq!(find("other", &path), Err("not found in PATH"));
        assert_eq!(find("/no/such", &path), Err("no such file in the image"));
        assert_eq!(find(folder.path().to_str().expect("UTF-8"), &path), Err("is a folder"));
    }

    #[test]
    fn a_mistake_is_found_in_the_last_line() {
        let output = ["hello".to_owned(), format!("{MISTAKE}`/run.sh`: no such file")];
        assert_eq!(mistake(127, &output).as_deref(), Some("`/run.sh`: no such file"));
        assert_eq!(mistake(1, &output), None);
        assert_eq!(mistake(127, &output[..1]), None);
    }
}
