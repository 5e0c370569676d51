//! OCI image layouts: `index.json` and `blobs/`, in a folder or an archive.
//! Source: OCI image specification 1.1.

use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest, MediaType, Os};

use super::blob::Blob;
use super::store::Store;
use super::{Error, Image};

/// Indexes in indexes are followed so deep.
pub(super) const MAX_INDEXES: usize = 4;

const REF_NAME: &str = "org.opencontainers.image.ref.name";

pub(super) fn open(reference: &str, store: &Store, tag: Option<&str>, architecture: &str) -> Result<Image, Error> {
    read(reference, store, tag, architecture).map_err(|message| Error::Bad { reference: reference.to_owned(), message })
}

fn read(reference: &str, store: &Store, tag: Option<&str>, architecture: &str) -> Result<Image, String> {
    let index = store.find("index.json")?.ok_or("not an OCI image layout: it has no index.json")?.document()?;
    let index: ImageIndex = serde_json::from_slice(&index).map_err(|error| format!("index.json: {error}"))?;
    let mut descriptor = choose(index.manifests(), tag, architecture)?.clone();
    for _ in 0..MAX_INDEXES {
        if !is_index(descriptor.media_type()) {
            break;
        }
        let nested = document(store, &descriptor)?;
        let nested: ImageIndex =
            serde_json::from_slice(&nested).map_err(|error| format!("index {}: {error}", descriptor.digest()))?;
        descriptor = choose_platform(nested.manifests(), architecture)?.clone();
    }
    let digest = descriptor.digest().to_string();
    let manifest = parse_manifest(&digest, &document(store, &descriptor)?)?;
    let config = document(store, manifest.config())?;
    let layers = manifest.layers().iter().map(|layer| find_layer(store, layer)).collect::<Result<_, _>>()?;
    image(reference, digest, &config, layers)
}

/// A manifest, or why it is none.
pub(super) fn parse_manifest(digest: &str, bytes: &[u8]) -> Result<ImageManifest, String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Versioned {
        schema_version: u32,
    }
    if serde_json::from_slice::<Versioned>(bytes).is_ok_and(|manifest| manifest.schema_version == 1) {
        return Err(format!("manifest {digest} is of schema version 1, which Docker gave up: push the image again"));
    }
    serde_json::from_slice(bytes).map_err(|error| format!("manifest {digest}: {error}"))
}

/// An image of what was read; `layers` from the lowest to the highest.
pub(super) fn image(reference: &str, digest: String, config: &[u8], layers: Vec<Blob>) -> Result<Image, String> {
    let config = parse_config(&digest, config)?;
    let known = config.rootfs().diff_ids().len();
    if layers.len() != known {
        return Err(format!("{} layers, but its configuration knows {known}", layers.len()));
    }
    Ok(Image { reference: reference.to_owned(), digest, config, layers })
}

/// A configuration of an image that can be run here.
pub(super) fn parse_config(digest: &str, bytes: &[u8]) -> Result<ImageConfiguration, String> {
    let config: ImageConfiguration =
        serde_json::from_slice(bytes).map_err(|error| format!("configuration of {digest}: {error}"))?;
    match config.os() {
        Os::Linux => Ok(config),
        other => Err(format!("the image is for {other}, and only linux is run here")),
    }
}

fn document(store: &Store, descriptor: &Descriptor) -> Result<Vec<u8>, String> {
    store.blob(descriptor.digest().as_ref(), descriptor.size())?.document()
}

fn find_layer(store: &Store, layer: &Descriptor) -> Result<Blob, String> {
    check_layer(layer)?;
    store.blob(layer.digest().as_ref(), layer.size()).map_err(|message| match is_foreign(layer) {
        true => foreign(layer),
        false => message,
    })
}

/// Layers that are no tar cannot be unpacked.
pub(super) fn check_layer(layer: &Descriptor) -> Result<(), String> {
    let media = layer.media_type().to_string();
    if media.contains("encrypted") {
        return Err(format!("layer {} is encrypted, and no key is looked for", layer.digest()));
    }
    if !media.contains("tar") {
        return Err(format!("layer {} is no file system but {}", layer.digest(), media.escape_debug()));
    }
    Ok(())
}

/// Docker's foreign layers and OCI's non-distributable ones: their licence keeps them elsewhere.
pub(super) fn is_foreign(layer: &Descriptor) -> bool {
    let media = layer.media_type().to_string();
    media.contains("foreign") || media.contains("nondistributable")
}

pub(super) fn foreign(layer: &Descriptor) -> String {
    format!("layer {} is kept outside the image, and such layers are not fetched", layer.digest())
}

pub(super) fn is_index(media: &MediaType) -> bool {
    let media = media.to_string();
    media.contains("image.index") || media.contains("manifest.list")
}

fn choose<'a>(manifests: &'a [Descriptor], tag: Option<&str>, architecture: &str) -> Result<&'a Descriptor, String> {
    let name_of = |descriptor: &'a Descriptor| {
        descriptor.annotations().as_ref().and_then(|annotations| annotations.get(REF_NAME)).map(String::as_str)
    };
    let names = || {
        let mut names: Vec<&str> = manifests.iter().filter_map(name_of).collect();
        names.dedup();
        match names.is_empty() {
            true => "none of its images has a tag".to_owned(),
            false => format!("it has {}", names.join(", ").escape_debug()),
        }
    };
    if manifests.is_empty() {
        return Err("the layout holds no image".to_owned());
    }
    let candidates: Vec<&Descriptor> = match tag {
        // Some tools write the whole reference as the name: its tag is what counts then.
        Some(tag) => manifests
            .iter()
            .filter(|descriptor| {
                name_of(descriptor)
                    .is_some_and(|name| name == tag || name.rsplit_once(':').is_some_and(|(_, t)| t == tag))
            })
            .collect(),
        None => manifests.iter().collect(),
    };
    let Some(first) = candidates.first() else {
        return Err(format!("no image with the tag {}: {}", tag.unwrap_or_default().escape_debug(), names()));
    };
    if candidates.iter().all(|other| other.digest() == first.digest()) {
        return Ok(first);
    }
    // One image for several platforms has one name, or none at all.
    if candidates.iter().all(|other| name_of(other) == name_of(first) && other.platform().is_some()) {
        return choose_platform(candidates, architecture);
    }
    Err(format!("the layout holds several images, name one with a tag, as in oci:DIR:TAG: {}", names()))
}

pub(super) fn choose_platform<'a>(
    manifests: impl IntoIterator<Item = &'a Descriptor>,
    architecture: &str,
) -> Result<&'a Descriptor, String> {
    let manifests: Vec<&Descriptor> = manifests.into_iter().collect();
    let fits = |descriptor: &&&Descriptor| {
        descriptor
            .platform()
            .as_ref()
            .is_some_and(|platform| *platform.os() == Os::Linux && platform.architecture().to_string() == architecture)
    };
    match (manifests.iter().find(fits), &manifests[..]) {
        (Some(found), _) => Ok(found),
        (None, [one]) if one.platform().is_none() => Ok(one),
        (None, _) => {
            let mut has: Vec<String> = manifests
                .iter()
                .filter_map(|descriptor| descriptor.platform().as_ref())
                .map(|platform| format!("{}/{}", platform.os(), platform.architecture()))
                // Attestations stand among the images, for a platform that nobody has.
                .filter(|platform| platform != "unknown/unknown")
                .collect();
            has.dedup();
            Err(format!("no image for linux/{architecture}: it has {}", has.join(", ").escape_debug()))
        }
    }
}
