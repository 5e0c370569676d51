//! Results for people on standard output.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use tojimari_engine::files;
use tojimari_render::terminal::harmless;
use tojimari_text::{Problem, Sources, Span};

/// Prints; a reader that went away (`| head`) is no error.
pub fn print(text: &str) {
    write(|out| out.write_all(text.as_bytes()));
}

/// The same for what is written as it is made.
pub fn write(made: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
    let _ = made(&mut io::stdout().lock());
}

/// To the file of `-o`, or to standard output where none was given or it is `-`.
pub fn document(path: Option<&Path>, document: &impl serde::Serialize) -> Result<()> {
    match path {
        Some(path) if path != Path::new("-") => files::write_json(path, document)?,
        _ => print(&files::json(document)?),
    }
    Ok(())
}

/// What could not be read, a line each on standard error.
pub fn problems(sources: &Sources, problems: &[Problem]) {
    placed("error", sources, problems);
}

/// What is not as it should be and stands in nobody's way, a line each on standard error.
pub fn warnings(sources: &Sources, warnings: &[Problem]) {
    placed("warning", sources, warnings);
}

#[allow(clippy::print_stderr)]
fn placed(level: &str, sources: &Sources, problems: &[Problem]) {
    for problem in problems {
        let place = sources.place(problem.span);
        let line = format!("{level}: {}:{}:{}: {}", place.file, place.line, place.column, problem.message);
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

/// Places that are named of those that are many.
const PLACES: usize = 5;

/// What is written down and there is none of: nothing was said of it.
pub fn idle(sources: &Sources, idle: &[Span]) {
    if idle.is_empty() {
        return;
    }
    let places = idle.iter().take(PLACES).map(|span| {
        let place = sources.place(*span);
        format!("{}:{}", place.file, place.line)
    });
    let more = match idle.len().saturating_sub(PLACES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (blocks, make) = if idle.len() == 1 { ("block", "makes") } else { ("blocks", "make") };
    notes(&[format!(
        "{} {blocks} of ECS or ECR {make} no resource by the values in the files (count or for_each is empty): {}{more}",
        idle.len(),
        places.collect::<Vec<_>>().join(", ")
    )]);
}

/// Lines on standard error.
#[allow(clippy::print_stderr)]
pub fn lines(lines: impl Iterator<Item = String>) {
    for line in lines {
        // Lines to paste stand below what is said, and further right than anything that is.
        let mut parts = line.split('\n');
        eprintln!("{}", harmless(parts.next().unwrap_or_default()));
        for part in parts.filter(|part| !part.trim().is_empty()) {
            let margin = if part.starts_with("  ") { "" } else { "  " };
            eprintln!("{margin}{}", harmless(part));
        }
    }
}
