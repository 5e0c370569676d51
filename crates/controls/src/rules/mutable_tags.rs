//! ECR private repositories should have tag immutability configured.
//!
//! # What
//! In a repository with immutable tags, a tag keeps the image that it was first given to.
//!
//! # Why
//! Otherwise a tag in a task definition means another image tomorrow, whoever pushed it.
//!
//! # Exact test
//! Fails when `imageTagMutability` of a private repository is absent, MUTABLE or
//! MUTABLE_WITH_EXCLUSION; passes when it is IMMUTABLE. What Security Hub says of
//! IMMUTABLE_WITH_EXCLUSION is not published: unknown.
//!
//! # Impact
//! Pipelines that push `latest` or a branch name again and again are refused.
//!
//! # Default value
//! MUTABLE.
//!
//! # Fix
//! Set `imageTagMutability` to IMMUTABLE and push each image under a tag of its own, such as the
//! commit.
//!
//! # Back out
//! Set it to MUTABLE again.
//!
//! # Does not see
//! Whether task definitions name images by tag or digest (see TJ.13).

use tojimari_model::declared::RepositoryKind;
use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECR.2",
    slug: "mutable-tags",
    title: "ECR private repositories should have tag immutability configured",
    severity: Severity::Medium,
    level: 1,
    standards: &[Standard::Fsbp, Standard::Nist80053(&["CA-9(1)", "CM-2", "CM-8(1)"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let Some(repository) = on.repository(RepositoryKind::Private) else { return Vec::new() };
    vec![match &repository.image_tag_mutability {
        Field::Absent => Verdict::fail(on.head(), "imageTagMutability is not set, which means MUTABLE")
            .with_remedy(Remedy::ImmutableTags),
        Field::Unknown(reason, span) => Verdict::unknown(*span, "imageTagMutability", reason),
        Field::Known(value, span) => match value.as_str() {
            "IMMUTABLE" => Verdict::pass(*span, "imageTagMutability is IMMUTABLE"),
            "IMMUTABLE_WITH_EXCLUSION" => Verdict::unknown(
                *span,
                "imageTagMutability is IMMUTABLE_WITH_EXCLUSION",
                "the rule does not say what that is",
            ),
            _ => Verdict::fail(*span, format!("imageTagMutability is {value}")).with_remedy(Remedy::ImmutableTags),
        },
    }]
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"repository": {}}]"#;
    fail: r#"[{"repository": {"imageTagMutability": "MUTABLE"}}]"#;
    fail: r#"[{"repository": {"imageTagMutability": "MUTABLE_WITH_EXCLUSION"}}]"#;
    pass: r#"[{"repository": {"imageTagMutability": "IMMUTABLE", "repositoryName": "?"}}]"#;
    unknown: r#"[{"repository": {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}}]"#;
    unknown: r#"[{"repository": {"imageTagMutability": "?"}}]"#;
}
