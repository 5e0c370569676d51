//! What was declared: ECS and ECR resources, every field with its place. Each is read from a
//! [`Value`] whose members carry the names of the ECS API; each format's reader brings it there.

mod field;
mod task;

use std::sync::Arc;

use tojimari_text::Span;

pub use field::{Field, Fields, List};
pub use task::{
    Container, ContainerDependency, EfsVolume, EnvironmentVariable, HealthCheck, LinuxParameters, LogConfiguration,
    MountPoint, PortMapping, ResourceRequirement, RestartPolicy, RuntimePlatform, Tag, TaskDefinition, TaskKind, Tmpfs,
    Ulimit, Volume, VolumeSource, VolumesFrom,
};

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
}
