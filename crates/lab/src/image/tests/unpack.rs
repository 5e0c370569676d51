//! What layers do to the folder they are unpacked into, and what they cannot do to others.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use proptest::prelude::*;

use super::*;

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
    // With the two folders that no member announces.
    assert_eq!(unpacked.members, 16);
}

#[test]
fn a_whiteout_hides_what_lower_layers_have_and_nothing_else() {
    let bench = Bench::new();
    bench
        .unpack(&[
            tar_of(&[
                (DIR, "usr/lib", ""),
                (SYMLINK, "lib", "usr/lib"),
                (FILE, "usr/lib/old", "x"),
                (FILE, "o/deep/x", ""),
            ]),
            tar_of(&[
                // Brought through a link and by its own name, before its whiteout and after.
                (FILE, "lib/c", "kept"),
                (FILE, "usr/lib/.wh.c", ""),
                (FILE, "usr/lib/.wh.old", ""),
                (FILE, "o/deep/new/y", "kept"),
                (FILE, "o/.wh..wh..opq", ""),
                (FILE, "nowhere/.wh.x", ""),
                (FILE, ".wh..wh.plnk", ""),
            ]),
            tar_of(&[(FILE, "lib/.wh.lib", ""), (FILE, "usr/lib/d", "")]),
        ])
        .expect("an image");
    let root = bench.root();
    assert!(root.join("usr/lib/c").is_file());
    assert!(!root.join("usr/lib/old").exists());
    assert!(root.join("o/deep/new/y").is_file());
    // In a folder that the layer brings something into, and that is below the hidden one.
    assert!(!root.join("o/deep/x").exists());
    assert!(!root.join("nowhere").exists());
    assert!(root.join("usr/lib/d").is_file());
}

#[test]
fn hard_links_replace_what_is_there() {
    let bench = Bench::new();
    bench
        .unpack(&[
            tar_of(&[(FILE, "a", "one"), (FILE, "b", "two"), (FILE, "folder/x", ""), (SYMLINK, "s", "../../outside")]),
            tar_of(&[(LINK, "b", "a"), (LINK, "a", "a"), (LINK, "folder", "a"), (LINK, "t", "s")]),
        ])
        .expect("an image");
    let inode = |path: &str| std::fs::symlink_metadata(bench.root().join(path)).expect("a file").ino();
    assert_eq!((inode("b"), inode("folder")), (inode("a"), inode("a")));
    assert_eq!(std::fs::read_to_string(bench.root().join("b")).expect("b"), "one");
    // To the link itself, which is not followed.
    assert_eq!(inode("t"), inode("s"));
    assert!(std::fs::symlink_metadata(bench.root().join("t")).expect("t").is_symlink());
}

#[test]
fn links_do_not_make_folders_deeper_than_can_be_removed() {
    let bench = Bench::new();
    let deep = ["d"; 40].join("/");
    let mut entries = vec![(DIR, deep.clone(), String::new()), (SYMLINK, "s0".into(), deep.clone())];
    for i in 0..20 {
        entries.push((DIR, format!("s{i}/{deep}"), String::new()));
        entries.push((SYMLINK, format!("s{}", i + 1), format!("s{i}/{deep}")));
    }
    let entries: Vec<Entry<'_>> = entries.iter().map(|(kind, path, link)| (*kind, &**path, &**link)).collect();
    let error = bench.unpack(&[tar_of(&entries)]).expect_err("too deep");
    assert!(error.contains("more than 256 folders deep"), "{error}");
}

fn is_root() -> bool {
    tempfile::tempfile().and_then(|file| file.metadata()).is_ok_and(|metadata| metadata.uid() == 0)
}

#[test]
fn owners_modes_times_and_attributes_are_the_images() {
    if !is_root() {
        skip("owners of unpacked files (needs root)");
        return;
    }
    let mut tar = tar::Builder::new(Vec::new());
    // cap_net_bind_service, as setcap writes it.
    let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    tar.append_pax_extensions([
        ("SCHILY.xattr.security.capability", &capability[..]),
        ("SCHILY.xattr.user.note", b"hello"),
        ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
        ("mtime", b"1600000000.25"),
        ("uid", b"70000"),
    ])
    .expect("extensions");
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(FILE);
    header.set_mode(0o6750);
    header.set_uid(1);
    header.set_gid(33);
    header.set_size(2);
    tar.append_data(&mut header, "bin/server", &b"ok"[..]).expect("a member");
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(DIR);
    header.set_mode(0o1777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_500_000_000);
    header.set_size(0);
    tar.append_data(&mut header, "tmp/", std::io::empty()).expect("a member");
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(FILE);
    header.set_mode(0o600);
    header.set_size(0);
    tar.append_data(&mut header, "tmp/in", std::io::empty()).expect("a member");
    let bench = Bench::new();
    bench.unpack(&[tar.into_inner().expect("a tar")]).expect("an image");
    let server = bench.root().join("bin/server");
    let metadata = std::fs::metadata(&server).expect("the server");
    assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o7777), (70000, 33, 0o6750));
    assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (1_600_000_000, 250_000_000));
    let tmp = std::fs::metadata(bench.root().join("tmp")).expect("tmp");
    assert_eq!((tmp.mode() & 0o7777, tmp.mtime()), (0o1777, 1_500_000_000));
    let attribute = |name: &str| {
        let mut value = [0; 64];
        rustix::fs::getxattr(&server, name, &mut value).map(|size| value[..size].to_vec())
    };
    assert_eq!(attribute("security.capability").as_deref(), Ok(&capability[..]));
    assert!(attribute("trusted.overlay.opaque").is_err());
    match attribute("user.note") {
        Ok(value) => assert_eq!(value, b"hello"),
        Err(_) => skip("user attributes of unpacked files (the file system has none)"),
    }
}

