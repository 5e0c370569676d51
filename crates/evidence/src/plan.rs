//! The plan as data (`plan.json`): printable, diffable, complete.

use serde::{Deserialize, Serialize};
pub use tojimari_ecs::Platform;

/// `plan.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plan {
    #[cfg_attr(feature = "schema", schemars(extend("const" = 1)))]
    pub version: u32,
    #[cfg_attr(feature = "schema", schemars(schema_with = "platform_names"))]
    pub platform: Platform,
    /// The memory in MiB that the task gets, where it is to be raised for what the tmpfs mounts take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u64>,
    pub containers: Vec<ContainerPlan>,
    pub notes: Vec<String>,
}

/// The crate of the platforms knows no schemas.
#[cfg(feature = "schema")]
fn platform_names(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "enum": Platform::ALL.map(Platform::name) })
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Who copies it; `null` when nothing is copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// Name of the volume in the task definition; `null` for a tmpfs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The file system that the volume is on; only for EFS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_system: Option<String>,
    /// What the image has to have at the path, with a `VOLUME` of the same path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_folder: Option<ImageFolder>,
}

/// A folder that the Dockerfile makes: its owner and mode become those of the volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImageFolder {
    pub uid: String,
    pub gid: String,
    /// In octal, as `0755`.
    pub mode: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WritableBy {
    Tmpfs,
    /// An empty volume that lives as long as the task.
    Volume,
    Efs,
}

/// Who copies the image's content into a volume before the container starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Seed {
    /// The image declares a `VOLUME` at exactly this path: ECS copies its content.
    ImageVolume,
    /// A container of the same image that runs first, copies, and ends (`dependsOn` SUCCESS). It
    /// is itself read-only but for the volume, and runs as root so that it can keep ownership:
    /// that fails ECS.20, which the plan's notes say.
    InitContainer,
    /// A named Compose volume: the Docker engine copies the image's content into an empty one.
    NamedVolume,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotMounted {
    pub path: String,
    pub because: String,
}
