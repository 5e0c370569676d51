//! What the readers of several formats do alike: objects put together, commands split into words,
//! durations and sizes in the units of ECS.

use tojimari_text::Span;

use tojimari_model::value::{Kind, Member, Reason, Value};

/// Members of an object while it is put together.
pub(crate) struct Object {
    pub(crate) members: Vec<Member>,
    /// Why members may be missing.
    pub(crate) rest: Option<Reason>,
}

impl Object {
    pub(crate) fn new(rest: Option<Reason>) -> Self {
        Object { members: Vec::new(), rest }
    }

    pub(crate) fn put(&mut self, name: &str, value: Value) {
        self.put_at(name, value.span, value);
    }

    pub(crate) fn put_at(&mut self, name: &str, name_span: Span, value: Value) {
        if value.kind != Kind::Null {
            self.members.push(Member { name: name.into(), name_span, value });
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.rest.is_none()
    }

    pub(crate) fn value(self, span: Span) -> Value {
        Value::new(span, Kind::Map(self.members, self.rest))
    }
}

pub(crate) fn string(span: Span, text: &str) -> Value {
    Value::new(span, Kind::String(text.into()))
}

/// The words that Compose takes for a boolean where it wants one.
pub(crate) fn boolean(value: Value) -> Value {
    let kind = match &value.kind {
        Kind::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "on" => Kind::Bool(true),
            "false" | "no" | "n" | "off" => Kind::Bool(false),
            _ => return value,
        },
        _ => return value,
    };
    Value::new(value.span, kind)
}

/// A command in one text is split as a shell would.
pub(crate) fn words(value: Value) -> Value {
    match &value.kind {
        Kind::String(text) => {
            let items = split_words(text).into_iter().map(|word| string(value.span, &word)).collect();
            Value::new(value.span, Kind::List(items, None))
        }
        _ => value,
    }
}

pub(crate) fn split_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some('\''), c) => word.get_or_insert_default().push(c),
            (Some(_), '\\') => match chars.next() {
                Some(escaped @ ('"' | '\\' | '$' | '`')) => word.get_or_insert_default().push(escaped),
                Some('\n') => {}
                Some(other) => word.get_or_insert_default().extend(['\\', other]),
                None => {}
            },
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, '\\') => {
                if let Some(escaped) = chars.next().filter(|c| *c != '\n') {
                    word.get_or_insert_default().push(escaped);
                }
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// A mapping of names to values as a list of `{name, value}`.
pub(crate) fn pairs(value: Value) -> Value {
    match value.kind {
        Kind::Map(members, rest) => {
            let items = members.into_iter().map(|member| {
                let span = match member.name_span.end <= member.value.span.start {
                    true => member.name_span.to(member.value.span),
                    false => member.value.span,
                };
                let mut pair = Object::new(None);
                pair.put("name", string(member.name_span, &member.name));
                pair.put("value", member.value);
                pair.value(span)
            });
            Value::new(value.span, Kind::List(items.collect(), rest))
        }
        kind => Value::new(value.span, kind),
    }
}

/// A duration such as `1m30s` in whole seconds.
pub(crate) fn seconds(value: Value) -> Value {
    let Some(text) = value.as_str() else { return value };
    let mut total = 0.0;
    let mut number = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_ascii_digit() || c == '.' {
            number.push(c);
            continue;
        }
        let factor = match c {
            'h' => 3600.0,
            'm' if chars.next_if_eq(&'s').is_some() => 0.001,
            'm' => 60.0,
            's' => 1.0,
            'u' | 'µ' if chars.next_if_eq(&'s').is_some() => 0.000_001,
            'n' if chars.next_if_eq(&'s').is_some() => 0.000_000_001,
            'd' => 86400.0,
            _ => return not_read(&value, "a duration"),
        };
        let Ok(n) = number.parse::<f64>() else { return not_read(&value, "a duration") };
        total += n * factor;
        number.clear();
    }
    if !number.is_empty() {
        return not_read(&value, "a duration");
    }
    Value::new(value.span, Kind::Number((total.round() as i64).to_string().into()))
}

/// A size such as `512m`, or a number of bytes, in whole MiB.
pub(crate) fn mebibytes(value: Value) -> Value {
    let text = match &value.kind {
        Kind::String(text) | Kind::Number(text) => text.trim().to_ascii_lowercase(),
        _ => return value,
    };
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
    let number = text[..text.len() - unit.len()].trim();
    let factor: f64 = match unit {
        "" | "b" => 1.0,
        "k" | "kb" | "kib" => 1024.0,
        "m" | "mb" | "mib" => 1024.0 * 1024.0,
        "g" | "gb" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tb" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return not_read(&value, "a size"),
    };
    match number.parse::<f64>() {
        Ok(n) => {
            Value::new(value.span, Kind::Number(((n * factor / (1024.0 * 1024.0)).ceil() as i64).to_string().into()))
        }
        Err(_) => not_read(&value, "a size"),
    }
}

fn not_read(value: &Value, wanted: &str) -> Value {
    Value::unknown(value.span, format!("is not {wanted} that can be read"))
}
