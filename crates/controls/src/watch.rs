//! Whether a rule or a filter sees somebody open a session: CloudTrail's event ExecuteCommand.

use tojimari_model::declared::{EventRule, MetricFilter};
use tojimari_model::value::Reason;
use tojimari_model::{Field, Kind, Value};
use tojimari_text::Span;

use crate::search::Search;

pub enum Watches {
    Yes,
    No,
    Unknown(Reason),
}

/// An EventBridge rule that is not off, and whose pattern takes the event.
pub fn by_rule(rule: &EventRule) -> Watches {
    if rule.state.as_str() == Some("DISABLED") {
        return Watches::No;
    }
    match &rule.event_pattern {
        Field::Absent => Watches::No,
        Field::Unknown(reason, _) => Watches::Unknown(reason.clone()),
        Field::Known(pattern, _) => takes(pattern, &[]),
    }
}

/// The parts of the event that a pattern can ask for.
fn part(route: &[&str]) -> Option<&'static str> {
    match route {
        ["source"] => Some("aws.ecs"),
        ["detail-type"] => Some("AWS API Call via CloudTrail"),
        ["detail", "eventSource"] => Some("ecs.amazonaws.com"),
        ["detail", "eventName"] => Some("ExecuteCommand"),
        _ => None,
    }
}

/// A pattern takes an event when each of its fields does. A field that the event has no fixed
/// value for narrows what is watched, and counts as taken.
fn takes(pattern: &Value, route: &[&str]) -> Watches {
    let mut search = Search::new("whether the pattern takes the event");
    if let Kind::Map(_, Some(reason)) = &pattern.kind {
        search.note(reason, pattern.span);
    }
    for member in pattern.members() {
        let route = [route, &[&*member.name]].concat();
        let watches = match (&member.value.kind, part(&route)) {
            (Kind::Map(..), _) => takes(&member.value, &route),
            (Kind::Unknown(reason), _) => Watches::Unknown(reason.clone()),
            (Kind::List(items, rest), Some(event)) => any(items, rest.as_ref(), member.value.span, event),
            _ => Watches::Yes,
        };
        match watches {
            Watches::No => return Watches::No,
            Watches::Unknown(reason) => search.note(&reason, member.value.span),
            Watches::Yes => {}
        }
    }
    search.finish(|reason, _| Watches::Unknown(reason), Watches::Yes)
}

fn any(items: &[Value], rest: Option<&Reason>, span: Span, event: &str) -> Watches {
    let mut search = Search::new("whether the list holds the event");
    if let Some(reason) = rest {
        search.note(reason, span);
    }
    for item in items {
        match &item.kind {
            Kind::String(text) if &**text == event => return Watches::Yes,
            Kind::Unknown(reason) => search.note(reason, item.span),
            Kind::Map(members, _) if members.iter().all(|test| passes(&test.name, &test.value, event)) => {
                return Watches::Yes;
            }
            _ => {}
        }
    }
    search.finish(|reason, _| Watches::Unknown(reason), Watches::No)
}

/// The tests of EventBridge on one field.
fn passes(test: &str, with: &Value, event: &str) -> bool {
    let text = with.as_str().unwrap_or_default();
    let same = |other: &Value| other.as_str() == Some(event);
    match test {
        "prefix" => event.starts_with(text),
        "suffix" => event.ends_with(text),
        "equals-ignore-case" => event.eq_ignore_ascii_case(text),
        "anything-but" => !same(with) && !with.items().iter().any(same),
        "exists" => with.kind == Kind::Bool(true),
        "wildcard" => match text.split_once('*') {
            Some((start, end)) => event.starts_with(start) && event.ends_with(end.rsplit('*').next().unwrap_or(end)),
            None => text == event,
        },
        _ => false,
    }
}

/// A metric filter on a trail's log group that asks for the event by its name.
pub fn by_filter(filter: &MetricFilter) -> Watches {
    match &filter.filter_pattern {
        Field::Absent => Watches::No,
        Field::Unknown(reason, _) => Watches::Unknown(reason.clone()),
        Field::Known(pattern, _) => {
            let plain: String =
                pattern.chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | '(' | ')')).collect();
            match ["eventName=ExecuteCommand", "eventName=Execute*", "eventName=*"]
                .iter()
                .any(|asks| plain.contains(asks))
            {
                true => Watches::Yes,
                false => Watches::No,
            }
        }
    }
}
