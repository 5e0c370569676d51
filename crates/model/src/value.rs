//! A value as far as the files tell it: after references were followed and expressions evaluated,
//! with what cannot be known kept as unknown. Every format is resolved into this before it is
//! read as ECS: the names of members are then always those of the ECS API (`camelCase`).
//!
//! Long because a value, why it is not known, and its variants under open conditions are one subject.

use std::collections::VecDeque;
use std::sync::Arc;

use tojimari_text::{Node, Span, Written};

/// Why a value is not known, as a fragment that follows "unknown: ": "depends on var.image"; and
/// what is known of it all the same. Cloned freely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    words: Arc<str>,
    hint: Hint,
}

/// What is known of a value that is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hint {
    #[default]
    Nothing,
    /// An attribute of the resource of the same stack with that address: `!Ref Cluster`,
    /// `!GetAtt Cluster.Arn`, `aws_ecs_cluster.main.id`.
    Of(Arc<str>),
    /// Items that are not known stand in a list whose known ones say what each of them says.
    Alike,
    /// A string of which some parts are known: `${AWS::AccountId}.dkr.ecr.….amazonaws.com/app:1`.
    Parts(Arc<[Part]>),
    /// The image that this project builds.
    BuiltHere,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Known(Box<str>),
    Unknown(Reason),
}

impl Reason {
    /// The value is an attribute of a resource that the same stack declares.
    pub fn attribute_of(address: &str) -> Reason {
        Reason { words: format!("is known only once {address} exists").into(), hint: Hint::Of(address.into()) }
    }

    /// The value is a string of these parts, at least one of them unknown; the words are those
    /// of the first that is.
    pub fn of_parts(parts: Vec<Part>) -> Reason {
        let words = parts.iter().find_map(|part| match part {
            Part::Unknown(reason) => Some(reason.words.clone()),
            Part::Known(_) => None,
        });
        Reason { words: words.unwrap_or_else(|| "is not known".into()), hint: Hint::Parts(parts.into()) }
    }

    /// The value is the name of an image that this project builds.
    pub fn built_here() -> Reason {
        Reason { words: "is built by this project".into(), hint: Hint::BuiltHere }
    }

    pub fn is_built_here(&self) -> bool {
        self.hint == Hint::BuiltHere
    }

    /// The same reason for more items of a list, where one of its known items stands for each of them.
    pub fn of_alike(self) -> Reason {
        Reason { hint: Hint::Alike, ..self }
    }

    pub fn is_of_alike(&self) -> bool {
        matches!(self.hint, Hint::Alike)
    }

    /// The address of the resource whose attribute the value is.
    pub fn address(&self) -> Option<&Arc<str>> {
        match &self.hint {
            Hint::Of(address) => Some(address),
            _ => None,
        }
    }

    /// The parts of the string; none when nothing of it is known.
    pub fn parts(&self) -> &[Part] {
        match &self.hint {
            Hint::Parts(parts) => parts,
            _ => &[],
        }
    }
}

impl<T: Into<Arc<str>>> From<T> for Reason {
    fn from(words: T) -> Self {
        Reason { words: words.into(), hint: Hint::Nothing }
    }
}

impl std::ops::Deref for Reason {
    type Target = str;

    fn deref(&self) -> &str {
        &self.words
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

/// How many alternatives of one resource are looked at before its remaining choices are unknown.
pub const MAX_VARIANTS: usize = 64;

#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    Number(Box<str>),
    String(Box<str>),
    /// The items that are known, and whether there may be more.
    List(Vec<Value>, Option<Reason>),
    /// The members that are known, and whether there may be more.
    Map(Vec<Member>, Option<Reason>),
    Unknown(Reason),
    /// One of two values, by a condition that the files leave open.
    Choice(Box<Choice>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub name: Box<str>,
    pub name_span: Span,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The condition in the words of the file: `IsProd`, `var.debug`.
    pub condition: Arc<str>,
    pub then: Value,
    pub otherwise: Value,
}

/// A condition and the truth that a variant assumes of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Assumption {
    pub condition: Arc<str>,
    pub holds: bool,
}

impl Value {
    pub fn new(span: Span, kind: Kind) -> Self {
        Value { span, kind }
    }

