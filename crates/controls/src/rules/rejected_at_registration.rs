//! Task definitions should be such that ECS takes them.
//!
//! # What
//! RegisterTaskDefinition refuses a task definition that holds what the API, or the platform in
//! `requiresCompatibilities`, does not take.
//!
//! # Why
//! A deployment that fails is found late. And a name that does not exist (`privilege`,
//! `enviroment`) is left out silently by some tools, Terraform's provider for AWS among them: the
//! setting is then not there at all.
//!
//! # Exact test
//! Fails for a member that the API does not have, at any depth; more than 10 containers, none, or
//! none that is essential; more than 64 KiB; a mount point whose volume is not declared; references
//! to containers that do not exist; a condition that its container cannot meet; a container without
//! a name, an image or memory; values out of bounds; parameters that Fargate, Managed Instances,
//! external instances, Windows or a daemon does not take; a pair of cpu and memory that Fargate
//! does not have; and on Fargate no execution role for `awslogs` or ECR. A tmpfs is taken on
//! Fargate and Managed Instances since January 2026. One verdict for the task and one for each
//! container; unknown where what is not known could be refused. Compose services are not evaluated.
//!
//! # Impact
//! None: what is refused does not run.
//!
//! # Default value
//! None.
//!
//! # Fix
//! As the message says. `aws ecs register-task-definition --cli-input-json` refuses unknown names
//! before the call.
//!
//! # Back out
//! Nothing to back out of: no revision was made.
//!
//! # Does not see
//! What the API checks against the account: roles, secrets, file systems, quotas. Where AWS's own
//! pages contradict each other (host paths on Managed Instances, `user` on Windows) nothing is
//! reported.

use tojimari_model::Severity;
use tojimari_model::declared::TaskKind;
use tojimari_text::Span;

use crate::control::Control;
use crate::registration::{About, Notes, notes};
use crate::subject::{Subject, container_name};
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.5",
    slug: "rejected-at-registration",
    title: "Task definitions should be such that ECS takes them",
    severity: Severity::High,
    level: 1,
    standards: &[],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let Some(task) = on.task().filter(|task| task.kind != TaskKind::ComposeService) else { return Vec::new() };
    let notes = notes(task);
    let of_task = judge(&notes, None, on.head());
    let of_containers = task.containers.iter().enumerate().map(|(at, container)| {
        judge(&notes, Some(at), container.head()).of_container(container_name(task, container), container)
    });
    std::iter::once(of_task).chain(of_containers).collect()
}

/// How many refusals a message names.
const MOST: usize = 8;

fn judge(notes: &Notes, about: About, head: Span) -> Verdict {
    let mut words: Vec<&str> = Vec::new();
    let mut first = None;
    for (_, span, refused) in notes.refused.iter().filter(|(other, ..)| *other == about) {
        first = first.or(Some(*span));
        if !words.contains(&refused.as_str()) {
            words.push(refused);
        }
    }
    if let Some(span) = first {
        let more = words.len().saturating_sub(MOST);
        words.truncate(MOST);
        let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
        return Verdict::fail(span, format!("{}{tail}", words.join("; "))).advise("change what ECS does not take");
    }
    match notes.open.iter().find(|(other, ..)| *other == about) {
        Some((_, span, what, reason)) => Verdict::unknown(*span, what, reason),
        None => Verdict::pass(head, "nothing is known that ECS would refuse"),
    }
}

