//! The tracer's thread: waits for stops, looks at calls, sends records, lets tracees go on.
//!
//! Long because every kind of stop is an arm of one loop over the same tracees.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tojimari_model::observed::{FileKind, Operation};

use crate::Command;
use crate::calls::{ARCH_X86_64, Call, Numbers, What, X32_BIT};
use crate::decode::{Aim, Decoder, Target};
use crate::event::{Event, Exit, Outcome, Record};
use crate::filter::MARK;
use crate::judge::Check;
use crate::kernel;
use crate::launch::{self, Launched, Progress};
use crate::ptrace::{self, Gone, Stop, StoppedCall, Unreadable};
use crate::records::Sender;
use crate::resolve::{Base, NoSite, Resolver, Root, Site, View};
use crate::session::{Begin, Config, Error, Outcomes, Report, Shared};

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
            report: Report::empty(),
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
            let (pid, stop) = match ptrace::wait() {
                Ok(Some(next)) => next,
                Ok(None) => return Err(Error::System { what: "follow the traced process", source: gone() }),
                Err(source) => return Err(Error::System { what: "wait for the traced process", source }),
            };
            let ended = matches!(stop, Stop::Ended(_));
            if !ended && stop != Stop::Executed {
                self.handle(pid, stop);
                continue;
            }
            let progress = launched.progress();
            return match progress {
                Progress::Failed { doing: "execute", error: source } => {
                    self.handle(pid, stop);
                    Err(Error::Execute { program: command.program.display().to_string(), source })
                }
                Progress::Failed { doing, error: source } => {
                    self.handle(pid, stop);
                    Err(Error::System { what: doing, source })
                }
                Progress::Executed { .. } if ended => {
                    self.handle(pid, stop);
                    Err(Error::System { what: "follow the traced process", source: gone() })
                }
                Progress::Executed { no_new_privileges } => {
                    self.report.no_new_privileges = no_new_privileges;
                    self.started = Instant::now();
                    self.handle(pid, stop);
                    Ok(())
                }
            };
        }
    }

    pub fn first(&self) -> i32 {
        self.first
    }

    /// Follows the tree to its end.
    pub fn run(mut self) -> Result<Report, Error> {
        loop {
            match ptrace::wait() {
                Ok(Some((pid, stop))) => {
                    let woken = Instant::now();
                    self.handle(pid, stop);
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

    fn handle(&mut self, pid: i32, stop: Stop) {
        if let Stop::Ended(exit) = stop {
            self.ended(pid, exit);
            return;
        }
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
            Stop::Ended(_) => Ok(()),
            Stop::Call => self.called(pid),
            Stop::CallEnd => self.call_ended(pid),
            Stop::Forked => {
                if let Ok(child) = ptrace::message(pid) {
                    self.forked(pid, child);
                }
                ptrace::resume(pid, 0)
            }
            Stop::Executed => {
                self.executed(pid);
                ptrace::resume(pid, 0)
            }
            Stop::Group => ptrace::listen(pid),
            Stop::Trap => ptrace::resume(pid, 0),
            Stop::Signal(signal) => ptrace::resume(pid, signal),
        };
    }

    /// A new task stops before its maker tells of it, or its maker was killed first.
    fn adopt(&mut self, pid: i32) {
        self.resolver.forget(pid);
        let recorded = self.begun.is_some()
            && match self.maker(pid) {
                Some(maker) => self.tasks[&maker].recorded,
                None => self.config.begin == Begin::AtOnce || self.has_other_root(pid),
            };
        self.tasks.insert(pid, Task { recorded, ..Task::default() });
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
        let (recorded, program) = (maker.recorded, maker.program.clone());
        let task = self.tasks.entry(child).or_default();
        task.recorded |= recorded;
        // It may have executed another program by now only if it was met before.
        if task.program.is_none() && task.root.is_none() {
            task.program = program;
        }
    }

    fn executed(&mut self, pid: i32) {
        // A thread that is not the first takes over the first one's id, which has ended unseen.
        if let Ok(former) = ptrace::message(pid)
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
    }

    fn has_other_root(&mut self, pid: i32) -> bool {
        self.resolver.root(pid).is_ok_and(|root| !Rc::ptr_eq(&root, &self.own_root))
    }

    fn ended(&mut self, pid: i32, exit: Exit) {
        self.resolver.recent.seen(pid);
        self.resolver.forget(pid);
        if let Some(task) = self.tasks.remove(&pid)
            && let Some(pending) = task.pending
        {
            self.send(pending.events, Outcome::NotLearned);
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

    /// At a call that the filter stops.
    fn called(&mut self, pid: i32) -> Result<(), Gone> {
        let stopped = ptrace::stopped_call(pid)?;
        self.count_stop();
        let recorded = self.tasks[&pid].recorded;
        let Some(call) = Numbers::find(&self.numbers, stopped.architecture, stopped.number) else {
            // A table that is not traced; or a filter of the program's own that asks for a tracer
            // of its own: without one, the kernel answers ENOSYS.
            self.report.foreign_calls_refused += u64::from(is_foreign(&stopped));
            return refuse(pid);
        };
        if stopped.mark != u32::from(MARK) {
            return refuse(pid);
        }
        match call.what {
            What::IoUring => {
                self.report.io_uring_refused += u64::from(recorded);
                return refuse(pid);
            }
            What::Ptrace => {
                self.report.ptrace_asked += u64::from(recorded);
                return ptrace::resume(pid, 0);
            }
            _ => {}
        }
        let changes_names = matches!(call.what, What::Rename { .. } | What::Remove { .. } | What::UnlinkAt);
        let disturbs = matches!(call.what, What::Root | What::Mount { .. } | What::PivotRoot | What::MoveMount);
        if disturbs {
            self.disturbed();
        } else if !recorded {
            if changes_names {
                self.resolver.recent.changes(pid);
            }
            return ptrace::resume(pid, 0);
        }
        let at = self.begun.map(|(_, begun)| begun.elapsed()).unwrap_or_default();
        let mut pending = Pending { events: Vec::new(), returned: None, unresolved: false, disturbs, at };
        if recorded {
            self.look(pid, call, &stopped, &mut pending)?;
        }
        if changes_names || disturbs {
            self.resolver.recent.changes(pid);
        }
        if pending.disturbs || pending.unresolved || pending.returned.is_some() || self.wants_end(&pending.events) {
            if let Some(task) = self.tasks.get_mut(&pid) {
                task.pending = Some(pending);
            }
            ptrace::resume_to_end(pid)
        } else {
            ptrace::resume(pid, 0)?;
            self.send(pending.events, Outcome::NotLearned);
            Ok(())
        }
    }

    /// Finds out what the call aims at.
    fn look(&mut self, pid: i32, call: &Call, stopped: &StoppedCall, pending: &mut Pending) -> Result<(), Gone> {
        let aims = match (Decoder { pid, call: stopped }).aims(call) {
            Ok(aims) => aims,
            Err(Unreadable::Gone) => return Err(Gone),
            Err(Unreadable::TooLong) => return Ok(()),
            Err(Unreadable::Fault) => {
                pending.unresolved = true;
                return Ok(());
            }
        };
        if aims.is_empty() {
            return Ok(());
        }
        let Ok(root) = self.root(pid) else {
            pending.unresolved = true;
            return Ok(());
        };
        let mut sites = Vec::with_capacity(aims.len());
        for mut aim in aims {
            if let Some(source) = &aim.source {
                let kind = self.site(pid, &root, source).ok().and_then(|site| site.found.kind);
                aim.check = Check::Link { lacks_source: kind.is_none() };
                aim.makes = kind.unwrap_or(FileKind::File);
            }
            if aim.target == Target::Returned {
                pending.returned = Some(aim);
                continue;
            }
            match self.site(pid, &root, &aim.target) {
                Ok(site) => sites.push((aim, site)),
                Err(NoSite::Nothing) => {}
                Err(NoSite::Unknown) => pending.unresolved = true,
            }
        }
        if let [(from, from_site), (to, to_site)] = &mut sites[..]
            && let Check::Rename { keeps_target, .. } = from.check
        {
            let across = from_site.mount != to_site.mount;
            let lacks_source = from_site.found.kind.is_none();
            let blocked = keeps_target && to_site.found.kind.is_some();
            from.check = Check::Rename { across, lacks_source: lacks_source || blocked, keeps_target: false };
            to.check = Check::Rename { across, lacks_source, keeps_target };
            to.makes = from_site.found.kind.unwrap_or(FileKind::Unknown);
            // Without either folder the kernel never comes to the mounts.
            let parents = from_site.found.parent && to_site.found.parent;
            let named = from_site.found.named && to_site.found.named;
            for site in [from_site, to_site] {
                site.found.parent = parents;
                site.found.named = named;
            }
        }
        for (aim, site) in sites {
            let looked = self.event(pid, pending.at, &root, &aim, site);
            pending.events.push(looked);
        }
        Ok(())
    }

    fn site(&mut self, pid: i32, root: &Root, target: &Target) -> Result<Site, NoSite> {
        let view = View { thread: pid, root };
        match target {
            Target::Path { base, path, last } => self.resolver.path(view, *base, path, *last),
            Target::PathIn { base, path, last } => self.resolver.path_in(view, *base, path, *last),
            Target::Open(base) => self.resolver.descriptor(view, *base),
            Target::Returned => Err(NoSite::Unknown),
        }
    }

    fn event(&mut self, pid: i32, at: Duration, root: &Root, aim: &Aim, site: Site) -> Looked {
        let likeness = self.likeness(pid, aim, &site);
        let Site { mut path, found, mut bytes, mount, .. } = site;
        let mut kind = found.kind.unwrap_or(aim.makes);
        let mut existed = found.kind.is_some();
        let refused_if_read_only = aim.check.refused(found);
        let fails_anyway = aim.check.fails_anyway(found);
        if let Some(after) = aim.bytes {
            bytes = bytes.max(after);
        }
        if let Check::Open(flags) = aim.check
            && flags.temporary
            && found.kind == Some(FileKind::Directory)
        {
            path.extend_from_slice(if path == b"/" { b"#tmpfile" } else { b"/#tmpfile" });
            kind = FileKind::File;
            existed = false;
            bytes = 0;
        }
        let program = self.program(pid, root);
        let key = self.hasher.hash_one((&path, aim.operation));
        let event = Event {
            at,
            pid,
            program,
            operation: aim.operation,
            path,
            kind,
            mount,
            existed,
            bytes,
            outcome: Outcome::NotLearned,
            refused_if_read_only,
            would_break: refused_if_read_only && !fails_anyway,
        };
        Looked { event, key, likeness }
    }

    /// The task's root, looked up again when roots may have changed.
    fn root(&mut self, pid: i32) -> std::io::Result<Rc<Root>> {
        if let Some(Task { root: Some((epoch, root)), .. }) = self.tasks.get(&pid)
            && *epoch == self.roots
        {
            return Ok(root.clone());
        }
        let root = self.resolver.root(pid)?;
        if let Some(task) = self.tasks.get_mut(&pid) {
            task.root = Some((self.roots, root.clone()));
        }
        Ok(root)
    }

    fn program(&mut self, pid: i32, root: &Root) -> Arc<str> {
        if let Some(Task { program: Some(program), .. }) = self.tasks.get(&pid) {
            return program.clone();
        }
        let program = self.resolver.program(View { thread: pid, root }).unwrap_or_else(|| "".into());
        if let Some(task) = self.tasks.get_mut(&pid) {
            task.program = Some(program.clone());
        }
        program
    }

    fn disturbed(&mut self) {
        self.roots += 1;
        self.resolver.mounts_changed();
    }

    /// What the outcome of a call hangs on beside the name: where one success was seen, the same
    /// program will have another with the next file of the folder that is like this one. Only for
    /// operations that look at permissions and at nothing in the file.
    fn likeness(&self, pid: i32, aim: &Aim, site: &Site) -> Option<u64> {
        match aim.check {
            Check::Open(_) | Check::Unlink | Check::Truncate | Check::TruncateDescriptor => {}
            Check::Make if aim.operation != Operation::BindSocket => {}
            Check::Change if !matches!(aim.operation, Operation::SetXattr | Operation::RemoveXattr) => {}
            _ => return None,
        }
        if !site.found.parent || !site.found.named {
            return None;
        }
        let cut = site.path.iter().rposition(|&byte| byte == b'/')?;
        let programs = self.tasks.get(&pid)?.programs;
        let there = (site.found.slash, site.permission, aim.makes as u8, &site.mount.point);
        Some(self.hasher.hash_one((pid, programs, aim.operation, aim.check, &site.path[..cut], there)))
    }

    fn wants_end(&self, events: &[Looked]) -> bool {
        match self.config.outcomes {
            Outcomes::Always => !events.is_empty(),
            Outcomes::WhereNeeded => events.iter().any(|looked| {
                let like_another = looked.likeness.is_some_and(|likeness| self.succeeded.contains(&likeness));
                // What succeeded before need not do so since the mount was made read-only.
                looked.event.mount.read_only || !like_another && !self.succeeded.contains(&looked.key)
            }),
        }
    }

    /// At the end of a call that was waited for.
    fn call_ended(&mut self, pid: i32) -> Result<(), Gone> {
        let Some(pending) = self.tasks.get_mut(&pid).and_then(|task| task.pending.take()) else {
            return ptrace::resume(pid, 0);
        };
        let returned = ptrace::returned(pid);
        if pending.disturbs {
            self.disturbed();
        }
        let outcome = match returned {
            Err(Gone) => Outcome::NotLearned,
            Ok(value) => outcome(value),
        };
        let succeeded = outcome == Outcome::Success;
        self.report.unresolved += u64::from(pending.unresolved && succeeded);
        let mut events = pending.events;
        if let (Some(aim), Ok(value)) = (&pending.returned, returned)
            && succeeded
        {
            let root = self.root(pid).ok();
            let site =
                root.as_ref().and_then(|root| self.site(pid, root, &Target::Open(Base::Descriptor(value as i32))).ok());
            match (root, site) {
                (Some(root), Some(site)) => events.push(self.event(pid, pending.at, &root, aim, site)),
                _ => self.report.unresolved += 1,
            }
        }
        let resumed = ptrace::resume(pid, 0);
        if succeeded && self.config.outcomes == Outcomes::WhereNeeded {
            if self.succeeded.len() >= MOST_SUCCEEDED {
                self.succeeded.clear();
            }
            for looked in &events {
                self.succeeded.extend([looked.key].into_iter().chain(looked.likeness));
            }
        }
        self.send(events, outcome);
        resumed
    }

    fn send(&mut self, events: Vec<Looked>, outcome: Outcome) {
        for Looked { mut event, .. } in events {
            event.outcome = outcome;
            match outcome {
                Outcome::Success => event.would_break = event.refused_if_read_only,
                Outcome::Errno(_) => event.would_break = false,
                Outcome::NotLearned => {}
            }
            self.records.send(Record::Event(event));
        }
    }

    fn count_stop(&mut self) {
        self.report.stops += 1;
        let second = self.started.elapsed().as_secs();
        if self.second.0 != second {
            self.report.peak_stops_per_second = self.report.peak_stops_per_second.max(self.second.1);
            self.second = (second, 0);
        }
        self.second.1 += 1;
    }
}

fn gone() -> std::io::Error {
    std::io::Error::other("it ended before its program ran")
}

fn is_foreign(stopped: &StoppedCall) -> bool {
    let known = crate::calls::ARCHITECTURES.contains(&stopped.architecture);
    let x32 = stopped.architecture == ARCH_X86_64 && stopped.number as u32 & X32_BIT != 0;
    // -1 is the number of no call at all.
    !known || x32 && stopped.number as u32 != u32::MAX
}

/// Makes the call answer ENOSYS instead.
fn refuse(pid: i32) -> Result<(), Gone> {
    ptrace::refuse(pid)?;
    ptrace::resume(pid, 0)
}

fn outcome(returned: i64) -> Outcome {
    /// `-ERESTARTSYS` to `-ERESTART_RESTARTBLOCK`: interrupted by a signal, and made again or
    /// answered EINTR.
    const RESTARTS: std::ops::RangeInclusive<i64> = 512..=516;
    match returned {
        0.. => Outcome::Success,
        error if RESTARTS.contains(&-error) => Outcome::Errno(libc::EINTR),
        error => Outcome::Errno(i32::try_from(-error).unwrap_or(libc::EIO)),
    }
}
