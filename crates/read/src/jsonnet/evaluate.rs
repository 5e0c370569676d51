//! Expressions of Jsonnet evaluated. Nothing fails: what is wrong is a problem, and its value is
//! unknown like that of what only deployment tells.
//!
//! Long because each kind of expression is an arm of one evaluator.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use tojimari_text::jsonnet::{self, Argument, Clause, Expr, FieldName, Kind, Operator, Sign};
use tojimari_text::{FileId, Problem, Sources, Span};

use super::object::{Body, Layer, LayerField, Object};
use super::value::{Branches, Frame, Function, Registry, Scope, State, Thunk, Val, digits, ready, waiting};
use crate::partial::BOUNDS;
use crate::{Files, beside};
use tojimari_model::value::{Reason, Value};

/// Expressions evaluated for one file.
const MAX_STEPS: usize = 300_000;

/// Bytes of texts and items of arrays made for one file.
const MAX_GROWTH: usize = BOUNDS.bytes / 2;

/// Values that wait for one another.
pub(super) const MAX_DEPTH: usize = 100;

/// Layers of one object.
pub(super) const MAX_LAYERS: usize = 500;

pub(super) const TOO_MUCH: &str = "takes more steps than are evaluated";

pub(super) struct Evaluator<'e> {
    sources: &'e Sources,
    files: &'e dyn Files,
    pub(super) problems: RefCell<Vec<Problem>>,
    imported: RefCell<HashMap<FileId, Thunk>>,
    steps: Cell<usize>,
    grown: Cell<usize>,
    depth: Cell<usize>,
    /// Branches of open conditions that are being worked out: what is wrong in them may never be.
    open: Cell<usize>,
    registry: Registry,
}

impl Drop for Evaluator<'_> {
    fn drop(&mut self) {
        self.imported.take();
        self.registry.take_apart();
    }
}

impl<'e> Evaluator<'e> {
    pub(super) fn new(sources: &'e Sources, files: &'e dyn Files) -> Self {
        Evaluator {
            sources,
            files,
            problems: RefCell::default(),
            imported: RefCell::default(),
            steps: Cell::default(),
            grown: Cell::default(),
            depth: Cell::default(),
            open: Cell::default(),
            registry: Registry::default(),
        }
    }

    /// What a file comes to, as a value without functions.
    pub(super) fn manifested(&self, file: FileId) -> Value {
        let thunk = self.file(file);
        let value = self.force(&thunk);
        self.manifest(&value, thunk.span)
    }

    fn file(&self, file: FileId) -> Thunk {
        if let Some(imported) = self.imported.borrow().get(&file) {
            return imported.clone();
        }
        let thunk = match jsonnet::parse(file, &self.sources.get(file).text) {
            Ok(expr) => waiting(&expr, &self.registry.root()),
            Err(problem) => {
                let span = problem.span;
                self.problems.borrow_mut().push(problem);
                ready(span, Val::unknown("depends on a file that cannot be read"))
            }
        };
        self.imported.borrow_mut().insert(file, thunk.clone());
        thunk
    }

    /// Tells of something wrong, once for each place.
    pub(super) fn wrong(&self, span: Span, message: String) -> Val {
        if self.open.get() > 0 {
            return Val::unknown(message);
        }
        let mut problems = self.problems.borrow_mut();
        if !problems.iter().any(|problem| problem.span == span) {
            problems.push(Problem { span, message });
        }
        Val::unknown("cannot be evaluated")
    }

    /// Works out a branch of an open condition.
    pub(super) fn branch(&self, thunk: &Thunk) -> Val {
        self.open.set(self.open.get() + 1);
        let value = self.force(thunk);
        self.open.set(self.open.get() - 1);
        value
    }

    /// Counts one step more; false when there were too many, or too deep.
    pub(super) fn step(&self) -> bool {
        self.steps.set(self.steps.get() + 1);
        self.steps.get() <= MAX_STEPS && self.depth.get() <= MAX_DEPTH
    }

    /// Works something out one level deeper.
    pub(super) fn deeper<T>(&self, work: impl FnOnce() -> T) -> T {
        self.depth.set(self.depth.get() + 1);
        let done = work();
        self.depth.set(self.depth.get() - 1);
        done
    }

