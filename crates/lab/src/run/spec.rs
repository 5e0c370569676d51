//! A container in the words of the OCI runtime specification: what the Docker engine 27 gives runc
//! for a container without options of its own, and what the job says on top.

use std::path::Path;

use libcontainer::oci_spec::OciSpecError;
use libcontainer::oci_spec::runtime::{
    Capability, LinuxBuilder, LinuxCapabilitiesBuilder, LinuxDeviceCgroupBuilder, LinuxMemoryBuilder,
    LinuxNamespaceBuilder, LinuxNamespaceType, LinuxResourcesBuilder, Mount, MountBuilder, PosixRlimitBuilder,
    PosixRlimitType, Process, ProcessBuilder, RootBuilder, Spec, SpecBuilder, UserBuilder,
};

use super::job::{ContainerJob, Mounted, TaskJob};

/// Source of both lists: moby `daemon/pkg/oci/defaults.go`.
const MASKED_PATHS: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];
const READ_ONLY_PATHS: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The specification of a container; `root` is where its root is mounted.
pub(super) fn of(job: &TaskJob, index: usize) -> Result<Spec, OciSpecError> {
    let container = &job.containers[index];
    let mut namespaces =
        vec![LinuxNamespaceType::Pid, LinuxNamespaceType::Mount, LinuxNamespaceType::Uts, LinuxNamespaceType::Cgroup];
    if !job.shared_ipc {
        namespaces.push(LinuxNamespaceType::Ipc);
    }
    let namespaces: Vec<_> = namespaces
        .into_iter()
        .map(|kind| LinuxNamespaceBuilder::default().typ(kind).build())
        .collect::<Result<_, _>>()?;

    let every_device = LinuxDeviceCgroupBuilder::default().allow(container.privileged).access("rwm").build()?;
    let mut resources = LinuxResourcesBuilder::default().devices(vec![every_device]);
    if let Some(limit) = container.memory_limit_bytes {
        resources = resources.memory(LinuxMemoryBuilder::default().limit(limit).build()?);
    }
    let mut linux = LinuxBuilder::default()
        .namespaces(namespaces)
        .cgroups_path(format!("/{}", job.cgroup_of(index)))
        .resources(resources.build()?);
    linux = if container.privileged {
        linux.masked_paths(Vec::new()).readonly_paths(Vec::new())
    } else {
        linux
            .masked_paths(MASKED_PATHS.map(str::to_owned).to_vec())
            .readonly_paths(READ_ONLY_PATHS.map(str::to_owned).to_vec())
    };

    let root = RootBuilder::default().path(job.container_root(index)).readonly(container.readonly_root).build()?;
    SpecBuilder::default()
        .root(root)
        .hostname(container.hostname.clone())
        .process(process(container, container.args.clone())?)
        .mounts(mounts(job, index)?)
        .linux(linux.build()?)
        .build()
}

/// A process in the container: its own program, or a health check.
pub(super) fn process(container: &ContainerJob, args: Vec<String>) -> Result<Process, OciSpecError> {
    let capabilities: std::collections::HashSet<Capability> =
        container.capabilities.iter().filter_map(|name| name.parse().ok()).collect();
    // No ambient and no inheritable ones: a user other than root has none, as in Docker.
    let mut sets = LinuxCapabilitiesBuilder::default()
        .bounding(capabilities.clone())
        .permitted(capabilities.clone())
        .effective(capabilities)
        .build()?;
    sets.set_inheritable(None).set_ambient(None);
    let rlimits = container
        .rlimits
        .iter()
        .filter_map(|limit| {
            let kind: PosixRlimitType = limit.name.parse().ok()?;
            Some(PosixRlimitBuilder::default().typ(kind).soft(limit.soft).hard(limit.hard).build())
        })
        .collect::<Result<Vec<_>, _>>()?;
    let user = UserBuilder::default()
        .uid(container.user.uid)
        .gid(container.user.gid)
        .additional_gids(container.user.groups.clone())
        .build()?;
    ProcessBuilder::default()
        .terminal(false)
        .user(user)
        .args(args)
        .env(container.env.clone())
        .cwd(&container.working_directory)
        .capabilities(sets)
        .rlimits(rlimits)
        .no_new_privileges(container.no_new_privileges)
        .build()
}

fn mounts(job: &TaskJob, index: usize) -> Result<Vec<Mount>, OciSpecError> {
    let container = &job.containers[index];
    let read_only = if container.privileged { "rw" } else { "ro" };
    let shm = format!("size={}", container.shared_memory_bytes);
    let mut mounts = vec![
        made("/proc", "proc", &["nosuid", "noexec", "nodev"])?,
        made("/dev", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"])?,
        made("/dev/pts", "devpts", &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"])?,
        made("/sys", "sysfs", &["nosuid", "noexec", "nodev", read_only])?,
        made("/sys/fs/cgroup", "cgroup", &[read_only, "nosuid", "noexec", "nodev"])?,
        made("/dev/mqueue", "mqueue", &["nosuid", "noexec", "nodev"])?,
        made("/dev/shm", "tmpfs", &["nosuid", "noexec", "nodev", "mode=1777", &shm])?,
    ];
    let bundle = job.container_folder(index).join("bundle");
    for name in ["resolv.conf", "hostname", "hosts"] {
        mounts.push(bound(&bundle.join(name), &format!("/etc/{name}"), false)?);
    }
    for mount in &container.mounts {
        mounts.push(match &mount.what {
            Mounted::Tmpfs { options } => {
                let options: Vec<&str> = options.iter().map(String::as_str).collect();
                made(&mount.path, "tmpfs", &options)?
            }
            Mounted::Volume { index, read_only } => bound(&job.volume_folder(*index), &mount.path, *read_only)?,
        });
    }
    Ok(mounts)
}

fn made(path: &str, kind: &str, options: &[&str]) -> Result<Mount, OciSpecError> {
    MountBuilder::default()
        .destination(path)
        .typ(kind)
        .source(kind)
        .options(options.iter().map(ToString::to_string).collect::<Vec<_>>())
        .build()
}

fn bound(source: &Path, path: &str, read_only: bool) -> Result<Mount, OciSpecError> {
    let options = ["rbind", "rprivate", if read_only { "ro" } else { "rw" }];
    MountBuilder::default()
        .destination(path)
        .typ("bind")
        .source(source)
        .options(options.map(str::to_owned).to_vec())
        .build()
}
