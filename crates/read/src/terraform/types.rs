//! Type constraints of variables, and the conversion of values to them: defaults of optional
//! attributes are filled in, attributes that a type does not have are dropped.

use std::sync::Arc;

use tojimari_text::Span;
use tojimari_text::hcl::{self, Expression, ExpressionKind, Key};

use super::text::Text;
use super::value::{Entry, Number, V, Val};

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
                Val::list(span, items, list.rest.clone())
            }
            (Type::Set(of), V::List(list)) => {
                let items = list.items.iter().map(|item| of.convert(item, default)).collect();
                to_set(&Val::list(span, items, list.rest.clone()))
            }
            (Type::Tuple(of), V::List(list)) if list.rest.is_none() && list.items.len() == of.len() => {
                let items = list.items.iter().zip(of).map(|(item, of)| of.convert(item, default)).collect();
                Val::list(span, items, None)
            }
            (Type::Map(of), V::Map(map)) => {
                let entries = map.entries.iter();
                let entries = entries.map(|entry| Entry { value: of.convert(&entry.value, default), ..entry.clone() });
                Val::map(span, entries.collect(), map.rest.clone())
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
                Val::map(span, entries, None)
            }
            // A resource or module given as a whole stays what it is.
            (_, V::Resource(_) | V::Module(_)) => value.clone(),
            (of, _) => Val::error(span, format!("is not {}", of.words())),
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

/// A list without items that are there twice, sorted.
pub fn to_set(value: &Val) -> Val {
    let Some(list) = value.as_list() else { return value.clone() };
    let mut items = list.items.clone();
    let key = |item: &Val| match &item.kind {
        V::Text(text) => text.known(),
        V::Number(number) => Some(number.to_string().into()),
        _ => None,
    };
    if items.iter().all(|item| key(item).is_some()) {
        items.sort_by_key(|item| key(item));
        items.dedup_by_key(|item| key(item));
    }
    Val::list_or_set(value.span, items, list.rest.clone(), true)
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
            (Some(text), _) => match Number::parse(text.trim()) {
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
            (Some("true"), _) => Val::bool(value.span, true),
            (Some("false"), _) => Val::bool(value.span, false),
            (Some(_), _) => Val::error(value.span, "is neither true nor false"),
            (None, reason) => Val::unknown(value.span, reason.unwrap_or_else(|| "is not known".into())),
        },
        V::Bool(_) | V::Unknown(_) | V::Null | V::Absent | V::Error(_) => value.clone(),
        V::Choice(_) => value.each_leaf(&mut to_bool),
        _ => Val::error(value.span, "is neither true nor false"),
    }
}
