//! `tojimari check`: reads files and says for each control and each resource whether it passes.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Result;
use tojimari_model::finding::{Severity, Status};
use tojimari_render::{Report, json, terminal};

use crate::exit::Exit;
use crate::input::{self, Input, Loader};
use crate::judge::{Rules, judge};
use crate::tell;

/// Say for every control and every ECS and ECR resource in files whether it passes.
#[derive(clap::Args)]
pub struct Arguments {
    /// Files and folders; `-` is standard input. The working folder if none is given.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Only this control, by its id or name; may be given several times.
    #[arg(long = "control", value_name = "ID")]
    controls: Vec<String>,
    /// The least severity of a failure that makes the exit status 1.
    #[arg(long, value_enum, default_value = "low", value_name = "SEVERITY")]
    fail_on: SeverityName,
    /// Show also what passed, does not apply or is waived.
    #[arg(long)]
    all: bool,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum Format {
    Text,
    Json,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum SeverityName {
    Low,
    Medium,
    High,
    Critical,
}

impl From<SeverityName> for Severity {
    fn from(name: SeverityName) -> Self {
        match name {
            SeverityName::Low => Severity::Low,
            SeverityName::Medium => Severity::Medium,
            SeverityName::High => Severity::High,
            SeverityName::Critical => Severity::Critical,
        }
    }
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    let rules = Rules::named(&arguments.controls)?;
    let paths = if arguments.paths.is_empty() { vec![PathBuf::from(".")] } else { arguments.paths };
    let Input { sources, files, problems, notes, loader } = input::gather(&paths);
    let mut judged = judge(&sources, &files, &Loader::new(&sources, loader), &rules);
    judged.problems.extend(problems);
    judged.sort(&sources);
    let report = Report { sources: &sources, evaluations: &judged.evaluations, problems: &judged.problems };
    match arguments.format {
        Format::Json => tell::print(&json::evaluations(&report)),
        Format::Text => {
            tell::problems(&report);
            tell::print(&terminal::evaluations(&report, look(arguments.all)));
        }
    }
    tell::notes(&notes);
    Ok(exit(&report, arguments.fail_on.into()))
}

fn look(all: bool) -> terminal::Look {
    let terminal = std::io::stdout().is_terminal();
    let colours = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let width = if terminal { console_width() } else { 120 };
    terminal::Look { colours, width, all }
}

fn console_width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(120)
}

fn exit(report: &Report<'_>, fail_on: Severity) -> Exit {
    let failing = report.evaluations.iter().any(|e| e.status == Status::Fail && e.severity >= fail_on);
    match (report.problems.is_empty(), failing) {
        (false, _) => Exit::Input,
        (true, true) => Exit::Failing,
        (true, false) => Exit::Done,
    }
}
