//! At a call that the filter stops: what it aims at, whether its end is waited for, and the events
//! that are told of it.

use std::hash::BuildHasher;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tojimari_evidence::profile::{FileKind, Operation};

use super::{Engine, Looked, MOST_SUCCEEDED, Pending, Task};
use crate::calls::{ARCH_X86_64, ARCHITECTURES, Call, Numbers, What, X32_BIT};
use crate::config::Outcomes;
use crate::decode::{Aim, Decoder, Target};
use crate::event::{Event, Outcome, Record};
use crate::filter::MARK;
use crate::judge::Check;
use crate::ptrace::{Gone, Stopped, StoppedCall, Unreadable};
use crate::resolve::{Base, NoSite, Root, Site, View};

impl Engine {
    /// At a call that the filter stops.
    pub(super) fn called(&mut self, stopped: Stopped) -> Result<(), Gone> {
        let pid = stopped.pid();
        let made = stopped.call()?;
        self.count_stop();
        let recorded = self.tasks[&pid].recorded;
        let Some(call) = Numbers::find(&self.numbers, made.architecture, made.number) else {
            // A table that is not traced; or a filter of the program's own that asks for a tracer
            // of its own: without one, the kernel answers ENOSYS.
            self.report.foreign_calls_refused += u64::from(is_foreign(&made));
            return stopped.refuse();
        };
        if made.mark != u32::from(MARK) {
            return stopped.refuse();
        }
        match call.what {
            What::IoUring => {
                self.report.io_uring_refused += u64::from(recorded);
                return stopped.refuse();
            }
            What::Ptrace => {
                self.report.ptrace_asked += u64::from(recorded);
                return stopped.resume(0);
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
            return stopped.resume(0);
        }
        let at = self.begun.map(|(_, begun)| begun.elapsed()).unwrap_or_default();
        let mut pending = Pending { events: Vec::new(), returned: None, unresolved: false, disturbs, at };
        if recorded {
            self.look(&stopped, call, &made, &mut pending)?;
        }
        if changes_names || disturbs {
            self.resolver.recent.changes(pid);
        }
        if pending.disturbs || pending.unresolved || pending.returned.is_some() || self.wants_end(&pending.events) {
            if let Some(task) = self.tasks.get_mut(&pid) {
                task.pending = Some(pending);
            }
            stopped.resume_to_end()
        } else {
            stopped.resume(0)?;
            self.send(pending.events, Outcome::NotLearned);
            Ok(())
        }
    }

    /// Finds out what the call aims at.
    fn look(&mut self, stopped: &Stopped, call: &Call, made: &StoppedCall, pending: &mut Pending) -> Result<(), Gone> {
        let pid = stopped.pid();
        let aims = match (Decoder { pid, call: made }).aims(call) {
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
    pub(super) fn root(&mut self, pid: i32) -> io::Result<Rc<Root>> {
        if let Some(Task { root: Some((epoch, root)), .. }) = self.tasks.get(&pid)
            && *epoch == self.roots
        {
            return Ok(root.clone());
        }
        let root = self.resolver.root(pid)?;
        let kept = Rc::strong_count(&root) > 1;
        if let Some(task) = self.tasks.get_mut(&pid).filter(|_| kept) {
            task.root = Some((self.roots, root.clone()));
        }
        Ok(root)
    }

    pub(super) fn program(&mut self, pid: i32, root: &Root) -> Arc<str> {
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
    pub(super) fn call_ended(&mut self, stopped: Stopped) -> Result<(), Gone> {
        let pid = stopped.pid();
        let Some(pending) = self.tasks.get_mut(&pid).and_then(|task| task.pending.take()) else {
            return stopped.resume(0);
        };
        let returned = stopped.returned();
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
        let resumed = stopped.resume(0);
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

    pub(super) fn send(&mut self, events: Vec<Looked>, outcome: Outcome) {
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

fn is_foreign(stopped: &StoppedCall) -> bool {
    let known = ARCHITECTURES.contains(&stopped.architecture);
    let x32 = stopped.architecture == ARCH_X86_64 && stopped.number as u32 & X32_BIT != 0;
    // -1 is the number of no call at all.
    !known || x32 && stopped.number as u32 != u32::MAX
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
