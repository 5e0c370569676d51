//! Layers unpacked into a folder. Every path is resolved by the kernel with the folder as its root
//! (`openat2` with RESOLVE_IN_ROOT), so no `..`, absolute path or symbolic link leads out of it, in
//! one layer or across layers; the last component is never followed.

use std::cell::Cell;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use tar::EntryType;

use super::blob::{Blob, Counted, Decoder, digest_of};
use super::entry::{Failure, c_string, own, parts, remove, set_metadata, times};
use super::members::{self, Member};
use super::root::{Root, joined};
use super::{Error, Image, shown};

/// How much an image may unpack to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of all layers together, as they come out of the decompressor.
    pub bytes: u64,
    /// Members of all layers together, with the folders that have to be made for them.
    pub members: u64,
}

impl Default for Limits {
    /// 20 GiB, the ephemeral storage that Fargate gives a task by default, and two million members.
    fn default() -> Self {
        Limits { bytes: 20 << 30, members: 2_000_000 }
    }
}

/// What was unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unpacked {
    pub bytes: u64,
    pub members: u64,
    /// Device nodes, which are never made: a container gets its devices from the runtime.
    pub devices_skipped: u64,
}

/// Prefix of the names that remove something of a lower layer.
const WHITEOUT: &[u8] = b".wh.";
/// Removes all that lower layers have in its folder.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// Bytes of the paths of all folders together: their times are kept until the end.
const MAX_FOLDER_NAMES: u64 = 256 << 20;

/// Of the disk's free space, the part that stays free (a twentieth).
const KEPT_FREE: u64 = 20;

pub(super) fn unpack(image: &Image, into: &Path, limits: &Limits, cancelled: &AtomicBool) -> Result<Unpacked, Error> {
    let mut unpacking = Unpacking::new(into, limits, cancelled).map_err(|source| Error::Io {
        reference: image.reference.clone(),
        doing: format!("opening {} to unpack into", shown(into)),
        source,
    })?;
    for (layer, diff_id) in image.layers.iter().zip(image.config.rootfs().diff_ids()) {
        unpacking.layer(layer, diff_id).map_err(|failure| match failure {
            Failure::Bad(message) => image.bad(format!("layer {}: {message}", layer.name())),
            Failure::Io(source) => Error::Io {
                reference: image.reference.clone(),
                doing: format!("unpacking layer {}", layer.name()),
                source,
            },
        })?;
    }
    unpacking.set_folder_times();
    Ok(Unpacked { bytes: unpacking.bytes.get(), ..unpacking.unpacked })
}

struct Unpacking<'a> {
    root: Root,
    limits: Limits,
    /// What is said when `limits.bytes` is passed.
    too_much: String,
    cancelled: &'a AtomicBool,
    unpacked: Unpacked,
    bytes: Cell<u64>,
    /// Set at the end: making entries changes the times of their folder.
    folder_times: Vec<(Vec<u8>, (i64, i64))>,
    folder_names: u64,
    /// What the layer being read brought, as hashes of paths with links resolved: a whiteout hides
    /// what lower layers have, not what its own brings. Keyed at random, so that no layer can
    /// provoke a collision, and small whatever the length of the paths.
    brought: HashSet<u64>,
    keys: RandomState,
}

impl<'a> Unpacking<'a> {
    fn new(into: &Path, limits: &Limits, cancelled: &'a AtomicBool) -> io::Result<Self> {
        let root = Root::open(into)?;
        let free = root.free()?;
        let free = free - free / KEPT_FREE;
        let mut limits = *limits;
        let mut too_much = format!("the image unpacks to more than {} MiB", limits.bytes >> 20);
        if free < limits.bytes {
            limits.bytes = free;
            too_much =
                format!("the image unpacks to more than the {} MiB that are free for {}", free >> 20, shown(into));
        }
        Ok(Unpacking {
            root,
            limits,
            too_much,
            cancelled,
            unpacked: Unpacked::default(),
            bytes: Cell::new(0),
            folder_times: Vec::new(),
            folder_names: 0,
            brought: HashSet::new(),
            keys: RandomState::new(),
        })
    }

