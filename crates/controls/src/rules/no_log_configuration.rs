//! ECS task definitions should have a logging configuration.
//!
//! # What
//! `logConfiguration` says where the output of a container goes.
//!
//! # Why
//! Without it the output stays with the container, where nobody sees it, and goes with it. On
//! Fargate nothing of it can ever be read.
//!
//! # Exact test
//! Fails when `logConfiguration` or its `logDriver` is absent in a container. One verdict for each
//! container.
//!
//! # Impact
//! Logs cost money to take in and to keep. With `awslogs` on Fargate the task needs an execution
//! role that may write to the log group.
//!
//! # Default value
//! No `logConfiguration`: Docker's own driver on EC2, nothing on Fargate.
//!
//! # Fix
//! Give the container a `logConfiguration`: `awslogs` with `awslogs-group`, `awslogs-region` and
//! `awslogs-stream-prefix`, or `awsfirelens` with a log router beside it.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! Whether the log group exists, how long it keeps its entries, agents that collect logs from the
//! host, running tasks, and all but the latest active revision.

use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::subject::{Subject, container_name};
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.9",
    slug: "no-log-configuration",
    title: "ECS task definitions should have a logging configuration",
    severity: Severity::High,
    level: 1,
    standards: &[
        Standard::Fsbp,
        Standard::Nist80053(&[
            "AC-4(26)", "AU-10", "AU-12", "AU-2", "AU-3", "AU-6(3)", "AU-6(4)", "CA-7", "SC-7(9)", "SI-7(8)",
        ]),
        Standard::CisAwsCompute110("3.7"),
        Standard::CisControls8(&["8.2"]),
    ],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(|task, container| {
        let remedy = Remedy::LogConfiguration { container: container_name(task, container) };
        match &container.log_configuration {
            Field::Absent => Verdict::fail(container.head(), "logConfiguration is not set").with_remedy(remedy),
            Field::Unknown(reason, span) => Verdict::unknown(*span, "logConfiguration", reason),
            Field::Known(log, span) => match &log.log_driver {
                Field::Absent => Verdict::fail(*span, "logConfiguration has no logDriver").with_remedy(remedy),
                Field::Known(driver, span) => Verdict::pass(*span, format!("output goes to {driver}")),
                // Which driver it is does not matter here, only that there is one.
                Field::Unknown(reason, span) => Verdict::unknown(*span, "logDriver", reason),
            },
        }
    })
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{}"#;
    fail: r#"{"logConfiguration": {"options": {}}}"#;
    fail: r#"{"logConfiguration": {"logDriver": null}}"#;
    pass: r#"{"logConfiguration": {"logDriver": "awslogs", "options": "?"}}"#;
    unknown: r#"{"logConfiguration": "?"}"#;
    unknown: r#"{"logConfiguration": {"logDriver": "?"}}"#;
}
