//! Exit codes: the same for every verb, and relied on by people's pipelines.

use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, and nothing failing.
    Done = 0,
    /// Findings at or over `--fail-on`, or a proof or rollout that failed.
    Failing = 1,
    /// Bad usage or unreadable input.
    Input = 2,
    /// A fault of the tool or its surroundings.
    Fault = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// An error whose cause is what the user gave: exit 2. Every other error is a fault: exit 3.
#[derive(Debug)]
pub struct BadInput(pub String);

impl std::fmt::Display for BadInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}

/// Says an error in one line on standard error and gives its exit code.
#[allow(clippy::print_stderr)]
pub fn say(error: &anyhow::Error) -> Exit {
    eprintln!("error: {error:#}");
    if error.chain().any(|cause| cause.is::<BadInput>()) { Exit::Input } else { Exit::Fault }
}
