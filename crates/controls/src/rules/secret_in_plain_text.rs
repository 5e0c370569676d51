//! Secrets should not stand in plain text in what is deployed.
//!
//! # What
//! Passwords, tokens and keys in `environment`, in `command` and `entryPoint`, in log options, in a
//! Compose file, and in ENV and ARG of a Dockerfile.
//!
//! # Why
//! Whoever may read the file, the repository, the task definition, any of its revisions, or the
//! history of the image has the secret.
//!
//! # Exact test
//! Fails when a value has the form of a secret (AWS access key, tokens of GitHub, GitLab, Slack,
//! Stripe, Google, npm and others, a private key, a JWT, a URL with a password, `password=…` in a
//! connection string or an option), or stands under a name that is that of a secret (`DB_PASSWORD`,
//! `API_KEY`, `…_TOKEN`), or looks random under a name that may be one (`…_KEY`). `changeme` is a
//! password: a program takes it. A value that is empty, yes or no, a reference (`arn:…`, `${VAR}`,
//! `{{…}}`, `<…>`), a path of a file, or a mask (`****`) is none. A value that is not known under
//! the name of a secret is unknown. The message says where and what kind, never the value. One
//! verdict for each container.
//!
//! # Impact
//! The execution role needs the right to read the secret, and the task starts anew to see a new
//! value.
//!
//! # Default value
//! Nothing is encrypted that stands in a task definition.
//!
//! # Fix
//! Put the value into Secrets Manager or Parameter Store and name it under `secrets` with
//! `valueFrom`. In Compose use `secrets` and `…_FILE`, in a Dockerfile `RUN --mount=type=secret`.
//! Then change the secret itself: it stays readable in earlier revisions, commits and layers.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered, and keep the old
//! secret valid until the new revision has proven itself.
//!
//! # Does not see
//! Secrets under names that say nothing and in no known form, files in `environmentFiles`, and what
//! a program reads from elsewhere. ECS.8 looks for three names only.

use tojimari_model::Severity;

use crate::control::{Control, Standard};
use crate::plaintext::{Found, in_build, in_container};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.10",
    slug: "secret-in-plain-text",
    title: "Secrets should not stand in plain text in what is deployed",
    severity: Severity::High,
    level: 1,
    standards: &[Standard::PciDss401(&["8.6.2"]), Standard::CisAwsCompute110("3.6"), Standard::CisDocker160("4.10")],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    if let Some(build) = on.image_build() {
        return vec![judge(in_build(build), on.head())];
    }
    on.containers(|_, container| judge(in_container(container), container.head()))
}

fn judge(found: Found<'_>, head: tojimari_text::Span) -> Verdict {
    let Some(first) = found.secrets.first() else {
        return match found.open {
            Some((place, reason, span)) => Verdict::unknown(span, format!("what {place} holds"), reason),
            None => Verdict::pass(head, "nothing looks like a secret"),
        };
    };
    // Each place and kind once: the places tell apart what to move, the values stay unsaid.
    let mut words: Vec<String> = found.secrets.iter().map(|one| format!("{} holds {}", one.place, one.kind)).collect();
    words.dedup();
    let more = words.len().saturating_sub(MOST);
    words.truncate(MOST);
    let tail = if more > 0 { format!("; and {more} more") } else { String::new() };
    Verdict::fail(first.span, format!("{}{tail}", words.join("; ")))
        .advise("pass it under secrets, from Secrets Manager or Parameter Store, and change the secret")
}

/// How many places a message names.
const MOST: usize = 8;

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"environment": [{"name": "DB_PASSWORD", "value": "hunter2"}]}"#;
    fail: r#"{"environment": [{"name": "DB_PASSWORD", "value": "changeme"}]}"#;
    fail: r#"{"environment": [{"name": "DATABASE_URL", "value": "postgres://app:hunter2@db/app"}]}"#;
    fail: r#"{"environment": [{"name": "DATABASE_URL", "value": "postgres://app:hunter2@+?"}]}"#;
    pass: r#"{"environment": [{"name": "DB_PASSWORD", "value": ""}]}"#;
    pass: r#"{"environment": [{"name": "DB_PASSWORD", "value": "${DB_PASSWORD}"}]}"#;
    pass: r#"{"environment": [{"name": "DB_PASSWORD_FILE", "value": "/run/secrets/db"}]}"#;
    pass: r#"{"environment": [{"name": "DB_SECRET_ARN", "value": "?"}]}"#;
    pass: r#"{"environment": [{"name": "LOG_LEVEL", "value": "?"}]}"#;
    unknown: r#"{"environment": [{"name": "DB_PASSWORD", "value": "?"}]}"#;
    fail: r#"{"command": ["redis-server", "--requirepass", "hunter2"]}"#;
    fail: r#"{"entryPoint": ["sh", "-c", "run --password=hunter2"]}"#;
    fail: r#"{"logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": "hunter2"}}}"#;
    pass: r#"{"secrets": [{"name": "DB_PASSWORD", "valueFrom": "hunter2"}], "image": "?"}"#;
    pass: r#"{"command": ["--page-token-limit", "10", "?"]}"#;
    unknown: r#"{"command": ["--password", "?"]}"#;
    unknown: r#"{"environment": "?"}"#;
    fail: r#"[{"build": {"environment": [{"name": "API_KEY", "value": "abcdef"}]}}]"#;
    fail: r#"[{"build": {"arguments": [{"name": "NPM_TOKEN", "value": "abcdef"}]}}]"#;
    pass: r#"[{"build": {"arguments": [{"name": "NPM_TOKEN"}]}}]"#;
}
