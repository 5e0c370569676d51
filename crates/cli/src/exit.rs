//! Exit codes: the same for every verb, and relied on by people's pipelines.

use std::process::ExitCode;

use tojimari_engine::Error;

use crate::tell;

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

/// Says an error in one line on standard error. What the user gave is exit 2, every other cause
/// exit 3.
pub fn say(error: &anyhow::Error) -> Exit {
    tell::error(&format!("{error:#}"));
    match error.chain().any(is_input) {
        true => Exit::Input,
        false => Exit::Fault,
    }
}

/// The user's mistake, as the engine or the lab tells it.
fn is_input(cause: &(dyn std::error::Error + 'static)) -> bool {
    #[cfg(all(feature = "lab", target_os = "linux"))]
    if cause.downcast_ref::<tojimari_lab::Error>().is_some_and(tojimari_lab::Error::is_input) {
        return true;
    }
    cause.downcast_ref::<Error>().is_some_and(Error::is_input)
}
