//! Tables of decisions: each case is what was observed and the mounts that follow.

use tojimari_evidence::profile::{
    ExerciseOutcome, FileKind, FolderFact, ImageIdentity, Operation, OperationCount, PathProfile, Saturation,
};
use tojimari_model::Value;
use tojimari_model::declared::TaskKind;
use tojimari_text::{FileId, Span};

use super::*;
use tojimari_model::value::{Kind, Member};

fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

/// A task definition from `name: value` pairs of strings; one container `web`.
fn task(members: &[(&str, &str)], compatibilities: &[&str]) -> TaskDefinition {
    let string = |text: &str| Value::new(span(), Kind::String(text.into()));
    let member = |name: &str, value: Value| Member { name: name.into(), name_span: span(), value };
    let list = |items: Vec<Value>| Value::new(span(), Kind::List(items, None));
    let container = Value::new(span(), Kind::Map(vec![member("name", string("web"))], None));
    let mut all: Vec<Member> = members.iter().map(|(name, value)| member(name, string(value))).collect();
    all.push(member("requiresCompatibilities", list(compatibilities.iter().map(|c| string(c)).collect())));
    all.push(member("containerDefinitions", list(vec![container])));
    TaskDefinition::read(&Value::new(span(), Kind::Map(all, None)), TaskKind::TaskDefinition).0
}

pub(super) fn path(path: &str, operations: &[Operation]) -> PathProfile {
    PathProfile {
        path: path.to_owned(),
        operations: operations
            .iter()
            .map(|operation| OperationCount { operation: *operation, count: 1, failed: Vec::new(), would_break: true })
            .collect(),
        first_seconds: 0.1,
        last_seconds: 0.2,
        programs: vec!["/usr/sbin/app".to_owned()],
        existed_in_image: false,
        present_at_end: true,
        peak_bytes: 100,
        mount: "/".to_owned(),
        kind: if operations.contains(&Operation::Mkdir) { FileKind::Directory } else { FileKind::File },
    }
}

pub(super) fn folder(path: &str, files: u64, folders: u64) -> FolderFact {
    let mode = if path == "/tmp" { 0o1777 } else { 0o755 };
    FolderFact {
        path: path.into(),
        in_image: true,
        files,
        folders,
        bytes: files * 100,
        uid: 0,
        gid: 0,
        mode,
        programs: false,
    }
}

pub(super) fn profile(user: &str, paths: Vec<PathProfile>, folders: Vec<FolderFact>, volumes: &[&str]) -> Profile {
    Profile {
        version: 1,
        family: "app".into(),
        containers: vec![ContainerProfile {
            name: "web".into(),
            image: ImageIdentity { reference: "oci:x".into(), digest: "sha256:0".into() },
            command: vec!["app".into()],
            user: user.into(),
            working_directory: "/".into(),
            duration_seconds: 1.0,
            exit: None,
            healthy: None,
            saturation: Saturation::default(),
            io_uring_refused: 0,
            paths,
            folders,
            volumes: volumes.iter().map(|v| (*v).to_owned()).collect(),
        }],
        exercise: Some(ExerciseOutcome { command: "true".into(), exit: 0, seconds: 0.1 }),
        notes: Vec::new(),
    }
}

fn decided(profile: &Profile) -> ContainerPlan {
    decide(&task(&[], &["FARGATE"]), profile, Platform::Fargate, &Options::default()).containers.remove(0)
}

pub(super) fn mounts(plan: &ContainerPlan) -> Vec<&str> {
    plan.writable.iter().map(|mount| mount.path.as_str()).collect()
}

