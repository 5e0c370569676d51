//! `tojimari fix`: writes remedies, or a plan, into the user's own files and changes nothing else
//! in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use tojimari_engine::edits::{Asked, Edits, Line};
use tojimari_engine::input::{self, Input, Loader};
use tojimari_engine::judge::Rules;
use tojimari_engine::nothing::nothing;
use tojimari_engine::tag::Tag;
use tojimari_engine::{Error, document, files};
use tojimari_plan::patch;
use tojimari_text::{FileId, edit};

use crate::exit::Exit;
use crate::tell;
use crate::values::ValueArguments;

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
    #[command(flatten)]
    values: ValueArguments,
    /// Write also what may break the service and was not proven: a read-only root, no privileges.
    #[arg(long)]
    unproven: bool,
    /// Value of a tag that resources should have and lack; may be given several times.
    #[arg(long = "tag", value_name = "KEY=VALUE")]
    tags: Vec<Tag>,
    /// Make the output of describe-task-definition what register-task-definition takes.
    #[arg(long)]
    registrable: bool,
    /// Change the files instead of showing what would change.
    #[arg(long)]
    write: bool,
    /// Take it that nothing of ECS or ECR is found.
    #[arg(long)]
    allow_empty: bool,
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    if arguments.path == Path::new("-") {
        return Err(Error::Input("fix needs a file that it can change: `-` is none".to_owned()).into());
    }
    let input = input::gather_given(std::slice::from_ref(&arguments.path), &arguments.values.clone().into());
    let rules = Rules::named(&arguments.controls, &input.config)?;
    let complete = input.is_complete();
    let Input { sources, files, problems, notes, known, config, .. } = &input;
    let loader = Loader::new(sources, known);
    let asked = Asked { sources, loader: &loader, files, config, rules: &rules, complete };
    let mut edits = Edits::new(asked);
    let (_, mut before) = edits.judged(problems.clone());
    if !arguments.allow_empty {
        before.problems.extend(tell::nothing(nothing(&input, &before)));
    }
    match &arguments.plan {
        Some(path) => edits.plan(&document::read(path)?, path)?,
        None => edits.remedies(&before, arguments.unproven, &arguments.tags),
    }
    edits.compare(&before);

    tell::problems(sources, &before.problems);
    let (mut texts, lines) = edits.finish();
    if arguments.registrable {
        for file in files.iter().filter(|file| sources.get(**file).name.ends_with(".json")) {
            let text = texts.get(file).cloned().unwrap_or_else(|| sources.get(*file).text.clone());
            if let Some(text) = patch::registrable(&text)? {
                texts.insert(*file, text);
            }
        }
    }
    let texts: BTreeMap<String, (FileId, String)> =
        texts.into_iter().map(|(file, text)| (sources.get(file).name.clone(), (file, text))).collect();
    if arguments.write {
        // All are looked at before the first is written.
        for (name, (file, _)) in &texts {
            unchanged(name, &sources.get(*file).text)?;
            files::writable(Path::new(name))?;
        }
    }
    for (name, (file, text)) in &texts {
        match arguments.write {
            true => files::write(Path::new(name), text.as_bytes())?,
            false => {
                let hidden = before.secrets_in(*file);
                tell::print(&edit::unified_diff(name, &sources.get(*file).text, text, &hidden))?;
            }
        }
    }
    tell::notes(notes);
    let refused = lines.iter().any(|line| matches!(line, Line::Refused(_)));
    tell::lines(lines.iter().map(|line| line.said(arguments.write)));
    Ok(match (before.problems.is_empty(), refused) {
        (false, _) => Exit::Input,
        (true, true) => Exit::Failing,
        (true, false) => Exit::Done,
    })
}

/// Nobody else changed the file since it was read.
fn unchanged(name: &str, text: &str) -> Result<()> {
    match std::fs::read(name) {
        Ok(bytes) if bytes == text.as_bytes() => Ok(()),
        Ok(_) => Err(Error::Input(format!("{name}: it has changed since it was read")).into()),
        Err(error) => Err(Error::Input(format!("{name}: {error}")).into()),
    }
}
