//! How a text in YAML is laid out: its line ends, where lines begin, how deep it indents, and what
//! is written in flow style.

use std::sync::Arc;

use super::{Editor, blanks, own_entries};
use crate::edit::{Layout, is_nested};
use crate::source::Span;
use crate::tree::{Entry, Node};

/// How the whole text is laid out, whatever part of it is edited.
#[derive(Debug)]
pub(super) struct Habits {
    line_end: &'static str,
    /// Columns of one step of indentation: the first one that the text has.
    pub unit: usize,
    /// Whether the dashes of a sequence stand further right than its key.
    pub sequences_are_indented: bool,
    /// Whether no alias leads to text elsewhere.
    pub is_nested: bool,
}

impl Habits {
    pub fn of(text: &str, documents: &[Node]) -> Arc<Habits> {
        let column = |span: Span| Layout(text).before(span).chars().count();
        let unit = first_entry(documents, &|entry| {
            let structure = entry.value.is_mapping() && !is_flow(text, &entry.value);
            let inner = own_entries(&entry.value).next().filter(|_| structure)?;
            column(inner.key.span).checked_sub(column(entry.key.span)).filter(|unit| *unit > 0)
        });
        let indented = first_entry(documents, &|entry| {
            let first = entry.value.items().first().filter(|_| !is_flow(text, &entry.value))?;
            let start = Layout(text).line_start(first.span.start as usize);
            let line = &text[start..first.span.start as usize];
            Some(line[..line.find('-')?].chars().count() > column(entry.key.span))
        });
        Arc::new(Habits {
            line_end: Layout(text).line_end(),
            unit: unit.unwrap_or(2),
            sequences_are_indented: indented.unwrap_or(true),
            is_nested: documents.iter().all(is_nested),
        })
    }
}

/// The first entry, from outside in, of which something is found.
fn first_entry<T>(nodes: &[Node], find: &dyn Fn(&Entry) -> Option<T>) -> Option<T> {
    nodes.iter().find_map(|node| {
        let in_entry = |entry| find(entry).or_else(|| first_entry(std::slice::from_ref(&entry.value), find));
        own_entries(node).find_map(in_entry).or_else(|| first_entry(node.items(), find))
    })
}

fn is_flow(text: &str, node: &Node) -> bool {
    let written = &text[node.span.range()];
    let untagged = match written.strip_prefix('!') {
        Some(tagged) => tagged.trim_start_matches(|c: char| !c.is_whitespace()).trim_start(),
        None => written,
    };
    untagged.starts_with(['{', '['])
}

impl Editor {
    pub(super) fn line_end(&self) -> &'static str {
        self.habits.line_end
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        Layout(&self.text).line_start(at)
    }

    /// Where a new line goes that comes after this span: behind a comment on its last line.
    pub(super) fn end_of_line(&self, span: Span) -> usize {
        let end = self.text[..span.end as usize].trim_end().len().max(span.start as usize);
        let rest = &self.text[end..];
        let line = rest.find('\n').unwrap_or(rest.len());
        end + rest[..line].trim_end_matches('\r').len()
    }

    pub(super) fn column(&self, span: Span) -> usize {
        Layout(&self.text).before(span).chars().count()
    }

    pub(super) fn indent_of(&self, span: Span) -> String {
        blanks(&self.text[self.line_start(span.start as usize)..span.start as usize])
    }

    pub(super) fn starts_line(&self, span: Span) -> bool {
        Layout(&self.text).starts_line(span)
    }

    pub(super) fn is_flow(&self, node: &Node) -> bool {
        is_flow(&self.text, node)
    }
}
