//! The named conditions of a template: which are certain, which stay open, and which of them can
//! hold together.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use tojimari_text::{Node, Written};

use super::evaluate::{Call, Evaluator, function};
use tojimari_model::value::{Assumption, Kind};

/// Valuations of the things that conditions compare, beyond which every combination is taken as
/// possible.
const MAX_VALUATIONS: usize = 4096;

/// Parts of one condition, with those that it refers to, beyond which it is one open thing.
const MAX_SIZE: usize = 1000;

/// Comparisons in one template, beyond which every combination is taken as possible.
const MAX_WORK: usize = 20_000_000;

/// A condition as it was written, over things that are compared with texts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    Certain(bool),
    /// This thing, known only at deployment, is this text.
    Is(Subject, Box<str>),
    Not(Rc<Expression>),
    /// With the size of the whole, as a tree.
    All(Vec<Rc<Expression>>, usize),
    Any(Vec<Rc<Expression>>, usize),
}

/// Something that is known only when the stack is deployed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Parameter(Box<str>),
    /// Anything else, by its text: equal texts are equal things.
    Text(Box<str>),
}

/// What is known of a named condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Certain(bool),
    /// Open, as that name says it or as its opposite.
    Open {
        name: Arc<str>,
        negated: bool,
    },
}

#[derive(Default)]
pub(super) struct Conditions {
    read: RefCell<HashMap<Box<str>, Option<Rc<Expression>>>>,
    judged: RefCell<HashMap<Box<str>, Condition>>,
    /// Comparisons done so far.
    work: Cell<usize>,
}

/// Names may refer to each other this deep.
const MAX_CHAIN: usize = 64;

