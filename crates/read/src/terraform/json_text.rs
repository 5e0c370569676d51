//! JSON read out of a text that may have holes: every part of it gets the place of its bytes, and a
//! hole becomes an unknown value, an unknown part of a string, or members that nobody can name.
//!
//! Long because a grammar of mutual recursion does not split.

use std::sync::Arc;

use tojimari_text::Span;

use super::text::{Builder, Piece, Text};
use super::value::{Entry, MAX_HEIGHT, Number, V, Val};
use tojimari_model::value::Reason;

/// Why a text is not JSON, and where. `certain` is false where a hole may hold what is missing.
#[derive(Debug)]
pub struct NotJson {
    pub message: String,
    pub span: Span,
    pub certain: bool,
}

/// Reads the JSON that a text holds; `span` is that of the whole.
pub fn parse(text: &Text, span: Span) -> Result<Val, NotJson> {
    if let Some(value) = text.as_json() {
        return Ok(value.clone());
    }
    let mut reader = Reader::new(text.pieces(span), span);
    let value = reader.value(0)?;
    reader.blanks();
    match reader.next_hole().is_some() || reader.at < reader.buffer.len() {
        // What follows may be blank, or else it is not JSON at all.
        true if reader.next_hole().is_some() => Ok(Val::unknown(span, reader.reason_at_end())),
        true => Err(reader.wrong("nothing more")),
        false => Ok(value),
    }
}

enum Hole {
    Unknown(Reason, Span),
    Value(Val),
}

struct Reader {
    buffer: String,
    /// Where each known piece begins in the buffer, and where it comes from.
    pieces: Vec<(usize, Span, bool)>,
    /// What stands between the bytes of the buffer, by place.
    holes: Vec<(usize, Hole)>,
    hole: usize,
    at: usize,
    span: Span,
}

type Read<T> = Result<T, NotJson>;

impl Reader {
    fn new(pieces: Vec<Piece>, span: Span) -> Reader {
        let mut reader = Reader { buffer: String::new(), pieces: Vec::new(), holes: Vec::new(), hole: 0, at: 0, span };
        for piece in pieces {
            match piece {
                Piece::Known(text, at, verbatim) => {
                    reader.pieces.push((reader.buffer.len(), at, verbatim));
                    reader.buffer.push_str(&text);
                }
                Piece::Unknown(reason, at) => reader.holes.push((reader.buffer.len(), Hole::Unknown(reason, at))),
                Piece::Json(value) => reader.holes.push((reader.buffer.len(), Hole::Value(value))),
            }
        }
        // A byte order mark is what some editors begin a file with.
        if reader.buffer.starts_with('\u{feff}') {
            reader.at = '\u{feff}'.len_utf8();
        }
        reader
    }

    /// The hole at the cursor.
    fn next_hole(&self) -> Option<&Hole> {
        self.holes.get(self.hole).filter(|(at, _)| *at == self.at).map(|(_, hole)| hole)
    }

    fn reason_at_end(&self) -> Reason {
        match self.next_hole() {
            Some(Hole::Unknown(reason, _)) => reason.clone(),
            _ => "is not JSON that can be read".into(),
        }
    }

