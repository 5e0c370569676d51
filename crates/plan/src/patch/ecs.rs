//! A plan written into a task definition, in any file whose text is the ECS object itself: ECS JSON
//! and CloudFormation in JSON or YAML. They differ in how names are spelled, and in where the task
//! definition and its containers stand, which their places tell.

use serde_json::{Value as Json, json};
use tojimari_model::finding::Remedy;
use tojimari_text::edit::{Document, Step, differences, meaning};
use tojimari_text::{Node, Span};

use super::Error;
use crate::plan::{ContainerPlan, Plan, Seed, WritableBy, WritableMount};

/// How a format spells the names of ECS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As the API: `readonlyRootFilesystem`.
    Camel,
    /// As CloudFormation: `ReadonlyRootFilesystem`.
    Pascal,
}

impl Spelling {
    /// That of a task definition or a container, by a member that each has. None of something
    /// that merely looks like one: a Compose service has an image, too.
    fn of(node: &Node) -> Option<Spelling> {
        [Spelling::Camel, Spelling::Pascal].into_iter().find(|spelling| {
            ["name", "containerDefinitions"].iter().any(|name| node.get(&spelling.name(name)).is_some())
        })
    }

    fn name(self, name: &str) -> String {
        match self {
            Spelling::Camel => name.to_owned(),
            Spelling::Pascal => {
                let mut chars = name.chars();
                chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
            }
        }
    }

    fn value(self, value: Json) -> Json {
        match value {
            Json::Object(members) => {
                Json::Object(members.into_iter().map(|(name, value)| (self.name(&name), self.value(value))).collect())
            }
            Json::Array(items) => Json::Array(items.into_iter().map(|item| self.value(item)).collect()),
            other => other,
        }
    }
}

/// Where a task definition stands in a text.
#[derive(Clone, Debug)]
pub struct Located {
    pub task: Span,
    /// The containers by name.
    pub containers: Vec<(String, Span)>,
}

/// Members after which new ones go, the first that is there: new lines then stand beside what they
/// belong to, and the last member of an object keeps its line.
pub(super) const AFTER_OF_CONTAINER: [&str; 3] = ["essential", "image", "name"];

/// Writes the plan into the document. What the text means afterwards differs only in the members
/// of the planned containers and in the volumes and seeding containers of the task.
pub fn patch(document: &mut dyn Document, located: &Located, spelling: Spelling, plan: &Plan) -> Result<(), Error> {
    let jobs = planned(document, located, spelling, plan)?;
    carry_out(document, &jobs)
}

/// Writes plans and remedies into the document, each in the spelling of the object it is about.
pub fn patch_all(
    document: &mut dyn Document,
    plans: &[(&Located, &Plan)],
    remedies: &[(Span, &Remedy)],
) -> Result<(), Error> {
    let mut jobs = Vec::new();
    for (subject, remedy) in remedies {
        let path = path_of(document, *subject)?;
        let spelling = document.get(&path).and_then(Spelling::of).ok_or(Error::Format)?;
        jobs.push(Job { spelling, what: What::Remedy { subject: path, remedy } });
    }
    for (located, plan) in plans {
        let path = path_of(document, located.task)?;
        let spelling = document.get(&path).and_then(Spelling::of).ok_or(Error::Format)?;
        jobs.extend(planned(document, located, spelling, plan)?);
    }
    carry_out(document, &jobs)
}

/// Something to write, with the way to where it goes: edits move places, and leave ways as they are.
struct Job<'a> {
    spelling: Spelling,
    what: What<'a>,
}

enum What<'a> {
    Harden { task: Vec<Step>, container: Vec<Step>, plan: &'a ContainerPlan },
    Remedy { subject: Vec<Step>, remedy: &'a Remedy },
}

fn planned<'a>(
    document: &dyn Document,
    located: &Located,
    spelling: Spelling,
    plan: &'a Plan,
) -> Result<Vec<Job<'a>>, Error> {
    let task = path_of(document, located.task)?;
    let job = |plan: &'a ContainerPlan| {
        let found = located.containers.iter().find(|(name, _)| *name == plan.name);
        let (_, span) = found.ok_or_else(|| Error::NoSuchContainer(plan.name.clone()))?;
        let what = What::Harden { task: task.clone(), container: path_of(document, *span)?, plan };
        Ok(Job { spelling, what })
    };
    plan.containers.iter().map(job).collect()
}

