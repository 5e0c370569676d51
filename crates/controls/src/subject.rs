//! What a control is asked about: one resource, and the stack around it.

use std::sync::Arc;

use tojimari_model::declared::{
    CapacityProvider, Cluster, Container, ImageBuild, Repository, RepositoryKind, Service, TaskDefinition, TaskKind,
    TaskSet,
};
use tojimari_model::{Declared, Resource, Stack};

use tojimari_text::Span;

use crate::settings::Settings;
use crate::verdict::Verdict;

#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub resource: &'a Resource,
    /// What is deployed together with it. What is not in there is not known.
    pub stack: &'a Stack,
    pub settings: &'a Settings,
}

impl<'a> Subject<'a> {
    /// A task definition, a daemon task definition or a Compose service.
    pub fn task(&self) -> Option<&'a TaskDefinition> {
        match &self.resource.declared {
            Declared::TaskDefinition(task) => Some(task),
            _ => None,
        }
    }

    pub fn service(&self) -> Option<&'a Service> {
        match &self.resource.declared {
            Declared::Service(service) => Some(service),
            _ => None,
        }
    }

    pub fn task_set(&self) -> Option<&'a TaskSet> {
        match &self.resource.declared {
            Declared::TaskSet(set) => Some(set),
            _ => None,
        }
    }

    pub fn cluster(&self) -> Option<&'a Cluster> {
        match &self.resource.declared {
            Declared::Cluster(cluster) => Some(cluster),
            _ => None,
        }
    }

    pub fn capacity_provider(&self) -> Option<&'a CapacityProvider> {
        match &self.resource.declared {
            Declared::CapacityProvider(provider) => Some(provider),
            _ => None,
        }
    }

    pub fn repository(&self, kind: RepositoryKind) -> Option<&'a Repository> {
        match &self.resource.declared {
            Declared::Repository(repository) if repository.kind == kind => Some(repository),
            _ => None,
        }
    }

    pub fn image_build(&self) -> Option<&'a ImageBuild> {
        match &self.resource.declared {
            Declared::ImageBuild(build) => Some(build),
            _ => None,
        }
    }

    /// Where to point at for the resource as a whole: its name where that is written inside it.
    pub fn head(&self) -> Span {
        let name = match &self.resource.declared {
            Declared::TaskDefinition(task) => task.family.span(),
            Declared::Service(service) => service.service_name.span(),
            Declared::Cluster(cluster) => cluster.cluster_name.span(),
            Declared::CapacityProvider(provider) => provider.name.span(),
            Declared::Repository(repository) => repository.repository_name.span(),
            _ => None,
        };
        let whole = self.resource.span;
        name.filter(|name| name.file == whole.file && whole.start <= name.start && name.end <= whole.end)
            .unwrap_or(whole)
    }

    /// The other resources that can exist together with this one.
    pub fn others(&self) -> impl Iterator<Item = &'a Resource> {
        let own = self.resource;
        self.stack.resources.iter().filter(move |other| !std::ptr::eq(*other, own) && other.can_hold_with(own))
    }

    /// One verdict for each container of a task definition, and one that is unknown when there
    /// may be more of them than the files tell.
    pub fn containers(&self, judge: impl Fn(&'a TaskDefinition, &'a Container) -> Verdict) -> Vec<Verdict> {
        let Some(task) = self.task() else { return Vec::new() };
        let mut verdicts: Vec<Verdict> = task
            .containers
            .iter()
            .map(|container| judge(task, container).of_container(container_name(task, container), container))
            .collect();
        if let Some((reason, span)) = task.containers.rest.as_ref().filter(|(reason, _)| !reason.is_of_alike()) {
            verdicts.push(Verdict::unknown(*span, "the containers are not all known", reason));
        }
        verdicts
    }
}

/// The name of a container; one without a name that is known goes by its place in the list.
pub fn container_name(task: &TaskDefinition, container: &Container) -> Arc<str> {
    match container.name.as_str() {
        Some(name) => name.into(),
        None => {
            let at = task.containers.iter().position(|other| std::ptr::eq(other, container)).unwrap_or_default();
            format!("#{}", at + 1).into()
        }
    }
}

/// What a declaration is called that Security Hub does not look at.
pub(crate) fn unseen_as(declared: &Declared) -> Option<&'static str> {
    match declared {
        Declared::TaskDefinition(task) => match task.kind {
            TaskKind::TaskDefinition => None,
            TaskKind::DaemonTaskDefinition => Some("daemon task definition"),
            TaskKind::ComposeService => Some("Compose service"),
        },
        Declared::ImageBuild(_) => Some("image build"),
        _ => None,
    }
}
