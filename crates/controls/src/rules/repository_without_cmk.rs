//! ECR repositories should be encrypted with customer managed AWS KMS keys.
//!
//! # What
//! `encryptionConfiguration` says with which key ECR encrypts the images of a repository.
//!
//! # Why
//! A key of one's own can be watched, limited by policy, and made unusable.
//!
//! # Exact test
//! Fails when `encryptionType` is absent or AES256, or KMS or KMS_DSSE without a `kmsKey` or with
//! AWS's own (`alias/aws/ecr`). With `kms-keys` in `tojimari.toml` (Security Hub's parameter
//! `kmsKeyArns`) only those keys pass. A key that the same files declare counts as a customer's.
//!
//! # Impact
//! Every push and pull uses the key: its policy must allow ECR's grants, and its deletion makes the
//! images unreadable.
//!
//! # Default value
//! AES256: keys that belong to S3.
//!
//! # Fix
//! The encryption of a repository cannot be changed: create a new repository with `encryptionType`
//! KMS and a `kmsKey`, copy the images, and move the task definitions over.
//!
//! # Back out
//! Point the task definitions back to the old repository, which must be kept until then.
//!
//! # Does not see
//! Whether the key exists, who manages it when only its id is given, and whether ECR may use it.
//! The control is part of NIST SP 800-53 and not of FSBP.

use tojimari_model::declared::{Repository, RepositoryKind};
use tojimari_model::{Field, Severity};
use tojimari_text::Span;

use crate::control::{Control, Standard};
use crate::key::{Key, key};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECR.5",
    slug: "repository-without-cmk",
    title: "ECR repositories should be encrypted with customer managed AWS KMS keys",
    severity: Severity::Medium,
    level: 1,
    standards: &[
        Standard::Nist80053(&[
            "SC-12(2)", "CM-3(6)", "SC-13", "SC-28", "SC-28(1)", "SC-7(10)", "CA-9(1)", "SI-7(6)", "AU-9",
        ]),
        Standard::CisControls8(&["3.11"]),
    ],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.repository(RepositoryKind::Private).map(|repository| judge(on, repository)).into_iter().collect()
}

fn judge(on: &Subject<'_>, repository: &Repository) -> Verdict {
    let fail = |span: Span, words: &str| {
        Verdict::fail(span, words)
            .advise("create a new repository with a KMS key, copy the images, and move the task definitions over")
    };
    match &repository.encryption_type {
        Field::Absent => return fail(on.head(), "no encryptionConfiguration is set, which means AES256"),
        Field::Unknown(reason, span) => return Verdict::unknown(*span, "encryptionType", reason),
        Field::Known(kind, span) if kind != "KMS" && kind != "KMS_DSSE" => {
            return fail(*span, &format!("encryptionType is {kind}"));
        }
        Field::Known(..) => {}
    }
    let span = repository.kms_key.span().unwrap_or(on.head());
    match key(&repository.kms_key, &on.settings.kms_keys) {
        Key::None => fail(span, "no kmsKey is set: a key of AWS encrypts the repository"),
        Key::Aws => fail(span, "the kmsKey belongs to AWS"),
        Key::Other => fail(span, "the kmsKey is not one of those that are allowed"),
        Key::Customer => Verdict::pass(span, "a customer managed key encrypts the repository"),
        Key::Unknown(reason) => Verdict::unknown(span, "kmsKey", reason),
    }
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"repository": {}}]"#;
    fail: r#"[{"repository": {"encryptionConfiguration": {"encryptionType": "AES256"}}}]"#;
    fail: r#"[{"repository": {"encryptionConfiguration": {"encryptionType": "KMS"}}}]"#;
    fail: r#"[{"repository": {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "alias/aws/ecr"}}}]"#;
    pass: r#"[{"repository": {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "alias/mine"}}}]"#;
    pass: r#"[{"repository": {"encryptionConfiguration": {"encryptionType": "KMS_DSSE",
        "kmsKey": "@aws_kms_key.mine"}}}]"#;
    unknown: r#"[{"repository": {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "?"}}}]"#;
    unknown: r#"[{"repository": {"encryptionConfiguration": {"encryptionType": "KMS",
        "kmsKey": "@data.aws_kms_alias.ecr"}}}]"#;
    unknown: r#"[{"repository": {"encryptionConfiguration": {"encryptionType": "?"}}}]"#;
}
