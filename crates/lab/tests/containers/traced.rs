//! What a container does is in its profile.

use serde_json::json;
use tojimari_evidence::profile::{FileKind, Operation, PathProfile, Profile};

use crate::busybox::{file, folder, image};
use crate::{Case, container, exercised, lab, options, plain_image, script};

pub fn cases() -> Vec<Case> {
    vec![
        ("a write profile names every path, deleted ones included", every_path),
        ("a job that ends with 0 is traced to its end", job),
        ("health checks are traced too", health_check),
        ("writes on other mounts are told with their mount", other_mounts),
        ("a file that was removed while it is written has its size", removed_while_written),
        ("writes when the container is stopped are seen", at_stop),
        ("writes in a chroot are told from the container's root", in_chroot),
        ("calls that fail on a writable root too are no matter of a read-only one", failures),
    ]
}

fn path<'a>(profile: &'a Profile, path: &str) -> &'a PathProfile {
    let all: Vec<&str> = profile.containers[0].paths.iter().map(|known| known.path.as_str()).collect();
    let found = profile.containers[0].paths.iter().find(|known| known.path == path);
    found.unwrap_or_else(|| panic!("{path} is not among {all:?}"))
}

fn would_break(path: &PathProfile) -> Vec<Operation> {
    path.operations.iter().filter(|seen| seen.would_break).map(|seen| seen.operation).collect()
}

fn every_path() {
    let image = image(json!({}), &[("/app", folder(0o755, 0)), ("/app/config", file("a=1\n"))]);
    let line = "echo hello > /tmp/gone; rm /tmp/gone; mkdir /var/cache; echo 12345 > /var/cache/kept; \
                sed -i s/1/2/ /app/config; ln -s kept /var/cache/link; cat /etc/passwd > /dev/null; exec sleep 60";
    let definition = script(line);
    let (lab, task) = lab(&definition, &image, options());
    let profile = lab.trace(&task).expect("a profile");
    assert_eq!(profile.family, "test");
    let container = &profile.containers[0];
    assert_eq!((container.name.as_str(), container.user.as_str()), ("app", "0:0"));
    assert_eq!((container.exit, container.healthy), (None, None));
    assert!(container.image.digest.starts_with("sha256:"));

    let gone = path(&profile, "/tmp/gone");
    // busybox's rm asks first.
    assert_eq!(would_break(gone), [Operation::Create, Operation::Unlink, Operation::AccessWrite]);
    assert!(!gone.present_at_end && !gone.existed_in_image);
    assert_eq!((gone.mount.as_str(), gone.peak_bytes), ("/", 6));
    assert_eq!(gone.programs, ["/bin/busybox"]);
    let kept = path(&profile, "/var/cache/kept");
    assert!(kept.present_at_end);
    assert_eq!((kept.kind, kept.peak_bytes), (FileKind::File, 6));
    let made = path(&profile, "/var/cache");
    assert_eq!((made.kind, made.peak_bytes), (FileKind::Directory, 0));
    assert_eq!(path(&profile, "/var/cache/link").kind, FileKind::Symlink);
    assert!(path(&profile, "/app/config").existed_in_image);
    let paths: Vec<&str> = container.paths.iter().map(|known| known.path.as_str()).collect();
    assert!(!paths.iter().any(|path| path.contains("tojimari") || path.starts_with("/etc/host")), "{paths:?}");
    let folder = container.folders.iter().find(|folder| folder.path == "/app").expect("a fact");
    assert_eq!((folder.in_image, folder.files), (true, 1));
    assert!(!container.folders.iter().any(|folder| folder.path == "/var/cache"), "{:?}", container.folders);
}

fn job() {
    let definition = script("echo done > /tmp/result");
    let (lab, task) = lab(&definition, &plain_image(), options());
    let profile = lab.trace(&task).expect("a profile");
    assert_eq!(profile.containers[0].exit, Some(0));
    assert!(path(&profile, "/tmp/result").present_at_end);
}

