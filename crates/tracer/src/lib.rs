//! Runs a program tree under a seccomp filter and ptrace, and records every call that changes a file system.

mod calls;
mod command;
mod config;
mod decode;
mod engine;
mod event;
mod filter;
mod judge;
mod kernel;
mod launch;
mod mounts;
mod ptrace;
mod recent;
mod records;
mod resolve;
mod session;
mod signals;
mod walk;

pub use command::Command;
pub use config::{Begin, Config, Error, Outcomes, Report};
pub use event::{Event, Exit, Mount, Outcome, Ran, Record};
pub use records::Records;
pub use session::{Killer, Session, spawn};
pub use signals::default_signals;
