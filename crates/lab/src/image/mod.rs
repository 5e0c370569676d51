//! OCI images: where they come from, what they say of themselves, and their file system unpacked.
//! Images come from strangers: every blob is verified against its digest, every size is bounded,
//! and no entry of a layer may touch anything outside the folder that it is unpacked into.

mod archive;
mod blob;
mod entry;
mod layout;
mod members;
mod reference;
mod registry;
mod root;
mod store;
#[cfg(test)]
mod tests;
mod unpack;
mod user;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use oci_spec::image::ImageConfiguration;

pub use reference::Reference;
pub use registry::Name;
use store::Store;
pub use unpack::{Limits, Unpacked};
pub use user::{User, resolve_user};

/// What goes wrong with an image.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input's fault.
    #[error("{reference}: {message}")]
    Bad { reference: String, message: String },
    /// The machine's.
    #[error("{reference}: {doing}")]
    Io { reference: String, doing: String, source: std::io::Error },
    #[error("interrupted")]
    Interrupted,
}

/// How an image is opened.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// In OCI's words (`amd64`, `arm64`): chooses among the manifests of an index.
    pub architecture: &'a str,
    /// What is pulled or decompressed is kept in a new folder or file in this one, and goes with
    /// the image.
    pub scratch: &'a Path,
    /// Set from outside: the work ends with `Error::Interrupted`.
    pub cancelled: &'a AtomicBool,
    /// Told what is being done, in words such as "pulling nginx:1 (2 of 5 layers, 31 MiB)".
    pub tell: &'a (dyn Fn(&str) + Sync),
}

impl<'a> Opening<'a> {
    /// A reader whose reads fail once the work is cancelled.
    fn interrupting<R: Read>(&self, inner: R) -> Interrupting<'a, R> {
        Interrupting { inner, cancelled: self.cancelled }
    }
}

struct Interrupting<'a, R> {
    inner: R,
    cancelled: &'a AtomicBool,
}

impl<R: Read> Read for Interrupting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Not ErrorKind::Interrupted: readers try again on that.
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(io::Error::other("interrupted"));
        }
        self.inner.read(buffer)
    }
}

/// An image that was opened: its configuration is read, its layers are not yet.
#[derive(Debug)]
pub struct Image {
    /// As the user named it.
    pub reference: String,
    /// Digest of the manifest, or of the configuration for an archive without a manifest.
    pub digest: String,
    pub config: ImageConfiguration,
    /// From the lowest to the highest.
    layers: Vec<blob::Blob>,
}

impl Image {
    /// Opens a layout, an archive, or an image in a registry, which is pulled.
    pub fn open(reference: &Reference, architecture: &str) -> Result<Image, Error> {
        let scratch = std::env::temp_dir();
        let (cancelled, tell) = (AtomicBool::new(false), |_: &str| {});
        Image::open_with(reference, &Opening { architecture, scratch: &scratch, cancelled: &cancelled, tell: &tell })
    }

    /// The same, with all that can be said about how.
    pub fn open_with(reference: &Reference, opening: &Opening<'_>) -> Result<Image, Error> {
        let name = reference.to_string();
        let bad = |message| Error::Bad { reference: name.clone(), message };
        let opened = match reference {
            Reference::Layout { folder, tag } => Store::folder(folder)
                .map_err(bad)
                .and_then(|store| layout::open(&name, &store, tag.as_deref(), opening.architecture)),
            Reference::OciArchive { file, tag } => Store::tar(file, opening)
                .map_err(bad)
                .and_then(|store| layout::open(&name, &store, tag.as_deref(), opening.architecture)),
            Reference::DockerArchive { file } => {
                Store::tar(file, opening).map_err(bad).and_then(|store| archive::open(&name, &store))
            }
            Reference::Registry(name) => registry::open(name, opening),
        };
        opened.map_err(|error| settled(opening.cancelled, error))
    }

    /// Unpacks every layer, in order, into a folder that exists and is empty. The folder must lie
    /// where no other user of the machine reaches it: it will hold the image's setuid programs.
    pub fn unpack(&self, into: &Path, limits: &Limits) -> Result<Unpacked, Error> {
        self.unpack_until(into, limits, &AtomicBool::new(false))
    }

    /// The same, and ends with `Error::Interrupted` once `cancelled` is set.
    pub fn unpack_until(&self, into: &Path, limits: &Limits, cancelled: &AtomicBool) -> Result<Unpacked, Error> {
        unpack::unpack(self, into, limits, cancelled).map_err(|error| settled(cancelled, error))
    }

    fn bad(&self, message: impl Into<String>) -> Error {
        Error::Bad { reference: self.reference.clone(), message: message.into() }
    }
}

/// What goes wrong after the work was cancelled went wrong because of it; what strangers wrote
/// into a message stays on its line.
fn settled(cancelled: &AtomicBool, error: Error) -> Error {
    match error {
        _ if cancelled.load(Ordering::Relaxed) => Error::Interrupted,
        Error::Bad { reference, message } => Error::Bad { reference, message: one_line(&message) },
        other => other,
    }
}

/// Longest message in characters.
const MAX_MESSAGE: usize = 1000;

fn one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    for c in message.chars().take(MAX_MESSAGE) {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    if message.chars().nth(MAX_MESSAGE).is_some() {
        line.push('…');
    }
    line
}

/// A path for a message: what the user gave, made printable.
fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

/// The digests that are understood, `sha256:` and 64 hex digits, as a path below `blobs`.
fn blob_path(digest: &str) -> Option<PathBuf> {
    let hex = digest.strip_prefix("sha256:")?;
    let plain = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    plain.then(|| Path::new("sha256").join(hex))
}
