//! Runs real containers from small images: what a task definition asks for is what they get, what
//! they do is what is reported, and nothing of them is left.

mod busybox;
mod declared;
mod failing;
mod left_over;
mod proven;
mod traced;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use busybox::Image;
use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};
use tojimari_lab::{Lab, Options, Progress};
use tojimari_model::declared::TaskDefinition;
use tojimari_read::ecs_json;
use tojimari_text::{Sources, json as json_text};

fn main() -> ExitCode {
    if let Some(code) = tojimari_lab::run::runner::entered() {
        return code;
    }
    if let Some(code) = left_over::entered() {
        return code;
    }
    let mut arguments = Arguments::from_args();
    // Each case has processes of its own to wait for: more of them at once than processors only
    // makes times uncertain.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let trials = match cannot_run() {
        Some(reason) => {
            if !arguments.list {
                let _ = writeln!(std::io::stderr(), "skipped: containers: {reason}");
            }
            Vec::new()
        }
        None => [declared::cases(), traced::cases(), proven::cases(), failing::cases(), left_over::cases()].concat(),
    };
    let trial = |(name, case): Case| {
        Trial::test(name, move || {
            case();
            Ok(())
        })
    };
    let trials = trials.into_iter().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

type Case = (&'static str, fn());

fn cannot_run() -> Option<&'static str> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let root = status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"));
    if !root {
        Some("running containers needs root")
    } else if !busybox::available() {
        Some("the package busybox-static is not installed")
    } else {
        None
    }
}

struct Silent;

impl Progress for Silent {
    fn step(&self, _: &str, _: Option<Duration>) {}
}

fn options() -> Options {
    Options {
        exercise: None,
        duration: Some(Duration::from_millis(200)),
        exercise_timeout: Duration::from_secs(30),
        platform: None,
        container: None,
        accepted: Vec::new(),
        cancelled: Arc::new(AtomicBool::new(false)),
    }
}

fn exercised(command: &str) -> Options {
    Options { exercise: Some(command.to_owned()), ..options() }
}

fn task(definition: &Value) -> TaskDefinition {
    let sources = Sources::new();
    let text = definition.to_string();
    let (tree, problems) = json_text::parse(sources.add("task.json", text.clone()), &text);
    assert!(problems.is_empty(), "{problems:?}");
    let found = ecs_json::task_definitions(&tree.expect("a tree")).pop().expect("a task definition");
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    found.task
}

/// A Fargate task of one container `app` that runs a line of shell.
fn script(line: &str) -> Value {
    container(json!({ "command": ["/bin/sh", "-c", line] }))
}

/// A Fargate task of one container `app` with these members.
fn container(members: Value) -> Value {
    let mut container = json!({ "name": "app", "image": "app" });
    container.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    json!({ "family": "test", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc",
            "containerDefinitions": [container] })
}

/// A lab with one image for every container of the task.
fn lab(definition: &Value, image: &Image, options: Options) -> (Lab, TaskDefinition) {
    let task = task(definition);
    let names = task.containers.iter().filter_map(|container| container.name.as_str());
    let images: BTreeMap<String, String> = names.map(|name| (name.to_owned(), image.reference.clone())).collect();
    let lab = Lab::open(&task, &images, options, Arc::new(Silent)).expect("a lab");
    (lab, task)
}

fn plain_image() -> Image {
    busybox::image(json!({}), &[])
}
