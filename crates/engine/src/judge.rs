//! Files read as units and judged by controls, in parallel: what `check` and `fix` share.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use tojimari_controls::{Control, Custom, Settings};
use tojimari_model::declared::Stack;
use tojimari_model::finding::{Evaluation, Severity};
use tojimari_read::{self as read, Files, Read, Unit};
use tojimari_text::{FileId, Problem, Sources, Span};

use crate::config::Config;
use crate::{Error, Result};

/// What is asked of every resource.
#[derive(Clone, Default)]
pub struct Rules {
    pub controls: Vec<&'static Control>,
    pub custom: Vec<Arc<Custom>>,
    pub settings: Settings,
    severities: Vec<(String, Severity)>,
}

/// Sorted by file and place.
#[derive(Default)]
pub struct Judged {
    pub evaluations: Vec<Evaluation>,
    pub problems: Vec<Problem>,
    /// What is not as it should be and was read all the same.
    pub warnings: Vec<Problem>,
    /// Where secrets stand: no output shows them.
    pub secrets: Vec<Span>,
    /// Where resources are written down of which there is none.
    pub idle: Vec<Span>,
    /// Files that declare something of ours, alone or with others, or that cannot be read.
    pub fruitful: HashSet<FileId>,
}

impl Rules {
    /// The controls and rules of those names; without names all that are in use.
    pub fn named(names: &[String], config: &Config) -> Result<Rules> {
        let mut rules =
            Rules { settings: config.settings.clone(), severities: config.severities.clone(), ..Rules::default() };
        let custom = config.rules.clone();
        if names.is_empty() {
            rules.controls = tojimari_controls::all().filter(|control| control.retired.is_none()).collect();
            rules.custom = custom;
            return Ok(rules);
        }
        let mut own = Vec::new();
        for name in names {
            if custom.iter().any(|rule| rule.id.eq_ignore_ascii_case(name)) {
                own.push(name);
                continue;
            }
            let control = tojimari_controls::find(name)
                .ok_or_else(|| Error::Input(format!("--control {name}: there is no such control")))?;
            if !rules.controls.iter().any(|other| other.id == control.id) {
                rules.controls.push(control);
            }
        }
        let is_named = |rule: &Arc<Custom>| own.iter().any(|name| rule.id.eq_ignore_ascii_case(name));
        rules.custom = custom.into_iter().filter(is_named).collect();
        Ok(rules)
    }

    /// Whether that control or rule is asked at all.
    pub fn has(&self, id: &str) -> bool {
        self.controls.iter().any(|control| control.id.eq_ignore_ascii_case(id))
            || self.custom.iter().any(|rule| rule.id.eq_ignore_ascii_case(id))
    }

    /// The same, and this control as well.
    pub fn and(&self, control: &'static Control) -> Rules {
        let mut rules = self.clone();
        if !rules.has(control.id) {
            rules.controls.push(control);
        }
        rules
    }

    /// The severity that the house gives a control, where it gives one.
    pub fn severity(&self, id: &str) -> Option<Severity> {
        self.severities.iter().find(|(other, _)| other.eq_ignore_ascii_case(id)).map(|(_, severity)| *severity)
    }

    fn evaluate(&self, stack: &Stack) -> (Vec<Evaluation>, Vec<Problem>) {
        let mut evaluations = tojimari_controls::evaluate(stack, &self.controls, &self.settings);
        let (more, problems) = tojimari_controls::evaluate_custom(stack, &self.custom);
        evaluations.extend(more);
        for evaluation in &mut evaluations {
            evaluation.severity = self.severity(&evaluation.control).unwrap_or(evaluation.severity);
        }
        (evaluations, problems)
    }
}

/// Reads and judges. Stacks are dropped as soon as they are judged. `problems` were met before.
pub fn judge(
    sources: &Sources,
    files: &[FileId],
    loader: &dyn Files,
    rules: &Rules,
    mut problems: Vec<Problem>,
) -> Judged {
    let units = read_units(sources, files, loader, |unit, read| {
        let mut fruitful: Vec<FileId> = resources(&read).collect();
        if !fruitful.is_empty() || !read.problems.is_empty() || !read.idle.is_empty() {
            fruitful.extend(unit.files.iter().chain(&read.claimed));
        }
        let mut evaluations = Vec::new();
        let mut problems = read.problems;
        for stack in &read.stacks {
            let (said, wrong) = rules.evaluate(stack);
            evaluations.extend(said);
            problems.extend(wrong);
        }
        let secrets: Vec<Span> = read.stacks.iter().flat_map(tojimari_controls::secret_spans).collect();
        (evaluations, problems, secrets, read.idle, fruitful, read.warnings)
    });
    let mut evaluations = Vec::with_capacity(units.iter().map(|(of_unit, ..)| of_unit.len()).sum());
    let (mut secrets, mut idle, mut fruitful, mut warnings) = (Vec::new(), Vec::new(), HashSet::new(), Vec::new());
    for (of_unit, met, hidden, without, from, warned) in units {
        fruitful.extend(from);
        evaluations.extend(of_unit);
        problems.extend(met);
        secrets.extend(hidden);
        idle.extend(without);
        warnings.extend(warned);
    }
    sort(&mut evaluations, sources);
    // A file that two projects or services share is read for each.
    drop_repeated(&mut evaluations);
    problems.sort_by_cached_key(|p| (sources.get(p.span.file).name.clone(), p.span.start, p.message.clone()));
    problems.dedup();
    secrets.sort();
    secrets.dedup();
    idle.sort();
    idle.dedup();
    // Another unit may call the same folder, and have one.
    let whole: HashSet<Span> = evaluations.iter().map(|evaluation| evaluation.whole).collect();
    idle.retain(|span| !whole.contains(span));
    Judged { evaluations, problems, secrets, idle, fruitful, warnings }
}

