//! Layers unpacked into a folder. Every path is resolved by the kernel with the folder as its root
//! (`openat2` with RESOLVE_IN_ROOT), so no `..`, absolute path or symbolic link leads out of it, in
//! one layer or across layers; the last component is never followed.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use tar::EntryType;

use super::blob::{Blob, Decoder, digest_of};
use super::entry::{Failure, c_string, own, parts, remove, set_metadata, times};
use super::members::{self, Member, invalid};
use super::{Error, Image};

/// How much an image may unpack to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of all layers together, as they come out of the decompressor.
    pub bytes: u64,
    /// Members of all layers together.
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

pub(super) fn unpack(image: &Image, into: &Path, limits: &Limits) -> Result<Unpacked, Error> {
    let root = fs::open(into, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).map_err(|error| {
        Error::Io {
            reference: image.reference.clone(),
            doing: "opening the folder to unpack into".to_owned(),
            source: error.into(),
        }
    })?;
    let mut unpacking = Unpacking { root, limits: *limits, unpacked: Unpacked::default(), folder_times: Vec::new() };
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
    Ok(unpacking.unpacked)
}

struct Unpacking {
    root: OwnedFd,
    limits: Limits,
    unpacked: Unpacked,
    /// Set at the end: making entries changes the times of their folder.
    folder_times: Vec<(Vec<u8>, (i64, i64))>,
}

/// Counts what comes out of a decompressor and hashes it.
struct Counted<'a> {
    decoder: &'a mut Decoder,
    hasher: &'a mut Sha256,
    bytes: &'a mut u64,
    limit: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        *self.bytes += read as u64;
        if *self.bytes > self.limit {
            return Err(invalid(&format!("the image unpacks to more than {} MiB", self.limit >> 20)));
        }
        Ok(read)
    }
}

impl Unpacking {
    fn layer(&mut self, layer: &Blob, diff_id: &str) -> Result<(), Failure> {
        let mut decoder = Decoder::new(layer.stored()?)?;
        let mut hasher = Sha256::new();
        let mut bytes = self.unpacked.bytes;
        let mut counted =
            Counted { decoder: &mut decoder, hasher: &mut hasher, bytes: &mut bytes, limit: self.limits.bytes };
        let mut seen = HashSet::new();
        members::each(&mut counted, |member, content| -> Result<(), Failure> {
            self.unpacked.members += 1;
            if self.unpacked.members > self.limits.members {
                return Err(Failure::Bad(format!("the image has more than {} members", self.limits.members)));
            }
            let shown = String::from_utf8_lossy(&member.path).escape_debug().to_string();
            self.member(member, content, &mut seen).map_err(|failure| match failure {
                Failure::Bad(message) => Failure::Bad(format!("{shown}: {message}")),
                other => other,
            })
        })?;
        // What follows the end of the archive counts for the digest all the same.
        io::copy(&mut counted, &mut io::sink())?;
        self.unpacked.bytes = bytes;
        decoder.into_stored().verify().map_err(Failure::Bad)?;
        let found = digest_of(hasher);
        if found != diff_id {
            return Err(Failure::Bad(format!("its content has the digest {found}, its configuration says {diff_id}")));
        }
        Ok(())
    }

