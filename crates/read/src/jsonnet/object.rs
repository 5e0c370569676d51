//! Objects of Jsonnet: layers added to one another, their fields found from the top.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use tojimari_text::Span;
use tojimari_text::jsonnet::{Bind, Expr, Visibility};

use super::value::{Frame, Lazy, Scope, State, Thunk, waiting};
use tojimari_model::value::Reason;

pub(super) struct Object {
    pub layers: Vec<Rc<Layer>>,
    /// Why there may be more fields.
    pub rest: Option<Reason>,
    fields: RefCell<Found>,
    scopes: RefCell<HashMap<usize, Scope>>,
}

/// Fields that were looked for, by name and the layer below which they were.
type Found = HashMap<(Rc<str>, usize), Option<Thunk>>;

/// One object as it is written.
pub(super) struct Layer {
    pub locals: Vec<Bind>,
    /// `None` for fields that are there already.
    pub scope: Option<Scope>,
    pub fields: Vec<LayerField>,
}

pub(super) struct LayerField {
    pub name: Rc<str>,
    pub name_span: Span,
    pub adds: bool,
    pub visibility: Visibility,
    pub body: Body,
}

pub(super) enum Body {
    Written(Rc<Expr>),
    Given(Thunk),
}

impl Object {
    pub(super) fn new(layers: Vec<Rc<Layer>>, rest: Option<Reason>) -> Rc<Object> {
        Rc::new(Object { layers, rest, fields: RefCell::default(), scopes: RefCell::default() })
    }

    /// An object of fields that are there already.
    pub(super) fn given(fields: Vec<(Rc<str>, Span, Thunk)>, rest: Option<Reason>) -> Rc<Object> {
        let fields = fields.into_iter().map(|(name, name_span, thunk)| LayerField {
            name,
            name_span,
            adds: false,
            visibility: Visibility::Default,
            body: Body::Given(thunk),
        });
        let layer = Layer { locals: Vec::new(), scope: None, fields: fields.collect() };
        Object::new(vec![Rc::new(layer)], rest)
    }

    /// The names of all fields with their place, and whether each is visible; in the order in which
    /// they are first written.
    pub(super) fn names(&self) -> Vec<(Rc<str>, Span, bool)> {
        let mut names: Vec<(Rc<str>, Span, bool)> = Vec::new();
        let mut known: HashMap<Rc<str>, usize> = HashMap::new();
        for field in self.layers.iter().flat_map(|layer| &layer.fields) {
            let visible = match field.visibility {
                Visibility::Default => None,
                Visibility::Hidden => Some(false),
                Visibility::Forced => Some(true),
            };
            match known.get(&field.name) {
                Some(at) => {
                    names[*at].1 = field.name_span;
                    if let Some(visible) = visible {
                        names[*at].2 = visible;
                    }
                }
                None => {
                    known.insert(field.name.clone(), names.len());
                    names.push((field.name.clone(), field.name_span, visible.unwrap_or(true)));
                }
            }
        }
        names
    }

    pub(super) fn has(&self, name: &str, hidden_too: bool) -> bool {
        self.names().iter().any(|(other, _, visible)| **other == *name && (hidden_too || *visible))
    }

    /// The field of that name in the layers below `below`.
    pub(super) fn field(self: &Rc<Self>, name: &str, below: usize) -> Option<Thunk> {
        let key = (Rc::from(name), below);
        if let Some(found) = self.fields.borrow().get(&key) {
            return found.clone();
        }
        let found = self.layers[..below.min(self.layers.len())].iter().enumerate().rev().find_map(|(at, layer)| {
            let field = layer.fields.iter().rev().find(|field| *field.name == *name)?;
            let own = match &field.body {
                Body::Given(thunk) => thunk.clone(),
                Body::Written(expr) => waiting(expr, &self.scope(at)?),
            };
            Some(match field.adds.then(|| self.field(name, at)).flatten() {
                Some(base) => Rc::new(Lazy { span: own.span, state: RefCell::new(State::Sum(base, own)) }),
                None => own,
            })
        });
        self.fields.borrow_mut().insert(key, found.clone());
        found
    }

    /// What the fields of a layer see: its locals, and this object as `self`.
    fn scope(self: &Rc<Self>, at: usize) -> Option<Scope> {
        if let Some(scope) = self.scopes.borrow().get(&at) {
            return Some(scope.clone());
        }
        let layer = &self.layers[at];
        let Some(outer) = &layer.scope else { return None };
        let scope = Frame::of_layer(outer, self, at);
        for bind in &layer.locals {
            scope.set(&bind.name, waiting(&bind.value, &scope));
        }
        self.scopes.borrow_mut().insert(at, scope.clone());
        Some(scope)
    }

    /// Lets go of what was worked out.
    pub(super) fn forget(&self) {
        self.fields.take();
        self.scopes.take();
    }
}
