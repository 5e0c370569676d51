//! From a task definition and its images to the job of a run: the image's configuration and what
//! ECS puts on top of it, every default filled in. What cannot be reproduced here is noted, what
//! cannot be run at all is the user's mistake. Pure but for looking into the unpacked images.

mod mounts;
mod process;
mod start_order;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use oci_spec::image::ImageConfiguration;
use tojimari_evidence::profile::ImageIdentity;
use tojimari_model::declared::{Container, Field, List, TaskDefinition};
use tojimari_plan::Platform;

use super::job::{Condition, ContainerJob, DependencyJob, HealthJob, VolumeJob};
use super::surroundings::Surroundings;
use super::{ContainerMistake, Mistake};
use mounts::Volumes;

/// An unpacked image and what it says of itself.
#[derive(Debug)]
pub(crate) struct LoadedImage {
    pub identity: ImageIdentity,
    pub root: PathBuf,
    pub config: ImageConfiguration,
}

/// The task's own address. It is one for private networks, as a task in a VPC has.
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);

/// How long a container may take until it is healthy in a writable run, whatever its health check
/// allows.
const LONGEST_PATIENCE: Duration = Duration::from_secs(600);
/// How long it may take until it listens on its ports, which ECS never looks at.
const PORT_PATIENCE: Duration = Duration::from_secs(30);

/// The defaults of ECS's health check, in seconds, and the number of retries.
/// Source: the API reference of HealthCheck.
const HEALTH_INTERVAL: i64 = 30;
const HEALTH_TIMEOUT: i64 = 5;
const HEALTH_RETRIES: i64 = 3;
/// The default of `stopTimeout`.
const STOP_TIMEOUT: i64 = 30;
/// Docker's default size of /dev/shm.
const SHARED_MEMORY_MIB: i64 = 64;

/// What a run shares with every other run of the same task.
#[derive(Debug)]
pub(super) struct Declared {
    pub containers: Vec<ContainerJob>,
    pub volumes: Vec<VolumeJob>,
    pub shared_ipc: bool,
    pub notes: Vec<String>,
}

/// What decides how a task is run beside its definition.
pub(super) struct Choices<'a> {
    /// Only this container of the task.
    pub container: Option<&'a str>,
    /// Instead of what the task definition says.
    pub platform: Option<Platform>,
    pub surroundings: &'a Surroundings,
}

/// `image_of` gives the image of a container by its name.
pub(super) fn declare<'i>(
    task: &TaskDefinition,
    image_of: impl Fn(&Container) -> Option<&'i LoadedImage>,
    choices: &Choices<'_>,
) -> Result<Declared, Mistake> {
    let mut notes = Vec::new();
    check_task(task, &mut notes)?;
    let chosen: Vec<&Container> = task
        .containers
        .iter()
        .filter(|container| choices.container.is_none_or(|name| container.name.as_str() == Some(name)))
        .collect();
    if chosen.is_empty() {
        return Err(match choices.container {
            Some(name) => Mistake::NoSuchContainer(name.to_owned()),
            None => Mistake::NoContainers,
        });
    }
    let platform = choices.platform.unwrap_or_else(|| task.platform());
    let mut volumes = Volumes::of(task, platform, &mut notes);
    let mut containers = Vec::new();
    let mut mounted = BTreeMap::new();
    for container in &chosen {
        let name = required(&container.name, "a container", "name")?;
        if mounted.contains_key(name) {
            return Err(Mistake::SameName(name.clone()));
        }
        let image = image_of(container).ok_or_else(|| Mistake::NotOpened(name.clone()))?;
        let declaring = Declaring { name, container, image, platform, choices };
        mounted.insert(name.clone(), volumes.mounts(&declaring, &mut notes)?);
        containers.push(declaring.job(&mut notes)?);
    }
    for (container, job) in chosen.iter().zip(&mut containers) {
        job.mounts = mounts::with_volumes_from(&job.name, container, &mounted)?;
        job.depends_on = dependencies(&job.name, container, &chosen, choices, &mut notes)?;
    }
    start_order::check(&containers)?;
    let shared_ipc = matches!(task.ipc_mode.as_str(), Some("task" | "host"));
    Ok(Declared { containers, volumes: volumes.into_jobs(), shared_ipc, notes })
}

