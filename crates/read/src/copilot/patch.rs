//! What Copilot lets people change in the template that it makes: `taskdef_overrides` in the
//! manifest, and the patches in `overrides/cfn.patches.yml` beside it.

use tojimari_text::yaml::{self, Dialect};
use tojimari_text::{Node, Problem, Sources, Span};

use crate::cloudformation::{self, names::api_name};
use crate::{Files, beside};
use tojimari_model::value::{Kind, Member, Reason, Value};

pub(super) struct Patches {
    task: Vec<Patch>,
    service: Vec<Patch>,
    /// Changes by code, which is not run.
    by_code: Option<Reason>,
    pub(super) problems: Vec<Problem>,
}

struct Patch {
    operation: Operation,
    path: Vec<Step>,
    value: Value,
    span: Span,
    /// Members on the way are made where they are missing.
    makes_way: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Replace,
    Remove,
}

#[derive(Clone, PartialEq, Eq)]
enum Step {
    Name(Box<str>),
    Index(usize),
    Append,
}

impl Patches {
    pub(super) fn read(manifest_name: &str, manifest: &Node, sources: &Sources, files: &dyn Files) -> Patches {
        let mut patches = Patches { task: Vec::new(), service: Vec::new(), by_code: None, problems: Vec::new() };
        for rule in manifest.get("taskdef_overrides").map(Node::items).unwrap_or_default() {
            patches.rule(rule);
        }
        let folder = beside(manifest_name, "overrides");
        let names = files.list(&folder);
        if names.iter().any(|name| name == "cdk.json") {
            patches.by_code = Some("may be changed by the code in overrides".into());
        }
        if let Ok(file) = files.load(&format!("{folder}/cfn.patches.yml")) {
            let read = yaml::read(file, &sources.get(file).text, Dialect::Yaml11);
            patches.problems.extend(read.problems);
            for patch in read.documents.iter().flat_map(Node::items) {
                patches.json_patch(patch);
            }
        }
        patches
    }

    /// `{path: A.B[0].C, value: …}`, from the properties of the task definition on.
    fn rule(&mut self, rule: &Node) {
        let (Some(path), Some(value)) = (rule.get("path"), rule.get("value")) else { return };
        let Some(text) = path.as_str() else { return };
        let mut steps = Vec::new();
        for piece in text.split('.') {
            let mut brackets = piece.split('[');
            steps.push(Step::Name(api_name(brackets.next().unwrap_or_default())));
            for bracket in brackets {
                match bracket.strip_suffix(']') {
                    Some("-") => steps.push(Step::Append),
                    Some(index) if index.parse::<usize>().is_ok() => {
                        steps.push(Step::Index(index.parse().unwrap_or_default()));
                    }
                    _ => {
                        let message = format!("`{text}` is no path into a task definition");
                        return self.problems.push(Problem { span: path.span, message });
                    }
                }
            }
        }
        let value = cloudformation::fragment(value);
        self.task.push(Patch { operation: Operation::Add, path: steps, value, span: path.span, makes_way: true });
    }

    /// `{op: add, path: /Resources/TaskDefinition/Properties/…, value: …}`.
    fn json_patch(&mut self, patch: &Node) {
        let text = |name: &str| patch.get(name).and_then(Node::as_str);
        let (Some(operation), Some(path)) = (text("op"), text("path")) else { return };
        let operation = match operation {
            "add" => Operation::Add,
            "replace" => Operation::Replace,
            "remove" => Operation::Remove,
            _ => return,
        };
        let mut pieces = path.split('/').skip(1).map(|piece| piece.replace("~1", "/").replace("~0", "~"));
        if pieces.next().as_deref() != Some("Resources") {
            return;
        }
        let target = match pieces.next().as_deref() {
            Some("TaskDefinition") => &mut self.task,
            Some("Service") => &mut self.service,
            _ => return,
        };
        if pieces.next().as_deref() != Some("Properties") {
            return;
        }
        let steps = pieces
            .map(|piece| match piece.parse::<usize>() {
                Ok(index) => Step::Index(index),
                Err(_) if piece == "-" => Step::Append,
                Err(_) => Step::Name(api_name(&piece)),
            })
            .collect();
        let span = patch.get("path").map_or(patch.span, |path| path.span);
        let value = patch.get("value").map_or_else(|| Value::new(span, Kind::Null), cloudformation::fragment);
        target.push(Patch { operation, path: steps, value, span, makes_way: false });
    }

