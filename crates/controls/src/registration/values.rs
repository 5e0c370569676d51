//! Values that are out of bounds whatever the platform is.

use tojimari_ecs::{Platform, tmpfs};
use tojimari_model::Field;
use tojimari_model::declared::{Container, TaskDefinition, TaskKind};

use super::{About, Notes, containers};

const OPERATING_SYSTEMS: [&str; 10] = [
    "LINUX",
    "WINDOWS_SERVER_2004_CORE",
    "WINDOWS_SERVER_2016_FULL",
    "WINDOWS_SERVER_2019_CORE",
    "WINDOWS_SERVER_2019_FULL",
    "WINDOWS_SERVER_2022_CORE",
    "WINDOWS_SERVER_2022_FULL",
    "WINDOWS_SERVER_2025_CORE",
    "WINDOWS_SERVER_2025_FULL",
    "WINDOWS_SERVER_20H2_CORE",
];

const LOG_DRIVERS: [&str; 8] =
    ["json-file", "syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "awsfirelens"];

const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

pub fn look(task: &TaskDefinition, notes: &mut Notes) {
    // `default` stands for the network of Docker on Windows.
    one_of(None, "networkMode", &task.network_mode, &["bridge", "host", "awsvpc", "none", "default", ""], notes);
    let daemon = task.kind == TaskKind::DaemonTaskDefinition;
    let (pid, ipc): (&[&str], &[&str]) = match daemon {
        true => (&["none", "shared"], &["none", "shared"]),
        false => (&["host", "task"], &["host", "task", "none"]),
    };
    one_of(None, "pidMode", &task.pid_mode, pid, notes);
    one_of(None, "ipcMode", &task.ipc_mode, ipc, notes);
    let kinds: Vec<&str> = Platform::ALL.into_iter().filter_map(Platform::api_name).collect();
    for kind in &task.requires_compatibilities {
        one_of(None, "requiresCompatibilities", kind, &kinds, notes);
    }
    if let Field::Known(platform, _) = &task.runtime_platform {
        one_of(None, "operatingSystemFamily", &platform.operating_system_family, &OPERATING_SYSTEMS, notes);
        one_of(None, "cpuArchitecture", &platform.cpu_architecture, &["X86_64", "ARM64"], notes);
    }
    range(None, "sizeInGiB", &task.ephemeral_storage, 21, 200, notes);
    for (about, container) in containers(task) {
        one(about, container, notes);
    }
}

fn one(about: About, container: &Container, notes: &mut Notes) {
    if let Field::Known(log, _) = &container.log_configuration {
        one_of(about, "logDriver", &log.log_driver, &LOG_DRIVERS, notes);
    }
    for dependency in &container.depends_on {
        one_of(about, "condition", &dependency.condition, &["START", "COMPLETE", "SUCCESS", "HEALTHY"], notes);
    }
    for mapping in &container.port_mappings {
        range(about, "containerPort", &mapping.container_port, 0, 65535, notes);
        range(about, "hostPort", &mapping.host_port, 0, 65535, notes);
    }
    for ulimit in &container.ulimits {
        one_of(about, "the ulimit", &ulimit.name, &ULIMITS, notes);
    }
    if let Field::Known(health, _) = &container.health_check {
        range(about, "interval of the health check", &health.interval, 5, 300, notes);
        range(about, "timeout of the health check", &health.timeout, 2, 60, notes);
        range(about, "retries of the health check", &health.retries, 1, 10, notes);
        range(about, "startPeriod of the health check", &health.start_period, 0, 300, notes);
    }
    let Field::Known(linux, _) = &container.linux_parameters else { return };
    range(about, "swappiness", &linux.swappiness, 0, 100, notes);
    for mount in &linux.tmpfs {
        if mount.size.is_absent() {
            notes.refuse(about, mount.span, "a tmpfs needs a size");
        }
        range(about, "the size of a tmpfs", &mount.size, 1, i64::from(i32::MAX), notes);
        if mount.container_path.is_absent() {
            notes.refuse(about, mount.span, "a tmpfs needs a containerPath");
        }
        for option in &mount.mount_options {
            let Field::Known(option, span) = option else { continue };
            if tmpfs::mount_option(option).is_none() {
                let name = tmpfs::option_name(option);
                notes.refuse(about, *span, format!("{name} is no mount option of a tmpfs"));
            }
        }
    }
}

fn one_of(about: About, what: &str, value: &Field<String>, allowed: &[&str], notes: &mut Notes) {
    if let Field::Known(value, span) = value
        && !allowed.contains(&value.as_str())
    {
        let shown: String = value.chars().take(40).collect();
        notes.refuse(about, *span, format!("{what} cannot be {shown}"));
    }
}

fn range(about: About, what: &str, value: &Field<i64>, least: i64, most: i64, notes: &mut Notes) {
    if let Field::Known(value, span) = value
        && !(least..=most).contains(value)
    {
        notes.refuse(about, *span, format!("{what} must be {least} to {most}"));
    }
}
