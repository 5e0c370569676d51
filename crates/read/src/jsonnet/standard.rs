//! The functions of Jsonnet's standard library that configuration uses. Any other comes to an
//! unknown value, never to a wrong one.

mod array;
mod format;
mod manifest;
mod number;
mod object;
mod set;
mod text;

use std::rc::Rc;

use tojimari_text::Span;

use super::evaluate::Evaluator;
use super::object::Object;
use super::value::{Function, Thunk, Val, ready};
use tojimari_model::value::Reason;

/// Arguments by position, whatever names they were given.
struct Arguments<'a>(&'a [(Option<Rc<str>>, Thunk)]);

impl Arguments<'_> {
    fn thunk(&self, at: usize, name: &str) -> Option<Thunk> {
        let named = self.0.iter().find(|(given, _)| given.as_deref() == Some(name));
        let positional = self.0.get(at).filter(|(given, _)| given.is_none());
        named.or(positional).map(|(_, thunk)| thunk.clone())
    }
}

impl Evaluator<'_> {
    pub(super) fn standard(&self, name: &str, given: &[(Option<Rc<str>>, Thunk)], span: Span) -> Val {
        let arguments = Arguments(given);
        let value = |at: usize, name: &str| arguments.thunk(at, name).map_or(Val::Null, |thunk| self.force(&thunk));
        match name {
            "extVar" => return self.external(&value(0, "x")),
            "native" => {
                return match value(0, "name") {
                    Val::String(name) => Val::Function(Rc::new(Function::Native(name))),
                    other => Val::Unknown(self.reason_of(&other)),
                };
            }
            "trace" => return value(1, "rest"),
            // Only what is asked for needs to be known.
            "get" => {
                return match (value(0, "o"), value(1, "f")) {
                    (Val::Object(object), Val::String(field)) => {
                        let hidden_too = match value(3, "inc_hidden") {
                            Val::Null => true,
                            Val::Bool(b) => b,
                            other => return Val::Unknown(self.reason_of(&other)),
                        };
                        let found = object.field(&field, object.layers.len());
                        match (found.filter(|_| hidden_too || object.has(&field, false)), &object.rest) {
                            (Some(field), _) => self.force(&field),
                            (None, Some(reason)) => Val::Unknown(reason.clone()),
                            (None, None) => value(2, "default"),
                        }
                    }
                    (unknown, _) => Val::Unknown(self.reason_of(&unknown)),
                };
            }
            "type" => {
                return match value(0, "x") {
                    unknown @ (Val::Unknown(_) | Val::Choice(_)) => Val::Unknown(self.reason_of(&unknown)),
                    known => Val::string(known.kind()),
                };
            }
            _ => {}
        }
        // Arguments by name, where their order is not that of the function: only these are known.
        let named = given.iter().position(|(name, _)| name.is_some());
        if let Some(first) = named
            && !(matches!(name, "sort" | "uniq" | "set") && first == 1 && given[1].0.as_deref() == Some("keyF"))
            && !(name == "manifestYamlDoc" && first == 1 && given[1].0.as_deref() == Some("indent_array_in_object"))
            && !(matches!(name, "setUnion" | "setInter" | "setDiff" | "setMember")
                && first == 2
                && given[2].0.as_deref() == Some("keyF"))
        {
            return Val::unknown(format!("depends on std.{name} with arguments by name"));
        }
        let values: Vec<Val> = given.iter().map(|(_, thunk)| self.force(thunk)).collect();
        if let Some(unknown) = values.iter().find(|value| matches!(value, Val::Unknown(_) | Val::Choice(_))) {
            // The words of a text with holes stay known through these.
            return match (name, unknown) {
                ("toString", Val::Unknown(reason)) => Val::Unknown(reason.clone()),
                _ => Val::Unknown(self.reason_of(unknown)),
            };
        }
        let outcome = self
            .of_texts(name, &values)
            .or_else(|| self.of_numbers(name, &values))
            .or_else(|| self.of_arrays(name, &values, span))
            .or_else(|| self.of_objects(name, &values, span))
            .or_else(|| self.of_more_numbers(name, &values))
            .or_else(|| self.of_more_texts(name, &values, span))
            .or_else(|| self.of_sets(name, &values, span))
            .or_else(|| self.of_manifests(name, &values));
        match outcome {
            Some(Ok(value)) => value,
            Some(Err(reason)) => Val::Unknown(reason),
            None => Val::unknown(format!("depends on std.{name}")),
        }
    }

    fn external(&self, name: &Val) -> Val {
        match name {
            Val::String(name) => Val::unknown(format!("depends on the external variable {name}")),
            other => Val::Unknown(self.reason_of(other)),
        }
    }

    fn of_texts(&self, name: &str, values: &[Val]) -> Option<Result<Val, Reason>> {
        let strings = |items: Vec<&str>| {
            let span = Span::new(tojimari_text::FileId(0), 0, 0);
            Val::array(items.into_iter().map(|item| ready(span, Val::string(item))).collect())
        };
        Some(Ok(match (name, values) {
            ("toString", [value]) => return Some(self.text(value).map(|text| Val::string(&text))),
            ("manifestJson", [value]) => return Some(self.json(value, Some("    "), 0).map(|text| Val::string(&text))),
            ("manifestJsonEx", [value, Val::String(indent)]) => {
                return Some(self.json(value, Some(indent), 0).map(|text| Val::string(&text)));
            }
            ("manifestJsonMinified", [value]) => {
                return Some(self.json(value, None, 0).and_then(|text| match serde_json::from_str(&text) {
                    // Numbers keep their digits.
                    Ok(serde_json::Value::Number(_)) => Ok(Val::string(&text)),
                    Ok::<serde_json::Value, _>(_) if !text.contains('.') => Ok(Val::string(&minified(&text))),
                    _ => Err("depends on JSON with fractions".into()),
                }));
            }
            ("asciiUpper", [Val::String(text)]) => Val::string(&text.to_ascii_uppercase()),
            ("asciiLower", [Val::String(text)]) => Val::string(&text.to_ascii_lowercase()),
            ("startsWith", [Val::String(text), Val::String(start)]) => Val::Bool(text.starts_with(&**start)),
            ("endsWith", [Val::String(text), Val::String(end)]) => Val::Bool(text.ends_with(&**end)),
            ("strReplace", [Val::String(text), Val::String(from), Val::String(to)]) if !from.is_empty() => {
                let grown = text.matches(&**from).count().saturating_mul(to.len()) + text.len();
                if !self.grow(grown) {
                    return Some(Err("takes more than is evaluated".into()));
                }
                Val::string(&text.replace(&**from, to))
            }
            ("split", [Val::String(text), Val::String(by)]) if !by.is_empty() => strings(text.split(&**by).collect()),
            ("substr", [Val::String(text), Val::Number(from), Val::Number(length)]) => {
                Val::string(&text.chars().skip(*from as usize).take(*length as usize).collect::<String>())
            }
            ("trim", [Val::String(text)]) => Val::string(text.trim()),
            ("stripChars", [Val::String(text), Val::String(chars)]) => {
                Val::string(text.trim_matches(|c| chars.contains(c)))
            }
            ("lstripChars", [Val::String(text), Val::String(chars)]) => {
                Val::string(text.trim_start_matches(|c| chars.contains(c)))
            }
            ("rstripChars", [Val::String(text), Val::String(chars)]) => {
                Val::string(text.trim_end_matches(|c| chars.contains(c)))
            }
            ("parseInt", [Val::String(text)]) => match text.parse() {
                Ok(n) => Val::Number(n),
                Err(_) => return Some(Err("is no whole number".into())),
            },
            ("isEmpty", [Val::String(text)]) => Val::Bool(text.is_empty()),
            ("format", [Val::String(format), value]) => {
                return Some(Ok(self.format(format, value, Span::new(tojimari_text::FileId(0), 0, 0))));
            }
            ("parseJson", [Val::String(text)]) => match serde_json::from_str::<serde_json::Value>(text) {
                Ok(json) => Self::of_json(&json),
                Err(_) => return Some(Err("is not JSON".into())),
            },
            _ => return None,
        }))
    }

    fn of_json(json: &serde_json::Value) -> Val {
        let span = Span::new(tojimari_text::FileId(0), 0, 0);
        match json {
            serde_json::Value::Null => Val::Null,
            serde_json::Value::Bool(b) => Val::Bool(*b),
            serde_json::Value::Number(n) => Val::Number(n.as_f64().unwrap_or_default()),
            serde_json::Value::String(text) => Val::string(text),
            serde_json::Value::Array(items) => {
                Val::array(items.iter().map(|item| ready(span, Self::of_json(item))).collect())
            }
            serde_json::Value::Object(members) => {
                let fields = members
                    .iter()
                    .map(|(name, value)| (Rc::from(name.as_str()), span, ready(span, Self::of_json(value))));
                Val::Object(Object::given(fields.collect(), None))
            }
        }
    }

    fn of_numbers(&self, name: &str, values: &[Val]) -> Option<Result<Val, Reason>> {
        let number = |n: f64| if n.is_finite() { Ok(Val::Number(n)) } else { Err("is no number".into()) };
        Some(match (name, values) {
            ("abs", [Val::Number(n)]) => number(n.abs()),
            ("floor", [Val::Number(n)]) => number(n.floor()),
            ("ceil", [Val::Number(n)]) => number(n.ceil()),
            ("round", [Val::Number(n)]) => number(n.round()),
            ("max", [Val::Number(a), Val::Number(b)]) => number(a.max(*b)),
            ("min", [Val::Number(a), Val::Number(b)]) => number(a.min(*b)),
            ("pow", [Val::Number(a), Val::Number(b)]) => number(a.powf(*b)),
            ("mod", [Val::Number(a), Val::Number(b)]) if *b != 0.0 => number(a % b),
            ("mod", [Val::String(format), value]) => {
                Ok(self.format(format, value, Span::new(tojimari_text::FileId(0), 0, 0)))
            }
            ("isString", [value]) => Ok(Val::Bool(matches!(value, Val::String(_)))),
            ("isNumber", [value]) => Ok(Val::Bool(matches!(value, Val::Number(_)))),
            ("isBoolean", [value]) => Ok(Val::Bool(matches!(value, Val::Bool(_)))),
            ("isArray", [value]) => Ok(Val::Bool(matches!(value, Val::Array(_)))),
            ("isObject", [value]) => Ok(Val::Bool(matches!(value, Val::Object(_) | Val::Std))),
            ("isFunction", [value]) => Ok(Val::Bool(matches!(value, Val::Function(_)))),
            _ => return None,
        })
    }

    /// Calls a function of one value.
    fn each(&self, function: &Function, item: Thunk, span: Span) -> Val {
        self.apply(function, vec![(None, item)], span)
    }

    fn is_true(&self, value: &Val) -> Result<bool, Reason> {
        match value {
            Val::Bool(b) => Ok(*b),
            other => Err(self.reason_of(other)),
        }
    }
}

/// JSON on one line without blanks between its parts.
fn minified(json: &str) -> String {
    serde_json::from_str::<serde_json::Value>(json).map_or_else(|_| json.to_owned(), |json| json.to_string())
}
