//! Containers should drop capabilities and add none that are dangerous.
//!
//! # What
//! Capabilities are the parts of root's power. A container starts with Docker's set of fourteen;
//! `capabilities.add` gives more, `capabilities.drop` takes some away.
//!
//! # Why
//! `SYS_ADMIN`, `SYS_PTRACE`, `NET_ADMIN`, `SYS_MODULE` and others lead out of the container or
//! into others. Of the default set most programs need none: `NET_RAW` and `MKNOD` only help an
//! attacker.
//!
//! # Exact test
//! Fails when `linuxParameters.capabilities.add` names a capability that is not in Docker's default
//! set (ALL among them), or when `drop` is absent or empty. Names count with and without `CAP_`, in
//! any case. On Fargate `SYS_PTRACE` is the only one that can be added, and fails too. Not
//! applicable to Windows containers. One verdict for each container.
//!
//! # Impact
//! With ALL dropped a program that changes its user, binds a port under 1024 or changes owners
//! needs SETUID, SETGID, NET_BIND_SERVICE or CHOWN added again; those four are in the default set
//! and pass.
//!
//! # Default value
//! CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE, NET_RAW,
//! SYS_CHROOT, MKNOD, AUDIT_WRITE, SETFCAP.
//!
//! # Fix
//! Set `drop` to `["ALL"]` and add back by name what the program needs, on Fargate by dropping all
//! but those.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! A privileged container, which has every capability (see ECS.4), and capabilities of files in the
//! image.

use std::sync::Arc;

use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::platform::windows;
use crate::search::Search;
use crate::subject::{Subject, container_name};
use crate::verdict::Verdict;
use tojimari_ecs::capability::{canonical, is_default};

pub const CONTROL: Control = Control {
    id: "TJ.12",
    slug: "dangerous-capability",
    title: "Containers should drop capabilities and add none that are dangerous",
    severity: Severity::Medium,
    level: 1,
    standards: &[Standard::CisDocker160("5.4")],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(|task, container| {
        let name = container_name(task, container);
        let verdict = judge(container, name);
        windows(task).unless_linux(verdict, "a Windows container has no capabilities")
    })
}

fn judge(container: &tojimari_model::declared::Container, name: Arc<str>) -> Verdict {
    let drop_all = Remedy::DropCapabilities { container: name.clone(), capabilities: vec!["ALL".into()] };
    let linux = match &container.linux_parameters {
        Field::Known(linux, _) => linux,
        Field::Absent => return Verdict::fail(container.head(), "no capability is dropped").with_remedy(drop_all),
        Field::Unknown(reason, span) => return Verdict::unknown(*span, "linuxParameters", reason),
    };
    let mut search = Search::new("the capabilities");
    for capability in search.each(&linux.capabilities_add) {
        match capability {
            Field::Known(written, span) if !is_default(&canonical(written)) => {
                let capability = canonical(written);
                return Verdict::fail(*span, format!("the dangerous capability {capability} is added"))
                    .with_remedy(Remedy::DropCapabilities { container: name, capabilities: vec![capability.into()] });
            }
            Field::Unknown(reason, span) => search.note(reason, *span),
            _ => {}
        }
    }
    let dropped = &linux.capabilities_drop;
    if dropped.items.is_empty() && dropped.rest.is_none() {
        let span = dropped.span.unwrap_or(container.head());
        return Verdict::fail(span, "no capability is dropped").with_remedy(drop_all);
    }
    if dropped.items.is_empty() {
        search.note_rest(&dropped.rest);
    }
    search.pass(container.head(), "capabilities are dropped and none that is dangerous is added")
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"linuxParameters": {"capabilities": {"add": ["SYS_ADMIN"], "drop": ["ALL"]}}}"#;
    fail: r#"{"linuxParameters": {"capabilities": {"add": ["cap_net_admin", "?..."], "drop": ["ALL"]}}}"#;
    fail: r#"{"linuxParameters": {"capabilities": {"add": ["ALL"], "drop": ["ALL"]}}, "as": "compose"}"#;
    fail: r#"{"linuxParameters": {"capabilities": {"add": ["CHOWN"]}}}"#;
    fail: r#"{"linuxParameters": {"capabilities": {"add": "?"}}}"#;
    fail: r#"{}"#;
    fail: r#"{"linuxParameters": {"capabilities": {"drop": []}}}"#;
    pass: r#"{"linuxParameters": {"capabilities": {"drop": ["ALL"]}}}"#;
    pass: r#"{"linuxParameters": {"capabilities": {"drop": ["NET_RAW"], "add": ["net_bind_service"]}}}"#;
    pass: r#"{"linuxParameters": {"capabilities": {"drop": ["?"]}}}"#;
    unknown: r#"{"linuxParameters": {"capabilities": {"drop": ["ALL"], "add": ["?"]}}}"#;
    unknown: r#"{"linuxParameters": {"capabilities": {"drop": "?"}}}"#;
    unknown: r#"{"linuxParameters": "?"}"#;
    not_applicable: r#"{"in": {"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}}"#;
}
