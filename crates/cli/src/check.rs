//! `tojimari check`: reads files and says for each control and each resource whether it passes.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Result;
use rayon::prelude::*;
use tojimari_controls::{Control, Settings};
use tojimari_model::finding::{Evaluation, Severity, Status};
use tojimari_model::read;
use tojimari_render::{Report, json, terminal};
use tojimari_text::{FileId, Problem, Sources};

use crate::exit::{BadInput, Exit};
use crate::input::{self, Input, Loader};
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
    let controls = named(&arguments.controls)?;
    let paths = if arguments.paths.is_empty() { vec![PathBuf::from(".")] } else { arguments.paths };
    let Input { sources, files, mut problems, notes, loader } = input::gather(&paths);
    let evaluations = {
        let loader = Loader::new(&sources, loader);
        let units = read::units(&sources, &files);
        let judged: Vec<(Vec<Evaluation>, Vec<Problem>, Vec<FileId>)> = units
            .par_iter()
            .map(|unit| {
                let read = read::read(unit, &sources, &loader);
                let settings = Settings::default();
                let evaluations =
                    read.stacks.iter().flat_map(|stack| tojimari_controls::evaluate(stack, &controls, &settings));
                (evaluations.collect(), read.problems, read.claimed)
            })
            .collect();
        let mut claimed = Vec::new();
        let judged: Vec<_> = judged
            .into_iter()
            .map(|(some, met, own)| {
                claimed.push(own);
                (some, met)
            })
            .collect();
        let mut evaluations = Vec::new();
        for (is_part, (some, met)) in read::are_parts(&units, &claimed).into_iter().zip(judged) {
            // What is a part of something else was read there.
            if is_part {
                continue;
            }
            evaluations.extend(some);
            problems.extend(met);
        }
        evaluations
    };
    let (evaluations, problems) = in_order(&sources, evaluations, problems);
    let report = Report { sources: &sources, evaluations: &evaluations, problems: &problems };
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

/// The controls of those names; without names all that are in use.
fn named(names: &[String]) -> Result<Vec<&'static Control>> {
    if names.is_empty() {
        return Ok(tojimari_controls::all().filter(|control| control.retired.is_none()).collect());
    }
    let find = |name: &String| {
        tojimari_controls::find(name).ok_or_else(|| BadInput(format!("--control {name}: there is no such control")))
    };
    let mut controls = names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    controls.dedup_by_key(|control| control.id);
    Ok(controls)
}

/// By file and place. Files that were loaded on the way have no order of their own.
fn in_order(
    sources: &Sources,
    evaluations: Vec<Evaluation>,
    problems: Vec<Problem>,
) -> (Vec<Evaluation>, Vec<Problem>) {
    let mut evaluations: Vec<_> = evaluations.into_iter().map(|e| (sources.get(e.span.file), e)).collect();
    evaluations.sort_by(|(a_source, a), (b_source, b)| {
        (&a_source.name, a.span.start, &a.resource.address).cmp(&(&b_source.name, b.span.start, &b.resource.address))
    });
    let mut problems: Vec<_> = problems.into_iter().map(|p| (sources.get(p.span.file), p)).collect();
    problems.sort_by(|(a_source, a), (b_source, b)| {
        (&a_source.name, a.span.start, &a.message).cmp(&(&b_source.name, b.span.start, &b.message))
    });
    problems.dedup_by(|(_, a), (_, b)| a == b);
    (
        evaluations.into_iter().map(|(_, evaluation)| evaluation).collect(),
        problems.into_iter().map(|(_, problem)| problem).collect(),
    )
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
