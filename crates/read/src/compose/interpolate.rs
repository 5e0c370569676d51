//! Variables in Compose files: `$NAME` and the forms in braces, put in from the `.env` file and
//! from defaults. What only the shell of a deployment says is unknown.
//! Source: the interpolation chapter of the Compose specification.

use std::cell::Cell;
use std::collections::HashMap;

use tojimari_text::Span;

use crate::variable::{closing_brace, name_length};
use tojimari_model::value::{Part, Value};

/// Defaults within defaults.
const MAX_DEPTH: usize = 16;

/// Bytes that variables may add to one project.
const MAX_GROWTH: usize = 16 << 20;

/// The variables that the files tell.
#[derive(Debug, Default)]
pub(super) struct Variables {
    known: HashMap<String, Vec<Part>>,
    grown: Cell<usize>,
}

impl Variables {
    /// Reads a `.env` file: later lines win, and may use earlier ones.
    pub(super) fn read(&mut self, text: &str) {
        let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        while !rest.is_empty() {
            let line = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            let (entry, after) = split_line(line);
            rest = after;
            let entry = entry.strip_prefix("export ").unwrap_or(entry).trim_start();
            if entry.starts_with('#') {
                continue;
            }
            let Some((name, value)) = entry.split_once('=') else { continue };
            let name = name.trim();
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
                continue;
            }
            let value = value.trim_start();
            let parts = match value.as_bytes().first() {
                Some(b'\'') => match value[1..].find('\'') {
                    Some(end) => vec![Part::Known(value[1..=end].into())],
                    None => vec![Part::Known(value.into())],
                },
                Some(b'"') => self.parts(&unescaped(&value[1..])),
                _ => {
                    let end = value.find(" #").unwrap_or(value.len());
                    let value = if value.starts_with('#') { "" } else { value[..end].trim_end() };
                    self.parts(value)
                }
            };
            self.known.insert(name.to_owned(), parts);
        }
    }

    /// A text with its variables put in.
    pub(super) fn value(&self, text: &str, span: Span) -> Value {
        Value::of_parts(span, self.parts(text))
    }

    /// What the files say of a variable.
    pub(super) fn named(&self, name: &str) -> Option<&[Part]> {
        self.known.get(name).map(Vec::as_slice)
    }

    /// The text of a variable that the files tell all of.
    pub(super) fn plain(&self, name: &str) -> Option<String> {
        let parts = self.named(name)?.iter().map(|part| match part {
            Part::Known(text) => Some(&**text),
            _ => None,
        });
        parts.collect()
    }

    fn parts(&self, text: &str) -> Vec<Part> {
        let mut out = Parts::default();
        self.interpolate(text, &mut out, 0);
        out.finish()
    }

    fn interpolate(&self, text: &str, out: &mut Parts, depth: usize) {
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.known(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(escaped) = after.strip_prefix('$') {
                out.known("$");
                rest = escaped;
                continue;
            }
            if let Some(braced) = after.strip_prefix('{') {
                let Some(end) = closing_brace(braced) else {
                    out.known(&rest[at..]);
                    return;
                };
                self.braced(&braced[..end], out, depth);
                rest = &braced[end + 1..];
                continue;
            }
            let length = name_length(after);
            if length == 0 {
                out.known("$");
            } else {
                self.variable(&after[..length], out);
            }
            rest = &after[length..];
        }
        out.known(rest);
    }

    /// The inside of `${…}`.
    fn braced(&self, inside: &str, out: &mut Parts, depth: usize) {
        let length = name_length(inside);
        let (name, rest) = inside.split_at(length);
        if length == 0 || depth >= MAX_DEPTH {
            return out.known(&format!("${{{inside}}}"));
        }
        let (colon, operation) = match rest.strip_prefix(':') {
            Some(operation) => (true, operation),
            None => (false, rest),
        };
        let set = self.known.get(name);
        let is_empty = |parts: &[Part]| parts.iter().all(|part| matches!(part, Part::Known(text) if text.is_empty()));
        // With the colon, an empty value is none.
        let given = set.filter(|parts| !(colon && is_empty(parts)));
        match (operation.chars().next(), given) {
            (None, _) => self.variable(name, out),
            (Some('-'), None) => self.interpolate(&operation[1..], out, depth + 1),
            (Some('+'), Some(_)) => self.interpolate(&operation[1..], out, depth + 1),
            (Some('+'), None) if set.is_some() => {}
            (Some('-' | '?'), Some(_)) => self.variable(name, out),
            (Some('?' | '+'), None) => out.unknown(name),
            _ => out.known(&format!("${{{inside}}}")),
        }
    }

    fn variable(&self, name: &str, out: &mut Parts) {
        let Some(parts) = self.known.get(name) else { return out.unknown(name) };
        let size: usize = parts.iter().map(|part| if let Part::Known(text) = part { text.len() } else { 16 }).sum();
        self.grown.set(self.grown.get() + size);
        if self.grown.get() > MAX_GROWTH {
            return out.push(Part::Unknown("depends on variables that grow to more than is read".into()));
        }
        for part in parts {
            match part {
                Part::Known(text) => out.known(text),
                Part::Unknown(reason) => out.push(Part::Unknown(reason.clone())),
            }
        }
    }
}

