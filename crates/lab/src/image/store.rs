//! Where the files of an image lie: below a folder, or in a tar that is indexed once and then read
//! by offset. A compressed tar is decompressed to a temporary file first.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tar::EntryType;

use super::blob::{Blob, Decoder, Kept};
use super::{Opening, blob_path, members, shown};

/// The largest archive that is decompressed to disk.
const MAX_ARCHIVE: u64 = 40 << 30;

/// An archive of more members is no archive of images.
const MAX_MEMBERS: usize = 100_000;

/// Links to links are followed so far.
const MAX_LINKS: usize = 8;

pub(super) enum Store {
    Folder {
        folder: PathBuf,
        /// The folder of a pull.
        kept: Option<Arc<Kept>>,
    },
    Tar {
        file: PathBuf,
        /// By their names without `.`, `..` and doubled slashes.
        members: BTreeMap<String, Found>,
        /// The decompressed copy.
        kept: Option<Arc<Kept>>,
    },
}

pub(super) enum Found {
    File { offset: u64, size: u64 },
    Link(String),
}

impl Store {
    pub fn folder(folder: &Path) -> Result<Store, String> {
        match std::fs::metadata(folder) {
            Ok(metadata) if metadata.is_dir() => Ok(Store::Folder { folder: folder.to_owned(), kept: None }),
            Ok(_) => Err(format!("{} is not a folder", shown(folder))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(format!("no such folder: {}", shown(folder))),
            Err(error) => Err(error.to_string()),
        }
    }

    pub fn tar(file: &Path, opening: &Opening<'_>) -> Result<Store, String> {
        let metadata = std::fs::metadata(file).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "no such file".to_owned(),
            _ => error.to_string(),
        })?;
        if !metadata.is_file() {
            return Err("not a file".to_owned());
        }
        if metadata.len() == 0 {
            return Err("the file is empty".to_owned());
        }
        let (file, kept) = plain(file, metadata.len(), opening).map_err(|error| error.to_string())?;
        let members = index(&file, opening).map_err(|error| format!("not an archive of an image: {error}"))?;
        Ok(Store::Tar { file, members, kept })
    }

    /// The file of that name; `None` where there is none.
    pub fn find(&self, name: &str) -> Result<Option<Blob>, String> {
        match self {
            Store::Folder { folder, kept } => {
                let file = folder.join(name);
                // A link is followed: build systems make layouts of them, and the content has to fit
                // the digest all the same.
                match std::fs::metadata(&file) {
                    Ok(metadata) if metadata.is_file() => {
                        Ok(Some(Blob { file, offset: 0, size: metadata.len(), digest: None, kept: kept.clone() }))
                    }
                    Ok(_) => Err(format!("{} is not a file", shown(&file))),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    Err(error) => Err(format!("{}: {error}", shown(&file))),
                }
            }
            Store::Tar { file, members, kept } => {
                let mut name = name;
                for _ in 0..MAX_LINKS {
                    match members.get(name) {
                        Some(Found::File { offset, size }) => {
                            let (file, kept) = (file.clone(), kept.clone());
                            return Ok(Some(Blob { file, offset: *offset, size: *size, digest: None, kept }));
                        }
                        Some(Found::Link(target)) => name = target,
                        None => return Ok(None),
                    }
                }
                Err(format!("{} is a link that leads nowhere", name.escape_debug()))
            }
        }
    }

    /// The blob with that digest and size, both of which are checked when it is read.
    pub fn blob(&self, digest: &str, size: u64) -> Result<Blob, String> {
        let path = blob_path(digest).ok_or_else(|| format!("{} is not a sha256 digest", digest.escape_debug()))?;
        let name = Path::new("blobs").join(path);
        let blob = self.find(&name.to_string_lossy())?.ok_or_else(|| format!("blob {digest} is missing"))?;
        if blob.size < size {
            return Err(format!("blob {digest} is cut off: {} of {size} bytes", blob.size));
        }
        if blob.size > size {
            return Err(format!("blob {digest} has {} bytes where {size} are expected", blob.size));
        }
        Ok(Blob { digest: Some(digest.to_owned()), ..blob })
    }
}

/// A file's bytes as a plain tar: itself, or its decompressed copy, which goes with the last blob.
fn plain(file: &Path, size: u64, opening: &Opening<'_>) -> io::Result<(PathBuf, Option<Arc<Kept>>)> {
    let whole = Blob { file: file.to_owned(), offset: 0, size, digest: None, kept: None };
    let decoder = Decoder::new(whole.stored()?)?;
    if matches!(decoder, Decoder::Plain(_)) {
        return Ok((file.to_owned(), None));
    }
    (opening.tell)(&format!("decompressing {}", shown(file)));
    let mut copy = tempfile::Builder::new().prefix("tojimari-archive-").tempfile_in(opening.scratch)?;
    let mut bounded = opening.interrupting(decoder).take(MAX_ARCHIVE + 1);
    if io::copy(&mut bounded, &mut copy)? > MAX_ARCHIVE {
        return Err(members::invalid("it unpacks to more than 40 GiB"));
    }
    let path = copy.into_temp_path();
    Ok((path.to_path_buf(), Some(Arc::new(Kept::File(path)))))
}

fn index(tar: &Path, opening: &Opening<'_>) -> io::Result<BTreeMap<String, Found>> {
    let mut index = BTreeMap::new();
    let file = io::BufReader::with_capacity(128 << 10, opening.interrupting(File::open(tar)?));
    members::each(file, |member, _| -> io::Result<()> {
        if index.len() >= MAX_MEMBERS {
            return Err(members::invalid("more than 100000 members"));
        }
        let path = normal(&String::from_utf8_lossy(&member.path));
        match member.kind {
            EntryType::Regular | EntryType::Continuous => {
                index.insert(path, Found::File { offset: member.position, size: member.size });
            }
            EntryType::Symlink => {
                let target = String::from_utf8_lossy(&member.link.unwrap_or_default()).into_owned();
                let folder = Path::new(&path).parent().unwrap_or(Path::new(""));
                let target = normal(&folder.join(target).to_string_lossy());
                index.insert(path, Found::Link(target));
            }
            EntryType::Link => {
                let target = String::from_utf8_lossy(&member.link.unwrap_or_default()).into_owned();
                index.insert(path, Found::Link(normal(&target)));
            }
            _ => {}
        }
        Ok(())
    })?;
    if index.is_empty() {
        return Err(members::invalid("it has no members"));
    }
    Ok(index)
}

/// A name in an archive without `.`, `..` and doubled slashes. Names only look up other members.
pub(super) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
