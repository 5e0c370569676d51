//! The members of a tar stream with their long names and extended attributes resolved, and with
//! bounds on all of them: a header that announces gigabytes of name gets an error, not memory.

use std::io::{self, Read};

use tar::{Archive, EntryType, PaxExtensions};

/// Names, link targets and attributes of one member together.
const MAX_EXTENSION: u64 = 1 << 20;

/// Longest path of a member in bytes: the kernel's PATH_MAX.
const MAX_PATH: usize = 4096;

/// Its content would have to be put together from pieces, of any size.
const SPARSE: &str = "a sparse file, which layers do not have";

/// One member's header, resolved.
#[derive(Debug)]
pub(super) struct Member {
    /// As written: it may be absolute or climb.
    pub path: Vec<u8>,
    pub link: Option<Vec<u8>>,
    pub kind: EntryType,
    pub size: u64,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Seconds and nanoseconds.
    pub mtime: (i64, i64),
    pub xattrs: Vec<(String, Vec<u8>)>,
    /// Where its content lies in the stream.
    pub position: u64,
}

/// What the extension headers before a member said of it.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u32>,
    gid: Option<u32>,
    mtime: Option<(i64, i64)>,
    xattrs: Vec<(String, Vec<u8>)>,
}

/// Calls `visit` for each member, in order, with its content.
pub(super) fn each<R: Read, E: From<io::Error>>(
    stream: R,
    mut visit: impl FnMut(Member, &mut dyn Read) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = Archive::new(stream);
    let mut extended = Extended::default();
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry.map_err(plainly)?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => extended.path = Some(name(&bounded(&mut entry)?)),
            EntryType::GNULongLink => extended.link = Some(name(&bounded(&mut entry)?)),
            EntryType::XHeader => extended.read_pax(&bounded(&mut entry)?)?,
            EntryType::XGlobalHeader => {
                bounded(&mut entry)?;
            }
            EntryType::GNUSparse => return Err(invalid(SPARSE).into()),
            _ => {
                let member = extended.member(&entry)?;
                extended = Extended::default();
                visit(member, &mut entry)?;
            }
        }
    }
    Ok(())
}

/// What the reader says of a stream that ends too early, in words.
fn plainly(error: io::Error) -> io::Error {
    let said = error.to_string();
    match error.kind() == io::ErrorKind::UnexpectedEof || said.contains(" EOF ") || said.contains("entire block") {
        true => invalid("it is cut off"),
        false => error,
    }
}

fn bounded<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<Vec<u8>> {
    if entry.size() > MAX_EXTENSION {
        return Err(invalid("an extended header of more than 1 MiB"));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A GNU long name ends at its first NUL.
fn name(bytes: &[u8]) -> Vec<u8> {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
}

pub(super) fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message)
}

impl Extended {
    fn read_pax(&mut self, bytes: &[u8]) -> io::Result<()> {
        for extension in PaxExtensions::new(bytes) {
            let extension = extension.map_err(|_| invalid("a malformed extended header"))?;
            let value = extension.value_bytes();
            let number = || std::str::from_utf8(value).ok()?.parse::<u64>().ok();
            match extension.key_bytes() {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = Some(number().ok_or_else(|| invalid("a malformed size"))?),
                b"uid" => self.uid = number().and_then(|id| u32::try_from(id).ok()),
                b"gid" => self.gid = number().and_then(|id| u32::try_from(id).ok()),
                b"mtime" => self.mtime = std::str::from_utf8(value).ok().and_then(seconds),
                key if key.starts_with(b"GNU.sparse.") => return Err(invalid(SPARSE)),
                key => {
                    if let Some(name) = key.strip_prefix(b"SCHILY.xattr.")
                        && let Ok(name) = std::str::from_utf8(name)
                    {
                        self.xattrs.push((name.to_owned(), value.to_vec()));
                    }
                }
            }
        }
        Ok(())
    }

    fn member<R: Read>(&mut self, entry: &tar::Entry<'_, R>) -> io::Result<Member> {
        let header = entry.header();
        let size = header.entry_size()?;
        // The reader steps over as many bytes as the plain header says; another size would make
        // two readers see two different archives.
        if self.size.is_some_and(|pax| pax > 0o77777777777 && size == 0) {
            return Err(invalid("a file of more than 8 GiB"));
        }
        if self.size.is_some_and(|pax| pax != size) {
            return Err(invalid("two different sizes for one member"));
        }
        let path = self.path.take().unwrap_or_else(|| header.path_bytes().into_owned());
        let link = self.link.take().or_else(|| header.link_name_bytes().map(|link| link.into_owned()));
        if path.len() > MAX_PATH || link.as_ref().is_some_and(|link| link.len() > MAX_PATH) {
            return Err(invalid("a path of more than 4096 bytes"));
        }
        if path.contains(&0) || link.as_ref().is_some_and(|link| link.contains(&0)) {
            return Err(invalid("a path with a NUL byte"));
        }
        let id = |id: io::Result<u64>| id.ok().and_then(|id| u32::try_from(id).ok()).unwrap_or(0);
        Ok(Member {
            path,
            link,
            kind: header.entry_type(),
            size,
            mode: header.mode()? & 0o7777,
            uid: self.uid.unwrap_or_else(|| id(header.uid())),
            gid: self.gid.unwrap_or_else(|| id(header.gid())),
            mtime: self.mtime.unwrap_or_else(|| (header.mtime().unwrap_or(0).cast_signed(), 0)),
            xattrs: std::mem::take(&mut self.xattrs),
            position: entry.raw_file_position(),
        })
    }
}

/// `1700000000.123456789`.
fn seconds(text: &str) -> Option<(i64, i64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    Some((whole.parse().ok()?, digits.parse().ok()?))
}
