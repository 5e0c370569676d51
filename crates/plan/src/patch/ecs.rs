//! A plan written into a task definition, in any file whose text is the ECS object itself: ECS JSON
//! and CloudFormation in JSON or YAML. They differ in how names are spelled, and in where the task
//! definition and its containers stand, which their places tell.

use serde_json::{Map, Value as Json, json};
use tojimari_read::cloudformation::template_name;
use tojimari_text::Node;
use tojimari_text::edit::{Document, Step, meaning};

use super::job::{Job, Pen, path_of, path_where};
use super::{Change, Error};
use tojimari_evidence::plan::{ContainerPlan, Plan, Seed, WritableBy, WritableMount};

/// How a format spells the names of ECS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As the API: `readonlyRootFilesystem`.
    Camel,
    /// As CloudFormation: `ReadonlyRootFilesystem`.
    Pascal,
    /// As the arguments of Terraform modules that make a container: `readonly_root_filesystem`. What
    /// is in the objects that they take is spelled as in the API.
    Arguments,
}

/// Members of a container that are arguments of such modules.
const ARGUMENTS: [&str; 5] =
    ["readonlyRootFilesystem", "linuxParameters", "dockerSecurityOptions", "logConfiguration", "mountPoints"];

/// `readonly_root_filesystem`
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

impl Spelling {
    /// That of an object, by the name of its first member.
    fn of(node: &Node) -> Spelling {
        let first = node.entries().first().and_then(|entry| entry.key.name.chars().next());
        if first.is_some_and(char::is_uppercase) { Spelling::Pascal } else { Spelling::Camel }
    }

    fn name(self, name: &str) -> String {
        match self {
            Spelling::Camel => name.to_owned(),
            Spelling::Pascal => template_name(name),
            Spelling::Arguments if ARGUMENTS.contains(&name) => snake(name),
            Spelling::Arguments => name.to_owned(),
        }
    }

    fn after(self, names: &[&str]) -> Vec<String> {
        let mut after: Vec<String> = names.iter().map(|name| self.name(name)).collect();
        if self == Spelling::Arguments {
            after.extend(AFTER_IN_MODULE.map(str::to_owned));
        }
        after
    }

    fn value(self, value: Json) -> Json {
        match value {
            value if self == Spelling::Arguments => value,
            Json::Object(members) => {
                Json::Object(members.into_iter().map(|(name, value)| (self.name(&name), self.value(value))).collect())
            }
            Json::Array(items) => Json::Array(items.into_iter().map(|item| self.value(item)).collect()),
            other => other,
        }
    }
}

/// Members after which new ones go, the first that is there: new lines then stand beside what they
/// belong to, and the last member of an object keeps its line.
pub(super) const AFTER_OF_CONTAINER: [&str; 3] = ["essential", "image", "name"];

/// Arguments after which new ones go in a call of a module that makes a container.
pub(super) const AFTER_IN_MODULE: [&str; 7] =
    ["essential", "image", "name", "container_image", "container_name", "version", "source"];

/// What a change comes to in a document.
pub(super) fn jobs<'a>(document: &dyn Document, change: &Change<'a>) -> Result<Vec<Job<'a>>, Error> {
    match change {
        Change::Remedy { subject, remedy, .. } => {
            let remedy = *remedy;
            let is_resource =
                |node: &Node| node.get("Type").and_then(Node::as_str).is_some_and(|kind| kind.starts_with("AWS::"));
            // What is written about a resource of a template goes into its properties.
            let resource = path_where(document, *subject, |_, node| is_resource(node)).ok();
            let is_resource = resource.is_some();
            let path = match resource {
                Some(path) => path,
                None => path_of(document, *subject)?,
            };
            let node = document.get(&path).ok_or(Error::NoSuchPlace)?;
            let spelling = if is_resource { Spelling::Pascal } else { Spelling::of(node) };
            let path = if is_resource { [&path[..], &["Properties".into()]].concat() } else { path };
            let way = path.clone();
            let job = Job::new(&way, move |pen| {
                if let Some((_, resource)) = path.split_last().filter(|_| is_resource && pen.get(&path).is_none()) {
                    pen.set(resource, "Properties", json!({}), &["Type"])?;
                }
                Writer { pen, spelling }.remedy(&path, remedy)
            });
            Ok(vec![job])
        }
        Change::Plan { located, plan } => {
            let plan = *plan;
            let task = path_of(document, located.task)?;
            let spelling = Spelling::of(document.get(&task).ok_or(Error::NoSuchPlace)?);
            let mut jobs: Vec<Job<'a>> = Vec::new();
            for planned in &plan.containers {
                let found = located.containers.iter().find(|(name, _)| *name == planned.name);
                let (_, span) = found.ok_or_else(|| Error::NoSuchContainer(planned.name.clone()))?;
                let (task, container) = (task.clone(), path_of(document, *span)?);
                let way = task.clone();
                jobs.push(Job::new(&way, move |pen| Writer { pen, spelling }.harden(&task, &container, planned)));
            }
            let way = task.clone();
            jobs.push(Job::new(&way, move |pen| Writer { pen, spelling }.memory(&task, plan)));
            Ok(jobs)
        }
    }
}

