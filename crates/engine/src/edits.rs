//! Changes of the user's files, made in memory and looked at before anything is written: what a
//! remedy was written for has to pass afterwards, or its change is taken back.

mod line;
mod undo;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use tojimari_model::declared::{Declared, Stack};
use tojimari_model::finding::{Evaluation, Remedy, Status};
use tojimari_plan::Plan;
use tojimari_plan::patch::{self, Change, Located, Patched, Session};
use tojimari_text::{FileId, Problem, Sources, Span};

pub use self::line::Line;
use self::line::shown;
use self::undo::{Undo, watching};
use crate::accept::accept;
use crate::config::Config;
use crate::input::Linked;
use crate::judge::{self, Judged, Rules, judge};
use crate::tag::{Tag, with};
use crate::{Error, Result};

/// Remedies of one resource can hide others: a control tells of its first failure.
const ROUNDS: usize = 32;

/// More of them for files that get one change a round.
const ROUNDS_ALONE: usize = 512;

/// A remedy that is to be written.
struct Wanted {
    evaluation: Evaluation,
    /// That of the evaluation, with the values that the user gave.
    remedy: Remedy,
    shown: String,
}

impl Wanted {
    fn change(&self) -> Change<'_> {
        let Evaluation { subject, span, .. } = self.evaluation;
        Change::Remedy { subject, at: span, remedy: &self.remedy }
    }

    fn key(&self) -> String {
        key(&self.evaluation, self.evaluation.remedy.as_ref().unwrap_or(&self.remedy))
    }
}

/// Tells remedies apart whatever else moved in the file.
fn key(evaluation: &Evaluation, remedy: &Remedy) -> String {
    let Evaluation { control, resource, container, subject, .. } = evaluation;
    format!("{control} {} {} {container:?} {remedy:?} {}", subject.file.0, resource.address, evaluation.sentence())
}

/// Remedies that were written together, and the way back.
struct Written {
    /// The texts of the files before; `None` for that on the disk.
    before: BTreeMap<FileId, Option<String>>,
    wanted: Vec<Wanted>,
    notes: Vec<String>,
}

/// The files as they were read, and what is asked of them.
pub struct Asked<'a> {
    pub sources: &'a Sources,
    pub loader: &'a dyn Linked,
    pub files: &'a [FileId],
    pub config: &'a Config,
    pub rules: &'a Rules,
    /// Everything below the configuration was looked at.
    pub complete: bool,
}

/// What the files become.
pub struct Edits<'a> {
    asked: Asked<'a>,
    /// What changes are looked at by: what is asked, and whether ECS would take what was written.
    watched: Rules,
    /// Texts that differ from those that were read.
    texts: HashMap<FileId, String>,
    lines: Vec<Line>,
}

impl<'a> Edits<'a> {
    pub fn new(asked: Asked<'a>) -> Self {
        let watched = watching(asked.rules);
        Edits { asked, watched, texts: HashMap::new(), lines: Vec::new() }
    }

    pub fn finish(self) -> (HashMap<FileId, String>, Vec<Line>) {
        (self.texts, self.lines)
    }

    /// What is said of the files as they are by now; `problems` were met before. What people accept is
    /// not for us to change.
    pub fn judged(&self, problems: Vec<Problem>) -> (Sources, Judged) {
        let Asked { sources, loader, files, config, complete, .. } = self.asked;
        let sources = sources.with(&self.texts);
        let mut judged = judge(&sources, files, &*loader.over(&sources), &self.watched, problems);
        accept(&mut judged, &sources, config, &self.watched, complete, None);
        (sources, judged)
    }

