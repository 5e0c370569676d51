//! Standard output that takes nothing, and one whose reader went away.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const TASK: &str = r#"{"family": "f", "containerDefinitions": [{"name": "web", "image": "nginx:1"}]}"#;

/// Every verb that ends without a container.
const VERBS: &[&[&str]] = &[
    &["check", "t.json"],
    &["check", "t.json", "--format", "json"],
    &["check", "t.json", "--format", "sarif"],
    &["check", "t.json", "--format", "junit"],
    &["check", "t.json", "--format", "github"],
    &["check", "t.json", "--format", "markdown"],
    &["baseline", "t.json"],
    &["plan", "t.json"],
    &["plan", "t.json", "-o", "plan.json"],
    &["fix", "t.json", "--unproven"],
    &["explain", "ECS.5"],
    &["explain", "ECS.5", "--task", "t.json", "--format", "markdown"],
    &["schema"],
    &["schema", "report"],
    &["--help"],
    &["check", "--help"],
    &["--version"],
];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("t.json"), TASK).expect("a file");
    folder
}

fn run(folder: &Path, arguments: &[&str], out: impl Into<Stdio>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tojimari"));
    command.args(arguments).current_dir(folder).stdout(out).output().expect("it runs")
}

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").expect("Linux has it")
}

#[test]
fn a_full_disk_is_a_fault_that_is_told() {
    let folder = folder();
    for arguments in VERBS {
        let output = run(folder.path(), arguments, full());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}: {said}");
        let told = said
            .lines()
            .any(|line| line == "error: failed to write to standard output: No space left on device (os error 28)");
        assert!(told, "{arguments:?}: {said}");
    }
}

#[test]
fn a_reader_that_went_away_has_what_it_wanted() {
    let folder = folder();
    for arguments in VERBS {
        let whole = run(folder.path(), arguments, Stdio::piped());
        let (read, write) = std::io::pipe().expect("a pipe");
        drop(read);
        let output = run(folder.path(), arguments, write);
        assert_eq!(output.status, whole.status, "{arguments:?}: {output:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("pipe") && !said.contains("panicked"), "{arguments:?}: {said}");
    }
}

/// There is nobody to tell, and the exit status is what it is.
#[test]
fn standard_error_that_takes_nothing_changes_nothing() {
    let folder = folder();
    std::fs::write(folder.path().join("cut.json"), "{\"containerDefinitions\": [").expect("a file");
    for (arguments, code) in [
        (&["check", "cut.json"][..], 2),
        (&["check", "missing.json"], 2),
        (&["check", "--nonsense"], 2),
        (&["fix", "t.json"], 0),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tojimari"));
        command.args(arguments).current_dir(folder.path()).stdout(Stdio::null()).stderr(full());
        assert_eq!(command.status().expect("it runs").code(), Some(code), "{arguments:?}");
    }
}

/// Containers are run by these, and then there is more to write than to standard output.
#[test]
fn a_run_that_cannot_tell_its_result_is_a_fault() {
    let folder = folder();
    for verb in ["trace", "harden"] {
        let image = ["--image", "web=oci:missing"];
        let output = run(folder.path(), &[&[verb, "t.json", "--quiet"], &image[..]].concat(), full());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(2 | 3)) && !said.contains("panicked"), "{verb}: {said}");
    }
}

#[test]
fn a_report_is_there_whole_or_not_at_all() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    // The folder is none: nothing can be written beside.
    let output = run(folder.path(), &["check", "t.json", "--output", "sarif=t.json/report.sarif"], Stdio::piped());
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(output.stdout.is_empty(), "what follows is not written: {output:?}");

    // Standard output is full, and the files are there all the same.
    let output = run(folder.path(), &["check", "t.json", "--output", "json=report.json"], full());
    assert_eq!(output.status.code(), Some(3));
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(at("report.json")).expect("the report")).expect("JSON");
    assert_eq!(report["version"], 1);
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).expect("it").flatten().map(|e| e.file_name()).collect();
    names.sort();
    assert_eq!(names, ["report.json", "t.json"], "nothing is left beside");
}
