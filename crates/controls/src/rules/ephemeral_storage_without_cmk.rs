//! Ephemeral storage of Fargate tasks should be encrypted with a customer managed KMS key.
//!
//! # What
//! Fargate keeps the layers of images and everything that tasks write to their own volumes on
//! ephemeral storage. `fargateEphemeralStorageKmsKeyId` of the cluster says with which key.
//!
//! # Why
//! A key of one's own can be watched, limited by policy, and made unusable.
//!
//! # Exact test
//! Fails when a cluster on which Fargate tasks run has no
//! `configuration.managedStorageConfiguration.fargateEphemeralStorageKmsKeyId`. That they run there
//! is told by its capacity providers, its default strategy, or a service in the same files. Where
//! nothing tells, it is unknown; where every service in the files that names the cluster runs on
//! something else, it is not applicable.
//!
//! # Impact
//! New tasks use the key, tasks that run keep theirs. A key that Fargate may not use keeps tasks
//! from starting. Platform version 1.4.0, Linux, a single-Region key, given by id or ARN and not by
//! alias.
//!
//! # Default value
//! A key that belongs to AWS.
//!
//! # Fix
//! Set `fargateEphemeralStorageKmsKeyId`, and allow `fargate.amazonaws.com` in the key's policy to
//! use it for the cluster.
//!
//! # Back out
//! Take it away again and deploy the services anew.
//!
//! # Does not see
//! Whether the key exists and its policy lets Fargate use it, EBS volumes, and clusters that are
//! declared elsewhere.

use tojimari_ecs::Platform;
use tojimari_model::declared::{Cluster, List};
use tojimari_model::value::Reason;
use tojimari_model::{Declared, Field, Severity};

use crate::control::{Control, Standard};
use crate::key::{Key, key};
use crate::platform::{Capacity, of_service};
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.8",
    slug: "ephemeral-storage-without-cmk",
    title: "Ephemeral storage of Fargate tasks should be encrypted with a customer managed KMS key",
    severity: Severity::Low,
    level: 1,
    standards: &[Standard::CisControls8(&["3.11"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.cluster().map(|cluster| judge(on, cluster)).into_iter().collect()
}

fn judge(on: &Subject<'_>, cluster: &Cluster) -> Verdict {
    let named = match &cluster.managed_storage {
        Field::Absent => &Field::Absent,
        Field::Known(storage, _) => &storage.fargate_ephemeral_storage_kms_key_id,
        Field::Unknown(reason, span) => return Verdict::unknown(*span, "managedStorageConfiguration", reason),
    };
    let span = named.span().unwrap_or(on.head());
    let words = match key(named, &[]) {
        Key::Customer | Key::Other => {
            return Verdict::pass(span, "a customer managed key encrypts the ephemeral storage");
        }
        Key::Unknown(reason) => return Verdict::unknown(span, "fargateEphemeralStorageKmsKeyId", reason),
        Key::None => "fargateEphemeralStorageKmsKeyId is not set",
        Key::Aws => "fargateEphemeralStorageKmsKeyId is a key of AWS",
    };
    match runs_fargate(on, cluster) {
        Ok(true) => Verdict::fail(span, format!("Fargate tasks run in the cluster and {words}"))
            .advise("set fargateEphemeralStorageKmsKeyId in managedStorageConfiguration of the cluster"),
        Ok(false) => Verdict::not_applicable(span, "nothing in these files runs on Fargate in the cluster"),
        Err(reason) => Verdict::unknown(span, format!("{words}; whether Fargate tasks run in the cluster"), reason),
    }
}

fn runs_fargate(on: &Subject<'_>, cluster: &Cluster) -> Result<bool, Reason> {
    let names_fargate = |providers: &List<Field<String>>| {
        providers
            .iter()
            .any(|provider| provider.as_str().is_some_and(|name| Platform::from_capacity_provider(name).is_some()))
    };
    if names_fargate(&cluster.capacity_providers) {
        return Ok(true);
    }
    let mut others = 0;
    let mut search = Search::new("whether Fargate tasks run in the cluster");
    for other in on.others() {
        match &other.declared {
            Declared::ClusterCapacityProviders(providers)
                if providers.cluster.means(on.resource) && names_fargate(&providers.capacity_providers) =>
            {
                return Ok(true);
            }
            Declared::Service(service) if service.cluster.means(on.resource) => {
                match of_service(&Subject { resource: other, ..*on }, service) {
                    Capacity::On(Platform::Fargate) => return Ok(true),
                    Capacity::Unknown(reason, span) => search.note(&reason, span),
                    _ => others += 1,
                }
            }
            _ => {}
        }
    }
    if others == 0 {
        search.note(&"the services are not in these files".into(), on.head());
    }
    search.finish(|reason, _| Err(reason), Ok(false))
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"cluster": {"capacityProviders": ["FARGATE"]}}]"#;
    fail: r#"[{"cluster": {}}, {"cluster-providers": {"cluster": "@cluster", "capacityProviders": ["FARGATE_SPOT"]}}]"#;
    pass: r#"[{"cluster": {"configuration": {"managedStorageConfiguration": {"fargateEphemeralStorageKmsKeyId": "@Key"}}}}]"#;
    unknown: r#"[{"cluster": {}}]"#;
    unknown: r#"[{"cluster": {"capacityProviders": ["FARGATE"],
        "configuration": {"managedStorageConfiguration": {"fargateEphemeralStorageKmsKeyId": "?"}}}}]"#;
    unknown: r#"[{"cluster": {"configuration": "?"}}]"#;
    fail: r#"[{"cluster": {"defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE"}],
        "capacityProviders": ["FARGATE", "?..."]}}]"#;
}