    /// Writes a plan into each task definition that has all of its containers, and what it wants of
    /// an image into the Dockerfile.
    pub fn plan(&mut self, plan: &Plan, path: &Path) -> Result<()> {
        let (stacks, _) = judge::stacks(self.asked.sources, self.asked.files, self.asked.loader);
        let found = located(&stacks, plan);
        let of_image = of_image(plan);
        let builds: Vec<(String, Span)> = stacks
            .iter()
            .flat_map(|stack| &stack.resources)
            .filter(|resource| matches!(resource.declared, Declared::ImageBuild(_)))
            .map(|resource| (resource.address.to_string(), resource.span))
            .filter(|_| !of_image.containers.is_empty())
            .collect();
        if found.is_empty() && builds.is_empty() {
            let names: Vec<&str> = plan.containers.iter().map(|container| container.name.as_str()).collect();
            return Err(Error::Input(format!(
                "{}: the plan is for containers {}, and no task definition here has them",
                path.display(),
                names.join(", ")
            )));
        }
        let mut by_file: BTreeMap<FileId, Vec<(String, Change<'_>)>> = BTreeMap::new();
        for (address, located) in found {
            by_file.entry(located.task.file).or_default().push((address, Change::Plan { located, plan }));
        }
        for (address, span) in builds {
            let located = Located::at(span);
            by_file.entry(span.file).or_default().push((address, Change::Plan { located, plan: &of_image }));
        }
        for (file, changes) in by_file {
            let name = self.asked.sources.get(file).name.clone();
            let (addresses, changes): (Vec<String>, Vec<Change<'_>>) = changes.into_iter().unzip();
            match patch::patched(&self.asked.sources.with(&self.texts), file, &changes) {
                Ok(patched) => {
                    let notes = patched.notes.clone();
                    self.change(patched);
                    self.lines.push(Line::Fixed(format!("the plan for {} ({name})", addresses.join(", "))));
                    self.lines.extend(notes.into_iter().map(|note| Line::Note(format!("{name}: {note}"))));
                }
                Err(error) => self.lines.push(Line::Refused(format!("{name}: failed to write the plan: {error}"))),
            }
        }
        Ok(())
    }

    /// Writes the remedies of failures, round after round, until none is left that was not tried.
    pub fn remedies(&mut self, before: &Judged, unproven: bool, tags: &[Tag]) {
        let mut tried: HashSet<String> = HashSet::new();
        let mut last: Vec<Written> = Vec::new();
        let mut undo = Undo::new(self.asked.sources, before);
        let (mut rounds, mut more) = (ROUNDS, ROUNDS_ALONE);
        while rounds > 0 {
            rounds -= 1;
            let (sources, judged) = self.judged(Vec::new());
            if self.take_back(std::mem::take(&mut last), &judged, &mut undo, &mut tried) {
                continue;
            }
            let mut by_file: BTreeMap<FileId, Vec<Wanted>> = BTreeMap::new();
            for evaluation in judged.evaluations.into_iter().filter(|e| self.is_asked(e)) {
                let Some(remedy) = evaluation.remedy.clone() else { continue };
                let writes = !matches!(remedy, Remedy::Advice(_)) && (unproven || remedy.is_safe());
                if writes && !tried.contains(&key(&evaluation, &remedy)) {
                    let wanted = Wanted { shown: shown(&sources, &evaluation), evaluation, remedy: with(remedy, tags) };
                    by_file.entry(wanted.evaluation.subject.file).or_default().push(wanted);
                }
            }
            if by_file.is_empty() {
                break;
            }
            // Places are those of the texts that were judged: a file changes once a round.
            let session = Session::new(&sources);
            let mut changed: HashSet<FileId> = HashSet::new();
            for (file, mut wanted) in by_file {
                if undo.alone.contains(&file) {
                    wanted.truncate(1);
                    rounds += usize::from(more > 0);
                    more = more.saturating_sub(1);
                }
                last.extend(self.remedy(&session, file, wanted, &mut tried, &mut changed));
            }
        }
        self.settle(last);
        self.left(before, unproven);
    }

    /// A failure of what the user asked for.
    fn is_asked(&self, evaluation: &Evaluation) -> bool {
        evaluation.status == Status::Fail && self.asked.rules.has(&evaluation.control)
    }

    /// All remedies of a file at once. What cannot be written is said, and keeps nothing else out.
    fn remedy(
        &mut self,
        session: &Session<'_>,
        file: FileId,
        mut wanted: Vec<Wanted>,
        tried: &mut HashSet<String>,
        changed: &mut HashSet<FileId>,
    ) -> Option<Written> {
        let write = |wanted: &[Wanted]| session.patched(file, &wanted.iter().map(Wanted::change).collect::<Vec<_>>());
        let mut together = write(&wanted);
        if together.is_err() {
            wanted.retain(|one| {
                let Err(error) = session.edits(file, &[one.change()]) else { return true };
                tried.insert(one.key());
                self.lines.push(match error {
                    patch::Error::Remedy(_) | patch::Error::Format | patch::Error::ByHand(_) => {
                        Line::Left(format!("{}: {error}", one.shown))
                    }
                    error => Line::Refused(format!(
                        "{}: failed to write it: {error}; by hand: {}",
                        one.shown,
                        one.remedy.sentence()
                    )),
                });
                false
            });
            together = write(&wanted);
        }
        while together.is_err() && wanted.len() > 1 {
            // Each of them can be written, and not all of them: half of them now, the others in a later
            // round.
            wanted.truncate(wanted.len() / 2);
            together = write(&wanted);
        }
        let patched = together.ok().filter(|_| !wanted.is_empty())?;
        // Another change of this round made the places stale: the next round has new ones.
        if patched.texts.keys().any(|file| changed.contains(file)) {
            return None;
        }
        tried.extend(wanted.iter().map(Wanted::key));
        changed.extend(patched.texts.keys());
        let notes = patched.notes.clone();
        Some(Written { before: self.change(patched), wanted, notes })
    }

    /// Says what was written in the last round; what does not pass now, or is not read any more,
    /// goes back to what it was. Whether anything did.
    fn take_back(&mut self, last: Vec<Written>, judged: &Judged, undo: &mut Undo, tried: &mut HashSet<String>) -> bool {
        let of = |evaluation: &Evaluation| evaluation.remedy.as_ref().map(|remedy| key(evaluation, remedy));
        let failing: HashSet<String> =
            judged.evaluations.iter().filter(|e| e.status == Status::Fail).filter_map(of).collect();
        let sources = self.asked.sources.with(&self.texts);
        let broken: HashSet<FileId> = judged
            .problems
            .iter()
            .filter(|problem| undo.is_new(&sources, problem))
            .map(|problem| problem.span.file)
            .collect();
        // One task definition in a module may be run on several platforms, and not all take the same.
        let refused: HashMap<FileId, String> = judged
            .evaluations
            .iter()
            .filter_map(|e| undo.brings_refusal(e).then_some((e.span.file, e.sentence())))
            .collect();
        let mut back = false;
        for written in last {
            let is_broken = written.before.keys().any(|file| broken.contains(file));
            let refusal = written.before.keys().find_map(|file| refused.get(file));
            if refusal.is_some() && written.wanted.len() > 1 {
                undo.alone.extend(written.before.keys());
            }
            let failed = |wanted: &Wanted| {
                is_broken || refusal.is_some() && written.wanted.len() == 1 || failing.contains(&wanted.key())
            };
            if refusal.is_some() && !written.wanted.iter().any(failed) {
                back = true;
                tried.retain(|key| !written.wanted.iter().any(|wanted| wanted.key() == *key));
                self.restore(written.before);
                continue;
            }
            if !written.wanted.iter().any(failed) {
                self.settle(vec![written]);
                continue;
            }
            back = true;
            self.restore(written.before);
            for wanted in &written.wanted {
                // One that was written in company may do alone.
                if failed(wanted) || written.wanted.len() == 1 {
                    let why = match refusal {
                        Some(refusal) => format!("elsewhere ECS would refuse the same lines ({refusal})"),
                        None => "what decides it stands elsewhere".to_owned(),
                    };
                    self.lines.push(Line::Left(format!("{}: {why}, so the change was taken back", wanted.shown)));
                } else {
                    tried.remove(&wanted.key());
                }
            }
        }
        back
    }

    fn restore(&mut self, before: BTreeMap<FileId, Option<String>>) {
        for (file, text) in before {
            match text {
                Some(text) => self.texts.insert(file, text),
                None => self.texts.remove(&file),
            };
        }
    }

    fn settle(&mut self, written: Vec<Written>) {
        for Written { wanted, notes, before } in written {
            self.lines.extend(wanted.into_iter().map(|wanted| Line::Fixed(wanted.shown)));
            let name = before.keys().next().map(|file| self.asked.sources.get(*file).name.clone()).unwrap_or_default();
            self.lines.extend(notes.into_iter().map(|note| Line::Note(format!("{name}: {note}"))));
        }
    }

    /// Takes the new texts over. What comes back are those before.
    fn change(&mut self, patched: Patched) -> BTreeMap<FileId, Option<String>> {
        let mut before = BTreeMap::new();
        for (file, text) in patched.texts {
            before.insert(file, self.texts.insert(file, text));
        }
        before
    }

    /// What is for a person to do.
    fn left(&mut self, before: &Judged, unproven: bool) {
        let asked: Vec<&Evaluation> = before.evaluations.iter().filter(|e| self.is_asked(e)).collect();
        for evaluation in asked {
            let why = match &evaluation.remedy {
                None => "no fix is known".to_owned(),
                Some(Remedy::Advice(words)) => words.clone(),
                Some(remedy) if unproven || remedy.is_safe() => continue,
                Some(remedy) => format!(
                    "needs proof: {}; give the plan that was proven with --plan, or --unproven",
                    remedy.sentence()
                ),
            };
            self.lines.push(Line::Left(format!("{}: {why}", shown(self.asked.sources, evaluation))));
        }
    }

    /// Says what fails now that did not before.
    pub fn compare(&mut self, before: &Judged) {
        if self.texts.is_empty() {
            return;
        }
        let (_, after) = self.judged(Vec::new());
        let key = |e: &Evaluation| (e.control.clone(), e.resource.address.clone(), e.container.clone());
        let failed: HashSet<_> = before.evaluations.iter().filter(|e| e.status == Status::Fail).map(key).collect();
        for evaluation in after.evaluations.iter().filter(|e| e.status == Status::Fail && !failed.contains(&key(e))) {
            let subject = evaluation.container.as_deref().unwrap_or(&evaluation.resource.address);
            self.lines.push(Line::Note(format!(
                "with the change {} fails for {subject}: {}",
                evaluation.control,
                evaluation.sentence()
            )));
        }
    }
}

/// The part of a plan that wants something of an image.
fn of_image(plan: &Plan) -> Plan {
    let mut of_image = plan.clone();
    of_image.containers.retain(|container| container.writable.iter().any(|mount| mount.image_folder.is_some()));
    of_image
}

/// Task definitions that have all containers of the plan, each once, with their addresses.
fn located(stacks: &[Stack], plan: &Plan) -> Vec<(String, Located)> {
    let mut found: Vec<(String, Located)> = Vec::new();
    for resource in stacks.iter().flat_map(|stack| &stack.resources) {
        let Declared::TaskDefinition(task) = &resource.declared else { continue };
        let has_all = plan.containers.iter().all(|container| task.container(&container.name).is_some());
        if !has_all || plan.containers.is_empty() || found.iter().any(|(_, other)| other.task == task.span) {
            continue;
        }
        found.push((resource.address.to_string(), Located::of(task)));
    }
    found
}
