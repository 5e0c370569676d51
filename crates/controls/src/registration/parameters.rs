//! Which parameters of a container which platform does not take, as one table.
//! Source: the ECS developer guide's pages on Fargate, Managed Instances and Windows, without their
//! stale lines on tmpfs, which Fargate and Managed Instances take since January 2026.

use tojimari_model::Field;
use tojimari_model::declared::{Container, LinuxParameters, List};
use tojimari_model::value::Reason;
use tojimari_text::Span;

use super::platform::Refuser::{self, Daemon, Fargate, ManagedInstances, Windows};
use crate::search::Search;

/// Whether a container uses a parameter.
pub enum Use {
    No,
    Yes(Span),
    Unknown(Reason, Span),
}

pub struct Parameter {
    pub name: &'static str,
    pub refused_by: &'static [Refuser],
    pub used: fn(&Container) -> Use,
}

pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "disableNetworking",
        refused_by: &[Fargate, ManagedInstances, Windows, Daemon],
        used: |c| set(&c.disable_networking),
    },
    Parameter {
        name: "dnsSearchDomains",
        refused_by: &[Fargate, ManagedInstances, Windows, Daemon],
        used: |c| filled(&c.dns_search_domains),
    },
    Parameter {
        name: "dnsServers",
        refused_by: &[Fargate, ManagedInstances, Windows, Daemon],
        used: |c| filled(&c.dns_servers),
    },
    Parameter {
        name: "dockerSecurityOptions",
        refused_by: &[Fargate, ManagedInstances, Daemon],
        used: |c| filled(&c.docker_security_options),
    },
    Parameter {
        name: "extraHosts",
        refused_by: &[Fargate, ManagedInstances, Windows, Daemon],
        used: |c| filled(&c.extra_hosts),
    },
    Parameter { name: "links", refused_by: &[Fargate, ManagedInstances, Windows, Daemon], used: |c| filled(&c.links) },
    Parameter { name: "hostname", refused_by: &[ManagedInstances, Daemon], used: |c| present(&c.hostname) },
    Parameter { name: "privileged", refused_by: &[Fargate, Windows], used: |c| set(&c.privileged) },
    Parameter { name: "readonlyRootFilesystem", refused_by: &[Windows], used: |c| set(&c.readonly_root_filesystem) },
    Parameter { name: "ulimits", refused_by: &[Windows], used: |c| filled(&c.ulimits) },
    Parameter { name: "portMappings", refused_by: &[Daemon], used: |c| filled(&c.port_mappings) },
    Parameter { name: "volumesFrom", refused_by: &[Daemon], used: |c| filled(&c.volumes_from) },
    Parameter { name: "dockerLabels", refused_by: &[Daemon], used: |c| filled(&c.docker_labels) },
    Parameter { name: "resourceRequirements", refused_by: &[Daemon], used: |c| filled(&c.resource_requirements) },
    Parameter { name: "a GPU", refused_by: &[Fargate], used: |c| required(c, "GPU") },
    Parameter {
        name: "an InferenceAccelerator",
        refused_by: &[ManagedInstances],
        used: |c| required(c, "InferenceAccelerator"),
    },
    Parameter { name: "devices", refused_by: &[Fargate, Windows], used: |c| linux(c, |l| filled(&l.devices)) },
    Parameter {
        name: "sharedMemorySize",
        refused_by: &[Fargate, ManagedInstances, Windows, Daemon],
        used: |c| linux(c, |l| present(&l.shared_memory_size)),
    },
    Parameter {
        name: "maxSwap",
        refused_by: &[Fargate, ManagedInstances, Windows, Daemon],
        used: |c| linux(c, |l| present(&l.max_swap)),
    },
    Parameter {
        name: "swappiness",
        refused_by: &[Fargate, ManagedInstances, Windows, Daemon],
        used: |c| linux(c, |l| present(&l.swappiness)),
    },
    Parameter { name: "tmpfs", refused_by: &[Windows], used: |c| linux(c, |l| filled(&l.tmpfs)) },
    Parameter {
        name: "initProcessEnabled",
        refused_by: &[Windows],
        used: |c| linux(c, |l| set(&l.init_process_enabled)),
    },
    Parameter {
        name: "capabilities",
        refused_by: &[Windows],
        used: |c| linux(c, |l| first([filled(&l.capabilities_add), filled(&l.capabilities_drop)])),
    },
    Parameter { name: "a capability other than SYS_PTRACE", refused_by: &[Fargate], used: |c| linux(c, added) },
];

fn present<T>(field: &Field<T>) -> Use {
    match field {
        Field::Absent => Use::No,
        Field::Known(_, span) => Use::Yes(*span),
        Field::Unknown(reason, span) => Use::Unknown(reason.clone(), *span),
    }
}

/// False is what it is without the parameter, and taken.
fn set(field: &Field<bool>) -> Use {
    match field {
        Field::Known(false, _) => Use::No,
        field => present(field),
    }
}

fn filled<T>(list: &List<T>) -> Use {
    match (list.items.first(), list.span, &list.rest) {
        (Some(_), Some(span), _) => Use::Yes(span),
        (_, _, Some((reason, span))) => Use::Unknown(reason.clone(), *span),
        _ => Use::No,
    }
}

fn first<const N: usize>(uses: [Use; N]) -> Use {
    any(Search::new("whether one is used"), uses)
}

/// The first that is used for certain.
fn any(mut search: Search, uses: impl IntoIterator<Item = Use>) -> Use {
    for one in uses {
        match one {
            Use::Yes(span) => return Use::Yes(span),
            Use::Unknown(reason, span) => search.note(&reason, span),
            Use::No => {}
        }
    }
    search.finish(Use::Unknown, Use::No)
}

fn required(container: &Container, kind: &str) -> Use {
    let requirement = container.resource_requirements.iter().find(|one| one.kind.as_str() == Some(kind));
    requirement.map_or(Use::No, |one| present(&one.kind))
}

fn linux(container: &Container, used: impl FnOnce(&LinuxParameters) -> Use) -> Use {
    match &container.linux_parameters {
        Field::Known(linux, _) => used(linux),
        Field::Absent => Use::No,
        Field::Unknown(reason, span) => Use::Unknown(reason.clone(), *span),
    }
}

fn added(linux: &LinuxParameters) -> Use {
    let other = linux.capabilities_add.iter().map(|capability| match capability {
        Field::Known(name, _) if tojimari_ecs::capability::canonical(name) == "SYS_PTRACE" => Use::No,
        capability => present(capability),
    });
    let mut search = Search::new("the capabilities that are added");
    search.note_rest(&linux.capabilities_add.rest);
    any(search, other)
}
