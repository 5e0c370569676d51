//! The house rules that a machine can check: which crate may use which, how files open, where
//! `unsafe` and printing may be, and which licences are linked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which crate of ours may use which. `cli` may use all; everything else is written here.
const EDGES: [(&str, &[&str]); 12] = [
    ("tojimari-ecs", &[]),
    ("tojimari-text", &[]),
    ("tojimari-evidence", &["tojimari-ecs"]),
    ("tojimari-model", &["tojimari-ecs", "tojimari-text"]),
    ("tojimari-read", &["tojimari-ecs", "tojimari-model", "tojimari-text"]),
    ("tojimari-controls", &["tojimari-ecs", "tojimari-model", "tojimari-text"]),
    ("tojimari-plan", &["tojimari-ecs", "tojimari-read", "tojimari-evidence", "tojimari-model", "tojimari-text"]),
    ("tojimari-tracer", &["tojimari-evidence"]),
    ("tojimari-recorder", &["tojimari-tracer", "tojimari-evidence"]),
    (
        "tojimari-lab",
        &[
            "tojimari-ecs",
            "tojimari-tracer",
            "tojimari-recorder",
            "tojimari-evidence",
            "tojimari-model",
            "tojimari-plan",
        ],
    ),
    ("tojimari-render", &["tojimari-evidence", "tojimari-model", "tojimari-text"]),
    (
        "tojimari-engine",
        &[
            "tojimari-controls",
            "tojimari-evidence",
            "tojimari-lab",
            "tojimari-model",
            "tojimari-plan",
            "tojimari-read",
            "tojimari-render",
            "tojimari-text",
        ],
    ),
];

/// Licences that may be linked. A choice (`OR`) needs one of these, `AND` needs all.
const LICENCES: [&str; 14] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MPL-2.0",
    "Unicode-3.0",
    "Zlib",
    "CC0-1.0",
    "0BSD",
    "Unlicense",
];

/// Lines of a file without its inline tests.
const MAX_LINES: usize = 400;

/// What other systems would link is not asked for.
const TARGET: &str = "x86_64-unknown-linux-gnu";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", TARGET])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Files that git keeps, or would keep, with their text.
fn files() -> Vec<(String, String)> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git runs");
    let names = String::from_utf8(output.stdout).expect("UTF-8");
    // Links of the examples' images lead out, some to what can be read without end.
    let is_file = |name: &&str| std::fs::symlink_metadata(root().join(name)).is_ok_and(|meta| meta.is_file());
    let read = |name: &str| Some((name.to_owned(), std::fs::read_to_string(root().join(name)).ok()?));
    names.lines().filter(is_file).filter_map(read).collect()
}

fn rust_files() -> Vec<(String, String)> {
    files().into_iter().filter(|(name, _)| name.ends_with(".rs")).collect()
}

#[track_caller]
fn none(what: &str, offenders: Vec<String>) {
    assert!(offenders.is_empty(), "{what}:\n{}", offenders.join("\n"));
}

#[test]
fn crates_use_only_what_the_house_allows() {
    let metadata = metadata();
    let edges: BTreeMap<&str, &[&str]> = EDGES.into_iter().collect();
    let mut offenders = Vec::new();
    for package in metadata["packages"].as_array().expect("packages").iter().filter(|p| p["source"].is_null()) {
        let name = package["name"].as_str().unwrap_or_default();
        if matches!(name, "tojimari" | "xtask") {
            continue;
        }
        let Some(allowed) = edges.get(name) else {
            offenders.push(format!("{name} has no place in the house"));
            continue;
        };
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let used = dependency["name"].as_str().unwrap_or_default();
            // Tests may look further: a rule's cases are read from real files.
            let only_tests = dependency["kind"] == "dev";
            if used.starts_with("tojimari") && !allowed.contains(&used) && !only_tests {
                offenders.push(format!("{name} uses {used}"));
            }
        }
    }
    none("edges that the house does not allow", offenders);
}

/// A program that is put into an image beside a service is the tracer and what stands behind it.
#[test]
fn few_crates_stand_behind_the_tracer() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "tojimari-tracer", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--locked", "--target", TARGET])
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).expect("UTF-8");
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let others: std::collections::BTreeSet<String> =
        tree.lines().map(name).filter(|name| !name.is_empty() && !name.starts_with("tojimari")).collect();
    assert!(others.len() <= 12, "{} crates of others: {others:?}", others.len());
}

