//! What Amazon ECS is, told once: platforms, sizes of tasks, mount options, capabilities, and the
//! folders of containers. Facts alone: what should be lives in `controls`, what follows in `plan`.

#![warn(missing_docs)]

pub mod capability;
pub mod fargate;
pub mod folders;
pub mod path;
pub mod platform;
pub mod tmpfs;

pub use platform::Platform;
