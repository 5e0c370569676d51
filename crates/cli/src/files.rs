//! Reading what the user names and writing what they keep: never a half-written file.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::exit::BadInput;

/// The largest file that is read whole: no task definition, profile or plan comes near it.
const MAX_BYTES: u64 = 100 << 20;

/// Reads a text file that the user named.
pub fn read(path: &Path) -> Result<String> {
    let shown = path.display();
    let file = readable(path)?;
    std::io::read_to_string(file).map_err(|error| {
        let why =
            if error.kind() == std::io::ErrorKind::InvalidData { "not UTF-8 text".into() } else { error.to_string() };
        BadInput(format!("{shown}: {why}")).into()
    })
}

/// Opens a file that the user named, and says what keeps it from being read.
pub fn readable(path: &Path) -> Result<std::fs::File> {
    let shown = path.display();
    let file = std::fs::File::open(path).map_err(|error| BadInput(format!("{shown}: {error}")))?;
    let metadata = file.metadata().map_err(|error| BadInput(format!("{shown}: {error}")))?;
    if metadata.is_dir() {
        return Err(BadInput(format!("{shown}: is a folder, a file is needed")).into());
    }
    if metadata.len() > MAX_BYTES {
        return Err(BadInput(format!("{shown}: larger than {} MiB", MAX_BYTES >> 20)).into());
    }
    Ok(file)
}

/// Whether a file may be replaced: one that is read-only is meant to stay.
pub fn writable(path: &Path) -> Result<()> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| BadInput(format!("{shown}: {error}")))?;
    match metadata.permissions().readonly() {
        true => Err(BadInput(format!("{shown}: the file is read-only")).into()),
        false => Ok(()),
    }
}

/// Writes beside the target and renames, so that a reader sees the old bytes or the new ones. The
/// mode and owner of a file that is replaced stay as they were.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let shown = path.display();
    // A link stays a link: what it leads to is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let before = std::fs::metadata(&target).ok();
    let mut beside = tempfile::Builder::new()
        .prefix(".tojimari-")
        .tempfile_in(folder)
        .with_context(|| format!("failed to write {shown}"))?;
    beside.write_all(bytes).with_context(|| format!("failed to write {shown}"))?;
    match &before {
        Some(before) => {
            writable(&target)?;
            beside.as_file().set_permissions(before.permissions())?;
            use std::os::unix::fs::MetadataExt;
            // Only root may give a file away; for others the owner is their own already.
            let _ = std::os::unix::fs::fchown(beside.as_file(), Some(before.uid()), Some(before.gid()));
        }
        None => {
            use std::os::unix::fs::PermissionsExt;
            beside.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
    }
    beside.as_file().sync_all().with_context(|| format!("failed to write {shown}"))?;
    beside.persist(&target).map_err(|error| error.error).with_context(|| format!("failed to write {shown}"))?;
    Ok(())
}

/// Writes a JSON document, indented, with a newline at its end.
pub fn write_json(path: &Path, document: &impl serde::Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    write(path, text.as_bytes())
}

/// To the file of `-o`, or to standard output where none was given or it is `-`.
#[allow(clippy::print_stdout)]
pub fn write_json_or_print(path: Option<&Path>, document: &impl serde::Serialize) -> Result<()> {
    match path {
        Some(path) if path != Path::new("-") => write_json(path, document),
        _ => {
            println!("{}", serde_json::to_string_pretty(document)?);
            Ok(())
        }
    }
}
