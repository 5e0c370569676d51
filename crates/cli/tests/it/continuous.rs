//! The repository as others use it in their own: the pre-commit hook, run by pre-commit itself, and the
//! steps of the GitHub Action, read out of `action.yml` and run by bash.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tojimari_text::yaml::{self, Dialect};
use tojimari_text::{Node, Sources};

const WRITABLE: &str = r#"{"family": "f", "containerDefinitions": [{"name": "web", "image": "nginx:1"}]}"#;
const READ_ONLY: &str =
    r#"{"family": "f", "containerDefinitions": [{"name": "web", "image": "nginx:1", "readonlyRootFilesystem": true}]}"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

fn skip(why: &str) {
    // Straight to the descriptor: the test harness keeps what `eprintln!` says of a passing test.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git").current_dir(folder).args(arguments).output().expect("git runs");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A git repository with the hook's files, as they are in the work tree.
fn hook_repository() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    for name in [".pre-commit-hooks.yaml", "scripts/pre-commit"] {
        let (from, to) = (root().join(name), folder.path().join(name));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        std::fs::copy(&from, &to).expect(name);
        std::fs::set_permissions(&to, std::fs::metadata(&from).expect(name).permissions()).expect(name);
    }
    let mode = std::fs::metadata(root().join("scripts/pre-commit")).expect("the script").permissions().mode();
    assert_eq!(mode & 0o111, 0o111, "scripts/pre-commit can be run");
    commit(folder.path());
    folder
}

fn commit(folder: &Path) {
    git(folder, &["init", "--quiet"]);
    git(folder, &["add", "--all"]);
    let as_somebody = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    git(folder, &[&as_somebody[..], &["commit", "--quiet", "--message", "files"]].concat());
}

/// The folder of the binary before all others.
fn path() -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_tojimari")).parent().expect("a folder");
    format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default())
}

#[test]
fn pre_commit_runs_the_hook() {
    if !Command::new("pre-commit").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return skip("pre_commit_runs_the_hook: there is no pre-commit");
    }
    let hook = hook_repository();
    let home = tempfile::tempdir().expect("a folder");
    let users = tempfile::tempdir().expect("a folder");
    let run = |task: &str| {
        std::fs::write(users.path().join("task.json"), task).expect("written");
        std::fs::write(users.path().join("notes.txt"), "nothing").expect("written");
        git(users.path(), &["init", "--quiet"]);
        git(users.path(), &["add", "--all"]);
        let output = Command::new("pre-commit")
            .args(["try-repo", &hook.path().to_string_lossy(), "tojimari", "--all-files", "--verbose"])
            .current_dir(users.path())
            .env("PATH", path())
            .env("PRE_COMMIT_HOME", home.path())
            .output()
            .expect("pre-commit runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = run(WRITABLE);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("high[ECS.5]: readonlyRootFilesystem is not set"), "{said}");
    let waived = r#"
[[waiver]]
control = "ECS.5"
reason = "a test"
"#;
    // The hook heeds the configuration of the repository that it runs in.
    std::fs::write(users.path().join("tojimari.toml"), waived).expect("written");
    let (_, said) = run(WRITABLE);
    assert!(!said.contains("ECS.5]") && said.contains("1 waived"), "{said}");
}

/// A change of one of these starts the hook.
#[test]
fn the_hook_sees_the_files_of_every_format() {
    let sources = Sources::new();
    let text = std::fs::read_to_string(root().join(".pre-commit-hooks.yaml")).expect("the hooks");
    let file = sources.add("hooks", text.clone());
    let hooks = yaml::read(file, &text, Dialect::Yaml12);
    let files = hooks.documents[0].items()[0].get("files").and_then(Node::as_str).expect("files").to_owned();
    let matches = |name: &str| {
        let program = "import re, sys; sys.exit(0 if re.search(sys.argv[1], sys.argv[2]) else 1)";
        Command::new("python3").args(["-c", program, &files, name]).status().map(|status| status.success())
    };
    for (name, expected) in [
        ("infra/task.json", true),
        ("a/compose.yml", true),
        ("a.tf", true),
        ("prod.tfvars", true),
        ("x.jsonnet", true),
        ("Dockerfile", true),
        ("web/Dockerfile.prod", true),
        (".env", true),
        ("tojimari.toml", true),
        ("src/main.py", false),
        ("README.md", false),
    ] {
        match matches(name) {
            Ok(does) => assert_eq!(does, expected, "{name}"),
            Err(_) => return skip("the_hook_sees_the_files_of_every_format: there is no python3"),
        }
    }
}

/// A run of the Action's steps on a runner that has its binary cached already.
struct Runner {
    folder: tempfile::TempDir,
    users: tempfile::TempDir,
}

impl Runner {
    fn new(files: &[(&str, &str)]) -> Runner {
        let folder = tempfile::tempdir().expect("a folder");
        let bin = folder.path().join("tojimari/bin");
        std::fs::create_dir_all(&bin).expect("a folder");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_tojimari"), bin.join("tojimari")).expect("a link");
        let users = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(users.path().join(name), text).expect("written");
        }
        Runner { folder, users }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs every step that is a script; what the last one gave.
    fn run(&self, inputs: &[(&str, &str)]) -> Output {
        let sources = Sources::new();
        let text = std::fs::read_to_string(root().join("action.yml")).expect("the action");
        let file = sources.add("action.yml", text.clone());
        let yaml = yaml::read(file, &text, Dialect::Yaml12);
        assert_eq!(yaml.problems, []);
        let action = &yaml.documents[0];
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        for input in action.get("inputs").expect("inputs").entries() {
            let default = input.value.get("default").and_then(Node::as_str).unwrap_or_default();
            known.insert(format!("${{{{ inputs.{} }}}}", input.key.name), default.to_owned());
        }
        for (name, value) in inputs {
            let before = known.insert(format!("${{{{ inputs.{name} }}}}"), (*value).to_owned());
            assert!(before.is_some(), "{name} is an input");
        }
        let mut last = None;
        for step in action.get("runs").and_then(|runs| runs.get("steps")).expect("steps").items() {
            let Some(script) = step.get("run").and_then(Node::as_str) else { continue };
            assert_eq!(step.get("shell").and_then(Node::as_str), Some("bash"), "a composite action names its shell");
            assert!(!script.contains("${{"), "what others write goes through the environment: {script}");
            let mut bash = Command::new("bash");
            bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).current_dir(self.users.path());
            for variable in step.get("env").map(Node::entries).unwrap_or_default() {
                let value = variable.value.as_str().expect("a string");
                bash.env(&*variable.key.name, known.get(value).unwrap_or_else(|| panic!("{value}")));
            }
            let output = bash
                .env("GITHUB_ACTION_PATH", root())
                .env("RUNNER_TEMP", self.folder.path())
                .env("GITHUB_OUTPUT", self.file("output"))
                .env("GITHUB_STEP_SUMMARY", self.file("summary"))
                .output()
                .expect("bash runs");
            let failed = !output.status.success();
            last = Some(output);
            if failed {
                break;
            }
        }
        last.expect("a step")
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).expect(name)
    }
}