impl Evaluator<'_> {
    /// The condition of that name, by its simplest name.
    pub(super) fn condition(&self, name: &str) -> Condition {
        if let Some(judged) = self.conditions.judged.borrow().get(name) {
            return judged.clone();
        }
        let condition = self.judge(name);
        self.conditions.judged.borrow_mut().insert(name.into(), condition.clone());
        condition
    }

    fn judge(&self, name: &str) -> Condition {
        let certain = match &*self.expression(name, 0) {
            Expression::Certain(b) => Some(*b),
            _ if !self.can_be(name, true) => Some(false),
            _ if !self.can_be(name, false) => Some(true),
            _ => None,
        };
        if let Some(certain) = certain {
            return Condition::Certain(certain);
        }
        // `NotProd: !Not [!Condition IsProd]` is the opposite of IsProd, not a condition more.
        let (mut name, mut negated) = (name, false);
        for _ in 0..MAX_CHAIN {
            let Some(node) = self.template.conditions.get(name) else { break };
            let Some((target, opposite)) = renamed(node) else { break };
            if !self.template.conditions.contains_key(target) {
                break;
            }
            name = target;
            negated ^= opposite;
        }
        Condition::Open { name: self.spoken(name), negated }
    }

    /// The name of a condition as assumptions carry it.
    fn spoken(&self, name: &str) -> Arc<str> {
        match &self.template.within {
            Some(stack) => format!("{name} of {stack}").into(),
            None => name.into(),
        }
    }

    fn unspoken<'a>(&self, name: &'a str) -> &'a str {
        match &self.template.within {
            Some(stack) => name.strip_suffix(&**stack).and_then(|name| name.strip_suffix(" of ")).unwrap_or(name),
            None => name,
        }
    }

    fn can_be(&self, name: &str, holds: bool) -> bool {
        self.possible(&[Assumption { condition: self.spoken(name), holds }])
    }

    /// Whether the assumptions can hold together, by what the conditions say of the same things.
    pub(super) fn possible(&self, assumed: &[Assumption]) -> bool {
        let wanted: Vec<(Rc<Expression>, bool)> = assumed
            .iter()
            .map(|assumption| (self.expression(self.unspoken(&assumption.condition), 0), assumption.holds))
            .collect();
        let mut subjects: BTreeMap<&Subject, BTreeSet<&str>> = BTreeMap::new();
        for (expression, _) in &wanted {
            expression.subjects(&mut subjects);
        }
        // Each thing is one of the texts that it is compared with, or something else.
        let domains: Vec<(&Subject, Vec<Option<&str>>)> = subjects
            .iter()
            .map(|(subject, texts)| {
                let allowed = match subject {
                    Subject::Parameter(name) => self.template.parameters.get(&**name).map(|p| &p.allowed[..]),
                    Subject::Text(_) => None,
                };
                let allowed = allowed.unwrap_or_default();
                let mut domain: Vec<Option<&str>> = texts
                    .iter()
                    .copied()
                    .filter(|t| allowed.is_empty() || allowed.iter().any(|a| a == t))
                    .map(Some)
                    .collect();
                if allowed.is_empty() || allowed.iter().any(|a| !texts.contains(a.as_str())) {
                    domain.push(None);
                }
                (*subject, domain)
            })
            .collect();
        let valuations = domains.iter().try_fold(1_usize, |product, (_, d)| product.checked_mul(d.len()));
        let Some(valuations) = valuations.filter(|count| *count <= MAX_VALUATIONS) else { return true };
        let size: usize = wanted.iter().map(|(expression, _)| expression.size()).sum();
        let work = self.conditions.work.get() + valuations * (size + domains.len());
        if work > MAX_WORK {
            return true;
        }
        self.conditions.work.set(work);
        (0..valuations).any(|mut index| {
            let mut valuation: BTreeMap<&Subject, Option<&str>> = BTreeMap::new();
            for (subject, domain) in &domains {
                valuation.insert(subject, domain[index % domain.len()]);
                index /= domain.len();
            }
            wanted.iter().all(|(expression, holds)| expression.holds(&valuation) == *holds)
        })
    }

    fn expression(&self, name: &str, depth: usize) -> Rc<Expression> {
        let opaque = || Rc::new(Expression::Is(Subject::Text(format!("condition {name}").into()), "true".into()));
        if let Some(read) = self.conditions.read.borrow().get(name) {
            // `None` while it is being read: it refers to itself.
            return read.clone().unwrap_or_else(opaque);
        }
        let Some(node) = self.template.conditions.get(name).filter(|_| depth < MAX_CHAIN) else { return opaque() };
        self.conditions.read.borrow_mut().insert(name.into(), None);
        let expression = self.read_condition(node, depth + 1);
        self.conditions.read.borrow_mut().insert(name.into(), Some(expression.clone()));
        expression
    }

    fn read_condition(&self, node: &Node, depth: usize) -> Rc<Expression> {
        let opaque = || Rc::new(Expression::Is(Subject::Text(canonical(node)), "true".into()));
        if depth > MAX_CHAIN {
            return opaque();
        }
        let Some(Call { name, argument, .. }) = function(node) else {
            return match &node.written {
                Written::Bool(b) => Rc::new(Expression::Certain(*b)),
                Written::String(text) if text.eq_ignore_ascii_case("true") => Rc::new(Expression::Certain(true)),
                Written::String(text) if text.eq_ignore_ascii_case("false") => Rc::new(Expression::Certain(false)),
                _ => opaque(),
            };
        };
        let items = match argument {
            Written::Sequence(items) => &items[..],
            _ => &[],
        };
        let each = || items.iter().map(|item| self.read_condition(item, depth + 1)).collect::<Vec<_>>();
        match (name, items) {
            ("Condition", _) => match argument {
                Written::String(name) => self.expression(name, depth),
                _ => opaque(),
            },
            ("Not", [one]) => {
                let inner = self.read_condition(one, depth + 1);
                Rc::new(match &*inner {
                    Expression::Certain(b) => Expression::Certain(!b),
                    _ => Expression::Not(inner),
                })
            }
            ("And" | "Or", [_, ..]) => {
                // What one part alone decides, and what it cannot.
                let (deciding, neutral) = (Expression::Certain(name == "Or"), Expression::Certain(name == "And"));
                let open: Vec<_> = each().into_iter().filter(|part| **part != neutral).collect();
                let size = 1 + open.iter().map(|part| part.size()).sum::<usize>();
                if open.iter().any(|part| **part == deciding) {
                    Rc::new(deciding)
                } else if open.is_empty() {
                    Rc::new(neutral)
                } else if size > MAX_SIZE {
                    opaque()
                } else if name == "And" {
                    Rc::new(Expression::All(open, size))
                } else {
                    Rc::new(Expression::Any(open, size))
                }
            }
            ("Equals", [left, right]) => match (self.side(left), self.side(right)) {
                (Side::Text(left), Side::Text(right)) => Rc::new(Expression::Certain(left == right)),
                (Side::Open(left), Side::Open(right)) if left == right => Rc::new(Expression::Certain(true)),
                (Side::Open(subject), Side::Text(text)) | (Side::Text(text), Side::Open(subject)) => {
                    Rc::new(Expression::Is(subject, text))
                }
                (Side::Open(_), Side::Open(_)) => opaque(),
            },
            _ => opaque(),
        }
    }

    fn side(&self, node: &Node) -> Side {
        if let Some(Call { name: "Ref", argument: Written::String(name), .. }) = function(node)
            && self.template.parameters.get(&**name).is_some_and(|parameter| parameter.open)
        {
            return Side::Open(Subject::Parameter(name.clone()));
        }
        let (value, open) = self.value_and_openness(node);
        match value.kind {
            Kind::String(text) | Kind::Number(text) if !open => Side::Text(text),
            Kind::Bool(b) if !open => Side::Text(b.to_string().into()),
            _ => Side::Open(Subject::Text(canonical(node))),
        }
    }
}

