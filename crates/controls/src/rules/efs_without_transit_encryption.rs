//! ECS task definitions should use in-transit encryption for EFS volumes.
//!
//! # What
//! `transitEncryption` of an EFS volume wraps NFS between the host and the file system in TLS.
//!
//! # Why
//! Without it the files cross the network in plain text.
//!
//! # Exact test
//! Fails when an `efsVolumeConfiguration` has `transitEncryption` DISABLED or absent, which means
//! DISABLED. A task definition without EFS volumes passes.
//!
//! # Impact
//! A little more work for each read and write.
//!
//! # Default value
//! DISABLED.
//!
//! # Fix
//! Set `transitEncryption` to ENABLED in every `efsVolumeConfiguration`. An access point and IAM
//! authorisation need it anyway.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! Encryption at rest, file systems that are mounted on the host and passed on as host paths,
//! running tasks, and all but the latest active revision.

use tojimari_model::declared::VolumeSource;
use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.18",
    slug: "efs-without-transit-encryption",
    title: "ECS task definitions should use in-transit encryption for EFS volumes",
    severity: Severity::Medium,
    level: 1,
    standards: &[Standard::Fsbp, Standard::CisControls8(&["3.10"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let Some(task) = on.task() else { return Vec::new() };
    let mut search = Search::new("the volumes");
    for volume in search.each(&task.volumes) {
        let efs = match &volume.source {
            VolumeSource::Efs(efs) => efs,
            VolumeSource::Unknown(reason, span) => {
                search.note_of("the kind of a volume", reason, *span);
                continue;
            }
            _ => continue,
        };
        let name = volume.name.as_str().unwrap_or("?");
        let words = match &efs.transit_encryption {
            Field::Known(value, _) if value == "ENABLED" => continue,
            Field::Unknown(reason, span) => {
                search.note_of("transitEncryption", reason, *span);
                continue;
            }
            Field::Absent => "not set",
            Field::Known(..) => "not ENABLED",
        };
        let span = efs.transit_encryption.span().unwrap_or(efs.span);
        return vec![
            Verdict::fail(span, format!("transitEncryption of the EFS volume {name} is {words}"))
                .with_remedy(Remedy::TransitEncryption { volume: name.into() }),
        ];
    }
    vec![search.pass(on.head(), "no EFS volume is without transitEncryption")]
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"task": {"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "?"}}]}}]"#;
    fail: r#"[{"task": {"volumes": ["?...", {"name": "?",
        "efsVolumeConfiguration": {"transitEncryption": "DISABLED"}}]}}]"#;
    pass: r#"[{"task": {"volumes": [{"name": "v", "efsVolumeConfiguration": {"transitEncryption": "ENABLED"}}]}}]"#;
    pass: r#"[{"task": {"volumes": [{"name": "v"}, {"name": "w", "host": {"sourcePath": "/a"}}]}}]"#;
    pass: r#"[{"task": {}}]"#;
    unknown: r#"[{"task": {"volumes": [{"name": "v", "efsVolumeConfiguration": {"transitEncryption": "?"}}]}}]"#;
    unknown: r#"[{"task": {"volumes": [{"name": "v", "efsVolumeConfiguration": "?"}]}}]"#;
    unknown: r#"[{"task": {"volumes": "?"}}]"#;
}
