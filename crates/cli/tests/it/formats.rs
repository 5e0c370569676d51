//! Every output format of `check` on the same files, compared with what was written before, and
//! SARIF against its schema.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn tojimari(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tojimari")).args(arguments).current_dir(folder).output().expect("it runs")
}

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What the format says of the folder of formats: failures, unknowns, a problem.
fn written(format: &str) -> String {
    let folder = crate_folder().join("tests/formats");
    let arguments = ["check", "--control", "ECS.4", "--control", "ECS.5", "--control", "ECS.15", "--format", format];
    let output = tojimari(&folder, &arguments);
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn same_as_before(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => crate_folder().join("tests/formats"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
        filters => vec![(r#""semanticVersion": "[^"]*""#, r#""semanticVersion": "…""#)],
    }, { insta::assert_snapshot!(name, text) });
}

#[test]
fn every_format_is_written_as_before() {
    for format in ["json", "junit", "github", "markdown", "text"] {
        same_as_before(format, &written(format));
    }
    // The pages of the controls change with every word of theirs.
    let mut sarif: serde_json::Value = serde_json::from_str(&written("sarif")).expect("JSON");
    for rule in sarif["runs"][0]["tool"]["driver"]["rules"].as_array_mut().expect("rules") {
        rule.as_object_mut().expect("a rule").retain(|name, _| name != "help" && name != "fullDescription");
    }
    same_as_before("sarif", &format!("{sarif:#}"));
}

/// The schema, from the package of a crate that reads SARIF; `None` where it cannot be had.
#[allow(clippy::print_stderr, reason = "the test runner counts this line")]
fn schema() -> Option<serde_json::Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1"])
        .current_dir(crate_folder())
        .output()
        .expect("cargo runs");
    let Ok(metadata) = serde_json::from_slice::<serde_json::Value>(&output.stdout) else {
        eprintln!("skipped: sarif_is_valid: the packages cannot be had: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    };
    let packages = metadata["packages"].as_array().expect("packages");
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").expect("serde-sarif");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
    let text = std::fs::read_to_string(manifest.with_file_name("src").join("schema.json")).expect("the schema");
    let mut schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    // The pattern of languages is no regular expression; nothing of ours has a language.
    for of in ["run", "toolComponent"] {
        let language = schema["definitions"][of]["properties"]["language"].as_object_mut().expect("a property");
        language.remove("pattern");
    }
    Some(schema)
}

#[test]
fn sarif_is_valid() {
    let Some(schema) = schema() else { return };
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
    for folder in ["tests/formats", "tests/cases"] {
        let output = tojimari(&crate_folder().join(folder), &["check", "--format", "sarif"]);
        let sarif = serde_json::from_slice(&output.stdout).expect("JSON");
        let errors: Vec<String> =
            validator.iter_errors(&sarif).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    assert!(!validator.is_valid(&serde_json::json!({"version": "2.1.0"})), "the schema says something");
}

#[test]
fn a_sarif_fix_is_what_fix_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "{\"family\": \"é\", \"containerDefinitions\": [\n  {\"name\": \"web\", \"image\": \"x\"}\n]}\n";
    std::fs::write(folder.path().join("t.json"), text).expect("a file");
    let output = tojimari(folder.path(), &["check", "--control", "ECS.5", "--format", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let replacement = &sarif["runs"][0]["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0];
    let at = |name: &str| replacement["deletedRegion"][name].as_u64().expect("a number") as usize;
    let offset = |line: usize, column: usize| -> usize {
        let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        before + text[before..].chars().take(column - 1).map(char::len_utf8).sum::<usize>()
    };
    let mut fixed = text.to_owned();
    let range = offset(at("startLine"), at("startColumn"))..offset(at("endLine"), at("endColumn"));
    fixed.replace_range(range, replacement["insertedContent"]["text"].as_str().unwrap_or_default());
    tojimari(folder.path(), &["fix", "t.json", "--write", "--unproven", "--control", "ECS.5"]);
    assert_eq!(std::fs::read_to_string(folder.path().join("t.json")).expect("the file"), fixed);
}

/// A secret is in no output, wherever in a line it stands and whatever is said of the line.
#[test]
fn no_output_shows_a_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let task = r#"{"family": "f", "networkMode": "host", "containerDefinitions": [
  {"name": "web", "image": "nginx:1", "environment": [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}], "privileged": true,
   "command": ["--password", "s3cr3tvalue99"],
   "logConfiguration": {"logDriver": "json-file", "options": {"splunk-token": "7f3c9a11-aaaa-4444-8888-123412341234"}}}]}"#;
    let template = "Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      NetworkMode: host\n      \
                    ContainerDefinitions:\n      - {Name: a, Image: x, Environment: [{Name: API_TOKEN, Value: hunter2hunter2}], Privileged: true}\n";
    let compose =
        "services:\n  web:\n    image: nginx\n    environment: [DB_PASSWORD=hunter2hunter2]\n    privileged: true\n";
    let terraform = "resource \"aws_ecs_task_definition\" \"t\" {\n  family = \"f\"\n  container_definitions = jsonencode([{ name = \
                     \"a\", image = \"x\", environment = [{ name = \"DB_PASSWORD\", value = \"hunter2hunter2\" }], privileged = true }])\n}\n";
    let files = [("task.json", task), ("t.yaml", template), ("compose.yaml", compose), ("main.tf", terraform)];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("written");
    }
    let held = |arguments: &[&str]| {
        let output = tojimari(folder.path(), arguments);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        for secret in ["hunter2", "s3cr3tvalue99", "7f3c9a11"] {
            assert!(!said.contains(secret), "{arguments:?}:\n{said}");
        }
        said
    };
    for format in ["text", "json", "sarif", "junit", "github", "markdown"] {
        let said = held(&["check", "--all", "--format", format]);
        assert!(said.contains("ECS.4") && said.contains("TJ.10"), "{format}:\n{said}");
    }
    for (name, _) in files {
        let said = held(&["fix", name, "--unproven"]);
        let is_edited = said.contains("--- a/");
        assert!(said.contains("***") || !is_edited, "{name}:\n{said}");
        assert!(is_edited || name.ends_with(".tf"), "{name}:\n{said}");
        held(&["explain", "TJ.10", "--task", name]);
    }
}
