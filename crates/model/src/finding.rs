//! What we say of a declared resource: one evaluation per control, resource and container.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tojimari_text::Span;

use crate::value::Assumption;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Fail,
    Pass,
    /// The value cannot be known from the files. Never silently a pass.
    Unknown,
    NotApplicable,
    Waived,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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
    /// What to point at.
    pub span: Span,
    /// The whole container, or the whole resource where it is about no container.
    pub subject: Span,
    /// The whole resource.
    pub whole: Span,
    /// What is said of it: more than one statement where it differs with conditions.
    pub statements: Vec<Statement>,
    /// What is declared, "Compose service", where the control is one of Security Hub and that does
    /// not look at such a declaration.
    pub unseen_as: Option<&'static str>,
    pub remedy: Option<Remedy>,
    /// Why a failure does not count; `Some` exactly when the status says so.
    pub waiver: Option<Waiver>,
}

/// What is said under some conditions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Statement {
    pub message: String,
    /// The conditions that it needs; none where it holds whatever they are.
    pub when: Vec<Assumption>,
}

impl Evaluation {
    /// One English sentence with everything that is said: the statements with their conditions, that
    /// Security Hub does not see it, and why it is accepted.
    pub fn sentence(&self) -> String {
        let mut text = String::new();
        for (at, statement) in self.statements.iter().enumerate() {
            text.push_str(if at > 0 { "; " } else { "" });
            text.push_str(&statement.message);
            for (at, assumed) in statement.when.iter().enumerate() {
                let before = if at > 0 { " and" } else { ", when" };
                let holds = if assumed.holds { "holds" } else { "does not hold" };
                text.push_str(&format!("{before} {} {holds}", assumed.condition));
            }
        }
        if let Some(kind) = self.unseen_as {
            text.push_str(&format!(" ({kind}: held to the rule, but not seen by Security Hub)"));
        }
        match &self.waiver {
            Some(Waiver { reason, source: WaiverSource::Baseline, .. }) => text.push_str(&format!(" ({reason})")),
            Some(Waiver { reason, until: Some(until), .. }) => {
                text.push_str(&format!(" (waived until {until}: {reason})"));
            }
            Some(Waiver { reason, until: None, .. }) => text.push_str(&format!(" (waived: {reason})")),
            None => {}
        }
        text
    }
}

/// Somebody's word that a failure is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    pub reason: String,
    /// The last day on which it holds, as `2027-03-31`.
    pub until: Option<String>,
    pub source: WaiverSource,
}

/// Where a failure is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaiverSource {
    /// In a comment beside the thing itself.
    Comment,
    Configuration,
    /// It was there when a baseline was written.
    Baseline,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
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
    /// This container gives up `privileged`. Needs proof, but on Fargate, which refuses it anyway.
    NotPrivileged { container: Arc<str>, refused_anyway: bool },
    /// This container runs as a user that is not root. Needs proof.
    NonRootUser { container: Arc<str> },
    /// The task gets a network of its own instead of the host's. Needs proof.
    OwnNetwork,
    /// The task gets processes of its own instead of the host's. Needs proof.
    OwnProcesses,
    /// This container gives up these capabilities. Needs proof.
    DropCapabilities { container: Arc<str>, capabilities: Vec<Arc<str>> },
    /// Programs of this container cannot gain privileges that they were not started with. Needs
    /// proof.
    NoNewPrivileges { container: Arc<str> },
    /// This container gets a tmpfs on a folder that ECS Exec writes to. Needs proof: AWS supports no
    /// ECS Exec under a read-only root, though it works.
    ExecFolder { container: Arc<str>, folder: &'static str },
    /// The tmpfs on that path of this container gets these mount options. Needs proof: programs may be
    /// run from there.
    TmpfsOptions { container: Arc<str>, path: Arc<str>, options: Vec<Arc<str>> },
    /// What goes to and from this EFS volume is encrypted. Needs proof: an instance without Amazon's
    /// mount helper cannot mount it so.
    TransitEncryption { volume: Arc<str> },
    /// The tasks get no public address. Needs proof: they may need another way out.
    NoPublicAddress,
    /// The service runs on the latest platform version. Needs proof: versions differ in what they
    /// give a task.
    LatestPlatformVersion,
    /// This container's output goes to a log.
    LogConfiguration { container: Arc<str> },
    /// The cluster sends its metrics to Container Insights.
    ContainerInsights,
    /// The resource gets these tags.
    Tags { tags: Vec<WantedTag> },
    /// The capacity provider protects instances that run tasks from being ended. Needs proof: the
    /// Auto Scaling group has to protect new instances, too, or the call is refused.
    TerminationProtection,
    /// Images are scanned when they are pushed.
    ScanOnPush,
    /// A tag of the repository cannot be moved to another image. Needs proof: whoever pushes a tag
    /// again is refused, and what waits for that image does not get it.
    ImmutableTags,
    /// Words for a person; nothing that can be written for them.
    Advice(String),
}

/// A tag that a resource should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedTag {
    pub key: Arc<str>,
    /// `None` where only a person knows it.
    pub value: Option<Arc<str>>,
}