/// A dependency that no source file names costs everybody a build.
#[test]
fn every_dependency_is_used() {
    let files = rust_files();
    let metadata = metadata();
    // The library of `md-5` is called `md5`.
    let library = |name: &str| {
        let packages = metadata["packages"].as_array().expect("packages");
        let package = packages.iter().find(|package| package["name"] == name)?;
        let targets = package["targets"].as_array()?;
        let is_library = |target: &&Value| {
            target["kind"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind == "lib" || kind == "proc-macro"))
        };
        Some(targets.iter().find(is_library)?["name"].as_str()?.replace('-', "_"))
    };
    let mut unused = Vec::new();
    for package in metadata["packages"].as_array().expect("packages").iter().filter(|p| p["source"].is_null()) {
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(root()).ok()).expect("in the workspace");
        let folder = format!("{}/", folder.display());
        let own: Vec<&(String, String)> = files.iter().filter(|(name, _)| name.starts_with(&folder)).collect();
        // Tests of one crate take files of another's along with `#[path = "…"]`.
        let taken: Vec<&str> = own.iter().flat_map(|(_, text)| text.split("#[path = \"").skip(1)).collect();
        let taken = taken.iter().filter_map(|rest| rest.split('"').next()).map(|path| path.trim_start_matches("../"));
        let taken: Vec<&str> = taken.collect();
        let others = files.iter().filter(|(name, _)| taken.iter().any(|path| name.ends_with(path)));
        let texts: Vec<&str> = own.iter().copied().chain(others).map(|(_, text)| &**text).collect();
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            // Never compiled: its package carries a file that tests read.
            if dependency["target"].as_str() == Some("cfg(any())") {
                continue;
            }
            let name = dependency["rename"].as_str().or(dependency["name"].as_str()).unwrap_or_default();
            let word = match dependency["rename"].as_str() {
                Some(name) => name.replace('-', "_"),
                None => library(name).unwrap_or_else(|| name.replace('-', "_")),
            };
            if !texts.iter().any(|text| names(text, &word)) {
                unused.push(format!("{folder}: {name}"));
            }
        }
    }
    none("dependencies that nothing names", unused);
}

/// The text uses the crate: as the start of a path, in a `use`, or in an attribute.
fn names(text: &str, krate: &str) -> bool {
    text.match_indices(krate).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + krate.len()..].chars().next();
        let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !is_word(before) && !is_word(after) && matches!(after, Some(':' | ';' | ' ' | '!' | ')' | ','))
    })
}

#[test]
fn every_file_says_what_lives_in_it() {
    let silent = rust_files().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(name, _)| name).collect();
    none("files that do not open with `//!`", silent);
}

#[test]
fn no_room_is_called_utils() {
    let vague = ["utils", "util", "common", "helper", "helpers", "misc"];
    let offenders = files()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| {
            Path::new(name).components().any(|part| {
                let part = part.as_os_str().to_string_lossy();
                vague.contains(&part.split('.').next().unwrap_or_default())
            })
        })
        .collect();
    none("rooms without a purpose", offenders);
}

#[test]
fn unsafe_lives_in_the_tracer_alone() {
    let offenders = rust_files()
        .into_iter()
        .filter(|(name, _)| !name.starts_with("crates/tracer/") && name != "xtask/tests/house.rs")
        .filter(|(_, text)| text.lines().any(|line| line.contains("unsafe ") && !line.trim_start().starts_with("//")))
        .map(|(name, _)| name)
        .collect();
    none("unsafe code outside the tracer", offenders);
}

#[test]
fn nothing_prints_outside_cli() {
    let prints = ["println!", "eprintln!", "print!(", "eprint!(", "dbg!("];
    let offenders = rust_files()
        .into_iter()
        .filter(|(name, _)| {
            name.starts_with("crates/")
                && !name.starts_with("crates/cli/")
                && !["/tests/", "/examples/", "/benches/", "/tests.rs", "build.rs"].iter().any(|t| name.contains(t))
        })
        .flat_map(|(name, text)| {
            let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            before_tests
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.trim_start().starts_with("//"))
                .filter(|(_, line)| prints.iter().any(|print| line.contains(print)))
                .map(|(number, _)| format!("{name}:{}", number + 1))
                .collect::<Vec<_>>()
        })
        .collect();
    none("printing outside cli", offenders);
}

#[test]
fn main_is_short_and_long_files_have_a_reason() {
    let mut offenders = Vec::new();
    for (name, text) in rust_files() {
        let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count();
        if name.ends_with("cli/src/main.rs") && lines >= 60 {
            offenders.push(format!("{name}: {lines} lines, main.rs stays under 60"));
        }
        let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join(" ");
        // Tables of cases grow with what they cover.
        let tests = ["/tests/", "/tests.rs", "_tests.rs", "/benches/", "/examples/"].iter().any(|t| name.contains(t));
        if lines > MAX_LINES && !tests && !head.contains("Long because") {
            offenders.push(format!("{name}: {lines} lines; say in its `//!`: \"Long because …\""));
        }
        if lines <= MAX_LINES && !name.starts_with("xtask/") && head.to_lowercase().contains("long because") {
            offenders.push(format!("{name}: {lines} lines, which need no \"Long because …\""));
        }
    }
    none("files that are too long", offenders);
}

/// Where files of ours begin, as documents name them in `code`.
const ROOMS: [&str; 9] =
    ["crates/", "scripts/", "docs/", "xtask/", "examples/", "fuzz/", "recipes/", ".ci/", ".github/"];

