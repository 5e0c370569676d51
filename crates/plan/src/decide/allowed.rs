//! Which folders are never mounted without a person's word: whole trees such as `/` and `/etc`, and
//! whatever holds programs, libraries or a web root. A writable mount there is a place for an
//! attacker to put a program, which is what a read-only root is to prevent.
//!
//! Control TJ.16 fails for a mount over such a folder by the same facts, so that no plan proposes
//! what it refuses.

use tojimari_ecs::folders::{self, LOADED_FROM, Over, SCRATCH_NAMES, TOO_BROAD};
use tojimari_ecs::path::{absolute, is_in};
use tojimari_model::declared::Container;

use super::Options;
use super::folders::Folders;

/// Why a folder is not mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    TooBroad(String),
    HoldsPrograms(String),
    WebRoot(String),
}

/// A folder in a web root that the image leaves empty for the application to write in, as CakePHP's
/// `tmp` and `logs` are.
fn is_left_empty(folder: &str, folders: &Folders<'_>) -> bool {
    let name = folder.rsplit('/').next().unwrap_or_default();
    SCRATCH_NAMES.contains(&name) && folders.get(folder).is_some_and(|fact| fact.files == 0)
}

pub(super) fn check(
    folder: &str,
    container: &Container,
    folders: &Folders<'_>,
    options: &Options,
) -> Result<(), Refusal> {
    if options.allows(folder) {
        return Ok(());
    }
    refused_by_control(folder, container)?;
    let loaded_from = folder.split('/').any(|part| LOADED_FROM.contains(&part));
    let holds_programs = folders.get(folder).is_some_and(|fact| fact.programs);
    if loaded_from || holds_programs {
        return Err(Refusal::HoldsPrograms(folder.to_owned()));
    }
    if TOO_BROAD.contains(&folder) {
        return Err(Refusal::TooBroad(folder.to_owned()));
    }
    if folders::is_in_web_root(folder) && folders.get(folder).is_some() && !is_left_empty(folder, folders) {
        return Err(Refusal::WebRoot(folder.to_owned()));
    }
    Ok(())
}

/// What control TJ.16 fails for, whatever the image has there and whoever allows it.
pub(super) fn refused_by_control(folder: &str, container: &Container) -> Result<(), Refusal> {
    // The control looks at where a path leads to.
    let Some(leads_to) = absolute(folder) else { return Ok(()) };
    match folders::over(&leads_to) {
        Some(Over::Programs) => Err(Refusal::HoldsPrograms(folder.to_owned())),
        Some(Over::Tree) => Err(Refusal::TooBroad(folder.to_owned())),
        Some(Over::WebRoot) => Err(Refusal::WebRoot(folder.to_owned())),
        None if container.started().any(|program| is_in(&program, &leads_to)) => {
            Err(Refusal::HoldsPrograms(folder.to_owned()))
        }
        None => Ok(()),
    }
}

/// What follows a reason for as long as no proof tells whether the service does without the write.
pub(super) const UNPROVEN: &str = "; not proven yet, --allow ";

impl Refusal {
    pub fn because(&self) -> String {
        match self {
            Refusal::TooBroad(folder) => format!(
                "it lies directly in {folder}, which is never made writable as a whole{UNPROVEN}{folder} mounts it all \
                 the same"
            ),
            Refusal::HoldsPrograms(folder) => {
                format!(
                    "it lies in {folder}, which holds programs or libraries{UNPROVEN}{folder} mounts it all the same"
                )
            }
            Refusal::WebRoot(folder) => {
                format!("it lies in {folder}, from which files are served{UNPROVEN}{folder} mounts it all the same")
            }
        }
    }

    /// What is said of a folder that is mounted all the same, because a person allows it.
    pub fn allowed(&self, container: &str) -> String {
        let (folder, what) = match self {
            Refusal::TooBroad(folder) => (folder, "is a whole tree of programs, settings or web roots"),
            Refusal::HoldsPrograms(folder) => (folder, "holds programs or libraries"),
            Refusal::WebRoot(folder) => (folder, "is a web root"),
        };
        format!("{container}: {folder} {what}, so control TJ.16 fails for its mount, which --allow asks for")
    }
}
