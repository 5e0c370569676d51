//! What runs leave behind and what follows from it, as data: the write profile (`profile.json`), the plan
//! (`plan.json`) and the proof (`proof.json`).
//! Types of serde alone, so that the tracer and small programs may speak them.

pub mod plan;
pub mod profile;
pub mod proof;
