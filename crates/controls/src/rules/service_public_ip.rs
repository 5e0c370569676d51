//! ECS services should not have public IP addresses assigned to them automatically.
//!
//! # What
//! `assignPublicIp` in the `awsvpcConfiguration` of a service gives every task a public address.
//!
//! # Why
//! A task with a public address can be reached from the internet as far as its security groups let
//! it.
//!
//! # Exact test
//! Fails when `networkConfiguration.awsvpcConfiguration.assignPublicIp` is ENABLED. DISABLED and
//! absent pass.
//!
//! # Impact
//! Tasks in a public subnet without a NAT gateway or VPC endpoints lose the way to their registry,
//! to CloudWatch Logs and to Secrets Manager, and no longer start.
//!
//! # Default value
//! `assignPublicIp` is DISABLED.
//!
//! # Fix
//! Set `assignPublicIp` to DISABLED. Run the tasks in private subnets behind a load balancer, with
//! a NAT gateway or VPC endpoints for ECR, S3, CloudWatch Logs and Secrets Manager.
//!
//! # Back out
//! Update the service with `assignPublicIp` ENABLED again; that starts a new deployment.
//!
//! # Does not see
//! Security groups, subnets, tasks started by RunTask, task sets (see ECS.16), and load balancers
//! that face the internet.

use tojimari_model::Severity;

use crate::control::{Control, Standard};
use crate::network::public_address;
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.2",
    slug: "service-public-ip",
    title: "ECS services should not have public IP addresses assigned to them automatically",
    severity: Severity::High,
    level: 1,
    standards: &[
        Standard::Fsbp,
        Standard::Nist80053(&[
            "AC-21", "AC-3", "AC-3(7)", "AC-4", "AC-4(21)", "AC-6", "SC-7", "SC-7(11)", "SC-7(16)", "SC-7(20)",
            "SC-7(21)", "SC-7(3)", "SC-7(4)", "SC-7(9)",
        ]),
        Standard::PciDss401(&["1.4.4"]),
        Standard::CisAwsCompute110("3.2"),
    ],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.service().map(|service| public_address(on, &service.network)).into_iter().collect()
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"service": {"networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "ENABLED",
        "subnets": "?"}}}}]"#;
    pass: r#"[{"service": {"networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "DISABLED"}}}}]"#;
    pass: r#"[{"service": {"networkConfiguration": {"awsvpcConfiguration": {}}}}]"#;
    pass: r#"[{"service": {}}]"#;
    unknown: r#"[{"service": {"networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "?"}}}}]"#;
    unknown: r#"[{"service": {"networkConfiguration": "?"}}]"#;
}
