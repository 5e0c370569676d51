//! CloudFormation's functions evaluated as far as the template tells: what is known only at
//! deployment stays unknown, and a condition that the template leaves open becomes a choice.
//!
//! Long because each function of CloudFormation is a few lines of one evaluator.

use std::cell::{Cell, RefCell};

use tojimari_text::{Entry, Node, Span, Written, yaml};

use super::condition::{Condition, Conditions};
use super::functions::{
    concatenated, is_known, join, lifted, matching, placed, plain, push_text, reason_of, select, size, split, text_of,
};
use super::nested::Outputs;
use super::template::{Template, is_loop, own_macro};
use crate::partial::BOUNDS;
use crate::{rendered, serverless};
use tojimari_model::value::{Choice, Kind, Member, Reason, Value};

/// Levels of nesting in a template, beyond which a value is unknown. CloudFormation's own templates
/// stay far below.
const MAX_DEPTH: usize = 128;

/// Bytes that parameters, mappings and loops may add by being used again and again.
const MAX_GROWTH: usize = BOUNDS.bytes;

/// Items of all loops of one template.
const MAX_ITEMS: usize = BOUNDS.items;

pub(super) struct Evaluator<'n> {
    pub(super) template: &'n Template<'n>,
    pub(super) conditions: Conditions,
    /// The variables of the loops around, the innermost last.
    bindings: RefCell<Vec<(Box<str>, Box<str>)>>,
    /// Whether what was evaluated since this was last cleared used a parameter that is open.
    used_open: Cell<bool>,
    grown: Cell<usize>,
    items: Cell<usize>,
    /// What the nested stacks that were read so far give.
    pub(super) outputs: RefCell<Outputs>,
}

/// A function that a node calls: `!Sub x` and `{Fn::Sub: x}` are one.
pub(super) struct Call<'n> {
    /// Without `Fn::`.
    pub name: &'n str,
    pub argument: &'n Written,
    /// The argument as a node, where it is one: that of `!Sub x` shares the node of the call.
    node: Option<&'n Node>,
    pub span: Span,
}

pub(super) fn function(node: &Node) -> Option<Call<'_>> {
    if let Some(tag) = &node.tag {
        return Some(Call { name: tag, argument: &node.written, node: None, span: node.span });
    }
    let [Entry { key, value }] = node.entries() else { return None };
    let name = match &*key.name {
        "Ref" => "Ref",
        "Condition" if value.as_str().is_some() => "Condition",
        name if is_loop(name) => return None,
        name => name.strip_prefix("Fn::")?,
    };
    // `Fn::Select: !Split …` gives arguments that no function takes: they are not those of Split.
    let argument = if value.tag.is_some() { &Written::Null } else { &value.written };
    Some(Call { name, argument, node: Some(value), span: node.span })
}

impl<'n> Evaluator<'n> {
    pub(super) fn new(template: &'n Template<'n>) -> Self {
        Evaluator {
            template,
            conditions: Conditions::default(),
            bindings: RefCell::default(),
            used_open: Cell::default(),
            grown: Cell::default(),
            items: Cell::default(),
            outputs: RefCell::default(),
        }
    }

    /// What a node comes to. `AWS::NoValue` is null, and gone from the list or map that holds it.
    pub(super) fn value(&self, node: &Node) -> Value {
        self.at_depth(node, 0)
    }

    /// The value, and whether another may come out by giving a parameter.
    pub(super) fn value_and_openness(&self, node: &Node) -> (Value, bool) {
        let before = self.used_open.replace(false);
        let value = self.value(node);
        let open = self.used_open.replace(before);
        (value, open)
    }

