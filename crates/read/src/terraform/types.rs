//! Type constraints of variables, and the conversion of values to them: defaults of optional
//! attributes are filled in, attributes that a type does not have are dropped. Several values in one
//! list are converted to one type.
//!
//! Long because the common type of several values is a case for each pair of types.

use std::sync::Arc;

use tojimari_text::Span;
use tojimari_text::hcl::{self, Expression, ExpressionKind, Key};

use super::text::Text;
use super::value::{Entry, List, Number, Shape, V, Val};

#[derive(Clone, Debug)]
pub enum Type {
    Any,
    String,
    Number,
    Bool,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(Vec<AttributeType>),
}

#[derive(Clone, Debug)]
pub struct AttributeType {
    pub name: Arc<str>,
    pub of: Type,
    pub optional: bool,
    pub default: Option<Expression>,
}

impl Type {
    /// The type that an expression names; what is not a type is any.
    pub fn read(expression: &Expression) -> Type {
        match &expression.kind {
            ExpressionKind::Variable(name) => Type::named(name),
            // `"string"` and `"list"`, as before Terraform 0.12, and any type in the JSON syntax.
            ExpressionKind::Template(template) => {
                let written = template.literal().unwrap_or_default();
                match hcl::read_expression(expression.span.file, &written, 0..written.len()) {
                    Ok(inner) if !matches!(inner.kind, ExpressionKind::Template(_)) => Type::read(&inner),
                    _ => Type::Any,
                }
            }
            ExpressionKind::Call(call) => {
                let argument = call.arguments.first();
                let inner = || Box::new(argument.map_or(Type::Any, Type::read));
                match (&*call.name.text, argument.map(|argument| &argument.kind)) {
                    ("list", _) => Type::List(inner()),
                    ("set", _) => Type::Set(inner()),
                    ("map", _) => Type::Map(inner()),
                    ("tuple", Some(ExpressionKind::List(items))) => Type::Tuple(items.iter().map(Type::read).collect()),
                    ("object", Some(ExpressionKind::Object(items))) => {
                        let attributes = items.iter().filter_map(|item| match &item.key {
                            Key::Name(name) => Some(AttributeType::read(name.text.clone(), &item.value)),
                            Key::Computed(_) => None,
                        });
                        Type::Object(attributes.collect())
                    }
                    ("optional", _) => *inner(),
                    _ => Type::Any,
                }
            }
            _ => Type::Any,
        }
    }

    fn named(name: &str) -> Type {
        match name {
            "string" => Type::String,
            "number" => Type::Number,
            "bool" => Type::Bool,
            "list" => Type::List(Box::new(Type::Any)),
            "set" => Type::Set(Box::new(Type::Any)),
            "map" => Type::Map(Box::new(Type::Any)),
            _ => Type::Any,
        }
    }

