//! The place in the text that is read next: blanks, comments, names, and the depth of nesting.

use std::sync::Arc;

use super::{MAX_DEPTH, Name};
use crate::source::{FileId, Problem, Span};

pub(super) type Result<T> = std::result::Result<T, Problem>;

pub(super) struct Cursor<'t> {
    pub file: FileId,
    pub text: &'t str,
    pub at: usize,
    /// Nothing is read from here on.
    pub end: usize,
    /// Whether a line break is a blank: it is inside of parentheses, brackets and `${…}`.
    pub lines_are_blank: bool,
    depth: usize,
    /// The span of everything, where the text is not what stands in the file.
    pub fixed: Option<Span>,
    pub problems: Vec<Problem>,
}

impl<'t> Cursor<'t> {
    pub fn new(file: FileId, text: &'t str) -> Self {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Cursor::within(file, text, at..text.len())
    }

    pub fn within(file: FileId, text: &'t str, range: std::ops::Range<usize>) -> Self {
        let (at, end) = (range.start, range.end);
        Cursor { file, text, at, end, lines_are_blank: false, depth: 0, fixed: None, problems: Vec::new() }
    }

    /// Zero at the end: no construct of the language begins with a NUL byte.
    pub fn peek(&self) -> u8 {
        self.peek_at(0)
    }

    pub fn peek_at(&self, ahead: usize) -> u8 {
        let at = self.at + ahead;
        if at < self.end { self.text.as_bytes()[at] } else { 0 }
    }

    pub fn done(&self) -> bool {
        self.at >= self.end
    }

    pub fn rest(&self) -> &'t str {
        &self.text[self.at.min(self.end)..self.end]
    }

    pub fn looking_at(&self, word: &str) -> bool {
        self.rest().as_bytes().starts_with(word.as_bytes())
    }

    /// Takes the word if it comes next.
    pub fn eat(&mut self, word: &str) -> bool {
        let found = self.looking_at(word);
        if found {
            self.at += word.len();
        }
        found
    }

    pub fn span(&self, start: usize, end: usize) -> Span {
        self.fixed.unwrap_or_else(|| Span::new(self.file, start, end))
    }

    pub fn span_from(&self, start: usize) -> Span {
        self.span(start, self.at)
    }

    /// Skips blanks and comments, and line breaks where these are blanks.
    pub fn blanks(&mut self) {
        self.skip(self.lines_are_blank);
    }

    /// Skips blanks, comments and line breaks.
    pub fn lines(&mut self) {
        self.skip(true);
    }

    fn skip(&mut self, lines: bool) {
        loop {
            match self.peek() {
                b' ' | b'\t' => self.at += 1,
                b'\n' if lines => self.at += 1,
                b'\r' if lines || self.peek_at(1) != b'\n' => self.at += 1,
                // The line break that ends a comment is not part of it.
                b'#' => self.skip_line(),
                b'/' if self.peek_at(1) == b'/' => self.skip_line(),
                b'/' if self.peek_at(1) == b'*' => {
                    let rest = &self.rest()[2..];
                    self.at += rest.find("*/").map_or(rest.len() + 2, |at| at + 4);
                }
                _ => return,
            }
        }
    }

    pub fn skip_line(&mut self) {
        let rest = self.rest();
        self.at += memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        if self.at > 0 && self.text.as_bytes()[self.at - 1] == b'\r' && self.peek() == b'\n' {
            self.at -= 1;
        }
    }

    /// Whether a line break, or the end, comes next.
    pub fn at_line_end(&self) -> bool {
        self.done() || self.peek() == b'\n' || (self.peek() == b'\r' && self.peek_at(1) == b'\n')
    }

    pub fn at_name(&self) -> bool {
        match self.peek() {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => true,
            0..=0x7f => false,
            _ => self.rest().chars().next().is_some_and(char::is_alphabetic),
        }
    }

    /// A name: letters, digits, `_` and `-`, beginning with a letter or `_`.
    pub fn name(&mut self) -> Option<Name> {
        if !self.at_name() {
            return None;
        }
        let start = self.at;
        let text = self.name_text();
        Some(Name { text: Arc::from(text), span: self.span_from(start) })
    }

    /// Takes the name that comes next, possibly none.
    pub fn name_text(&mut self) -> &'t str {
        let start = self.at;
        loop {
            match self.peek() {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'-' | b'0'..=b'9' => self.at += 1,
                0..=0x7f => break,
                _ => match self.rest().chars().next().filter(|c| c.is_alphanumeric()) {
                    Some(c) => self.at += c.len_utf8(),
                    None => break,
                },
            }
        }
        &self.text[start..self.at]
    }

    pub fn problem(&self, message: impl Into<String>) -> Problem {
        let at = self.at.min(self.end);
        let end = self.rest().chars().next().filter(|c| *c != '\n').map_or(at, |c| at + c.len_utf8());
        Problem { span: self.span(at, end), message: message.into() }
    }

    /// What was wanted and what is there instead.
    pub fn expected(&self, what: &str) -> Problem {
        let found = match self.rest().chars().next() {
            None if self.end < self.text.len() => "the end of the text".to_owned(),
            None => "the end of the file".to_owned(),
            Some('\n' | '\r') => "the end of the line".to_owned(),
            Some(c) if c.is_control() => format!("U+{:04X}", c as u32),
            Some(c) => format!("`{c}`"),
        };
        self.problem(format!("expected {what}, found {found}"))
    }

    pub fn expect(&mut self, word: &str) -> Result<()> {
        match self.eat(word) {
            true => Ok(()),
            false => Err(self.expected(&format!("`{word}`"))),
        }
    }

    /// Reads one level deeper.
    pub fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return Err(self.problem(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Reads with line breaks as blanks, or as ends.
    pub fn with_lines<T>(&mut self, blank: bool, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let before = std::mem::replace(&mut self.lines_are_blank, blank);
        let read = read(self);
        self.lines_are_blank = before;
        read
    }
}

/// The first place of a byte.
pub(super) fn memchr(byte: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|b| *b == byte)
}
