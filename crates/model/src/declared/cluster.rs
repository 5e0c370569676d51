//! Clusters and what is attached to them, read by the names of CreateCluster and
//! PutClusterCapacityProviders. Source: the ECS API model of 2014-11-13 as of November 2026.

use std::cell::RefCell;

use tojimari_text::{Problem, Span};

use super::field::{Field, Fields, List, Met};
use super::reference::Reference;
use super::service::{CapacityProviderStrategy, strategy_named};
use super::tag::{Tag, tags};
use crate::value::Value;

#[derive(Clone, Debug)]
pub struct Cluster {
    pub span: Span,
    pub cluster_name: Field<String>,
    pub settings: List<Setting>,
    /// `configuration.executeCommandConfiguration`.
    pub execute_command: Field<ExecuteCommand>,
    /// `configuration.managedStorageConfiguration`.
    pub managed_storage: Field<ManagedStorage>,
    pub capacity_providers: List<Field<String>>,
    pub default_capacity_provider_strategy: List<CapacityProviderStrategy>,
    pub tags: List<Tag>,
}

/// `containerInsights` with `enabled`, `enhanced` or `disabled`.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub span: Span,
    pub name: Field<String>,
    pub value: Field<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExecuteCommand {
    pub span: Span,
    pub kms_key_id: Field<String>,
    /// NONE, DEFAULT or OVERRIDE; absent means DEFAULT.
    pub logging: Field<String>,
    pub log_configuration: Field<ExecuteCommandLog>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExecuteCommandLog {
    pub span: Span,
    pub cloud_watch_log_group_name: Field<String>,
    /// Absent means false.
    pub cloud_watch_encryption_enabled: Field<bool>,
    pub s3_bucket_name: Field<String>,
    /// Absent means false.
    pub s3_encryption_enabled: Field<bool>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ManagedStorage {
    pub kms_key_id: Field<String>,
    pub fargate_ephemeral_storage_kms_key_id: Field<String>,
}

/// Capacity providers that are given to a cluster in a resource of its own.
#[derive(Clone, Debug)]
pub struct ClusterCapacityProviders {
    pub span: Span,
    pub cluster: Reference,
    pub capacity_providers: List<Field<String>>,
    pub default_capacity_provider_strategy: List<CapacityProviderStrategy>,
}

impl Cluster {
    /// Reads the input form of CreateCluster.
    pub fn read(value: &Value) -> (Cluster, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let cluster = Fields::read(value, &met, Cluster::from_fields);
        (cluster, met.into_inner().problems)
    }

    pub(super) fn from_fields(f: &Fields<'_>) -> Cluster {
        let configuration = f.object("configuration", |f| {
            let execute_command = f.object("executeCommandConfiguration", |f| ExecuteCommand {
                span: f.span(),
                kms_key_id: f.string("kmsKeyId"),
                logging: f.string("logging"),
                log_configuration: f.object("logConfiguration", |f| {
                    f.know(&["s3KeyPrefix"]);
                    ExecuteCommandLog {
                        span: f.span(),
                        cloud_watch_log_group_name: f.string("cloudWatchLogGroupName"),
                        cloud_watch_encryption_enabled: f.bool("cloudWatchEncryptionEnabled"),
                        s3_bucket_name: f.string("s3BucketName"),
                        s3_encryption_enabled: f.bool("s3EncryptionEnabled"),
                    }
                }),
            });
            let managed_storage = f.object("managedStorageConfiguration", |f| ManagedStorage {
                kms_key_id: f.string("kmsKeyId"),
                fargate_ephemeral_storage_kms_key_id: f.string("fargateEphemeralStorageKmsKeyId"),
            });
            (execute_command, managed_storage)
        });
        let (execute_command, managed_storage) = configuration.unzip();
        Cluster {
            span: f.span(),
            cluster_name: f.string("clusterName"),
            settings: f.objects("settings", |f| Setting {
                span: f.span(),
                name: f.string("name"),
                value: f.string("value"),
            }),
            execute_command: execute_command.flatten(),
            managed_storage: managed_storage.flatten(),
            capacity_providers: f.strings("capacityProviders"),
            default_capacity_provider_strategy: strategy_named(f, "defaultCapacityProviderStrategy"),
            tags: tags(f),
        }
    }
}

impl ClusterCapacityProviders {
    /// Reads the input form of PutClusterCapacityProviders.
    pub fn read(value: &Value) -> (ClusterCapacityProviders, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let providers = Fields::read(value, &met, |f| ClusterCapacityProviders {
            span: f.span(),
            cluster: f.reference("cluster"),
            capacity_providers: f.strings("capacityProviders"),
            default_capacity_provider_strategy: strategy_named(f, "defaultCapacityProviderStrategy"),
        });
        (providers, met.into_inner().problems)
    }
}
