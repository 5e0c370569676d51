//! `fix` as a user meets it: only the lines that have to change do, and a file is whole or untouched.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

const FILE: &str = "{
  \"family\": \"app\",
  \"containerDefinitions\": [
    {
      \"name\": \"web\",
      \"image\": \"nginx\",
      \"privileged\": true
    }
  ]
}
";

fn folder(content: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("t.json"), content).expect("a file");
    folder
}

fn fix(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tojimari"));
    command.arg("fix").args(arguments).current_dir(folder).output().expect("it runs")
}

fn content(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("t.json")).expect("the file")
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

const UNPROVEN: &[&str] = &["t.json", "--unproven", "--control", "ECS.4", "--control", "ECS.5"];

#[test]
fn without_write_it_is_a_diff() {
    let folder = folder(FILE);
    let output = fix(folder.path(), UNPROVEN);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "--- a/t.json
+++ b/t.json
@@ -4,7 +4,8 @@
     {
       \"name\": \"web\",
       \"image\": \"nginx\",
-      \"privileged\": true
+      \"readonlyRootFilesystem\": true,
+      \"privileged\": false
     }
   ]
 }
"
    );
    assert_eq!(
        said(&output),
        "would fix: ECS.5 container web of app (t.json:5:15)\nwould fix: ECS.4 container web of app (t.json:7:21)\n"
    );
    assert_eq!(content(folder.path()), FILE);
}

