//! One blob of an image on disk: read once, in a stream, decompressed by what its first bytes say,
//! and verified against its digest at the end.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};

/// A file, or a stretch of one (a member of an archive).
#[derive(Clone, Debug)]
pub(super) struct Blob {
    pub file: PathBuf,
    pub offset: u64,
    pub size: u64,
    /// `sha256:…` of the bytes as stored; `None` for a member of a docker archive, whose content is
    /// verified against the configuration's diff id alone.
    pub digest: Option<String>,
    /// Keeps what was pulled or decompressed for as long as one of its blobs is there.
    #[expect(dead_code, reason = "held for its destructor")]
    pub kept: Option<Arc<Kept>>,
}

/// Removed when the last blob goes.
#[derive(Debug)]
#[expect(dead_code, reason = "held for their destructors")]
pub(super) enum Kept {
    File(tempfile::TempPath),
    Folder(tempfile::TempDir),
}

/// Documents of an image (index, manifest, configuration) are small.
pub(super) const MAX_DOCUMENT: u64 = 4 << 20;

impl Blob {
    /// For messages.
    pub fn name(&self) -> String {
        self.digest.clone().unwrap_or_else(|| super::shown(&self.file))
    }

    /// The whole blob, verified: for the small documents.
    pub fn document(&self) -> Result<Vec<u8>, String> {
        if self.size > MAX_DOCUMENT {
            return Err(format!("{} is larger than {} MiB", self.name(), MAX_DOCUMENT >> 20));
        }
        let mut bytes = Vec::new();
        let mut stored = self.stored().map_err(|error| format!("{}: {error}", self.name()))?;
        stored.read_to_end(&mut bytes).map_err(|error| format!("{}: {error}", self.name()))?;
        stored.verify()?;
        Ok(bytes)
    }

    /// The bytes as stored.
    pub fn stored(&self) -> io::Result<Stored> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.offset))?;
        Ok(Stored { file: file.take(self.size), hasher: Sha256::new(), blob: self.clone(), read: 0 })
    }
}

/// The bytes of a blob as stored, hashed as they are read.
pub(super) struct Stored {
    file: io::Take<File>,
    hasher: Sha256,
    blob: Blob,
    read: u64,
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        self.read += read as u64;
        Ok(read)
    }
}

impl Stored {
    /// Reads what is left and compares size and digest.
    pub fn verify(mut self) -> Result<(), String> {
        let name = self.blob.name();
        io::copy(&mut self, &mut io::sink()).map_err(|error| format!("{name}: {error}"))?;
        if self.read != self.blob.size {
            return Err(format!("{name} is cut off: {} of {} bytes", self.read, self.blob.size));
        }
        match &self.blob.digest {
            Some(wanted) => {
                let found = digest_of(self.hasher);
                if found == *wanted { Ok(()) } else { Err(format!("{name}: its content has another digest, {found}")) }
            }
            None => Ok(()),
        }
    }
}

pub(super) fn digest_of(hasher: Sha256) -> String {
    let hex: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// A layer's tar stream: decompressed, counted and hashed.
pub(super) enum Decoder {
    Plain(BufReader<Stored>),
    // Several gzip members in a row are one stream.
    Gzip(flate2::bufread::MultiGzDecoder<BufReader<Stored>>),
    Zstd(zstd::Decoder<'static, BufReader<Stored>>),
}

/// The largest window of zstd that is decoded, as a power of two: 128 MiB, what its own tool takes.
const MAX_WINDOW_LOG: u32 = 27;

impl Decoder {
    pub fn new(stored: Stored) -> io::Result<Decoder> {
        let mut stored = BufReader::with_capacity(128 << 10, stored);
        let head = stored.fill_buf()?;
        Ok(if head.starts_with(&[0x1f, 0x8b]) {
            Decoder::Gzip(flate2::bufread::MultiGzDecoder::new(stored))
        } else if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            let mut decoder = zstd::Decoder::with_buffer(stored)?;
            decoder.window_log_max(MAX_WINDOW_LOG)?;
            Decoder::Zstd(decoder)
        } else if head.starts_with(b"\xfd7zXZ\0") {
            return Err(super::members::invalid("it is compressed with xz, and only gzip and zstd are read"));
        } else if head.starts_with(b"BZh") {
            return Err(super::members::invalid("it is compressed with bzip2, and only gzip and zstd are read"));
        } else {
            Decoder::Plain(stored)
        })
    }

    /// The stored bytes, to be verified once the stream was read.
    pub fn into_stored(self) -> Stored {
        match self {
            Decoder::Plain(stored) => stored.into_inner(),
            Decoder::Gzip(decoder) => decoder.into_inner().into_inner(),
            Decoder::Zstd(decoder) => decoder.finish().into_inner(),
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Decoder::Plain(stored) => stored.read(buffer),
            Decoder::Gzip(decoder) => decoder.read(buffer),
            Decoder::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

/// Counts what comes out of a decompressor and hashes it; ends where it becomes too much.
pub(super) struct Counted<'a> {
    pub decoder: &'a mut Decoder,
    pub hasher: &'a mut Sha256,
    pub bytes: &'a Cell<u64>,
    pub limit: u64,
    pub too_much: &'a str,
    pub cancelled: &'a AtomicBool,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(super::members::invalid("interrupted"));
        }
        let read = self.decoder.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        self.bytes.set(self.bytes.get() + read as u64);
        if self.bytes.get() > self.limit {
            return Err(super::members::invalid(self.too_much));
        }
        Ok(read)
    }
}
