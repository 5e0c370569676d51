//! ECS services should be tagged.
//!
//! # What
//! Whether a service has tags, and those that the house requires.
//!
//! # Why
//! Tags say to whom a resource belongs and what it is for: in bills, in alarms, and in policies
//! that go by them.
//!
//! # Exact test
//! Fails when the service has no tag key other than those that begin with `aws:`, or lacks one of
//! the keys that `required-tags` in `tojimari.toml` names (Security Hub's parameter
//! `requiredTagKeys`). Keys are case-sensitive.
//!
//! # Impact
//! None for running tasks.
//!
//! # Default value
//! No tags.
//!
//! # Fix
//! Add the tags in the file that declares it.
//!
//! # Back out
//! Take the tags away again.
//!
//! # Does not see
//! Tags that a provider or a stack gives to all of its resources where the files do not say so, and
//! tags of tasks (`propagateTags`).

use tojimari_model::Severity;

use crate::control::{Control, Standard};
use crate::subject::Subject;
use crate::tags::judge;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.13",
    slug: "untagged-service",
    title: "ECS services should be tagged",
    severity: Severity::Low,
    level: 1,
    standards: &[Standard::ResourceTagging, Standard::CisAwsCompute110("3.10"), Standard::CisControls8(&["1.1"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.service().map(|service| judge(on, &service.tags)).into_iter().collect()
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"service": {}}]"#;
    fail: r#"[{"service": {"tags": []}}]"#;
    fail: r#"[{"service": {"tags": [{"key": "aws:created", "value": "a"}]}}]"#;
    pass: r#"[{"service": {"tags": [{"key": "team", "value": "?"}]}}]"#;
    pass: r#"[{"service": {"tags": [{"key": "?", "value": "a"}]}}]"#;
    unknown: r#"[{"service": {"tags": "?"}}]"#;
    unknown: r#"[{"service": {"tags": ["?..."]}}]"#;
}
