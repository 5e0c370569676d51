//! ECS task definitions should configure non-administrator users in Windows container definitions.
//!
//! # What
//! `user` of a Windows container definition says as whom the program runs.
//!
//! # Why
//! An administrator in a container has more ways out of it than another user.
//!
//! # Exact test
//! Fails when `user` of a container is absent or `containeradministrator`, in any case. Evaluated
//! when `runtimePlatform.operatingSystemFamily` is a `WINDOWS_SERVER` one, and, to the letter of
//! the rule, also when it is not set: a Linux task definition without `runtimePlatform` and without
//! `user` fails it. One verdict for each container. Not applicable to Compose services and daemon
//! task definitions, which are Linux unless they say otherwise.
//!
//! # Impact
//! `ContainerUser` cannot change system folders or the registry's machine part.
//!
//! # Default value
//! `ContainerAdministrator` for Windows Server Core images.
//!
//! # Fix
//! Set `user` to `ContainerUser`. For a Linux task definition say so: set
//! `runtimePlatform.operatingSystemFamily` to LINUX, and the rule no longer looks at it.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! The documentation of ECS says both that `user` is not supported for Windows containers and that
//! this control asks for it. The user that the image sets, running tasks, and all but the latest
//! active revision.

use tojimari_model::declared::TaskKind;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::platform::{Windows, windows};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.21",
    slug: "administrator-user",
    title: "ECS task definitions should configure non-administrator users in Windows container definitions",
    severity: Severity::Medium,
    level: 1,
    standards: &[Standard::Fsbp],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(|task, container| {
        let system = windows(task);
        if system == Windows::No {
            let why = match task.kind {
                TaskKind::TaskDefinition => "operatingSystemFamily is LINUX",
                TaskKind::DaemonTaskDefinition | TaskKind::ComposeService => "the containers are Linux ones",
            };
            return Verdict::not_applicable(container.head(), why);
        }
        let note = match system {
            Windows::NotSet => "; without operatingSystemFamily the rule for Windows applies too",
            _ => "",
        };
        let (span, words) = match &container.user {
            Field::Unknown(reason, span) => return Verdict::unknown(*span, "user", reason),
            Field::Known(user, span) if !user.eq_ignore_ascii_case("containeradministrator") => {
                return Verdict::pass(*span, "the user is not containeradministrator");
            }
            Field::Known(_, span) => (*span, "the user is containeradministrator"),
            Field::Absent => (container.head(), "user is not set"),
        };
        match system {
            Windows::Unknown(reason, span) => Verdict::unknown(span, "operatingSystemFamily", reason),
            _ => Verdict::fail(span, format!("{words}{note}"))
                .advise("set user to ContainerUser, or operatingSystemFamily to LINUX"),
        }
    })
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"in": {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}}"#;
    fail: r#"{"user": "ContainerAdministrator",
        "in": {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}}"#;
    fail: r#"{}"#;
    pass: r#"{"user": "ContainerUser",
        "in": {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}}"#;
    pass: r#"{"user": "root"}"#;
    not_applicable: r#"{"in": {"runtimePlatform": {"operatingSystemFamily": "LINUX"}}}"#;
    not_applicable: r#"{"as": "compose"}"#;
    not_applicable: r#"{"as": "daemon"}"#;
    unknown: r#"{"user": "?", "in": {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}}"#;
    unknown: r#"{"in": {"runtimePlatform": "?"}}"#;
    pass: r#"{"user": "app", "in": {"runtimePlatform": "?"}}"#;
}
