//! `docker save` archives: a tar with `manifest.json`, a configuration and layers, in the layout of
//! old (a folder a layer, some of them links) or of Docker 25 and later (an OCI layout inside).

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::blob::{Blob, digest_of};
use super::store::{Store, normal};
use super::{Error, Image, layout};

/// Indexes of an archive are looked through for the manifest of its image, so many at most.
const MAX_MANIFESTS: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ManifestEntry {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

pub(super) fn open(reference: &str, store: &Store) -> Result<Image, Error> {
    let bad = |message: String| Error::Bad { reference: reference.to_owned(), message };
    let missing = |name: &str| format!("{} is missing in the archive", name.escape_debug());
    // Names that are digests are held to them.
    let blob = |name: &str| -> Result<Blob, String> {
        let name = normal(name);
        let blob = store.find(&name)?.ok_or_else(|| missing(&name))?;
        Ok(Blob { digest: digest_in(&name), ..blob })
    };
    let manifest = store.find("manifest.json").map_err(bad)?.ok_or_else(|| {
        bad(match store.find("index.json") {
            Ok(Some(_)) => "it holds an OCI image layout: name it with oci-archive:FILE".to_owned(),
            _ => "not a docker archive: it has no manifest.json".to_owned(),
        })
    })?;
    let manifest = manifest.document().map_err(bad)?;
    let manifest: Vec<ManifestEntry> =
        serde_json::from_slice(&manifest).map_err(|error| bad(format!("manifest.json: {error}")))?;
    let entry = match &manifest[..] {
        [one] => one,
        [] => return Err(bad("the archive holds no image".to_owned())),
        many => {
            let tags: Vec<&str> = many.iter().flat_map(|m| m.repo_tags.iter().flatten()).map(String::as_str).collect();
            return Err(bad(format!(
                "the archive holds {} images, save one alone: {}",
                many.len(),
                tags.join(", ").escape_debug()
            )));
        }
    };
    let bytes = blob(&entry.config).and_then(|blob| blob.document()).map_err(bad)?;
    let layers: Vec<Blob> = entry.layers.iter().map(|layer| blob(layer)).collect::<Result<_, _>>().map_err(bad)?;
    let config_digest = digest_of(Sha256::new_with_prefix(&bytes));
    let digest = manifest_digest(store, &config_digest).unwrap_or_else(|| config_digest.clone());
    layout::image(reference, digest, &bytes, layers).map_err(bad)
}

/// `blobs/sha256/HEX`, or `HEX.json` for a configuration of old. The folders of old are named after
/// something else than their content.
fn digest_in(name: &str) -> Option<String> {
    let hex = name.strip_prefix("blobs/sha256/").or_else(|| name.strip_suffix(".json"))?;
    let digest = format!("sha256:{hex}");
    super::blob_path(&digest).is_some().then_some(digest)
}

/// The digest of the manifest in the archive that has this configuration, where there is one.
fn manifest_digest(store: &Store, config: &str) -> Option<String> {
    let index = store.find("index.json").ok()??.document().ok()?;
    let index: ImageIndex = serde_json::from_slice(&index).ok()?;
    let mut left: Vec<Descriptor> = index.manifests().clone();
    for _ in 0..MAX_MANIFESTS {
        let descriptor = left.pop()?;
        let digest = descriptor.digest().to_string();
        let Ok(bytes) = store.blob(&digest, descriptor.size()).and_then(|blob| blob.document()) else { continue };
        if layout::is_index(descriptor.media_type()) {
            if let Ok(nested) = serde_json::from_slice::<ImageIndex>(&bytes) {
                left.extend(nested.manifests().iter().cloned());
            }
        } else if serde_json::from_slice::<ImageManifest>(&bytes)
            .is_ok_and(|manifest| manifest.config().digest().to_string() == config)
        {
            return Some(digest);
        }
    }
    None
}
