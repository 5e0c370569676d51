//! Programs whose lives are hard to follow: each ends as it would without a tracer, and what it
//! writes is seen.

mod support;

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use support::{Folder, Traced, command, compile, compile_with, finish, is_root, skip, trace};
use tojimari_evidence::profile::Operation;
use tojimari_tracer::{Begin, Command, Config, Error, Exit, Outcome, Outcomes, Record, spawn};

fn run(part: &str) -> Option<(Folder, Traced)> {
    let folder = Folder::new();
    let program = compile("lives")?;
    let place = folder.empty("place");
    let traced = trace(&program, &[part], &place, Config::default());
    assert_eq!(traced.report.exit, Exit::Code(0), "{part}: {:#?}", traced.pairs());
    assert_eq!(traced.report.unresolved, 0, "{part}");
    Some((folder, traced))
}

#[test]
fn threads() {
    let Some((_folder, traced)) = run("threads") else { return };
    for thread in 0..8 {
        for file in 0..50 {
            assert_eq!(traced.named(&format!("thread-{thread}-{file}")).len(), 2);
        }
    }
}

#[test]
fn a_leader_that_leaves_before_its_threads() {
    let Some((_folder, traced)) = run("leader-leaves") else { return };
    assert_eq!(traced.one("after-leader").operation, Operation::Create);
}

#[test]
fn an_exec_from_another_thread_than_the_first() {
    let Some((_folder, traced)) = run("exec-from-thread") else { return };
    let (before, after) = (traced.one("before-exec"), traced.one("executed"));
    assert_ne!(before.pid, after.pid);
    assert!(after.program.ends_with("/lives"));
}

#[test]
fn vfork() {
    let Some((_folder, traced)) = run("vforks") else { return };
    assert_eq!(traced.named("executed").len(), 20);
}

#[test]
fn clone3_and_its_flags() {
    let Some((_folder, traced)) = run("clones") else { return };
    for name in ["clone3", "clone-without-signal", "clone-parent", "shared/in-shared"] {
        assert_eq!(traced.one(name).operation, Operation::Create);
    }
}

#[test]
fn many_forks() {
    let Some((_folder, traced)) = run("forks") else { return };
    assert_eq!(traced.events.len(), 1000);
}

#[test]
fn a_daemon_outlives_its_parents() {
    let Some((_folder, traced)) = run("orphan") else { return };
    assert_eq!(traced.one("by-orphan").operation, Operation::Create);
    assert!(traced.report.duration >= Duration::from_millis(200));
}

#[test]
fn group_stops() {
    let Some((_folder, traced)) = run("group-stop") else { return };
    assert_eq!(traced.one("after-stop").operation, Operation::Create);
}

#[test]
fn signals_and_their_handlers() {
    let Some((_folder, traced)) = run("signals") else { return };
    assert!(traced.named("under-signals").len() >= 4000, "{}", traced.named("under-signals").len());
    let fifo: Vec<_> = traced.named("fifo").into_iter().filter(|event| event.operation != Operation::Mknod).collect();
    assert!(fifo.iter().any(|event| event.outcome == Outcome::Errno(libc::EINTR)), "{fifo:?}");
    assert!(fifo.iter().all(|event| !event.would_break));
}

#[test]
fn killed_at_any_moment() {
    let Some((_folder, traced)) = run("killed") else { return };
    assert!(traced.events.len() > 150);
}

#[test]
fn what_cannot_be_traced_is_refused_and_counted() {
    let Some((folder, traced)) = run("refused") else { return };
    assert_eq!(traced.report.io_uring_refused, 1);
    assert_eq!(traced.report.foreign_calls_refused, u64::from(cfg!(target_arch = "x86_64")));
    assert_eq!(traced.report.ptrace_asked, 1);
    assert!(traced.named("own-filter").is_empty());
    assert_eq!(traced.one("after-own-filter").operation, Operation::Create);
    assert!(!folder.path.join("place/own-filter-too").exists());
}