    /// Converts a value. `default` evaluates the default of an optional attribute.
    pub fn convert(&self, value: &Val, default: &mut dyn FnMut(&Expression) -> Val) -> Val {
        let span = value.span;
        match (self, &value.kind) {
            (_, V::Choice(_)) => value.each_leaf(&mut |leaf| self.convert(leaf, default)),
            (Type::Any, _) | (_, V::Null | V::Absent | V::Unknown(_) | V::Error(_)) => value.clone(),
            (Type::String, _) => to_text(value),
            (Type::Number, _) => to_number(value),
            (Type::Bool, _) => to_bool(value),
            (Type::List(of), V::List(list)) => {
                let items = list.items.iter().map(|item| of.convert(item, default)).collect();
                of.elements(Val::list_of(span, items, list.rest.clone(), Shape::Alike))
            }
            (Type::Set(of), V::List(list)) => {
                let items = list.items.iter().map(|item| of.convert(item, default)).collect();
                to_set(&Val::list(span, items, list.rest.clone()))
            }
            (Type::Tuple(of), V::List(list)) if list.rest.is_none() && list.items.len() == of.len() => {
                let items = list.items.iter().zip(of).map(|(item, of)| of.convert(item, default)).collect();
                Val::tuple(span, items, None)
            }
            (Type::Map(of), V::Map(map)) => {
                let entries = map.entries.iter();
                let entries = entries.map(|entry| Entry { value: of.convert(&entry.value, default), ..entry.clone() });
                of.elements(Val::map_of(span, entries.collect(), map.rest.clone(), Shape::Alike))
            }
            (Type::Object(attributes), V::Map(map)) => {
                let mut entries = Vec::with_capacity(attributes.len());
                for attribute in attributes {
                    let given = map.get(&attribute.name);
                    let converted = match (given, &map.rest) {
                        (Some(entry), _) => attribute.convert(&entry.value, default),
                        (None, Some(reason)) => Val::unknown(span, reason.clone()),
                        (None, None) if attribute.optional => attribute.absent(span, default),
                        (None, None) => return Val::error(span, format!("lacks the attribute `{}`", attribute.name)),
                    };
                    let key_span = given.map_or(span, |entry| entry.key_span);
                    entries.push(Entry { key: attribute.name.clone(), key_span, value: converted });
                }
                Val::object(span, entries, None)
            }
            // A resource or module given as a whole stays what it is.
            (_, V::Resource(_) | V::Module(_)) => value.clone(),
            (of, _) => Val::error(span, format!("is not {}", of.words())),
        }
    }

    /// A collection of this type, which is that of its elements; any type stands for one of them.
    fn elements(&self, value: Val) -> Val {
        match self {
            Type::Any => alike(&value),
            _ => value,
        }
    }

    /// The type of a value, as far as it is known.
    fn of(value: &Val) -> Type {
        match &value.kind {
            V::Bool(_) => Type::Bool,
            V::Number(_) => Type::Number,
            V::Text(_) => Type::String,
            V::List(list) if list.rest.is_none() && !list.maybe => match list.shape {
                Shape::Fixed => Type::Tuple(list.items.iter().map(Type::of).collect()),
                Shape::Alike => Type::List(Box::new(Type::of_any(list.items.iter()))),
                Shape::Set => Type::Set(Box::new(Type::of_any(list.items.iter()))),
                Shape::Open => Type::Any,
            },
            V::Map(map) if map.rest.is_none() && !map.maybe => match map.shape {
                Shape::Fixed => {
                    let attributes = map.entries.iter().map(|entry| AttributeType {
                        name: entry.key.clone(),
                        of: Type::of(&entry.value),
                        optional: false,
                        default: None,
                    });
                    Type::Object(attributes.collect())
                }
                Shape::Alike => Type::Map(Box::new(Type::of_any(map.entries.iter().map(|entry| &entry.value)))),
                Shape::Set | Shape::Open => Type::Any,
            },
            V::Choice(choice) => common(vec![Type::of(&choice.then), Type::of(&choice.otherwise)]).unwrap_or(Type::Any),
            _ => Type::Any,
        }
    }

    fn of_any<'v>(values: impl Iterator<Item = &'v Val>) -> Type {
        common(values.map(Type::of).collect()).unwrap_or(Type::Any)
    }

    fn inner(&self) -> Option<Type> {
        match self {
            Type::List(of) | Type::Set(of) | Type::Map(of) => Some((**of).clone()),
            _ => None,
        }
    }

    fn is_same(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::String, Type::String) | (Type::Number, Type::Number) | (Type::Bool, Type::Bool) => true,
            (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => {
                a.is_same(b)
            }
            (Type::Tuple(a), Type::Tuple(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_same(b)),
            (Type::Object(a), Type::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.name == b.name && a.of.is_same(&b.of))
            }
            _ => false,
        }
    }

    /// Whether nothing in it is any type.
    fn is_certain(&self) -> bool {
        match self {
            Type::Any => false,
            Type::String | Type::Number | Type::Bool => true,
            Type::List(of) | Type::Set(of) | Type::Map(of) => of.is_certain(),
            Type::Tuple(items) => items.iter().all(Type::is_certain),
            Type::Object(attributes) => attributes.iter().all(|attribute| attribute.of.is_certain()),
        }
    }

    fn words(&self) -> &'static str {
        match self {
            Type::Any => "any value",
            Type::String => "a string",
            Type::Number => "a number",
            Type::Bool => "a truth",
            Type::List(_) => "a list",
            Type::Set(_) => "a set",
            Type::Map(_) => "a map",
            Type::Tuple(_) => "a list of that length",
            Type::Object(_) => "an object",
        }
    }
}