#[test]
fn what_is_cancelled_ends_as_interrupted() {
    let bench = Bench::new();
    let reference = layout(&bench.folder.path().join("image"), &[tar_of(&[(FILE, "a", "x")])]);
    let image = Image::open(&reference, "amd64").expect("an image");
    let outcome = image.unpack_until(&bench.root(), &Limits::default(), &AtomicBool::new(true));
    assert!(matches!(outcome, Err(Error::Interrupted)), "{outcome:?}");
    assert!(!bench.root().join("a").exists());
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
    // What a device takes the place of is gone all the same.
    let lower = tar_of(&[(FILE, "sda", "a file before")]);
    let unpacked = bench.unpack(&[lower, tar.into_inner().expect("a tar")]).expect("an image");
    assert_eq!(unpacked.devices_skipped, 1);
    assert!(!bench.root().join("sda").exists());
    let mode = std::fs::metadata(bench.root().join("su")).expect("su").permissions().mode();
    assert_eq!(mode & 0o7777, 0o4755);
}

#[test]
fn what_a_stranger_wrote_stays_on_one_line() {
    let error =
        Bench::new().unpack(&[tar_of(&[(FILE, "../a\n\u{1b}[2Jerror: all is well", "")])]).expect_err("refused");
    assert!(error.contains(r"../a\n\u{1b}[2Jerror"), "{error}");
    // Such as the reader's own words about a header that it cannot read.
    let mut header = tar::Header::new_gnu();
    header.set_path("a\nb").expect("a path");
    header.set_size(0);
    header.set_cksum();
    let error = Bench::new().unpack(&[header.as_bytes().to_vec()]).expect_err("refused");
    assert!(error.contains("numeric field") && error.lines().count() == 1, "{error}");
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
    // What a header announces is believed before a byte of it is written.
    let mut header = tar::Header::new_gnu();
    header.set_path("huge").expect("a path");
    header.set_mode(0o644);
    header.set_size(1 << 60);
    header.set_cksum();
    for (bytes, said) in [(1 << 30, "more than 1024 MiB"), (u64::MAX, "MiB that are free for")] {
        let bench = Bench::new();
        let limits = Limits { bytes, ..Limits::default() };
        let error = bench.unpack_within(&[header.as_bytes().to_vec()], &limits).expect_err("too large");
        assert!(error.contains(said), "{error}");
        assert!(!bench.root().join("huge").exists());
    }
    // Pieces of a sparse file can be put anywhere.
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_pax_extensions([("GNU.sparse.major", b"1".as_slice())]).expect("extensions");
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o644);
    header.set_size(0);
    tar.append_data(&mut header, "sparse", std::io::empty()).expect("a member");
    let error = Bench::new().unpack(&[tar.into_inner().expect("a tar")]).expect_err("sparse");
    assert!(error.contains("a sparse file"), "{error}");
    let long = "n".repeat(300);
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(0);
    tar.append_data(&mut header, &long, std::io::empty()).expect("a member");
    let error = Bench::new().unpack(&[tar.into_inner().expect("a tar")]).expect_err("a long name");
    assert!(error.contains("a name of more than 255 bytes"), "{error}");
    // A header that announces a gigabyte of name costs nothing.
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 30);
    header.set_cksum();
    let error = Bench::new().unpack(&[header.as_bytes().to_vec()]).expect_err("a long name");
    assert!(error.contains("extended header of more than 1 MiB"), "{error}");
}

fn any_entry() -> impl Strategy<Value = (EntryType, String, String)> {
    let name = prop::sample::select(vec!["a", "b", "..", ".", ".wh.a", ".wh.b", ".wh..wh..opq", ".wh.outside", ""]);
    let path = prop::collection::vec(name, 1..4).prop_map(|parts| parts.join("/"));
    let absolute = (any::<bool>(), path).prop_map(|(slash, path)| if slash { format!("/{path}") } else { path });
    let target = prop::sample::select(vec![
        "a",
        "b",
        "..",
        "../..",
        "/",
        "/a",
        "a/b",
        "../outside",
        "../../../outside",
        "/proc/self/root",
    ]);
    let kind = prop::sample::select(vec![DIR, FILE, LINK, SYMLINK, EntryType::Fifo, EntryType::Char]);
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
