//! What the files tell of ECS Exec: whether a service has it, and where its sessions go.

use tojimari_model::declared::{Cluster, Container, ExecuteCommandLog, Service, Target, TaskDefinition};
use tojimari_model::value::Reason;
use tojimari_model::{Declared, Field, Resource};
use tojimari_text::Span;

use crate::platform::is_cluster;
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;

/// Where the sessions of a cluster go.
pub enum Sessions {
    /// To a log, encrypted.
    Logged(Span),
    /// To the log of each container: the default.
    ByContainer,
    /// Nowhere, or unencrypted.
    Bad(Span, &'static str),
    Unknown(Span, &'static str, Reason),
}

pub fn sessions(cluster: &Cluster) -> Sessions {
    let exec = match &cluster.execute_command {
        Field::Absent => return Sessions::ByContainer,
        Field::Unknown(reason, span) => {
            return Sessions::Unknown(*span, "executeCommandConfiguration", reason.clone());
        }
        Field::Known(exec, _) => exec,
    };
    match &exec.logging {
        Field::Known(logging, span) if logging == "NONE" => Sessions::Bad(*span, "sessions are not logged"),
        Field::Known(logging, _) if logging == "OVERRIDE" => match &exec.log_configuration {
            Field::Known(log, _) => log_of(log),
            Field::Unknown(reason, span) => Sessions::Unknown(*span, "logConfiguration", reason.clone()),
            Field::Absent => Sessions::Bad(exec.span, "sessions go to a log that is not configured"),
        },
        Field::Unknown(reason, span) => Sessions::Unknown(*span, "logging", reason.clone()),
        Field::Known(..) | Field::Absent => Sessions::ByContainer,
    }
}

fn log_of(log: &ExecuteCommandLog) -> Sessions {
    let targets = [
        (
            &log.cloud_watch_log_group_name,
            &log.cloud_watch_encryption_enabled,
            "sessions go unencrypted to CloudWatch Logs",
        ),
        (&log.s3_bucket_name, &log.s3_encryption_enabled, "sessions go unencrypted to S3"),
    ];
    let mut search = Search::new("whether sessions are encrypted");
    let mut logged = false;
    for (name, encrypted, words) in targets {
        match (name, encrypted) {
            (Field::Absent, _) => {}
            (_, Field::Known(true, _)) => logged = true,
            (_, Field::Unknown(reason, span)) => {
                search.note(reason, *span);
            }
            (name, Field::Known(false, _) | Field::Absent) => {
                let span = encrypted.span().or(name.span()).unwrap_or(log.span);
                return Sessions::Bad(span, words);
            }
        }
    }
    let settled = match logged {
        true => Sessions::Logged(log.span),
        false => Sessions::Bad(log.span, "sessions go neither to CloudWatch Logs nor to S3"),
    };
    search.finish(|reason, span| Sessions::Unknown(span, "whether sessions are encrypted", reason), settled)
}

/// The clusters that a service may run in, of those in the stack; else why they are not known.
pub fn clusters<'a>(on: &Subject<'a>, service: &'a Service) -> Result<Vec<&'a Cluster>, Reason> {
    match on.stack.target(&service.cluster, on.resource, is_cluster) {
        Target::Declared(found) => Ok(found.into_iter().filter_map(cluster_of).collect()),
        Target::Unknown(reason) => Err(reason.clone()),
        Target::Absent | Target::Elsewhere(_) => Err("the cluster is not in these files".into()),
    }
}

fn cluster_of(resource: &Resource) -> Option<&Cluster> {
    match &resource.declared {
        Declared::Cluster(cluster) => Some(cluster),
        _ => None,
    }
}

/// The task definitions that a service runs, of those in the stack; else why they are not known.
pub fn tasks<'a>(on: &Subject<'a>, service: &'a Service) -> Result<Vec<&'a TaskDefinition>, Reason> {
    let is_task = |resource: &Resource| matches!(resource.declared, Declared::TaskDefinition(_));
    match on.stack.target(&service.task_definition, on.resource, is_task) {
        Target::Declared(found) => Ok(found
            .into_iter()
            .filter_map(|resource| match &resource.declared {
                Declared::TaskDefinition(task) => Some(&**task),
                _ => None,
            })
            .collect()),
        Target::Unknown(reason) => Err(reason.clone()),
        Target::Absent | Target::Elsewhere(_) => Err("the task definition is not in these files".into()),
    }
}

/// The name of a container whose log does not go to CloudWatch Logs; absent when all do.
pub fn without_awslogs<'a>(containers: impl Iterator<Item = &'a Container>) -> Field<String> {
    let mut search = Search::new("where the output goes");
    for container in containers {
        let driver = match &container.log_configuration {
            Field::Known(log, _) => &log.log_driver,
            Field::Absent => &Field::Absent,
            Field::Unknown(reason, span) => &Field::Unknown(reason.clone(), *span),
        };
        match driver {
            Field::Known(driver, _) if driver == "awslogs" => {}
            Field::Unknown(reason, span) => search.note(reason, *span),
            _ => return Field::Known(container.name.as_str().unwrap_or("?").to_owned(), container.head()),
        }
    }
    search.finish(Field::Unknown, Field::Absent)
}

/// The verdict on a service that has ECS Exec. A service that may or may not have it passes where
/// it would pass with it, and is unknown elsewhere; one without it passes.
pub fn with_exec(on: &Subject<'_>, service: &Service, judge: impl FnOnce(Span) -> Verdict) -> Verdict {
    match &service.enable_execute_command {
        Field::Absent => Verdict::pass(on.head(), "ECS Exec is not enabled"),
        Field::Known(false, span) => Verdict::pass(*span, "ECS Exec is not enabled"),
        Field::Known(true, span) => judge(*span),
        Field::Unknown(reason, span) => match judge(*span) {
            verdict if verdict.status == tojimari_model::Status::Pass => verdict,
            _ => Verdict::unknown(*span, "enableExecuteCommand", reason),
        },
    }
}

#[cfg(test)]
mod tests {
    use tojimari_model::Status;

