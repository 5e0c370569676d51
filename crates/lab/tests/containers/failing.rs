//! What goes wrong is said in one clear error of the right kind, with the last words of who failed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tojimari_lab::{Error, Options};

use crate::busybox::{Entry, file, image};
use crate::{Case, container, exercised, lab, options, plain_image, script};

pub fn cases() -> Vec<Case> {
    vec![
        ("a program that does not exist", no_program),
        ("a program that is not executable", not_executable),
        ("a script whose interpreter does not exist", no_interpreter),
        ("a container that speaks as this tool does", speaks_as_the_tool),
        ("a program that does not exist under an init process", no_interpreter_with_init),
        ("a health check that does not exist", no_health_check),
        ("an exercise that hangs", exercise_hangs),
        ("an exercise that fails", exercise_fails),
        ("a container that ends by itself", ends),
        ("a container that ends with 0 although it is used", ends_well),
        ("a container that never becomes healthy", unhealthy),
        ("a health check that hangs", health_check_hangs),
        ("a container that is healthy at first only", sick_later),
        ("a dependency that fails", dependency_fails),
        ("a task definition that cannot be run", definitions),
        ("an image that puts a link in the way of the runtime", links),
    ]
}

/// The text of an error that is the user's mistake, of a writable run.
fn mistake(definition: &Value, options: Options) -> String {
    let (lab, task) = lab(definition, &plain_image(), options);
    text(lab.trace(&task).map(|_| ()))
}

fn text(result: Result<(), Error>) -> String {
    let error = result.expect_err("an error");
    assert!(error.is_input(), "{error}");
    error.to_string()
}

fn no_program() {
    let definition = container(json!({ "command": ["nginx", "-g", "daemon off;"] }));
    assert_eq!(mistake(&definition, options()), "app: cannot start: `nginx`: not found in PATH");
    let definition = container(json!({ "command": ["/usr/sbin/nginx"] }));
    assert_eq!(mistake(&definition, options()), "app: cannot start: `/usr/sbin/nginx`: no such file in the image");
}

fn not_executable() {
    let definition = container(json!({ "command": ["/etc/passwd"] }));
    assert_eq!(mistake(&definition, options()), "app: cannot start: `/etc/passwd`: is not executable");
    let definition = container(json!({ "command": ["/bin"] }));
    assert_eq!(mistake(&definition, options()), "app: cannot start: `/bin`: is a folder");
}

fn no_interpreter() {
    let script = Entry::File { mode: 0o755, content: b"#!/bin/bash\necho hello\n".to_vec() };
    let image = image(json!({}), &[("/run.sh", script)]);
    let (lab, task) = lab(&container(json!({ "command": ["/run.sh"] })), &image, options());
    let text = text(lab.trace(&task).map(|_| ()));
    assert!(text.starts_with("app: cannot start: `/run.sh`: No such file or directory"), "{text}");
}

/// What a container prints is never taken for what this tool found out, however it ends.
fn speaks_as_the_tool() {
    for words in [
        "tojimari cannot run `/bin/app`: written by the container itself",
        "my program says `/bin/app`: written by the container itself",
        r#"{"NotInPath":null}"#,
        r#""NotInPath""#,
    ] {
        for status in [126, 127] {
            for init in [false, true] {
                let line = format!(
                    "echo '{words}'; for fd in /proc/[0-9]*/fd/*; do echo '\"Folder\"' >$fd; done 2>/dev/null; echo '{words}'; exit {status}"
                );
                let definition = container(json!({
                    "command": ["/bin/sh", "-c", line],
                    "linuxParameters": { "initProcessEnabled": init },
                }));
                let text = mistake(&definition, options());
                assert!(text.starts_with(&format!("app: ended by itself with status {status} after ")), "{text}");
                assert!(text.ends_with(words), "{text}");
            }
        }
    }
}

fn no_interpreter_with_init() {
    let script = Entry::File { mode: 0o755, content: b"#!/bin/bash\necho hello\n".to_vec() };
    let image = image(json!({}), &[("/run.sh", script)]);
    let definition = container(json!({ "command": ["/run.sh"], "linuxParameters": { "initProcessEnabled": true } }));
    let (lab, task) = lab(&definition, &image, options());
    assert_eq!(
        text(lab.trace(&task).map(|_| ())),
        "app: cannot start: `/run.sh`: No such file or directory (os error 2)"
    );
}

fn no_health_check() {
    for (program, because) in [("/no/such", "no such file in the image"), ("/etc/passwd", "is not executable")] {
        let definition = container(json!({
            "command": ["/bin/sh", "-c", "exec sleep 600"],
            "healthCheck": { "command": ["CMD", program], "interval": 1, "timeout": 1, "retries": 1 },
        }));
        let text = mistake(&definition, options());
        assert!(text.ends_with(&format!("health check: cannot run `{program}`: {because}")), "{text}");
    }
}