fn check_task(task: &TaskDefinition, notes: &mut Vec<String>) -> Result<(), Mistake> {
    if let Some(platform) = task.runtime_platform.known()
        && let Some(system) = platform.operating_system_family.as_str()
        && system.starts_with("WINDOWS")
    {
        return Err(Mistake::NotLinux(system.to_owned()));
    }
    match task.network_mode.as_str() {
        Some("host") => notes.push("networkMode host: run in a network of the task's own".to_owned()),
        Some("bridge") | None if task.containers.items.len() > 1 => {
            notes.push("networkMode bridge: the containers of the task share one network here".to_owned());
        }
        _ => {}
    }
    if let Some(mode @ ("task" | "host")) = task.pid_mode.as_str() {
        notes.push(format!("pidMode {mode}: each container has processes of its own here"));
    }
    if !task.proxy_configuration.is_absent() {
        notes.push("proxyConfiguration is not reproduced".to_owned());
    }
    Ok(())
}

/// One container while its job is made.
struct Declaring<'a> {
    name: &'a str,
    container: &'a Container,
    image: &'a LoadedImage,
    platform: Platform,
    choices: &'a Choices<'a>,
}

impl Declaring<'_> {
    /// Everything but the mounts and what depends on other containers.
    fn job(&self, notes: &mut Vec<String>) -> Result<ContainerJob, Mistake> {
        self.note_what_is_missing(notes);
        let container = self.container;
        let user = self.user()?;
        let hostname = self.string(&container.hostname, "hostname")?.unwrap_or_else(process::hostname);
        let linux = container.linux_parameters.known();
        let shared_memory = match linux {
            Some(linux) => self.integer(&linux.shared_memory_size, "sharedMemorySize")?,
            None => None,
        };
        let init = match linux {
            Some(linux) => self.flag(&linux.init_process_enabled, "initProcessEnabled")?,
            None => false,
        };
        let memory = self.integer(&container.memory, "memory")?.filter(|mib| *mib > 0);
        let ports = self.ports()?;
        let health = self.health(notes)?;
        let patience = match &health {
            Some(health) => {
                let start = self.health_time(|check| &check.start_period, "startPeriod", 0)?;
                (start + (health.interval + health.timeout) * health.retries).min(LONGEST_PATIENCE)
            }
            None => PORT_PATIENCE,
        };
        let privileged = self.flag(&container.privileged, "privileged")?;
        Ok(ContainerJob {
            name: self.name.to_owned(),
            essential: container.essential.known().copied().unwrap_or(true),
            image_root: self.image.root.clone(),
            args: self.args()?,
            env: self.env(&user, &hostname)?,
            working_directory: self.working_directory()?,
            user: super::job::UserJob { uid: user.uid, gid: user.gid, groups: user.groups },
            readonly_root: self.flag(&container.readonly_root_filesystem, "readonlyRootFilesystem")?,
            privileged,
            no_new_privileges: self.no_new_privileges()?,
            capabilities: self.capabilities(privileged, notes)?,
            hosts: self.hosts(&hostname)?,
            hostname,
            mounts: Vec::new(),
            shared_memory_bytes: (shared_memory.filter(|mib| *mib > 0).unwrap_or(SHARED_MEMORY_MIB) as u64) << 20,
            rlimits: self.rlimits(notes)?,
            memory_limit_bytes: memory.and_then(|mib| mib.checked_mul(1 << 20)),
            init,
            health,
            patience,
            depends_on: Vec::new(),
            ports,
            stop_signal: self.stop_signal(notes),
            stop_timeout: seconds(self.integer(&container.stop_timeout, "stopTimeout")?.unwrap_or(STOP_TIMEOUT)),
            masked: self.masked(),
            traced: true,
        })
    }

    fn health(&self, notes: &mut Vec<String>) -> Result<Option<HealthJob>, Mistake> {
        let Some(check) = self.container.health_check.known() else {
            return match &self.container.health_check {
                Field::Unknown(reason, _) => Err(self.unknown("healthCheck", reason)),
                _ => Ok(None),
            };
        };
        let command = self.strings(&check.command, "healthCheck.command")?;
        let args = match command.split_first().map(|(kind, rest)| (kind.as_str(), rest)) {
            None | Some(("NONE", _)) => return Ok(None),
            Some(("CMD", rest)) if !rest.is_empty() => rest.to_vec(),
            Some(("CMD-SHELL", [line])) => shell(line),
            Some(("CMD" | "CMD-SHELL", _)) => {
                return Err(self.mistake(ContainerMistake::EmptyHealthCheck));
            }
            Some((line, [])) => {
                notes.push(format!("{}: the health check has neither CMD nor CMD-SHELL: run by a shell", self.name));
                shell(line)
            }
            Some(_) => {
                return Err(self.mistake(ContainerMistake::HealthCheckKind));
            }
        };
        Ok(Some(HealthJob {
            args,
            interval: self.health_time(|check| &check.interval, "interval", HEALTH_INTERVAL)?,
            timeout: self.health_time(|check| &check.timeout, "timeout", HEALTH_TIMEOUT)?,
            retries: self.health_number(|check| &check.retries, "retries", HEALTH_RETRIES)?.clamp(1, 10) as u32,
        }))
    }

    fn health_number(
        &self,
        field: impl Fn(&tojimari_model::declared::HealthCheck) -> &Field<i64>,
        name: &str,
        default: i64,
    ) -> Result<i64, Mistake> {
        match self.container.health_check.known() {
            Some(check) => Ok(self.integer(field(check), name)?.unwrap_or(default).clamp(0, 3600)),
            None => Ok(default),
        }
    }

    fn health_time(
        &self,
        field: impl Fn(&tojimari_model::declared::HealthCheck) -> &Field<i64>,
        name: &str,
        default: i64,
    ) -> Result<Duration, Mistake> {
        Ok(seconds(self.health_number(field, name, default)?))
    }

    fn ports(&self) -> Result<Vec<u16>, Mistake> {
        let mut ports = Vec::new();
        for mapping in &self.container.port_mappings {
            if mapping.protocol.as_str().is_some_and(|protocol| protocol.eq_ignore_ascii_case("udp")) {
                continue;
            }
            if let Some(port) = self.integer(&mapping.container_port, "containerPort")?.filter(|port| *port != 0) {
                ports.push(u16::try_from(port).map_err(|_| self.mistake(ContainerMistake::Port(port)))?);
            }
        }
        Ok(ports)
    }

    fn note_what_is_missing(&self, notes: &mut Vec<String>) {
        let container = self.container;
        let mut note = |missing: bool, what: &str| {
            if missing {
                notes.push(format!("{}: {what}", self.name));
            }
        };
        note(
            !container.secrets.items.is_empty(),
            "the values of secrets are not known here: each is `tojimari-placeholder`",
        );
        note(!container.environment_files.items.is_empty(), "environmentFiles lie in S3 and are not read");
        note(!container.extra_hosts.items.is_empty(), "extraHosts are not reproduced");
        note(!container.system_controls.items.is_empty(), "systemControls are not reproduced");
        note(!container.firelens_configuration.is_absent(), "firelensConfiguration is not reproduced");
        note(!container.resource_requirements.items.is_empty(), "resourceRequirements are not reproduced");
        let restarts = container.restart_policy.known().and_then(|policy| policy.enabled.known().copied());
        note(restarts == Some(true), "restartPolicy is not reproduced: a container that ends is not started again");
        note(
            container.linux_parameters.known().is_some_and(|linux| !linux.devices.items.is_empty()),
            "devices of the host are not given to the container",
        );
    }

    // Fields as they are needed: what is not known cannot be run.

    fn mistake(&self, mistake: ContainerMistake) -> Mistake {
        Mistake::Container { name: self.name.to_owned(), mistake }
    }

    fn unknown(&self, field: &str, reason: &str) -> Mistake {
        self.mistake(ContainerMistake::NotKnown { field: field.to_owned(), reason: reason.to_owned() })
    }

    fn value<T: Clone>(&self, field: &Field<T>, name: &str) -> Result<Option<T>, Mistake> {
        match field {
            Field::Absent => Ok(None),
            Field::Known(value, _) => Ok(Some(value.clone())),
            Field::Unknown(reason, _) => Err(self.unknown(name, reason)),
        }
    }

    fn string(&self, field: &Field<String>, name: &str) -> Result<Option<String>, Mistake> {
        Ok(self.value(field, name)?.filter(|text| !text.is_empty()))
    }

    fn integer(&self, field: &Field<i64>, name: &str) -> Result<Option<i64>, Mistake> {
        self.value(field, name)
    }

    fn flag(&self, field: &Field<bool>, name: &str) -> Result<bool, Mistake> {
        Ok(self.value(field, name)?.unwrap_or(false))
    }

    fn strings(&self, list: &List<Field<String>>, name: &str) -> Result<Vec<String>, Mistake> {
        if let Some((reason, _)) = &list.rest {
            return Err(self.unknown(name, reason));
        }
        list.iter().map(|item| Ok(self.value(item, name)?.unwrap_or_default())).collect()
    }
}

