//! What `check` found, with the sources that its places lie in.

use tojimari_model::finding::{Evaluation, Severity, Status};
use tojimari_text::{Problem, Sources};

#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    pub sources: &'a Sources,
    /// In the order in which they are shown.
    pub evaluations: &'a [Evaluation],
    pub problems: &'a [Problem],
}

impl Report<'_> {
    /// How many evaluations have that status.
    pub fn count(&self, status: Status) -> usize {
        self.evaluations.iter().filter(|evaluation| evaluation.status == status).count()
    }

    /// How many failures have that severity.
    pub fn failures(&self, severity: Severity) -> usize {
        let counts = |e: &&Evaluation| e.status == Status::Fail && e.severity == severity;
        self.evaluations.iter().filter(counts).count()
    }
}
