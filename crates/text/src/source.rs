//! Source files and places in them: a `Span` is a cheap half-open byte range in a file that
//! `Sources` knows; a `Place` is the same for people, with one-based lines and columns.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A file that has been added to a [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A half-open byte range `start..end` in one file. Copied freely: twelve bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Span { file, start: start as u32, end: end as u32 }
    }

    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The smallest span that covers both. Both must lie in the same file.
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A span as people and other programs read it. Lines and columns count from one; columns count
/// Unicode scalar values; the end is exclusive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    pub file: String,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

/// Something in the input that could not be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub span: Span,
    pub message: String,
}

/// One input file: its name as the user wrote it, and its text.
#[derive(Debug)]
pub struct Source {
    pub name: String,
    pub text: String,
    /// Made when the first place is asked for: most files have none to show.
    index: OnceLock<Index>,
}

/// Where lines begin and how many characters there are before each block, so that a place in a line
/// of megabytes is found as fast as any other.
#[derive(Debug)]
struct Index {
    /// Byte offset of the first byte of each line.
    lines: Vec<u32>,
    /// Characters before the first byte of each block.
    characters: Vec<u32>,
}

/// Bytes in a block of [`Index::characters`].
const BLOCK: usize = 1024;

fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

impl Index {
    fn new(text: &str) -> Index {
        let breaks = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1);
        let counts = text.as_bytes().chunks(BLOCK).scan(0, |sum, block| {
            *sum += characters(block) as u32;
            Some(*sum)
        });
        Index {
            lines: std::iter::once(0).chain(breaks).collect(),
            characters: std::iter::once(0).chain(counts).collect(),
        }
    }

    fn characters_before(&self, text: &str, offset: usize) -> usize {
        let block = offset / BLOCK;
        self.characters[block] as usize + characters(&text.as_bytes()[block * BLOCK..offset])
    }
}

impl Source {
    fn new(name: String, text: String) -> Self {
        Source { name, text, index: OnceLock::new() }
    }

    /// One-based line and column of a byte offset; an offset past the end is the end.
    pub fn line_column(&self, offset: usize) -> (u32, u32) {
        let offset = offset.min(self.text.len());
        let index = self.index.get_or_init(|| Index::new(&self.text));
        let line = index.lines.partition_point(|start| *start as usize <= offset) - 1;
        let start = index.lines[line] as usize;
        let before = index.characters_before(&self.text, offset) - index.characters_before(&self.text, start);
        // A byte order mark is not a column that an editor shows.
        let before = if start == 0 && self.text.starts_with('\u{feff}') { before.saturating_sub(1) } else { before };
        (line as u32 + 1, before as u32 + 1)
    }
}

/// All files read in one run. Files may be added while others are evaluated.
#[derive(Debug, Default)]
pub struct Sources {
    /// Shared with all that have other texts for some of them: an id means one file everywhere,
    /// whichever of them it was added to.
    files: Arc<RwLock<Vec<Arc<Source>>>>,
    changed: HashMap<FileId, Arc<Source>>,
}

impl Sources {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn add(&self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let source = Arc::new(Source::new(name.into(), text.into()));
        let mut files = self.files.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        files.push(source);
        FileId(files.len() as u32 - 1)
    }

    /// The same files under the same ids, with other texts for some of them.
    pub fn with(&self, texts: &HashMap<FileId, String>) -> Sources {
        let mut changed = self.changed.clone();
        for (file, text) in texts {
            changed.insert(*file, Arc::new(Source::new(self.get(*file).name.clone(), text.clone())));
        }
        Sources { files: Arc::clone(&self.files), changed }
    }

    pub fn get(&self, file: FileId) -> Arc<Source> {
        if let Some(source) = self.changed.get(&file) {
            return Arc::clone(source);
        }
        let files = self.files.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        files[file.0 as usize].clone()
    }

    pub fn place(&self, span: Span) -> Place {
        let source = self.get(span.file);
        let (line, column) = source.line_column(span.start as usize);
        let (end_line, end_column) = source.line_column(span.end as usize);
        Place { file: source.name.clone(), line, column, end_line, end_column }
    }

    /// The text that a span covers.
    pub fn slice(&self, span: Span) -> String {
        self.get(span.file).text.get(span.range()).unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_not_bytes() {
        let sources = Sources::new();
        let file = sources.add("a.json", "{\n  \"é\": 1\n}");
        let at = sources.get(file).text.find('1').expect("the digit");
        assert_eq!(sources.place(Span::new(file, at, at + 1)).column, 8);
        assert_eq!(sources.place(Span::new(file, at, at + 1)).line, 2);
    }

    #[test]
    fn a_place_in_a_long_line_counts_the_characters_before_it() {
        let sources = Sources::new();
        let file = sources.add("a", format!("x\n{}z", "é".repeat(5000)));
        assert_eq!(sources.get(file).line_column(2 + 10_000), (2, 5001));
        assert_eq!(sources.get(file).line_column(2 + 10_001), (2, 5002));
    }

    #[test]
    fn a_file_that_is_added_to_changed_sources_is_known_to_all() {
        let sources = Sources::new();
        let first = sources.add("a", "1");
        let changed = sources.with(&HashMap::from([(first, "2".to_owned())]));
        let later = changed.add("b", "3");
        let again = sources.with(&HashMap::from([(later, "4".to_owned())]));
        let texts = |sources: &Sources| [first, later].map(|file| sources.get(file).text.clone());
        assert_eq!(texts(&sources), ["1", "3"]);
        assert_eq!(texts(&changed), ["2", "3"]);
        assert_eq!(texts(&again), ["1", "4"]);
    }

    #[test]
    fn an_offset_past_the_end_is_the_end() {
        let sources = Sources::new();
        let file = sources.add("a", "ab\n");
        assert_eq!(sources.get(file).line_column(99), (2, 1));
    }
}
