//! Sessions of ECS Exec should be encrypted with a customer managed KMS key.
//!
//! # What
//! `kmsKeyId` in `executeCommandConfiguration` of the cluster encrypts the channel between the user
//! and the container a second time, under a key of the customer.
//!
//! # Why
//! With a key of one's own only those can open a session who may use the key: `kms:GenerateDataKey`
//! for the user, `kms:Decrypt` for the task role. The key's use is in CloudTrail.
//!
//! # Exact test
//! A service with `enableExecuteCommand` fails when its cluster, in the same files, has no
//! `kmsKeyId` or one of AWS's own. A cluster with an `executeCommandConfiguration` fails in the
//! same way. A service without ECS Exec passes; a cluster that is not in the files is unknown.
//!
//! # Impact
//! Sessions fail until the task role may `kms:Decrypt` and the users `kms:GenerateDataKey` with the
//! key.
//!
//! # Default value
//! No key: TLS alone protects the channel.
//!
//! # Fix
//! Set `kmsKeyId` in `configuration.executeCommandConfiguration` of the cluster, and give the
//! rights above.
//!
//! # Back out
//! Take `kmsKeyId` away again; only new sessions are touched.
//!
//! # Does not see
//! Sessions of clusters and services that are declared elsewhere, and sessions that are opened with
//! `ssm:StartSession` on the task, which go past the log: deny that action on
//! `arn:aws:ecs:*:*:task/*`.

use tojimari_model::declared::{Cluster, Service};
use tojimari_model::{Field, Severity};
use tojimari_text::Span;

use crate::control::{Control, Standard};
use crate::exec::{clusters, with_exec};
use crate::key::{Key, key};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.2",
    slug: "exec-session-without-kms",
    title: "Sessions of ECS Exec should be encrypted with a customer managed KMS key",
    severity: Severity::Low,
    level: 1,
    standards: &[Standard::CisControls8(&["3.10"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let of_service = on.service().map(|service| with_exec(on, service, |span| judge(on, service, span)));
    let of_cluster = on.cluster().map(|cluster| match &cluster.execute_command {
        Field::Absent => Verdict::not_applicable(on.head(), "the cluster does not configure ECS Exec"),
        Field::Known(exec, _) => of_key(cluster, exec.kms_key_id.span().unwrap_or(exec.span)),
        Field::Unknown(reason, span) => Verdict::unknown(*span, "executeCommandConfiguration", reason),
    });
    of_service.into_iter().chain(of_cluster).collect()
}

/// A service that has ECS Exec, as `span` says.
fn judge(on: &Subject<'_>, service: &Service, span: Span) -> Verdict {
    match clusters(on, service) {
        Err(reason) => Verdict::unknown(span, "whether a key encrypts sessions", reason),
        Ok(found) => {
            let verdicts: Vec<Verdict> = found.into_iter().map(|cluster| of_key(cluster, span)).collect();
            let bad = verdicts.iter().find(|verdict| verdict.status != tojimari_model::Status::Pass);
            let missing = || Verdict::unknown(span, "whether a key encrypts sessions", "there is no cluster");
            bad.or(verdicts.first()).cloned().unwrap_or_else(missing)
        }
    }
}

fn of_key(cluster: &Cluster, span: Span) -> Verdict {
    let found = match &cluster.execute_command {
        Field::Known(exec, _) => key(&exec.kms_key_id, &[]),
        Field::Absent => Key::None,
        Field::Unknown(reason, _) => Key::Unknown(reason.clone()),
    };
    let advice = "set kmsKeyId in executeCommandConfiguration of the cluster";
    match found {
        Key::Customer | Key::Other => Verdict::pass(span, "a customer managed key encrypts sessions"),
        Key::None => Verdict::fail(span, "no customer managed key encrypts sessions of ECS Exec").advise(advice),
        Key::Aws => Verdict::fail(span, "a key of AWS encrypts sessions of ECS Exec").advise(advice),
        Key::Unknown(reason) => Verdict::unknown(span, "kmsKeyId", reason),
    }
}

#[cfg(test)]
crate::cases::cases! {
    pass: r#"[{"service": {}}]"#;
    unknown: r#"[{"service": {"enableExecuteCommand": true}}]"#;
    fail: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": {"logging": "DEFAULT"}}}}]"#;
    fail: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": {"kmsKeyId": "alias/aws/ssm"}}}}]"#;
    pass: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": {"kmsKeyId": "@Key"}}}}]"#;
    pass: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": {"kmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1"}}}}]"#;
    unknown: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": {"kmsKeyId": "?"}}}}]"#;
    not_applicable: r#"[{"cluster": {}}]"#;
}
