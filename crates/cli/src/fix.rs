//! `tojimari fix`: writes remedies, or a plan, into the user's own files and changes nothing else
//! in them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::Result;
use tojimari_model::declared::{Declared, Stack};
use tojimari_model::finding::{Evaluation, Remedy, Status};
use tojimari_plan::Plan;
use tojimari_plan::patch::ecs::Located;
use tojimari_plan::patch::{self, Change};
use tojimari_text::{FileId, Sources, edit};

use crate::accept::accept;
use crate::config::Config;
use crate::exit::{BadInput, Exit};
use crate::input::{self, Input, Loader};
use crate::judge::{self, Judged, Rules, judge};
use crate::{files, tell};

/// Write what puts failures right into the files themselves: a unified diff unless --write.
#[derive(clap::Args)]
pub struct Arguments {
    /// File or folder.
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Plan to write into the task definition that has its containers.
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Only failures of this control, by its id or name; may be given several times.
    #[arg(long = "control", value_name = "ID")]
    controls: Vec<String>,
    /// Write also what may break the service and was not proven: a read-only root, no privileges.
    #[arg(long)]
    unproven: bool,
    /// Change the files instead of showing what would change.
    #[arg(long)]
    write: bool,
}

/// Remedies of one resource can hide others: a control tells of its first failure.
const ROUNDS: usize = 16;

pub fn run(arguments: Arguments) -> Result<Exit> {
    if arguments.path == Path::new("-") {
        return Err(BadInput("fix needs a file that it can change: `-` is none".to_owned()).into());
    }
    let input = input::gather(std::slice::from_ref(&arguments.path));
    let rules = Rules::named(&arguments.controls, &input.config)?;
    let complete = input.is_complete();
    let Input { sources, files, problems, notes, loader, config, .. } = input;
    let loader = Loader::new(&sources, loader);
    let mut work = Work {
        sources: &sources,
        loader: &loader,
        files: &files,
        config: &config,
        rules: &rules,
        complete,
        texts: HashMap::new(),
        lines: Vec::new(),
    };
    let (_, mut before) = work.judged();
    before.problems.extend(problems);
    before.sort(&sources);
    match &arguments.plan {
        Some(path) => work.plan(&read_plan(path)?, path)?,
        None => work.remedies(&before, arguments.unproven),
    }
    let (_, after) = work.judged();
    work.compare(&before, &after);

    tell::problems(&sources, &before.problems);
    let Work { texts, lines, .. } = work;
    let texts: BTreeMap<String, (FileId, String)> =
        texts.into_iter().map(|(file, text)| (sources.get(file).name.clone(), (file, text))).collect();
    for (name, (file, text)) in &texts {
        let old = &sources.get(*file).text;
        if arguments.write {
            unchanged(name, old)?;
            files::write(Path::new(name), text.as_bytes())?;
        } else {
            tell::print(&edit::unified_diff(name, old, text));
        }
    }
    tell::notes(&notes);
    let refused = lines.iter().any(|line| matches!(line, Line::Refused(_)));
    tell::lines(lines.iter().map(|line| line.said(arguments.write)));
    Ok(match (before.problems.is_empty(), refused) {
        (false, _) => Exit::Input,
        (true, true) => Exit::Failing,
        (true, false) => Exit::Done,
    })
}

/// What is said of one failure.
enum Line {
    Fixed(String),
    /// What a person has to do or decide.
    Left(String),
    /// What was tried and could not be written.
    Refused(String),
    /// What the change brings with it.
    Note(String),
}

impl Line {
    fn said(&self, written: bool) -> String {
        match self {
            Line::Fixed(what) if written => format!("fixed: {what}"),
            Line::Fixed(what) => format!("would fix: {what}"),
            Line::Left(what) => format!("left: {what}"),
            Line::Refused(what) => format!("error: {what}"),
            Line::Note(what) => format!("note: {what}"),
        }
    }
}

/// A failure and where it stands, in one line.
fn shown(sources: &Sources, evaluation: &Evaluation) -> String {
    let place = sources.place(evaluation.span);
    let resource = &evaluation.resource.address;
    let subject = match &evaluation.container {
        Some(container) => format!("container {container} of {resource}"),
        None => resource.to_string(),
    };
    format!("{} {subject} ({}:{}:{})", evaluation.control, place.file, place.line, place.column)
}

