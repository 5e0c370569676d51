//! The plan as data (`plan.json`): printable, diffable, complete.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    Fargate,
    Ec2,
    ManagedInstances,
    External,
    Compose,
}

/// `plan.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub version: u32,
    pub platform: Platform,
    pub containers: Vec<ContainerPlan>,
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerPlan {
    pub name: String,
    pub readonly_root: bool,
    pub privileged: bool,
    /// Sorted by path.
    pub writable: Vec<WritableMount>,
    /// Written paths, or folders of them, that get no mount, and why. Sorted by path.
    pub not_mounted: Vec<NotMounted>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WritableMount {
    /// Mount point, absolute, without symbolic links.
    pub path: String,
    pub by: WritableBy,
    /// Size of a tmpfs in MiB; `null` for a volume.
    pub size_mib: Option<u64>,
    /// Mount options of a tmpfs, in the form ECS takes them.
    pub options: Vec<String>,
    /// One sentence a written path: what is written there, by whom.
    pub because: Vec<String>,
    /// The image has content at this path that has to be copied into the mount.
    pub seeded_from_image: bool,
    /// Name of the volume in the task definition; `null` for a tmpfs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WritableBy {
    Tmpfs,
    /// An empty volume that lives as long as the task.
    Volume,
    Efs,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotMounted {
    pub path: String,
    pub because: String,
}
