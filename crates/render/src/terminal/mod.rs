//! Profiles, plans and proofs as plain text for a terminal: what a person reads at the end of a run.

mod columns;
mod plan;
mod profile;
mod proof;

pub use plan::plan;
pub use profile::profile;
pub use proof::proof;
