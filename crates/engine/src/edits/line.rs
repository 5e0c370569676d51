//! What is said of each failure: what was done about it, or why nothing was.

use tojimari_model::finding::Evaluation;
use tojimari_text::Sources;

/// What is said of one failure.
pub enum Line {
    Fixed(String),
    /// What a person has to do or decide.
    Left(String),
    /// What was tried and could not be written.
    Refused(String),
    /// What the change brings with it.
    Note(String),
}

impl Line {
    pub fn said(&self, written: bool) -> String {
        match self {
            Line::Fixed(what) if written => format!("fixed: {what}"),
            Line::Fixed(what) => format!("would fix: {what}"),
            Line::Left(what) => format!("left: {what}"),
            Line::Refused(what) => format!("error: {what}"),
            Line::Note(what) => format!("note: {what}"),
        }
    }
}

/// A failure and where it stands, in one line.
pub fn shown(sources: &Sources, evaluation: &Evaluation) -> String {
    let place = sources.place(evaluation.span);
    let resource = &evaluation.resource.address;
    let subject = match &evaluation.container {
        Some(container) => format!("container {container} of {resource}"),
        None => resource.to_string(),
    };
    format!("{} {subject} ({}:{}:{})", evaluation.control, place.file, place.line, place.column)
}
