//! Whether an IAM policy on a resource lets anybody in.

use tojimari_model::value::Reason;
use tojimari_model::{Kind, Value};
use tojimari_text::Span;

use crate::search::Search;

pub enum Openness {
    Open(Span),
    Closed,
    Unknown(Reason, Span),
}

/// Looks for a statement that allows something to everybody under no condition that says who or
/// from where.
pub fn openness(policy: &Value) -> Openness {
    let Some(statements) = policy.get("Statement") else {
        return match &policy.kind {
            Kind::Map(_, Some(reason)) | Kind::Unknown(reason) => Openness::Unknown(reason.clone(), policy.span),
            _ => Openness::Closed,
        };
    };
    let mut search = Search::new("whether a statement lets anybody in");
    let all = match &statements.kind {
        Kind::List(items, rest) => {
            rest.iter().for_each(|reason| search.note(reason, statements.span));
            &items[..]
        }
        _ => std::slice::from_ref(statements),
    };
    for statement in all {
        match of_statement(statement) {
            Openness::Open(span) => return Openness::Open(span),
            Openness::Unknown(reason, span) => search.note(&reason, span),
            Openness::Closed => {}
        }
    }
    search.finish(Openness::Unknown, Openness::Closed)
}

fn of_statement(statement: &Value) -> Openness {
    let unknown = |value: &Value| match &value.kind {
        Kind::Unknown(reason) => Some((reason.clone(), value.span)),
        _ => None,
    };
    if let Some((reason, span)) = unknown(statement) {
        return Openness::Unknown(reason, span);
    }
    let effect = statement.get("Effect");
    if effect.and_then(Value::as_str).is_some_and(|effect| effect != "Allow") {
        return Openness::Closed;
    }
    let span = match (statement.get("Principal"), statement.get("NotPrincipal")) {
        // Everybody but those who are named.
        (None, Some(all_but)) => all_but.span,
        (None, None) => return Openness::Closed,
        (Some(principal), _) => match everybody(principal) {
            Openness::Open(span) => span,
            other => return other,
        },
    };
    if let Some((reason, span)) = effect.and_then(unknown) {
        return Openness::Unknown(reason, span);
    }
    match statement.get("Condition") {
        None => Openness::Open(span),
        Some(condition) => match unknown(condition) {
            Some((reason, span)) => Openness::Unknown(reason, span),
            None if condition.members().iter().any(|operator| narrows(&operator.name, &operator.value)) => {
                Openness::Closed
            }
            None => Openness::Open(span),
        },
    }
}

/// `*` alone, or among the principals of AWS.
fn everybody(principal: &Value) -> Openness {
    let mut todo = vec![principal];
    let mut search = Search::new("whether anybody is a principal");
    while let Some(value) = todo.pop() {
        match &value.kind {
            Kind::String(text) if &**text == "*" => return Openness::Open(value.span),
            // A principal that is partly known is somebody; one that is not known at all may be anybody.
            Kind::Unknown(reason) if reason.parts().is_empty() && reason.address().is_none() => {
                search.note(reason, value.span);
            }
            Kind::List(items, rest) => {
                todo.extend(items);
                rest.iter().for_each(|reason| search.note(reason, value.span));
            }
            Kind::Map(members, rest) => {
                todo.extend(members.iter().filter(|member| &*member.name == "AWS").map(|member| &member.value));
                rest.iter().for_each(|reason| search.note(reason, value.span));
            }
            _ => {}
        }
    }
    search.finish(Openness::Unknown, Openness::Closed)
}

/// A condition that says who it is or where the call comes from, with a value that is not anything.
fn narrows(operator: &str, keys: &Value) -> bool {
    const KEYS: [&str; 11] = [
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principaltag",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceip",
    ];
    let anything = |value: &Value| matches!(value.as_str(), Some("*" | "0.0.0.0/0" | "::/0"));
    let operator = operator.to_ascii_lowercase();
    !operator.contains("not")
        && !operator.contains("ifexists")
        && !operator.contains("null")
        && keys.members().iter().any(|key| {
            let name = key.name.to_ascii_lowercase();
            let name = name.split('/').next().unwrap_or_default();
            KEYS.contains(&name) && !anything(&key.value) && !key.value.items().iter().any(anything)
        })
}
