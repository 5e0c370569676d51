//! The values that Terraform's expressions are evaluated to: cheap to copy, with the place of every
//! part, with what is not known and what depends on a condition kept inside of them, and bounded in
//! height and size so that no chain of references makes one that cannot be walked.
//!
//! Long because each conversion of Terraform is a few lines on one type.

use std::sync::Arc;

use tojimari_text::Span;

use super::decimal::Big;
use super::text::Text;
use crate::partial::{BOUNDS, Partial};
use tojimari_model::value::Reason;

/// Levels of lists, maps and conditions in one value.
pub const MAX_HEIGHT: u16 = BOUNDS.height;

/// Values in one value, as if nothing in it were shared.
pub const MAX_SIZE: u32 = BOUNDS.size;

/// Ways in which the conditions of one value can fall.
pub const MAX_LEAVES: u16 = BOUNDS.leaves;

#[derive(Clone, Debug)]
pub struct Val {
    pub span: Span,
    pub kind: V,
}

#[derive(Clone, Debug)]
pub enum V {
    Null,
    Bool(bool),
    Number(Number),
    Text(Text),
    List(Arc<List>),
    Map(Arc<Map>),
    Unknown(Arc<Unknown>),
    Choice(Arc<Choice>),
    /// What Terraform would refuse, with the reason. `try` and `can` see it; anywhere else it makes
    /// unknown what depends on it.
    Error(Arc<str>),
    /// In a list or map, under a condition: here is nothing.
    Absent,
    /// An instance of a resource or data source: its attributes are read when they are asked for.
    Resource(Arc<Instance>),
    /// An instance of a module, by its number: so are its outputs.
    Module(usize),
}

#[derive(Clone, Debug)]
pub enum Number {
    Whole(i64),
    /// Any that is no whole one of 64 bits.
    Big(Arc<Big>),
}

/// Which of Terraform's types a collection has: a list never equals a tuple, nor a map an object,
/// whatever is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A tuple or an object: each element has a type of its own.
    Fixed,
    /// A list or a map: all elements have one type.
    Alike,
    /// A set: sorted, has no item twice, and no index.
    Set,
    /// One of these.
    Open,
}

#[derive(Debug)]
pub struct List {
    pub items: Vec<Val>,
    /// There may be more items, anywhere among these, and why that is not known.
    pub rest: Option<Reason>,
    /// What each of the items that are not known is, where all are made by one expression.
    pub each: Option<Val>,
    pub shape: Shape,
    /// Whether an item may be absent.
    pub maybe: bool,
    height: u16,
    size: u32,
}

#[derive(Debug)]
pub struct Map {
    /// Sorted by key: that is the order in which Terraform goes through maps and objects.
    pub entries: Vec<Entry>,
    pub rest: Option<Reason>,
    pub shape: Shape,
    /// Whether an entry may be absent.
    pub maybe: bool,
    height: u16,
    size: u32,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub key: Arc<str>,
    pub key_span: Span,
    pub value: Val,
}

#[derive(Debug)]
pub struct Unknown {
    pub reason: Reason,
    /// Where the value is a truth: the condition that it is, and whether it is that condition's
    /// opposite.
    pub condition: Option<(Arc<str>, bool)>,
}

#[derive(Debug)]
pub struct Choice {
    pub condition: Arc<str>,
    pub then: Val,
    pub otherwise: Val,
    leaves: u16,
    height: u16,
    size: u32,
}

/// One instance of a resource or data source.
#[derive(Debug, PartialEq, Eq)]
pub struct Instance {
    /// The number of the module instance that declares it.
    pub module: usize,
    /// The place of its block among those of the module.
    pub block: usize,
    pub key: Option<InstanceKey>,
    /// `module.x.aws_ecs_cluster.main[0]`
    pub address: Arc<str>,
}

/// `[0]` or `["a"]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InstanceKey {
    Number(usize),
    Name(Arc<str>),
}

impl std::fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            InstanceKey::Number(number) => write!(f, "[{number}]"),
            InstanceKey::Name(name) => write!(f, "[{name:?}]"),
        }
    }
}

impl Val {
    pub fn new(span: Span, kind: V) -> Val {
        Val { span, kind }
    }

    pub fn null(span: Span) -> Val {
        Val { span, kind: V::Null }
    }

    pub fn bool(span: Span, b: bool) -> Val {
        Val { span, kind: V::Bool(b) }
    }