#[test]
fn each_written_folder_of_the_image_becomes_one_tmpfs() {
    let plan = decided(&profile(
        "0:0",
        vec![
            path("/run/nginx.pid", &[Operation::Create]),
            path("/var/lib/nginx/body", &[Operation::Mkdir, Operation::Chown]),
            path("/var/lib/nginx/body/0001", &[Operation::Create, Operation::Unlink]),
            path("/var/lib/nginx/proxy", &[Operation::Mkdir]),
            path("/var/log/nginx/access.log", &[Operation::Create]),
        ],
        vec![
            folder("/", 900, 90),
            folder("/run", 0, 1),
            folder("/var", 300, 50),
            folder("/var/lib", 200, 30),
            folder("/var/lib/nginx", 0, 0),
            folder("/var/log", 3, 2),
            folder("/var/log/nginx", 0, 0),
        ],
        &[],
    ));
    assert_eq!(mounts(&plan), ["/run", "/var/lib/nginx", "/var/log/nginx"]);
    assert!(plan.not_mounted.is_empty());
    let first = &plan.writable[0];
    assert_eq!(first.size_mib, Some(16));
    assert_eq!(first.options, ["noexec", "nosuid", "nodev", "mode=0755", "uid=0", "gid=0"]);
}

#[test]
fn the_folder_keeps_the_mode_that_the_image_gave_it() {
    let plan =
        decided(&profile("1000:1000", vec![path("/tmp/x", &[Operation::Create])], vec![folder("/tmp", 0, 0)], &[]));
    assert!(plan.writable[0].options.contains(&"mode=1777".to_owned()));
}

#[test]
fn writes_beside_programs_are_not_mounted() {
    let mut app = folder("/app", 3, 1);
    app.programs = true;
    let plan = decided(&profile(
        "1000:1000",
        vec![
            path("/app/state.json", &[Operation::Create]),
            path("/app/cache", &[Operation::Mkdir]),
            path("/app/cache/a", &[Operation::Create]),
            path("/app/__pycache__", &[Operation::Mkdir]),
            path("/app/__pycache__/a.pyc", &[Operation::Create]),
        ],
        vec![app],
        &[],
    ));
    // The folder that was made at run time can be a mount of its own.
    assert_eq!(mounts(&plan), ["/app/cache"]);
    assert!(plan.writable[0].options.contains(&"uid=1000".to_owned()));
    let not: Vec<&str> = plan.not_mounted.iter().map(|not| not.path.as_str()).collect();
    assert_eq!(not, ["/app/__pycache__", "/app/__pycache__/a.pyc", "/app/state.json"]);
    let because = &plan.not_mounted[2].because;
    assert_eq!(
        because,
        "it lies in /app, which holds programs or libraries; not proven yet, --allow /app mounts it all the same"
    );
    let whole =
        Plan { version: 1, platform: Platform::Fargate, memory_mib: None, containers: vec![plan], notes: Vec::new() };
    let because = &proven(whole).containers[0].not_mounted[2].because;
    assert_eq!(because, "the write is tolerated: it lies in /app, which holds programs or libraries");
}

#[test]
fn never_the_root_etc_or_usr() {
    for refused in ["/x", "/etc/x", "/usr/x", "/usr/bin/x", "/var/www/html/x"] {
        let plan = decided(&profile(
            "0:0",
            vec![path(refused, &[Operation::Create])],
            vec![
                folder("/", 9, 9),
                folder("/etc", 9, 9),
                folder("/usr", 9, 9),
                folder("/usr/bin", 9, 0),
                folder("/var/www", 1, 1),
                folder("/var/www/html", 1, 0),
            ],
            &[],
        ));
        assert!(plan.writable.is_empty(), "{refused}");
        assert_eq!(plan.not_mounted.len(), 1, "{refused}");
    }
}

#[test]
fn a_person_may_allow_what_is_refused() {
    let profile =
        profile("0:0", vec![path("/var/www/html/x", &[Operation::Create])], vec![folder("/var/www/html", 0, 0)], &[]);
    let options = Options { allow: vec!["/var/www/html/".into()], ..Options::default() };
    let plan = decide(&task(&[], &[]), &profile, Platform::Ec2, &options);
    assert_eq!(mounts(&plan.containers[0]), ["/var/www/html"]);
}

