//! Plans and remedies written into a manifest of AWS Copilot: under `storage` what it has a word
//! for, under `taskdef_overrides` what it has none for.
//! Source: Copilot's documentation of manifests and of task definition overrides, version 1.34.

use serde_json::{Value as Json, json};
use tojimari_model::finding::Remedy;
use tojimari_text::edit::{Document, Step};
use tojimari_text::{Node, Span};

use super::job::{Job, Pen, path_of};
use super::{Change, Error};
use crate::decide::exec_mount;
use tojimari_evidence::plan::{ContainerPlan, Seed, WritableBy, WritableMount};

/// Entries after which new ones go, the first that is there.
const AFTER: [&str; 6] = ["platform", "memory", "cpu", "image", "type", "name"];

/// What a change comes to in a document.
pub(super) fn jobs<'a>(document: &dyn Document, change: &Change<'a>) -> Result<Vec<Job<'a>>, Error> {
    match change {
        Change::Remedy { subject, remedy, .. } => {
            let remedy = *remedy;
            let root = root_of(document, *subject)?;
            let way = root.clone();
            Ok(vec![Job::new(&way, move |pen| Manifest { pen, root: &root }.remedy(remedy))])
        }
        Change::Plan { located, plan } => {
            let plan = *plan;
            let root = root_of(document, located.task)?;
            let mut jobs: Vec<Job<'a>> = Vec::new();
            for planned in &plan.containers {
                let found = located.containers.iter().find(|(name, _)| *name == planned.name);
                let (_, span) = found.ok_or_else(|| Error::NoSuchContainer(planned.name.clone()))?;
                if *span != located.task {
                    let nothing = !planned.readonly_root && planned.writable.is_empty();
                    if nothing {
                        continue;
                    }
                    return Err(beside(&planned.name));
                }
                let way = root.clone();
                jobs.push(Job::new(&root, move |pen| Manifest { pen, root: &way }.harden(planned)));
            }
            Ok(jobs)
        }
    }
}

/// Whatever container of the manifest it is about: the main one is the manifest itself.
fn root_of(document: &dyn Document, span: Span) -> Result<Vec<Step>, Error> {
    let way = path_of(document, span)?;
    match &way[..] {
        [document @ Step::Index(_)] => Ok(vec![document.clone()]),
        [_, Step::Key(sidecars), Step::Key(name), ..] if sidecars == "sidecars" => Err(beside(name)),
        _ => Err(Error::ByHand("only the main container of a manifest is edited".to_owned())),
    }
}

fn beside(container: &str) -> Error {
    Error::ByHand(format!(
        "Copilot's manifest has no read-only root for the sidecar {container}; add under taskdef_overrides:\n  \
         - path: ContainerDefinitions[N].ReadonlyRootFilesystem\n    value: true\n  where N is the sidecar's place in \
         the task definition that `copilot svc package` prints"
    ))
}

/// A manifest while it is written.
struct Manifest<'p, 'd> {
    pen: &'p mut Pen<'d>,
    root: &'p [Step],
}

impl Manifest<'_, '_> {
    fn remedy(&mut self, remedy: &Remedy) -> Result<(), Error> {
        match remedy {
            Remedy::ReadOnlyRoot { .. } => self.read_only(),
            Remedy::NotPrivileged { .. } => self.over_ride("ContainerDefinitions[0].Privileged", json!(false)),
            Remedy::NoPublicAddress => Err(Error::ByHand(
                "set network.vpc.placement to private, once the environment has NAT gateways or VPC endpoints"
                    .to_owned(),
            )),
            Remedy::ContainerInsights => {
                let observability = [self.root, &["observability".into()]].concat();
                if self.pen.get(&observability).is_some_and(Node::is_mapping) {
                    return self.pen.set(&observability, "container_insights", json!(true), &[]);
                }
                self.pen.set(self.root, "observability", json!({ "container_insights": true }), &AFTER)
            }
            Remedy::ExecFolder { folder, .. } => self.tmpfs(&exec_mount(folder)),
            Remedy::DropCapabilities { capabilities, .. } => capabilities.iter().try_for_each(|capability| {
                self.over_ride("ContainerDefinitions[0].LinuxParameters.Capabilities.Drop[-]", json!(**capability))
            }),
            other => Err(Error::Remedy(other.sentence())),
        }
    }

    fn harden(&mut self, plan: &ContainerPlan) -> Result<(), Error> {
        if plan.readonly_root {
            self.read_only()?;
        }
        for mount in &plan.writable {
            match (mount.by, mount.seed) {
                (WritableBy::Tmpfs, _) => self.tmpfs(mount)?,
                (WritableBy::Volume, Some(Seed::InitContainer)) => {
                    return Err(Error::ByHand(format!(
                        "{} has content in the image: declare it with `VOLUME {}` in the Dockerfile, and plan again",
                        mount.path, mount.path
                    )));
                }
                (WritableBy::Volume | WritableBy::Efs, _) => self.volume(mount)?,
            }
        }
        Ok(())
    }