impl AttributeType {
    fn read(name: Arc<str>, written: &Expression) -> AttributeType {
        if let ExpressionKind::Call(call) = &written.kind
            && &*call.name.text == "optional"
        {
            let of = call.arguments.first().map_or(Type::Any, Type::read);
            return AttributeType { name, of, optional: true, default: call.arguments.get(1).cloned() };
        }
        AttributeType { name, of: Type::read(written), optional: false, default: None }
    }

    /// Null means absent where there is a default.
    fn convert(&self, given: &Val, default: &mut dyn FnMut(&Expression) -> Val) -> Val {
        match self.default.is_some() && given.any_leaf(&Val::is_null) {
            true => given.each_leaf(&mut |leaf| match leaf.is_null() {
                true => self.absent(leaf.span, default),
                false => self.of.convert(leaf, default),
            }),
            false => self.of.convert(given, default),
        }
    }

    fn absent(&self, span: Span, default: &mut dyn FnMut(&Expression) -> Val) -> Val {
        match &self.default {
            Some(written) => {
                let value = default(written);
                self.of.convert(&value, default)
            }
            None => Val::null(span),
        }
    }
}

/// A set of the items of a list: of one type, sorted, none there twice.
pub fn to_set(value: &Val) -> Val {
    let value = alike(value);
    let Some(list) = value.as_list() else { return value };
    let mut items = list.items.clone();
    if items.iter().all(|item| set_key(item).is_some()) {
        items.sort_by(set_order);
        items.dedup_by(|a, b| set_order(a, b).is_eq());
    }
    Val::list_of(value.span, items, list.rest.clone(), Shape::Set)
}

/// Whether the items of a set stand in its order.
pub fn is_sorted_set(list: &List) -> bool {
    list.items.iter().all(|item| set_key(item).is_some())
}

fn set_key(item: &Val) -> Option<Arc<str>> {
    match &item.kind {
        V::Text(text) => text.known(),
        V::Number(number) => Some(number.to_string().into()),
        V::Bool(b) => Some(b.to_string().into()),
        _ => None,
    }
}

fn set_order(a: &Val, b: &Val) -> std::cmp::Ordering {
    match (&a.kind, &b.kind) {
        (V::Number(a), V::Number(b)) => a.compared(b),
        _ => set_key(a).cmp(&set_key(b)),
    }
}

/// A list or map whose elements have one type: those of a tuple or object are converted to it, as far
/// as they are known.
pub fn alike(value: &Val) -> Val {
    match &value.kind {
        V::List(list) => {
            let (items, certain) = one_type(&list.items);
            let shape = if certain { Shape::Alike } else { Shape::Open };
            Val::list_of(value.span, items, list.rest.clone(), shape)
        }
        V::Map(map) => {
            let values: Vec<Val> = map.entries.iter().map(|entry| entry.value.clone()).collect();
            let (values, certain) = one_type(&values);
            let entries = map.entries.iter().zip(values).map(|(entry, value)| Entry { value, ..entry.clone() });
            let shape = if certain { Shape::Alike } else { Shape::Open };
            Val::map_of(value.span, entries.collect(), map.rest.clone(), shape)
        }
        V::Choice(_) => value.each_leaf(&mut alike),
        _ => value.clone(),
    }
}

