//! What a platform does not take: Fargate, Managed Instances, external instances, Windows, and
//! the daemons of Managed Instances.

use tojimari_ecs::Platform;
use tojimari_model::Field;
use tojimari_model::declared::{Container, TaskDefinition, TaskKind, VolumeSource};

use super::parameters::{PARAMETERS, Use};
use super::{About, Notes, containers, size};
use crate::platform::windows;

/// What takes less than EC2 does: a platform, the operating system Windows, or the kind of the
/// definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuser {
    Fargate,
    ManagedInstances,
    External,
    Windows,
    Daemon,
}

impl Refuser {
    fn name(self) -> &'static str {
        match self {
            Refuser::Fargate => "Fargate",
            Refuser::ManagedInstances => "Managed Instances",
            Refuser::External => "external instances",
            Refuser::Windows => "Windows",
            Refuser::Daemon => "a daemon task definition",
        }
    }
}

pub fn look(task: &TaskDefinition, notes: &mut Notes) {
    let platforms = platforms(task);
    for platform in &platforms {
        of_task(task, *platform, notes);
        for (about, container) in containers(task) {
            of_container(task, *platform, about, container, notes);
        }
    }
    // A platform that is not known may refuse what others take.
    if let Some((reason, span)) = &task.requires_compatibilities.rest {
        let refusable = containers(task)
            .any(|(_, container)| PARAMETERS.iter().any(|parameter| !matches!((parameter.used)(container), Use::No)));
        if refusable || task.network_mode.as_str().is_some_and(|mode| mode != "awsvpc") {
            notes.leave_open(None, "requiresCompatibilities", (reason, *span));
        }
    }
}

fn platforms(task: &TaskDefinition) -> Vec<Refuser> {
    let mut platforms = Vec::new();
    if task.kind == TaskKind::DaemonTaskDefinition {
        platforms.push(Refuser::Daemon);
    }
    platforms.extend(task.platforms().filter_map(|platform| match platform {
        Platform::Fargate => Some(Refuser::Fargate),
        Platform::ManagedInstances => Some(Refuser::ManagedInstances),
        Platform::External => Some(Refuser::External),
        // EC2 takes everything, and Compose is not registered.
        Platform::Ec2 | Platform::Compose => None,
    }));
    if matches!(windows(task), crate::platform::Windows::Yes(_)) {
        platforms.push(Refuser::Windows);
    }
    platforms
}

fn of_task(task: &TaskDefinition, platform: Refuser, notes: &mut Notes) {
    use Refuser::{Daemon, External, Fargate, ManagedInstances, Windows};
    let mut refuse = |name: &str, span| notes.refuse(None, span, format!("{} does not take {name}", platform.name()));
    let parameters: [(&str, &[Refuser], _); 8] = [
        ("ipcMode", &[Fargate, ManagedInstances, Windows], task.ipc_mode.span()),
        ("pidMode", &[Windows], task.pid_mode.span()),
        ("placementConstraints", &[Fargate, Daemon], filled(&task.placement_constraints)),
        ("proxyConfiguration", &[ManagedInstances, External, Daemon], task.proxy_configuration.span()),
        ("ephemeralStorage", &[ManagedInstances, Daemon], task.ephemeral_storage.span()),
        ("inferenceAccelerators", &[ManagedInstances, Daemon], filled(&task.inference_accelerators)),
        ("networkMode", &[Daemon], task.network_mode.span()),
        ("requiresCompatibilities", &[Daemon], filled(&task.requires_compatibilities)),
    ];
    for (name, refused_by, span) in parameters {
        if let (true, Some(span)) = (refused_by.contains(&platform), span) {
            refuse(name, span);
        }
    }
    if let (Fargate, Field::Known(mode, span)) = (platform, &task.pid_mode)
        && mode == "host"
    {
        refuse("pidMode host", *span);
    }
    if let (ManagedInstances | External, crate::platform::Windows::Yes(span)) = (platform, windows(task)) {
        refuse("Windows", span);
    }
    for volume in &task.volumes {
        let name = match (&volume.source, platform) {
            (VolumeSource::Host { source_path }, Fargate) if source_path.known().is_some() => "host.sourcePath",
            (VolumeSource::Docker, Fargate | ManagedInstances | Windows | Daemon) => "dockerVolumeConfiguration",
            (VolumeSource::FsxWindows, Fargate | ManagedInstances | External | Daemon) => {
                "fsxWindowsFileServerVolumeConfiguration"
            }
            (VolumeSource::Efs(_), External | Daemon) => "efsVolumeConfiguration",
            (_, External) if volume.configured_at_launch.known() == Some(&true) => "configuredAtLaunch",
            _ => continue,
        };
        refuse(name, volume.span);
    }
    let modes: &[&str] = match platform {
        Fargate => &["awsvpc"],
        ManagedInstances => &["awsvpc", "host"],
        External => &["bridge", "host", "none"],
        Windows | Daemon => &[],
    };
    notes.look(None, "networkMode", &task.network_mode, |notes, mode, span| {
        if !modes.is_empty() && !modes.contains(&mode.as_str()) {
            notes.refuse(None, span, format!("{} does not take networkMode {mode}", platform.name()));
        }
    });
    if platform == Fargate {
        if task.network_mode.is_absent() {
            let span = task.family.span().unwrap_or(task.span);
            notes.refuse(None, span, "Fargate needs networkMode awsvpc");
        }
        size::look(task, notes);
    }
}

