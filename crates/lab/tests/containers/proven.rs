//! What a read-only root refuses is in the proof, and which mounts a service needs is found out.

use serde_json::{Value, json};
use tojimari_evidence::profile::{Operation, Profile};
use tojimari_evidence::proof::{Proof, Verdict};
use tojimari_lab::Minimised;
use tojimari_model::declared::TaskDefinition;
use tojimari_plan::{ContainerPlan, Plan, Platform, WritableBy, WritableMount};

use crate::{Case, container, exercised, lab, options, plain_image, script, task};

pub fn cases() -> Vec<Case> {
    vec![
        ("a write that is refused and does not matter is tolerated", tolerated),
        ("logs that are lost are told", without_logs),
        ("a write that is refused and matters makes the proof fail", broken),
        ("a tmpfs takes what the root refuses", with_tmpfs),
        ("a root that is not read-only proves nothing", not_read_only),
        ("ending where it ran on before makes the proof fail", ends_instead),
        ("not listening any more makes the proof fail", does_not_listen),
        ("what a proof refused is learned", learned),
        ("mounts that are not needed are taken away", minimised),
        ("mounts of which one is needed are not both taken away", one_of_two),
        ("without evidence every mount is kept", without_evidence),
        ("a program that does not run with a read-only root is a difference", second_program),
        ("a program that ends otherwise is a difference", ends_otherwise),
        ("a file of the image that is not rewritten any more is a difference", not_rewritten),
        ("a difference that somebody accepted does not count", accepted),
        ("what differs by itself is no difference", differs_by_itself),
        ("a writable run that fails the second time takes no difference away", failed_again),
    ]
}

fn hardened(mut definition: Value) -> Value {
    for container in definition["containerDefinitions"].as_array_mut().expect("containers") {
        container["readonlyRootFilesystem"] = json!(true);
    }
    definition
}

fn prove(definition: &Value, options: tojimari_lab::Options) -> Proof {
    let (lab, task) = lab(definition, &plain_image(), options);
    lab.prove(&task).expect("a proof")
}

fn denied(proof: &Proof) -> Vec<(&str, Operation, bool)> {
    let denied = &proof.containers[0].denied;
    denied.iter().map(|denied| (denied.path.as_str(), denied.operation, denied.tolerated)).collect()
}

fn tolerated() {
    let line = "echo x > /run/pid; mkdir /var/cache; mkdir /tmp; exec sleep 60";
    let proof = prove(&hardened(script(line)), exercised("true"));
    assert_eq!(proof.verdict, Verdict::Holds, "{proof:?}");
    assert_eq!(denied(&proof), [("/run/pid", Operation::Create, true), ("/var/cache", Operation::Mkdir, true)]);
    let container = &proof.containers[0];
    assert_eq!(
        (container.started, container.healthy, container.exercise_exit, container.exit),
        (true, None, Some(0), None)
    );
    assert_eq!(container.denied[0].program, "/bin/busybox");
    assert!(container.output.is_empty());
}

fn without_logs() {
    let line = "echo x >> /app.log; echo x > /var/b.log; echo x > /catalog; exec sleep 60";
    let proof = prove(&hardened(script(line)), exercised("true"));
    assert_eq!(proof.verdict, Verdict::Holds, "{proof:?}");
    let lost = "app: what it logs to /app.log and 1 more is lost: let it log to standard output, or mount the folder";
    assert!(proof.notes.contains(&lost.to_owned()), "{proof:?}");
    let proof = prove(&hardened(script("echo x > /catalog; exec sleep 60")), exercised("true"));
    assert!(!proof.notes.iter().any(|note| note.contains("is lost")), "{proof:?}");
}

fn broken() {
    let proof = prove(&hardened(script("set -e; echo x > /run/pid; exec sleep 60")), exercised("true"));
    assert_eq!(proof.verdict, Verdict::Fails);
    assert_eq!(denied(&proof), [("/run/pid", Operation::Create, false)]);
    let container = &proof.containers[0];
    assert_eq!(container.exit, Some(1));
    assert!(container.output.iter().any(|line| line.contains("Read-only file system")), "{:?}", container.output);
    assert!(proof.notes.iter().any(|note| note.starts_with("app: ended by itself with status 1")), "{:?}", proof.notes);
}

fn with_tmpfs() {
    let definition = hardened(container(json!({
        "command": ["/bin/sh", "-c", "set -e; echo x > /run/pid; exec sleep 60"],
        "linuxParameters": { "tmpfs": [{ "containerPath": "/run", "size": 1 }] },
    })));
    let proof = prove(&definition, exercised("true"));
    assert_eq!(proof.verdict, Verdict::Holds, "{proof:?}");
    assert!(denied(&proof).is_empty());
}

