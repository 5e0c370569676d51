//! The one place that writes to standard output, and to standard error beside it.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, Result};
use tojimari_engine::files;
use tojimari_engine::nothing::Nothing;
use tojimari_render::terminal::harmless;
use tojimari_text::{Problem, Sources, Span};

use crate::exit::Exit;

/// Prints a text.
pub fn print(text: &str) -> Result<()> {
    write(|out| out.write_all(text.as_bytes()))
}

/// Prints what is written as it is made. A reader that went away (`| head`) has what it wanted; else
/// what was not written whole is an error.
pub fn write(made: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = made(&mut out).and_then(|()| out.flush()).and_then(|()| out.get_mut().flush());
    // What is left in it cannot be written either.
    let _ = out.into_parts();
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("failed to write to standard output"),
    }
}

/// The help or the version that was asked for, or what is wrong with the arguments.
pub fn usage(usage: &clap::Error) -> Result<Exit> {
    if usage.use_stderr() {
        let _ = usage.print();
        return Ok(Exit::Input);
    }
    let text = usage.render();
    let text = if in_colours() { text.ansi().to_string() } else { text.to_string() };
    print(&text).map(|()| Exit::Done)
}

/// Whether what is printed may be in colours: on a terminal whose user did not say no.
pub fn in_colours() -> bool {
    is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether a person reads what is printed.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// What ended the run, on standard error.
pub fn error(error: &str) {
    for (at, part) in error.split('\n').enumerate() {
        let level = if at == 0 { "error: " } else { "" };
        line(&harmless(&format!("{level}{part}")));
    }
}

/// One line on standard error. There is nobody to tell where it cannot be written.
pub fn line(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// To the file of `-o`, or to standard output where none was given or it is `-`.
pub fn document(path: Option<&Path>, document: &impl serde::Serialize) -> Result<()> {
    match path {
        Some(path) if path != Path::new("-") => files::write_json(path, document)?,
        _ => print(&files::json(document)?)?,
    }
    Ok(())
}

/// What could not be read, a line each on standard error.
pub fn problems(sources: &Sources, problems: &[Problem]) {
    placed("error", sources, problems);
}

/// Tells of folders in which nothing was found, and hands back what is a problem.
pub fn nothing(nothing: Nothing) -> Vec<Problem> {
    for warning in nothing.warnings {
        line(&harmless(&format!("warning: {warning}")));
    }
    nothing.problems
}

/// What is not as it should be and stands in nobody's way, a line each on standard error.
pub fn warnings(sources: &Sources, warnings: &[Problem]) {
    placed("warning", sources, warnings);
}

fn placed(level: &str, sources: &Sources, problems: &[Problem]) {
    placed_lines(level, sources, problems).for_each(|text| line(&text));
}

/// A line each, with its place.
pub fn placed_lines(level: &str, sources: &Sources, problems: &[Problem]) -> impl Iterator<Item = String> {
    problems.iter().map(move |problem| {
        let place = sources.place(problem.span);
        harmless(&format!("{level}: {}:{}:{}: {}", place.file, place.line, place.column, problem.message))
    })
}

/// What a reader may want to know, a line each on standard error.
pub fn notes(notes: &[String]) {
    for note in notes {
        line(&harmless(&format!("note: {note}")));
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
pub fn lines(lines: impl Iterator<Item = String>) {
    for line in lines {
        // Lines to paste stand below what is said, and further right than anything that is.
        let mut parts = line.split('\n');
        self::line(&harmless(parts.next().unwrap_or_default()));
        for part in parts.filter(|part| !part.trim().is_empty()) {
            let margin = if part.starts_with("  ") { "" } else { "  " };
            self::line(&format!("{margin}{}", harmless(part)));
        }
    }
}
