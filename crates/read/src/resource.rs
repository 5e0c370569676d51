//! Collects the resources of a stack: every open condition of a resolved value becomes resources
//! of its own, each under its assumptions.

use std::sync::Arc;

use tojimari_text::{Problem, Span};

use tojimari_model::declared::{Declared, Resource, Stack};
use tojimari_model::value::{Assumption, Value};

/// A stack while it is read.
#[derive(Debug, Default)]
pub struct Resources {
    stack: Stack,
    problems: Vec<Problem>,
}

impl Resources {
    /// Adds a resource in each variant that its value leaves open. `name` is what it calls itself
    /// by the field that its kind has for that; the address stands in where it is not known.
    pub fn add(
        &mut self,
        address: &str,
        span: Span,
        assumed: &[Assumption],
        value: &Value,
        read: impl Fn(&Value) -> (Declared, Vec<Problem>),
    ) {
        self.add_where(address, None, span, assumed, value, &|_| true, read);
    }

    /// As [`Resources::add`], with a name that stands for the one in its fields, and without the
    /// variants whose assumptions cannot hold together.
    #[allow(clippy::too_many_arguments)]
    pub fn add_where(
        &mut self,
        address: &str,
        named: Option<&str>,
        span: Span,
        assumed: &[Assumption],
        value: &Value,
        possible: &dyn Fn(&[Assumption]) -> bool,
        read: impl Fn(&Value) -> (Declared, Vec<Problem>),
    ) {
        let address: Arc<str> = address.into();
        for (open, value) in value.variants_where(|open| possible(&[assumed, open].concat())) {
            let (declared, problems) = read(&value);
            for problem in problems {
                // The same place is read once for every variant.
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
            }
            let name = named.or(declared.name()).map_or_else(|| address.clone(), Arc::from);
            let assumed = [assumed, &open].concat();
            self.stack.resources.push(Resource { address: address.clone(), name, span, assumed, declared });
        }
    }

    /// How many resources there are so far.
    pub fn len(&self) -> usize {
        self.stack.resources.len()
    }

    pub fn is_empty(&self) -> bool {
        self.stack.resources.is_empty()
    }

    /// Whether a resource was added that stands there.
    pub fn have(&self, span: Span) -> bool {
        self.stack.resources.iter().any(|resource| resource.span == span)
    }

    /// What was added so far.
    pub fn declared(&self) -> impl Iterator<Item = &Declared> {
        self.stack.resources.iter().map(|resource| &resource.declared)
    }

    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub fn finish(self) -> (Stack, Vec<Problem>) {
        (self.stack, self.problems)
    }
}
