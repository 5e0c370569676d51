//! Reads OCI images and runs containers the way Amazon ECS would: to trace what they write, and to
//! prove that they do without. Makes no call to AWS, and prints nothing.

pub mod image;
pub mod run;

pub use run::{ContainerMistake, Error, FailedRun, Lab, Minimised, Mistake, Options, Progress};
