//! A CloudFormation template taken apart: parameters with what is known of them, mappings, named
//! conditions, and resources by logical id.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tojimari_text::{Entry, Node};

use crate::given::Argument;
use tojimari_model::value::{Choice, Kind, Reason, Value};

/// What a stack that holds this one gives it: values by parameter name.
pub type Arguments = HashMap<Box<str>, Value>;

pub struct Template<'n> {
    pub(super) parameters: HashMap<&'n str, Parameter>,
    pub(super) mappings: HashMap<&'n str, &'n Node>,
    pub(super) conditions: HashMap<&'n str, &'n Node>,
    pub(super) resources: &'n [Entry],
    pub(super) resource_names: HashMap<&'n str, &'n Node>,
    /// The transforms that the template names, in its order.
    pub(super) transforms: Vec<&'n str>,
    /// A macro of the user's own that the whole template goes through: it may change anything.
    pub(super) changed_by: Option<&'n str>,
    /// Set for a nested stack: the logical id that it has in its parent.
    pub(super) within: Option<Arc<str>>,
    /// Logical ids that are not unique among all stacks that are nested in one another.
    pub(super) repeated: HashSet<Box<str>>,
}

pub(super) struct Parameter {
    /// The value given, or else the default; unknown without either.
    pub value: Value,
    /// Another value may be given when the stack is deployed.
    pub open: bool,
    /// Empty when anything is allowed.
    pub allowed: Vec<String>,
    kind: Box<str>,
}

/// A tree is a template when it has resources with types, each with a `::` in its name.
pub fn is_template(root: &Node) -> bool {
    let Some(resources) = root.get("Resources") else { return false };
    let typed = |node: &Node| node.get("Type").and_then(Node::as_str).is_some_and(|kind| kind.contains("::"));
    resources.is_mapping()
        && (root.get("AWSTemplateFormatVersion").is_some()
            || resources.entries().iter().any(|entry| typed(&entry.value) || is_loop(&entry.key.name)))
}

/// `Fn::ForEach::Name`, of the transform AWS::LanguageExtensions.
pub(super) fn is_loop(key: &str) -> bool {
    key.starts_with("Fn::ForEach::")
}

impl<'n> Template<'n> {
    pub fn new(root: &'n Node, arguments: Arguments, within: Option<Arc<str>>) -> Self {
        let section = |name: &str| root.get(name).map(Node::entries).unwrap_or_default();
        let by_name = |entries: &'n [Entry]| entries.iter().map(|entry| (&*entry.key.name, &entry.value)).collect();
        let nested = within.is_some();
        let parameters = section("Parameters")
            .iter()
            .map(|entry| {
                let given = arguments.get(&entry.key.name).cloned();
                (&*entry.key.name, Parameter::read(&entry.key.name, &entry.value, given, nested))
            })
            .collect();
        let transforms = match root.get("Transform") {
            Some(list) if list.is_sequence() => list.items().iter().filter_map(name_of_transform).collect(),
            Some(one) => name_of_transform(one).into_iter().collect(),
            None => Vec::new(),
        };
        let mut over_all = transforms.iter().copied().filter(|name| is_own(name));
        let changed_by = over_all.next().or_else(|| root.get("Resources").and_then(own_macro));
        Template {
            parameters,
            mappings: by_name(section("Mappings")),
            conditions: by_name(section("Conditions")),
            resources: section("Resources"),
            resource_names: by_name(section("Resources")),
            changed_by,
            transforms,
            within,
            repeated: HashSet::new(),
        }
    }

    /// Gives the parameters what the command line chose or other files may give.
    pub(super) fn give(&mut self, given: &crate::given::Arguments) {
        for (name, values) in given {
            if let Some(parameter) = self.parameters.get_mut(&**name) {
                parameter.give(values);
            }
        }
    }

    /// What a resource is called outside of its template: its logical id, after that of its stack
    /// where another stack has the same.
    pub(super) fn address(&self, logical_id: &str) -> String {
        match &self.within {
            Some(stack) if self.repeated.contains(logical_id) => format!("{stack}.{logical_id}"),
            _ => logical_id.to_owned(),
        }
    }

