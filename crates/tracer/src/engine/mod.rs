//! The tracer's thread: waits for stops, looks at calls, sends records, lets tracees go on.

mod call;

use std::collections::{HashMap, HashSet};
use std::hash::RandomState;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::Command;
use crate::calls::Numbers;
use crate::config::{Begin, Config, Error, Report, Shared};
use crate::decode::Aim;
use crate::event::{Event, Exit, Outcome, Ran, Record};
use crate::kernel;
use crate::launch::{self, Launched, Progress};
use crate::ptrace::{self, Gone, Stop, Stopped, Waited};
use crate::records::Sender;
use crate::resolve::{Resolver, Root};

/// How many succeeded pairs of path and operation are remembered before all are forgotten: then
/// their ends are waited for again.
const MOST_SUCCEEDED: usize = 1 << 20;

/// A thread of the traced tree.
#[derive(Default)]
struct Task {
    recorded: bool,
    /// Programs that it has executed: what one may do, the next need not.
    programs: u32,
    program: Option<Arc<str>>,
    root: Option<(u64, Rc<Root>)>,
    pending: Option<Pending>,
    /// The executables that led to this one, with it.
    chain: Option<Arc<[Arc<str>]>>,
    /// When this process itself executed its program, since the beginning; `None` in what was forked
    /// from it.
    executed: Option<Duration>,
}

/// A call whose end is waited for.
struct Pending {
    events: Vec<Looked>,
    /// The file is known only by the descriptor that the call returns.
    returned: Option<Aim>,
    /// Its path could not be read or resolved: it matters only if the call succeeds.
    unresolved: bool,
    /// It changes mounts or roots.
    disturbs: bool,
    at: Duration,
}

/// An event whose outcome is not known yet.
struct Looked {
    event: Event,
    /// Of its path and operation.
    key: u64,
    /// Of all that decides its outcome but for the name itself; `None` where the name counts too.
    likeness: Option<u64>,
}

pub(crate) struct Engine {
    config: Config,
    shared: Arc<Shared>,
    records: Sender,
    numbers: Vec<Numbers>,
    resolver: Resolver,
    own_root: Rc<Root>,
    tasks: HashMap<i32, Task>,
    first: i32,
    started: Instant,
    begun: Option<(i32, Instant)>,
    /// Grows when some task's root may have changed.
    roots: u64,
    succeeded: HashSet<u64>,
    hasher: RandomState,
    busy: Duration,
    second: (u64, u64),
    report: Report,
    killing: bool,
}

impl Engine {
    /// Starts the command and follows it until its program runs.
    pub fn start(command: &Command, config: Config, shared: Arc<Shared>, records: Sender) -> Result<Engine, Error> {
        let system = |what| move |source| Error::System { what, source };
        let mut resolver = Resolver::new().map_err(system("read /proc"))?;
        let own_root = resolver.root(std::process::id() as i32).map_err(system("read /proc/self/root"))?;
        let launched = launch::launch(command).map_err(system("start the traced process"))?;
        let mut engine = Engine {
            config,
            shared,
            records,
            numbers: Numbers::all(),
            resolver,
            own_root,
            tasks: HashMap::new(),
            first: launched.pid,
            started: Instant::now(),
            begun: None,
            roots: 0,
            succeeded: HashSet::new(),
            hasher: RandomState::new(),
            busy: Duration::ZERO,
            second: (0, 0),
            report: Report::new(Exit::Code(0)),
            killing: false,
        };
        engine.tasks.insert(launched.pid, Task::default());
        engine.publish_target();
        engine.follow_to_program(launched, command)?;
        Ok(engine)
    }

    /// Until the first program runs there is nothing to record.
    fn follow_to_program(&mut self, launched: Launched, command: &Command) -> Result<(), Error> {
        loop {
            let waited = match ptrace::wait() {
                Ok(Some(waited)) => waited,
                Ok(None) => return Err(Error::System { what: "follow the traced process", source: gone() }),
                Err(source) => return Err(Error::System { what: "wait for the traced process", source }),
            };
            let ended = matches!(waited, Waited::Ended(..));
            if !ended && !matches!(waited, Waited::Stopped(_, Stop::Executed)) {
                self.handle(waited);
                continue;
            }
            let outcome = match launched.progress() {
                Progress::Failed { doing: "execute", error: source } => {
                    Err(Error::Execute { program: command.program.display().to_string(), source })
                }
                Progress::Failed { doing, error: source } => Err(Error::System { what: doing, source }),
                Progress::Executed { .. } if ended => {
                    Err(Error::System { what: "follow the traced process", source: gone() })
                }
                Progress::Executed { no_new_privileges } => {
                    self.report.no_new_privileges = no_new_privileges;
                    self.started = Instant::now();
                    Ok(())
                }
            };
            self.handle(waited);
            return outcome;
        }
    }

