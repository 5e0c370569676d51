//! Remedies written into the object that they are about, in the words of the ECS and ECR APIs: a
//! container, a task definition, a service, a cluster, a repository.

use std::sync::Arc;

use serde_json::json;
use tojimari_model::finding::{Remedy, WantedTag};
use tojimari_text::Node;
use tojimari_text::edit::{Step, meaning};

use super::Error;
use super::ecs::{AFTER_OF_CONTAINER, Writer};
use crate::decide::exec_mount;

impl Writer<'_, '_> {
    /// `subject` is the way to the container or to the whole resource.
    pub(super) fn remedy(&mut self, subject: &[Step], remedy: &Remedy) -> Result<(), Error> {
        match remedy {
            Remedy::ReadOnlyRoot { .. } => {
                self.set(subject, "readonlyRootFilesystem", json!(true), &AFTER_OF_CONTAINER)
            }
            Remedy::NotPrivileged { .. } => self.set(subject, "privileged", json!(false), &AFTER_OF_CONTAINER),
            Remedy::ExecFolder { folder, .. } => self.tmpfs(subject, &exec_mount(folder)),
            Remedy::TmpfsOptions { path, options, .. } => self.tmpfs_options(subject, path, options),
            Remedy::TransitEncryption { volume } => self.transit_encryption(subject, volume),
            Remedy::OwnNetwork => self.set(subject, "networkMode", json!("awsvpc"), &[]),
            Remedy::OwnProcesses => self.take(subject, "pidMode"),
            Remedy::DropCapabilities { capabilities, .. } => self.drop_capabilities(subject, capabilities),
            Remedy::NoNewPrivileges { .. } => {
                self.push(subject, "dockerSecurityOptions", json!("no-new-privileges"), &AFTER_OF_CONTAINER)
            }
            Remedy::LogConfiguration { .. } => self.log_configuration(subject),
            Remedy::ContainerInsights => self.container_insights(subject),
            Remedy::Tags { tags } => self.tags(subject, tags),
            Remedy::TerminationProtection => {
                let group = [subject, &[self.key("autoScalingGroupProvider")]].concat();
                self.set(&group, "managedTerminationProtection", json!("ENABLED"), &["autoScalingGroupArn"])
            }
            Remedy::ScanOnPush => self.scan_on_push(subject),
            Remedy::ImmutableTags => self.set(subject, "imageTagMutability", json!("IMMUTABLE"), &["repositoryName"]),
            Remedy::LatestPlatformVersion => self.set(subject, "platformVersion", json!("LATEST"), &["launchType"]),
            Remedy::NoPublicAddress => {
                let network = ["networkConfiguration", "awsvpcConfiguration"].map(|name| self.key(name));
                self.set(&[subject, &network].concat(), "assignPublicIp", json!("DISABLED"), &["subnets"])
            }
            other @ (Remedy::NonRootUser { .. } | Remedy::Advice(_)) => Err(Error::Remedy(other.sentence())),
        }
    }

    fn tmpfs_options(&mut self, container: &[Step], path: &str, options: &[Arc<str>]) -> Result<(), Error> {
        let linux = [container, &[self.key("linuxParameters")]].concat();
        let tmpfs = self.item(&linux, "tmpfs", "containerPath", path)?;
        for option in options {
            // The last of an option and its opposite holds: both together would say two things.
            while let Some(opposite) = option.strip_prefix("no")
                && let Some(index) = self.in_list(&tmpfs, "mountOptions", opposite)
            {
                let path = [&tmpfs[..], &[self.key("mountOptions"), Step::Index(index)]].concat();
                self.pen.replace(&path, json!(**option))?;
            }
            self.push(&tmpfs, "mountOptions", json!(**option), &["size", "containerPath"])?;
        }
        Ok(())
    }

    fn transit_encryption(&mut self, task: &[Step], volume: &str) -> Result<(), Error> {
        let volume = self.item(task, "volumes", "name", volume)?;
        let efs = [&volume[..], &[self.key("efsVolumeConfiguration")]].concat();
        self.set(&efs, "transitEncryption", json!("ENABLED"), &["rootDirectory", "fileSystemId"])
    }

    fn drop_capabilities(&mut self, container: &[Step], capabilities: &[Arc<str>]) -> Result<(), Error> {
        let linux = [container, &[self.key("linuxParameters")]].concat();
        let of_container = [&linux[..], &[self.key("capabilities")]].concat();
        for capability in capabilities {
            if self.in_list(&of_container, "add", capability).is_some() {
                self.take_item(&of_container, "add", capability)?;
            } else if self.pen.get(&of_container).is_some_and(Node::is_mapping) {
                self.push(&of_container, "drop", json!(**capability), &["add"])?;
            } else if self.pen.get(&linux).is_some_and(Node::is_mapping) {
                self.set(&linux, "capabilities", json!({ "drop": [**capability] }), &[])?;
            } else {
                let value = json!({ "capabilities": { "drop": [**capability] } });
                self.set(container, "linuxParameters", value, &AFTER_OF_CONTAINER)?;
            }
        }
        Ok(())
    }

