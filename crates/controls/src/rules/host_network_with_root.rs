//! Task definitions with host network mode should have secure user definitions.
//!
//! # What
//! In the `host` network mode a container shares the network of its host. If it also runs as root
//! and is not privileged, Security Hub used to report it.
//!
//! # Why
//! Root in the network of the host can bind any port there, listen on its interfaces and reach
//! services that listen on loopback only.
//!
//! # Exact test
//! Fails when `networkMode` is host, and a container has `privileged` false or absent and a `user`
//! that is root or absent. One verdict for each container. Security Hub took the control out of its
//! standards on 2026-03-04: ECS.4, ECS.17, ECS.20 and ECS.21 replace it. It is evaluated only when
//! it is named with `--control`.
//!
//! # Impact
//! In the `awsvpc` mode each task takes an elastic network interface and its ports can no longer be
//! reached on the address of the host.
//!
//! # Default value
//! Without `networkMode` a task on EC2 for Linux uses `bridge`.
//!
//! # Fix
//! Set `networkMode` to `awsvpc` (see ECS.17), and run the container as a user that is not root
//! (see ECS.20).
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! That a privileged container is worse: the rule as written passes it, and ECS.4 reports it. The
//! user that the image sets, running tasks, and all but the latest active revision.

use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::subject::Subject;
use crate::user::{Root, linux_root};
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.1",
    slug: "host-network-with-root",
    title: "Task definitions with host network mode should have secure user definitions",
    severity: Severity::High,
    level: 1,
    standards: &[Standard::CisAwsCompute110("3.1")],
    retired: Some(
        "Security Hub took it out of its standards on 2026-03-04; ECS.4, ECS.17, ECS.20 and ECS.21 replace it",
    ),
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(|task, container| {
        let host = match &task.network_mode {
            Field::Known(mode, span) if mode == "host" => Ok(*span),
            Field::Unknown(reason, span) => Err((reason, *span)),
            _ => return Verdict::pass(container.head(), "the network mode is not host"),
        };
        let privileged = match &container.privileged {
            Field::Known(true, span) => {
                return Verdict::pass(*span, "the container is privileged, which ECS.4 reports");
            }
            Field::Unknown(reason, span) => Some((reason, *span)),
            _ => None,
        };
        let root = linux_root(&container.user, container.head());
        let unknown = |what: &str, (reason, span): (&_, _)| Verdict::unknown(span, what, reason);
        match (root, host, privileged) {
            (Root::No(span), ..) => Verdict::pass(span, "the user is not root"),
            (_, Err(why), _) => unknown("networkMode", why),
            (_, _, Some(why)) => unknown("privileged", why),
            (Root::Unknown(reason, span), ..) => Verdict::unknown(span, "user", reason),
            (Root::Yes(..), Ok(span), None) => {
                Verdict::fail(span, "the container runs as root in the network of its host")
                    .advise("set networkMode to awsvpc and user to one that is not root")
            }
        }
    })
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"user": "root", "in": {"networkMode": "host"}}"#;
    fail: r#"{"in": {"networkMode": "host"}}"#;
    fail: r#"{"privileged": false, "user": "0:0", "in": {"networkMode": "host"}}"#;
    pass: r#"{"user": "1000", "in": {"networkMode": "host"}}"#;
    pass: r#"{"privileged": true, "in": {"networkMode": "host"}}"#;
    pass: r#"{"in": {"networkMode": "awsvpc"}}"#;
    pass: r#"{"user": "app", "in": {"networkMode": "?"}}"#;
    unknown: r#"{"in": {"networkMode": "?"}}"#;
    unknown: r#"{"privileged": "?", "in": {"networkMode": "host"}}"#;
    unknown: r#"{"user": "?", "in": {"networkMode": "host"}}"#;
}