#[test]
fn a_setuid_program_elevates_under_a_privileged_tracer() {
    let folder = Folder::new();
    let Some(program) = compile("lives") else { return };
    if !is_root() {
        return skip("a setuid program of root needs root");
    }
    // Where any user may pass.
    fs::set_permissions(&folder.path, fs::Permissions::from_mode(0o755)).unwrap();
    let elevating = folder.path.join("elevating");
    fs::copy(&program, &elevating).unwrap();
    fs::set_permissions(&elevating, fs::Permissions::from_mode(0o4755)).unwrap();
    let words = ["elevated".as_ref(), elevating.as_os_str()];
    let untraced = process::Command::new(&program).args(words).status().unwrap();
    if !untraced.success() {
        return skip("setuid programs do not work here");
    }
    let traced = trace(&program, &words, &folder.path, Config::default());
    assert_eq!(traced.report.exit, Exit::Code(0));
    assert!(!traced.report.no_new_privileges);
}

#[test]
fn a_crash_is_told_by_its_signal() {
    let folder = Folder::new();
    let Some(program) = compile("lives") else { return };
    let traced = trace(&program, &["crash"], &folder.path, Config::default());
    assert_eq!(traced.report.exit, Exit::Signal(libc::SIGSEGV));
    assert_eq!(traced.report.begun_exit, Some(Exit::Signal(libc::SIGSEGV)));
}

#[test]
fn only_the_container_is_recorded() {
    let folder = Folder::new();
    let Some(program) = compile("lives") else { return };
    if !is_root() {
        return skip("a container needs root");
    }
    let jail = folder.empty("jail");
    for name in ["proc", "old"] {
        fs::create_dir(jail.join(name)).unwrap();
    }
    let Some(alone) = compile_with("lives", "lives-static", &["-static"]) else { return };
    fs::copy(alone, jail.join("lives")).unwrap();
    let config = Config { begin: Begin::WhenRootDiffers, ..Config::default() };
    let start = command(&program, &["contained".as_ref(), jail.as_os_str()], &folder.path);
    let (session, records) = spawn(start, config).unwrap();
    let (mut began, mut ended, mut seen) = (None, None, Vec::new());
    for record in records {
        match record {
            Record::Began { pid, .. } => began = Some(pid),
            Record::Ended { pid, exit, .. } => ended = Some((pid, exit)),
            Record::Event(event) => seen.push(event),
            Record::Ran(_) => {}
        }
    }
    let report = session.wait().unwrap();
    assert_eq!(report.exit, Exit::Code(0));
    assert_eq!(report.begun_exit, Some(Exit::Code(5)));
    assert_eq!(ended, began.map(|pid| (pid, Exit::Code(5))));
    let told: Vec<(Operation, &str, &str)> = seen
        .iter()
        .map(|event| {
            let text = |bytes| str::from_utf8(bytes).unwrap();
            (event.operation, text(&event.path), text(&event.mount.point))
        })
        .collect();
    assert_eq!(
        told,
        [
            (Operation::Mkdir, "/run", "/"),
            (Operation::Create, "/run/in-container", "/"),
            (Operation::Symlink, "/var-run", "/"),
            (Operation::Create, "/run/through-link", "/"),
            (Operation::OpenWrite, "/proc/1/comm", "/proc"),
            (Operation::Create, "/run/through-proc", "/"),
            (Operation::Create, "/run/in-child", "/"),
            (Operation::OpenWrite, "/proc/2/task/2/comm", "/proc"),
        ]
    );
    assert!(seen.iter().all(|event| &*event.program == "/lives"), "{seen:#?}");
}

#[test]
fn a_session_can_be_killed() {
    let folder = Folder::new();
    let Some(program) = compile("lives") else { return };
    // While the first process lives, and after it has left another behind.
    for (part, file, first) in
        [("sleep", "asleep", Exit::Signal(libc::SIGKILL)), ("leave-a-sleeper", "left", Exit::Code(9))]
    {
        let place = folder.empty("place");
        let (session, records) = spawn(command(&program, &[part], &place), Config::default()).unwrap();
        let killer = session.killer();
        let begun = Instant::now();
        for record in records {
            match record {
                Record::Event(event) if event.path.ends_with(file.as_bytes()) => {
                    thread::sleep(Duration::from_millis(50));
                    killer.kill();
                }
                _ => {}
            }
        }
        let report = session.wait().unwrap();
        assert_eq!(report.exit, first, "{part}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{part}");
        killer.kill();
    }
}

