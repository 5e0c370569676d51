//! Volumes should have a name.
//!
//! # What
//! Where an image declares a `VOLUME` or Compose a volume without a source, and nothing names it,
//! Docker makes a volume with a random name for every container.
//!
//! # Why
//! Outside of Fargate such volumes stay behind, with their data, until somebody prunes them; and
//! they are writable even under a read-only root.
//!
//! # Exact test
//! A container of a Compose service fails when it mounts a volume without a source. A Dockerfile
//! with a `VOLUME` passes when something in the same files mounts that path; else it is unknown,
//! because what runs the image is not in them. A mount point of a task definition without
//! `sourceVolume` is refused by ECS, and judged by TJ.5.
//!
//! # Impact
//! None.
//!
//! # Default value
//! Docker makes the volume by itself.
//!
//! # Fix
//! Name the volume in Compose, or use a tmpfs; mount an empty volume or a tmpfs at the path of the
//! `VOLUME` in the task definition. On Fargate that also says who owns it.
//!
//! # Back out
//! Take the name away again. Data stays in the volume that had it.
//!
//! # Does not see
//! Volumes that the base image declares.

use tojimari_model::declared::{ImageBuild, TaskKind};
use tojimari_model::{Declared, Field, Severity};

use crate::control::Control;
use crate::mounts::{Source, mounts};
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;
use tojimari_ecs::path::absolute;

pub const CONTROL: Control = Control {
    id: "TJ.15",
    slug: "anonymous-volume",
    title: "Volumes should have a name",
    severity: Severity::Low,
    level: 1,
    standards: &[],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    if let Some(build) = on.image_build() {
        return vec![of_build(on, build)];
    }
    if on.task().is_none_or(|task| task.kind != TaskKind::ComposeService) {
        return Vec::new();
    }
    on.containers(|task, container| {
        let mut search = Search::new("the volumes");
        let mounts = mounts(task, container).each(&mut search);
        if let Some(mount) = mounts.iter().find(|mount| matches!(mount.source, Source::Anonymous)) {
            let path = mount.path.as_str().unwrap_or("?");
            return Verdict::fail(mount.span, format!("the volume at {path} has no name"))
                .advise("name the volume, or use a tmpfs");
        }
        search.pass(container.head(), "every volume has a name")
    })
}

fn of_build(on: &Subject<'_>, build: &ImageBuild) -> Verdict {
    let mounted: Vec<String> = on
        .others()
        .filter_map(|other| match &other.declared {
            Declared::TaskDefinition(task) => Some(task),
            _ => None,
        })
        .flat_map(|task| task.containers.iter().flat_map(move |container| mounts(task, container).known()))
        .filter(|mount| !matches!(mount.source, Source::Anonymous))
        .filter_map(|mount| absolute(mount.path.as_str()?))
        .collect();
    for volume in &build.volumes {
        match volume {
            Field::Known(path, span) if absolute(path).is_none_or(|path| !mounted.contains(&path)) => {
                let what = format!("whether something is mounted at the VOLUME {path}");
                return Verdict::unknown(*span, what, "what runs the image is not in these files");
            }
            Field::Unknown(reason, span) => return Verdict::unknown(*span, "VOLUME", reason),
            _ => {}
        }
    }
    match &build.volumes.rest {
        Some((reason, span)) => Verdict::unknown(*span, "VOLUME", reason),
        None => Verdict::pass(on.head(), "the image declares no VOLUME that nothing names"),
    }
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"mountPoints": [{"containerPath": "/data"}], "as": "compose"}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/data"}], "in": {"volumes": [{"name": "v"}]},
        "as": "compose"}"#;
    pass: r#"{"as": "compose"}"#;
    unknown: r#"{"mountPoints": "?", "as": "compose"}"#;
    pass: r#"[{"build": {}}]"#;
    unknown: r#"[{"build": {"volumes": ["/data"]}}]"#;
    unknown: r#"[{"build": {"volumes": ["?"]}}]"#;
}
