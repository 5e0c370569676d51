//! Strings that know where their bytes stand in the files, with holes where a part is not known, and
//! with JSON that was encoded from values kept as those values.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use tojimari_text::Span;

use super::value::{Entry, V, Val};
use tojimari_model::value::{Part, Reason};

/// Bytes in one string.
pub const MAX_TEXT: usize = 4 << 20;

#[derive(Clone, Debug)]
pub struct Text(Form);

#[derive(Clone, Debug)]
enum Form {
    /// The text, and where it stands in a file byte for byte.
    Plain(Arc<str>, Option<Span>),
    Pieces(Arc<Pieces>),
    Json(Arc<Json>),
}

#[derive(Debug)]
struct Pieces {
    pieces: Vec<Piece>,
    /// The whole, where all of it is known.
    known: OnceLock<Option<Arc<str>>>,
    height: u16,
}

#[derive(Debug)]
struct Json {
    value: Val,
    known: OnceLock<Option<Arc<str>>>,
}

#[derive(Clone, Debug)]
pub enum Piece {
    /// Text, where it comes from, and whether it stands there byte for byte.
    Known(Arc<str>, Span, bool),
    Unknown(Reason, Span),
    /// The JSON of a value.
    Json(Val),
}

impl Text {
    pub fn plain(text: Arc<str>) -> Text {
        Text(Form::Plain(text, None))
    }

    /// Text that stands at a place byte for byte.
    pub fn verbatim(text: Arc<str>, at: Span) -> Text {
        Text(Form::Plain(text, Some(at)))
    }

    pub fn json(value: Val) -> Text {
        Text(Form::Json(Arc::new(Json { value, known: OnceLock::new() })))
    }

    /// The value that this is the JSON of.
    pub fn as_json(&self) -> Option<&Val> {
        match &self.0 {
            Form::Json(json) => Some(&json.value),
            _ => None,
        }
    }

    /// The whole text, where all of it is known.
    pub fn known(&self) -> Option<Arc<str>> {
        match &self.0 {
            Form::Plain(text, _) => Some(text.clone()),
            Form::Pieces(pieces) => pieces.known.get_or_init(|| join(&pieces.pieces)).clone(),
            Form::Json(json) => json.known.get_or_init(|| join(&json_pieces(&json.value))).clone(),
        }
    }

    /// The parts of the text; `span` is that of the value.
    pub fn pieces(&self, span: Span) -> Vec<Piece> {
        match &self.0 {
            Form::Plain(text, Some(at)) => vec![Piece::Known(text.clone(), *at, true)],
            Form::Plain(text, None) => vec![Piece::Known(text.clone(), span, false)],
            Form::Pieces(pieces) => pieces.pieces.clone(),
            Form::Json(json) => vec![Piece::Json(json.value.clone())],
        }
    }

    /// The parts in the words of the model, with JSON written out.
    pub fn parts(&self, span: Span) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let mut add = |piece: &Piece| match piece {
            Piece::Known(text, ..) => match parts.last_mut() {
                Some(Part::Known(last)) => *last = format!("{last}{text}").into(),
                _ => parts.push(Part::Known((&**text).into())),
            },
            Piece::Unknown(reason, _) => parts.push(Part::Unknown(reason.clone())),
            Piece::Json(_) => {}
        };
        for piece in self.pieces(span) {
            match &piece {
                Piece::Json(value) => json_pieces(value).iter().for_each(&mut add),
                piece => add(piece),
            }
        }
        parts
    }

    pub fn reason(&self) -> Option<Reason> {
        match &self.0 {
            Form::Plain(..) => None,
            Form::Pieces(pieces) => pieces.pieces.iter().find_map(|piece| match piece {
                Piece::Known(..) => None,
                Piece::Unknown(reason, _) => Some(reason.clone()),
                Piece::Json(value) => value.reason(),
            }),
            Form::Json(json) => json.value.reason(),
        }
    }

    pub fn height(&self) -> u16 {
        match &self.0 {
            Form::Plain(..) => 0,
            Form::Pieces(pieces) => pieces.height,
            Form::Json(json) => json.value.nesting() + 1,
        }
    }

    pub fn size(&self) -> u32 {
        match &self.0 {
            Form::Plain(..) => 1,
            Form::Pieces(pieces) => pieces.pieces.iter().fold(1, |size, piece| match piece {
                Piece::Json(value) => size.saturating_add(value.size()),
                _ => size.saturating_add(1),
            }),
            Form::Json(json) => json.value.size().saturating_add(1),
        }
    }
}

