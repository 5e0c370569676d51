//! JSON, YAML, Base64 and URL encoding.

use std::fmt::Write as _;
use std::sync::Arc;

use tojimari_text::yaml::{self, Dialect};
use tojimari_text::{FileId, Node, Span, Written};

use super::{Answer, Call};
use crate::base64;
use crate::terraform::json_text;
use crate::terraform::module::Evaluator;
use crate::terraform::text::{Piece, Text};
use crate::terraform::types;
use crate::terraform::value::{Entry, MAX_HEIGHT, Number, Shape, V, Val};

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
            "jsondecode" => match &types::to_text(call.argument(0)?).kind {
                V::Text(text) => match json_text::parse(text, call.argument(0)?.span) {
                    // JSON has neither lists of one type nor sets.
                    Ok(value) => Ok(untyped(&value)),
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
                if !is_writable(value, 0) {
                    return Err(call.unknown(Some("is YAML with a text that is not written out".into())));
                }
                let mut text = String::new();
                write_yaml(&mut text, value, 0, false);
                // A document of a bare word has an end.
                if matches!(value.kind, V::Null | V::Absent | V::Bool(_) | V::Number(_)) {
                    text.push_str("...\n");
                }
                self.spend_bytes(text.len());
                call.give_text(text)
            }
            "base64encode" => call.give_text(base64::encoded(call.text(0)?.as_bytes())),
            "base64decode" => match base64::decoded(&call.text(0)?).and_then(|bytes| String::from_utf8(bytes).ok()) {
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
        let argument = &types::to_text(call.argument(0)?);
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
            (None, Some(node)) => Ok(resolved(from_node(node, &place), node, &text)),
            (None, None) => Ok(Val::null(call.span)),
        }
    }
}

/// A value with tuples and objects alone.
fn untyped(value: &Val) -> Val {
    match &value.kind {
        V::List(list) => {
            let items = list.items.iter().map(untyped).collect();
            Val::list_with(value.span, items, list.rest.clone(), list.each.as_ref().map(untyped), Shape::Fixed)
        }
        V::Map(map) => {
            let entries = map.entries.iter().map(|entry| Entry { value: untyped(&entry.value), ..entry.clone() });
            Val::object(value.span, entries.collect(), map.rest.clone())
        }
        V::Choice(_) => value.each_leaf(&mut untyped),
        _ => value.clone(),
    }
}

/// The value of a tree with every scalar as Terraform's own reader of YAML takes it: `yes`, `on` and
/// `y` are true, and 014 is fourteen. Source: the resolution of github.com/zclconf/go-cty-yaml.
fn resolved(value: Val, node: &Node, text: &str) -> Val {
    let written = text.get(node.span.range()).unwrap_or_default().trim();
    match (&value.kind, &node.written) {
        (V::List(list), Written::Sequence(items)) if list.items.len() == items.len() => {
            let all = list.items.iter().zip(items).map(|(item, node)| resolved(item.clone(), node, text));
            Val::tuple(value.span, all.collect(), None)
        }
        (V::Map(map), Written::Mapping(nodes)) => {
            let mut entries = Vec::with_capacity(nodes.len());
            let mut rest = map.rest.clone();
            for entry in nodes {
                let Some(found) = map.get(&entry.key.name) else { continue };
                let value = resolved(found.value.clone(), &entry.value, text);
                // A key is a scalar, too: `on:` is the key `true`.
                let key_written = text.get(entry.key.span.range()).unwrap_or_default().trim();
                let key = match (is_quoted(key_written), plain(&entry.key.name)) {
                    (true, _) | (false, Some(V::Text(_))) => entry.key.name.to_string().into(),
                    (false, Some(V::Bool(b))) => b.to_string().into(),
                    (false, Some(V::Number(number))) => number.to_string().into(),
                    _ => {
                        rest.get_or_insert_with(|| "has a key that is no text".into());
                        continue;
                    }
                };
                entries.push(Entry { key, key_span: found.key_span, value });
            }
            Val::object(value.span, entries, rest)
        }
        (V::Unknown(_) | V::Error(_), _) => value,
        (_, Written::Null) if written.is_empty() => value,
        (_, Written::String(inner)) if is_quoted(written) || inner.contains('\n') => value,
        (_, Written::String(inner)) => match plain(inner) {
            Some(V::Text(_)) => value,
            Some(kind) if written == &**inner => Val::new(value.span, kind),
            _ => Val::unknown(value.span, "is written in YAML that may be a text or not"),
        },
        (_, Written::Null | Written::Bool(_) | Written::Number(_)) => match plain(written) {
            Some(kind) if !written.starts_with(['&', '*', '!']) => Val::new(value.span, kind),
            _ => Val::unknown(value.span, "is a scalar of YAML that is not evaluated"),
        },
        _ => value,
    }
}

