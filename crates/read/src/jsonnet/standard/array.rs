//! Arrays: mapped, filtered, folded, joined, sorted.

use tojimari_text::Span;

use super::super::evaluate::Evaluator;
use super::super::value::{Thunk, Val, ready};
use tojimari_model::value::Reason;

impl Evaluator<'_> {
    pub(super) fn of_arrays(&self, name: &str, values: &[Val], span: Span) -> Option<Result<Val, Reason>> {
        self.arrays(name, values, span).transpose()
    }

    fn arrays(&self, name: &str, values: &[Val], span: Span) -> Result<Option<Val>, Reason> {
        let made = |items: Vec<Val>| Val::array(items.into_iter().map(|item| ready(span, item)).collect());
        let spend =
            |count: usize| if self.grow(count) { Ok(()) } else { Err(Reason::from("takes more than is evaluated")) };
        Ok(Some(match (name, values) {
            ("length", [value]) => Val::Number(match value {
                Val::Array(items) => items.len() as f64,
                Val::String(text) => text.chars().count() as f64,
                Val::Object(object) if object.rest.is_none() => {
                    object.names().iter().filter(|(_, _, visible)| *visible).count() as f64
                }
                Val::Object(object) => return Err(object.rest.clone().unwrap_or_else(|| "is not known".into())),
                other => return Err(self.reason_of(other)),
            }),
            ("map", [Val::Function(function), Val::Array(items)]) => {
                spend(items.len())?;
                made(items.iter().map(|item| self.each(function, item.clone(), span)).collect())
            }
            ("mapWithIndex", [Val::Function(function), Val::Array(items)]) => {
                spend(items.len())?;
                let call = |(at, item): (usize, &Thunk)| {
                    self.apply(function, vec![(None, ready(span, Val::Number(at as f64))), (None, item.clone())], span)
                };
                made(items.iter().enumerate().map(call).collect())
            }
            ("filter", [Val::Function(function), Val::Array(items)]) => {
                let mut kept = Vec::new();
                for item in items.iter() {
                    if self.is_true(&self.each(function, item.clone(), span))? {
                        kept.push(item.clone());
                    }
                }
                Val::array(kept)
            }
            ("filterMap", [Val::Function(filter), Val::Function(map), Val::Array(items)]) => {
                let mut kept = Vec::new();
                for item in items.iter() {
                    if self.is_true(&self.each(filter, item.clone(), span))? {
                        kept.push(ready(item.span, self.each(map, item.clone(), span)));
                    }
                }
                Val::array(kept)
            }
            ("flatMap", [Val::Function(function), Val::Array(items)]) => {
                let mut flat = Vec::new();
                for item in items.iter() {
                    match self.each(function, item.clone(), span) {
                        Val::Array(inner) => {
                            spend(inner.len())?;
                            flat.extend(inner.iter().cloned());
                        }
                        other => return Err(self.reason_of(&other)),
                    }
                }
                Val::array(flat)
            }
            ("foldl" | "foldr", [Val::Function(function), Val::Array(items), start]) => {
                let mut folded = start.clone();
                let mut order: Vec<Thunk> = items.to_vec();
                if name == "foldr" {
                    order.reverse();
                }
                for item in order {
                    let so_far = (None, ready(span, folded));
                    let pair = if name == "foldl" { vec![so_far, (None, item)] } else { vec![(None, item), so_far] };
                    folded = self.apply(function, pair, span);
                }
                folded
            }
            ("range", [Val::Number(from), Val::Number(to)]) => {
                let count = (to - from + 1.0).max(0.0);
                spend(count.min(usize::MAX as f64) as usize)?;
                made((0..count as usize).map(|at| Val::Number(from + at as f64)).collect())
            }
            ("makeArray", [Val::Number(count), Val::Function(function)]) => {
                spend(count.max(0.0) as usize)?;
                let call = |at: usize| self.each(function, ready(span, Val::Number(at as f64)), span);
                made((0..count.max(0.0) as usize).map(call).collect())
            }
            ("repeat", [Val::Array(items), Val::Number(count)]) => {
                spend(items.len().saturating_mul(count.max(0.0) as usize))?;
                Val::array((0..count.max(0.0) as usize).flat_map(|_| items.iter().cloned()).collect())
            }
            ("repeat", [Val::String(text), Val::Number(count)]) => {
                spend(text.len().saturating_mul(count.max(0.0) as usize))?;
                Val::string(&text.repeat(count.max(0.0) as usize))
            }
            ("join", [Val::String(by), Val::Array(items)]) => {
                let mut pieces = Vec::new();
                for item in items.iter().map(|item| self.force(item)).filter(|item| !matches!(item, Val::Null)) {
                    if !pieces.is_empty() {
                        pieces.push(Val::String(by.clone()));
                    }
                    pieces.push(item);
                }
                if pieces.is_empty() { Val::string("") } else { self.joined(pieces) }
            }
            ("join", [Val::Array(by), Val::Array(items)]) => {
                let mut joined = Vec::new();
                for (at, item) in items.iter().enumerate() {
                    match self.force(item) {
                        Val::Array(inner) => {
                            spend(inner.len() + by.len())?;
                            if at > 0 {
                                joined.extend(by.iter().cloned());
                            }
                            joined.extend(inner.iter().cloned());
                        }
                        Val::Null => {}
                        other => return Err(self.reason_of(&other)),
                    }
                }
                Val::array(joined)
            }
            ("lines", [Val::Array(items)]) => {
                let newline = || Val::string("\n");
                self.joined(items.iter().flat_map(|item| [self.force(item), newline()]).collect())
            }
            ("flattenArrays", [Val::Array(items)]) => {
                let mut flat = Vec::new();
                for item in items.iter() {
                    match self.force(item) {
                        Val::Array(inner) => {
                            spend(inner.len())?;
                            flat.extend(inner.iter().cloned());
                        }
                        other => return Err(self.reason_of(&other)),
                    }
                }
                Val::array(flat)
            }
            ("reverse", [Val::Array(items)]) => Val::array(items.iter().rev().cloned().collect()),
            ("member" | "contains", [Val::Array(items), wanted]) => {
                for item in items.iter() {
                    if self.equal(&self.force(item), wanted, 0)? {
                        return Ok(Some(Val::Bool(true)));
                    }
                }
                Val::Bool(false)
            }
            ("member", [Val::String(text), Val::String(wanted)]) => Val::Bool(text.contains(&**wanted)),
            ("count", [Val::Array(items), wanted]) => {
                let mut count = 0;
                for item in items.iter() {
                    count += usize::from(self.equal(&self.force(item), wanted, 0)?);
                }
                Val::Number(count as f64)
            }
            ("all" | "any", [Val::Array(items)]) => {
                let decides = name == "any";
                for item in items.iter() {
                    if self.is_true(&self.force(item))? == decides {
                        return Ok(Some(Val::Bool(decides)));
                    }
                }
                Val::Bool(!decides)
            }
            ("sum", [Val::Array(items)]) => {
                let mut sum = 0.0;
                for item in items.iter() {
                    match self.force(item) {
                        Val::Number(n) => sum += n,
                        other => return Err(self.reason_of(&other)),
                    }
                }
                Val::Number(sum)
            }
            _ => return Ok(None),
        }))
    }
}