    /// `Fn::ForEach` and its like mean something.
    pub(super) fn has_language_extensions(&self) -> bool {
        self.transforms.contains(&"AWS::LanguageExtensions")
    }
}

/// A macro that is not AWS's. Those of AWS bring what they bring beside what is written.
fn is_own(name: &str) -> bool {
    !name.starts_with("AWS::")
}

/// The user's own macro that a mapping and everything in it goes through.
pub(super) fn own_macro(node: &Node) -> Option<&str> {
    let transform = node.get("Fn::Transform")?;
    // One whose name is not a plain word may be any.
    let name = name_of_transform(transform).unwrap_or("that Fn::Transform names");
    is_own(name).then_some(name)
}

fn name_of_transform(node: &Node) -> Option<&str> {
    node.as_str().or_else(|| node.get("Name").and_then(Node::as_str))
}

impl Parameter {
    fn read(name: &str, node: &Node, given: Option<Value>, nested: bool) -> Parameter {
        let text = |node: &Node| match Value::from(node).kind {
            Kind::String(text) | Kind::Number(text) => Some(text.to_string()),
            Kind::Bool(b) => Some(b.to_string()),
            _ => None,
        };
        let allowed: Vec<String> =
            node.get("AllowedValues").map(|list| list.items().iter().filter_map(text).collect()).unwrap_or_default();
        let kind = node.get("Type").and_then(Node::as_str).unwrap_or("String");
        if let Some(value) = given {
            return Parameter { value: typed(value, kind), open: false, allowed, kind: kind.into() };
        }
        let default = node.get("Default");
        let value = match default.and_then(text) {
            // A default of a parameter in Systems Manager is the name of that parameter.
            Some(_) | None if kind.starts_with("AWS::SSM::Parameter::Value") => {
                unknown(node, format!("is read from Systems Manager by the parameter {name}"))
            }
            Some(text) => typed(Value::new(node.span, Kind::String(text.into())), kind),
            None => match &allowed[..] {
                [only] => typed(Value::new(node.span, Kind::String(only.as_str().into())), kind),
                _ => unknown(node, format!("depends on the parameter {name}, which has no default")),
            },
        };
        // What the stack around a nested one does not give has its default.
        let open = allowed.len() != 1 && !(nested && default.is_some());
        Parameter { value, open, allowed, kind: kind.into() }
    }

    /// Takes the values that the command line chose or that other files may give. The first of
    /// several files that are used together decides.
    fn give(&mut self, given: &[Argument]) {
        for Argument { value, condition } in given.iter().rev() {
            let value = match &*self.kind {
                kind if kind.starts_with("AWS::SSM::Parameter::Value") => {
                    Value::unknown(value.span, "is read from Systems Manager by the name that is given")
                }
                kind => typed(value.clone(), kind),
            };
            let Some(condition) = condition else {
                *self = Parameter {
                    value,
                    open: false,
                    allowed: std::mem::take(&mut self.allowed),
                    kind: self.kind.clone(),
                };
                return;
            };
            if !value.is_same(&self.value) {
                let choice = Choice { condition: condition.clone(), then: value, otherwise: self.value.clone() };
                self.value = Value::new(choice.then.span, Kind::Choice(Box::new(choice)));
            }
        }
    }
}

fn unknown(node: &Node, reason: String) -> Value {
    Value::unknown(node.span, Reason::from(reason))
}

/// Text of a list parameter is split at its commas.
fn typed(value: Value, kind: &str) -> Value {
    let list = kind == "CommaDelimitedList" || kind.starts_with("List<");
    match &value.kind {
        Kind::String(text) | Kind::Number(text) if list => {
            let items = text.split(',').map(|item| Value::new(value.span, Kind::String(item.trim().into()))).collect();
            Value::new(value.span, Kind::List(items, None))
        }
        Kind::Choice(choice) if list => {
            let choice = Choice {
                condition: choice.condition.clone(),
                then: typed(choice.then.clone(), kind),
                otherwise: typed(choice.otherwise.clone(), kind),
            };
            Value::new(value.span, Kind::Choice(Box::new(choice)))
        }
        _ => value,
    }
}
