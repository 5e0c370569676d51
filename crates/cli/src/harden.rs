//! `tojimari harden`: traces, plans, patches and proves in one go, and leaves the evidence in a
//! folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tojimari_engine::task::DeclaredTask;
use tojimari_engine::{Error, files, harden, task};
use tojimari_evidence::profile::Profile;
use tojimari_evidence::proof::{Proof, Verdict};
use tojimari_plan::Plan;
use tojimari_render::terminal;

use crate::exit::Exit;
use crate::lab::{self, RunArguments};
use crate::plan::Decisions;
use crate::progress::Steps;
use crate::task::TaskArguments;
use crate::tell;

/// Find what a task writes, decide its writable mounts, write them into the task definition and
/// prove that it runs with a read-only root.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    task: TaskArguments,
    #[command(flatten)]
    run: RunArguments,
    #[command(flatten)]
    decisions: Decisions,
    /// Folder for profile.json, plan.json, the hardened file, changes.diff and proof.json.
    #[arg(long, value_name = "DIR", default_value = "tojimari-out")]
    out: PathBuf,
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    if arguments.decisions.changes_the_image() {
        return Err(Error::Input(
            "--prefer dockerfile changes the image, and what is proven has to be what runs: `plan --prefer dockerfile`, \
             `fix Dockerfile --plan`, build, and then `prove`"
                .to_owned(),
        )
        .into());
    }
    let declared = task::read(&arguments.task.into())?;
    let (lab, steps) = lab::open(&declared, &arguments.run, None, arguments.decisions.given_platform())?;

    let mut profile = lab.trace(&declared.task)?;
    // Not before the first run: a mistake in the arguments leaves no folder behind.
    let out = &arguments.out;
    std::fs::create_dir_all(out).with_context(|| format!("failed to make the folder {}", out.display()))?;
    let (platform, options) = (arguments.decisions.platform(&declared), arguments.decisions.options());
    let (plan, proof) = harden::harden(&declared, &lab, &mut profile, platform, &options)?;
    steps.done();

    files::write_json(&out.join("profile.json"), &profile)?;
    files::write_json(&out.join("plan.json"), &plan)?;
    files::write_json(&out.join("proof.json"), &proof)?;
    let written = write(&declared, &plan, out)?;

    tell::print(&summary(&profile, &plan, &written, &proof));
    tell::print(&timings(&steps, arguments.run.quiet));
    Ok(if proof.verdict == Verdict::Holds { Exit::Done } else { Exit::Failing })
}

/// What was written of the user's files, in words.
struct Written {
    files: String,
    notes: Vec<String>,
}

/// Writes the hardened files and the diff into the folder.
fn write(declared: &DeclaredTask, plan: &Plan, out: &Path) -> Result<Written> {
    let hardened = harden::hardened(declared, plan)?;
    let mut notes = hardened.notes.clone();
    let mut paths = Vec::new();
    for file in &hardened.files {
        let path = out.join(file.file_name());
        if file.is_registrable {
            notes.push(format!(
                "{} is what register-task-definition takes: without the wrapper and the read-only fields of {}",
                path.display(),
                file.name
            ));
        }
        files::write(&path, file.text.as_bytes())?;
        paths.push(path.display().to_string());
    }
    files::write(&out.join("changes.diff"), hardened.diff.as_bytes())?;
    let changed = hardened.changed_lines();
    let files = match (hardened.by_hand, paths.is_empty()) {
        (Some(why), _) => format!("nothing: {why}"),
        (None, true) => "nothing: the file says all of it already".to_owned(),
        (None, false) => format!("{} with {changed} new or changed lines (changes.diff)", paths.join(", ")),
    };
    Ok(Written { files, notes })
}

fn summary(profile: &Profile, plan: &Plan, written: &Written, proof: &Proof) -> String {
    let notes: String = written.notes.iter().map(|note| format!("  note: {note}\n")).collect();
    format!(
        "Observed\n{}\nDecided\n{}\nWritten\n{}{notes}\nProven\n{}",
        indented(&terminal::profile(profile)),
        indented(&terminal::plan(plan)),
        indented(&written.files),
        indented(&terminal::proof(proof)),
    )
}

fn timings(steps: &Steps, quiet: bool) -> String {
    if quiet {
        return String::new();
    }
    let each: Vec<String> =
        steps.timings().iter().map(|(what, took)| format!("{what} {:.1} s", took.as_secs_f64())).collect();
    format!("\nTime: {}\n", each.join("; "))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
