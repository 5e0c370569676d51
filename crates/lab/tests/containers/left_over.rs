//! Nothing of a run is left behind, however it ends: no process, mount, namespace, cgroup, folder.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use serde_json::json;
use tojimari_lab::{Error, Options};

use crate::{Case, container, exercised, lab, plain_image};

pub fn cases() -> Vec<Case> {
    vec![
        ("nothing is left after a run", after_a_run),
        ("nothing is left after an interrupt", || killed_by(Signal::SIGINT)),
        ("nothing is left after SIGTERM", || killed_by(Signal::SIGTERM)),
        ("nothing is left after SIGKILL", || killed_by(Signal::SIGKILL)),
        ("nothing is left after the supervisor was killed", supervisor_killed),
        ("what a killed run left is swept by the next", swept),
    ]
}

/// First argument of a child of this test that runs a container until it is stopped, and of one
/// that does so until the container's work is done.
const UNTIL_STOPPED: &str = "__run-until-stopped";
const ONCE: &str = "__run-once";

/// A program like tojimari itself: a signal sets a flag, the lab does the rest.
pub fn entered() -> Option<ExitCode> {
    let exercise = match std::env::args().nth(1)?.as_str() {
        UNTIL_STOPPED => "sleep 1000 & echo up > up; sleep 1000",
        ONCE => "sleep 1000 & echo up > up",
        _ => return None,
    };
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals.thread_block().expect("blocked");
    let cancelled = Arc::new(AtomicBool::new(false));
    let flag = cancelled.clone();
    std::thread::spawn(move || {
        let _ = signals.wait();
        flag.store(true, Ordering::Relaxed);
    });
    let definition = container(json!({
        "command": ["/bin/sh", "-c", "sleep 1000 & sleep 1000 & exec sleep 1000"],
        "linuxParameters": { "tmpfs": [{ "containerPath": "/run", "size": 1 }] },
        "healthCheck": { "command": ["CMD", "true"] },
    }));
    let options = Options { cancelled, ..exercised(exercise) };
    let (lab, task) = lab(&definition, &plain_image(), options);
    Some(ExitCode::from(match lab.trace(&task) {
        Ok(_) => 0,
        Err(Error::Interrupted) => INTERRUPTED,
        Err(_) => 1,
    }))
}

const INTERRUPTED: u8 = 42;

struct Run {
    child: Child,
    /// Working directory and directory for temporary files.
    folder: tempfile::TempDir,
}

fn child(folder: &Path, what: &str) -> Child {
    Command::new("/proc/self/exe")
        .arg(what)
        .current_dir(folder)
        .env("TMPDIR", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started")
}

/// Starts a run and waits until its exercise runs.
fn start(what: &str) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let child = child(folder.path(), what);
    let run = Run { child, folder };
    within(Duration::from_secs(60), "the exercise to run", || run.folder.path().join("up").exists());
    run
}

impl Run {
    fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its exit code; what it said goes into the message of a failed test.
    fn end(&mut self, expected: u8) {
        let mut said = String::new();
        let _ = self.child.stderr.take().expect("a pipe").read_to_string(&mut said);
        assert_eq!(self.child.wait().expect("ended").code(), Some(i32::from(expected)), "{said}");
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid().cast_signed()), signal).expect("sent");
    }
}

fn within(time: Duration, what: &str, mut there: impl FnMut() -> bool) {
    let deadline = Instant::now() + time;
    while !there() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        sleep(Duration::from_millis(10));
    }
}

/// Processes whose command line or environment names the folder, by number.
fn processes(folder: &Path) -> Vec<String> {
    let name = folder.to_str().expect("UTF-8").as_bytes();
    let holds = |bytes: Vec<u8>| bytes.windows(name.len()).any(|window| window == name);
    let numbers =
        fs::read_dir("/proc").expect("proc").flatten().filter_map(|entry| entry.file_name().into_string().ok());
    numbers
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|pid| {
            ["cmdline", "environ"].iter().any(|file| fs::read(format!("/proc/{pid}/{file}")).is_ok_and(holds))
        })
        .collect()
}

/// The network namespaces of all processes.
fn network_namespaces() -> BTreeSet<String> {
    let processes = fs::read_dir("/proc").expect("proc").flatten();
    let links = processes.filter_map(|process| fs::read_link(process.path().join("ns/net")).ok());
    links.map(|link| link.display().to_string()).collect()
}