/// A remedy that is to be written.
struct Wanted {
    evaluation: Evaluation,
    remedy: Remedy,
    shown: String,
}

impl Wanted {
    /// Tells remedies apart whatever else moved in the file.
    fn key(&self) -> String {
        let Evaluation { control, resource, container, subject, .. } = &self.evaluation;
        format!("{control} {} {} {container:?} {:?}", subject.file.0, resource.address, self.remedy)
    }
}

/// What the files become.
struct Work<'a> {
    sources: &'a Sources,
    loader: &'a Loader<'a>,
    files: &'a [FileId],
    config: &'a Config,
    rules: &'a Rules,
    /// Everything below the configuration was looked at.
    complete: bool,
    /// Texts that differ from those that were read.
    texts: HashMap<FileId, String>,
    lines: Vec<Line>,
}

impl Work<'_> {
    /// What is said of the files as they are by now. What people accept is not for us to change.
    fn judged(&self) -> (Sources, Judged) {
        let sources = self.sources.with(&self.texts);
        let mut judged = judge(&sources, self.files, &self.loader.over(&sources), self.rules);
        accept(&mut judged, &sources, self.config, self.rules, self.complete, None);
        (sources, judged)
    }

    fn text(&self, file: FileId) -> String {
        self.texts.get(&file).cloned().unwrap_or_else(|| self.sources.get(file).text.clone())
    }

    /// Writes a plan into each task definition that has all of its containers.
    fn plan(&mut self, plan: &Plan, path: &Path) -> Result<()> {
        let stacks = judge::stacks(self.sources, self.files, self.loader);
        let found = located(&stacks, plan);
        if found.is_empty() {
            let names: Vec<&str> = plan.containers.iter().map(|container| container.name.as_str()).collect();
            return Err(BadInput(format!(
                "{}: the plan is for containers {}, and no task definition here has them",
                path.display(),
                names.join(", ")
            ))
            .into());
        }
        let mut by_file: BTreeMap<FileId, Vec<Change<'_>>> = BTreeMap::new();
        for (_, located) in &found {
            let change = Change::Plan { located: located.clone(), plan };
            by_file.entry(located.task.file).or_default().push(change);
        }
        for (file, changes) in by_file {
            let name = &self.sources.get(file).name;
            match patch::patched(&self.text(file), &changes) {
                Ok(text) => {
                    let of: Vec<&str> = found
                        .iter()
                        .filter(|(_, l)| l.task.file == file)
                        .map(|(address, _)| address.as_str())
                        .collect();
                    self.change(file, text);
                    self.lines.push(Line::Fixed(format!("the plan for {} ({name})", of.join(", "))));
                }
                Err(error) => self.lines.push(Line::Refused(format!("{name}: failed to write the plan: {error}"))),
            }
        }
        Ok(())
    }

    /// Writes the remedies of failures, round after round, until none is left that was not tried.
    fn remedies(&mut self, before: &Judged, unproven: bool) {
        let mut tried: HashSet<String> = HashSet::new();
        for _ in 0..ROUNDS {
            let (sources, judged) = self.judged();
            let mut by_file: BTreeMap<FileId, Vec<Wanted>> = BTreeMap::new();
            for evaluation in judged.evaluations.into_iter().filter(|e| e.status == Status::Fail) {
                let Some(remedy) = evaluation.remedy.clone() else { continue };
                let writes = !matches!(remedy, Remedy::Advice(_)) && (unproven || remedy.is_safe());
                let wanted = Wanted { shown: shown(&sources, &evaluation), evaluation, remedy };
                if writes && !tried.contains(&wanted.key()) {
                    by_file.entry(wanted.evaluation.subject.file).or_default().push(wanted);
                }
            }
            if by_file.is_empty() {
                break;
            }
            for (file, wanted) in by_file {
                self.remedy(file, &wanted, &mut tried);
            }
        }
        self.left(before, unproven);
    }

    /// All remedies of a file at once; where that fails, each alone, so that one that cannot be
    /// written does not keep the others out.
    fn remedy(&mut self, file: FileId, wanted: &[Wanted], tried: &mut HashSet<String>) {
        let changes: Vec<Change<'_>> = wanted
            .iter()
            .map(|wanted| Change::Remedy { subject: wanted.evaluation.subject, remedy: &wanted.remedy })
            .collect();
        let text = self.text(file);
        if let Ok(text) = patch::patched(&text, &changes) {
            self.change(file, text);
            tried.extend(wanted.iter().map(Wanted::key));
            self.lines.extend(wanted.iter().map(|wanted| Line::Fixed(wanted.shown.clone())));
            return;
        }
        // Places are those of the text that was judged: after one change the others that can be
        // written wait for the next round.
        let mut changed = false;
        for (wanted, change) in wanted.iter().zip(changes) {
            match patch::patched(&text, std::slice::from_ref(&change)) {
                Ok(_) if changed => continue,
                Ok(text) => {
                    changed = true;
                    self.change(file, text);
                    self.lines.push(Line::Fixed(wanted.shown.clone()));
                }
                Err(error @ (patch::Error::Remedy(_) | patch::Error::Format)) => {
                    self.lines.push(Line::Left(format!("{}: {error}", wanted.shown)));
                }
                Err(error) => {
                    self.lines.push(Line::Refused(format!("{}: failed to write it: {error}", wanted.shown)));
                }
            }
            tried.insert(wanted.key());
        }
    }

    fn change(&mut self, file: FileId, text: String) {
        if text != self.sources.get(file).text {
            self.texts.insert(file, text);
        }
    }

    /// What is for a person to do.
    fn left(&mut self, before: &Judged, unproven: bool) {
        for evaluation in before.evaluations.iter().filter(|e| e.status == Status::Fail) {
            let why = match &evaluation.remedy {
                None => "no fix is known".to_owned(),
                Some(Remedy::Advice(words)) => words.clone(),
                Some(remedy) if unproven || remedy.is_safe() => continue,
                Some(remedy) => format!(
                    "needs proof: {}; give the plan that was proven with --plan, or --unproven",
                    remedy.sentence()
                ),
            };
            self.lines.push(Line::Left(format!("{}: {why}", shown(self.sources, evaluation))));
        }
    }

    /// Says what fails now that did not before.
    fn compare(&mut self, before: &Judged, after: &Judged) {
        let key = |e: &Evaluation| (e.control.clone(), e.resource.address.clone(), e.container.clone());
        let failed: HashSet<_> = before.evaluations.iter().filter(|e| e.status == Status::Fail).map(key).collect();
        for evaluation in after.evaluations.iter().filter(|e| e.status == Status::Fail && !failed.contains(&key(e))) {
            let subject = evaluation.container.as_deref().unwrap_or(&evaluation.resource.address);
            self.lines.push(Line::Note(format!(
                "with the change {} fails for {subject}: {}",
                evaluation.control, evaluation.message
            )));
        }
    }
}

