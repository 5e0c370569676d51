//! `tojimari explain`: the page of a control, or its runbook for the task definitions of a file.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::Result;
use tojimari_controls::{Control, find, markdown, page};
use tojimari_engine::Error;
use tojimari_engine::input::{self, Input, Loader};
use tojimari_engine::judge::{self, Rules};
use tojimari_model::declared::{TaskDefinition, TaskKind};
use tojimari_model::finding::Evaluation;
use tojimari_model::{Declared, Resource, Stack};
use tojimari_read::{self as read, Format as Written};
use tojimari_render::explain::{Origin, Runbook, runbook, text};
use tojimari_text::{Source, Sources, placeholder};

use crate::exit::Exit;
use crate::tell;

/// Say what a control is, why, how to fix it and how to back out.
#[derive(clap::Args)]
pub struct Arguments {
    /// The id or name of a control: ECS.5, writable-root-file-system.
    #[arg(value_name = "ID")]
    id: String,
    /// A runbook for the task definitions in this file instead of the page.
    #[arg(long, value_name = "FILE")]
    task: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum Format {
    Text,
    Markdown,
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    let control =
        find(&arguments.id).ok_or_else(|| Error::Input(format!("{}: there is no such control", arguments.id)))?;
    let (document, exit) = match &arguments.task {
        None => (markdown(control), Exit::Done),
        Some(file) => runbooks(control, file)?,
    };
    match arguments.format {
        Format::Text => tell::print(&text(&document))?,
        Format::Markdown => tell::print(&document)?,
    }
    Ok(exit)
}

/// A runbook for each task definition of the file. What cannot be read is told, and the rest is
/// written all the same.
fn runbooks(control: &Control, file: &Path) -> Result<(String, Exit)> {
    let input = input::gather(std::slice::from_ref(&file.to_owned()));
    let rules = Rules::named(&[control.id.to_owned()], &input.config)?;
    let Input { sources, files, problems, known, notes, .. } = input;
    let loader = Loader::new(&sources, &known);
    let judged = judge::judge(&sources, &files, &loader, &rules, problems);
    tell::problems(&sources, &judged.problems);
    tell::notes(&notes);
    let mut seen = HashSet::new();
    let mut books = Vec::new();
    for stack in &judge::stacks(&sources, &files, &loader).0 {
        for (resource, task) in tasks(stack) {
            let of = |one: &&Evaluation| one.whole == resource.span && one.resource.address == resource.address;
            let evaluations: Vec<Evaluation> = judged.evaluations.iter().filter(of).cloned().collect();
            // One for all variants of a resource.
            if !evaluations.is_empty() && seen.insert((resource.span, resource.address.clone())) {
                books.push(book(control, &sources, resource, task, &evaluations));
            }
        }
    }
    if books.is_empty() && judged.problems.is_empty() {
        let words = format!("{}: no task definition that {} looks at", file.display(), control.id);
        return Err(Error::Input(words).into());
    }
    let exit = if judged.problems.is_empty() { Exit::Done } else { Exit::Input };
    Ok((books.join("\n---\n\n"), exit))
}

fn tasks(stack: &Stack) -> impl Iterator<Item = (&Resource, &TaskDefinition)> {
    stack.resources.iter().filter_map(|resource| match &resource.declared {
        Declared::TaskDefinition(task) => Some((resource, &**task)),
        _ => None,
    })
}

fn book(
    control: &Control,
    sources: &Sources,
    resource: &Resource,
    task: &TaskDefinition,
    evaluations: &[Evaluation],
) -> String {
    let page = page(control).unwrap_or_default();
    let source = sources.get(resource.span.file);
    runbook(&Runbook {
        id: control.id,
        title: control.title,
        level: control.level,
        section: &|heading| page.section(heading).unwrap_or_default().to_owned(),
        standards: &control.standards.iter().map(ToString::to_string).collect::<Vec<_>>(),
        security_hubs: control.is_security_hubs(),
        task,
        address: &resource.address,
        file: &source.name,
        origin: origin(task.kind, &source, sources, resource),
        evaluations,
        sources,
    })
}

fn origin(kind: TaskKind, source: &Source, sources: &Sources, resource: &Resource) -> Origin {
    let text = &source.text;
    let written = read::units(sources, &[resource.span.file]).first().map(|unit| unit.format);
    let is_json = written == Some(Written::Json);
    match written {
        _ if kind == TaskKind::ComposeService => Origin::Compose,
        Some(Written::Terraform) => Origin::Terraform,
        Some(Written::Copilot) => Origin::Copilot,
        Some(Written::Ecspresso) => Origin::Ecspresso,
        _ if is_json && text.contains("\"planned_values\"") => Origin::TerraformPlan,
        _ if text.contains("AWS::Serverless") => Origin::Sam,
        _ if source.name.ends_with(".template.json") || text.contains("aws:cdk:path") => Origin::Cdk,
        _ if text.contains("AWS::") => Origin::CloudFormation,
        _ if is_json && placeholder::may_have(text) => Origin::Ecspresso,
        _ if kind == TaskKind::DaemonTaskDefinition => Origin::Daemon,
        _ => Origin::Api,
    }
}
