//! Runs a command under the tracer and prints what it writes: `cargo run -p tojimari-tracer
//! --example trace -- [--quiet] [--always] CMD [ARG…]`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tojimari_tracer::{Command, Config, Outcomes, Record, spawn};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).peekable();
    let quiet = arguments.next_if(|argument| argument == "--quiet").is_some();
    let mut config = Config::default();
    if arguments.next_if(|argument| argument == "--always").is_some() {
        config.outcomes = Outcomes::Always;
    }
    let Some(name) = arguments.next() else {
        eprintln!("usage: trace [--quiet] [--always] CMD [ARG…]");
        return ExitCode::from(2);
    };
    let program = find(Path::new(&name));
    let mut command = Command::new(program).arguments(arguments);
    command.arguments[0] = name;
    let (session, records) = match spawn(command, config) {
        Ok(started) => started,
        Err(error) => {
            eprintln!("failed to {error}");
            return ExitCode::from(3);
        }
    };
    for record in records {
        match record {
            _ if quiet => {}
            Record::Began { pid, .. } => eprintln!("began {pid}"),
            Record::Ended { pid, exit, .. } => eprintln!("ended {pid} {exit:?}"),
            Record::Ran(ran) => eprintln!("ran {} {:?}", ran.chain.join(" > "), ran.exit),
            Record::Event(event) => eprintln!(
                "{:9.6} {} {} {} {} ({:?}{}, on {}) {:?}{} by {}",
                event.at.as_secs_f64(),
                event.pid,
                if event.would_break { "!" } else { " " },
                event.operation,
                event.path.escape_ascii(),
                event.kind,
                if event.existed { "" } else { ", new" },
                event.mount.point.escape_ascii(),
                event.outcome,
                if event.refused_if_read_only && !event.would_break { " (refused if read-only)" } else { "" },
                event.program,
            ),
        }
    }
    match session.wait() {
        Ok(report) => {
            eprintln!("{report:#?}");
            ExitCode::from(report.exit.code() as u8)
        }
        Err(error) => {
            eprintln!("failed to {error}");
            ExitCode::from(3)
        }
    }
}

fn find(name: &Path) -> PathBuf {
    if name.components().count() > 1 {
        return name.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()).unwrap_or(name.into())
}