#[test]
fn a_dropped_session_leaves_nothing_behind() {
    let folder = Folder::new();
    let Some(program) = compile("lives") else { return };
    let (session, _records) = spawn(command(&program, &["sleep"], &folder.path), Config::default()).unwrap();
    let pid = session.pid();
    drop(session);
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn nothing_survives_the_tracer() {
    let folder = Folder::new();
    let Some(program) = compile("lives") else { return };
    let Some(example) = example() else { return };
    // Told from the same program in other tests by its name.
    let program = {
        let own = folder.path.join("lives");
        fs::copy(program, &own).unwrap();
        own
    };
    let mut tracer = process::Command::new(example)
        .args([program.as_os_str(), "sleep".as_ref()])
        .current_dir(&folder.path)
        .stderr(process::Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the program", || folder.path.join("asleep").exists());
    let running = || {
        let mut pids = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            // A zombie has no executable: its parent has yet to hear of its end.
            if fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == program) {
                pids.push(entry.file_name());
            }
        }
        pids
    };
    assert_eq!(running().len(), 2);
    tracer.kill().unwrap();
    tracer.wait().unwrap();
    wait_for("the end of all", || running().is_empty());
}

#[test]
fn without_privileges_it_works_and_says_so() {
    let folder = Folder::new();
    let Some(program) = compile("lives") else { return };
    let Some(example) = example() else { return };
    if !is_root() {
        return skip("only root can become another user");
    }
    fs::set_permissions(&folder.path, fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path.join("trace");
    fs::copy(example, &copy).unwrap();
    let readable = folder.path.join("lives");
    fs::copy(program, &readable).unwrap();
    let place = folder.empty("place");
    fs::set_permissions(&place, fs::Permissions::from_mode(0o777)).unwrap();
    let output = process::Command::new(copy)
        .args([readable.as_os_str(), "threads".as_ref()])
        .current_dir(&place)
        .uid(65534)
        .gid(65534)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert!(told.contains("no_new_privileges: true"), "{told}");
    assert!(told.contains("unresolved: 0"), "{told}");
    assert_eq!(told.matches("create").count(), 400, "{told}");
}

#[test]
fn what_cannot_be_started_is_told() {
    let folder = Folder::new();
    let nowhere = spawn(Command::new("/no/such/program"), Config::default());
    match nowhere {
        Err(Error::Execute { program, source }) => {
            assert_eq!((&program[..], source.raw_os_error()), ("/no/such/program", Some(libc::ENOENT)));
        }
        other => panic!("{other:?}"),
    }
    let text = folder.path.join("text");
    fs::write(&text, "no program").unwrap();
    fs::set_permissions(&text, fs::Permissions::from_mode(0o755)).unwrap();
    let error = spawn(Command::new(&text), Config::default()).unwrap_err();
    assert!(matches!(&error, Error::Execute { source, .. } if source.raw_os_error() == Some(libc::ENOEXEC)), "{error}");
    let elsewhere = Command::new("/bin/true").working_directory("/no/such/folder");
    let error = spawn(elsewhere, Config::default()).unwrap_err();
    assert_eq!(error.to_string(), "change the working directory: No such file or directory (os error 2)");
    let error = spawn(Command::new("/bin/true").argument("a\0b"), Config::default()).unwrap_err();
    assert!(error.to_string().contains("NUL"), "{error}");
}

#[test]
fn descriptors_environment_and_folder_are_handed_over() {
    let folder = Folder::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (other_reader, other_writer) = std::io::pipe().unwrap();
    drop(other_writer);
    let script = "pwd; echo $TOLD; cat <&7; echo $#; echo \"$0\"; echo over >&2";
    let mut start = Command::new("/bin/sh")
        .arguments(["-c", script, "name", "one"])
        .variable("TOLD", "first")
        .variable("TOLD", "second")
        .working_directory(&folder.path)
        .descriptor(1, OwnedFd::from(writer.try_clone().unwrap()))
        .descriptor(2, OwnedFd::from(writer))
        .descriptor(7, OwnedFd::from(other_reader))
        .own_group();
    start.environment.retain(|(name, _)| name == "TOLD" || name == "PATH");
    let traced = finish(start, Config::default());
    assert_eq!(traced.report.exit, Exit::Code(0));
    let mut told = String::new();
    std::io::Read::read_to_string(&mut reader, &mut told).unwrap();
    assert_eq!(told, format!("{}\nsecond\n1\nname\nover\n", folder.path.display()));
}

#[test]
fn children_of_other_threads_are_left_to_them() {
    let folder = Folder::new();
    let Some(program) = compile("lives") else { return };
    let place = folder.empty("place");
    let tracing = thread::spawn(move || trace(&program, &["forks"], &place, Config::default()));
    let mut children = 0;
    while !tracing.is_finished() || children < 20 {
        let status = process::Command::new("/bin/sh").args(["-c", "exit 6"]).status().unwrap();
        assert_eq!(status.code(), Some(6));
        children += 1;
    }
    assert_eq!(tracing.join().unwrap().report.exit, Exit::Code(0));
}

#[test]
fn sessions_side_by_side() {
    let folder = Folder::new();
    let Some(program) = compile("lives") else { return };
    let sessions: Vec<_> = (0..4)
        .map(|number| {
            let (program, place) = (program.clone(), folder.empty(&format!("place-{number}")));
            thread::spawn(move || trace(&program, &["threads"], &place, Config::default()).events.len())
        })
        .collect();
    for session in sessions {
        assert_eq!(session.join().unwrap(), 800);
    }
}

#[test]
fn what_is_learned_seldom_agrees_with_what_is_learned_always() {
    let folder = Folder::new();
    let Some(program) = compile("every_call") else { return };
    let breaks = |outcomes| {
        let place = folder.empty("place");
        let traced = trace(&program, &["old"], &place, Config { outcomes, ..Config::default() });
        let mut breaks: Vec<_> = traced.events.iter().filter(|event| event.would_break).collect();
        breaks.sort_by(|one, other| (one.operation, &one.path).cmp(&(other.operation, &other.path)));
        breaks.iter().map(|event| (event.operation, event.path.escape_ascii().to_string())).collect::<Vec<_>>()
    };
    assert_eq!(breaks(Outcomes::WhereNeeded), breaks(Outcomes::Always));
}

/// The program of `examples/trace.rs`, which cargo builds with the tests.
fn example() -> Option<PathBuf> {
    let tests = std::env::current_exe().ok()?;
    let example = tests.parent()?.parent()?.join("examples/trace");
    if !example.exists() {
        skip("the example `trace` was not built");
        return None;
    }
    Some(example)
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited for {what} in vain");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn programs_are_told_by_what_led_to_them() {
    let folder = Folder::new();
    let named = folder.path.join("started");
    fs::write(&named, "#!/bin/sh\nexit 4\n").unwrap();
    fs::set_permissions(&named, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let script = "/bin/true; ./started; (exit 3) & /bin/sh -c 'exec /bin/false'; wait; exec /bin/sh -c 'exit 7'";
    let start = command(Path::new("/bin/sh"), &["-c", script], &folder.path);
    let (session, records) = spawn(start, Config::default()).unwrap();
    let mut told: Vec<(Vec<String>, Exit)> = Vec::new();
    for record in records {
        if let Record::Ran(ran) = record {
            assert!(ran.started <= ran.ended);
            let names = ran.chain.iter().map(|path| path.rsplit('/').next().unwrap().to_owned());
            told.push((names.collect(), ran.exit));
        }
    }
    session.wait().unwrap();
    let file = Path::new("/bin/sh").canonicalize().unwrap();
    let file = file.file_name().unwrap().to_string_lossy().into_owned();
    let shell = if file == "sh" { file.clone() } else { format!("{file} (sh)") };
    let expected = [
        (vec![shell.clone(), "true".to_owned()], Exit::Code(0)),
        // A script is told by its name.
        (vec![shell.clone(), format!("{file} (started)")], Exit::Code(4)),
        // A shell that starts a shell stands once; what was only forked is no program of its own.
        (vec![shell.clone(), "false".to_owned()], Exit::Code(1)),
        (vec![shell], Exit::Code(7)),
    ];
    assert_eq!(told, expected);
}
