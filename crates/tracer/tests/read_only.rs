//! What the tracer says that a read-only mount would refuse is what the kernel refuses there.

mod support;

use std::path::Path;

use support::{Folder, Traced, compile, is_root, skip, tool, trace};
use tojimari_tracer::{Config, Outcome, Outcomes};

/// Runs a program twice in one folder of a file system of its own: writable, then read-only.
fn run_twice(place: &Path, program: &Path, part: &str) -> Option<Traced> {
    let unshare = tool("unshare")?;
    let script = "mount -t tmpfs none . && cd \"$PWD\" && \"$0\" \"$1\" \
                  && mount -o remount,ro . && cd \"$PWD\" && exec \"$0\" \"$1\"";
    let words = ["-m", "sh", "-c", script, program.to_str()?, part];
    let config = Config { outcomes: Outcomes::Always, ..Config::default() };
    Some(trace(&unshare, &words, place, config))
}

#[test]
fn the_verdict_is_the_kernels() {
    if !is_root() {
        return skip("a mount needs root");
    }
    let folder = Folder::new();
    let Some(program) = compile("every_call") else { return };
    for (part, least) in [("old", 60), ("wide", 30)] {
        if part == "wide" && !cfg!(target_arch = "x86_64") {
            continue;
        }
        let place = folder.empty("place");
        let Some(traced) = run_twice(&place, &program, part) else { return };
        let read_only = || traced.events.iter().filter(|event| event.mount.read_only && event.mount.point != b"/");
        let refused = read_only().filter(|event| event.refused_if_read_only).count();
        assert!(refused >= least, "{part}: {refused}");
        let wrong: Vec<_> = read_only()
            .filter(|event| event.refused_if_read_only != (event.outcome == Outcome::Errno(libc::EROFS)))
            .collect();
        assert!(wrong.is_empty(), "{part}: {wrong:#?}");
        assert!(read_only().all(|event| !event.would_break || event.outcome == Outcome::Success));
    }
}
