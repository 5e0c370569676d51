//! `check` as a user meets it: what is read, what is passed over, what is said, and the exit status.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const WRITABLE: &str = r#"{"family": "f", "containerDefinitions": [{"name": "web", "image": "nginx:1"}]}"#;
const READ_ONLY: &str =
    r#"{"family": "f", "containerDefinitions": [{"name": "web", "image": "nginx:1", "readonlyRootFilesystem": true}]}"#;

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    folder
}

fn check(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tojimari"));
    command.arg("check").args(["--control", "ECS.5"]).args(arguments).current_dir(folder).output().expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = check(folder, &[&["--format", "json"], arguments].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(&output)))
}

#[test]
fn the_json_is_that_of_the_contract() {
    let folder = folder(&[("app/web.json", b"{\r\n  \"family\": \"shop\",\r\n  \"containerDefinitions\": [\r\n    {\"name\": \"web\", \"readonlyRootFilesystem\": false}\r\n  ]\r\n}\r\n"), ("cut.json", b"{\"containerDefinitions\": [")]);
    let output = check(folder.path(), &["--format", "json"]);
    assert_eq!(output.status.code(), Some(2), "a problem outweighs a failure");
    let expected = r#"{
  "version": 1,
  "evaluations": [
    {
      "control": "ECS.5",
      "status": "fail",
      "severity": "high",
      "resource": {
        "type": "task-definition",
        "address": "shop",
        "name": "shop"
      },
      "container": "web",
      "place": {
        "file": "app/web.json",
        "line": 4,
        "column": 47,
        "end_line": 4,
        "end_column": 52
      },
      "message": "readonlyRootFilesystem is false",
      "remedy": "set readonlyRootFilesystem to true on container web and mount what it writes"
    }
  ],
  "problems": [
    {
      "file": "cut.json",
      "line": 1,
      "column": 27,
      "message": "not JSON: the text ends inside the array that begins in line 1"
    }
  ]
}
"#;
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn the_exit_status_tells_failures_from_problems() {
    let folder = folder(&[("bad.json", WRITABLE.as_bytes()), ("good.json", READ_ONLY.as_bytes()), ("x.txt", b"hello")]);
    for (arguments, status) in [
        (&["good.json"][..], 0),
        (&["bad.json"], 1),
        (&["."], 1),
        (&["bad.json", "--fail-on", "high"], 1),
        (&["bad.json", "--fail-on", "critical"], 0),
        (&["missing.json"], 2),
        (&["good.json", "missing.json"], 2),
        (&["--control", "ECS.99"], 2),
        (&["--format", "yaml"], 2),
        (&["x.txt"], 2),
        (&["x.txt", "--allow-empty"], 0),
    ] {
        let output = check(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn problems_have_places_and_the_rest_is_still_judged() {
    let wide: Vec<u8> = WRITABLE.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let folder = folder(&[
        ("a-comment.json", b"{\n  // why\n  \"family\": \"a\", \"containerDefinitions\": [{\"name\": \"a\"}]}"),
        ("b-bom.json", b"\xef\xbb\xbf{\"family\": \"b\",\r\n \"containerDefinitions\": [{\"name\": \"b\"}]}"),
        ("c-empty.json", b"{\"family\": \"c\", \"containerDefinitions\": []}"),
        ("d-utf8.json", b"{\"family\": \"d\",\n \"containerDefinitions\": [{\"name\": \"\xff\"}]}"),
        ("e-nul.json", b"{\"family\": \"e\",\n \"containerDefinitions\": [{\"name\": \"\0\"}]}"),
        ("f-type.json", b"{\"family\": \"f\",\n \"containerDefinitions\": {}}"),
        ("g-deep.json", format!("{{\"containerDefinitions\": {}", "[".repeat(100_000)).as_bytes()),
        ("h-wide.json", &[&[0xff, 0xfe][..], &wide].concat()),
        ("not-ours.json", b"{\"name\": // broken as it may be\n}"),
    ]);
    let output = check(folder.path(), &["--format", "text"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        said(&output),
        "error: c-empty.json:1:1: the task definition has no containers\n\
         error: d-utf8.json:2:37: not UTF-8 text\n\
         error: e-nul.json:2:37: not JSON: control characters in strings are written as \\u escapes\n\
         error: f-type.json:2:26: `containerDefinitions` must be a list\n\
         error: g-deep.json:1:281: not JSON: the nesting is deeper than 256\n\
         error: h-wide.json:1:1: it is UTF-16, and not UTF-8 text\n\
         warning: a-comment.json:2:3: not JSON: comments are not allowed\n"
    );
    let told = String::from_utf8_lossy(&output.stdout);
    for name in ["a-comment.json:3", "b-bom.json:2:36"] {
        assert!(told.contains(name), "{name} is judged all the same:\n{told}");
    }
}

#[test]
fn a_folder_is_walked_as_git_sees_it() {
    let folder = folder(&[
        (".gitignore", b"built/\n"),
        ("built/t.json", WRITABLE.as_bytes()),
        ("node_modules/x/t.json", WRITABLE.as_bytes()),
        (".terraform/modules/t.json", WRITABLE.as_bytes()),
        (".git/t.json", WRITABLE.as_bytes()),
        (".aws/task-definition.json", WRITABLE.as_bytes()),
        ("no-ending", WRITABLE.as_bytes()),
        ("b/t.json", WRITABLE.as_bytes()),
        ("a/t.json", WRITABLE.as_bytes()),
    ]);
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("out.json"), WRITABLE).expect("a file");
    std::os::unix::fs::symlink(outside.path(), folder.path().join("link")).expect("a link");
    std::os::unix::fs::symlink(outside.path().join("out.json"), folder.path().join("out.json")).expect("a link");
    let files = |arguments: &[&str]| -> Vec<String> {
        let found = json(folder.path(), arguments);
        let evaluations = found["evaluations"].as_array().expect("a list");
        evaluations.iter().map(|e| e["place"]["file"].as_str().expect("a file").to_owned()).collect()
    };
    assert_eq!(files(&[]), [".aws/task-definition.json", "a/t.json", "b/t.json", "no-ending"]);
    assert_eq!(files(&["b", "a", "a/t.json", "./a"]), ["a/t.json", "b/t.json"], "each file once");
    assert_eq!(files(&["built/t.json", "out.json"]), ["built/t.json", "out.json"], "what is named is read");
}

#[test]
fn a_large_file_is_passed_over_with_a_note_and_refused_where_it_is_named() {
    let mut large = WRITABLE.as_bytes().to_vec();
    large.resize((10 << 20) + 1, b' ');
    let folder = folder(&[("large.json", &large), ("small.json", WRITABLE.as_bytes())]);
    let output = check(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(said(&output), "note: large.json is passed over: it is larger than 10 MiB\n");
    let output = check(folder.path(), &["large.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(said(&output), "error: large.json:1:1: it is larger than 10 MiB\n");
}

#[test]
fn standard_input_is_a_dash() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Command::new(env!("CARGO_BIN_EXE_tojimari"))
        .args(["check", "--format", "json", "-"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    child.stdin.take().expect("a pipe").write_all(WRITABLE.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(found["evaluations"][0]["place"]["file"], "<stdin>");
}

#[test]
fn nothing_of_ours_is_no_failure() {
    let folder = folder(&[("package.json", b"{\"name\": \"x\"}")]);
    let output = check(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "nothing of ECS or ECR was found\n");
}

#[test]
fn what_is_written_down_and_not_made_is_noted() {
    let folder = folder(&[(
        "main.tf",
        b"variable \"names\" {\n  default = []\n}\n\nresource \"aws_ecr_repository\" \"all\" {\n  for_each = var.names\n}\n",
    )]);
    let output = check(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8_lossy(&output.stderr);
    let expected = "note: 1 block of ECS or ECR makes no resource by the values in the files (count or for_each is empty): main.tf:5\n";
    assert_eq!(told, expected);
}

#[test]
fn terraform_leaves_out_what_ecs_has_not() {
    let text = b"resource \"aws_ecs_task_definition\" \"app\" {\n  family = \"app\"\n  container_definitions = jsonencode([{ name = \"web\", image = \"web:1\", memory = 512, privilege = false }])\n}\n";
    let folder = folder(&[("main.tf", text)]);
    let output = check(folder.path(), &["--control", "TJ.5"]);
    let told = String::from_utf8_lossy(&output.stdout);
    let expected = "high[TJ.5]: ECS has no privilege here, and Terraform's provider leaves it out without a word: is privileged meant?\n";
    assert!(told.contains(expected), "{told}");
}

#[test]
fn one_cause_is_told_once_for_all_that_it_leaves_unknown() {
    let text = b"variable \"all\" {}\n\nresource \"aws_ecs_task_definition\" \"app\" {\n  family = \"app\"\n  container_definitions = var.all\n}\n";
    let folder = folder(&[("main.tf", text)]);
    let output = check(folder.path(), &["--control", "ECS.4", "--control", "ECS.5"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        told.starts_with("unknown[ECS.5, ECS.4]: the containers are not all known: depends on var.all\n"),
        "{told}"
    );
    assert!(told.ends_with("\n\nno failures, 2 unknown\n"), "{told}");
    assert_eq!(told.matches("main.tf:5").count(), 1, "{told}");
}

#[test]
fn a_line_of_megabytes_is_cut_around_the_finding() {
    let many: Vec<String> = (0..5_000).map(|i| format!(r#"{{"name": "c{i}", "image": "nginx:1"}}"#)).collect();
    let folder = folder(&[("t.json", format!(r#"{{"containerDefinitions": [{}]}}"#, many.join(", ")).as_bytes())]);
    let output = check(folder.path(), &[]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("--> t.json:1:193887\n"), "{}", told.lines().rev().take(9).collect::<Vec<_>>().join("\n"));
    assert!(told.lines().all(|line| line.len() < 500));
    assert!(told.ends_with("5000 failures (5000 high)\n"));
}
