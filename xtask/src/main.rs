//! House checks, derived documentation and new-control scaffolding.

mod control;
mod docs;
mod parse;
mod recipes;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

const USAGE: &str = "\
usage: cargo xtask docs [--check]          write derived documentation, or see that it is as it should be
       cargo xtask new-control ID SLUG     make the file of a new control and register it
       cargo xtask parse FOLDER            parse what check would, and nothing else: for the benchmark";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["docs"] => docs::write(&root()),
        ["docs", "--check"] => docs::check(&root()),
        ["new-control", id, slug] => control::scaffold(&root(), id, slug),
        ["parse", folder] => parse::all(Path::new(folder)),
        _ => bail!("{USAGE}"),
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}
