//! ECS task definitions should configure non-root users in Linux container definitions.
//!
//! # What
//! `user` of a container definition says as whom the program runs.
//!
//! # Why
//! Root in a container may do all that its capabilities allow, and a hole in the kernel or the
//! runtime makes it root on the host.
//!
//! # Exact test
//! Fails when `user` of a container is absent, or its user part is `root` or 0. Evaluated when
//! `runtimePlatform.operatingSystemFamily` is LINUX or not set. One verdict for each container. A
//! Dockerfile is held to the same rule by its last USER; without one the base image decides, and
//! the verdict is unknown.
//!
//! # Impact
//! The program may no longer write to folders that belong to root, bind ports under 1024 or read
//! files of root. An empty volume belongs to root with mode 0755 (see TJ.6).
//!
//! # Default value
//! The user of the image, which is root unless its Dockerfile says otherwise.
//!
//! # Fix
//! Set `user` to a uid and gid, such as `1000:1000`, and give that user the folders it writes, in
//! the image or by the options of a tmpfs.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! The user that the image sets: an image that runs as somebody else fails all the same while
//! `user` is absent. What the documentation leaves open, such as `0:0`, is judged by the user part.
//! An init container that runs as root to prepare a volume fails. Running tasks, and all but the
//! latest active revision.

use tojimari_model::declared::ImageBuild;
use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::platform::windows;
use crate::subject::{Subject, container_name};
use crate::user::{Root, linux_root};
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.20",
    slug: "root-user",
    title: "ECS task definitions should configure non-root users in Linux container definitions",
    severity: Severity::Medium,
    level: 1,
    standards: &[Standard::Fsbp, Standard::CisDocker160("4.1")],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    if let Some(build) = on.image_build() {
        return vec![of_image(on, build)];
    }
    on.containers(|task, container| {
        let verdict = match linux_root(&container.user, container.head()) {
            Root::No(span) => Verdict::pass(span, "the user is not root"),
            Root::Yes(span, words) => Verdict::fail(span, words)
                .with_remedy(Remedy::NonRootUser { container: container_name(task, container) }),
            Root::Unknown(reason, span) => Verdict::unknown(span, "user", reason),
        };
        windows(task).unless_linux(verdict, "ECS.21 judges Windows containers")
    })
}

fn of_image(on: &Subject<'_>, build: &ImageBuild) -> Verdict {
    let from_nothing = build.stages.items.last().is_some_and(|stage| stage.from.as_str() == Some("scratch"));
    match (linux_root(&build.user, on.head()), &build.user) {
        (Root::Yes(span, _), Field::Absent) if !from_nothing => {
            Verdict::unknown(span, "USER is not set", "depends on the base image")
        }
        (Root::Yes(span, _), _) => {
            Verdict::fail(span, "the image runs as root").advise("end the Dockerfile with a USER that is not root")
        }
        (Root::No(span), _) => Verdict::pass(span, "the image runs as a user that is not root"),
        (Root::Unknown(reason, span), _) => Verdict::unknown(span, "USER", reason),
    }
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{}"#;
    fail: r#"{"user": "root"}"#;
    fail: r#"{"user": "0:1000", "image": "?", "in": {"runtimePlatform": {"operatingSystemFamily": "LINUX"}}}"#;
    fail: r#"{"user": "root:+?"}"#;
    pass: r#"{"user": "1000:0"}"#;
    pass: r#"{"user": "app", "in": {"runtimePlatform": {"operatingSystemFamily": "LINUX"}}}"#;
    pass: r#"{"user": "1000:+?"}"#;
    unknown: r#"{"user": "?"}"#;
    unknown: r#"{"user": "root", "in": {"runtimePlatform": {"operatingSystemFamily": "?"}}}"#;
    not_applicable: r#"{"in": {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}}"#;
    fail: r#"[{"build": {"stages": [{"from": "a"}], "user": "root"}}]"#;
    fail: r#"[{"build": {"stages": [{"from": "scratch"}]}}]"#;
    pass: r#"[{"build": {"stages": [{"from": "a"}], "user": "app"}}]"#;
    unknown: r#"[{"build": {"stages": [{"from": "a"}]}}]"#;
}
