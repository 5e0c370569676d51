//! ECS clusters should use Container Insights.
//!
//! # What
//! Container Insights collects the metrics of the tasks and services of a cluster.
//!
//! # Why
//! Restarts, memory at its limit and storage that fills up show there first; so does a container
//! that fails on a read-only root.
//!
//! # Exact test
//! Fails when the cluster setting `containerInsights` is neither `enabled` nor `enhanced`. Absent
//! fails.
//!
//! # Impact
//! The metrics cost money, `enhanced` more than `enabled`.
//!
//! # Default value
//! What the account setting `containerInsights` says when the cluster is created; `disabled` unless
//! somebody changed it.
//!
//! # Fix
//! Add `{"name": "containerInsights", "value": "enabled"}` to the `settings` of the cluster, or
//! `enhanced`.
//!
//! # Back out
//! Set it to `disabled` again; nothing restarts.
//!
//! # Does not see
//! The account's setting, under which a cluster that says nothing may be observed all the same, and
//! other monitoring.

use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.12",
    slug: "no-container-insights",
    title: "ECS clusters should use Container Insights",
    severity: Severity::Medium,
    level: 1,
    standards: &[
        Standard::Fsbp,
        Standard::Nist80053(&["AU-6(3)", "AU-6(4)", "CA-7", "SI-2"]),
        Standard::CisAwsCompute110("3.9"),
    ],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let Some(cluster) = on.cluster() else { return Vec::new() };
    let mut search = Search::new("containerInsights");
    for setting in search.each(&cluster.settings) {
        match (&setting.name, &setting.value) {
            (Field::Known(name, _), Field::Known(value, span)) if name == "containerInsights" => {
                return vec![match value.as_str() {
                    "enabled" | "enhanced" => Verdict::pass(*span, format!("containerInsights is {value}")),
                    _ => Verdict::fail(*span, format!("containerInsights is {value}"))
                        .with_remedy(Remedy::ContainerInsights),
                }];
            }
            (Field::Unknown(reason, span), _) => search.note(reason, *span),
            (Field::Known(name, _), Field::Unknown(reason, span)) if name == "containerInsights" => {
                search.note(reason, *span);
            }
            _ => {}
        }
    }
    vec![
        search.or_else(|| {
            Verdict::fail(on.head(), "containerInsights is not set").with_remedy(Remedy::ContainerInsights)
        }),
    ]
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"cluster": {"clusterName": "?"}}]"#;
    fail: r#"[{"cluster": {"settings": [{"name": "containerInsights", "value": "disabled"}]}}]"#;
    pass: r#"[{"cluster": {"settings": [{"name": "containerInsights", "value": "enabled"}]}}]"#;
    pass: r#"[{"cluster": {"settings": ["?...", {"name": "containerInsights", "value": "enhanced"}]}}]"#;
    unknown: r#"[{"cluster": {"settings": [{"name": "containerInsights", "value": "?"}]}}]"#;
    unknown: r#"[{"cluster": {"settings": "?"}}]"#;
}