    pub fn unknown(span: Span, reason: impl Into<Reason>) -> Self {
        Value { span, kind: Kind::Unknown(reason.into()) }
    }

    /// A string of parts, unknown where at least one of them is.
    pub fn of_parts(span: Span, parts: Vec<Part>) -> Self {
        let mut whole = String::new();
        for part in &parts {
            match part {
                Part::Known(text) => whole.push_str(text),
                Part::Unknown(_) => return Value::unknown(span, Reason::of_parts(parts)),
            }
        }
        Value::new(span, Kind::String(whole.into()))
    }

    /// The value of the last member of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members().iter().rev().find(|member| &*member.name == name).map(|member| &member.value)
    }

    pub fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Map(members, _) => members,
            _ => &[],
        }
    }

    pub fn items(&self) -> &[Value] {
        match &self.kind {
            Kind::List(items, _) => items,
            _ => &[],
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// Every way in which the open conditions can fall, each as a value without choices and with
    /// the conditions that it depends on. A condition that was assumed once holds everywhere in
    /// that variant. Past [`MAX_VARIANTS`] the conditions that are left become unknown, so the
    /// work is bounded.
    pub fn variants(&self) -> Vec<(Vec<Assumption>, Value)> {
        self.variants_where(|_| true)
    }

    /// As [`Value::variants`], without those whose assumptions cannot hold together.
    pub fn variants_where(&self, possible: impl Fn(&[Assumption]) -> bool) -> Vec<(Vec<Assumption>, Value)> {
        let mut done = Vec::new();
        let mut open = VecDeque::from([(Vec::new(), self.clone())]);
        while let Some((assumed, value)) = open.pop_front() {
            let Some(condition) = value.first_condition() else {
                done.push((assumed, value));
                continue;
            };
            if done.len() + open.len() + 2 > MAX_VARIANTS {
                done.push((assumed, value.closed()));
                continue;
            }
            let with = |holds| {
                let assumption = Assumption { condition: condition.clone(), holds };
                let assumed: Vec<Assumption> = assumed.iter().cloned().chain([assumption]).collect();
                possible(&assumed).then_some(assumed)
            };
            // What the others leave no choice about is not assumed but follows.
            match (with(true), with(false)) {
                (Some(yes), Some(no)) => {
                    open.push_back((yes, value.given(&condition, true)));
                    open.push_back((no, value.given(&condition, false)));
                }
                (Some(_), None) => open.push_front((assumed, value.given(&condition, true))),
                (None, Some(_)) => open.push_front((assumed, value.given(&condition, false))),
                (None, None) => {}
            }
        }
        done
    }

    /// A condition that this value depends on, of those nearest to its root the first: where there
    /// are too many, those that decide which containers there are must not be left for those of an
    /// environment variable.
    pub fn first_condition(&self) -> Option<Arc<str>> {
        let mut level = vec![self];
        while !level.is_empty() {
            let mut deeper = Vec::new();
            for value in level {
                match &value.kind {
                    Kind::List(items, _) => deeper.extend(items),
                    Kind::Map(members, _) => deeper.extend(members.iter().map(|member| &member.value)),
                    Kind::Choice(choice) => return Some(choice.condition.clone()),
                    _ => {}
                }
            }
            level = deeper;
        }
        None
    }

    /// The value where that condition holds, or does not. Other choices stay open.
    pub fn given(&self, condition: &str, holds: bool) -> Value {
        self.choosing(&|choice| (*choice.condition == *condition).then_some(holds))
    }

    /// The value with every choice that is left turned into an unknown.
    fn closed(&self) -> Value {
        self.mapped(&|choice| {
            Err(Value::unknown(choice.then.span, format!("depends on the condition {}", choice.condition)))
        })
    }

    fn choosing(&self, take: &dyn Fn(&Choice) -> Option<bool>) -> Value {
        self.mapped(&|choice| Ok(take(choice)))
    }

    /// Equal but for the places.
    pub fn is_same(&self, other: &Value) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::List(l, lr), Kind::List(r, rr)) => {
                l.len() == r.len() && lr == rr && l.iter().zip(r).all(|(l, r)| l.is_same(r))
            }
            (Kind::Map(l, lr), Kind::Map(r, rr)) => {
                l.len() == r.len()
                    && lr == rr
                    && l.iter().zip(r).all(|(l, r)| l.name == r.name && l.value.is_same(&r.value))
            }
            (Kind::Choice(l), Kind::Choice(r)) => {
                l.condition == r.condition && l.then.is_same(&r.then) && l.otherwise.is_same(&r.otherwise)
            }
            (l, r) => l == r,
        }
    }

    /// A copy in which each choice is taken one way, left as it is, or replaced.
    fn mapped(&self, take: &dyn Fn(&Choice) -> Result<Option<bool>, Value>) -> Value {
        let kind = match &self.kind {
            Kind::List(items, rest) => Kind::List(items.iter().map(|item| item.mapped(take)).collect(), rest.clone()),
            Kind::Map(members, rest) => Kind::Map(
                members.iter().map(|member| Member { value: member.value.mapped(take), ..member.clone() }).collect(),
                rest.clone(),
            ),
            Kind::Choice(choice) => match take(choice) {
                Ok(Some(true)) => return choice.then.mapped(take),
                Ok(Some(false)) => return choice.otherwise.mapped(take),
                Ok(None) => Kind::Choice(Box::new(Choice {
                    condition: choice.condition.clone(),
                    then: choice.then.mapped(take),
                    otherwise: choice.otherwise.mapped(take),
                })),
                Err(other) => return Value { span: self.span, ..other },
            },
            other => other.clone(),
        };
        Value { span: self.span, kind }
    }
}

