//! Operators of Jsonnet, values as texts and as JSON, and the value that a file comes to.

use std::rc::Rc;

use tojimari_text::Span;
use tojimari_text::jsonnet::Operator;

use super::evaluate::{Evaluator, MAX_DEPTH, MAX_LAYERS, TOO_MUCH};
use super::object::Object;
use super::value::{Val, digits, ready};
use tojimari_model::value::{self, Choice, Member, Part, Reason, Value};

impl Evaluator<'_> {
    pub(super) fn binary(&self, operator: Operator, left: Val, right: Val, span: Span) -> Val {
        if matches!(left, Val::Choice(_)) {
            return self.lifted(left, &|left| self.binary(operator, left, right.clone(), span));
        }
        if matches!(right, Val::Choice(_)) {
            return self.lifted(right, &|right| self.binary(operator, left.clone(), right, span));
        }
        match (operator, left, right) {
            (Operator::Add, left, right) => self.sum(left, right, span),
            (Operator::Remainder, Val::String(format), right) => self.format(&format, &right, span),
            (_, Val::Unknown(reason), _) | (_, _, Val::Unknown(reason)) => Val::Unknown(reason),
            (Operator::Equal, left, right) => self.equality(&left, &right, true),
            (Operator::NotEqual, left, right) => self.equality(&left, &right, false),
            (Operator::In, Val::String(name), Val::Object(object)) => match (object.has(&name, true), &object.rest) {
                (true, _) => Val::Bool(true),
                (false, Some(reason)) => Val::Unknown(reason.clone()),
                (false, None) => Val::Bool(false),
            },
            (operator, Val::Number(a), Val::Number(b)) => match operator {
                Operator::Multiply => Val::Number(a * b),
                Operator::Divide | Operator::Remainder if b == 0.0 => self.wrong(span, "a division by zero".to_owned()),
                Operator::Divide => Val::Number(a / b),
                Operator::Remainder => Val::Number(a % b),
                Operator::Subtract => Val::Number(a - b),
                Operator::ShiftLeft => Val::Number((a as i64).wrapping_shl(b as u32) as f64),
                Operator::ShiftRight => Val::Number((a as i64).wrapping_shr(b as u32) as f64),
                Operator::BitAnd => Val::Number((a as i64 & b as i64) as f64),
                Operator::BitOr => Val::Number((a as i64 | b as i64) as f64),
                Operator::BitXor => Val::Number((a as i64 ^ b as i64) as f64),
                Operator::Less => Val::Bool(a < b),
                Operator::LessOrEqual => Val::Bool(a <= b),
                Operator::Greater => Val::Bool(a > b),
                Operator::GreaterOrEqual => Val::Bool(a >= b),
                _ => self.wrong(span, "this operator does not go with numbers".to_owned()),
            },
            (operator, Val::String(a), Val::String(b)) => match operator {
                Operator::Less => Val::Bool(a < b),
                Operator::LessOrEqual => Val::Bool(a <= b),
                Operator::Greater => Val::Bool(a > b),
                Operator::GreaterOrEqual => Val::Bool(a >= b),
                _ => self.wrong(span, "this operator does not go with texts".to_owned()),
            },
            (
                Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual,
                left @ Val::Array(_),
                right @ Val::Array(_),
            ) => match self.order(&left, &right, 0) {
                Ok(order) => Val::Bool(match operator {
                    Operator::Less => order.is_lt(),
                    Operator::LessOrEqual => order.is_le(),
                    Operator::Greater => order.is_gt(),
                    _ => order.is_ge(),
                }),
                Err(reason) => Val::Unknown(reason),
            },
            (_, left, right) => {
                self.wrong(span, format!("this operator does not go with {} and {}", left.kind(), right.kind()))
            }
        }
    }

    fn sum(&self, left: Val, right: Val, span: Span) -> Val {
        match (left, right) {
            (Val::Number(a), Val::Number(b)) => Val::Number(a + b),
            (Val::Array(a), Val::Array(b)) => match self.grow((a.len() + b.len()) * 16) {
                true => Val::array(a.iter().chain(b.iter()).cloned().collect()),
                false => Val::unknown(TOO_MUCH),
            },
            (Val::Object(a), Val::Object(b)) => {
                let layers = a.layers.len() + b.layers.len();
                if layers > MAX_LAYERS || !self.grow(layers * 16) {
                    return Val::unknown(TOO_MUCH);
                }
                let rest = b.rest.clone().or_else(|| a.rest.clone());
                Val::Object(Object::new(a.layers.iter().chain(&b.layers).cloned().collect(), rest))
            }
            // An object of which one half is not known: its other fields are.
            (Val::Object(object), Val::Unknown(reason)) => {
                let fields = object
                    .names()
                    .into_iter()
                    .map(|(name, name_span, _)| (name, name_span, ready(span, Val::Unknown(reason.clone()))));
                Val::Object(Object::given(fields.collect(), Some(reason.clone())))
            }
            (Val::Unknown(reason), Val::Object(object)) => {
                let rest = object.rest.clone().or(Some(reason));
                Val::Object(Object::new(object.layers.clone(), rest))
            }
            (Val::String(a), right) => self.joined(vec![Val::String(a), right]),
            (left, Val::String(b)) => self.joined(vec![left, Val::String(b)]),
            (Val::Unknown(a), Val::Unknown(_) | Val::Number(_) | Val::Array(_) | Val::Null | Val::Bool(_)) => {
                Val::Unknown(a)
            }
            (_, Val::Unknown(reason)) => Val::Unknown(reason),
            (left, right) => self.wrong(span, format!("{} and {} cannot be added", left.kind(), right.kind())),
        }
    }

    /// A text of pieces; what is known of it is kept where a piece is unknown.
    pub(super) fn joined(&self, pieces: Vec<Val>) -> Val {
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                Val::Unknown(reason) if reason.parts().is_empty() => parts.push(Part::Unknown(reason)),
                Val::Unknown(reason) => parts.extend(reason.parts().iter().cloned()),
                choice @ Val::Choice(_) => parts.push(Part::Unknown(self.reason_of(&choice))),
                piece => match self.text(&piece) {
                    Ok(text) => parts.push(Part::Known(text.into())),
                    Err(reason) => parts.push(Part::Unknown(reason)),
                },
            }
        }
        let size: usize = parts.iter().map(|part| if let Part::Known(text) = part { text.len() } else { 16 }).sum();
        if !self.grow(size) {
            return Val::unknown(TOO_MUCH);
        }
        if parts.iter().all(|part| matches!(part, Part::Known(_))) {
            let whole: String =
                parts.iter().map(|part| if let Part::Known(text) = part { &**text } else { "" }).collect();
            return Val::String(whole.into());
        }
        Val::Unknown(Reason::of_parts(parts))
    }

    /// A value as a text: a text as it is, anything else as JSON.
    pub(super) fn text(&self, value: &Val) -> Result<String, Reason> {
        match value {
            Val::String(text) => Ok(text.to_string()),
            other => self.json(other, None, 0),
        }
    }

    /// A value as JSON on one line, or indented by that text.
    pub(super) fn json(&self, value: &Val, indent: Option<&str>, level: usize) -> Result<String, Reason> {
        if level > MAX_DEPTH || !self.step() {
            return Err(TOO_MUCH.into());
        }
        let written = self.deeper(|| self.json_within(value, indent, level));
        if let Ok(text) = &written
            && !self.grow(text.len())
        {
            return Err(TOO_MUCH.into());
        }
        written
    }

    fn json_within(&self, value: &Val, indent: Option<&str>, level: usize) -> Result<String, Reason> {
        let wrap = |open: char, items: Vec<String>, close: char| match indent {
            None if items.is_empty() => format!("{open} {close}"),
            Some(indent) if items.is_empty() => format!("{open}\n\n{}{close}", indent.repeat(level)),
            None => format!("{open}{}{close}", items.join(", ")),
            Some(indent) => {
                let (inner, outer) = (indent.repeat(level + 1), indent.repeat(level));
                format!("{open}\n{inner}{}\n{outer}{close}", items.join(&format!(",\n{inner}")))
            }
        };
        match value {
            Val::Null => Ok("null".to_owned()),
            Val::Bool(b) => Ok(b.to_string()),
            // Laid out, a number is written in full.
            Val::Number(n) if indent.is_some() => Ok(format!("{n}")),
            Val::Number(n) => Ok(digits(*n)),
            Val::String(text) => Ok(serde_json::Value::from(&**text).to_string()),
            Val::Array(items) => {
                let items: Result<Vec<String>, Reason> =
                    items.iter().map(|item| self.json(&self.force(item), indent, level + 1)).collect();
                Ok(wrap('[', items?, ']'))
            }
            Val::Object(object) => {
                if let Some(reason) = &object.rest {
                    return Err(reason.clone());
                }
                let mut names: Vec<Rc<str>> =
                    object.names().into_iter().filter(|(_, _, visible)| *visible).map(|(name, ..)| name).collect();
                names.sort();
                let mut items = Vec::new();
                for name in names {
                    let Some(field) = object.field(&name, object.layers.len()) else { continue };
                    let key = serde_json::Value::from(&*name);
                    items.push(format!("{key}: {}", self.json(&self.force(&field), indent, level + 1)?));
                }
                Ok(wrap('{', items, '}'))
            }
            other => Err(self.reason_of(other)),
        }
    }

    /// The order of numbers, texts and arrays of them.
    pub(super) fn order(&self, left: &Val, right: &Val, depth: usize) -> Result<std::cmp::Ordering, Reason> {
        if depth > MAX_DEPTH || !self.step() {
            return Err(TOO_MUCH.into());
        }
        match (left, right) {
            (Val::Number(a), Val::Number(b)) => Ok(a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)),
            (Val::String(a), Val::String(b)) => Ok(a.cmp(b)),
            (Val::Array(a), Val::Array(b)) => {
                for (a, b) in a.iter().zip(b.iter()) {
                    let order = self.order(&self.force(a), &self.force(b), depth + 1)?;
                    if order.is_ne() {
                        return Ok(order);
                    }
                }
                Ok(a.len().cmp(&b.len()))
            }
            (Val::Number(_) | Val::String(_) | Val::Array(_), other) | (other, _) => Err(self.reason_of(other)),
        }
    }

    fn equality(&self, left: &Val, right: &Val, wanted: bool) -> Val {
        match self.equal(left, right, 0) {
            Ok(equal) => Val::Bool(equal == wanted),
            Err(reason) => Val::Unknown(reason),
        }
    }

    pub(super) fn equal(&self, left: &Val, right: &Val, depth: usize) -> Result<bool, Reason> {
        if depth > MAX_DEPTH || !self.step() {
            return Err(TOO_MUCH.into());
        }
        Ok(match (left, right) {
            (Val::Unknown(_) | Val::Choice(_), _) => return Err(self.reason_of(left)),
            (_, Val::Unknown(_) | Val::Choice(_)) => return Err(self.reason_of(right)),
            (Val::Null, Val::Null) => true,
            (Val::Bool(a), Val::Bool(b)) => a == b,
            (Val::Number(a), Val::Number(b)) => a == b,
            (Val::String(a), Val::String(b)) => a == b,
            (Val::Array(a), Val::Array(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.iter().zip(b.iter()) {
                    if !self.equal(&self.force(a), &self.force(b), depth + 1)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Val::Object(a), Val::Object(b)) => {
                if let Some(reason) = a.rest.as_ref().or(b.rest.as_ref()) {
                    return Err(reason.clone());
                }
                let names = |object: &Object| {
                    let visible = object.names().into_iter().filter(|(_, _, visible)| *visible);
                    let mut names: Vec<Rc<str>> = visible.map(|(name, ..)| name).collect();
                    names.sort();
                    names
                };
                let (ours, theirs) = (names(a), names(b));
                if ours != theirs {
                    return Ok(false);
                }
                for name in ours {
                    let (Some(x), Some(y)) = (a.field(&name, a.layers.len()), b.field(&name, b.layers.len())) else {
                        return Ok(false);
                    };
                    if !self.equal(&self.force(&x), &self.force(&y), depth + 1)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => false,
        })
    }

    /// A value without functions, hidden fields and laziness.
    pub(super) fn manifest(&self, value: &Val, span: Span) -> Value {
        match self.step() {
            true => Value::new(span, self.deeper(|| self.manifest_within(value, span))),
            false => Value::unknown(span, TOO_MUCH),
        }
    }

    fn manifest_within(&self, value: &Val, span: Span) -> value::Kind {
        match value {
            Val::Null => value::Kind::Null,
            Val::Bool(b) => value::Kind::Bool(*b),
            Val::Number(n) => value::Kind::Number(digits(*n).into()),
            Val::String(text) => value::Kind::String((&**text).into()),
            Val::Array(items) => {
                let items = items.iter().map(|item| self.manifest(&self.force(item), item.span));
                value::Kind::List(items.collect(), None)
            }
            Val::Object(object) => {
                let mut members = Vec::new();
                for (name, name_span, _) in object.names().into_iter().filter(|(_, _, visible)| *visible) {
                    let Some(field) = object.field(&name, object.layers.len()) else { continue };
                    let value = self.manifest(&self.force(&field), field.span);
                    members.push(Member { name: (&*name).into(), name_span, value });
                }
                value::Kind::Map(members, object.rest.clone())
            }
            Val::Unknown(reason) => value::Kind::Unknown(reason.clone()),
            Val::Choice(choice) => value::Kind::Choice(Box::new(Choice {
                condition: choice.condition.clone(),
                then: self.manifest(&self.branch(&choice.then), choice.then.span),
                otherwise: self.manifest(&self.branch(&choice.otherwise), choice.otherwise.span),
            })),
            Val::Function(_) | Val::Std => {
                self.wrong(span, "a function cannot be a value of the file".to_owned());
                value::Kind::Unknown("is a function".into())
            }
        }
    }
}
