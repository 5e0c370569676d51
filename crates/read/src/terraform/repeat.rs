//! How often a block is there: `count` and `for_each`, each of its instances with its key, what it
//! finds bound, and the conditions under which it exists.

use std::sync::Arc;

use tojimari_text::Span;

use super::types;
use super::value::{Entry, InstanceKey, Number, V, Val};
use tojimari_model::value::{Assumption, Reason};

/// Instances of one block.
const MAX_INSTANCES: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Each {
    Count,
    ForEach,
}

/// The instances of a block.
#[derive(Debug)]
pub struct Repeat {
    pub turns: Vec<Turn>,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Once,
    Count(Val),
    /// A map of what `each.value` is.
    ForEach(Val),
}

/// One instance.
#[derive(Clone, Debug)]
pub struct Turn {
    /// None for the only one, and for one that stands for all that nobody can count.
    pub key: Option<InstanceKey>,
    /// `each` or `count`, and what it is.
    pub bound: Option<(&'static str, Val)>,
    pub assumed: Vec<Assumption>,
}

impl Turn {
    /// What tells conditions of this instance from those of another.
    pub fn label(&self) -> Option<String> {
        match (&self.key, &self.bound) {
            (Some(InstanceKey::Number(number)), _) => Some(format!("count.index is {number}")),
            (Some(InstanceKey::Name(name)), _) => Some(format!("each.key is {name:?}")),
            _ => None,
        }
    }
}

impl Repeat {
    pub fn once() -> Repeat {
        Repeat { turns: vec![Turn { key: None, bound: None, assumed: Vec::new() }], form: Form::Once }
    }

    pub fn new(each: Each, value: &Val, condition: &Arc<str>) -> Repeat {
        match each {
            Each::Count => Repeat::count(value, condition),
            Each::ForEach => Repeat::for_each(value, condition),
        }
    }

    fn count(value: &Val, condition: &Arc<str>) -> Repeat {
        let value = types::to_number(value);
        let mut ways = Vec::new();
        leaves(&value, &mut Vec::new(), &mut ways);
        let counts: Vec<(Vec<Assumption>, Option<usize>)> = ways
            .into_iter()
            // Without an instance there where it is wrong.
            .filter(|(_, leaf)| !matches!(leaf.kind, V::Error(_)))
            .map(|(assumed, leaf)| match leaf.kind {
                V::Number(number) => (assumed, Some(number.whole().and_then(|n| usize::try_from(n).ok()).unwrap_or(0))),
                V::Null | V::Absent => (assumed, Some(0)),
                _ => (assumed, None),
            })
            .collect();
        let mut turns = Vec::new();
        let most = counts.iter().filter_map(|(_, count)| *count).max().unwrap_or(0).min(MAX_INSTANCES);
        let bound = |index: Val| {
            let entry = Entry { key: "index".into(), key_span: value.span, value: index };
            Some(("count", Val::map(value.span, vec![entry], None)))
        };
        for index in 0..most {
            let key = Some(InstanceKey::Number(index));
            let has = |count: &Option<usize>| count.is_some_and(|count| count > index);
            let assumed: Vec<_> = match counts.iter().all(|(_, count)| has(count)) {
                true => vec![Vec::new()],
                false => counts.iter().filter(|(_, count)| has(count)).map(|(assumed, _)| assumed.clone()).collect(),
            };
            for assumed in assumed {
                let index = Val::whole(value.span, index as i64);
                turns.push(Turn { key: key.clone(), bound: bound(index), assumed });
            }
        }
        for (mut assumed, _) in counts.into_iter().filter(|(_, count)| count.is_none()) {
            assumed.push(Assumption { condition: format!("{condition} > 0").into(), holds: true });
            let index = Val::unknown(value.span, "depends on count.index");
            turns.push(Turn { key: None, bound: bound(index), assumed });
        }
        Repeat { turns, form: Form::Count(value) }
    }

