//! What was declared: ECS and ECR resources, every field with its place. Each is read from a
//! [`Value`](crate::Value) whose members carry the names of the ECS API; each format's reader brings it there.

mod build;
mod cluster;
mod container;
mod field;
mod member;
mod reference;
mod repository;
mod service;
mod tag;
mod task;
mod watch;

use std::sync::Arc;

use tojimari_text::Span;

pub use build::{ImageBuild, Stage};
pub use cluster::{Cluster, ClusterCapacityProviders, ExecuteCommand, ExecuteCommandLog, ManagedStorage, Setting};
pub use container::{
    Container, ContainerDependency, Device, EnvironmentVariable, HealthCheck, LinuxParameters, LogConfiguration,
    MountPoint, PortMapping, ResourceRequirement, RestartPolicy, Tmpfs, Ulimit, VolumesFrom,
};
pub use field::{Field, Fields, List, Met};
pub use member::{Member, names};
pub use reference::{Reference, Target};
pub use repository::{LifecyclePolicy, RegistryScanning, Repository, RepositoryKind, RepositoryPolicy, ScanningRule};
pub use service::{
    AutoScalingGroupProvider, AwsVpcConfiguration, CapacityProvider, CapacityProviderStrategy, Service, TaskSet,
};
pub use tag::Tag;
pub use task::{EfsVolume, RuntimePlatform, TaskDefinition, TaskKind, Volume, VolumeSource};
pub use watch::{EventRule, MetricFilter};

use crate::value::Assumption;

/// The resources that are deployed together: one file, template, module or project.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    pub resources: Vec<Resource>,
}

/// One declared resource under one set of assumptions about conditions that the files leave open.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The CloudFormation logical id, the Terraform address, the Compose service, or the family.
    pub address: Arc<str>,
    /// What the resource calls itself, where that is known; else the address.
    pub name: Arc<str>,
    /// The whole resource.
    pub span: Span,
    /// Empty when nothing is left open.
    pub assumed: Vec<Assumption>,
    pub declared: Declared,
}

#[derive(Clone, Debug)]
pub enum Declared {
    TaskDefinition(Box<TaskDefinition>),
    Service(Box<Service>),
    TaskSet(Box<TaskSet>),
    Cluster(Box<Cluster>),
    ClusterCapacityProviders(Box<ClusterCapacityProviders>),
    CapacityProvider(Box<CapacityProvider>),
    Repository(Box<Repository>),
    RepositoryPolicy(Box<RepositoryPolicy>),
    LifecyclePolicy(Box<LifecyclePolicy>),
    RegistryScanning(Box<RegistryScanning>),
    EventRule(Box<EventRule>),
    MetricFilter(Box<MetricFilter>),
    ImageBuild(Box<ImageBuild>),
}

impl Declared {
    /// What the resource calls itself, where its kind has a field for that and it is known.
    pub fn name(&self) -> Option<&str> {
        match self {
            Declared::TaskDefinition(task) => task.family.as_str(),
            Declared::Service(service) => service.service_name.as_str(),
            Declared::Cluster(cluster) => cluster.cluster_name.as_str(),
            Declared::CapacityProvider(provider) => provider.name.as_str(),
            Declared::Repository(repository) => repository.repository_name.as_str(),
            Declared::TaskSet(_)
            | Declared::ClusterCapacityProviders(_)
            | Declared::RepositoryPolicy(_)
            | Declared::LifecyclePolicy(_)
            | Declared::RegistryScanning(_)
            | Declared::EventRule(_)
            | Declared::MetricFilter(_)
            | Declared::ImageBuild(_) => None,
        }
    }

    /// The `type` of a resource as output writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Declared::TaskDefinition(task) => match task.kind {
                TaskKind::TaskDefinition => "task-definition",
                TaskKind::DaemonTaskDefinition => "daemon-task-definition",
                TaskKind::ComposeService => "compose-service",
            },
            Declared::Service(_) => "service",
            Declared::TaskSet(_) => "task-set",
            Declared::Cluster(_) => "cluster",
            Declared::ClusterCapacityProviders(_) => "cluster-capacity-providers",
            Declared::CapacityProvider(_) => "capacity-provider",
            Declared::Repository(repository) => match repository.kind {
                RepositoryKind::Private => "repository",
                RepositoryKind::Public => "public-repository",
            },
            Declared::RepositoryPolicy(_) => "repository-policy",
            Declared::LifecyclePolicy(_) => "lifecycle-policy",
            Declared::RegistryScanning(_) => "registry-scanning",
            Declared::EventRule(_) => "event-rule",
            Declared::MetricFilter(_) => "metric-filter",
            Declared::ImageBuild(_) => "image-build",
        }
    }
}
