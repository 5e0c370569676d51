//! What the resources of Terraform's AWS providers are in the words of the ECS, ECR, EventBridge and
//! CloudWatch Logs APIs: which argument or block becomes which member, and in which form.
//! Source: the schemas of the providers `aws` (6.x) and `awscc`.
//!
//! Long because it is one table of the attributes of each resource.

use std::collections::HashMap;
use std::sync::LazyLock;

use tojimari_model::declared::{Cluster, Member, Repository, Service, TaskDefinition};

/// What a resource is declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    TaskDefinition,
    Service,
    TaskSet,
    Cluster,
    ClusterCapacityProviders,
    CapacityProvider,
    Repository,
    PublicRepository,
    RepositoryPolicy,
    PublicRepositoryPolicy,
    LifecyclePolicy,
    RegistryScanning,
    EventRule,
    MetricFilter,
}

pub struct Schema {
    pub of: &'static str,
    pub kind: Kind,
    pub fields: &'static [Field],
}

/// An argument or nested block, and the member that it becomes.
pub struct Field {
    pub from: &'static str,
    pub to: &'static str,
    pub form: Form,
}

pub enum Form {
    /// As it is. The provider takes an empty string for none.
    Plain,
    /// The name or ARN of something else.
    Reference,
    /// A truth that the API writes as ENABLED or DISABLED.
    Toggle,
    /// Container definitions as JSON.
    Containers,
    /// A policy or pattern as JSON.
    Document,
    /// A map of names and values that the API takes as a list of `key` and `value`.
    Tags,
    /// The same of `name` and `value`.
    Pairs,
    /// A block that is there once.
    One(&'static [Field]),
    Many(&'static [Field]),
    /// A block that is there once, and the object that it is within another.
    Within(&'static str, &'static [Field]),
    /// Names as in the API but for their spelling: `container_port`.
    Spelled,
}

const fn plain(from: &'static str, to: &'static str) -> Field {
    Field { from, to, form: Form::Plain }
}

const fn field(from: &'static str, to: &'static str, form: Form) -> Field {
    Field { from, to, form }
}

const TAGS: Field = field("tags", "tags", Form::Tags);

const STRATEGY: Form = Form::Many(&[
    field("capacity_provider", "capacityProvider", Form::Reference),
    plain("weight", "weight"),
    plain("base", "base"),
]);

const NETWORK: Field = field(
    "network_configuration",
    "networkConfiguration",
    Form::Within(
        "awsvpcConfiguration",
        &[
            plain("subnets", "subnets"),
            plain("security_groups", "securityGroups"),
            field("assign_public_ip", "assignPublicIp", Form::Toggle),
        ],
    ),
);

const VOLUME: &[Field] = &[
    plain("name", "name"),
    plain("configure_at_launch", "configuredAtLaunch"),
    field("host_path", "host", Form::Within("sourcePath", &[])),
    field(
        "docker_volume_configuration",
        "dockerVolumeConfiguration",
        Form::One(&[
            plain("scope", "scope"),
            plain("autoprovision", "autoprovision"),
            plain("driver", "driver"),
            plain("driver_opts", "driverOpts"),
            plain("labels", "labels"),
        ]),
    ),
    field(
        "efs_volume_configuration",
        "efsVolumeConfiguration",
        Form::One(&[
            plain("file_system_id", "fileSystemId"),
            plain("root_directory", "rootDirectory"),
            plain("transit_encryption", "transitEncryption"),
            plain("transit_encryption_port", "transitEncryptionPort"),
            field(
                "authorization_config",
                "authorizationConfig",
                Form::One(&[plain("access_point_id", "accessPointId"), plain("iam", "iam")]),
            ),
        ]),
    ),
    field(
        "fsx_windows_file_server_volume_configuration",
        "fsxWindowsFileServerVolumeConfiguration",
        Form::One(&[
            plain("file_system_id", "fileSystemId"),
            plain("root_directory", "rootDirectory"),
            field(
                "authorization_config",
                "authorizationConfig",
                Form::One(&[plain("credentials_parameter", "credentialsParameter"), plain("domain", "domain")]),
            ),
        ]),
    ),
    field(
        "s3files_volume_configuration",
        "s3filesVolumeConfiguration",
        Form::One(&[
            plain("file_system_arn", "fileSystemArn"),
            plain("root_directory", "rootDirectory"),
            plain("transit_encryption_port", "transitEncryptionPort"),
            plain("access_point_arn", "accessPointArn"),
        ]),
    ),
];

const CONFIGURATION: &[Field] = &[
    field(
        "execute_command_configuration",
        "executeCommandConfiguration",
        Form::One(&[
            plain("kms_key_id", "kmsKeyId"),
            plain("logging", "logging"),
            field(
                "log_configuration",
                "logConfiguration",
                Form::One(&[
                    plain("cloud_watch_log_group_name", "cloudWatchLogGroupName"),
                    plain("cloud_watch_encryption_enabled", "cloudWatchEncryptionEnabled"),
                    plain("s3_bucket_name", "s3BucketName"),
                    plain("s3_bucket_encryption_enabled", "s3EncryptionEnabled"),
                    plain("s3_key_prefix", "s3KeyPrefix"),
                ]),
            ),
        ]),
    ),
    field(
        "managed_storage_configuration",
        "managedStorageConfiguration",
        Form::One(&[
            plain("kms_key_id", "kmsKeyId"),
            plain("fargate_ephemeral_storage_kms_key_id", "fargateEphemeralStorageKmsKeyId"),
        ]),
    ),
];

pub const ALL: &[Schema] = &[
    Schema {
        of: "aws_ecs_task_definition",
        kind: Kind::TaskDefinition,
        fields: &[
            plain("family", "family"),
            field("container_definitions", "containerDefinitions", Form::Containers),
            plain("task_role_arn", "taskRoleArn"),
            plain("execution_role_arn", "executionRoleArn"),
            plain("network_mode", "networkMode"),
            plain("pid_mode", "pidMode"),
            plain("ipc_mode", "ipcMode"),
            plain("cpu", "cpu"),
            plain("memory", "memory"),
            plain("requires_compatibilities", "requiresCompatibilities"),
            plain("enable_fault_injection", "enableFaultInjection"),
            field(
                "runtime_platform",
                "runtimePlatform",
                Form::One(&[
                    plain("operating_system_family", "operatingSystemFamily"),
                    plain("cpu_architecture", "cpuArchitecture"),
                ]),
            ),
            field("volume", "volumes", Form::Many(VOLUME)),
            field("ephemeral_storage", "ephemeralStorage", Form::One(&[plain("size_in_gib", "sizeInGiB")])),
            field(
                "proxy_configuration",
                "proxyConfiguration",
                Form::One(&[
                    plain("type", "type"),
                    plain("container_name", "containerName"),
                    field("properties", "properties", Form::Pairs),
                ]),
            ),
            field(
                "placement_constraints",
                "placementConstraints",
                Form::Many(&[plain("type", "type"), plain("expression", "expression")]),
            ),
            field(
                "inference_accelerator",
                "inferenceAccelerators",
                Form::Many(&[plain("device_name", "deviceName"), plain("device_type", "deviceType")]),
            ),
            TAGS,
        ],
    },
    Schema {
        of: "aws_ecs_service",
        kind: Kind::Service,
        fields: &[
            plain("name", "serviceName"),
            field("cluster", "cluster", Form::Reference),
            field("task_definition", "taskDefinition", Form::Reference),
            plain("launch_type", "launchType"),
            field("capacity_provider_strategy", "capacityProviderStrategy", STRATEGY),
            plain("platform_version", "platformVersion"),
            plain("desired_count", "desiredCount"),
            plain("scheduling_strategy", "schedulingStrategy"),
            plain("enable_execute_command", "enableExecuteCommand"),
            field("deployment_controller", "deploymentController", Form::One(&[plain("type", "type")])),
            NETWORK,
            field("volume_configuration", "volumeConfigurations", Form::Many(&[plain("name", "name")])),
            TAGS,
        ],
    },
    Schema {
        of: "aws_ecs_task_set",
        kind: Kind::TaskSet,
        fields: &[
            field("service", "service", Form::Reference),
            field("cluster", "cluster", Form::Reference),
            field("task_definition", "taskDefinition", Form::Reference),
            plain("launch_type", "launchType"),
            field("capacity_provider_strategy", "capacityProviderStrategy", STRATEGY),
            plain("platform_version", "platformVersion"),
            NETWORK,
            TAGS,
        ],
    },
    Schema {
        of: "aws_ecs_cluster",
        kind: Kind::Cluster,
        fields: &[
            plain("name", "clusterName"),
            field("setting", "settings", Form::Many(&[plain("name", "name"), plain("value", "value")])),
            field("configuration", "configuration", Form::One(CONFIGURATION)),
            // Arguments of the cluster itself before version 5 of the provider.
            plain("capacity_providers", "capacityProviders"),
            field("default_capacity_provider_strategy", "defaultCapacityProviderStrategy", STRATEGY),
            TAGS,
        ],
    },
    Schema {
        of: "aws_ecs_cluster_capacity_providers",
        kind: Kind::ClusterCapacityProviders,
        fields: &[
            field("cluster_name", "cluster", Form::Reference),
            plain("capacity_providers", "capacityProviders"),
            field("default_capacity_provider_strategy", "defaultCapacityProviderStrategy", STRATEGY),
        ],
    },
    Schema {
        of: "aws_ecs_capacity_provider",
        kind: Kind::CapacityProvider,
        fields: &[
            plain("name", "name"),
            field(
                "auto_scaling_group_provider",
                "autoScalingGroupProvider",
                Form::One(&[
                    plain("auto_scaling_group_arn", "autoScalingGroupArn"),
                    plain("managed_termination_protection", "managedTerminationProtection"),
                    plain("managed_draining", "managedDraining"),
                    field("managed_scaling", "managedScaling", Form::One(&[plain("status", "status")])),
                ]),
            ),
            field("managed_instances_provider", "managedInstancesProvider", Form::One(&[])),
            TAGS,
        ],
    },
    Schema {
        of: "aws_ecr_repository",
        kind: Kind::Repository,
        fields: &[
            plain("name", "repositoryName"),
            plain("image_tag_mutability", "imageTagMutability"),
            field(
                "image_scanning_configuration",
                "imageScanningConfiguration",
                Form::One(&[plain("scan_on_push", "scanOnPush")]),
            ),
            field(
                "encryption_configuration",
                "encryptionConfiguration",
                Form::One(&[plain("encryption_type", "encryptionType"), plain("kms_key", "kmsKey")]),
            ),
            TAGS,
        ],
    },
    Schema {
        of: "aws_ecrpublic_repository",
        kind: Kind::PublicRepository,
        fields: &[plain("repository_name", "repositoryName"), TAGS],
    },
    Schema {
        of: "aws_ecr_repository_policy",
        kind: Kind::RepositoryPolicy,
        fields: &[
            field("repository", "repositoryName", Form::Reference),
            field("policy", "policyText", Form::Document),
        ],
    },
    Schema {
        of: "aws_ecrpublic_repository_policy",
        kind: Kind::PublicRepositoryPolicy,
        fields: &[
            field("repository_name", "repositoryName", Form::Reference),
            field("policy", "policyText", Form::Document),
        ],
    },
    Schema {
        of: "aws_ecr_lifecycle_policy",
        kind: Kind::LifecyclePolicy,
        fields: &[
            field("repository", "repositoryName", Form::Reference),
            field("policy", "lifecyclePolicyText", Form::Document),
        ],
    },
    Schema {
        of: "aws_ecr_registry_scanning_configuration",
        kind: Kind::RegistryScanning,
        fields: &[
            plain("scan_type", "scanType"),
            field(
                "rule",
                "rules",
                Form::Many(&[
                    plain("scan_frequency", "scanFrequency"),
                    field(
                        "repository_filter",
                        "repositoryFilters",
                        Form::Many(&[plain("filter", "filter"), plain("filter_type", "filterType")]),
                    ),
                ]),
            ),
        ],
    },
    Schema {
        of: "aws_cloudwatch_event_rule",
        kind: Kind::EventRule,
        fields: &[
            plain("name", "name"),
            field("event_pattern", "eventPattern", Form::Document),
            plain("state", "state"),
            // The older spelling of `state`.
            field("is_enabled", "state", Form::Toggle),
        ],
    },
    Schema {
        of: "aws_cloudwatch_log_metric_filter",
        kind: Kind::MetricFilter,
        fields: &[
            plain("name", "filterName"),
            plain("pattern", "filterPattern"),
            field("log_group_name", "logGroupName", Form::Reference),
        ],
    },
    // The provider that is generated from CloudFormation's resources.
    Schema {
        of: "awscc_ecs_task_definition",
        kind: Kind::TaskDefinition,
        fields: &[
            plain("family", "family"),
            field("container_definitions", "containerDefinitions", Form::Spelled),
            plain("task_role_arn", "taskRoleArn"),
            plain("execution_role_arn", "executionRoleArn"),
            plain("network_mode", "networkMode"),
            plain("pid_mode", "pidMode"),
            plain("ipc_mode", "ipcMode"),
            plain("cpu", "cpu"),
            plain("memory", "memory"),
            plain("requires_compatibilities", "requiresCompatibilities"),
            plain("enable_fault_injection", "enableFaultInjection"),
            field("runtime_platform", "runtimePlatform", Form::Spelled),
            field("volumes", "volumes", Form::Spelled),
            field("ephemeral_storage", "ephemeralStorage", Form::Spelled),
            field("proxy_configuration", "proxyConfiguration", Form::Spelled),
            field("placement_constraints", "placementConstraints", Form::Spelled),
            field("trusted_execution_configuration", "trustedExecutionConfiguration", Form::Spelled),
            field("tags", "tags", Form::Spelled),
        ],
    },
    Schema {
        of: "awscc_ecs_service",
        kind: Kind::Service,
        fields: &[
            plain("service_name", "serviceName"),
            field("cluster", "cluster", Form::Reference),
            field("task_definition", "taskDefinition", Form::Reference),
            plain("launch_type", "launchType"),
            field("capacity_provider_strategy", "capacityProviderStrategy", Form::Spelled),
            plain("platform_version", "platformVersion"),
            plain("desired_count", "desiredCount"),
            plain("scheduling_strategy", "schedulingStrategy"),
            plain("enable_execute_command", "enableExecuteCommand"),
            field("deployment_controller", "deploymentController", Form::Spelled),
            field("network_configuration", "networkConfiguration", Form::Spelled),
            field("volume_configurations", "volumeConfigurations", Form::Spelled),
            field("tags", "tags", Form::Spelled),
        ],
    },
    Schema {
        of: "awscc_ecs_cluster",
        kind: Kind::Cluster,
        fields: &[
            plain("cluster_name", "clusterName"),
            field("cluster_settings", "settings", Form::Spelled),
            field("configuration", "configuration", Form::Spelled),
            plain("capacity_providers", "capacityProviders"),
            field("default_capacity_provider_strategy", "defaultCapacityProviderStrategy", Form::Spelled),
            field("tags", "tags", Form::Spelled),
        ],
    },
    Schema {
        of: "awscc_ecr_repository",
        kind: Kind::Repository,
        fields: &[
            plain("repository_name", "repositoryName"),
            plain("image_tag_mutability", "imageTagMutability"),
            field("image_scanning_configuration", "imageScanningConfiguration", Form::Spelled),
            field("encryption_configuration", "encryptionConfiguration", Form::Spelled),
            field("repository_policy_text", "policyText", Form::Document),
            field("lifecycle_policy", "lifecyclePolicyText", Form::Within("lifecycle_policy_text", &[])),
            field("tags", "tags", Form::Spelled),
        ],
    },
];

/// The schema of a type of resource.
pub fn of(resource: &str) -> Option<&'static Schema> {
    if !resource.starts_with("aws_ec") && !resource.starts_with("aws_cl") && !resource.starts_with("awscc_ec") {
        return None;
    }
    ALL.iter().find(|schema| schema.of == resource)
}

/// A name of the ECS and ECR APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiName {
    /// As it is spelled there.
    pub name: &'static str,
    /// The names below it are the user's own.
    pub is_own: bool,
}

/// The name as the API spells it: the provider, being written in Go, takes `ReadOnlyRootFilesystem`
/// for `readonlyRootFilesystem`. `snake`: underscores count for nothing.
pub fn spelled(name: &str, snake: bool) -> Option<ApiName> {
    static BY_LETTERS: LazyLock<HashMap<String, ApiName>> = LazyLock::new(|| {
        let readers = [TaskDefinition::members(), Service::members(), Cluster::members(), Repository::members()];
        let mut names = HashMap::new();
        let mut todo: Vec<&Member> = readers.into_iter().flatten().collect();
        while let Some(member) = todo.pop() {
            todo.extend(&member.members);
            let known = names.entry(member.name.to_ascii_lowercase());
            known.or_insert(ApiName { name: member.name, is_own: false }).is_own |= member.is_own;
        }
        names
    });
    let mut letters = name.to_ascii_lowercase();
    if snake {
        letters.retain(|c| c != '_');
    }
    BY_LETTERS.get(&letters).copied()
}
