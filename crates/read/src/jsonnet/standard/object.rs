//! Objects: their fields listed, mapped, merged and pruned.

use std::rc::Rc;

use tojimari_text::Span;

use super::super::evaluate::Evaluator;
use super::super::object::Object;
use super::super::value::{Thunk, Val, ready};
use tojimari_model::value::Reason;

impl Evaluator<'_> {
    pub(super) fn of_objects(&self, name: &str, values: &[Val], span: Span) -> Option<Result<Val, Reason>> {
        if let Some(Val::Object(object)) = values.iter().find(|value| matches!(value, Val::Object(_)))
            && let Some(reason) = &object.rest
            && !matches!(name, "objectHas" | "objectHasAll" | "mergePatch" | "prune")
        {
            return Some(Err(reason.clone()));
        }
        let fields = |object: &Rc<Object>, hidden_too: bool| -> Vec<(Rc<str>, Span, Thunk)> {
            let mut fields: Vec<_> = object
                .names()
                .into_iter()
                .filter(|(_, _, visible)| *visible || hidden_too)
                .filter_map(|(name, at, _)| Some((name.clone(), at, object.field(&name, object.layers.len())?)))
                .collect();
            fields.sort_by(|(a, ..), (b, ..)| a.cmp(b));
            fields
        };
        let names = |object: &Rc<Object>, hidden_too| {
            let fields = fields(object, hidden_too).into_iter();
            Val::array(fields.map(|(name, at, _)| ready(at, Val::String(name))).collect())
        };
        Some(Ok(match (name, values) {
            ("objectFields", [Val::Object(object)]) => names(object, false),
            ("objectFieldsAll", [Val::Object(object)]) => names(object, true),
            ("objectValues", [Val::Object(object)]) => {
                Val::array(fields(object, false).into_iter().map(|(_, _, thunk)| thunk).collect())
            }
            ("objectKeysValues", [Val::Object(object)]) => {
                let pair = |(name, at, thunk): (Rc<str>, Span, Thunk)| {
                    let key = ready(at, Val::String(name));
                    let pair = vec![("key".into(), at, key), ("value".into(), at, thunk)];
                    ready(at, Val::Object(Object::given(pair, None)))
                };
                Val::array(fields(object, false).into_iter().map(pair).collect())
            }
            ("objectHas" | "objectHasAll", [Val::Object(object), Val::String(field)]) => {
                match (object.has(field, name == "objectHasAll"), &object.rest) {
                    (true, _) => Val::Bool(true),
                    (false, Some(reason)) => Val::Unknown(reason.clone()),
                    (false, None) => Val::Bool(false),
                }
            }
            ("objectRemoveKey", [Val::Object(object), Val::String(removed)]) => {
                let kept = fields(object, false).into_iter().filter(|(name, ..)| name != removed);
                Val::Object(Object::given(kept.collect(), None))
            }
            ("mapWithKey", [Val::Function(function), Val::Object(object)]) => {
                let mapped = fields(object, false).into_iter().map(|(name, at, thunk)| {
                    let arguments = vec![(None, ready(at, Val::String(name.clone()))), (None, thunk)];
                    (name, at, ready(at, self.apply(function, arguments, span)))
                });
                Val::Object(Object::given(mapped.collect(), None))
            }
            ("mergePatch", [target, patch]) => return Some(self.patched(target, patch, 0)),
            ("prune", [value]) => return Some(self.pruned(value, 0)),
            _ => return None,
        }))
    }

    fn patched(&self, target: &Val, patch: &Val, depth: usize) -> Result<Val, Reason> {
        let Val::Object(patch) = patch else { return Ok(patch.clone()) };
        if depth > 32 || !self.grow(16) {
            return Err("takes more than is evaluated".into());
        }
        let mut merged: Vec<(Rc<str>, Span, Thunk)> = Vec::new();
        let mut rest = patch.rest.clone();
        if let Val::Object(target) = target {
            rest = rest.or_else(|| target.rest.clone());
            for (name, at, visible) in target.names() {
                if let (true, Some(field)) = (visible, target.field(&name, target.layers.len())) {
                    merged.push((name, at, field));
                }
            }
        }
        for (name, at, visible) in patch.names() {
            let Some(field) = patch.field(&name, patch.layers.len()).filter(|_| visible) else { continue };
            let value = self.force(&field);
            let old = merged.iter().position(|(other, ..)| *other == name);
            match (value, old) {
                (Val::Null, Some(old)) => drop(merged.remove(old)),
                (Val::Null, None) => {}
                (value, Some(old)) => {
                    let base = self.force(&merged[old].2);
                    merged[old].2 = ready(field.span, self.patched(&base, &value, depth + 1)?);
                }
                (value, None) => {
                    merged.push((name, at, ready(field.span, self.patched(&Val::Null, &value, depth + 1)?)));
                }
            }
        }
        Ok(Val::Object(Object::given(merged, rest)))
    }

    /// Without nulls and without what is empty.
    fn pruned(&self, value: &Val, depth: usize) -> Result<Val, Reason> {
        if depth > 32 || !self.grow(16) {
            return Err("takes more than is evaluated".into());
        }
        let empty = |value: &Val| match value {
            Val::Null => true,
            Val::Array(items) => items.is_empty(),
            Val::Object(object) => object.rest.is_none() && object.names().is_empty(),
            _ => false,
        };
        Ok(match value {
            Val::Array(items) => {
                let mut kept = Vec::new();
                for item in items.iter() {
                    let pruned = self.pruned(&self.force(item), depth + 1)?;
                    if !empty(&pruned) {
                        kept.push(ready(item.span, pruned));
                    }
                }
                Val::array(kept)
            }
            Val::Object(object) => {
                let mut kept = Vec::new();
                for (name, at, visible) in object.names() {
                    let Some(field) = object.field(&name, object.layers.len()).filter(|_| visible) else { continue };
                    let pruned = self.pruned(&self.force(&field), depth + 1)?;
                    if !empty(&pruned) {
                        kept.push((name, at, ready(field.span, pruned)));
                    }
                }
                Val::Object(Object::given(kept, object.rest.clone()))
            }
            other => other.clone(),
        })
    }
}