    use crate::cases::evaluations;
    use crate::settings::Settings;

    /// What a control says of the service in a stack.
    fn of_service(control: &str, cluster: &str, task: &str) -> Status {
        let stack = format!(
            r#"[{{"service": {{"enableExecuteCommand": true, "cluster": "@cluster", "taskDefinition": "@task"}}}},
                {{"cluster": {{"configuration": {{"executeCommandConfiguration": {cluster}}}}}}},
                {{"task": {{"containerDefinitions": [{{"name": "a", {task}}}]}}}}]"#
        );
        let control = crate::rules::find(control).expect("a control");
        let found = evaluations(control, &stack, &Settings::default());
        found.iter().find(|one| &*one.resource.kind == "service").expect("a verdict on the service").status
    }

    #[test]
    fn a_service_is_judged_by_its_cluster() {
        let encrypted = r#"{"logging": "OVERRIDE", "kmsKeyId": "@Key",
            "logConfiguration": {"s3BucketName": "b", "s3EncryptionEnabled": true}}"#;
        let image = r#""image": "a""#;
        assert_eq!(of_service("TJ.1", encrypted, image), Status::Pass);
        assert_eq!(of_service("TJ.2", encrypted, image), Status::Pass);
        assert_eq!(of_service("TJ.1", r#"{"logging": "NONE"}"#, image), Status::Fail);
        assert_eq!(of_service("TJ.2", r#"{"logging": "NONE"}"#, image), Status::Fail);
        assert_eq!(of_service("TJ.2", r#"{"kmsKeyId": "?"}"#, image), Status::Unknown);
        assert_eq!(of_service("TJ.2", "null", image), Status::Fail);
    }

    #[test]
    fn the_default_is_the_log_of_each_container() {
        let awslogs = r#""logConfiguration": {"logDriver": "awslogs"}"#;
        assert_eq!(of_service("TJ.1", "null", awslogs), Status::Pass);
        assert_eq!(of_service("TJ.1", r#"{"logging": "DEFAULT"}"#, awslogs), Status::Pass);
        assert_eq!(of_service("TJ.1", "null", r#""logConfiguration": {"logDriver": "splunk"}"#), Status::Fail);
        assert_eq!(of_service("TJ.1", "null", r#""image": "a""#), Status::Fail);
        assert_eq!(of_service("TJ.1", "null", r#""logConfiguration": "?""#), Status::Unknown);
    }
}
