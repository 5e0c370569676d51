//! ECS task definitions should not share the host's process namespace.
//!
//! # What
//! `pidMode` host puts the containers of a task among the processes of the host.
//!
//! # Why
//! Such a container sees every process of the host and of other tasks, with their arguments and
//! environments, and as root can stop or trace them.
//!
//! # Exact test
//! Fails when `pidMode` is host.
//!
//! # Impact
//! Agents that watch the processes of the host (monitoring, security) need it, and stop seeing
//! them.
//!
//! # Default value
//! Without `pidMode` every container has processes of its own.
//!
//! # Fix
//! Take `pidMode` away, or set it to `task` where the containers of one task must see each other.
//! Fargate takes only `task`.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! `ipcMode` host, host paths such as `/proc` (see TJ.11), running tasks, and all but the latest
//! active revision.

use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.3",
    slug: "host-process-namespace",
    title: "ECS task definitions should not share the host's process namespace",
    severity: Severity::High,
    level: 1,
    standards: &[
        Standard::Fsbp,
        Standard::Nist80053(&["CA-9(1)", "CM-2"]),
        Standard::CisAwsCompute110("3.3"),
        Standard::CisDocker160("5.16"),
    ],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let Some(task) = on.task() else { return Vec::new() };
    vec![match &task.pid_mode {
        Field::Absent => Verdict::pass(on.head(), "pidMode is not set"),
        Field::Known(mode, span) if mode == "host" => {
            Verdict::fail(*span, "the containers share the processes of their host").with_remedy(Remedy::OwnProcesses)
        }
        Field::Known(mode, span) => Verdict::pass(*span, format!("pidMode is {mode}")),
        Field::Unknown(reason, span) => Verdict::unknown(*span, "pidMode", reason),
    }]
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"task": {"pidMode": "host", "containerDefinitions": "?"}}]"#;
    fail: r#"[{"compose": {"pidMode": "host"}}]"#;
    pass: r#"[{"task": {"pidMode": "task"}}]"#;
    pass: r#"[{"task": {}}]"#;
    unknown: r#"[{"task": {"pidMode": "?"}}]"#;
}
