//! What is decided, judged by control TJ.16: it passes whatever a plan mounts that no person asked for.

use proptest::prelude::*;
use serde_json::json;
use tojimari_controls::{Settings, evaluate, find};
use tojimari_evidence::profile::{FolderFact, Operation, PathProfile};
use tojimari_model::declared::{Declared, Resource, Stack, TaskKind};
use tojimari_model::{Status, Value};
use tojimari_text::{FileId, Span};

use super::tests::{folder, mounts, path, profile};
use super::*;

/// Every folder that either side has held to be one of programs, settings or pages.
const HELD: [&str; 42] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/proc",
    "/sbin",
    "/srv",
    "/srv/http",
    "/srv/www",
    "/sys",
    "/usr",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/apache2/htdocs",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/usr/local/tomcat/webapps",
    "/usr/sbin",
    "/usr/share",
    "/usr/share/httpd",
    "/usr/share/nginx/html",
    "/var",
    "/var/lib",
    "/var/www",
    "/var/www/html",
    "/usr/local/tomcat",
    "/app",
    "/app/bin",
    "/srv/app",
    "/opt/app",
];

fn task(started: Option<&str>, mounted: &[&str]) -> TaskDefinition {
    let points: Vec<_> = mounted.iter().map(|path| json!({ "sourceVolume": "v", "containerPath": path })).collect();
    let mut container = json!({ "name": "web", "mountPoints": points });
    if let Some(program) = started {
        container["entryPoint"] = json!([program]);
    }
    let task = json!({ "family": "a", "containerDefinitions": [container], "volumes": [{ "name": "v" }] });
    let value = Value::from_json(Span::new(FileId(0), 0, 0), &task);
    TaskDefinition::read(&value, TaskKind::TaskDefinition).0
}

/// What TJ.16 says of a task with these mounts.
fn judged(started: Option<&str>, mounted: &[&str]) -> Status {
    let task = task(started, mounted);
    let resource = Resource {
        address: "a".into(),
        name: "a".into(),
        span: task.span,
        assumed: Vec::new(),
        declared: Declared::TaskDefinition(Box::new(task)),
    };
    let control = find("TJ.16").expect("the control");
    let stack = Stack { resources: vec![resource] };
    evaluate(&stack, &[control], &Settings::default()).remove(0).status
}

fn planned(started: Option<&str>, paths: Vec<PathProfile>, folders: Vec<FolderFact>, options: &Options) -> Plan {
    decide(&task(started, &[]), &profile("0:0", paths, folders, &[]), Platform::Fargate, options)
}

/// The folders of an image down to that one. The last ones may be missing there, and be made.
fn chain(leaf: &str, missing: usize) -> Vec<FolderFact> {
    let mut all = vec![leaf];
    while *all.last().unwrap_or(&"/") != "/" {
        all.push(parent(all.last().unwrap_or(&"/")));
    }
    all.into_iter().skip(missing).map(|at| folder(at, 0, 0)).collect()
}

fn written(leaf: &str, missing: usize) -> Vec<PathProfile> {
    let mut paths = vec![path(&format!("{}/file", leaf.trim_end_matches('/')), &[Operation::Create])];
    let mut made = leaf;
    for _ in 0..missing {
        if made != "/" {
            paths.push(path(made, &[Operation::Mkdir]));
        }
        made = parent(made);
    }
    paths
}

#[test]
fn no_folder_that_either_side_knows_is_mounted_against_the_control() {
    for leaf in HELD {
        for missing in 0..3 {
            let plan = planned(None, written(leaf, missing), chain(leaf, missing), &Options::default());
            let mounted = mounts(&plan.containers[0]);
            assert_eq!(judged(None, &mounted), Status::Pass, "{leaf}, of which {missing} were made: {mounted:?}");
        }
    }
}