/// Puts a text together.
#[derive(Debug, Default)]
pub struct Builder {
    pieces: Vec<Piece>,
    length: usize,
    error: Option<Arc<str>>,
}

impl Builder {
    pub fn known(&mut self, text: Arc<str>, span: Span, verbatim: bool) {
        if !text.is_empty() {
            self.length = self.length.saturating_add(text.len());
            self.pieces.push(Piece::Known(text, span, verbatim));
        }
    }

    pub fn unknown(&mut self, reason: Reason, span: Span) {
        self.pieces.push(Piece::Unknown(reason, span));
    }

    /// What a value is as text. One that has none is an error of the whole.
    pub fn value(&mut self, value: &Val) {
        match &value.kind {
            V::Text(text) => {
                for piece in text.pieces(value.span) {
                    if let Piece::Known(text, ..) = &piece {
                        self.length = self.length.saturating_add(text.len());
                    }
                    self.pieces.push(piece);
                }
            }
            V::Bool(b) => self.known(if *b { "true" } else { "false" }.into(), value.span, false),
            V::Number(number) => self.known(number.to_string().into(), value.span, false),
            V::Unknown(unknown) => self.unknown(unknown.reason.clone(), value.span),
            V::Error(reason) => self.error = self.error.take().or_else(|| Some(reason.clone())),
            V::Null | V::Absent => self.wrong("null cannot be part of a text"),
            V::List(_) => self.wrong("a list cannot be part of a text"),
            V::Map(_) | V::Resource(_) | V::Module(_) => self.wrong("an object cannot be part of a text"),
            V::Choice(choice) => {
                let reason = format!("depends on the condition {}", choice.condition);
                self.unknown(reason.into(), value.span);
            }
        }
    }

    fn wrong(&mut self, reason: &str) {
        self.error.get_or_insert_with(|| reason.into());
    }

    /// What this takes in memory, in bytes.
    pub fn cost(&self) -> usize {
        self.length.saturating_add(self.pieces.len() * size_of::<Piece>())
    }

    pub fn finish(mut self, span: Span) -> Val {
        if let Some(reason) = self.error {
            return Val::error(span, reason);
        }
        if self.cost() > MAX_TEXT {
            return Val::unknown(span, "is a text that is too long to be evaluated");
        }
        if self.pieces.len() <= 1 {
            return match self.pieces.pop() {
                None => Val::text(span, ""),
                Some(Piece::Unknown(reason, _)) => Val::unknown(span, reason),
                Some(Piece::Json(value)) => Val::new(span, V::Text(Text::json(value))),
                Some(Piece::Known(text, at, true)) => Val::new(span, V::Text(Text::verbatim(text, at))),
                Some(Piece::Known(text, ..)) => Val::text(span, text),
            };
        }
        // Where the parts of a text come from matters only for what is read out of it again.
        if !self.is_document()
            && let Some(text) = join(&self.pieces)
        {
            return Val::text(span, text);
        }
        let height = self.pieces.iter().map(|piece| match piece {
            Piece::Json(value) => value.nesting() + 1,
            _ => 0,
        });
        let height = height.max().unwrap_or_default();
        if height >= super::value::MAX_HEIGHT {
            return Val::unknown(span, "is nested too deeply");
        }
        let pieces = Pieces { pieces: self.pieces, known: OnceLock::new(), height };
        Val::new(span, V::Text(Text(Form::Pieces(Arc::new(pieces)))))
    }

