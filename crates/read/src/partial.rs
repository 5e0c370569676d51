//! What the evaluators of CloudFormation, Terraform and Jsonnet share: how a function of known values
//! is applied to values that depend on open conditions, and how far any of them goes.

use std::sync::Arc;

/// How far evaluation goes before what is left is unknown. Each bound is a number of things of one
/// kind, and the same for every language unless a language cannot do without another.
pub struct Bounds {
    /// Conditions that one function or text is worked out for: at most two to this power results.
    pub conditions: usize,
    /// Ways in which the conditions of one value can fall.
    pub leaves: u16,
    /// Levels of collections and conditions in one value.
    pub height: u16,
    /// Values in one value, as if nothing in it were shared.
    pub size: u32,
    /// Bytes of text put together for one file or module.
    pub bytes: usize,
    /// Items of one collection that a function makes.
    pub items: usize,
}

pub const BOUNDS: Bounds =
    Bounds { conditions: 6, leaves: 32, height: 64, size: 100_000, bytes: 64 << 20, items: 10_000 };

/// A value that may be one of two by an open condition.
pub trait Partial: Clone {
    /// The first condition that the value, or what a function sees of it, depends on.
    fn open_condition(&self) -> Option<Arc<str>>;

    /// The value where that condition holds, or does not.
    fn under(&self, condition: &Arc<str>, holds: bool) -> Self;

    /// One of two values.
    fn one_of(condition: Arc<str>, then: Self, otherwise: Self, like: &Self) -> Self;
}

/// Applies a function to values without open conditions, once for each way that these can fall: the
/// result is a choice of results. `left` conditions are looked at; `more` is the result where there
/// are others, or where the work is too much.
pub fn lift<T: Partial>(
    values: &[T],
    like: &T,
    left: usize,
    more: &mut dyn FnMut(&str) -> T,
    apply: &mut dyn FnMut(&[T]) -> T,
) -> T {
    let Some(condition) = values.iter().find_map(Partial::open_condition) else { return apply(values) };
    if left == 0 {
        return more(&condition);
    }
    let [then, otherwise] = [true, false].map(|holds| {
        let given: Vec<T> = values.iter().map(|value| value.under(&condition, holds)).collect();
        lift(&given, like, left - 1, more, apply)
    });
    T::one_of(condition, then, otherwise, like)
}
