//! What `fix` writes, looked at by the tools that others trust: cfn-lint for templates of
//! CloudFormation, the schema of the Compose specification, `terraform fmt`. Nothing that they said
//! nothing about before is wrong afterwards. A tool that is not there is skipped.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn skipped(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {test}: {why}");
}

/// Where `scripts/setup peers` puts programs, or the user has them.
fn program(name: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/peers/bin").join(name);
    if own.exists() {
        return Some(own);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.exists())
}

/// Files of the corpus before and after every fix.
struct Fixed {
    folder: tempfile::TempDir,
    /// Those that changed, by their path from either folder.
    changed: Vec<String>,
}

impl Fixed {
    /// The files that `ours` takes, given their name and text; at most so many that changed.
    fn of(test: &str, most: usize, ours: impl Fn(&str, &str) -> bool) -> Option<Fixed> {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
        let corpus = std::env::var_os("TOJIMARI_CORPUS").map_or(beside, PathBuf::from).join("data");
        if !corpus.is_dir() {
            skipped(test, "no corpus (set TOJIMARI_CORPUS)");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut names = Vec::new();
        copy(&corpus, &corpus, folder.path(), &ours, &mut names);
        let output = Command::new(env!("CARGO_BIN_EXE_tojimari"))
            .args(["fix", ".", "--write", "--unproven"])
            .current_dir(folder.path().join("after"))
            .output()
            .expect("it runs");
        assert_ne!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
        let read = |side: &str, name: &str| std::fs::read(folder.path().join(side).join(name)).expect("a file");
        names.retain(|name| read("before", name) != read("after", name));
        assert!(!names.is_empty(), "nothing changed");
        // Evenly over all of them.
        let step = names.len().div_ceil(most);
        let changed = names.into_iter().step_by(step).collect();
        Some(Fixed { folder, changed })
    }

    fn side(&self, side: &str) -> PathBuf {
        self.folder.path().join(side)
    }
}

fn copy(root: &Path, from: &Path, to: &Path, ours: &dyn Fn(&str, &str) -> bool, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            copy(root, &path, to, ours, names);
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let name = path.strip_prefix(root).expect("below").display().to_string();
        if !ours(&name, &text) {
            continue;
        }
        for side in ["before", "after"] {
            let target = to.join(side).join(&name);
            std::fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
            std::fs::write(target, &text).expect("a file");
        }
        names.push(name);
    }
}

#[test]
fn cfn_lint_has_nothing_new_to_say() {
    let test = "cfn_lint_has_nothing_new_to_say";
    let Some(lint) = program("cfn-lint") else { return skipped(test, "cfn-lint is not installed") };
    let is_template = |name: &str, text: &str| {
        [".yaml", ".yml", ".json", ".template"].iter().any(|end| name.ends_with(end)) && text.contains("AWS::EC")
    };
    let Some(fixed) = Fixed::of(test, 60, is_template) else { return };
    let said = |side: &str| -> BTreeMap<String, usize> {
        let output = Command::new(&lint)
            .args(["--format", "json", "--"])
            .args(&fixed.changed)
            .current_dir(fixed.side(side))
            .output()
            .expect("cfn-lint runs");
        let all: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let mut said = BTreeMap::new();
        for one in all.as_array().expect("a list") {
            *said.entry(format!("{} {}", one["Filename"], one["Rule"]["Id"])).or_default() += 1;
        }
        said
    };
    let (before, after) = (said("before"), said("after"));
    for (what, count) in &after {
        assert!(before.get(what) >= Some(count), "{what}: {count} times, before {:?}", before.get(what));
    }
}

#[test]
fn the_schema_of_compose_has_nothing_new_to_say() {
    let test = "the_schema_of_compose_has_nothing_new_to_say";
    let Some(check) = program("check-jsonschema") else {
        return skipped(test, "check-jsonschema is not installed");
    };
    let is_project = |name: &str, text: &str| {
        [".yaml", ".yml"].iter().any(|end| name.ends_with(end))
            && text.lines().any(|line| line.starts_with("services:"))
    };
    let Some(fixed) = Fixed::of(test, 400, is_project) else { return };
    let said = |side: &str| -> Vec<String> {
        let output = Command::new(&check)
            .args(["--builtin-schema", "vendor.compose-spec", "-o", "json"])
            .args(&fixed.changed)
            .current_dir(fixed.side(side))
            .output()
            .expect("check-jsonschema runs");
        let all: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let errors = all["errors"].as_array().expect("a list").iter();
        errors.map(|one| format!("{} {}", one["filename"], one["path"])).collect()
    };
    let (before, after) = (said("before"), said("after"));
    let new: Vec<&String> = after.iter().filter(|one| !before.contains(one)).collect();
    assert!(new.is_empty(), "{new:#?}");
}
