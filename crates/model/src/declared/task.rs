//! A task definition and its containers, read by the names of RegisterTaskDefinition.
//! Source of the field names: the ECS API model of 2014-11-13 as of November 2026.

use std::cell::RefCell;

use tojimari_ecs::Platform;
use tojimari_text::{Problem, Span};

use super::container::Container;
use super::field::{Field, Fields, List, Met};
use super::tag::{Tag, tags};
use crate::value::{Reason, Value};

/// What kind of declaration a task definition was read from. Rules of Security Hub are written
/// for the first; the others are held to the same rules and so marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    TaskDefinition,
    DaemonTaskDefinition,
    ComposeService,
}

#[derive(Clone, Debug)]
pub struct TaskDefinition {
    pub kind: TaskKind,
    pub span: Span,
    pub family: Field<String>,
    pub task_role_arn: Field<String>,
    pub execution_role_arn: Field<String>,
    pub network_mode: Field<String>,
    pub pid_mode: Field<String>,
    pub ipc_mode: Field<String>,
    pub cpu: Field<String>,
    pub memory: Field<String>,
    pub requires_compatibilities: List<Field<String>>,
    pub runtime_platform: Field<RuntimePlatform>,
    pub containers: List<Container>,
    pub volumes: List<Volume>,
    pub tags: List<Tag>,
    /// `sizeInGiB`.
    pub ephemeral_storage: Field<i64>,
    pub proxy_configuration: Field<()>,
    pub placement_constraints: List<()>,
    pub inference_accelerators: List<()>,
    /// The least that the definition takes as compact JSON, in bytes.
    pub least_size: usize,
    /// Member names that RegisterTaskDefinition does not have, at any depth that is read.
    pub unexpected: Vec<(String, Span)>,
    /// Terraform's provider for AWS registers it: that leaves out such members without a word.
    /// Source: <https://github.com/hashicorp/terraform-provider-aws/issues/43217>.
    pub by_terraform: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RuntimePlatform {
    pub operating_system_family: Field<String>,
    pub cpu_architecture: Field<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    pub span: Span,
    pub name: Field<String>,
    pub source: VolumeSource,
    pub configured_at_launch: Field<bool>,
}

#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there are few volumes, and each is read once")]
pub enum VolumeSource {
    /// Neither a host path nor another kind: an empty volume that lives as long as the task.
    Empty,
    Host {
        source_path: Field<String>,
    },
    Docker,
    Efs(EfsVolume),
    S3Files,
    FsxWindows,
    Unknown(Reason, Span),
}

#[derive(Clone, Debug, PartialEq)]
pub struct EfsVolume {
    pub file_system_id: Field<String>,
    pub root_directory: Field<String>,
    /// ENABLED or DISABLED; absent means DISABLED.
    pub transit_encryption: Field<String>,
    pub access_point_id: Field<String>,
    pub iam: Field<String>,
    pub span: Span,
}

impl TaskDefinition {
    /// Reads the input form of RegisterTaskDefinition. The wrapper and the nine read-only fields
    /// of describe-task-definition's output are for the format's reader to take off.
    pub fn read(value: &Value, kind: TaskKind) -> (TaskDefinition, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let mut task = Fields::read(value, &met, |f| TaskDefinition::from_fields(f, kind));
        let mut met = met.into_inner();
        met.unexpected.sort_by_key(|(_, span)| *span);
        task.unexpected = met.unexpected;
        (task, met.problems)
    }

    pub(super) fn from_fields(f: &Fields<'_>, kind: TaskKind) -> TaskDefinition {
        f.know(&["enableFaultInjection"]);
        f.object("trustedExecutionConfiguration", |f| f.know(&["isolationMode", "attestationPolicy"]));
        TaskDefinition {
            kind,
            span: f.span(),
            family: f.string("family"),
            task_role_arn: f.string("taskRoleArn"),
            execution_role_arn: f.string("executionRoleArn"),
            network_mode: f.string("networkMode"),
            pid_mode: f.string("pidMode"),
            ipc_mode: f.string("ipcMode"),
            cpu: f.string("cpu"),
            memory: f.string("memory"),
            requires_compatibilities: f.strings("requiresCompatibilities"),
            runtime_platform: f.object("runtimePlatform", |f| RuntimePlatform {
                operating_system_family: f.string("operatingSystemFamily"),
                cpu_architecture: f.string("cpuArchitecture"),
            }),
            containers: f.objects("containerDefinitions", Container::read),
            volumes: f.objects("volumes", Volume::read),
            tags: tags(f),
            ephemeral_storage: f.object("ephemeralStorage", |f| f.integer("sizeInGiB")).flatten(),
            proxy_configuration: f.object("proxyConfiguration", |f| {
                f.know(&["type", "containerName"]);
                f.objects("properties", |f| f.know(&["name", "value"]));
            }),
            placement_constraints: f.objects("placementConstraints", |f| f.know(&["type", "expression"])),
            inference_accelerators: f.objects("inferenceAccelerators", |f| f.know(&["deviceName", "deviceType"])),
            least_size: f.value.least_json_size(),
            unexpected: Vec::new(),
            by_terraform: false,
        }
    }

