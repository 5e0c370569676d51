//! ECS capacity providers should have managed termination protection enabled.
//!
//! # What
//! Managed termination protection keeps the Auto Scaling group from ending an instance that runs
//! tasks.
//!
//! # Why
//! Without it, scaling in ends tasks in the middle of their work.
//!
//! # Exact test
//! Fails when `autoScalingGroupProvider.managedTerminationProtection` is not ENABLED; absent means
//! DISABLED. Not applicable to providers of Managed Instances, for which no rule is published.
//!
//! # Impact
//! An instance with a task that never ends is never scaled in. The Auto Scaling group needs
//! protection from scale-in, and managed scaling must be on.
//!
//! # Default value
//! DISABLED.
//!
//! # Fix
//! Set `managedTerminationProtection` to ENABLED, `managedScaling.status` to ENABLED, and
//! `NewInstancesProtectedFromScaleIn` of the Auto Scaling group to true.
//!
//! # Back out
//! Set it to DISABLED again; nothing restarts.
//!
//! # Does not see
//! Whether managed scaling is on, without which the protection does nothing, and the settings of
//! the Auto Scaling group.

use tojimari_model::finding::Remedy;
use tojimari_model::{Field, Severity};

use crate::control::{Control, Standard};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.19",
    slug: "no-termination-protection",
    title: "ECS capacity providers should have managed termination protection enabled",
    severity: Severity::Medium,
    level: 1,
    standards: &[Standard::Fsbp],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let Some(provider) = on.capacity_provider() else { return Vec::new() };
    if !provider.managed_instances.is_absent() && provider.auto_scaling_group.is_absent() {
        return vec![Verdict::not_applicable(on.head(), "the provider runs Managed Instances")];
    }
    let protection = match &provider.auto_scaling_group {
        Field::Known(group, _) => &group.managed_termination_protection,
        Field::Absent => &Field::Absent,
        Field::Unknown(reason, span) => {
            return vec![Verdict::unknown(*span, "autoScalingGroupProvider", reason)];
        }
    };
    let fail = |span, words: &str| {
        Verdict::fail(span, format!("managedTerminationProtection is {words}"))
            .with_remedy(Remedy::TerminationProtection)
    };
    vec![match protection {
        Field::Known(value, span) if value == "ENABLED" => {
            Verdict::pass(*span, "managedTerminationProtection is ENABLED")
        }
        Field::Known(_, span) => fail(*span, "not ENABLED"),
        Field::Absent => fail(on.head(), "not set"),
        Field::Unknown(reason, span) => Verdict::unknown(*span, "managedTerminationProtection", reason),
    }]
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"provider": {"autoScalingGroupProvider": {"autoScalingGroupArn": "?"}}}]"#;
    fail: r#"[{"provider": {"autoScalingGroupProvider": {"managedTerminationProtection": "DISABLED"}}}]"#;
    pass: r#"[{"provider": {"autoScalingGroupProvider": {"managedTerminationProtection": "ENABLED"}}}]"#;
    not_applicable: r#"[{"provider": {"managedInstancesProvider": {}}}]"#;
    unknown: r#"[{"provider": {"autoScalingGroupProvider": {"managedTerminationProtection": "?"}}}]"#;
    unknown: r#"[{"provider": {"autoScalingGroupProvider": "?"}}]"#;
}