impl Value {
    /// The least that the whole can take as compact JSON, in bytes: what is unknown is as short
    /// as can be.
    pub fn least_json_size(&self) -> usize {
        fn text(text: &str) -> usize {
            text.chars().map(|c| if matches!(c, '"' | '\\') || c < ' ' { 2 } else { c.len_utf8() }).sum()
        }
        fn all(sizes: impl ExactSizeIterator<Item = usize>) -> usize {
            2 + sizes.len().saturating_sub(1) + sizes.sum::<usize>()
        }
        match &self.kind {
            Kind::Null => 4,
            Kind::Bool(b) => 5 - usize::from(*b),
            Kind::Number(digits) => digits.len(),
            Kind::String(known) => text(known) + 2,
            Kind::List(items, _) => all(items.iter().map(Value::least_json_size)),
            Kind::Map(members, _) => all(members.iter().map(|m| text(&m.name) + 3 + m.value.least_json_size())),
            Kind::Unknown(reason) => {
                let known = reason.parts().iter().map(|part| match part {
                    Part::Known(known) => text(known),
                    Part::Unknown(_) => 0,
                });
                known.sum::<usize>().max(1)
            }
            Kind::Choice(choice) => choice.then.least_json_size().min(choice.otherwise.least_json_size()),
        }
    }
}

/// A JSON document that stood in a string: every part has the span of the string.
impl Value {
    pub fn from_json(span: Span, json: &serde_json::Value) -> Value {
        let kind = match json {
            serde_json::Value::Null => Kind::Null,
            serde_json::Value::Bool(b) => Kind::Bool(*b),
            serde_json::Value::Number(digits) => Kind::Number(digits.to_string().into()),
            serde_json::Value::String(text) => Kind::String(text.as_str().into()),
            serde_json::Value::Array(items) => {
                Kind::List(items.iter().map(|item| Value::from_json(span, item)).collect(), None)
            }
            serde_json::Value::Object(members) => Kind::Map(
                members
                    .iter()
                    .map(|(name, value)| Member {
                        name: name.as_str().into(),
                        name_span: span,
                        value: Value::from_json(span, value),
                    })
                    .collect(),
                None,
            ),
        };
        Value { span, kind }
    }
}