    /// The platforms that `requiresCompatibilities` names, as far as they are known.
    pub fn platforms(&self) -> impl Iterator<Item = Platform> {
        self.requires_compatibilities.iter().filter_map(|name| Platform::from_api_name(name.as_str()?))
    }

    /// The platform that the definition says it is for: the one that takes least where it names
    /// several, and EC2 where it names none, as ECS does.
    pub fn platform(&self) -> Platform {
        if self.kind == TaskKind::ComposeService {
            return Platform::Compose;
        }
        let narrowest = [Platform::Fargate, Platform::ManagedInstances, Platform::External];
        narrowest.into_iter().find(|one| self.platforms().any(|named| named == *one)).unwrap_or(Platform::Ec2)
    }

    /// The container of that name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.name.as_str() == Some(name))
    }
}

impl Volume {
    fn read(f: &Fields<'_>) -> Volume {
        let host = f.object("host", |f| f.string("sourcePath"));
        let efs = f.object("efsVolumeConfiguration", |f| {
            f.know(&["transitEncryptionPort"]);
            let (access_point_id, iam) =
                f.object("authorizationConfig", |f| (f.string("accessPointId"), f.string("iam"))).unzip();
            EfsVolume {
                file_system_id: f.string("fileSystemId"),
                root_directory: f.string("rootDirectory"),
                transit_encryption: f.string("transitEncryption"),
                access_point_id: access_point_id.flatten(),
                iam: iam.flatten(),
                span: f.span(),
            }
        });
        let docker = f.object("dockerVolumeConfiguration", |f| {
            f.know(&["scope", "autoprovision", "driver"]);
            f.know_own("labels");
            f.object("driverOpts", bound_device).flatten()
        });
        let s3_files = f.object("s3filesVolumeConfiguration", |f| {
            f.know(&["fileSystemArn", "rootDirectory", "transitEncryptionPort", "accessPointArn"]);
        });
        let fsx = f.object("fsxWindowsFileServerVolumeConfiguration", |f| {
            f.know(&["fileSystemId", "rootDirectory"]);
            f.object("authorizationConfig", |f| f.know(&["credentialsParameter", "domain"]));
        });
        let source = match (efs, host, docker) {
            (Field::Known(efs, _), ..) => VolumeSource::Efs(efs),
            (.., Field::Known(Field::Known(device, span), _)) => {
                VolumeSource::Host { source_path: Field::Known(device, span) }
            }
            (.., Field::Known(..)) => VolumeSource::Docker,
            _ if matches!(s3_files, Field::Known(..)) => VolumeSource::S3Files,
            _ if matches!(fsx, Field::Known(..)) => VolumeSource::FsxWindows,
            (_, Field::Known(source_path, _), _) if !source_path.is_absent() => VolumeSource::Host { source_path },
            (Field::Unknown(reason, span), ..)
            | (_, Field::Unknown(reason, span), _)
            | (.., Field::Unknown(reason, span)) => VolumeSource::Unknown(reason, span),
            _ => VolumeSource::Empty,
        };
        Volume { span: f.span(), name: f.string("name"), source, configured_at_launch: f.bool("configuredAtLaunch") }
    }
}

/// The folder of the host that Docker's `local` driver binds with `o: bind` and `device: /folder`.
fn bound_device(f: &Fields<'_>) -> Field<String> {
    f.know_any();
    let options = f.string("o");
    match options.as_str().is_some_and(|o| o.split(',').any(|option| matches!(option.trim(), "bind" | "rbind"))) {
        true => f.string("device"),
        false => Field::Absent,
    }
}
