//! In a program that was built without rules of one's own: each is refused with its place.

use std::sync::Arc;

use tojimari_model::{Evaluation, Stack};
use tojimari_text::{Problem, Span};

use super::{Custom, On, Wrong};

/// There is none: nothing here understands one.
#[derive(Debug)]
pub enum Expression {}

impl Expression {
    /// Refuses: a rule that is passed over would look as if it held.
    pub fn new(text: &str, _: On, _: Span) -> Result<Expression, Wrong> {
        let message = "this program was built without rules of one's own (the feature `rules`)".to_owned();
        Err(Wrong { at: 0..text.len(), message })
    }
}

/// Nothing: there can be no rules.
pub fn evaluate_custom(_: &Stack, _: &[Arc<Custom>]) -> (Vec<Evaluation>, Vec<Problem>) {
    (Vec::new(), Vec::new())
}
