//! Services, task sets and capacity providers, read by the names of CreateService, CreateTaskSet and
//! CreateCapacityProvider. Source: the ECS API model of 2014-11-13 as of November 2026.

use std::cell::RefCell;

use tojimari_text::{Problem, Span};

use super::field::{Field, Fields, List, Met};
use super::reference::Reference;
use super::tag::{Tag, tags};
use crate::value::Value;

#[derive(Clone, Debug)]
pub struct Service {
    pub span: Span,
    pub service_name: Field<String>,
    pub cluster: Reference,
    pub task_definition: Reference,
    /// EC2, FARGATE, EXTERNAL or MANAGED_INSTANCES.
    pub launch_type: Field<String>,
    pub capacity_provider_strategy: List<CapacityProviderStrategy>,
    pub platform_version: Field<String>,
    pub desired_count: Field<i64>,
    /// REPLICA or DAEMON.
    pub scheduling_strategy: Field<String>,
    /// ECS, CODE_DEPLOY or EXTERNAL: with the last, task sets say how tasks run.
    pub deployment_controller: Field<String>,
    pub network: Field<AwsVpcConfiguration>,
    pub enable_execute_command: Field<bool>,
    pub volume_configurations: List<Field<String>>,
    pub tags: List<Tag>,
}

#[derive(Clone, Debug)]
pub struct TaskSet {
    pub span: Span,
    pub service: Reference,
    pub cluster: Reference,
    pub task_definition: Reference,
    pub launch_type: Field<String>,
    pub capacity_provider_strategy: List<CapacityProviderStrategy>,
    pub platform_version: Field<String>,
    pub network: Field<AwsVpcConfiguration>,
    pub tags: List<Tag>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CapacityProviderStrategy {
    /// FARGATE, FARGATE_SPOT, or a capacity provider of one's own.
    pub capacity_provider: Reference,
    pub weight: Field<i64>,
    pub base: Field<i64>,
}

/// `networkConfiguration.awsvpcConfiguration`.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsVpcConfiguration {
    pub subnets: List<Field<String>>,
    pub security_groups: List<Field<String>>,
    /// ENABLED or DISABLED; absent means DISABLED.
    pub assign_public_ip: Field<String>,
}

#[derive(Clone, Debug)]
pub struct CapacityProvider {
    pub span: Span,
    pub name: Field<String>,
    pub auto_scaling_group: Field<AutoScalingGroupProvider>,
    /// Present when the provider runs Managed Instances.
    pub managed_instances: Field<()>,
    pub tags: List<Tag>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AutoScalingGroupProvider {
    /// `managedScaling.status`: ENABLED or DISABLED.
    pub managed_scaling: Field<String>,
    /// ENABLED or DISABLED; absent means DISABLED.
    pub managed_termination_protection: Field<String>,
    /// ENABLED or DISABLED.
    pub managed_draining: Field<String>,
}

impl Service {
    /// Reads the input form of CreateService.
    pub fn read(value: &Value) -> (Service, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let service = Fields::read(value, &met, Service::from_fields);
        (service, met.into_inner().problems)
    }

    pub(super) fn from_fields(f: &Fields<'_>) -> Service {
        f.know(&["gatewayConnectors"]);
        Service {
            span: f.span(),
            service_name: f.string("serviceName"),
            cluster: f.reference("cluster"),
            task_definition: f.reference("taskDefinition"),
            launch_type: f.string("launchType"),
            capacity_provider_strategy: strategy(f),
            platform_version: f.string("platformVersion"),
            desired_count: f.integer("desiredCount"),
            scheduling_strategy: f.string("schedulingStrategy"),
            deployment_controller: f.object("deploymentController", |f| f.string("type")).flatten(),
            network: network(f),
            enable_execute_command: f.bool("enableExecuteCommand"),
            volume_configurations: f.objects("volumeConfigurations", |f| f.string("name")),
            tags: tags(f),
        }
    }
}

impl TaskSet {
    /// Reads the input form of CreateTaskSet.
    pub fn read(value: &Value) -> (TaskSet, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let set = Fields::read(value, &met, |f| TaskSet {
            span: f.span(),
            service: f.reference("service"),
            cluster: f.reference("cluster"),
            task_definition: f.reference("taskDefinition"),
            launch_type: f.string("launchType"),
            capacity_provider_strategy: strategy(f),
            platform_version: f.string("platformVersion"),
            network: network(f),
            tags: tags(f),
        });
        (set, met.into_inner().problems)
    }
}

impl CapacityProvider {
    /// Reads the input form of CreateCapacityProvider.
    pub fn read(value: &Value) -> (CapacityProvider, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let provider = Fields::read(value, &met, |f| CapacityProvider {
            span: f.span(),
            name: f.string("name"),
            auto_scaling_group: f.object("autoScalingGroupProvider", |f| AutoScalingGroupProvider {
                managed_scaling: f.object("managedScaling", |f| f.string("status")).flatten(),
                managed_termination_protection: f.string("managedTerminationProtection"),
                managed_draining: f.string("managedDraining"),
            }),
            managed_instances: f.object("managedInstancesProvider", |_| ()),
            tags: tags(f),
        });
        (provider, met.into_inner().problems)
    }
}

pub(super) fn strategy(f: &Fields<'_>) -> List<CapacityProviderStrategy> {
    strategy_named(f, "capacityProviderStrategy")
}

pub(super) fn strategy_named(f: &Fields<'_>, name: &'static str) -> List<CapacityProviderStrategy> {
    f.objects(name, |f| CapacityProviderStrategy {
        capacity_provider: f.reference("capacityProvider"),
        weight: f.integer("weight"),
        base: f.integer("base"),
    })
}

fn network(f: &Fields<'_>) -> Field<AwsVpcConfiguration> {
    f.object("networkConfiguration", |f| {
        f.object("awsvpcConfiguration", |f| AwsVpcConfiguration {
            subnets: f.strings("subnets"),
            security_groups: f.strings("securityGroups"),
            assign_public_ip: f.string("assignPublicIp"),
        })
    })
    .flatten()
}
