//! What tracing costs: four workloads untraced, under strace in two ways, under the tracer, and
//! under a prototype with seccomp user notification. `cargo run --release -p tojimari-tracer
//! --example bench -- [--rounds N] [nginx] [opens] [forks] [tar]`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod notify;
mod workload;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use tojimari_tracer::{Config, Record, spawn};
use workload::Workload;

/// A way to run a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Untraced,
    Strace,
    StraceFiltered,
    Tracer,
    Notify,
}

const METHODS: [Method; 5] = [Method::Untraced, Method::Strace, Method::StraceFiltered, Method::Tracer, Method::Notify];

/// The calls that strace is told to stop at: what the tracer stops at, and openat, whose flags
/// strace cannot tell beforehand.
const CALLS: &str = "trace=open,openat,openat2,creat,mkdir,mkdirat,rmdir,unlink,unlinkat,rename,renameat,renameat2,\
link,linkat,symlink,symlinkat,mknod,mknodat,chmod,fchmod,fchmodat,chown,lchown,fchown,fchownat,utime,utimes,futimesat,\
utimensat,setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr,truncate,ftruncate,bind,access,faccessat,\
faccessat2";

impl Method {
    fn name(self) -> &'static str {
        match self {
            Method::Untraced => "untraced",
            Method::Strace => "strace -f",
            Method::StraceFiltered => "strace --seccomp-bpf",
            Method::Tracer => "tracer (ptrace)",
            Method::Notify => "user notification",
        }
    }

    /// The command line that runs a program this way.
    pub fn command(self, program: &[OsString], log: &Path) -> Command {
        let itself = std::env::current_exe().expect("this program");
        let mut command = match self {
            Method::Untraced => return plain(program),
            Method::Strace | Method::StraceFiltered => Command::new("strace"),
            Method::Tracer | Method::Notify => Command::new(itself),
        };
        match self {
            Method::Untraced => {}
            Method::Strace => {
                command.args(["-f", "-qq", "-o"]).arg(log);
            }
            Method::StraceFiltered => {
                command.args(["-f", "--seccomp-bpf", "-qq", "-e", CALLS, "-o"]).arg(log);
            }
            Method::Tracer => {
                command.arg("as-traced");
            }
            Method::Notify => {
                command.arg("as-notified");
            }
        }
        command.args(program);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

fn plain(program: &[OsString]) -> Command {
    let mut command = Command::new(&program[0]);
    command.args(&program[1..]).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    match arguments.first().and_then(|first| first.to_str()) {
        Some("as-traced") => return as_traced(&arguments[1..]),
        Some("as-notified") => return exit(notify::run(&arguments[1..])),
        Some("do-opens") => return exit(workload::do_opens().map(|()| 0)),
        _ => {}
    }
    let mut rounds = 5;
    let mut chosen = Vec::new();
    let mut left = arguments.iter();
    while let Some(argument) = left.next() {
        let text = argument.to_string_lossy();
        match (&*text, Workload::named(&text)) {
            ("--rounds", _) => {
                let Some(number) = left.next().and_then(|number| number.to_str()?.parse().ok()) else {
                    return usage();
                };
                rounds = number;
            }
            (_, Some(workload)) => chosen.push(workload),
            _ => return usage(),
        }
    }
    if chosen.is_empty() {
        chosen.extend(workload::ALL);
    }
    match measure(&chosen, rounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to measure: {error}");
            ExitCode::from(3)
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: bench [--rounds N] [nginx] [opens] [forks] [tar]");
    ExitCode::from(2)
}

fn exit(code: io::Result<u8>) -> ExitCode {
    match code {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::from(3)
        }
    }
}

/// Runs a program under the tracer and gathers its events, as a real user of the tracer does.
fn as_traced(program: &[OsString]) -> ExitCode {
    let mut command = tojimari_tracer::Command::new(&program[0]).arguments(program[1..].iter().cloned());
    command.program = find(&program[0]);
    let (session, records) = match spawn(command, Config::default()) {
        Ok(started) => started,
        Err(error) => {
            eprintln!("failed to {error}");
            return ExitCode::from(3);
        }
    };
    let mut paths: HashMap<Vec<u8>, u64> = HashMap::new();
    for record in records {
        if let Record::Event(event) = record {
            *paths.entry(event.path).or_default() += 1;
        }
    }
    match session.wait() {
        Ok(report) => ExitCode::from(report.exit.code() as u8),
        Err(_) => ExitCode::from(3),
    }
}

pub fn find(name: &OsString) -> PathBuf {
    if Path::new(name).components().count() > 1 {
        return name.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or(name.into())
}

/// Rounds go through all methods in turn, so that what disturbs the machine disturbs all of them.
fn measure(workloads: &[Workload], rounds: usize) -> io::Result<()> {
    for &workload in workloads {
        if let Some(missing) = workload.tools().iter().find(|tool| !find(&(**tool).into()).is_file()) {
            eprintln!("skipped: {missing} is not installed");
            continue;
        }
        let prepared = workload.prepare()?;
        let mut figures: HashMap<&str, Vec<workload::Figure>> = HashMap::new();
        for _ in 0..rounds {
            for method in METHODS {
                figures.entry(method.name()).or_default().push(prepared.run(method)?);
            }
        }
        let median = |name: &str, of: fn(&workload::Figure) -> f64| {
            let mut all: Vec<f64> = figures[name].iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        let unit = workload.unit();
        println!("{} (median of {rounds})", workload.title());
        println!("  {:<22} {:>14} {:>8} {:>12} {:>8}", "", unit, "ratio", workload.cpu_unit(), "ratio");
        for method in METHODS {
            let (wall, cpu) = (median(method.name(), |figure| figure.main), median(method.name(), |figure| figure.cpu));
            let wall_ratio = wall / median("untraced", |figure| figure.main);
            let cpu_ratio = cpu / median("untraced", |figure| figure.cpu);
            println!("  {:<22} {wall:>14.3} {wall_ratio:>8.3} {cpu:>12.3} {cpu_ratio:>8.3}", method.name());
        }
        let against =
            |of: fn(&workload::Figure) -> f64| median("tracer (ptrace)", of) / median("strace --seccomp-bpf", of);
        println!(
            "  tracer to strace --seccomp-bpf: {:.3}, CPU {:.3}\n",
            against(|figure| figure.main),
            against(|figure| figure.cpu)
        );
    }
    Ok(())
}
