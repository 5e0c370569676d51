//! Findings, plans, profiles and proofs as bytes. Prints nothing itself.

pub mod explain;
pub mod github;
pub mod json;
pub mod junit;
pub mod markdown;
mod report;
pub mod sarif;
pub mod terminal;

pub use report::{Fix, Report, Rule};