pub(super) struct Writer<'p, 'd> {
    pub(super) pen: &'p mut Pen<'d>,
    spelling: Spelling,
}

impl<'p, 'd> Writer<'p, 'd> {
    /// For objects that spell names as the API does.
    pub(super) fn camel(pen: &'p mut Pen<'d>) -> Self {
        Writer { pen, spelling: Spelling::Camel }
    }

    /// For the arguments of a Terraform module that makes a container.
    pub(super) fn arguments(pen: &'p mut Pen<'d>) -> Self {
        Writer { pen, spelling: Spelling::Arguments }
    }
}

impl Writer<'_, '_> {
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

    /// The memory that the task needs with its tmpfs, where the plan raises it.
    fn memory(&mut self, task: &[Step], plan: &Plan) -> Result<(), Error> {
        let Some(memory) = plan.memory_mib else { return Ok(()) };
        let written = self.member(task, "memory").map(meaning);
        let value =
            if written.is_some_and(|written| written.is_number()) { json!(memory) } else { json!(memory.to_string()) };
        self.set(task, "memory", value, &["cpu", "family"])
    }

    pub(super) fn tmpfs(&mut self, container: &[Step], mount: &WritableMount) -> Result<(), Error> {
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
            let volume = match &mount.file_system {
                Some(id) => json!({
                    "name": volume,
                    "efsVolumeConfiguration": { "fileSystemId": id, "transitEncryption": "ENABLED" },
                }),
                None => json!({ "name": volume }),
            };
            self.push(task, "volumes", volume, &["containerDefinitions"])?;
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
        let mut members = Map::new();
        members.extend([("name".to_owned(), json!(name)), ("image".to_owned(), Json::Null)]);
        members.extend(seed_members(&mount.path, volume));
        let mut seed = self.spelling.value(Json::Object(members));
        // What the image needs to be pulled, and where its words go, are as in its container.
        for shared in ["image", "repositoryCredentials", "logConfiguration"] {
            if let Some(value) = self.member(container, shared).map(meaning) {
                seed[self.spelling.name(shared)] = value;
            }
        }
        let depends_on = json!({ "containerName": name, "condition": "SUCCESS" });
        self.push(container, "dependsOn", depends_on, &["mountPoints"])?;
        self.pen.push_only(task, &self.spelling.name("containerDefinitions"), seed)
    }

    pub(super) fn set(&mut self, path: &[Step], name: &str, value: Json, after: &[&str]) -> Result<(), Error> {
        let after = self.spelling.after(after);
        let after: Vec<&str> = after.iter().map(String::as_str).collect();
        self.pen.set(path, &self.spelling.name(name), self.spelling.value(value), &after)
    }

    pub(super) fn push(&mut self, path: &[Step], name: &str, item: Json, after: &[&str]) -> Result<(), Error> {
        let after = self.spelling.after(after);
        let after: Vec<&str> = after.iter().map(String::as_str).collect();
        self.pen.push(path, &self.spelling.name(name), self.spelling.value(item), &after)
    }

    pub(super) fn key(&self, name: &str) -> Step {
        Step::Key(self.name(name))
    }

    pub(super) fn name(&self, name: &str) -> String {
        self.spelling.name(name)
    }

    pub(super) fn is_template(&self) -> bool {
        self.spelling == Spelling::Pascal
    }

