//! The task definition that a run is about: read from the user's file, and with a plan applied to
//! that file's own text, so that what is proven is what is written.

use std::path::Path;

use anyhow::{Context, Result};
use tojimari_model::declared::TaskDefinition;
use tojimari_model::read::ecs_json;
use tojimari_plan::Plan;
use tojimari_plan::patch::ecs::{self, Located, Spelling};
use tojimari_text::edit::json::Editor;
use tojimari_text::edit::{Document, Step};
use tojimari_text::{Problem, Sources, json};

use crate::exit::BadInput;
use crate::files;

/// A task definition and the text it was read from.
pub struct DeclaredTask {
    /// The file as the user named it.
    pub name: String,
    pub text: String,
    /// The way from the root of the document to the task definition.
    pub path: Vec<Step>,
    pub task: TaskDefinition,
}

/// Reads the one task definition of a file. Everything in it that cannot be read is said.
pub fn read(path: &Path) -> Result<DeclaredTask> {
    let name = path.display().to_string();
    let text = files::read(path)?;
    let sources = Sources::new();
    let file = sources.add(&name, text.clone());
    let (tree, problems) = json::parse(file, &text);
    let said = |problems: &[Problem]| -> anyhow::Error {
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| {
                let place = sources.place(problem.span);
                format!("{}:{}:{}: {}", place.file, place.line, place.column, problem.message)
            })
            .collect();
        BadInput(lines.join("\n")).into()
    };
    if !problems.is_empty() {
        return Err(said(&problems));
    }
    let mut found = tree.as_ref().map(ecs_json::task_definitions).unwrap_or_default();
    let one = match found.len() {
        0 => return Err(BadInput(format!("{name}:1:1: no task definition: containerDefinitions is missing")).into()),
        1 => found.remove(0),
        many => return Err(BadInput(format!("{name}: {many} task definitions, one is needed")).into()),
    };
    if !one.problems.is_empty() {
        return Err(said(&one.problems));
    }
    Ok(DeclaredTask { name, text, task: one.task, path: one.path })
}

/// The file's text with the plan in it.
pub fn patched(declared: &DeclaredTask, plan: &Plan) -> Result<String> {
    let failed = || format!("failed to write the plan into {}", declared.name);
    let mut editor = Editor::new(declared.text.as_str()).with_context(failed)?;
    let containers = declared.task.containers.iter();
    let located = Located {
        task: declared.task.span,
        containers: containers.filter_map(|c| Some((c.name.as_str()?.to_owned(), c.span))).collect(),
    };
    ecs::patch(&mut editor, &located, Spelling::Camel, plan).with_context(failed)?;
    Ok(editor.text().to_owned())
}

/// The task definition that the patched text declares.
pub fn apply(declared: &DeclaredTask, plan: &Plan) -> Result<TaskDefinition> {
    let text = patched(declared, plan)?;
    let sources = Sources::new();
    let (tree, _) = json::parse(sources.add(&declared.name, text.clone()), &text);
    let found = tree.as_ref().map(ecs_json::task_definitions).unwrap_or_default();
    found
        .into_iter()
        .find(|found| found.path == declared.path)
        .map(|found| found.task)
        .with_context(|| format!("failed to read {} again after the edit", declared.name))
}
