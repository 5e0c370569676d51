//! Functions of lists, sets and maps. What is there only under a condition stays in its place, so
//! that the rest of a collection remains known.
//!
//! Long because each function is a few lines of one table.

use std::sync::Arc;

use tojimari_text::Span;

use super::{Answer, Call};
use crate::partial::BOUNDS;
use crate::terraform::module::Evaluator;
use crate::terraform::types;
use crate::terraform::value::{Entry, List, Number, Shape, V, Val};
use tojimari_model::value::Reason;

/// Items of one list that a function makes.
const MAX_ITEMS: usize = BOUNDS.items;

/// Maps laid over one another: of members with the same name the last counts.
pub fn merge(maps: &[Val], span: Span) -> Val {
    let mut merged = Val::object(span, Vec::new(), None);
    for map in maps {
        merged = over(span, &merged, map);
    }
    let shapes: Vec<Option<Shape>> = maps.iter().filter(|map| !map.is_null()).map(Val::shape).collect();
    let mut shape = together(&shapes);
    if shapes.is_empty() {
        shape = Shape::Fixed;
    } else if shape == Shape::Open {
        // Of maps of one type a map is made, of others an object.
        let given: Vec<&Val> = maps.iter().filter(|map| !map.is_null()).collect();
        shape = match types::have_one(&given) {
            Some(true) => Shape::Alike,
            Some(false) => Shape::Fixed,
            None => Shape::Open,
        };
    }
    merged.each_leaf(&mut |leaf| leaf.shaped(shape))
}

/// The type of what is made of several collections: of maps that of one, where their elements have
/// one type, and an object where one of them is such.
fn together(shapes: &[Option<Shape>]) -> Shape {
    match shapes {
        [Some(only)] if *only != Shape::Set => *only,
        _ if shapes.contains(&Some(Shape::Fixed)) => Shape::Fixed,
        _ => Shape::Open,
    }
}

fn over(span: Span, base: &Val, map: &Val) -> Val {
    match (&base.kind, &map.kind) {
        (V::Error(_), _) => base.clone(),
        (_, V::Error(_)) => map.clone(),
        (_, V::Null | V::Absent) => base.clone(),
        (V::Map(below), V::Map(above)) => {
            if below.entries.is_empty() && below.rest.is_none() && !above.maybe {
                return map.clone();
            }
            let mut entries: Vec<Entry> = Vec::with_capacity(below.entries.len() + above.entries.len());
            for entry in &below.entries {
                match (&above.rest, above.get(&entry.key)) {
                    (_, Some(_)) => {}
                    // What nobody can name may stand above it.
                    (Some(reason), None) => {
                        let value = Val::unknown(entry.value.span, reason.clone());
                        entries.push(Entry { value, ..entry.clone() });
                    }
                    (None, None) => entries.push(entry.clone()),
                }
            }
            for entry in &above.entries {
                let value = match entry.value.may_be_absent() {
                    false => entry.value.clone(),
                    true => entry.value.each_leaf(&mut |leaf| match (&leaf.kind, below.get(&entry.key)) {
                        (V::Absent, Some(under)) => under.value.clone(),
                        _ => leaf.clone(),
                    }),
                };
                entries.push(Entry { value, ..entry.clone() });
            }
            let rest = below.rest.clone().or_else(|| above.rest.clone());
            Val::map(span, entries, rest)
        }
        (V::Map(_), V::Choice(choice)) => {
            let then = over(span, base, &choice.then);
            let otherwise = over(span, base, &choice.otherwise);
            either(span, &choice.condition, &then, &otherwise)
        }
        (V::Map(below), _) => {
            let Some(reason) = map.reason() else { return Val::error(span, "merge() wants maps") };
            let unknown =
                |entry: &Entry| Entry { value: Val::unknown(entry.value.span, reason.clone()), ..entry.clone() };
            Val::map(span, below.entries.iter().map(unknown).collect(), Some(reason.clone()))
        }
        _ => base.clone(),
    }
}

