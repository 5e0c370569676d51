//! Words of a Dockerfile and the variables in them: `$NAME`, `${NAME}` and its forms with a
//! default, by what ARG and ENV told before.

use std::collections::HashMap;

use tojimari_text::Span;
use tojimari_text::dockerfile::Text;

use crate::variable::{closing_brace, name_length};
use tojimari_model::value::{Kind, Part, Value};

/// Defaults within defaults.
const MAX_DEPTH: usize = 16;

/// Bytes that one text may grow to.
const MAX_LENGTH: usize = 1 << 20;

/// The variables that hold at a point of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    arguments: HashMap<String, Value>,
    variables: HashMap<String, Value>,
    /// The base image may set more.
    open: bool,
}

impl Scope {
    pub(super) fn of_stage(variables: &HashMap<String, Value>, open: bool) -> Self {
        Scope { arguments: HashMap::new(), variables: variables.clone(), open }
    }

    /// ENV wins over ARG.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.variables.get(name).or_else(|| self.arguments.get(name))
    }

    pub(super) fn set_argument(&mut self, name: &str, value: Value) {
        self.arguments.insert(name.to_owned(), value);
    }

    pub(super) fn set_variable(&mut self, name: &str, value: Value) {
        self.variables.insert(name.to_owned(), value);
    }
}

/// Splits and expands words as the builder does.
pub(super) struct Words {
    pub escape: char,
}

impl Words {
    /// The words of a text; quotes and escapes hold blanks together and are kept.
    pub(super) fn split(&self, text: &Text) -> Vec<Text> {
        let mut words = Vec::new();
        let mut start = None;
        let mut quote = None;
        let mut escaped = false;
        for (at, c) in text.text.char_indices() {
            if escaped {
                escaped = false;
                continue;
            }
            match (quote, c) {
                (Some(q), c) if q == c => quote = None,
                (Some('"') | None, c) if c == self.escape => escaped = true,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, c) if c.is_whitespace() => {
                    if let Some(start) = start.take() {
                        words.push(text.slice(start..at));
                    }
                    continue;
                }
                (None, _) => {}
            }
            start.get_or_insert(at);
        }
        words.extend(start.map(|start| text.slice(start..text.text.len())));
        words
    }

    /// The text without its quotes and escapes, with its variables put in.
    pub(super) fn expand(&self, text: &Text, scope: &Scope) -> Value {
        self.expand_text(&text.text, text.whole(), scope)
    }

    pub(super) fn expand_text(&self, text: &str, span: Span, scope: &Scope) -> Value {
        let mut out = Out::default();
        self.write(text, scope, &mut out, 0);
        Value::of_parts(span, out.finish())
    }

    fn write(&self, text: &str, scope: &Scope, out: &mut Out, depth: usize) {
        let mut quote = None;
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match (quote, c) {
                (Some('\''), '\'') | (Some('"'), '"') => quote = None,
                (Some('\''), c) => out.text.push(c),
                (None, '\'' | '"') => quote = Some(c),
                (_, c) if c == self.escape => {
                    let Some(next) = rest.chars().next() else { break };
                    rest = &rest[next.len_utf8()..];
                    // Between double quotes an escape is one only before what it can escape.
                    if quote.is_some() && !matches!(next, '"' | '$') && next != self.escape {
                        out.text.push(c);
                    }
                    out.text.push(next);
                }
                (_, '$') => match self.variable(rest, scope, out, depth) {
                    0 => out.text.push('$'),
                    used => rest = &rest[used..],
                },
                (_, c) => out.text.push(c),
            }
        }
    }

    /// Writes the variable that a text begins with, after its `$`; returns its length.
    fn variable(&self, text: &str, scope: &Scope, out: &mut Out, depth: usize) -> usize {
        if let Some(braced) = text.strip_prefix('{') {
            let Some(end) = closing_brace(braced) else { return 0 };
            let inside = &braced[..end];
            let length = name_length(inside);
            let (name, operation) = inside.split_at(length);
            if length == 0 || depth >= MAX_DEPTH {
                out.unknown(inside, "depends on a variable that cannot be read");
                return end + 2;
            }
            let (colon, kind, word) = match operation.strip_prefix(':') {
                Some(rest) => (true, rest.chars().next(), rest.get(1..).unwrap_or_default()),
                None => (false, operation.chars().next(), operation.get(1..).unwrap_or_default()),
            };
            let value = scope.get(name);
            let empty = value.is_some_and(|value| value.as_str() == Some(""));
            let set = value.is_some() && !(colon && empty);
            match kind {
                None => self.named(name, scope, out),
                Some('-') if set => self.named(name, scope, out),
                // Where the base image may set it, the default may not hold.
                Some('-') if !scope.open || empty => self.write(word, scope, out, depth + 1),
                Some('-') => out.unknown(name, ""),
                Some('+') if set && value.is_some_and(|value| value.as_str().is_some()) => {
                    self.write(word, scope, out, depth + 1);
                }
                Some('+') if !set && !scope.open => {}
                Some('?') => self.named(name, scope, out),
                _ => out.unknown(name, ""),
            }
            return end + 2;
        }
        let length = name_length(text);
        if length > 0 {
            self.named(&text[..length], scope, out);
        }
        length
    }

    fn named(&self, name: &str, scope: &Scope, out: &mut Out) {
        match scope.get(name) {
            Some(value) => match &value.kind {
                Kind::String(text) if out.length + text.len() > MAX_LENGTH => {
                    out.unknown(name, "grows to more than is read");
                }
                Kind::String(text) => {
                    out.length += text.len();
                    out.text.push_str(text);
                }
                Kind::Unknown(reason) => {
                    out.flush();
                    let size: usize = reason.parts().iter().map(size).sum();
                    match reason.parts() {
                        [] => out.parts.push(Part::Unknown(reason.clone())),
                        parts if out.length + size <= MAX_LENGTH => {
                            out.length += size;
                            out.parts.extend(parts.iter().cloned());
                        }
                        _ => out.unknown(name, "grows to more than is read"),
                    }
                }
                _ => out.unknown(name, ""),
            },
            // The builder gives these to every build.
            None if name.starts_with("TARGET") || name.starts_with("BUILD") => out.unknown(name, ""),
            None if scope.open => out.unknown(name, "depends on a variable that the base image may set"),
            None => {}
        }
    }
}

#[derive(Default)]
struct Out {
    parts: Vec<Part>,
    text: String,
    length: usize,
}

impl Out {
    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.parts.push(Part::Known(std::mem::take(&mut self.text).into()));
        }
    }

    fn unknown(&mut self, name: &str, why: &str) {
        self.flush();
        let reason = if why.is_empty() { format!("depends on the variable {name}") } else { why.to_owned() };
        self.parts.push(Part::Unknown(reason.into()));
    }

    fn finish(mut self) -> Vec<Part> {
        self.flush();
        self.parts
    }
}

/// Bytes, about.
fn size(part: &Part) -> usize {
    match part {
        Part::Known(text) => text.len() + 16,
        Part::Unknown(_) => 32,
    }
}
