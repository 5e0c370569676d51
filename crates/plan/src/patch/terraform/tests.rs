//! Configurations patched as commands do it: evaluated whole, located by container, patched in the
//! files where the values stand.

use std::collections::HashMap;

use tojimari_model::declared::Declared;
use tojimari_read::{self as read, Files};

use super::super::tests::{container_plan, tmpfs, volume};
use super::super::{Change, Error, Located, patched};
use super::*;

struct Given {
    sources: Sources,
    ids: HashMap<String, FileId>,
}

impl Files for Given {
    fn load(&self, path: &str) -> Result<FileId, String> {
        self.ids.get(path.trim_start_matches("./")).copied().ok_or_else(|| format!("{path} does not exist"))
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let inside = |name: &&String| match folder {
            "" | "." => !name.contains('/'),
            folder => name.strip_prefix(folder).is_some_and(|rest| rest.rfind('/') == Some(0)),
        };
        let mut names: Vec<String> =
            self.ids.keys().filter(inside).map(|name| name.rsplit('/').next().unwrap_or(name).to_owned()).collect();
        names.sort();
        names
    }
}

impl Given {
    fn new(files: &[(&str, &str)]) -> Given {
        let sources = Sources::new();
        let ids = files.iter().map(|(name, text)| ((*name).to_owned(), sources.add(*name, *text))).collect();
        Given { sources, ids }
    }

    fn resources(&self) -> Vec<tojimari_model::declared::Resource> {
        let files: Vec<FileId> = self.ids.iter().filter(|(name, _)| name.ends_with(".tf")).map(|(_, id)| *id).collect();
        let units = read::units(&self.sources, &files);
        units.iter().flat_map(|unit| read::read(unit, &self.sources, self).stacks).flat_map(|s| s.resources).collect()
    }

    fn texts(&self, patched: super::super::Patched) -> Vec<(String, String)> {
        patched.texts.into_iter().map(|(file, text)| (self.sources.get(file).name.clone(), text)).collect()
    }

    fn plan(&self, plan: &Plan) -> Result<Vec<(String, String)>, Error> {
        let task = self.resources().into_iter().find_map(|resource| match resource.declared {
            Declared::TaskDefinition(task) if task.container(&plan.containers[0].name).is_some() => Some(task),
            _ => None,
        });
        let located = Located::of(&task.expect("a task definition with that container"));
        let file = located.task.file;
        Ok(self.texts(patched(&self.sources, file, &[Change::Plan { located, plan }])?))
    }

    /// A read-only root, as the failure of a control asks for it.
    fn read_only(&self, name: &str) -> Result<Vec<(String, String)>, Error> {
        self.container(name, &Remedy::ReadOnlyRoot { container: name.into() })
    }

    fn container(&self, name: &str, remedy: &Remedy) -> Result<Vec<(String, String)>, Error> {
        for resource in self.resources() {
            let Declared::TaskDefinition(task) = &resource.declared else { continue };
            let Some(container) = task.container(name) else { continue };
            let at = container.readonly_root_filesystem.span().unwrap_or(container.span);
            let change = Change::Remedy { subject: container.span, at, remedy };
            return Ok(self.texts(patched(&self.sources, container.span.file, &[change])?));
        }
        panic!("there is no container {name}");
    }

    fn resource(&self, address: &str, remedy: &Remedy) -> Result<Vec<(String, String)>, Error> {
        let resource = self.resources().into_iter().find(|resource| &*resource.address == address);
        let span = resource.expect("the resource").span;
        let change = Change::Remedy { subject: span, at: span, remedy };
        Ok(self.texts(patched(&self.sources, span.file, &[change])?))
    }
}

fn task(containers: &str) -> String {
    format!(
        "resource \"aws_ecs_task_definition\" \"app\" {{\n  family                = \"app\"\n  container_definitions = \
         {containers}\n}}\n"
    )
}

const ENCODED: &str = r#"jsonencode([
    {
      name  = "web"
      image = "nginx" # the public one
    }
  ])"#;

