//! `tojimari check`: reads files and says for each control and each resource whether it passes.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Result;
use clap::ValueEnum;
use tojimari_engine::accept::accept;
use tojimari_engine::input::{self, Loader, normal};
use tojimari_engine::judge::{Rules, judge};
use tojimari_engine::nothing::nothing;
use tojimari_engine::{Error, document, files, report};
use tojimari_model::finding::{Severity, Status};
use tojimari_render::{Report, github, json, junit, markdown, sarif, terminal};

use crate::choice::choice;
use crate::exit::Exit;
use crate::tell;
use crate::values::ValueArguments;

/// Say for every control and every ECS and ECR resource in files whether it passes.
#[derive(clap::Args)]
pub struct Arguments {
    /// Files and folders; `-` is standard input. The working folder if none is given.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// What standard output gets.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write the report also into a file, in a format of its own; may be given several times.
    #[arg(short, long = "output", value_name = "FORMAT=FILE")]
    outputs: Vec<Output>,
    /// Only this control, by its id or name; may be given several times.
    #[arg(long = "control", value_name = "ID")]
    controls: Vec<String>,
    /// The least severity of a failure that makes the exit status 1.
    #[arg(long, value_parser = choice::<Severity>(), default_value = "low", value_name = "SEVERITY")]
    fail_on: Severity,
    /// Failures that are known: only others fail.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    #[command(flatten)]
    values: ValueArguments,
    /// Show also what passed, does not apply or is waived.
    #[arg(long)]
    all: bool,
    /// Take it that nothing of ECS or ECR is found.
    #[arg(long)]
    allow_empty: bool,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Text,
    Json,
    Sarif,
    Junit,
    Github,
    Markdown,
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    refuse_same_file(&arguments.outputs)?;
    let baseline = arguments.baseline.as_deref().map(document::read).transpose()?;
    let paths = if arguments.paths.is_empty() { vec![PathBuf::from(".")] } else { arguments.paths };
    let input = input::gather_given(&paths, &arguments.values.into());
    let rules = Rules::named(&arguments.controls, &input.config)?;
    let loader = Loader::new(&input.sources, &input.known);
    let mut judged = judge(&input.sources, &input.files, &loader, &rules, input.problems.clone());
    if !arguments.allow_empty {
        judged.problems.extend(tell::nothing(nothing(&input, &judged)));
    }
    let complete = input.is_complete();
    let warnings = accept(&mut judged, &input.sources, &input.config, &rules, complete, baseline.as_ref());
    let sources = &input.sources;
    let rules = report::described(&rules);
    let mut formats = arguments.outputs.iter().map(|output| output.format).chain([arguments.format]);
    let fixes = match formats.any(|format| format == Format::Sarif) {
        true => report::fixes(sources, &judged),
        false => Vec::new(),
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
    // First the files: whoever reads standard output may go away before its end.
    for Output { format, path } in &arguments.outputs {
        let look = terminal::Look { colours: false, width: WIDTH, all: arguments.all };
        files::write_with(path, |out| {
            // On a terminal these stand apart, on standard error.
            if *format == Format::Text {
                let problems = tell::placed_lines("error", sources, &judged.problems);
                for line in problems.chain(tell::placed_lines("warning", sources, &warnings)) {
                    writeln!(out, "{line}")?;
                }
            }
            format.write(&report, look, out)
        })?;
    }
    if arguments.format == Format::Text {
        tell::problems(sources, &judged.problems);
        tell::warnings(sources, &warnings);
    }
    tell::write(|out| arguments.format.write(&report, look(arguments.all), out))?;
    tell::notes(&input.notes);
    tell::idle(sources, &judged.idle);
    Ok(exit(&report, arguments.fail_on))
}

impl Format {
    fn write(self, report: &Report<'_>, look: terminal::Look, out: &mut dyn Write) -> io::Result<()> {
        let text = match self {
            Format::Json => return json::write(report, out),
            Format::Sarif => sarif::evaluations(report, env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_REPOSITORY")),
            Format::Junit => junit::evaluations(report),
            Format::Github => github::evaluations(report),
            Format::Markdown => markdown::evaluations(report),
            Format::Text => terminal::evaluations(report, look),
        };
        out.write_all(text.as_bytes())
    }
}

/// A report that goes into a file.
#[derive(Clone, Debug)]
struct Output {
    format: Format,
    path: PathBuf,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').unwrap_or_default();
        let names = || Format::value_variants().iter().filter_map(Format::to_possible_value);
        let format = Format::from_str(format, false).map_err(|_| {
            let names = names().map(|name| name.get_name().to_owned()).collect::<Vec<_>>().join(", ");
            format!("expected FORMAT=FILE, such as sarif=report.sarif; the formats are {names}")
        })?;
        match path {
            "" => Err("the file is missing".to_owned()),
            "-" => Err("standard output is for --format".to_owned()),
            path => Ok(Output { format, path: PathBuf::from(path) }),
        }
    }
}

/// Each output has a file of its own.
fn refuse_same_file(outputs: &[Output]) -> Result<(), Error> {
    let mut seen = HashSet::new();
    match outputs.iter().find(|output| !seen.insert(normal(&output.path))) {
        Some(output) => Err(Error::Input(format!("--output {}: given twice", output.path.display()))),
        None => Ok(()),
    }
}

/// Columns where nobody says how many there are.
const WIDTH: usize = 120;

fn look(all: bool) -> terminal::Look {
    let columns = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let width = if tell::is_terminal() { columns().unwrap_or(WIDTH) } else { WIDTH };
    terminal::Look { colours: tell::in_colours(), width, all }
}

fn exit(report: &Report<'_>, fail_on: Severity) -> Exit {
    let failing = report.evaluations.iter().any(|e| e.status == Status::Fail && e.severity >= fail_on);
    match (report.problems.is_empty(), failing) {
        (false, _) => Exit::Input,
        (true, true) => Exit::Failing,
        (true, false) => Exit::Done,
    }
}
