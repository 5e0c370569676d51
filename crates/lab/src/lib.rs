//! Reads OCI images and runs containers the way Amazon ECS would: to trace what they write, and to
//! prove that they do without. Makes no call to AWS, and prints nothing.

pub mod image;
pub mod run;

pub use run::{
    CannotRun, ContainerMistake, Error, FailedRun, FailureKind, Lab, Minimised, Mistake, NotStarted, Options, Progress,
};
