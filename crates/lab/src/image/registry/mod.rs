//! Images in registries, pulled by the OCI distribution protocol into an OCI layout in a temporary
//! folder. Written on a plain HTTP client: the crate oci-client 0.18 reads manifests, tokens and
//! error pages of any size into memory, and a registry may be hostile.

mod client;
mod credentials;
mod failure;
mod name;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oci_spec::image::{Descriptor, ImageIndex};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::blob::{Kept, MAX_DOCUMENT, digest_of};
use super::layout::{self, MAX_INDEXES};
use super::store::Store;
use super::{Error, Image, Opening, blob_path};
use client::{Registry, Sink};
use credentials::Sources;
use failure::Failure;
pub use name::Name;

/// What a manifest may be: of one image, or of several by platform.
const MANIFESTS: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// Layers of one image together, as they are sent: as much as an image may unpack to.
const MAX_PULL: u64 = 20 << 30;

/// Layers that are pulled at the same time; Docker takes as many.
const AT_ONCE: usize = 3;

/// How soon a cancelled pull is left.
const WATCH: Duration = Duration::from_millis(50);

pub(super) fn open(name: &Name, opening: &Opening<'_>) -> Result<Image, Error> {
    open_with(name, opening, Sources::of_user())
}

fn open_with(name: &Name, opening: &Opening<'_>, sources: Sources) -> Result<Image, Error> {
    let reference = name.to_string();
    let fault = |doing: &str, source| Error::Io { reference: reference.clone(), doing: doing.to_owned(), source };
    let folder = tempfile::Builder::new()
        .prefix("tojimari-pull-")
        .tempdir_in(opening.scratch)
        .map_err(|error| fault("making a temporary folder", error))?;
    pull(name, opening, sources, &folder).map_err(|failure| match failure {
        Failure::Refused(message) => Error::Bad { reference: reference.clone(), message },
        Failure::Network(message) | Failure::Unreachable(message) => {
            fault("pulling", std::io::Error::other(super::one_line(&message)))
        }
        Failure::Io(error) => fault("keeping what was pulled", error),
    })?;
    let store = Store::Folder { folder: folder.path().to_owned(), kept: Some(Arc::new(Kept::Folder(folder))) };
    layout::open(&reference, &store, None, opening.architecture)
}

/// Pulls in a thread of its own, which is left to itself when the work is cancelled: a read from the
/// network cannot be interrupted, but it ends in time, and its thread then finds the flag.
fn pull(name: &Name, opening: &Opening<'_>, sources: Sources, folder: &TempDir) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let (send, receive) = channel();
    let work = {
        let (name, architecture) = (name.clone(), opening.architecture.to_owned());
        let (folder, stop) = (folder.path().to_owned(), stop.clone());
        move || {
            let outcome = Registry::new(&name, sources, stop).and_then(|registry| {
                Pull { registry: &registry, name: &name, folder: &folder, tell: &send }.whole(&architecture)
            });
            let _ = send.send(Said::Done(outcome));
        }
    };
    std::thread::Builder::new().name("pull".to_owned()).spawn(work).map_err(Failure::Io)?;
    loop {
        if opening.cancelled.load(Ordering::Relaxed) {
            stop.store(true, Ordering::Relaxed);
            return Err(Failure::Refused("interrupted".to_owned()));
        }
        match receive.recv_timeout(WATCH) {
            Ok(Said::Step(step)) => (opening.tell)(&step),
            Ok(Said::Done(outcome)) => return outcome,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Failure::Unreachable("the pull ended early".to_owned())),
        }
    }
}

enum Said {
    Step(String),
    Done(Result<(), Failure>),
}

struct Pull<'a> {
    registry: &'a Registry,
    name: &'a Name,
    folder: &'a Path,
    tell: &'a Sender<Said>,
}