/// One of two maps, as one map whose members are there under a condition.
pub fn either(span: Span, condition: &Arc<str>, then: &Val, otherwise: &Val) -> Val {
    let (V::Map(a), V::Map(b)) = (&then.kind, &otherwise.kind) else {
        return Val::choice(span, condition, then.clone(), otherwise.clone());
    };
    let absent = |entry: &Entry, rest: &Option<Reason>| match rest {
        Some(reason) => Val::unknown(entry.value.span, reason.clone()),
        None => Val::new(entry.value.span, V::Absent),
    };
    let mut entries = Vec::with_capacity(a.entries.len().max(b.entries.len()));
    for entry in &a.entries {
        let other = b.get(&entry.key).map_or_else(|| absent(entry, &b.rest), |other| other.value.clone());
        let value = Val::choice(entry.value.span, condition, entry.value.clone(), other);
        entries.push(Entry { value, ..entry.clone() });
    }
    for entry in b.entries.iter().filter(|entry| a.get(&entry.key).is_none()) {
        let value = Val::choice(entry.value.span, condition, absent(entry, &a.rest), entry.value.clone());
        entries.push(Entry { value, ..entry.clone() });
    }
    let rest = a.rest.clone().or_else(|| b.rest.clone());
    Val::map(span, entries, rest)
}

/// Lists one behind the other.
pub fn concat(lists: &[Val], span: Span) -> Val {
    let (mut items, mut rest) = (Vec::new(), None);
    for list in lists {
        if let Err(error) = append(list, &mut items, &mut rest, false) {
            return error;
        }
    }
    // Of several lists that are open, no one item stands for what is in all of them.
    let open: Vec<&Val> =
        lists.iter().filter(|list| !matches!(list.as_list(), Some(List { rest: None, .. }))).collect();
    let each = match open.as_slice() {
        [only] => only.as_list().and_then(|list| list.each.clone()),
        _ => None,
    };
    let shapes: Vec<Option<Shape>> = lists.iter().filter(|list| !list.is_null()).map(Val::shape).collect();
    let made = Val::list_with(span, items, rest, each, together(&shapes));
    let lists: Vec<&Val> = lists.iter().filter(|list| !list.is_null()).collect();
    match shapes.as_slice() {
        // Lists whose types are known become one of the type that they have in common.
        [_, _, ..] if shapes.iter().all(|shape| *shape == Some(Shape::Alike)) => match types::have_one(&lists) {
            Some(true) => made.shaped(Shape::Alike),
            Some(false) if made.reason().is_none() => types::alike(&made),
            _ => made,
        },
        _ => made,
    }
}

/// Adds the items of a list; of a choice between lists, each item under its condition. `flat`: the
/// items that are lists themselves, too.
fn append(list: &Val, items: &mut Vec<Val>, rest: &mut Option<Reason>, flat: bool) -> Result<(), Val> {
    match &list.kind {
        V::List(found) => {
            for item in &found.items {
                match flat && item.any_leaf(&|leaf| matches!(leaf.kind, V::List(_))) {
                    true => append(item, items, rest, true)?,
                    false => items.push(item.clone()),
                }
            }
            if rest.is_none() {
                rest.clone_from(&found.rest);
            }
            Ok(())
        }
        V::Choice(choice) => {
            for (way, holds) in [(&choice.then, true), (&choice.otherwise, false)] {
                let mut under = Vec::new();
                match (&way.kind, flat) {
                    // What is no list is an item of its own.
                    (V::List(_) | V::Choice(_), _) | (_, false) => append(way, &mut under, rest, flat)?,
                    (V::Absent, true) => {}
                    (_, true) => under.push(way.clone()),
                }
                for item in under {
                    let absent = Val::new(item.span, V::Absent);
                    let (then, otherwise) = if holds { (item, absent) } else { (absent, item) };
                    items.push(Val::choice(list.span, &choice.condition, then, otherwise));
                }
            }
            Ok(())
        }
        V::Null | V::Absent => Ok(()),
        V::Error(_) => Err(list.clone()),
        _ => match list.reason() {
            Some(reason) => {
                rest.get_or_insert(reason);
                Ok(())
            }
            None => Err(Val::error(list.span, "is not a list")),
        },
    }
}

