//! Secrets should not be passed as container environment variables.
//!
//! # What
//! The rule of AWS looks for three names of environment variables: `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY` and `ECS_ENGINE_AUTH_DATA`.
//!
//! # Why
//! Whoever may describe a task definition reads its environment, and every revision keeps it. Keys
//! of an IAM user do not expire.
//!
//! # Exact test
//! Fails when a variable in `environment` of a container bears one of these names exactly, whatever
//! its value. One verdict for each container.
//!
//! # Impact
//! None for a program that uses an AWS SDK: it finds the credentials of the task role by itself.
//!
//! # Default value
//! A container has no environment variables beyond those of its image and of ECS.
//!
//! # Fix
//! Give the task a `taskRoleArn` and take the variables away; or pass the value under `secrets`,
//! from Secrets Manager or Parameter Store. Then make the keys invalid: they stay readable in the
//! earlier revisions.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! Any other secret (TJ.10 looks for those), variables of the image, files in `environmentFiles`,
//! running tasks, and all but the latest active revision.

use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.8",
    slug: "aws-keys-in-environment",
    title: "Secrets should not be passed as container environment variables",
    severity: Severity::High,
    level: 1,
    standards: &[
        Standard::Fsbp,
        Standard::Nist80053(&["CA-9(1)", "CM-2"]),
        Standard::PciDss401(&["8.6.2"]),
        Standard::CisAwsCompute110("3.6"),
        Standard::CisDocker160("4.10"),
    ],
    retired: None,
    check,
};

const NAMES: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ECS_ENGINE_AUTH_DATA"];

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(|_, container| {
        let mut search = Search::new("the names of the environment");
        for variable in search.each(&container.environment) {
            match &variable.name {
                Field::Known(name, span) if NAMES.contains(&name.as_str()) => {
                    return Verdict::fail(*span, format!("the environment holds {name}"))
                        .advise("give the task a taskRoleArn, or pass the value under secrets");
                }
                Field::Unknown(reason, span) => search.note(reason, *span),
                _ => {}
            }
        }
        search.pass(container.head(), "the environment holds none of the three names")
    })
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"environment": [{"name": "A", "value": "?"}, {"name": "AWS_ACCESS_KEY_ID", "value": "?"}]}"#;
    fail: r#"{"environment": ["?...", {"name": "ECS_ENGINE_AUTH_DATA", "value": ""}]}"#;
    pass: r#"{"environment": [{"name": "AWS_REGION", "value": "eu-west-1"}]}"#;
    pass: r#"{"secrets": [{"name": "AWS_SECRET_ACCESS_KEY", "valueFrom": "arn:aws:ssm:a"}]}"#;
    pass: r#"{"image": "?"}"#;
    unknown: r#"{"environment": [{"name": "A", "value": "b"}, "?..."]}"#;
    unknown: r#"{"environment": [{"name": "?", "value": "b"}]}"#;
    unknown: r#"{"environment": "?"}"#;
}