fn path_of(document: &dyn Document, span: Span) -> Result<Vec<Step>, Error> {
    let range = span.range();
    document.path_of(range.start, range.end).ok_or(Error::NoSuchPlace)
}

fn carry_out(document: &mut dyn Document, jobs: &[Job<'_>]) -> Result<(), Error> {
    let before = root(document)?;
    let mut touched = Vec::new();
    for job in jobs {
        let mut writer = Writer { document, spelling: job.spelling, touched: Vec::new() };
        match &job.what {
            What::Harden { task, container, plan } => writer.harden(task, container, plan)?,
            What::Remedy { subject, remedy } => writer.remedy(subject, remedy)?,
        }
        touched.append(&mut writer.touched);
    }
    let after = root(document)?;
    let meant = |path: &Vec<Step>| touched.iter().any(|touched| path.starts_with(touched));
    if differences(&before, &after).iter().all(meant) { Ok(()) } else { Err(Error::OtherMeaning) }
}

/// The node that every path starts from: for a stream of documents, all of them.
fn root(document: &dyn Document) -> Result<Node, Error> {
    document.whole().ok_or(Error::NoSuchPlace)
}

pub(super) struct Writer<'a> {
    document: &'a mut dyn Document,
    spelling: Spelling,
    /// Ways to what may differ afterwards.
    touched: Vec<Vec<Step>>,
}

impl Writer<'_> {
    fn harden(&mut self, task: &[Step], container: &[Step], plan: &ContainerPlan) -> Result<(), Error> {
        if plan.readonly_root {
            self.set(container, "readonlyRootFilesystem", json!(true), &AFTER_OF_CONTAINER)?;
        }
        if !plan.privileged && self.member(container, "privileged").is_some() {
            self.set(container, "privileged", json!(false), &[])?;
        }
        for mount in &plan.writable {
            match mount.by {
                WritableBy::Tmpfs => self.tmpfs(container, mount)?,
                WritableBy::Volume | WritableBy::Efs => self.volume(task, container, mount)?,
            }
        }
        Ok(())
    }

    fn tmpfs(&mut self, container: &[Step], mount: &WritableMount) -> Result<(), Error> {
        let tmpfs = json!({
            "containerPath": mount.path,
            "size": mount.size_mib.unwrap_or_default(),
            "mountOptions": mount.options,
        });
        let has_parameters = self.member(container, "linuxParameters").is_some_and(|node| !node.entries().is_empty());
        if !has_parameters {
            return self.set(container, "linuxParameters", json!({ "tmpfs": [tmpfs] }), &["readonlyRootFilesystem"]);
        }
        let linux = [container, &[self.key("linuxParameters")]].concat();
        if self.has(&linux, "tmpfs", "containerPath", &mount.path) {
            return Ok(());
        }
        self.push(&linux, "tmpfs", tmpfs, &[])
    }

    fn volume(&mut self, task: &[Step], container: &[Step], mount: &WritableMount) -> Result<(), Error> {
        let volume = mount.volume.as_deref().unwrap_or_default();
        if !self.has(container, "mountPoints", "containerPath", &mount.path) {
            let mount_point = json!({ "sourceVolume": volume, "containerPath": mount.path, "readOnly": false });
            self.push(container, "mountPoints", mount_point, &["readonlyRootFilesystem"])?;
        }
        if !self.has(task, "volumes", "name", volume) {
            self.push(task, "volumes", json!({ "name": volume }), &["containerDefinitions"])?;
        }
        if mount.seed == Some(Seed::InitContainer) {
            self.seed(task, container, mount, volume)?;
        }
        Ok(())
    }

    /// A container of the same image that copies the folder into the volume and ends.
    fn seed(&mut self, task: &[Step], container: &[Step], mount: &WritableMount, volume: &str) -> Result<(), Error> {
        let name: String = format!("{volume}-seed").chars().take(255).collect();
        if self.has(task, "containerDefinitions", "name", &name) {
            return Ok(());
        }
        let mut seed = self.spelling.value(json!({
            "name": name,
            "image": null,
            "essential": false,
            "readonlyRootFilesystem": true,
            "user": "0",
            "entryPoint": ["/bin/sh", "-c"],
            "command": [format!("cp -a {}/. {SEED_MOUNT}/", quoted(&mount.path))],
            "mountPoints": [{ "sourceVolume": volume, "containerPath": SEED_MOUNT, "readOnly": false }],
        }));
        // What the image needs to be pulled, and where its words go, are as in its container.
        for shared in ["image", "repositoryCredentials", "logConfiguration"] {
            if let Some(value) = self.member(container, shared).map(meaning) {
                seed[self.spelling.name(shared)] = value;
            }
        }
        let depends_on = json!({ "containerName": name, "condition": "SUCCESS" });
        self.push(container, "dependsOn", depends_on, &["mountPoints"])?;
        let key = self.spelling.name("containerDefinitions");
        let at = self.document.get(task).and_then(|node| node.get(&key)).map_or(0, |list| list.items().len());
        self.touched.push([task, &[Step::Key(key.clone()), Step::Index(at)]].concat());
        Ok(self.document.push(task, &key, &seed, &[])?)
    }

    pub(super) fn set(&mut self, path: &[Step], name: &str, value: Json, after: &[&str]) -> Result<(), Error> {
        let after: Vec<String> = after.iter().map(|name| self.spelling.name(name)).collect();
        let after: Vec<&str> = after.iter().map(String::as_str).collect();
        self.touched.push([path, &[self.key(name)]].concat());
        let (key, value) = (self.spelling.name(name), self.spelling.value(value));
        Ok(self.document.set(path, &key, &value, &after)?)
    }

    pub(super) fn push(&mut self, path: &[Step], name: &str, item: Json, after: &[&str]) -> Result<(), Error> {
        let after: Vec<String> = after.iter().map(|name| self.spelling.name(name)).collect();
        let after: Vec<&str> = after.iter().map(String::as_str).collect();
        self.touched.push([path, &[self.key(name)]].concat());
        let (key, item) = (self.spelling.name(name), self.spelling.value(item));
        Ok(self.document.push(path, &key, &item, &after)?)
    }

    pub(super) fn key(&self, name: &str) -> Step {
        Step::Key(self.spelling.name(name))
    }

    pub(super) fn member(&self, path: &[Step], name: &str) -> Option<&Node> {
        self.document.get(path)?.get(&self.spelling.name(name))
    }

    fn has(&self, path: &[Step], list: &str, member: &str, value: &str) -> bool {
        let member = self.spelling.name(member);
        self.member(path, list)
            .is_some_and(|list| list.items().iter().any(|item| item.get(&member).and_then(Node::as_str) == Some(value)))
    }
}

