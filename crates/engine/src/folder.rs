//! The folder that hardening leaves its evidence in. It may lie in a repository of somebody else's:
//! nothing is written through a link or outside of it, and no file that is not ours is replaced.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::{Error, Result};

/// The file that makes a folder ours. After its first line it names what was written.
pub const MARK: &str = ".tojimari-out";

const FIRST_LINE: &str = "# Written by tojimari harden, which may replace these files.";

/// A longer one is none of ours.
const MAX_MARK: u64 = 1 << 20;

/// Nothing that is opened leads out of the folder.
const WITHIN: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);

#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    folder: OwnedFd,
    /// Names of files that were written by this run or an earlier one.
    ours: BTreeSet<String>,
}

impl Folder {
    /// Says whether the folder could be used, and makes nothing.
    pub fn check(path: &Path) -> Result<()> {
        match find(path, false)? {
            Some(folder) => ours(path, &folder).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Makes the folder where it is not there, and its mark. One that holds files and no mark is refused.
    pub fn open(path: &Path) -> Result<Folder> {
        let folder = find(path, true)?.ok_or_else(|| refused(path, "it was taken away"))?;
        let ours = ours(path, &folder)?;
        let folder = Folder { path: path.to_owned(), folder, ours };
        folder.mark()?;
        Ok(folder)
    }

    /// Writes a file beside and renames it. Only the owner may read what is private. `never` is a file
    /// that stays, whatever the mark says.
    pub fn write(&mut self, name: &str, bytes: &[u8], is_private: bool, never: Option<&Path>) -> Result<PathBuf> {
        let path = self.path.join(name);
        if let Ok(stat) = rustix::fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            let is_never = never
                .and_then(|never| std::fs::metadata(never).ok())
                .is_some_and(|never| (never.dev(), never.ino()) == (stat.st_dev, stat.st_ino));
            if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
                return Err(refused(&path, "what is there is no file"));
            }
            if is_never || !self.ours.contains(name) {
                return Err(refused(&path, "that file was not written by tojimari, and stays as it is"));
            }
        }
        if self.ours.insert(name.to_owned()) {
            // Before the file itself: a file that the mark does not name is never replaced again.
            self.mark()?;
        }
        let mode = if is_private { Mode::RUSR | Mode::WUSR } else { Mode::from_raw_mode(0o644) };
        self.replace(name, bytes, mode)?;
        Ok(path)
    }

    fn mark(&self) -> Result<()> {
        let names: Vec<&str> = [FIRST_LINE].into_iter().chain(self.ours.iter().map(String::as_str)).collect();
        self.replace(MARK, format!("{}\n", names.join("\n")).as_bytes(), Mode::from_raw_mode(0o644))
    }

    fn replace(&self, name: &str, bytes: &[u8], mode: Mode) -> Result<()> {
        let beside = format!("{MARK}-{}", std::process::id());
        let written = (|| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            // What a run that was killed left behind.
            let _ = rustix::fs::unlinkat(&self.folder, &*beside, AtFlags::empty());
            let mut file = File::from(rustix::fs::openat2(&self.folder, &*beside, flags, mode, WITHIN)?);
            file.write_all(bytes)?;
            file.sync_all()?;
            rustix::fs::renameat(&self.folder, &*beside, &self.folder, name)?;
            io::Result::Ok(())
        })();
        if written.is_err() {
            let _ = rustix::fs::unlinkat(&self.folder, &*beside, AtFlags::empty());
        }
        written.map_err(Error::fault(format!("failed to write {}", self.path.join(name).display())))
    }
}

fn refused(path: &Path, why: &str) -> Error {
    Error::Input(format!("{}: {why}", path.display()))
}

