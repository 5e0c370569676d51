//! ECR public repositories should be tagged.
//!
//! # What
//! Whether a public repository has tags, and those that the house requires.
//!
//! # Why
//! Tags say to whom a resource belongs and what it is for: in bills, in alarms, and in policies
//! that go by them.
//!
//! # Exact test
//! Fails when the public repository has no tag key other than those that begin with `aws:`, or
//! lacks one of the keys that `required-tags` in `tojimari.toml` names (Security Hub's parameter
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
//! private repositories.

use tojimari_model::Severity;
use tojimari_model::declared::RepositoryKind;

use crate::control::{Control, Standard};
use crate::subject::Subject;
use crate::tags::judge;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECR.4",
    slug: "untagged-public-repository",
    title: "ECR public repositories should be tagged",
    severity: Severity::Low,
    level: 1,
    standards: &[Standard::ResourceTagging, Standard::CisControls8(&["1.1"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.repository(RepositoryKind::Public).map(|repository| judge(on, &repository.tags)).into_iter().collect()
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"public": {}}]"#;
    fail: r#"[{"public": {"tags": []}}]"#;
    fail: r#"[{"public": {"tags": [{"key": "aws:created", "value": "a"}]}}]"#;
    pass: r#"[{"public": {"tags": [{"key": "team", "value": "?"}]}}]"#;
    pass: r#"[{"public": {"tags": [{"key": "?", "value": "a"}]}}]"#;
    unknown: r#"[{"public": {"tags": "?"}}]"#;
    unknown: r#"[{"public": {"tags": ["?..."]}}]"#;
}
