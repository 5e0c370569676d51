//! The program that is traced: what to execute, and what it inherits.

use std::ffi::OsString;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;

/// A program to start under the tracer.
#[derive(Debug)]
pub struct Command {
    /// Path of the executable; no search in PATH.
    pub program: PathBuf,
    /// The whole argument list, the zeroth included.
    pub arguments: Vec<OsString>,
    /// The whole environment.
    pub environment: Vec<(OsString, OsString)>,
    pub working_directory: Option<PathBuf>,
    /// Descriptors of the program by number; all others that are not close-on-exec are inherited.
    /// 0, 1 and 2 stay the tracer's own unless they stand here.
    pub descriptors: Vec<(RawFd, OwnedFd)>,
    /// Start a process group of its own, so that a Ctrl-C at the terminal does not reach it.
    pub own_group: bool,
}

impl Command {
    /// The program with itself as zeroth argument and the tracer's own environment.
    pub fn new(program: impl Into<PathBuf>) -> Command {
        let program = program.into();
        Command {
            arguments: vec![program.clone().into_os_string()],
            program,
            environment: std::env::vars_os().collect(),
            working_directory: None,
            descriptors: Vec::new(),
            own_group: false,
        }
    }

    pub fn argument(mut self, argument: impl Into<OsString>) -> Command {
        self.arguments.push(argument.into());
        self
    }

    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Command {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Command {
        let name = name.into();
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.into()));
        self
    }

    pub fn working_directory(mut self, folder: impl Into<PathBuf>) -> Command {
        self.working_directory = Some(folder.into());
        self
    }

    pub fn descriptor(mut self, number: RawFd, descriptor: OwnedFd) -> Command {
        self.descriptors.push((number, descriptor));
        self
    }

    pub fn own_group(mut self) -> Command {
        self.own_group = true;
        self
    }
}
