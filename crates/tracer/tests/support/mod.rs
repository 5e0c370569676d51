//! What the tests of the tracer share: folders, tools that may be missing, C programs, and a run
//! under the tracer from its start to its report.
#![allow(dead_code, clippy::print_stderr)]

pub mod strace;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, PoisonError};

use tojimari_evidence::profile::Operation;
use tojimari_tracer::{Command, Config, Event, Record, Report, spawn};

/// Says why a test was not run.
pub fn skip(reason: &str) {
    eprintln!("skipped: {reason}");
}

/// The path of a tool, or a message.
pub fn tool(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        skip(&format!("{name} is not installed"));
    }
    found
}

pub fn is_root() -> bool {
    // SAFETY: no arguments.
    unsafe { libc::geteuid() == 0 }
}

/// A folder without symbolic links in its name, removed at the end.
pub struct Folder {
    _held: tempfile::TempDir,
    pub path: PathBuf,
}

impl Folder {
    pub fn new() -> Folder {
        let held = tempfile::Builder::new().prefix("tracer-").tempdir().expect("a temporary folder");
        let path = held.path().canonicalize().expect("its name");
        Folder { _held: held, path }
    }

    /// An empty folder of this name, whatever was there.
    pub fn empty(&self, name: &str) -> PathBuf {
        let path = self.path.join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).expect("a folder");
        path
    }
}

/// A program of `tests/programs`, compiled once; `None` without a compiler.
pub fn compile(name: &str) -> Option<PathBuf> {
    compile_with(name, name, &[])
}

/// As `compile`, under another name and with further options.
pub fn compile_with(name: &str, output: &str, options: &[&str]) -> Option<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let gcc = tool("gcc")?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(format!("{name}.c"));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(output);
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    if changed(&program) < changed(&source) {
        let unfinished = program.with_extension(process::id().to_string());
        let status = process::Command::new(gcc)
            .args(["-O1", "-Wall", "-Wno-unused-result", "-pthread", "-o"])
            .args([unfinished.as_os_str(), source.as_os_str()])
            .args(options)
            .status()
            .expect("gcc");
        assert!(status.success(), "{name}.c does not compile");
        std::fs::rename(unfinished, &program).expect("a program in its place");
    }
    Some(program)
}

/// What a traced program did.
pub struct Traced {
    pub events: Vec<Event>,
    pub report: Report,
}

impl Traced {
    /// Operation and path of each event, the path escaped.
    pub fn pairs(&self) -> Vec<(Operation, String)> {
        self.events.iter().map(|event| (event.operation, event.path.escape_ascii().to_string())).collect()
    }

    /// The events on files of this name.
    pub fn named(&self, name: &str) -> Vec<&Event> {
        let ends = format!("/{name}");
        self.events.iter().filter(|event| event.path.ends_with(ends.as_bytes())).collect()
    }

    /// The only event on a file of this name.
    pub fn one(&self, name: &str) -> &Event {
        match &self.named(name)[..] {
            [one] => one,
            others => panic!("{} events on {name} among {:#?}", others.len(), self.pairs()),
        }
    }
}

pub fn command<A: AsRef<OsStr>>(program: &Path, arguments: &[A], folder: &Path) -> Command {
    Command::new(program)
        .arguments(arguments.iter().map(|argument| argument.as_ref().to_owned()))
        .working_directory(folder)
}

pub fn trace<A: AsRef<OsStr>>(program: &Path, arguments: &[A], folder: &Path, config: Config) -> Traced {
    finish(command(program, arguments, folder), config)
}

pub fn finish(command: Command, config: Config) -> Traced {
    let (session, records) = spawn(command, config).expect("the program starts");
    let mut events = Vec::new();
    for record in records {
        if let Record::Event(event) = record {
            events.push(event);
        }
    }
    Traced { events, report: session.wait().expect("a report") }
}
