//! Remedies written into the object that they are about: a container, or a task definition.

use serde_json::json;
use tojimari_model::finding::Remedy;
use tojimari_text::Node;
use tojimari_text::edit::Step;

use super::Error;
use super::ecs::{AFTER_OF_CONTAINER, Writer};

impl Writer<'_> {
    /// `subject` is the way to the container or to the whole resource.
    pub(super) fn remedy(&mut self, subject: &[Step], remedy: &Remedy) -> Result<(), Error> {
        match remedy {
            Remedy::ReadOnlyRoot { .. } => {
                self.set(subject, "readonlyRootFilesystem", json!(true), &AFTER_OF_CONTAINER)
            }
            Remedy::NotPrivileged { .. } => self.set(subject, "privileged", json!(false), &AFTER_OF_CONTAINER),
            Remedy::TmpfsOptions { path, options, .. } => self.tmpfs_options(subject, path, options),
            Remedy::TransitEncryption { volume } => self.transit_encryption(subject, volume),
            other => Err(Error::Remedy(other.sentence())),
        }
    }

    fn tmpfs_options(&mut self, container: &[Step], path: &str, options: &[std::sync::Arc<str>]) -> Result<(), Error> {
        let linux = [container, &[self.key("linuxParameters")]].concat();
        let tmpfs = self.item(&linux, "tmpfs", "containerPath", path)?;
        for option in options {
            self.push(&tmpfs, "mountOptions", json!(**option), &["size", "containerPath"])?;
        }
        Ok(())
    }

    fn transit_encryption(&mut self, task: &[Step], volume: &str) -> Result<(), Error> {
        let volume = self.item(task, "volumes", "name", volume)?;
        let efs = [&volume[..], &[self.key("efsVolumeConfiguration")]].concat();
        self.set(&efs, "transitEncryption", json!("ENABLED"), &["rootDirectory", "fileSystemId"])
    }

    /// The way to the item of a list whose member has that value.
    fn item(&self, path: &[Step], list: &str, member: &str, value: &str) -> Result<Vec<Step>, Error> {
        let items = self.member(path, list).map(Node::items).unwrap_or_default();
        let Step::Key(member) = self.key(member) else { return Err(Error::NoSuchPlace) };
        let index = items
            .iter()
            .position(|item| item.get(&member).and_then(Node::as_str) == Some(value))
            .ok_or(Error::NoSuchPlace)?;
        Ok([path, &[self.key(list), Step::Index(index)]].concat())
    }
}
