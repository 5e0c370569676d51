//! How a text in YAML is laid out: its line ends, where lines begin, how deep it indents, and what
//! is written in flow style.

use super::{Editor, blanks, own_entries};
use crate::source::Span;
use crate::tree::{Entry, Node};

impl Editor {
    pub(super) fn line_end(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Where a new line goes that comes after this span: behind a comment on its last line.
    pub(super) fn end_of_line(&self, span: Span) -> usize {
        let end = self.text[..span.end as usize].trim_end().len().max(span.start as usize);
        let rest = &self.text[end..];
        let line = rest.find('\n').unwrap_or(rest.len());
        end + rest[..line].trim_end_matches('\r').len()
    }

    pub(super) fn column(&self, span: Span) -> usize {
        let line = &self.text[self.line_start(span.start as usize)..span.start as usize];
        line.trim_start_matches('\u{feff}').chars().count()
    }

    pub(super) fn indent_of(&self, span: Span) -> String {
        blanks(&self.text[self.line_start(span.start as usize)..span.start as usize])
    }

    pub(super) fn starts_line(&self, span: Span) -> bool {
        self.text[self.line_start(span.start as usize)..span.start as usize].trim().is_empty()
    }

    pub(super) fn is_flow(&self, node: &Node) -> bool {
        let written = &self.text[node.span.range()];
        let untagged = match written.strip_prefix('!') {
            Some(tagged) => tagged.trim_start_matches(|c: char| !c.is_whitespace()).trim_start(),
            None => written,
        };
        untagged.starts_with(['{', '['])
    }

    /// Columns of one step of indentation: the first one that the text has.
    pub(super) fn unit(&self) -> usize {
        let mut unit = None;
        self.each_entry(&mut |entry| {
            if entry.value.is_mapping() && !self.is_flow(&entry.value) && unit.is_none() {
                let inner = own_entries(&entry.value).next().map(|inner| self.column(inner.key.span));
                unit = inner.and_then(|inner| inner.checked_sub(self.column(entry.key.span))).filter(|unit| *unit > 0);
            }
        });
        unit.unwrap_or(2)
    }

    /// Whether the dashes of a sequence stand further right than its key.
    pub(super) fn sequences_are_indented(&self) -> bool {
        let mut indented = None;
        self.each_entry(&mut |entry| {
            if let Some(first) = entry.value.items().first()
                && indented.is_none()
                && !self.is_flow(&entry.value)
            {
                let line = &self.text[self.line_start(first.span.start as usize)..first.span.start as usize];
                if let Some(dash) = line.find('-') {
                    indented = Some(line[..dash].chars().count() > self.column(entry.key.span));
                }
            }
        });
        indented.unwrap_or(true)
    }

    fn each_entry(&self, visit: &mut dyn FnMut(&Entry)) {
        fn walk(node: &Node, visit: &mut dyn FnMut(&Entry)) {
            for entry in own_entries(node) {
                visit(entry);
                walk(&entry.value, visit);
            }
            node.items().iter().for_each(|item| walk(item, visit));
        }
        self.documents.iter().for_each(|document| walk(document, visit));
    }
}
