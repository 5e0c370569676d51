//! ECS Exec should find its folders writable under a read-only root.
//!
//! # What
//! ECS Exec runs the agent of Systems Manager in the container. It writes to `/var/lib/amazon` and
//! `/var/log/amazon`.
//!
//! # Why
//! Under a read-only root without these folders `aws ecs execute-command` answers
//! TargetNotConnectedException: on the day somebody needs it.
//!
//! # Exact test
//! A service with `enableExecuteCommand` fails for each container of its task definition, in the
//! same files, that has `readonlyRootFilesystem` true and no writable mount on `/var/lib/amazon`
//! (or above it, or on its folder `ssm`), or, unless the tasks run on EC2 or external instances, on
//! `/var/log/amazon`. There the ECS agent mounts `/var/log/amazon/ssm` by itself. Containers with a
//! writable root pass. Without the task definition it is unknown.
//!
//! # Impact
//! Two more writable folders, without programs in them.
//!
//! # Default value
//! Nothing is mounted there on Fargate.
//!
//! # Fix
//! Mount a tmpfs or an empty volume on `/var/lib/amazon` and on `/var/log/amazon`. On EC2 do not
//! mount `/var/log/amazon/ssm` itself: the agent does. Where nobody uses it, turn
//! `enableExecuteCommand` off.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! AWS calls ECS Exec unsupported with a read-only root in any case; with these mounts it works in
//! practice. Prove it for each task: DescribeTasks must show the managed agent
//! `ExecuteCommandAgent` as RUNNING. Images without a shell, `script` or `cat`.

use tojimari_ecs::Platform;
use tojimari_ecs::folders::{EXEC, EXEC_AGENT};
use tojimari_model::declared::{Container, Service, TaskDefinition};
use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};
use tojimari_text::Span;

use crate::control::Control;
use crate::exec::{tasks, with_exec};
use crate::mounts::{CanWrite, mounts};
use crate::platform::{Capacity, Windows, of_service, windows};
use crate::subject::{Subject, container_name};
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.3",
    slug: "exec-blocked-by-read-only-root",
    title: "ECS Exec should find its folders writable under a read-only root",
    severity: Severity::Medium,
    level: 1,
    standards: &[],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let Some(service) = on.service() else { return Vec::new() };
    if !matches!(service.enable_execute_command, Field::Known(true, _) | Field::Unknown(..)) {
        return vec![with_exec(on, service, |span| Verdict::pass(span, ""))];
    }
    let found = match tasks(on, service) {
        Ok(found) => found,
        Err(reason) => {
            return vec![with_exec(on, service, |span| {
                Verdict::unknown(span, "whether the root is read-only", reason)
            })];
        }
    };
    // Variants of one task definition may hold the same container several times: the worst counts.
    let all = found.iter().flat_map(|task| task.containers.iter().map(move |container| (*task, container)));
    all.map(|(task, container)| {
        let verdict = with_exec(on, service, |_| judge(on, service, task, container));
        verdict.of_container(container_name(task, container), container)
    })
    .collect()
}

