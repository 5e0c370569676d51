//! A value as far as the files tell it: after references were followed and expressions evaluated,
//! with what cannot be known kept as unknown. Every format is resolved into this before it is
//! read as ECS: the names of members are then always those of the ECS API (`camelCase`).

use std::sync::Arc;

use tojimari_text::{Node, Span, Written};

/// Why a value is not known, as a fragment that follows "unknown: ": "depends on var.image".
pub type Reason = Arc<str>;

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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

    /// Every way in which the open conditions can fall, each as a value without choices.
    /// A condition that was assumed once holds everywhere in that variant. Past
    /// [`MAX_VARIANTS`] the conditions that are left become unknown, so the work is bounded.
    pub fn variants(&self) -> Vec<(Vec<Assumption>, Value)> {
        let mut conditions = Vec::new();
        self.conditions(&mut conditions);
        let open = conditions.len().min(MAX_VARIANTS.ilog2() as usize);
        (0..1_usize << open)
            .map(|bits| {
                let assumed: Vec<Assumption> = conditions[..open]
                    .iter()
                    .enumerate()
                    .map(|(i, condition)| Assumption { condition: condition.clone(), holds: bits >> i & 1 == 0 })
                    .collect();
                let value = self.assuming(&assumed);
                (assumed, value)
            })
            .collect()
    }

    fn conditions(&self, found: &mut Vec<Arc<str>>) {
        match &self.kind {
            Kind::List(items, _) => items.iter().for_each(|item| item.conditions(found)),
            Kind::Map(members, _) => members.iter().for_each(|member| member.value.conditions(found)),
            Kind::Choice(choice) => {
                if !found.contains(&choice.condition) {
                    found.push(choice.condition.clone());
                }
                choice.then.conditions(found);
                choice.otherwise.conditions(found);
            }
            _ => {}
        }
    }

    fn assuming(&self, assumed: &[Assumption]) -> Value {
        let kind = match &self.kind {
            Kind::List(items, rest) => {
                Kind::List(items.iter().map(|item| item.assuming(assumed)).collect(), rest.clone())
            }
            Kind::Map(members, rest) => Kind::Map(
                members
                    .iter()
                    .map(|member| Member { value: member.value.assuming(assumed), ..member.clone() })
                    .collect(),
                rest.clone(),
            ),
            Kind::Choice(choice) => {
                return match assumed.iter().find(|a| a.condition == choice.condition) {
                    Some(Assumption { holds: true, .. }) => choice.then.assuming(assumed),
                    Some(_) => choice.otherwise.assuming(assumed),
                    None => Value::unknown(self.span, format!("depends on the condition {}", choice.condition)),
                };
            }
            other => other.clone(),
        };
        Value { span: self.span, kind }
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
