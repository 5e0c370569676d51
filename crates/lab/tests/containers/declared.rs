//! What a task definition and an image ask for is what a container gets. Each case is a script in
//! the container that looks for itself and ends with a status other than 0 where something is off.

use serde_json::{Value, json};
use tojimari_evidence::profile::Profile;
use tojimari_lab::Options;

use crate::busybox::{Image, file, folder, image};
use crate::{Case, container, exercised, lab, options, plain_image};

pub fn cases() -> Vec<Case> {
    vec![
        ("arguments, environment and working directory are merged", merged),
        ("an entry point takes the place of the image's command", entry_point),
        ("a user other than root", user),
        ("capabilities are Docker's, more or less", capabilities),
        ("a privileged container", privileged),
        ("no-new-privileges", no_new_privileges),
        ("paths of the kernel are masked and read-only", masked),
        ("devices are the default ones", devices),
        ("limits and shared memory", limits),
        ("memory is limited", memory),
        ("tmpfs with its options", tmpfs),
        ("a read-only root with the files that Docker mounts", read_only),
        ("a volume is shared between containers in their order", shared_volume),
        ("an image's VOLUME fills the task's volume", seeded_volume),
        ("an image's VOLUME that nothing mounts, on EC2 and on Fargate", anonymous_volume),
        ("volumesFrom and read-only mount points", volumes_from),
        ("a volume belongs to root", volume_owner),
        ("a container waits for another's health", waits_for_health),
        ("the first process reaps and passes signals on", init),
        ("a stop signal, and a program that does not heed it", stop),
        ("the network is the task's own, for containers and exercise", network),
        ("a program starts with the signals that it expects", signals),
        ("only one container of the task", only_one),
    ]
}

/// Runs the script as a job of container `app` with these members; it must end with 0.
fn job(members: Value, script: &str) -> Profile {
    job_in(&plain_image(), members, script)
}

fn job_in(image: &Image, members: Value, script: &str) -> Profile {
    let mut all = members;
    all["command"] = json!(["/bin/sh", "-exc", script]);
    run(image, container(all), options())
}

fn run(image: &Image, definition: Value, options: Options) -> Profile {
    let (lab, task) = lab(&definition, image, options);
    lab.trace(&task).unwrap_or_else(|error| panic!("{error}"))
}

fn merged() {
    let config = json!({
        "Entrypoint": ["/bin/sh", "-exc"],
        "Cmd": ["exit 9"],
        "Env": ["PATH=/bin", "FROM=image", "KEPT=image"],
        "WorkingDir": "/var",
        "User": "app",
    });
    let image = image(config, &[]);
    let script = r#"test "$FROM" = task; test "$KEPT" = image; test "$PATH" = /bin; test "$TOKEN" = tojimari-placeholder
                    test "$HOME" = /home/app; test "$(pwd)" = /srv/made/here; test "$(id -u)" = 1000
                    test "$HOSTNAME" = "$(hostname)"; test "$$" = 1; test -z "$TOJIMARI_TASK_IP$CARGO""#;
    let definition = container(json!({
        "command": [script],
        "environment": [{ "name": "FROM", "value": "task" }],
        "secrets": [{ "name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:1:parameter/token" }],
        "workingDirectory": "/srv/made/here",
    }));
    let profile = run(&image, definition, options());
    assert_eq!(profile.containers[0].command[0], "/bin/sh");
    assert_eq!(profile.containers[0].working_directory, "/srv/made/here");
    assert!(profile.notes.iter().any(|note| note.contains("tojimari-placeholder")), "{:?}", profile.notes);
}

fn entry_point() {
    let image = image(json!({ "Entrypoint": ["/bin/false"], "Cmd": ["not this"] }), &[]);
    let definition = container(json!({ "entryPoint": ["/bin/sh", "-c", "test $# = 0"] }));
    run(&image, definition, options());
}

fn user() {
    let script = "test $(id -u):$(id -g) = 1000:1000; grep -q 'CapEff:.*0000000000000000' /proc/self/status
                  echo to the log > /dev/stdout; echo x > /tmp/mine; ! echo x > /run/x";
    let profile = job(json!({ "user": "1000" }), script);
    assert_eq!(profile.containers[0].user, "1000:1000");
    job(json!({ "user": "0:1000" }), "test $(id -u):$(id -g) = 0:1000");
    job(json!({ "user": "4321:8765" }), "test $(id -u):$(id -g) = 4321:8765; test $HOME = /");
}

fn capabilities() {
    let has = |mask: &str| format!("grep -q 'CapBnd:.*{mask}' /proc/self/status");
    job(json!({}), &has("00000000a80425fb"));
    let change = json!({ "linuxParameters": { "capabilities": { "add": ["SYS_PTRACE"], "drop": ["ALL"] } } });
    job(change, &has("0000000000080000"));
    let change = json!({ "linuxParameters": { "capabilities": { "drop": ["NET_RAW", "CAP_MKNOD"] } } });
    job(change, &has("00000000a00405fb"));
}