    pub fn whole(span: Span, number: i64) -> Val {
        Val { span, kind: V::Number(Number::Whole(number)) }
    }

    pub fn text(span: Span, text: impl Into<Arc<str>>) -> Val {
        Val { span, kind: V::Text(Text::plain(text.into())) }
    }

    pub fn unknown(span: Span, reason: impl Into<Reason>) -> Val {
        Val { span, kind: V::Unknown(Arc::new(Unknown { reason: reason.into(), condition: None })) }
    }

    pub fn error(span: Span, reason: impl Into<Arc<str>>) -> Val {
        Val { span, kind: V::Error(reason.into()) }
    }

    pub fn list(span: Span, items: Vec<Val>, rest: Option<Reason>) -> Val {
        Val::list_of(span, items, rest, Shape::Open)
    }

    pub fn tuple(span: Span, items: Vec<Val>, rest: Option<Reason>) -> Val {
        Val::list_of(span, items, rest, Shape::Fixed)
    }

    pub fn list_of(span: Span, items: Vec<Val>, rest: Option<Reason>, shape: Shape) -> Val {
        Val::list_with(span, items, rest, None, shape)
    }

    /// A list of which every item that is not known is like `each`.
    pub fn list_with(span: Span, items: Vec<Val>, rest: Option<Reason>, each: Option<Val>, shape: Shape) -> Val {
        let (height, size, maybe) = measure(items.iter().chain(&each));
        let kind = match too_large(height, size) {
            Some(unknown) => unknown,
            None => V::List(Arc::new(List { items, rest, each, shape, maybe, height, size })),
        };
        Val { span, kind }
    }

    /// A map of entries in any order; of those with the same key the last counts.
    pub fn map(span: Span, entries: Vec<Entry>, rest: Option<Reason>) -> Val {
        Val::map_of(span, entries, rest, Shape::Open)
    }

    pub fn object(span: Span, entries: Vec<Entry>, rest: Option<Reason>) -> Val {
        Val::map_of(span, entries, rest, Shape::Fixed)
    }

    pub fn map_of(span: Span, mut entries: Vec<Entry>, rest: Option<Reason>, shape: Shape) -> Val {
        // Stable, so that the last of equals stays last.
        if !entries.is_sorted_by(|a, b| a.key < b.key) {
            entries.sort_by(|a, b| a.key.cmp(&b.key));
            let mut kept: Vec<Entry> = Vec::with_capacity(entries.len());
            for entry in entries {
                match kept.last_mut() {
                    Some(last) if last.key == entry.key => *last = entry,
                    _ => kept.push(entry),
                }
            }
            entries = kept;
        }
        let (height, size, maybe) = measure(entries.iter().map(|entry| &entry.value));
        let kind = match too_large(height, size) {
            Some(unknown) => unknown,
            None => V::Map(Arc::new(Map { entries, rest, shape, maybe, height, size })),
        };
        Val { span, kind }
    }

    /// One of two values, by a condition that is open.
    pub fn choice(span: Span, condition: &Arc<str>, then: Val, otherwise: Val) -> Val {
        let then = then.given(condition, true);
        let otherwise = otherwise.given(condition, false);
        if same(&then, &otherwise) {
            return then;
        }
        if let (V::Unknown(a), V::Unknown(b)) = (&then.kind, &otherwise.kind) {
            let reason = if a.reason.address().is_none() && b.reason.address().is_some() { b } else { a };
            return Val::unknown(span, reason.reason.clone());
        }
        let leaves = then.leaves().saturating_add(otherwise.leaves());
        if leaves > MAX_LEAVES {
            return Val::unknown(span, format!("depends on the condition {condition} and many more"));
        }
        let height = then.height().max(otherwise.height()) + 1;
        let size = then.size().saturating_add(otherwise.size()).saturating_add(1);
        let kind = match too_large(height, size) {
            Some(unknown) => unknown,
            None => V::Choice(Arc::new(Choice { condition: condition.clone(), then, otherwise, leaves, height, size })),
        };
        Val { span, kind }
    }

    /// The value where that condition holds, or does not, as far as it is a choice itself.
    pub fn given(&self, condition: &str, holds: bool) -> Val {
        match &self.kind {
            V::Choice(choice) if *choice.condition == *condition => {
                if holds { &choice.then } else { &choice.otherwise }.given(condition, holds)
            }
            V::Choice(choice) if self.mentions(condition) => {
                let then = choice.then.given(condition, holds);
                let otherwise = choice.otherwise.given(condition, holds);
                Val::choice(self.span, &choice.condition, then, otherwise)
            }
            _ => self.clone(),
        }
    }

