//! `tojimari harden`: traces, plans, patches and proves in one go, and leaves the evidence in a
//! folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tojimari_lab::Lab;
use tojimari_model::observed::Profile;
use tojimari_model::proof::{Proof, Verdict};
use tojimari_plan::decide::{proven, with_memory};
use tojimari_plan::patch::{self, Patched};
use tojimari_plan::{Plan, decide};
use tojimari_render::terminal;
use tojimari_text::edit;

use crate::exit::{BadInput, Exit};
use crate::lab::{self, RunArguments};
use crate::plan::Decisions;
use crate::progress::Steps;
use crate::task::{DeclaredTask, Named};
use crate::{files, task, tell};

/// How often a plan is widened by what its proof showed: a program may write elsewhere once its
/// first write is refused, and each round finds one such step.
const ROUNDS: usize = 4;

/// Find what a task writes, decide its writable mounts, write them into the task definition and
/// prove that it runs with a read-only root.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    task: Named,
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
        return Err(BadInput(
            "--prefer dockerfile changes the image, and what is proven has to be what runs: `plan --prefer dockerfile`, \
             `fix Dockerfile --plan`, build, and then `prove`"
                .to_owned(),
        )
        .into());
    }
    let declared = task::read(&arguments.task)?;
    let (lab, steps) = lab::open(&declared, &arguments.run, None, arguments.decisions.given_platform())?;

    let mut profile = lab.trace(&declared.task).map_err(lab::error)?;
    // Not before the first run: a mistake in the arguments leaves no folder behind.
    let out = &arguments.out;
    std::fs::create_dir_all(out).with_context(|| format!("failed to make the folder {}", out.display()))?;
    let (plan, proof) = settle(&declared, &lab, &mut profile, &arguments)?;
    let (plan, proof) = if proof.verdict == Verdict::Holds {
        let least = lab.minimise(&plan, &proof, &|plan| declared.apply(plan).ok()).map_err(lab::error)?;
        (proven(with_memory(&declared.task, least.plan, &arguments.decisions.options())), least.proof)
    } else {
        (plan, proof)
    };
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
    let (patched, by_hand) = match declared.patched(plan) {
        Ok(patched) => (patched, None),
        // The proof was made on what the file would say.
        Err(error @ (patch::Error::ByHand(_) | patch::Error::Format)) => (Patched::default(), Some(error.to_string())),
        Err(error) => return Err(error).with_context(|| format!("failed to write the plan into {}", declared.name)),
    };
    let mut notes = patched.notes;
    let mut diff = String::new();
    let mut paths = Vec::new();
    for (file, text) in &patched.texts {
        let (name, before) = declared.original(*file);
        diff.push_str(&edit::unified_diff(&name, &before, text, &declared.secrets_in(*file)));
        let path = out.join(Path::new(&name).file_name().unwrap_or("task-definition.json".as_ref()));
        let registrable = patch::registrable(text)?;
        if registrable.is_some() {
            notes.push(format!(
                "{} is what register-task-definition takes: without the wrapper and the read-only fields of {name}",
                path.display()
            ));
        }
        files::write(&path, registrable.as_ref().unwrap_or(text).as_bytes())?;
        paths.push(path.display().to_string());
    }
    files::write(&out.join("changes.diff"), diff.as_bytes())?;
    let changed = diff.lines().filter(|line| line.starts_with('+') && !line.starts_with("+++")).count();
    let files = match (by_hand, paths.is_empty()) {
        (Some(why), _) => format!("nothing: {why}"),
        (None, true) => "nothing: the file says all of it already".to_owned(),
        (None, false) => format!("{} with {changed} new or changed lines (changes.diff)", paths.join(", ")),
    };
    Ok(Written { files, notes })
}

/// Decides and proves, and lets what was refused widen the plan, until the proof holds or nothing
/// new is learned.
fn settle(declared: &DeclaredTask, lab: &Lab, profile: &mut Profile, arguments: &Arguments) -> Result<(Plan, Proof)> {
    let platform = arguments.decisions.platform(declared);
    let mut options = arguments.decisions.options();
    let mut plan = decide(&declared.task, profile, platform, &options);
    let mut proof = lab.prove(&declared.apply(&plan)?).map_err(lab::error)?;
    for _ in 1..ROUNDS {
        if proof.verdict == Verdict::Holds {
            break;
        }
        lab.learn(profile, &proof);
        let mut wider = decide(&declared.task, profile, platform, &options);
        if wider == plan {
            // Nothing new was refused: what a mount hides may be missed.
            options.keep_content = true;
            wider = decide(&declared.task, profile, platform, &options);
        }
        if wider == plan {
            break;
        }
        plan = wider;
        proof = lab.prove(&declared.apply(&plan)?).map_err(lab::error)?;
    }
    Ok((plan, proof))
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