    /// The log configuration of another container of the same task.
    fn log_configuration(&mut self, container: &[Step]) -> Result<(), Error> {
        let sibling = match container {
            [list @ .., Step::Index(_)] => self.pen.get(list).and_then(|list| {
                let name = self.name("logConfiguration");
                list.items().iter().filter_map(|other| other.get(&name)).find(|log| log.is_mapping()).map(meaning)
            }),
            _ => None,
        };
        let log = sibling.ok_or_else(|| {
            Error::ByHand(
                "no other container of the task says where its output goes: give this one a logConfiguration, such \
                 as awslogs with awslogs-group, awslogs-region and awslogs-stream-prefix"
                    .to_owned(),
            )
        })?;
        let name = self.name("logConfiguration");
        self.pen.set(container, &name, log, &AFTER_OF_CONTAINER.map(|after| self.name(after)).each_ref().map(|s| &**s))
    }

    fn container_insights(&mut self, cluster: &[Step]) -> Result<(), Error> {
        let list = if self.is_template() { "clusterSettings" } else { "settings" };
        if let Ok(setting) = self.item(cluster, list, "name", "containerInsights") {
            return self.set(&setting, "value", json!("enabled"), &["name"]);
        }
        let setting = json!({ "name": "containerInsights", "value": "enabled" });
        self.push(cluster, list, setting, &["clusterName"])
    }

    fn tags(&mut self, resource: &[Step], tags: &[WantedTag]) -> Result<(), Error> {
        // An output of describe-task-definition has them beside the task definition.
        let beside = match resource {
            [around @ .., Step::Key(_)] => {
                self.pen.member(around, "tags").filter(|tags| !tags.items().is_empty()).map(|_| around)
            }
            _ => None,
        };
        let resource = beside.unwrap_or(resource);
        for tag in tags {
            let value = tag.value.as_ref().ok_or_else(|| {
                Error::ByHand(format!("the value of the tag {} is yours to choose: --tag {}=VALUE", tag.key, tag.key))
            })?;
            let after = ["family", "serviceName", "clusterName", "repositoryName"];
            self.push(resource, "tags", json!({ "key": *tag.key, "value": **value }), &after)?;
        }
        Ok(())
    }

    fn scan_on_push(&mut self, repository: &[Step]) -> Result<(), Error> {
        let scanning = [repository, &[self.key("imageScanningConfiguration")]].concat();
        if self.pen.get(&scanning).is_some_and(Node::is_mapping) {
            return self.set(&scanning, "scanOnPush", json!(true), &[]);
        }
        self.set(repository, "imageScanningConfiguration", json!({ "scanOnPush": true }), &["repositoryName"])
    }

    /// Takes a member out.
    fn take(&mut self, path: &[Step], name: &str) -> Result<(), Error> {
        self.pen.remove(&[path, &[self.key(name)]].concat())
    }

    /// Takes a word out of a list, and the list with its last one.
    fn take_item(&mut self, path: &[Step], list: &str, word: &str) -> Result<(), Error> {
        let index = self.in_list(path, list, word).ok_or(Error::NoSuchPlace)?;
        if self.member(path, list).map_or(0, |list| list.items().len()) > 1 {
            return self.pen.remove(&[path, &[self.key(list), Step::Index(index)]].concat());
        }
        if self.pen.get(path).map_or(0, |object| object.entries().len()) > 1 {
            return self.take(path, list);
        }
        let (_, parent) = path.split_last().ok_or(Error::NoSuchPlace)?;
        if self.pen.get(parent).map_or(0, |object| object.entries().len()) > 1 {
            return self.pen.remove(path);
        }
        self.pen.remove(parent)
    }

    fn in_list(&self, path: &[Step], list: &str, word: &str) -> Option<usize> {
        let is = |item: &Node| item.as_str().is_some_and(|text| text.eq_ignore_ascii_case(word));
        self.member(path, list)?.items().iter().position(is)
    }

    /// The way to the item of a list whose member has that value.
    fn item(&self, path: &[Step], list: &str, member: &str, value: &str) -> Result<Vec<Step>, Error> {
        let items = self.member(path, list).map(Node::items).unwrap_or_default();
        let member = self.name(member);
        let index = items
            .iter()
            .position(|item| item.get(&member).and_then(Node::as_str) == Some(value))
            .ok_or(Error::NoSuchPlace)?;
        Ok([path, &[self.key(list), Step::Index(index)]].concat())
    }
}
