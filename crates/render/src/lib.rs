//! Findings, plans, profiles and proofs as bytes. Prints nothing itself.
