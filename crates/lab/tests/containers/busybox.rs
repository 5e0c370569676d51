//! Images for the tests: busybox and the files of the case, as an OCI layout in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Where Debian's package busybox-static puts it.
const BUSYBOX: &str = "/bin/busybox";

const APPLETS: [&str; 40] = [
    "ash", "awk", "cat", "chmod", "chown", "cp", "date", "dd", "echo", "env", "expr", "false", "grep", "head",
    "hostname", "httpd", "id", "kill", "ln", "ls", "mkdir", "mkfifo", "mknod", "mount", "mv", "nc", "ps", "pwd",
    "readlink", "rm", "rmdir", "sed", "sh", "sleep", "stat", "tail", "test", "touch", "true", "wc",
];

/// A file, folder or link of an image beside busybox.
pub enum Entry {
    Folder { mode: u32, uid: u64 },
    File { mode: u32, content: Vec<u8> },
    Link(&'static str),
}

pub struct Image {
    _folder: TempDir,
    pub reference: String,
}

pub fn available() -> bool {
    // A dynamically linked busybox does not run in an image without libraries.
    let interpreter = |bytes: &[u8]| bytes.windows(20).any(|window| window.starts_with(b"/lib64/ld-linux"));
    fs::read(BUSYBOX).is_ok_and(|bytes| !interpreter(&bytes))
}

/// `config` is the `config` member of the image configuration.
pub fn image(config: Value, entries: &[(&str, Entry)]) -> Image {
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = folder.path().join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a folder");

    let layer = layer(entries);
    let diff_id = format!("sha256:{}", hex(&layer));
    let (layer_digest, layer_size) = put(&blobs, &layer);
    let config = json!({
        "architecture": if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" },
        "os": "linux",
        "config": config,
        "rootfs": { "type": "layers", "diff_ids": [diff_id] },
    });
    let (config_digest, config_size) = put(&blobs, config.to_string().as_bytes());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config_digest,
                    "size": config_size },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer_digest,
                     "size": layer_size }],
    });
    let (manifest_digest, manifest_size) = put(&blobs, manifest.to_string().as_bytes());
    let index = json!({
        "schemaVersion": 2,
        "manifests": [{ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": manifest_digest,
                        "size": manifest_size }],
    });
    fs::write(folder.path().join("index.json"), index.to_string()).expect("written");
    fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("written");
    let reference = format!("oci:{}", folder.path().display());
    Image { _folder: folder, reference }
}

fn put(blobs: &Path, bytes: &[u8]) -> (String, usize) {
    let digest = hex(bytes);
    fs::write(blobs.join(&digest), bytes).expect("written");
    (format!("sha256:{digest}"), bytes.len())
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn layer(entries: &[(&str, Entry)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |path: &str, entry: &Entry| {
        let mut header = tar::Header::new_gnu();
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        let path = PathBuf::from(path.trim_start_matches('/'));
        match entry {
            Entry::Folder { mode, uid } => {
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(*mode);
                header.set_uid(*uid);
                header.set_gid(*uid);
                header.set_size(0);
                tar.append_data(&mut header, path, std::io::empty()).expect("appended");
            }
            Entry::File { mode, content } => {
                header.set_entry_type(tar::EntryType::Regular);
                header.set_mode(*mode);
                header.set_size(content.len() as u64);
                tar.append_data(&mut header, path, content.as_slice()).expect("appended");
            }
            Entry::Link(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_mode(0o777);
                header.set_size(0);
                tar.append_link(&mut header, path, target).expect("appended");
            }
        }
    };
    let root = |mode| Entry::Folder { mode, uid: 0 };
    for folder in ["bin", "dev", "etc", "proc", "root", "run", "sys", "var", "var/lib"] {
        add(folder, &root(0o755));
    }
    add("tmp", &root(0o1777));
    add("etc/passwd", &file("root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n"));
    add("etc/group", &file("root:x:0:\napp:x:1000:\n"));
    add("bin/busybox", &Entry::File { mode: 0o755, content: fs::read(BUSYBOX).expect("busybox") });
    for applet in APPLETS {
        add(&format!("bin/{applet}"), &Entry::Link("busybox"));
    }
    for (path, entry) in entries {
        add(path, entry);
    }
    tar.into_inner().expect("a layer")
}

pub fn file(content: &str) -> Entry {
    Entry::File { mode: 0o644, content: content.into() }
}

pub fn folder(mode: u32, uid: u64) -> Entry {
    Entry::Folder { mode, uid }
}