fn filled<T>(list: &tojimari_model::List<T>) -> Option<tojimari_text::Span> {
    list.items.first().and(list.span)
}

fn of_container(task: &TaskDefinition, platform: Refuser, about: About, container: &Container, notes: &mut Notes) {
    for parameter in PARAMETERS.iter().filter(|parameter| parameter.refused_by.contains(&platform)) {
        match (parameter.used)(container) {
            Use::No => {}
            Use::Yes(span) => {
                notes.refuse(about, span, format!("{} does not take {}", platform.name(), parameter.name))
            }
            Use::Unknown(reason, span) => notes.leave_open(about, parameter.name, (&reason, span)),
        }
    }
    let drivers: &[&str] = match platform {
        Refuser::Fargate => &["awslogs", "splunk", "awsfirelens"],
        Refuser::ManagedInstances => &["awslogs", "splunk", "awsfirelens", "json-file"],
        _ => return,
    };
    if let Field::Known(log, _) = &container.log_configuration {
        notes.look(about, "logDriver", &log.log_driver, |notes, driver, span| {
            if !drivers.contains(&driver.as_str()) {
                notes.refuse(about, span, format!("{} does not take logDriver {driver}", platform.name()));
            }
        });
    }
    let (start, stop) = if platform == Refuser::Fargate { (120, 120) } else { (600, 86400) };
    for (name, value, most) in
        [("startTimeout", &container.start_timeout, start), ("stopTimeout", &container.stop_timeout, stop)]
    {
        if let Field::Known(seconds, span) = value
            && *seconds > most
        {
            notes.refuse(about, *span, format!("{} takes at most {most} for {name}", platform.name()));
        }
    }
    if platform == Refuser::Fargate && task.execution_role_arn.is_absent() {
        execution_role(about, container, notes);
    }
}

/// Without an execution role Fargate can neither write to CloudWatch Logs nor pull from ECR.
fn execution_role(about: About, container: &Container, notes: &mut Notes) {
    if let Field::Known(log, _) = &container.log_configuration
        && let Field::Known(driver, span) = &log.log_driver
        && driver == "awslogs"
    {
        notes.refuse(about, *span, "Fargate needs an executionRoleArn for awslogs");
    }
    if let Field::Known(image, span) = &container.image
        && image.contains(".dkr.ecr.")
    {
        notes.refuse(about, *span, "Fargate needs an executionRoleArn for images of ECR");
    }
}
