//! Repositories should not be open to everybody.
//!
//! # What
//! The policy of a repository says who may pull and push besides the account itself. A repository
//! of ECR Public is readable by everybody.
//!
//! # Why
//! An image that everybody can pull shows its code, its configuration and what was forgotten in its
//! layers. One that everybody can push is run by your services.
//!
//! # Exact test
//! Fails when a statement of the policy allows something to the principal `*` (alone, under `AWS`,
//! or in a list) or to all but some (`NotPrincipal`), under no condition that says who calls or
//! from where: `aws:PrincipalOrgID`, `aws:PrincipalAccount`, `aws:PrincipalArn`, `aws:SourceVpce`
//! and the like with a value other than `*`. A public repository always fails. A repository without
//! a policy passes.
//!
//! # Impact
//! Accounts that pull today and are not named lose access.
//!
//! # Default value
//! No policy: only the account itself, by IAM.
//!
//! # Fix
//! Name the accounts or roles as principals, or add a condition on `aws:PrincipalOrgID`. Publish to
//! a public repository only what everybody may have.
//!
//! # Back out
//! Set the earlier policy.
//!
//! # Does not see
//! What IAM allows within the account, policies of the registry, pull-through caches, and policies
//! that are declared elsewhere.

use tojimari_model::declared::RepositoryKind;
use tojimari_model::{Declared, Field, Severity, Value};

use crate::control::{Control, Standard};
use crate::policy::{Openness, openness};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.9",
    slug: "repository-open-to-public",
    title: "Repositories should not be open to everybody",
    severity: Severity::High,
    level: 1,
    standards: &[Standard::CisControls8(&["3.3"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    match &on.resource.declared {
        Declared::Repository(repository) if repository.kind == RepositoryKind::Public => {
            vec![
                Verdict::fail(on.head(), "everybody can pull from a public repository")
                    .advise("keep images that are not for everybody in a private repository"),
            ]
        }
        Declared::Repository(repository) => vec![judge(on, &repository.policy)],
        Declared::RepositoryPolicy(policy) if policy.kind == RepositoryKind::Private => vec![judge(on, &policy.policy)],
        _ => Vec::new(),
    }
}

fn judge(on: &Subject<'_>, policy: &Field<Value>) -> Verdict {
    let (policy, span) = match policy {
        Field::Absent => return Verdict::pass(on.head(), "the repository itself has no policy"),
        Field::Unknown(reason, span) => return Verdict::unknown(*span, "the policy", reason),
        Field::Known(policy, span) => (policy, *span),
    };
    match openness(policy) {
        Openness::Open(at) => Verdict::fail(at, "the policy lets everybody in")
            .advise("name accounts or roles as principals, or add a condition on aws:PrincipalOrgID"),
        Openness::Closed => Verdict::pass(span, "the policy says who may come in"),
        Openness::Unknown(reason, at) => Verdict::unknown(at, "whom the policy lets in", reason),
    }
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"repository": {"policyText": {"Statement": [{"Effect": "Allow", "Action": "ecr:*",
        "Principal": "*"}]}}}]"#;
    fail: r#"[{"repository": {"policyText": {"Statement": [{"Effect": "Allow", "Action": "ecr:*",
        "Principal": {"AWS": ["arn:aws:iam::1:root", "*"]}}]}}}]"#;
    fail: r#"[{"policy": {"repositoryName": "?",
        "policyText": "{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": {\"AWS\": \"*\"}}}"}}]"#;
    fail: r#"[{"repository": {"policyText": {"Statement": [{"Effect": "Allow",
        "NotPrincipal": {"AWS": "arn:aws:iam::1:root"}}]}}}]"#;
    fail: r#"[{"repository": {"policyText": {"Statement": [{"Effect": "Allow", "Action": "ecr:*", "Principal": "*",
        "Condition": {"StringLike": {"aws:PrincipalOrgID": "*"}}}]}}}]"#;
    fail: r#"[{"repository": {"policyText": {"Statement": [{"Effect": "Allow", "Action": "ecr:*", "Principal": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}]}}}]"#;
    pass: r#"[{"repository": {"policyText": {"Statement": [{"Effect": "Allow", "Action": "ecr:*", "Principal": "*",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "?"}}}]}}}]"#;
    pass: r#"[{"repository": {"policyText": {"Statement": [{"Effect": "Allow", "Action": "ecr:*",
        "Principal": {"AWS": "arn:aws:iam::1:root"}}]}}}]"#;
    pass: r#"[{"repository": {"policyText": {"Statement": [{"Effect": "Allow", "Action": "ecr:*",
        "Principal": {"Service": "lambda.amazonaws.com"}}]}}}]"#;
    pass: r#"[{"repository": {"policyText": {"Statement": [{"Effect": "Allow", "Action": "ecr:*",
        "Principal": {"AWS": "@Role"}}]}}}]"#;
    pass: r#"[{"repository": {"policyText": {"Statement": [{"Effect": "Deny", "Principal": "*"}]}}}]"#;
    pass: r#"[{"repository": {}}]"#;
    unknown: r#"[{"repository": {"policyText": {"Statement": [{"Effect": "Allow", "Action": "ecr:*",
        "Principal": {"AWS": "?"}}]}}}]"#;
    unknown: r#"[{"repository": {"policyText": "?"}}]"#;
    unknown: r#"[{"repository": {"policyText": {"Statement": ["?..."]}}}]"#;
    fail: r#"[{"public": {}}]"#;
}