/// Values converted to the one type that all of them can have, and whether that is certain.
fn one_type(values: &[Val]) -> (Vec<Val>, bool) {
    match values.is_empty() {
        true => (Vec::new(), true),
        false => match common(values.iter().filter(|value| !value.is_null()).map(Type::of).collect()) {
            Some(of) => {
                let certain = of.is_certain();
                (values.iter().map(|value| of.convert(value, &mut |_| value.clone())).collect(), certain)
            }
            None => (values.to_vec(), false),
        },
    }
}

/// Whether all values have one type; none where that of one is not known to its last part.
pub fn have_one(values: &[&Val]) -> Option<bool> {
    let types: Vec<Type> = values.iter().map(|value| Type::of(value)).collect();
    let certain = types.iter().all(Type::is_certain);
    certain.then(|| types.windows(2).all(|pair| pair[0].is_same(&pair[1])))
}

/// Values as the one type that they have in common, where there is one.
pub fn unified(values: &[Val]) -> Vec<Val> {
    one_type(values).0
}

/// Whether a value could be another one in the company of others: a text stays a text.
pub fn may_be_converted(value: &Val) -> bool {
    value.any_leaf(&|leaf| matches!(leaf.kind, V::Bool(_) | V::Number(_) | V::List(_) | V::Map(_)))
}

/// Whether an expression has no type of its own.
pub fn is_certain(written: &Expression) -> bool {
    match &written.kind {
        ExpressionKind::Null => true,
        ExpressionKind::Parentheses(inner) => is_certain(inner),
        _ => false,
    }
}

/// The type that values of all these types can be converted to; none where there is none, or where
/// it is not known.
fn common(types: Vec<Type>) -> Option<Type> {
    let known: Vec<&Type> = types.iter().filter(|of| !matches!(of, Type::Any)).collect();
    let Some(first) = known.first() else { return Some(Type::Any) };
    let all = |is: &dyn Fn(&Type) -> bool| known.iter().all(|of| is(of));
    let together = |types: Vec<Type>| common(types);
    match first {
        Type::String | Type::Number | Type::Bool => {
            if !all(&|of| matches!(of, Type::String | Type::Number | Type::Bool)) {
                return None;
            }
            let has = |is: fn(&Type) -> bool| known.iter().any(|of| is(of));
            let unknown = known.len() < types.len();
            match (
                has(|of| matches!(of, Type::String)),
                has(|of| matches!(of, Type::Number)),
                has(|of| matches!(of, Type::Bool)),
            ) {
                (true, ..) => Some(Type::String),
                // Numbers and truths beside what is not known, which may be a string.
                _ if unknown => Some(Type::Any),
                (_, true, true) => None,
                (_, true, false) => Some(Type::Number),
                _ => Some(Type::Bool),
            }
        }
        Type::List(_) | Type::Tuple(_) | Type::Set(_) => {
            if !all(&|of| matches!(of, Type::List(_) | Type::Tuple(_) | Type::Set(_))) || known.len() < types.len() {
                return None;
            }
            let length = match first {
                Type::Tuple(items) => Some(items.len()),
                _ => None,
            };
            let same_length =
                length.filter(|length| all(&|of| matches!(of, Type::Tuple(items) if items.len() == *length)));
            if let Some(length) = same_length {
                let mut items = Vec::with_capacity(length);
                for at in 0..length {
                    let of = known.iter().filter_map(|of| match of {
                        Type::Tuple(items) => Some(items[at].clone()),
                        _ => None,
                    });
                    items.push(together(of.collect())?);
                }
                return Some(Type::Tuple(items));
            }
            if all(&|of| matches!(of, Type::Set(_))) {
                return together(known.iter().filter_map(|of| of.inner()).collect()).map(|of| Type::Set(Box::new(of)));
            }
            let mut inner = Vec::new();
            for of in &known {
                match of {
                    Type::Tuple(items) => inner.extend(items.iter().cloned()),
                    Type::List(of) => inner.push((**of).clone()),
                    // Of lists and sets lists are made; beside a tuple that differs.
                    Type::Set(of) if !known.iter().any(|of| matches!(of, Type::Tuple(_))) => {
                        inner.push((**of).clone());
                    }
                    _ => return None,
                }
            }
            together(inner).map(|of| Type::List(Box::new(of)))
        }
        Type::Map(_) | Type::Object(_) => {
            if !all(&|of| matches!(of, Type::Map(_) | Type::Object(_))) || known.len() < types.len() {
                return None;
            }
            let names = |of: &Type| match of {
                Type::Object(attributes) => Some(attributes.iter().map(|one| one.name.clone()).collect::<Vec<_>>()),
                _ => None,
            };
            let own = names(first);
            if let Some(own) = own.filter(|own| all(&|of| names(of).as_ref() == Some(own))) {
                let mut attributes = Vec::with_capacity(own.len());
                for (at, name) in own.into_iter().enumerate() {
                    let of = known.iter().filter_map(|of| match of {
                        Type::Object(attributes) => Some(attributes[at].of.clone()),
                        _ => None,
                    });
                    let of = together(of.collect())?;
                    attributes.push(AttributeType { name, of, optional: false, default: None });
                }
                return Some(Type::Object(attributes));
            }
            let mut inner = Vec::new();
            for of in &known {
                match of {
                    Type::Object(attributes) => inner.extend(attributes.iter().map(|one| one.of.clone())),
                    Type::Map(of) => inner.push((**of).clone()),
                    _ => {}
                }
            }
            together(inner).map(|of| Type::Map(Box::new(of)))
        }
        Type::Any => Some(Type::Any),
    }
}

