//! The supervisor of a task: the first process of its PID namespace. It starts the containers in
//! the order of `dependsOn`, watches their health, has the exercise run once all are up, and stops
//! them. One thread and one loop, so that every state is looked at in one place.
//!
//! Long because one loop looks at every state of a task.

use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Gid, Pid, Uid};

use super::failure::{FailureKind, NotStarted};
use super::job::{
    Condition, ContainerJob, ContainerOutcome, DependencyJob, ExerciseReport, Failure, FromTask, Report, TaskJob,
    TaskOutcome, ToTask,
};
use super::output::LastLines;
use super::pipe::{ChildSignal, Incoming, send, wait_for};
use super::proc::{handles, listen_all};
use super::role::Role;
use super::{prepare, role};

/// How often at the least everything is looked at that tells no one by itself: ports, quiet.
const TICK: Duration = Duration::from_millis(50);
/// The time until the first health check, and between two until the container is healthy. ECS
/// waits the check's interval each time (30 seconds by default); waiting less finds the same.
const FIRST_PROBE: Duration = Duration::from_millis(100);
const PROBE_PAUSE: Duration = Duration::from_millis(500);
/// A container without health check and ports is up when it has run this long and was quiet.
const SETTLING: Duration = Duration::from_secs(2);
const QUIET: Duration = Duration::from_secs(1);
/// It need not be quiet for ever.
const SETTLED_AT_LAST: Duration = Duration::from_secs(10);
/// How long a container may wait for another one (`startTimeout` on Fargate by default).
const DEPENDENCY_PATIENCE: Duration = Duration::from_secs(180);
/// How long setting a container up may take, and how long all may take to stop beyond what their
/// definitions allow.
const SETUP_PATIENCE: Duration = Duration::from_secs(60);
/// How long the processes may take to go once they were killed.
const KILL_PATIENCE: Duration = Duration::from_secs(10);
/// No task runs on for longer: adding a time to a moment must not overflow.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

pub(super) fn main(folder: &Path) -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    std::env::set_current_dir("/")?;
    let job = TaskJob::read(folder)?;
    let said = match supervise(&job) {
        Ok(outcome) => FromTask::Ended(outcome),
        Err(error) => FromTask::Fault(error.to_string()),
    };
    send(&mut io::stdout(), &said)
}

fn supervise(job: &TaskJob) -> io::Result<TaskOutcome> {
    let named = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| io::Error::new(error.kind(), format!("{what}: {error}"))
    };
    let children = ChildSignal::new()?;
    prepare::namespaces(job).map_err(named("no namespaces for the task"))?;
    prepare::volumes(job).map_err(named("no volumes for the task"))?;
    let mut task = Task::new(job).map_err(named("the task cannot be prepared"))?;
    let mut keeper = Incoming::new(io::stdin().as_fd().try_clone_to_owned()?)?;
    loop {
        task.look(&mut keeper)?;
        if let Phase::Over = task.phase {
            return Ok(task.outcome());
        }
        let mut waited = vec![children.as_fd(), keeper.as_fd(), task.reports.as_fd()];
        waited.extend(task.containers.iter().filter_map(Container::output_fd));
        wait_for(&waited, task.wake_at())?;
        children.drain();
        if !keeper.is_open() {
            return Err(io::Error::other("the keeper is gone"));
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    ComingUp,
    Exercising,
    /// Everything is up and exercised, and runs on for a while.
    Running {
        until: Instant,
    },
    /// One more health check of each container, now that it was used.
    Checking,
    Stopping,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Waiting,
    /// Its process is setting it up.
    Starting {
        since: Instant,
    },
    Running {
        pid: Pid,
    },
    Ended {
        status: i32,
    },
    /// It was never started: it could not be, or the task failed before.
    Never,
}

struct Task<'a> {
    job: &'a TaskJob,
    began: Instant,
    phase: Phase,
    containers: Vec<Container<'a>>,
    reports: Incoming,
    /// Processes that run containers and health checks, by their number.
    runners: HashMap<Pid, Role>,
    failure: Option<Failure>,
    exercise: Option<ExerciseReport>,
    notes: Vec<String>,
    stopping_since: Option<Instant>,
}

