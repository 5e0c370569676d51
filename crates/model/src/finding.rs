//! What we say of a declared resource: one evaluation per control, resource and container.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tojimari_text::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Fail,
    Pass,
    /// The value cannot be known from the files. Never silently a pass.
    Unknown,
    NotApplicable,
    Waived,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Fail => "fail",
            Status::Pass => "pass",
            Status::Unknown => "unknown",
            Status::NotApplicable => "not-applicable",
            Status::Waived => "waived",
        })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        })
    }
}

/// The verdict of one control on one resource, or on one container of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The public id: `ECS.5`, `TJ.10`, or a user's own.
    pub control: Arc<str>,
    pub status: Status,
    pub severity: Severity,
    pub resource: ResourceName,
    pub container: Option<Arc<str>>,
    pub span: Span,
    pub message: String,
    pub remedy: Option<Remedy>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceName {
    /// `task-definition`, `service`, `cluster`, … as in the contract.
    #[serde(rename = "type")]
    pub kind: Arc<str>,
    /// The CloudFormation logical id, the Terraform address, the Compose service, or the family.
    pub address: Arc<str>,
    pub name: Arc<str>,
}

/// What would put it right, in the model's words. `plan` turns it into edits of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// This container's root file system becomes read-only. Needs proof.
    ReadOnlyRoot { container: Arc<str> },
    /// This container gives up `privileged`. Needs proof.
    NotPrivileged { container: Arc<str> },
    /// Words for a person; nothing that can be written for them.
    Advice(String),
}

impl Remedy {
    /// One sentence in the imperative, for people.
    pub fn sentence(&self) -> String {
        match self {
            Remedy::ReadOnlyRoot { container } => {
                format!("set readonlyRootFilesystem to true on container {container} and mount what it writes")
            }
            Remedy::NotPrivileged { container } => format!("set privileged to false on container {container}"),
            Remedy::Advice(words) => words.clone(),
        }
    }
}
