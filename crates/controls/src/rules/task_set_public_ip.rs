//! ECS task sets should not automatically assign public IP addresses.
//!
//! # What
//! `assignPublicIp` in the `awsvpcConfiguration` of a task set gives every task of it a public
//! address.
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
//! A task set cannot be changed: create one with the earlier setting and make it the primary one.
//!
//! # Does not see
//! Security groups, subnets, services (see ECS.2), and task sets that CodeDeploy creates.

use tojimari_model::Severity;

use crate::control::{Control, Standard};
use crate::network::public_address;
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECS.16",
    slug: "task-set-public-ip",
    title: "ECS task sets should not automatically assign public IP addresses",
    severity: Severity::High,
    level: 1,
    standards: &[Standard::Fsbp, Standard::PciDss401(&["1.4.4"]), Standard::CisAwsCompute110("3.14")],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.task_set().map(|set| public_address(on, &set.network)).into_iter().collect()
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"task-set": {"networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "ENABLED"}}}}]"#;
    pass: r#"[{"task-set": {"networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "DISABLED"}}}}]"#;
    pass: r#"[{"task-set": {}}]"#;
    unknown: r#"[{"task-set": {"networkConfiguration": {"awsvpcConfiguration": "?"}}}]"#;
}
