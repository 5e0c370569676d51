//! Expressions to values. What is known is computed as Terraform would; what is not keeps its reason;
//! a condition that is open gives both of its ways. Every step is counted against a budget.
//!
//! Long because each kind of expression is an arm of one evaluator.

use std::sync::Arc;

use tojimari_text::Span;
use tojimari_text::hcl::{
    BinaryOperator, Call, Conditional, Expression, ExpressionKind, For, Key, Part, Step, Template, UnaryOperator,
};

use super::decimal::Big;
use super::module::Evaluator;
use super::text::{Builder, Text};
use super::types;
use super::value::{Entry, Number, Shape, V, Val};
use crate::partial::{BOUNDS, lift};
use tojimari_model::value::Reason;

/// Expressions within expressions, along references too.
const MAX_DEPTH: u32 = 900;

/// After so many levels evaluation goes on in a thread of its own, with a stack of its own.
const LEVELS_PER_STACK: u32 = if cfg!(debug_assertions) { 24 } else { 90 };

const STACK_BYTES: usize = 2 << 20;

/// Conditions that one text is written out for; where there are more, its parts are unknown.
const MAX_TEXT_CONDITIONS: usize = BOUNDS.conditions;

/// Where an expression stands: the module instance, and the names bound around it.
#[derive(Clone, Copy)]
pub struct Scope<'b> {
    pub module: usize,
    pub bound: Option<&'b Bound<'b>>,
}

/// A name that an expression finds bound: by `for`, by `count` and `for_each`, by `dynamic`. An empty
/// name stands for all members of a map: the variables of a template.
pub struct Bound<'b> {
    pub name: &'b str,
    pub value: Val,
    /// Tells conditions on one element from those on another: `each.key is "a"`.
    pub label: Option<String>,
    pub up: Option<&'b Bound<'b>>,
}

impl<'b> Scope<'b> {
    pub fn of(module: usize) -> Scope<'static> {
        Scope { module, bound: None }
    }

    fn with(self, bound: &'b Bound<'b>) -> Scope<'b> {
        Scope { module: self.module, bound: Some(bound) }
    }

    pub fn find(self, name: &str) -> Option<Val> {
        let mut bound = self.bound;
        while let Some(one) = bound {
            if one.name == name {
                return Some(one.value.clone());
            }
            if one.name.is_empty()
                && let V::Map(vars) = &one.value.kind
            {
                match (vars.get(name), &vars.rest) {
                    (Some(entry), _) => return Some(entry.value.clone()),
                    (None, Some(reason)) => return Some(Val::unknown(one.value.span, reason.clone())),
                    (None, None) => {}
                }
            }
            bound = one.up;
        }
        None
    }
}

