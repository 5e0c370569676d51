//! Images as strangers make them: what is wrong with them is said in one line, and nothing outside
//! the folder they are unpacked into is ever touched.

mod open;
mod unpack;

use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tar::EntryType;

use super::*;

/// A member of a layer: kind, path, link target or content.
pub(super) type Entry<'a> = (EntryType, &'a str, &'a str);

const DIR: EntryType = EntryType::Directory;
pub(super) const FILE: EntryType = EntryType::Regular;
const LINK: EntryType = EntryType::Link;
const SYMLINK: EntryType = EntryType::Symlink;

/// Says why a test was not run, past the harness, which keeps what a passing test prints.
pub(super) fn skip(what: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {what}");
}

/// A tar of these members, with names as they are: no writer's scruples.
pub(super) fn tar_of(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (kind, path, rest) in entries {
        let mut header = tar::Header::new_gnu();
        let (content, link) = if *kind == FILE { (*rest, "") } else { ("", *rest) };
        let gnu = header.as_gnu_mut().expect("a GNU header");
        gnu.name[..path.len()].copy_from_slice(path.as_bytes());
        gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(if *kind == DIR { 0o755 } else { 0o644 });
        header.set_size(content.len() as u64);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_cksum();
        tar.append(&header, content.as_bytes()).expect("a member");
    }
    tar.into_inner().expect("a tar")
}

pub(super) fn sha(bytes: &[u8]) -> String {
    blob::digest_of(Sha256::new_with_prefix(bytes))
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

/// Writes a layout of these tars; the stored form is gzip.
fn layout(folder: &Path, layers: &[Vec<u8>]) -> Reference {
    layout_of(folder, layers, &layers.iter().map(|layer| gzip(layer)).collect::<Vec<_>>())
}

fn layout_of(folder: &Path, layers: &[Vec<u8>], stored: &[Vec<u8>]) -> Reference {
    let diff_ids: Vec<String> = layers.iter().map(|layer| sha(layer)).collect();
    let config = serde_json::json!({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/x"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let layers: Vec<_> = stored.iter().map(|stored| put(folder, &format!("{TAR}+gzip"), stored)).collect();
    let config = put(folder, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
    let manifest = serde_json::json!({"schemaVersion": 2, "config": config, "layers": layers});
    put_index(folder, &[put(folder, MANIFEST, manifest.to_string().as_bytes())]);
    Reference::Layout { folder: folder.to_owned(), tag: None }
}

/// A layout of one manifest, whose media types and documents can be changed before they are stored.
struct Shaped<'a> {
    architecture: &'a str,
    os: &'a str,
    layer_media: &'a str,
    ref_name: Option<&'a str>,
}

pub(super) const TAR: &str = "application/vnd.oci.image.layer.v1.tar";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Default for Shaped<'_> {
    fn default() -> Self {
        Shaped { architecture: "amd64", os: "linux", layer_media: TAR, ref_name: None }
    }
}

impl Shaped<'_> {
    /// Stores an image with this one layer and returns the descriptor of its manifest.
    fn store(&self, folder: &Path, layer: &[u8]) -> serde_json::Value {
        let config = serde_json::json!({"architecture": self.architecture, "os": self.os,
            "rootfs": {"type": "layers", "diff_ids": [sha(layer)]}});
        let config = put(folder, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
        let layer = put(folder, self.layer_media, layer);
        let manifest = serde_json::json!({"schemaVersion": 2, "config": config, "layers": [layer]});
        let mut manifest = put(folder, MANIFEST, manifest.to_string().as_bytes());
        manifest["platform"] = serde_json::json!({"architecture": self.architecture, "os": self.os});
        if let Some(name) = self.ref_name {
            manifest["annotations"] = serde_json::json!({"org.opencontainers.image.ref.name": name});
        }
        manifest
    }
}

/// Stores a blob and returns its descriptor.
fn put(folder: &Path, media: &str, bytes: &[u8]) -> serde_json::Value {
    let digest = sha(bytes);
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("blobs");
    std::fs::write(blobs.join(&digest["sha256:".len()..]), bytes).expect("a blob");
    serde_json::json!({"mediaType": media, "digest": digest, "size": bytes.len()})
}

fn put_index(folder: &Path, manifests: &[serde_json::Value]) {
    let index = serde_json::json!({"schemaVersion": 2, "manifests": manifests});
    std::fs::write(folder.join("index.json"), index.to_string()).expect("an index");
}

/// A folder with an image and an empty root, inside one that must stay as it is.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("root")).expect("a root");
        let outside = std::fs::File::create(folder.path().join("outside")).expect("a file");
        (&outside).write_all(b"untouched").expect("a file");
        outside.set_permissions(std::fs::Permissions::from_mode(0o640)).expect("a mode");
        outside.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).expect("a time");
        Bench { folder }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    fn unpack(&self, layers: &[Vec<u8>]) -> Result<Unpacked, String> {
        self.unpack_within(layers, &Limits::default())
    }

    fn unpack_within(&self, layers: &[Vec<u8>], limits: &Limits) -> Result<Unpacked, String> {
        let reference = layout(&self.folder.path().join("image"), layers);
        let image = Image::open(&reference, "amd64").map_err(|error| error.to_string())?;
        let unpacked = image.unpack(&self.root(), limits).map_err(|error| error.to_string());
        self.nothing_outside();
        unpacked
    }

    fn nothing_outside(&self) {
        let outside = std::fs::symlink_metadata(self.folder.path().join("outside")).expect("a file");
        assert_eq!((outside.nlink(), outside.mode() & 0o7777, outside.mtime()), (1, 0o640, 1_000_000_000));
        let mut names: Vec<_> =
            std::fs::read_dir(self.folder.path()).expect("the folder").flatten().map(|e| e.file_name()).collect();
        names.sort();
        assert_eq!(names, ["image", "outside", "root"]);
        assert_eq!(std::fs::read_to_string(self.folder.path().join("outside")).expect("a file"), "untouched");
    }
}