    pub fn first(&self) -> i32 {
        self.first
    }

    /// Follows the tree to its end.
    pub fn run(mut self) -> Result<Report, Error> {
        loop {
            match ptrace::wait() {
                Ok(Some(waited)) => {
                    let woken = Instant::now();
                    self.handle(waited);
                    self.busy += woken.elapsed();
                }
                Ok(None) => break,
                Err(source) => return Err(Error::System { what: "wait for the traced processes", source }),
            }
        }
        let wall = self.started.elapsed();
        self.report.duration = wall;
        self.report.busy = self.busy.as_secs_f64() / wall.as_secs_f64().max(1e-9);
        self.report.peak_stops_per_second = self.report.peak_stops_per_second.max(self.second.1);
        Ok(self.report)
    }

    fn handle(&mut self, waited: Waited) {
        let (stopped, stop) = match waited {
            Waited::Ended(pid, exit) => return self.ended(pid, exit),
            Waited::Stopped(stopped, stop) => (stopped, stop),
        };
        let pid = stopped.pid();
        if !self.tasks.contains_key(&pid) {
            self.adopt(pid);
        }
        self.resolver.recent.seen(pid);
        if self.killing || self.shared.killed.load(Ordering::Relaxed) {
            self.kill_all();
            return;
        }
        // Whoever is gone is reported as ended soon.
        let _: Result<(), Gone> = match stop {
            Stop::Call => self.called(stopped),
            Stop::CallEnd => self.call_ended(stopped),
            Stop::Forked => {
                if let Ok(child) = stopped.message() {
                    self.forked(pid, child);
                }
                stopped.resume(0)
            }
            Stop::Executed => {
                self.executed(&stopped);
                stopped.resume(0)
            }
            Stop::Group => stopped.listen(),
            Stop::Trap => stopped.resume(0),
            Stop::Signal(signal) => stopped.resume(signal),
        };
    }

    /// A new task stops before its maker tells of it, or its maker was killed first. It may execute a program
    /// before that is told, too.
    fn adopt(&mut self, pid: i32) {
        self.resolver.forget(pid);
        let maker = self.begun.and_then(|_| self.maker(pid));
        let recorded = self.begun.is_some()
            && match maker {
                Some(maker) => self.tasks[&maker].recorded,
                None => self.config.begin == Begin::AtOnce || self.has_other_root(pid),
            };
        let chain = maker.and_then(|maker| self.tasks[&maker].chain.clone());
        self.tasks.insert(pid, Task { recorded, chain, ..Task::default() });
    }

