//! What lies below a folder in which nothing was found, and why none of it was looked at.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::walk::{self, PASSED_OVER};
use super::{MAX_BYTES, shown};
use crate::config::Config;

/// Entries that are looked at: what is said is a hint, and a folder may be of any size.
const ENTRIES: usize = 100_000;

/// Paths that are named of those that have one reason.
const EXAMPLES: usize = 3;

/// Paths with one reason.
struct Reason {
    /// "as git ignores it", behind the count.
    words: &'static str,
    count: usize,
    examples: Vec<String>,
}

impl Reason {
    fn new(words: &'static str) -> Reason {
        Reason { words, count: 0, examples: Vec::new() }
    }

    fn add(&mut self, path: &Path) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(shown(path));
        }
    }

    /// `None` without any.
    fn sentence(&self) -> Option<String> {
        let more = if self.count > self.examples.len() { ", …" } else { "" };
        (self.count > 0).then(|| format!("{} {} ({}{more})", self.count, self.words, self.examples.join(", ")))
    }
}

/// A fragment for each reason, such as "2 that git ignores (cdk.out/a.json, cdk.out/b.json)".
pub fn passed_over(folder: &Path, config: &Config) -> Vec<String> {
    let by_folder: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
    let mut everything = walk::builder(folder);
    everything.ignore(false).git_ignore(false).git_exclude(false).parents(false);
    let met = by_folder.clone();
    everything.filter_entry(move |entry| {
        let looked_at = entry.depth() == 0 || !PASSED_OVER.iter().any(|name| entry.file_name() == *name);
        // Git's own folder is nothing that anybody misses.
        if !looked_at && entry.file_name() != ".git" {
            met.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(entry.path().to_owned());
        }
        looked_at
    });
    let heeded: HashSet<PathBuf> = walk::walk(folder).into_iter().take(ENTRIES).map(|found| found.path).collect();

    let mut ignored = Reason::new("that .gitignore or .ignore names");
    let mut by_name = Reason::new("by the ending of the name");
    let mut configured = Reason::new("by pass-over of the configuration");
    let mut large = Reason::new("larger than 10 MiB");
    let mut links = Reason::new("that are symbolic links");
    let mut other = Reason::new("of no format that is read, or without ECS and ECR");
    for entry in everything.build().flatten().take(ENTRIES) {
        let (Some(kind), path) = (entry.file_type(), entry.path()) else { continue };
        let reason = if kind.is_symlink() {
            &mut links
        } else if !kind.is_file() {
            continue;
        } else if walk::by_name(path) {
            &mut by_name
        } else if !heeded.contains(path) {
            &mut ignored
        } else if config.passes_over(path) {
            &mut configured
        } else if entry.metadata().is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
            &mut large
        } else {
            &mut other
        };
        reason.add(path);
    }
    let mut folders = Reason::new("folders by their name");
    let mut met = by_folder.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
    met.sort();
    met.iter().for_each(|path| folders.add(path));
    [ignored, configured, folders, large, links, by_name, other].iter().filter_map(Reason::sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told_with_its_paths() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["cdk.out", ".terraform", ".git", "src"] {
            std::fs::create_dir(at(name)).expect("a folder");
        }
        std::fs::write(at(".gitignore"), "cdk.out/\n").expect("a file");
        for name in ["cdk.out/a.json", ".terraform/a.tf", "src/a.py", "notes.txt", ".git/config"] {
            std::fs::write(at(name), "{}").expect("a file");
        }
        std::fs::File::create(at("large.json")).and_then(|file| file.set_len(MAX_BYTES + 1)).expect("a file");
        let root = shown(folder.path());
        let said: Vec<String> =
            passed_over(folder.path(), &Config::default()).iter().map(|s| s.replace(&root, "R")).collect();
        assert_eq!(
            said,
            [
                "1 that .gitignore or .ignore names (R/cdk.out/a.json)",
                "1 folders by their name (R/.terraform)",
                "1 larger than 10 MiB (R/large.json)",
                "1 by the ending of the name (R/src/a.py)",
                "2 of no format that is read, or without ECS and ECR (R/.gitignore, R/notes.txt)",
            ]
        );
    }
}
