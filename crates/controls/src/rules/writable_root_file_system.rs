//! Containers should be limited to read-only access to their root file system.
//!
//! # What
//! With `readonlyRootFilesystem` a container can write only where something writable is mounted.
//!
//! # Why
//! An attacker in such a container cannot replace programs, drop tools or leave anything behind
//! in the image's folders, and a program cannot drift away from its image.
//!
//! # Exact test
//! Fails when `readonlyRootFilesystem` is false or absent in a container definition. Not applicable
//! when `runtimePlatform.operatingSystemFamily` is a `WINDOWS_SERVER` one. One verdict for each
//! container.
//!
//! # Impact
//! Every write outside of a mount gets EROFS: pid files, sockets, caches, `/tmp`, config files that
//! an entry point rewrites. A program may refuse to start. ECS Exec needs `/var/lib/amazon` and
//! `/var/log/amazon` writable (see TJ.3).
//!
//! # Default value
//! `readonlyRootFilesystem` is false.
//!
//! # Fix
//! Find what the container writes (`tojimari trace`), mount a tmpfs or an empty volume there, and
//! set `readonlyRootFilesystem` to true; `tojimari harden` does all of it and proves the result.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! Writable mounts over folders of programs (see TJ.16), running tasks of older revisions, all but
//! the latest active revision, and sidecars that AWS adds by itself.

use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::platform::windows;
use crate::subject::{Subject, container_name};
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.5",
    slug: "writable-root-file-system",
    title: "Containers should be limited to read-only access to their root file system",
    severity: Severity::High,
    level: 1,
    standards: &[
        Standard::Fsbp,
        Standard::Nist80053(&["AC-2(1)", "AC-3", "AC-3(15)", "AC-3(7)", "AC-5", "AC-6"]),
        Standard::CisAwsCompute110("3.5"),
        Standard::CisDocker160("5.13"),
        Standard::CisControls8(&["3.4", "6.7", "6.8", "14.6"]),
    ],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(|task, container| {
        let remedy = || Remedy::ReadOnlyRoot { container: container_name(task, container) };
        let verdict = match &container.readonly_root_filesystem {
            Field::Known(true, span) => return Verdict::pass(*span, "readonlyRootFilesystem is true"),
            Field::Absent => Verdict::fail(container.head(), "readonlyRootFilesystem is not set").with_remedy(remedy()),
            Field::Known(false, span) => Verdict::fail(*span, "readonlyRootFilesystem is false").with_remedy(remedy()),
            Field::Unknown(reason, span) => Verdict::unknown(*span, "readonlyRootFilesystem", reason),
        };
        windows(task).unless_linux(verdict, "a Windows container has no read-only root file system")
    })
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{}"#;
    fail: r#"{"image": "?", "readonlyRootFilesystem": false}"#;
    fail: r#"{"readonlyRootFilesystem": "false"}"#;
    fail: r#"{"readonlyRootFilesystem": null}"#;
    fail: r#"{"as": "daemon"}"#;
    pass: r#"{"readonlyRootFilesystem": true}"#;
    unknown: r#"{"readonlyRootFilesystem": "?"}"#;
    unknown: r#"{"in": {"runtimePlatform": {"operatingSystemFamily": "?"}}}"#;
    pass: r#"{"readonlyRootFilesystem": true, "in": {"runtimePlatform": {"operatingSystemFamily": "LINUX"}}}"#;
    not_applicable: r#"{"in": {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}}"#;
}