    /// The task that most likely made this one, if it is known.
    fn maker(&self, pid: i32) -> Option<i32> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let number = |key: &str| status.lines().find_map(|line| line.strip_prefix(key))?.trim().parse::<i32>().ok();
        let process = number("Tgid:")?;
        let maker = if process == pid { number("PPid:")? } else { process };
        self.tasks.contains_key(&maker).then_some(maker)
    }

    fn forked(&mut self, parent: i32, child: i32) {
        let Some(maker) = self.tasks.get(&parent) else { return };
        let (recorded, program, chain) = (maker.recorded, maker.program.clone(), maker.chain.clone());
        let task = self.tasks.entry(child).or_default();
        task.recorded |= recorded;
        if task.executed.is_none() {
            task.chain = chain;
        }
        // It may have executed another program by now only if it was met before.
        if task.program.is_none() && task.root.is_none() {
            task.program = program;
        }
    }

    fn executed(&mut self, stopped: &Stopped) {
        let pid = stopped.pid();
        // A thread that is not the first takes over the first one's id, which has ended unseen.
        if let Ok(former) = stopped.message()
            && former != pid
            && let Some(task) = self.tasks.remove(&former)
        {
            self.tasks.insert(pid, task);
            self.resolver.forget(former);
        }
        let begins = self.begun.is_none() && (self.config.begin == Begin::AtOnce || self.has_other_root(pid));
        let begins_late = self.begun.is_some()
            && self.config.begin == Begin::WhenRootDiffers
            && !self.tasks.get(&pid).is_some_and(|task| task.recorded)
            && self.has_other_root(pid);
        let task = self.tasks.entry(pid).or_default();
        task.programs += 1;
        task.program = None;
        task.root = None;
        task.recorded |= begins || begins_late;
        if begins {
            let at = Instant::now();
            self.begun = Some((pid, at));
            self.records.send(Record::Began { pid, at });
        }
        self.link(pid);
    }

    /// Takes the program that was just executed into the chain of its process.
    fn link(&mut self, pid: i32) {
        if !self.tasks.get(&pid).is_some_and(|task| task.recorded) {
            return;
        }
        let program: Arc<str> = match self.root(pid) {
            Ok(root) => self.program(pid, &root),
            Err(_) => "".into(),
        };
        let program = called(pid, &program).unwrap_or(program);
        let now = self.begun.map_or(Duration::ZERO, |(_, begun)| begun.elapsed());
        let Some(task) = self.tasks.get_mut(&pid) else { return };
        let former = task.chain.take().unwrap_or_default();
        task.chain = Some(match former.last() == Some(&program) {
            true => former,
            false => {
                let nearest = former.len().saturating_sub(Ran::CHAIN - 1);
                former[nearest..].iter().cloned().chain([program]).collect()
            }
        });
        task.executed.get_or_insert(now);
    }

    fn has_other_root(&mut self, pid: i32) -> bool {
        self.resolver.root(pid).is_ok_and(|root| !root.same_folder(&self.own_root))
    }

    fn ended(&mut self, pid: i32, exit: Exit) {
        self.resolver.recent.seen(pid);
        self.resolver.forget(pid);
        if let Some(task) = self.tasks.remove(&pid) {
            if let Some(pending) = task.pending {
                self.send(pending.events, Outcome::NotLearned);
            }
            if let (Some(started), Some(chain)) = (task.executed, task.chain) {
                let ended = self.begun.map_or(started, |(_, begun)| begun.elapsed());
                self.records.send(Record::Ran(Ran { chain, started, ended, exit }));
            }
        }
        if pid == self.first {
            self.report.exit = exit;
        }
        if self.begun.is_some_and(|(begun, _)| begun == pid) {
            self.report.begun_exit = Some(exit);
            self.records.send(Record::Ended { pid, at: Instant::now(), exit });
        }
        if self.shared.killed.load(Ordering::Relaxed) {
            self.kill_all();
        }
        if self.shared.is_target(pid) {
            self.publish_target();
        }
    }

    /// Chooses a process whose end wakes this thread when the session is to be killed.
    fn publish_target(&mut self) {
        let mut target = self.shared.target();
        *target = None;
        for &pid in self.tasks.keys() {
            if let Ok(handle) = kernel::pidfd(pid) {
                if self.shared.killed.load(Ordering::Relaxed) {
                    kernel::kill(handle.as_fd());
                }
                *target = Some((pid, handle));
                break;
            }
        }
    }

    fn kill_all(&mut self) {
        self.killing = true;
        for &pid in self.tasks.keys() {
            // Ids that ended unseen may belong to strangers by now.
            if ptrace::is_ours(pid) {
                ptrace::kill(pid);
            }
        }
    }
}

/// The executable with the name that it was called by, where that is another: an interpreter by the name of
/// its script, a program of many uses by the one that was asked for.
fn called(pid: i32, program: &str) -> Option<Arc<str>> {
    /// Without the zero at the end (TASK_COMM_LEN).
    const LONGEST: usize = 15;
    let file = program.rsplit('/').next().unwrap_or(program);
    let mut name = std::fs::read(format!("/proc/{pid}/comm")).ok()?;
    name.pop_if(|last| *last == b'\n');
    if name == b"exe" {
        // It executed itself through /proc/self/exe: the first argument tells.
        let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let first = words.split(|byte| *byte == 0).next()?;
        name = first.rsplit(|byte| *byte == b'/').next()?.iter().copied().take(LONGEST).collect();
    }
    if file.as_bytes().iter().take(LONGEST).eq(name.iter()) {
        return None;
    }
    Some(format!("{program} ({})", String::from_utf8_lossy(&name)).into())
}

fn gone() -> std::io::Error {
    std::io::Error::other("it ended before its program ran")
}
