//! Several reports from one run: each in a file and a format of its own.

use std::path::Path;
use std::process::{Command, Output};

const TASK: &str = r#"{"family": "f", "containerDefinitions": [{"name": "web", "image": "nginx:1"}]}"#;

fn check(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tojimari"));
    command.arg("check").args(arguments).current_dir(folder).output().expect("it runs")
}

#[test]
fn each_file_holds_what_standard_output_would() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("t.json"), TASK).expect("a file");
    std::fs::write(folder.path().join("cut.json"), "{\"containerDefinitions\": [").expect("a file");
    let formats = ["json", "sarif", "junit", "github", "markdown"];
    let outputs: Vec<String> = formats.iter().map(|format| format!("--output={format}=out.{format}")).collect();
    let mut arguments: Vec<&str> = outputs.iter().map(String::as_str).collect();
    arguments.extend(["--format", "github", "t.json", "cut.json", "-o", "text=out.text"]);
    let all = check(folder.path(), &arguments);
    assert_eq!(all.status.code(), Some(2));
    for format in formats {
        let alone = check(folder.path(), &["--format", format, "t.json", "cut.json"]);
        let written = std::fs::read(folder.path().join(format!("out.{format}"))).expect(format);
        assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&alone.stdout), "{format}");
        if format == "github" {
            assert_eq!(all.stdout, alone.stdout);
        }
    }
    let text = std::fs::read_to_string(folder.path().join("out.text")).expect("the text");
    assert!(text.starts_with("error: cut.json:1:27: not JSON"), "what could not be read is in it: {text}");
    assert!(text.contains("[ECS.5]: readonlyRootFilesystem is not set"), "{text}");
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, said) in [
        (&["--output", "report.sarif"][..], "expected FORMAT=FILE, such as sarif=report.sarif; the formats are text,"),
        (&["--output", "xml=a"], "the formats are text, json, sarif, junit, github, markdown"),
        (&["--output", "sarif="], "the file is missing"),
        (&["--output", "sarif=-"], "standard output is for --format"),
        (&["--output", "sarif=a", "--output", "json=./a"], "--output ./a: given twice"),
    ] {
        let output = check(folder.path(), arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(told.contains(said), "{arguments:?}: {told}");
        assert_eq!(std::fs::read_dir(folder.path()).expect("it").count(), 0, "{arguments:?}");
    }
}
