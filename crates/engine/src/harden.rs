//! Deciding and proving until a plan holds, and what the user's files become with it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tojimari_evidence::profile::Profile;
use tojimari_evidence::proof::Proof;
use tojimari_lab::Lab;
use tojimari_plan::decide::{proven, with_memory};
use tojimari_plan::patch::{self, Patched};
use tojimari_plan::{Options, Plan, Platform, decide};
use tojimari_text::edit;

use crate::task::DeclaredTask;
use crate::{Error, Result};

/// How often a plan is widened by what its proof showed: a program may write elsewhere once its
/// first write is refused, and each round finds one such step.
const ROUNDS: usize = 4;

/// What the user's files become.
#[derive(Debug, Default)]
pub struct Hardened {
    pub files: Vec<HardenedFile>,
    /// All changes as a unified diff; secrets are stars in it.
    pub diff: String,
    /// Lines around the changes are in it as they are.
    pub is_diff_private: bool,
    pub notes: Vec<String>,
    /// Why a person has to write the plan into the file; then nothing else is here.
    pub by_hand: Option<String>,
}

#[derive(Debug)]
pub struct HardenedFile {
    /// As the user named it.
    pub name: String,
    pub text: String,
    /// The text is what register-task-definition takes, without the wrapper and the read-only fields
    /// that the user's file has.
    pub is_registrable: bool,
    /// It holds values of environment variables, or was for its owner's eyes before.
    pub is_private: bool,
}

/// Decides and proves a plan, and where it holds takes away what it holds without.
pub fn harden(
    declared: &DeclaredTask,
    lab: &Lab,
    profile: &mut Profile,
    platform: Platform,
    options: &Options,
) -> Result<(Plan, Proof)> {
    let (plan, proof) = settle(declared, lab, profile, platform, options.clone())?;
    if !proof.verdict.is_same() {
        return Ok((plan, proof));
    }
    let least = lab.minimise(&plan, &proof, &|plan| declared.apply(plan).ok())?;
    Ok((proven(with_memory(&declared.task, least.plan, options)), least.proof))
}

/// Decides and proves, and lets what was refused widen the plan, until the proof holds or nothing
/// new is learned.
fn settle(
    declared: &DeclaredTask,
    lab: &Lab,
    profile: &mut Profile,
    platform: Platform,
    mut options: Options,
) -> Result<(Plan, Proof)> {
    let mut plan = decide(&declared.task, profile, platform, &options);
    let mut proof = lab.prove(&declared.apply(&plan)?)?;
    for _ in 1..ROUNDS {
        if proof.verdict.is_same() {
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
        proof = lab.prove(&declared.apply(&plan)?)?;
    }
    Ok((plan, proof))
}

/// The user's files with the plan in them.
pub fn hardened(declared: &DeclaredTask, plan: &Plan) -> Result<Hardened> {
    let (patched, by_hand) = match declared.patched(plan) {
        Ok(patched) => (patched, None),
        // The proof was made on what the file would say.
        Err(error @ (patch::Error::ByHand(_) | patch::Error::Format)) => (Patched::default(), Some(error.to_string())),
        Err(error) => return Err(Error::fault(format!("failed to write the plan into {}", declared.name))(error)),
    };
    let holds_values = declared.holds_values();
    let mut hardened = Hardened { notes: patched.notes, by_hand, ..Hardened::default() };
    for (file, text) in patched.texts {
        let (name, before) = declared.original(file);
        hardened.diff.push_str(&edit::unified_diff(&name, &before, &text, &declared.secrets_in(file)));
        let registrable = patch::registrable(&text)
            .map_err(Error::fault(format!("failed to make {name} what register-task-definition takes")))?;
        let is_registrable = registrable.is_some();
        let is_private = holds_values || is_for_owner(&name);
        hardened.is_diff_private |= is_private;
        let text = registrable.unwrap_or(text);
        hardened.files.push(HardenedFile { name, text, is_registrable, is_private });
    }
    Ok(hardened)
}

/// Whether nobody but the owner can read a file.
fn is_for_owner(name: &str) -> bool {
    std::fs::metadata(name).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 == 0)
}

impl HardenedFile {
    /// The last part of its name, and a number before it where that is taken.
    pub fn file_name(&self, is_taken: impl Fn(&str) -> bool) -> String {
        let last = Path::new(&self.name).file_name().unwrap_or("task-definition.json".as_ref());
        let last = last.to_string_lossy().into_owned();
        let numbered = (2..).map(|number: u32| format!("{number}-{last}"));
        std::iter::once(last.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(last)
    }
}

impl Hardened {
    /// Lines that are new or differ.
    pub fn changed_lines(&self) -> usize {
        self.diff.lines().filter(|line| line.starts_with('+') && !line.starts_with("+++")).count()
    }
}