/// Files that resources lie in.
fn resources(read: &Read) -> impl Iterator<Item = FileId> {
    read.stacks.iter().flat_map(|stack| &stack.resources).map(|resource| resource.span.file)
}

/// By file and place, and then by what they are about. Files that were loaded on the way have no
/// order of their own.
fn sort(evaluations: &mut [Evaluation], sources: &Sources) {
    let files: HashSet<FileId> = evaluations.iter().map(|evaluation| evaluation.span.file).collect();
    let mut files: Vec<(String, FileId)> =
        files.into_iter().map(|file| (sources.get(file).name.clone(), file)).collect();
    files.sort();
    let mut order = vec![0; files.iter().map(|(_, file)| file.0 as usize + 1).max().unwrap_or_default()];
    for (at, (_, file)) in files.iter().enumerate() {
        order[file.0 as usize] = at;
    }
    evaluations.par_sort_by(|a, b| {
        let place = |e: &Evaluation| (order[e.span.file.0 as usize], e.span.start);
        place(a).cmp(&place(b)).then_with(|| subject(a).cmp(&subject(b)))
    });
}

/// The resource and the container.
fn subject(evaluation: &Evaluation) -> (&str, Option<&str>) {
    (&evaluation.resource.address, evaluation.container.as_deref())
}

/// Drops what was said before, of what is sorted by place and subject.
fn drop_repeated(evaluations: &mut Vec<Evaluation>) {
    let mut repeated = Vec::new();
    let mut seen = HashSet::new();
    let mut last: Option<&Evaluation> = None;
    for evaluation in &*evaluations {
        let e = evaluation;
        if last.is_none_or(|last| {
            (last.span.file, last.span.start) != (e.span.file, e.span.start) || subject(last) != subject(e)
        }) {
            seen.clear();
        }
        last = Some(evaluation);
        let is_first = seen.insert((&e.control, e.status, &e.resource, &e.container, e.span, e.whole, &e.statements));
        repeated.push(!is_first);
    }
    let mut repeated = repeated.into_iter();
    evaluations.retain(|_| !repeated.next().unwrap_or_default());
}

/// The stacks of all units, and what could not be read.
pub fn stacks(sources: &Sources, files: &[FileId], loader: &dyn Files) -> (Vec<Stack>, Vec<Problem>) {
    let (stacks, problems): (Vec<_>, Vec<_>) =
        read_units(sources, files, loader, |_, read| (read.stacks, read.problems)).into_iter().unzip();
    (stacks.into_iter().flatten().collect(), problems.into_iter().flatten().collect())
}

/// What `of` makes of each unit, in their order. What is a part of another unit was read there.
fn read_units<T: Send>(
    sources: &Sources,
    files: &[FileId],
    loader: &dyn Files,
    of: impl Fn(&Unit, Read) -> T + Sync,
) -> Vec<T> {
    let formats = files.par_iter().filter_map(|file| Some((*file, read::format_of(sources, *file)?)));
    let units = read::units_of(sources, &formats.collect::<Vec<_>>());
    let (made, claimed): (Vec<T>, Vec<Vec<FileId>>) = units
        .par_iter()
        .map(|unit| {
            let read = read::read(unit, sources, loader);
            let claimed = read.claimed.clone();
            (of(unit, read), claimed)
        })
        .unzip();
    let parts = read::are_parts(&units, &claimed);
    made.into_iter().zip(parts).filter(|(_, is_part)| !is_part).map(|(made, _)| made).collect()
}

impl Judged {
    /// Bytes of a file that no output may show.
    pub fn secrets_in(&self, file: FileId) -> Vec<Range<usize>> {
        self.secrets.iter().filter(|span| span.file == file).map(|span| span.range()).collect()
    }
}