#[test]
fn content_of_the_image_is_seeded_by_what_the_platform_has() {
    let mut rewritten = path("/etc/app/conf.d/default.conf", &[Operation::OpenWrite]);
    rewritten.existed_in_image = true;
    let observed = |volumes: &[&str]| {
        profile("0:0", vec![rewritten.clone()], vec![folder("/etc", 9, 9), folder("/etc/app/conf.d", 4, 0)], volumes)
    };
    let seed = |platform, volumes: &[&str]| {
        let plan = decide(&task(&[], &[]), &observed(volumes), platform, &Options::default());
        let mount = plan.containers[0].writable[0].clone();
        assert_eq!(mount.by, WritableBy::Volume);
        assert_eq!(mount.volume.as_deref(), Some("web-etc-app-conf-d"));
        assert!(mount.seeded_from_image);
        mount.seed
    };
    assert_eq!(seed(Platform::Fargate, &[]), Some(Seed::InitContainer));
    assert_eq!(seed(Platform::Fargate, &["/etc/app/conf.d"]), Some(Seed::ImageVolume));
    assert_eq!(seed(Platform::Compose, &[]), Some(Seed::NamedVolume));
}

#[test]
fn a_file_that_is_made_anew_needs_no_seed() {
    let mut log = path("/var/log/app/app.log", &[Operation::Create]);
    log.existed_in_image = true;
    let plan = decided(&profile("0:0", vec![log], vec![folder("/var/log/app", 1, 0)], &[]));
    assert_eq!(plan.writable[0].by, WritableBy::Tmpfs);
}

#[test]
fn folders_made_at_run_time_spare_the_content_beside_them() {
    let plan = decided(&profile(
        "0:0",
        vec![path("/root/.cache", &[Operation::Mkdir]), path("/root/.cache/x", &[Operation::Create])],
        vec![folder("/root", 2, 0)],
        &[],
    ));
    assert_eq!(mounts(&plan), ["/root/.cache"]);
    assert_eq!(plan.writable[0].by, WritableBy::Tmpfs);
}

#[test]
fn siblings_that_the_program_makes_again_become_one_mount() {
    let attempted = |name: &str| {
        let mut path = path(name, &[Operation::Mkdir, Operation::Chown]);
        path.existed_in_image = true;
        path.operations[0].would_break = false;
        path.operations[0].failed = vec!["EEXIST".into()];
        path
    };
    let observed = |paths| {
        profile(
            "0:0",
            paths,
            vec![
                folder("/var/cache/nginx", 0, 2),
                folder("/var/cache/nginx/client", 0, 0),
                folder("/var/cache/nginx/proxy", 0, 0),
            ],
            &[],
        )
    };
    let both = vec![attempted("/var/cache/nginx/client"), attempted("/var/cache/nginx/proxy")];
    assert_eq!(mounts(&decided(&observed(both))), ["/var/cache/nginx"]);
    // A program that only changes the owner of what is there would miss the folders.
    let mut not_made = vec![attempted("/var/cache/nginx/client"), attempted("/var/cache/nginx/proxy")];
    not_made[1].operations.remove(0);
    assert_eq!(mounts(&decided(&observed(not_made))), ["/var/cache/nginx/client", "/var/cache/nginx/proxy"]);
}

#[test]
fn a_folder_inside_another_keeps_its_own_mount() {
    let plan = decided(&profile(
        "0:0",
        vec![path("/run/php-fpm.pid", &[Operation::Create]), path("/run/php/php.sock", &[Operation::BindSocket])],
        vec![folder("/run", 0, 2), folder("/run/php", 0, 0)],
        &[],
    ));
    assert_eq!(mounts(&plan), ["/run", "/run/php"]);
}

#[test]
fn what_does_not_break_or_lies_elsewhere_needs_nothing() {
    let mut harmless = path("/var/x", &[Operation::Mkdir]);
    harmless.operations[0].would_break = false;
    let mut elsewhere = path("/dev/shm/x", &[Operation::Create]);
    elsewhere.mount = "/dev/shm".into();
    let asked = path("/srv/app/x", &[Operation::AccessWrite]);
    let plan = decided(&profile("0:0", vec![harmless, elsewhere, asked], vec![folder("/srv/app", 1, 0)], &[]));
    assert!(plan.writable.is_empty());
    assert_eq!(plan.not_mounted.len(), 1);
    assert!(plan.not_mounted[0].because.contains("only asks"));
}

