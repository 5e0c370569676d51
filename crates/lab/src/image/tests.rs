//! Images as strangers make them: what is wrong with them is said in one line, and nothing outside
//! the folder they are unpacked into is ever touched.

use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tar::EntryType;

use super::*;

/// A member of a layer: kind, path, link target or content.
type Entry<'a> = (EntryType, &'a str, &'a str);

const DIR: EntryType = EntryType::Directory;
const FILE: EntryType = EntryType::Regular;
const LINK: EntryType = EntryType::Link;
const SYMLINK: EntryType = EntryType::Symlink;

/// A tar of these members, with names as they are: no writer's scruples.
fn tar_of(entries: &[Entry<'_>]) -> Vec<u8> {
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

fn sha(bytes: &[u8]) -> String {
    blob::digest_of(Sha256::new_with_prefix(bytes))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("gzip");
    encoder.finish().expect("gzip")
}

/// Writes a layout of these tars; the stored form is gzip.
fn layout(folder: &Path, layers: &[Vec<u8>]) -> Reference {
    layout_of(folder, layers, &layers.iter().map(|layer| gzip(layer)).collect::<Vec<_>>())
}

fn layout_of(folder: &Path, layers: &[Vec<u8>], stored: &[Vec<u8>]) -> Reference {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("blobs");
    let store = |bytes: &[u8]| {
        let digest = sha(bytes);
        std::fs::write(blobs.join(&digest["sha256:".len()..]), bytes).expect("a blob");
        serde_json::json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": bytes.len()})
    };
    let diff_ids: Vec<String> = layers.iter().map(|layer| sha(layer)).collect();
    let config = serde_json::json!({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/x"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let layers: Vec<_> = stored.iter().map(|stored| store(stored)).collect();
    let config = store(config.to_string().as_bytes());
    let manifest = serde_json::json!({"schemaVersion": 2, "config": config, "layers": layers});
    let mut manifest = store(manifest.to_string().as_bytes());
    manifest["mediaType"] = "application/vnd.oci.image.manifest.v1+json".into();
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [manifest]});
    std::fs::write(folder.join("index.json"), index.to_string()).expect("an index");
    Reference::Layout { folder: folder.to_owned(), tag: None }
}

/// A folder with an image and an empty root, inside one that must stay as it is.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("root")).expect("a root");
        std::fs::write(folder.path().join("outside"), "untouched").expect("a file");
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
        let mut names: Vec<_> =
            std::fs::read_dir(self.folder.path()).expect("the folder").flatten().map(|e| e.file_name()).collect();
        names.sort();
        assert_eq!(names, ["image", "outside", "root"]);
        assert_eq!(std::fs::read_to_string(self.folder.path().join("outside")).expect("a file"), "untouched");
    }
}

#[test]
fn layers_are_laid_over_each_other() {
    let bench = Bench::new();
    let unpacked = bench
        .unpack(&[
            tar_of(&[
                (DIR, "usr/", ""),
                (DIR, "usr/lib/", ""),
                (SYMLINK, "lib", "usr/lib"),
                (FILE, "etc/a", "one"),
                (FILE, "etc/b", "two"),
                (FILE, "opaque/old", "x"),
                (DIR, "swap", ""),
                (FILE, "swap/in", "x"),
            ]),
            tar_of(&[
                (FILE, "lib/c", "through the link"),
                (FILE, "etc/.wh.a", ""),
                (LINK, "etc/d", "etc/b"),
                (FILE, "opaque/new", "y"),
                (FILE, "opaque/.wh..wh..opq", ""),
                (FILE, "swap", "a file now"),
            ]),
        ])
        .expect("an image");
    let root = bench.root();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).ok();
    assert_eq!(read("usr/lib/c").as_deref(), Some("through the link"));
    assert_eq!(read("etc/a"), None);
    assert_eq!(read("etc/d").as_deref(), Some("two"));
    assert_eq!((read("opaque/old"), read("opaque/new").as_deref()), (None, Some("y")));
    assert_eq!(read("swap").as_deref(), Some("a file now"));
    assert_eq!(std::fs::metadata(root.join("etc/b")).expect("b").mtime(), 1_700_000_000);
    assert_eq!(unpacked.members, 14);
}