fn exercise_hangs() {
    let began = Instant::now();
    let options =
        Options { exercise_timeout: Duration::from_secs(1), ..exercised("echo trying; sleep 600 & sleep 600") };
    let text = mistake(&script("exec sleep 600"), options);
    let expected =
        "the exercise does not pass even with a writable root: the exercise did not end within 1 s\n  trying";
    assert_eq!(text, expected);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

fn exercise_fails() {
    let text = mistake(&script("echo no database; exec sleep 600"), exercised("echo got 500 >&2; exit 22"));
    assert!(text.contains("the exercise ended with status 22 after"), "{text}");
    assert!(text.ends_with("\n  got 500\n  the last lines of app:\n    no database"), "{text}");
}

fn ends() {
    let definition = container(json!({
        "command": ["/bin/sh", "-c", "echo starting; echo no connection to $DATABASE >&2; exit 3"],
        "environment": [{ "name": "DATABASE", "value": "postgres://user:hunter2@db" }],
    }));
    let text = mistake(&definition, options());
    assert!(text.starts_with("app: ended by itself with status 3 after "), "{text}");
    assert!(text.ends_with("\n  starting\n  no connection to ****"), "{text}");
}

fn ends_well() {
    let text = mistake(&script("echo done"), exercised("sleep 30"));
    assert!(text.starts_with("app: ended by itself with status 0 after "), "{text}");
}

fn unhealthy() {
    let definition = container(json!({
        "command": ["/bin/sh", "-c", "echo no database; exec sleep 600"],
        "healthCheck": { "command": ["CMD", "/bin/sh", "-c", "echo refused; exit 7"],
                         "interval": 1, "timeout": 1, "retries": 1 },
    }));
    let text = mistake(&definition, options());
    assert!(text.starts_with("app: did not become healthy within 2 s"), "{text}");
    assert!(text.contains("\n  no database\n  refused\n  health check: ended with status 7"), "{text}");
}

fn health_check_hangs() {
    let definition = container(json!({
        "command": ["/bin/sh", "-c", "exec sleep 600"],
        "healthCheck": { "command": ["CMD", "sleep", "600"], "interval": 1, "timeout": 1, "retries": 2 },
    }));
    let text = mistake(&definition, options());
    assert!(text.contains("health check: did not end within 1 s"), "{text}");
}

fn sick_later() {
    let definition = container(json!({
        "command": ["/bin/sh", "-c", "touch /run/ok; sleep 2; rm /run/ok; exec sleep 600"],
        "healthCheck": { "command": ["CMD", "test", "-e", "/run/ok"], "interval": 1, "timeout": 2, "retries": 2 },
    }));
    let text = mistake(&definition, exercised("sleep 4"));
    assert!(text.starts_with("app: was healthy and is not any more"), "{text}");
}

fn dependency_fails() {
    let mut definition = container(json!({
        "command": ["/bin/sh", "-c", "exec sleep 600"],
        "dependsOn": [{ "containerName": "init", "condition": "SUCCESS" }],
    }));
    let init = json!({ "name": "init", "image": "app", "essential": false,
                       "command": ["/bin/sh", "-c", "echo migration failed; exit 4"] });
    definition["containerDefinitions"].as_array_mut().expect("a list").push(init);
    let text = mistake(&definition, options());
    assert!(text.starts_with("app: waits for the success of init, which ended with status 4"), "{text}");
    assert!(text.contains("migration failed"), "{text}");
}

fn definitions() {
    let mount = |path: &str| json!({ "sourceVolume": "data", "containerPath": path });
    let tmpfs = |members: Value| json!({ "linuxParameters": { "tmpfs": [members] } });
    for (members, expected) in [
        (json!({ "user": "nobody2" }), "app: the image has no user nobody2"),
        (
            json!({ "workingDirectory": "/etc/passwd" }),
            "app: cannot start: the working directory /etc/passwd cannot be",
        ),
        (json!({ "command": [] }), "app: neither the task definition nor the image says what to run"),
        (json!({ "mountPoints": [mount("/data")] }), "names volume data, which is not declared"),
        (json!({ "volumesFrom": [{ "sourceContainer": "x" }] }), "app: volumesFrom names x, which is not run"),
        (json!({ "dependsOn": [{ "containerName": "app" }] }), "dependsOn goes in a circle: app"),
        (json!({ "dependsOn": [{ "containerName": "x" }] }), "app depends on x, which is no container of the task"),
        (tmpfs(json!({ "containerPath": "/x", "size": 0 })), "the tmpfs /x needs a size of at least 1 MiB"),
        (tmpfs(json!({ "containerPath": "x", "size": 1 })), "x is not an absolute path to mount on"),
        (tmpfs(json!({ "containerPath": "/a/../..", "size": 1 })), "is not an absolute path to mount on"),
        (tmpfs(json!({ "containerPath": "/x", "size": 1, "mountOptions": ["huge=always"] })), "huge=always"),
        (json!({ "ulimits": [{ "name": "files", "softLimit": 1, "hardLimit": 1 }] }), "there is no ulimit files"),
        (json!({ "linuxParameters": { "capabilities": { "add": ["FLY"] } } }), "there is no capability FLY"),
        (json!({ "healthCheck": { "command": ["CMD"] } }), "healthCheck.command must be"),
    ] {
        let mut all = json!({ "command": ["sleep", "60"] });
        all.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        let text = mistake(&container(all), options());
        assert!(text.contains(expected), "{members}: {text}");
    }
    let mut windows = script("true");
    windows["runtimePlatform"] = json!({ "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE" });
    assert!(mistake(&windows, options()).contains("only Linux containers can be run"));
}

fn links() {
    for name in ["dev", "proc", "sys"] {
        // The folder of the base image is replaced by the later entry.
        let image = image(json!({}), &[(name, Entry::Link("/etc")), ("/etc/kept", file("kept"))]);
        let (lab, task) = lab(&script("exec sleep 60"), &image, options());
        let text = text(lab.trace(&task).map(|_| ()));
        assert!(text.contains(&format!("the image has no folder at /{name}")), "{text}");
    }
    assert!(!std::path::Path::new("/etc/stdin").exists());
}