#[test]
fn the_size_follows_what_lay_there_at_one_time() {
    let file = |name: &str, first: f64, last: f64, stays: bool| PathProfile {
        first_seconds: first,
        last_seconds: last,
        present_at_end: stays,
        peak_bytes: 40 << 20,
        ..path(name, &[Operation::Create, Operation::Unlink])
    };
    let size = |paths| decided(&profile("0:0", paths, vec![folder("/tmp", 0, 0)], &[])).writable[0].size_mib;
    assert_eq!(size(vec![file("/tmp/a", 0.0, 1.0, false), file("/tmp/b", 2.0, 3.0, false)]), Some(128));
    assert_eq!(size(vec![file("/tmp/a", 0.0, 1.0, true), file("/tmp/b", 2.0, 3.0, false)]), Some(256));
}

#[test]
fn memory_is_said_in_sizes_that_fargate_has() {
    let profile = profile("0:0", vec![path("/tmp/x", &[Operation::Create])], vec![folder("/tmp", 0, 0)], &[]);
    let notes = |cpu, memory| {
        let task = task(&[("cpu", cpu), ("memory", memory)], &["FARGATE"]);
        decide(&task, &profile, task.platform(), &Options::default()).notes.join("; ")
    };
    assert!(notes("256", "512").contains("raise the task to 1024 MiB"), "{}", notes("256", "512"));
    assert!(notes("0.5 vCPU", "1 GB").contains("raise the task to 2048 MiB"));
    assert!(notes("256", "2048").contains("raise cpu as well"));
}

#[test]
fn exec_gets_its_two_folders_and_the_warning() {
    let profile = profile("0:0", Vec::new(), Vec::new(), &[]);
    let options = Options { exec: true, ..Options::default() };
    let plan = decide(&task(&[], &["FARGATE"]), &profile, Platform::Fargate, &options);
    assert_eq!(mounts(&plan.containers[0]), EXEC);
    assert!(plan.notes.iter().any(|note| note.contains("unsupported")));
}

#[test]
fn a_program_run_from_the_folder_keeps_it_executable() {
    let mut helper = path("/tmp/y", &[Operation::Create]);
    helper.programs = vec!["/tmp/helper".into()];
    let plan = decided(&profile("0:0", vec![helper], vec![folder("/tmp", 0, 0)], &[]));
    assert!(!plan.writable[0].options.contains(&"noexec".to_owned()));
}

#[test]
fn an_empty_volume_is_only_taken_where_root_may_own_it() {
    let options = Options { prefer: Prefer::Volume, ..Options::default() };
    let by = |user| {
        let profile = profile(
            user,
            vec![path("/var/spool/app/x", &[Operation::Create])],
            vec![folder("/var/spool/app", 0, 0)],
            &[],
        );
        decide(&task(&[], &[]), &profile, Platform::Ec2, &options).containers[0].writable[0].by
    };
    assert_eq!(by("0:0"), WritableBy::Volume);
    assert_eq!(by("1000:1000"), WritableBy::Tmpfs);
}

#[test]
fn a_volume_of_the_image_stays_one_but_for_scratch() {
    let mount = |folder_path: &str| {
        let file = format!("{folder_path}/x");
        let observed = profile(
            "999:999",
            vec![path(&file, &[Operation::Create])],
            vec![folder(folder_path, 0, 0)],
            &[&format!("{folder_path}/")],
        );
        let task = task(&[], &["FARGATE"]);
        let mut plan = decide(&task, &observed, Platform::Fargate, &Options::default());
        let said = plan.notes.iter().any(|note| note.contains("needs EFS or EBS"));
        (plan.containers[0].writable.remove(0).by, said)
    };
    assert_eq!(mount("/data"), (WritableBy::Volume, true));
    assert_eq!(mount("/var/cache/app"), (WritableBy::Tmpfs, false));
    assert_eq!(mount("/tmp"), (WritableBy::Tmpfs, false));
}

