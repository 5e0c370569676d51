//! `explain` as a user meets it: a page, runbooks for task definitions of several formats, and bad
//! usage.

use std::process::{Command, Output};

fn explain(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tojimari")).arg("explain").args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, said)
}

/// The runbook of a control for a file of that name and text.
fn runbook(control: &str, name: &str, text: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(name);
    std::fs::write(&file, text).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let (output, book) = explain(&[control, "--task", file, "--format", "markdown"]);
    (output.status.code(), book)
}

#[test]
fn a_page_is_found_by_id_and_by_name() {
    let (output, by_id) = explain(&["ecs.5", "--format", "markdown"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(by_id.starts_with("# ECS.5: ") && by_id.contains("\n## Exact test\n"), "{by_id}");
    assert_eq!(explain(&["writable-root-file-system", "--format", "markdown"]).1, by_id);
    assert_eq!(explain(&["ECS.6"]).0.status.code(), Some(2));
    let text = explain(&["ECS.5"]).1;
    assert!(text.contains("\nEXACT TEST\n") && !text.contains(['`', '#']), "{text}");
}

const TASK: &str = r#"{"family": "shop", "containerDefinitions": [{"name": "web", "image": "nginx:1"}]}"#;

#[test]
fn a_runbook_is_about_this_very_task_definition() {
    let (code, book) = runbook("ECS.5", "task.json", TASK);
    assert_eq!(code, Some(0));
    assert!(book.contains("- container web: readonlyRootFilesystem is not set (fail, "), "{book}");
    assert!(book.contains("--task-definition shop:PREVIOUS"), "{book}");
    assert!(book.contains("tojimari harden "), "a read-only root needs proof: {book}");
    let (_, tags) = runbook("ECS.15", "task.json", TASK);
    assert!(!tags.contains("harden"), "a tag needs no proof: {tags}");
    assert_eq!(runbook("ECS.2", "task.json", TASK).0, Some(2), "ECS.2 looks at services");
}

#[test]
fn a_runbook_goes_the_way_of_its_format() {
    let template = "Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        \
                    - Name: web\n          Image: nginx:1\n";
    let terraform = "resource \"aws_ecs_task_definition\" \"t\" {\n  family = \"shop\"\n  \
                     container_definitions = jsonencode([{ name = \"web\", image = \"nginx:1\" }])\n}\n";
    let compose = "services:\n  web:\n    image: nginx:1\n";
    let daemon = r#"{"daemonTaskDefinition": {"daemonTaskDefinitionArn": "arn:aws:ecs:eu-west-1:1:daemon-task-definition/d:1",
        "family": "d", "containerDefinitions": [{"name": "web", "image": "nginx:1"}]}}"#;
    for (name, text, present, absent) in [
        ("t.yaml", template, "aws cloudformation deploy --template-file", "register-task-definition"),
        ("t.tf", terraform, "terraform apply change.tfplan", "register-task-definition"),
        ("compose.yaml", compose, "docker compose up --detach web", "aws "),
        ("daemon.json", daemon, "aws ecs update-daemon", "update-service"),
    ] {
        let (code, book) = runbook("ECS.5", name, text);
        assert_eq!(code, Some(0), "{name}: {book}");
        assert!(book.contains(present), "{name}: {book}");
        assert!(!book.contains(absent), "{name}: {book}");
    }
}

/// These do not exist, whatever is written elsewhere.
#[test]
fn no_runbook_names_what_does_not_exist() {
    for control in tojimari_controls::all() {
        let (_, book) = runbook(control.id, "task.json", TASK);
        for word in ["update-task-definition", "ecs:UpdateTaskDefinition", "ecs:DescribeTaskDefinitions"] {
            assert!(!book.contains(word), "{}: {book}", control.id);
        }
    }
}

#[test]
fn a_family_is_no_part_of_a_command_unless_it_is_one() {
    let (_, book) = runbook("ECS.5", "task.json", &TASK.replace("shop", "$(reboot)"));
    assert!(book.contains("--task-definition FAMILY:PREVIOUS"), "{book}");
}

#[test]
fn what_cannot_be_read_is_told() {
    let (code, book) = runbook("ECS.5", "t.json", &TASK.replace("]}", "]"));
    assert_eq!(code, Some(2), "{book}");
}
