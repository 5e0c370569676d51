//! Findings, plans, profiles and proofs as bytes. Prints nothing itself.

pub mod terminal;
