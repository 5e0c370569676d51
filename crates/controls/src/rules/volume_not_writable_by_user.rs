//! A user that is not root should be able to write to the volumes mounted for it.
//!
//! # What
//! An empty volume belongs to root with mode 0755. A container whose `user` is not root cannot
//! write to it.
//!
//! # Why
//! The program fails with EACCES where a read-only root was meant to leave it a place: at start, or
//! with the first upload.
//!
//! # Exact test
//! A container whose `user` is not root fails when it mounts an empty volume for writing and
//! nothing in the task definition gives it the right: no other container that mounts the same
//! volume for writing, runs as root, and that it depends on with COMPLETE or SUCCESS. Volumes that
//! are configured at launch (EBS), EFS, host paths and volumes of Docker do not count. Where the
//! user or the mount points are not known it is unknown.
//!
//! # Impact
//! An init container that prepares the volume runs as root and fails ECS.20; an image with a
//! `VOLUME` does not.
//!
//! # Default value
//! Owner root, mode 0755.
//!
//! # Fix
//! In this order: create the folder in the image, give it to the user, and declare it as `VOLUME`
//! at exactly the mounted path, from where ECS copies owner and mode; or use a tmpfs with `uid`,
//! `gid` and `mode`; or an EFS access point; or an init container that runs `chown` and is
//! read-only itself.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! The image: one that declares a `VOLUME` at that path and gives it to the user works, and the
//! finding may be waived. On EC2 Docker copies the owner of a folder that exists in the image.

use tojimari_model::declared::{Container, TaskDefinition, Volume, VolumeSource};
use tojimari_model::{Field, Severity};

use crate::control::Control;
use crate::mounts::{Access, Source, mounts};
use crate::search::Search;
use crate::subject::Subject;
use crate::user::{Root, linux_root};
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.6",
    slug: "volume-not-writable-by-user",
    title: "A user that is not root should be able to write to the volumes mounted for it",
    severity: Severity::Medium,
    level: 1,
    standards: &[],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(judge)
}

fn judge(task: &TaskDefinition, container: &Container) -> Verdict {
    let open_user = match linux_root(&container.user, container.head()) {
        Root::Yes(span, _) => return Verdict::pass(span, "the user is root, or that of the image"),
        Root::No(_) => None,
        Root::Unknown(reason, span) => Some(("user", reason, span)),
    };
    let mut search = Search::new("the mounts");
    for mount in mounts(task, container).each(&mut search) {
        let volume = match (mount.access, mount.source) {
            (Access::ReadOnly, _) | (_, Source::Tmpfs | Source::Anonymous | Source::Undeclared) => continue,
            (_, Source::Unknown(reason)) => {
                search.note_of("a volume", &reason, mount.span);
                continue;
            }
            (Access::Unknown(reason), _) => {
                search.note_of("readOnly", &reason, mount.span);
                continue;
            }
            (Access::Writable, Source::Volume(volume)) => volume,
        };
        let is_empty = matches!(volume.source, VolumeSource::Empty)
            && !matches!(volume.configured_at_launch, Field::Known(true, _));
        if !is_empty || is_prepared(task, container, volume) {
            continue;
        }
        let Some((what, reason, span)) = open_user else {
            let path = mount.path.as_str().unwrap_or("a path");
            return Verdict::fail(
                mount.span,
                format!("the user cannot write to {path}: an empty volume belongs to root"),
            )
            .advise("use a tmpfs with uid, gid and mode, or declare a VOLUME in the image that belongs to the user");
        };
        return Verdict::unknown(span, what, reason);
    }
    search.pass(container.head(), "no empty volume is mounted that the user could not write to")
}

/// Another container that runs as root mounts the volume and has ended before this one starts.
fn is_prepared(task: &TaskDefinition, container: &Container, volume: &Volume) -> bool {
    container.depends_on.iter().any(|dependency| {
        let ended = matches!(dependency.condition.as_str(), Some("COMPLETE" | "SUCCESS"));
        let other = dependency.container_name.as_str().and_then(|name| task.container(name));
        ended
            && other.is_some_and(|other| {
                matches!(linux_root(&other.user, other.span), Root::Yes(..))
                    && other.mount_points.iter().any(|point| {
                        point.source_volume.as_str() == volume.name.as_str()
                            && !matches!(point.read_only, Field::Known(true, _))
                    })
            })
    })
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"user": "1000", "mountPoints": [{"sourceVolume": "v", "containerPath": "/data"}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    fail: r#"{"user": "app:root", "mountPoints": [{"sourceVolume": "v", "containerPath": "/data"}],
        "in": {"volumes": [{"name": "v", "host": {}}]}}"#;
    pass: r#"{"user": "0", "mountPoints": [{"sourceVolume": "v", "containerPath": "/data"}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/data"}], "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"user": "1000"}"#;
    pass: r#"{"user": "1000", "mountPoints": [{"sourceVolume": "v", "containerPath": "/data", "readOnly": true}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"user": "1000", "mountPoints": [{"sourceVolume": "v", "containerPath": "/data"}],
        "in": {"volumes": [{"name": "v", "configuredAtLaunch": true}]}}"#;
    pass: r#"{"user": "1000", "mountPoints": [{"sourceVolume": "v", "containerPath": "/data"}],
        "in": {"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "?"}}]}}"#;
    unknown: r#"{"user": "?", "mountPoints": [{"sourceVolume": "v", "containerPath": "/data"}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"user": "?"}"#;
    unknown: r#"{"user": "1000", "mountPoints": [{"sourceVolume": "v", "containerPath": "/data"}],
        "in": {"volumes": "?"}}"#;
    unknown: r#"{"user": "1000", "mountPoints": "?", "in": {"volumes": [{"name": "v"}]}}"#;
}