#[test]
fn what_climbs_out_is_refused_or_stays_inside() {
    // Refused, with the member's name.
    for (layers, said) in [
        (vec![tar_of(&[(FILE, "../outside", "x")])], "../outside: a path that climbs out"),
        (vec![tar_of(&[(FILE, "a/../../outside", "x")])], "climbs out"),
        (vec![tar_of(&[(LINK, "in", "../outside")])], "climbs out"),
        (vec![tar_of(&[(FILE, ".wh...", "")])], "whiteout of no name"),
        (vec![tar_of(&[(LINK, "in", "gone")])], "a hard link to a file that is not there"),
        (vec![tar_of(&[(SYMLINK, "a", "b"), (SYMLINK, "b", "a"), (FILE, "a/x", "x")])], "links"),
    ] {
        let error = Bench::new().unpack(&layers).expect_err("refused");
        assert!(error.contains(said), "{error}");
        assert!(error.contains("layer sha256:"), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
    // Led back inside by the kernel, as in a container.
    let up = "../../../../../../../../..";
    for layers in [
        vec![tar_of(&[(FILE, "/outside", "x")])],
        vec![tar_of(&[(SYMLINK, "up", up), (FILE, "up/outside", "x")])],
        vec![tar_of(&[(SYMLINK, "up", up)]), tar_of(&[(FILE, "up/outside", "x")])],
        vec![tar_of(&[(SYMLINK, "up", "/")]), tar_of(&[(FILE, "up/.wh.outside", ""), (FILE, "up/.wh..wh..opq", "")])],
        vec![tar_of(&[(SYMLINK, "outside", "/outside"), (FILE, "outside", "replaces the link")])],
        vec![tar_of(&[(SYMLINK, "up", up), (FILE, "x", "x"), (LINK, "up/y", "up/x")])],
    ] {
        Bench::new().unpack(&layers).expect("unpacked inside");
    }
}

#[test]
fn a_link_is_replaced_and_never_written_through() {
    let bench = Bench::new();
    let outside = bench.folder.path().join("outside");
    symlink(&outside, bench.root().join("a")).expect("a link");
    bench.unpack(&[tar_of(&[(FILE, "a", "new")])]).expect("an image");
    assert!(std::fs::symlink_metadata(bench.root().join("a")).expect("a").is_file());
}

#[test]
fn devices_are_left_out_and_setuid_is_kept() {
    let bench = Bench::new();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(FILE);
    header.set_mode(0o4755);
    header.set_size(0);
    tar.append_data(&mut header, "su", std::io::empty()).expect("a member");
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(EntryType::Block);
    header.set_mode(0o666);
    header.set_size(0);
    header.set_device_major(8).expect("a device");
    header.set_device_minor(0).expect("a device");
    tar.append_data(&mut header, "sda", std::io::empty()).expect("a member");
    let unpacked = bench.unpack(&[tar.into_inner().expect("a tar")]).expect("an image");
    assert_eq!(unpacked.devices_skipped, 1);
    assert!(!bench.root().join("sda").exists());
    let mode = std::fs::metadata(bench.root().join("su")).expect("su").permissions().mode();
    assert_eq!(mode & 0o7777, 0o4755);
}

#[test]
fn too_much_is_refused() {
    let zeros = "0".repeat(3 << 20);
    let limits = Limits { bytes: 2 << 20, members: 10 };
    let error = Bench::new().unpack_within(&[tar_of(&[(FILE, "big", &zeros)])], &limits).expect_err("too large");
    assert!(error.contains("the image unpacks to more than 2 MiB"), "{error}");
    let names: Vec<String> = (0..11).map(|i| format!("f{i}")).collect();
    let many: Vec<Entry<'_>> = names.iter().map(|name| (FILE, name.as_str(), "")).collect();
    let error = Bench::new().unpack_within(&[tar_of(&many)], &limits).expect_err("too many");
    assert!(error.contains("more than 10 members"), "{error}");
    // A header that announces a gigabyte of name costs nothing.
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 30);
    header.set_cksum();
    let error = Bench::new().unpack(&[header.as_bytes().to_vec()]).expect_err("a long name");
    assert!(error.contains("extended header of more than 1 MiB"), "{error}");
}

#[test]
fn bad_layouts_are_said_in_one_line() {
    let tar = tar_of(&[(FILE, "a", "x")]);
    let broken = |break_it: &dyn Fn(&Path)| {
        let folder = tempfile::tempdir().expect("a folder");
        let reference = layout(folder.path(), std::slice::from_ref(&tar));
        break_it(folder.path());
        let root = tempfile::tempdir().expect("a root");
        let outcome = Image::open(&reference, "amd64").and_then(|image| image.unpack(root.path(), &Limits::default()));
        let error = outcome.expect_err("a bad image").to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        error
    };
    let largest_blob = |folder: &Path| {
        let layer = sha(&gzip(&tar));
        folder.join("blobs/sha256").join(&layer["sha256:".len()..])
    };
    assert!(broken(&|f| std::fs::remove_dir_all(f).expect("gone")).contains("no such folder"));
    assert!(broken(&|f| std::fs::remove_file(f.join("index.json")).expect("gone")).contains("not an OCI image layout"));
    assert!(broken(&|f| std::fs::write(f.join("index.json"), "{").expect("cut")).contains("index.json: EOF"));
    assert!(broken(&|f| std::fs::remove_file(largest_blob(f)).expect("gone")).contains("is missing"));
    let cut = broken(&|f| {
        let bytes = std::fs::read(largest_blob(f)).expect("a blob");
        std::fs::write(largest_blob(f), &bytes[..bytes.len() / 2]).expect("cut");
    });
    assert!(cut.contains("is cut off"), "{cut}");
    let changed = broken(&|f| {
        let mut bytes = std::fs::read(largest_blob(f)).expect("a blob");
        // The operating system in the gzip header: the content stays the same, the digest does not.
        bytes[9] ^= 1;
        std::fs::write(largest_blob(f), bytes).expect("changed");
    });
    assert!(changed.contains("another digest"), "{changed}");
}

#[test]
fn the_content_of_a_layer_is_what_the_configuration_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let (said, stored) = (tar_of(&[(FILE, "a", "said")]), tar_of(&[(FILE, "a", "another")]));
    let reference = layout_of(folder.path(), &[said], &[stored]);
    let root = tempfile::tempdir().expect("a root");
    let image = Image::open(&reference, "amd64").expect("an image");
    let error = image.unpack(root.path(), &Limits::default()).expect_err("another content").to_string();
    assert!(error.contains("its configuration says"), "{error}");
}

