//! The shape of `tojimari.toml`, for its JSON schema alone: the reader takes the file apart by itself,
//! so that every mistake has its place.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use tojimari_model::finding::Severity;

/// What a house asks for and accepts.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "tojimari.toml")]
#[expect(dead_code, reason = "its schema is all that is wanted of it")]
pub struct Shape {
    /// Patterns of files and folders that are not looked at, relative to this file.
    pass_over: Option<Vec<String>>,
    /// Tags that ECS.13, ECS.14, ECS.15 and ECR.4 ask for.
    required_tags: Option<Vec<String>>,
    /// Keys that ECR.5 takes; any customer-managed one without it.
    kms_keys: Option<Vec<String>>,
    /// Severities by the id or name of a control.
    severity: Option<BTreeMap<String, Severity>>,
    waiver: Option<Vec<WaiverShape>>,
    rule: Option<Vec<RuleShape>>,
}

/// Failures that are accepted. It covers what every pattern that is there matches.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "waiver")]
#[expect(dead_code, reason = "its schema is all that is wanted of it")]
struct WaiverShape {
    /// The id or name of a control or rule.
    control: String,
    /// A pattern of files, relative to this one.
    path: Option<String>,
    /// A pattern of addresses and names of resources.
    resource: Option<String>,
    /// A pattern of names of containers.
    container: Option<String>,
    /// Without one it does not hold.
    reason: String,
    /// The last day on which it holds.
    #[schemars(extend("format" = "date"))]
    until: Option<String>,
}

/// A rule of one's own.
#[derive(JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(title = "rule")]
#[expect(dead_code, reason = "its schema is all that is wanted of it")]
struct RuleShape {
    /// Such as ACME.1.
    id: String,
    /// `medium` without it.
    severity: Option<Severity>,
    /// What it looks at: each container without it.
    on: Option<OnShape>,
    /// An expression in CEL that is true where the rule fails.
    fails_when: String,
    message: String,
    /// What to do about it.
    remedy: Option<String>,
}

#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(title = "on")]
#[expect(dead_code, reason = "its schema is all that is wanted of it")]
enum OnShape {
    Container,
    Task,
    Service,
    Cluster,
    Repository,
}