#[test]
fn documents_name_files_that_exist() {
    let mut offenders = Vec::new();
    for (name, text) in files().into_iter().filter(|(name, _)| name.ends_with(".md")) {
        let folder = Path::new(&name).parent().unwrap_or(Path::new("")).to_owned();
        for word in text.split('`').skip(1).step_by(2).flat_map(str::split_whitespace) {
            let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
            // What is built is named too, and is not there before.
            let made = word.starts_with("fuzz/target") || word.starts_with("fuzz/artifacts");
            if plain && !made && ROOMS.iter().any(|room| word.starts_with(room)) && !root().join(word).exists() {
                offenders.push(format!("{name}: {word}"));
            }
        }
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            if !root().join(&folder).join(target).exists() {
                offenders.push(format!("{name}: {target}"));
            }
        }
    }
    none("links to files that are not there", offenders);
}

#[test]
fn libraries_have_errors_of_their_own() {
    let metadata = metadata();
    let offenders = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .filter(|package| package["source"].is_null())
        .filter(|package| !matches!(package["name"].as_str(), Some("tojimari" | "xtask")))
        .filter(|package| {
            package["dependencies"].as_array().expect("dependencies").iter().any(|used| used["name"] == "anyhow")
        })
        .map(|package| package["name"].to_string())
        .collect();
    none("anyhow outside of cli", offenders);
}

#[test]
fn every_crate_takes_the_lints_of_the_house() {
    let offenders = files()
        .into_iter()
        .filter(|(name, _)| name.starts_with("crates/") && name.ends_with("/Cargo.toml"))
        .filter(|(name, text)| name != "crates/tracer/Cargo.toml" && !text.contains("[lints]\nworkspace = true"))
        .map(|(name, _)| name)
        .collect();
    none("crates without the workspace's lints, which forbid unsafe code", offenders);
}

#[test]
fn cargo_deny_allows_the_same_licences() {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let allowed = text.split_once("allow = [").and_then(|(_, rest)| rest.split_once(']')).expect("a list").0;
    let mut allowed: Vec<&str> = allowed.split('"').skip(1).step_by(2).collect();
    let mut ours = LICENCES.to_vec();
    allowed.sort_unstable();
    ours.sort_unstable();
    assert_eq!(allowed, ours);
}

#[test]
fn licences_are_permissive() {
    let metadata = metadata();
    // The graph that is linked for Linux: what other systems need is in the lock file only.
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--workspace",
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
            "--locked",
            "--offline",
        ])
        .args(["--target", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .expect("cargo tree runs");
    let linked = String::from_utf8(output.stdout).expect("UTF-8");
    let linked: std::collections::BTreeSet<(&str, &str)> = linked
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.next()?.trim_start_matches('v')))
        })
        .collect();
    assert!(linked.len() > 20, "cargo tree listed {} packages", linked.len());
    let mut offenders = Vec::new();
    for package in metadata["packages"].as_array().expect("packages") {
        let (name, version) =
            (package["name"].as_str().unwrap_or_default(), package["version"].as_str().unwrap_or_default());
        if !linked.contains(&(name, version)) {
            continue;
        }
        // A crate that names a file instead of an expression: its text was read.
        let read = if name == "rust-criu" { "MIT" } else { "none" };
        let licence = package["license"].as_str().unwrap_or(read);
        if !permissive(licence) {
            offenders.push(format!("{name} {version}: {licence}"));
        }
    }
    none("licences that may not be linked", offenders);
}

/// A licence expression without nested parentheses beyond one level, as crates write them.
fn permissive(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    expression.replace(") AND (", ")&(").split('&').all(|clause| {
        let clause = clause.trim_matches(['(', ')']);
        clause.split(" OR ").any(|choice| {
            choice.split(" AND ").all(|licence| LICENCES.contains(&licence.trim().trim_matches(['(', ')'])))
        })
    })
}

#[test]
fn licence_expressions_are_understood() {
    for (expression, good) in [
        ("MIT OR Apache-2.0", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0", false),
        ("GPL-2.0 OR MIT", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("MIT AND GPL-2.0", false),
    ] {
        assert_eq!(permissive(expression), good, "{expression}");
    }
}

#[test]
fn the_project_speaks_of_itself_alone() {
    // Spelt in pieces, so that this file does not hold them.
    let forbidden: Vec<String> = [
        ["/wo", "rk/"],
        ["/tmp/", "wt"],
        ["Clau", "de"],
        ["Anthro", "pic"],
        ["shared/", "facts"],
        ["shared/", "design"],
    ]
    .iter()
    .map(|parts| parts.concat())
    .collect();
    let offenders = files()
        .into_iter()
        .flat_map(|(name, text)| {
            forbidden
                .iter()
                .filter(|word| text.contains(*word))
                .map(|word| format!("{name}: {word}"))
                .collect::<Vec<_>>()
        })
        .collect();
    none("words that have no place here", offenders);
}
