//! Calls that strace does not decode, and roots and mounts that it does not know: what the tracer
//! has to see is written out here.

mod support;

use std::collections::BTreeSet;

use support::{Folder, Traced, compile, is_root, skip, trace};
use tojimari_evidence::profile::Operation;
use tojimari_tracer::{Config, Outcome};

/// Operation, path and mount point of each event but those that only prepare; the folder that the
/// program ran in is written `~`.
fn told(traced: &Traced, place: &str) -> BTreeSet<(Operation, String, String)> {
    let short = |bytes: &[u8]| bytes.escape_ascii().to_string().replace(place, "~");
    traced
        .events
        .iter()
        .map(|event| (event.operation, short(&event.path), short(&event.mount.point)))
        .filter(|(operation, path, _)| *operation != Operation::Mount || !path.starts_with("/old"))
        .collect()
}

fn expected(list: &[(Operation, &str, &str)]) -> BTreeSet<(Operation, String, String)> {
    list.iter().map(|(operation, path, mount)| (*operation, (*path).to_owned(), (*mount).to_owned())).collect()
}

#[test]
fn calls_that_strace_does_not_decode() {
    let Some(program) = compile("every_call") else { return };
    let folder = Folder::new();
    let place = folder.empty("place");
    let traced = trace(&program, &["new"], &place, Config::default());
    assert_eq!(traced.report.unresolved, 0);
    let seen: BTreeSet<(Operation, String)> = told(&traced, place.to_str().unwrap())
        .into_iter()
        .map(|(operation, path, _)| (operation, path))
        // The program's own number, and that of its descriptor.
        .filter(|(_, path)| !path.starts_with("/proc/"))
        .collect();
    let wanted = [
        (Operation::Mkdir, "~/folder"),
        (Operation::Create, "~/folder/in-root"),
        (Operation::Create, "~/fchmodat2"),
        (Operation::Chmod, "~/fchmodat2"),
        (Operation::Create, "~/fchmodat2-self"),
        (Operation::Chmod, "~/fchmodat2-self"),
        (Operation::Create, "~/setxattrat"),
        (Operation::SetXattr, "~/setxattrat"),
        (Operation::Create, "~/setxattrat-self"),
        (Operation::SetXattr, "~/setxattrat-self"),
        (Operation::Create, "~/folder/removexattrat"),
        (Operation::RemoveXattr, "~/folder/removexattrat"),
        (Operation::Create, "~/file_setattr"),
        (Operation::SetFlags, "~/file_setattr"),
        (Operation::Create, "~/by-handle"),
        (Operation::Create, "~/page-end"),
        (Operation::Symlink, "~/own-folder"),
        (Operation::Create, "~/folder/through-proc"),
        (Operation::Create, "~/through-descriptor"),
        (Operation::OpenWrite, "~/through-descriptor"),
        (Operation::Create, "~/folder/in-folder"),
        (Operation::Mkdir, "~/gone"),
        (Operation::Rmdir, "~/gone"),
        (Operation::Create, "~/gone/in-gone"),
        (Operation::Mkdir, "~/in-gone"),
    ];
    let mut wanted: BTreeSet<_> = wanted.iter().map(|(operation, path)| (*operation, (*path).to_owned())).collect();
    // A handle opens for root alone, and not on every file system.
    let handle = (Operation::OpenWrite, "~/by-handle".to_owned());
    if seen.contains(&handle) {
        wanted.insert(handle);
    } else if is_root() {
        skip("file handles do not work on this file system");
    }
    assert_eq!(seen, wanted);
    let of_proc: Vec<_> = traced.events.iter().filter(|event| event.path.starts_with(b"/proc/")).collect();
    assert_eq!(of_proc.len(), 2, "{of_proc:#?}");
    assert!(of_proc.iter().all(|event| event.mount.point == b"/proc" && event.outcome == Outcome::Success));
    let own = format!("/proc/{}/comm", of_proc[0].pid);
    assert_eq!(of_proc[0].path, own.as_bytes());
}

#[test]
fn roots_and_mounts() {
    if !is_root() {
        return skip("mounts need root");
    }
    let Some(program) = compile("every_call") else { return };
    let folder = Folder::new();
    let place = folder.empty("place");
    let traced = trace(&program, &["mounts"], &place, Config::default());
    assert_eq!(traced.report.unresolved, 0);
    // What lies below the temporary folder's own mount.
    let outer = traced.one("folder").mount.point.escape_ascii().to_string();
    let outer = outer.as_str();
    let seen = told(&traced, place.to_str().unwrap());
    let wanted = expected(&[
        (Operation::Mkdir, "~/folder", outer),
        (Operation::Mount, "/", "/"),
        (Operation::Mkdir, "~/mounted", outer),
        (Operation::Mount, "~/mounted", outer),
        (Operation::Create, "~/mounted/in-mount", "~/mounted"),
        (Operation::Mount, "~/mounted", "~/mounted"),
        (Operation::Create, "~/mounted/in-read-only-mount", "~/mounted"),
        (Operation::Create, "~/mounted/below-mount", outer),
        (Operation::Mkdir, "~/jail", outer),
        (Operation::Mkdir, "~/jail/inner", outer),
        (Operation::Create, "~/jail/in-jail", outer),
        (Operation::Create, "~/jail/in-jail-too", outer),
        (Operation::Symlink, "~/jail/link", outer),
        (Operation::Create, "~/jail/inner/through-link", outer),
        (Operation::Create, "~/jail/inner/relative", outer),
        (Operation::Create, "~/jail/relative-above", outer),
        (Operation::Create, "~/outside-jail", outer),
        (Operation::Mount, "~/jail", outer),
        (Operation::Mkdir, "~/jail/old", "~/jail"),
        (Operation::Mount, "~/jail", "~/jail"),
        (Operation::Create, "/in-new-root", "/"),
        (Operation::Create, "/in-new-root-alone", "/"),
    ]);
    let (missed, invented): (Vec<_>, Vec<_>) = (wanted.difference(&seen).collect(), seen.difference(&wanted).collect());
    assert!(missed.is_empty() && invented.is_empty(), "missed {missed:#?}\ninvented {invented:#?}");
    let refused = traced.one("in-read-only-mount");
    assert!(refused.mount.read_only && !refused.would_break);
    assert_eq!(refused.outcome, Outcome::Errno(libc::EROFS));
}
