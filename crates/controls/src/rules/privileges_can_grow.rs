//! Programs should not gain privileges that they were not started with.
//!
//! # What
//! With `no-new-privileges` the kernel ignores set-user-id bits and file capabilities: a program
//! that starts another cannot get more than it has.
//!
//! # Why
//! A user that is not root becomes root by `su`, `sudo` or any set-user-id program with a hole that
//! the image holds.
//!
//! # Exact test
//! Fails when `dockerSecurityOptions` of a container (`security_opt` in Compose) lacks
//! `no-new-privileges`, or says it is false. Not applicable where it cannot be set: on Fargate and
//! Managed Instances (by `requiresCompatibilities`, or by every service in the same files that runs
//! the task definition), in daemon task definitions, and for Windows. One verdict for each
//! container.
//!
//! # Impact
//! `sudo`, `su`, `ping` with file capabilities and the like stop working inside; an entry point
//! that drops from root to a user by `gosu` or `setpriv` still works.
//!
//! # Default value
//! Privileges can grow.
//!
//! # Fix
//! Add `no-new-privileges` to `dockerSecurityOptions`; in Compose `no-new-privileges:true` to
//! `security_opt`.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! The setting of the Docker daemon (`no-new-privileges` in daemon.json), and what Fargate does by
//! itself, which is not published.

use tojimari_ecs::Platform;
use tojimari_model::declared::{Container, TaskDefinition, TaskKind};
use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::platform::{Capacity, of_task, windows};
use crate::search::Search;
use crate::subject::{Subject, container_name};
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.14",
    slug: "privileges-can-grow",
    title: "Programs should not gain privileges that they were not started with",
    severity: Severity::Medium,
    level: 1,
    standards: &[Standard::CisDocker160("5.26")],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(|task, container| match settable(on, task) {
        Err(why) => Verdict::not_applicable(container.head(), why),
        Ok(()) => windows(task).unless_linux(judge(task, container), "Windows has no such option"),
    })
}

/// Why the option cannot be set.
fn settable(on: &Subject<'_>, task: &TaskDefinition) -> Result<(), &'static str> {
    match task.kind {
        TaskKind::ComposeService => return Ok(()),
        TaskKind::DaemonTaskDefinition => return Err("a daemon task definition has no dockerSecurityOptions"),
        TaskKind::TaskDefinition => {}
    }
    let refuse = |platform: Platform| matches!(platform, Platform::Fargate | Platform::ManagedInstances);
    let refuses = |kind: &Field<String>| kind.as_str().and_then(Platform::from_api_name).is_some_and(refuse);
    let runs_on = of_task(on);
    let elsewhere = |capacity: &Capacity| matches!(capacity, Capacity::On(platform) if refuse(*platform));
    if task.requires_compatibilities.iter().any(refuses) || !runs_on.is_empty() && runs_on.iter().all(elsewhere) {
        return Err("Fargate and Managed Instances do not take dockerSecurityOptions");
    }
    Ok(())
}

fn judge(task: &TaskDefinition, container: &Container) -> Verdict {
    let options = &container.docker_security_options;
    let remedy = Remedy::NoNewPrivileges { container: container_name(task, container) };
    let mut search = Search::new("whether no-new-privileges is set");
    search.note_rest(&options.rest);
    search.note_rest(&task.requires_compatibilities.rest);
    for option in options {
        match option {
            Field::Known(option, span) => {
                match option.replace([':', '='], " ").split_whitespace().collect::<Vec<_>>()[..] {
                    ["no-new-privileges"] | ["no-new-privileges", "true"] => {
                        return Verdict::pass(*span, "no-new-privileges is set");
                    }
                    ["no-new-privileges", "false"] => {
                        return Verdict::fail(*span, "no-new-privileges is false").with_remedy(remedy);
                    }
                    _ => {}
                }
            }
            Field::Unknown(reason, span) => search.note(reason, *span),
            Field::Absent => {}
        }
    }
    search.or_else(|| {
        Verdict::fail(options.span.unwrap_or(container.head()), "no-new-privileges is not set").with_remedy(remedy)
    })
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{}"#;
    fail: r#"{"dockerSecurityOptions": ["label:type:x"]}"#;
    fail: r#"{"dockerSecurityOptions": ["no-new-privileges:false"], "as": "compose"}"#;
    fail: r#"{"as": "compose"}"#;
    pass: r#"{"dockerSecurityOptions": ["no-new-privileges"]}"#;
    pass: r#"{"dockerSecurityOptions": ["no-new-privileges:true", "?"], "as": "compose"}"#;
    pass: r#"{"dockerSecurityOptions": ["no-new-privileges=true"], "as": "compose"}"#;
    not_applicable: r#"{"in": {"requiresCompatibilities": ["FARGATE"]}}"#;
    not_applicable: r#"{"as": "daemon"}"#;
    not_applicable: r#"[{"task": {"containerDefinitions": [{"name": "a"}]}}, {"service": {"taskDefinition": "@task",
        "launchType": "FARGATE"}}]"#;
    fail: r#"[{"task": {"containerDefinitions": [{"name": "a"}]}}, {"service": {"taskDefinition": "@task",
        "launchType": "EC2"}}]"#;
    unknown: r#"{"dockerSecurityOptions": ["?"]}"#;
    unknown: r#"{"in": {"requiresCompatibilities": "?"}}"#;
}
