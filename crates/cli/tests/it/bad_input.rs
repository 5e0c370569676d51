//! What bad input gets, as a user meets it: one clear line with its place, exit code 2, and no file
//! written.

use std::path::Path;
use std::process::{Command, Output};

fn tojimari(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tojimari")).args(arguments).current_dir(folder).output().expect("the binary runs")
}

/// Runs `harden` on a file of that content and expects exit 2 and one line.
fn refused(content: &[u8], extra: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("t.json"), content).expect("a file");
    let output = tojimari(folder.path(), &[&["harden", "t.json", "--quiet"], extra].concat());
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty());
    assert_eq!(said.lines().count(), 1, "one line: {said}");
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("the folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["t.json"], "nothing is left behind");
    said.trim_end().to_owned()
}

const GOOD: &str = r#"{"family": "f", "containerDefinitions": [{"name": "web", "image": "nginx:1"}]}"#;

#[test]
fn a_missing_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = tojimari(folder.path(), &["harden", "missing.json"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "error: missing.json: No such file or directory (os error 2)\n");
}

#[test]
fn json_that_is_not_json() {
    for (content, said) in [
        (
            "{\"family\": \"f\",\n  \"containerDefinitions\": [",
            "error: t.json:2:28: not JSON: the text ends inside the array that begins in line 2",
        ),
        ("{\n  // a comment\n  \"family\": \"f\",}", "error: t.json:2:3: not JSON: comments are not allowed"),
        ("\u{feff}{\r\n  \"family\": f}", "error: t.json:2:13: not JSON: a value is expected"),
        ("", "error: t.json:1:1: no task definition: nothing in it declares containers"),
        ("{\"name\": 1}", "error: t.json:1:1: no task definition: nothing in it declares containers"),
    ] {
        assert_eq!(refused(content.as_bytes(), &[]), said, "{content:?}");
    }
    assert_eq!(refused(b"{\"a\": \"\xff\"}", &[]), "error: t.json:1:8: not UTF-8 text");
}

#[test]
fn a_task_definition_without_containers() {
    assert_eq!(
        refused(b"{\r\n \"family\": \"f\", \"containerDefinitions\": []}", &[]),
        "error: t.json:1:1: the task definition has no containers"
    );
}

#[test]
fn an_image_for_a_container_that_is_not_there() {
    assert_eq!(
        refused(GOOD.as_bytes(), &["--image", "app=oci:x"]),
        "error: --image app=oci:x: t.json has no container of that name, it has web"
    );
}

#[test]
fn a_wrong_type_has_its_place() {
    assert_eq!(
        refused(b"{\"family\": \"f\",\n \"containerDefinitions\": {}}", &[]),
        "error: t.json:2:26: `containerDefinitions` must be a list"
    );
}

#[test]
fn usage_is_exit_2() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [&["harden"][..], &["nonsense"], &["harden", "t.json", "--image", "no-equals-sign"]] {
        assert_eq!(tojimari(folder.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_profile_that_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("t.json"), GOOD).expect("a file");
    std::fs::write(folder.path().join("p.json"), "{\"version\": 1,\n \"family\": 3}").expect("a file");
    let output = tojimari(folder.path(), &["plan", "t.json", "--profile", "p.json"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("error: p.json:2:12: not a profile: invalid type: integer"), "{said}");
}