    fn mentions(&self, condition: &str) -> bool {
        match &self.kind {
            V::Choice(choice) => {
                *choice.condition == *condition
                    || choice.then.mentions(condition)
                    || choice.otherwise.mentions(condition)
            }
            _ => false,
        }
    }

    /// A copy in which every way that the conditions can fall was replaced.
    pub fn each_leaf(&self, replace: &mut dyn FnMut(&Val) -> Val) -> Val {
        match &self.kind {
            V::Choice(choice) => {
                let then = choice.then.each_leaf(replace);
                let otherwise = choice.otherwise.each_leaf(replace);
                Val::choice(self.span, &choice.condition, then, otherwise)
            }
            _ => replace(self),
        }
    }

    /// Whether one of the ways that the conditions can fall is such.
    pub fn any_leaf(&self, is: &dyn Fn(&Val) -> bool) -> bool {
        match &self.kind {
            V::Choice(choice) => choice.then.any_leaf(is) || choice.otherwise.any_leaf(is),
            _ => is(self),
        }
    }

    pub fn may_be_absent(&self) -> bool {
        self.any_leaf(&|leaf| matches!(leaf.kind, V::Absent))
    }

    pub fn at(&self, span: Span) -> Val {
        Val { span, kind: self.kind.clone() }
    }