impl Pull<'_> {
    /// Makes an OCI layout of one image.
    fn whole(&self, architecture: &str) -> Result<(), Failure> {
        self.say(format!("pulling {}", self.name));
        std::fs::create_dir_all(self.folder.join("blobs/sha256")).map_err(Failure::Io)?;
        let (digest, bytes) = self.manifest(architecture)?;
        let manifest = layout::parse_manifest(&digest, &bytes).map_err(Failure::Refused)?;
        self.keep(&digest, &bytes)?;
        let config = self.small_blob(manifest.config())?;
        // Before gigabytes of layers are on their way.
        layout::parse_config(&digest, &config).map_err(Failure::Refused)?;
        self.layers(manifest.layers())?;
        let descriptor = format!(r#"{{"mediaType":"{}","digest":"{digest}","size":{}}}"#, MANIFESTS[0], bytes.len());
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{descriptor}]}}"#);
        std::fs::write(self.folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).map_err(Failure::Io)?;
        std::fs::write(self.folder.join("index.json"), index).map_err(Failure::Io)
    }

    fn say(&self, step: String) {
        // Nobody listens any more to a pull that was cancelled.
        let _ = self.tell.send(Said::Step(step));
    }

    /// The manifest for this platform and its digest.
    fn manifest(&self, architecture: &str) -> Result<(String, Vec<u8>), Failure> {
        let mut version = self.name.version().to_owned();
        for _ in 0..=MAX_INDEXES {
            let (bytes, media) = self.registry.document(&format!("manifests/{version}"), &MANIFESTS, MAX_DOCUMENT)?;
            let digest = digest_of(Sha256::new_with_prefix(&bytes));
            if version.contains(':') && version != digest {
                return Err(Failure::Refused(format!("manifest {version}: its content has another digest, {digest}")));
            }
            // The document's own word for what it is, where it has one, and else the registry's.
            #[derive(serde::Deserialize)]
            #[serde(rename_all = "camelCase")]
            struct Typed {
                media_type: Option<String>,
            }
            let own = serde_json::from_slice::<Typed>(&bytes).ok().and_then(|typed| typed.media_type);
            if !layout::is_index(&own.unwrap_or(media).as_str().into()) {
                return Ok((digest, bytes));
            }
            let index: ImageIndex =
                serde_json::from_slice(&bytes).map_err(|error| Failure::Refused(format!("index {digest}: {error}")))?;
            let chosen = layout::choose_platform(index.manifests(), architecture).map_err(Failure::Refused)?;
            version = chosen.digest().to_string();
            blob_path(&version).ok_or_else(|| Failure::Refused(format!("{version} is not a sha256 digest")))?;
        }
        Err(Failure::Refused("indexes in indexes without end".to_owned()))
    }

    fn small_blob(&self, descriptor: &Descriptor) -> Result<Vec<u8>, Failure> {
        let digest = descriptor.digest().to_string();
        blob_path(&digest).ok_or_else(|| Failure::Refused(format!("{digest} is not a sha256 digest")))?;
        let (bytes, _) = self.registry.document(&format!("blobs/{digest}"), &["*/*"], MAX_DOCUMENT)?;
        let found = digest_of(Sha256::new_with_prefix(&bytes));
        if found != digest {
            return Err(Failure::Refused(format!("blob {digest}: its content has another digest, {found}")));
        }
        self.keep(&digest, &bytes)?;
        Ok(bytes)
    }

    fn keep(&self, digest: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = blob_path(digest).ok_or_else(|| Failure::Refused(format!("{digest} is not a sha256 digest")))?;
        std::fs::write(self.folder.join("blobs").join(path), bytes).map_err(Failure::Io)
    }

    fn layers(&self, layers: &[Descriptor]) -> Result<(), Failure> {
        let mut seen = BTreeSet::new();
        let mut wanted = Vec::new();
        let mut total: u64 = 0;
        for layer in layers {
            layout::check_layer(layer).map_err(Failure::Refused)?;
            if layout::is_foreign(layer) {
                return Err(Failure::Refused(layout::foreign(layer)));
            }
            // The same layer twice is sent once.
            if seen.insert(layer.digest().to_string()) {
                total = total.saturating_add(layer.size());
                wanted.push(layer);
            }
        }
        if total > MAX_PULL {
            return Err(Failure::Refused(format!("its layers are larger than {} GiB", MAX_PULL >> 30)));
        }
        let (next, received, done) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicUsize::new(0));
        let failed: Mutex<Option<Failure>> = Mutex::new(None);
        let told = AtomicU64::new(0);
        let tell = || {
            let mib = received.load(Ordering::Relaxed) >> 20;
            // Every 16 MiB is often enough.
            if mib / 16 > told.fetch_max(mib, Ordering::Relaxed) / 16 {
                let done = done.load(Ordering::Relaxed);
                self.say(format!(
                    "pulling {} ({mib} of {} MiB, {done} of {} layers)",
                    self.name,
                    total >> 20,
                    wanted.len()
                ));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(wanted.len()) {
                scope.spawn(|| {
                    while let Some(layer) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let outcome = self.layer(layer, &|bytes| {
                            received.fetch_add(bytes, Ordering::Relaxed);
                            tell();
                        });
                        done.fetch_add(1, Ordering::Relaxed);
                        if let Err(failure) = outcome {
                            let mut failed = failed.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                            failed.get_or_insert(failure);
                            self.registry.give_up();
                            return;
                        }
                    }
                });
            }
        });
        let failed = failed.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        failed.map_or(Ok(()), Err)
    }

    /// One layer into its file, verified on the way.
    fn layer(&self, layer: &Descriptor, received: &dyn Fn(u64)) -> Result<(), Failure> {
        let digest = layer.digest().to_string();
        let path = blob_path(&digest).ok_or_else(|| Failure::Refused(format!("{digest} is not a sha256 digest")))?;
        let path = self.folder.join("blobs").join(path);
        let part = path.with_extension("part");
        let mut sink = LayerFile { digest: &digest, limit: layer.size(), part: &part, received, begun: None };
        self.registry.blob(&format!("blobs/{digest}"), &mut sink)?;
        let (hasher, size) = sink.begun.map(|(_, hasher, size)| (hasher, size)).unwrap_or_default();
        if size != layer.size() {
            return Err(Failure::Refused(format!("layer {digest} is cut off: {size} of {} bytes", layer.size())));
        }
        let found = digest_of(hasher);
        if found != digest {
            return Err(Failure::Refused(format!("layer {digest}: its content has another digest, {found}")));
        }
        std::fs::rename(part, path).map_err(Failure::Io)
    }
}

/// The file of a layer that is on its way.
struct LayerFile<'a> {
    digest: &'a str,
    limit: u64,
    part: &'a Path,
    received: &'a dyn Fn(u64),
    /// The file, the hash of what was received, and its bytes.
    begun: Option<(File, Sha256, u64)>,
}

impl Sink for LayerFile<'_> {
    fn begin(&mut self) -> Result<(), Failure> {
        self.begun = Some((File::create(self.part).map_err(Failure::Io)?, Sha256::new(), 0));
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Some((file, hasher, size)) = &mut self.begun else { return Ok(()) };
        *size += bytes.len() as u64;
        if *size > self.limit {
            let more = format!("layer {} has more than the {} bytes that are expected", self.digest, self.limit);
            return Err(Failure::Refused(more));
        }
        hasher.update(bytes);
        (self.received)(bytes.len() as u64);
        file.write_all(bytes).map_err(Failure::Io)
    }
}
