//! What tells that a change of the user's files has to go back.

use std::collections::HashSet;
use std::sync::Arc;

use tojimari_model::finding::{Evaluation, Status};
use tojimari_text::{FileId, Problem, Sources};

use crate::judge::{Judged, Rules};

/// What tells that a change has to go back.
pub struct Undo {
    /// What could not be read before.
    troubles: HashSet<String>,
    /// What ECS would refuse before.
    refused: HashSet<(Arc<str>, Option<Arc<str>>)>,
    /// Files of which a change is refused, and it is not known which: one a round.
    pub alone: HashSet<FileId>,
}

/// The control that tells what ECS would refuse. Whatever else is asked, it is looked at: no change
/// may make a task definition that cannot be registered.
const REFUSED: &str = "TJ.5";

/// The rules by which changes are looked at.
pub fn watching(rules: &Rules) -> Rules {
    tojimari_controls::find(REFUSED).map_or_else(|| rules.clone(), |control| rules.and(control))
}

impl Undo {
    pub fn new(sources: &Sources, before: &Judged) -> Self {
        let troubles = before.problems.iter().map(|problem| trouble(sources, problem)).collect();
        Undo { troubles, refused: refused(before), alone: HashSet::new() }
    }

    /// Whether that could be read before.
    pub fn is_new(&self, sources: &Sources, problem: &Problem) -> bool {
        !self.troubles.contains(&trouble(sources, problem))
    }

    /// Whether ECS would refuse what it took before.
    pub fn brings_refusal(&self, e: &Evaluation) -> bool {
        e.status == Status::Fail
            && &*e.control == REFUSED
            && !self.refused.contains(&(e.resource.address.clone(), e.container.clone()))
    }
}

fn refused(judged: &Judged) -> HashSet<(Arc<str>, Option<Arc<str>>)> {
    let failing = judged.evaluations.iter().filter(|e| e.status == Status::Fail && &*e.control == REFUSED);
    failing.map(|e| (e.resource.address.clone(), e.container.clone())).collect()
}

fn trouble(sources: &Sources, problem: &Problem) -> String {
    format!("{} {}", sources.get(problem.span.file).name, problem.message)
}
