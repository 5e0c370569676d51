//! Sets, and arrays that are searched, sorted by a key and taken apart.

use std::cmp::Ordering;

use tojimari_text::Span;

use super::super::evaluate::Evaluator;
use super::super::value::{Function, Thunk, Val, ready};
use tojimari_model::value::Reason;

/// An item with the key that it is sorted by.
type Keyed = (Val, Thunk);

impl Evaluator<'_> {
    pub(super) fn of_sets(&self, name: &str, values: &[Val], span: Span) -> Option<Result<Val, Reason>> {
        self.sets(name, values, span).transpose()
    }

    fn sets(&self, name: &str, values: &[Val], span: Span) -> Result<Option<Val>, Reason> {
        let key = |at: usize| match values.get(at) {
            Some(Val::Function(function)) => Some(&**function),
            _ => None,
        };
        let array = |items: Vec<Keyed>| Val::array(items.into_iter().map(|(_, thunk)| thunk).collect());
        Ok(Some(match (name, values) {
            ("sort" | "set" | "uniq", [Val::Array(items), rest @ ..]) if rest.is_empty() || key(1).is_some() => {
                let mut keyed = self.keyed(items, key(1), span)?;
                if name != "uniq" {
                    keyed = self.sorted(keyed)?;
                }
                array(if name == "sort" { keyed } else { self.without_doubles(keyed)? })
            }
            ("setUnion" | "setInter" | "setDiff", [Val::Array(a), Val::Array(b), rest @ ..])
                if rest.is_empty() || key(2).is_some() =>
            {
                let (a, b) = (self.keyed(a, key(2), span)?, self.keyed(b, key(2), span)?);
                let (mut kept, mut later) = (Vec::new(), Vec::new());
                for one in &a {
                    let found = self.has(&b, &one.0)?;
                    if name == "setUnion" || found == (name == "setInter") {
                        kept.push(one.clone());
                    }
                }
                if name == "setUnion" {
                    for one in b {
                        if !self.has(&a, &one.0)? {
                            later.push(one);
                        }
                    }
                }
                kept.extend(later);
                array(self.sorted(kept)?)
            }
            ("setMember", [wanted, Val::Array(items), rest @ ..]) if rest.is_empty() || key(2).is_some() => {
                let wanted = match key(2) {
                    Some(function) => self.each(function, ready(span, wanted.clone()), span),
                    None => wanted.clone(),
                };
                Val::Bool(self.has(&self.keyed(items, key(2), span)?, &wanted)?)
            }
            ("find", [wanted, Val::Array(items)]) => {
                let mut found = Vec::new();
                for (at, item) in items.iter().enumerate() {
                    if self.equal(&self.force(item), wanted, 0)? {
                        found.push(ready(span, Val::Number(at as f64)));
                    }
                }
                Val::array(found)
            }
            ("removeAt", [Val::Array(items), Val::Number(at)]) => {
                let kept = items.iter().enumerate().filter(|(index, _)| *index as f64 != *at);
                Val::array(kept.map(|(_, item)| item.clone()).collect())
            }
            ("remove", [Val::Array(items), wanted]) => {
                let mut kept = items.to_vec();
                for (at, item) in items.iter().enumerate() {
                    if self.equal(&self.force(item), wanted, 0)? {
                        kept.remove(at);
                        break;
                    }
                }
                Val::array(kept)
            }
            ("avg", [Val::Array(items)]) if !items.is_empty() => {
                let mut sum = 0.0;
                for item in items.iter() {
                    match self.force(item) {
                        Val::Number(n) => sum += n,
                        other => return Err(self.reason_of(&other)),
                    }
                }
                Val::Number(sum / items.len() as f64)
            }
            ("minArray" | "maxArray", [Val::Array(items)]) if !items.is_empty() => {
                let mut best = self.force(&items[0]);
                for item in items.iter().skip(1) {
                    let item = self.force(item);
                    let order = self.order(&item, &best, 0)?;
                    if order == if name == "minArray" { Ordering::Less } else { Ordering::Greater } {
                        best = item;
                    }
                }
                best
            }
            ("reverse", [Val::String(text)]) => {
                let chars = text.chars().rev().map(|c| ready(span, Val::string(c.encode_utf8(&mut [0; 4]))));
                Val::array(chars.collect())
            }
            ("foldl" | "foldr", [Val::Function(function), Val::String(text), start]) => {
                let mut chars: Vec<char> = text.chars().collect();
                if name == "foldr" {
                    chars.reverse();
                }
                let mut folded = start.clone();
                for c in chars {
                    let (so_far, one) = (ready(span, folded), ready(span, Val::string(c.encode_utf8(&mut [0; 4]))));
                    let pair = if name == "foldl" { [so_far, one] } else { [one, so_far] };
                    folded = self.apply(function, pair.map(|one| (None, one)).into(), span);
                }
                folded
            }
            ("flatMap", [Val::Function(function), Val::String(text)]) => {
                let chars = text.chars().map(|c| ready(span, Val::string(c.encode_utf8(&mut [0; 4]))));
                self.joined(chars.map(|one| self.each(function, one, span)).collect())
            }
            ("flattenDeepArray", [value]) => {
                let mut flat = Vec::new();
                self.flattened(&ready(span, value.clone()), &mut flat, 0)?;
                Val::array(flat)
            }
            _ => return Ok(None),
        }))
    }

    fn keyed(&self, items: &[Thunk], key: Option<&Function>, span: Span) -> Result<Vec<Keyed>, Reason> {
        if !self.grow(items.len()) {
            return Err("takes more than is evaluated".into());
        }
        let key = |item: &Thunk| match key {
            Some(function) => self.each(function, item.clone(), span),
            None => self.force(item),
        };
        Ok(items.iter().map(|item| (key(item), item.clone())).collect())
    }

    /// Sorted by merging: an order that is not known ends it.
    fn sorted(&self, mut items: Vec<Keyed>) -> Result<Vec<Keyed>, Reason> {
        if items.len() < 2 {
            return Ok(items);
        }
        let right = self.sorted(items.split_off(items.len() / 2))?;
        let left = self.sorted(items)?;
        let mut merged = Vec::with_capacity(left.len() + right.len());
        let mut right = right.into_iter().peekable();
        for one in left {
            while let Some(other) = right.peek() {
                if self.order(&other.0, &one.0, 0)?.is_ge() {
                    break;
                }
                merged.extend(right.next());
            }
            merged.push(one);
        }
        merged.extend(right);
        Ok(merged)
    }

    fn without_doubles(&self, items: Vec<Keyed>) -> Result<Vec<Keyed>, Reason> {
        let mut kept: Vec<Keyed> = Vec::with_capacity(items.len());
        for one in items {
            let double = match kept.last() {
                Some(last) => self.equal(&last.0, &one.0, 0)?,
                None => false,
            };
            if !double {
                kept.push(one);
            }
        }
        Ok(kept)
    }

    fn has(&self, items: &[Keyed], wanted: &Val) -> Result<bool, Reason> {
        for (key, _) in items {
            if self.equal(key, wanted, 0)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn flattened(&self, item: &Thunk, flat: &mut Vec<Thunk>, depth: usize) -> Result<(), Reason> {
        if depth > 32 || !self.grow(1) {
            return Err("takes more than is evaluated".into());
        }
        match self.force(item) {
            Val::Array(items) => items.iter().try_for_each(|item| self.flattened(item, flat, depth + 1)),
            open @ (Val::Unknown(_) | Val::Choice(_)) => Err(self.reason_of(&open)),
            _ => {
                flat.push(item.clone());
                Ok(())
            }
        }
    }
}
