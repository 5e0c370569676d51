//! A field of a declared resource: absent, known with its place, or unknown with the reason; and
//! the reader that takes fields out of a resolved value by their ECS names.
//!
//! Long because each form that a value can have is one short method of the reader.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use tojimari_text::{Problem, Span};

use super::member::Member as Record;
use super::reference::Reference;
use crate::value::{Kind, Member, Reason, Value};

/// What the files say of one field.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Field<T> {
    #[default]
    Absent,
    Known(T, Span),
    Unknown(Reason, Span),
}

impl<T> Field<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Field::Known(value, _) => Some(value),
            _ => None,
        }
    }

    pub fn span(&self) -> Option<Span> {
        match self {
            Field::Absent => None,
            Field::Known(_, span) | Field::Unknown(_, span) => Some(*span),
        }
    }

    pub fn unknown(&self) -> Option<(&Reason, Span)> {
        match self {
            Field::Unknown(reason, span) => Some((reason, *span)),
            _ => None,
        }
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Field::Absent)
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Field::Absent => Field::Absent,
            Field::Known(value, span) => Field::Known(f(value), span),
            Field::Unknown(reason, span) => Field::Unknown(reason, span),
        }
    }
}

impl<T> Field<Field<T>> {
    /// The field of an object that may itself be absent or unknown.
    pub fn flatten(self) -> Field<T> {
        match self {
            Field::Absent => Field::Absent,
            Field::Known(inner, _) => inner,
            Field::Unknown(reason, span) => Field::Unknown(reason, span),
        }
    }
}

impl<A, B> Field<(A, B)> {
    pub fn unzip(self) -> (Field<A>, Field<B>) {
        match self {
            Field::Absent => (Field::Absent, Field::Absent),
            Field::Known((a, b), span) => (Field::Known(a, span), Field::Known(b, span)),
            Field::Unknown(reason, span) => (Field::Unknown(reason.clone(), span), Field::Unknown(reason, span)),
        }
    }
}

impl<T> Field<List<T>> {
    /// A list in an object that may itself be absent or unknown.
    pub fn list(self) -> List<T> {
        match self {
            Field::Absent => List::default(),
            Field::Known(list, _) => list,
            Field::Unknown(reason, span) => List { items: Vec::new(), rest: Some((reason, span)), span: Some(span) },
        }
    }
}

impl<T: AsRef<str>> Field<T> {
    pub fn as_str(&self) -> Option<&str> {
        self.known().map(AsRef::as_ref)
    }
}

/// A list as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct List<T> {
    pub items: Vec<T>,
    /// There may be more items than these, and why that is not known.
    pub rest: Option<(Reason, Span)>,
    /// `None` when the list is absent.
    pub span: Option<Span>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { items: Vec::new(), rest: None, span: None }
    }
}

impl<T> List<T> {
    pub fn is_absent(&self) -> bool {
        self.span.is_none()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.items.iter()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

/// What a reader met on its way through a value.
#[derive(Debug, Default)]
pub struct Met {
    /// Values of a wrong type.
    pub problems: Vec<Problem>,
    /// Members that nobody asked for, at any depth that was read: names that the API does not have.
    pub unexpected: Vec<(String, Span)>,
    /// What is asked for is recorded here: every object is taken to be there, and no value is read.
    pub(super) recorded: Option<Vec<Record>>,
}

/// Takes the fields of one object by name, and remembers which names it was asked for, so that
/// the names nobody knows can be told. Values of a wrong type become problems.
pub struct Fields<'a> {
    pub value: &'a Value,
    met: &'a RefCell<Met>,
    asked: RefCell<HashSet<&'static str>>,
    any: Cell<bool>,
}

impl<'a> Fields<'a> {
    fn new(value: &'a Value, met: &'a RefCell<Met>) -> Self {
        Fields { value, met, asked: RefCell::default(), any: Cell::new(false) }
    }

