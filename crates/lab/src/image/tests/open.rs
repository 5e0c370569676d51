//! Layouts and archives: the forms they come in, and what is said of broken ones.

use super::*;

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
        // The system in the gzip header: the content stays the same, the digest does not.
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
    assert!(error.ends_with("not an archive of an image: it is cut off"), "{error}");
}

/// The error of opening (or unpacking, where it opens), which has to be one line.
fn refused(reference: &Reference) -> String {
    let root = tempfile::tempdir().expect("a root");
    let outcome = Image::open(reference, "amd64").and_then(|image| image.unpack(root.path(), &Limits::default()));
    let error = outcome.expect_err("a bad image").to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with(&reference.to_string()), "{error}");
    error
}

fn layout_with(manifests: impl Fn(&Path) -> Vec<serde_json::Value>) -> (tempfile::TempDir, Reference) {
    let folder = tempfile::tempdir().expect("a folder");
    put_index(folder.path(), &manifests(folder.path()));
    let reference = Reference::Layout { folder: folder.path().to_owned(), tag: None };
    (folder, reference)
}

#[test]
fn the_platform_is_chosen_and_attestations_are_passed_over() {
    let layers = [tar_of(&[(FILE, "arm", "x")]), tar_of(&[(FILE, "amd", "x")])];
    let manifests = |folder: &Path| {
        let attestation = Shaped { architecture: "unknown", os: "unknown", layer_media: "text/plain", ref_name: None };
        vec![
            attestation.store(folder, b""),
            Shaped { architecture: "arm64", ..Shaped::default() }.store(folder, &layers[0]),
            Shaped::default().store(folder, &layers[1]),
        ]
    };
    let nested = |folder: &Path| {
        let index = serde_json::json!({"schemaVersion": 2, "manifests": manifests(folder)});
        vec![put(folder, INDEX, index.to_string().as_bytes())]
    };
    for (_folder, reference) in [layout_with(manifests), layout_with(nested)] {
        for (architecture, file) in [("amd64", "amd"), ("arm64", "arm")] {
            let image = Image::open(&reference, architecture).expect("an image");
            let root = tempfile::tempdir().expect("a root");
            image.unpack(root.path(), &Limits::default()).expect("unpacked");
            assert!(root.path().join(file).exists());
        }
        let error = Image::open(&reference, "riscv64").expect_err("no such platform").to_string();
        assert!(error.ends_with("no image for linux/riscv64: it has linux/arm64, linux/amd64"), "{error}");
    }
}

#[test]
fn an_index_that_holds_itself_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut descriptor = Shaped::default().store(folder.path(), b"");
    for _ in 0..10 {
        let index = serde_json::json!({"schemaVersion": 2, "manifests": [descriptor]});
        descriptor = put(folder.path(), INDEX, index.to_string().as_bytes());
    }
    put_index(folder.path(), &[descriptor]);
    let error = refused(&Reference::Layout { folder: folder.path().to_owned(), tag: None });
    assert!(error.contains("manifest sha256:"), "{error}");
}

#[test]
fn several_images_are_told_apart_by_their_tags() {
    let manifests = |folder: &Path| {
        let named = |name, layer: &[u8]| Shaped { ref_name: Some(name), ..Shaped::default() }.store(folder, layer);
        let first = tar_of(&[(FILE, "one", "")]);
        vec![named("1", &first), named("example/app:2", &tar_of(&[(FILE, "two", "")])), named("latest", &first)]
    };
    let (folder, reference) = layout_with(manifests);
    let error = refused(&reference);
    assert!(error.contains("several images") && error.ends_with("it has 1, example/app:2, latest"), "{error}");
    let tagged = |tag: &str| Reference::Layout { folder: folder.path().to_owned(), tag: Some(tag.to_owned()) };
    let digest = |tag| Image::open(&tagged(tag), "amd64").expect("an image").digest;
    assert_eq!(digest("1"), digest("latest"));
    assert_ne!(digest("1"), digest("2"));
    assert!(refused(&tagged("3")).contains("no image with the tag 3: it has 1, example/app:2, latest"));
}