fn privileged() {
    let script = "mkdir /tmp/m; mount -t tmpfs none /tmp/m; echo x > /tmp/m/x; ! grep ' /proc/sys ' /proc/mounts
                  grep -q ' /sys sysfs rw' /proc/mounts";
    job(json!({ "privileged": true }), script);
}

fn no_new_privileges() {
    job(json!({ "dockerSecurityOptions": ["no-new-privileges"] }), "grep -q 'NoNewPrivs:.*1' /proc/self/status");
    job(json!({}), "grep -q 'NoNewPrivs:.*0' /proc/self/status");
}

fn masked() {
    let script = "! echo 1 > /proc/sys/vm/drop_caches; ! echo x > /proc/sysrq-trigger; test ! -s /proc/keys
                  test -z \"$(ls /sys/firmware)\"; grep -q ' /sys sysfs ro' /proc/mounts; ! mount -t tmpfs x /tmp";
    job(json!({}), script);
}

fn devices() {
    let script = "for d in null zero full random urandom tty; do test -c /dev/$d; done; echo x > /dev/null
                  test -d /dev/pts; test -d /dev/mqueue; test -L /dev/ptmx; test -L /dev/stdout
                  mknod /tmp/sda b 8 0; ! cat /tmp/sda; mknod /tmp/vda b 254 0; ! cat /tmp/vda
                  mknod /tmp/null c 1 3; echo x > /tmp/null";
    job(json!({}), script);
}

fn limits() {
    let ulimits = json!([{ "name": "nofile", "softLimit": 1000, "hardLimit": 2000 },
                         { "name": "core", "softLimit": 0, "hardLimit": 0 }]);
    let script = "test $(ulimit -Sn) = 1000; test $(ulimit -Hn) = 2000; test $(ulimit -c) = 0";
    job(json!({ "ulimits": ulimits }), script);
    job(json!({}), "grep -q ' /dev/shm tmpfs .*size=65536k' /proc/mounts");
    let shared = json!({ "linuxParameters": { "sharedMemorySize": 3 } });
    job(shared, "grep -q ' /dev/shm tmpfs .*size=3072k' /proc/mounts");
}

fn memory() {
    let definition = container(json!({
        "memory": 24,
        "command": ["/bin/sh", "-c", "dd if=/dev/zero of=/dev/shm/large bs=1M count=60 && exec sleep 60"],
    }));
    let (lab, task) = lab(&definition, &plain_image(), exercised("sleep 20"));
    let text = lab.trace(&task).map(|_| ()).expect_err("an error").to_string();
    assert!(text.contains("137") || text.contains("Killed") || text.contains("killed"), "{text}");
}

fn tmpfs() {
    let tmpfs = json!([
        { "containerPath": "/cache", "size": 5, "mountOptions": ["mode=0750", "uid=1000", "gid=1000"] },
        { "containerPath": "/cache/deep", "size": 1, "mountOptions": ["exec", "rw"] },
    ]);
    let script = "grep -q '^tmpfs /cache tmpfs rw,nosuid,nodev,noexec,.*size=5120k,mode=750,uid=1000,gid=1000' \
                  /proc/mounts
                  grep '/cache/deep' /proc/mounts | grep -v noexec | grep -q 'rw,nosuid,nodev,.*size=1024k'
                  test $(stat -c %u:%g:%a /cache) = 1000:1000:750";
    job(json!({ "linuxParameters": { "tmpfs": tmpfs } }), script);
}

