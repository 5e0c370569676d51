//! The examples, hardened end to end: real images of Debian's packages, traced, planned, patched
//! and proven, with the paths that their recipes say. Needs root and the images (`make examples`);
//! those that examples/quick does not name run where TOJIMARI_EXAMPLES is `all` (`make recipes`).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sha2::{Digest, Sha256};
use tojimari_plan::recipe::{self, Recipe};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

/// Whether an example of these images is to run and can run here; says why not.
fn ready(example: &str, images: &[&str]) -> bool {
    // Straight to the descriptor: the test harness keeps what `eprintln!` says of a passing test.
    let skip = |why: String| {
        let _ = writeln!(std::io::stderr(), "skipped: {why}");
        false
    };
    let quick = std::fs::read_to_string(root().join("examples/quick")).expect("examples/quick");
    let all = std::env::var_os("TOJIMARI_EXAMPLES").is_some_and(|which| which == "all");
    if !all && !quick.lines().any(|name| name == example) {
        return skip(format!("hardening examples/{example} takes long (TOJIMARI_EXAMPLES=all, make recipes)"));
    }
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
    /// Hardened as its recipe says, where it can run here.
    fn as_in_its_recipe(example: &str, images: &[(&str, &str)]) -> Option<Run> {
        let needed: Vec<&str> = images.iter().map(|(_, image)| *image).collect();
        if !ready(example, &needed) {
            return None;
        }
        let run = Run::of(example, images);
        run.holds();
        let recipe = recipe::all().iter().find(|recipe| recipe.name == example).expect("a recipe of its name");
        run.is(recipe);
        Some(run)
    }

    /// What the proven plan has is what the recipe has: the same paths by the same means.
    fn is(&self, recipe: &Recipe) {
        let plan = self.json("plan.json");
        let containers = plan["containers"].as_array().expect("containers");
        let container = containers.iter().find(|container| container["name"] == recipe.container.as_str());
        let mounts = container.expect("the container of the recipe")["writable"].as_array().expect("mounts").clone();
        let proven: Vec<String> =
            mounts.iter().map(|mount| format!("{} by {} {}", mount["path"], mount["by"], mount["options"])).collect();
        let written: Vec<String> = recipe
            .writable
            .iter()
            .map(|mount| {
                let json = |value: serde_json::Result<Value>| value.expect("JSON");
                let (by, options) = (json(serde_json::to_value(mount.by)), json(serde_json::to_value(&mount.options)));
                format!("{} by {by} {options}", Value::from(mount.path.as_str()))
            })
            .collect();
        assert_eq!(proven, written, "recipes/{}.toml and what was proven now: {plan:#}", recipe.name);
    }

    fn of(example: &str, images: &[(&str, &str)]) -> Run {
        let folder = tempfile::tempdir().expect("a folder");
        let images: Vec<String> =
            images.iter().map(|(name, image)| format!("--image={name}=oci:target/examples/{image}")).collect();
        // What a person has to say beside it, such as which folder may be writable all the same.
        let arguments = std::fs::read_to_string(root().join("examples").join(example).join("arguments"));
        let output = Command::new(env!("CARGO_BIN_EXE_tojimari"))
            .arg("harden")
            .args(arguments.unwrap_or_default().split_whitespace())
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
    let Some(run) = Run::as_in_its_recipe("nginx", &[("web", "nginx")]) else { return };
    assert_eq!(run.writable(0), ["/run", "/var/lib/nginx", "/var/log/nginx"]);
    let created = run.written(0, "create");
    assert!(created.iter().any(|path| path == "/run/nginx.pid"), "{created:?}");
    assert!(created.iter().any(|path| path.starts_with("/var/lib/nginx/body/")), "the upload: {created:?}");
}

#[test]
fn a_configuration_that_is_edited_in_place_is_not_hidden() {
    let Some(run) = Run::as_in_its_recipe("nginx-official", &[("web", "nginx-official")]) else { return };
    assert_eq!(run.writable(0), ["/run", "/var/cache/nginx"]);
    let denied = &run.json("proof.json")["containers"][0]["denied"];
    assert!(denied.as_array().expect("a list").iter().any(|denied| denied["path"] == "/etc/nginx/conf.d/default.conf"));
}

#[test]
fn nginx_as_another_user_renders_its_templates_into_a_folder_of_that_user() {
    let Some(run) = Run::as_in_its_recipe("nginx-unprivileged", &[("web", "nginx-unprivileged")]) else { return };
    assert_eq!(run.writable(0), ["/etc/nginx/conf.d", "/tmp"]);
}

#[test]
fn gunicorn_needs_tmp_and_does_without_its_bytecode() {
    let Some(run) = Run::as_in_its_recipe("gunicorn", &[("app", "gunicorn")]) else { return };
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
    let Some(run) = Run::as_in_its_recipe("php-fpm", &[("php", "php-fpm-php"), ("web", "php-fpm-web")]) else { return };
    assert!(run.writable(1).contains(&"/var/lib/nginx".to_owned()), "{:?}", run.writable(1));
}

#[test]
fn php_keeps_its_sessions_in_tmp_where_nobody_says_where() {
    let images = [("php", "php-official"), ("web", "php-fpm-web")];
    let Some(run) = Run::as_in_its_recipe("php-official", &images) else { return };
    let created = run.written(0, "create");
    assert!(created.iter().any(|path| path.starts_with("/tmp/sess_")), "{created:?}");
}

#[test]
fn what_redis_saves_goes_to_a_volume() {
    let Some(run) = Run::as_in_its_recipe("redis", &[("cache", "redis")]) else { return };
    assert_eq!(run.writable(0), ["/data"]);
    assert!(run.written(0, "rename-to").contains(&"/data/dump.rdb".to_owned()));
}

#[test]
fn what_postgres_keeps_goes_to_a_volume_and_its_socket_to_a_tmpfs() {
    let Some(run) = Run::as_in_its_recipe("postgres", &[("db", "postgres")]) else { return };
    let mounts = run.json("plan.json")["containers"][0]["writable"].clone();
    let by: Vec<&str> =
        mounts.as_array().expect("mounts").iter().map(|mount| mount["by"].as_str().expect("by")).collect();
    assert_eq!(
        (run.writable(0).as_slice(), by.as_slice()),
        (
            ["/run/postgresql".to_owned(), "/var/lib/postgresql/data".to_owned()].as_slice(),
            ["tmpfs", "volume"].as_slice()
        )
    );
}

#[test]
fn httpd_needs_the_folder_of_its_pid_file() {
    let Some(run) = Run::as_in_its_recipe("httpd", &[("web", "httpd")]) else { return };
    assert_eq!(run.writable(0), ["/usr/local/apache2/logs"]);
}

#[test]
fn what_an_application_writes_in_its_web_root_stays_there() {
    let Some(run) = Run::as_in_its_recipe("cakephp", &[("app", "cakephp")]) else { return };
    assert_eq!(run.writable(0), ["/run/apache2", "/tmp", "/var/www/html/logs", "/var/www/html/tmp"]);
}

#[test]
fn configuration_that_is_written_at_start_is_copied_first() {
    let Some(run) = Run::as_in_its_recipe("phpmyadmin", &[("app", "phpmyadmin")]) else { return };
    let plan = run.json("plan.json");
    assert_eq!(plan["containers"][0]["writable"][0]["seeded_from_image"], true, "{plan:#}");
    assert_eq!(run.json("task-definition.json")["containerDefinitions"][1]["name"], "app-etc-phpmyadmin-seed");
}

#[test]
fn tomcat_compiles_its_pages_and_does_without_its_logs() {
    let Some(run) = Run::as_in_its_recipe("tomcat", &[("app", "tomcat")]) else { return };
    assert_eq!(run.writable(0), ["/usr/local/tomcat/work"]);
}

#[test]
fn node_keeps_uploads_in_tmp() {
    let Some(run) = Run::as_in_its_recipe("node", &[("app", "node")]) else { return };
    assert!(run.written(0, "unlink").iter().all(|path| path.starts_with("/tmp/")));
}

/// No recipe without a run that proves it: this file has a test for each.
#[test]
fn every_recipe_is_proven_here() {
    let tests = include_str!("examples.rs");
    for recipe in recipe::all() {
        let called = format!("as_in_its_recipe(\"{}\"", recipe.name);
        assert!(tests.contains(&called), "no test hardens examples/{}", recipe.name);
        let proof = std::fs::read(root().join(format!("recipes/{}.proof.json", recipe.name))).expect("its proof");
        let digest: String = Sha256::digest(&proof).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(format!("sha256:{digest}"), recipe.proof, "the proof beside recipes/{}.toml", recipe.name);
        let proof: Value = serde_json::from_slice(&proof).expect("JSON");
        assert_eq!(proof["verdict"], "holds", "{}", recipe.name);
    }
}
