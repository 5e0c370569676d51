//! A task definition and its containers, read by the names of RegisterTaskDefinition.
//! Source of the field names: the ECS API model of 2014-11-13 as of November 2026.

use std::cell::RefCell;

use tojimari_text::{Problem, Span};

use super::field::{Field, Fields, List};
use crate::value::Value;

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
    pub ephemeral_storage: Field<()>,
    pub proxy_configuration: Field<()>,
    pub placement_constraints: List<()>,
    /// Member names that RegisterTaskDefinition does not have, at any depth that is read.
    pub unexpected: Vec<(String, Span)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RuntimePlatform {
    pub operating_system_family: Field<String>,
    pub cpu_architecture: Field<String>,
}

#[derive(Clone, Debug)]
pub struct Container {
    pub span: Span,
    pub name: Field<String>,
    pub image: Field<String>,
    pub cpu: Field<i64>,
    pub memory: Field<i64>,
    pub memory_reservation: Field<i64>,
    pub essential: Field<bool>,
    pub restart_policy: Field<RestartPolicy>,
    pub entry_point: List<Field<String>>,
    pub command: List<Field<String>>,
    pub environment: List<EnvironmentVariable>,
    pub environment_files: List<()>,
    pub secrets: List<EnvironmentVariable>,
    pub mount_points: List<MountPoint>,
    pub volumes_from: List<VolumesFrom>,
    pub linux_parameters: Field<LinuxParameters>,
    pub depends_on: List<ContainerDependency>,
    pub port_mappings: List<PortMapping>,
    pub start_timeout: Field<i64>,
    pub stop_timeout: Field<i64>,
    pub hostname: Field<String>,
    pub user: Field<String>,
    pub working_directory: Field<String>,
    pub privileged: Field<bool>,
    pub readonly_root_filesystem: Field<bool>,
    pub docker_security_options: List<Field<String>>,
    pub docker_labels: List<(String, Field<String>)>,
    pub ulimits: List<Ulimit>,
    pub log_configuration: Field<LogConfiguration>,
    pub health_check: Field<HealthCheck>,
    pub firelens_configuration: Field<()>,
    pub disable_networking: Field<bool>,
    pub dns_servers: List<Field<String>>,
    pub dns_search_domains: List<Field<String>>,
    pub extra_hosts: List<()>,
    pub links: List<Field<String>>,
    pub system_controls: List<()>,
    pub resource_requirements: List<ResourceRequirement>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RestartPolicy {
    pub enabled: Field<bool>,
}

/// `environment` (name and value) or `secrets` (name and `valueFrom`).
#[derive(Clone, Debug, PartialEq)]
pub struct EnvironmentVariable {
    pub span: Span,
    pub name: Field<String>,
    pub value: Field<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MountPoint {
    pub span: Span,
    pub source_volume: Field<String>,
    pub container_path: Field<String>,
    pub read_only: Field<bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct VolumesFrom {
    pub source_container: Field<String>,
    pub read_only: Field<bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LinuxParameters {
    pub capabilities_add: List<Field<String>>,
    pub capabilities_drop: List<Field<String>>,
    pub init_process_enabled: Field<bool>,
    /// MiB.
    pub shared_memory_size: Field<i64>,
    pub tmpfs: List<Tmpfs>,
    pub devices: List<()>,
    pub max_swap: Field<i64>,
    pub swappiness: Field<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tmpfs {
    pub span: Span,
    pub container_path: Field<String>,
    /// MiB.
    pub size: Field<i64>,
    pub mount_options: List<Field<String>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ContainerDependency {
    pub container_name: Field<String>,
    /// START, COMPLETE, SUCCESS or HEALTHY.
    pub condition: Field<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PortMapping {
    pub container_port: Field<i64>,
    pub host_port: Field<i64>,
    pub protocol: Field<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Ulimit {
    pub name: Field<String>,
    pub soft_limit: Field<i64>,
    pub hard_limit: Field<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LogConfiguration {
    pub log_driver: Field<String>,
    pub options: List<(String, Field<String>)>,
}

/// Times in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    pub command: List<Field<String>>,
    pub interval: Field<i64>,
    pub timeout: Field<i64>,
    pub retries: Field<i64>,
    pub start_period: Field<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ResourceRequirement {
    pub kind: Field<String>,
    pub value: Field<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    pub key: Field<String>,
    pub value: Field<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Volume {
    pub span: Span,
    pub name: Field<String>,
    pub source: VolumeSource,
    pub configured_at_launch: Field<bool>,
}

#[derive(Clone, Debug, PartialEq)]
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
        let problems = RefCell::new(Vec::new());
        let mut unexpected = Vec::new();
        let fields = Fields::new(value, &problems);
        fields.know(&["inferenceAccelerators", "enableFaultInjection", "trustedExecutionConfiguration"]);
        let task = TaskDefinition {
            kind,
            span: value.span,
            family: fields.string("family"),
            task_role_arn: fields.string("taskRoleArn"),
            execution_role_arn: fields.string("executionRoleArn"),
            network_mode: fields.string("networkMode"),
            pid_mode: fields.string("pidMode"),
            ipc_mode: fields.string("ipcMode"),
            cpu: fields.string("cpu"),
            memory: fields.string("memory"),
            requires_compatibilities: fields.strings("requiresCompatibilities"),
            runtime_platform: fields.object("runtimePlatform", |f| RuntimePlatform {
                operating_system_family: f.string("operatingSystemFamily"),
                cpu_architecture: f.string("cpuArchitecture"),
            }),
            containers: fields.objects("containerDefinitions", |f| Container::read(f, &mut unexpected)),
            volumes: fields.objects("volumes", Volume::read),
            tags: fields.objects("tags", |f| Tag { key: f.string("key"), value: f.string("value") }),
            ephemeral_storage: fields.object("ephemeralStorage", |_| ()),
            proxy_configuration: fields.object("proxyConfiguration", |_| ()),
            placement_constraints: fields.objects("placementConstraints", |_| ()),
            unexpected: Vec::new(),
        };
        unexpected.extend(fields.unexpected());
        unexpected.sort_by_key(|(_, span)| *span);
        (TaskDefinition { unexpected, ..task }, problems.into_inner())
    }

    /// The container of that name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.name.as_str() == Some(name))
    }
}

impl Container {
    fn read(f: &Fields<'_>, unexpected: &mut Vec<(String, Span)>) -> Container {
        f.know(&["repositoryCredentials", "versionConsistency", "interactive", "pseudoTerminal", "credentialSpecs"]);
        let container = Container {
            span: f.span(),
            name: f.string("name"),
            image: f.string("image"),
            cpu: f.integer("cpu"),
            memory: f.integer("memory"),
            memory_reservation: f.integer("memoryReservation"),
            essential: f.bool("essential"),
            restart_policy: f.object("restartPolicy", |f| RestartPolicy { enabled: f.bool("enabled") }),
            entry_point: f.strings("entryPoint"),
            command: f.strings("command"),
            environment: f.objects("environment", |f| EnvironmentVariable {
                span: f.span(),
                name: f.string("name"),
                value: f.string("value"),
            }),
            environment_files: f.objects("environmentFiles", |_| ()),
            secrets: f.objects("secrets", |f| EnvironmentVariable {
                span: f.span(),
                name: f.string("name"),
                value: f.string("valueFrom"),
            }),
            mount_points: f.objects("mountPoints", |f| MountPoint {
                span: f.span(),
                source_volume: f.string("sourceVolume"),
                container_path: f.string("containerPath"),
                read_only: f.bool("readOnly"),
            }),
            volumes_from: f.objects("volumesFrom", |f| VolumesFrom {
                source_container: f.string("sourceContainer"),
                read_only: f.bool("readOnly"),
            }),
            linux_parameters: f.object("linuxParameters", |f| {
                let capabilities = f.object("capabilities", |f| (f.strings("add"), f.strings("drop")));
                let (add, drop) = match capabilities {
                    Field::Absent => (List::default(), List::default()),
                    Field::Known(both, _) => both,
                    Field::Unknown(reason, span) => {
                        let unknown = List { items: Vec::new(), rest: Some((reason, span)), span: Some(span) };
                        (unknown.clone(), unknown)
                    }
                };
                LinuxParameters {
                    capabilities_add: add,
                    capabilities_drop: drop,
                    init_process_enabled: f.bool("initProcessEnabled"),
                    shared_memory_size: f.integer("sharedMemorySize"),
                    tmpfs: f.objects("tmpfs", |f| Tmpfs {
                        span: f.span(),
                        container_path: f.string("containerPath"),
                        size: f.integer("size"),
                        mount_options: f.strings("mountOptions"),
                    }),
                    devices: f.objects("devices", |_| ()),
                    max_swap: f.integer("maxSwap"),
                    swappiness: f.integer("swappiness"),
                }
            }),
            depends_on: f.objects("dependsOn", |f| ContainerDependency {
                container_name: f.string("containerName"),
                condition: f.string("condition"),
            }),
            port_mappings: f.objects("portMappings", |f| PortMapping {
                container_port: f.integer("containerPort"),
                host_port: f.integer("hostPort"),
                protocol: f.string("protocol"),
            }),
            start_timeout: f.integer("startTimeout"),
            stop_timeout: f.integer("stopTimeout"),
            hostname: f.string("hostname"),
            user: f.string("user"),
            working_directory: f.string("workingDirectory"),
            privileged: f.bool("privileged"),
            readonly_root_filesystem: f.bool("readonlyRootFilesystem"),
            docker_security_options: f.strings("dockerSecurityOptions"),
            docker_labels: f.string_map("dockerLabels"),
            ulimits: f.objects("ulimits", |f| Ulimit {
                name: f.string("name"),
                soft_limit: f.integer("softLimit"),
                hard_limit: f.integer("hardLimit"),
            }),
            log_configuration: f.object("logConfiguration", |f| LogConfiguration {
                log_driver: f.string("logDriver"),
                options: f.string_map("options"),
            }),
            health_check: f.object("healthCheck", |f| HealthCheck {
                command: f.strings("command"),
                interval: f.integer("interval"),
                timeout: f.integer("timeout"),
                retries: f.integer("retries"),
                start_period: f.integer("startPeriod"),
            }),
            firelens_configuration: f.object("firelensConfiguration", |_| ()),
            disable_networking: f.bool("disableNetworking"),
            dns_servers: f.strings("dnsServers"),
            dns_search_domains: f.strings("dnsSearchDomains"),
            extra_hosts: f.objects("extraHosts", |_| ()),
            links: f.strings("links"),
            system_controls: f.objects("systemControls", |_| ()),
            resource_requirements: f.objects("resourceRequirements", |f| ResourceRequirement {
                kind: f.string("type"),
                value: f.string("value"),
            }),
        };
        unexpected.extend(f.unexpected());
        container
    }
}

impl Volume {
    fn read(f: &Fields<'_>) -> Volume {
        let host = f.object("host", |f| f.string("sourcePath"));
        let efs = f.object("efsVolumeConfiguration", |f| {
            let authorization = f.object("authorizationConfig", |f| (f.string("accessPointId"), f.string("iam")));
            let (access_point_id, iam) = match authorization {
                Field::Absent => (Field::Absent, Field::Absent),
                Field::Known(both, _) => both,
                Field::Unknown(reason, span) => (Field::Unknown(reason.clone(), span), Field::Unknown(reason, span)),
            };
            EfsVolume {
                file_system_id: f.string("fileSystemId"),
                root_directory: f.string("rootDirectory"),
                transit_encryption: f.string("transitEncryption"),
                access_point_id,
                iam,
                span: f.span(),
            }
        });
        let docker = f.get("dockerVolumeConfiguration").is_some();
        let s3_files = f.get("s3filesVolumeConfiguration").is_some();
        let fsx = f.get("fsxWindowsFileServerVolumeConfiguration").is_some();
        let source = match (efs, host) {
            (Field::Known(efs, _), _) => VolumeSource::Efs(efs),
            _ if docker => VolumeSource::Docker,
            _ if s3_files => VolumeSource::S3Files,
            _ if fsx => VolumeSource::FsxWindows,
            (_, Field::Known(source_path, _)) if !source_path.is_absent() => VolumeSource::Host { source_path },
            (_, Field::Unknown(reason, span)) => VolumeSource::Host { source_path: Field::Unknown(reason, span) },
            _ => VolumeSource::Empty,
        };
        Volume { span: f.span(), name: f.string("name"), source, configured_at_launch: f.bool("configuredAtLaunch") }
    }
}