#[test]
fn a_plan_is_written_into_encoded_objects() {
    let text = task(ENCODED);
    let given = Given::new(&[("main.tf", &text)]);
    let plan = container_plan("web", vec![tmpfs("/tmp"), volume("/data", "web-data")]);
    let after = given.plan(&plan).expect("a patch");
    let expected = r#"resource "aws_ecs_task_definition" "app" {
  family                = "app"
  container_definitions = jsonencode([
    {
      name                   = "web"
      image                  = "nginx" # the public one
      readonlyRootFilesystem = true
      mountPoints = [
        {
          sourceVolume  = "web-data"
          containerPath = "/data"
          readOnly      = false
        }
      ]
      linuxParameters = {
        tmpfs = [
          {
            containerPath = "/tmp"
            size          = 16
            mountOptions  = ["noexec", "mode=1777"]
          }
        ]
      }
    }
  ])

  volume {
    name = "web-data"
  }
}
"#;
    assert_eq!(after, [("main.tf".to_owned(), expected.to_owned())]);
    let again = Given::new(&[("main.tf", expected)]);
    assert_eq!(again.plan(&plan).expect("a patch"), [], "twice is the same as once");
}

#[test]
fn a_folder_that_has_content_is_filled_by_a_container() {
    let text = task(ENCODED);
    let given = Given::new(&[("main.tf", &text)]);
    let seeded =
        WritableMount { seeded_from_image: true, seed: Some(Seed::InitContainer), ..volume("/data", "web-data") };
    let plan = container_plan("web", vec![seeded]);
    let after = given.plan(&plan).expect("a patch").remove(0).1;
    for expected in [
        "      dependsOn = [\n        {\n          containerName = \"web-data-seed\"\n          condition     = \"SUCCESS\"\n",
        "    },\n    {\n      name                   = \"web-data-seed\"\n      image                  = \"nginx\"\n",
        "      command                = [\"cp -a /data/. /tojimari-seed/\"]\n",
    ] {
        assert!(after.contains(expected), "{after}");
    }
    assert_eq!(Given::new(&[("main.tf", &after)]).plan(&plan).expect("a patch"), []);
}

#[test]
fn json_is_edited_wherever_it_stands() {
    let heredoc = "<<-JSON\n    [\n      {\n        \"name\": \"web\",\n        \"image\": \"${var.image}\",\n        \
                   \"cpu\": ${var.cpu}\n      }\n    ]\n  JSON";
    let tf = format!("variable \"image\" {{}}\nvariable \"cpu\" {{\n  default = 1\n}}\n\n{}", task(heredoc));
    let given = Given::new(&[("main.tf", &tf)]);
    let inserted = "\"image\": \"${var.image}\",\n        \"readonlyRootFilesystem\": true,\n";
    let expected = tf.replace("\"image\": \"${var.image}\",\n", inserted);
    assert_eq!(given.read_only("web").expect("a patch"), [("main.tf".to_owned(), expected)]);

    let json = "[{\"name\": \"web\", \"image\": \"nginx\"}]\n";
    let text = task("file(\"${path.module}/web.json\")");
    let given = Given::new(&[("main.tf", &text), ("web.json", json)]);
    let expected = json.replace("\"nginx\"", "\"nginx\", \"readonlyRootFilesystem\": true");
    assert_eq!(given.read_only("web").expect("a patch"), [("web.json".to_owned(), expected)]);
    let plan = container_plan("web", vec![volume("/data", "web-data")]);
    let after = given.plan(&plan).expect("a patch");
    assert_eq!(after.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["main.tf", "web.json"]);

    let template = "[{\"name\": \"web\", \"image\": \"nginx\", \"cpu\": ${cpu}}]\n";
    let text = task("templatefile(\"web.json.tpl\", { cpu = 1 })");
    let given = Given::new(&[("main.tf", &text), ("web.json.tpl", template)]);
    let expected = template.replace("\"nginx\"", "\"nginx\", \"readonlyRootFilesystem\": true");
    assert_eq!(given.read_only("web").expect("a patch"), [("web.json.tpl".to_owned(), expected)]);
}