    /// Reads a whole resource. What was met comes back in the order of the file.
    pub fn read<T>(value: &'a Value, met: &'a RefCell<Met>, read: impl FnOnce(&Fields<'a>) -> T) -> T {
        let fields = Fields::new(value, met);
        let read = read(&fields);
        let unexpected = fields.unexpected();
        met.borrow_mut().unexpected.extend(unexpected);
        read
    }

    pub fn span(&self) -> Span {
        self.value.span
    }

    /// `null` is the same as absent: that is what the ECS API makes of it.
    pub fn get(&self, name: &'static str) -> Option<&'a Value> {
        self.ask(name);
        self.value.get(name).filter(|value| value.kind != Kind::Null)
    }

    fn ask(&self, name: &'static str) {
        self.asked.borrow_mut().insert(name);
        self.record(Record { name, is_own: false, members: Vec::new() });
    }

    fn record(&self, member: Record) {
        let mut met = self.met.borrow_mut();
        let Some(recorded) = &mut met.recorded else { return };
        match recorded.iter_mut().find(|other| other.name == member.name) {
            // Asked for twice, once for what it is.
            Some(other) if other.members.is_empty() && !other.is_own => *other = member,
            Some(_) => {}
            None => recorded.push(member),
        }
    }

    /// Records what the reader of an object asks for; nothing where values are read.
    fn recorded_within<T>(&self, name: &'static str, read: impl FnOnce(&Fields<'a>) -> T) -> Option<T> {
        let above = self.met.borrow_mut().recorded.as_mut().map(std::mem::take)?;
        let fields = Fields::new(self.value, self.met);
        let read = read(&fields);
        let is_own = fields.any.get();
        let members = self.met.borrow_mut().recorded.replace(above).filter(|_| !is_own).unwrap_or_default();
        self.record(Record { name, is_own, members });
        Some(read)
    }

    fn is_recording(&self) -> bool {
        self.met.borrow().recorded.is_some()
    }

    /// Why a member that is not there might be there all the same.
    fn rest(&self) -> Option<&Reason> {
        match &self.value.kind {
            Kind::Map(_, rest) => rest.as_ref(),
            Kind::Unknown(reason) => Some(reason),
            _ => None,
        }
    }

    fn field<T>(&self, name: &'static str, wanted: &str, read: impl FnOnce(&'a Kind) -> Option<T>) -> Field<T> {
        let Some(value) = self.get(name) else {
            return match self.rest() {
                Some(reason) => Field::Unknown(reason.clone(), self.value.span),
                None => Field::Absent,
            };
        };
        if let Kind::Unknown(reason) = &value.kind {
            return Field::Unknown(reason.clone(), value.span);
        }
        match read(&value.kind) {
            Some(known) => Field::Known(known, value.span),
            None => {
                self.problem(value.span, format!("`{name}` must be {wanted}"));
                Field::Unknown(format!("`{name}` is not {wanted}").into(), value.span)
            }
        }
    }

    pub fn string(&self, name: &'static str) -> Field<String> {
        self.field(name, "a string", |kind| match kind {
            Kind::String(text) => Some(text.to_string()),
            Kind::Number(digits) => Some(digits.to_string()),
            Kind::Bool(b) => Some(b.to_string()),
            _ => None,
        })
    }

    /// The strings `"true"` and `"false"` count, as they do for CloudFormation and Terraform.
    pub fn bool(&self, name: &'static str) -> Field<bool> {
        self.field(name, "true or false", |kind| match kind {
            Kind::Bool(b) => Some(*b),
            Kind::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Kind::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        })
    }

