//! Reads and parses the files of a folder and does nothing else with them: how fast `check` could be
//! at best. The benchmark holds `check` against it.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rayon::prelude::*;
use tojimari_read::{Format, format};
use tojimari_text::yaml::Dialect;
use tojimari_text::{FileId, dockerfile, hcl, json, yaml};

/// Parses every file below the folder that may be ours, on all cores.
#[allow(clippy::print_stdout, reason = "what a person asked for")]
pub fn all(folder: &Path) -> Result<()> {
    let mut files = Vec::new();
    walk(folder, &mut files)?;
    let bytes: usize = files.par_iter().map(|path| parse(path)).sum();
    println!("{} files, {bytes} bytes parsed", files.len());
    Ok(())
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => walk(&entry.path(), files)?,
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    Ok(())
}

/// The bytes that were parsed; none of a file that is not ours.
fn parse(path: &Path) -> usize {
    let Ok(text) = std::fs::read_to_string(path) else { return 0 };
    let file = FileId(0);
    let Some(format) = format(&text, &path.to_string_lossy()) else { return 0 };
    let is_json = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    // What is made of a file must not be optimised away.
    match format {
        Format::Terraform => _ = std::hint::black_box(hcl::read(file, &text)),
        Format::Dockerfile => _ = std::hint::black_box(dockerfile::read(file, &text)),
        _ if is_json => _ = std::hint::black_box(json::parse(file, &text)),
        _ => _ = std::hint::black_box(yaml::read(file, &text, Dialect::Yaml12)),
    }
    text.len()
}
