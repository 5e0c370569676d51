//! Findings, profiles, plans and proofs as plain text for a terminal: what a person reads at the end of
//! a run.

mod columns;
mod diagnostics;
mod plan;
mod profile;
mod proof;

pub use columns::harmless;
pub(crate) use diagnostics::summary;
pub use diagnostics::{Look, evaluations};
pub use plan::plan;
pub use profile::profile;
pub use proof::proof;
