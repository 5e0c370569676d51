//! Results for people on standard output.

use std::io::Write;

use tojimari_render::Report;
use tojimari_render::terminal::harmless;

/// Prints; a reader that went away (`| head`) is no error.
pub fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// What could not be read, a line each on standard error.
#[allow(clippy::print_stderr)]
pub fn problems(report: &Report<'_>) {
    for problem in report.problems {
        let place = report.sources.place(problem.span);
        let line = format!("error: {}:{}:{}: {}", place.file, place.line, place.column, problem.message);
        eprintln!("{}", harmless(&line));
    }
}

/// What a reader may want to know, a line each on standard error.
#[allow(clippy::print_stderr)]
pub fn notes(notes: &[String]) {
    for note in notes {
        eprintln!("{}", harmless(&format!("note: {note}")));
    }
}

/// Lines on standard error.
#[allow(clippy::print_stderr)]
pub fn lines(lines: impl Iterator<Item = String>) {
    for line in lines {
        eprintln!("{}", harmless(&line));
    }
}
