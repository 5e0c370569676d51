//! Compose files laid over one another, and services over those that they extend.
//! Source: the merge chapter of the Compose specification.

use std::collections::HashSet;

use tojimari_text::{Node, Span, Written, yaml};

use super::interpolate::Variables;
use tojimari_model::value::{Kind, Member, Part, Reason, Value};

/// Members that stand for the tags `!reset` and `!override` until files are merged. No file can
/// write them.
const RESET: &str = "\0reset";
const OVERRIDE: &str = "\0override";

/// A node with its variables put in, in the long form where lists and mappings may stand for each
/// other.
pub(super) fn value(node: &Node, key: &str, variables: &Variables) -> Value {
    let span = node.span;
    let marked = |name: &str, value: Value| {
        let member = Member { name: name.into(), name_span: span, value };
        Value::new(span, Kind::Map(vec![member], None))
    };
    match node.tag.as_deref() {
        None => {}
        Some("reset") => return marked(RESET, Value::new(span, Kind::Null)),
        Some("override") => {
            let plain = Node { tag: None, ..node.clone() };
            return marked(OVERRIDE, value(&plain, key, variables));
        }
        Some(yaml::UNRESOLVED) => return Value::unknown(span, "depends on an alias that leads nowhere"),
        Some(tag) => return Value::unknown(span, format!("depends on the tag !{tag}")),
    }
    let kind = match &node.written {
        Written::Null => Kind::Null,
        Written::Bool(b) => Kind::Bool(*b),
        Written::Number(digits) => Kind::Number(digits.clone()),
        Written::String(text) if is_text_list(key) => Kind::List(vec![variables.value(text, span)], None),
        Written::String(text) => return variables.value(text, span),
        Written::Sequence(items) if is_map_of_texts(key) => {
            let mut members = Vec::with_capacity(items.len());
            let mut rest = None;
            for item in items {
                match item.as_str().map(|text| named(text, item.span, variables)) {
                    Some(Ok(member)) => members.push(member),
                    Some(Err(reason)) => rest = Some(reason),
                    None => {}
                }
            }
            Kind::Map(members, rest)
        }
        Written::Sequence(items) => {
            let items = items.iter().map(|item| value(item, "", variables));
            Kind::List(items.collect(), None)
        }
        Written::Mapping(entries) => {
            let mut rest = None;
            let mut members: Vec<Member> = Vec::with_capacity(entries.len());
            for entry in entries {
                if entry.value.tag.as_deref() == Some(yaml::UNRESOLVED) && &*entry.key.name == "<<" {
                    rest = Some("depends on an alias that leads nowhere".into());
                    continue;
                }
                let mut member = Member {
                    name: entry.key.name.clone(),
                    name_span: entry.key.span,
                    value: value(&entry.value, &entry.key.name, variables),
                };
                if key == "environment" && member.value.kind == Kind::Null {
                    member.value = from_shell(&member.name, member.name_span, variables);
                }
                members.push(member);
            }
            Kind::Map(members, rest)
        }
    };
    Value::new(span, kind)
}

/// `NAME=value` of a list that stands for a mapping.
fn named(text: &str, span: Span, variables: &Variables) -> Result<Member, Reason> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, variables.value(value, span)),
        None => (text, from_shell(text, span, variables)),
    };
    match variables.value(name, span).kind {
        Kind::String(name) => Ok(Member { name, name_span: span, value }),
        Kind::Unknown(reason) => Err(reason),
        _ => Err("depends on a name that is not a text".into()),
    }
}

/// A variable of a container that the file names without a value has that of the shell.
fn from_shell(name: &str, span: Span, variables: &Variables) -> Value {
    match variables.named(name) {
        Some(parts) => Value::of_parts(span, parts.to_vec()),
        None => {
            Value::unknown(span, Reason::of_parts(vec![Part::Unknown("comes from the shell that runs Compose".into())]))
        }
    }
}

fn is_map_of_texts(key: &str) -> bool {
    matches!(key, "environment" | "labels" | "sysctls" | "annotations" | "args" | "driver_opts")
}

fn is_text_list(key: &str) -> bool {
    matches!(key, "tmpfs" | "dns" | "dns_search" | "dns_opt" | "env_file")
}

/// The second over the first.
pub(super) fn merged(base: Value, over: Value, key: &str) -> Value {
    if marker(&over).is_some() {
        return over;
    }
    let (base_span, over_span) = (base.span, over.span);
    match (base.kind, over.kind) {
        // A mapping or list that says nothing takes nothing away.
        (kind @ (Kind::Map(..) | Kind::List(..)), Kind::Null) => Value::new(base_span, kind),
        (Kind::Map(base, base_rest), Kind::Map(over, over_rest)) => {
            let differs = key == "logging" && other_driver(&base, &over);
            let mut members = base;
            for member in over {
                match members.iter().position(|other| other.name == member.name) {
                    Some(at) if differs && &*member.name == "options" => members[at] = member,
                    Some(at) => {
                        let base = std::mem::replace(&mut members[at].value, Value::new(over_span, Kind::Null));
                        let value = merged(base, member.value, &member.name);
                        members[at] = Member { value, ..member };
                    }
                    None => members.push(member),
                }
            }
            Value::new(over_span, Kind::Map(members, over_rest.or(base_rest)))
        }
        (Kind::List(..), Kind::List(items, rest)) if matches!(key, "command" | "entrypoint" | "test") => {
            Value::new(over_span, Kind::List(items, rest))
        }
        (Kind::List(mut items, base_rest), Kind::List(more, over_rest)) => {
            items.extend(more);
            Value::new(over_span, Kind::List(items, over_rest.or(base_rest)))
        }
        (_, over) => Value::new(over_span, over),
    }
}

/// Options of a log driver hold for that driver alone.
fn other_driver(base: &[Member], over: &[Member]) -> bool {
    let driver = |members: &[Member]| {
        members.iter().rfind(|member| &*member.name == "driver").map(|member| member.value.kind.clone())
    };
    match (driver(base), driver(over)) {
        (Some(base), Some(over)) => base != over,
        _ => false,
    }
}

fn marker(value: &Value) -> Option<&str> {
    match &value.kind {
        Kind::Map(members, None) => match &members[..] {
            [member] if matches!(&*member.name, RESET | OVERRIDE) => Some(&member.name),
            _ => None,
        },
        _ => None,
    }
}

/// The value once no file is left to merge: what was reset is gone.
pub(super) fn settled(value: Value) -> Value {
    if let Some(name) = marker(&value) {
        let reset = name == RESET;
        let Kind::Map(members, _) = value.kind else { return Value::new(value.span, Kind::Null) };
        return match members.into_iter().next() {
            Some(member) if !reset => settled(member.value),
            _ => Value::new(value.span, Kind::Null),
        };
    }
    let kind = match value.kind {
        Kind::List(items, rest) => {
            Kind::List(items.into_iter().map(settled).filter(|item| item.kind != Kind::Null).collect(), rest)
        }
        Kind::Map(members, rest) => {
            // The last of two equal keys is the one that holds.
            let mut seen = HashSet::new();
            let mut kept: Vec<Member> = members
                .into_iter()
                .rev()
                .filter(|member| seen.insert(member.name.clone()))
                .map(|member| Member { value: settled(member.value), ..member })
                .collect();
            kept.reverse();
            Kind::Map(kept, rest)
        }
        other => other,
    };
    Value::new(value.span, kind)
}
