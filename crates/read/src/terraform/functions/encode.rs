//! JSON, YAML, Base64 and URL encoding.

use std::fmt::Write as _;
use std::sync::Arc;

use tojimari_text::yaml::{self, Dialect};
use tojimari_text::{FileId, Node, Span, Written};

use super::{Answer, Call};
use crate::terraform::json_text;
use crate::terraform::module::Evaluator;
use crate::terraform::text::{Piece, Text};
use crate::terraform::value::{Entry, MAX_HEIGHT, Number, V, Val};

/// The JSON of a value stays that value, with its places and its unknown parts.
pub fn jsonencode(arguments: &[Val], span: Span) -> Val {
    let Some(value) = arguments.first() else { return Val::error(span, "jsonencode() lacks an argument") };
    value.each_leaf(&mut |leaf| match &leaf.kind {
        V::Unknown(_) | V::Error(_) => leaf.clone(),
        V::Resource(_) | V::Module(_) => Val::unknown(span, leaf.reason().unwrap_or_else(|| "is not known".into())),
        _ if leaf.nesting() + 1 >= MAX_HEIGHT => Val::unknown(span, "is nested too deeply"),
        _ => Val::new(span, V::Text(Text::json(leaf.clone()))),
    })
}

impl Evaluator<'_> {
    pub(super) fn encoding_function(&mut self, call: &Call<'_>) -> Answer {
        let span = call.span;
        match call.name {
            "jsondecode" => match &call.argument(0)?.kind {
                V::Text(text) => match json_text::parse(text, call.argument(0)?.span) {
                    Ok(value) => Ok(value),
                    Err(wrong) if wrong.certain => Err(call.wrong(&format!("is given no JSON: {}", wrong.message))),
                    Err(_) => Err(call.unknown(text.reason())),
                },
                _ => Err(call.unfit(call.argument(0)?, "a string")),
            },
            "yamldecode" => self.yamldecode(call),
            "yamlencode" => {
                let value = call.argument(0)?;
                if let Some(reason) = value.reason() {
                    return Err(call.unknown(Some(reason)));
                }
                let mut text = String::new();
                write_yaml(&mut text, value, 0, false);
                self.spend_bytes(text.len());
                call.give_text(text)
            }
            "base64encode" => call.give_text(base64(call.text(0)?.as_bytes())),
            "base64decode" => match unbase64(&call.text(0)?).and_then(|bytes| String::from_utf8(bytes).ok()) {
                Some(text) => call.give_text(text),
                None => Err(call.wrong("is given no text in Base64")),
            },
            _ => {
                let mut text = String::new();
                for byte in call.text(0)?.bytes() {
                    match byte {
                        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(byte as char),
                        b' ' => text.push('+'),
                        byte => {
                            let _ = write!(text, "%{byte:02X}");
                        }
                    }
                }
                Ok(Val::text(span, text))
            }
        }
    }

    fn yamldecode(&mut self, call: &Call<'_>) -> Answer {
        let argument = call.argument(0)?;
        let V::Text(written) = &argument.kind else { return Err(call.unfit(argument, "a string")) };
        let Some(text) = written.known() else {
            return Err(call.unknown(written.reason()));
        };
        if !self.spend(text.len() as u64 / 4 + 1) {
            return Err(call.unknown(Some("takes too many steps to evaluate".into())));
        }
        // The text of a file has its places; any other has that of the whole.
        let at = match written.pieces(argument.span).as_slice() {
            [Piece::Known(_, at, true)] => Some(*at),
            _ => None,
        };
        let file = at.map_or(FileId(0), |at| at.file);
        let read = yaml::read(file, &text, Dialect::Yaml12);
        let place = |span: Span| match at {
            Some(at) => Span { file: at.file, start: at.start + span.start, end: at.start + span.end },
            None => argument.span,
        };
        match (read.problems.first(), read.documents.first()) {
            (Some(problem), _) => Err(call.wrong(&format!("is given no YAML: {}", problem.message))),
            (None, Some(node)) => Ok(from_node(node, &place)),
            (None, None) => Ok(Val::null(call.span)),
        }
    }
}

/// A tree as a value. Its reader bounds the nesting; what is nested beyond our own is unknown.
pub fn from_node(node: &Node, place: &dyn Fn(Span) -> Span) -> Val {
    let span = place(node.span);
    let kind = match &node.written {
        _ if node.tag.is_some() => {
            return Val::unknown(span, format!("has the tag !{}", node.tag.as_deref().unwrap_or_default()));
        }
        Written::Null => V::Null,
        Written::Bool(b) => V::Bool(*b),
        Written::Number(digits) => match Number::parse(digits) {
            Some(number) => V::Number(number),
            None => V::Text(Text::plain(Arc::from(&**digits))),
        },
        Written::String(text) => V::Text(Text::plain(Arc::from(&**text))),
        Written::Sequence(items) => {
            return Val::list(span, items.iter().map(|item| from_node(item, place)).collect(), None);
        }
        Written::Mapping(entries) => {
            let entries = entries.iter().map(|entry| Entry {
                key: Arc::from(&*entry.key.name),
                key_span: place(entry.key.span),
                value: from_node(&entry.value, place),
            });
            return Val::map(span, entries.collect(), None);
        }
    };
    Val::new(span, kind)
}

/// As Terraform writes YAML: keys and strings in quotes, blocks for what is not empty.
fn write_yaml(text: &mut String, value: &Val, depth: usize, after_dash: bool) {
    let pad = "  ".repeat(depth);
    match &value.kind {
        V::List(list) if !list.items.is_empty() => {
            for (at, item) in list.items.iter().enumerate() {
                if at > 0 || !after_dash {
                    text.push_str(&pad);
                }
                text.push_str("- ");
                write_yaml(text, item, depth + 1, true);
            }
        }
        V::Map(map) if !map.entries.is_empty() => {
            for (at, entry) in map.entries.iter().enumerate() {
                if at > 0 || !after_dash {
                    text.push_str(&pad);
                }
                let _ = write!(text, "{:?}:", &*entry.key);
                match &entry.value.kind {
                    V::List(list) if !list.items.is_empty() => {
                        text.push('\n');
                        write_yaml(text, &entry.value, depth, false);
                    }
                    V::Map(map) if !map.entries.is_empty() => {
                        text.push('\n');
                        write_yaml(text, &entry.value, depth + 1, false);
                    }
                    _ => {
                        text.push(' ');
                        write_yaml(text, &entry.value, depth, true);
                    }
                }
            }
        }
        V::List(_) => text.push_str("[]\n"),
        V::Map(_) => text.push_str("{}\n"),
        V::Bool(b) => {
            let _ = writeln!(text, "{b}");
        }
        V::Number(number) => {
            let _ = writeln!(text, "{number}");
        }
        V::Text(inner) => {
            let _ = writeln!(text, "{:?}", inner.known().as_deref().unwrap_or_default());
        }
        _ => text.push_str("null\n"),
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0u32, |word, at| word << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            match at <= chunk.len() {
                true => text.push(DIGITS[(word >> (18 - 6 * at) & 63) as usize] as char),
                false => text.push('='),
            }
        }
    }
    text
}

fn unbase64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut word, mut bits) = (0u32, 0);
    for digit in text.trim_end_matches('=').bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        word = word << 6 | value as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
            word &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}