#[test]
fn archives_of_docker_are_read_plain_and_compressed() {
    let layer = tar_of(&[(FILE, "a", "x")]);
    let config = serde_json::json!({"architecture": "amd64", "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [sha(&layer)]}})
    .to_string();
    let manifest = r#"[{"Config":"c.json","RepoTags":["x:1"],"Layers":["old/layer.tar"]}]"#;
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).expect("a member");
    };
    add("c.json", config.as_bytes());
    add("new/layer.tar", &layer);
    add("manifest.json", manifest.as_bytes());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(SYMLINK);
    header.set_mode(0o777);
    header.set_size(0);
    tar.append_link(&mut header, "old/layer.tar", "../new/layer.tar").expect("a link");
    let plain = tar.into_inner().expect("a tar");
    for (name, bytes) in [("plain.tar", plain.clone()), ("gzip.tar.gz", gzip(&plain))] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).expect("an archive");
        let image = Image::open(&Reference::DockerArchive { file }, "amd64").expect("an image");
        assert_eq!(image.digest, sha(config.as_bytes()));
        let root = tempfile::tempdir().expect("a root");
        image.unpack(root.path(), &Limits::default()).expect("unpacked");
        assert_eq!(std::fs::read_to_string(root.path().join("a")).expect("a"), "x");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cut.tar");
    std::fs::write(&file, &plain[..700]).expect("an archive");
    let error = Image::open(&Reference::DockerArchive { file }, "amd64").expect_err("cut off").to_string();
    assert!(error.contains("not a docker archive"), "{error}");
}

fn any_entry() -> impl Strategy<Value = (EntryType, String, String)> {
    let name = prop::sample::select(vec!["a", "b", "..", ".", ".wh.a", ".wh.b", ".wh..wh..opq", ""]);
    let path = prop::collection::vec(name, 1..4).prop_map(|parts| parts.join("/"));
    let absolute = (any::<bool>(), path).prop_map(|(slash, path)| if slash { format!("/{path}") } else { path });
    let target = prop::sample::select(vec!["a", "b", "..", "../..", "/", "/a", "a/b", "../../../outside", "/outside"]);
    let kind = prop::sample::select(vec![DIR, FILE, LINK, SYMLINK, EntryType::Fifo]);
    (kind, absolute, target).prop_map(|(kind, path, target)| (kind, path, target.to_owned()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the order of members, nothing outside the root changes.
    #[test]
    fn no_sequence_of_members_touches_the_outside(layers in prop::collection::vec(prop::collection::vec(any_entry(), 1..8), 1..3)) {
        let bench = Bench::new();
        let layers: Vec<Vec<u8>> = layers
            .iter()
            .map(|entries| {
                let entries: Vec<Entry<'_>> = entries.iter().map(|(k, p, t)| (*k, p.as_str(), t.as_str())).collect();
                tar_of(&entries)
            })
            .collect();
        // Refused or not: what counts is asserted inside.
        let _ = bench.unpack(&layers);
    }
}
