//! What the targets share: trees whose places are looked at, and a file taken through everything
//! that `check` and `fix` do with it.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tojimari_engine::accept::accept;
use tojimari_engine::config::Config;
use tojimari_engine::edits::{Asked, Edits};
use tojimari_engine::input::Linked;
use tojimari_engine::judge::{Rules, judge};
use tojimari_engine::report;
use tojimari_plan::patch;
use tojimari_read::Files;
use tojimari_render::{Report, github, json, junit, markdown, sarif, terminal};
use tojimari_text::{FileId, Node, Problem, Sources, Span, Written};

/// Panics when a place lies outside of the text or in the middle of a character.
pub fn within(text: &str, span: Span) {
    assert!(text.get(span.range()).is_some(), "{span:?} is no part of the {} bytes", text.len());
}

/// Every place of the tree and of the problems is one of the text.
pub fn places(text: &str, trees: &[Node], problems: &[Problem]) {
    let mut left: Vec<&Node> = trees.iter().collect();
    while let Some(node) = left.pop() {
        within(text, node.span);
        match &node.written {
            Written::Mapping(entries) => {
                for entry in entries {
                    within(text, entry.key.span);
                    left.push(&entry.value);
                }
            }
            Written::Sequence(items) => left.extend(items),
            _ => {}
        }
    }
    problems.iter().for_each(|problem| within(text, problem.span));
}

/// The file itself under every other name: what nests or extends, nests or extends itself.
struct Mirror<'a> {
    sources: &'a Sources,
    text: &'a str,
    loaded: Mutex<BTreeMap<String, FileId>>,
}

/// Names under which the file is found, so that one that names ever new files comes to an end.
const MIRRORED: usize = 16;

impl Files for Mirror<'_> {
    fn load(&self, path: &str) -> Result<FileId, String> {
        let mut loaded = self.loaded.lock().expect("no other thread");
        match loaded.get(path) {
            Some(file) => Ok(*file),
            None if loaded.len() == MIRRORED => Err(format!("{path} does not exist")),
            None => Ok(*loaded.entry(path.to_owned()).or_insert_with(|| self.sources.add(path, self.text))),
        }
    }

    fn list(&self, _: &str) -> Vec<String> {
        vec![".env".to_owned()]
    }
}

impl Linked for Mirror<'_> {
    fn over<'b>(&'b self, sources: &'b Sources) -> Box<dyn Files + 'b> {
        let loaded = self.loaded.lock().expect("no other thread").clone();
        Box::new(Mirror { sources, text: self.text, loaded: Mutex::new(loaded) })
    }
}

/// Reads a text under that name, judges it by every control, renders what was found in every format,
/// and writes every remedy.
pub fn check_and_fix(name: &str, text: &str) {
    let sources = Sources::new();
    let file = sources.add(name, text);
    let files = Mirror { sources: &sources, text, loaded: Mutex::default() };
    let config = Config::default();
    let rules = Rules::named(&[], &config).expect("no name is wrong");
    let mut judged = judge(&sources, &[file], &files, &rules, Vec::new());
    let warnings = accept(&mut judged, &sources, &config, &rules, true, None);
    let evaluations = judged.evaluations.iter().flat_map(|e| [e.span, e.subject]);
    for span in evaluations.chain(judged.problems.iter().chain(&warnings).map(|p| p.span)) {
        within(&sources.get(span.file).text, span);
    }
    let report = Report {
        sources: &sources,
        evaluations: &judged.evaluations,
        problems: &judged.problems,
        warnings: &warnings,
        secrets: &judged.secrets,
        rules: &report::described(&rules),
        fixes: &report::fixes(&sources, &judged),
    };
    json::write(&report, &mut std::io::sink()).expect("a sink takes everything");
    sarif::evaluations(&report, "0", "https://example.com");
    junit::evaluations(&report);
    github::evaluations(&report);
    markdown::evaluations(&report);
    terminal::evaluations(&report, terminal::Look { colours: true, width: 80, all: true });

    if let Ok(same) = patch::patched(&sources, file, &[]) {
        assert!(same.texts.is_empty(), "no change, and yet other bytes");
    }
    let asked =
        Asked { sources: &sources, loader: &files, files: &[file], config: &config, rules: &rules, complete: true };
    let mut edits = Edits::new(asked);
    let (_, before) = edits.judged(judged.problems.clone());
    edits.remedies(&before, true, &[]);
    edits.compare(&before);
    let (texts, _) = edits.finish();
    let written = sources.with(&texts);
    if texts.contains_key(&file) {
        patch::patched(&written, file, &[]).expect("what was written is read again");
    }
}

/// A file beside the root that images are unpacked into.
pub const OUTSIDE: &str = "outside";

/// What members are called that try to be written at the root of this machine.
pub const ESCAPED: &str = "tojimari-fuzz-escaped";

/// A folder with a root to unpack into and a file beside it.
pub struct Outside {
    folder: tempfile::TempDir,
}

impl Outside {
    pub fn new() -> Outside {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        std::fs::create_dir(folder.path().join("root")).expect("the folder is new");
        std::fs::write(folder.path().join(OUTSIDE), "as it was").expect("the folder is new");
        Outside { folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// Panics when anything but the root changed.
    pub fn untouched(&self) {
        let mut names: Vec<_> =
            std::fs::read_dir(self.folder()).expect("it is there").flatten().map(|e| e.file_name()).collect();
        names.sort();
        assert_eq!(names, [OUTSIDE, "root"], "something was made beside the root");
        let file = self.folder().join(OUTSIDE);
        let metadata = file.symlink_metadata().expect("it is there");
        assert!(metadata.is_file() && metadata.nlink() == 1, "the file beside the root was linked or replaced");
        assert_eq!(metadata.mode() & 0o7777 & !0o022, 0o644 & !0o022, "its mode was changed");
        assert_eq!(std::fs::read_to_string(file).expect("text"), "as it was", "it was written to");
        assert!(!Path::new("/").join(ESCAPED).exists(), "a member was made at the root of the machine");
    }
}

impl Default for Outside {
    fn default() -> Outside {
        Outside::new()
    }
}
