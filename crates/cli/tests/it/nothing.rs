//! Nothing found is never silently a pass.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const TASK: &str = r#"{"family": "f", "containerDefinitions": [{"name": "web", "image": "nginx:1"}]}"#;
const BUCKET: &str = "Resources:\n  Files:\n    Type: AWS::S3::Bucket\n";

fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tojimari"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    // One that reads no standard input may have ended.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

#[test]
fn standard_input_without_anything_of_ours_is_bad_input() {
    let folder = folder(&[]);
    for (input, expected) in [
        ("", "error: <stdin>:1:1: it is empty (--allow-empty takes that)\n"),
        (" \n", "error: <stdin>:1:1: it is empty (--allow-empty takes that)\n"),
        ("{", "error: <stdin>:1:2: not JSON: the text ends inside the object that begins in line 1\n"),
        ("{\"family\": \"f", "error: <stdin>:1:14: not JSON: the text ends inside a string that begins in line 1\n"),
        ("{}", "error: <stdin>:1:1: nothing of ECS or ECR is in it (--allow-empty takes that)\n"),
        ("none\n", "error: <stdin>:1:1: nothing of ECS or ECR is in it (--allow-empty takes that)\n"),
        (BUCKET, "error: <stdin>:1:1: nothing of ECS or ECR is in it (--allow-empty takes that)\n"),
    ] {
        for verb in ["check", "baseline"] {
            let output = run(folder.path(), &[verb, "-"], input);
            assert_eq!(output.status.code(), Some(2), "{verb} {input:?}");
            assert!(said(&output).starts_with(expected), "{verb} {input:?}: {}", said(&output));
            let output = run(folder.path(), &[verb, "-", "--allow-empty"], input);
            // What is ours and cut off is no empty file.
            let code = if input.contains("family") { 2 } else { 0 };
            assert_eq!(output.status.code(), Some(code), "{verb} {input:?}: {}", said(&output));
        }
    }
    assert_eq!(run(folder.path(), &["check", "-", "--control", "ECS.4"], TASK).status.code(), Some(0));
}

#[test]
fn a_named_file_without_anything_of_ours_is_bad_input() {
    let folder = folder(&[("a.json", TASK), ("bucket.yaml", BUCKET), ("notes.txt", "x"), ("empty.tf", "")]);
    for verb in ["check", "baseline", "fix"] {
        for name in ["bucket.yaml", "notes.txt", "empty.tf"] {
            let output = run(folder.path(), &[verb, name], "");
            assert_eq!(output.status.code(), Some(2), "{verb} {name}");
            assert!(said(&output).contains(&format!("error: {name}:1:1: ")), "{verb}: {}", said(&output));
            let output = run(folder.path(), &[verb, name, "--allow-empty"], "");
            assert_eq!(output.status.code(), Some(0), "{verb} {name}: {}", said(&output));
        }
    }
    // Beside one that holds something, and in the report.
    let output = run(folder.path(), &["check", "a.json", "bucket.yaml", "--format", "json"], "");
    assert_eq!(output.status.code(), Some(2));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["problems"][0]["file"], "bucket.yaml");
    // A control that finds nothing to look at in a file of ours is no such thing.
    let output = run(folder.path(), &["check", "a.json", "--control", "ECR.1"], "");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

/// What one file says alone counts for the files that are read with it.
#[test]
fn files_that_are_read_together_hold_something_together() {
    let folder = folder(&[
        ("main.tf", "resource \"aws_ecs_cluster\" \"c\" {\n  name = var.name\n}\n"),
        ("variables.tf", "variable \"name\" {\n  default = \"c\"\n}\n"),
        ("compose.yaml", "services:\n  web:\n    image: nginx:1\n"),
    ]);
    let output = run(folder.path(), &["check", "main.tf", "variables.tf", "compose.yaml", "--control", "ECR.1"], "");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[test]
fn a_folder_in_which_nothing_was_found_is_warned_of() {
    let folder = folder(&[
        (".gitignore", "cdk.out/\n"),
        ("cdk.out/a.template.json", TASK),
        (".terraform/a.tf", ""),
        ("src/a.py", ""),
        ("tojimari.toml", "pass-over = [\"old\"]\n"),
        ("old/task.json", TASK),
    ]);
    for verb in ["check", "baseline", "fix"] {
        let output = run(folder.path(), &[verb, "."], "");
        assert_eq!(output.status.code(), Some(0), "{verb}: {}", said(&output));
        assert_eq!(
            said(&output),
            "warning: .: nothing of ECS or ECR was found; passed over: 1 that .gitignore or .ignore names \
             (cdk.out/a.template.json); 1 by pass-over of the configuration (old/task.json); 1 folders by their name \
             (.terraform); 1 by the ending of the name (src/a.py); 2 of no format that is read, or without ECS and \
             ECR (.gitignore, tojimari.toml)\n",
            "{verb}"
        );
        let output = run(folder.path(), &[verb, ".", "--allow-empty"], "");
        assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()), "{verb}");
    }
    std::fs::write(folder.path().join("task.json"), TASK).expect("a file");
    let output = run(folder.path(), &["check", ".", "src", "--control", "ECS.4"], "");
    assert_eq!(output.status.code(), Some(0));
    assert!(said(&output).starts_with("warning: src: nothing") && said(&output).lines().count() == 1, "{output:?}");
}
