//! Which lines of a file begin a thing, and which it takes: what a comment beside it refers to.

use std::ops::RangeInclusive;

use tojimari_text::{Source, Span};

pub struct Lines<'a>(pub &'a Source);

impl Lines<'_> {
    pub fn first(&self, span: Span) -> u32 {
        self.0.line_column(span.start as usize).0
    }

    pub fn all(&self, span: Span) -> RangeInclusive<u32> {
        let last = (span.end as usize).max(span.start as usize + 1) - 1;
        self.first(span)..=self.0.line_column(last).0
    }
}

/// A line without its comment.
pub fn code(line: &str) -> &str {
    let line = line.trim_end();
    let cut = |mark: &str| match line.trim_start().starts_with(mark) {
        true => Some(0),
        false => line.find(&format!(" {mark}")),
    };
    let end = [cut("#"), cut("//"), cut("/*")].into_iter().flatten().min().unwrap_or(line.len());
    line[..end].trim_end()
}
