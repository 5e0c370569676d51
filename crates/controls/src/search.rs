//! A search through values of which some may not be known. What could not be looked at is noted, and
//! a search that found nothing is unknown then: it never passes.

use std::borrow::Cow;

use tojimari_model::Field;
use tojimari_model::declared::List;
use tojimari_model::value::Reason;
use tojimari_text::Span;

use crate::verdict::Verdict;

/// A rule returns as soon as it finds what it looks for. Else it ends the search with
/// [`Search::pass`], [`Search::or_else`] or [`Search::finish`], which put what was noted first.
#[must_use = "what was noted counts only once the search is ended"]
pub struct Search {
    /// What is not known if something was noted: "where writable mounts lie".
    what: &'static str,
    /// The first that was noted.
    open: Option<Open>,
}

struct Open {
    what: Cow<'static, str>,
    reason: Reason,
    span: Span,
}

impl Search {
    pub fn new(what: &'static str) -> Search {
        Search { what, open: None }
    }

    /// Something could not be looked at.
    pub fn note(&mut self, reason: &Reason, span: Span) {
        self.note_of(self.what, reason, span);
    }

    /// Something could not be looked at that has a name of its own.
    pub fn note_of(&mut self, what: impl Into<Cow<'static, str>>, reason: &Reason, span: Span) {
        if self.open.is_none() {
            self.open = Some(Open { what: what.into(), reason: reason.clone(), span });
        }
    }

    /// There may be more than what is listed.
    pub fn note_rest(&mut self, rest: &Option<(Reason, Span)>) {
        if let Some((reason, span)) = rest {
            self.note(reason, *span);
        }
    }

    /// The items of a list that are known.
    pub fn each<'l, T>(&mut self, list: &'l List<T>) -> std::slice::Iter<'l, T> {
        self.note_rest(&list.rest);
        list.iter()
    }

    /// The value of a field; `None` when it is absent or not known.
    pub fn known<'f, T>(&mut self, field: &'f Field<T>) -> Option<&'f T> {
        if let Some((reason, span)) = field.unknown() {
            self.note(reason, span);
        }
        field.known()
    }

    pub fn pass(self, span: Span, message: impl Into<String>) -> Verdict {
        self.or_else(|| Verdict::pass(span, message))
    }

    /// The verdict on a search that found nothing, if all could be looked at.
    pub fn or_else(self, found_nothing: impl FnOnce() -> Verdict) -> Verdict {
        match self.open {
            Some(Open { what, reason, span }) => Verdict::unknown(span, what, reason),
            None => found_nothing(),
        }
    }

    /// For an answer that is no verdict yet.
    pub fn finish<T>(self, unknown: impl FnOnce(Reason, Span) -> T, found_nothing: T) -> T {
        match self.open {
            Some(Open { reason, span, .. }) => unknown(reason, span),
            None => found_nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use tojimari_model::Status;
    use tojimari_text::FileId;

    use super::*;

    fn at(start: usize) -> Span {
        Span::new(FileId(0), start, start + 1)
    }

    #[test]
    fn what_is_noted_first_is_told_and_nothing_noted_passes() {
        let mut search = Search::new("the names");
        assert_eq!(search.known(&Field::Known(1, at(0))), Some(&1));
        assert_eq!(search.known(&Field::<i32>::Absent), None);
        assert_eq!(search.known(&Field::<i32>::Unknown("depends on var.x".into(), at(1))), None);
        let list = List { items: vec![1, 2], rest: Some(("depends on var.y".into(), at(2))), span: None };
        assert_eq!(search.each(&list).count(), 2);
        let verdict = search.pass(at(3), "nothing is there");
        assert_eq!((verdict.status, verdict.span), (Status::Unknown, at(1)));
        assert_eq!(verdict.message, "the names: depends on var.x");

        let verdict = Search::new("the names").pass(at(3), "nothing is there");
        assert_eq!((verdict.status, verdict.span), (Status::Pass, at(3)));
    }
}