impl Evaluator<'_> {
    /// The value of an expression.
    pub fn eval(&mut self, expression: &Expression, scope: Scope<'_>) -> Val {
        let span = self.span(expression.span, scope);
        if !self.spend(1) {
            return Val::unknown(span, "takes too many steps to evaluate");
        }
        if self.depth >= MAX_DEPTH {
            return Val::unknown(span, format!("is referred to through more than {MAX_DEPTH} levels"));
        }
        self.depth += 1;
        let value = match self.depth.is_multiple_of(LEVELS_PER_STACK) {
            false => self.eval_kind(expression, span, scope),
            true => std::thread::scope(|threads| {
                let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
                match builder.spawn_scoped(threads, || self.eval_kind(expression, span, scope)) {
                    Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                    Err(_) => Val::unknown(span, "is nested too deeply"),
                }
            }),
        };
        self.depth -= 1;
        value
    }

    fn eval_kind(&mut self, expression: &Expression, span: Span, scope: Scope<'_>) -> Val {
        match &expression.kind {
            ExpressionKind::Null => Val::null(span),
            ExpressionKind::Bool(b) => Val::bool(span, *b),
            ExpressionKind::Number(digits) => match Number::parse(digits) {
                Some(number) => Val::new(span, V::Number(number)),
                None => Val::error(span, "is not a number"),
            },
            ExpressionKind::Template(template) => self.template(template, span, scope),
            ExpressionKind::List(items) => {
                let items: Vec<Val> = items.iter().map(|item| self.eval(item, scope)).collect();
                self.collected(span, items)
            }
            ExpressionKind::Object(items) => self.object(items, span, scope),
            ExpressionKind::Variable(name) => self.root(name, &[], span, scope).0,
            ExpressionKind::Traversal(base, steps) => self.traversal(base, steps, span, scope),
            ExpressionKind::Call(call) => self.call(call, span, expression, scope),
            ExpressionKind::For(of) => self.for_expression(of, span, scope),
            ExpressionKind::Conditional(of) => self.conditional(of, span, scope),
            ExpressionKind::Unary(operator, operand) => self.unary(*operator, operand, span, scope),
            ExpressionKind::Binary(operator, operands) => {
                self.binary(*operator, &operands[0], &operands[1], span, expression, scope)
            }
            ExpressionKind::Parentheses(inner) => self.eval(inner, scope),
        }
    }

    /// A list of items; an error among them is one of the whole where errors are asked for.
    fn collected(&mut self, span: Span, items: Vec<Val>) -> Val {
        match self.first_error(items.iter()) {
            Some(error) => error,
            None => Val::tuple(span, items, None),
        }
    }

    fn first_error<'v>(&self, mut values: impl Iterator<Item = &'v Val>) -> Option<Val> {
        match self.catching {
            true => values.find(|value| matches!(value.kind, V::Error(_))).cloned(),
            false => None,
        }
    }

    fn object(&mut self, items: &[tojimari_text::hcl::Item], span: Span, scope: Scope<'_>) -> Val {
        let mut entries = Vec::with_capacity(items.len());
        let mut rest: Option<Reason> = None;
        for item in items {
            let (key, key_span) = match &item.key {
                Key::Name(name) => (Ok(name.text.clone()), self.span(name.span, scope)),
                Key::Computed(written) => {
                    let key = types::to_text(&self.eval(written, scope));
                    (self.known_text(&key), key.span)
                }
            };
            let value = self.eval(&item.value, scope);
            match key {
                Ok(key) => entries.push(Entry { key, key_span, value }),
                Err(reason) => rest = rest.or(Some(reason)),
            }
        }
        match self.first_error(entries.iter().map(|entry| &entry.value)) {
            Some(error) => error,
            None => Val::object(span, entries, rest),
        }
    }

    /// The text of a value, or the reason for which there is none.
    pub fn known_text(&self, value: &Val) -> Result<Arc<str>, Reason> {
        match &value.kind {
            V::Text(text) => text.known().ok_or_else(|| text.reason().unwrap_or_else(|| "is not known".into())),
            V::Null | V::Absent => Err("is null".into()),
            _ => Err(value.reason().unwrap_or_else(|| "is not a string".into())),
        }
    }

    // Templates.

    fn template(&mut self, template: &Template, span: Span, scope: Scope<'_>) -> Val {
        match template.parts.as_slice() {
            // A hole alone is its value, whatever that is.
            [Part::Interpolation(inner)] => self.eval(inner, scope),
            [Part::Literal(text, at)] => {
                let at = self.span(*at, scope);
                let verbatim = at.range().len() == text.len();
                let text = if verbatim { Text::verbatim(text.clone(), at) } else { Text::plain(text.clone()) };
                Val::new(span, V::Text(text))
            }
            parts => self.parts(parts, span, scope),
        }
    }

    /// The text of parts.
    pub fn parts(&mut self, parts: &[Part], span: Span, scope: Scope<'_>) -> Val {
        let mut values = Vec::with_capacity(parts.len());
        for part in parts {
            values.push(match part {
                Part::Literal(text, at) => {
                    let at = self.span(*at, scope);
                    let verbatim = at.range().len() == text.len();
                    let text = if verbatim { Text::verbatim(text.clone(), at) } else { Text::plain(text.clone()) };
                    Val::new(at, V::Text(text))
                }
                Part::Interpolation(inner) => self.eval(inner, scope),
                Part::If(part) => {
                    let at = self.span(part.span, scope);
                    let condition = self.eval(&part.condition, scope);
                    self.decide(&condition, &part.condition, at, scope, &mut |evaluator, holds| {
                        let parts = if holds { &part.then } else { &part.otherwise };
                        evaluator.parts(parts, at, scope)
                    })
                }
                Part::For(part) => {
                    let at = self.span(part.span, scope);
                    let collection = self.eval(&part.collection, scope);
                    let names = (part.key_name.as_ref().map(|name| &*name.text), &*part.value_name.text);
                    collection.each_leaf(&mut |leaf| {
                        let texts = self
                            .each(leaf, names, scope, &mut |evaluator, scope| evaluator.parts(&part.body, at, scope));
                        match texts {
                            Ok((texts, rest)) => {
                                let holes = rest.map(|reason| Val::unknown(at, reason));
                                let texts: Vec<Val> = texts.into_iter().chain(holes).collect();
                                self.joined(&texts, at, MAX_TEXT_CONDITIONS)
                            }
                            Err(other) => other.at(at),
                        }
                    })
                }
            });
        }
        self.joined(&values, span, MAX_TEXT_CONDITIONS)
    }

    /// Values as one text; for a choice among them, one text for each way.
    pub fn joined(&mut self, values: &[Val], span: Span, conditions: usize) -> Val {
        let open = values.iter().find_map(|value| match &value.kind {
            V::Choice(choice) => Some(choice.condition.clone()),
            _ => None,
        });
        if let Some(condition) = open
            && conditions > 0
        {
            let [then, otherwise] = [true, false].map(|holds| {
                let given: Vec<Val> = values.iter().map(|value| value.given(&condition, holds)).collect();
                self.joined(&given, span, conditions - 1)
            });
            return Val::choice(span, &condition, then, otherwise);
        }
        let mut builder = Builder::default();
        for value in values {
            if !matches!(value.kind, V::Absent) {
                builder.value(value);
            }
        }
        self.built(builder, span)
    }

    pub fn built(&mut self, builder: Builder, span: Span) -> Val {
        match self.spend_bytes(builder.cost()) {
            true => builder.finish(span),
            false => Val::unknown(span, "takes too much memory to evaluate"),
        }
    }

    // References.

    fn traversal(&mut self, base: &Expression, steps: &[Step], span: Span, scope: Scope<'_>) -> Val {
        let (value, taken) = match &base.kind {
            ExpressionKind::Variable(name) => self.root(name, steps, span, scope),
            _ => (self.eval(base, scope), 0),
        };
        self.steps(value, &steps[taken..], span, scope)
    }

    /// Takes steps from a value.
    fn steps(&mut self, value: Val, steps: &[Step], span: Span, scope: Scope<'_>) -> Val {
        let mut value = value;
        for (index, step) in steps.iter().enumerate() {
            if matches!(value.kind, V::Choice(_)) {
                let rest = &steps[index..];
                return value.each_leaf(&mut |leaf| self.steps(leaf.clone(), rest, span, scope));
            }
            value = match step {
                Step::Attribute(name) => self.attribute(&value, &name.text, span),
                Step::Index(index) => {
                    let index = self.eval(index, scope);
                    index.each_leaf(&mut |index| self.index(&value, index, span))
                }
                Step::Splat(_, each) => self.splat(&value, each, span, scope),
            };
        }
        value
    }

    pub fn attribute(&mut self, value: &Val, name: &str, span: Span) -> Val {
        match &value.kind {
            V::Map(map) => match (map.get(name), &map.rest) {
                (Some(entry), _) => present(&entry.value, name, span),
                (None, Some(reason)) => Val::unknown(span, reason.clone()),
                (None, None) => Val::error(span, format!("has no attribute `{name}`")),
            },
            V::Resource(instance) => {
                let instance = instance.clone();
                self.resource_attribute(&instance, name, span)
            }
            V::Module(module) => self.output(*module, name, span),
            V::Unknown(unknown) => Val::unknown(span, unknown.reason.clone()),
            V::Error(_) => value.clone(),
            V::Choice(_) => value.each_leaf(&mut |leaf| self.attribute(leaf, name, span)),
            V::Null | V::Absent => Val::error(span, format!("is null, which has no attribute `{name}`")),
            V::List(list) => match name.parse::<i64>() {
                Ok(index) => self.index(value, &Val::whole(span, index), span),
                Err(_) if list.items.len() == 1 && list.rest.is_none() && list.shape != Shape::Set => {
                    // Before Terraform 0.12, `count = 1` did not yet make a list of a resource.
                    match &list.items[0].kind {
                        V::Resource(_) => self.attribute(&list.items[0].clone(), name, span),
                        _ => Val::error(span, format!("is a list, which has no attribute `{name}`")),
                    }
                }
                Err(_) => Val::error(span, format!("is a list, which has no attribute `{name}`")),
            },
            V::Text(_) | V::Bool(_) | V::Number(_) => Val::error(span, format!("has no attribute `{name}`")),
        }
    }

    pub fn index(&mut self, value: &Val, index: &Val, span: Span) -> Val {
        let unknown = |value: &Val| Val::unknown(span, value.reason().unwrap_or_else(|| "is not known".into()));
        match (&value.kind, &index.kind) {
            (V::Error(_), _) => value.clone(),
            (_, V::Error(_)) => index.clone(),
            (V::Choice(_), _) => value.each_leaf(&mut |leaf| self.index(leaf, index, span)),
            (V::Unknown(_), _) => unknown(value),
            (V::Null | V::Absent, _) => Val::error(span, "is null, which has no elements"),
            // An element of what is known, by a key that is not.
            (_, V::Unknown(_)) => unknown(index),
            (V::List(list), _) if list.shape == Shape::Set => {
                Val::error(span, "is a set, whose elements have no index")
            }
            (V::List(list), _) => {
                let V::Number(Number::Whole(at)) = types::to_number(index).kind else {
                    return match index.reason() {
                        Some(reason) => Val::unknown(span, reason),
                        None => Val::error(span, "is a list, whose elements are known by number"),
                    };
                };
                let found = usize::try_from(at).ok().and_then(|at| list.items.get(..=at));
                match (found, &list.rest) {
                    (_, Some(reason)) => Val::unknown(span, reason.clone()),
                    // An element before it that may be absent shifts all that follow.
                    (Some(items), None) if items[..items.len() - 1].iter().any(Val::may_be_absent) => {
                        let reason = items.iter().find(|item| item.may_be_absent()).and_then(Val::reason);
                        Val::unknown(span, reason.unwrap_or_else(|| "is not known".into()))
                    }
                    (Some(items), None) => present(&items[items.len() - 1], &at.to_string(), span),
                    (None, None) => Val::error(span, format!("has no element {at}")),
                }
            }
            (V::Map(_) | V::Resource(_) | V::Module(_), _) => match self.known_text(&types::to_text(index)) {
                Ok(name) => self.attribute(value, &name, span),
                Err(reason) => Val::unknown(span, reason),
            },
            _ => Val::error(span, "has no elements"),
        }
    }

    fn splat(&mut self, value: &Val, each: &[Step], span: Span, scope: Scope<'_>) -> Val {
        match &value.kind {
            V::Null | V::Absent => Val::tuple(span, Vec::new(), None),
            V::Unknown(unknown) => Val::unknown(span, unknown.reason.clone()),
            V::Error(_) => value.clone(),
            V::Choice(_) => value.each_leaf(&mut |leaf| self.splat(leaf, each, span, scope)),
            V::List(list) => {
                let mut items = Vec::with_capacity(list.items.len());
                for item in &list.items {
                    if !self.spend(1) {
                        break;
                    }
                    items.push(item.each_leaf(&mut |leaf| match leaf.kind {
                        V::Absent => leaf.clone(),
                        _ => self.steps(leaf.clone(), each, span, scope),
                    }));
                }
                match self.first_error(items.iter()) {
                    Some(error) => error,
                    None => Val::list_of(
                        span,
                        items,
                        list.rest.clone(),
                        if list.shape == Shape::Set { Shape::Alike } else { list.shape },
                    ),
                }
            }
            _ => {
                let one = self.steps(value.clone(), each, span, scope);
                match self.first_error(std::iter::once(&one)) {
                    Some(error) => error,
                    None => Val::tuple(span, vec![one], None),
                }
            }
        }
    }

    // Operators.

    fn conditional(&mut self, of: &Conditional, span: Span, scope: Scope<'_>) -> Val {
        let condition = self.eval(&of.condition, scope);
        let is_open = !matches!(types::to_bool(&condition).kind, V::Bool(_));
        let mut ways: [Option<Val>; 2] = [None, None];
        self.decide(&condition, &of.condition, span, scope, &mut |evaluator, holds| {
            let (written, other) = if holds { (&of.then, &of.otherwise) } else { (&of.otherwise, &of.then) };
            let value = match &ways[usize::from(holds)] {
                Some(value) => value.clone(),
                None => evaluator.eval(written, scope),
            };
            ways[usize::from(holds)] = Some(value.clone());
            // Both ways have one type: `c ? 1 : "a"` is the text "1".
            if !types::may_be_converted(&value) || types::is_certain(other) {
                return value;
            }
            let other = match &ways[usize::from(!holds)] {
                Some(other) => other.clone(),
                None if is_open => evaluator.eval(other, scope),
                None => evaluator.quietly(other, scope),
            };
            ways[usize::from(!holds)] = Some(other.clone());
            types::unified(&[value, other]).swap_remove(0)
        })
    }

    /// The value of an expression that Terraform may never need: nothing is told of it.
    fn quietly(&mut self, expression: &Expression, scope: Scope<'_>) -> Val {
        let (problems, claimed) = (self.problems.len(), self.claimed.len());
        let value = self.eval(expression, scope);
        self.problems.truncate(problems);
        self.claimed.truncate(claimed);
        value
    }

    /// What follows from a truth: one way, or both under a condition.
    fn decide(
        &mut self,
        truth: &Val,
        written: &Expression,
        span: Span,
        scope: Scope<'_>,
        way: &mut dyn FnMut(&mut Self, bool) -> Val,
    ) -> Val {
        let truth = types::to_bool(truth);
        match &truth.kind {
            V::Bool(holds) => way(self, *holds),
            V::Choice(choice) => {
                let then = self.decide(&choice.then, written, span, scope, way);
                let otherwise = self.decide(&choice.otherwise, written, span, scope, way);
                Val::choice(span, &choice.condition, then, otherwise)
            }
            V::Unknown(unknown) => {
                let (condition, opposite) = match &unknown.condition {
                    Some(condition) => condition.clone(),
                    None => (self.condition(written, scope), false),
                };
                let then = way(self, true);
                let otherwise = way(self, false);
                // `x != null ? x : null`, and members left out `if v != null`: no more is open than x.
                if is_null_test(written) {
                    match (&then.kind, &otherwise.kind) {
                        (V::Unknown(_), V::Null | V::Absent) => return then,
                        (V::Null | V::Absent, V::Unknown(_)) => return otherwise,
                        _ => {}
                    }
                }
                match opposite {
                    false => Val::choice(span, &condition, then, otherwise),
                    true => Val::choice(span, &condition, otherwise, then),
                }
            }
            V::Error(_) => truth,
            _ => Val::error(span, "depends on a condition that is null"),
        }
    }

    /// An expression as a condition in words: its text, and where it stands if that matters.
    pub fn condition(&self, written: &Expression, scope: Scope<'_>) -> Arc<str> {
        let source = self.text_of(written.span);
        let mut text = String::with_capacity(source.len());
        for word in source.split_whitespace() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
            if text.len() > 400 {
                let at = format!("… (at byte {} of file {})", written.span.start, written.span.file.0);
                text.truncate(text.floor_char_boundary(400));
                text.push_str(&at);
                break;
            }
        }
        // Within parentheses the same condition.
        while text.starts_with('(') && text.ends_with(')') && balanced(&text[1..text.len() - 1]) {
            text = text[1..text.len() - 1].trim().to_owned();
        }
        let mut bound = scope.bound;
        while let Some(one) = bound {
            if let Some(label) = &one.label
                && mentions(written, one.name)
            {
                text.push_str(" where ");
                text.push_str(label);
            }
            bound = one.up;
        }
        let module = &self.modules[scope.module].address;
        if !module.is_empty() {
            text.push_str(" in ");
            text.push_str(module);
        }
        text.into()
    }

    /// A truth that is not known, as the condition that it is.
    fn open(&self, reason: Reason, written: &Expression, span: Span, scope: Scope<'_>) -> Val {
        let condition = Some((self.condition(written, scope), false));
        Val::new(span, V::Unknown(Arc::new(super::value::Unknown { reason, condition })))
    }

    fn unary(&mut self, operator: UnaryOperator, operand: &Expression, span: Span, scope: Scope<'_>) -> Val {
        let value = self.eval(operand, scope);
        match operator {
            UnaryOperator::Not => types::to_bool(&value).each_leaf(&mut |leaf| match &leaf.kind {
                V::Bool(b) => Val::bool(span, !b),
                V::Unknown(unknown) => {
                    let (condition, opposite) = match &unknown.condition {
                        Some(condition) => condition.clone(),
                        None => (self.condition(operand, scope), false),
                    };
                    let (reason, condition) = (unknown.reason.clone(), Some((condition, !opposite)));
                    Val::new(span, V::Unknown(Arc::new(super::value::Unknown { reason, condition })))
                }
                V::Error(_) => leaf.clone(),
                _ => Val::error(span, "is null, which has no opposite"),
            }),
            UnaryOperator::Minus => types::to_number(&value).each_leaf(&mut |leaf| match &leaf.kind {
                V::Number(Number::Whole(0)) => number_of(Big::whole(0).map(|zero| zero.negated()), span),
                V::Number(Number::Whole(whole)) => match whole.checked_neg() {
                    Some(whole) => Val::whole(span, whole),
                    None => Val::unknown(span, "is a number that is too large"),
                },
                V::Number(Number::Big(big)) => number_of(Some(big.negated()), span),
                V::Unknown(unknown) => Val::unknown(span, unknown.reason.clone()),
                V::Error(_) => leaf.clone(),
                _ => Val::error(span, "is null, which has no negative"),
            }),
        }
    }

    fn binary(
        &mut self,
        operator: BinaryOperator,
        left: &Expression,
        right: &Expression,
        span: Span,
        whole: &Expression,
        scope: Scope<'_>,
    ) -> Val {
        if matches!(operator, BinaryOperator::And | BinaryOperator::Or) {
            let and = operator == BinaryOperator::And;
            let first = types::to_bool(&self.eval(left, scope));
            return first.each_leaf(&mut |first| match &first.kind {
                V::Bool(b) if *b != and => Val::bool(span, !and),
                V::Bool(_) => types::to_bool(&self.eval(right, scope)).at(span),
                V::Unknown(unknown) => {
                    let second = types::to_bool(&self.eval(right, scope));
                    second.each_leaf(&mut |second| match &second.kind {
                        V::Bool(b) if *b != and => Val::bool(span, !and),
                        V::Bool(_) => Val::new(span, first.kind.clone()),
                        V::Error(_) => second.clone(),
                        _ => self.open(unknown.reason.clone(), whole, span, scope),
                    })
                }
                V::Error(_) => first.clone(),
                _ => Val::error(span, "is null, which is no truth"),
            });
        }
        let left = self.eval(left, scope);
        let right = self.eval(right, scope);
        self.lifted(&[left, right], span, &mut |evaluator, values| {
            let [left, right] = values else { return Val::error(span, "lacks an operand") };
            evaluator.operate(operator, left, right, span, whole, scope)
        })
    }

    /// Calls with values without choices, once for each way that these can fall.
    pub fn lifted(&mut self, values: &[Val], span: Span, call: &mut dyn FnMut(&mut Self, &[Val]) -> Val) -> Val {
        let more = &mut |condition: &str| Val::unknown(span, format!("depends on the condition {condition} and more"));
        // Values have a bounded number of leaves, and each step is counted.
        lift(values, &Val::null(span), usize::from(BOUNDS.leaves), more, &mut |given| match self.spend(1) {
            true => call(self, given),
            false => Val::unknown(span, "takes too many steps to evaluate"),
        })
    }

    fn operate(
        &mut self,
        operator: BinaryOperator,
        left: &Val,
        right: &Val,
        span: Span,
        whole: &Expression,
        scope: Scope<'_>,
    ) -> Val {
        for value in [left, right] {
            if matches!(value.kind, V::Error(_)) {
                return value.clone();
            }
        }
        if let BinaryOperator::Equal | BinaryOperator::NotEqual = operator {
            return match self.equal(left, right) {
                Ok(equal) => Val::bool(span, equal == (operator == BinaryOperator::Equal)),
                Err(reason) if operator == BinaryOperator::Equal => self.open(reason, whole, span, scope),
                // `a != b` is the opposite of `a == b`: written so, the two are one condition.
                Err(reason) => {
                    let text = self.condition(whole, scope);
                    let condition = match text.match_indices("!=").count() {
                        1 => (text.replacen("!=", "==", 1).into(), true),
                        _ => (text, false),
                    };
                    Val::new(span, V::Unknown(Arc::new(super::value::Unknown { reason, condition: Some(condition) })))
                }
            };
        }
        let numbers = (types::to_number(left), types::to_number(right));
        let (V::Number(a), V::Number(b)) = (&numbers.0.kind, &numbers.1.kind) else {
            let of = [&numbers.0, &numbers.1];
            if let Some(error) = of.iter().find(|value| matches!(value.kind, V::Error(_))) {
                return (*error).clone();
            }
            let reason = of.iter().find_map(|value| value.reason());
            return match (reason, operator) {
                (None, _) => Val::error(span, "is null, which is no number"),
                (
                    Some(reason),
                    BinaryOperator::Less
                    | BinaryOperator::LessOrEqual
                    | BinaryOperator::Greater
                    | BinaryOperator::GreaterOrEqual,
                ) => self.open(reason, whole, span, scope),
                (Some(reason), _) => Val::unknown(span, reason),
            };
        };
        arithmetic(operator, a, b, span)
    }

    /// Whether two values are equal, or why that is not known. Equal are values of one type alone.
    pub fn equal(&mut self, left: &Val, right: &Val) -> Result<bool, Reason> {
        match (&left.kind, &right.kind) {
            (V::Null | V::Absent, V::Null | V::Absent) => Ok(true),
            _ => self.same(left, right, false),
        }
    }

    /// `loose`: they are elements of collections whose types are not known, so that a number may be
    /// a string.
    fn same(&mut self, left: &Val, right: &Val, loose: bool) -> Result<bool, Reason> {
        self.spend(1);
        Ok(match (&left.kind, &right.kind) {
            // Within a collection nulls have types, too.
            (V::Null | V::Absent, V::Null | V::Absent) => return Err("depends on the type of a null".into()),
            (V::Unknown(unknown), _) | (_, V::Unknown(unknown)) => return Err(unknown.reason.clone()),
            (V::Choice(_) | V::Error(_), _) => return Err(left.reason().unwrap_or_else(|| "is not known".into())),
            (_, V::Choice(_) | V::Error(_)) => return Err(right.reason().unwrap_or_else(|| "is not known".into())),
            (V::Null | V::Absent, _) | (_, V::Null | V::Absent) => false,
            (V::Bool(a), V::Bool(b)) => a == b,
            (V::Number(a), V::Number(b)) => a.compared(b).is_eq(),
            (V::Text(a), V::Text(b)) => match (a.known(), b.known()) {
                (Some(a), Some(b)) => a == b,
                _ => return Err(a.reason().or_else(|| b.reason()).unwrap_or_else(|| "is not known".into())),
            },
            (V::List(a), V::List(b)) => {
                if Arc::ptr_eq(a, b) && left.reason().is_none() {
                    return Ok(true);
                }
                let Some(loose) = comparable(a.shape, b.shape) else { return Ok(false) };
                if let Some(reason) = a.rest.as_ref().or(b.rest.as_ref()) {
                    return Err(reason.clone());
                }
                if a.maybe || b.maybe {
                    return Err("depends on a condition".into());
                }
                if a.items.len() != b.items.len() {
                    return Ok(false);
                }
                if a.items.is_empty() {
                    return empty(a.shape, b.shape);
                }
                let pairs = a.items.iter().zip(&b.items);
                match (a.shape == Shape::Set || b.shape == Shape::Set) && !types::is_sorted_set(a) {
                    // What is in a set has no order, and none was given to these.
                    true => return Err("depends on the order of a set".into()),
                    false => return self.all_same(pairs, loose),
                }
            }
            (V::Map(a), V::Map(b)) => {
                if Arc::ptr_eq(a, b) && left.reason().is_none() {
                    return Ok(true);
                }
                let Some(loose) = comparable(a.shape, b.shape) else { return Ok(false) };
                if let Some(reason) = a.rest.as_ref().or(b.rest.as_ref()) {
                    return Err(reason.clone());
                }
                if a.maybe || b.maybe {
                    return Err("depends on a condition".into());
                }
                if a.entries.len() != b.entries.len() || a.entries.iter().zip(&b.entries).any(|(a, b)| a.key != b.key) {
                    return Ok(false);
                }
                if a.entries.is_empty() {
                    return empty(a.shape, b.shape);
                }
                let values = a.entries.iter().zip(&b.entries).map(|(a, b)| (&a.value, &b.value));
                return self.all_same(values, loose);
            }
            (V::Resource(a), V::Resource(b)) if a == b => true,
            (V::Resource(_) | V::Module(_), _) | (_, V::Resource(_) | V::Module(_)) => {
                return Err(left.reason().or_else(|| right.reason()).unwrap_or_else(|| "is not known".into()));
            }
            _ if loose => {
                let (a, b) = (types::to_text(left), types::to_text(right));
                match (&a.kind, &b.kind) {
                    (V::Text(x), V::Text(y)) if x.known() == y.known() => {
                        return Err("depends on the type of the elements".into());
                    }
                    _ => false,
                }
            }
            _ => false,
        })
    }

    fn all_same<'v>(&mut self, pairs: impl Iterator<Item = (&'v Val, &'v Val)>, loose: bool) -> Result<bool, Reason> {
        let mut open = loose.then(|| Reason::from("depends on whether it is a list or a tuple"));
        for (a, b) in pairs {
            match self.same(a, b, loose) {
                Ok(false) => return Ok(false),
                Ok(true) => {}
                Err(reason) => open = Some(reason),
            }
        }
        open.map_or(Ok(true), Err)
    }

    // Loops.

    fn for_expression(&mut self, of: &For, span: Span, scope: Scope<'_>) -> Val {
        let collection = self.eval(&of.collection, scope);
        collection.each_leaf(&mut |leaf| self.for_over(of, leaf, span, scope))
    }

    fn for_over(&mut self, of: &For, collection: &Val, span: Span, scope: Scope<'_>) -> Val {
        let names = (of.key_name.as_ref().map(|name| &*name.text), &*of.value_name.text);
        let Some(key) = &of.key else {
            let items = self.each(collection, names, scope, &mut |evaluator, scope| {
                evaluator.kept(of, span, scope, &mut |evaluator, scope| evaluator.eval(&of.value, scope))
            });
            return match items {
                Ok((items, rest)) => {
                    let items: Vec<Val> = items.into_iter().filter(|item| !matches!(item.kind, V::Absent)).collect();
                    if let Some(error) = self.first_error(items.iter()) {
                        return error;
                    }
                    let each = rest.is_some().then(|| self.each_more(of, collection, names, span, scope)).flatten();
                    Val::list_with(span, items, rest, each, Shape::Fixed)
                }
                Err(Val { kind: V::Unknown(unknown), .. }) => {
                    match self.each_more(of, collection, names, span, scope) {
                        Some(each) => {
                            Val::list_with(span, Vec::new(), Some(unknown.reason.clone()), Some(each), Shape::Fixed)
                        }
                        None => Val::new(span, V::Unknown(unknown)),
                    }
                }
                Err(other) => other.at(span),
            };
        };
        let walked =
            self.each(collection, names, scope, &mut |evaluator, scope| evaluator.member(of, key, span, scope));
        let (members, rest) = match walked {
            Ok(walked) => walked,
            Err(other) => return other.at(span),
        };
        if let Some(error) = self.first_error(members.iter()) {
            return error;
        }
        // What depends on no condition is put together at once.
        let plain = members.iter().all(|member| matches!(member.kind, V::Map(_) | V::Absent));
        if !plain {
            if of.grouped {
                let reason = members.iter().find_map(Val::reason);
                return Val::unknown(span, reason.unwrap_or_else(|| "is not known".into()));
            }
            let merged = super::functions::merge(&members, span);
            return match (&merged.kind, rest) {
                (V::Map(map), Some(reason)) => Val::object(span, map.entries.clone(), Some(reason)),
                _ => merged,
            };
        }
        let maps = members.iter().filter_map(Val::as_map);
        let rest = rest.or_else(|| maps.clone().find_map(|map| map.rest.clone()));
        let mut entries: Vec<Entry> = maps.flat_map(|map| map.entries.iter().cloned()).collect();
        if of.grouped {
            entries = grouped(entries);
        }
        Val::object(span, entries, rest)
    }

    /// What a `for` makes of an element of which nothing is known, or no more than that it is like the
    /// others; none where that says nothing.
    fn each_more(
        &mut self,
        of: &For,
        collection: &Val,
        (key_name, value_name): (Option<&str>, &str),
        span: Span,
        scope: Scope<'_>,
    ) -> Option<Val> {
        // Where errors are caught, another value may take the place of the whole.
        if self.catching {
            return None;
        }
        let reason = match &collection.kind {
            V::List(list) => list.rest.clone(),
            V::Map(map) => map.rest.clone(),
            V::Unknown(_) => collection.reason(),
            _ => None,
        }?;
        let element = match collection.as_list().and_then(|list| list.each.clone()) {
            Some(each) => each,
            None => Val::unknown(collection.span, reason.clone()),
        };
        if element.may_be_absent() {
            return None;
        }
        let words = self.condition(&of.collection, scope);
        let label = Some(format!("{value_name} is any element of {words}"));
        let value = Bound { name: value_name, value: element, label, up: scope.bound };
        let key = key_name.map(|name| Bound {
            name,
            value: Val::unknown(collection.span, reason),
            label: Some(format!("{name} is any key of {words}")),
            up: Some(&value),
        });
        let scope = scope.with(key.as_ref().unwrap_or(&value));
        let (problems, claimed) = (self.problems.len(), self.claimed.len());
        let made = self.kept(of, span, scope, &mut |evaluator, scope| evaluator.eval(&of.value, scope));
        self.problems.truncate(problems);
        self.claimed.truncate(claimed);
        match made.any_leaf(&|leaf| matches!(leaf.kind, V::Unknown(_) | V::Error(_))) {
            true => None,
            false => Some(made),
        }
    }

    /// One member of an object `for`, as a map of its own.
    fn member(&mut self, of: &For, key: &Expression, span: Span, scope: Scope<'_>) -> Val {
        let value = self.kept(of, span, scope, &mut |evaluator, scope| evaluator.eval(&of.value, scope));
        if matches!(value.kind, V::Absent) {
            return value;
        }
        if let Some(error) = self.first_error(std::iter::once(&value)) {
            return error;
        }
        let span = value.span;
        let key = types::to_text(&self.eval(key, scope));
        match self.known_text(&key) {
            Ok(name) => Val::object(span, vec![Entry { key: name, key_span: key.span, value }], None),
            Err(reason) => match self.first_error(std::iter::once(&key)) {
                Some(error) => error,
                None => Val::object(span, Vec::new(), Some(reason)),
            },
        }
    }

    /// The value of one turn of a `for`, absent where its `if` does not hold.
    fn kept(
        &mut self,
        of: &For,
        span: Span,
        scope: Scope<'_>,
        value: &mut dyn FnMut(&mut Self, Scope<'_>) -> Val,
    ) -> Val {
        let Some(written) = &of.condition else { return value(self, scope) };
        let condition = self.eval(written, scope);
        self.decide(&condition, written, span, scope, &mut |evaluator, holds| match holds {
            true => value(evaluator, scope),
            false => Val::new(span, V::Absent),
        })
    }

    /// Goes through a collection with its elements bound to names. The error is the value to return
    /// instead: the collection is unknown, or none.
    #[allow(clippy::type_complexity, reason = "the values, and why there may be more")]
    fn each(
        &mut self,
        collection: &Val,
        (key_name, value_name): (Option<&str>, &str),
        scope: Scope<'_>,
        turn: &mut dyn FnMut(&mut Self, Scope<'_>) -> Val,
    ) -> Result<(Vec<Val>, Option<Reason>), Val> {
        let elements = self.elements(collection)?;
        let rest = match &collection.kind {
            V::List(list) => list.rest.clone(),
            V::Map(map) => map.rest.clone(),
            _ => None,
        };
        let mut values = Vec::with_capacity(elements.len());
        for (key, element) in elements {
            if !self.spend(1) {
                return Err(Val::unknown(collection.span, "takes too many steps to evaluate"));
            }
            let named = match &key.kind {
                V::Text(text) => text.known().unwrap_or_default(),
                V::Number(number) => number.to_string().into(),
                _ => "".into(),
            };
            values.push(element.each_leaf(&mut |leaf| {
                if matches!(leaf.kind, V::Absent) {
                    return leaf.clone();
                }
                let label = Some(format!("{value_name} is element {named:?}"));
                let value = Bound { name: value_name, value: leaf.clone(), label, up: scope.bound };
                match key_name {
                    None => turn(self, scope.with(&value)),
                    Some(name) => {
                        let label = Some(format!("{name} is {named:?}"));
                        let key = Bound { name, value: key.clone(), label, up: Some(&value) };
                        turn(self, scope.with(&key))
                    }
                }
            }));
        }
        Ok((values, rest))
    }

    /// The keys and values of a collection.
    pub fn elements(&mut self, collection: &Val) -> Result<Vec<(Val, Val)>, Val> {
        let span = collection.span;
        match &collection.kind {
            V::List(list) if list.shape == Shape::Set => {
                Ok(list.items.iter().map(|item| (item.clone(), item.clone())).collect())
            }
            V::List(list) => Ok(list
                .items
                .iter()
                .enumerate()
                .map(|(at, item)| (Val::whole(span, at as i64), item.clone()))
                .collect()),
            V::Map(map) => {
                let entries = map.entries.iter();
                Ok(entries.map(|entry| (Val::text(entry.key_span, entry.key.clone()), entry.value.clone())).collect())
            }
            V::Unknown(unknown) => Err(Val::unknown(span, unknown.reason.clone())),
            V::Error(_) => Err(collection.clone()),
            V::Null | V::Absent => Err(Val::error(span, "is null, which has no elements")),
            V::Resource(_) | V::Module(_) | V::Choice(_) => {
                Err(Val::unknown(span, collection.reason().unwrap_or_else(|| "is not known".into())))
            }
            _ => Err(Val::error(span, "has no elements")),
        }
    }

    // Calls.

    fn call(&mut self, call: &Call, span: Span, whole: &Expression, scope: Scope<'_>) -> Val {
        match &*call.name.text {
            "try" => return self.attempt(&call.arguments, span, scope),
            "can" => {
                let Some(argument) = call.arguments.first() else { return Val::error(span, "can() lacks an argument") };
                let value = self.caught(argument, scope);
                return value.each_leaf(&mut |leaf| match &leaf.kind {
                    V::Error(_) => Val::bool(span, false),
                    V::Unknown(unknown) => self.open(unknown.reason.clone(), whole, span, scope),
                    _ => Val::bool(span, true),
                });
            }
            _ => {}
        }
        let mut arguments: Vec<Val> = call.arguments.iter().map(|argument| self.eval(argument, scope)).collect();
        if call.spread
            && let Some(last) = arguments.pop()
        {
            match &last.kind {
                V::List(list) => {
                    arguments.extend(list.items.iter().cloned());
                    if let Some(reason) = &list.rest {
                        arguments.push(Val::unknown(last.span, reason.clone()));
                    }
                }
                V::Error(_) => return last,
                _ => return Val::unknown(span, last.reason().unwrap_or_else(|| "is not known".into())),
            }
        }
        let value = self.function(&call.name.text, arguments, span, scope);
        match &value.kind {
            V::Unknown(unknown) if unknown.condition.is_none() => self.open(unknown.reason.clone(), whole, span, scope),
            _ => value,
        }
    }

    /// The first argument that can be evaluated without an error.
    fn attempt(&mut self, arguments: &[Expression], span: Span, scope: Scope<'_>) -> Val {
        let Some((first, others)) = arguments.split_first() else {
            return Val::error(span, "try() has no argument that can be evaluated");
        };
        let value = self.caught(first, scope);
        match value.any_leaf(&|leaf| matches!(leaf.kind, V::Error(_))) {
            false => value,
            true => {
                let next = self.attempt(others, span, scope);
                value.each_leaf(&mut |leaf| match &leaf.kind {
                    V::Error(_) => next.clone(),
                    _ => leaf.clone(),
                })
            }
        }
    }

    /// Evaluates with errors kept as errors of the whole.
    fn caught(&mut self, expression: &Expression, scope: Scope<'_>) -> Val {
        let before = std::mem::replace(&mut self.catching, true);
        let value = self.eval(expression, scope);
        self.catching = before;
        value
    }
}

/// Whether an expression asks whether something is null.
fn is_null_test(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Binary(BinaryOperator::Equal | BinaryOperator::NotEqual, operands) => {
            operands.iter().any(|operand| matches!(operand.kind, ExpressionKind::Null))
        }
        ExpressionKind::Parentheses(inner) => is_null_test(inner),
        _ => false,
    }
}