#[test]
fn a_value_is_changed_where_it_is_written() {
    let module = "variable \"readonly\" {\n  type    = bool\n  default = false # for now\n}\n\n".to_owned()
        + &task(&ENCODED.replace("name  =", "readonlyRootFilesystem = var.readonly\n      name  ="));
    // A default.
    let given = Given::new(&[("main.tf", &module)]);
    let expected = module.replace("default = false", "default = true");
    assert_eq!(given.read_only("web").expect("a patch"), [("main.tf".to_owned(), expected)]);
    // The argument of the caller.
    let caller = "module \"app\" {\n  source   = \"./app\"\n  readonly = false\n}\n";
    let given = Given::new(&[("main.tf", caller), ("app/main.tf", &module)]);
    let expected = caller.replace("false", "true");
    assert_eq!(given.read_only("web").expect("a patch"), [("main.tf".to_owned(), expected)]);
    // A file of values.
    let given = Given::new(&[("main.tf", &module), ("terraform.tfvars", "readonly = false\n")]);
    let after = given.read_only("web").expect("a patch");
    assert_eq!(after, [("terraform.tfvars".to_owned(), "readonly = true\n".to_owned())]);
}

#[test]
fn locals_and_merges_are_followed() {
    let text = format!(
        "locals {{\n  web = {{\n    name  = \"web\"\n    image = \"nginx\"\n  }}\n}}\n\n{}",
        task("jsonencode([local.web])")
    );
    let after = Given::new(&[("main.tf", &text)]).read_only("web").expect("a patch").remove(0).1;
    assert!(after.contains("    image                  = \"nginx\"\n    readonlyRootFilesystem = true\n"), "{after}");
    let text = format!(
        "locals {{\n  base = {{ image = \"nginx\" }}\n}}\n\n{}",
        task("jsonencode([merge(local.base, { name = \"web\" })])")
    );
    let after = Given::new(&[("main.tf", &text)]).read_only("web").expect("a patch").remove(0).1;
    assert!(after.contains("{ name = \"web\", readonlyRootFilesystem = true }"), "{after}");
}

#[test]
fn modules_of_the_registry_are_spelled_as_they_want_it() {
    let cloudposse = "module \"web\" {
  source          = \"cloudposse/ecs-container-definition/aws\"
  version         = \"0.61.1\"
  container_name  = \"web\"
  container_image = \"nginx\"
}
";
    let text = format!("{cloudposse}\n{}", task("module.web.json_map_encoded_list"));
    let given = Given::new(&[("main.tf", &text)]);
    let plan = container_plan("web", vec![tmpfs("/tmp"), volume("/data", "web-data")]);
    let after = given.plan(&plan).expect("a patch").remove(0).1;
    for expected in [
        "  readonly_root_filesystem = true\n",
        "  mount_points = [\n    {\n      sourceVolume  = \"web-data\"\n",
        "  linux_parameters = {\n    tmpfs = [\n      {\n        containerPath = \"/tmp\"\n",
        "  volume {\n    name = \"web-data\"\n  }\n",
    ] {
        assert!(after.contains(expected), "{after}");
    }
    for (version, flag, mounts) in
        [("~> 5.0", "readonly_root_filesystem", "mount_points"), ("~> 6.0", "readonlyRootFilesystem", "mountPoints")]
    {
        let text = format!(
            "module \"ecs\" {{
  source      = \"terraform-aws-modules/ecs/aws//modules/service\"
  version     = \"{version}\"
  name        = \"app\"
  cluster_arn = \"arn:aws:ecs:eu-west-1:123456789012:cluster/app\"

  container_definitions = {{
    web = {{
      image = \"nginx\"
      {flag} = false
    }}
    side = {{
      image = \"envoy\"
    }}
  }}
}}
"
        );
        let given = Given::new(&[("main.tf", &text)]);
        let expected = text.replace("= false", "= true");
        assert_eq!(given.read_only("web").expect("a patch"), [("main.tf".to_owned(), expected)], "{version}");
        let plan = container_plan("web", vec![volume("/data", "web-data")]);
        let after = given.plan(&plan).expect("a patch").remove(0).1;
        assert!(after.contains(&format!("      {mounts} = [\n")), "{after}");
        assert!(after.contains("  volume = {\n    web-data = {}\n  }\n"), "{after}");
    }
}