    fn at_depth(&self, node: &Node, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::unknown(node.span, "is nested too deep");
        }
        if let Some(call) = function(node)
            && call.name != "Condition"
        {
            return self.call(&call, depth + 1);
        }
        let kind = match &node.written {
            Written::Null => Kind::Null,
            Written::Bool(b) => Kind::Bool(*b),
            Written::Number(digits) => Kind::Number(digits.clone()),
            Written::String(text) => return self.text(text, node.span),
            Written::Sequence(items) => {
                let values = items.iter().map(|item| self.at_depth(item, depth + 1));
                Kind::List(values.filter(|value| value.kind != Kind::Null).collect(), None)
            }
            Written::Mapping(entries) => {
                if let Some(name) = own_macro(node) {
                    return Value::unknown(node.span, format!("depends on the macro {name}"));
                }
                let mut members = Vec::with_capacity(entries.len());
                let mut rest = None;
                self.members(entries, depth, &mut members, &mut rest);
                Kind::Map(members, rest)
            }
        };
        Value::new(node.span, kind)
    }

    fn members(&self, entries: &[Entry], depth: usize, members: &mut Vec<Member>, rest: &mut Option<Reason>) {
        for entry in entries {
            let name = &*entry.key.name;
            if is_loop(name) && self.template.has_language_extensions() {
                let outcome = self.each_of_loop(&entry.value, &mut |body| {
                    self.members(body.entries(), depth + 1, members, rest);
                });
                if let Err(reason) = outcome {
                    *rest = Some(reason);
                }
            } else if name.starts_with("Fn::") && (is_loop(name) || entries.len() > 1) {
                // AWS::Include among other members brings more of them.
                *rest = Some(format!("depends on {name}").into());
            } else if name == "<<" && entry.value.tag.as_deref() == Some(yaml::UNRESOLVED) {
                *rest = Some("depends on an alias that leads nowhere".into());
            } else {
                let value = self.at_depth(&entry.value, depth + 1);
                if value.kind != Kind::Null {
                    members.push(Member { name: self.bound(name).into(), name_span: entry.key.span, value });
                }
            }
        }
    }

    /// Calls back with the body of `Fn::ForEach` for each item of its list, its variable bound.
    ///
    /// # Errors
    /// The reason why the items are not known.
    pub(super) fn each_of_loop(&self, node: &Node, call: &mut dyn FnMut(&Node)) -> Result<(), Reason> {
        let [variable, list, body] = node.items() else {
            return Err("depends on a Fn::ForEach that is not a name, a list and a body".into());
        };
        let Some(variable) = variable.as_str() else {
            return Err("depends on a Fn::ForEach whose variable is not a name".into());
        };
        let list = self.value(list);
        let Kind::List(items, None) = &list.kind else {
            return Err(match list.kind {
                Kind::Unknown(reason) | Kind::List(_, Some(reason)) => reason,
                _ => "depends on a Fn::ForEach whose list is not known".into(),
            });
        };
        let texts: Option<Vec<Box<str>>> = items.iter().map(|item| text_of(item).map(Into::into)).collect();
        let Some(texts) = texts else { return Err("depends on a Fn::ForEach whose list is not known".into()) };
        for text in texts {
            self.items.set(self.items.get() + 1);
            self.grown.set(self.grown.get() + body.span.range().len());
            if self.items.get() > MAX_ITEMS || self.grown.get() > MAX_GROWTH {
                return Err("depends on loops that grow to more than is read".into());
            }
            self.bindings.borrow_mut().push((variable.into(), text));
            call(body);
            self.bindings.borrow_mut().pop();
        }
        Ok(())
    }

    /// The text with the variables of the loops around put in: `${Name}`, and `&{Name}`, which
    /// leaves only letters and digits.
    pub(super) fn bound(&self, text: &str) -> String {
        let bindings = self.bindings.borrow();
        let mut text = text.to_owned();
        for (name, value) in bindings.iter().rev() {
            text = text.replace(&format!("${{{name}}}"), value);
            let bare = format!("&{{{name}}}");
            if text.contains(&bare) {
                let letters: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
                text = text.replace(&bare, &letters);
            }
        }
        text
    }

    fn text(&self, text: &str, span: Span) -> Value {
        if self.bindings.borrow().is_empty() {
            return plain(text, span);
        }
        plain(&self.grow_text(self.bound(text)), span)
    }

    fn grow_text(&self, text: String) -> String {
        self.grown.set(self.grown.get() + text.len());
        text
    }

    fn call(&self, call: &Call<'_>, depth: usize) -> Value {
        let Call { name, argument, span, .. } = *call;
        let items = || match argument {
            Written::Sequence(items) => &items[..],
            _ => &[],
        };
        if self.grown.get() > MAX_GROWTH {
            return Value::unknown(span, "depends on a template that grows to more than is read");
        }
        match name {
            "Ref" => match argument {
                Written::String(name) => self.reference(&self.bound(name), span),
                _ => Value::unknown(span, "refers to something without a name"),
            },
            "GetAtt" => self.attribute(argument, span),
            "If" => match items() {
                [condition, then, otherwise] if condition.as_str().is_some() => {
                    self.choose(condition.as_str().unwrap_or_default(), then, otherwise, span, depth)
                }
                _ => Value::unknown(span, "depends on a Fn::If that is not a condition and two values"),
            },
            "Sub" => self.substitute(argument, span, depth),
            "Join" | "Select" | "Split" | "FindInMap" | "Length" => {
                let arguments = match (name, call.node) {
                    ("Length", Some(list)) => vec![self.at_depth(list, depth)],
                    ("Length", None) => vec![self.at_depth(&Node::new(span, argument.clone()), depth)],
                    _ => items().iter().map(|item| self.at_depth(item, depth)).collect(),
                };
                lifted(&arguments, span, &|arguments| match (name, arguments) {
                    ("Join", [delimiter, list]) => join(delimiter, list, span),
                    ("Select", [index, list]) => select(index, list, span),
                    ("Split", [delimiter, text]) => split(delimiter, text, span),
                    ("FindInMap", [map, keys @ ..]) => self.find(map, keys, span, depth),
                    ("Length", [list]) => match &list.kind {
                        Kind::List(items, None) if items.iter().all(is_known) => {
                            Value::new(span, Kind::Number(items.len().to_string().into()))
                        }
                        _ => Value::unknown(span, reason_of([list])),
                    },
                    _ => Value::unknown(span, format!("depends on a Fn::{name} with other arguments than it takes")),
                })
            }
            "ImportValue" => Value::unknown(span, "is imported from another stack"),
            "GetAZs" => Value::unknown(span, "depends on the zones of the region"),
            "Base64" | "Cidr" | "ToJsonString" => Value::unknown(span, format!("depends on Fn::{name}")),
            "Transform" => Value::unknown(span, "depends on Fn::Transform"),
            "And" | "Or" | "Not" | "Equals" => {
                Value::unknown(span, format!("depends on Fn::{name}, which is for conditions"))
            }
            rendered::CONDITIONAL | serverless::VARIABLE => Value::unknown(span, format!("depends on {name}")),
            yaml::UNRESOLVED => Value::unknown(span, "depends on an alias that leads nowhere"),
            other if other.starts_with("tag:yaml.org") => Value::unknown(span, format!("depends on the tag {other}")),
            other => Value::unknown(span, format!("depends on {other}, which CloudFormation does not have")),
        }
    }

    /// What `Ref` or `${…}` comes to.
    fn reference(&self, name: &str, span: Span) -> Value {
        if let Some((_, bound)) = self.bindings.borrow().iter().rev().find(|(variable, _)| **variable == *name) {
            return plain(bound, span);
        }
        if name == "AWS::NoValue" {
            return Value::new(span, Kind::Null);
        }
        if name.starts_with("AWS::") {
            return Value::unknown(span, format!("depends on {name}"));
        }
        if let Some(parameter) = self.template.parameters.get(name) {
            if parameter.open {
                self.used_open.set(true);
            }
            self.grown.set(self.grown.get() + size(&parameter.value));
            return placed(&parameter.value, span);
        }
        Value::unknown(span, self.of_resource(name))
    }

    fn of_resource(&self, name: &str) -> Reason {
        match self.template.resource_names.contains_key(name) {
            true => Reason::attribute_of(&self.template.address(name)),
            false => format!("refers to {name}, which this template does not declare").into(),
        }
    }

    /// `Fn::GetAtt` of `Name.Attribute` in one text or in two.
    fn attribute(&self, argument: &Written, span: Span) -> Value {
        let (name, attribute) = match argument {
            Written::String(text) => {
                let (name, attribute) = text.split_once('.').unwrap_or((text, ""));
                (name, attribute.to_owned())
            }
            Written::Sequence(items) => {
                let rest: Vec<&str> = items.iter().skip(1).filter_map(Node::as_str).collect();
                (items.first().and_then(Node::as_str).unwrap_or_default(), rest.join("."))
            }
            _ => return Value::unknown(span, "refers to something without a name"),
        };
        self.attribute_of(&self.bound(name), &attribute, span)
    }

    fn attribute_of(&self, name: &str, attribute: &str, span: Span) -> Value {
        match self.output(name, attribute) {
            Some(output) => placed(&output, span),
            None => Value::unknown(span, self.of_resource(name)),
        }
    }

    fn choose(&self, condition: &str, then: &Node, otherwise: &Node, span: Span, depth: usize) -> Value {
        let (name, negated) = match self.condition(&self.bound(condition)) {
            Condition::Certain(true) => return self.at_depth(then, depth),
            Condition::Certain(false) => return self.at_depth(otherwise, depth),
            Condition::Open { name, negated } => (name, negated),
        };
        let (mut then, mut otherwise) = (self.at_depth(then, depth), self.at_depth(otherwise, depth));
        if negated {
            std::mem::swap(&mut then, &mut otherwise);
        }
        // What stands under one condition twice stands there once.
        let (then, otherwise) = (then.given(&name, true), otherwise.given(&name, false));
        if then.is_same(&otherwise) {
            return then;
        }
        Value::new(span, Kind::Choice(Box::new(Choice { condition: name, then, otherwise })))
    }

    fn substitute(&self, argument: &Written, span: Span, depth: usize) -> Value {
        let (text, own) = match argument {
            Written::String(text) => (&**text, &[][..]),
            Written::Sequence(items) => match &items[..] {
                [text] => (text.as_str().unwrap_or_default(), &[][..]),
                [text, own] if text.as_str().is_some() => (text.as_str().unwrap_or_default(), own.entries()),
                _ => return Value::unknown(span, "depends on a Fn::Sub that is not a text and its variables"),
            },
            Written::Number(text) => (&**text, &[][..]),
            _ => return Value::unknown(span, "depends on a Fn::Sub that is not a text"),
        };
        let text = self.bound(text);
        let mut pieces = Vec::new();
        let mut rest = &text[..];
        while let Some(start) = rest.find("${") {
            let Some(length) = rest[start..].find('}') else { break };
            let name = rest[start + 2..start + length].trim();
            push_text(&mut pieces, &rest[..start], span);
            match name.strip_prefix('!') {
                Some(literal) => push_text(&mut pieces, &format!("${{{literal}}}"), span),
                None => pieces.push(match own.iter().rev().find(|entry| *entry.key.name == *name) {
                    Some(entry) => self.at_depth(&entry.value, depth),
                    None => match name.split_once('.') {
                        Some((resource, attribute)) => self.attribute_of(resource, attribute, span),
                        None => self.reference(name, span),
                    },
                }),
            }
            rest = &rest[start + length + 1..];
        }
        push_text(&mut pieces, rest, span);
        let whole = lifted(&pieces, span, &|pieces| concatenated(pieces.iter(), span));
        self.grown.set(self.grown.get() + size(&whole));
        whole
    }

    /// `Fn::FindInMap`. Where a key is unknown, every entry that it might name is looked at: if
    /// they agree, the value is known all the same.
    fn find(&self, map: &Value, keys: &[Value], span: Span, depth: usize) -> Value {
        let (first, second, default) = match keys {
            [first, second] => (first, second, None),
            [first, second, options] => (first, second, options.get("DefaultValue")),
            _ => return Value::unknown(span, "depends on a Fn::FindInMap with other arguments than it takes"),
        };
        let Some(map) = text_of(map) else { return Value::unknown(span, reason_of([map])) };
        let Some(map) = self.template.mappings.get(map) else {
            return Value::unknown(span, format!("depends on the mapping {map}, which this template does not have"));
        };
        let mut found: Vec<Value> = Vec::new();
        for entry in matching(map.entries(), first) {
            for entry in matching(entry.value.entries(), second) {
                let value = self.at_depth(&entry.value, depth);
                if !found.iter().any(|other| other.is_same(&value)) {
                    found.push(value);
                }
            }
        }
        let all_known = is_known(first) && is_known(second);
        if let Some(default) = default
            && (!all_known || found.is_empty())
            && !found.iter().any(|other| other.is_same(default))
        {
            found.push(default.clone());
        }
        match &found[..] {
            [one] => {
                self.grown.set(self.grown.get() + size(one));
                placed(one, span)
            }
            [] if all_known => Value::unknown(span, "depends on an entry that the mapping does not have"),
            _ => Value::unknown(span, reason_of([first, second])),
        }
    }
}
