//! What `check` found, with the sources that its places lie in and what is known of the rules.

use tojimari_model::finding::{Evaluation, Severity, Status};
use tojimari_text::{FileId, Place, Problem, Sources, Span};

#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    pub sources: &'a Sources,
    /// In the order in which they are shown.
    pub evaluations: &'a [Evaluation],
    /// What could not be read.
    pub problems: &'a [Problem],
    /// What is not as it should be, and stands in nobody's way: a waiver that matches nothing.
    pub warnings: &'a [Problem],
    /// Values that no output may show, sorted.
    pub secrets: &'a [Span],
    /// Every control that was evaluated.
    pub rules: &'a [Rule],
    /// For each evaluation what would be written; empty where nobody asked for it.
    pub fixes: &'a [Option<Fix>],
}

/// A control, as outputs speak of it.
#[derive(Clone, Debug)]
pub struct Rule {
    pub id: String,
    /// In kebab case.
    pub slug: String,
    /// One line.
    pub title: String,
    pub severity: Severity,
    /// What it is about, in a sentence or a paragraph.
    pub description: String,
    /// The page, as Markdown.
    pub help: String,
    /// Standards with their places: `NIST SP 800-53 Rev. 5 AC-6`.
    pub standards: Vec<String>,
}

/// The change of a file that puts a failure right.
#[derive(Clone, Debug)]
pub struct Fix {
    pub description: String,
    /// What is taken out.
    pub deleted: Span,
    pub inserted: String,
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

    /// The problems and warnings, with their places.
    pub fn met(&self) -> impl Iterator<Item = (Place, &Problem)> {
        self.problems.iter().chain(self.warnings).map(|problem| (self.sources.place(problem.span), problem))
    }

    /// A part of a file's text, from `from` on, in which every secret is stars.
    pub(crate) fn masked(&self, file: FileId, from: usize, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let to = from + text.len();
        let first = self.secrets.partition_point(|secret| secret.file < file);
        for secret in self.secrets[first..].iter().take_while(|secret| secret.file == file) {
            let (start, end) = ((secret.start as usize).max(from), (secret.end as usize).min(to));
            if start < end {
                bytes[start - from..end - from].fill(b'*');
            }
        }
        String::from_utf8(bytes).unwrap_or_else(|_| "*".repeat(text.len()))
    }
}

/// "container web of task definition app"
pub(crate) fn subject(evaluation: &Evaluation) -> String {
    let resource = &evaluation.resource;
    let kind = resource.kind.replace('-', " ");
    match &evaluation.container {
        Some(container) => format!("container {container} of {kind} {}", resource.address),
        None => format!("{kind} {}", resource.address),
    }
}