    fn layer(&mut self, layer: &Blob, diff_id: &str) -> Result<(), Failure> {
        let mut decoder = Decoder::new(layer.stored()?)?;
        let mut hasher = Sha256::new();
        let bytes = Cell::new(self.bytes.get());
        let too_much = self.too_much.clone();
        let mut counted = Counted {
            decoder: &mut decoder,
            hasher: &mut hasher,
            bytes: &bytes,
            limit: self.limits.bytes,
            too_much: &too_much,
            cancelled: self.cancelled,
        };
        self.brought.clear();
        members::each(&mut counted, |member, content| -> Result<(), Failure> {
            // Before a file is half written.
            if member.size > self.limits.bytes - bytes.get() {
                return Err(Failure::Bad(too_much.clone()));
            }
            let shown = String::from_utf8_lossy(&member.path).escape_debug().to_string();
            self.member(member, content).map_err(|failure| match failure {
                Failure::Bad(message) => Failure::Bad(format!("{shown}: {message}")),
                other => other,
            })
        })?;
        // What follows the end of the archive counts for the digest all the same.
        io::copy(&mut counted, &mut io::sink())?;
        self.bytes.set(bytes.get());
        decoder.into_stored().verify().map_err(Failure::Bad)?;
        let found = digest_of(hasher);
        if found != diff_id {
            return Err(Failure::Bad(format!("its content has the digest {found}, its configuration says {diff_id}")));
        }
        Ok(())
    }

    fn count_member(&mut self) -> Result<(), Failure> {
        self.unpacked.members += 1;
        match self.unpacked.members > self.limits.members {
            true => Err(Failure::Bad(format!("the image has more than {} members", self.limits.members))),
            false => Ok(()),
        }
    }

