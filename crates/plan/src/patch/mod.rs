//! Writes plans and remedies into the user's own file, one file a format. Every patch reads its
//! result again and compares meanings: what differs is what was meant, or there is no patch.

pub mod ecs;
mod remedy;

use tojimari_model::finding::Remedy;
use tojimari_text::Span;
use tojimari_text::edit::{Document, json, yaml};
use tojimari_text::yaml::Dialect;

use crate::plan::Plan;
use ecs::Located;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Edit(#[from] tojimari_text::edit::Error),
    #[error("the plan names container {0}, which the file does not have")]
    NoSuchContainer(String),
    #[error("the place of the task definition or of a container cannot be found in the text")]
    NoSuchPlace,
    #[error("after the edit the file would mean something else than intended")]
    OtherMeaning,
    #[error("files of this kind are not edited yet")]
    Format,
    #[error("nothing is written for this remedy: {0}")]
    Remedy(String),
}

/// A change that a file is to get.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    Plan {
        located: Located,
        plan: &'a Plan,
    },
    /// `subject` is the whole container or resource that the remedy is about.
    Remedy {
        subject: Span,
        remedy: &'a Remedy,
    },
}

/// The text with all of these changes in it, or none of them.
pub fn patched(text: &str, changes: &[Change<'_>]) -> Result<String, Error> {
    let mut document = open(text)?;
    // Remedies first: their places are those of the text as it was read.
    let remedies: Vec<(Span, &Remedy)> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Remedy { subject, remedy } => Some((*subject, *remedy)),
            Change::Plan { .. } => None,
        })
        .collect();
    let plans: Vec<(&Located, &Plan)> = changes
        .iter()
        .filter_map(|change| match change {
            Change::Plan { located, plan } => Some((located, *plan)),
            Change::Remedy { .. } => None,
        })
        .collect();
    ecs::patch_all(&mut *document, &plans, &remedies)?;
    Ok(document.text().to_owned())
}

fn open(text: &str) -> Result<Box<dyn Document>, Error> {
    if text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']) {
        return Ok(Box::new(json::Editor::new(text)?));
    }
    let dialect = if text.contains("AWS::") { Dialect::Yaml11 } else { Dialect::Yaml12 };
    Ok(Box::new(yaml::Editor::new(text, dialect)?))
}