/// Columns of a line of YAML, beyond which Terraform's writer folds a text in quotes at a space.
const YAML_WIDTH: usize = 80;

/// Whether each text in it is written on one line, or as a block without more than its lines. No
/// text begins behind `column`.
fn is_writable(value: &Val, column: usize) -> bool {
    // Escaped by Terraform's writer as it is by ours, or not at all.
    let plain = |c: char| matches!(c, '"' | '\\' | '\'') || c < '\u{ffff}' && c.escape_debug().len() == 1;
    let is_block = |text: &str| {
        let text = text.strip_suffix('\n').unwrap_or(text);
        !text.starts_with([' ', '\n'])
            && !text.ends_with('\n')
            && text.split('\n').all(|line| !line.ends_with(' ') && line.chars().all(plain))
    };
    let is_line = |text: &str| {
        let end = column + 2 + text.chars().map(|c| c.escape_debug().len()).sum::<usize>();
        text.chars().all(plain) && (end < YAML_WIDTH || !text.contains(' '))
    };
    match &value.kind {
        V::Text(text) => text.known().is_some_and(|text| match text.contains('\n') {
            true => is_block(&text),
            false => is_line(&text),
        }),
        V::List(list) => list.items.iter().all(|item| is_writable(item, column + 2)),
        V::Map(map) => map.entries.iter().all(|entry| {
            // A key of more than 128 bytes is written in another way.
            let key: usize = entry.key.chars().map(|c| c.escape_debug().len()).sum();
            key < 60 && is_line(&entry.key) && is_writable(&entry.value, column + key + 4)
        }),
        _ => true,
    }
}

fn is_quoted(written: &str) -> bool {
    written.starts_with(['"', '\'', '|', '>'])
}

/// A scalar without quotes; none where Terraform has none, such as a number that has no end.
fn plain(text: &str) -> Option<V> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let based = |prefix: &str, radix: u32| {
        let whole = digits.strip_prefix(prefix)?;
        let number = i64::from_str_radix(whole, radix).ok().filter(|_| !whole.starts_with(['+', '-']))?;
        Some(V::Number(Number::Whole(if text.starts_with('-') { -number } else { number })))
    };
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => V::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => V::Bool(false),
        "" | "~" | "null" | "Null" | "NULL" => V::Null,
        // A date, a merge key and numbers without end are told apart by Terraform, and not here.
        "<<" | ".nan" | ".NaN" | ".NAN" => return None,
        _ if matches!(digits, ".inf" | ".Inf" | ".INF") => return None,
        _ if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            if let Some(number) = based("0b", 2).or_else(|| based("0o", 8)).or_else(|| based("0x", 16)) {
                return Some(number);
            }
            let decimal = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
            match decimal.then(|| Number::parse(text.strip_prefix('+').unwrap_or(text))).flatten() {
                Some(number) => V::Number(number),
                None => V::Text(Text::plain(text.into())),
            }
        }
        _ => V::Text(Text::plain(text.into())),
    })
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
            return Val::tuple(span, items.iter().map(|item| from_node(item, place)).collect(), None);
        }
        Written::Mapping(entries) => {
            let entries = entries.iter().map(|entry| Entry {
                key: Arc::from(&*entry.key.name),
                key_span: place(entry.key.span),
                value: from_node(&entry.value, place),
            });
            return Val::object(span, entries.collect(), None);
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
                        write_yaml(text, &entry.value, depth + 1, true);
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
        V::Text(inner) if inner.known().is_some_and(|inner| inner.contains('\n')) => {
            let inner = inner.known().unwrap_or_default();
            text.push_str(if inner.ends_with('\n') { "|\n" } else { "|-\n" });
            let pad = "  ".repeat(depth.max(1));
            for line in inner.strip_suffix('\n').unwrap_or(&inner).split('\n') {
                match line.is_empty() {
                    true => text.push('\n'),
                    false => {
                        let _ = writeln!(text, "{pad}{line}");
                    }
                }
            }
        }
        V::Text(inner) => {
            let _ = writeln!(text, "{:?}", inner.known().as_deref().unwrap_or_default());
        }
        _ => text.push_str("null\n"),
    }
}
