//! The pure part of CloudFormation's functions: texts and lists joined, split and chosen from, with
//! what is unknown or open in their arguments carried into the result.

use tojimari_text::{Entry, Span, placeholder};

use std::sync::Arc;

use crate::partial::{BOUNDS, Partial, lift};
use tojimari_model::value::{Choice, Kind, Part, Reason, Value};

/// Parts of one text, beyond which those of its parts are not told apart.
const MAX_PARTS: usize = 1000;

pub(super) fn matching<'e>(entries: &'e [Entry], key: &Value) -> impl Iterator<Item = &'e Entry> {
    let wanted = text_of(key).map(ToOwned::to_owned);
    entries.iter().filter(move |entry| wanted.as_deref().is_none_or(|wanted| *entry.key.name == *wanted))
}

pub(super) fn plain(text: &str, span: Span) -> Value {
    if let Some(at) = text.find("{{resolve:") {
        let service = text[at + 10..].split([':', '}']).next().unwrap_or_default();
        let service = if service.is_empty() { "elsewhere" } else { service };
        return Value::unknown(span, format!("is resolved from {service} when the stack is deployed"));
    }
    if placeholder::is_marked(text) || placeholder::has_template(text) || text.contains("<%=") {
        return Value::unknown(span, "depends on the template that makes this file");
    }
    Value::new(span, Kind::String(text.into()))
}

pub(super) fn push_text(pieces: &mut Vec<Value>, text: &str, span: Span) {
    if !text.is_empty() {
        pieces.push(Value::new(span, Kind::String(text.into())));
    }
}

/// The text of a value that is one; numbers and booleans are written out, as CloudFormation does.
pub(super) fn text_of(value: &Value) -> Option<&str> {
    match &value.kind {
        Kind::String(text) | Kind::Number(text) => Some(text),
        Kind::Bool(true) => Some("true"),
        Kind::Bool(false) => Some("false"),
        _ => None,
    }
}

pub(super) fn is_known(value: &Value) -> bool {
    text_of(value).is_some()
}

pub(super) fn reason_of<'v>(values: impl IntoIterator<Item = &'v Value>) -> Reason {
    for value in values {
        match &value.kind {
            Kind::Unknown(reason) | Kind::List(_, Some(reason)) => return reason.clone(),
            Kind::List(items, None) => {
                if let Some(reason) = items.iter().find_map(|item| match &item.kind {
                    Kind::Unknown(reason) => Some(reason.clone()),
                    _ => None,
                }) {
                    return reason;
                }
            }
            _ => {}
        }
    }
    "depends on a function whose arguments are not what it takes".into()
}

impl Partial for Value {
    fn open_condition(&self) -> Option<Arc<str>> {
        self.first_condition()
    }

    fn under(&self, condition: &Arc<str>, holds: bool) -> Value {
        compact(self.given(condition, holds))
    }

    fn one_of(condition: Arc<str>, then: Value, otherwise: Value, like: &Value) -> Value {
        match then.is_same(&otherwise) {
            true => then,
            false => Value::new(like.span, Kind::Choice(Box::new(Choice { condition, then, otherwise }))),
        }
    }
}

/// Applies a function to arguments that may hold choices: the result is a choice of results.
pub(super) fn lifted(arguments: &[Value], span: Span, apply: &dyn Fn(&[Value]) -> Value) -> Value {
    let more = &mut |condition: &str| Value::unknown(span, format!("depends on the condition {condition}"));
    lift(arguments, &Value::new(span, Kind::Null), BOUNDS.conditions, more, &mut |arguments| apply(arguments))
}

/// A list without the items that a choice took away.
pub(super) fn compact(value: Value) -> Value {
    match value.kind {
        Kind::List(mut items, rest) => {
            items.retain(|item| item.kind != Kind::Null);
            Value::new(value.span, Kind::List(items, rest))
        }
        kind => Value::new(value.span, kind),
    }
}

pub(super) fn concatenated<'v>(pieces: impl Iterator<Item = &'v Value>, span: Span) -> Value {
    let mut parts = Vec::new();
    for piece in pieces {
        match (text_of(piece), &piece.kind) {
            (Some(text), _) => parts.push(Part::Known(text.into())),
            // The known parts of a part are parts of the whole.
            (None, Kind::Unknown(reason)) if !reason.parts().is_empty() && parts.len() < MAX_PARTS => {
                parts.extend(reason.parts().iter().cloned());
            }
            (None, Kind::Unknown(reason)) => parts.push(Part::Unknown(reason.clone())),
            (None, _) => parts.push(Part::Unknown("depends on something that is not a text".into())),
        }
    }
    // `!Sub '${Cluster}'` is what `!Ref Cluster` is.
    if let [Part::Unknown(reason)] = &parts[..] {
        return Value::unknown(span, reason.clone());
    }
    let whole = Value::of_parts(span, parts);
    match whole.kind {
        // Put together, the parts may be a dynamic reference.
        Kind::String(text) => plain(&text, span),
        _ => whole,
    }
}

pub(super) fn join(delimiter: &Value, list: &Value, span: Span) -> Value {
    let (Some(delimiter), Kind::List(items, None)) = (text_of(delimiter), &list.kind) else {
        return Value::unknown(span, reason_of([list, delimiter]));
    };
    let delimiter = Value::new(span, Kind::String(delimiter.into()));
    let mut pieces = Vec::with_capacity(items.len() * 2);
    for item in items {
        if !pieces.is_empty() && delimiter.as_str() != Some("") {
            pieces.push(&delimiter);
        }
        pieces.push(item);
    }
    concatenated(pieces.into_iter(), span)
}

pub(super) fn select(index: &Value, list: &Value, span: Span) -> Value {
    let index_known = text_of(index).and_then(|text| text.parse::<usize>().ok());
    match (index_known, &list.kind) {
        (Some(at), Kind::List(items, None)) => match items.get(at) {
            Some(item) => placed(item, span),
            None => Value::unknown(span, "depends on an item that the list does not have"),
        },
        _ => Value::unknown(span, reason_of([list, index])),
    }
}

pub(super) fn split(delimiter: &Value, text: &Value, span: Span) -> Value {
    match (text_of(delimiter), text_of(text)) {
        (Some(delimiter), Some(text)) if !delimiter.is_empty() => {
            let items = text.split(delimiter).map(|item| Value::new(span, Kind::String(item.into()))).collect();
            Value::new(span, Kind::List(items, None))
        }
        _ => Value::unknown(span, reason_of([text, delimiter])),
    }
}

/// The same value with every part at that place: where it is used, not where it comes from.
pub(super) fn placed(value: &Value, span: Span) -> Value {
    let kind = match &value.kind {
        Kind::List(items, rest) => Kind::List(items.iter().map(|item| placed(item, span)).collect(), rest.clone()),
        Kind::Choice(choice) => Kind::Choice(Box::new(Choice {
            condition: choice.condition.clone(),
            then: placed(&choice.then, span),
            otherwise: placed(&choice.otherwise, span),
        })),
        other => other.clone(),
    };
    Value::new(span, kind)
}

/// Bytes, about.
pub(super) fn size(value: &Value) -> usize {
    match &value.kind {
        Kind::String(text) | Kind::Number(text) => text.len() + 32,
        Kind::List(items, _) => 32 + items.iter().map(size).sum::<usize>(),
        _ => 32,
    }
}