/// Task definitions that have all containers of the plan, each once, with their addresses.
fn located(stacks: &[Stack], plan: &Plan) -> Vec<(String, Located)> {
    let mut found: Vec<(String, Located)> = Vec::new();
    for resource in stacks.iter().flat_map(|stack| &stack.resources) {
        let Declared::TaskDefinition(task) = &resource.declared else { continue };
        let has_all = plan.containers.iter().all(|container| task.container(&container.name).is_some());
        if !has_all || plan.containers.is_empty() || found.iter().any(|(_, other)| other.task == task.span) {
            continue;
        }
        let containers = task.containers.iter().filter_map(|c| Some((c.name.as_str()?.to_owned(), c.span))).collect();
        found.push((resource.address.to_string(), Located { task: task.span, containers }));
    }
    found
}

fn read_plan(path: &Path) -> Result<Plan> {
    let shown = path.display();
    let text = files::read(path)?;
    let plan: Plan = serde_json::from_str(&text)
        .map_err(|error| BadInput(format!("{shown}:{}:{}: not a plan: {error}", error.line(), error.column())))?;
    if plan.version != 1 {
        return Err(BadInput(format!("{shown}: plan version {}, this program knows version 1", plan.version)).into());
    }
    Ok(plan)
}

/// Nobody else changed the file since it was read.
fn unchanged(name: &str, text: &str) -> Result<()> {
    match std::fs::read(name) {
        Ok(bytes) if bytes == text.as_bytes() => Ok(()),
        Ok(_) => Err(BadInput(format!("{name}: it has changed since it was read")).into()),
        Err(error) => Err(BadInput(format!("{name}: {error}")).into()),
    }
}
