//! ECS Fargate services should run on the latest Fargate platform version.
//!
//! # What
//! The platform version is the kernel and the container runtime that Fargate runs tasks on.
//!
//! # Why
//! An old version gets no new functions, and in the end no fixes.
//!
//! # Exact test
//! Fails when `platformVersion` of a service is neither LATEST nor the latest one, which is 1.4.0
//! for Linux and 1.0.0 for Windows. Absent means LATEST, and passes. Not applicable on EC2,
//! external and Managed Instances.
//!
//! # Impact
//! From 1.3.0 to 1.4.0 the network interface, the task metadata and the ephemeral storage changed;
//! a task that pulls from ECR in a VPC needs the endpoint `ecr.api` too.
//!
//! # Default value
//! LATEST.
//!
//! # Fix
//! Set `platformVersion` to LATEST, or take it away, and update the service.
//!
//! # Back out
//! Update the service with the earlier `platformVersion`.
//!
//! # Does not see
//! Tasks that still run on the version they were started with, standalone tasks, and scheduled
//! tasks.

use tojimari_ecs::Platform;
use tojimari_model::declared::{Service, Target};
use tojimari_model::finding::Remedy;
use tojimari_model::{Declared, Field, Severity};

use crate::control::{Control, Standard};
use crate::platform::{Capacity, Windows, of_service, windows};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.10",
    slug: "old-platform-version",
    title: "ECS Fargate services should run on the latest Fargate platform version",
    severity: Severity::Medium,
    level: 1,
    standards: &[
        Standard::Fsbp,
        Standard::Nist80053(&["SI-2", "SI-2(2)", "SI-2(4)", "SI-2(5)"]),
        Standard::PciDss401(&["6.3.3"]),
        Standard::CisAwsCompute110("3.8"),
    ],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.service().map(|service| judge(on, service)).into_iter().collect()
}

fn judge(on: &Subject<'_>, service: &Service) -> Verdict {
    let capacity = of_service(on, service);
    if matches!(capacity, Capacity::On(platform) if platform != Platform::Fargate) {
        return Verdict::not_applicable(on.head(), "the service does not run on Fargate");
    }
    match &service.platform_version {
        Field::Absent => Verdict::pass(on.head(), "platformVersion is not set, which means LATEST"),
        Field::Unknown(reason, span) => Verdict::unknown(*span, "platformVersion", reason),
        Field::Known(version, span) => match version.as_str() {
            "LATEST" => Verdict::pass(*span, "platformVersion is LATEST"),
            "1.4.0" | "1.0.0" => match (is_windows(on, service), version.as_str()) {
                (Some(true), "1.0.0") => Verdict::pass(*span, "1.0.0 is the latest for Windows"),
                (None, "1.0.0") => Verdict::unknown(
                    *span,
                    "whether the tasks are Windows ones",
                    "their definition is not in these files",
                ),
                (Some(false), "1.4.0") | (None, "1.4.0") => Verdict::pass(*span, "1.4.0 is the latest for Linux"),
                _ => old(*span, version),
            },
            _ => old(*span, version),
        },
    }
}

fn old(span: tojimari_text::Span, version: &str) -> Verdict {
    Verdict::fail(span, format!("platform version {version} is not the latest"))
        .with_remedy(Remedy::LatestPlatformVersion)
}

/// Whether the service runs Windows tasks, where its task definition is in the stack.
fn is_windows(on: &Subject<'_>, service: &Service) -> Option<bool> {
    let is_task = |resource: &tojimari_model::Resource| matches!(resource.declared, Declared::TaskDefinition(_));
    let Target::Declared(found) = on.stack.target(&service.task_definition, on.resource, is_task) else { return None };
    found.iter().find_map(|resource| match &resource.declared {
        Declared::TaskDefinition(task) => match windows(task) {
            Windows::Yes(_) => Some(true),
            Windows::No | Windows::NotSet => Some(false),
            Windows::Unknown(..) => None,
        },
        _ => None,
    })
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"service": {"launchType": "FARGATE", "platformVersion": "1.3.0"}}]"#;
    fail: r#"[{"service": {"platformVersion": "1.3.0"}}]"#;
    fail: r#"[{"service": {"platformVersion": "1.0.0", "taskDefinition": "@task"}}, {"task": {}}]"#;
    pass: r#"[{"service": {"launchType": "FARGATE", "platformVersion": "1.4.0"}}]"#;
    pass: r#"[{"service": {"launchType": "FARGATE", "platformVersion": "LATEST"}}]"#;
    pass: r#"[{"service": {"launchType": "FARGATE"}}]"#;
    pass: r#"[{"service": {"platformVersion": "1.0.0", "taskDefinition": "win:3"}}, {"task": {"family": "win",
        "runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}}]"#;
    not_applicable: r#"[{"service": {"launchType": "EC2"}}]"#;
    not_applicable: r#"[{"service": {"cluster": "@cluster"}}, {"cluster": {}}]"#;
    fail: r#"[{"service": {"cluster": "c", "platformVersion": "1.3.0"}}, {"cluster": {"clusterName": "c",
        "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}]}}]"#;
    not_applicable: r#"[{"service": {"capacityProviderStrategy": [{"capacityProvider": "@provider"}]}},
        {"provider": {"autoScalingGroupProvider": {}}}]"#;
    unknown: r#"[{"service": {"launchType": "FARGATE", "platformVersion": "?"}}]"#;
    unknown: r#"[{"service": {"launchType": "FARGATE", "platformVersion": "1.0.0"}}]"#;
}
