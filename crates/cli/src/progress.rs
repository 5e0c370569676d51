//! Progress on standard error: a spinner with the step and its time on a terminal, plain lines
//! elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::tell;

pub struct Steps {
    bar: Option<ProgressBar>,
    /// The running step and when it began.
    current: Mutex<Option<(String, Instant)>>,
    /// Every finished step with the time it took, for `timings`.
    finished: Mutex<Vec<(String, Duration)>>,
    quiet: bool,
}

impl Steps {
    pub fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !quiet;
        let bar = terminal.then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_style(
                ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                    .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Steps { bar, current: Mutex::new(None), finished: Mutex::new(Vec::new()), quiet }
    }

    /// Ends the running step; on a terminal the spinner goes away.
    pub fn done(&self) {
        self.end_current();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Steps and what each took, in order.
    pub fn timings(&self) -> Vec<(String, Duration)> {
        self.finished.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    fn end_current(&self) {
        let ended = self.current.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some((what, began)) = ended {
            self.finished.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((what, began.elapsed()));
        }
    }
}

impl tojimari_lab::Progress for Steps {
    fn step(&self, what: &str, expected: Option<Duration>) {
        self.end_current();
        *self.current.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some((what.to_owned(), Instant::now()));
        let shown = match expected {
            Some(expected) => format!("{what} (about {} s)", expected.as_secs().max(1)),
            None => what.to_owned(),
        };
        match &self.bar {
            Some(bar) => {
                bar.reset_elapsed();
                bar.set_message(shown);
            }
            None if self.quiet => {}
            None => tell::line(&shown),
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