fn cgroups(owner: u32) -> Vec<String> {
    let hierarchies = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
    let all = hierarchies.flat_map(|hierarchy| fs::read_dir(hierarchy.path()).into_iter().flatten().flatten());
    let names = all.map(|cgroup| cgroup.path().display().to_string());
    names.filter(|name| name.contains(&format!("tojimari-{owner}-"))).collect()
}

fn mounts(folder: &Path) -> Vec<String> {
    let name = folder.to_str().expect("UTF-8");
    let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts");
    mounts.lines().filter(|line| line.contains(name)).map(str::to_owned).collect()
}

fn folders(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("tojimari-"))
        .collect()
}

fn nothing_left(folder: &Path, owner: u32) {
    within(Duration::from_secs(10), "all processes to end", || processes(folder).is_empty());
    within(Duration::from_secs(10), "the folder to go", || folders(folder).is_empty());
    assert_eq!(mounts(folder), Vec::<String>::new());
    assert_eq!(cgroups(owner), Vec::<String>::new());
}

fn after_a_run() {
    let mut run = start(ONCE);
    run.end(0);
    nothing_left(run.folder.path(), run.pid());
}

fn killed_by(signal: Signal) {
    let mut run = start(UNTIL_STOPPED);
    let processes = processes(run.folder.path());
    assert!(processes.len() > 5, "{processes:?}");
    let own = fs::read_link("/proc/self/ns/net").expect("own").display().to_string();
    let of_run: BTreeSet<String> = processes
        .iter()
        .filter_map(|pid| fs::read_link(format!("/proc/{pid}/ns/net")).ok())
        .map(|link| link.display().to_string())
        .filter(|namespace| *namespace != own)
        .collect();
    assert_eq!(of_run.len(), 1);
    let began = Instant::now();
    run.signal(signal);
    if signal == Signal::SIGKILL {
        assert_eq!(run.child.wait().expect("ended").signal(), Some(Signal::SIGKILL as i32));
    } else {
        run.end(INTERRUPTED);
    }
    nothing_left(run.folder.path(), run.pid());
    assert!(of_run.is_disjoint(&network_namespaces()));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// The process of the run that has this word among its arguments.
fn of_role(folder: &Path, role: &str) -> Pid {
    let found = processes(folder).into_iter().find(|pid| {
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.split(|byte| *byte == 0).any(|argument| argument == role.as_bytes())
    });
    Pid::from_raw(found.and_then(|pid| pid.parse().ok()).unwrap_or_else(|| panic!("there is no {role}")))
}

fn supervisor_killed() {
    let mut run = start(UNTIL_STOPPED);
    kill(of_role(run.folder.path(), "supervise"), Signal::SIGKILL).expect("sent");
    run.end(1);
    nothing_left(run.folder.path(), run.pid());
}

/// The keeper cannot clean up when it is killed itself.
fn swept() {
    let mut run = start(UNTIL_STOPPED);
    let folder = run.folder.path().to_owned();
    let keeper = of_role(&folder, "keep");
    kill(keeper, Signal::SIGSTOP).expect("sent");
    run.signal(Signal::SIGKILL);
    kill(keeper, Signal::SIGKILL).expect("sent");
    run.child.wait().expect("ended");
    // The containers end with their keeper; what the exercise started runs on the host.
    let of_runner = |pid: &String| {
        fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|arguments| arguments.contains("__runner"))
    };
    within(Duration::from_secs(10), "the containers to end", || !processes(&folder).iter().any(of_runner));
    for pid in processes(&folder) {
        let _ = kill(Pid::from_raw(pid.parse().expect("a number")), Signal::SIGKILL);
    }
    assert_eq!(folders(&folder).len(), 1);

    let killed = run.pid();
    fs::remove_file(folder.join("up")).expect("removed");
    run.child = child(&folder, UNTIL_STOPPED);
    within(Duration::from_secs(60), "the exercise to run", || folder.join("up").exists());
    assert!(folders(&folder).iter().all(|name| !name.starts_with(&format!("tojimari-{killed}-"))));
    assert_eq!(cgroups(killed), Vec::<String>::new());
    run.signal(Signal::SIGINT);
    run.end(INTERRUPTED);
    nothing_left(&folder, run.pid());
}