enum Side {
    Text(Box<str>),
    Open(Subject),
}

impl Expression {
    fn size(&self) -> usize {
        match self {
            Expression::Certain(_) | Expression::Is(..) => 1,
            Expression::Not(one) => one.size() + 1,
            Expression::All(_, size) | Expression::Any(_, size) => *size,
        }
    }

    fn subjects<'e>(&'e self, found: &mut BTreeMap<&'e Subject, BTreeSet<&'e str>>) {
        match self {
            Expression::Certain(_) => {}
            Expression::Is(subject, text) => {
                found.entry(subject).or_default().insert(text);
            }
            Expression::Not(one) => one.subjects(found),
            Expression::All(each, _) | Expression::Any(each, _) => each.iter().for_each(|e| e.subjects(found)),
        }
    }

    fn holds(&self, valuation: &BTreeMap<&Subject, Option<&str>>) -> bool {
        match self {
            Expression::Certain(b) => *b,
            Expression::Is(subject, text) => valuation.get(subject).copied().flatten() == Some(text),
            Expression::Not(one) => !one.holds(valuation),
            Expression::All(each, _) => each.iter().all(|e| e.holds(valuation)),
            Expression::Any(each, _) => each.iter().any(|e| e.holds(valuation)),
        }
    }
}

/// The condition of which this one is only another name, and whether it is its opposite.
fn renamed(node: &Node) -> Option<(&str, bool)> {
    match function(node)? {
        Call { name: "Condition", argument: Written::String(name), .. } => Some((name, false)),
        Call { name: "Not", argument: Written::Sequence(items), .. } => match &items[..] {
            [one] => renamed(one).map(|(name, negated)| (name, !negated)),
            _ => None,
        },
        _ => None,
    }
}

/// A text by which two equal pieces of a template can be told to be equal.
fn canonical(node: &Node) -> Box<str> {
    fn write(node: &Node, out: &mut String) {
        match function(node) {
            Some(call) => {
                out.push_str(call.name);
                out.push('(');
                write_written(call.argument, out);
                out.push(')');
            }
            None => write_written(&node.written, out),
        }
    }
    fn write_written(written: &Written, out: &mut String) {
        match written {
            Written::Null => out.push_str("null"),
            Written::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Written::Number(text) | Written::String(text) => out.push_str(&format!("{text:?}")),
            Written::Sequence(items) => items.iter().for_each(|item| {
                write(item, out);
                out.push(',');
            }),
            Written::Mapping(entries) => entries.iter().for_each(|entry| {
                out.push_str(&entry.key.name);
                out.push(':');
                write(&entry.value, out);
                out.push(';');
            }),
        }
    }
    let mut out = String::new();
    write(node, &mut out);
    out.into()
}
