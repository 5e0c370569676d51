//! Reading what the user names and writing what they keep: never a half-written file.

use std::io::Write;
use std::path::Path;

use crate::{Error, Result};

/// The largest file that is read whole: no task definition, profile or plan comes near it.
const MAX_BYTES: u64 = 100 << 20;

/// Reads a text file that the user named.
pub fn read(path: &Path) -> Result<String> {
    let shown = path.display();
    let file = readable(path)?;
    std::io::read_to_string(file).map_err(|error| {
        let why =
            if error.kind() == std::io::ErrorKind::InvalidData { "not UTF-8 text".into() } else { error.to_string() };
        Error::Input(format!("{shown}: {why}"))
    })
}

/// Opens a file that the user named, and says what keeps it from being read.
pub fn readable(path: &Path) -> Result<std::fs::File> {
    let shown = path.display();
    let file = std::fs::File::open(path).map_err(|error| Error::Input(format!("{shown}: {error}")))?;
    let metadata = file.metadata().map_err(|error| Error::Input(format!("{shown}: {error}")))?;
    if metadata.is_dir() {
        return Err(Error::Input(format!("{shown}: is a folder, a file is needed")));
    }
    if metadata.len() > MAX_BYTES {
        return Err(Error::Input(format!("{shown}: larger than {} MiB", MAX_BYTES >> 20)));
    }
    Ok(file)
}

/// Whether a file may be replaced: one that is read-only is meant to stay.
pub fn writable(path: &Path) -> Result<()> {
    let shown = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| Error::Input(format!("{shown}: {error}")))?;
    match metadata.permissions().readonly() {
        true => Err(Error::Input(format!("{shown}: the file is read-only"))),
        false => Ok(()),
    }
}

/// Writes beside the target and renames, so that a reader sees the old bytes or the new ones. The
/// mode and owner of a file that is replaced stay as they were.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |out| out.write_all(bytes))
}

/// The same for what is written as it is made.
pub fn write_with(path: &Path, made: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    let failed = || Error::fault(format!("failed to write {}", path.display()));
    // A link stays a link: what it leads to is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let before = std::fs::metadata(&target).ok();
    let mut beside = tempfile::Builder::new().prefix(".tojimari-").tempfile_in(folder).map_err(failed())?;
    let mut out = std::io::BufWriter::new(beside.as_file_mut());
    made(&mut out).and_then(|()| out.flush()).map_err(failed())?;
    drop(out);
    match &before {
        Some(before) => {
            writable(&target)?;
            beside.as_file().set_permissions(before.permissions()).map_err(failed())?;
            keep_owner(beside.as_file(), before);
        }
        None => {
            open_to_all(beside.as_file()).map_err(failed())?;
        }
    }
    beside.as_file().sync_all().map_err(failed())?;
    beside.persist(&target).map_err(|error| error.error).map_err(failed())?;
    Ok(())
}

#[cfg(unix)]
fn keep_owner(file: &std::fs::File, before: &std::fs::Metadata) {
    use std::os::unix::fs::MetadataExt;
    // Only root may give a file away; for others the owner is their own already.
    let _ = std::os::unix::fs::fchown(file, Some(before.uid()), Some(before.gid()));
}

/// Who owns a file is the folder's matter there.
#[cfg(not(unix))]
fn keep_owner(_: &std::fs::File, _: &std::fs::Metadata) {}

/// The file beside was made for its owner alone.
#[cfg(unix)]
fn open_to_all(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_all(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// Writes a JSON document, indented, with a newline at its end.
pub fn write_json(path: &Path, document: &impl serde::Serialize) -> Result<()> {
    write(path, json(document)?.as_bytes())
}

/// A JSON document as it is written.
pub fn json(document: &impl serde::Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(document).map_err(Error::fault("failed to write JSON"))?;
    Ok(text + "\n")
}
