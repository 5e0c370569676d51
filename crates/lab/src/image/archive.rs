//! `docker save` archives: a tar with `manifest.json`, a configuration and layers, in the layout of
//! old (a folder a layer, some of them links) or of Docker 25 and later (an OCI layout inside).
//! Compressed archives are unpacked to a temporary file first, because layers are read by offset.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;

use oci_spec::image::ImageConfiguration;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tar::EntryType;

use super::blob::{Blob, Decoder, digest_of};
use super::{Error, Image, members};

/// The largest archive that is decompressed to disk.
const MAX_ARCHIVE: u64 = 40 << 30;

/// Links to links are followed so far.
const MAX_LINKS: usize = 8;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ManifestEntry {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

enum Found {
    File { offset: u64, size: u64 },
    Link(String),
}

pub(super) fn open(reference: &str, file: &Path) -> Result<Image, Error> {
    let bad = |message: String| Error::Bad { reference: reference.to_owned(), message };
    let opened = File::open(file).map_err(|error| bad(error.to_string()))?;
    let size = opened.metadata().map_err(|error| bad(error.to_string()))?;
    if !size.is_file() {
        return Err(bad("not a file".to_owned()));
    }
    let (tar, kept) = plain(file, size.len()).map_err(|error| bad(error.to_string()))?;
    let index = index(&tar).map_err(|error| bad(format!("not a docker archive: {error}")))?;
    let blob = |name: &str| -> Result<Blob, String> {
        let mut name = name.to_owned();
        for _ in 0..MAX_LINKS {
            match index.get(&name) {
                Some(Found::File { offset, size }) => {
                    return Ok(Blob {
                        file: tar.clone(),
                        offset: *offset,
                        size: *size,
                        digest: None,
                        kept: kept.clone(),
                    });
                }
                Some(Found::Link(target)) => name = target.clone(),
                None => return Err(format!("{} is missing in the archive", name.escape_debug())),
            }
        }
        Err(format!("{} is a link that leads nowhere", name.escape_debug()))
    };
    let manifest = blob("manifest.json").and_then(|blob| blob.document()).map_err(bad)?;
    let manifest: Vec<ManifestEntry> =
        serde_json::from_slice(&manifest).map_err(|error| bad(format!("manifest.json: {error}")))?;
    let entry = match &manifest[..] {
        [one] => one,
        [] => return Err(bad("the archive holds no image".to_owned())),
        many => {
            let tags: Vec<&str> = many.iter().flat_map(|m| m.repo_tags.iter().flatten()).map(String::as_str).collect();
            return Err(bad(format!("the archive holds several images, save one alone: {}", tags.join(", "))));
        }
    };
    let bytes = blob(&normal(&entry.config)).and_then(|blob| blob.document()).map_err(bad)?;
    let config: ImageConfiguration =
        serde_json::from_slice(&bytes).map_err(|error| bad(format!("configuration: {error}")))?;
    let layers: Vec<Blob> =
        entry.layers.iter().map(|layer| blob(&normal(layer))).collect::<Result<_, _>>().map_err(bad)?;
    if layers.len() != config.rootfs().diff_ids().len() {
        return Err(bad(format!(
            "{} layers, but its configuration knows {}",
            layers.len(),
            config.rootfs().diff_ids().len()
        )));
    }
    Ok(Image { reference: reference.to_owned(), digest: digest_of(Sha256::new_with_prefix(&bytes)), config, layers })
}

/// The archive as a plain tar: itself, or its decompressed copy, which goes with the last blob.
fn plain(file: &Path, size: u64) -> io::Result<(std::path::PathBuf, Option<std::sync::Arc<tempfile::TempPath>>)> {
    let whole = Blob { file: file.to_owned(), offset: 0, size, digest: None, kept: None };
    let decoder = Decoder::new(whole.stored()?)?;
    if matches!(decoder, Decoder::Plain(_)) {
        return Ok((file.to_owned(), None));
    }
    let mut copy = tempfile::NamedTempFile::with_prefix("tojimari-archive-")?;
    let mut bounded = io::Read::take(decoder, MAX_ARCHIVE + 1);
    if io::copy(&mut bounded, &mut copy)? > MAX_ARCHIVE {
        return Err(members::invalid("it unpacks to more than 40 GiB"));
    }
    copy.as_file_mut().rewind()?;
    let path = copy.into_temp_path();
    Ok((path.to_path_buf(), Some(std::sync::Arc::new(path))))
}

fn index(tar: &Path) -> io::Result<BTreeMap<String, Found>> {
    let mut index = BTreeMap::new();
    let file = io::BufReader::new(File::open(tar)?);
    members::each(file, |member, _| -> io::Result<()> {
        let path = normal(&String::from_utf8_lossy(&member.path));
        match member.kind {
            EntryType::Regular | EntryType::Continuous => {
                index.insert(path, Found::File { offset: member.position, size: member.size });
            }
            EntryType::Symlink => {
                let target = String::from_utf8_lossy(&member.link.unwrap_or_default()).into_owned();
                let folder = Path::new(&path).parent().unwrap_or(Path::new(""));
                index.insert(path.clone(), Found::Link(normal(&folder.join(target).to_string_lossy())));
            }
            EntryType::Link => {
                let target = String::from_utf8_lossy(&member.link.unwrap_or_default()).into_owned();
                index.insert(path, Found::Link(normal(&target)));
            }
            _ => {}
        }
        Ok(())
    })?;
    if index.is_empty() {
        return Err(members::invalid("it has no members"));
    }
    Ok(index)
}

/// A name in the archive without `.`, `..` and doubled slashes. Names only look up other members.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