/// Opens the folder, part by part; `None` where it is not there and is not to be made. Links on the
/// way to an absolute path are the machine's; those on a relative one may have come with a repository.
fn find(path: &Path, make: bool) -> Result<Option<OwnedFd>> {
    let parts: Vec<&OsStr> = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(Component::as_os_str)
        .collect();
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let start = if path.is_absolute() { "/" } else { "." };
    let failed = |error: Errno| match error {
        Errno::LOOP => refused(path, "a symbolic link is no folder for results"),
        Errno::NOTDIR => refused(path, "it is no folder"),
        error => Error::fault(format!("failed to make the folder {}", path.display()))(io::Error::from(error)),
    };
    let mut folder = rustix::fs::openat2(CWD, start, flags, Mode::empty(), ResolveFlags::empty()).map_err(failed)?;
    for (at, part) in parts.iter().enumerate() {
        let may_be_link = path.is_absolute() && at + 1 < parts.len();
        let resolve = if may_be_link { ResolveFlags::empty() } else { ResolveFlags::NO_SYMLINKS };
        let open = || rustix::fs::openat2(&folder, *part, flags, Mode::empty(), resolve);
        let opened = match open() {
            Err(Errno::NOENT) if make => {
                match rustix::fs::mkdirat(&folder, *part, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(failed(error)),
                }
                open().map_err(failed)?
            }
            Err(Errno::NOENT) => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        folder = opened;
    }
    Ok(Some(folder))
}

/// The names in the mark; none in an empty folder. A folder with anything else in it is refused.
fn ours(path: &Path, folder: &OwnedFd) -> Result<BTreeSet<String>> {
    let failed = || Error::fault(format!("failed to read {}", path.display()));
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let not_ours =
        || refused(path, "the folder holds files, and none of tojimari's: give --out one that is empty or new");
    match rustix::fs::openat2(folder, MARK, flags, Mode::empty(), WITHIN) {
        Ok(mark) => {
            let mut text = String::new();
            let is_file = rustix::fs::fstat(&mark)
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
            let read = is_file.then(|| File::from(mark).take(MAX_MARK).read_to_string(&mut text));
            let mut lines = text.lines();
            match read {
                Some(Ok(_)) if lines.next() == Some(FIRST_LINE) => Ok(lines.map(str::to_owned).collect()),
                _ => Err(not_ours()),
            }
        }
        Err(Errno::NOENT) => {
            // The folder itself is open as a place alone, which cannot be read.
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let readable = rustix::fs::openat(folder, c".", flags, Mode::empty()).map_err(failed())?;
            for entry in Dir::new(readable).map_err(failed())? {
                let entry = entry.map_err(failed())?;
                if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                    return Err(not_ours());
                }
            }
            Ok(BTreeSet::new())
        }
        Err(Errno::LOOP) => Err(not_ours()),
        Err(error) => Err(failed()(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
        Folder::open(folder)?.write(name, text.as_bytes(), false, None)
    }

    #[test]
    fn files_are_written_and_replaced_by_the_next_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("a/out");
        Folder::check(&out).expect("it can be made");
        assert!(!folder.path().join("a").exists(), "a check makes nothing");
        for text in ["one", "two"] {
            let path = write(&out, "plan.json", text).expect("written");
            assert_eq!(std::fs::read_to_string(path).expect("the file"), text);
        }
        let mut names: Vec<_> = std::fs::read_dir(&out).expect("it").flatten().map(|e| e.file_name()).collect();
        names.sort();
        assert_eq!(names, [MARK, "plan.json"], "nothing is left beside");
    }

    #[test]
    fn what_is_private_is_so_from_the_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut out = Folder::open(&folder.path().join("out")).expect("made");
        let path = out.write("td.json", b"{}", true, None).expect("written");
        assert_eq!(std::fs::metadata(path).expect("it").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "as it was").expect("written");
        let out = folder.path().join("out");
        write(&out, "plan.json", "{}").expect("written");
        // Even where the mark names it.
        symlink(&victim, out.join("td.json")).expect("a link");
        std::fs::write(out.join(MARK), format!("{FIRST_LINE}\nplan.json\ntd.json\n")).expect("written");
        let error = write(&out, "td.json", "{}").expect_err("a link");
        assert!(error.is_input() && error.to_string().ends_with("what is there is no file"), "{error}");
        assert_eq!(std::fs::read_to_string(&victim).expect("it"), "as it was");

        let elsewhere = folder.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).expect("a folder");
        symlink(&elsewhere, folder.path().join("linked")).expect("a link");
        for make in [false, true] {
            let error = find(&folder.path().join("linked"), make).expect_err("a link");
            assert!(error.to_string().ends_with("a symbolic link is no folder for results"), "{error}");
        }
        assert_eq!(std::fs::read_dir(&elsewhere).expect("it").count(), 0);
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let theirs = folder.path().join("td.json");
        std::fs::write(&theirs, "theirs").expect("written");
        let refusal = |error: Error| {
            assert!(error.is_input(), "{error}");
            error.to_string()
        };
        let error = refusal(Folder::check(folder.path()).expect_err("not empty"));
        assert!(error.contains("holds files, and none of tojimari's"), "{error}");
        symlink(&theirs, folder.path().join(MARK)).expect("a link");
        refusal(Folder::open(folder.path()).expect_err("a mark that is a link"));
        std::fs::remove_file(folder.path().join(MARK)).expect("removed");

        // A folder of ours that a file of theirs came into.
        std::fs::write(folder.path().join(MARK), format!("{FIRST_LINE}\nplan.json\n")).expect("written");
        let error = refusal(write(folder.path(), "td.json", "{}").expect_err("not ours"));
        assert!(error.contains("was not written by tojimari"), "{error}");
        // A mark that lies.
        std::fs::write(folder.path().join(MARK), format!("{FIRST_LINE}\ntd.json\n")).expect("written");
        let mut out = Folder::open(folder.path()).expect("marked");
        refusal(out.write("td.json", b"{}", false, Some(&theirs)).expect_err("the file itself"));
        assert_eq!(std::fs::read_to_string(&theirs).expect("it"), "theirs");
        refusal(Folder::check(&theirs).expect_err("a file"));
    }
}