    pub(super) fn apply_to_task(&self, task: &mut Value, problems: &mut Vec<Problem>) {
        self.apply(&self.task, task, problems);
        if let (Some(reason), Kind::Map(members, _)) = (&self.by_code, &mut task.kind) {
            for member in members.iter_mut().filter(|member| &*member.name == "containerDefinitions") {
                if let Kind::List(containers, _) = &mut member.value.kind {
                    containers.iter_mut().for_each(|container| open(container, reason));
                }
            }
        }
    }

    pub(super) fn apply_to_service(&self, service: &mut Value, problems: &mut Vec<Problem>) {
        self.apply(&self.service, service, problems);
    }

    fn apply(&self, patches: &[Patch], value: &mut Value, problems: &mut Vec<Problem>) {
        for patch in patches {
            if change(value, &patch.path, patch).is_none() {
                let message = "this path leads to nothing in the template that Copilot makes".to_owned();
                problems.push(Problem { span: patch.span, message });
            }
        }
        if let Some(reason) = &self.by_code {
            open(value, reason);
        }
    }
}

/// Members that are not there may be there all the same.
fn open(value: &mut Value, reason: &Reason) {
    if let Kind::Map(_, rest) = &mut value.kind {
        rest.get_or_insert_with(|| reason.clone());
    }
}

/// Changes what a path leads to; `None` when it leads to nothing.
fn change(value: &mut Value, path: &[Step], patch: &Patch) -> Option<()> {
    let (step, rest) = path.split_first()?;
    let span = patch.value.span;
    // What is not known stays so, whatever is changed in it.
    if matches!(value.kind, Kind::Unknown(_)) {
        return Some(());
    }
    if value.kind == Kind::Null && patch.makes_way {
        let list = matches!(step, Step::Index(_) | Step::Append);
        value.kind = if list { Kind::List(Vec::new(), None) } else { Kind::Map(Vec::new(), None) };
        value.span = span;
    }
    let missing = || Value::new(span, Kind::Null);
    match (step, &mut value.kind) {
        (Step::Name(name), Kind::Map(members, _)) => {
            let at = members.iter().position(|member| member.name == *name);
            if !rest.is_empty() {
                let at = match at {
                    Some(at) => at,
                    None if patch.makes_way => {
                        members.push(Member { name: name.clone(), name_span: patch.span, value: missing() });
                        members.len() - 1
                    }
                    None => return None,
                };
                return change(&mut members[at].value, rest, patch);
            }
            match (patch.operation, at) {
                (Operation::Remove, at) => drop(members.remove(at?)),
                (Operation::Replace, None) => return None,
                (_, Some(at)) => members[at].value = patch.value.clone(),
                (_, None) => {
                    let value = patch.value.clone();
                    members.push(Member { name: name.clone(), name_span: patch.span, value });
                }
            }
        }
        (Step::Index(_) | Step::Append, Kind::List(items, _)) => {
            let index = match step {
                Step::Index(index) => (*index).min(items.len()),
                _ => items.len(),
            };
            let exists = index < items.len();
            match (rest.is_empty(), patch.operation) {
                (true, Operation::Remove) => drop(exists.then(|| items.remove(index))?),
                (true, Operation::Replace) => *items.get_mut(index)? = patch.value.clone(),
                // A rule of the manifest replaces what is there; a patch inserts before it.
                (true, Operation::Add) if exists && patch.makes_way => items[index] = patch.value.clone(),
                (true, Operation::Add) => items.insert(index, patch.value.clone()),
                (false, _) => {
                    if !exists && patch.makes_way {
                        items.push(missing());
                    }
                    return change(items.get_mut(index)?, rest, patch);
                }
            }
        }
        _ => return None,
    }
    Some(())
}