struct Container<'a> {
    job: &'a ContainerJob,
    state: State,
    /// The process that runs it has not ended yet.
    runner: Option<Pid>,
    started: Option<Instant>,
    ended: Option<Instant>,
    output: Option<Incoming>,
    lines: LastLines,
    last_output: Instant,
    ready_after: Option<Duration>,
    healthy: Option<bool>,
    listening: Option<bool>,
    probe: Probe,
    /// The stop signal was sent, and when SIGKILL follows.
    stopping: Option<Instant>,
    killed: bool,
    stopped_by_us: bool,
    asked_to_stop: Option<Instant>,
}

struct Probe {
    /// The process that runs it, and its output.
    running: Option<(Pid, Incoming)>,
    lines: LastLines,
    next: Instant,
    number: u32,
    /// Consecutive ones.
    failures: u32,
    /// The result of the check after the exercise.
    last: Option<bool>,
}

impl<'a> Task<'a> {
    fn new(job: &'a TaskJob) -> io::Result<Task<'a>> {
        let now = Instant::now();
        // Held for writing too: the pipe then never ends.
        let reports = std::fs::OpenOptions::new().read(true).write(true).open(job.reports())?;
        Ok(Task {
            job,
            began: now,
            phase: Phase::ComingUp,
            containers: job.containers.iter().map(|container| Container::new(container, now)).collect(),
            reports: Incoming::new(reports)?,
            runners: HashMap::new(),
            failure: None,
            exercise: None,
            notes: Vec::new(),
            stopping_since: None,
        })
    }

    /// Takes in everything that has happened, and does what follows from it.
    fn look(&mut self, keeper: &mut Incoming) -> io::Result<()> {
        for message in keeper.messages::<ToTask>() {
            let ToTask::Exercised(report) = message;
            self.exercised(report);
        }
        let ended = self.reap()?;
        // What an ended process reported is in the pipe before its end is known.
        for report in self.reports.messages::<Report>() {
            self.reported(report);
        }
        for container in &mut self.containers {
            container.read();
        }
        for (role, status) in ended {
            self.runner_ended(role, status);
        }
        self.watch_ends();
        if matches!(self.phase, Phase::ComingUp | Phase::Exercising | Phase::Running { .. } | Phase::Checking) {
            self.watch_health()?;
        }
        self.advance()
    }

    fn reap(&mut self) -> io::Result<Vec<(Role, WaitStatus)>> {
        let mut ended = Vec::new();
        loop {
            match waitpid(None::<Pid>, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(ended),
                Ok(status) => {
                    // Orphans of containers end up here too: the first process of a namespace reaps.
                    let role = status.pid().and_then(|pid| self.runners.remove(&pid));
                    ended.extend(role.map(|role| (role, status)));
                }
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn reported(&mut self, report: Report) {
        match report {
            Report::Started { container: index, pid } => {
                let Some(container) = self.containers.get_mut(index) else { return };
                container.state = State::Running { pid: Pid::from_raw(pid) };
                container.probe.next = Instant::now() + FIRST_PROBE;
                container.started = Some(Instant::now());
            }
            Report::Exited { container: index, status } => {
                let Some(container) = self.containers.get_mut(index) else { return };
                container.state = State::Ended { status };
                container.ended = Some(Instant::now());
                container.stopped_by_us = container.stopping.is_some();
            }
            Report::NotStarted { container: index, why } => self.not_started(index, why),
            Report::Probed { container: index, status, not_started } => {
                let Some(container) = self.containers.get_mut(index) else { return };
                container.probed(status, not_started.as_ref());
            }
        }
    }

    fn not_started(&mut self, index: usize, why: NotStarted) {
        let Some(container) = self.containers.get_mut(index) else { return };
        container.state = State::Never;
        container.started = None;
        let program = container.job.args.first().cloned().unwrap_or_default();
        self.fail(index, FailureKind::CannotStart { program, why });
    }

    fn runner_ended(&mut self, role: Role, status: WaitStatus) {
        match role {
            Role::Container { container: index } => {
                let container = &mut self.containers[index];
                container.runner = None;
                if matches!(container.state, State::Starting { .. } | State::Running { .. }) {
                    let killed = container.killed;
                    container.state = State::Ended { status: 128 + Signal::SIGKILL as i32 };
                    container.ended = Some(Instant::now());
                    container.stopped_by_us = killed;
                    if !killed {
                        self.fail(index, FailureKind::RunnerEnded(format!("{status:?}")));
                    }
                }
            }
            Role::Probe { container: index, .. } => {
                let container = &mut self.containers[index];
                if container.probe.running.take().is_some() {
                    // It would have said so if it had run.
                    container.probed(None, None);
                }
            }
            _ => {}
        }
    }

    /// What it means that a container ended which was not stopped.
    fn watch_ends(&mut self) {
        if self.failure.is_some() || self.phase == Phase::Stopping {
            return;
        }
        for index in 0..self.containers.len() {
            let container = &self.containers[index];
            let State::Ended { status } = container.state else { continue };
            if container.job.essential && (status != 0 || !self.may_be_a_job(index)) {
                let after = container.ran();
                self.fail(index, FailureKind::Ended { status, after });
            }
        }
        for index in 0..self.containers.len() {
            if let State::Starting { since } = self.containers[index].state
                && since.elapsed() > SETUP_PATIENCE
            {
                self.fail(index, FailureKind::SetUpTooLong { within: SETUP_PATIENCE });
            }
            if let Some((other, kind)) = self.waits_in_vain(index) {
                let output = self.containers[other].last_words();
                self.fail_with(Some(index), kind, output);
            }
        }
    }

    /// A task that is not spoken to may be one that does its work and ends.
    fn may_be_a_job(&self, index: usize) -> bool {
        let container = self.containers[index].job;
        self.job.exercise.is_none() && container.health.is_none() && container.ports.is_empty()
    }

    /// For which other one a container waits in vain, and why.
    fn waits_in_vain(&self, index: usize) -> Option<(usize, FailureKind)> {
        let container = &self.containers[index];
        if container.state != State::Waiting {
            return None;
        }
        for dependency in &container.job.depends_on {
            let other = &self.containers[dependency.container];
            let name = other.job.name.clone();
            let long_since = other.started.is_some_and(|started| started.elapsed() > DEPENDENCY_PATIENCE);
            let kind = match (dependency.condition, other.state) {
                (Condition::Success, State::Ended { status }) if status != 0 => {
                    FailureKind::WaitsForSuccess { other: name, status }
                }
                (Condition::Healthy, State::Ended { status }) => FailureKind::WaitsForHealth { other: name, status },
                (Condition::Complete | Condition::Success, State::Running { .. }) if long_since => {
                    FailureKind::WaitsForEnd { other: name, within: DEPENDENCY_PATIENCE }
                }
                _ => continue,
            };
            return Some((dependency.container, kind));
        }
        None
    }

    fn fail(&mut self, index: usize, kind: FailureKind) {
        let output = self.containers[index].last_words();
        self.fail_with(Some(index), kind, output);
    }

    /// Only the first failure counts: the others may follow from it.
    fn fail_with(&mut self, container: Option<usize>, kind: FailureKind, output: Vec<String>) {
        if self.failure.is_some() || self.phase == Phase::Stopping {
            return;
        }
        self.failure = Some(Failure { container, kind, output });
        self.phase = Phase::Stopping;
    }

    fn exercised(&mut self, report: ExerciseReport) {
        let after = report.took;
        if self.phase == Phase::Exercising {
            let output = report.output.clone();
            match report.exit {
                Some(0) => self.phase = Phase::Running { until: Instant::now() + self.job.duration.min(LONGEST) },
                Some(status) => self.fail_with(None, FailureKind::ExerciseEnded { status, after }, output),
                None => self.fail_with(None, FailureKind::ExerciseTooLong { after }, output),
            }
        }
        self.exercise = Some(report);
    }

    fn watch_health(&mut self) -> io::Result<()> {
        for index in 0..self.containers.len() {
            let (state, patience) = (self.containers[index].state, self.containers[index].job.patience);
            let State::Running { .. } = state else { continue };
            let container = &mut self.containers[index];
            let running = container.started.map_or(Duration::ZERO, |started| started.elapsed());
            if container.job.health.is_some() {
                self.probe_if_due(index)?;
                let container = &self.containers[index];
                let kind = if container.ready_after.is_none() && running > patience {
                    FailureKind::NotHealthy { within: patience }
                } else if container.healthy == Some(false) && container.ready_after.is_some() {
                    FailureKind::NotHealthyAnyMore
                } else {
                    continue;
                };
                if container.job.essential || self.is_awaited(index) {
                    self.fail(index, kind);
                } else if container.ready_after.is_none() {
                    // ECS lets the task run on.
                    self.notes.push(format!("{} {kind}", container.job.name));
                    self.containers[index].ready_after = Some(running);
                }
            } else if container.ready_after.is_none() {
                let up = if container.job.ports.is_empty() {
                    running > SETTLING && container.last_output.elapsed() > QUIET || running > SETTLED_AT_LAST
                } else {
                    let listening = listen_all(&container.job.ports);
                    container.listening = Some(listening);
                    listening || running > patience
                };
                if up {
                    container.ready_after = Some(running);
                    if container.listening == Some(false) {
                        self.notes.push(format!(
                            "{} did not listen on its mapped ports within {:.0} s",
                            container.job.name,
                            patience.as_secs_f64()
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether a container that has not started yet waits for the health of this one.
    fn is_awaited(&self, index: usize) -> bool {
        self.containers.iter().filter(|other| other.state == State::Waiting).any(|other| {
            let on_health = |dependency: &DependencyJob| {
                dependency.container == index && dependency.condition == Condition::Healthy
            };
            other.job.depends_on.iter().any(on_health)
        })
    }

    fn probe_if_due(&mut self, index: usize) -> io::Result<()> {
        let container = &mut self.containers[index];
        if container.probe.running.is_some() || Instant::now() < container.probe.next {
            return Ok(());
        }
        let number = container.probe.number;
        container.probe.number += 1;
        let role = Role::Probe { container: index, number };
        let (reader, writer) = io::pipe()?;
        let uid = Uid::from_raw(container.job.user.uid);
        nix::unistd::fchown(&writer, Some(uid), Some(Gid::from_raw(container.job.user.gid)))?;
        let child = role::watched(self.job, index, role)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        let pid = Pid::from_raw(child.id() as i32);
        container.probe.running = Some((pid, Incoming::new(reader)?));
        self.runners.insert(pid, role);
        Ok(())
    }

    /// Goes from one phase to the next where everything for it is there.
    fn advance(&mut self) -> io::Result<()> {
        match self.phase {
            Phase::ComingUp => {
                for index in 0..self.containers.len() {
                    if self.containers[index].state == State::Waiting && self.may_start(index) {
                        self.start(index)?;
                    }
                }
                if self.phase == Phase::ComingUp && self.all_up() {
                    if self.job.exercise.is_some() {
                        send(&mut io::stdout(), &FromTask::Ready)?;
                        self.phase = Phase::Exercising;
                    } else {
                        self.phase = Phase::Running { until: Instant::now() + self.job.duration.min(LONGEST) };
                    }
                }
            }
            Phase::Exercising => {}
            Phase::Running { until } => {
                if self.essential_job_ended() || self.all_ended() {
                    self.phase = Phase::Stopping;
                    return self.advance();
                }
                if Instant::now() >= until {
                    self.phase = Phase::Checking;
                    for container in &mut self.containers {
                        container.probe.next = Instant::now();
                        container.probe.last = None;
                    }
                    return self.advance();
                }
            }
            Phase::Checking => {
                let checked = |container: &Container<'_>| {
                    container.healthy != Some(true)
                        || !matches!(container.state, State::Running { .. })
                        || container.probe.last == Some(true)
                };
                if self.containers.iter().all(checked) {
                    self.phase = Phase::Stopping;
                    return self.advance();
                }
            }
            Phase::Stopping => self.stop(),
            Phase::Over => {}
        }
        Ok(())
    }

    fn essential_job_ended(&self) -> bool {
        self.containers.iter().any(|c| c.job.essential && matches!(c.state, State::Ended { .. }))
    }

    fn all_ended(&self) -> bool {
        self.containers.iter().all(|c| matches!(c.state, State::Ended { .. } | State::Never))
    }

    fn may_start(&self, index: usize) -> bool {
        self.containers[index].job.depends_on.iter().all(|dependency| {
            let other = &self.containers[dependency.container];
            match dependency.condition {
                Condition::Start => matches!(other.state, State::Running { .. } | State::Ended { .. }),
                Condition::Complete => matches!(other.state, State::Ended { .. }),
                Condition::Success => other.state == State::Ended { status: 0 },
                Condition::Healthy => other.healthy == Some(true),
            }
        })
    }

    fn all_up(&self) -> bool {
        self.essential_job_ended()
            || self.containers.iter().all(|container| match container.state {
                State::Running { .. } => container.ready_after.is_some(),
                State::Ended { .. } => true,
                _ => false,
            })
    }

    fn start(&mut self, index: usize) -> io::Result<()> {
        if let Err(why) = prepare::container(self.job, index) {
            self.not_started(index, why);
            return Ok(());
        }
        let container = &mut self.containers[index];
        let (reader, writer) = io::pipe()?;
        // A program that is not root may open /dev/stdout again.
        let uid = Uid::from_raw(container.job.user.uid);
        nix::unistd::fchown(&writer, Some(uid), Some(Gid::from_raw(container.job.user.gid)))?;
        let role = Role::Container { container: index };
        let child = role::watched(self.job, index, role)
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        let pid = Pid::from_raw(child.id() as i32);
        container.state = State::Starting { since: Instant::now() };
        container.runner = Some(pid);
        container.output = Some(Incoming::new(reader)?);
        self.runners.insert(pid, role);
        Ok(())
    }

    /// Stops what runs, those first that no running container depends on.
    fn stop(&mut self) {
        let now = Instant::now();
        for index in 0..self.containers.len() {
            if self.containers[index].state == State::Waiting {
                self.containers[index].state = State::Never;
            }
        }
        for index in 0..self.containers.len() {
            let needed = self.containers.iter().any(|other| {
                matches!(other.state, State::Running { .. } | State::Starting { .. })
                    && other.job.depends_on.iter().any(|dependency| dependency.container == index)
            });
            let hard = self.job.stop_hard || self.failure.is_some();
            self.containers[index].stop(now, hard, needed);
        }
        let since = *self.stopping_since.get_or_insert(now);
        let allowed: Duration = self.containers.iter().map(|container| container.job.stop_timeout).sum();
        let patience = SETUP_PATIENCE + allowed;
        // The kernel ends those that are left when this process ends.
        if self.runners.is_empty() || now > since + patience {
            self.phase = Phase::Over;
        }
    }

    /// When to look again though nothing was heard.
    fn wake_at(&self) -> Instant {
        let now = Instant::now();
        match self.phase {
            Phase::Over => now,
            _ => {
                let probes = self.containers.iter().filter(|c| c.job.health.is_some()).map(|c| c.probe.next);
                let stops = self.containers.iter().filter_map(|c| c.stopping);
                let due = probes.chain(stops).filter(|at| *at > now).min();
                due.unwrap_or(now + TICK).min(now + TICK)
            }
        }
    }

    fn outcome(&self) -> TaskOutcome {
        let mut notes = self.notes.clone();
        for container in &self.containers {
            if let State::Ended { status } = container.state
                && !container.stopped_by_us
                && !container.job.essential
                && status != 0
            {
                notes.push(format!("{} ended with status {status}; the task goes on without it", container.job.name));
            }
        }
        TaskOutcome {
            failure: self.failure.clone(),
            exercise: self.exercise.clone(),
            containers: self.containers.iter().map(Container::outcome).collect(),
            took: self.began.elapsed(),
            notes,
        }
    }
}

impl<'a> Container<'a> {
    fn new(job: &'a ContainerJob, now: Instant) -> Self {
        Container {
            job,
            state: State::Waiting,
            runner: None,
            started: None,
            ended: None,
            output: None,
            lines: LastLines::new(&job.masked),
            last_output: now,
            ready_after: None,
            healthy: job.health.is_some().then_some(false),
            listening: None,
            probe: Probe {
                running: None,
                lines: LastLines::new(&job.masked),
                next: now,
                number: 0,
                failures: 0,
                last: None,
            },
            stopping: None,
            killed: false,
            stopped_by_us: false,
            asked_to_stop: None,
        }
    }

    fn output_fd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        self.output.as_ref().filter(|output| output.is_open()).map(|output| output.as_fd())
    }

    fn read(&mut self) {
        if let Some(output) = &mut self.output
            && output.is_open()
        {
            let bytes = output.bytes();
            if !bytes.is_empty() {
                self.last_output = Instant::now();
                self.lines.add(&bytes);
            }
        }
        if let Some((_, output)) = &mut self.probe.running {
            let bytes = output.bytes();
            self.probe.lines.add(&bytes);
        }
    }

    fn probed(&mut self, status: Option<i32>, not_started: Option<&NotStarted>) {
        if let Some((_, mut output)) = self.probe.running.take() {
            let bytes = output.bytes();
            self.probe.lines.add(&bytes);
        }
        let Some(health) = &self.job.health else { return };
        let passed = status == Some(0);
        self.probe.last = Some(passed);
        if passed {
            self.probe.failures = 0;
            self.probe.lines = LastLines::new(&self.job.masked);
            self.healthy = Some(true);
            self.ready_after = self.ready_after.or_else(|| self.started.map(|started| started.elapsed()));
            self.probe.next = Instant::now() + health.interval;
            return;
        }
        self.probe.failures += 1;
        self.probe.lines.say(&match (status, not_started) {
            (_, Some(why)) => {
                format!("health check: cannot run {}", why.message(health.args.first().map_or("", String::as_str)))
            }
            (Some(status), None) => format!("health check: ended with status {status}"),
            (None, None) => format!("health check: did not end within {} s", health.timeout.as_secs()),
        });
        if self.probe.failures >= health.retries {
            self.healthy = Some(false);
        }
        self.probe.next = Instant::now() + PROBE_PAUSE;
    }

    fn stop(&mut self, now: Instant, hard: bool, needed: bool) {
        if let (State::Starting { .. }, Some(runner)) = (self.state, self.runner) {
            let _ = kill(runner, Signal::SIGKILL);
            self.killed = true;
        }
        let State::Running { pid } = self.state else { return };
        match self.stopping {
            None if !hard && needed => {}
            None => {
                let signal = Signal::try_from(self.job.stop_signal).unwrap_or(Signal::SIGTERM);
                // The first process of a namespace does not get a signal that it does not handle:
                // there is nothing to wait for.
                let deaf = hard || !handles(pid, signal);
                let _ = kill(pid, if deaf { Signal::SIGKILL } else { signal });
                self.asked_to_stop = Some(now);
                self.killed |= deaf;
                self.stopping = Some(now + if deaf { KILL_PATIENCE } else { self.job.stop_timeout });
            }
            Some(deadline) if now >= deadline => {
                let _ = kill(pid, Signal::SIGKILL);
                if let (true, Some(runner)) = (self.killed, self.runner) {
                    let _ = kill(runner, Signal::SIGKILL);
                }
                self.killed = true;
                self.stopping = Some(now + KILL_PATIENCE);
            }
            Some(_) => {}
        }
    }

    /// How long it has run.
    fn ran(&self) -> Duration {
        let end = self.ended.unwrap_or_else(Instant::now);
        self.started.map_or(Duration::ZERO, |started| end.saturating_duration_since(started))
    }

    /// Its own last lines, and those of its health check while that fails.
    fn last_words(&self) -> Vec<String> {
        let mut lines = self.lines.lines();
        lines.extend(self.probe.lines.lines());
        lines
    }

    fn outcome(&self) -> ContainerOutcome {
        let exit = match self.state {
            State::Ended { status } if !self.stopped_by_us => Some(status),
            _ => None,
        };
        ContainerOutcome {
            started: self.started.is_some(),
            healthy: self.healthy,
            listening: self.listening,
            exit,
            ran: self.ran(),
            asked_to_stop: self.asked_to_stop.zip(self.started).map(|(asked, started)| asked - started),
            complaints: self.lines.complaints(),
            ready_after: self.ready_after,
            output: self.last_words(),
        }
    }
}
