//! What people accept, as they meet it: waivers in comments and in `tojimari.toml`, a baseline, and
//! the rest of what the configuration may say.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const TEMPLATE: &str = "Resources:
  Api:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
          Image: nginx:1
        - Name: sidecar
          Image: nginx:1
  Batch:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: job
          Image: nginx:1
";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    folder
}

fn tojimari(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tojimari")).args(arguments).current_dir(folder).output().expect("it runs")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// The containers that fail, and those that are waived.
fn outcome(folder: &Path, arguments: &[&str]) -> (Vec<String>, Vec<String>) {
    let output = tojimari(folder, &[&["check", "--control", "ECS.5", "--format", "json"], arguments].concat());
    let found: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    let with = |status: &str| -> Vec<String> {
        let all = found["evaluations"].as_array().expect("a list").iter().filter(|e| e["status"] == status);
        all.map(|e| e["container"].as_str().unwrap_or("-").to_owned()).collect()
    };
    (with("fail"), with("waived"))
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_comment_waives_what_it_stands_beside() {
    let waiver = "# tojimari: allow ECS.5 until 2099-12-31 because the vendor writes there";
    for (at, waived) in [
        ("        - Name: web\n", &["web"][..]),
        ("          Image: nginx:1\n        - Name: sidecar\n", &["web"]),
        ("  Api:\n", &["web", "sidecar"]),
        (
            "    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        - Name: web",
            &["web", "sidecar"],
        ),
        ("Resources:\n", &[]),
    ] {
        let indent = " ".repeat(at.len() - at.trim_start().len());
        let folder = folder(&[("t.yaml", &TEMPLATE.replacen(at, &format!("{indent}{waiver}\n{at}"), 1))]);
        assert_eq!(outcome(folder.path(), &[]).1, names(waived), "above {at}");
    }
    let folder = folder(&[("t.yaml", &TEMPLATE.replace("Name: job", &format!("Name: job {waiver}")))]);
    assert_eq!(outcome(folder.path(), &[]), (names(&["web", "sidecar"]), names(&["job"])), "at the end of its line");
    let output = tojimari(folder.path(), &["check", "--control", "ECS.5", "--all"]);
    assert!(
        String::from_utf8_lossy(&output.stdout).contains(
            "waived[ECS.5]: t.yaml:14:17: container job of task definition Batch: readonlyRootFilesystem is not set \
             (waived until 2099-12-31: the vendor writes there)\n"
        ),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn a_waiver_that_does_not_hold_is_told() {
    for (comment, message) in [
        ("allow ECS.5 until 2099-12-31", "the waiver of ECS.5 gives no reason, so it does not hold"),
        ("allow ECS.5 until 2020-01-31 because x", "the waiver of ECS.5 ended on 2020-01-31"),
        ("allow ECS.4 because x", "the waiver of ECS.4 matches no failure"),
        ("allow ECS.99 because x", "there is no control ECS.99"),
        ("alow ECS.5 because x", "a waiver is written `tojimari: allow ECS.5 until 2027-03-31 because …`"),
    ] {
        let folder = folder(&[("t.yaml", &TEMPLATE.replace("Name: job", &format!("Name: job # tojimari: {comment}")))]);
        let output = tojimari(folder.path(), &["check", "--control", "ECS.5", "--control", "ECS.4"]);
        assert_eq!(said(&output), format!("warning: t.yaml:14:21: {message}\n"));
        assert_eq!(output.status.code(), Some(1));
    }
    let folder = folder(&[("t.yaml", &TEMPLATE.replace("Name: job", "Name: job # tojimari: allow ECS.4 because x"))]);
    let output = tojimari(folder.path(), &["check", "--control", "ECS.5"]);
    assert_eq!(said(&output), "", "a control that is not evaluated says nothing of its waivers");
}

#[test]
fn the_configuration_waives_by_pattern() {
    let configuration = |waiver: &str| format!("[[waiver]]\ncontrol = \"writable-root-file-system\"\n{waiver}\n");
    for (waiver, waived) in [
        ("reason = \"x\"", &["web", "sidecar", "job"][..]),
        ("reason = \"x\"\ncontainer = \"side*\"", &["sidecar"]),
        ("reason = \"x\"\nresource = \"Batch\"", &["job"]),
        ("reason = \"x\"\npath = \"infra/**\"\nuntil = 2099-12-31", &["web", "sidecar", "job"]),
        ("reason = \"x\"\npath = \"infra\"", &[]),
        ("reason = \"x\"\npath = \"*.yaml\"", &[]),
        ("reason = \"x\"\nuntil = 2020-12-31", &[]),
        ("reason = \" \"", &[]),
        ("", &[]),
    ] {
        let configuration = configuration(waiver);
        let folder = folder(&[(".git/HEAD", ""), ("infra/t.yaml", TEMPLATE), ("tojimari.toml", &configuration)]);
        for arguments in [&["."][..], &["infra/t.yaml"]] {
            assert_eq!(outcome(folder.path(), arguments).1, names(waived), "{waiver}");
        }
        assert_eq!(outcome(&folder.path().join("infra"), &[]).1, names(waived), "from below: {waiver}");
    }
    let folder =
        folder(&[("infra/t.yaml", TEMPLATE), ("tojimari.toml", &configuration("reason = \"x\"\nresource = \"Gone\""))]);
    let output = tojimari(folder.path(), &["check", "--control", "ECS.5"]);
    assert_eq!(said(&output), "warning: tojimari.toml:1:1: the waiver of ECS.5 matches no failure\n");
    let output = tojimari(folder.path(), &["check", "--control", "ECS.5", "infra"]);
    assert_eq!(said(&output), "", "only a part was looked at");
}

#[test]
fn what_is_known_does_not_fail() {
    let folder = folder(&[("t.yaml", TEMPLATE)]);
    let output = tojimari(folder.path(), &["baseline", "--control", "ECS.5", "-o", "known.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let output = tojimari(folder.path(), &["check", "--control", "ECS.5", "--baseline", "known.json"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "no failures, 3 waived\n");

    let more = format!("# a line more\n{}        - Name: new\n          Image: nginx:1\n", TEMPLATE);
    std::fs::write(folder.path().join("t.yaml"), more).expect("a file");
    assert_eq!(outcome(folder.path(), &["--baseline", "known.json"]).0, names(&["new"]));

    std::fs::write(folder.path().join("known.json"), "{\n \"version\": 2, \"findings\": []}").expect("a file");
    let output = tojimari(folder.path(), &["check", "--baseline", "known.json"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(said(&output), "error: known.json: baseline version 2, this program knows version 1\n");
    std::fs::write(folder.path().join("known.json"), "{\n \"version\": \"x\"}").expect("a file");
    let output = tojimari(folder.path(), &["check", "--baseline", "known.json"]);
    assert!(said(&output).starts_with("error: known.json:2:15: not a baseline: "), "{}", said(&output));
}

#[test]
fn mistakes_in_the_configuration_have_places() {
    let configuration = "\
pass-over = [\"[\", 5]
requird-tags = [\"owner\"]

[severity]
\"ECS.5\" = \"urgent\"
\"ECS.99\" = \"low\"

[[waiver]]
control = \"ECS.5\"
until = 2027-02-30
reasn = \"x\"

[[waiver]]
reason = \"x\"
until = \"soon\"

[[rule]]
id = \"ACME.1\"
message = \"root\"
fails-when = 'container.usr == \"root\"'

[[rule]]
id = \"ECS.5\"
message = \"x\"
fails-when = \"true\"

[[rule]]
id = \"ACME.2\"
message = \"x\"
on = \"volume\"
fails-when = \"true\"
";
    let folder = folder(&[("t.yaml", TEMPLATE), ("tojimari.toml", configuration)]);
    let output = tojimari(folder.path(), &["check", "--control", "ECS.5"]);
    assert_eq!(output.status.code(), Some(2));
    let said = said(&output);
    let lines: Vec<&str> = said.lines().collect();
    for (at, start) in [
        "error: tojimari.toml:1:14: not a pattern: ",
        "error: tojimari.toml:1:19: an item of `pass-over` must be a string",
        "error: tojimari.toml:2:1: there is no `requird-tags` here, but kms-keys, pass-over, required-tags, rule, ",
        "error: tojimari.toml:5:11: a severity is \"low\", \"medium\", \"high\" or \"critical\"",
        "error: tojimari.toml:6:1: there is no control ECS.99",
        "error: tojimari.toml:10:",
        "error: tojimari.toml:11:1: there is no `reasn` here, but container, control, path, reason, resource, until",
        "error: tojimari.toml:13:1: `control` is missing",
        "error: tojimari.toml:15:9: `until` must be a day such as 2027-03-31",
        "error: tojimari.toml:20:25: a container has no usr; it has ",
        "error: tojimari.toml:23:6: there is a ECS.5 already",
        "error: tojimari.toml:30:6: `on` must be one of \"container\", \"task\", \"service\", \"cluster\", \"repository\"",
    ]
    .iter()
    .enumerate()
    {
        assert!(lines.get(at).is_some_and(|line| line.starts_with(start)), "{start}\n{said}");
    }
    assert_eq!(lines.len(), 12, "{said}");
    assert!(!output.stdout.is_empty(), "the rest is still judged");
}

#[test]
fn severities_tags_folders_and_own_rules() {
    let configuration = "\
pass-over = [\"old/\"]
required-tags = [\"owner\"]

[severity]
\"ECS.5\" = \"low\"

[[rule]]
id = \"ACME.1\"
severity = \"critical\"
message = \"the image is not from our registry\"
remedy = \"push it to registry.example\"
fails-when = 'container.name == \"web\" && !container.image.startsWith(\"registry.example/\")'
";
    let folder = folder(&[("t.yaml", TEMPLATE), ("old/t.yaml", TEMPLATE), ("tojimari.toml", configuration)]);
    let output = tojimari(folder.path(), &["check", "--format", "json"]);
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let all = found["evaluations"].as_array().expect("a list");
    assert!(all.iter().all(|e| e["place"]["file"] == "t.yaml"));
    let of = |control: &str| all.iter().find(|e| e["control"] == control && e["status"] == "fail").expect("a failure");
    assert_eq!(of("ECS.5")["severity"], "low");
    assert_eq!(of("ECS.15")["remedy"], "add the tag owner");
    let own = of("ACME.1");
    assert_eq!(own["severity"], "critical");
    assert_eq!(own["message"], "the image is not from our registry");
    assert_eq!(own["remedy"], "push it to registry.example");
    assert_eq!(own["container"], "web");
    let output = tojimari(folder.path(), &["check", "--control", "acme.1", "--fail-on", "critical"]);
    assert_eq!(output.status.code(), Some(1));
    let output = tojimari(folder.path(), &["check", "--control", "ECS.5", "--fail-on", "medium"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn what_is_waived_is_not_fixed() {
    let text = "{\"family\": \"a\", \"containerDefinitions\": [{\"name\": \"web\"}, {\"name\": \"job\"}]}\n";
    let waiver = "[[waiver]]\ncontrol = \"ECS.5\"\ncontainer = \"web\"\nreason = \"x\"\n";
    let folder = folder(&[("t.json", text), ("tojimari.toml", waiver)]);
    let output = tojimari(folder.path(), &["fix", ".", "--write", "--unproven", "--control", "ECS.5"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(
        std::fs::read_to_string(folder.path().join("t.json")).expect("the file"),
        text.replace("\"job\"", "\"job\", \"readonlyRootFilesystem\": true")
    );
}
