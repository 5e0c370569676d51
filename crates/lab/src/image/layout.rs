//! OCI image layouts: a folder with `oci-layout`, `index.json` and `blobs/`.
//! Source: OCI image specification 1.1.

use std::path::Path;

use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest, MediaType};

use super::blob::{Blob, MAX_DOCUMENT};
use super::{Error, Image, blob_path, shown};

/// Indexes in indexes are followed so deep.
const MAX_INDEXES: usize = 4;

const REF_NAME: &str = "org.opencontainers.image.ref.name";

pub(super) fn open(reference: &str, folder: &Path, tag: Option<&str>, architecture: &str) -> Result<Image, Error> {
    let bad = |message: String| Error::Bad { reference: reference.to_owned(), message };
    let index_path = folder.join("index.json");
    let metadata = std::fs::metadata(&index_path).map_err(|error| {
        if folder.is_dir() {
            bad(format!("not an OCI image layout: {}: {error}", shown(&index_path)))
        } else {
            bad(format!("no such folder: {}", shown(folder)))
        }
    })?;
    if metadata.len() > MAX_DOCUMENT {
        return Err(bad("index.json is too large".to_owned()));
    }
    let index = std::fs::read(&index_path).map_err(|error| bad(format!("index.json: {error}")))?;
    let index: ImageIndex = serde_json::from_slice(&index).map_err(|error| bad(format!("index.json: {error}")))?;
    let mut descriptor = choose_tag(index.manifests(), tag).map_err(bad)?.clone();
    for _ in 0..MAX_INDEXES {
        if !is_index(descriptor.media_type()) {
            break;
        }
        let nested = blob(folder, &descriptor).and_then(|blob| blob.document()).map_err(bad)?;
        let nested: ImageIndex =
            serde_json::from_slice(&nested).map_err(|error| bad(format!("{}: {error}", descriptor.digest())))?;
        descriptor = choose_platform(nested.manifests(), architecture).map_err(bad)?.clone();
    }
    let digest = descriptor.digest().to_string();
    let manifest = blob(folder, &descriptor).and_then(|blob| blob.document()).map_err(bad)?;
    let manifest: ImageManifest =
        serde_json::from_slice(&manifest).map_err(|error| bad(format!("manifest {digest}: {error}")))?;
    let config = blob(folder, manifest.config()).and_then(|blob| blob.document()).map_err(bad)?;
    let config: ImageConfiguration =
        serde_json::from_slice(&config).map_err(|error| bad(format!("configuration of {digest}: {error}")))?;
    let mut layers = Vec::new();
    for layer in manifest.layers() {
        let media = layer.media_type().to_string();
        if media.contains("encrypted") {
            return Err(bad(format!("layer {} is encrypted", layer.digest())));
        }
        if !media.contains("tar") {
            return Err(bad(format!("layer {} is no file system but {media}", layer.digest())));
        }
        layers.push(blob(folder, layer).map_err(bad)?);
    }
    if layers.len() != config.rootfs().diff_ids().len() {
        return Err(bad(format!(
            "{} layers, but its configuration knows {}",
            layers.len(),
            config.rootfs().diff_ids().len()
        )));
    }
    Ok(Image { reference: reference.to_owned(), digest, config, layers })
}

fn is_index(media: &MediaType) -> bool {
    let media = media.to_string();
    media.contains("image.index") || media.contains("manifest.list")
}

fn choose_tag<'a>(manifests: &'a [Descriptor], tag: Option<&str>) -> Result<&'a Descriptor, String> {
    let name_of = |descriptor: &'a Descriptor| {
        descriptor.annotations().as_ref().and_then(|annotations| annotations.get(REF_NAME)).map(String::as_str)
    };
    let names = || {
        let names: Vec<&str> = manifests.iter().filter_map(name_of).collect();
        if names.is_empty() { "none of them has a tag".to_owned() } else { format!("it has {}", names.join(", ")) }
    };
    match (tag, manifests) {
        (_, []) => Err("the layout holds no image".to_owned()),
        (None, [one]) => Ok(one),
        (None, _) => Err(format!("the layout holds several images, name one with oci:DIR:TAG: {}", names())),
        // Some tools write the whole reference as the name: its tag is what counts then.
        (Some(tag), _) => manifests
            .iter()
            .find(|descriptor| {
                name_of(descriptor)
                    .is_some_and(|name| name == tag || name.rsplit_once(':').is_some_and(|(_, t)| t == tag))
            })
            .ok_or_else(|| format!("no image with the tag {tag}: {}", names())),
    }
}

fn choose_platform<'a>(manifests: &'a [Descriptor], architecture: &str) -> Result<&'a Descriptor, String> {
    let fits = |descriptor: &&Descriptor| match descriptor.platform() {
        Some(platform) => platform.os().to_string() == "linux" && platform.architecture().to_string() == architecture,
        None => false,
    };
    if let Some(found) = manifests.iter().find(fits) {
        return Ok(found);
    }
    match manifests {
        [one] if one.platform().is_none() => Ok(one),
        _ => {
            let has: Vec<String> = manifests
                .iter()
                .filter_map(|descriptor| descriptor.platform().as_ref())
                .map(|platform| format!("{}/{}", platform.os(), platform.architecture()))
                .collect();
            Err(format!("no image for linux/{architecture}: it has {}", has.join(", ")))
        }
    }
}

fn blob(folder: &Path, descriptor: &Descriptor) -> Result<Blob, String> {
    let digest = descriptor.digest().to_string();
    let path = blob_path(&digest).ok_or_else(|| format!("{digest} is not a sha256 digest"))?;
    let file = folder.join("blobs").join(path);
    let metadata = std::fs::symlink_metadata(&file).map_err(|_| format!("blob {digest} is missing"))?;
    if !metadata.is_file() {
        return Err(format!("blob {digest} is not a file"));
    }
    if metadata.len() != descriptor.size() {
        return Err(format!("blob {digest} is cut off: {} of {} bytes", metadata.len(), descriptor.size()));
    }
    Ok(Blob { file, offset: 0, size: metadata.len(), digest: Some(digest), kept: None })
}