#[test]
fn what_needs_proof_is_left_without_one() {
    let folder = folder(FILE);
    let output = fix(folder.path(), &["t.json", "--write", "--control", "ECS.5"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        said(&output),
        "left: ECS.5 container web of app (t.json:5:15): needs proof: set readonlyRootFilesystem to true on container \
         web and mount what it writes; give the plan that was proven with --plan, or --unproven\n"
    );
    assert_eq!(content(folder.path()), FILE);
}

#[test]
fn layout_stays_and_twice_is_the_same_as_once() {
    let compact = "{\"family\":\"a\",\"containerDefinitions\":[{\"name\":\"web\",\"image\":\"x\"}]}";
    let windows = FILE.replace('\n', "\r\n");
    let marked = format!("\u{feff}{FILE}");
    let tabs = FILE.replace("  ", "\t");
    let open = FILE.trim_end();
    let described = format!("{{\n \"taskDefinition\": {}, \"tags\": []}}", FILE.trim_end());
    for (text, after) in [
        (compact, compact.replace("\"x\"", "\"x\",\"readonlyRootFilesystem\":true")),
        (&windows, windows.replace("nginx\",\r\n", "nginx\",\r\n      \"readonlyRootFilesystem\": true,\r\n")),
        (&marked, marked.replace("nginx\",\n", "nginx\",\n      \"readonlyRootFilesystem\": true,\n")),
        (&tabs, tabs.replace("nginx\",\n", "nginx\",\n\t\t\t\"readonlyRootFilesystem\": true,\n")),
        (open, open.replace("nginx\",\n", "nginx\",\n      \"readonlyRootFilesystem\": true,\n")),
        (&described, described.replace("nginx\",\n", "nginx\",\n      \"readonlyRootFilesystem\": true,\n")),
    ] {
        let folder = folder(text);
        for _ in 0..2 {
            let output = fix(folder.path(), &["t.json", "--write", "--unproven", "--control", "ECS.5"]);
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
            assert_eq!(content(folder.path()), after);
        }
    }
}

#[test]
fn a_plan_goes_into_the_task_definition_that_it_is_for() {
    let folder = folder(FILE);
    let plan = r#"{"version": 1, "platform": "fargate", "notes": [], "containers": [{"name": "web",
        "readonly_root": true, "privileged": false, "not_mounted": [], "writable": [
        {"path": "/tmp", "by": "tmpfs", "size_mib": 16, "options": ["noexec"], "because": [], "seeded_from_image": false},
        {"path": "/data", "by": "volume", "size_mib": null, "options": [], "because": [], "seeded_from_image": false,
         "volume": "data"}]}]}"#;
    std::fs::write(folder.path().join("plan.json"), plan).expect("a file");
    let output = fix(folder.path(), &[".", "--plan", "plan.json", "--write"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let expected = "{
  \"family\": \"app\",
  \"containerDefinitions\": [
    {
      \"name\": \"web\",
      \"image\": \"nginx\",
      \"readonlyRootFilesystem\": true,
      \"mountPoints\": [
        {
          \"sourceVolume\": \"data\",
          \"containerPath\": \"/data\",
          \"readOnly\": false
        }
      ],
      \"linuxParameters\": {
        \"tmpfs\": [
          {
            \"containerPath\": \"/tmp\",
            \"size\": 16,
            \"mountOptions\": [\"noexec\"]
          }
        ]
      },
      \"privileged\": false
    }
  ],
  \"volumes\": [
    {
      \"name\": \"data\"
    }
  ]
}
";
    assert_eq!(content(folder.path()), expected);
    assert!(said(&output).starts_with("fixed: the plan for app (t.json)\n"), "{}", said(&output));
    let again = fix(folder.path(), &["t.json", "--plan", "plan.json", "--write"]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(content(folder.path()), expected, "twice is the same as once");

    std::fs::write(folder.path().join("other.json"), plan.replace("web", "api")).expect("a file");
    let output = fix(folder.path(), &["t.json", "--plan", "other.json", "--write"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        said(&output),
        "error: other.json: the plan is for containers api, and no task definition here has them\n"
    );
}

#[test]
fn what_cannot_be_edited_is_left_as_it_is() {
    let commented = FILE.replace("\"privileged\"", "// because\n      \"privileged\"");
    let twice = FILE.replace("\"privileged\": true", "\"privileged\": true, \"privileged\": true");
    for (text, status, message) in [
        (
            commented,
            1,
            "error: ECS.4 container web of app (t.json:8:21): failed to write it: the text cannot be read: not JSON: comments are not allowed; by hand: set privileged to false on container web",
        ),
        (
            twice,
            1,
            "error: ECS.4 container web of app (t.json:7:41): failed to write it: privileged is written twice in the same object; by hand: set privileged to false on container web",
        ),
    ] {
        let folder = folder(&text);
        let output = fix(folder.path(), &["t.json", "--write", "--unproven", "--control", "ECS.4"]);
        assert_eq!(output.status.code(), Some(status), "{}", said(&output));
        assert!(said(&output).lines().any(|line| line == message), "{}", said(&output));
        assert_eq!(content(folder.path()), text);
    }
}

#[test]
fn mode_and_links_stay_and_a_read_only_file_is_refused() {
    let folder = folder(FILE);
    let file = folder.path().join("t.json");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).expect("a mode");
    std::os::unix::fs::symlink("t.json", folder.path().join("link.json")).expect("a link");
    let output = fix(folder.path(), &["link.json", "--write", "--unproven", "--control", "ECS.5"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(content(folder.path()).contains("readonlyRootFilesystem"));
    assert!(std::fs::symlink_metadata(folder.path().join("link.json")).expect("the link").is_symlink());
    assert_eq!(std::fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o640);

    std::fs::write(&file, FILE).expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).expect("a mode");
    let output = fix(folder.path(), &["t.json", "--write", "--unproven", "--control", "ECS.5"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(said(&output), "error: t.json: the file is read-only\n");
    assert_eq!(content(folder.path()), FILE);
    let left = std::fs::read_dir(folder.path()).expect("the folder").count();
    assert_eq!(left, 2, "no temporary file is left");
}

#[test]
fn a_file_that_is_not_there_and_standard_input_are_refused() {
    let folder = folder(FILE);
    for (path, message) in [
        ("gone.json", "error: gone.json:1:1: No such file or directory (os error 2)\n"),
        ("-", "error: fix needs a file that it can change: `-` is none\n"),
    ] {
        let output = fix(folder.path(), &[path, "--write"]);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(said(&output), message);
    }
}

#[test]
fn a_dockerfile_gets_what_the_plan_wants_of_the_image() {
    let folder = folder(FILE);
    std::fs::write(folder.path().join("Dockerfile"), "FROM debian:12\nUSER app\nCMD [\"app\"]\n").expect("a file");
    let plan = r#"{"version": 1, "platform": "fargate", "notes": [], "containers": [{
        "name": "web", "readonly_root": true, "privileged": false, "not_mounted": [], "writable": [{
            "path": "/app/tmp", "by": "volume", "size_mib": null, "options": [], "because": [],
            "seeded_from_image": false, "seed": "image-volume", "volume": "web-app-tmp",
            "image_folder": {"uid": "1000", "gid": "1000", "mode": "0755"}}]}]}"#;
    std::fs::write(folder.path().join("plan.json"), plan).expect("a file");
    let output = fix(folder.path(), &[".", "--plan", "plan.json", "--write"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let dockerfile = std::fs::read_to_string(folder.path().join("Dockerfile")).expect("the file");
    assert_eq!(
        dockerfile,
        "FROM debian:12\nRUN mkdir -p /app/tmp && chown 1000:1000 /app/tmp && chmod 0755 /app/tmp\n\
         VOLUME [\"/app/tmp\"]\nUSER app\nCMD [\"app\"]\n"
    );
    assert!(content(folder.path()).contains("\"sourceVolume\": \"web-app-tmp\""), "{}", content(folder.path()));
}

#[test]
fn what_describe_printed_can_be_made_registrable() {
    let folder = folder(&format!(
        "{{\"taskDefinition\": {}, \"tags\": []}}",
        FILE.replace("\"family\"", "\"revision\": 3,\n  \"family\"")
    ));
    let arguments: Vec<&str> = UNPROVEN.iter().copied().chain(["--registrable", "--write"]).collect();
    let output = fix(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let content = content(folder.path());
    assert!(content.starts_with("{\n  \"family\": \"app\",\n"), "{content}");
    assert!(content.contains("\"readonlyRootFilesystem\": true,"), "{content}");
    assert!(!content.contains("revision"), "{content}");
}

#[test]
fn a_tag_gets_the_value_that_was_given() {
    let folder = folder(FILE);
    std::fs::write(folder.path().join("tojimari.toml"), "required-tags = [\"team\"]\n").expect("a file");
    let left = fix(folder.path(), &["t.json", "--control", "ECS.15"]);
    assert!(said(&left).contains("--tag team=VALUE"), "{}", said(&left));
    let output = fix(folder.path(), &["t.json", "--control", "ECS.15", "--tag", "team=payments", "--write"]);
    assert_eq!(said(&output), "fixed: ECS.15 app (t.json:2:13)\n");
    assert!(content(folder.path()).contains("\"value\": \"payments\""), "{}", content(folder.path()));
}

#[test]
fn what_does_not_take_is_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("main.tf");
    let text = r#"resource "aws_ecs_cluster" "app" {
  name = "app"
  tags = merge({ team = "web" }, { for key in ["env"] : key => null })
}
"#;
    std::fs::write(&path, text).expect("a file");
    std::fs::write(folder.path().join("tojimari.toml"), "required-tags = [\"env\"]\n").expect("a file");
    let output = fix(folder.path(), &["main.tf", "--control", "ECS.14", "--tag", "env=prod", "--write"]);
    assert!(said(&output).contains("left: ECS.14 aws_ecs_cluster.app"), "{}", said(&output));
    assert!(said(&output).contains("the change was taken back"), "{}", said(&output));
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), text);
}

