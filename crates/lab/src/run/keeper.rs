//! The keeper of a run: the process between the lab and the task. It owns the task's network and
//! process namespaces, runs the exercise, and removes everything when the run is over, also when
//! the lab was killed in the middle of it.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::job::{ExerciseReport, FromTask, TaskJob, ToTask};
use super::output::LastLines;
use super::pipe::{ChildSignal, Incoming, exit_code, send, wait_for};
use super::{cgroup, network, role, scratch};

/// What the lab says when it has read everything: from then on an end of the lab's pipe is no
/// sign of its death.
pub(super) const RELEASE: &str = "release";

/// How long the processes of a run may take to go after they were killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// A time limit beyond this one is none: adding it to a time must not overflow.
const LONGEST_EXERCISE: Duration = Duration::from_secs(365 * 24 * 3600);

/// The task's address in the environment of the exercise.
pub(super) const ADDRESS_VARIABLE: &str = "TOJIMARI_TASK_IP";

pub(super) fn main(folder: &Path) -> io::Result<()> {
    // Ctrl-C in a terminal reaches the lab alone, which then ends this process by closing the pipe.
    nix::unistd::setsid()?;
    nix::sys::prctl::set_child_subreaper(true)?;
    let job = TaskJob::read(folder)?;
    let mut lab = Incoming::new(io::stdin().as_fd().try_clone_to_owned()?)?;
    let mut released = false;
    let ran = keep(&job, &mut lab, &mut released);
    if let Err(error) = &ran {
        let fault = FromTask::Fault(format!("failed to run the task: {error}"));
        // The lab may be gone.
        let _ = send(&mut io::stdout(), &fault);
        while !released && lab.is_open() {
            wait_for(&[lab.as_fd()], Instant::now() + Duration::from_secs(60))?;
            released |= lab.messages::<String>().iter().any(|word| word == RELEASE);
        }
    }
    end_all_children();
    let cgroups = cgroup::remove(&format!("{}.", job.cgroup));
    let folder = std::fs::remove_dir_all(&job.folder);
    if !released {
        scratch::remove_if_abandoned(&job.scratch);
    }
    cgroups.and(folder).and(ran)
}