#[cfg(test)]
crate::cases::cases! {
    pass: r#"{"image": "i", "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256",
        "memory": "512"}}"#;
    pass: r#"{"image": "i", "user": "?", "environment": "?", "in": {"requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    pass: r#"{"image": "i", "in": {"memory": "512"}}"#;
    fail: r#"{"image": "i", "privilege": true, "in": {"requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    fail: r#"{"image": "i", "linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 1, "mode": "1777"}]},
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    pass: r#"{"image": "i", "linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64,
        "mountOptions": ["mode=1777", "noexec"]}]}, "in": {"requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    pass: r#"{"image": "i", "linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 64}]},
        "in": {"requiresCompatibilities": ["MANAGED_INSTANCES"], "networkMode": "awsvpc", "memory": "512"}}"#;
    fail: r#"{"image": "i", "linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 0}]},
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    fail: r#"{"image": "i", "linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 1,
        "mountOptions": ["loop"]}]}, "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc",
        "cpu": "256", "memory": "512"}}"#;
    pass: r#"{"image": "i", "linuxParameters": {"capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]}},
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    fail: r#"{"image": "i", "linuxParameters": {"capabilities": {"add": ["NET_ADMIN"]}},
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    fail: r#"{"image": "i", "linuxParameters": {"sharedMemorySize": 64},
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    fail: r#"{"image": "i", "privileged": true, "in": {"requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    pass: r#"{"image": "i", "privileged": false, "in": {"requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    unknown: r#"{"image": "i", "privileged": "?", "in": {"requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    pass: r#"{"image": "i", "privileged": true, "in": {"memory": "512"}}"#;
    fail: r#"{"image": "i", "dockerSecurityOptions": ["no-new-privileges"],
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    fail: r#"{"image": "i", "dnsServers": ["1.1.1.1"], "in": {"requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    fail: r#"{"image": "i", "resourceRequirements": [{"type": "GPU", "value": "1"}],
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    fail: r#"{"image": "i", "logConfiguration": {"logDriver": "json-file"},
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    fail: r#"{"image": "i", "logConfiguration": {"logDriver": "awslogs"},
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    pass: r#"{"image": "i", "logConfiguration": {"logDriver": "awslogs"},
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "executionRoleArn": "?"}}"#;
    fail: r#"{"image": "i", "stopTimeout": 300, "in": {"requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    pass: r#"{"image": "i", "stopTimeout": 300, "in": {"memory": "512"}}"#;
    fail: r#"{"image": "i", "mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}],
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    unknown: r#"{"image": "i", "mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}],
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512",
        "volumes": "?"}}"#;
    fail: r#"{"image": "i", "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256",
        "memory": "512", "volumes": [{"name": "v", "host": {"sourcePath": "/srv"}}]}}"#;
    pass: r#"{"image": "i", "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256",
        "memory": "512", "volumes": [{"name": "v", "host": {}}]}}"#;
    fail: r#"{"image": "i", "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256",
        "memory": "512", "pidMode": "host"}}"#;
    pass: r#"{"image": "i", "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256",
        "memory": "512", "pidMode": "task"}}"#;
    fail: r#"{"image": "i", "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256",
        "memory": "512", "ipcMode": "task"}}"#;
    fail: r#"{"image": "i", "in": {"requiresCompatibilities": ["FARGATE"], "cpu": "256", "memory": "512"}}"#;
    fail: r#"{"image": "i", "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256",
        "memory": "4096"}}"#;
    unknown: r#"{"image": "i", "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "?",
        "memory": "512"}}"#;
    fail: r#"{"image": "i", "in": {"requiresCompatibilities": ["EXTERNAL"], "networkMode": "awsvpc",
        "memory": "512"}}"#;
    fail: r#"{"image": "i", "hostname": "h", "in": {"requiresCompatibilities": ["MANAGED_INSTANCES"],
        "memory": "512"}}"#;
    fail: r#"{"image": "i", "readonlyRootFilesystem": true, "in": {"memory": "512",
        "runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}}"#;
    unknown: r#"{"image": "i", "privileged": true, "in": {"memory": "512", "requiresCompatibilities": "?"}}"#;
    fail: r#"{"image": "i", "in": {"networkMode": "aws-vpc", "memory": "512"}}"#;
    fail: r#"{"image": "i", "in": {}}"#;
    fail: r#"{"memory": 128}"#;
    fail: r#"{"image": "i", "memory": 128, "memoryReservation": 256, "in": {}}"#;
    fail: r#"{"image": "i", "name": "a b", "in": {"memory": "512"}}"#;
    fail: r#"{"image": "i", "essential": false, "in": {"memory": "512"}}"#;
    fail: r#"{"image": "i", "volumesFrom": [{"sourceContainer": "b"}], "in": {"memory": "512"}}"#;
    fail: r#"{"image": "i", "dependsOn": [{"containerName": "a", "condition": "START"}], "in": {"memory": "512"}}"#;
    fail: r#"{"image": "i", "healthCheck": {"command": ["a"], "interval": 1}, "in": {"memory": "512"}}"#;
    fail: r#"{"image": "i", "hostname": "h", "in": {"networkMode": "awsvpc", "memory": "512"}}"#;
    fail: r#"{"image": "i", "portMappings": [{"containerPort": 80, "hostPort": 8080}],
        "in": {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}}"#;
    fail: r#"{"image": "i", "in": {"memory": "512", "volumes": [{"name": "v",
        "efsVolumeConfiguration": {"fileSystemId": "f", "authorizationConfig": {"iam": "ENABLED"}}}]}}"#;
    fail: r#"[{"task": {"memory": "512", "containerDefinitions": [{"name": "c0", "image": "i"}, {"name": "c1",
        "image": "i"}, {"name": "c2", "image": "i"}, {"name": "c3", "image": "i"}, {"name": "c4", "image": "i"},
        {"name": "c5", "image": "i"}, {"name": "c6", "image": "i"}, {"name": "c7", "image": "i"}, {"name": "c8",
        "image": "i"}, {"name": "c9", "image": "i"}, {"name": "c10", "image": "i"}]}}]"#;
    fail: r#"[{"task": {"containerDefinitions": []}}]"#;
    unknown: r#"[{"task": {"containerDefinitions": "?"}}]"#;
    fail: r#"[{"task": {"memory": "512", "containerDefinitions": [{"name": "a", "image": "i"}, {"name": "a",
        "image": "i"}]}}]"#;
    fail: r#"[{"task": {"memory": "512", "containerDefinitions": [{"name": "a", "image": "i",
        "dependsOn": [{"containerName": "b", "condition": "SUCCESS"}]}, {"name": "b", "image": "i"}]}}]"#;
    pass: r#"[{"task": {"memory": "512", "containerDefinitions": [{"name": "a", "image": "i",
        "dependsOn": [{"containerName": "b", "condition": "SUCCESS"}]}, {"name": "b", "image": "i",
        "essential": false}]}}]"#;
    pass: r#"{"image": "i", "privileged": true, "in": {"volumes": [{"name": "v", "host": {"sourcePath": "/srv"}}]},
        "as": "daemon"}"#;
    fail: r#"{"image": "i", "links": ["b"], "as": "daemon"}"#;
    fail: r#"{"image": "i", "in": {"networkMode": "awsvpc"}, "as": "daemon"}"#;
}
