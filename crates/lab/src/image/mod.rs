//! OCI images: where they come from, what they say of themselves, and their file system unpacked.
//! Images come from strangers: every blob is verified against its digest, every size is bounded,
//! and no entry of a layer may touch anything outside the folder that it is unpacked into.

mod archive;
mod blob;
mod entry;
mod facts;
mod layout;
mod members;
mod reference;
#[cfg(test)]
mod tests;
mod unpack;
mod user;

use std::path::{Path, PathBuf};

use oci_spec::image::ImageConfiguration;

pub use facts::{exists, folder_facts};
pub use reference::Reference;
pub use unpack::{Limits, Unpacked};
pub use user::{User, resolve_user};

/// What goes wrong with an image. Every one of these is the input's fault but `Io`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{reference}: {message}")]
    Bad { reference: String, message: String },
    #[error("{reference}: {doing}: {source}")]
    Io { reference: String, doing: String, source: std::io::Error },
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
    /// Opens an OCI layout or an archive. `architecture` is in OCI's words (`amd64`, `arm64`) and
    /// chooses among the manifests of an index.
    pub fn open(reference: &Reference, architecture: &str) -> Result<Image, Error> {
        match reference {
            Reference::Layout { folder, tag } => {
                layout::open(&reference.to_string(), folder, tag.as_deref(), architecture)
            }
            Reference::DockerArchive { file } => archive::open(&reference.to_string(), file),
            Reference::Registry { name } => Err(Error::Bad {
                reference: name.clone(),
                message: "images are not pulled from registries yet: save it with `docker save` and use \
                          docker-archive:FILE"
                    .to_owned(),
            }),
        }
    }

    /// Unpacks every layer, in order, into a folder that exists and is empty.
    pub fn unpack(&self, into: &Path, limits: &Limits) -> Result<Unpacked, Error> {
        unpack::unpack(self, into, limits)
    }

    fn bad(&self, message: impl Into<String>) -> Error {
        Error::Bad { reference: self.reference.clone(), message: message.into() }
    }
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