    fn for_each(value: &Val, condition: &Arc<str>) -> Repeat {
        let map = by_key(value);
        let mut turns = Vec::new();
        let bound = |key: Val, one: &Val| {
            let entries = [("key", key), ("value", one.clone())];
            let entries = entries.map(|(name, value)| Entry { key: name.into(), key_span: value.span, value });
            Some(("each", Val::map(one.span, entries.into(), None)))
        };
        let entries = map.as_map().map(|map| map.entries.as_slice()).unwrap_or_default();
        for entry in entries.iter().take(MAX_INSTANCES) {
            let key = || Val::text(entry.key_span, entry.key.clone());
            let mut ways = vec![(Vec::new(), entry.value.clone())];
            if entry.value.may_be_absent() {
                ways.clear();
                leaves(&entry.value, &mut Vec::new(), &mut ways);
                ways.retain(|(_, leaf)| !matches!(leaf.kind, V::Absent));
            }
            for (assumed, one) in ways {
                let name = Some(InstanceKey::Name(entry.key.clone()));
                turns.push(Turn { key: name, bound: bound(key(), &one), assumed });
            }
        }
        let rest = match &map.kind {
            V::Map(map) => map.rest.clone(),
            V::Error(_) => None,
            _ => Some(map.reason().unwrap_or_else(|| "is not known".into())),
        };
        if let Some(reason) = rest {
            let more = match entries.len() {
                0 => format!("{condition} is not empty"),
                count => format!("{condition} has more than {count} elements"),
            };
            let unknown = || Val::unknown(value.span, reason.clone());
            let assumed = vec![Assumption { condition: more.into(), holds: true }];
            turns.push(Turn { key: None, bound: bound(unknown(), &unknown()), assumed });
        }
        Repeat { turns, form: Form::ForEach(map) }
    }

    /// The instance of a key.
    pub fn turn(&self, key: Option<&InstanceKey>) -> Option<&Turn> {
        self.turns.iter().find(|turn| turn.key.as_ref() == key)
    }

    /// What a reference to the block is: its only instance, or a list or map of them.
    pub fn value(
        &self,
        span: Span,
        address: &str,
        make: &mut dyn FnMut(Option<&InstanceKey>) -> V,
        is_data: bool,
    ) -> Val {
        let unknown = |reason: Option<Reason>| {
            let reason = match is_data {
                true => reason.unwrap_or_else(|| "is not known".into()),
                false => Reason::attribute_of(address),
            };
            Val::unknown(span, reason)
        };
        match &self.form {
            Form::Once => Val::new(span, make(None)),
            Form::Count(count) => count.each_leaf(&mut |leaf| match &leaf.kind {
                V::Number(Number::Whole(count)) => {
                    let count = usize::try_from(*count).unwrap_or(0).min(MAX_INSTANCES);
                    let items = (0..count).map(|at| Val::new(span, make(Some(&InstanceKey::Number(at)))));
                    Val::list(span, items.collect(), None)
                }
                V::Error(_) => leaf.clone(),
                _ => unknown(leaf.reason()),
            }),
            Form::ForEach(map) => match &map.kind {
                V::Map(found) => {
                    let entries = found.entries.iter().take(MAX_INSTANCES).map(|entry| Entry {
                        value: entry.value.each_leaf(&mut |leaf| match leaf.kind {
                            V::Absent => leaf.clone(),
                            _ => Val::new(span, make(Some(&InstanceKey::Name(entry.key.clone())))),
                        }),
                        ..entry.clone()
                    });
                    let rest = found.rest.clone().map(|reason| match is_data {
                        true => reason,
                        false => Reason::attribute_of(address),
                    });
                    Val::map(span, entries.collect(), rest)
                }
                V::Error(_) => map.clone(),
                _ => unknown(map.reason()),
            },
        }
    }
}

/// Every way that the conditions of a value can fall.
pub fn leaves(value: &Val, assumed: &mut Vec<Assumption>, ways: &mut Vec<(Vec<Assumption>, Val)>) {
    match &value.kind {
        V::Choice(choice) => {
            for (holds, way) in [(true, &choice.then), (false, &choice.otherwise)] {
                assumed.push(Assumption { condition: choice.condition.clone(), holds });
                leaves(way, assumed, ways);
                assumed.pop();
            }
        }
        _ => ways.push((assumed.clone(), value.clone())),
    }
}

/// What `for_each` goes through, as one map: a set of strings is a map of each to itself, and of a
/// choice between two maps every entry is there or not.
fn by_key(value: &Val) -> Val {
    match &value.kind {
        V::Map(_) | V::Unknown(_) | V::Error(_) => value.clone(),
        V::Null | V::Absent => Val::map(value.span, Vec::new(), None),
        V::List(list) => {
            let mut entries = Vec::new();
            let mut rest = list.rest.clone();
            for item in &list.items {
                let mut names = Vec::new();
                item.each_leaf(&mut |leaf| {
                    if let V::Text(text) = &leaf.kind
                        && let Some(name) = text.known()
                        && !names.contains(&name)
                    {
                        names.push(name);
                    }
                    leaf.clone()
                });
                let name = if names.len() == 1 { names.pop() } else { None };
                match name {
                    Some(name) => entries.push(Entry { key: name, key_span: item.span, value: item.clone() }),
                    None => rest = rest.or_else(|| item.reason()),
                }
            }
            Val::map(value.span, entries, rest)
        }
        V::Choice(choice) => {
            let (then, otherwise) = (by_key(&choice.then), by_key(&choice.otherwise));
            super::functions::either(value.span, &choice.condition, &then, &otherwise)
        }
        _ => Val::error(value.span, "is no map and no set"),
    }
}
