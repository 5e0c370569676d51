//! How the parts of a task definition fit together: counts, references from one part to another,
//! and what must be there.

use tojimari_ecs::Platform;
use tojimari_model::declared::{Container, EfsVolume, TaskDefinition, TaskKind, VolumeSource};
use tojimari_model::{Field, List};

use super::{About, Notes, containers};
use crate::mounts::open_name;

const MAX_CONTAINERS: usize = 10;
const MAX_BYTES: usize = 64 * 1024;
const MAX_TAGS: usize = 50;
const MAX_ENVIRONMENT_FILES: usize = 10;

pub fn look(task: &TaskDefinition, notes: &mut Notes) {
    let count = task.containers.items.len();
    if count > MAX_CONTAINERS {
        notes.refuse(
            None,
            task.containers.items[MAX_CONTAINERS].head(),
            format!("there are {count} containers, and 10 are the most"),
        );
    }
    if count == 0 && task.containers.rest.is_none() {
        notes.refuse(None, task.containers.span.unwrap_or(task.span), "there is no container");
    }
    if let Some((reason, span)) = &task.containers.rest {
        notes.leave_open(None, "the containers", (reason, *span));
    }
    if task.least_size > MAX_BYTES {
        let size = task.least_size;
        notes.refuse(None, task.span, format!("the definition takes {size} bytes, and 65536 are the most"));
    }
    if task.tags.items.len() > MAX_TAGS {
        notes.refuse(None, task.tags.span.unwrap_or(task.span), "there are more than 50 tags");
    }
    let not_essential = |container: &Container| matches!(container.essential, Field::Known(false, _));
    if count > 0 && task.containers.rest.is_none() && task.containers.iter().all(not_essential) {
        notes.refuse(None, task.containers.span.unwrap_or(task.span), "no container is essential");
    }
    for volume in &task.volumes {
        if let VolumeSource::Efs(efs) = &volume.source {
            efs_volume(efs, notes);
        }
    }
    for (about, container) in containers(task) {
        one(task, about, container, notes);
    }
}

fn one(task: &TaskDefinition, about: About, container: &Container, notes: &mut Notes) {
    if container.name.is_absent() {
        notes.refuse(about, container.span, "the container has no name");
    }
    if container.image.is_absent() {
        notes.refuse(about, container.head(), "the container has no image");
    }
    memory(task, about, container, notes);
    for point in &container.mount_points {
        match &point.source_volume {
            Field::Absent => notes.refuse(about, point.span, "a mount point names no volume"),
            Field::Unknown(..) => {}
            Field::Known(name, span) => {
                if task.volumes.iter().any(|volume| volume.name.as_str() == Some(name)) {
                    continue;
                }
                match open_name(&task.volumes) {
                    Some(reason) => notes.leave_open(about, "the names of the volumes", (&reason, *span)),
                    None => notes.refuse(about, *span, format!("the volume {name} is not declared")),
                }
            }
        }
        if point.container_path.is_absent() {
            notes.refuse(about, point.span, "a mount point has no containerPath");
        }
    }
    for from in &container.volumes_from {
        refers(task, about, "volumesFrom", &from.source_container, notes);
    }
    for dependency in &container.depends_on {
        refers(task, about, "dependsOn", &dependency.container_name, notes);
        let (Field::Known(name, span), Some(condition)) = (&dependency.container_name, dependency.condition.as_str())
        else {
            continue;
        };
        if container.name.as_str() == Some(name) {
            notes.refuse(about, *span, "a container cannot depend on itself");
        }
        let Some(other) = task.container(name) else { continue };
        // Essential is what is not said to be otherwise.
        let essential = matches!(other.essential, Field::Absent | Field::Known(true, _));
        match condition {
            "COMPLETE" | "SUCCESS" if essential => {
                notes.refuse(about, *span, format!("{condition} cannot be asked of {name}, which is essential"));
            }
            "HEALTHY" if other.health_check.is_absent() => {
                notes.refuse(about, *span, format!("HEALTHY cannot be asked of {name}, which has no healthCheck"));
            }
            _ => {}
        }
    }
    if container.environment_files.items.len() > MAX_ENVIRONMENT_FILES {
        notes.refuse(
            about,
            container.environment_files.span.unwrap_or(container.span),
            "there are more than 10 environmentFiles",
        );
    }
    network(task, about, container, notes);
}