#[test]
fn what_is_only_asked_of_a_mounted_folder_is_not_listed() {
    let plan = decided(&profile(
        "0:0",
        vec![path("/run", &[Operation::AccessWrite]), path("/run/a", &[Operation::Create])],
        vec![folder("/run", 0, 0)],
        &[],
    ));
    assert_eq!(mounts(&plan), ["/run"]);
    assert!(plan.not_mounted.is_empty(), "{:?}", plan.not_mounted);
}

#[test]
fn a_file_that_is_written_anew_may_have_been_read_before() {
    let mut edited = path("/etc/app/conf.d/default.conf", &[Operation::RenameTo]);
    edited.existed_in_image = true;
    let observed = profile("0:0", vec![edited], vec![folder("/etc/app/conf.d", 1, 0)], &[]);
    let plan = |keep_content| {
        let options = Options { keep_content, ..Options::default() };
        decide(&task(&[], &["FARGATE"]), &observed, Platform::Fargate, &options)
    };
    assert_eq!(plan(false).containers[0].writable[0].by, WritableBy::Tmpfs);
    let kept = plan(true);
    assert_eq!(kept.containers[0].writable[0].seed, Some(Seed::InitContainer));
    assert_eq!(kept.notes.iter().filter(|note| note.contains("ECS.20")).count(), 1);
    // A mount that turned out not to be needed leaves no note.
    let mut without = kept.clone();
    without.containers[0].writable.clear();
    assert!(!proven(without).notes.iter().any(|note| note.contains("ECS.20")));
    assert_eq!(proven(kept.clone()).notes, kept.notes);
}

#[test]
fn files_without_a_byte_are_no_content() {
    let mut logs = folder("/var/log/apache2", 3, 0);
    logs.bytes = 0;
    let mut log = path("/var/log/apache2/error.log", &[Operation::Create]);
    log.existed_in_image = true;
    let plan = decided(&profile("0:0", vec![log], vec![logs], &[]));
    assert_eq!((plan.writable[0].by, plan.writable[0].seeded_from_image), (WritableBy::Tmpfs, false));
}

#[test]
fn what_a_web_root_leaves_empty_for_its_application_may_be_mounted() {
    let owned = |path: &str, files| FolderFact { uid: 33, gid: 33, ..folder(path, files, 0) };
    let plan = decided(&profile(
        "0:0",
        vec![
            path("/var/www/html/logs/debug.log", &[Operation::Create]),
            path("/var/www/html/tmp/cache", &[Operation::Mkdir]),
            path("/var/www/html/uploads/a", &[Operation::Create]),
            path("/var/www/html/cache/a", &[Operation::Create]),
        ],
        vec![
            folder("/var/www/html", 9, 9),
            owned("/var/www/html/logs", 0),
            owned("/var/www/html/tmp", 0),
            owned("/var/www/html/uploads", 0),
            owned("/var/www/html/cache", 2),
        ],
        &[],
    ));
    assert_eq!(mounts(&plan), ["/var/www/html/logs", "/var/www/html/tmp"]);
    assert!(plan.writable[0].options.contains(&"uid=33".to_owned()));
    assert_eq!(plan.not_mounted.len(), 2);
}

#[test]
fn a_folder_made_in_one_of_another_user_belongs_to_that_user() {
    let parent = FolderFact { uid: 33, gid: 33, programs: true, ..folder("/srv/app", 3, 0) };
    let uid = |user: &str| {
        let made = vec![path("/srv/app/cache", &[Operation::Mkdir])];
        let plan = decided(&profile(user, made, vec![folder("/srv", 3, 1), parent.clone()], &[]));
        plan.writable[0].options.iter().find(|option| option.starts_with("uid=")).cloned()
    };
    assert_eq!(uid("0:0").as_deref(), Some("uid=33"));
    assert_eq!(uid("1000:1000").as_deref(), Some("uid=1000"));
}
