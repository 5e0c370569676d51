//! How files become stacks of declared resources. `units` sorts the files that were walked into
//! what has to be read together; `read` reads one unit. Each format has a file of its own; none
//! does I/O: what a file points to comes through [`Files`].

pub mod ecs_json;
mod resource;

use tojimari_text::{FileId, Problem, Sources};

use crate::declared::Stack;

pub use resource::Resources;

/// Files that others point to: `file()`, nested stacks, `extends`, `include`. The implementation
/// decides which may be read at all; paths are joined to the folder of the file that names them.
pub trait Files: Sync {
    /// The text of a file, added to the sources. The error is a fragment such as
    /// "config.json does not exist" or "../../etc/passwd lies outside the folder that is checked".
    fn load(&self, path: &str) -> Result<FileId, String>;

    /// The names of the files in a folder, sorted; none where it cannot be read.
    fn list(&self, folder: &str) -> Vec<String>;
}

/// What was read of one unit.
#[derive(Debug, Default)]
pub struct Read {
    pub stacks: Vec<Stack>,
    pub problems: Vec<Problem>,
}

/// Files that are read together, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub format: Format,
    /// In the order of their names.
    pub files: Vec<FileId>,
}

/// A format as it is recognised before anything is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Any JSON document that may hold something of ours; which it is shows in its tree.
    Json,
}

/// Sorts files into units, by content rather than by name alone and without parsing. A file that
/// cannot be ours is in no unit.
pub fn units(sources: &Sources, files: &[FileId]) -> Vec<Unit> {
    let mut units = Vec::new();
    for &file in files {
        let source = sources.get(file);
        if looks_like_json(&source.text) && ecs_json::may_be(&source.text) {
            units.push(Unit { format: Format::Json, files: vec![file] });
        }
    }
    units
}

/// Reads one unit.
pub fn read(unit: &Unit, sources: &Sources, files: &dyn Files) -> Read {
    let _ = files;
    match unit.format {
        Format::Json => unit.files.first().map(|file| json(*file, sources)).unwrap_or_default(),
    }
}

fn looks_like_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '['])
}

/// A JSON document goes to the first format that knows its tree.
fn json(file: FileId, sources: &Sources) -> Read {
    let source = sources.get(file);
    let (tree, problems) = tojimari_text::json::parse(file, &source.text);
    let Some(tree) = tree else { return Read { stacks: Vec::new(), problems } };
    let mut read = ecs_json::read(&tree).unwrap_or_default();
    // A file that is not ours may be as broken as it likes.
    if !read.stacks.is_empty() {
        read.problems.splice(0..0, problems);
    }
    read
}