#[derive(Default)]
struct Parts {
    parts: Vec<Part>,
    /// Known text at the end, not yet among the parts.
    text: String,
}

impl Parts {
    fn known(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn unknown(&mut self, name: &str) {
        self.push(Part::Unknown(format!("depends on the variable {name}, which has no default").into()));
    }

    fn push(&mut self, part: Part) {
        if !self.text.is_empty() {
            self.parts.push(Part::Known(std::mem::take(&mut self.text).into()));
        }
        self.parts.push(part);
    }

    fn finish(mut self) -> Vec<Part> {
        if !self.text.is_empty() {
            self.parts.push(Part::Known(self.text.into()));
        }
        self.parts
    }
}

/// One entry of a `.env` file and what follows: a quoted value may reach over lines.
fn split_line(text: &str) -> (&str, &str) {
    let end = text.find('\n').unwrap_or(text.len());
    let line = &text[..end];
    if !line.starts_with('#')
        && let Some(equals) = line.find('=')
    {
        let value = line[equals + 1..].trim_start();
        let at = end - value.len();
        if let Some(quote @ (b'"' | b'\'')) = value.bytes().next() {
            let body = &text[at + 1..];
            let mut escaped = false;
            for (offset, byte) in body.bytes().enumerate() {
                if byte == quote && !escaped {
                    let close = at + 1 + offset + 1;
                    let rest = text[close..].find('\n').map_or(text.len(), |n| close + n);
                    return (&text[..close], text.get(rest..).unwrap_or_default());
                }
                escaped = quote == b'"' && byte == b'\\' && !escaped;
            }
        }
    }
    (line.trim_end(), &text[end..])
}

/// The text up to the closing double quote, with its escapes undone.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('$') => out.push_str("$$"),
                Some(other) => out.push(other),
                None => {}
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use tojimari_text::FileId;

    use super::*;
    use tojimari_model::value::Kind;

    fn said(env: &str, text: &str) -> String {
        let mut variables = Variables::default();
        variables.read(env);
        match variables.value(text, Span::new(FileId(0), 0, 0)).kind {
            Kind::String(text) => text.to_string(),
            Kind::Unknown(reason) => {
                let parts = reason.parts().iter().map(|part| match part {
                    Part::Known(text) => text.to_string(),
                    Part::Unknown(reason) => format!("<{reason}>"),
                });
                parts.collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_form_of_a_variable_is_put_in() {
        const ENV: &str = "A=1\nEMPTY=\nB=${A}2\n";
        let open = "<depends on the variable X, which has no default>";
        let table = [
            ("plain", "plain".to_owned()),
            ("$A-${A}", "1-1".into()),
            ("$B", "12".into()),
            ("$$A $${A}", "$A ${A}".into()),
            ("${X}", open.to_owned()),
            ("a${X}b", format!("a{open}b")),
            ("${X:-d}", "d".into()),
            ("${X-d}", "d".into()),
            ("${A:-d}", "1".into()),
            ("${EMPTY:-d}", "d".into()),
            ("${EMPTY-d}", "".into()),
            ("${X:-}", "".into()),
            ("${X:-${A}}", "1".into()),
            ("${X:-${Y:-z}}", "z".into()),
            ("${X:?must}", open.to_owned()),
            ("${A:?must}", "1".into()),
            ("${A:+yes}", "yes".into()),
            ("${EMPTY:+yes}", "".into()),
            ("${X:+yes}", open.to_owned()),
            ("${X:-a:b}", "a:b".into()),
            ("$(date) $ 5 ${", "$(date) $ 5 ${".into()),
            ("${1}", "${1}".into()),
        ];
        for (text, expected) in table {
            assert_eq!(said(ENV, text), expected, "{text}");
        }
    }

    #[test]
    fn env_files_are_read() {
        let env = "\u{feff}# c\nA = x # c\nexport B='y # $A'\nC=\"z\\n$A\" # c\n\nD=\"two\nlines\"\nE=a#b\nbad line\nF=\r\nG=#x\n";
        let table = [
            ("$A", "x"),
            ("$B", "y # $A"),
            ("$C", "z\nx"),
            ("$D", "two\nlines"),
            ("$E", "a#b"),
            ("-$F-", "--"),
            ("-$G-", "--"),
        ];
        for (text, expected) in table {
            assert_eq!(said(env, text), expected, "{text}");
        }
    }

    #[test]
    fn a_value_that_multiplies_is_cut_off() {
        let mut env = String::from("A0=xxxxxxxxxx\n");
        for i in 1..40 {
            let last = i - 1;
            env.push_str(&format!("A{i}=$A{last}$A{last}$A{last}$A{last}\n"));
        }
        let start = std::time::Instant::now();
        assert!(said(&env, "$A39").len() < 64 << 20);
        assert!(start.elapsed().as_secs() < 20);
    }

    #[test]
    fn deep_defaults_end() {
        let deep = format!("{}x{}", "${A:-".repeat(50_000), "}".repeat(50_000));
        said("", &deep);
    }
}
