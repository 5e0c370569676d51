//! ECS clusters should be tagged.
//!
//! # What
//! Whether a cluster has tags, and those that the house requires.
//!
//! # Why
//! Tags say to whom a resource belongs and what it is for: in bills, in alarms, and in policies
//! that go by them.
//!
//! # Exact test
//! Fails when the cluster has no tag key other than those that begin with `aws:`, or lacks one of
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
//! Tags that a provider or a stack gives to all of its resources where the files do not say so.

use tojimari_model::Severity;

use crate::control::{Control, Standard};
use crate::subject::Subject;
use crate::tags::judge;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.14",
    slug: "untagged-cluster",
    title: "ECS clusters should be tagged",
    severity: Severity::Low,
    level: 1,
    standards: &[Standard::ResourceTagging, Standard::CisAwsCompute110("3.11"), Standard::CisControls8(&["1.1"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.cluster().map(|cluster| judge(on, &cluster.tags)).into_iter().collect()
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"cluster": {}}]"#;
    fail: r#"[{"cluster": {"tags": []}}]"#;
    fail: r#"[{"cluster": {"tags": [{"key": "aws:created", "value": "a"}]}}]"#;
    pass: r#"[{"cluster": {"tags": [{"key": "team", "value": "?"}]}}]"#;
    pass: r#"[{"cluster": {"tags": [{"key": "?", "value": "a"}]}}]"#;
    unknown: r#"[{"cluster": {"tags": "?"}}]"#;
    unknown: r#"[{"cluster": {"tags": ["?..."]}}]"#;
}