    /// For the manifest itself and for each environment that says otherwise.
    fn read_only(&mut self) -> Result<(), Error> {
        let storage = [self.root, &["storage".into()]].concat();
        if self.pen.get(&storage).is_some_and(Node::is_mapping) {
            self.pen.set(&storage, "readonly_fs", json!(true), &[])?;
        } else {
            self.pen.set(self.root, "storage", json!({ "readonly_fs": true }), &AFTER)?;
        }
        let environments = [self.root, &["environments".into()]].concat();
        let names: Vec<String> = self
            .pen
            .get(&environments)
            .map(Node::entries)
            .unwrap_or_default()
            .iter()
            .filter(|entry| entry.value.get("storage").is_some_and(|storage| storage.get("readonly_fs").is_some()))
            .map(|entry| entry.key.name.to_string())
            .collect();
        for name in names {
            let storage = [&environments[..], &[Step::Key(name), "storage".into()]].concat();
            self.pen.set(&storage, "readonly_fs", json!(true), &[])?;
        }
        Ok(())
    }

    fn tmpfs(&mut self, mount: &WritableMount) -> Result<(), Error> {
        let tmpfs = json!({
            "ContainerPath": mount.path,
            "Size": mount.size_mib.unwrap_or_default(),
            "MountOptions": mount.options,
        });
        self.over_ride("ContainerDefinitions[0].LinuxParameters.Tmpfs[-]", tmpfs)
    }

    fn volume(&mut self, mount: &WritableMount) -> Result<(), Error> {
        let name = mount.volume.as_deref().unwrap_or_default();
        let storage = [self.root, &["storage".into()]].concat();
        let volumes = [&storage[..], &["volumes".into()]].concat();
        let mut volume = json!({ "path": mount.path, "read_only": false });
        if let Some(id) = &mount.file_system {
            volume["efs"] = json!({ "id": id });
        }
        if self.pen.get(&volumes).is_some_and(|volumes| volumes.get(name).is_some()) {
            return Ok(());
        }
        if self.pen.get(&volumes).is_some_and(Node::is_mapping) {
            return self.pen.set(&volumes, name, volume, &[]);
        }
        self.pen.set(&storage, "volumes", json!({ name: volume }), &["readonly_fs"])
    }

    fn over_ride(&mut self, path: &str, value: Json) -> Result<(), Error> {
        let written = self.pen.member(self.root, "taskdef_overrides").map(Node::items).unwrap_or_default();
        let same = |rule: &Node| {
            rule.get("path").and_then(Node::as_str) == Some(path)
                && rule.get("value").map(tojimari_text::edit::meaning).as_ref() == Some(&value)
        };
        if written.iter().any(same) {
            return Ok(());
        }
        self.pen.push(self.root, "taskdef_overrides", json!({ "path": path, "value": value }), &["storage"])
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{container_plan, fixed, planned, tmpfs, volume};
    use super::*;

    const FILE: &str = "# The manifest for the \"front\" service.
name: front
type: Load Balanced Web Service

image:
  build: front/Dockerfile
  port: 80

cpu: 256
memory: 512
count: 1
exec: true

environments:
  test:
    storage:
      readonly_fs: false
";

    #[test]
    fn every_environment_gets_the_same() {
        let remedy = Remedy::ReadOnlyRoot { container: "front".into() };
        let after = fixed(FILE, "copilot/front/manifest.yml", "front", &remedy).expect("a patch");
        let expected = FILE
            .replace("memory: 512\n", "memory: 512\nstorage:\n  readonly_fs: true\n")
            .replace("readonly_fs: false", "readonly_fs: true");
        assert_eq!(after, expected);
    }

    #[test]
    fn folders_of_ecs_exec_are_overrides() {
        let remedy = Remedy::ExecFolder { container: "front".into(), folder: "/var/lib/amazon" };
        let after = fixed(FILE, "copilot/front/manifest.yml", "front", &remedy).expect("a patch");
        assert!(
            after.contains("LinuxParameters.Tmpfs[-]\"\n    value:\n      ContainerPath: /var/lib/amazon\n"),
            "{after}"
        );
    }

    #[test]
    fn a_plan_is_written_as_storage_and_overrides() {
        let plan = container_plan("front", vec![tmpfs("/tmp"), volume("/data", "front-data")]);
        let once = planned(FILE, "copilot/front/manifest.yml", &plan).expect("a patch");
        let expected = "storage:
  readonly_fs: true
  volumes:
    front-data:
      path: /data
      read_only: false
taskdef_overrides:
  - path: \"ContainerDefinitions[0].LinuxParameters.Tmpfs[-]\"
    value:
      ContainerPath: /tmp
      Size: 16
      MountOptions: [noexec, mode=1777]
";
        assert!(once.contains(expected), "{once}");
        assert_eq!(planned(&once, "copilot/front/manifest.yml", &plan).expect("a patch"), once);
    }

    #[test]
    fn a_sidecar_is_left_with_a_snippet() {
        let text = format!("{FILE}sidecars:\n  nginx:\n    image: nginx\n");
        let remedy = Remedy::ReadOnlyRoot { container: "nginx".into() };
        let error = fixed(&text, "copilot/front/manifest.yml", "nginx", &remedy).expect_err("no patch");
        assert!(error.to_string().contains("taskdef_overrides"), "{error}");
    }
}