    /// The value of a member of a map.
    pub fn get(&self, key: &str) -> Option<&Val> {
        match &self.kind {
            V::Map(map) => map.get(key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// The same collection as one of another type; its elements have to be such already.
    pub fn shaped(&self, shape: Shape) -> Val {
        match &self.kind {
            V::List(list) if list.shape != shape => {
                Val::list_with(self.span, list.items.clone(), list.rest.clone(), list.each.clone(), shape)
            }
            V::Map(map) if map.shape != shape => Val::map_of(self.span, map.entries.clone(), map.rest.clone(), shape),
            _ => self.clone(),
        }
    }

    /// Which type a collection has.
    pub fn shape(&self) -> Option<Shape> {
        match &self.kind {
            V::List(list) => Some(list.shape),
            V::Map(map) => Some(map.shape),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&List> {
        match &self.kind {
            V::List(list) => Some(list),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Map> {
        match &self.kind {
            V::Map(map) => Some(map),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.kind, V::Null | V::Absent)
    }

    fn leaves(&self) -> u16 {
        match &self.kind {
            V::Choice(choice) => choice.leaves,
            _ => 1,
        }
    }

    fn height(&self) -> u16 {
        match &self.kind {
            V::List(list) => list.height,
            V::Map(map) => map.height,
            V::Choice(choice) => choice.height,
            V::Text(text) => text.height(),
            _ => 0,
        }
    }

    pub fn size(&self) -> u32 {
        match &self.kind {
            V::List(list) => list.size,
            V::Map(map) => map.size,
            V::Choice(choice) => choice.size,
            V::Text(text) => text.size(),
            _ => 1,
        }
    }

    pub fn nesting(&self) -> u16 {
        self.height()
    }

    /// The first reason for which the value, or something in it, is not known.
    pub fn reason(&self) -> Option<Reason> {
        match &self.kind {
            V::Unknown(unknown) => Some(unknown.reason.clone()),
            V::Error(reason) => Some(Reason::from(reason.clone())),
            V::Text(text) => text.reason(),
            V::List(list) => list.rest.clone().or_else(|| list.items.iter().find_map(Val::reason)),
            V::Map(map) => map.rest.clone().or_else(|| map.entries.iter().find_map(|entry| entry.value.reason())),
            V::Choice(choice) => Some(Reason::from(format!("depends on the condition {}", choice.condition))),
            V::Resource(instance) => Some(Reason::attribute_of(&instance.address)),
            V::Module(_) => Some(Reason::from("is a module")),
            V::Null | V::Absent | V::Bool(_) | V::Number(_) => None,
        }
    }
}

impl Partial for Val {
    fn open_condition(&self) -> Option<Arc<str>> {
        match &self.kind {
            V::Choice(choice) => Some(choice.condition.clone()),
            _ => None,
        }
    }

    fn under(&self, condition: &Arc<str>, holds: bool) -> Val {
        self.given(condition, holds)
    }

    fn one_of(condition: Arc<str>, then: Val, otherwise: Val, like: &Val) -> Val {
        Val::choice(like.span, &condition, then, otherwise)
    }
}

impl Map {
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.binary_search_by(|entry| (*entry.key).cmp(key)).ok().map(|at| &self.entries[at])
    }
}

impl Number {
    /// A number that is written as a whole one is whole, as far as it fits.
    pub fn parse(digits: &str) -> Option<Number> {
        match digits.parse::<i64>() {
            Ok(whole) => Some(Number::Whole(whole)),
            Err(_) => Number::of(Big::parse(digits)?),
        }
    }

    /// Whole where it can be.
    pub fn of(big: Big) -> Option<Number> {
        match big.as_whole() {
            Some(whole) if whole != 0 || !big.is_negative() => Some(Number::Whole(whole)),
            _ => Some(Number::Big(Arc::new(big))),
        }
    }

    pub fn big(&self) -> Option<Big> {
        match self {
            Number::Whole(whole) => Big::whole(*whole),
            Number::Big(big) => Some((**big).clone()),
        }
    }

    /// The number as a float of 64 bits.
    pub fn value(&self) -> f64 {
        match self {
            Number::Whole(whole) => *whole as f64,
            Number::Big(big) => big.scientific(None).parse().unwrap_or(f64::NAN),
        }
    }

    pub fn whole(&self) -> Option<i64> {
        match self {
            Number::Whole(whole) => Some(*whole),
            Number::Big(_) => None,
        }
    }

    pub fn compared(&self, other: &Number) -> std::cmp::Ordering {
        match (self, other) {
            (Number::Whole(a), Number::Whole(b)) => a.cmp(b),
            _ => match (self.big(), other.big()) {
                (Some(a), Some(b)) => a.compared(&b),
                _ => std::cmp::Ordering::Equal,
            },
        }
    }

    /// A float of 64 bits, as Go's functions of numbers give.
    pub fn from_float(f: f64) -> Option<Number> {
        Number::parse(&format!("{f:e}")).filter(|_| f.is_finite())
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Whole(whole) => write!(f, "{whole}"),
            Number::Big(big) => write!(f, "{big}"),
        }
    }
}

fn measure<'a>(values: impl Iterator<Item = &'a Val>) -> (u16, u32, bool) {
    let (mut height, mut size, mut maybe) = (0, 1u32, false);
    for value in values {
        height = height.max(value.height());
        size = size.saturating_add(value.size());
        maybe |= value.may_be_absent();
    }
    (height + 1, size, maybe)
}

fn too_large(height: u16, size: u32) -> Option<V> {
    let reason = match (height > MAX_HEIGHT, size > MAX_SIZE) {
        (true, _) => format!("is nested deeper than {MAX_HEIGHT} levels"),
        (_, true) => format!("has more than {MAX_SIZE} values"),
        _ => return None,
    };
    Some(V::Unknown(Arc::new(Unknown { reason: reason.into(), condition: None })))
}

/// Whether two values are the same scalar, so that a choice between them is none.
fn same(a: &Val, b: &Val) -> bool {
    match (&a.kind, &b.kind) {
        (V::Null, V::Null) | (V::Absent, V::Absent) => true,
        (V::Bool(a), V::Bool(b)) => a == b,
        (V::Number(a), V::Number(b)) => a.compared(b).is_eq(),
        (V::Text(a), V::Text(b)) => matches!((a.known(), b.known()), (Some(a), Some(b)) if a == b),
        (V::List(a), V::List(b)) => {
            Arc::ptr_eq(a, b)
                || a.shape == b.shape
                    && a.items.is_empty()
                    && b.items.is_empty()
                    && a.rest.is_none()
                    && b.rest.is_none()
        }
        (V::Map(a), V::Map(b)) => {
            Arc::ptr_eq(a, b)
                || a.shape == b.shape
                    && a.entries.is_empty()
                    && b.entries.is_empty()
                    && a.rest.is_none()
                    && b.rest.is_none()
        }
        (V::Resource(a), V::Resource(b)) => a == b,
        (V::Module(a), V::Module(b)) => a == b,
        (V::Choice(a), V::Choice(b)) => Arc::ptr_eq(a, b),
        (V::Error(_), V::Error(_)) => true,
        _ => false,
    }
}
