//! `check` and `fix` over the corpus of real files: nothing crashes, every problem has a place, and
//! a fix makes what it fixed pass without touching any other verdict that it does not bear on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The folder of the corpus; `None` where there is none.
#[allow(clippy::print_stderr, reason = "the test runner counts this line")]
fn corpus(test: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("TOJIMARI_CORPUS").map_or(beside, PathBuf::from);
    if folder.join("data").is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: {test}: no corpus in {} (set TOJIMARI_CORPUS)", folder.display());
    None
}

fn tojimari(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tojimari")).args(arguments).current_dir(folder).output().expect("it runs")
}

fn checked(folder: &Path) -> Value {
    let output = tojimari(folder, &["check", "--format", "json"]);
    assert_ne!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Statuses by control, file, address and container.
fn statuses(checked: &Value) -> BTreeMap<String, Vec<String>> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut statuses: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for e in checked["evaluations"].as_array().expect("a list") {
        let [control, file, address, container] =
            [&e["control"], &e["place"]["file"], &e["resource"]["address"], &e["container"]].map(text);
        statuses.entry(format!("{control} {container} of {address} in {file}")).or_default().push(text(&e["status"]));
    }
    statuses
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else if let Ok(bytes) = std::fs::read(&path) {
            std::fs::write(target, bytes).expect("a file");
        }
    }
}

#[test]
fn every_problem_has_a_place() {
    let Some(corpus) = corpus("every_problem_has_a_place") else { return };
    let found = checked(&corpus);
    assert!(found["evaluations"].as_array().expect("a list").len() > 1000);
    for problem in found["problems"].as_array().expect("a list") {
        let file = problem["file"].as_str().expect("a file");
        let text = std::fs::read_to_string(corpus.join(file)).expect("the file");
        let line = problem["line"].as_u64().expect("a line") as usize;
        assert!(line >= 1 && line <= text.split('\n').count(), "{problem}");
        assert!(problem["column"].as_u64().expect("a column") >= 1, "{problem}");
    }
}

#[test]
fn what_is_fixed_passes_and_nothing_else_changes() {
    let Some(corpus) = corpus("what_is_fixed_passes_and_nothing_else_changes") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    copy(&corpus.join("data"), folder.path());
    let before = statuses(&checked(folder.path()));
    let arguments = ["fix", ".", "--write", "--unproven", "--control", "ECS.4", "--control", "ECS.5"];
    let output = tojimari(folder.path(), &arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let fixed = said.lines().filter(|line| line.starts_with("fixed: ")).count();
    assert!(fixed > 200, "{fixed} were fixed");
    let after = statuses(&checked(folder.path()));

    let mut changed = 0;
    for (what, was) in &before {
        let is = after.get(what).unwrap_or_else(|| panic!("{what} is gone"));
        for (was, is) in was.iter().zip(is).filter(|(was, is)| was != is) {
            if what.starts_with("ECS.4 ") || what.starts_with("ECS.5 ") {
                assert_eq!((&**was, &**is), ("fail", "pass"), "{what}");
                changed += 1;
            } else {
                // ECS Exec does not work with a root that is read-only: TJ.3 says so.
                assert!(what.starts_with("TJ.3 "), "{what} was {was} and is {is}");
            }
        }
        assert_eq!(was.len(), is.len(), "{what}");
    }
    assert_eq!(before.len(), after.len());
    assert_eq!(changed, fixed, "what was said to be fixed, and what passes now");

    let again = tojimari(folder.path(), &arguments);
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!said.contains("fixed: "), "a second run changes nothing:\n{said}");
}

/// Controls of which a failure may come with the fix of another: a read-only root shows what of ECS
/// Exec and of mounts was never looked at.
const BROUGHT: [&str; 2] = ["TJ.3", "TJ.6"];

#[test]
fn every_fix_of_every_control_takes_and_breaks_nothing() {
    let Some(corpus) = corpus("every_fix_of_every_control_takes_and_breaks_nothing") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    copy(&corpus.join("data"), folder.path());
    let before = checked(folder.path());
    let output = tojimari(folder.path(), &["fix", ".", "--write", "--unproven"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let fixed = said.lines().filter(|line| line.starts_with("fixed: ")).count();
    assert!(fixed > 2500, "{fixed} were fixed");
    let after = checked(folder.path());
    let problems = |checked: &Value| checked["problems"].as_array().expect("a list").len();
    assert_eq!(problems(&before), problems(&after), "every file is read as before");

    let failing = |checked: &Value| {
        let mut failing: BTreeMap<String, usize> = BTreeMap::new();
        for e in checked["evaluations"].as_array().expect("a list").iter().filter(|e| e["status"] == "fail") {
            *failing.entry(e["control"].as_str().expect("a control").to_owned()).or_default() += 1;
        }
        failing
    };
    let (was, is) = (failing(&before), failing(&after));
    for (control, count) in &is {
        let before = was.get(control).copied().unwrap_or_default();
        assert!(*count <= before || BROUGHT.contains(&&**control), "{control} failed {before} times and fails {count}");
    }
    let (before, after) = (statuses(&before), statuses(&after));
    let mut better = 0;
    for (what, was) in &before {
        // What decides may stand in another file now, and with it the place that is shown.
        let Some(is) = after.get(what) else { continue };
        for (was, is) in was.iter().zip(is).filter(|(was, is)| was != is) {
            let brought = BROUGHT.iter().any(|id| what.starts_with(&format!("{id} ")));
            assert!(is != "fail" || brought, "{what} was {was} and fails");
            better += usize::from(was == "fail");
        }
    }
    assert!(better >= fixed * 9 / 10, "{fixed} were said to be fixed, {better} do not fail any more");
}
