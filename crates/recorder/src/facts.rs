//! What a plan has to know of an unpacked image: which folders hold the written paths, what is in
//! them, and whether that is programs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use tojimari_evidence::profile::FolderFact;

use crate::root::open_in_root;

/// Members of one folder that are looked at; a folder of more is taken to hold programs, since that
/// errs on the side of not mounting over it.
const MAX_MEMBERS: u64 = 500_000;

/// Names that interpreters and linkers load without an executable bit.
const LOADED: [&[u8]; 14] = [
    b".py", b".pyc", b".pyo", b".js", b".mjs", b".cjs", b".php", b".rb", b".pl", b".pm", b".jar", b".class", b".so",
    b".lua",
];

/// Facts of every folder that holds one of the paths, of all above it, and of a path that is itself
/// a folder; sorted by path.
pub fn folder_facts<'a>(root: &Path, paths: impl IntoIterator<Item = &'a str>) -> Vec<FolderFact> {
    let mut folders = BTreeSet::from(["/".to_owned()]);
    for path in paths {
        folders.insert(path.to_owned());
        folders.extend(path.match_indices('/').skip(1).map(|(at, _)| path[..at].to_owned()));
    }
    folders.iter().filter_map(|folder| fact(root, folder)).collect()
}

/// Whether the image has something at that path, without following a link at its end.
pub fn exists(root: &Path, path: &str) -> bool {
    let Some(at) = path.rfind('/') else { return false };
    let (folder, name) = (&path[..at], &path[at + 1..]);
    if name.is_empty() {
        return open_in_root(root, folder, OFlags::PATH).is_ok();
    }
    open_in_root(root, folder, OFlags::PATH | OFlags::DIRECTORY)
        .is_ok_and(|folder| fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok())
}

fn fact(root: &Path, path: &str) -> Option<FolderFact> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let folder = open_in_root(root, path, flags).ok()?;
    let stat = fs::fstat(&folder).ok()?;
    let mut fact = FolderFact {
        path: path.to_owned(),
        in_image: true,
        files: 0,
        folders: 0,
        bytes: 0,
        uid: stat.st_uid,
        gid: stat.st_gid,
        mode: stat.st_mode & 0o7777,
        programs: false,
    };
    // The root holds programs; counting it whole would take as long as unpacking it.
    if path == "/" {
        return Some(FolderFact { programs: true, files: 1, ..fact });
    }
    count(folder, &mut fact);
    Some(fact)
}

/// Counts what is below a folder, with one descriptor a level and no recursion.
fn count(folder: OwnedFd, fact: &mut FolderFact) {
    let mut levels: Vec<fs::Dir> = fs::Dir::new(folder).into_iter().collect();
    while let Some(level) = levels.last_mut() {
        let Some(Ok(entry)) = level.read() else {
            levels.pop();
            continue;
        };
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        if fact.files + fact.folders >= MAX_MEMBERS {
            fact.programs = true;
            return;
        }
        let Ok(folder) = level.fd() else { continue };
        let Ok(stat) = fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                fact.folders += 1;
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                match fs::openat(folder, name, flags, Mode::empty()).and_then(fs::Dir::new) {
                    Ok(below) => levels.push(below),
                    // What cannot be looked at is taken to hold programs.
                    Err(_) => fact.programs = true,
                }
            }
            FileType::RegularFile => {
                fact.files += 1;
                fact.bytes += stat.st_size.max(0).cast_unsigned();
                fact.programs = fact.programs || is_program(folder, name, stat.st_mode);
            }
            // A link is content too: of the size of what it says.
            FileType::Symlink => {
                fact.files += 1;
                fact.bytes += stat.st_size.max(0).cast_unsigned();
            }
            _ => fact.files += 1,
        }
    }
}

fn is_program(folder: BorrowedFd<'_>, name: &std::ffi::CStr, mode: u32) -> bool {
    let bytes = name.to_bytes();
    // `libc.so.6` as well as `libc.so`.
    let library = bytes.windows(4).any(|window| window == b".so.");
    if mode & 0o111 != 0 || library || LOADED.iter().any(|ending| bytes.ends_with(ending)) {
        return true;
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut head = [0; 4];
    fs::openat(folder, name, flags, Mode::empty())
        .is_ok_and(|file| File::from(file).read_exact(&mut head).is_ok() && head == *b"\x7fELF")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn folders_are_counted_and_programs_seen() {
        let root = tempfile::tempdir().expect("a folder");
        let at = |path: &str| root.path().join(path);
        std::fs::create_dir_all(at("var/log/app")).expect("folders");
        std::fs::create_dir_all(at("app")).expect("folders");
        std::fs::write(at("var/log/app/a.log"), "12345").expect("a file");
        std::fs::write(at("app/main.py"), "").expect("a file");
        std::fs::set_permissions(at("var/log/app"), std::fs::Permissions::from_mode(0o1777)).expect("a mode");
        std::os::unix::fs::symlink("/var/log", at("logs")).expect("a link");
        let facts = folder_facts(root.path(), ["/var/log/app/new", "/app/x", "/gone/x"]);
        let fact = |path: &str| facts.iter().find(|fact| fact.path == path);
        let log = fact("/var/log/app").expect("the folder");
        assert_eq!((log.files, log.bytes, log.mode, log.programs), (1, 5, 0o1777, false));
        assert_eq!(fact("/var").map(|fact| (fact.files, fact.folders)), Some((1, 2)));
        assert!(fact("/app").is_some_and(|fact| fact.programs));
        assert!(fact("/gone").is_none());
        assert!(exists(root.path(), "/logs"), "the link itself");
        assert!(exists(root.path(), "/logs/app/a.log"), "through an absolute link, inside the root");
        assert!(!exists(root.path(), "/logs/b"));
    }
}