    pub fn integer(&self, name: &'static str) -> Field<i64> {
        self.field(name, "a whole number", |kind| match kind {
            Kind::Number(text) | Kind::String(text) => {
                text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|n| n.fract() == 0.0).map(|n| n as i64))
            }
            _ => None,
        })
    }

    /// An object, read by its own reader; an unknown one is read as having unknown fields.
    pub fn object<T>(&self, name: &'static str, read: impl FnOnce(&Fields<'a>) -> T) -> Field<T> {
        if self.is_recording() {
            let read = self.recorded_within(name, read);
            return read.map_or(Field::Absent, |read| Field::Known(read, self.value.span));
        }
        let Some(value) = self.get(name) else {
            return match self.rest() {
                Some(reason) => Field::Unknown(reason.clone(), self.value.span),
                None => Field::Absent,
            };
        };
        match &value.kind {
            Kind::Map(..) => Field::Known(Fields::read(value, self.met, read), value.span),
            Kind::Unknown(reason) => Field::Unknown(reason.clone(), value.span),
            _ => {
                self.problem(value.span, format!("`{name}` must be an object"));
                Field::Unknown(format!("`{name}` is not an object").into(), value.span)
            }
        }
    }

    /// A name or ARN of another resource.
    pub fn reference(&self, name: &'static str) -> Reference {
        match self.string(name) {
            Field::Absent => Reference::Absent,
            Field::Known(name, span) => Reference::Named(name, span),
            Field::Unknown(reason, span) => match reason.address() {
                Some(address) => Reference::Declared(address.clone(), span),
                None => Reference::Unknown(reason, span),
            },
        }
    }

    /// A document such as a policy: an object, or a string that holds one as JSON.
    pub fn document(&self, name: &'static str) -> Field<Value> {
        self.field(name, "an object or its JSON", |kind| match kind {
            Kind::Map(..) => self.get(name).cloned(),
            Kind::String(text) => {
                let json: serde_json::Value = serde_json::from_str(text).ok()?;
                let span = self.get(name)?.span;
                json.is_object().then(|| Value::from_json(span, &json))
            }
            _ => None,
        })
    }

    pub fn objects<T>(&self, name: &'static str, mut read: impl FnMut(&Fields<'a>) -> T) -> List<T> {
        if self.is_recording() {
            self.recorded_within(name, read);
            return List::default();
        }
        self.list(name, |item, met| match &item.kind {
            Kind::Unknown(_) | Kind::Null => None,
            Kind::Map(..) => Some(Fields::read(item, met, &mut read)),
            _ => {
                met.borrow_mut()
                    .problems
                    .push(Problem { span: item.span, message: format!("an item of `{name}` must be an object") });
                None
            }
        })
    }

    pub fn strings(&self, name: &'static str) -> List<Field<String>> {
        self.list(name, |item, met| match &item.kind {
            Kind::String(text) => Some(Field::Known(text.to_string(), item.span)),
            Kind::Number(text) => Some(Field::Known(text.to_string(), item.span)),
            Kind::Bool(b) => Some(Field::Known(b.to_string(), item.span)),
            Kind::Unknown(reason) => Some(Field::Unknown(reason.clone(), item.span)),
            Kind::Null => None,
            _ => {
                met.borrow_mut()
                    .problems
                    .push(Problem { span: item.span, message: format!("an item of `{name}` must be a string") });
                None
            }
        })
    }

    /// A map of strings, such as `tags` in Terraform or `dockerLabels`.
    pub fn string_map(&self, name: &'static str) -> List<(String, Field<String>)> {
        self.know_own(name);
        let Some(value) = self.get(name) else {
            return self.missing_list();
        };
        match &value.kind {
            Kind::Map(members, rest) => List {
                items: members.iter().map(|member| (member.name.to_string(), string_of(member))).collect(),
                rest: rest.clone().map(|reason| (reason, value.span)),
                span: Some(value.span),
            },
            Kind::Unknown(reason) => {
                List { items: Vec::new(), rest: Some((reason.clone(), value.span)), span: Some(value.span) }
            }
            _ => {
                self.problem(value.span, format!("`{name}` must be an object"));
                List {
                    items: Vec::new(),
                    rest: Some((format!("`{name}` is not an object").into(), value.span)),
                    span: Some(value.span),
                }
            }
        }
    }

    fn missing_list<T>(&self) -> List<T> {
        List { rest: self.rest().map(|reason| (reason.clone(), self.value.span)), ..List::default() }
    }

    fn list<T>(&self, name: &'static str, mut read: impl FnMut(&'a Value, &'a RefCell<Met>) -> Option<T>) -> List<T> {
        let Some(value) = self.get(name) else {
            return self.missing_list();
        };
        match &value.kind {
            Kind::List(items, rest) => {
                let mut list = List {
                    items: Vec::new(),
                    rest: rest.clone().map(|reason| (reason, value.span)),
                    span: Some(value.span),
                };
                for item in items {
                    match (&item.kind, read(item, self.met)) {
                        (Kind::Null, _) => {}
                        (_, Some(read)) => list.items.push(read),
                        (Kind::Unknown(reason), None) => list.rest = Some((reason.clone(), item.span)),
                        (_, None) => {}
                    }
                }
                list
            }
            Kind::Unknown(reason) => {
                List { items: Vec::new(), rest: Some((reason.clone(), value.span)), span: Some(value.span) }
            }
            _ => {
                self.problem(value.span, format!("`{name}` must be a list"));
                List {
                    items: Vec::new(),
                    rest: Some((format!("`{name}` is not a list").into(), value.span)),
                    span: Some(value.span),
                }
            }
        }
    }

    pub fn problem(&self, span: Span, message: String) {
        self.met.borrow_mut().problems.push(Problem { span, message });
    }

    /// The members that no reader asked for: names that the API does not have.
    fn unexpected(&self) -> Vec<(String, Span)> {
        if self.any.get() {
            return Vec::new();
        }
        let asked = self.asked.borrow();
        self.value
            .members()
            .iter()
            .filter(|member| !asked.contains(&*member.name))
            .map(|member| (member.name.to_string(), member.name_span))
            .collect()
    }

    /// Any name is known: the members are the user's own.
    pub fn know_any(&self) {
        self.any.set(true);
    }

    /// Marks names as known that nobody needs the value of.
    pub fn know(&self, names: &[&'static str]) {
        names.iter().for_each(|name| self.ask(name));
    }

    /// The same of an object whose members are the user's own.
    pub fn know_own(&self, name: &'static str) {
        self.asked.borrow_mut().insert(name);
        self.record(Record { name, is_own: true, members: Vec::new() });
    }
}

fn string_of(member: &Member) -> Field<String> {
    match &member.value.kind {
        Kind::String(text) | Kind::Number(text) => Field::Known(text.to_string(), member.value.span),
        Kind::Bool(b) => Field::Known(b.to_string(), member.value.span),
        Kind::Unknown(reason) => Field::Unknown(reason.clone(), member.value.span),
        _ => Field::Absent,
    }
}