/// Where the seeding container sees the volume: not over what it copies from.
const SEED_MOUNT: &str = "/tojimari-seed";

/// A word for `sh`.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use tojimari_text::edit::{json, yaml};
    use tojimari_text::yaml::Dialect;

    use super::*;
    use crate::plan::Platform;

    /// Locates the one task definition of a text by the names of its members.
    fn located(document: &dyn Document, task: &[Step], spelling: Spelling) -> Located {
        let node = document.get(task).expect("the task definition");
        let containers = node.get(&spelling.name("containerDefinitions")).expect("containers").items();
        let name = |node: &Node| node.get(&spelling.name("name")).and_then(Node::as_str).unwrap_or("?").to_owned();
        Located { task: node.span, containers: containers.iter().map(|c| (name(c), c.span)).collect() }
    }

    fn patched(file: &str, path: &[Step], plan: &Plan) -> Result<String, Error> {
        let mut editor = json::Editor::new(file).expect("JSON");
        let located = located(&editor, path, Spelling::Camel);
        patch(&mut editor, &located, Spelling::Camel, plan)?;
        Ok(editor.into_text())
    }

    #[test]
    fn cloudformation_is_written_in_its_own_spelling() {
        let text = "Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
          Image: !Sub ${Repo}:1 # pinned by the pipeline
          Essential: true
";
        let mut editor = yaml::Editor::new(text, Dialect::Yaml11).expect("YAML");
        let task: Vec<Step> = vec![0.into(), "Resources".into(), "Task".into(), "Properties".into()];
        let located = located(&editor, &task, Spelling::Pascal);
        let plan = plan(vec![
            mount("/tmp", WritableBy::Tmpfs, None),
            mount("/data", WritableBy::Volume, Some(Seed::InitContainer)),
        ]);
        patch(&mut editor, &located, Spelling::Pascal, &plan).expect("a patch");
        let expected = "Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
          Image: !Sub ${Repo}:1 # pinned by the pipeline
          Essential: true
          ReadonlyRootFilesystem: true
          MountPoints:
            - SourceVolume: web-data
              ContainerPath: /data
              ReadOnly: false
          DependsOn:
            - ContainerName: web-data-seed
              Condition: SUCCESS
          LinuxParameters:
            Tmpfs:
              - ContainerPath: /tmp
                Size: 16
                MountOptions: [noexec, mode=1777]
        - Name: web-data-seed
          Image: !Sub \"${Repo}:1\"
          Essential: false
          ReadonlyRootFilesystem: true
          User: \"0\"
          EntryPoint: [/bin/sh, \"-c\"]
          Command: [\"cp -a /data/. /tojimari-seed/\"]
          MountPoints:
            - SourceVolume: web-data
              ContainerPath: /tojimari-seed
              ReadOnly: false
      Volumes:
        - Name: web-data
";
        assert_eq!(editor.text(), expected);
        let once = editor.text().to_owned();
        let again = self::located(&editor, &task, Spelling::Pascal);
        patch(&mut editor, &again, Spelling::Pascal, &plan).expect("a patch");
        assert_eq!(editor.text(), once, "twice is the same as once");
    }

    fn mount(path: &str, by: WritableBy, seed: Option<Seed>) -> WritableMount {
        let tmpfs = by == WritableBy::Tmpfs;
        WritableMount {
            path: path.into(),
            by,
            size_mib: tmpfs.then_some(16),
            options: if tmpfs { vec!["noexec".into(), "mode=1777".into()] } else { Vec::new() },
            because: Vec::new(),
            seeded_from_image: seed.is_some(),
            seed,
            volume: (!tmpfs).then(|| "web-data".into()),
        }
    }

    fn plan(writable: Vec<WritableMount>) -> Plan {
        let container = ContainerPlan {
            name: "web".into(),
            readonly_root: true,
            privileged: false,
            writable,
            not_mounted: Vec::new(),
        };
        Plan { version: 1, platform: Platform::Fargate, containers: vec![container], notes: Vec::new() }
    }

    const FILE: &str = r#"{
  "family": "app",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx",
      "privileged": true,
      "portMappings": [{ "containerPort": 80 }]
    }
  ]
}
"#;

    #[test]
    fn only_lines_that_have_to_change_do() {
        let after = patched(FILE, &[], &plan(vec![mount("/tmp", WritableBy::Tmpfs, None)])).expect("a patch");
        let expected = r#"{
  "family": "app",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx",
      "readonlyRootFilesystem": true,
      "linuxParameters": {
        "tmpfs": [
          {
            "containerPath": "/tmp",
            "size": 16,
            "mountOptions": ["noexec", "mode=1777"]
          }
        ]
      },
      "privileged": false,
      "portMappings": [{ "containerPort": 80 }]
    }
  ]
}
"#;
        assert_eq!(after, expected);
    }

    #[test]
    fn twice_is_the_same_as_once() {
        let plan = plan(vec![
            mount("/tmp", WritableBy::Tmpfs, None),
            mount("/data", WritableBy::Volume, Some(Seed::InitContainer)),
        ]);
        let once = patched(FILE, &[], &plan).expect("a patch");
        assert_eq!(patched(&once, &[], &plan).expect("a patch"), once);
    }

    #[test]
    fn a_seed_is_a_container_that_runs_first() {
        let plan = plan(vec![mount("/data", WritableBy::Volume, Some(Seed::InitContainer))]);
        let after: Json = serde_json::from_str(&patched(FILE, &[], &plan).expect("a patch")).expect("JSON");
        assert_eq!(after["volumes"], json!([{ "name": "web-data" }]));
        let containers = &after["containerDefinitions"];
        assert_eq!(containers[0]["dependsOn"], json!([{ "containerName": "web-data-seed", "condition": "SUCCESS" }]));
        assert_eq!(containers[1]["readonlyRootFilesystem"], json!(true));
        assert_eq!(containers[1]["command"], json!(["cp -a /data/. /tojimari-seed/"]));
        assert_eq!(containers[1]["essential"], json!(false));
    }

    #[test]
    fn the_wrapper_of_describe_stays() {
        let file = format!("{{\"taskDefinition\": {FILE}}}");
        let after = patched(&file, &["taskDefinition".into()], &plan(Vec::new())).expect("a patch");
        let after: Json = serde_json::from_str(&after).expect("JSON");
        assert_eq!(after["taskDefinition"]["containerDefinitions"][0]["readonlyRootFilesystem"], json!(true));
    }

    #[test]
    fn a_container_that_is_not_there_is_an_error() {
        let mut plan = plan(Vec::new());
        plan.containers[0].name = "other".into();
        assert_eq!(patched(FILE, &[], &plan), Err(Error::NoSuchContainer("other".into())));
    }
}
