//! A tmpfs should be mounted noexec, nosuid and nodev.
//!
//! # What
//! The `mountOptions` of a tmpfs say whether programs can be run from it, whether set-user-id bits
//! count, and whether device files work.
//!
//! # Why
//! A writable folder under a read-only root is where an attacker drops a program. With `noexec` it
//! cannot be started from there.
//!
//! # Exact test
//! Fails when a tmpfs of a container lacks `noexec`, `nosuid` or `nodev`, or takes one back with a
//! later `exec`, `suid`, `dev` or `defaults`. What Fargate mounts without options is not published:
//! absent fails. A tmpfs of a Compose service has all three by Docker's own default, and fails only
//! when it takes one back.
//!
//! # Impact
//! Programs that unpack libraries or scripts to the folder and run them there fail: JNA and Netty
//! in Java, some PHP and Python installers. Point those to a folder of their own.
//!
//! # Default value
//! Docker's `--tmpfs` mounts noexec, nosuid and nodev; the default of ECS is not published.
//!
//! # Fix
//! Set `mountOptions` to `noexec`, `nosuid`, `nodev`, and `mode`, `uid` and `gid` as the user
//! needs.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! Empty volumes, which take no options at all, and running an interpreter with a file from the
//! folder, which `noexec` does not stop.

use std::sync::Arc;

use tojimari_model::declared::{TaskKind, Tmpfs};
use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::Control;
use crate::search::Search;
use crate::subject::{Subject, container_name};
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.7",
    slug: "tmpfs-without-noexec",
    title: "A tmpfs should be mounted noexec, nosuid and nodev",
    severity: Severity::Medium,
    level: 1,
    standards: &[],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(|task, container| {
        let linux = match &container.linux_parameters {
            Field::Known(linux, _) => linux,
            Field::Absent => return Verdict::pass(container.head(), "there is no tmpfs"),
            Field::Unknown(reason, span) => return Verdict::unknown(*span, "linuxParameters", reason),
        };
        let mut search = Search::new("the options of a tmpfs");
        for tmpfs in search.each(&linux.tmpfs) {
            let missing = missing(tmpfs, task.kind == TaskKind::ComposeService);
            if missing.is_empty() {
                continue;
            }
            let unknown = tmpfs.mount_options.iter().find_map(|option| option.unknown());
            let rest = tmpfs.mount_options.rest.as_ref().map(|(reason, span)| (reason, *span));
            if let Some((reason, span)) = unknown.or(rest) {
                search.note(reason, span);
                continue;
            }
            let path = tmpfs.container_path.as_str().unwrap_or("?");
            return Verdict::fail(tmpfs.span, format!("the tmpfs {path} is mounted without {}", missing.join(", ")))
                .with_remedy(Remedy::TmpfsOptions {
                    container: container_name(task, container),
                    path: path.into(),
                    options: missing.into_iter().map(Arc::from).collect(),
                });
        }
        search.pass(container.head(), "every tmpfs is noexec, nosuid and nodev")
    })
}

/// Which of the three options a tmpfs lacks. The last of an option and its opposite holds.
fn missing(tmpfs: &Tmpfs, by_default: bool) -> Vec<&'static str> {
    [("noexec", "exec"), ("nosuid", "suid"), ("nodev", "dev")]
        .into_iter()
        .filter(|(wanted, opposite)| {
            let last = tmpfs.mount_options.iter().rev().find_map(|option| match option.as_str() {
                Some(option) if option == *wanted => Some(true),
                Some(option) if option == *opposite || option == "defaults" => Some(false),
                _ => None,
            });
            !last.unwrap_or(by_default)
        })
        .map(|(wanted, _)| wanted)
        .collect()
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64}]}}"#;
    fail: r#"{"linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64, "mountOptions": ["noexec",
        "nosuid"]}]}}"#;
    fail: r#"{"linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64, "mountOptions": ["noexec",
        "nosuid", "nodev", "exec"]}]}}"#;
    pass: r#"{"linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64, "mountOptions": ["noexec",
        "nosuid", "nodev", "mode=1777"]}]}}"#;
    pass: r#"{"linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64, "mountOptions": ["?...", "noexec",
        "nosuid", "nodev"]}]}}"#;
    pass: r#"{}"#;
    pass: r#"{"linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64}]}, "as": "compose"}"#;
    fail: r#"{"linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64, "mountOptions": ["exec"]}]},
        "as": "compose"}"#;
    unknown: r#"{"linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64, "mountOptions": ["noexec",
        "?..."]}]}}"#;
    unknown: r#"{"linuxParameters": {"tmpfs": "?"}}"#;
    unknown: r#"{"linuxParameters": "?"}"#;
}