#[test]
fn remedies_become_arguments_of_the_module_that_makes_the_container() {
    let drop = || Remedy::DropCapabilities { container: "web".into(), capabilities: vec!["ALL".into()] };
    let dropped = "  linux_parameters = {\n    capabilities = {\n      drop = [\"ALL\"]\n    }\n  }\n";
    let held = "  linux_parameters = {\n    tmpfs = [{ containerPath = \"/tmp\", size = 16, mountOptions = [\"noexec\"] }]\n  }\n";
    for (given, remedy, expected) in [
        ("", drop(), dropped.to_owned()),
        (held, drop(), held.replace("  }\n", "    capabilities = {\n      drop = [\"ALL\"]\n    }\n  }\n")),
        (
            "",
            Remedy::NoNewPrivileges { container: "web".into() },
            "  docker_security_options = [\"no-new-privileges\"]\n".to_owned(),
        ),
        ("", Remedy::NotPrivileged { container: "web".into(), refused_anyway: true }, " = false\n".to_owned()),
        (
            held,
            Remedy::TmpfsOptions { container: "web".into(), path: "/tmp".into(), options: vec!["nosuid".into()] },
            held.replace("\"noexec\"", "\"noexec\", \"nosuid\""),
        ),
    ] {
        let text = format!(
            "module \"web\" {{\n  source          = \"cloudposse/ecs-container-definition/aws\"\n  container_name  = \
             \"web\"\n  container_image = \"nginx\"\n{given}}}\n"
        );
        let given = Given::new(&[("main.tf", &text)]);
        let after = given.container("web", &remedy).expect("a patch").remove(0).1;
        assert!(after.contains(&expected), "{after}");
    }
    let log = Remedy::LogConfiguration { container: "web".into() };
    let text = "module \"web\" {\n  source = \"cloudposse/ecs-container-definition/aws\"\n  container_name = \"web\"\n  container_image = \"nginx\"\n}\n";
    let left = Given::new(&[("main.tf", text)]).container("web", &log);
    let once = Error::ByHand("give container web a logConfiguration (main.tf:1)".to_owned());
    assert_eq!(left, Err(once), "the same sentence is not there twice");
}

#[test]
fn what_no_edit_reaches_is_left_with_lines_to_paste() {
    let text = task("jsonencode([for name in [\"web\"] : merge({ name = name }, local.rest)])")
        + "\nlocals {\n  rest = merge(yamldecode(file(\"rest.yaml\")), {})\n}\n";
    let given = Given::new(&[("main.tf", &text), ("rest.yaml", "image: nginx\n")]);
    match given.read_only("web") {
        Err(Error::ByHand(words)) => assert!(words.contains("readonlyRootFilesystem = true"), "{words}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn remedies_of_resources_are_blocks_and_attributes() {
    let text = r#"resource "aws_ecs_cluster" "main" {
  name = "app"
}

resource "aws_ecr_repository" "app" {
  name = "app"
  tags = merge(local.tags, { team = "web" })
}

resource "aws_ecs_service" "app" {
  name            = "app"
  task_definition = "app"
  launch_type     = "FARGATE"

  network_configuration {
    subnets          = []
    assign_public_ip = true
  }
}

locals {
  tags = {}
}
"#;
    let tag = || Remedy::Tags { tags: vec![WantedTag { key: "env".into(), value: Some("prod".into()) }] };
    for (address, remedy, expected) in [
        (
            "aws_ecs_cluster.main",
            Remedy::ContainerInsights,
            "  name = \"app\"\n\n  setting {\n    name  = \"containerInsights\"\n    value = \"enabled\"\n  }\n}\n",
        ),
        ("aws_ecs_cluster.main", tag(), "  name = \"app\"\n\n  tags = {\n    env = \"prod\"\n  }\n"),
        ("aws_ecr_repository.app", tag(), "merge(local.tags, { team = \"web\", env = \"prod\" })"),
        (
            "aws_ecr_repository.app",
            Remedy::ImmutableTags,
            "  name                 = \"app\"\n  image_tag_mutability = \"IMMUTABLE\"\n  tags                 = merge(",
        ),
        (
            "aws_ecr_repository.app",
            Remedy::ScanOnPush,
            "\n  image_scanning_configuration {\n    scan_on_push = true\n  }\n}\n",
        ),
        (
            "aws_ecs_service.app",
            tag(),
            "\"FARGATE\"\n\n  tags = {\n    env = \"prod\"\n  }\n\n  network_configuration {\n",
        ),
        ("aws_ecs_service.app", Remedy::NoPublicAddress, "    assign_public_ip = false\n"),
        ("aws_ecs_service.app", Remedy::LatestPlatformVersion, "  platform_version = \"LATEST\"\n"),
    ] {
        let after = Given::new(&[("main.tf", text)]).resource(address, &remedy).expect("a patch").remove(0).1;
        assert!(after.contains(expected), "{remedy:?}:\n{after}");
    }
}