/// Whether collections of these types can be equal: not at all, or only if their types turn out to be
/// the same (true).
fn comparable(a: Shape, b: Shape) -> Option<bool> {
    match a == Shape::Open || b == Shape::Open {
        true => Some(true),
        false if a == b => Some(false),
        false => None,
    }
}

/// Whether two empty collections are equal: a list of strings is no list of numbers.
fn empty(a: Shape, b: Shape) -> Result<bool, Reason> {
    match (a, b) {
        (Shape::Fixed, Shape::Fixed) => Ok(true),
        _ => Err("depends on the types of two empty collections".into()),
    }
}

/// An element that is there: one that is absent under a condition is an error under it.
fn present(value: &Val, name: &str, span: Span) -> Val {
    match value.may_be_absent() {
        false => value.clone(),
        true => value.each_leaf(&mut |leaf| match leaf.kind {
            V::Absent => Val::error(span, format!("has no element `{name}`")),
            _ => leaf.clone(),
        }),
    }
}

fn arithmetic(operator: BinaryOperator, a: &Number, b: &Number, span: Span) -> Val {
    use BinaryOperator::{Add, Divide, Greater, GreaterOrEqual, Less, LessOrEqual, Multiply, Remainder, Subtract};
    let exact = match (a.whole(), b.whole()) {
        (Some(a), Some(b)) => match operator {
            Add => a.checked_add(b),
            Subtract => a.checked_sub(b),
            Multiply if a != 0 && b != 0 => a.checked_mul(b),
            Remainder => a.checked_rem(b),
            Divide if b != 0 && a != 0 && a.checked_rem(b) == Some(0) => a.checked_div(b),
            _ => None,
        },
        _ => None,
    };
    let order = || a.compared(b);
    match operator {
        Less => return Val::bool(span, order().is_lt()),
        LessOrEqual => return Val::bool(span, order().is_le()),
        Greater => return Val::bool(span, order().is_gt()),
        GreaterOrEqual => return Val::bool(span, order().is_ge()),
        _ => {}
    }
    if let Some(exact) = exact {
        return Val::whole(span, exact);
    }
    let (Some(a), Some(b)) = (a.big(), b.big()) else { return number_of(None, span) };
    let result = match operator {
        Divide | Remainder if b.is_zero() => return Val::error(span, "divides by zero"),
        Add => a.plus(&b),
        Subtract => a.minus(&b),
        Multiply => a.times(&b),
        Divide => a.over(&b),
        _ => a.remainder(&b),
    };
    number_of(result, span)
}

