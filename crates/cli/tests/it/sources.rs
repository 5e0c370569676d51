//! One service declared in every format: hardening ends in the same plan, and in a proof that
//! holds. Needs root and the image of the example (`make examples`).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

#[test]
fn every_format_ends_in_the_same_plan() {
    let skip = |why: &str| {
        let _ = writeln!(std::io::stderr(), "skipped: every_format_ends_in_the_same_plan: {why}");
    };
    if !nix::unistd::Uid::effective().is_root() {
        return skip("running containers needs root");
    }
    if !root().join("target/examples/nginx/index.json").exists() {
        return skip("the image target/examples/nginx is not built (make examples)");
    }
    let mut plans: Vec<(&str, Value)> = Vec::new();
    for file in ["task-definition.json", "service.yaml", "main.tf", "compose.yaml"] {
        let folder = tempfile::tempdir().expect("a folder");
        let output = Command::new(env!("CARGO_BIN_EXE_tojimari"))
            .args(["harden", &format!("examples/nginx/{file}"), "--image=web=oci:target/examples/nginx"])
            .args(["--exercise=examples/nginx/exercise", "--out"])
            .arg(folder.path())
            .current_dir(root())
            .output()
            .expect("the binary runs");
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{file}: {said}");
        let json = |name: &str| -> Value {
            let text = std::fs::read_to_string(folder.path().join(name)).expect(name);
            serde_json::from_str(&text).expect("JSON")
        };
        assert_eq!(json("proof.json")["verdict"], "holds", "{file}");
        let mut plan = json("plan.json");
        // How often and when is a matter of the run.
        for container in plan["containers"].as_array_mut().expect("containers") {
            for mount in container["writable"].as_array_mut().expect("mounts") {
                mount.as_object_mut().expect("a mount").remove("because");
            }
        }
        plans.push((file, plan["containers"].take()));

        // The file that was written passes, and a second run has nothing left to change.
        let hardened = folder.path().join(file);
        let check = Command::new(env!("CARGO_BIN_EXE_tojimari"))
            .args(["check", "--control=ECS.5", "--control=ECS.4"])
            .arg(&hardened)
            .output()
            .expect("the binary runs");
        assert_eq!(check.status.code(), Some(0), "{file}: {}", String::from_utf8_lossy(&check.stdout));
        let before = std::fs::read(&hardened).expect("the file");
        let fix = Command::new(env!("CARGO_BIN_EXE_tojimari"))
            .args(["fix", "--write", "--plan"])
            .arg(folder.path().join("plan.json"))
            .arg(&hardened)
            .output()
            .expect("the binary runs");
        assert_eq!(fix.status.code(), Some(0), "{file}: {}", String::from_utf8_lossy(&fix.stderr));
        assert_eq!(std::fs::read(&hardened).expect("the file"), before, "{file}: twice is the same as once");
    }
    let (first, plan) = &plans[0];
    for (file, other) in &plans[1..] {
        assert_eq!(other, plan, "{file} and {first}");
    }
}