/// Runs the task until the lab lets go, one way or the other.
fn keep(job: &TaskJob, lab: &mut Incoming, released: &mut bool) -> io::Result<()> {
    network::enter_new(job.address)
        .map_err(|error| io::Error::new(error.kind(), format!("no network namespace: {error}")))?;
    let children = ChildSignal::new()?;
    let mut supervisor = start_supervisor(job)?;
    let mut to_task = supervisor.stdin.take();
    let mut from_task = Incoming::new(supervisor.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?)?;
    let supervisor = Pid::from_raw(supervisor.id() as i32);
    let mut exercise: Option<Exercise> = None;
    let mut ended = false;
    loop {
        let mut waited = vec![lab.as_fd(), children.as_fd()];
        if from_task.is_open() {
            waited.push(from_task.as_fd());
        }
        let mut until = Instant::now() + Duration::from_secs(60);
        if let Some(exercise) = &exercise {
            if exercise.output.is_open() {
                waited.push(exercise.output.as_fd());
            }
            until = until.min(exercise.deadline);
        }
        wait_for(&waited, until)?;

        *released |= lab.messages::<String>().iter().any(|word| word == RELEASE);
        if *released || !lab.is_open() {
            return Ok(());
        }
        // Who has ended is asked before what was said is read: then nothing said at the end is missed.
        children.drain();
        let mut gone = None;
        loop {
            match waitpid(None::<Pid>, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => break,
                Ok(status) if status.pid() == Some(supervisor) => gone = Some(status),
                Ok(status) => {
                    if let Some(running) = &mut exercise
                        && status.pid() == Some(running.pid)
                    {
                        running.exit = exit_code(status);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        for message in from_task.messages::<FromTask>() {
            match message {
                FromTask::Ready => exercise = Some(Exercise::start(job)?),
                other => {
                    ended = true;
                    send(&mut io::stdout(), &other)?;
                }
            }
        }
        if let Some(status) = gone.filter(|_| !ended) {
            let fault = format!("the task's supervisor ended: {}", how(status));
            send(&mut io::stdout(), &FromTask::Fault(fault))?;
            ended = true;
        }
        if let Some(running) = &mut exercise {
            running.read();
        }
        if let Some(report) = exercise.as_mut().and_then(Exercise::report) {
            exercise = None;
            if let Some(to_task) = &mut to_task {
                // A supervisor that has ended says so itself.
                let _ = send(to_task, &ToTask::Exercised(report));
            }
        }
    }
}

/// Starts the supervisor as the first process of a PID namespace: the kernel kills all others in
/// it when it ends, however it ends.
fn start_supervisor(job: &TaskJob) -> io::Result<Child> {
    let own = std::fs::File::open("/proc/self/ns/pid")?;
    unshare(CloneFlags::CLONE_NEWPID)
        .map_err(|error| io::Error::new(io::ErrorKind::PermissionDenied, format!("no PID namespace: {error}")))?;
    let supervisor = role::command(Path::new("/proc/self/exe"), role::Role::Supervisor, &job.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(log(job)?)
        .spawn();
    // The exercise runs in the namespace of the host.
    setns(own, CloneFlags::CLONE_NEWPID)?;
    supervisor
}

/// Where the processes of a run say why they panicked.
pub(super) fn log(job: &TaskJob) -> io::Result<std::fs::File> {
    std::fs::OpenOptions::new().create(true).append(true).open(job.folder.join("log"))
}

/// Becomes the user's command; returns if there is no shell.
pub(super) fn exercise(folder: &Path) -> io::Error {
    let job = match TaskJob::read(folder) {
        Ok(job) => job,
        Err(error) => return error,
    };
    let command = job.exercise.map(|exercise| exercise.command).unwrap_or_default();
    // The keeper ends it in every other case.
    if let Err(error) = nix::sys::prctl::set_pdeathsig(Signal::SIGKILL) {
        return error.into();
    }
    tojimari_tracer::default_signals();
    Command::new("sh").args(["-c", &command]).env(ADDRESS_VARIABLE, job.address.to_string()).exec()
}

/// The user's command while it runs.
struct Exercise {
    pid: Pid,
    began: Instant,
    deadline: Instant,
    output: Incoming,
    lines: LastLines,
    exit: Option<i32>,
}

impl Exercise {
    fn start(job: &TaskJob) -> io::Result<Exercise> {
        let timeout = job.exercise.as_ref().map_or(Duration::ZERO, |exercise| exercise.timeout);
        let (reader, writer) = io::pipe()?;
        let child = role::command(Path::new("/proc/self/exe"), role::Role::Exercise, &job.folder)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .process_group(0)
            .spawn()?;
        let masked: Vec<String> = job.containers.iter().flat_map(|container| container.masked.clone()).collect();
        let began = Instant::now();
        Ok(Exercise {
            pid: Pid::from_raw(child.id() as i32),
            began,
            deadline: began + timeout.min(LONGEST_EXERCISE),
            output: Incoming::new(reader)?,
            lines: LastLines::new(&masked),
            exit: None,
        })
    }

    fn read(&mut self) {
        let bytes = self.output.bytes();
        self.lines.add(&bytes);
    }

    /// How it ended, once it has, or once its time is over: then it is killed.
    fn report(&mut self) -> Option<ExerciseReport> {
        let took = self.began.elapsed();
        if self.exit.is_none() && Instant::now() < self.deadline {
            return None;
        }
        // Also what it left running in the background.
        let _ = killpg(self.pid, Signal::SIGKILL);
        self.read();
        Some(ExerciseReport { exit: self.exit, took, output: self.lines.lines() })
    }
}

fn how(status: WaitStatus) -> String {
    match status {
        WaitStatus::Exited(_, code) => format!("exit status {code}"),
        WaitStatus::Signaled(_, signal, _) => format!("signal {signal}"),
        other => format!("{other:?}"),
    }
}

/// Kills the supervisor and the exercise with all that it started: orphans become our children.
fn end_all_children() {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        for child in children() {
            let _ = kill(child, Signal::SIGKILL);
        }
        match waitpid(None::<Pid>, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return,
            Ok(WaitStatus::StillAlive) => std::thread::sleep(Duration::from_millis(2)),
            _ => {}
        }
    }
}

fn children() -> Vec<Pid> {
    let own = std::process::id().to_string();
    let parent = |stat: &str| stat.rsplit_once(')')?.1.split_whitespace().nth(1).map(str::to_owned);
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|process| {
            let pid: i32 = process.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
            (parent(&stat)? == own).then(|| Pid::from_raw(pid))
        })
        .collect()
}

/// Ends a run from the lab's side: `word` is written and the pipe closed.
pub(super) fn release(mut pipe: impl Write) {
    let _ = send(&mut pipe, &RELEASE);
}