    /// Counts bytes or items that come to be; false when there are too many.
    pub(super) fn grow(&self, size: usize) -> bool {
        let grown = self.grown.get().saturating_add(size);
        self.grown.set(grown);
        grown <= MAX_GROWTH
    }

    pub(super) fn force(&self, thunk: &Thunk) -> Val {
        let state = std::mem::replace(&mut *thunk.state.borrow_mut(), State::Busy);
        let value = match state {
            State::Ready(value) => value,
            State::Busy => self.wrong(thunk.span, "this depends on itself".to_owned()),
            State::Waiting(expr, scope) => self.eval(&expr, &scope),
            State::Sum(..) if self.depth.get() > MAX_DEPTH => Val::unknown(TOO_MUCH),
            State::Sum(base, own) => {
                self.deeper(|| self.binary(Operator::Add, self.force(&base), self.force(&own), thunk.span))
            }
        };
        *thunk.state.borrow_mut() = State::Ready(value.clone());
        value
    }

    pub(super) fn eval(&self, expr: &Rc<Expr>, scope: &Scope) -> Val {
        match self.step() {
            true => self.deeper(|| self.expression(expr, scope)),
            false => Val::unknown(TOO_MUCH),
        }
    }

    fn expression(&self, expr: &Rc<Expr>, scope: &Scope) -> Val {
        let span = expr.span;
        match &expr.kind {
            Kind::Null => Val::Null,
            Kind::Bool(b) => Val::Bool(*b),
            Kind::Number(text) => text.parse().map_or_else(|_| Val::unknown("is no number"), Val::Number),
            Kind::String(text) => Val::String(text.clone()),
            Kind::Itself => match &scope.itself {
                Some((object, _)) => Val::Object(object.clone()),
                None => self.wrong(span, "`self` stands outside of an object".to_owned()),
            },
            Kind::Outermost => match &scope.outermost {
                Some(object) => Val::Object(object.clone()),
                None => self.wrong(span, "`$` stands outside of an object".to_owned()),
            },
            Kind::Super(index) => self.of_super(index, span, scope),
            Kind::InSuper(name) => match (self.eval(name, scope), &scope.itself) {
                (Val::String(name), Some((object, at))) => Val::Bool(object.field(&name, *at).is_some()),
                (Val::Unknown(reason), _) => Val::Unknown(reason),
                _ => self.wrong(span, "`in super` stands outside of an object".to_owned()),
            },
            Kind::Variable(name) => match scope.get(name) {
                Some(thunk) => self.force(&thunk),
                None if &**name == "std" => Val::Std,
                None => self.wrong(span, format!("there is no variable `{name}`")),
            },
            Kind::Array(items) => {
                if !self.grow(items.len()) {
                    return Val::unknown(TOO_MUCH);
                }
                Val::array(items.iter().map(|item| waiting(item, scope)).collect())
            }
            Kind::ArrayOf(body, clauses) => {
                let mut items = Vec::new();
                let outcome = self.comprehend(clauses, scope, &mut |scope| {
                    items.push(waiting(body, scope));
                    Ok(())
                });
                match outcome {
                    Ok(()) => Val::array(items),
                    Err(reason) => Val::Unknown(reason),
                }
            }
            Kind::Object(object) => self.object(object, scope),
            Kind::ObjectOf { locals, name, value, clauses } => {
                let mut fields = Vec::new();
                let outcome = self.comprehend(clauses, scope, &mut |scope| match self.eval(name, scope) {
                    Val::String(name_text) => {
                        let inner = Frame::within(scope);
                        for bind in locals {
                            inner.set(&bind.name, waiting(&bind.value, &inner));
                        }
                        fields.push((name_text, name.span, waiting(value, &inner)));
                        Ok(())
                    }
                    Val::Null => Ok(()),
                    Val::Unknown(reason) => Err(reason),
                    _ => Err("has a field whose name is not a text".into()),
                });
                Val::Object(Object::given(fields, outcome.err()))
            }
            Kind::Index(of, index) => {
                let of = self.eval(of, scope);
                let index_value = self.eval(index, scope);
                self.lifted(of, &|of| self.index(of, index_value.clone(), span))
            }
            Kind::Slice(of, parts) => {
                let parts = parts.each_ref().map(|part| part.as_ref().map(|part| self.eval(part, scope)));
                let of = self.eval(of, scope);
                self.slice(&of, parts)
            }
            Kind::Call(called, arguments) => {
                let function = self.eval(called, scope);
                self.call(&function, arguments, scope, span)
            }
            Kind::Binary(operator @ (Operator::And | Operator::Or), left, right) => {
                let decides = *operator == Operator::Or;
                match self.eval(left, scope) {
                    Val::Bool(b) if b == decides => Val::Bool(b),
                    Val::Bool(_) => self.eval(right, scope),
                    unknown @ (Val::Unknown(_) | Val::Choice(_)) => match self.eval(right, scope) {
                        // Whatever the left is, the right decides.
                        Val::Bool(b) if b == decides => Val::Bool(b),
                        _ => Val::Unknown(self.reason_of(&unknown)),
                    },
                    _ => self.wrong(left.span, "true or false is expected here".to_owned()),
                }
            }
            Kind::Binary(operator, left, right) => {
                let (left, right) = (self.eval(left, scope), self.eval(right, scope));
                self.binary(*operator, left, right, span)
            }
            Kind::Unary(sign, inner) => {
                let inner = self.eval(inner, scope);
                self.lifted(inner, &|inner| match (sign, inner) {
                    (Sign::Not, Val::Bool(b)) => Val::Bool(!b),
                    (Sign::Minus, Val::Number(n)) => Val::Number(-n),
                    (Sign::Plus, Val::Number(n)) => Val::Number(n),
                    (Sign::Complement, Val::Number(n)) => Val::Number(!(n as i64) as f64),
                    (_, Val::Unknown(reason)) => Val::Unknown(reason),
                    (_, other) => self.wrong(span, format!("this sign does not go with {}", other.kind())),
                })
            }
            Kind::If(condition, then, otherwise) => {
                let value = self.eval(condition, scope);
                let branch = |holds: bool| match (holds, otherwise) {
                    (true, _) => waiting(then, scope),
                    (false, Some(otherwise)) => waiting(otherwise, scope),
                    (false, None) => ready(span, Val::Null),
                };
                match value {
                    Val::Bool(b) => self.force(&branch(b)),
                    Val::Unknown(_) | Val::Choice(_) => Val::Choice(Rc::new(Branches {
                        condition: self.words(condition.span).into(),
                        then: branch(true),
                        otherwise: branch(false),
                    })),
                    _ => self.wrong(condition.span, "true or false is expected here".to_owned()),
                }
            }
            Kind::Function(parameters, body) => Val::Function(Rc::new(Function::Closure {
                parameters: parameters.clone(),
                body: body.clone(),
                scope: scope.clone(),
            })),
            Kind::Local(binds, body) => {
                let inner = Frame::within(scope);
                for bind in binds {
                    inner.set(&bind.name, waiting(&bind.value, &inner));
                }
                self.eval(body, &inner)
            }
            Kind::Assert(condition, body) => match self.eval(condition, scope) {
                Val::Bool(false) => self.wrong(condition.span, "this assertion fails".to_owned()),
                _ => self.eval(body, scope),
            },
            Kind::Error(message) => {
                let words = match self.eval(message, scope) {
                    Val::String(text) => text.to_string(),
                    _ => "an error".to_owned(),
                };
                self.wrong(span, format!("evaluation ends here: {words}"))
            }
            Kind::Import(path) => match self.load(path, span) {
                Ok(file) => self.force(&self.file(file)),
                Err(wrong) => wrong,
            },
            Kind::ImportText(path) => match self.load(path, span) {
                Ok(file) => Val::string(&self.sources.get(file).text),
                Err(wrong) => wrong,
            },
        }
    }