fn not_read_only() {
    let proof = prove(&script("exec sleep 60"), exercised("true"));
    assert_eq!(proof.verdict, Verdict::Fails);
    assert!(proof.notes.contains(&"app: its root is not read-only".to_owned()), "{:?}", proof.notes);
}

fn ends_instead() {
    let definition = script("echo x > /run/pid || exit 0; exec sleep 60");
    let (lab, task) = lab(&definition, &plain_image(), options());
    lab.trace(&task).expect("a profile");
    let proof = lab.prove(&crate::task(&hardened(definition))).expect("a proof");
    assert_eq!(proof.verdict, Verdict::Fails, "{proof:?}");
}

fn does_not_listen() {
    let definition = container(json!({
        "command": ["/bin/sh", "-c", "echo x > /run/pid && httpd -p 80; exec sleep 60"],
        "portMappings": [{ "containerPort": 80 }],
    }));
    let (lab, task) = lab(&definition, &plain_image(), options());
    lab.trace(&task).expect("a profile");
    let proof = lab.prove(&crate::task(&hardened(definition))).expect("a proof");
    assert_eq!(proof.verdict, Verdict::Fails, "{proof:?}");
    assert!(proof.notes.contains(&"app: did not listen on its mapped ports".to_owned()), "{:?}", proof.notes);
}

fn learned() {
    let definition = script("echo x > /run/pid || echo x > /var/lib/other || exit 3; exec sleep 60");
    let (lab, task) = lab(&definition, &plain_image(), options());
    let mut profile: Profile = lab.trace(&task).expect("a profile");
    let known = |profile: &Profile| profile.containers[0].paths.iter().any(|path| path.path == "/var/lib/other");
    assert!(!known(&profile));
    let proof = lab.prove(&crate::task(&hardened(definition))).expect("a proof");
    assert_eq!(proof.verdict, Verdict::Fails);
    lab.learn(&mut profile, &proof);
    assert!(known(&profile));
    let facts = &profile.containers[0].folders;
    assert!(facts.iter().any(|folder| folder.path == "/var/lib" && folder.in_image), "{facts:?}");
}

fn plan(paths: &[&str]) -> Plan {
    let mount = |path: &&str| WritableMount {
        path: path.to_string(),
        by: WritableBy::Tmpfs,
        size_mib: Some(1),
        options: vec!["mode=1777".into()],
        because: Vec::new(),
        seeded_from_image: false,
        seed: None,
        volume: None,
        file_system: None,
        image_folder: None,
    };
    let container = ContainerPlan {
        name: "app".into(),
        readonly_root: true,
        privileged: false,
        writable: paths.iter().map(mount).collect(),
        not_mounted: Vec::new(),
    };
    Plan { version: 1, platform: Platform::Fargate, memory_mib: None, containers: vec![container], notes: Vec::new() }
}

fn applied(definition: &Value, plan: &Plan) -> TaskDefinition {
    let mut definition = hardened(definition.clone());
    let tmpfs: Vec<Value> = plan.containers[0]
        .writable
        .iter()
        .map(|mount| json!({ "containerPath": mount.path, "size": 1, "mountOptions": mount.options }))
        .collect();
    definition["containerDefinitions"][0]["linuxParameters"] = json!({ "tmpfs": tmpfs });
    task(&definition)
}

fn minimise(line: &str, paths: &[&str], options: tojimari_lab::Options) -> Minimised {
    let definition = script(line);
    let (lab, task) = lab(&definition, &plain_image(), options);
    lab.trace(&task).expect("a profile");
    let plan = plan(paths);
    let proof = lab.prove(&applied(&definition, &plan)).expect("a proof");
    assert!(proof.verdict.is_same(), "{proof:?}");
    lab.minimise(&plan, &proof, &|plan| Some(applied(&definition, plan))).expect("a smaller plan")
}

fn paths(least: &Minimised) -> Vec<&str> {
    least.plan.containers[0].writable.iter().map(|mount| mount.path.as_str()).collect()
}

fn minimised() {
    let line = "set -e; echo x > /run/pid; (echo y > /tmp/y) 2> /dev/null || true; exec sleep 60";
    let least = minimise(line, &["/run", "/tmp", "/var/lib"], exercised("true"));
    assert_eq!(paths(&least), ["/run"]);
    let kept = &least.plan.containers[0].writable[0];
    assert!(kept.because[0].contains("Read-only file system"), "{:?}", kept.because);
    let dropped: Vec<&str> = least.plan.containers[0].not_mounted.iter().map(|path| path.path.as_str()).collect();
    assert_eq!(dropped, ["/tmp", "/var/lib"]);
    assert_eq!(least.proof.verdict, Verdict::Holds);
    assert_eq!(denied(&least.proof), [("/tmp/y", Operation::Create, true)]);
}

