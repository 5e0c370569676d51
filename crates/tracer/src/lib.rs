//! Runs a program tree under a seccomp filter and ptrace, and records every call that changes a file system.

mod command;
mod event;
mod session;

pub use command::Command;
pub use event::{Event, Exit, Mount, Outcome, Record};
pub use session::{Begin, Config, Error, Killer, Outcomes, Report, Session, spawn};
