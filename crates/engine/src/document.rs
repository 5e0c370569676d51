//! The JSON documents of ours that users hand back: read whole, of a version that is known.

use std::path::Path;

use serde::de::DeserializeOwned;
use tojimari_controls::Baseline;
use tojimari_evidence::profile::Profile;
use tojimari_plan::Plan;

use crate::{Error, Result, files};

/// A document with a version, as `tojimari schema` describes it.
pub trait Document: DeserializeOwned {
    /// As people call it: "plan".
    const NAME: &'static str;
    /// The versions that can be read.
    const VERSIONS: &'static [u32];

    fn version(&self) -> u32;
}

impl Document for Plan {
    const NAME: &'static str = "plan";
    const VERSIONS: &'static [u32] = &[1];

    fn version(&self) -> u32 {
        self.version
    }
}

impl Document for Profile {
    const NAME: &'static str = "profile";
    const VERSIONS: &'static [u32] = &[1];

    fn version(&self) -> u32 {
        self.version
    }
}

impl Document for Baseline {
    const NAME: &'static str = "baseline";
    const VERSIONS: &'static [u32] = &[1];

    fn version(&self) -> u32 {
        self.version
    }
}

/// Reads a document that the user named. What is wrong with it is told with its line and column.
pub fn read<D: Document>(path: &Path) -> Result<D> {
    let (shown, name) = (path.display(), D::NAME);
    let text = files::read(path)?;
    let document: D = serde_json::from_str(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Error::Input(format!("{shown}:{line}:{column}: not a {name}: {error}"))
    })?;
    let version = document.version();
    if !D::VERSIONS.contains(&version) {
        let known = D::VERSIONS.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
        let plural = if D::VERSIONS.len() == 1 { "" } else { "s" };
        return Err(Error::Input(format!(
            "{shown}: {name} version {version}, this program knows version{plural} {known}"
        )));
    }
    Ok(document)
}
