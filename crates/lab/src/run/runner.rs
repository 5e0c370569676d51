//! The entrance of the processes of a run, which are this same program: single-threaded, so that
//! forking in it is safe and its namespaces are its own.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::role::{ARGUMENT, Role, WATCH};
use super::{container, keeper, observe, supervisor};

/// Runs the runner if this process was started as one; `None` for every other start. To be called
/// before anything else in `main`, while there is one thread.
pub fn entered() -> Option<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (first, rest) = arguments.split_first()?;
    if first != ARGUMENT {
        return None;
    }
    let ran = match rest.split_first() {
        Some((folder, words)) => run(&PathBuf::from(folder), words),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "no folder given")),
    };
    Some(match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the log of the run, which the lab reads when something fails.
            use std::io::Write;
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    })
}

fn run(folder: &Path, words: &[OsString]) -> io::Result<()> {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    if let [WATCH, words @ ..] = words.as_slice()
        && let Some(role) = Role::from_words(words)
    {
        return observe::main(folder, role);
    }
    match Role::from_words(&words) {
        Some(Role::Keeper) => keeper::main(folder),
        Some(Role::Exercise) => Err(keeper::exercise(folder)),
        Some(Role::Supervisor) => supervisor::main(folder),
        Some(Role::Container { container }) => container::run(folder, container),
        Some(Role::Probe { container, number }) => container::probe(folder, container, number),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "no such role")),
    }
}
