//! Jsonnet evaluated as far as the files tell: external variables and native functions are unknown,
//! a condition that depends on them leaves both branches, and the work is bounded.
//! Source: the Jsonnet specification and standard library, version 0.20.

mod evaluate;
mod object;
mod operate;
mod standard;
#[cfg(test)]
mod tests;
mod value;

use tojimari_text::{FileId, Problem, Sources};

use self::evaluate::Evaluator;
use super::Files;
use tojimari_model::value::Value;

/// What a file comes to, and what is wrong with it or with what it imports.
pub(super) fn evaluate(file: FileId, sources: &Sources, files: &dyn Files) -> (Value, Vec<Problem>) {
    let evaluator = Evaluator::new(sources, files);
    let value = evaluator.manifested(file);
    (value, evaluator.problems.take())
}
