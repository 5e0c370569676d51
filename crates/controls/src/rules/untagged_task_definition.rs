//! ECS task definitions should be tagged.
//!
//! # What
//! Whether a task definition has tags, and those that the house requires.
//!
//! # Why
//! Tags say to whom a resource belongs and what it is for: in bills, in alarms, and in policies
//! that go by them.
//!
//! # Exact test
//! Fails when the task definition has no tag key other than those that begin with `aws:`, or lacks
//! one of the keys that `required-tags` in `tojimari.toml` names (Security Hub's parameter
//! `requiredTagKeys`). Keys are case-sensitive.
//!
//! # Impact
//! None for running tasks.
//!
//! # Default value
//! No tags.
//!
//! # Fix
//! Add the tags in the file that declares it, and pass them to RegisterTaskDefinition with every
//! revision: a revision that is registered without `tags` has none.
//!
//! # Back out
//! Take the tags away again.
//!
//! # Does not see
//! Tags that a provider or a stack gives to all of its resources where the files do not say so. The
//! output of DescribeTaskDefinition has them beside the task definition, and only when it was asked
//! with `--include TAGS`.

use tojimari_model::Severity;
use tojimari_model::declared::TaskKind;

use crate::control::{Control, Standard};
use crate::subject::Subject;
use crate::tags::judge;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.15",
    slug: "untagged-task-definition",
    title: "ECS task definitions should be tagged",
    severity: Severity::Low,
    level: 1,
    standards: &[Standard::ResourceTagging, Standard::CisAwsCompute110("3.12"), Standard::CisControls8(&["1.1"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.task()
        .map(|task| match task.kind {
            TaskKind::ComposeService => Verdict::not_applicable(on.head(), "a Compose service has no tags"),
            _ => judge(on, &task.tags),
        })
        .into_iter()
        .collect()
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"task": {}}]"#;
    fail: r#"[{"task": {"tags": []}}]"#;
    fail: r#"[{"task": {"tags": [{"key": "aws:created", "value": "a"}]}}]"#;
    pass: r#"[{"task": {"tags": [{"key": "team", "value": "?"}]}}]"#;
    pass: r#"[{"task": {"tags": [{"key": "?", "value": "a"}]}}]"#;
    unknown: r#"[{"task": {"tags": "?"}}]"#;
    unknown: r#"[{"task": {"tags": ["?..."]}}]"#;
    not_applicable: r#"[{"compose": {}}]"#;
    fail: r#"[{"daemon": {}}]"#;
}