pub fn to_text(value: &Val) -> Val {
    let kind = match &value.kind {
        V::Text(_) | V::Null | V::Absent | V::Error(_) => return value.clone(),
        V::Bool(b) => V::Text(Text::plain(if *b { "true" } else { "false" }.into())),
        V::Number(number) => V::Text(Text::plain(number.to_string().into())),
        V::Unknown(unknown) => return Val::unknown(value.span, unknown.reason.clone()),
        V::Choice(_) => return value.each_leaf(&mut to_text),
        _ => return Val::error(value.span, "is not a string"),
    };
    Val::new(value.span, kind)
}

pub fn to_number(value: &Val) -> Val {
    match &value.kind {
        V::Text(text) => match (text.known(), text.reason()) {
            (Some(text), _) => match Number::parse(&text) {
                Some(number) => Val::new(value.span, V::Number(number)),
                None => Val::error(value.span, "is not a number"),
            },
            (None, reason) => Val::unknown(value.span, reason.unwrap_or_else(|| "is not known".into())),
        },
        V::Number(_) | V::Null | V::Absent | V::Error(_) => value.clone(),
        V::Unknown(unknown) => Val::unknown(value.span, unknown.reason.clone()),
        V::Choice(_) => value.each_leaf(&mut to_number),
        _ => Val::error(value.span, "is not a number"),
    }
}

pub fn to_bool(value: &Val) -> Val {
    match &value.kind {
        V::Text(text) => match (text.known().as_deref(), text.reason()) {
            (Some("true" | "1"), _) => Val::bool(value.span, true),
            (Some("false" | "0"), _) => Val::bool(value.span, false),
            (Some(_), _) => Val::error(value.span, "is neither true nor false"),
            (None, reason) => Val::unknown(value.span, reason.unwrap_or_else(|| "is not known".into())),
        },
        V::Bool(_) | V::Unknown(_) | V::Null | V::Absent | V::Error(_) => value.clone(),
        V::Choice(_) => value.each_leaf(&mut to_bool),
        _ => Val::error(value.span, "is neither true nor false"),
    }
}
