//! What lives only as long as the task should not be kept on EFS or the host.
//!
//! # What
//! EFS or a folder of the host, mounted for writing where programs keep what nobody needs after the
//! task: `/tmp`, `/run` and the like.
//!
//! # Why
//! What is left there outlives the task and is seen by the next one, and by every task that mounts
//! the same: pid files that stop a start, uploads of other users, tools of an attacker. It is slow,
//! too.
//!
//! # Exact test
//! Fails when a container mounts an EFS volume, an S3 Files volume or a host path for writing on
//! `/tmp`, `/var/tmp`, `/run`, `/var/run`, `/run/lock`, `/var/lock` or `/dev/shm`, or EFS or S3
//! Files on a folder in `/tmp` or `/var/tmp`. Sockets (`….sock`) and what has the same path on the
//! host are passed through, and pass. One verdict for each container.
//!
//! # Impact
//! None, unless containers or tasks exchange files there.
//!
//! # Default value
//! Nothing is mounted.
//!
//! # Fix
//! Use a tmpfs with a size, or an empty volume where two containers of the task share the folder.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! Other folders whose contents nobody needs, and volumes of Docker.

use tojimari_model::declared::{Container, TaskDefinition, VolumeSource};
use tojimari_model::{Field, Severity};

use crate::control::Control;
use crate::mounts::{Access, Source, mounts};
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;
use tojimari_ecs::path::{absolute, is_in};

pub const CONTROL: Control = Control {
    id: "TJ.17",
    slug: "persistent-writable-without-need",
    title: "What lives only as long as the task should not be kept on EFS or the host",
    severity: Severity::Low,
    level: 1,
    standards: &[],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(judge)
}

fn is_short_lived(path: &str) -> bool {
    ["/tmp", "/var/tmp", "/run", "/var/run", "/run/lock", "/var/lock", "/dev/shm"].contains(&path)
}

fn judge(task: &TaskDefinition, container: &Container) -> Verdict {
    let mut search = Search::new("what is kept where");
    for mount in mounts(task, container).each(&mut search) {
        let path = match mount.path {
            Field::Known(path, _) => absolute(path).unwrap_or_default(),
            Field::Unknown(reason, span) if mount.access != Access::ReadOnly => {
                search.note(reason, *span);
                continue;
            }
            _ => continue,
        };
        if mount.access == Access::ReadOnly
            || !is_short_lived(&path) && !is_in(&path, "/tmp") && !is_in(&path, "/var/tmp")
        {
            continue;
        }
        let source = match &mount.source {
            Source::Volume(volume) => &volume.source,
            Source::Unknown(reason) => {
                search.note(reason, mount.span);
                continue;
            }
            _ => continue,
        };
        let kind = match source {
            VolumeSource::Efs(_) => "EFS",
            VolumeSource::S3Files => "S3 Files",
            // What is passed in by a path of its own is wanted there.
            VolumeSource::Host { source_path } if !is_short_lived(&path) || is_passed_through(source_path, &path) => {
                continue;
            }
            VolumeSource::Host { .. } => "a folder of the host",
            _ => continue,
        };
        if let Access::Unknown(reason) = mount.access {
            search.note(&reason, mount.span);
            continue;
        }
        return Verdict::fail(mount.span, format!("{path} is kept on {kind}, where a tmpfs would serve"))
            .advise("use a tmpfs, or an empty volume where containers share the folder");
    }
    search.pass(container.head(), "nothing that is short-lived is kept")
}

/// A socket, or something that is at the same place on the host because both use it.
fn is_passed_through(source: &Field<String>, path: &str) -> bool {
    source.as_str().is_some_and(|source| {
        source.ends_with(".sock")
            || path.ends_with(".sock")
            || absolute(source).as_deref() == Some(path) && path != "/tmp"
    })
}

#[cfg(test)]
crate::cases::cases! {
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/tmp/nginx.conf"}],
        "in": {"volumes": [{"name": "v", "host": {"sourcePath": "./nginx.conf"}}]}, "as": "compose"}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/tmp"}], "in": {"volumes": [{"name": "v",
        "efsVolumeConfiguration": {"fileSystemId": "?"}}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/run/"}], "in": {"volumes": [{"name": "v",
        "host": {"sourcePath": "/srv/tmp"}}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/tmp/cache"}], "in": {"volumes": [{"name": "v",
        "s3filesVolumeConfiguration": {"fileSystemArn": "?"}}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/tmp", "readOnly": true}],
        "in": {"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "?"}}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/tmp"}], "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/data"}], "in": {"volumes": [{"name": "v",
        "efsVolumeConfiguration": {"fileSystemId": "?"}}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/var/run/docker.sock"}],
        "in": {"volumes": [{"name": "v", "host": {"sourcePath": "/var/run/docker.sock"}}]}}"#;
    pass: r#"{}"#;
    unknown: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "?"}], "in": {"volumes": [{"name": "v",
        "efsVolumeConfiguration": {"fileSystemId": "?"}}]}}"#;
    unknown: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/tmp"}], "in": {"volumes": "?"}}"#;
    unknown: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/tmp", "readOnly": "?"}],
        "in": {"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "?"}}]}}"#;
}
