//! `tojimari harden`: traces, plans, patches and proves in one go, and leaves the evidence in a
//! folder.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tojimari_engine::folder::{self, Folder};
use tojimari_engine::task::DeclaredTask;
use tojimari_engine::{Error, files, harden, task};
use tojimari_evidence::profile::Profile;
use tojimari_evidence::proof::Proof;
use tojimari_plan::Plan;
use tojimari_render::terminal;

use crate::exit::Exit;
use crate::lab::{self, RunArguments};
use crate::plan::Decisions;
use crate::progress::Steps;
use crate::task::TaskArguments;
use crate::tell;

const PROFILE: &str = "profile.json";
const PLAN: &str = "plan.json";
const PROOF: &str = "proof.json";
const DIFF: &str = "changes.diff";

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
    Folder::check(&arguments.out)?;
    let (lab, steps) = lab::open(&declared, &arguments.run, None, arguments.decisions.given_platform())?;

    let mut profile = lab.trace(&declared.task)?;
    // Not before the first run: a mistake in the arguments leaves no folder behind.
    let mut out = Folder::open(&arguments.out)?;
    let (platform, options) = (arguments.decisions.platform(&declared), arguments.decisions.options());
    let (plan, proof) = harden::harden(&declared, &lab, &mut profile, platform, &options)?;
    steps.done();

    out.write(PROFILE, files::json(&profile)?.as_bytes(), false, None)?;
    out.write(PLAN, files::json(&plan)?.as_bytes(), false, None)?;
    out.write(PROOF, files::json(&proof)?.as_bytes(), false, None)?;
    let written = write(&declared, &plan, &mut out)?;

    tell::print(&summary(&profile, &plan, &written, &proof))?;
    tell::print(&timings(&steps, arguments.run.quiet))?;
    Ok(arguments.run.judge(&proof))
}

/// What was written of the user's files, in words.
struct Written {
    files: String,
    notes: Vec<String>,
}

/// Writes the hardened files and the diff into the folder.
fn write(declared: &DeclaredTask, plan: &Plan, out: &mut Folder) -> Result<Written> {
    let hardened = harden::hardened(declared, plan)?;
    let mut notes = hardened.notes.clone();
    let mut paths = Vec::new();
    let mut taken = [PROFILE, PLAN, PROOF, DIFF, folder::MARK].map(str::to_owned).to_vec();
    for file in &hardened.files {
        let name = file.file_name(|name| taken.iter().any(|taken| taken == name));
        let path = out.write(&name, file.text.as_bytes(), file.is_private, Some(Path::new(&file.name)))?;
        taken.push(name);
        if file.is_registrable {
            notes.push(format!(
                "{} is what register-task-definition takes: without the wrapper and the read-only fields of {}",
                path.display(),
                file.name
            ));
        }
        paths.push(path.display().to_string());
    }
    out.write(DIFF, hardened.diff.as_bytes(), hardened.is_diff_private, None)?;
    let changed = hardened.changed_lines();
    let files = match (hardened.by_hand, paths.is_empty()) {
        (Some(why), _) => format!("nothing: {why}"),
        (None, true) => "nothing: the file says all of it already".to_owned(),
        (None, false) => format!("{} with {changed} new or changed lines ({DIFF})", paths.join(", ")),
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