    fn load(&self, path: &str, span: Span) -> Result<FileId, Val> {
        let path = beside(&self.sources.get(span.file).name, path);
        self.files.load(&path).map_err(|why| self.wrong(span, format!("cannot import: {why}")))
    }

    /// The words of a condition, for people.
    fn words(&self, span: Span) -> String {
        let text = self.sources.slice(span);
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match words.char_indices().nth(60) {
            Some((end, _)) => format!("{}…", &words[..end]),
            None => words,
        }
    }

    fn object(&self, object: &jsonnet::Object, scope: &Scope) -> Val {
        let mut fields = Vec::with_capacity(object.fields.len());
        let mut rest = None;
        for field in &object.fields {
            let name = match &field.name {
                FieldName::Fixed(name) => name.clone(),
                FieldName::Computed(name) => match self.eval(name, scope) {
                    Val::String(name) => name,
                    Val::Null => continue,
                    unknown @ (Val::Unknown(_) | Val::Choice(_)) => {
                        rest = Some(self.reason_of(&unknown));
                        continue;
                    }
                    _ => {
                        self.wrong(name.span, "the name of a field must be a text".to_owned());
                        continue;
                    }
                },
            };
            fields.push(LayerField {
                name,
                name_span: field.name_span,
                adds: field.adds,
                visibility: field.visibility,
                body: Body::Written(field.value.clone()),
            });
        }
        let layer = Layer { locals: object.locals.clone(), scope: Some(scope.clone()), fields };
        Val::Object(Object::new(vec![Rc::new(layer)], rest))
    }

