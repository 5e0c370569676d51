//! What a control says of a resource or of one of its containers.

use std::fmt::Display;
use std::sync::Arc;

use tojimari_model::Status;
use tojimari_model::declared::Container;
use tojimari_model::finding::Remedy;
use tojimari_text::Span;

#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub status: Status,
    pub container: Option<Arc<str>>,
    /// The whole container.
    pub container_span: Option<Span>,
    pub span: Span,
    pub message: String,
    pub remedy: Option<Remedy>,
}

impl Verdict {
    fn new(status: Status, span: Span, message: impl Into<String>) -> Verdict {
        Verdict { status, container: None, container_span: None, span, message: message.into(), remedy: None }
    }

    pub fn pass(span: Span, message: impl Into<String>) -> Verdict {
        Verdict::new(Status::Pass, span, message)
    }

    pub fn fail(span: Span, message: impl Into<String>) -> Verdict {
        Verdict::new(Status::Fail, span, message)
    }

    /// `what` is not known because of `reason`, a fragment such as "depends on var.image".
    pub fn unknown(span: Span, what: impl Display, reason: impl Display) -> Verdict {
        Verdict::new(Status::Unknown, span, format!("{what}: {reason}"))
    }

    pub fn not_applicable(span: Span, why: impl Into<String>) -> Verdict {
        Verdict::new(Status::NotApplicable, span, why)
    }

    pub fn with_remedy(self, remedy: Remedy) -> Verdict {
        Verdict { remedy: Some(remedy), ..self }
    }

    /// What a person should do, where nothing can be written for them.
    pub fn advise(self, words: impl Into<String>) -> Verdict {
        self.with_remedy(Remedy::Advice(words.into()))
    }

    /// A verdict on the container as a whole points at its name.
    pub fn of_container(self, name: Arc<str>, container: &Container) -> Verdict {
        let span = if self.span == container.span { container.head() } else { self.span };
        Verdict { container: Some(name), container_span: Some(container.span), span, ..self }
    }
}