#[test]
fn the_action_annotates_sums_up_and_fails() {
    let runner = Runner::new(&[("task.json", WRITABLE)]);
    let output = runner.run(&[]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("::error file=task.json,line=1,") && said.contains("title=ECS.5 (high)"), "{said}");
    assert!(runner.read("summary").contains("| ECS.5 | container web of task definition f |"));
    let outputs = runner.read("output");
    assert!(outputs.contains("\nstatus=1\n") && outputs.contains("\nsarif="), "{outputs}");
    let sarif: serde_json::Value = serde_json::from_str(&runner.read("tojimari.sarif")).expect("SARIF");
    assert_eq!(sarif["version"], "2.1.0");
    assert_ne!(sarif["runs"][0]["results"], serde_json::json!([]));
}

#[test]
fn the_inputs_of_the_action_reach_the_command() {
    let runner = Runner::new(&[("a b.json", READ_ONLY), ("other.json", WRITABLE), ("bad.json", "[{\"family\":")]);
    let code = |inputs: &[(&str, &str)]| runner.run(inputs).status.code();
    assert_eq!(code(&[("paths", "a b.json\n"), ("controls", "ECS.5")]), Some(0));
    assert_eq!(code(&[("paths", "a b.json\nother.json"), ("controls", "ECS.4\nECS.5")]), Some(1));
    assert_eq!(code(&[("paths", "other.json"), ("controls", "ECS.5"), ("fail-on", "critical")]), Some(0));
    assert_eq!(code(&[("paths", "other.json"), ("controls", "ECS.5"), ("fail-on", "; exit 0")]), Some(2));
    assert_eq!(code(&[("paths", "other.json"), ("baseline", "none.json")]), Some(2));
    let baseline = Command::new(env!("CARGO_BIN_EXE_tojimari"))
        .args(["baseline", "other.json", "-o", "known.json"])
        .current_dir(runner.users.path())
        .status();
    assert!(baseline.expect("it runs").success());
    assert_eq!(code(&[("paths", "other.json"), ("baseline", "known.json")]), Some(0));
}
