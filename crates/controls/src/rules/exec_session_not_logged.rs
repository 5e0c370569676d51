//! Sessions of ECS Exec should be logged, and the log encrypted.
//!
//! # What
//! ECS Exec opens a shell in a running container. `executeCommandConfiguration` of the cluster says
//! where the input and output of sessions go.
//!
//! # Why
//! A session changes what no deployment shows. Without a log nobody can tell afterwards what was
//! done, and an unencrypted log shows what was typed.
//!
//! # Exact test
//! A service with `enableExecuteCommand` fails when its cluster, in the same files, logs sessions
//! nowhere (`logging` NONE, or OVERRIDE without a log group or bucket) or unencrypted
//! (`cloudWatchEncryptionEnabled` or `s3EncryptionEnabled` not true for a target that is named).
//! With `logging` DEFAULT, or nothing said, sessions go to the log of the container: it fails when
//! a container of the task definition does not use `awslogs`. A cluster fails by its own
//! `executeCommandConfiguration` in the same way. A service without ECS Exec passes; a cluster or
//! task definition that is not in the files is unknown.
//!
//! # Impact
//! The task role needs the right to write to the log group or bucket, and the image needs `script`
//! and `cat` for its sessions to be logged.
//!
//! # Default value
//! `logging` DEFAULT: sessions go where `awslogs` of the container goes, and nowhere without it.
//!
//! # Fix
//! Set `logging` to OVERRIDE with a `cloudWatchLogGroupName` and `cloudWatchEncryptionEnabled`
//! true, or an `s3BucketName` and `s3EncryptionEnabled` true; encrypt the log group or bucket with
//! a KMS key.
//!
//! # Back out
//! Set the earlier `executeCommandConfiguration`; only new sessions are touched.
//!
//! # Does not see
//! Sessions of clusters and services that are declared elsewhere, and sessions that are opened with
//! `ssm:StartSession` on the task, which go past the log: deny that action on
//! `arn:aws:ecs:*:*:task/*`.

use tojimari_model::declared::{Cluster, Service};
use tojimari_model::{Field, Severity};
use tojimari_text::Span;

use crate::control::{Control, Standard};
use crate::exec::{Sessions, clusters, sessions, tasks, with_exec, without_awslogs};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.1",
    slug: "exec-session-not-logged",
    title: "Sessions of ECS Exec should be logged, and the log encrypted",
    severity: Severity::Medium,
    level: 1,
    standards: &[Standard::CisControls8(&["8.2", "8.5"])],
    retired: None,
    check,
};

const ADVICE: &str = "set logging to OVERRIDE with an encrypted log group or bucket on the cluster";

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let of_service = on.service().map(|service| with_exec(on, service, |span| judge(on, service, span)));
    let of_cluster = on.cluster().map(|cluster| match sessions(cluster) {
        Sessions::ByContainer => Verdict::not_applicable(
            on.head(),
            "sessions go to the log of each container, which is judged at the services",
        ),
        Sessions::Logged(span) => Verdict::pass(span, "sessions are logged and the log is encrypted"),
        Sessions::Bad(span, words) => Verdict::fail(span, words).advise(ADVICE),
        Sessions::Unknown(span, what, reason) => Verdict::unknown(span, what, reason),
    });
    of_service.into_iter().chain(of_cluster).collect()
}

/// A service that has ECS Exec, as `span` says.
fn judge(on: &Subject<'_>, service: &Service, span: Span) -> Verdict {
    let found = match clusters(on, service) {
        Err(reason) => return Verdict::unknown(span, "where sessions go", reason),
        Ok(found) => found,
    };
    let verdicts: Vec<Verdict> = found.into_iter().map(|cluster| of_cluster(on, service, cluster, span)).collect();
    let worst = [tojimari_model::Status::Fail, tojimari_model::Status::Unknown];
    let bad = worst.iter().find_map(|status| verdicts.iter().find(|verdict| verdict.status == *status));
    bad.or(verdicts.first())
        .cloned()
        .unwrap_or_else(|| Verdict::unknown(span, "where sessions go", "there is no cluster"))
}

fn of_cluster(on: &Subject<'_>, service: &Service, cluster: &Cluster, span: Span) -> Verdict {
    match sessions(cluster) {
        Sessions::Logged(_) => Verdict::pass(span, "sessions are logged and the log is encrypted"),
        Sessions::Bad(_, words) => Verdict::fail(span, format!("ECS Exec is enabled and {words}")).advise(ADVICE),
        Sessions::Unknown(_, what, reason) => Verdict::unknown(span, what, reason),
        Sessions::ByContainer => match tasks(on, service) {
            Err(reason) => Verdict::unknown(span, "where the log of the containers goes", reason),
            Ok(found) => match without_awslogs(found.iter().flat_map(|task| &task.containers)) {
                Field::Known(name, _) => {
                    let words =
                        format!("ECS Exec is enabled and sessions in {name} are not logged: it does not use awslogs");
                    Verdict::fail(span, words).advise(ADVICE)
                }
                Field::Unknown(reason, _) => Verdict::unknown(span, "where the log of the containers goes", reason),
                Field::Absent => Verdict::pass(span, "sessions go to the log of each container"),
            },
        },
    }
}

#[cfg(test)]
crate::cases::cases! {
    pass: r#"[{"service": {}}]"#;
    pass: r#"[{"service": {"enableExecuteCommand": false}}]"#;
    unknown: r#"[{"service": {"enableExecuteCommand": true, "cluster": "elsewhere"}}]"#;
    unknown: r#"[{"service": {"enableExecuteCommand": "?", "cluster": "elsewhere"}}]"#;
    fail: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": {"logging": "NONE"}}}}]"#;
    fail: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": {"logging": "OVERRIDE",
        "logConfiguration": {"s3BucketName": "b"}}}}}]"#;
    fail: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": {"logging": "OVERRIDE",
        "logConfiguration": {"s3BucketName": "b", "s3EncryptionEnabled": true,
        "cloudWatchLogGroupName": "?"}}}}}]"#;
    pass: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": {"logging": "OVERRIDE",
        "logConfiguration": {"cloudWatchLogGroupName": "?", "cloudWatchEncryptionEnabled": true}}}}}]"#;
    fail: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": {"logging": "OVERRIDE",
        "logConfiguration": {}}}}}]"#;
    unknown: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": {"logging": "?"}}}}]"#;
    unknown: r#"[{"cluster": {"configuration": {"executeCommandConfiguration": "?"}}}]"#;
    not_applicable: r#"[{"cluster": {}}]"#;
}