    pub(super) fn member(&self, path: &[Step], name: &str) -> Option<&Node> {
        self.pen.member(path, &self.spelling.name(name))
    }

    fn has(&self, path: &[Step], list: &str, member: &str, value: &str) -> bool {
        let member = self.spelling.name(member);
        self.member(path, list)
            .is_some_and(|list| list.items().iter().any(|item| item.get(&member).and_then(Node::as_str) == Some(value)))
    }
}

/// Where the seeding container sees the volume: not over what it copies from.
const SEED_MOUNT: &str = "/tojimari-seed";

/// What a container that copies a folder into a volume has beside its name and image.
pub(super) fn seed_members(folder: &str, volume: &str) -> Vec<(String, Json)> {
    let members = [
        ("essential", json!(false)),
        ("readonlyRootFilesystem", json!(true)),
        ("user", json!("0")),
        ("entryPoint", json!(["/bin/sh", "-c"])),
        ("command", json!([format!("cp -a {}/. {SEED_MOUNT}/", quoted(folder))])),
        ("mountPoints", json!([{ "sourceVolume": volume, "containerPath": SEED_MOUNT, "readOnly": false }])),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A word for `sh`.
pub(super) fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use tojimari_model::finding::{Remedy, WantedTag};

    use super::super::tests::{container_plan, fixed, fixed_resource, planned, tmpfs, volume};
    use super::*;

    fn seeded(path: &str) -> WritableMount {
        WritableMount { seeded_from_image: true, seed: Some(Seed::InitContainer), ..volume(path, "web-data") }
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
        let plan = container_plan("web", vec![tmpfs("/tmp"), seeded("/data")]);
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
        let once = planned(text, "t.yaml", &plan).expect("a patch");
        assert_eq!(once, expected);
        assert_eq!(planned(&once, "t.yaml", &plan).expect("a patch"), once, "twice is the same as once");
    }

    #[test]
    fn what_a_function_gives_is_written_out_and_never_written_into() {
        let text = |readonly: &str, linux: &str| {
            format!(
                "Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
          Image: web:1
{readonly}{linux}          Essential: true
"
            )
        };
        let read_only = Remedy::ReadOnlyRoot { container: "web".into() };
        for written in [
            "          ReadonlyRootFilesystem: !If [IsProd, true, false]\n",
            "          ReadonlyRootFilesystem:\n            Fn::If:\n              - IsProd\n              - true\n              - !Ref AWS::NoValue\n",
            "          ReadonlyRootFilesystem:\n            Ref: ReadOnly\n",
        ] {
            let expected = text("          ReadonlyRootFilesystem: true\n", "");
            assert_eq!(fixed(&text(written, ""), "t.yaml", "web", &read_only).as_deref(), Ok(&*expected), "{written}");
        }
        let branch = "Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - !If [C, {Name: web, Image: a}, !Ref AWS::NoValue]
";
        let after = branch.replace("Image: a", "Image: a, ReadonlyRootFilesystem: true");
        assert_eq!(fixed(branch, "t.yaml", "web", &read_only), Ok(after));
        let capabilities = Remedy::DropCapabilities { container: "web".into(), capabilities: vec!["ALL".into()] };
        for (name, text) in [
            ("t.yaml", text("", "          LinuxParameters: !If [C, {InitProcessEnabled: true}, !Ref AWS::NoValue]\n")),
            (
                "t.yaml",
                text("", "          LinuxParameters:\n            Fn::If: [C, {InitProcessEnabled: true}, {}]\n"),
            ),
            (
                "t.json",
                r#"{"Resources": {"T": {"Type": "AWS::ECS::TaskDefinition", "Properties": {"ContainerDefinitions": [
                    {"Name": "web", "LinuxParameters": {"Fn::If": ["C", {"InitProcessEnabled": true}, {}]}}]}}}}"#
                    .to_owned(),
            ),
        ] {
            let Err(Error::ByHand(why)) = fixed(&text, name, "web", &capabilities) else { panic!("{text}") };
            assert!(
                why.ends_with(r#"comes from If: what it gives has to have {"Capabilities":{"Drop":["ALL"]}}"#),
                "{why}"
            );
        }
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
        let after = planned(FILE, "task.json", &container_plan("web", vec![tmpfs("/tmp")])).expect("a patch");
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
        let plan = container_plan("web", vec![tmpfs("/tmp"), seeded("/data")]);
        let once = planned(FILE, "task.json", &plan).expect("a patch");
        assert_eq!(planned(&once, "task.json", &plan).expect("a patch"), once);
    }

    #[test]
    fn a_seed_is_a_container_that_runs_first() {
        let plan = container_plan("web", vec![seeded("/data")]);
        let after: Json = serde_json::from_str(&planned(FILE, "task.json", &plan).expect("a patch")).expect("JSON");
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
        let after = planned(&file, "task.json", &container_plan("web", Vec::new())).expect("a patch");
        let after: Json = serde_json::from_str(&after).expect("JSON");
        assert_eq!(after["taskDefinition"]["containerDefinitions"][0]["readonlyRootFilesystem"], json!(true));
    }

    #[test]
    fn memory_is_raised_as_it_is_written() {
        let plan = Plan { memory_mib: Some(1024), ..container_plan("web", Vec::new()) };
        for (written, expected) in [("\"512\"", "\"1024\""), ("512", "1024")] {
            let file = FILE.replace("\"family\": \"app\"", &format!("\"family\": \"app\",\n  \"memory\": {written}"));
            let after = planned(&file, "task.json", &plan).expect("a patch");
            assert!(after.contains(&format!("\"memory\": {expected}")), "{after}");
        }
    }

    const TEMPLATE: &str = "Resources:
  Cluster:
    Type: AWS::ECS::Cluster
  Named:
    Type: AWS::ECS::Cluster
    Properties:
      ClusterName: a # the first
  Repository:
    Type: AWS::ECR::Repository
    Properties:
      RepositoryName: app
  Service:
    Type: AWS::ECS::Service
    Properties:
      NetworkConfiguration:
        AwsvpcConfiguration:
          Subnets: !Ref Subnets
          AssignPublicIp: ENABLED
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      PidMode: host
      Volumes:
        - Name: data
          EFSVolumeConfiguration:
            FilesystemId: fs-1
      ContainerDefinitions:
        - Name: web
          Image: nginx
          LogConfiguration:
            LogDriver: awslogs
        - Name: side
          Image: envoy
          LinuxParameters:
            Capabilities:
              Add: [NET_ADMIN]
