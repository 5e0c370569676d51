//! Findings, plans, profiles and proofs as bytes. Prints nothing itself.

pub mod json;
mod report;
pub mod terminal;

pub use report::Report;