fn number_of(big: Option<Big>, span: Span) -> Val {
    match big.and_then(Number::of) {
        Some(number) => Val::new(span, V::Number(number)),
        None => Val::unknown(span, "is a number that is too large"),
    }
}

/// Values with the same key as a list.
fn grouped(entries: Vec<Entry>) -> Vec<Entry> {
    let mut groups: std::collections::BTreeMap<Arc<str>, (Span, Vec<Val>)> = std::collections::BTreeMap::new();
    for entry in entries {
        groups.entry(entry.key).or_insert_with(|| (entry.key_span, Vec::new())).1.push(entry.value);
    }
    groups
        .into_iter()
        .map(|(key, (key_span, values))| Entry { key, key_span, value: Val::tuple(key_span, values, None) })
        .collect()
}

fn balanced(text: &str) -> bool {
    let mut depth = 0i32;
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// Whether an expression refers to a name. The reader bounded its nesting.
fn mentions(expression: &Expression, name: &str) -> bool {
    let all = |expressions: &[Expression]| expressions.iter().any(|one| mentions(one, name));
    fn parts(all: &[Part], name: &str) -> bool {
        all.iter().any(|part| match part {
            Part::Literal(..) => false,
            Part::Interpolation(inner) => mentions(inner, name),
            Part::If(part) => {
                mentions(&part.condition, name) || parts(&part.then, name) || parts(&part.otherwise, name)
            }
            Part::For(part) => mentions(&part.collection, name) || parts(&part.body, name),
        })
    }
    fn steps(all: &[Step], name: &str) -> bool {
        all.iter().any(|step| match step {
            Step::Attribute(_) => false,
            Step::Index(index) => mentions(index, name),
            Step::Splat(_, each) => steps(each, name),
        })
    }
    match &expression.kind {
        ExpressionKind::Null | ExpressionKind::Bool(_) | ExpressionKind::Number(_) => false,
        ExpressionKind::Template(template) => parts(&template.parts, name),
        ExpressionKind::List(items) => all(items),
        ExpressionKind::Object(items) => items
            .iter()
            .any(|item| mentions(&item.value, name) || matches!(&item.key, Key::Computed(key) if mentions(key, name))),
        ExpressionKind::Variable(root) => &**root == name,
        ExpressionKind::Traversal(base, taken) => mentions(base, name) || steps(taken, name),
        ExpressionKind::Call(call) => all(&call.arguments),
        ExpressionKind::For(of) => {
            mentions(&of.collection, name)
                || mentions(&of.value, name)
                || of.key.as_ref().is_some_and(|key| mentions(key, name))
                || of.condition.as_ref().is_some_and(|condition| mentions(condition, name))
        }
        ExpressionKind::Conditional(of) => {
            mentions(&of.condition, name) || mentions(&of.then, name) || mentions(&of.otherwise, name)
        }
        ExpressionKind::Unary(_, operand) => mentions(operand, name),
        ExpressionKind::Binary(_, operands) => all(&**operands),
        ExpressionKind::Parentheses(inner) => mentions(inner, name),
    }
}
