//! Waivers: somebody's word that a failure is accepted, until a day and for a reason. They stand in
//! comments beside the thing, or come as patterns from elsewhere. Pure: today is given.

mod comment;
mod lines;

use std::collections::{HashMap, HashSet};

use globset::GlobMatcher;
use jiff::civil::Date;
use tojimari_model::finding::{self, Evaluation, Status, WaiverSource};
use tojimari_text::{FileId, Problem, Source, Sources, Span};

pub use comment::comments;
use lines::Lines;

#[derive(Clone, Debug)]
pub struct Waiver {
    /// The ids of the controls.
    pub controls: Vec<String>,
    pub scope: Scope,
    pub reason: Option<String>,
    /// The last day on which it holds; without one it holds until it is taken away.
    pub until: Option<Date>,
    /// Where it stands.
    pub span: Span,
}

/// What a waiver covers.
#[derive(Clone, Debug)]
pub enum Scope {
    /// What stands in that line, is begun by it, or encloses it.
    Line {
        file: FileId,
        line: u32,
    },
    Patterns(Box<Patterns>),
}

/// What every pattern that is there matches.
#[derive(Clone, Debug)]
pub struct Patterns {
    /// Matched against the name of the file, relative to the folder of the configuration.
    pub path: Option<GlobMatcher>,
    /// Matched against the address and the name of the resource.
    pub resource: Option<GlobMatcher>,
    pub container: Option<GlobMatcher>,
}

/// What is needed to say whether a waiver is of use.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub sources: &'a Sources,
    pub today: Date,
    /// Whether that control was evaluated at all.
    pub evaluated: &'a dyn Fn(&str) -> bool,
    /// The name of a file relative to the folder of the configuration; `None` outside of it.
    pub relative: &'a dyn Fn(&str) -> Option<String>,
    /// Everything in the folder of the configuration was looked at, so a pattern that matches
    /// nothing is of no use.
    pub complete: bool,
}

/// Turns failures that a waiver covers into waived ones. What comes back is told to the user: waivers
/// that do not hold, and those that match nothing.
pub fn apply(evaluations: &mut [Evaluation], waivers: &[Waiver], run: Run<'_>) -> Vec<Problem> {
    let mut lines = LinesOf { sources: run.sources, known: HashMap::new() };
    let mut containers: Containers = HashMap::new();
    for evaluation in evaluations.iter().filter(|evaluation| evaluation.subject != evaluation.whole) {
        containers.entry(evaluation.whole).or_default().insert(evaluation.subject);
    }
    let mut warnings = Vec::new();
    for waiver in waivers {
        let mut matched = false;
        for evaluation in evaluations.iter_mut() {
            let waivable = matches!(evaluation.status, Status::Fail | Status::Waived);
            if waivable
                && waiver.is_for(&evaluation.control)
                && covers(&waiver.scope, evaluation, run, &containers, &mut lines)
            {
                matched = true;
                if evaluation.status == Status::Fail && waiver.holds(run.today) {
                    waive(evaluation, waiver);
                }
            }
        }
        warnings.extend(waiver.warning(matched, run).map(|message| Problem { span: waiver.span, message }));
    }
    warnings
}

impl Waiver {
    fn is_for(&self, control: &str) -> bool {
        self.controls.iter().any(|id| id.eq_ignore_ascii_case(control))
    }

    fn holds(&self, today: Date) -> bool {
        self.reason.is_some() && self.until.is_none_or(|until| today <= until)
    }

    fn warning(&self, matched: bool, run: Run<'_>) -> Option<String> {
        let controls = self.controls.join(", ");
        if self.reason.is_none() {
            return Some(format!("the waiver of {controls} gives no reason, so it does not hold"));
        }
        if let Some(until) = self.until.filter(|until| run.today > *until) {
            return Some(format!("the waiver of {controls} ended on {until}"));
        }
        let looked_at = self.controls.iter().any(|control| (run.evaluated)(control))
            && (run.complete || matches!(self.scope, Scope::Line { .. }));
        (!matched && looked_at).then(|| format!("the waiver of {controls} matches no failure"))
    }
}

fn waive(evaluation: &mut Evaluation, waiver: &Waiver) {
    let reason = waiver.reason.clone().unwrap_or_default();
    let until = waiver.until.map(|until| until.to_string());
    evaluation.status = Status::Waived;
    let source = match waiver.scope {
        Scope::Line { .. } => WaiverSource::Comment,
        Scope::Patterns(_) => WaiverSource::Configuration,
    };
    evaluation.waiver = Some(finding::Waiver { reason, until, source });
}

/// The containers of each resource.
type Containers = HashMap<Span, HashSet<Span>>;

fn covers(
    scope: &Scope,
    evaluation: &Evaluation,
    run: Run<'_>,
    containers: &Containers,
    lines: &mut LinesOf<'_>,
) -> bool {
    match scope {
        Scope::Line { file, line } => {
            let in_file = |span: Span| span.file == *file;
            // Where the value stands, which may be far from the resource.
            if in_file(evaluation.span) && lines.of(*file).first(evaluation.span) == *line {
                return true;
            }
            if in_file(evaluation.subject) {
                let lines = lines.of(*file);
                if lines.all(evaluation.subject).contains(line) {
                    return true;
                }
            }
            if !in_file(evaluation.whole) {
                return false;
            }
            // In a resource and in no container of it, it is about the resource with its containers.
            let lines = lines.of(*file);
            let in_container = |container: &Span| in_file(*container) && lines.all(*container).contains(line);
            let in_none = || !containers.get(&evaluation.whole).is_some_and(|all| all.iter().any(in_container));
            lines.first(evaluation.whole) == *line || (lines.all(evaluation.whole).contains(line) && in_none())
        }
        Scope::Patterns(patterns) => {
            let Patterns { path, resource, container } = &**patterns;
            let path = path.as_ref().is_none_or(|path| {
                let name = &run.sources.get(evaluation.subject.file).name;
                (run.relative)(name).is_some_and(|name| path.is_match(name))
            });
            let of = &evaluation.resource;
            path && resource.as_ref().is_none_or(|glob| glob.is_match(&*of.address) || glob.is_match(&*of.name))
                && container
                    .as_ref()
                    .is_none_or(|glob| evaluation.container.as_ref().is_some_and(|c| glob.is_match(&**c)))
        }
    }
}

struct LinesOf<'a> {
    sources: &'a Sources,
    known: HashMap<FileId, std::sync::Arc<Source>>,
}

impl LinesOf<'_> {
    fn of(&mut self, file: FileId) -> Lines<'_> {
        Lines(self.known.entry(file).or_insert_with(|| self.sources.get(file)))
    }
}
