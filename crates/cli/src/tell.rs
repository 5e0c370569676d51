//! Results for people on standard output.

use std::io::Write;

/// Prints; a reader that went away (`| head`) is no error.
pub fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
