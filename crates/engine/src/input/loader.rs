//! Files that checked files point to, read on demand and never from outside of the folders that
//! the user's own files lie in.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, RwLock};

use tojimari_read::{Files, Given};
use tojimari_text::{FileId, Sources};

use super::MAX_BYTES;

/// What is known before anything is loaded: where to stay, and what was read already.
#[derive(Clone, Default)]
pub struct Known {
    /// Without links.
    roots: Vec<PathBuf>,
    files: HashMap<PathBuf, FileId>,
    /// What variables and parameters are or may be given.
    pub given: Arc<Given>,
}

impl Known {
    /// Whether a file that exists lies where it may be read.
    pub fn holds(&self, path: &Path) -> bool {
        std::fs::canonicalize(path).is_ok_and(|real| self.roots.iter().any(|root| real.starts_with(root)))
    }

    /// What a path refers to may lie anywhere in its git work tree; without one in the working
    /// folder, where the path lies below it, or else beside the file or in the folder itself.
    pub fn add_root(&mut self, path: &Path) {
        let path = if path == Path::new("-") { Path::new(".") } else { path };
        let Ok(path) = std::fs::canonicalize(path) else { return };
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("/")).to_owned() };
        let work_tree = folder.ancestors().find(|folder| folder.join(".git").exists());
        let root = work_tree.map(Path::to_owned).or_else(|| {
            let current = std::env::current_dir().ok()?;
            (folder.starts_with(&current) && current != Path::new("/")).then_some(current)
        });
        self.roots.push(root.unwrap_or(folder));
    }

    /// The file of that path, where it was read.
    pub fn file(&self, path: &Path) -> Option<FileId> {
        self.files.get(&normal(path)).copied()
    }

    pub fn know(&mut self, path: &Path, file: FileId) {
        self.files.insert(normal(path), file);
    }
}

/// Loads into `sources`; each file once.
pub struct Loader<'a> {
    sources: &'a Sources,
    known: &'a Known,
    loaded: Arc<RwLock<HashMap<PathBuf, Result<FileId, String>>>>,
}

impl<'a> Loader<'a> {
    pub fn new(sources: &'a Sources, known: &'a Known) -> Self {
        Loader { sources, known, loaded: Arc::default() }
    }

    /// The path without links, where it lies inside of a root.
    fn within(&self, path: &Path) -> Result<PathBuf, String> {
        let name = shown(path);
        let real = std::fs::canonicalize(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => format!("{name} does not exist"),
            _ => format!("{name}: {error}"),
        })?;
        match self.known.roots.iter().any(|root| real.starts_with(root)) {
            true => Ok(real),
            false => Err(format!("{name} lies outside the folder that is checked")),
        }
    }

    fn read(&self, path: &Path) -> Result<FileId, String> {
        let name = shown(path);
        let real = self.within(path)?;
        if let Some(file) = self.known.files.get(&real) {
            return Ok(*file);
        }
        let metadata = std::fs::metadata(&real).map_err(|error| format!("{name}: {error}"))?;
        if !metadata.is_file() {
            return Err(format!("{name} is not a file"));
        }
        if metadata.len() > MAX_BYTES {
            return Err(format!("{name} is larger than {} MiB", MAX_BYTES >> 20));
        }
        let bytes = std::fs::read(&real).map_err(|error| format!("{name}: {error}"))?;
        let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8 text"))?;
        Ok(self.sources.add(name, text))
    }
}

/// Files that others point to, whatever their texts became.
pub trait Linked: Files {
    /// The same files in sources made by [`Sources::with`]: one that either loads is loaded for both.
    fn over<'b>(&'b self, sources: &'b Sources) -> Box<dyn Files + 'b>;
}

impl Linked for Loader<'_> {
    fn over<'b>(&'b self, sources: &'b Sources) -> Box<dyn Files + 'b> {
        Box::new(Loader { sources, known: self.known, loaded: Arc::clone(&self.loaded) })
    }
}

impl Files for Loader<'_> {
    fn load(&self, path: &str) -> Result<FileId, String> {
        let path = Path::new(path);
        let key = normal(path);
        if let Some(file) = self.known.files.get(&key) {
            return Ok(*file);
        }
        if let Some(loaded) = self.loaded.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&key) {
            return loaded.clone();
        }
        // Held while reading, so that no file gets two ids.
        let mut loaded = self.loaded.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        loaded.entry(key).or_insert_with(|| self.read(path)).clone()
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let folder = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
        let Ok(real) = self.within(folder) else { return Vec::new() };
        let Ok(entries) = std::fs::read_dir(real) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.path().is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    fn given(&self) -> &Given {
        &self.known.given
    }
}

/// A path as people are shown it: without `.` parts.
pub fn shown(path: &Path) -> String {
    if path == Path::new("-") {
        return "<stdin>".to_owned();
    }
    let parts: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    parts.display().to_string()
}

/// The whole path without `.` and `..`, by its words alone.
pub fn normal(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

/// A path from the working folder on, where it lies below it.
pub fn from_here(path: &Path) -> PathBuf {
    let current = std::env::current_dir().and_then(std::fs::canonicalize);
    current.ok().and_then(|current| path.strip_prefix(current).ok()).unwrap_or(path).to_owned()
}