impl Remedy {
    /// One sentence in the imperative, for people.
    pub fn sentence(&self) -> String {
        match self {
            Remedy::ReadOnlyRoot { container } => {
                format!("set readonlyRootFilesystem to true on container {container} and mount what it writes")
            }
            Remedy::NotPrivileged { container, .. } => format!("set privileged to false on container {container}"),
            Remedy::NonRootUser { container } => format!("set user to one that is not root on container {container}"),
            Remedy::OwnNetwork => "set networkMode to awsvpc".into(),
            Remedy::OwnProcesses => "take pidMode away".into(),
            Remedy::DropCapabilities { container, capabilities } => {
                format!("drop the capabilities {} of container {container}", capabilities.join(", "))
            }
            Remedy::NoNewPrivileges { container } => {
                format!("add no-new-privileges to the security options of container {container}")
            }
            Remedy::ExecFolder { container, folder } => {
                format!("mount a tmpfs or an empty volume on {folder} of container {container}")
            }
            Remedy::TmpfsOptions { container, path, options } => {
                format!("mount the tmpfs {path} of container {container} with {}", options.join(", "))
            }
            Remedy::TransitEncryption { volume } => format!("set transitEncryption to ENABLED on volume {volume}"),
            Remedy::NoPublicAddress => "set assignPublicIp to DISABLED".into(),
            Remedy::LatestPlatformVersion => "set platformVersion to LATEST".into(),
            Remedy::LogConfiguration { container } => format!("give container {container} a logConfiguration"),
            Remedy::ContainerInsights => "set containerInsights to enabled or enhanced".into(),
            Remedy::Tags { tags } => {
                let keys = tags.iter().map(|tag| &*tag.key).collect::<Vec<&str>>().join(", ");
                match &tags[..] {
                    // Whoever proposes a value has no certain tag in mind.
                    [tag] if tag.value.is_some() => format!("add a tag, such as {keys}"),
                    [_] => format!("add the tag {keys}"),
                    _ => format!("add the tags {keys}"),
                }
            }
            Remedy::TerminationProtection => "set managedTerminationProtection to ENABLED".into(),
            Remedy::ScanOnPush => "set scanOnPush to true".into(),
            Remedy::ImmutableTags => "set imageTagMutability to IMMUTABLE".into(),
            Remedy::Advice(words) => words.clone(),
        }
    }

    /// It cannot break a service that runs: nothing that the service can do today is taken from it.
    pub fn is_safe(&self) -> bool {
        match self {
            // Fargate does not run it at all while it asks for privileges.
            Remedy::NotPrivileged { refused_anyway, .. } => *refused_anyway,
            Remedy::LogConfiguration { .. } | Remedy::ContainerInsights | Remedy::Tags { .. } | Remedy::ScanOnPush => {
                true
            }
            Remedy::ReadOnlyRoot { .. }
            | Remedy::TmpfsOptions { .. }
            | Remedy::TransitEncryption { .. }
            | Remedy::ImmutableTags
            | Remedy::LatestPlatformVersion
            | Remedy::TerminationProtection
            | Remedy::NonRootUser { .. }
            | Remedy::OwnNetwork
            | Remedy::OwnProcesses
            | Remedy::DropCapabilities { .. }
            | Remedy::ExecFolder { .. }
            | Remedy::NoNewPrivileges { .. }
            | Remedy::NoPublicAddress
            | Remedy::Advice(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use tojimari_text::FileId;

    use super::*;

    #[test]
    fn a_sentence_has_conditions_then_the_mark_then_the_waiver() {
        let span = Span::new(FileId(0), 0, 1);
        let assumed = |condition: &str, holds| Assumption { condition: condition.into(), holds };
        let waiver = |until: Option<&str>, source| {
            Some(Waiver { reason: "known".to_owned(), until: until.map(str::to_owned), source })
        };
        let one = Statement { message: "a is b".to_owned(), when: Vec::new() };
        let when = Statement { when: vec![assumed("A", true), assumed("B", false)], ..one.clone() };
        let mark = " (Compose service: held to the rule, but not seen by Security Hub)";
        for (statements, unseen_as, waiver, sentence) in [
            (vec![one.clone()], None, None, "a is b".to_owned()),
            (vec![when.clone(), one], None, None, "a is b, when A holds and B does not hold; a is b".to_owned()),
            (
                vec![when],
                Some("Compose service"),
                waiver(Some("2027-03-31"), WaiverSource::Comment),
                format!("a is b, when A holds and B does not hold{mark} (waived until 2027-03-31: known)"),
            ),
            (Vec::new(), None, waiver(None, WaiverSource::Configuration), " (waived: known)".to_owned()),
            (Vec::new(), None, waiver(None, WaiverSource::Baseline), " (known)".to_owned()),
        ] {
            let evaluation = Evaluation {
                control: "ECS.5".into(),
                status: Status::Fail,
                severity: Severity::High,
                resource: ResourceName { kind: "service".into(), address: "a".into(), name: "a".into() },
                container: None,
                span,
                subject: span,
                whole: span,
                statements,
                unseen_as,
                remedy: None,
                waiver,
            };
            assert_eq!(evaluation.sentence(), sentence);
        }
    }
}