fn one_of_two() {
    let least =
        minimise("echo x > /run/x || echo x > /tmp/x || exit 1; exec sleep 60", &["/run", "/tmp"], exercised("true"));
    assert_eq!(paths(&least).len(), 1, "{least:?}");
    assert_eq!(least.proof.verdict, Verdict::Holds);
}

fn without_evidence() {
    let least = minimise("exec sleep 60", &["/run"], options());
    assert_eq!(paths(&least), ["/run"]);
    assert!(least.plan.notes.iter().any(|note| note.starts_with("app: every mount is kept")), "{:?}", least.plan.notes);
}

/// The proof of a task beside its own run with a writable root.
fn compared(line: &str, options: tojimari_lab::Options) -> Proof {
    let definition = script(line);
    let (lab, task) = lab(&definition, &plain_image(), options);
    lab.trace(&task).expect("a profile");
    lab.prove(&crate::task(&hardened(definition))).expect("a proof")
}

fn ids(proof: &Proof) -> Vec<&str> {
    proof.differences.iter().map(|difference| difference.id.as_str()).collect()
}

fn second_program() {
    let proof =
        compared("(echo x > /tmp/a) 2> /dev/null && /bin/busybox touch /dev/shm/x; exec sleep 60", exercised("true"));
    assert_eq!(proof.verdict, Verdict::Differs, "{proof:?}");
    assert_eq!(ids(&proof), ["app/did-not-run//bin/busybox"]);
    let same =
        compared("(echo x > /tmp/a) 2> /dev/null; /bin/busybox touch /dev/shm/x; exec sleep 60", exercised("true"));
    assert_eq!(same.verdict, Verdict::Holds, "{same:?}");
}

fn ends_otherwise() {
    let proof = compared("/bin/busybox touch /tmp/a 2> /dev/null; exec sleep 60", exercised("true"));
    assert_eq!(proof.verdict, Verdict::Differs, "{proof:?}");
    assert_eq!(ids(&proof), ["app/ended-otherwise//bin/busybox"]);
}

fn not_rewritten() {
    let proof = compared(
        "(cat /etc/passwd > /etc/passwd.new; echo x >> /etc/passwd) 2> /dev/null; exec sleep 60",
        exercised("true"),
    );
    assert_eq!(proof.verdict, Verdict::Differs, "{proof:?}");
    assert!(ids(&proof).contains(&"app/not-rewritten//etc/passwd"), "{proof:?}");
}

fn accepted() {
    let accepted = vec!["app/ended-otherwise//bin/busybox".to_owned()];
    let options = tojimari_lab::Options { accepted, ..exercised("true") };
    let proof = compared("/bin/busybox touch /tmp/a 2> /dev/null; exec sleep 60", options);
    assert_eq!(proof.verdict, Verdict::Holds, "{proof:?}");
    assert!(proof.differences[0].accepted);
    assert_eq!(compared("exec sleep 60", crate::options()).verdict, Verdict::Starts);
}

fn differs_by_itself() {
    // Each run takes another way, by its process ids and times.
    let line =
        "n=$(date +%N); echo \"error: $n\"; [ ${n%%[0-4]} = $n ] || /bin/busybox touch /dev/shm/x; exec sleep 60";
    let proof = compared(line, exercised("true"));
    assert!(ids(&proof).iter().all(|id| !id.contains("complains")), "{proof:?}");
}

/// What a writable run that failed lacks does not vary: it was not reached.
fn failed_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let count = folder.path().join("count");
    // Passes with a writable root and with a read-only one, and fails at once the third time.
    let exercise =
        format!("n=$(cat {0} 2> /dev/null); n=${{n}}x; echo $n > {0}; [ $n != xxx ] && sleep 3", count.display());
    let line = "(echo x > /tmp/a) 2> /dev/null && sleep 3 && /bin/busybox touch /dev/shm/x; exec sleep 60";
    let proof = compared(line, exercised(&exercise));
    assert_eq!(std::fs::read_to_string(&count).expect("a count").trim(), "xxx");
    assert_eq!(proof.verdict, Verdict::Differs, "{proof:?}");
    assert!(ids(&proof).contains(&"app/did-not-run//bin/busybox"), "{proof:?}");
    assert!(proof.notes.iter().any(|note| note.contains("failed when it was run")), "{:?}", proof.notes);
}
