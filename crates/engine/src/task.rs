//! The task definition that a run is about: read from the user's file in whatever format, and with
//! a plan applied to that file's own text, so that what is proven is what is written.

use std::ops::Range;
use std::path::PathBuf;

use tojimari_model::declared::{Declared, Resource, TaskDefinition};
use tojimari_plan::Plan;
use tojimari_plan::patch::{self, Change, Located, Patched};
use tojimari_text::{FileId, Problem, Sources};

use crate::input::{self, Chosen, Input, Known, Loader};
use crate::nothing::broken_json;
use crate::{Error, Result, files, judge};

/// Which task definition of which file.
#[derive(Clone, Debug)]
pub struct Named {
    pub path: PathBuf,
    /// The address or name of the task definition, where the file has several.
    pub resource: Option<String>,
    /// Values that it is read with.
    pub chosen: Chosen,
}

/// A task definition and the files it was read from.
pub struct DeclaredTask {
    /// The file as the user named it.
    pub name: String,
    sources: Sources,
    files: Vec<FileId>,
    known: Known,
    /// Its place among the task definitions that the files declare.
    index: usize,
    pub task: TaskDefinition,
}

/// Reads one task definition. Everything in its file that cannot be read is said.
pub fn read(named: &Named) -> Result<DeclaredTask> {
    let name = input::shown(&named.path);
    // Said as for any other file that is read.
    files::readable(&named.path)?;
    let Input { sources, files, mut problems, known, .. } =
        input::gather_given(std::slice::from_ref(&named.path), &named.chosen);
    let (mut tasks, found) = declared(&sources, &files, &known);
    problems.extend(found);
    if tasks.is_empty() && problems.is_empty() {
        problems = files.first().map(|file| broken_json(&sources, *file)).unwrap_or_default();
    }
    if !problems.is_empty() {
        return Err(said(&sources, &problems));
    }
    let index = choose(&tasks, named, &name)?;
    let (_, task) = tasks.swap_remove(index);
    let name = sources.get(task.span.file).name.clone();
    Ok(DeclaredTask { name, sources, files, known, index, task })
}

/// Every task definition with its address. One that depends on conditions is taken once, under the
/// first assumption.
fn declared(sources: &Sources, files: &[FileId], known: &Known) -> (Vec<(String, TaskDefinition)>, Vec<Problem>) {
    let loader = Loader::new(sources, known);
    let (stacks, problems) = judge::stacks(sources, files, &loader);
    let mut tasks: Vec<(String, TaskDefinition)> = Vec::new();
    for resource in stacks.into_iter().flat_map(|stack| stack.resources) {
        let Declared::TaskDefinition(task) = resource.declared else { continue };
        let variant = !resource.assumed.is_empty() && tasks.iter().any(|(_, other)| other.span == task.span);
        if !variant {
            tasks.push((resource.address.to_string(), *task));
        }
    }
    (tasks, problems)
}

fn choose(tasks: &[(String, TaskDefinition)], named: &Named, name: &str) -> Result<usize> {
    let all = || tasks.iter().map(|(address, _)| address.as_str()).collect::<Vec<_>>().join(", ");
    if let Some(wanted) = &named.resource {
        let is = |(address, task): &(String, TaskDefinition)| {
            address == wanted || task.family.as_str() == Some(wanted.as_str())
        };
        return tasks.iter().position(is).ok_or_else(|| {
            Error::Input(format!("--resource {wanted}: {name} has no such task definition, it has {}", all()))
        });
    }
    match tasks.len() {
        0 => Err(Error::Input(format!("{name}:1:1: no task definition: nothing in it declares containers"))),
        1 => Ok(0),
        many => Err(Error::Input(format!("{name}: {many} task definitions, --resource names the one: {}", all()))),
    }
}

fn said(sources: &Sources, problems: &[Problem]) -> Error {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| {
            let place = sources.place(problem.span);
            format!("{}:{}:{}: {}", place.file, place.line, place.column, problem.message)
        })
        .collect();
    Error::Input(lines.join("\n"))
}

impl DeclaredTask {
    /// The files' texts with the plan in them.
    pub fn patched(&self, plan: &Plan) -> Result<Patched, patch::Error> {
        let change = Change::Plan { located: Located::of(&self.task), plan };
        patch::patched(&self.sources, self.task.span.file, &[change])
    }

    /// The name and the text of a file as it was read.
    pub fn original(&self, file: FileId) -> (String, String) {
        let source = self.sources.get(file);
        (source.name.clone(), source.text.clone())
    }

    /// Bytes of a file that no output may show.
    pub fn secrets_in(&self, file: FileId) -> Vec<Range<usize>> {
        let loader = Loader::new(&self.sources, &self.known);
        let (stacks, _) = judge::stacks(&self.sources, &self.files, &loader);
        let secrets = stacks.iter().flat_map(tojimari_controls::secret_spans);
        secrets.filter(|span| span.file == file).map(|span| span.range()).collect()
    }

    /// Whether any container in the files has environment variables or secrets in plain text.
    pub fn holds_values(&self) -> bool {
        let loader = Loader::new(&self.sources, &self.known);
        let (stacks, _) = judge::stacks(&self.sources, &self.files, &loader);
        let has_values = |resource: &Resource| match &resource.declared {
            Declared::TaskDefinition(task) => task.containers.iter().any(|one| !one.environment.is_absent()),
            _ => false,
        };
        stacks
            .iter()
            .any(|stack| stack.resources.iter().any(has_values) || !tojimari_controls::secret_spans(stack).is_empty())
    }

    /// The task definition that the patched files declare.
    pub fn apply(&self, plan: &Plan) -> Result<TaskDefinition> {
        let change = Change::Plan { located: Located::of(&self.task), plan };
        let patched = patch::meant(&self.sources, self.task.span.file, &[change])
            .map_err(|error| Error::Input(format!("failed to write the plan into {}: {error}", self.name)))?;
        let texts = patched.texts.into_iter().collect();
        let sources = self.sources.with(&texts);
        let (tasks, _) = declared(&sources, &self.files, &self.known);
        let found = tasks.into_iter().nth(self.index).map(|(_, task)| task);
        found.ok_or_else(|| {
            Error::fault(format!("failed to read {} again after the edit", self.name))("the task definition is gone")
        })
    }
}
