//! A container of a task definition, read by the names of RegisterTaskDefinition.
//! Source of the field names: the ECS API model of 2014-11-13 as of November 2026.

use tojimari_ecs::path::absolute;
use tojimari_text::Span;

use super::field::{Field, Fields, List};

/// Programs whose first argument that is no option is the script they run, by how their names begin.
const INTERPRETERS: [&str; 9] = ["bash", "sh", "python", "node", "java", "php", "ruby", "perl", "deno"];

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
    pub credential_specs: List<Field<String>>,
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
    /// Absent for an anonymous volume of a Compose service.
    pub source_volume: Field<String>,
    pub container_path: Field<String>,
    pub read_only: Field<bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct VolumesFrom {
    pub span: Span,
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
    pub devices: List<Device>,
    pub max_swap: Field<i64>,
    pub swappiness: Field<i64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    pub span: Span,
    pub host_path: Field<String>,
    pub container_path: Field<String>,
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

impl Container {
    /// The program that the definition starts by its path, and the script that this program runs,
    /// as far as they are known; absolute. Where neither is declared the image's own words count,
    /// which the definition does not tell.
    pub fn started(&self) -> impl Iterator<Item = String> {
        let mut words = self.entry_point.iter().chain(&self.command).map(|word| word.as_str());
        let program = words.next().flatten();
        let script = words.find(|word| word.is_none_or(|word| !word.starts_with('-'))).flatten();
        let runs_scripts = program.is_some_and(|program| {
            let name = program.rsplit('/').next().unwrap_or(program);
            INTERPRETERS.iter().any(|interpreter| name.starts_with(interpreter))
        });
        program.into_iter().chain(script.filter(|_| runs_scripts)).filter_map(absolute).filter(|path| path.len() > 1)
    }

    /// Where to point at for the container as a whole: its name, where that is written inside it.
    pub fn head(&self) -> Span {
        match self.name.span() {
            Some(name) if name.file == self.span.file && self.span.start <= name.start && name.end <= self.span.end => {
                name
            }
            _ => self.span,
        }
    }

    pub(super) fn read(f: &Fields<'_>) -> Container {
        f.know(&["versionConsistency", "interactive", "pseudoTerminal"]);
        f.object("repositoryCredentials", |f| f.know(&["credentialsParameter"]));
        Container {
            span: f.span(),
            name: f.string("name"),
            image: f.string("image"),
            cpu: f.integer("cpu"),
            memory: f.integer("memory"),
            memory_reservation: f.integer("memoryReservation"),
            essential: f.bool("essential"),
            restart_policy: f.object("restartPolicy", |f| {
                f.know(&["ignoredExitCodes", "restartAttemptPeriod"]);
                RestartPolicy { enabled: f.bool("enabled") }
            }),
            entry_point: f.strings("entryPoint"),
            command: f.strings("command"),
            environment: f.objects("environment", EnvironmentVariable::read),
            environment_files: f.objects("environmentFiles", |f| f.know(&["value", "type"])),
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
                span: f.span(),
                source_container: f.string("sourceContainer"),
                read_only: f.bool("readOnly"),
            }),
            linux_parameters: f.object("linuxParameters", LinuxParameters::read),
            depends_on: f.objects("dependsOn", |f| ContainerDependency {
                container_name: f.string("containerName"),
                condition: f.string("condition"),
            }),
            port_mappings: f.objects("portMappings", |f| {
                f.know(&["name", "appProtocol", "containerPortRange"]);
                PortMapping {
                    container_port: f.integer("containerPort"),
                    host_port: f.integer("hostPort"),
                    protocol: f.string("protocol"),
                }
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
            log_configuration: f.object("logConfiguration", |f| {
                f.objects("secretOptions", |f| f.know(&["name", "valueFrom"]));
                LogConfiguration { log_driver: f.string("logDriver"), options: f.string_map("options") }
            }),
            health_check: f.object("healthCheck", |f| HealthCheck {
                command: f.strings("command"),
                interval: f.integer("interval"),
                timeout: f.integer("timeout"),
                retries: f.integer("retries"),
                start_period: f.integer("startPeriod"),
            }),
            firelens_configuration: f.object("firelensConfiguration", |f| {
                f.know(&["type"]);
                f.know_own("options");
            }),
            disable_networking: f.bool("disableNetworking"),
            dns_servers: f.strings("dnsServers"),
            dns_search_domains: f.strings("dnsSearchDomains"),
            extra_hosts: f.objects("extraHosts", |f| f.know(&["hostname", "ipAddress"])),
            links: f.strings("links"),
            system_controls: f.objects("systemControls", |f| f.know(&["namespace", "value"])),
            resource_requirements: f.objects("resourceRequirements", |f| {
                f.object("sharingStrategy", |f| f.object("nvidiaMps", |f| f.know(&["memory", "maxComputePercent"])));
                ResourceRequirement { kind: f.string("type"), value: f.string("value") }
            }),
            credential_specs: f.strings("credentialSpecs"),
        }
    }
}

impl EnvironmentVariable {
    pub(super) fn read(f: &Fields<'_>) -> EnvironmentVariable {
        EnvironmentVariable { span: f.span(), name: f.string("name"), value: f.string("value") }
    }
}

impl LinuxParameters {
    fn read(f: &Fields<'_>) -> LinuxParameters {
        let (add, drop) = f.object("capabilities", |f| (f.strings("add"), f.strings("drop"))).unzip();
        LinuxParameters {
            capabilities_add: add.list(),
            capabilities_drop: drop.list(),
            init_process_enabled: f.bool("initProcessEnabled"),
            shared_memory_size: f.integer("sharedMemorySize"),
            tmpfs: f.objects("tmpfs", |f| Tmpfs {
                span: f.span(),
                container_path: f.string("containerPath"),
                size: f.integer("size"),
                mount_options: f.strings("mountOptions"),
            }),
            devices: f.objects("devices", |f| {
                f.know(&["permissions"]);
                Device { span: f.span(), host_path: f.string("hostPath"), container_path: f.string("containerPath") }
            }),
            max_swap: f.integer("maxSwap"),
            swappiness: f.integer("swappiness"),
        }
    }
}
