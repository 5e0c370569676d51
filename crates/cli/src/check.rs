//! `tojimari check`: reads files and says for each control and each resource whether it passes.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Result;
use tojimari_engine::accept::accept;
use tojimari_engine::input::{self, Loader};
use tojimari_engine::judge::{Rules, judge};
use tojimari_engine::{document, report};
use tojimari_model::finding::{Severity, Status};
use tojimari_render::{Report, github, json, junit, markdown, sarif, terminal};

use crate::choice::choice;
use crate::exit::Exit;
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
    #[arg(long, value_parser = choice::<Severity>(), default_value = "low", value_name = "SEVERITY")]
    fail_on: Severity,
    /// Failures that are known: only others fail.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Show also what passed, does not apply or is waived.
    #[arg(long)]
    all: bool,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum Format {
    Text,
    Json,
    Sarif,
    Junit,
    Github,
    Markdown,
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    let baseline = arguments.baseline.as_deref().map(document::read).transpose()?;
    let paths = if arguments.paths.is_empty() { vec![PathBuf::from(".")] } else { arguments.paths };
    let input = input::gather(&paths);
    let rules = Rules::named(&arguments.controls, &input.config)?;
    let loader = Loader::new(&input.sources, &input.known);
    let mut judged = judge(&input.sources, &input.files, &loader, &rules, input.problems.clone());
    let complete = input.is_complete();
    let warnings = accept(&mut judged, &input.sources, &input.config, &rules, complete, baseline.as_ref());
    let sources = &input.sources;
    let rules = report::described(&rules);
    let fixes = match arguments.format {
        Format::Sarif => report::fixes(sources, &judged),
        _ => Vec::new(),
    };
    let report = Report {
        sources,
        evaluations: &judged.evaluations,
        problems: &judged.problems,
        warnings: &warnings,
        secrets: &judged.secrets,
        rules: &rules,
        fixes: &fixes,
    };
    match arguments.format {
        Format::Json => tell::write(|out| json::write(&report, out)),
        Format::Sarif => {
            let home = env!("CARGO_PKG_REPOSITORY");
            tell::print(&sarif::evaluations(&report, env!("CARGO_PKG_VERSION"), home));
        }
        Format::Junit => tell::print(&junit::evaluations(&report)),
        Format::Github => tell::print(&github::evaluations(&report)),
        Format::Markdown => tell::print(&markdown::evaluations(&report)),
        Format::Text => {
            tell::problems(sources, &judged.problems);
            tell::warnings(sources, &warnings);
            tell::print(&terminal::evaluations(&report, look(arguments.all)));
        }
    }
    tell::notes(&input.notes);
    tell::idle(sources, &judged.idle);
    Ok(exit(&report, arguments.fail_on))
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