#[test]
fn layers_that_cannot_be_unpacked_are_named() {
    let one = |shaped: Shaped<'static>, layer: &'static [u8]| layout_with(move |f| vec![shaped.store(f, layer)]);
    for (media, layer, said) in [
        ("application/vnd.oci.image.layer.v1.tar+encrypted", &b""[..], "is encrypted"),
        ("application/vnd.wasm.content.layer.v1+wasm", b"", "is no file system but application/vnd.wasm"),
        (TAR, b"\xfd7zXZ\0\0\0", "compressed with xz"),
        (TAR, b"BZh9", "compressed with bzip2"),
        (TAR, b"\x1f\x8bgarbage", "layer sha256:"),
        (TAR, b"\x28\xb5\x2f\xfdgarbage", "layer sha256:"),
        (TAR, &[b'x'; 700], "layer sha256:"),
    ] {
        let (_folder, reference) = one(Shaped { layer_media: media, ..Shaped::default() }, layer);
        let error = refused(&reference);
        assert!(error.contains(said), "{error}");
    }
    let (_folder, reference) = one(Shaped { os: "windows", ..Shaped::default() }, b"");
    assert!(refused(&reference).contains("the image is for windows"), "{}", refused(&reference));
    // A foreign layer that is there is a layer; one that is not is not looked for.
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let (folder, reference) = one(Shaped { layer_media: foreign, ..Shaped::default() }, &[0; 1024]);
    let root = tempfile::tempdir().expect("a root");
    Image::open(&reference, "amd64").expect("an image").unpack(root.path(), &Limits::default()).expect("unpacked");
    std::fs::remove_file(folder.path().join("blobs").join(blob_path(&sha(&[0; 1024])).expect("a path"))).expect("gone");
    assert!(refused(&reference).contains("is kept outside the image"));
}