fn health_check() {
    let definition = container(json!({
        "command": ["/bin/sh", "-c", "sleep 0.3; touch /run/ready; exec sleep 60"],
        "user": "0",
        "healthCheck": { "command": ["CMD-SHELL", "echo $USER_OF_APP > /tmp/checked; test -e /run/ready"] },
        "environment": [{ "name": "USER_OF_APP", "value": "x" }],
    }));
    let (lab, task) = lab(&definition, &plain_image(), options());
    let profile = lab.trace(&task).expect("a profile");
    assert_eq!(profile.containers[0].healthy, Some(true));
    assert_eq!(path(&profile, "/tmp/checked").peak_bytes, 2);
    assert!(path(&profile, "/tmp/checked").first_seconds < 30.0);
    assert!(path(&profile, "/run/ready").present_at_end);
}

fn other_mounts() {
    let definition = container(json!({
        "command": ["/bin/sh", "-c", "echo a > /cache/a; echo b > /dev/shm/b; echo c > /data/c; exec sleep 60"],
        "linuxParameters": { "tmpfs": [{ "containerPath": "/cache", "size": 8 }] },
        "mountPoints": [{ "sourceVolume": "data", "containerPath": "/data" }],
    }));
    let mut definition = definition;
    definition["volumes"] = json!([{ "name": "data" }]);
    let (lab, task) = lab(&definition, &plain_image(), options());
    let profile = lab.trace(&task).expect("a profile");
    for (name, mount) in [("/cache/a", "/cache"), ("/dev/shm/b", "/dev/shm"), ("/data/c", "/data")] {
        let known = path(&profile, name);
        assert_eq!(known.mount, mount);
        assert!(would_break(known).is_empty(), "{name}");
    }
}

fn removed_while_written() {
    // The first is gone before anyone could look, the second is still held at the end.
    let line = "exec 3> /tmp/quick; rm /tmp/quick; dd if=/dev/zero bs=1k count=200 >&3 2>/dev/null; exec 3>&-
                exec 3> /tmp/upload; rm /tmp/upload; dd if=/dev/zero bs=1k count=300 >&3 2>/dev/null; exec sleep 60";
    let definition = script(line);
    let (lab, task) = lab(&definition, &plain_image(), options());
    let profile = lab.trace(&task).expect("a profile");
    assert_eq!(path(&profile, "/tmp/quick").peak_bytes, 200 << 10);
    assert_eq!(path(&profile, "/tmp/upload").peak_bytes, 300 << 10);
}

fn at_stop() {
    let definition = script("trap 'echo bye > /tmp/bye; exit 0' TERM; while :; do sleep 0.05; done");
    let (lab, task) = lab(&definition, &plain_image(), exercised("true"));
    let profile = lab.trace(&task).expect("a profile");
    assert_eq!(profile.containers[0].exit, None);
    assert_eq!(path(&profile, "/tmp/bye").peak_bytes, 4);
    assert_eq!(profile.exercise.expect("an exercise").exit, 0);
}

fn in_chroot() {
    let line = "mkdir -p /var/jail/bin; cp /bin/busybox /var/jail/bin/sh
                busybox chroot /var/jail /bin/sh -c 'echo x > /inside' && test -e /var/jail/inside && exec sleep 60";
    let definition = script(line);
    let (lab, task) = lab(&definition, &plain_image(), options());
    let profile = lab.trace(&task).expect("a profile");
    let inside = path(&profile, "/var/jail/inside");
    assert_eq!((inside.mount.as_str(), would_break(inside)), ("/", vec![Operation::Create]));
    assert!(inside.present_at_end);
}

fn failures() {
    let line = "mkdir /tmp; rm /no/such/file; echo x > /root/secret; mkdir /run/new; exec sleep 60";
    let definition = container(json!({ "command": ["/bin/sh", "-c", line], "user": "1000" }));
    let (lab, task) = lab(&definition, &plain_image(), options());
    let profile = lab.trace(&task).expect("a profile");
    let container = &profile.containers[0];
    assert_eq!(container.user, "1000:1000");
    for known in &container.paths {
        assert!(would_break(known).is_empty(), "{known:?}");
    }
    let existing = path(&profile, "/tmp");
    assert_eq!(existing.operations[0].failed, ["EEXIST"]);
}
