//! Whatever file it is, alone or in its folder: no command ends in another way than it says, and what
//! `fix` wrote once it does not write again.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files of all formats, some of which are read because another one names them, and layouts in which
/// one edit stands beside another.
const FOLDERS: &[&[(&str, &str)]] = &[
    &[
        ("compose.yaml", "services:\n  a:\n    extends: {file: common.yaml, service: base}\n    image: x:1\n"),
        ("common.yaml", "services:\n  base: {image: \"x:1\", privileged: true}\n"),
    ],
    &[
        ("t.yaml", "Resources:\n  S:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: ./n.yaml}\n"),
        (
            "n.yaml",
            "Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties: {Family: x, \
             ContainerDefinitions: [{Name: a, Image: \"x:1\"}]}\n",
        ),
    ],
    &[
        (
            "main.tf",
            "resource \"aws_ecs_task_definition\" \"x\" {\n  family = \"x\"\n  container_definitions = \
             templatefile(\"c.json.tpl\", { image = \"x:1\" })\n}\n",
        ),
        ("c.json.tpl", "[{\"name\": \"a\", \"image\": \"${image}\", \"privileged\": true}]\n"),
    ],
    &[
        (
            "main.tf",
            "variable \"ro\" {}\nresource \"aws_ecs_task_definition\" \"x\" {\n  family = \"x\"\n  \
             container_definitions = jsonencode([{ name = \"a\", image = \"x:1\", readonlyRootFilesystem = var.ro }])\n}\n",
        ),
        ("terraform.tfvars", "ro = false\n"),
    ],
    &[(
        "main.tf",
        "resource \"aws_ecs_cluster\" \"main\" { name = \"shop\" }\nresource \"aws_ecr_repository\" \"web\" { name = \
         \"web\" }\n",
    )],
    &[("t.json", "{\"family\":\"a\",\"containerDefinitions\":[{\"name\":\"a\",\"image\":\"x:1\"},{}]}")],
    &[(
        "t.yaml",
        "Resources:\r\n  T:\r\n    Type: AWS::ECS::TaskDefinition\r\n    Properties:\r\n      ContainerDefinitions:\r\n      \
         - Name: a # x\r\n        Image: x:1\r\n        LinuxParameters: {}\r\n  C:\r\n    Type: AWS::ECS::Cluster\r\n",
    )],
    &[(
        "t.yaml",
        "Resources:\n  A: &a\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        - \
         {Name: a, Image: \"x:1\"}\n  B: *a\n",
    )],
    &[
        ("Dockerfile", "FROM scratch\nUSER 1\n"),
        ("manifest.yml", "name: a\ntype: Backend Service\nimage:\n  build: Dockerfile\n"),
    ],
    &[
        ("ecspresso.yml", "cluster: a\nservice: b\ntask_definition: td.json\n"),
        (
            "td.json",
            "{\"family\": \"{{ env `X` }}\", \"containerDefinitions\": [{\"name\": \"a\", \"image\": \"x:1\"}]}\n",
        ),
    ],
];

/// Runs a command, which ends with one of its exit codes.
fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tojimari")).args(arguments).current_dir(folder).output();
    let output = output.expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code();
    assert!(code.is_some_and(|code| code <= 3) && !said.contains("panicked"), "{arguments:?}: {code:?} {said}");
    said
}

fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => _ = found.insert(path.clone(), std::fs::read(&path).expect("a file")),
        }
    }
    found
}

/// All that can be asked of a folder and of each file in it. The folder is written into.
fn judge(folder: &Path) {
    for path in contents(folder).into_keys() {
        let name = path.strip_prefix(folder).expect("it lies in there").display().to_string();
        run(folder, &["check", "--format", "sarif", &name]);
        run(folder, &["fix", "--unproven", &name]);
    }
    run(folder, &["check", "--format", "sarif", "."]);
    run(folder, &["fix", "--unproven", "--write", "."]);
    let once = contents(folder);
    let said = run(folder, &["fix", "--unproven", "--write", "."]);
    let twice = contents(folder);
    for (path, bytes) in &once {
        assert!(twice[path] == *bytes, "{}: the second run changed it\n{said}", path.display());
    }
}

#[test]
fn any_file_is_judged_and_what_was_fixed_stays() {
    for files in FOLDERS {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in *files {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        judge(folder.path());
    }
}

#[test]
fn any_fixture_is_judged_and_what_was_fixed_stays() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for fixtures in [tests.join("cases"), tests.join("formats")] {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, bytes) in contents(&fixtures) {
            let to = folder.path().join(path.strip_prefix(&fixtures).expect("it lies in there"));
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
            std::fs::write(to, bytes).expect("a file");
        }
        judge(folder.path());
    }
}

#[test]
fn the_corpus_is_fixed_once() {
    let Some(corpus) = std::env::var_os("TOJIMARI_CORPUS") else {
        // Not captured: skipped tests are counted by these lines.
        let _ = writeln!(std::io::stderr(), "skipped: the corpus is not fixed once (TOJIMARI_CORPUS names no folder)");
        return;
    };
    let corpus = Path::new(&corpus).join("labelled");
    let folder = tempfile::tempdir().expect("a folder");
    for (path, bytes) in contents(&corpus) {
        let to = folder.path().join(path.strip_prefix(&corpus).expect("it lies in there"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        std::fs::write(to, bytes).expect("a file");
    }
    run(folder.path(), &["fix", "--unproven", "--write", "."]);
    let once = contents(folder.path());
    run(folder.path(), &["fix", "--unproven", "--write", "."]);
    let twice = contents(folder.path());
    for (path, bytes) in &once {
        assert!(twice[path] == *bytes, "{}: the second run changed it", path.display());
    }
}