/// A reference to another container.
fn refers(task: &TaskDefinition, about: About, what: &str, name: &Field<String>, notes: &mut Notes) {
    let Field::Known(name, span) = name else { return };
    let open = task.containers.rest.is_some() || task.containers.iter().any(|other| other.name.unknown().is_some());
    if task.container(name).is_none() && !open {
        notes.refuse(about, *span, format!("{what} names {name}, and there is no such container"));
    }
}

/// The task or the container must say how much memory there is.
fn memory(task: &TaskDefinition, about: About, container: &Container, notes: &mut Notes) {
    if task.memory.is_absent() && container.memory.is_absent() && container.memory_reservation.is_absent() {
        let fargate = task.platforms().any(|platform| platform == Platform::Fargate);
        // On Fargate it is the size of the task that is missing, which is said there.
        if !fargate && task.kind == TaskKind::TaskDefinition && task.requires_compatibilities.rest.is_none() {
            notes.refuse(about, container.head(), "neither the task nor the container says how much memory there is");
        }
    }
    if let (Some(hard), Field::Known(soft, span)) = (container.memory.known(), &container.memory_reservation)
        && soft > hard
    {
        notes.refuse(about, *span, "memoryReservation is more than memory");
    }
}

/// What a network mode does not take.
fn network(task: &TaskDefinition, about: About, container: &Container, notes: &mut Notes) {
    let Some(mode) = task.network_mode.as_str() else { return };
    let list = |list: &List<Field<String>>| list.items.first().and(list.span);
    if mode == "awsvpc" {
        let used = [
            ("links", list(&container.links)),
            ("hostname", container.hostname.span()),
            ("extraHosts", container.extra_hosts.items.first().and(container.extra_hosts.span)),
        ];
        for (name, span) in used {
            if let Some(span) = span {
                notes.refuse(about, span, format!("networkMode awsvpc does not take {name}"));
            }
        }
    }
    if mode == "none"
        && let Some(span) = container.port_mappings.items.first().and(container.port_mappings.span)
    {
        notes.refuse(about, span, "networkMode none does not take portMappings");
    }
    for mapping in &container.port_mappings {
        if let (Some(inner), Field::Known(outer, span)) = (mapping.container_port.known(), &mapping.host_port)
            && matches!(mode, "awsvpc" | "host")
            && *outer != 0
            && inner != outer
        {
            notes.refuse(about, *span, format!("with networkMode {mode} hostPort must be the same as containerPort"));
        }
    }
}

fn efs_volume(efs: &EfsVolume, notes: &mut Notes) {
    let encrypted = match &efs.transit_encryption {
        Field::Known(value, _) => Some(value == "ENABLED"),
        Field::Absent => Some(false),
        Field::Unknown(..) => None,
    };
    if encrypted == Some(false) {
        if let Field::Known(iam, span) = &efs.iam
            && iam == "ENABLED"
        {
            notes.refuse(None, *span, "IAM authorisation of EFS needs transitEncryption ENABLED");
        }
        if let Some(span) = efs.access_point_id.span() {
            notes.refuse(None, span, "an access point of EFS needs transitEncryption ENABLED");
        }
    }
    if let (false, Field::Known(root, span)) = (efs.access_point_id.is_absent(), &efs.root_directory)
        && !matches!(root.as_str(), "" | "/")
    {
        notes.refuse(None, *span, "with an access point of EFS rootDirectory must be / or absent");
    }
}