#[test]
fn documents_that_are_broken_or_huge_are_refused() {
    let with_manifest = |bytes: &[u8]| {
        let folder = tempfile::tempdir().expect("a folder");
        put_index(folder.path(), &[put(folder.path(), MANIFEST, bytes)]);
        let error = refused(&Reference::Layout { folder: folder.path().to_owned(), tag: None });
        drop(folder);
        error
    };
    assert!(with_manifest(br#"{"schemaVersion": 1, "fsLayers": []}"#).contains("schema version 1"));
    assert!(with_manifest(b"{").contains("manifest sha256:"));
    assert!(with_manifest(&vec![b' '; 5 << 20]).contains("is larger than 4 MiB"));
    let deep = "[".repeat(100_000);
    assert!(with_manifest(deep.as_bytes()).contains("manifest sha256:"));
    let (folder, reference) = layout_with(|_| Vec::new());
    assert!(refused(&reference).contains("the layout holds no image"));
    std::fs::write(
        folder.path().join("index.json"),
        r#"{"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha256:../../../etc/passwd","size":3}]}"#,
    )
    .expect("an index");
    let error = refused(&reference);
    assert!(error.contains("sha256 digest") || error.contains("index.json"), "{error}");
}

#[test]
fn configurations_as_docker_writes_them_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let layer = tar_of(&[]);
    let config = serde_json::json!({"architecture": "amd64", "os": "linux", "created": "2024-01-02T03:04:05.678Z",
        "docker_version": "20.10", "container_config": {"Cmd": null}, "history": [{"created": "2024-01-02T03:04:05Z"}],
        "config": {"Hostname": "", "Domainname": "", "User": "", "AttachStdin": false, "Env": null, "Cmd": null,
            "Healthcheck": {"Test": ["CMD", "x"]}, "Image": "sha256:ab", "Volumes": {"/data": {}}, "WorkingDir": "",
            "Entrypoint": null, "OnBuild": null, "Labels": null, "ExposedPorts": null, "StopSignal": "SIGQUIT"},
        "rootfs": {"type": "layers", "diff_ids": [sha(&layer)]}});
    let config = put(folder.path(), "application/vnd.docker.container.image.v1+json", config.to_string().as_bytes());
    let layer = put(folder.path(), "application/vnd.docker.image.rootfs.diff.tar.gzip", &layer);
    let manifest = serde_json::json!({"schemaVersion": 2, "config": config, "layers": [layer],
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json"});
    let media = "application/vnd.docker.distribution.manifest.v2+json";
    put_index(folder.path(), &[put(folder.path(), media, manifest.to_string().as_bytes())]);
    let image = Image::open(&Reference::Layout { folder: folder.path().to_owned(), tag: None }, "amd64");
    let image = image.expect("an image");
    let config = image.config.config().as_ref().expect("a configuration");
    assert_eq!(config.volumes().as_deref(), Some(&["/data".to_owned()][..]));
    assert_eq!(config.stop_signal().as_deref(), Some("SIGQUIT"));
}

/// A tar of a folder's files, as `tar` makes it.
fn tar_of_folder(folder: &Path) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all(".", folder).expect("a tar");
    tar.into_inner().expect("a tar")
}

#[test]
fn layouts_are_read_out_of_archives() {
    let (folder, _) = layout_with(|folder| {
        vec![Shaped { ref_name: Some("1"), ..Shaped::default() }.store(folder, &tar_of(&[(FILE, "a", "x")]))]
    });
    let plain = tar_of_folder(folder.path());
    for bytes in [plain.clone(), gzip(&plain), zstd::encode_all(&plain[..], 1).expect("zstd")] {
        let archives = tempfile::tempdir().expect("a folder");
        let file = archives.path().join("image.tar");
        std::fs::write(&file, bytes).expect("an archive");
        for tag in [None, Some("1".to_owned())] {
            let image = Image::open(&Reference::OciArchive { file: file.clone(), tag }, "amd64").expect("an image");
            let root = tempfile::tempdir().expect("a root");
            image.unpack(root.path(), &Limits::default()).expect("unpacked");
            assert!(root.path().join("a").exists());
        }
        assert!(refused(&Reference::OciArchive { file: file.clone(), tag: Some("2".into()) }).contains("it has 1"));
        let error = refused(&Reference::DockerArchive { file });
        assert!(error.contains("oci-archive:FILE"), "{error}");
    }
}

#[test]
fn what_is_decompressed_goes_with_the_image() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (folder, _) = layout_with(|folder| vec![Shaped::default().store(folder, &tar_of(&[(FILE, "a", "x")]))]);
    let file = scratch.path().join("image.tar.gz");
    std::fs::write(&file, gzip(&tar_of_folder(folder.path()))).expect("an archive");
    let (cancelled, tell) = (AtomicBool::new(false), |_: &str| {});
    let opening = Opening { architecture: "amd64", scratch: scratch.path(), cancelled: &cancelled, tell: &tell };
    let reference = Reference::OciArchive { file, tag: None };
    let image = Image::open_with(&reference, &opening).expect("an image");
    let count = || std::fs::read_dir(scratch.path()).expect("the folder").count();
    assert_eq!(count(), 2);
    drop(image);
    assert_eq!(count(), 1);
    cancelled.store(true, Ordering::Relaxed);
    let outcome = Image::open_with(&reference, &opening);
    assert!(matches!(outcome, Err(Error::Interrupted)), "{outcome:?}");
    assert_eq!(count(), 1);
}

#[test]
fn archives_of_newer_docker_have_a_manifest_whose_digest_counts() {
    let (folder, reference) = layout_with(|folder| vec![Shaped::default().store(folder, &tar_of(&[(FILE, "a", "x")]))]);
    let wanted = Image::open(&reference, "amd64").expect("an image").digest;
    let blobs = |digest: &serde_json::Value| format!("blobs/sha256/{}", &digest.as_str().expect("a digest")[7..]);
    let manifest = std::fs::read(folder.path().join(format!("blobs/sha256/{}", &wanted[7..]))).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    let entry = |config: &str| serde_json::json!([{"Config": config, "RepoTags": ["x:1"], "Layers": [blobs(&manifest["layers"][0]["digest"])]}]);
    let config = blobs(&manifest["config"]["digest"]);
    std::fs::write(folder.path().join("manifest.json"), entry(&config).to_string()).expect("a manifest");
    let archives = tempfile::tempdir().expect("a folder");
    let file = archives.path().join("image.tar");
    std::fs::write(&file, tar_of_folder(folder.path())).expect("an archive");
    let image = Image::open(&Reference::DockerArchive { file: file.clone() }, "amd64").expect("an image");
    assert_eq!(image.digest, wanted);
    // A name that is a digest is held to it.
    std::fs::write(folder.path().join(&config), "{}").expect("another configuration");
    std::fs::write(&file, tar_of_folder(folder.path())).expect("an archive");
    let error = refused(&Reference::DockerArchive { file: file.clone() });
    assert!(error.contains("another digest"), "{error}");
    for (manifest, said) in [
        ("[]", "holds no image"),
        (
            r#"[{"Config":"c","RepoTags":["x:1"],"Layers":[]},{"Config":"d","RepoTags":["x:2"],"Layers":[]}]"#,
            "holds 2 images, save one alone: x:1, x:2",
        ),
        (r#"[{"Config":"../../etc/passwd","RepoTags":null,"Layers":[]}]"#, "etc/passwd is missing in the archive"),
        ("{}", "manifest.json:"),
    ] {
        std::fs::write(folder.path().join("manifest.json"), manifest).expect("a manifest");
        std::fs::write(&file, tar_of_folder(folder.path())).expect("an archive");
        let error = refused(&Reference::DockerArchive { file: file.clone() });
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn files_that_are_no_archive_are_said_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("image.tar");
    let reference = Reference::DockerArchive { file: file.clone() };
    assert!(refused(&reference).contains("no such file"));
    for (bytes, said) in [
        (&b""[..], "the file is empty"),
        (&[0; 2048], "it has no members"),
        (b"<!doctype html>", "not an archive of an image"),
        (&[b'x'; 4096], "not an archive of an image"),
        (b"\x1f\x8b\x08\0", "archive"),
        (b"\xfd7zXZ\0....", "compressed with xz"),
    ] {
        std::fs::write(&file, bytes).expect("a file");
        let error = refused(&reference);
        assert!(error.contains(said), "{error}");
    }
    let reference = Reference::DockerArchive { file: folder.path().to_owned() };
    assert!(refused(&reference).contains("not a file"));
}
