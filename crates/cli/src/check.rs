//! `tojimari check`: reads files and says for each control and each resource whether it passes.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Result;
use tojimari_model::finding::{Evaluation, Severity, Status};
use tojimari_plan::patch::{self, Change};
use tojimari_render::{Fix, Report, Rule, github, json, junit, markdown, sarif, terminal};
use tojimari_text::{Sources, Span};

use crate::accept::{accept, read_baseline};
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
    let baseline = arguments.baseline.as_deref().map(read_baseline).transpose()?;
    let paths = if arguments.paths.is_empty() { vec![PathBuf::from(".")] } else { arguments.paths };
    let mut input = input::gather(&paths);
    let rules = Rules::named(&arguments.controls, &input.config)?;
    let loader = Loader::new(&input.sources, std::mem::take(&mut input.loader));
    let mut judged = judge(&input.sources, &input.files, &loader, &rules, std::mem::take(&mut input.problems));
    let complete = input.is_complete();
    let warnings = accept(&mut judged, &input.sources, &input.config, &rules, complete, baseline.as_ref());
    let Input { sources, notes, .. } = input;
    let rules = described(&rules);
    let fixes = match arguments.format {
        Format::Sarif => judged.evaluations.iter().map(|one| fix(&sources, &judged.secrets, one)).collect(),
        _ => Vec::new(),
    };
    let report = Report {
        sources: &sources,
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
            tell::problems(&sources, &judged.problems);
            tell::warnings(&sources, &warnings);
            tell::print(&terminal::evaluations(&report, look(arguments.all)));
        }
    }
    tell::notes(&notes);
    tell::idle(&sources, &judged.idle);
    Ok(exit(&report, arguments.fail_on.into()))
}

/// What outputs say of controls and rules.
fn described(rules: &Rules) -> Vec<Rule> {
    let controls = rules.controls.iter().map(|control| {
        let page = tojimari_controls::page(control);
        let section = |name: &str| page.as_ref().and_then(|page| page.section(name)).unwrap_or_default().to_owned();
        let sections = page.iter().flat_map(|page| &page.sections);
        Rule {
            id: control.id.to_owned(),
            slug: control.slug.to_owned(),
            title: control.title.to_owned(),
            severity: rules.severity(control.id).unwrap_or(control.severity),
            description: section("What"),
            help: sections.map(|(heading, text)| format!("## {heading}\n\n{text}\n")).collect::<Vec<_>>().join("\n"),
            standards: control.standards.iter().map(ToString::to_string).collect(),
        }
    });
    let custom = rules.custom.iter().map(|rule| Rule {
        id: rule.id.to_string(),
        slug: rule.id.to_lowercase(),
        title: rule.message.clone(),
        severity: rules.severity(&rule.id).unwrap_or(rule.severity),
        description: rule.message.clone(),
        help: rule.remedy.clone().unwrap_or_else(|| rule.message.clone()),
        standards: Vec::new(),
    });
    controls.chain(custom).collect()
}

/// What `fix --unproven` would write for one failure.
fn fix(sources: &Sources, secrets: &[Span], evaluation: &Evaluation) -> Option<Fix> {
    let remedy = evaluation.remedy.as_ref().filter(|_| evaluation.status == Status::Fail)?;
    let change = Change::Remedy { subject: evaluation.subject, at: evaluation.span, remedy };
    let patched = patch::patched(sources, evaluation.subject.file, &[change]).ok()?;
    // One replacement of one file is shown; what changes more is for `fix`.
    let (file, after) = patched.texts.into_iter().next().filter(|_| patched.notes.is_empty())?;
    let (deleted, inserted) = sarif::replacement(file, &sources.get(file).text, &after);
    // What stands between two changes is put back, and so shown.
    let shows = |secret: &Span| secret.file == file && secret.start < deleted.end && deleted.start < secret.end;
    if secrets.iter().any(shows) {
        return None;
    }
    let description = match remedy.is_safe() {
        true => remedy.sentence(),
        false => format!("{} (needs proof: see tojimari harden)", remedy.sentence()),
    };
    Some(Fix { description, deleted, inserted })
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