    /// Whether the text looks like JSON.
    fn is_document(&self) -> bool {
        let first = self.pieces.iter().find_map(|piece| match piece {
            Piece::Known(text, ..) => text.trim_start().chars().next(),
            Piece::Unknown(..) | Piece::Json(_) => Some('{'),
        });
        matches!(first, Some('{' | '['))
    }
}

fn join(pieces: &[Piece]) -> Option<Arc<str>> {
    let mut whole = String::new();
    for piece in pieces {
        match piece {
            Piece::Known(text, ..) => whole.push_str(text),
            Piece::Unknown(..) => return None,
            Piece::Json(value) => whole.push_str(&join(&json_pieces(value))?),
        }
    }
    Some(whole.into())
}

/// The JSON of a value as `jsonencode` writes it.
fn json_pieces(value: &Val) -> Vec<Piece> {
    let mut writer = JsonWriter { pieces: Vec::new(), run: String::new(), span: value.span };
    writer.value(value);
    writer.flush();
    writer.pieces
}

struct JsonWriter {
    pieces: Vec<Piece>,
    run: String,
    span: Span,
}

impl JsonWriter {
    fn flush(&mut self) {
        if !self.run.is_empty() {
            self.pieces.push(Piece::Known(std::mem::take(&mut self.run).into(), self.span, false));
        }
    }

    fn hole(&mut self, reason: Reason, span: Span) {
        self.flush();
        self.pieces.push(Piece::Unknown(reason, span));
    }

    /// The height of values bounds this.
    fn value(&mut self, value: &Val) {
        match &value.kind {
            V::Null | V::Absent => self.run.push_str("null"),
            V::Bool(b) => self.run.push_str(if *b { "true" } else { "false" }),
            V::Number(number) => {
                let _ = write!(self.run, "{number}");
            }
            V::Text(text) => {
                self.run.push('"');
                match text.known() {
                    Some(text) => escape(&mut self.run, &text),
                    None => {
                        for part in text.parts(value.span) {
                            match part {
                                Part::Known(text) => escape(&mut self.run, &text),
                                Part::Unknown(reason) => self.hole(reason, value.span),
                            }
                        }
                    }
                }
                self.run.push('"');
            }
            V::List(list) => {
                self.run.push('[');
                let items = list.items.iter().filter(|item| !matches!(item.kind, V::Absent));
                for (index, item) in items.enumerate() {
                    if index > 0 {
                        self.run.push(',');
                    }
                    self.value(item);
                }
                self.rest(list.rest.as_ref(), value.span);
                self.run.push(']');
            }
            V::Map(map) => {
                self.run.push('{');
                let entries = map.entries.iter().filter(|entry| !matches!(entry.value.kind, V::Absent));
                for (index, Entry { key, value, .. }) in entries.enumerate() {
                    if index > 0 {
                        self.run.push(',');
                    }
                    self.run.push('"');
                    escape(&mut self.run, key);
                    self.run.push_str("\":");
                    self.value(value);
                }
                self.rest(map.rest.as_ref(), value.span);
                self.run.push('}');
            }
            _ => self.hole(value.reason().unwrap_or_else(|| "is not known".into()), value.span),
        }
    }

    fn rest(&mut self, rest: Option<&Reason>, span: Span) {
        if let Some(reason) = rest {
            self.hole(reason.clone(), span);
        }
    }
}

/// Escapes as Go's encoder does, with what HTML would mistake.
fn escape(run: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => run.push_str("\\\""),
            '\\' => run.push_str("\\\\"),
            '\n' => run.push_str("\\n"),
            '\r' => run.push_str("\\r"),
            '\t' => run.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(run, "\\u{:04x}", c as u32);
            }
            c if c < ' ' => {
                let _ = write!(run, "\\u{:04x}", c as u32);
            }
            c => run.push(c),
        }
    }
}
