//! Ctrl-C and SIGTERM set a flag that every wait in the lab looks at; a second one ends at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

pub fn flag() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // The order matters: the first signal finds the flag unset and only sets it; the second
        // finds it set and ends the process. The kernel then ends the containers, whose processes
        // live no longer than this one.
        signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, interrupted.clone())
            .and_then(|_| signal_hook::flag::register(signal, interrupted.clone()))
            .context("failed to watch for signals")?;
    }
    Ok(interrupted)
}