";

    #[test]
    fn remedies_of_resources_are_written_into_their_properties() {
        let tag = WantedTag { key: "team".into(), value: Some("web".into()) };
        for (resource, remedy, expected) in [
            (
                "Cluster",
                Remedy::ContainerInsights,
                "AWS::ECS::Cluster\n    Properties: {ClusterSettings: [{ Name: containerInsights, Value: enabled }]}\n",
            ),
            (
                "Named",
                Remedy::ContainerInsights,
                "      ClusterName: a # the first\n      ClusterSettings:\n        - Name: containerInsights\n          \
                 Value: enabled\n",
            ),
            ("Named", Remedy::Tags { tags: vec![tag] }, "      Tags:\n        - Key: team\n          Value: web\n"),
            ("Repository", Remedy::ScanOnPush, "      ImageScanningConfiguration:\n        ScanOnPush: true\n"),
            ("Repository", Remedy::ImmutableTags, "app\n      ImageTagMutability: IMMUTABLE\n"),
            ("Service", Remedy::NoPublicAddress, "          AssignPublicIp: DISABLED\n"),
            ("Service", Remedy::LatestPlatformVersion, "      PlatformVersion: LATEST\n"),
            ("Task", Remedy::OwnProcesses, "    Properties:\n      Volumes:\n"),
            ("Task", Remedy::OwnNetwork, "      NetworkMode: awsvpc\n"),
        ] {
            let after = fixed_resource(TEMPLATE, "t.yaml", resource, &remedy).expect("a patch");
            assert!(after.contains(expected), "{remedy:?}:\n{after}");
        }
    }

    #[test]
    fn an_option_takes_the_place_of_its_opposite() {
        let text = |options: &str| {
            format!(
                r#"{{"family": "a", "containerDefinitions": [{{"name": "web", "linuxParameters": {{"tmpfs": [
                {{"containerPath": "/tmp", "size": 1, "mountOptions": [{options}]}}]}}}}]}}"#
            )
        };
        let options = vec!["noexec".into(), "nodev".into()];
        let remedy = Remedy::TmpfsOptions { container: "web".into(), path: "/tmp".into(), options };
        let after = fixed(&text(r#""exec", "nosuid""#), "t.json", "web", &remedy);
        assert_eq!(after, Ok(text(r#""noexec", "nosuid", "nodev""#)));
        assert!(!remedy.is_safe());
    }

    /// A resource that is written by itself, and the same in a text that is only edited as a whole, for
    /// it has an alias.
    #[test]
    fn a_part_is_written_as_the_whole_is() {
        let remedies = [
            Remedy::ReadOnlyRoot { container: "web".into() },
            Remedy::NotPrivileged { container: "web".into(), refused_anyway: false },
            Remedy::DropCapabilities { container: "web".into(), capabilities: vec!["ALL".into()] },
            Remedy::NoNewPrivileges { container: "web".into() },
        ];
        let text = "Resources:
    Task:
        Type: AWS::ECS::TaskDefinition
        Properties:
            ContainerDefinitions:
            -   Name: web # the only one
                Image: a
                Command: [\"|\"]
    Other:
        Type: AWS::ECS::TaskDefinition
";
        let shared = "A: &a {x: 1}\nB: *a\n";
        for remedy in &remedies {
            let part = fixed(text, "t.yaml", "web", remedy).expect("a patch");
            let whole = fixed(&format!("{text}{shared}"), "t.yaml", "web", remedy).expect("a patch");
            assert_eq!(format!("{part}{shared}"), whole);
            assert_ne!(part, text);
        }
    }

    #[test]
    fn remedies_of_containers_are_written_into_them() {
        let container = || "side".into();
        let capability = |name: &str| vec![name.into()];
        for (remedy, expected) in [
            (
                Remedy::LogConfiguration { container: container() },
                "          Image: envoy\n          LogConfiguration:\n            LogDriver: awslogs\n",
            ),
            (
                Remedy::DropCapabilities { container: container(), capabilities: capability("NET_ADMIN") },
                "          Image: envoy\n",
            ),
            (
                Remedy::DropCapabilities { container: container(), capabilities: capability("ALL") },
                "              Add: [NET_ADMIN]\n              Drop: [ALL]\n",
            ),
            (
                Remedy::ExecFolder { container: container(), folder: "/var/lib/amazon" },
                "            Tmpfs:\n              - ContainerPath: /var/lib/amazon\n                Size: 64\n",
            ),
            (
                Remedy::NoNewPrivileges { container: container() },
                "          Image: envoy\n          DockerSecurityOptions: [no-new-privileges]\n",
            ),
        ] {
            let after = fixed(TEMPLATE, "t.yaml", "side", &remedy).expect("a patch");
            assert!(after.contains(expected), "{remedy:?}:\n{after}");
        }
    }

    #[test]
    fn the_last_capability_goes_with_its_list() {
        let remedy = Remedy::DropCapabilities { container: "side".into(), capabilities: vec!["NET_ADMIN".into()] };
        let after = fixed(TEMPLATE, "t.yaml", "side", &remedy).expect("a patch");
        assert!(!after.contains("LinuxParameters"), "{after}");
    }

    #[test]
    fn templates_stay_as_they_are() {
        let text = r#"{
  "family": "{{ must_env `FAMILY` }}",
  "cpu": {{ env "CPU" "256" }},
  "containerDefinitions": [
    {
      "name": "web",
      "image": "{{ must_env `REPOSITORY` }}:{{ must_env `TAG` }}"
    }
  ]
}
"#;
        let once = planned(text, "ecs-task-def.json", &container_plan("web", vec![tmpfs("/tmp")])).expect("a patch");
        assert!(once.contains("{{ must_env `TAG` }}\",\n      \"readonlyRootFilesystem\": true,"), "{once}");
        assert!(once.contains(r#""cpu": {{ env "CPU" "256" }},"#), "{once}");
        // What a template renders cannot be written a second time.
        let error =
            planned(text, "ecs-task-def.json", &container_plan("web", vec![seeded("/data")])).expect_err("none");
        assert!(error.to_string().contains("template"), "{error}");
    }
}
