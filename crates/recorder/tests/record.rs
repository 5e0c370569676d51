//! A real program is recorded from its start to its end, and its recording becomes a profile.

use tojimari_evidence::profile::{FileKind, Operation};
use tojimari_recorder::{Gatherer, Recording, denied, doubts, paths};
use tojimari_tracer::{Command, Config, Exit};

fn record(script: &str, folder: &std::path::Path) -> Recording {
    let command = Command::new("/bin/sh").argument("-c").argument(script).working_directory(folder);
    let (session, records) = tojimari_tracer::spawn(command, Config::default()).expect("started");
    let mut gatherer = Gatherer::new("/".as_ref());
    gatherer.receive(&records);
    gatherer.finish(session.wait().expect("a report"))
}

#[test]
fn what_a_program_writes_is_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().canonicalize().expect("a path");
    let recording = record("printf 12345 >kept; mkdir -p made/deep; printf x >gone; rm gone; exit 3", &folder);
    assert_eq!(recording.report.exit, Exit::Code(3));
    assert!(recording.began.is_some());
    let path = |name: &str| {
        let path = format!("{}/{name}", folder.display());
        recording.paths.iter().find(|recorded| recorded.path == path).unwrap_or_else(|| panic!("{path}: {recording:?}"))
    };
    let kept = path("kept");
    assert_eq!((kept.kind, kept.bytes, kept.present_at_end), (FileKind::File, 5, true));
    assert!(kept.operations.keys().any(|operation| matches!(operation, Operation::Create | Operation::Truncate)));
    assert!(path("made/deep").operations.contains_key(&Operation::Mkdir));
    let gone = path("gone");
    assert!(gone.operations.contains_key(&Operation::Unlink) && !gone.present_at_end);
    assert!(kept.first <= gone.last);
}

#[test]
fn a_recording_survives_being_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut recording = record("echo 1 >a", folder.path());
    // The last digit of a fraction need not survive.
    recording.report.busy = 0.5;
    let json = serde_json::to_string(&recording).expect("JSON");
    let read: Recording = serde_json::from_str(&json).expect("a recording");
    assert_eq!(serde_json::to_string(&read).expect("JSON"), json);
    let image = tempfile::tempdir().expect("a folder");
    assert_eq!(paths(&[&read], image.path()), paths(&[&recording], image.path()));
    assert!(denied(&[&read], true).is_empty());
    // Without CAP_SYS_ADMIN setuid programs do not elevate, which is said.
    assert_eq!(doubts("app", &[&read]).len(), usize::from(read.report.no_new_privileges));
}
