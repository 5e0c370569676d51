//! ECR repositories should have at least one lifecycle policy configured.
//!
//! # What
//! A lifecycle policy lets old images of a repository expire.
//!
//! # Why
//! Old images hold holes that are known, can be deployed by mistake, and cost storage.
//!
//! # Exact test
//! Fails when a private repository has no lifecycle policy: neither in itself nor, in the same
//! files, in a resource of its own that names it.
//!
//! # Impact
//! Images that the rules match are deleted, those that a service still runs among them: a task that
//! starts later cannot pull its image.
//!
//! # Default value
//! No lifecycle policy.
//!
//! # Fix
//! Add a policy; preview it first (`aws ecr start-lifecycle-policy-preview`). Keep what services
//! run, and the revisions that you may roll back to.
//!
//! # Back out
//! Delete the policy. Images that have expired are gone.
//!
//! # Does not see
//! What the policy says, and policies that are declared elsewhere or set by hand.

use tojimari_model::declared::RepositoryKind;
use tojimari_model::{Declared, Field, Severity};

use crate::control::{Control, Standard};
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;
use tojimari_model::declared::Reference;

pub const CONTROL: Control = Control {
    id: "ECR.3",
    slug: "no-lifecycle-policy",
    title: "ECR repositories should have at least one lifecycle policy configured",
    severity: Severity::Medium,
    level: 1,
    standards: &[Standard::Fsbp, Standard::Nist80053(&["CA-9(1)", "CM-2", "CM-2(2)"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let Some(repository) = on.repository(RepositoryKind::Private) else { return Vec::new() };
    let mut search = Search::new("whether there is a lifecycle policy");
    match &repository.lifecycle_policy {
        Field::Known(_, span) => return vec![Verdict::pass(*span, "the repository has a lifecycle policy")],
        Field::Unknown(reason, span) => search.note(reason, *span),
        Field::Absent => {}
    }
    for other in on.others() {
        let Declared::LifecyclePolicy(policy) = &other.declared else { continue };
        match &policy.repository {
            reference if reference.means(on.resource) => {
                return vec![Verdict::pass(other.span, "the repository has a lifecycle policy")];
            }
            Reference::Unknown(reason, span) => search.note(reason, *span),
            _ => {}
        }
    }
    vec![search.or_else(|| {
        Verdict::fail(on.head(), "the repository has no lifecycle policy")
            .advise("add a lifecycle policy, after a preview of what it would delete")
    })]
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"repository": {"repositoryName": "app"}}]"#;
    fail: r#"[{"repository": {"repositoryName": "app"}}, {"lifecycle": {"repositoryName": "other"}}]"#;
    pass: r#"[{"repository": {"lifecyclePolicyText": {"rules": []}}}]"#;
    pass: r#"[{"repository": {"repositoryName": "?"}}, {"lifecycle": {"repositoryName": "@repository",
        "lifecyclePolicyText": "?"}}]"#;
    pass: r#"[{"repository": {"repositoryName": "app"}}, {"lifecycle": {"repositoryName": "app"}}]"#;
    unknown: r#"[{"repository": {"repositoryName": "app"}}, {"lifecycle": {"repositoryName": "?"}}]"#;
    unknown: r#"[{"repository": {"lifecyclePolicyText": "?"}}]"#;
}