    fn member(&mut self, member: Member, content: &mut dyn Read) -> Result<(), Failure> {
        self.count_member()?;
        let parts = parts(&member.path)?;
        let Some((name, folder)) = parts.split_last() else {
            // The root itself: its mode and owner are the image's.
            if member.kind == EntryType::Directory {
                set_metadata(self.root.folder(b"")?, &member)?;
                self.remember_time(Vec::new(), member.mtime)?;
            }
            return Ok(());
        };
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return match self.root.folder(&joined(folder)) {
                Ok(parent) => self.whiteout(&parent, name, hidden),
                // Nothing there to hide.
                Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        let parent = self.folder(folder)?;
        let path = self.root.path_of_name(&parent, name)?;
        self.make(&parent, name, &path, &member, content)?;
        for end in (1..=path.len()).rev().filter(|end| path.get(*end).is_none_or(|byte| *byte == b'/')) {
            if !self.brought.insert(self.keys.hash_one(&path[..end])) {
                // Then all above it was noted as well.
                break;
            }
        }
        Ok(())
    }

    /// Opens a folder below the root; what is missing of it is made.
    fn folder(&mut self, parts: &[&[u8]]) -> Result<OwnedFd, Failure> {
        match self.root.folder(&joined(parts)) {
            Ok(folder) => return Ok(folder),
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let mut folder = self.root.folder(b"")?;
        for end in 1..=parts.len() {
            let path = joined(&parts[..end]);
            folder = match self.root.folder(&path) {
                Ok(folder) => folder,
                Err(Errno::NOENT) => {
                    self.count_member()?;
                    self.root.path_of_name(&folder, parts[end - 1])?;
                    // A dangling link stands there: what it leads to is not ours to make.
                    fs::mkdirat(&folder, c_string(parts[end - 1])?, Mode::from_raw_mode(0o755)).map_err(|error| {
                        match error {
                            Errno::EXIST => Failure::Bad("a folder on its way is a link that leads nowhere".to_owned()),
                            error => error.into(),
                        }
                    })?;
                    self.root.folder(&path)?
                }
                Err(error) => return Err(error.into()),
            };
        }
        Ok(folder)
    }

    fn whiteout(&self, parent: &OwnedFd, name: &[u8], hidden: &[u8]) -> Result<(), Failure> {
        if name == OPAQUE {
            return self.remove_lower(parent);
        }
        if hidden.starts_with(WHITEOUT) {
            // Bookkeeping of a storage driver of old.
            return Ok(());
        }
        if hidden.is_empty() || hidden == b"." || hidden == b".." {
            return Err(Failure::Bad("a whiteout of no name".to_owned()));
        }
        if self.is_brought(parent, hidden)? { Ok(()) } else { remove(parent, hidden) }
    }

    fn is_brought(&self, parent: &OwnedFd, name: &[u8]) -> Result<bool, Failure> {
        Ok(self.brought.contains(&self.keys.hash_one(&self.root.path_of_name(parent, name)?[..])))
    }

    /// Removes all below a folder but what the layer being read brought.
    fn remove_lower(&self, folder: &OwnedFd) -> Result<(), Failure> {
        let mut left = vec![self.root.path_of(folder)?];
        while let Some(path) = left.pop() {
            let folder = self.root.folder(&path)?;
            for entry in fs::Dir::read_from(&folder)? {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if name == b"." || name == b".." {
                    continue;
                }
                if !self.is_brought(&folder, name)? {
                    remove(&folder, name)?;
                } else if entry.file_type() == FileType::Directory {
                    left.push(self.root.path_of_name(&folder, name)?);
                }
            }
        }
        Ok(())
    }

    fn make(
        &mut self,
        parent: &OwnedFd,
        name: &[u8],
        path: &[u8],
        member: &Member,
        content: &mut dyn Read,
    ) -> Result<(), Failure> {
        let c_name = c_string(name)?;
        let there = match fs::statat(parent, &c_name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Some(FileType::from_raw_mode(stat.st_mode)),
            Err(Errno::NOENT) => None,
            Err(error) => return Err(error.into()),
        };
        if member.kind == EntryType::Directory {
            if there != Some(FileType::Directory) {
                if there.is_some() {
                    remove(parent, name)?;
                }
                fs::mkdirat(parent, &c_name, Mode::from_raw_mode(0o700))?;
            }
            let folder = fs::openat(
                parent,
                &c_name,
                OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
                Mode::empty(),
            )?;
            set_metadata(&folder, member)?;
            return self.remember_time(path.to_vec(), member.mtime);
        }
        if member.kind == EntryType::Link {
            return self.hard_link(parent, name, member);
        }
        if there.is_some() {
            remove(parent, name)?;
        }
        match member.kind {
            EntryType::Regular | EntryType::Continuous => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let file = fs::openat(parent, &c_name, flags, Mode::from_raw_mode(0o600))?;
                let mut file = std::fs::File::from(file);
                if io::copy(content, &mut file)? != member.size {
                    return Err(Failure::Bad("its content is cut off".to_owned()));
                }
                set_metadata(&file, member)?;
                fs::futimens(&file, &times(member.mtime))?;
            }
            EntryType::Symlink => {
                let target = member.link.as_deref().unwrap_or_default();
                if target.is_empty() {
                    return Err(Failure::Bad("a link to nothing".to_owned()));
                }
                fs::symlinkat(OsStr::from_bytes(target), parent, &c_name)?;
                own(parent, &c_name, member)?;
                fs::utimensat(parent, &c_name, &times(member.mtime), AtFlags::SYMLINK_NOFOLLOW)?;
            }
            EntryType::Fifo => {
                fs::mknodat(parent, &c_name, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
                own(parent, &c_name, member)?;
                // Just made, and no link: following is safe.
                fs::chmodat(parent, &c_name, Mode::from_raw_mode(member.mode), AtFlags::empty())?;
            }
            // A node would be a way to the machine's own devices.
            EntryType::Block | EntryType::Char => self.unpacked.devices_skipped += 1,
            kind => return Err(Failure::Bad(format!("a member of the unknown kind {kind:?}"))),
        }
        Ok(())
    }

    fn hard_link(&self, parent: &OwnedFd, name: &[u8], member: &Member) -> Result<(), Failure> {
        let parts = parts(member.link.as_deref().unwrap_or_default())?;
        let Some((target, folder)) = parts.split_last() else {
            return Err(Failure::Bad("a hard link to nothing".to_owned()));
        };
        let missing = |error| match error {
            Errno::NOENT | Errno::NOTDIR => Failure::Bad("a hard link to a file that is not there".to_owned()),
            error => error.into(),
        };
        let folder = self.root.folder(&joined(folder)).map_err(missing)?;
        let target = c_string(target)?;
        let stat = fs::statat(&folder, &target, AtFlags::SYMLINK_NOFOLLOW).map_err(missing)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            return Err(Failure::Bad("a hard link to a folder".to_owned()));
        }
        let c_name = c_string(name)?;
        match fs::statat(parent, &c_name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(there) if (there.st_dev, there.st_ino) == (stat.st_dev, stat.st_ino) => return Ok(()),
            Ok(_) => remove(parent, name)?,
            Err(_) => {}
        }
        // Links are not followed: a link to a link is one to the link itself.
        fs::linkat(&folder, &target, parent, &c_name, AtFlags::empty()).map_err(missing)
    }

    fn remember_time(&mut self, path: Vec<u8>, mtime: (i64, i64)) -> Result<(), Failure> {
        self.folder_names += path.len() as u64;
        if self.folder_names > MAX_FOLDER_NAMES {
            return Err(Failure::Bad(format!("folder names of more than {} MiB together", MAX_FOLDER_NAMES >> 20)));
        }
        self.folder_times.push((path, mtime));
        Ok(())
    }

    fn set_folder_times(&self) {
        for (path, mtime) in self.folder_times.iter().rev() {
            // A folder that a later layer took away has no times to set.
            if let Ok(folder) = self.root.folder(path) {
                let _ = fs::futimens(&folder, &times(*mtime));
            }
        }
    }
}
