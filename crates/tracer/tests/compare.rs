//! The set of operations and paths that the tracer sees equals the one that `strace -f` shows.

mod support;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{Folder, compile, tool, trace};
use tojimari_evidence::profile::Operation;
use tojimari_tracer::Config;

/// Runs a program twice in an empty folder of one name, under each of the two.
fn compare<A: AsRef<OsStr>>(
    folder: &Folder,
    program: &Path,
    arguments: &[A],
    prepare: impl Fn(&Path),
) -> Option<BTreeSet<(Operation, String)>> {
    let strace = tool("strace")?;
    let place = folder.empty("place");
    prepare(&place);
    let expected = support::strace::strace(&strace, program, arguments, &place, &folder.path.join("log"));
    let place = folder.empty("place");
    prepare(&place);
    let traced = trace(program, arguments, &place, Config::default());
    let seen: BTreeSet<_> = traced.pairs().into_iter().collect();
    let missed: Vec<_> = expected.difference(&seen).collect();
    let invented: Vec<_> = seen.difference(&expected).collect();
    assert!(missed.is_empty() && invented.is_empty(), "missed {missed:#?}\ninvented {invented:#?}");
    assert_eq!(traced.report.unresolved, 0);
    Some(seen)
}

fn operations(seen: &BTreeSet<(Operation, String)>) -> BTreeSet<Operation> {
    seen.iter().map(|(operation, _)| *operation).collect()
}

/// Every operation that needs no privilege.
const ALL: [Operation; 19] = [
    Operation::OpenWrite,
    Operation::Create,
    Operation::Truncate,
    Operation::Mkdir,
    Operation::Rmdir,
    Operation::Unlink,
    Operation::RenameFrom,
    Operation::RenameTo,
    Operation::Link,
    Operation::Symlink,
    Operation::Mknod,
    Operation::Chmod,
    Operation::Chown,
    Operation::SetTimes,
    Operation::SetXattr,
    Operation::RemoveXattr,
    Operation::BindSocket,
    Operation::AccessWrite,
    Operation::SetFlags,
];

#[test]
fn each_call_in_each_form() {
    let folder = Folder::new();
    let Some(program) = compile("every_call") else { return };
    let Some(seen) = compare(&folder, &program, &["old"], |_| ()) else { return };
    assert_eq!(operations(&seen), BTreeSet::from(ALL));
    assert!(seen.len() > 100, "{}", seen.len());
}

#[test]
fn each_call_of_the_32_bit_table() {
    let folder = Folder::new();
    let Some(program) = compile("every_call") else { return };
    if !cfg!(target_arch = "x86_64") {
        return support::skip("int 0x80 is of x86");
    }
    let Some(seen) = compare(&folder, &program, &["wide"], |_| ()) else { return };
    assert_eq!(operations(&seen).len(), ALL.len(), "{:?}", operations(&seen));
}

#[test]
fn a_shell_script() {
    let folder = Folder::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/every_tool.sh");
    let Some(seen) = compare(&folder, Path::new("/bin/sh"), &[script.as_os_str()], |_| ()) else { return };
    assert!(operations(&seen).len() > 12, "{:?}", operations(&seen));
}

#[test]
fn unpacking_an_archive() {
    let folder = Folder::new();
    let Some(tar) = tool("tar") else { return };
    let source = folder.empty("source");
    for number in 0..40 {
        let deep = source.join(format!("folder-{}/deep", number % 4));
        fs::create_dir_all(&deep).unwrap();
        fs::write(deep.join(format!("file-{number}")), vec![b'x'; number * 100]).unwrap();
        std::os::unix::fs::symlink(format!("file-{number}"), deep.join(format!("link-{number}"))).unwrap();
        fs::hard_link(deep.join(format!("file-{number}")), deep.join(format!("hard-{number}"))).unwrap();
    }
    let archive = folder.path.join("archive.tar");
    let made = Command::new(&tar).arg("-cf").arg(&archive).arg("-C").arg(&source).arg(".").status().unwrap();
    assert!(made.success());
    let arguments = [OsStr::new("-xf"), archive.as_os_str()];
    let Some(seen) = compare(&folder, &tar, &arguments, |_| ()) else { return };
    assert!(seen.len() > 200, "{}", seen.len());
}

#[test]
fn installing_a_package() {
    let folder = Folder::new();
    let (Some(dpkg), Some(dpkg_deb)) = (tool("dpkg"), tool("dpkg-deb")) else { return };
    if !support::is_root() {
        return support::skip("dpkg --root needs root");
    }
    let package = package(&folder, &dpkg_deb);
    let root = folder.path.join("place/root");
    let arguments =
        ["--root".into(), root.clone().into_os_string(), "--force-not-root".into(), "-i".into(), package.into()];
    let prepare = |place: &Path| {
        let state = place.join("root/var/lib/dpkg");
        for name in ["info", "updates", "triggers"] {
            fs::create_dir_all(state.join(name)).unwrap();
        }
        fs::create_dir_all(place.join("root/var/log")).unwrap();
        for name in ["status", "available"] {
            fs::write(state.join(name), "").unwrap();
        }
    };
    let Some(seen) = compare(&folder, &dpkg, &arguments, prepare) else { return };
    assert!(root.join("usr/share/small/file").exists(), "the package was not installed");
    assert!(seen.len() > 30, "{seen:#?}");
}

/// A package with a file, a link, a configuration file and a script.
fn package(folder: &Folder, dpkg_deb: &Path) -> PathBuf {
    let tree = folder.empty("package");
    fs::create_dir_all(tree.join("DEBIAN")).unwrap();
    fs::create_dir_all(tree.join("usr/share/small")).unwrap();
    fs::create_dir_all(tree.join("etc")).unwrap();
    fs::write(
        tree.join("DEBIAN/control"),
        "Package: small\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <nobody@example.org>\nDescription: small\n",
    )
    .unwrap();
    fs::write(tree.join("DEBIAN/conffiles"), "/etc/small.conf\n").unwrap();
    fs::write(tree.join("usr/share/small/file"), "content\n").unwrap();
    fs::write(tree.join("etc/small.conf"), "setting\n").unwrap();
    std::os::unix::fs::symlink("file", tree.join("usr/share/small/link")).unwrap();
    let package = folder.path.join("small.deb");
    let built = Command::new(dpkg_deb).args(["--build", "--root-owner-group"]).arg(&tree).arg(&package).output();
    assert!(built.unwrap().status.success());
    package
}