/// A JSON tree says what it says: nothing in it is unknown.
impl From<&Node> for Value {
    fn from(node: &Node) -> Self {
        let kind = match &node.written {
            Written::Null => Kind::Null,
            Written::Bool(b) => Kind::Bool(*b),
            Written::Number(digits) => Kind::Number(digits.clone()),
            Written::String(text) => Kind::String(text.clone()),
            Written::Sequence(items) => Kind::List(items.iter().map(Value::from).collect(), None),
            Written::Mapping(entries) => Kind::Map(
                entries
                    .iter()
                    .map(|entry| Member {
                        name: entry.key.name.clone(),
                        name_span: entry.key.span,
                        value: Value::from(&entry.value),
                    })
                    .collect(),
                None,
            ),
        };
        Value { span: node.span, kind }
    }
}

#[cfg(test)]
mod tests {
    use tojimari_text::FileId;

    use super::*;

    fn span() -> Span {
        Span::new(FileId(0), 0, 0)
    }

    fn choice(condition: &str, then: Value, otherwise: Value) -> Value {
        Value::new(span(), Kind::Choice(Box::new(Choice { condition: condition.into(), then, otherwise })))
    }

    fn bool(b: bool) -> Value {
        Value::new(span(), Kind::Bool(b))
    }

    fn list(items: Vec<Value>) -> Value {
        Value::new(span(), Kind::List(items, None))
    }

    #[test]
    fn a_variant_names_only_the_conditions_that_it_depends_on() {
        let value = choice("A", bool(true), choice("B", bool(true), bool(false)));
        let said: Vec<(String, Kind)> = value
            .variants()
            .into_iter()
            .map(|(assumed, value)| {
                let said: Vec<String> = assumed.iter().map(|a| format!("{}={}", a.condition, a.holds)).collect();
                (said.join(" "), value.kind)
            })
            .collect();
        let expected = [("A=true", true), ("A=false B=true", true), ("A=false B=false", false)];
        assert_eq!(said, expected.map(|(assumed, b)| (assumed.to_owned(), Kind::Bool(b))));
    }

    #[test]
    fn one_condition_falls_the_same_way_everywhere() {
        let value = list(vec![choice("A", bool(true), bool(false)), choice("A", bool(true), bool(false))]);
        let found: Vec<Kind> = value.variants().into_iter().map(|(_, value)| value.kind).collect();
        assert_eq!(found, [list(vec![bool(true); 2]).kind, list(vec![bool(false); 2]).kind]);
    }

    #[test]
    fn variants_that_cannot_be_are_left_out() {
        let value = list(vec![choice("A", bool(true), bool(false)), choice("B", bool(true), bool(false))]);
        let both = |assumed: &[Assumption]| assumed.iter().filter(|a| a.holds).count() > 1;
        assert_eq!(value.variants_where(|assumed| !both(assumed)).len(), 3);
    }

    #[test]
    fn too_many_conditions_end_as_unknown() {
        let many = list((0..40).map(|i| choice(&format!("C{i}"), bool(true), bool(false))).collect());
        let variants = many.variants();
        assert!(variants.len() <= MAX_VARIANTS);
        assert!(variants.iter().all(|(_, value)| value.first_condition().is_none()));
        let unknown = |value: &Value| value.items().iter().any(|item| matches!(item.kind, Kind::Unknown(_)));
        assert!(variants.iter().all(|(_, value)| unknown(value)));
    }

    #[test]
    fn what_is_deep_is_left_open_before_what_is_not() {
        let deep = list((0..40).map(|i| choice(&format!("C{i}"), bool(true), bool(false))).collect());
        let value = list(vec![deep, choice("A", bool(true), bool(false))]);
        let known = |value: &Value| matches!(value.items()[1].kind, Kind::Bool(_));
        assert!(value.variants().iter().all(|(_, value)| known(value)));
    }
}