fn judge(on: &Subject<'_>, service: &Service, task: &TaskDefinition, container: &Container) -> Verdict {
    let span = match &container.readonly_root_filesystem {
        Field::Known(true, span) => *span,
        Field::Unknown(reason, span) => return Verdict::unknown(*span, "readonlyRootFilesystem", reason),
        _ => return Verdict::pass(container.head(), "the root file system is writable"),
    };
    if let Windows::Yes(span) = windows(task) {
        return Verdict::pass(span, "a Windows container has no read-only root file system");
    }
    let mounts = mounts(task, container);
    let [lib, log] = [0, 1].map(|at| (EXEC[at], mounts.can_write(&[EXEC[at], EXEC_AGENT[at]])));
    let fail = |span: Span, folder: &'static str| {
        Verdict::fail(span, format!("ECS Exec is enabled, the root is read-only and {folder} is not writable"))
            .with_remedy(Remedy::ExecFolder { container: container_name(task, container), folder })
    };
    match (lib, log, of_service(on, service)) {
        ((folder, CanWrite::No), ..) => fail(span, folder),
        (_, (folder, CanWrite::No), Capacity::On(Platform::Fargate | Platform::ManagedInstances)) => fail(span, folder),
        ((folder, CanWrite::Unknown(reason, at)), ..) => {
            Verdict::unknown(at, format!("whether {folder} is writable"), reason)
        }
        (_, _, Capacity::On(Platform::Ec2 | Platform::External | Platform::Compose)) | (_, (_, CanWrite::Yes), _) => {
            Verdict::pass(span, "the folders of ECS Exec are writable")
        }
        (_, (folder, CanWrite::Unknown(reason, at)), _) => {
            Verdict::unknown(at, format!("whether {folder} is writable"), reason)
        }
        (_, (folder, CanWrite::No), Capacity::Unknown(reason, at)) => Verdict::unknown(
            at,
            format!("{folder} is not writable, which matters on Fargate; what the tasks run on"),
            reason,
        ),
    }
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"service": {"enableExecuteCommand": true, "launchType": "FARGATE", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": true}]}}]"#;
    fail: r#"[{"service": {"enableExecuteCommand": true, "launchType": "FARGATE", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": true,
        "mountPoints": [{"sourceVolume": "l", "containerPath": "/var/lib/amazon"}]}], "volumes": [{"name": "l"},
        {"name": "m"}]}}]"#;
    pass: r#"[{"service": {"enableExecuteCommand": true, "launchType": "FARGATE", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": true,
        "mountPoints": [{"sourceVolume": "l", "containerPath": "/var/lib/amazon"}, {"sourceVolume": "m",
        "containerPath": "/var/log/amazon/"}]}], "volumes": [{"name": "l"}, {"name": "m"}]}}]"#;
    pass: r#"[{"service": {"enableExecuteCommand": true, "launchType": "FARGATE", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": true,
        "linuxParameters": {"tmpfs": [{"containerPath": "/var/lib/amazon", "size": 16},
        {"containerPath": "/var/log/amazon", "size": 16}]}}]}}]"#;
    pass: r#"[{"service": {"enableExecuteCommand": true, "launchType": "FARGATE", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": true,
        "mountPoints": [{"sourceVolume": "l", "containerPath": "/var"}]}], "volumes": [{"name": "l"},
        {"name": "m"}]}}]"#;
    fail: r#"[{"service": {"enableExecuteCommand": true, "launchType": "FARGATE", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": true,
        "mountPoints": [{"sourceVolume": "l", "containerPath": "/var", "readOnly": true}]}],
        "volumes": [{"name": "l"}, {"name": "m"}]}}]"#;
    pass: r#"[{"service": {"enableExecuteCommand": true, "launchType": "EC2", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": true,
        "mountPoints": [{"sourceVolume": "l", "containerPath": "/var/lib/amazon"}]}], "volumes": [{"name": "l"},
        {"name": "m"}]}}]"#;
    unknown: r#"[{"service": {"enableExecuteCommand": true, "launchType": "?", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": true,
        "mountPoints": [{"sourceVolume": "l", "containerPath": "/var/lib/amazon"}]}], "volumes": [{"name": "l"},
        {"name": "m"}]}}]"#;
    unknown: r#"[{"service": {"enableExecuteCommand": true, "launchType": "FARGATE", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": true, "mountPoints": "?"}]}}]"#;
    unknown: r#"[{"service": {"enableExecuteCommand": true, "launchType": "FARGATE", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": "?"}]}}]"#;
    unknown: r#"[{"service": {"enableExecuteCommand": "?", "launchType": "FARGATE", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": true}]}}]"#;
    pass: r#"[{"service": {"enableExecuteCommand": true, "launchType": "FARGATE", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "image": "?"}]}}]"#;
    pass: r#"[{"service": {"enableExecuteCommand": false, "launchType": "FARGATE", "taskDefinition": "@task"}},
        {"task": {"containerDefinitions": [{"name": "a", "readonlyRootFilesystem": true}]}}]"#;
    unknown: r#"[{"service": {"enableExecuteCommand": true, "taskDefinition": "elsewhere:3"}}]"#;
}
