//! What expressions come to while they are evaluated: lazy, shared, and possibly unknown.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use tojimari_text::Span;
use tojimari_text::jsonnet::{Expr, Parameter};

use super::object::Object;
use tojimari_model::value::Reason;

#[derive(Clone)]
pub(super) enum Val {
    Null,
    Bool(bool),
    Number(f64),
    String(Rc<str>),
    Array(Rc<Vec<Thunk>>),
    Object(Rc<Object>),
    Function(Rc<Function>),
    /// The standard library.
    Std,
    Unknown(Reason),
    Choice(Rc<Branches>),
}

pub(super) struct Branches {
    pub condition: Arc<str>,
    pub then: Thunk,
    pub otherwise: Thunk,
}

pub(super) enum Function {
    Closure {
        parameters: Rc<[Parameter]>,
        body: Rc<Expr>,
        scope: Scope,
    },
    Standard(Rc<str>),
    /// A function of the program that evaluates the file.
    Native(Rc<str>),
}

/// A value that is worked out when it is first asked for.
pub(super) type Thunk = Rc<Lazy>;

pub(super) struct Lazy {
    pub span: Span,
    pub state: RefCell<State>,
}

pub(super) enum State {
    Ready(Val),
    Waiting(Rc<Expr>, Scope),
    /// A field that is added to the one below.
    Sum(Thunk, Thunk),
    /// Being worked out.
    Busy,
}

pub(super) fn ready(span: Span, value: Val) -> Thunk {
    Rc::new(Lazy { span, state: RefCell::new(State::Ready(value)) })
}

pub(super) fn waiting(expr: &Rc<Expr>, scope: &Scope) -> Thunk {
    Rc::new(Lazy { span: expr.span, state: RefCell::new(State::Waiting(expr.clone(), scope.clone())) })
}

pub(super) type Scope = Rc<Frame>;

/// The names that an expression sees, and the object that it stands in.
pub(super) struct Frame {
    pub names: RefCell<HashMap<Rc<str>, Thunk>>,
    pub outer: Option<Scope>,
    /// The object, and the layer of it that the expression is written in.
    pub itself: Option<(Rc<Object>, usize)>,
    pub outermost: Option<Rc<Object>>,
    registry: Registry,
}

/// All frames of one evaluation. They refer to each other in circles, so that they have to be taken
/// apart when it ends.
#[derive(Clone, Default)]
pub(super) struct Registry(Rc<RefCell<Vec<Weak<Frame>>>>);

impl Registry {
    /// The frame of a whole file.
    pub(super) fn root(&self) -> Scope {
        self.frame(Frame {
            names: RefCell::default(),
            outer: None,
            itself: None,
            outermost: None,
            registry: self.clone(),
        })
    }

    fn frame(&self, frame: Frame) -> Scope {
        let frame = Rc::new(frame);
        self.0.borrow_mut().push(Rc::downgrade(&frame));
        frame
    }

    pub(super) fn take_apart(&self) {
        for frame in self.0.take().iter().filter_map(Weak::upgrade) {
            let names = frame.names.take();
            if let Some((object, _)) = &frame.itself {
                object.forget();
            }
            drop(names);
        }
    }
}

impl Frame {
    /// A scope within another.
    pub(super) fn within(outer: &Scope) -> Scope {
        outer.registry.frame(Frame {
            names: RefCell::default(),
            outer: Some(outer.clone()),
            itself: outer.itself.clone(),
            outermost: outer.outermost.clone(),
            registry: outer.registry.clone(),
        })
    }

    /// What the fields of a layer see: the object as `self`.
    pub(super) fn of_layer(outer: &Scope, object: &Rc<Object>, at: usize) -> Scope {
        outer.registry.frame(Frame {
            names: RefCell::default(),
            outer: Some(outer.clone()),
            itself: Some((object.clone(), at)),
            outermost: Some(outer.outermost.clone().unwrap_or_else(|| object.clone())),
            registry: outer.registry.clone(),
        })
    }

    pub(super) fn set(&self, name: &Rc<str>, value: Thunk) {
        self.names.borrow_mut().insert(name.clone(), value);
    }

    pub(super) fn get(&self, name: &str) -> Option<Thunk> {
        let mut frame = self;
        loop {
            if let Some(found) = frame.names.borrow().get(name) {
                return Some(found.clone());
            }
            frame = frame.outer.as_deref()?;
        }
    }
}

impl Val {
    pub(super) fn string(text: &str) -> Val {
        Val::String(text.into())
    }

    pub(super) fn array(items: Vec<Thunk>) -> Val {
        Val::Array(Rc::new(items))
    }

    pub(super) fn unknown(reason: impl Into<Reason>) -> Val {
        Val::Unknown(reason.into())
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Val::Null => "null",
            Val::Bool(_) => "boolean",
            Val::Number(_) => "number",
            Val::String(_) => "string",
            Val::Array(_) => "array",
            Val::Object(_) | Val::Std => "object",
            Val::Function(_) => "function",
            Val::Unknown(_) | Val::Choice(_) => "unknown",
        }
    }
}

/// A number as Jsonnet writes it.
pub(super) fn digits(number: f64) -> String {
    if number.fract() == 0.0 {
        return format!("{number:.0}");
    }
    // Seventeen digits, as C's `%.17g`, without zeros at the end.
    let written = format!("{number:.16e}");
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let without_zeros = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    match (-4..17).contains(&exponent) {
        true => without_zeros(&format!("{number:.*}", usize::try_from(16 - exponent).unwrap_or_default())),
        false => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
        }
    }
}