/// Seconds as the task definition gives them; fewer than none are none, more than a year a year.
fn seconds(number: i64) -> Duration {
    const MOST: u64 = 365 * 24 * 3600;
    Duration::from_secs(u64::try_from(number).unwrap_or(0).min(MOST))
}

fn shell(line: &str) -> Vec<String> {
    vec!["/bin/sh".to_owned(), "-c".to_owned(), line.to_owned()]
}

fn required<'a>(field: &'a Field<String>, of: &str, name: &'static str) -> Result<&'a String, Mistake> {
    match field {
        Field::Known(value, _) => Ok(value),
        Field::Absent => Err(Mistake::Missing { of: of.to_owned(), field: name }),
        Field::Unknown(reason, _) => {
            Err(Mistake::NotKnown { of: of.to_owned(), field: name, reason: reason.to_string() })
        }
    }
}

fn dependencies(
    name: &str,
    container: &Container,
    chosen: &[&Container],
    choices: &Choices<'_>,
    notes: &mut Vec<String>,
) -> Result<Vec<DependencyJob>, Mistake> {
    let mut dependencies = Vec::new();
    for dependency in &container.depends_on {
        let other = required(&dependency.container_name, name, "containerName")?;
        let condition = match dependency.condition.as_str() {
            None | Some("START") => Condition::Start,
            Some("COMPLETE") => Condition::Complete,
            Some("SUCCESS") => Condition::Success,
            Some("HEALTHY") => Condition::Healthy,
            Some(condition) => {
                let mistake = ContainerMistake::Condition(condition.escape_debug().to_string());
                return Err(Mistake::Container { name: name.to_owned(), mistake });
            }
        };
        match chosen.iter().position(|container| container.name.as_str() == Some(other)) {
            Some(at) => dependencies.push(DependencyJob { container: at, condition }),
            None if choices.container.is_some() => {
                notes.push(format!("{name} depends on {other}, which is not run"));
            }
            None => return Err(Mistake::NoDependency { container: name.to_owned(), other: other.clone() }),
        }
    }
    Ok(dependencies)
}
