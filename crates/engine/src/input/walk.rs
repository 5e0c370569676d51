//! Which files a path stands for. Folders are walked as git sees them; links in them are not
//! followed, so nothing outside of a folder is read.

use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

pub struct Found {
    pub path: PathBuf,
    /// The user named the file itself.
    pub named: bool,
    /// Why it cannot be looked at.
    pub problem: Option<String>,
}

/// Folders of other people's files, and of git's own.
pub const PASSED_OVER: [&str; 4] = [".git", "node_modules", ".terraform", ".terragrunt-cache"];

/// Endings of files that no format of ours has: programs, pictures, archives. All others are
/// recognised by their content.
const NOT_OURS: [&str; 58] = [
    "js", "mjs", "cjs", "ts", "tsx", "jsx", "py", "go", "rs", "rb", "java", "kt", "scala", "cs", "cpp", "cc", "c", "h",
    "hpp", "swift", "php", "pl", "css", "scss", "less", "html", "htm", "svg", "md", "rst", "sql", "csv", "tsv", "map",
    "png", "jpg", "jpeg", "gif", "ico", "webp", "pdf", "woff", "woff2", "ttf", "eot", "mp4", "zip", "gz", "tgz", "bz2",
    "xz", "zst", "tar", "jar", "so", "a", "o", "lock",
];

pub fn files(path: &Path) -> Vec<Found> {
    let named = |problem: Option<String>| vec![Found { path: path.to_owned(), named: true, problem }];
    if path == Path::new("-") {
        return named(None);
    }
    match std::fs::metadata(path) {
        Err(error) => named(Some(error.to_string())),
        Ok(metadata) if metadata.is_dir() => walk(path),
        Ok(_) => named(None),
    }
}

/// How folders are walked.
pub fn builder(folder: &Path) -> WalkBuilder {
    let mut builder = WalkBuilder::new(folder);
    // People keep task definitions in `.aws` and workflows in `.github`.
    builder.hidden(false).require_git(false).git_global(false).follow_links(false).sort_by_file_name(Ord::cmp);
    builder
}

pub fn walk(folder: &Path) -> Vec<Found> {
    collect(folder, builder(folder))
}

/// The files of a folder that a project names as its own, also where git passes them over.
pub fn whole(folder: &Path) -> Vec<Found> {
    let mut walk = builder(folder);
    walk.ignore(false).git_ignore(false).git_exclude(false).parents(false);
    collect(folder, walk)
}

fn collect(folder: &Path, mut walk: WalkBuilder) -> Vec<Found> {
    let mut found = Vec::new();
    let walk = walk
        .filter_entry(|entry| entry.depth() == 0 || !PASSED_OVER.iter().any(|name| entry.file_name() == *name))
        .build();
    for entry in walk {
        match entry {
            Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                let path = entry.into_path();
                if !by_name(&path) {
                    found.push(Found { path, named: false, problem: None });
                }
            }
            Ok(_) => {}
            Err(error) => {
                let path = match &error {
                    ignore::Error::WithPath { path, .. } => path.clone(),
                    ignore::Error::WithDepth { err, .. } => match &**err {
                        ignore::Error::WithPath { path, .. } => path.clone(),
                        _ => folder.to_owned(),
                    },
                    _ => folder.to_owned(),
                };
                let why = error.io_error().map_or_else(|| error.to_string(), |error| error.to_string());
                found.push(Found { path, named: false, problem: Some(why) });
            }
        }
    }
    found
}

/// Whether the name says already that the file is not ours.
pub fn by_name(path: &Path) -> bool {
    path.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| NOT_OURS.iter().any(|not| ending.eq_ignore_ascii_case(not)))
}
