//! The files that are looked at: what the user named, folders walked, standard input.

mod generated;
mod loader;
mod passed_over;
mod values;
mod walk;

use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tojimari_text::{FileId, Problem, Sources, Span};

pub use loader::{Known, Linked, Loader, normal, shown};
pub use passed_over::passed_over;
pub use values::Chosen;

use crate::config::Config;

/// A file that is larger is passed over, or a problem where the user named it.
pub const MAX_BYTES: u64 = 10 << 20;

/// What was read, and what could not be.
#[derive(Default)]
pub struct Input {
    pub sources: Sources,
    pub files: Vec<FileId>,
    pub problems: Vec<Problem>,
    /// One line each about what was passed over.
    pub notes: Vec<String>,
    /// What was read already, and where to stay, for a `Loader`.
    pub known: Known,
    pub config: Config,
    /// Those of `files` that the user named, standard input among them.
    pub named: Vec<FileId>,
    /// The folders that the user named.
    pub folders: Vec<PathBuf>,
    /// The same, without links.
    pub walked: Vec<PathBuf>,
}

impl Input {
    fn configure(&mut self, path: &Path) {
        let name = loader::shown(&loader::from_here(path));
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let file = self.sources.add(name, text);
                self.config = Config::read(path, file, &self.sources);
                self.problems.append(&mut self.config.problems);
            }
            Err(error) => {
                let file = self.sources.add(name, "");
                self.problems.push(Problem { span: Span::new(file, 0, 0), message: error.to_string() });
            }
        }
    }

    /// Whether everything below the configuration was looked at.
    pub fn is_complete(&self) -> bool {
        let folder = self.config.folder.as_deref();
        folder.is_some_and(|folder| self.walked.iter().any(|walked| folder.starts_with(walked)))
    }
}

/// One file as it came off the disk.
enum Text {
    Known(String),
    /// Values for variables or parameters, and of no format of ours.
    Values(String),
    /// Not named by the user, and not text or of no format of ours.
    NotOurs,
    TooLarge,
    Unreadable(String),
    /// Bytes before the first that is not UTF-8, as text.
    NotUtf8(String),
}

/// Reads every file of the paths, each once, in the order of the paths and then of the names; and
/// first the configuration, which says what to pass over.
pub fn gather(paths: &[PathBuf]) -> Input {
    gather_given(paths, &Chosen::default())
}

/// The same with values that were chosen for variables and parameters.
pub fn gather_given(paths: &[PathBuf], chosen: &Chosen) -> Input {
    let mut input = Input::default();
    if let Some(path) = paths.first().and_then(|path| Config::find(path)) {
        input.configure(&path);
    }
    let mut found = Vec::new();
    for path in paths {
        input.known.add_root(path);
        if let Some(real) = std::fs::canonicalize(path).ok().filter(|real| real.is_dir()) {
            input.folders.push(path.clone());
            input.walked.push(real);
        }
        found.extend(walk::files(path));
        found.extend(values::beside(path));
    }
    found.extend(generated::files(&found, &mut input));
    let mut seen = std::collections::HashSet::new();
    found.retain(|file| seen.insert(normal(&file.path)));
    found.retain(|file| file.named || !input.config.passes_over(&file.path));
    let texts: Vec<Text> = found.par_iter().map(read).collect();
    let mut of_values = Vec::new();
    for (file, text) in found.into_iter().zip(texts) {
        let walk::Found { path, named, problem } = file;
        let name = loader::shown(&path);
        let refuse = |input: &mut Input, text: String, message: String| {
            let end = text.len();
            let id = input.sources.add(&name, text);
            input.problems.push(Problem { span: Span::new(id, end, end), message });
        };
        if let Some(message) = problem {
            refuse(&mut input, String::new(), message);
            continue;
        }
        match text {
            Text::Known(text) => {
                let id = input.sources.add(&name, text);
                input.known.know(&path, id);
                input.files.push(id);
                if named {
                    input.named.push(id);
                }
                of_values.push(id);
            }
            Text::Values(text) => {
                let id = input.sources.add(&name, text);
                input.known.know(&path, id);
                of_values.push(id);
            }
            Text::NotOurs => {}
            Text::TooLarge if named => refuse(&mut input, String::new(), too_large()),
            Text::TooLarge => input.notes.push(format!("{name} is passed over: {}", too_large())),
            Text::Unreadable(message) => refuse(&mut input, String::new(), message),
            Text::NotUtf8(before) => refuse(&mut input, before, "not UTF-8 text".to_owned()),
        }
    }
    values::give(&mut input, &of_values, chosen);
    input
}

fn too_large() -> String {
    format!("it is larger than {} MiB", MAX_BYTES >> 20)
}

fn read(found: &walk::Found) -> Text {
    if found.problem.is_some() {
        return Text::NotOurs;
    }
    let bytes =
        if found.path == Path::new("-") { read_limited(std::io::stdin().lock()) } else { read_file(&found.path) };
    match bytes {
        Err(error) => Text::Unreadable(error.to_string()),
        Ok(None) => Text::TooLarge,
        Ok(Some(bytes)) => text(bytes, found),
    }
}

fn read_file(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let file = std::fs::File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.len() > MAX_BYTES {
        return Ok(None);
    }
    read_limited(file)
}

/// `None` when there is more than is read.
fn read_limited(from: impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() as u64 > MAX_BYTES { None } else { Some(bytes) })
}

fn text(bytes: Vec<u8>, found: &walk::Found) -> Text {
    let named = found.named;
    let may_be = |text: &str| tojimari_read::format(text, &loader::shown(&found.path)).is_some();
    let ours = |bytes: &[u8]| named || may_be(&String::from_utf8_lossy(bytes));
    if let Some(wide) = wide(&bytes) {
        return if ours(wide.as_bytes()) {
            Text::Unreadable("it is UTF-16, and not UTF-8 text".to_owned())
        } else {
            Text::NotOurs
        };
    }
    // A file with NUL bytes is a program or a picture, unless it says otherwise.
    if bytes.iter().take(8 << 10).any(|byte| *byte == 0) && !ours(&bytes) {
        return Text::NotOurs;
    }
    String::from_utf8(bytes).map_or_else(
        |error| {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            match String::from_utf8(bytes[..valid].to_vec()) {
                // What is not ours may be written in any way.
                Ok(before) if ours(&bytes) => Text::NotUtf8(before),
                _ => Text::NotOurs,
            }
        },
        |text| {
            if named || may_be(&text) {
                return Text::Known(text);
            }
            match tojimari_read::given::form(&text, &loader::shown(&found.path)) {
                Some(_) => Text::Values(text),
                // Whatever points to it reads it again: most files of most folders are not ours.
                None => Text::NotOurs,
            }
        },
    )
}

/// The text of a file in UTF-16, by its byte order mark.
fn wide(bytes: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    Some(String::from_utf16_lossy(&units))
}
