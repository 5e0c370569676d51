//! From a write profile and a platform to writable mounts, and from remedies to edits of the
//! user's file. Pure and complete: who executes a plan decides nothing.

pub mod decide;
pub mod patch;
pub mod recipe;

pub use decide::{Options, Prefer, decide};
pub use tojimari_ecs::Platform;
pub use tojimari_evidence::plan::{ContainerPlan, NotMounted, Plan, Seed, WritableBy, WritableMount};