/// The items of lists within lists, however deep.
pub fn flatten(arguments: &[Val], span: Span) -> Val {
    let Some(list) = arguments.first() else { return Val::error(span, "flatten() lacks an argument") };
    let (mut items, mut rest) = (Vec::new(), None);
    let mut flat = |list: &Val| {
        // An item that is not known may be a list of any length.
        if let V::List(found) = &list.kind {
            for item in &found.items {
                let one = std::slice::from_ref(item);
                match &item.kind {
                    V::Unknown(unknown) => {
                        rest.get_or_insert_with(|| unknown.reason.clone());
                    }
                    _ => append(&Val::list(item.span, one.to_vec(), None), &mut items, &mut rest, true)?,
                }
            }
            if rest.is_none() {
                rest.clone_from(&found.rest);
            }
            return Ok(());
        }
        append(list, &mut items, &mut rest, true)
    };
    match flat(list) {
        Ok(()) => Val::tuple(span, items, rest),
        Err(error) => error,
    }
}

impl Evaluator<'_> {
    pub(super) fn collection_function(&mut self, call: &Call<'_>) -> Answer {
        let span = call.span;
        let list_of = |items: Vec<Val>| Ok(types::alike(&Val::list(span, items, None)));
        match call.name {
            "lookup" => self.lookup(call),
            "keys" => {
                let map = call.map(0)?;
                if map.maybe {
                    return Err(call.unknown(call.argument(0)?.reason()));
                }
                let keys = map.entries.iter().map(|entry| Val::text(entry.key_span, entry.key.clone()));
                Ok(Val::list_of(span, keys.collect(), map.rest.clone(), map.shape))
            }
            "values" => {
                let map = call.map(0)?;
                let values = map.entries.iter().map(|entry| entry.value.clone());
                Ok(Val::list_of(span, values.collect(), map.rest.clone(), map.shape))
            }
            "length" => match &call.argument(0)?.kind {
                V::Text(_) => Ok(Val::whole(span, call.text(0)?.chars().count() as i64)),
                V::Map(map) if map.maybe || map.rest.is_some() => {
                    let open = map.entries.iter().find(|entry| entry.value.may_be_absent());
                    let open = open.and_then(|entry| entry.value.reason());
                    Err(call.unknown(map.rest.clone().or(open)))
                }
                V::Map(map) => Ok(Val::whole(span, map.entries.len() as i64)),
                _ => Ok(Val::whole(span, call.whole_list(0)?.items.len() as i64)),
            },
            "element" => {
                let (list, at) = (call.whole_list(0)?, call.whole(1)?);
                match list.items.len() {
                    0 => Err(call.wrong("is given an empty list")),
                    length => Ok(list.items[at.rem_euclid(length as i64) as usize].clone()),
                }
            }
            "contains" => {
                let list = call.list(0)?;
                let wanted = call.argument(1)?;
                let mut open = list.rest.clone();
                for item in &list.items {
                    match self.equal(item, wanted) {
                        Ok(true) => return Ok(Val::bool(span, true)),
                        // Numbers among strings are strings.
                        Ok(false) if list.shape == Shape::Open && self.equal_as_texts(item, wanted) => {
                            open = open.or(Some("depends on the type of the list".into()));
                        }
                        Ok(false) => {}
                        Err(reason) => open = open.or(Some(reason)),
                    }
                }
                match open {
                    Some(reason) => Err(call.unknown(Some(reason))),
                    None => Ok(Val::bool(span, false)),
                }
            }
            "distinct" => {
                let alike = types::alike(call.argument(0)?);
                let Some(list) = alike.as_list() else { return Err(call.unfit(&alike, "a list")) };
                let mut kept: Vec<Val> = Vec::new();
                for item in &list.items {
                    self.spend(kept.len() as u64);
                    if !kept.iter().any(|other| matches!(self.equal(other, item), Ok(true))) {
                        kept.push(item.clone());
                    }
                }
                Ok(Val::list_of(span, kept, list.rest.clone(), alike.shape().unwrap_or(Shape::Open)))
            }
            "compact" => {
                let list = call.list(0)?;
                let kept = list.items.iter().map(|item| {
                    item.each_leaf(&mut |leaf| match &leaf.kind {
                        V::Null => Val::new(leaf.span, V::Absent),
                        V::Text(text) if text.known().is_some_and(|text| text.is_empty()) => {
                            Val::new(leaf.span, V::Absent)
                        }
                        _ => leaf.clone(),
                    })
                });
                let kept =
                    kept.filter(|item| !matches!(item.kind, V::Absent)).map(|item| types::to_text(&item)).collect();
                Ok(Val::list_of(span, kept, list.rest.clone(), Shape::Alike))
            }
            "coalesce" => {
                let shapes: Vec<Shape> = call.arguments.iter().filter_map(Val::shape).collect();
                if shapes.contains(&Shape::Set)
                    && shapes.iter().any(|shape| matches!(shape, Shape::Fixed | Shape::Open))
                {
                    return Err(call.unknown(Some("depends on the common type of a set and a list".into())));
                }
                for argument in call.arguments {
                    match &argument.kind {
                        V::Null | V::Absent => {}
                        V::Text(text) if text.known().is_some_and(|text| text.is_empty()) => {}
                        V::Unknown(_) => return Err(argument.at(span)),
                        // All arguments have one type.
                        _ => {
                            let mut values = vec![argument.clone()];
                            values.extend(call.arguments.iter().cloned());
                            return Ok(types::unified(&values).swap_remove(0));
                        }
                    }
                }
                Err(call.wrong("is given nothing but null"))
            }
            "coalescelist" => {
                for argument in call.arguments {
                    match &argument.kind {
                        V::List(list) if list.items.is_empty() && list.rest.is_none() => {}
                        V::Null | V::Absent => {}
                        V::List(list) if list.items.is_empty() || list.items.iter().all(Val::may_be_absent) => {
                            return Err(call.unknown(argument.reason()));
                        }
                        V::Unknown(_) => return Err(argument.at(span)),
                        _ => return Ok(argument.clone()),
                    }
                }
                Err(call.wrong("is given nothing but empty lists"))
            }
            "reverse" => {
                let list = call.list(0)?;
                let shape = if list.shape == Shape::Set { Shape::Alike } else { list.shape };
                Ok(Val::list_of(span, list.items.iter().rev().cloned().collect(), list.rest.clone(), shape))
            }
            "slice" => {
                let (list, from, to) = (call.whole_list(0)?, call.whole(1)?, call.whole(2)?);
                let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
                match range.and_then(|(from, to)| list.items.get(from..to)) {
                    Some(items) => Ok(Val::list_of(span, items.to_vec(), None, list.shape)),
                    None => Err(call.wrong("is given an end that the list does not reach")),
                }
            }
            "chunklist" => {
                call.whole_list(0)?;
                let alike = types::alike(call.argument(0)?);
                let (Some(list), size) = (alike.as_list(), call.whole(1)?) else {
                    return Err(call.unfit(&alike, "a list"));
                };
                let size = usize::try_from(size).ok().filter(|size| *size > 0).unwrap_or(list.items.len().max(1));
                list_of(
                    list.items.chunks(size).map(|chunk| Val::list_of(span, chunk.to_vec(), None, list.shape)).collect(),
                )
            }
            "sort" => {
                let list = call.whole_list(0)?;
                let mut texts = Vec::with_capacity(list.items.len());
                for item in &list.items {
                    let text = self.known_text(&types::to_text(item)).map_err(|reason| call.unknown(Some(reason)))?;
                    texts.push((text, item.clone()));
                }
                texts.sort_by(|a, b| a.0.cmp(&b.0));
                list_of(texts.into_iter().map(|(text, item)| Val::text(item.span, text)).collect())
            }
            "index" => {
                let list = call.whole_list(0)?;
                let wanted = call.argument(1)?;
                for (at, item) in list.items.iter().enumerate() {
                    match self.equal(item, wanted) {
                        Ok(true) => return Ok(Val::whole(span, at as i64)),
                        Ok(false) => {}
                        Err(reason) => return Err(call.unknown(Some(reason))),
                    }
                }
                Err(call.wrong("does not find the element"))
            }
            "zipmap" => {
                let (keys, values) = (call.whole_list(0)?, call.whole_list(1)?);
                if keys.items.len() != values.items.len() {
                    return Err(call.wrong("is given lists of different length"));
                }
                let (mut entries, mut rest) = (Vec::new(), None);
                for (key, value) in keys.items.iter().zip(&values.items) {
                    match self.known_text(&types::to_text(key)) {
                        Ok(name) => entries.push(Entry { key: name, key_span: key.span, value: value.clone() }),
                        Err(reason) => rest = rest.or(Some(reason)),
                    }
                }
                Ok(Val::map_of(span, entries, rest, values.shape))
            }
            "setproduct" => {
                let mut tuples: Vec<Vec<Val>> = vec![Vec::new()];
                for at in 0..call.arguments.len() {
                    let list = call.whole_list(at)?;
                    let length = tuples.len().saturating_mul(list.items.len());
                    if length > MAX_ITEMS || !self.spend(length as u64 * (at as u64 + 1)) {
                        return Err(call.unknown(Some("has too many elements".into())));
                    }
                    tuples = tuples
                        .iter()
                        .flat_map(|tuple| {
                            list.items.iter().map(move |item| [tuple.as_slice(), std::slice::from_ref(item)].concat())
                        })
                        .collect();
                }
                list_of(tuples.into_iter().map(|tuple| Val::tuple(span, tuple, None)).collect())
            }
            "setunion" => Ok(types::to_set(&concat(call.arguments, span))),
            "setintersection" | "setsubtract" => {
                let sets: Vec<Val> = (0..call.arguments.len())
                    .map(|at| {
                        call.whole_list(at).map(|list| Val::list_of(span, list.items.clone(), None, Shape::Alike))
                    })
                    .collect::<Result<_, _>>()?;
                // All of them are sets of one type.
                let sets = types::unified(&sets);
                let items = |at: usize| sets.get(at).and_then(Val::as_list).map_or(&[][..], |list| &list.items);
                let mut kept: Vec<Val> = items(0).to_vec();
                let wanted = call.name == "setintersection";
                for at in 1..call.arguments.len() {
                    let other = items(at);
                    let mut next = Vec::new();
                    for item in kept {
                        let mut found = false;
                        for one in other {
                            match self.equal(&item, one) {
                                Ok(equal) => found |= equal,
                                Err(reason) => return Err(call.unknown(Some(reason))),
                            }
                        }
                        if found == wanted {
                            next.push(item);
                        }
                    }
                    kept = next;
                }
                Ok(types::to_set(&Val::list(span, kept, None)))
            }
            "range" => self.range(call),
            "one" => {
                let value = call.argument(0)?;
                match &value.kind {
                    V::List(_) => match call.whole_list(0)?.items.as_slice() {
                        [] => Ok(Val::null(span)),
                        [only] => Ok(only.clone()),
                        _ => Err(call.wrong("is given several elements")),
                    },
                    V::Null | V::Absent => Ok(Val::null(span)),
                    _ => Err(call.unfit(value, "a list")),
                }
            }
            "tolist" | "toset" | "tomap" if call.argument(0)?.is_null() => Ok(Val::null(span)),
            "tolist" => {
                call.list(0)?;
                Ok(types::alike(call.argument(0)?))
            }
            "toset" => match &call.argument(0)?.kind {
                V::List(_) => Ok(types::to_set(call.argument(0)?)),
                _ => Err(call.unfit(call.argument(0)?, "a list")),
            },
            "tomap" => {
                call.map(0)?;
                Ok(types::alike(call.argument(0)?))
            }
            "list" => list_of(call.arguments.to_vec()),
            "map" => {
                let mut entries = Vec::new();
                for pair in 0..call.arguments.len() / 2 {
                    let (key, value) = (call.text(pair * 2)?, call.argument(pair * 2 + 1)?.clone());
                    entries.push(Entry { key, key_span: span, value });
                }
                Ok(Val::map(span, entries, None))
            }
            "matchkeys" => {
                let (values, keys, wanted) = (call.whole_list(0)?, call.whole_list(1)?, call.whole_list(2)?);
                let mut kept = Vec::new();
                for (value, key) in values.items.iter().zip(&keys.items) {
                    for one in &wanted.items {
                        match self.equal(key, one) {
                            Ok(true) => {
                                kept.push(value.clone());
                                break;
                            }
                            Ok(false) => {}
                            Err(reason) => return Err(call.unknown(Some(reason))),
                        }
                    }
                }
                list_of(kept)
            }
            "alltrue" | "anytrue" => {
                let any = call.name == "anytrue";
                let list = call.list(0)?;
                // All elements are converted before any is looked at.
                let truths: Vec<Val> = list.items.iter().map(types::to_bool).collect();
                if let Some(error) = truths.iter().find(|truth| matches!(truth.kind, V::Error(_))) {
                    return Err(error.clone());
                }
                let mut open = list.rest.clone();
                for item in &truths {
                    match &item.kind {
                        V::Bool(b) if *b == any => return Ok(Val::bool(span, any)),
                        V::Bool(_) => {}
                        V::Null if !any => return Ok(Val::bool(span, false)),
                        V::Null => {}
                        _ => open = open.or_else(|| item.reason()),
                    }
                }
                match open {
                    Some(reason) => Err(call.unknown(Some(reason))),
                    None => Ok(Val::bool(span, !any)),
                }
            }
            "sum" => {
                let mut sum = Some(Number::Whole(0));
                for item in &call.whole_list(0)?.items {
                    match types::to_number(item).kind {
                        V::Number(number) => {
                            sum = sum.and_then(|sum| sum.big()?.plus(&number.big()?)).and_then(Number::of);
                        }
                        _ => return Err(call.unfit(item, "numbers")),
                    }
                }
                match sum {
                    Some(sum) => Ok(Val::new(span, V::Number(sum))),
                    None => Err(call.unknown(Some("is a number that is too large".into()))),
                }
            }
            "transpose" => {
                let map = call.map(0)?;
                let mut groups: std::collections::BTreeMap<Arc<str>, Vec<Val>> = std::collections::BTreeMap::new();
                if map.rest.is_some() || map.maybe {
                    return Err(call.unknown(call.argument(0)?.reason()));
                }
                for entry in &map.entries {
                    let Some(list) = entry.value.as_list().filter(|list| list.rest.is_none() && !list.maybe) else {
                        return Err(call.unknown(entry.value.reason()));
                    };
                    for item in &list.items {
                        let name = self.known_text(&types::to_text(item)).map_err(|why| call.unknown(Some(why)))?;
                        groups.entry(name).or_default().push(Val::text(entry.key_span, entry.key.clone()));
                    }
                }
                let entries = groups.into_iter().map(|(key, values)| Entry {
                    key,
                    key_span: span,
                    value: Val::list_of(span, values, None, Shape::Alike),
                });
                Ok(Val::map_of(span, entries.collect(), None, Shape::Alike))
            }
            _ => Err(call.unknown(Some(format!("depends on {}()", call.name).into()))),
        }
    }

    fn lookup(&mut self, call: &Call<'_>) -> Answer {
        let map = call.argument(0)?;
        if let V::Resource(_) | V::Module(_) = &map.kind {
            let name = call.text(1)?;
            return Ok(self.attribute(map, &name, call.span));
        }
        let (found, name) = (call.map(0)?, call.text(1)?);
        let default = call.arguments.get(2);
        // The default has the type of the elements.
        let values = || found.entries.iter().map(|entry| entry.value.clone());
        let missing = || match default {
            Some(default) if found.shape == Shape::Alike => {
                let all: Vec<Val> = std::iter::once(default.clone()).chain(values()).collect();
                types::unified(&all).swap_remove(0)
            }
            Some(default) => default.clone(),
            None => call.wrong(&format!("finds no `{name}`")),
        };
        Ok(match (found.get(&name), &found.rest) {
            (Some(entry), _) => entry.value.each_leaf(&mut |leaf| match leaf.kind {
                V::Absent => missing(),
                _ => leaf.clone(),
            }),
            (None, Some(reason)) => Val::unknown(call.span, reason.clone()),
            (None, None) => missing(),
        })
    }

    fn equal_as_texts(&mut self, a: &Val, b: &Val) -> bool {
        let (a, b) = (types::to_text(a), types::to_text(b));
        matches!(self.equal(&a, &b), Ok(true))
    }

    fn range(&mut self, call: &Call<'_>) -> Answer {
        let (start, limit) = match call.arguments.len() {
            1 => (0.0, call.number(0)?.value()),
            _ => (call.number(0)?.value(), call.number(1)?.value()),
        };
        let step = match call.arguments.len() {
            3 => call.number(2)?.value(),
            _ if limit < start => -1.0,
            _ => 1.0,
        };
        let mut items = Vec::new();
        let mut at = start;
        while step != 0.0 && ((step > 0.0 && at < limit) || (step < 0.0 && at > limit)) {
            // Terraform's own limit.
            if items.len() >= 1024 {
                return Err(call.wrong("has more than 1024 elements"));
            }
            match Number::from_float(at) {
                Some(number) => items.push(Val::new(call.span, V::Number(number))),
                None => return Err(call.unknown(None)),
            }
            at += step;
        }
        Ok(Val::list_of(call.span, items, None, Shape::Alike))
    }
}