#[test]
fn tags_of_an_output_of_describe_stand_beside_the_task_definition() {
    for (beside, expected) in [
        (r#"[]"#, r#""tags": []"#),
        (
            r#"[{"key": "a", "value": "b"}]"#,
            r#""tags": [{"key": "a", "value": "b"}, { "key": "team", "value": "web" }]"#,
        ),
    ] {
        let folder = folder(&format!("{{\n\"taskDefinition\": {FILE},\n\"tags\": {beside}\n}}"));
        std::fs::write(folder.path().join("tojimari.toml"), "required-tags = [\"team\"]\n").expect("a file");
        let output = fix(folder.path(), &["t.json", "--control", "ECS.15", "--tag", "team=web", "--write"]);
        assert!(said(&output).starts_with("fixed: ECS.15 app"), "{}", said(&output));
        let text = content(folder.path());
        assert!(text.ends_with(&format!("{expected}\n}}")), "{text}");
        assert_eq!(text.matches("\"team\"").count(), 1, "{text}");
    }
}

#[test]
fn a_tag_that_is_given_is_better_than_one_that_is_proposed() {
    let folder = folder(FILE);
    let output = fix(folder.path(), &["t.json", "--control", "ECS.15", "--tag", "team=web", "--write"]);
    assert!(said(&output).starts_with("fixed: ECS.15 app"), "{}", said(&output));
    let text = content(folder.path());
    assert!(text.contains("web") && !text.contains("Name"), "{text}");
}

#[test]
fn a_read_only_file_keeps_all_others_from_being_written() {
    let folder = folder(FILE);
    let other = folder.path().join("u.json");
    std::fs::write(&other, FILE).expect("a file");
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o444)).expect("its mode");
    let output = fix(folder.path(), &[".", "--unproven", "--control", "ECS.5", "--write"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).ends_with("error: u.json: the file is read-only\n"), "{}", said(&output));
    assert_eq!(content(folder.path()), FILE, "nothing is written when not all can be");
}

#[test]
fn what_ecs_would_refuse_elsewhere_is_taken_back() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("service")).expect("a folder");
    let task = r#"variable "on" {}

resource "aws_ecs_task_definition" "task" {
  family                   = "app"
  requires_compatibilities = [var.on]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  container_definitions    = jsonencode([{ name = "app", image = "app:1" }])
}
"#;
    let calls =
        ["EC2", "FARGATE"].map(|on| format!("module \"{on}\" {{\n  source = \"./service\"\n  on     = \"{on}\"\n}}\n"));
    std::fs::write(folder.path().join("service/main.tf"), task).expect("a file");
    std::fs::write(folder.path().join("main.tf"), calls.concat()).expect("a file");
    let output = fix(folder.path(), &[".", "--unproven", "--write"]);
    let text = std::fs::read_to_string(folder.path().join("service/main.tf")).expect("the file");
    assert!(!text.contains("no-new-privileges"), "Fargate takes no security options: {text}");
    assert!(text.contains("readonlyRootFilesystem = true") && text.contains("drop = [\"ALL\"]"), "{text}");
    let why = "elsewhere ECS would refuse the same lines (Fargate does not take dockerSecurityOptions)";
    assert!(
        said(&output).lines().any(|line| line.starts_with("left: TJ.14 ") && line.contains(why)),
        "{}",
        said(&output)
    );
    // Nobody has to ask whether ECS takes what is written.
    let output = fix(folder.path(), &[".", "--unproven", "--control", "TJ.14", "--write"]);
    assert!(said(&output).contains(why) && !said(&output).contains("TJ.5 "), "{}", said(&output));
    assert_eq!(std::fs::read_to_string(folder.path().join("service/main.tf")).expect("the file"), text);
}