    fn member(&mut self, member: Member, content: &mut dyn Read, seen: &mut HashSet<Vec<u8>>) -> Result<(), Failure> {
        let parts = parts(&member.path)?;
        let Some((name, folder)) = parts.split_last() else {
            // The root itself: its mode and owner are the image's.
            if member.kind == EntryType::Directory {
                let root = fs::openat2(
                    &self.root,
                    ".",
                    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
                    Mode::empty(),
                    ResolveFlags::IN_ROOT,
                )?;
                set_metadata(&root, &member)?;
            }
            return Ok(());
        };
        let parent = self.folder(folder)?;
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return self.whiteout(&parent, folder, name, hidden, seen);
        }
        let mut path = folder.join(&b'/');
        path.push(b'/');
        path.extend_from_slice(name);
        self.make(&parent, name, &path, &member, content)?;
        // A whiteout of this layer hides what lower layers have, not what this one brings.
        for end in path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at) {
            if end > 0 {
                seen.insert(path[..end].to_vec());
            }
        }
        seen.insert(path);
        Ok(())
    }

    /// Opens a folder below the root; what is missing of it is made.
    fn folder(&self, parts: &[&[u8]]) -> Result<OwnedFd, Failure> {
        let path = if parts.is_empty() { b".".to_vec() } else { parts.join(&b'/') };
        match self.open_folder(&path) {
            Ok(folder) => return Ok(folder),
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let mut folder = self.open_folder(b".")?;
        for end in 1..=parts.len() {
            let path = parts[..end].join(&b'/');
            folder = match self.open_folder(&path) {
                Ok(folder) => folder,
                Err(Errno::NOENT) => {
                    // A dangling link stands there: what it leads to is not ours to make.
                    fs::mkdirat(&folder, c_string(parts[end - 1])?, Mode::from_raw_mode(0o755)).map_err(|error| {
                        match error {
                            Errno::EXIST => Failure::Bad("a folder on its way is a link that leads nowhere".to_owned()),
                            error => error.into(),
                        }
                    })?;
                    self.open_folder(&path)?
                }
                Err(error) => return Err(error.into()),
            };
        }
        Ok(folder)
    }

    fn open_folder(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        fs::openat2(
            &self.root,
            OsStr::from_bytes(path),
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV,
        )
    }

    fn whiteout(
        &self,
        parent: &OwnedFd,
        folder: &[&[u8]],
        name: &[u8],
        hidden: &[u8],
        seen: &HashSet<Vec<u8>>,
    ) -> Result<(), Failure> {
        let path_of = |name: &[u8]| [folder, &[name]].concat().join(&b'/');
        if name == OPAQUE {
            let names: Vec<Vec<u8>> = fs::Dir::read_from(parent)?
                .filter_map(|entry| entry.ok().map(|entry| entry.file_name().to_bytes().to_vec()))
                .filter(|name| name != b"." && name != b"..")
                .collect();
            for name in names {
                if !seen.contains(&path_of(&name)) {
                    remove(parent, &name)?;
                }
            }
            return Ok(());
        }
        if hidden.starts_with(WHITEOUT) {
            // Bookkeeping of a storage driver of old.
            return Ok(());
        }
        if hidden.is_empty() || hidden == b"." || hidden == b".." {
            return Err(Failure::Bad("a whiteout of no name".to_owned()));
        }
        if seen.contains(&path_of(hidden)) {
            return Ok(());
        }
        remove(parent, hidden)
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
            self.folder_times.push((path.to_vec(), member.mtime));
            return Ok(());
        }
        if member.kind == EntryType::Link {
            return self.hard_link(parent, name, there.is_some(), member);
        }
        if matches!(member.kind, EntryType::Block | EntryType::Char) {
            self.unpacked.devices_skipped += 1;
            return Ok(());
        }
        if there.is_some() {
            remove(parent, name)?;
        }
        match member.kind {
            EntryType::Regular | EntryType::Continuous => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let file = fs::openat(parent, &c_name, flags, Mode::from_raw_mode(0o600))?;
                let mut file = std::fs::File::from(file);
                io::copy(content, &mut file)?;
                file.flush()?;
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
            kind => return Err(Failure::Bad(format!("a member of the unknown kind {kind:?}"))),
        }
        Ok(())
    }

    fn hard_link(&self, parent: &OwnedFd, name: &[u8], there: bool, member: &Member) -> Result<(), Failure> {
        let parts = parts(member.link.as_deref().unwrap_or_default())?;
        let Some((target, folder)) = parts.split_last() else {
            return Err(Failure::Bad("a hard link to nothing".to_owned()));
        };
        let missing = || Failure::Bad("a hard link to a file that is not there".to_owned());
        let folder = if folder.is_empty() { b".".to_vec() } else { folder.join(&b'/') };
        let folder = match self.open_folder(&folder) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => return Err(missing()),
            Err(error) => return Err(error.into()),
        };
        let target = c_string(target)?;
        // Linked under another name first: the old file goes only once the new one is there, and a
        // link to itself keeps its file.
        let beside = c_string(b".tojimari-link")?;
        match fs::linkat(&folder, &target, parent, &beside, AtFlags::empty()) {
            Ok(()) => {}
            Err(Errno::NOENT) => return Err(missing()),
            Err(Errno::PERM) => return Err(Failure::Bad("a hard link to a folder".to_owned())),
            Err(error) => return Err(error.into()),
        }
        if there {
            remove(parent, name)?;
        }
        fs::renameat_with(parent, &beside, parent, c_string(name)?, RenameFlags::NOREPLACE)?;
        Ok(())
    }

    fn set_folder_times(&self) {
        for (path, mtime) in self.folder_times.iter().rev() {
            // A folder that a later layer took away has no times to set.
            if let Ok(folder) = self.open_folder(path) {
                let _ = fs::futimens(&folder, &times(*mtime));
            }
        }
    }
}
