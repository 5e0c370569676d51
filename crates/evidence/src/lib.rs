//! What runs leave behind, as data: the write profile (`profile.json`) and the proof (`proof.json`).
//! Types of serde alone, so that the tracer and small programs may speak them.

pub mod profile;
pub mod proof;