    /// Calls back with a scope for every way through the clauses.
    fn comprehend(
        &self,
        clauses: &[Clause],
        scope: &Scope,
        call: &mut dyn FnMut(&Scope) -> Result<(), Reason>,
    ) -> Result<(), Reason> {
        let Some((first, rest)) = clauses.split_first() else {
            if !self.step() || !self.grow(1) {
                return Err(TOO_MUCH.into());
            }
            return call(scope);
        };
        match first {
            Clause::For(name, list) => match self.eval(list, scope) {
                Val::Array(items) => {
                    for item in items.iter() {
                        let inner = Frame::within(scope);
                        inner.set(name, item.clone());
                        self.comprehend(rest, &inner, call)?;
                    }
                    Ok(())
                }
                unknown @ (Val::Unknown(_) | Val::Choice(_)) => Err(self.reason_of(&unknown)),
                other => {
                    self.wrong(list.span, format!("an array is expected here, not {}", other.kind()));
                    Err("depends on a list that cannot be evaluated".into())
                }
            },
            Clause::If(condition) => match self.eval(condition, scope) {
                Val::Bool(true) => self.comprehend(rest, scope, call),
                Val::Bool(false) => Ok(()),
                unknown => Err(self.reason_of(&unknown)),
            },
        }
    }

    fn of_super(&self, index: &Rc<Expr>, span: Span, scope: &Scope) -> Val {
        let Some((object, at)) = &scope.itself else {
            return self.wrong(span, "`super` stands outside of an object".to_owned());
        };
        match self.eval(index, scope) {
            Val::String(name) => match object.field(&name, *at) {
                Some(field) => self.force(&field),
                None => self.missing(object, &name, span),
            },
            unknown => Val::Unknown(self.reason_of(&unknown)),
        }
    }

    fn missing(&self, object: &Object, name: &str, span: Span) -> Val {
        match &object.rest {
            Some(reason) => Val::Unknown(reason.clone()),
            None => self.wrong(span, format!("there is no field `{name}`")),
        }
    }

    fn index(&self, of: Val, index: Val, span: Span) -> Val {
        match (of, index) {
            (Val::Unknown(reason), _) | (_, Val::Unknown(reason)) => Val::Unknown(reason),
            (Val::Std, Val::String(name)) if &*name == "thisFile" => Val::string(&self.sources.get(span.file).name),
            (Val::Std, Val::String(name)) => Val::Function(Rc::new(Function::Standard(name))),
            (Val::Object(object), Val::String(name)) => match object.field(&name, object.layers.len()) {
                Some(field) => self.force(&field),
                None => self.missing(&object, &name, span),
            },
            (Val::Array(items), Val::Number(n)) => match items.get(n as usize).filter(|_| n >= 0.0) {
                Some(item) => self.force(item),
                None => self.wrong(span, format!("there is no item {}", digits(n))),
            },
            (Val::String(text), Val::Number(n)) => match text.chars().nth(n as usize).filter(|_| n >= 0.0) {
                Some(c) => Val::string(&c.to_string()),
                None => self.wrong(span, format!("there is no character {}", digits(n))),
            },
            (_, choice @ Val::Choice(_)) => Val::Unknown(self.reason_of(&choice)),
            (of, index) => self.wrong(span, format!("{} has no {} for an index", of.kind(), index.kind())),
        }
    }

