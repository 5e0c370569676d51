//! The process that sets up and starts one container: this same program under a hidden first
//! argument, single-threaded, so that forking in it is safe.

use std::process::ExitCode;

/// Runs the runner if this process was started as one; `None` for every other start.
pub fn entered() -> Option<ExitCode> {
    None
}
