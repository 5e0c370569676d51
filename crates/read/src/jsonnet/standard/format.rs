//! Values put into a text by a format.

use tojimari_text::Span;

use super::super::evaluate::Evaluator;
use super::super::value::{Val, digits};

impl Evaluator<'_> {
    /// `format % value`, with `%s`, `%d`, `%i`, `%%`, `%(name)s` and a width of zeros.
    pub(in super::super) fn format(&self, format: &str, value: &Val, span: Span) -> Val {
        let values: Vec<Val> = match value {
            Val::Array(items) => items.iter().map(|item| self.force(item)).collect(),
            other => vec![other.clone()],
        };
        let mut pieces = Vec::new();
        let mut used = 0;
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            pieces.push(Val::string(&rest[..at]));
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                pieces.push(Val::string("%"));
                rest = after;
                continue;
            }
            let named = rest.strip_prefix('(').and_then(|named| named.split_once(')'));
            let item = match (named, value) {
                (Some((name, after)), Val::Object(object)) => {
                    rest = after;
                    match (object.field(name, object.layers.len()), &object.rest) {
                        (Some(field), _) => self.force(&field),
                        (None, Some(reason)) => Val::Unknown(reason.clone()),
                        (None, None) => return self.wrong(span, format!("there is no field `{name}` to format")),
                    }
                }
                (Some((_, after)), _) => {
                    rest = after;
                    Val::Unknown(self.reason_of(value))
                }
                (None, _) => {
                    used += 1;
                    match values.get(used - 1) {
                        Some(value) => value.clone(),
                        None => return self.wrong(span, "there are too few values to format".to_owned()),
                    }
                }
            };
            let width: String = rest.chars().take_while(char::is_ascii_digit).collect();
            rest = &rest[width.len()..];
            let Some(kind) = rest.chars().next() else {
                return self.wrong(span, "this format ends too soon".to_owned());
            };
            rest = &rest[kind.len_utf8()..];
            pieces.push(match (kind, item) {
                ('s', item) if width.is_empty() => item,
                ('d' | 'i', Val::Number(n)) => {
                    let text = digits(n.trunc());
                    match width.strip_prefix('0').and_then(|width| width.parse::<usize>().ok()).filter(|w| *w <= 100) {
                        Some(width) => Val::string(&format!("{text:0>width$}")),
                        None if width.is_empty() => Val::string(&text),
                        None => Val::unknown("depends on a format that is not evaluated"),
                    }
                }
                (_, Val::Unknown(reason)) => Val::Unknown(reason),
                _ => Val::unknown("depends on a format that is not evaluated"),
            });
        }
        pieces.push(Val::string(rest));
        self.joined(pieces)
    }
}
