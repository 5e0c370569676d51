//! The examples, hardened end to end: real images of Debian's packages, traced, planned, patched
//! and proven. Needs root and the images (`make examples`).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// Whether an example can run here; says why not.
fn ready(images: &[&str]) -> bool {
    // Straight to the descriptor: the test harness keeps what `eprintln!` says of a passing test.
    let skip = |why: String| {
        let _ = writeln!(std::io::stderr(), "skipped: {why}");
        false
    };
    if !nix::unistd::Uid::effective().is_root() {
        return skip("hardening an example needs root".to_owned());
    }
    for image in images {
        if !root().join("target/examples").join(image).join("index.json").exists() {
            return skip(format!("the image target/examples/{image} is not built (make examples)"));
        }
    }
    true
}

struct Run {
    output: Output,
    folder: tempfile::TempDir,
}

impl Run {
    fn of(example: &str, images: &[(&str, &str)]) -> Run {
        let folder = tempfile::tempdir().expect("a folder");
        let images: Vec<String> =
            images.iter().map(|(name, image)| format!("--image={name}=oci:target/examples/{image}")).collect();
        let output = Command::new(env!("CARGO_BIN_EXE_tojimari"))
            .arg("harden")
            .arg(format!("examples/{example}/task-definition.json"))
            .args(&images)
            .arg(format!("--exercise=examples/{example}/exercise"))
            .arg("--out")
            .arg(folder.path())
            .current_dir(root())
            .output()
            .expect("the binary runs");
        Run { output, folder }
    }

    fn said(&self) -> String {
        format!("{}{}", String::from_utf8_lossy(&self.output.stdout), String::from_utf8_lossy(&self.output.stderr))
    }

    fn json(&self, name: &str) -> Value {
        let text = std::fs::read_to_string(self.folder.path().join(name)).expect(name);
        serde_json::from_str(&text).expect("JSON")
    }

    /// The proof holds, and the file that was written is the one that the plan describes.
    fn holds(&self) {
        assert_eq!(self.output.status.code(), Some(0), "{}", self.said());
        let proof = self.json("proof.json");
        assert_eq!(proof["verdict"], "holds", "{proof:#}");
        for container in proof["containers"].as_array().expect("containers") {
            assert_eq!(container["started"], true, "{proof:#}");
            assert_eq!(container["exercise_exit"], 0, "{proof:#}");
            for denied in container["denied"].as_array().expect("denied") {
                assert_eq!(denied["tolerated"], true, "{denied}");
            }
        }
        let hardened = self.json("task-definition.json");
        for container in hardened["containerDefinitions"].as_array().expect("containers") {
            assert_eq!(container["readonlyRootFilesystem"], true);
        }
        let diff = std::fs::read_to_string(self.folder.path().join("changes.diff")).expect("a diff");
        assert!(diff.lines().any(|line| line.starts_with('+')));
        assert!(!diff.lines().any(|line| line.starts_with('-') && !line.starts_with("---")), "{diff}");
    }

    fn writable(&self, container: usize) -> Vec<String> {
        let plan = self.json("plan.json");
        let mounts = plan["containers"][container]["writable"].as_array().expect("mounts");
        mounts.iter().map(|mount| mount["path"].as_str().expect("a path").to_owned()).collect()
    }

    /// Paths of a container's profile on which that operation was seen.
    fn written(&self, container: usize, operation: &str) -> Vec<String> {
        let profile = self.json("profile.json");
        let paths = profile["containers"][container]["paths"].as_array().expect("paths");
        let has = |path: &&Value| {
            path["operations"].as_array().expect("operations").iter().any(|op| op["operation"] == operation)
        };
        paths.iter().filter(has).map(|path| path["path"].as_str().expect("a path").to_owned()).collect()
    }
}

#[test]
fn nginx_needs_its_three_folders() {
    if !ready(&["nginx"]) {
        return;
    }
    let run = Run::of("nginx", &[("web", "nginx")]);
    run.holds();
    assert_eq!(run.writable(0), ["/run", "/var/lib/nginx", "/var/log/nginx"]);
    let created = run.written(0, "create");
    assert!(created.iter().any(|path| path == "/run/nginx.pid"), "{created:?}");
    assert!(created.iter().any(|path| path.starts_with("/var/lib/nginx/body/")), "the upload: {created:?}");
}

#[test]
fn gunicorn_needs_tmp_and_does_without_its_bytecode() {
    if !ready(&["gunicorn"]) {
        return;
    }
    let run = Run::of("gunicorn", &[("app", "gunicorn")]);
    run.holds();
    assert_eq!(run.writable(0), ["/tmp"]);
    let unlinked = run.written(0, "unlink");
    assert!(
        unlinked.iter().any(|path| path.starts_with("/tmp/post-")),
        "deleted again, seen all the same: {unlinked:?}"
    );
    assert!(run.written(0, "bind-socket").contains(&"/tmp/app.sock".to_owned()));
    let plan = run.json("plan.json");
    let not = plan["containers"][0]["not_mounted"].as_array().expect("a list");
    assert!(not.iter().any(|not| not["path"].as_str().is_some_and(|path| path.contains("__pycache__"))), "{plan:#}");
}

#[test]
fn php_and_nginx_are_hardened_as_one_task() {
    if !ready(&["php-fpm-php", "php-fpm-web"]) {
        return;
    }
    let run = Run::of("php-fpm", &[("php", "php-fpm-php"), ("web", "php-fpm-web")]);
    run.holds();
    let php = run.writable(0);
    assert!(php.contains(&"/tmp".to_owned()) && php.contains(&"/var/lib/php/sessions".to_owned()), "{php:?}");
    assert!(run.writable(1).contains(&"/var/lib/nginx".to_owned()), "{:?}", run.writable(1));
}
