//! ECR: repositories, their policies, and the scanning of the registry, read by the names of the ECR
//! API of 2015-09-21 (and of ECR Public) as of November 2026.

use std::cell::RefCell;

use tojimari_text::{Problem, Span};

use super::field::{Field, Fields, List, Met};
use super::reference::Reference;
use super::tag::{Tag, tags};
use crate::value::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepositoryKind {
    Private,
    /// A repository of the ECR Public Gallery.
    Public,
}

#[derive(Clone, Debug)]
pub struct Repository {
    pub span: Span,
    pub kind: RepositoryKind,
    pub repository_name: Field<String>,
    /// MUTABLE, IMMUTABLE, or either of them with `_WITH_EXCLUSION`; absent means MUTABLE.
    pub image_tag_mutability: Field<String>,
    /// `imageScanningConfiguration.scanOnPush`; absent means false.
    pub scan_on_push: Field<bool>,
    /// `encryptionConfiguration.encryptionType`: AES256, KMS or KMS_DSSE; absent means AES256.
    pub encryption_type: Field<String>,
    /// `encryptionConfiguration.kmsKey`; with KMS and without this, AWS's own key encrypts.
    pub kms_key: Field<String>,
    /// An IAM policy, where the format has it in the repository.
    pub policy: Field<Value>,
    /// The rules by which images expire, where the format has them in the repository.
    pub lifecycle_policy: Field<Value>,
    pub tags: List<Tag>,
}

/// A policy that is given to a repository in a resource of its own.
#[derive(Clone, Debug)]
pub struct RepositoryPolicy {
    pub span: Span,
    pub kind: RepositoryKind,
    pub repository: Reference,
    pub policy: Field<Value>,
}

/// Lifecycle rules that are given to a repository in a resource of its own.
#[derive(Clone, Debug)]
pub struct LifecyclePolicy {
    pub span: Span,
    pub repository: Reference,
    pub policy: Field<Value>,
}

/// What PutRegistryScanningConfiguration says for all repositories of an account.
#[derive(Clone, Debug)]
pub struct RegistryScanning {
    pub span: Span,
    /// BASIC or ENHANCED.
    pub scan_type: Field<String>,
    pub rules: List<ScanningRule>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ScanningRule {
    /// SCAN_ON_PUSH, CONTINUOUS_SCAN or MANUAL.
    pub scan_frequency: Field<String>,
    /// Patterns of repository names in which `*` stands for anything.
    pub filters: List<Field<String>>,
}

impl Repository {
    /// Reads the input form of CreateRepository, with `policyText` of SetRepositoryPolicy and
    /// `lifecyclePolicyText` of PutLifecyclePolicy beside it, as an object or as JSON in a string.
    pub fn read(value: &Value, kind: RepositoryKind) -> (Repository, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let repository = Fields::read(value, &met, |f| Repository::from_fields(f, kind));
        (repository, met.into_inner().problems)
    }

    pub(super) fn from_fields(f: &Fields<'_>, kind: RepositoryKind) -> Repository {
        let (encryption_type, kms_key) =
            f.object("encryptionConfiguration", |f| (f.string("encryptionType"), f.string("kmsKey"))).unzip();
        Repository {
            span: f.span(),
            kind,
            repository_name: f.string("repositoryName"),
            image_tag_mutability: f.string("imageTagMutability"),
            scan_on_push: f.object("imageScanningConfiguration", |f| f.bool("scanOnPush")).flatten(),
            encryption_type: encryption_type.flatten(),
            kms_key: kms_key.flatten(),
            policy: f.document("policyText"),
            lifecycle_policy: f.document("lifecyclePolicyText"),
            tags: tags(f),
        }
    }
}

impl RepositoryPolicy {
    /// Reads the input form of SetRepositoryPolicy: `repositoryName` and `policyText`.
    pub fn read(value: &Value, kind: RepositoryKind) -> (RepositoryPolicy, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let policy = Fields::read(value, &met, |f| RepositoryPolicy {
            span: f.span(),
            kind,
            repository: f.reference("repositoryName"),
            policy: f.document("policyText"),
        });
        (policy, met.into_inner().problems)
    }
}

impl LifecyclePolicy {
    /// Reads the input form of PutLifecyclePolicy: `repositoryName` and `lifecyclePolicyText`.
    pub fn read(value: &Value) -> (LifecyclePolicy, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let policy = Fields::read(value, &met, |f| LifecyclePolicy {
            span: f.span(),
            repository: f.reference("repositoryName"),
            policy: f.document("lifecyclePolicyText"),
        });
        (policy, met.into_inner().problems)
    }
}

impl RegistryScanning {
    /// Reads the input form of PutRegistryScanningConfiguration.
    pub fn read(value: &Value) -> (RegistryScanning, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let scanning = Fields::read(value, &met, |f| RegistryScanning {
            span: f.span(),
            scan_type: f.string("scanType"),
            rules: f.objects("rules", |f| ScanningRule {
                scan_frequency: f.string("scanFrequency"),
                filters: f.objects("repositoryFilters", |f| f.string("filter")),
            }),
        });
        (scanning, met.into_inner().problems)
    }
}