    fn peek(&self) -> u8 {
        match self.next_hole() {
            Some(_) => 0,
            None => self.buffer.as_bytes().get(self.at).copied().unwrap_or(0),
        }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    /// The place in the files of a range of the buffer.
    fn place(&self, start: usize, end: usize) -> Span {
        let first = self.piece(start);
        let last = self.piece(end.saturating_sub(1).max(start));
        match (first, last) {
            (Some(a), Some(b)) if a.file == b.file => Span { file: a.file, start: a.start, end: b.end.max(a.start) },
            (Some(a), _) => a,
            (None, _) => self.span,
        }
    }

    /// The place of one byte of the buffer.
    fn piece(&self, at: usize) -> Option<Span> {
        let index = self.pieces.partition_point(|(start, ..)| *start <= at).checked_sub(1)?;
        let (start, span, verbatim) = self.pieces[index];
        if !verbatim {
            return Some(span);
        }
        let from = span.start + (at - start) as u32;
        Some(Span { file: span.file, start: from.min(span.end), end: (from + 1).min(span.end) })
    }

    fn wrong(&self, expected: &str) -> NotJson {
        let found = match (self.next_hole(), self.buffer.get(self.at..).and_then(|rest| rest.chars().next())) {
            (Some(_), _) => "`${…}`".to_owned(),
            (None, None) => "the end".to_owned(),
            (None, Some(c)) if c.is_control() => format!("U+{:04X}", c as u32),
            (None, Some(c)) => format!("`{c}`"),
        };
        NotJson {
            message: format!("expected {expected}, found {found}"),
            span: self.place(self.at, self.at + 1),
            certain: self.holes.is_empty(),
        }
    }

    fn value(&mut self, depth: u16) -> Read<Val> {
        if depth + 2 >= MAX_HEIGHT {
            return Err(NotJson {
                message: format!("nested deeper than {MAX_HEIGHT} levels"),
                span: self.place(self.at, self.at + 1),
                certain: true,
            });
        }
        self.blanks();
        let start = self.at;
        if let Some((_, hole)) = self.holes.get_mut(self.hole).filter(|(at, _)| *at == self.at) {
            let value = match hole {
                Hole::Unknown(reason, span) => Val::unknown(*span, reason.clone()),
                Hole::Value(value) => value.clone(),
            };
            self.hole += 1;
            // `${a}${b}` and `${a}0`: all that is known is that something is there.
            let joined = self.next_hole().is_some() || matches!(self.peek(), b'0'..=b'9' | b'.' | b'a'..=b'z');
            return match joined {
                true => {
                    self.rest_of_word();
                    let reason = value.reason().unwrap_or_else(|| "is not known".into());
                    Ok(Val::unknown(value.span, reason))
                }
                false => Ok(value),
            };
        }
        match self.peek() {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => {
                while matches!(self.peek(), b'-' | b'+' | b'.' | b'0'..=b'9' | b'e' | b'E') {
                    self.at += 1;
                }
                let span = self.place(start, self.at);
                if let Some(Hole::Unknown(reason, _)) = self.next_hole() {
                    let reason = reason.clone();
                    self.rest_of_word();
                    return Ok(Val::unknown(span, reason));
                }
                let digits = &self.buffer[start..self.at];
                match serde_json::from_str::<serde_json::Number>(digits).ok().and_then(|_| Number::parse(digits)) {
                    Some(number) => Ok(Val::new(span, V::Number(number))),
                    None => {
                        self.at = start;
                        Err(self.wrong("a number"))
                    }
                }
            }
            _ => {
                for (word, kind) in [("true", V::Bool(true)), ("false", V::Bool(false)), ("null", V::Null)] {
                    let fits = self.holes.get(self.hole).is_none_or(|(at, _)| *at >= self.at + word.len());
                    if fits && self.buffer[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(Val::new(self.place(start, self.at), kind));
                    }
                }
                Err(self.wrong("a value"))
            }
        }
    }

    /// Skips what stands directly behind a hole, and further holes.
    fn rest_of_word(&mut self) {
        loop {
            if self.next_hole().is_some() {
                self.hole += 1;
            } else if matches!(self.peek(), b'0'..=b'9' | b'.' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'-') {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    fn array(&mut self, depth: u16) -> Read<Val> {
        let start = self.at;
        self.at += 1;
        let (mut items, mut rest) = (Vec::new(), None);
        self.blanks();
        if self.peek() == b']' {
            self.at += 1;
            return Ok(Val::tuple(self.place(start, self.at), items, None));
        }
        loop {
            let value = self.value(depth + 1)?;
            match &value.kind {
                // What the hole holds may be several items, or none.
                V::Unknown(unknown) => {
                    rest.get_or_insert_with(|| unknown.reason.clone());
                }
                _ => items.push(value),
            }
            // A hole behind an item may bring its own comma.
            self.skipped(&mut rest);
            match self.peek() {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Ok(Val::tuple(self.place(start, self.at), items, rest));
                }
                // `${a} ${b}` in a row, or an item behind a hole that may end in a comma.
                _ if rest.is_some() && self.begins_value() => {}
                _ => return Err(self.wrong("`,` or `]`")),
            }
            // A comma before the end, where a hole before it may be empty.
            self.blanks();
            if rest.is_some() && self.peek() == b']' {
                self.at += 1;
                return Ok(Val::tuple(self.place(start, self.at), items, rest));
            }
        }
    }

    fn begins_value(&self) -> bool {
        matches!(self.peek(), b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n')
            || self.next_hole().is_some()
    }

    /// Takes holes that stand where only punctuation can: they may hold more of what is around them.
    fn skipped(&mut self, rest: &mut Option<Reason>) {
        loop {
            self.blanks();
            let Some(hole) = self.next_hole() else { return };
            let reason = match hole {
                Hole::Unknown(reason, _) => reason.clone(),
                Hole::Value(value) => value.reason().unwrap_or_else(|| "is put between values".into()),
            };
            rest.get_or_insert(reason);
            self.hole += 1;
        }
    }

    fn object(&mut self, depth: u16) -> Read<Val> {
        let start = self.at;
        self.at += 1;
        let (mut entries, mut rest) = (Vec::new(), None);
        loop {
            self.skipped(&mut rest);
            match self.peek() {
                b'}' if entries.is_empty() || rest.is_some() => {
                    self.at += 1;
                    break;
                }
                b',' if rest.is_some() => {
                    self.at += 1;
                    continue;
                }
                b'"' => {}
                _ => return Err(self.wrong("a name in quotes")),
            }
            let key = self.string()?;
            self.blanks();
            if self.peek() != b':' {
                return Err(self.wrong("`:`"));
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            match &key.kind {
                V::Text(text) => match text.known() {
                    Some(name) => entries.push(Entry { key: name, key_span: key.span, value }),
                    None => rest = rest.or_else(|| text.reason()),
                },
                _ => rest = rest.or_else(|| key.reason()),
            }
            self.skipped(&mut rest);
            match self.peek() {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    break;
                }
                b'"' if rest.is_some() => continue,
                _ => return Err(self.wrong("`,` or `}`")),
            }
            self.blanks();
            if self.peek() == b'}' && rest.is_none() {
                return Err(self.wrong("a name in quotes"));
            }
        }
        Ok(Val::object(self.place(start, self.at), entries, rest))
    }

    fn string(&mut self) -> Read<Val> {
        let start = self.at;
        self.at += 1;
        let mut builder = Builder::default();
        let mut run = self.at;
        let mut whole = String::new();
        loop {
            if let Some(hole) = self.next_hole() {
                let unknown = match hole {
                    Hole::Unknown(reason, span) => Ok((reason.clone(), *span)),
                    // A value in the middle of a string: its JSON is meant as text.
                    Hole::Value(value) => match Text::json(value.clone()).known() {
                        Some(text) if !text.contains(['"', '\\']) => Err(text),
                        _ => Ok((value.reason().unwrap_or_else(|| "is JSON within a string".into()), value.span)),
                    },
                };
                whole.push_str(&self.buffer[run..self.at]);
                let span = self.place(start, self.at);
                match unknown {
                    Ok((reason, at)) => {
                        builder.known(Arc::from(std::mem::take(&mut whole)), span, false);
                        builder.unknown(reason, at);
                    }
                    Err(text) => whole.push_str(&text),
                }
                self.hole += 1;
                run = self.at;
                continue;
            }
            match self.buffer.as_bytes().get(self.at) {
                None => {
                    self.at = start;
                    return Err(NotJson { message: "the string is not closed".to_owned(), ..self.wrong("") });
                }
                Some(b'"') => break,
                Some(b'\\') => {
                    whole.push_str(&self.buffer[run..self.at]);
                    whole.push(self.escape()?);
                    run = self.at;
                }
                Some(byte) if *byte < b' ' => return Err(self.wrong("the end of the string")),
                Some(_) => self.at += 1,
            }
        }
        whole.push_str(&self.buffer[run..self.at]);
        self.at += 1;
        let span = self.place(start, self.at);
        builder.known(whole.into(), span, false);
        Ok(builder.finish(span))
    }

    fn escape(&mut self) -> Read<char> {
        let wrong = self.wrong("an escape that JSON has");
        self.at += 1;
        let byte = self.buffer.as_bytes().get(self.at).copied();
        self.at += 1;
        Ok(match byte {
            Some(c @ (b'"' | b'\\' | b'/')) => c as char,
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let Some(high) = self.code() else { return Err(wrong) };
                let low = match (0xd800..0xdc00).contains(&high) && self.buffer[self.at..].starts_with("\\u") {
                    true => {
                        self.at += 2;
                        self.code()
                    }
                    false => None,
                };
                let joined = match low {
                    Some(low @ 0xdc00..0xe000) => 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00),
                    _ => high,
                };
                char::from_u32(joined).unwrap_or('\u{fffd}')
            }
            _ => return Err(wrong),
        })
    }

    fn code(&mut self) -> Option<u32> {
        let code = u32::from_str_radix(self.buffer.get(self.at..self.at + 4)?, 16).ok()?;
        self.at += 4;
        Some(code)
    }
}
