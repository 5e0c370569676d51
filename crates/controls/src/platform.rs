//! Which operating system a task definition is for, and on what kind of capacity tasks run.

use tojimari_ecs::Platform;
use tojimari_model::declared::{
    CapacityProviderStrategy, List, Reference, Service, Target, TaskDefinition, TaskKind, TaskSet,
};
use tojimari_model::value::Reason;
use tojimari_model::{Declared, Field, Resource};
use tojimari_text::Span;

use crate::subject::Subject;
use crate::verdict::Verdict;

/// Whether the containers are Windows ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Windows {
    /// `operatingSystemFamily` says LINUX, or the declaration can be for nothing else.
    No,
    /// `operatingSystemFamily` says a `WINDOWS_SERVER` one.
    Yes(Span),
    /// `operatingSystemFamily` is not set: Linux for ECS, either for some of Security Hub's rules.
    NotSet,
    Unknown(Reason, Span),
}

pub fn windows(task: &TaskDefinition) -> Windows {
    let family = match &task.runtime_platform {
        Field::Absent => &Field::Absent,
        // Where only a part of a task definition is in the files, that part does not say.
        Field::Unknown(_, span) if *span == task.span => &Field::Absent,
        Field::Unknown(reason, span) => return Windows::Unknown(reason.clone(), *span),
        Field::Known(platform, _) => &platform.operating_system_family,
    };
    match family {
        Field::Absent if task.kind != TaskKind::TaskDefinition => Windows::No,
        Field::Absent => Windows::NotSet,
        Field::Unknown(reason, span) => Windows::Unknown(reason.clone(), *span),
        Field::Known(family, span) if family.to_ascii_uppercase().starts_with("WINDOWS") => Windows::Yes(*span),
        Field::Known(..) => Windows::No,
    }
}

impl Windows {
    /// A verdict that holds for Linux; where the task may be a Windows one it is unknown.
    pub fn unless_linux(self, verdict: Verdict, why_not: &str) -> Verdict {
        match self {
            Windows::No | Windows::NotSet => verdict,
            Windows::Yes(span) => Verdict::not_applicable(span, why_not),
            Windows::Unknown(reason, span) => Verdict::unknown(span, "operatingSystemFamily", reason),
        }
    }
}

/// What tasks run on.
#[derive(Clone, Debug, PartialEq)]
pub enum Capacity {
    On(Platform),
    Unknown(Reason, Span),
}

/// The task definition can be registered for Fargate and for nothing else.
pub fn is_for_fargate_alone(task: &TaskDefinition) -> bool {
    let all = &task.requires_compatibilities;
    let fargate = |name: &Field<String>| name.as_str().and_then(Platform::from_api_name) == Some(Platform::Fargate);
    !all.items.is_empty() && all.rest.is_none() && all.items.iter().all(fargate)
}

/// What the tasks of a service run on.
pub fn of_service(on: &Subject<'_>, service: &Service) -> Capacity {
    capacity(on, &service.launch_type, &service.capacity_provider_strategy, &service.cluster, service.span)
}

/// What the tasks of a task set run on.
pub fn of_task_set(on: &Subject<'_>, set: &TaskSet) -> Capacity {
    capacity(on, &set.launch_type, &set.capacity_provider_strategy, &set.cluster, set.span)
}

fn capacity(
    on: &Subject<'_>,
    launch_type: &Field<String>,
    strategy: &List<CapacityProviderStrategy>,
    cluster: &Reference,
    span: Span,
) -> Capacity {
    if let Some(capacity) = of_strategy(on, strategy) {
        return capacity;
    }
    match launch_type {
        Field::Known(kind, span) => match Platform::from_api_name(kind) {
            Some(platform) => Capacity::On(platform),
            None => Capacity::Unknown(format!("there is no launch type {kind}").into(), *span),
        },
        Field::Unknown(reason, span) => Capacity::Unknown(reason.clone(), *span),
        // Without either, the cluster's own strategy decides, and without one EC2 does.
        Field::Absent => match on.stack.target(cluster, on.resource, is_cluster) {
            Target::Declared(clusters) => {
                let default = clusters.iter().find_map(|cluster| of_cluster(on, cluster));
                default.unwrap_or(Capacity::On(Platform::Ec2))
            }
            Target::Unknown(reason) => Capacity::Unknown(reason.clone(), span),
            Target::Absent | Target::Elsewhere(_) => {
                Capacity::Unknown("depends on a cluster that is not in these files".into(), span)
            }
        },
    }
}

pub fn is_cluster(resource: &Resource) -> bool {
    matches!(resource.declared, Declared::Cluster(_))
}

/// What a strategy says; nothing when there is none.
fn of_strategy(on: &Subject<'_>, strategy: &List<CapacityProviderStrategy>) -> Option<Capacity> {
    let provider = |reference: &Reference| match reference.name().and_then(Platform::from_capacity_provider) {
        Some(platform) => Capacity::On(platform),
        None => of_provider(on, reference),
    };
    // Fargate cannot be mixed with other capacity: one of them tells what all are.
    let found: Vec<Capacity> = strategy.iter().map(|item| provider(&item.capacity_provider)).collect();
    let known = found.iter().find(|capacity| !matches!(capacity, Capacity::Unknown(..)));
    known
        .or(found.first())
        .cloned()
        .or_else(|| strategy.rest.as_ref().map(|(reason, span)| Capacity::Unknown(reason.clone(), *span)))
}

fn of_provider(on: &Subject<'_>, reference: &Reference) -> Capacity {
    let is_provider = |resource: &Resource| matches!(resource.declared, Declared::CapacityProvider(_));
    let span = reference.span().unwrap_or(on.resource.span);
    match on.stack.target(reference, on.resource, is_provider) {
        Target::Declared(found) => match found.first().map(|resource| &resource.declared) {
            Some(Declared::CapacityProvider(provider)) if provider.managed_instances.known().is_some() => {
                Capacity::On(Platform::ManagedInstances)
            }
            _ => Capacity::On(Platform::Ec2),
        },
        Target::Unknown(reason) => Capacity::Unknown(reason.clone(), span),
        Target::Absent | Target::Elsewhere(_) => {
            Capacity::Unknown("depends on a capacity provider that is not in these files".into(), span)
        }
    }
}

/// What the default strategy of a cluster says, in the cluster or in a resource of its own.
fn of_cluster(on: &Subject<'_>, resource: &Resource) -> Option<Capacity> {
    let Declared::Cluster(cluster) = &resource.declared else { return None };
    of_strategy(on, &cluster.default_capacity_provider_strategy).or_else(|| {
        on.stack.resources.iter().find_map(|other| match &other.declared {
            Declared::ClusterCapacityProviders(providers) if providers.cluster.means(resource) => {
                of_strategy(on, &providers.default_capacity_provider_strategy)
            }
            _ => None,
        })
    })
}

/// What a task definition runs on as far as the stack tells: by the services and task sets that
/// run it.
pub fn of_task(on: &Subject<'_>) -> Vec<Capacity> {
    on.others()
        .filter_map(|other| {
            let asker = Subject { resource: other, ..*on };
            match &other.declared {
                Declared::Service(service) if service.task_definition.means(on.resource) => {
                    Some(of_service(&asker, service))
                }
                Declared::TaskSet(set) if set.task_definition.means(on.resource) => Some(of_task_set(&asker, set)),
                _ => None,
            }
        })
        .collect()
}
