//! Folders that give power over the host should not be mounted into containers.
//!
//! # What
//! A volume with a `host.sourcePath`, or a bind mount of Compose, puts a folder of the host into
//! the container.
//!
//! # Why
//! Whoever may talk to `docker.sock` starts a privileged container. `/`, `/etc`, `/proc`, `/sys`,
//! `/var/lib/docker` and the like show or change the host and the other containers on it.
//!
//! # Exact test
//! Fails when a container mounts from the host `/`, the socket of a container engine, or anything
//! in `/bin`, `/boot`, `/dev`, `/etc`, `/lib`, `/lib32`, `/lib64`, `/proc`, `/root`, `/run`,
//! `/sbin`, `/sys`, `/usr`, `/var/run`, `/var/spool/cron`, the folders of container engines,
//! kubelet, the ECS agent and cloud-init in `/var/lib`, or `/home`, `/var` and `/var/lib`
//! themselves, or `~/.ssh`, `~/.aws` and `~/.docker`. Read-only mounts fail too, but for the
//! clock's settings (`/etc/localtime`, `/etc/timezone`, `/usr/share/zoneinfo`) and certificates
//! (`/etc/ssl/certs`, `/etc/pki`). One verdict for each container.
//!
//! # Impact
//! Agents that watch the host (logs, metrics, security) need some of these, and can be waived by
//! name.
//!
//! # Default value
//! Nothing of the host is mounted.
//!
//! # Fix
//! Use an empty volume, EFS or EBS for data; the ECS task metadata endpoint for facts about the
//! task; a log driver for logs. Fargate refuses host paths.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! Symbolic links on the host, devices under `linuxParameters.devices`, and folders of the host
//! that a privileged container mounts by itself.

use tojimari_model::declared::{Container, TaskDefinition, VolumeSource};
use tojimari_model::value::Part;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::host::{Danger, danger};
use crate::mounts::{Access, Source, mounts};
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.11",
    slug: "host-path-mounted",
    title: "Folders that give power over the host should not be mounted into containers",
    severity: Severity::High,
    level: 1,
    standards: &[Standard::CisDocker160("5.6"), Standard::CisDocker160("5.32")],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(judge)
}

fn judge(task: &TaskDefinition, container: &Container) -> Verdict {
    let mut search = Search::new("what is mounted of the host");
    for mount in mounts(task, container).each(&mut search) {
        let source = match mount.source {
            Source::Volume(volume) => &volume.source,
            Source::Unknown(reason) => {
                search.note(&reason, mount.span);
                continue;
            }
            _ => continue,
        };
        let VolumeSource::Host { source_path } = source else { continue };
        let read_only = mount.access == Access::ReadOnly;
        let path = match source_path {
            Field::Known(path, _) => path.clone(),
            Field::Unknown(reason, span) => match reason.parts() {
                // What follows lies in the folder that the path begins with.
                [Part::Known(start), ..] if start.matches('/').count() > 1 => start.to_string(),
                _ => {
                    search.note(reason, *span);
                    continue;
                }
            },
            Field::Absent => continue,
        };
        let words = match danger(&path, read_only) {
            Some(Danger::Engine) => format!("{path} gives the container power over every container of the host"),
            Some(Danger::Folder) => format!("{path} of the host is mounted"),
            None => continue,
        };
        return Verdict::fail(mount.span, words).advise("mount nothing of the host, or only a folder made for it");
    }
    search.pass(container.head(), "nothing dangerous of the host is mounted")
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "/var/run/docker.sock"}}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x", "readOnly": true}],
        "in": {"volumes": [{"name": "v", "host": {"sourcePath": "/etc/nginx"}}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "/"}}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "/proc/"}}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "/var/lib/docker/volumes"}}]}, "as": "compose"}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "~/.ssh"}}]}, "as": "compose"}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "/etc/app/+?"}}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x", "readOnly": true}],
        "in": {"volumes": [{"name": "v", "host": {"sourcePath": "/etc/localtime"}}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "/etc/localtime"}}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "/srv/data"}}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "./data"}}]}, "as": "compose"}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "/etcetera"}}]}}"#;
    pass: r#"{}"#;
    unknown: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "?"}}]}}"#;
    unknown: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/x"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "?+/data"}}]}}"#;
    pass: r#"{"in": {"volumes": [{"name": "unused", "host": {"sourcePath": "/etc"}}]}}"#;
}
