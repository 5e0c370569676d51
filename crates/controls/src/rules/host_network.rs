//! ECS task definitions should not use host network mode.
//!
//! # What
//! In the `host` network mode the containers of a task use the network of their host.
//!
//! # Why
//! They reach services that listen on loopback only, can listen on any port, and get the
//! credentials of the host's instance role where nothing blocks the way.
//!
//! # Exact test
//! Fails when `networkMode` is host.
//!
//! # Impact
//! In the `awsvpc` mode each task takes an elastic network interface, security groups apply to the
//! task, and load balancers need target groups of the type `ip`.
//!
//! # Default value
//! Without `networkMode` a task on EC2 for Linux uses `bridge`.
//!
//! # Fix
//! Set `networkMode` to `awsvpc`, give the service a `networkConfiguration`, and target groups of
//! the type `ip`.
//!
//! # Back out
//! Point the service back to the revision before, with its own network configuration and target
//! groups. It must not be deregistered.
//!
//! # Does not see
//! Task definitions that AWS Batch makes are judged as all others. Running tasks, and all but the
//! latest active revision. The control is part of NIST SP 800-53 and not of FSBP.

use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.17",
    slug: "host-network",
    title: "ECS task definitions should not use host network mode",
    severity: Severity::Medium,
    level: 1,
    standards: &[
        Standard::Nist80053(&["AC-2(1)", "AC-3", "AC-3(15)", "AC-3(7)", "AC-5", "AC-6"]),
        Standard::CisDocker160("5.10"),
    ],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let Some(task) = on.task() else { return Vec::new() };
    vec![match &task.network_mode {
        Field::Absent => Verdict::pass(on.head(), "networkMode is not set"),
        Field::Known(mode, span) if mode == "host" => {
            Verdict::fail(*span, "the containers use the network of their host").with_remedy(Remedy::OwnNetwork)
        }
        Field::Known(mode, span) => Verdict::pass(*span, format!("networkMode is {mode}")),
        Field::Unknown(reason, span) => Verdict::unknown(*span, "networkMode", reason),
    }]
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"task": {"networkMode": "host"}}]"#;
    fail: r#"[{"compose": {"networkMode": "host"}}]"#;
    pass: r#"[{"task": {"networkMode": "awsvpc", "containerDefinitions": "?"}}]"#;
    pass: r#"[{"task": {"networkMode": "bridge"}}]"#;
    pass: r#"[{"task": {}}]"#;
    unknown: r#"[{"task": {"networkMode": "?"}}]"#;
}