#[test]
fn the_folders_that_only_one_side_knew_fail_and_are_not_mounted() {
    for leaf in ["/usr/lib64", "/usr/local", "/usr/share", "/usr/local/tomcat/webapps", "/etc", "/var", "/libx32"] {
        assert_eq!(judged(None, &[leaf]), Status::Fail, "{leaf}");
        let plan = planned(None, written(leaf, 0), chain(leaf, 0), &Options::default());
        assert!(plan.containers[0].writable.is_empty(), "{leaf}");
        let because = &plan.containers[0].not_mounted[0].because;
        assert!(because.contains(&format!("--allow {leaf}")), "{because}");
    }
}

#[test]
fn what_a_person_allows_is_mounted_and_its_failure_is_said() {
    let options = Options { allow: vec!["/usr/share/".to_owned()], ..Options::default() };
    let plan = planned(None, written("/usr/share", 0), chain("/usr/share", 0), &options);
    assert_eq!(mounts(&plan.containers[0]), ["/usr/share"]);
    assert!(plan.notes.iter().any(|note| note.contains("TJ.16 fails")), "{:?}", plan.notes);
    let free = Options { allow: vec!["/data".to_owned()], ..Options::default() };
    let plan = planned(None, written("/data", 0), chain("/data", 0), &free);
    assert!(plan.notes.iter().all(|note| !note.contains("TJ.16")), "{:?}", plan.notes);
}

#[test]
fn where_the_program_lies_that_is_started_nothing_is_mounted() {
    assert_eq!(judged(Some("/app/bin/server"), &["/app"]), Status::Fail);
    let plan = planned(Some("/app/bin/server"), written("/app", 0), chain("/app", 0), &Options::default());
    assert!(plan.containers[0].writable.is_empty(), "{:?}", plan.containers[0].writable);
}

#[test]
fn no_recipe_proposes_what_the_control_fails_for() {
    for name in crate::recipe::all().iter().flat_map(|recipe| &recipe.images) {
        let mut task = task(None, &[]);
        task.containers.items[0].image = tojimari_model::Field::Known(name.clone(), task.span);
        let Some(plan) = hint(&task, Platform::Fargate, &Options::default()) else { continue };
        assert_eq!(judged(None, &mounts(&plan.containers[0])), Status::Pass, "{name}");
    }
}

const NAMES: [&str; 22] = [
    "usr", "local", "lib", "lib64", "share", "var", "www", "html", "tmp", "etc", "opt", "srv", "http", "tomcat",
    "webapps", "app", "bin", "data", "cache", "home", "nginx", "logs",
];

fn a_folder() -> impl Strategy<Value = String> {
    let generated =
        prop::collection::vec(prop::sample::select(&NAMES[..]), 0..5).prop_map(|parts| format!("/{}", parts.join("/")));
    let held = (prop::sample::select(&HELD[..]), prop::option::of(prop::sample::select(&NAMES[..]))).prop_map(
        |(held, below)| match below {
            Some(below) => format!("{}/{below}", held.trim_end_matches('/')),
            None => held.to_owned(),
        },
    );
    prop_oneof![generated, held]
}

proptest! {
    #[test]
    fn whatever_is_decided_passes(
        leaves in prop::collection::vec((a_folder(), 0..3_usize, 0..3_u64, any::<bool>()), 1..6),
        started in prop::option::of(a_folder().prop_map(|folder| format!("{}/run", folder.trim_end_matches('/')))),
        keep_content: bool,
    ) {
        let mut paths: Vec<PathProfile> = Vec::new();
        let mut folders: Vec<FolderFact> = Vec::new();
        for (leaf, missing, files, programs) in &leaves {
            paths.extend(written(leaf, *missing));
            for mut fact in chain(leaf, *missing) {
                if !folders.iter().any(|other| other.path == fact.path) {
                    (fact.files, fact.bytes, fact.programs) = (*files, *files, *programs);
                    folders.push(fact);
                }
            }
        }
        let options = Options { keep_content, ..Options::default() };
        let plan = planned(started.as_deref(), paths, folders, &options);
        let mounted = mounts(&plan.containers[0]);
        prop_assert_eq!(judged(started.as_deref(), &mounted), Status::Pass, "{:?}", mounted);
    }
}