fn read_only() {
    let mut definition = container(json!({
        "readonlyRootFilesystem": true,
        "command": ["/bin/sh", "-exc",
            "! echo x > /tmp/x; ! mkdir /x; grep -q 'ip-10-0-0-10' /etc/hosts; echo >> /etc/hosts
             echo >> /etc/resolv.conf; test $(cat /etc/hostname) = $(hostname); echo x > /dev/shm/x
             grep -q 'overlay / overlay ro' /proc/mounts"],
    }));
    definition["containerDefinitions"][0]["essential"] = json!(true);
    let (lab, task) = lab(&definition, &plain_image(), options());
    let proof = lab.prove(&task).expect("a proof");
    assert_eq!(proof.containers[0].exit, Some(0), "{proof:?}");
}

/// A task of several containers, each with its members, name included.
fn containers(containers: &[Value]) -> Value {
    let mut definition = container(json!({}));
    let containers: Vec<Value> = containers
        .iter()
        .map(|members| {
            let mut container = members.clone();
            container["image"] = json!("app");
            container
        })
        .collect();
    definition["containerDefinitions"] = json!(containers);
    definition["volumes"] = json!([{ "name": "data" }]);
    definition
}

fn shared_volume() {
    let mount = json!([{ "sourceVolume": "data", "containerPath": "/data" }]);
    let definition = containers(&[
        json!({ "name": "app", "mountPoints": mount, "command": ["/bin/sh", "-exc", "test $(cat /data/file) = hello"],
                "dependsOn": [{ "containerName": "init", "condition": "SUCCESS" }] }),
        json!({ "name": "init", "mountPoints": [{ "sourceVolume": "data", "containerPath": "/elsewhere" }],
                "essential": false, "command": ["/bin/sh", "-exc", "sleep 0.3; echo hello > /elsewhere/file"] }),
    ]);
    let profile = run(&plain_image(), definition, options());
    assert_eq!(profile.containers[1].exit, Some(0));
}

fn seeded() -> Image {
    let entries = [("/data", folder(0o750, 1000)), ("/data/seed", file("grown\n")), ("/data/sub", folder(0o700, 1000))];
    image(json!({ "Volumes": { "/data": {} } }), &entries)
}

fn seeded_volume() {
    let mut definition = container(json!({
        "mountPoints": [{ "sourceVolume": "data", "containerPath": "/data/" }],
        "command": ["/bin/sh", "-exc",
            "test $(cat /data/seed) = grown; test $(stat -c %u:%a /data) = 1000:750
             test $(stat -c %u:%a /data/sub) = 1000:700; grep ' /data ' /proc/mounts; echo x > /data/x"],
    }));
    definition["volumes"] = json!([{ "name": "data" }]);
    run(&seeded(), definition.clone(), options());

    // Elsewhere than at the VOLUME nothing is copied on Fargate.
    let mount = json!([{ "sourceVolume": "data", "containerPath": "/etc" }]);
    definition["containerDefinitions"][0]["mountPoints"] = mount;
    definition["containerDefinitions"][0]["command"] = json!(["/bin/sh", "-exc", "test ! -e /etc/passwd"]);
    run(&seeded(), definition.clone(), options());
    // The Docker engine on EC2 copies.
    definition["requiresCompatibilities"] = json!(["EC2"]);
    definition["containerDefinitions"][0]["command"] = json!(["/bin/sh", "-exc", "test -e /etc/passwd"]);
    let profile = run(&seeded(), definition, options());
    assert!(profile.notes.iter().any(|note| note.contains("as the Docker engine on EC2 does")), "{:?}", profile.notes);
}

fn anonymous_volume() {
    let mut definition = container(json!({
        "readonlyRootFilesystem": true,
        "command": ["/bin/sh", "-exc", "test $(cat /data/seed) = grown; echo x > /data/x"],
    }));
    let (lab, task) = lab(&definition, &seeded(), options());
    let proof = lab.prove(&task).expect("a proof");
    assert_eq!(proof.containers[0].exit, Some(1));
    assert!(proof.notes.iter().any(|note| note.contains("VOLUME /data is mounted by nothing")), "{:?}", proof.notes);
    definition["requiresCompatibilities"] = json!(["EC2"]);
    let (lab, task) = crate::lab(&definition, &seeded(), options());
    let proof = lab.prove(&task).expect("a proof");
    assert_eq!(proof.containers[0].exit, Some(0), "{proof:?}");
}

fn volumes_from() {
    let definition = containers(&[
        json!({ "name": "app", "volumesFrom": [{ "sourceContainer": "other", "readOnly": true }],
                "command": ["/bin/sh", "-exc", "sleep 0.5; test $(cat /data/x) = 1; ! echo 2 > /data/x"] }),
        json!({ "name": "other", "mountPoints": [{ "sourceVolume": "data", "containerPath": "/data" }],
                "essential": false, "command": ["/bin/sh", "-exc", "echo 1 > /data/x; exec sleep 60"] }),
    ]);
    run(&plain_image(), definition, options());
    let mut definition = container(json!({
        "mountPoints": [{ "sourceVolume": "data", "containerPath": "/data", "readOnly": true }],
        "command": ["/bin/sh", "-exc", "! echo 1 > /data/x"],
    }));
    definition["volumes"] = json!([{ "name": "data" }]);
    run(&plain_image(), definition, options());
}

fn volume_owner() {
    let mut definition = container(json!({
        "user": "1000",
        "mountPoints": [{ "sourceVolume": "data", "containerPath": "/data" },
                        { "sourceVolume": "host", "containerPath": "/host" }],
        "command": ["/bin/sh", "-exc", "! echo x > /data/x; test $(stat -c %u:%a /data) = 0:755; echo x > /host/x"],
    }));
    definition["volumes"] = json!([{ "name": "data" }, { "name": "host", "host": { "sourcePath": "/srv" } }]);
    let profile = run(&plain_image(), definition, options());
    assert!(profile.notes.iter().any(|note| note.starts_with("volume host: /srv of the host")), "{:?}", profile.notes);
}

fn waits_for_health() {
    let mount = json!([{ "sourceVolume": "data", "containerPath": "/data" }]);
    let definition = containers(&[
        json!({ "name": "app", "mountPoints": mount, "command": ["/bin/sh", "-exc", "test -e /data/up; sleep 60"],
                "dependsOn": [{ "containerName": "db", "condition": "HEALTHY" }] }),
        json!({ "name": "db", "mountPoints": mount, "command": ["/bin/sh", "-c", "sleep 1; touch /data/up; sleep 60"],
                "healthCheck": { "command": ["CMD", "test", "-e", "/data/up"] } }),
    ]);
    let profile = run(&plain_image(), definition, options());
    assert_eq!((profile.containers[0].exit, profile.containers[1].healthy), (None, Some(true)));
}

fn init() {
    let linux = json!({ "initProcessEnabled": true });
    // The orphan is adopted and reaped by the first process, which is not the shell.
    let script = "test $$ != 1; (sleep 0.1 & ); sleep 0.5; ! ps -o stat | grep -q Z";
    job(json!({ "linuxParameters": linux }), script);
    let definition = container(json!({
        "linuxParameters": linux,
        "command": ["/bin/sh", "-c", "trap 'echo x > /tmp/stopped; exit 0' TERM; while :; do sleep 0.05; done"],
    }));
    let profile = run(&plain_image(), definition, exercised("true"));
    assert!(profile.containers[0].paths.iter().any(|path| path.path == "/tmp/stopped"), "{profile:?}");
}

fn stop() {
    let image = image(json!({ "StopSignal": "SIGUSR1" }), &[]);
    let definition = container(json!({
        "command": ["/bin/sh", "-c", "trap 'echo x > /tmp/stopped; exit 0' USR1; while :; do sleep 0.05; done"],
    }));
    let profile = run(&image, definition, exercised("true"));
    assert!(profile.containers[0].paths.iter().any(|path| path.path == "/tmp/stopped"));

    let began = std::time::Instant::now();
    let definition = container(json!({
        "stopTimeout": 2,
        "command": ["/bin/sh", "-c", "trap 'echo x >> /tmp/heard' TERM; while :; do sleep 0.05; done"],
    }));
    let profile = run(&plain_image(), definition, exercised("true"));
    let heard = profile.containers[0].paths.iter().find(|path| path.path == "/tmp/heard").expect("it was told");
    assert_eq!(heard.peak_bytes, 2);
    assert!(began.elapsed() < std::time::Duration::from_secs(15));
}

fn network() {
    let definition = containers(&[
        json!({ "name": "app", "command": ["/bin/sh", "-c", "mkdir /srv; echo hello > /srv/index.html; exec httpd -f -p 80 -h /srv"],
                "portMappings": [{ "containerPort": 80 }], "user": "0" }),
        json!({ "name": "side", "essential": false,
                "command": ["/bin/sh", "-exc", "sleep 1; echo | nc 127.0.0.1 80; exec sleep 60"] }),
    ]);
    let ask = "exec 3<>/dev/tcp/$TOJIMARI_TASK_IP/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; grep -q hello <&3";
    let exercise = format!("bash -c '{ask}' && test \"$(grep -c : /proc/net/dev)\" = 1");
    let profile = run(&plain_image(), definition, exercised(&exercise));
    assert_eq!(profile.exercise.expect("an exercise").exit, 0);
    // Without privilege too.
    let definition = container(json!({ "command": ["httpd", "-f", "-p", "80"], "user": "1000",
                                       "portMappings": [{ "containerPort": 80 }] }));
    run(&plain_image(), definition, options());
}

fn signals() {
    // The shell itself ignores SIGQUIT where nobody is there to press a key.
    let script = "grep -q 'SigIgn:.*000000000000000[04]$' /proc/self/status
                  grep -q 'SigBlk:.*0000000000000000$' /proc/self/status";
    job(json!({}), script);
}

fn only_one() {
    let definition = containers(&[
        json!({ "name": "app", "command": ["/bin/sh", "-c", "exec sleep 60"],
                "dependsOn": [{ "containerName": "other", "condition": "START" }] }),
        json!({ "name": "other", "command": ["/bin/false"] }),
    ]);
    let profile = run(&plain_image(), definition, Options { container: Some("app".into()), ..options() });
    assert_eq!(profile.containers.len(), 1);
    assert!(profile.notes.contains(&"app depends on other, which is not run".to_owned()), "{:?}", profile.notes);
}
