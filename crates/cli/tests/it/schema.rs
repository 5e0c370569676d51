//! What the commands write, against the schemas that `schema` prints.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

#[allow(dead_code)]
#[path = "../../../lab/tests/containers/busybox.rs"]
mod busybox;

fn tojimari(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tojimari")).args(arguments).current_dir(folder).output().expect("it runs")
}

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

fn schema(name: &str) -> Value {
    json_of(&tojimari(Path::new("."), &["schema", name]).stdout)
}

/// What is wrong with the document by the schema of that name.
fn wrong(name: &str, document: &Value) -> Vec<String> {
    let schema = schema(name);
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect(name);
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn formats() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

#[test]
fn without_a_name_all_of_them_are_printed() {
    let all = json_of(&tojimari(Path::new("."), &["schema"]).stdout);
    let names: Vec<&String> = all.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["report", "baseline", "profile", "plan", "proof", "config"]);
    for name in names {
        assert_eq!(all[name], schema(name), "{name}");
        jsonschema::meta::validate(&all[name]).expect(name);
    }
    assert_eq!(tojimari(Path::new("."), &["schema", "nothing"]).status.code(), Some(2));
}

#[test]
fn a_report_and_a_baseline_are_as_their_schemas_say() {
    let report = json_of(&tojimari(&formats(), &["check", "--format", "json"]).stdout);
    assert_eq!(wrong("report", &report), [""; 0]);
    let statuses =
        |status: &str| report["evaluations"].as_array().expect("a list").iter().any(|e| e["status"] == status);
    assert!(statuses("fail") && statuses("unknown") && statuses("pass"), "{report}");
    assert_ne!(report["problems"], json!([]));
    let baseline = json_of(&tojimari(&formats(), &["baseline"]).stdout);
    assert_ne!(baseline["findings"], json!([]));
    assert_eq!(wrong("baseline", &baseline), [""; 0]);
    // The schemas do not say yes to everything.
    for (pointer, value) in [
        ("/version", json!(2)),
        ("/evaluations/0/status", json!("failed")),
        ("/evaluations/0/place/line", json!("1")),
        ("/evaluations/0/resource", json!("web")),
    ] {
        let mut other = report.clone();
        *other.pointer_mut(pointer).expect(pointer) = value;
        assert_eq!(wrong("report", &other).len(), 1, "{pointer}");
    }
    assert_ne!(wrong("baseline", &report), [""; 0]);
}

/// The examples of the documentation are configurations, and the schema takes them.
#[test]
fn the_configurations_of_the_documentation_are_as_the_schema_says() {
    let page = include_str!("../../../../docs/findings.md");
    let examples: Vec<&str> =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().expect("an end")).collect();
    assert!(examples.len() >= 2);
    for example in examples {
        let document = plain(toml::from_str(example).expect(example));
        assert_eq!(wrong("config", &document), [""; 0], "{example}");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("tojimari.toml"), example).expect("written");
        std::fs::write(
            folder.path().join("task.json"),
            r#"{"family": "f", "containerDefinitions": [{"name": "a", "image": "a"}]}"#,
        )
        .expect("written");
        let report = json_of(&tojimari(folder.path(), &["check", "--format", "json"]).stdout);
        let problems = report["problems"].as_array().expect("a list");
        assert!(
            problems.iter().all(|p| p["message"].as_str().is_some_and(|m| m.contains("matches no"))),
            "{problems:?}"
        );
    }
    for text in
        ["required-tags = 'owner'", "[[waiver]]\ncontrol = 'ECS.5'", "[severity]\n'ECS.5' = 'grave'", "color = 1"]
    {
        assert_ne!(wrong("config", &plain(toml::from_str(text).expect(text))), [""; 0], "{text}");
    }
}

/// Days as text.
fn plain(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(day) => day.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(plain).collect(),
        toml::Value::Table(members) => Value::Object(members.into_iter().map(|(k, v)| (k, plain(v))).collect()),
        other => serde_json::to_value(other).expect("JSON"),
    }
}

#[test]
fn profile_plan_and_proof_are_as_their_schemas_say() {
    let skip = match (nix::unistd::Uid::effective().is_root(), busybox::available()) {
        (false, _) => Some("running a container needs root"),
        (_, false) => Some("there is no static /bin/busybox (Debian: busybox-static)"),
        _ => None,
    };
    if let Some(why) = skip {
        // Straight to the descriptor: the test harness keeps what `eprintln!` says of a passing test.
        let _ = writeln!(std::io::stderr(), "skipped: profile_plan_and_proof_are_as_their_schemas_say: {why}");
        return;
    }
    let script = "echo > /run/pid; mkdir -p /var/cache/a; echo > /var/cache/a/b; ln -s x /run/link; exec sleep 60";
    let image = busybox::image(json!({ "Cmd": ["sh", "-c", script] }), &[]);
    let folder = tempfile::tempdir().expect("a folder");
    let task = json!({ "family": "f", "containerDefinitions": [{ "name": "web", "image": "web:1" }] });
    std::fs::write(folder.path().join("task.json"), task.to_string()).expect("written");
    let image = format!("--image=web={}", image.reference);
    let output = tojimari(folder.path(), &["harden", "task.json", &image, "--exercise", "sleep 0.3", "--out", "out"]);
    let said = String::from_utf8_lossy(&output.stderr);
    for name in ["profile", "plan", "proof"] {
        let text =
            std::fs::read(folder.path().join(format!("out/{name}.json"))).unwrap_or_else(|_| panic!("{name}: {said}"));
        let document = json_of(&text);
        assert_ne!(document["containers"], json!([]), "{name}");
        assert_eq!(wrong(name, &document), [""; 0], "{name}: {document:#}");
        let mut other = document.clone();
        other["containers"][0].as_object_mut().expect("a container").remove("name");
        assert_ne!(wrong(name, &other), [""; 0], "{name}: a container has a name");
    }
}
