//! Containers should run as non-privileged.
//!
//! # What
//! `privileged` gives a container the powers of root on the host: every capability, every device,
//! no seccomp filter.
//!
//! # Why
//! Whoever takes over a privileged container has the host and every other task on it.
//!
//! # Exact test
//! Fails when `privileged` is true in a container definition. Absent and false pass. One verdict
//! for each container.
//!
//! # Impact
//! A program that loads kernel modules, mounts file systems or opens devices stops working. Most
//! need one capability or one device, which can be given by name.
//!
//! # Default value
//! `privileged` is false.
//!
//! # Fix
//! Take `privileged` away or set it to false. Give what the program really needs under
//! `linuxParameters`: a capability under `capabilities.add`, a device under `devices`. Fargate
//! refuses `privileged` at registration anyway. An organisation can deny
//! `ecs:RegisterTaskDefinition` where the condition key `ecs:privileged` is true.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! Capabilities, devices and host paths that come close to being privileged (see TJ.11 and
//! TJ.12), running tasks of older revisions, and all but the latest active revision.

use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::platform::is_for_fargate_alone;
use crate::subject::{Subject, container_name};
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.4",
    slug: "privileged-container",
    title: "Containers should run as non-privileged",
    severity: Severity::High,
    level: 1,
    standards: &[
        Standard::Fsbp,
        Standard::Nist80053(&["AC-2(1)", "AC-3", "AC-3(15)", "AC-3(7)", "AC-5", "AC-6"]),
        Standard::CisAwsCompute110("3.4"),
        Standard::CisDocker160("5.5"),
        Standard::CisControls8(&["6.8"]),
    ],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(|task, container| match &container.privileged {
        Field::Absent => Verdict::pass(container.head(), "privileged is not set"),
        Field::Known(false, span) => Verdict::pass(*span, "privileged is false"),
        Field::Known(true, span) => {
            Verdict::fail(*span, "the container is privileged").with_remedy(Remedy::NotPrivileged {
                container: container_name(task, container),
                refused_anyway: is_for_fargate_alone(task),
            })
        }
        Field::Unknown(reason, span) => Verdict::unknown(*span, "privileged", reason),
    })
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"privileged": true}"#;
    fail: r#"{"privileged": "true"}"#;
    fail: r#"{"privileged": true, "as": "compose"}"#;
    pass: r#"{}"#;
    pass: r#"{"privileged": "false", "image": "?"}"#;
    unknown: r#"{"privileged": "?"}"#;
    unknown: r#"[{"task": {"containerDefinitions": "?"}}]"#;
    unknown: r#"{"?...": 0}"#;
}