    pub(super) fn slice(&self, of: &Val, parts: [Option<Val>; 3]) -> Val {
        if let Some(open) = parts.iter().flatten().find(|part| !matches!(part, Val::Null | Val::Number(_))) {
            return Val::Unknown(self.reason_of(open));
        }
        let length = match of {
            Val::Array(items) => items.len(),
            Val::String(text) => text.chars().count(),
            other => return Val::Unknown(self.reason_of(other)),
        };
        // What is below zero counts from the end.
        let place = |part: &Option<Val>, otherwise: usize| match part {
            Some(Val::Number(n)) if *n < 0.0 => length.saturating_sub(-n as usize),
            Some(Val::Number(n)) => *n as usize,
            _ => otherwise,
        };
        let (from, to) = (place(&parts[0], 0), place(&parts[1], length));
        let step = match &parts[2] {
            Some(Val::Number(n)) if *n < 1.0 => return Val::unknown("depends on a slice whose step is not above zero"),
            part => place(part, 1),
        };
        match of {
            Val::Array(items) => {
                let to = to.min(items.len());
                Val::array(items.iter().take(to).skip(from).step_by(step).cloned().collect())
            }
            Val::String(text) => Val::string(&text.chars().take(to).skip(from).step_by(step).collect::<String>()),
            other => Val::Unknown(self.reason_of(other)),
        }
    }

    /// Why a value cannot be worked with.
    pub(super) fn reason_of(&self, value: &Val) -> Reason {
        match value {
            Val::Unknown(reason) => reason.clone(),
            Val::Choice(choice) => format!("depends on the condition {}", choice.condition).into(),
            other => format!("depends on {} where it does not go", other.kind()).into(),
        }
    }

    /// Applies to a value, or to both branches of a choice.
    pub(super) fn lifted(&self, value: Val, apply: &dyn Fn(Val) -> Val) -> Val {
        let Val::Choice(choice) = &value else { return apply(value) };
        if !self.step() {
            return Val::unknown(TOO_MUCH);
        }
        let branch = |thunk: &Thunk| {
            self.open.set(self.open.get() + 1);
            let value = self.deeper(|| self.lifted(self.force(thunk), apply));
            self.open.set(self.open.get() - 1);
            ready(thunk.span, value)
        };
        let (then, otherwise) = (branch(&choice.then), branch(&choice.otherwise));
        Val::Choice(Rc::new(Branches { condition: choice.condition.clone(), then, otherwise }))
    }

    fn call(&self, function: &Val, arguments: &[Argument], scope: &Scope, span: Span) -> Val {
        match function {
            Val::Function(function) => {
                let given = arguments.iter().map(|argument| (argument.name.clone(), waiting(&argument.value, scope)));
                self.apply(function, given.collect(), span)
            }
            unknown @ (Val::Unknown(_) | Val::Choice(_)) => Val::Unknown(self.reason_of(unknown)),
            other => self.wrong(span, format!("{} cannot be called", other.kind())),
        }
    }

    /// Calls a function with values.
    pub(super) fn apply(&self, function: &Function, given: Vec<(Option<Rc<str>>, Thunk)>, span: Span) -> Val {
        match function {
            Function::Standard(name) => self.standard(name, &given, span),
            Function::Native(name) => Val::unknown(format!("depends on the native function {name}")),
            Function::Closure { parameters, body, scope } => {
                let inner = Frame::within(scope);
                let mut positional = 0;
                for (name, value) in given {
                    let parameter = match name {
                        Some(name) => parameters.iter().find(|parameter| parameter.name == name),
                        None => {
                            positional += 1;
                            parameters.get(positional - 1)
                        }
                    };
                    match parameter {
                        Some(parameter) => inner.set(&parameter.name, value),
                        None => return self.wrong(span, "this function takes no such argument".to_owned()),
                    }
                }
                for parameter in parameters.iter() {
                    if inner.names.borrow().contains_key(&parameter.name) {
                        continue;
                    }
                    match &parameter.default {
                        Some(default) => inner.set(&parameter.name, waiting(default, &inner)),
                        None => return self.wrong(span, format!("the argument `{}` is missing", parameter.name)),
                    }
                }
                self.eval(body, &inner)
            }
        }
    }
}
