//! What whole folders declare: each case is a few files, the resources that are found in them with
//! what is assumed of each, and the places of what matters.

use tojimari_text::Sources;

use super::{Folder, read_folder};
use crate::Read;
use tojimari_model::declared::{Container, Declared, Field, Reference, Resource, TaskDefinition};

fn read_root(sources: &Sources, files: &[(&str, &str)]) -> Read {
    let read = read_folder(sources, files, "");
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    read
}

/// `address when <condition> not <condition>` of each resource.
fn addresses(read: &Read) -> Vec<String> {
    let resources = read.stacks.iter().flat_map(|stack| &stack.resources);
    resources
        .map(|resource| {
            let assumed = resource.assumed.iter();
            let assumed = assumed.map(|a| format!(" {} <{}>", if a.holds { "when" } else { "unless" }, a.condition));
            format!("{}{}", resource.address, assumed.collect::<String>())
        })
        .collect()
}

fn task(resource: &Resource) -> &TaskDefinition {
    match &resource.declared {
        Declared::TaskDefinition(task) => task,
        other => panic!("{} is no task definition: {}", resource.address, other.kind()),
    }
}

fn only_container(read: &Read) -> Container {
    let tasks = read.stacks[0].resources.iter().filter(|r| matches!(r.declared, Declared::TaskDefinition(_)));
    let [found] = tasks.collect::<Vec<_>>()[..] else { panic!("{:?}", addresses(read)) };
    let [container] = task(found).containers.items.as_slice() else { panic!("one container") };
    container.clone()
}

/// A field in a few characters.
fn said<T: std::fmt::Display>(field: &Field<T>) -> String {
    match field {
        Field::Absent => "absent".to_owned(),
        Field::Known(value, _) => value.to_string(),
        Field::Unknown(reason, _) => format!("?{reason}"),
    }
}

/// A container that a module of the registry makes.
const MADE: &str = r#"
module "made" {
  source          = "cloudposse/ecs-container-definition/aws"
  container_name  = "web"
  container_image = "web:1"
}
"#;

/// What leaves the files is judged all the same, and nothing is told of a module's own objects.
#[test]
fn containers_that_are_handed_to_modules_are_found() {
    let unread = "source = \"example.com/service/aws\"";
    let whole = "module.service";
    for (call, expected) in [
        // Nobody takes what is made.
        (String::new(), vec!["module.made"]),
        (format!("container_definitions = module.made.json_map_encoded_list\n{unread}"), vec![whole]),
        (format!("container_definition = module.made.json_map_encoded\n{unread}"), vec![whole]),
        (format!("tasks = [module.made.json_map_object]\n{unread}"), vec![whole]),
        (format!("container_definitions = \"[${{module.made.json_map_encoded}}]\"\n{unread}"), vec![whole]),
        (
            format!("count = 2\ntasks = [module.made.json_map_object]\n{unread}"),
            vec!["module.service[0]", "module.service[1]"],
        ),
        (
            "source = \"cloudposse/ecs-alb-service-task/aws\"\nname = \"Shop\"\n\
             container_definition_json = module.made.json_map_encoded_list"
                .to_owned(),
            vec![
                "module.service.aws_ecs_service.ignore_changes_task_definition[0]",
                "module.service.aws_ecs_task_definition.default[0]",
            ],
        ),
        // By the rules of a module of somebody's own, or of anything else.
        (format!("containers = [{{ name = \"a\", image = \"i\", port = 80 }}]\n{unread}"), vec!["module.made"]),
        (format!("values = jsonencode([{{ name = \"a\", image = \"i\", port = 80 }}])\n{unread}"), vec!["module.made"]),
        (format!("tasks = [module.other.json_map_object]\n{unread}"), vec!["module.made"]),
    ] {
        let service = if call.is_empty() { call.clone() } else { format!("module \"service\" {{\n{call}\n}}\n") };
        let sources = Sources::new();
        let read = read_root(&sources, &[("main.tf", &format!("{MADE}{service}"))]);
        let mut found = addresses(&read);
        found.sort();
        assert_eq!(found, expected, "{call}");
        if let [resource] = read.stacks[0].resources.as_slice() {
            let [container] = task(resource).containers.items.as_slice() else { panic!("one container: {call}") };
            assert_eq!(
                (said(&container.name), said(&container.readonly_root_filesystem)),
                ("web".into(), "false".into())
            );
        }
    }
}

#[test]
fn a_name_is_made_as_the_label_makes_it() {
    let sources = Sources::new();
    let text = r#"
module "outer" {
  source     = "cloudposse/label/null"
  namespace  = "eg"
  stage      = "Prod"
  attributes = ["blue"]
}
module "label" {
  source     = "cloudposse/label/null"
  context    = module.outer.context
  name       = "My Shop!"
  attributes = ["green"]
  tags       = { owner = "team" }
}
resource "aws_ecs_cluster" "main" {
  name = module.label.id
  tags = module.label.tags
}
"#;
    let read = read_root(&sources, &[("main.tf", text)]);
    let Declared::Cluster(cluster) = &read.stacks[0].resources[0].declared else { panic!("a cluster") };
    assert_eq!(said(&cluster.cluster_name), "eg-prod-myshop-blue-green");
    let tags = cluster.tags.items.iter().map(|tag| format!("{}={}", said(&tag.key), said(&tag.value)));
    let expected = "Attributes=blue-green Name=eg-prod-myshop-blue-green Namespace=eg Stage=prod owner=team";
    assert_eq!(tags.collect::<Vec<String>>().join(" "), expected);
}

const IMAGE: &str = r#"
variable "image" {}
resource "aws_ecs_task_definition" "app" {
  family                = "app"
  container_definitions = <<-EOT
    [
      {
        "name": "web",
        "image": "${var.image}",
        "cpu": ${var.image},
        "ReadOnlyRootFilesystem": false
      }
    ]
  EOT
}
"#;

#[test]
fn json_in_a_heredoc_is_read_with_its_holes_and_its_places() {
    let sources = Sources::new();
    let read = read_root(&sources, &[("main.tf", IMAGE)]);
    let container = only_container(&read);
    assert_eq!(said(&container.image), "?depends on var.image");
    assert_eq!(said(&container.cpu), "?depends on var.image");
    assert_eq!(said(&container.readonly_root_filesystem), "false");
    let place = container.readonly_root_filesystem.span().expect("it is there");
    assert_eq!(sources.slice(place), "false");
    assert_eq!(sources.place(place).line, 11);
    assert_eq!(sources.slice(container.span).lines().count(), 6);
}

/// Ways to write the same container, of which scanners lose one or another.
#[test]
fn a_value_is_found_however_it_is_written() {
    let task = |containers: &str| {
        format!(
            "resource \"aws_ecs_task_definition\" \"t\" {{\n  family = \"t\"\n  container_definitions = {containers}\n}}\n"
        )
    };
    let json = r#"[{"name": "web", "image": "i", "readonlyRootFilesystem": false}]"#;
    let quoted = json.replace('"', "\\\"");
    for (containers, more, expected) in [
        (format!("\"{quoted}\""), "", "false"),
        ("jsonencode([{ name = \"web\", readonlyRootFilesystem = false }])".to_owned(), "", "false"),
        ("jsonencode([{ name = \"web\", readonlyRootFilesystem = \"false\" }])".to_owned(), "", "false"),
        (
            "jsonencode([{ name = \"web\", readonlyRootFilesystem = var.ro }])".to_owned(),
            "variable \"ro\" { default = false }",
            "false",
        ),
        (
            "jsonencode([{ name = \"web\", readonlyRootFilesystem = var.ro }])".to_owned(),
            "variable \"ro\" {}",
            "?depends on var.ro",
        ),
        ("jsonencode([{ name = \"web\", readonlyRootFilesystem = null }])".to_owned(), "", "absent"),
        ("jsonencode([{ name = \"web\" }])".to_owned(), "", "absent"),
        ("file(\"c.json\")".to_owned(), "", "false"),
        ("file(\"${path.module}/c.json\")".to_owned(), "", "false"),
        ("templatefile(\"c.tpl\", { ro = false })".to_owned(), "", "false"),
        ("templatefile(\"c.tpl\", { ro = var.ro })".to_owned(), "variable \"ro\" {}", "?depends on var.ro"),
        (
            "data.template_file.t.rendered".to_owned(),
            "data \"template_file\" \"t\" {\n template = file(\"c.tpl\")\n vars = { ro = false }\n}",
            "false",
        ),
        (
            "\"[${jsonencode(local.c)}]\"".to_owned(),
            "locals {\n c = { name = \"web\", readonlyRootFilesystem = false }\n}",
            "false",
        ),
        (
            "\"[${join(\",\", [for c in [local.c] : jsonencode(c)])}]\"".to_owned(),
            "locals {\n c = { name = \"web\", readonlyRootFilesystem = false }\n}",
            "false",
        ),
        (
            "jsonencode(concat([local.c], []))".to_owned(),
            "locals {\n c = { name = \"web\", readonlyRootFilesystem = false }\n}",
            "false",
        ),
        (
            "jsonencode([merge(local.c, { readonlyRootFilesystem = false })])".to_owned(),
            "locals {\n c = { name = \"web\", readonlyRootFilesystem = true }\n}",
            "false",
        ),
        ("jsonencode([for n in [\"web\"] : { name = n, readonlyRootFilesystem = false }])".to_owned(), "", "false"),
        ("jsonencode([module.c.definition])".to_owned(), "module \"c\" {\n source = \"./c\"\n ro = false\n}", "false"),
        ("jsonencode([module.c.definition])".to_owned(), "module \"c\" {\n source = \"./c\"\n}", "true"),
        ("jsonencode([module.r.definition])".to_owned(), "module \"r\" {\n source = \"example.com/r/aws\"\n}", "?"),
        (
            "module.c.json_map_encoded_list".to_owned(),
            "module \"c\" {\n source = \"cloudposse/ecs-container-definition/aws\"\n version = \"0.61.2\"\n container_name = \"web\"\n container_image = \"i\"\n}",
            "false",
        ),
        (
            "module.c.json_map_encoded_list".to_owned(),
            "module \"c\" {\n source = \"cloudposse/ecs-container-definition/aws\"\n container_name = \"web\"\n container_image = \"i\"\n readonly_root_filesystem = true\n}",
            "true",
        ),
        (
            "jsonencode([module.c.json_map_object])".to_owned(),
            "module \"c\" {\n source = \"cloudposse/ecs-container-definition/aws\"\n container_name = \"web\"\n container_image = \"i\"\n}",
            "false",
        ),
    ] {
        let sources = Sources::new();
        let main = task(&containers);
        let files = [
            ("main.tf", &*main),
            ("more.tf", more),
            ("c.json", json),
            ("c.tpl", r#"[{"name": "web", "readonlyRootFilesystem": ${ro}}]"#),
            (
                "c/main.tf",
                "variable \"ro\" { default = true }\noutput \"definition\" {\n value = { name = \"web\", readonlyRootFilesystem = var.ro }\n}\n",
            ),
        ];
        let read = read_root(&sources, &files);
        let [found] = read.stacks[0].resources.as_slice() else { panic!("{containers}: {:?}", addresses(&read)) };
        let containers_read = &task_of(found).containers;
        match containers_read.items.as_slice() {
            [container] => {
                assert_eq!(said(&container.readonly_root_filesystem), expected, "{containers} {more}");
                assert_eq!(said(&container.name), "web", "{containers}");
            }
            _ => assert!(expected == "?" && containers_read.rest.is_some(), "{containers} {more}"),
        }
    }
}

fn task_of(resource: &Resource) -> &TaskDefinition {
    task(resource)
}

#[test]
fn a_condition_that_is_open_gives_both_ways() {
    let sources = Sources::new();
    let text = r#"
variable "debug" { type = bool }
resource "aws_ecs_task_definition" "t" {
  family                = "t"
  container_definitions = jsonencode([{ name = "web", readonlyRootFilesystem = var.debug ? false : true }])
}
"#;
    let read = read_root(&sources, &[("main.tf", text)]);
    let found: Vec<String> = read.stacks[0]
        .resources
        .iter()
        .map(|r| format!("{:?} {}", r.assumed, said(&task(r).containers.items[0].readonly_root_filesystem)))
        .collect();
    assert_eq!(
        addresses(&read),
        ["aws_ecs_task_definition.t when <var.debug>", "aws_ecs_task_definition.t unless <var.debug>"]
    );
    assert!(found[0].ends_with("false") && found[1].ends_with("true"), "{found:?}");
}

#[test]
fn count_and_for_each_make_instances_with_addresses() {
    let text = r#"
variable "on" { type = bool }
variable "names" {}
resource "aws_ecr_repository" "two" {
  count = 2
  name  = "r${count.index}"
}
resource "aws_ecr_repository" "none" {
  count = 0
  name  = "x"
}
resource "aws_ecr_repository" "maybe" {
  count = var.on ? 1 : 0
  name  = "x"
}
resource "aws_ecr_repository" "each" {
  for_each = toset(["a", "b"])
  name     = each.key
}
resource "aws_ecr_repository" "some" {
  for_each = var.names
  name     = each.value
}
resource "aws_ecr_repository" "map" {
  for_each = merge({ a = 1 }, var.on ? { b = 2 } : {})
  name     = "${each.key}${each.value}"
}
"#;
    let sources = Sources::new();
    let read = read_root(&sources, &[("main.tf", text)]);
    assert_eq!(
        addresses(&read),
        [
            "aws_ecr_repository.two[0]",
            "aws_ecr_repository.two[1]",
            "aws_ecr_repository.maybe[0] when <var.on>",
            "aws_ecr_repository.each[\"a\"]",
            "aws_ecr_repository.each[\"b\"]",
            "aws_ecr_repository.some when <var.names is not empty>",
            "aws_ecr_repository.map[\"a\"]",
            "aws_ecr_repository.map[\"b\"] when <var.on>",
        ]
    );
    let names: Vec<&str> = read.stacks[0].resources.iter().map(|r| &*r.name).collect();
    assert_eq!(names, ["r0", "r1", "x", "a", "b", "aws_ecr_repository.some", "a1", "b2"]);
}

#[test]
fn local_modules_are_evaluated_with_their_arguments() {
    let files = [
        (
            "main.tf",
            "module \"app\" {\n  source   = \"./modules/app\"\n  for_each = { x = \"one\" }\n  name     = each.value\n}\n",
        ),
        (
            "modules/app/main.tf",
            "variable \"name\" {}\nmodule \"inner\" {\n  source = \"../inner\"\n  name   = \"${var.name}-in\"\n}\n",
        ),
        (
            "modules/inner/main.tf",
            "variable \"name\" {}\nresource \"aws_ecr_repository\" \"r\" {\n  count = 1\n  name = var.name\n}\n",
        ),
    ];
    let sources = Sources::new();
    let read = read_root(&sources, &files);
    assert_eq!(addresses(&read), ["module.app[\"x\"].module.inner.aws_ecr_repository.r[0]"]);
    assert_eq!(&*read.stacks[0].resources[0].name, "one-in");
    let claimed: Vec<String> = read.claimed.iter().map(|file| sources.get(*file).name.clone()).collect();
    assert_eq!(claimed, ["modules/app/main.tf", "modules/inner/main.tf"]);
}

#[test]
fn references_lead_to_their_resources() {
    let text = r#"
variable "tag" {}
resource "aws_ecs_cluster" "c" { name = "blue" }
resource "aws_ecs_task_definition" "t" {
  family                = "web"
  container_definitions = "[]"
}
resource "aws_ecs_service" "by_arn" {
  name            = "a"
  cluster         = aws_ecs_cluster.c.id
  task_definition = aws_ecs_task_definition.t.arn
}
resource "aws_ecs_service" "by_name" {
  name            = "b"
  cluster         = aws_ecs_cluster.c.name
  task_definition = "${aws_ecs_task_definition.t.family}:${max(aws_ecs_task_definition.t.revision, 1)}"
}
"#;
    let sources = Sources::new();
    let read = read_folder(&sources, &[("main.tf", text)], "");
    let services = read.stacks[0].resources.iter().filter_map(|r| match &r.declared {
        Declared::Service(service) => Some((service.cluster.clone(), service.task_definition.clone())),
        _ => None,
    });
    let said: Vec<String> = services
        .map(|(cluster, task)| {
            let of = |reference: &Reference| match reference {
                Reference::Declared(address, _) => format!("<{address}>"),
                Reference::Named(name, _) => name.clone(),
                other => format!("{other:?}"),
            };
            format!("{} {}", of(&cluster), of(&task))
        })
        .collect();
    assert_eq!(said, ["<aws_ecs_cluster.c> <aws_ecs_task_definition.t>", "blue web"]);
}

#[test]
fn the_tags_of_the_provider_count() {
    let text = r#"
provider "aws" {
  default_tags {
    tags = { team = "x", env = "dev" }
  }
}
provider "aws" {
  alias = "other"
}
resource "aws_ecs_cluster" "a" {
  name = "a"
  tags = { env = "prod" }
}
resource "aws_ecs_cluster" "b" {
  provider = aws.other
  name     = "b"
}
module "m" {
  source    = "./m"
  providers = { aws = aws.other }
}
module "n" {
  source = "./m"
}
"#;
    let sources = Sources::new();
    let read = read_root(
        &sources,
        &[("main.tf", text), ("m/main.tf", "resource \"aws_ecs_cluster\" \"c\" {\n  name = \"c\"\n}\n")],
    );
    let tags = read.stacks[0].resources.iter().map(|r| match &r.declared {
        Declared::Cluster(cluster) => cluster
            .tags
            .iter()
            .map(|tag| format!("{}={}", said(&tag.key), said(&tag.value)))
            .collect::<Vec<_>>()
            .join(" "),
        _ => String::new(),
    });
    assert_eq!(tags.collect::<Vec<_>>(), ["env=prod team=x", "", "", "env=dev team=x"]);
}

#[test]
fn override_files_and_the_json_syntax_are_read() {
    let files = [
        (
            "main.tf",
            "resource \"aws_ecr_repository\" \"r\" {\n  name = \"r\"\n  image_scanning_configuration {\n    scan_on_push = false\n  }\n}\n",
        ),
        (
            "x_override.tf",
            "resource \"aws_ecr_repository\" \"r\" {\n  image_scanning_configuration {\n    scan_on_push = true\n  }\n}\n",
        ),
        (
            "more.tf.json",
            r#"{"variable": {"n": {"default": "j"}}, "resource": {"aws_ecr_repository": {"j": {"name": "${var.n}", "image_scanning_configuration": {"scan_on_push": true}}}}}"#,
        ),
    ];
    let sources = Sources::new();
    let read = read_root(&sources, &files);
    let found: Vec<String> = read.stacks[0]
        .resources
        .iter()
        .map(|r| match &r.declared {
            Declared::Repository(repository) => format!("{} {}", r.name, said(&repository.scan_on_push)),
            _ => String::new(),
        })
        .collect();
    assert_eq!(found, ["r true", "j true"]);
}

#[test]
fn only_the_files_that_were_asked_for_are_told() {
    let sources = Sources::new();
    let files = [
        ("a.tf", "resource \"aws_ecr_repository\" \"a\" {\n  name = var.name\n}\n"),
        ("b.tf", "variable \"name\" { default = \"x\" }\nresource \"aws_ecr_repository\" \"b\" {\n  name = \"b\"\n}\n"),
    ];
    let loader = Folder::new(&sources, &files);
    let configurations = loader.configurations("");
    let read = super::read(&configurations[..1], &sources, &loader);
    assert_eq!(addresses(&read), ["aws_ecr_repository.a"]);
    assert_eq!(&*read.stacks[0].resources[0].name, "x");
}

#[test]
fn blocks_that_are_made_dynamic_are_there() {
    let text = r#"
variable "efs" { default = { data = "fs-1" } }
resource "aws_ecs_task_definition" "t" {
  family                = "t"
  container_definitions = jsonencode([{ name = "web" }])
  volume {
    name      = "host"
    host_path = "/var/x"
  }
  dynamic "volume" {
    for_each = var.efs
    iterator = v
    content {
      name = v.key
      efs_volume_configuration {
        file_system_id     = v.value
        transit_encryption = "ENABLED"
      }
    }
  }
}
"#;
    let sources = Sources::new();
    let read = read_root(&sources, &[("main.tf", text)]);
    let found = task(&read.stacks[0].resources[0]);
    let names: Vec<String> = found.volumes.iter().map(|volume| said(&volume.name)).collect();
    assert_eq!(names, ["host", "data"]);
    assert!(format!("{:?}", found.volumes.items[0].source).contains("/var/x"));
    assert!(format!("{:?}", found.volumes.items[1].source).contains("ENABLED"));
}

#[test]
fn modules_of_the_registry_have_their_own_defaults() {
    for (version, container, expected) in [
        ("5.12.1", "image = \"i\"", "true false 0"),
        ("5.12.1", "image = \"i\"\n readonly_root_filesystem = false\n user = \"1000\"", "false false 1000"),
        ("~> 5.0", "image = \"i\"\n privileged = true", "true true 0"),
        ("6.12.0", "image = \"i\"", "true false absent"),
        ("6.12.0", "image = \"i\"\n readonlyRootFilesystem = false", "false false absent"),
        // The older spelling means nothing to the newer module.
        ("6.12.0", "image = \"i\"\n readonly_root_filesystem = false", "true false absent"),
        ("7.5.0", "image = \"i\"\n user = var.user", "true false ?depends on var.user"),
    ] {
        let text = format!(
            "variable \"user\" {{}}\nmodule \"ecs\" {{\n source = \"terraform-aws-modules/ecs/aws\"\n version = \"{version}\"\n cluster_name = \"c\"\n services = {{\n web = {{\n container_definitions = {{\n app = {{\n {container}\n}}\n}}\n}}\n}}\n}}\n"
        );
        let sources = Sources::new();
        let read = read_root(&sources, &[("main.tf", &text)]);
        let found = addresses(&read);
        assert!(found.contains(&"module.ecs.module.cluster.aws_ecs_cluster.this[0]".to_owned()), "{found:?}");
        assert!(found.contains(&"module.ecs.module.service[\"web\"].aws_ecs_service.this[0]".to_owned()), "{found:?}");
        let container = only_container(&read);
        let said = format!(
            "{} {} {}",
            said(&container.readonly_root_filesystem),
            said(&container.privileged),
            said(&container.user)
        );
        assert_eq!(said, expected, "{version} {text}");
        // What the user wrote has its own place, and what the module says that of the call.
        let place = container.readonly_root_filesystem.span().expect("it is known");
        assert_eq!(sources.get(place.file).name, "main.tf");
    }
}

#[test]
fn what_is_wrong_in_json_has_its_place() {
    let sources = Sources::new();
    let text = "resource \"aws_ecs_task_definition\" \"t\" {\n  family = \"t\"\n  container_definitions = <<EOT\n[{\"name\": \"web\",}]\nEOT\n}\n";
    let read = read_folder(&sources, &[("main.tf", text)], "");
    let [problem] = read.problems.as_slice() else { panic!("{:?}", read.problems) };
    assert_eq!(problem.message, "`container_definitions` is not JSON: expected a name in quotes, found `}`");
    assert_eq!((sources.place(problem.span).line, sources.place(problem.span).column), (4, 17));
}

#[test]
fn policies_are_computed_from_their_documents() {
    let text = r#"
data "aws_iam_policy_document" "d" {
  statement {
    actions = ["ecr:*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}
resource "aws_ecr_repository" "r" { name = "r" }
resource "aws_ecr_repository_policy" "p" {
  repository = aws_ecr_repository.r.name
  policy     = data.aws_iam_policy_document.d.json
}
"#;
    let sources = Sources::new();
    let read = read_root(&sources, &[("main.tf", text)]);
    let policy = read.stacks[0].resources.iter().find_map(|r| match &r.declared {
        Declared::RepositoryPolicy(policy) => policy.policy.known().cloned(),
        _ => None,
    });
    let statement = &policy.as_ref().and_then(|policy| policy.get("Statement")).expect("statements").items()[0];
    let principal = statement.get("Principal").and_then(|principal| principal.get("AWS")).expect("a principal");
    assert_eq!(principal.items()[0].as_str(), Some("*"));
    assert_eq!(statement.get("Effect").and_then(|effect| effect.as_str()), Some("Allow"));
}

#[test]
fn a_plan_is_read_with_what_it_leaves_open() {
    let plan = r#"{"format_version": "1.2", "terraform_version": "1.9.0",
      "planned_values": {"root_module": {"child_modules": [{"address": "module.m", "resources": [
        {"address": "module.m.aws_ecs_task_definition.t[0]", "mode": "managed", "type": "aws_ecs_task_definition", "name": "t", "index": 0,
         "values": {"family": "t", "container_definitions": "[{\"name\": \"web\", \"readonlyRootFilesystem\": true}]", "tags": null, "tags_all": {"a": "b"},
                    "volume": [{"name": "v", "host_path": ""}]}},
        {"address": "module.m.aws_ecs_service.s", "mode": "managed", "type": "aws_ecs_service", "name": "s",
         "values": {"name": "s", "network_configuration": [{"assign_public_ip": true}]}}]}]}},
      "resource_changes": [
        {"address": "module.m.aws_ecs_service.s", "change": {"actions": ["create"], "after_unknown": {"id": true, "cluster": true, "task_definition": true, "network_configuration": [{"subnets": true}]}}}],
      "configuration": {"root_module": {"module_calls": {"m": {"module": {"resources": [
        {"address": "aws_ecs_service.s", "expressions": {"task_definition": {"references": ["aws_ecs_task_definition.t[0].arn", "aws_ecs_task_definition.t[0]", "aws_ecs_task_definition.t"]}}}]}}}}}}"#;
    let sources = Sources::new();
    let file = sources.add("plan.json", plan);
    let (tree, problems) = tojimari_text::json::parse(file, plan);
    assert!(problems.is_empty());
    let tree = tree.expect("a tree");
    assert!(super::super::plan::may_be(plan) && super::super::plan::is_plan(&tree));
    let loader = Folder::new(&sources, &[]);
    let read = super::super::plan::read(&tree, &sources, &loader);
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    assert_eq!(addresses(&read), ["module.m.aws_ecs_task_definition.t[0]", "module.m.aws_ecs_service.s"]);
    let found = task(&read.stacks[0].resources[0]);
    assert_eq!(said(&found.containers.items[0].readonly_root_filesystem), "true");
    assert_eq!(said(&found.tags.items[0].key), "a");
    let Declared::Service(service) = &read.stacks[0].resources[1].declared else { panic!("a service") };
    assert!(
        matches!(&service.task_definition, Reference::Declared(address, _) if &**address == "module.m.aws_ecs_task_definition.t[0]")
    );
    assert!(
        matches!(&service.cluster, Reference::Unknown(reason, _) if &**reason == "is known only after it is applied")
    );
    let Field::Known(network, _) = &service.network else { panic!("a network") };
    assert_eq!(said(&network.assign_public_ip), "ENABLED");
    assert!(network.subnets.rest.is_some());
}

#[test]
fn a_for_over_what_is_not_known_says_what_each_container_is() {
    const ALL: &str = "variable \"all\" { type = list(object({ name = string, image = string, open = bool })) }\n";
    let one = "{ name = c.name, image = c.image, readonlyRootFilesystem = true }";
    // The list, how many containers are told, and whether these stand for all.
    let table = [
        (format!("[for c in var.all : {one}]"), 1, true),
        (format!("concat([{{ name = \"a\" }}], [for c in var.all : {one}])"), 2, true),
        (format!("[for c in concat([{{ name = \"a\", image = \"b\" }}], var.all) : {one}]"), 2, true),
        (format!("[for c in [for d in var.all : d] : {one}]"), 1, true),
        // What may be another list altogether, or has items that nobody made here.
        (format!("try([for c in var.all : {one}], [])"), 0, false),
        (format!("concat(var.all, [for c in var.all : {one}])"), 0, false),
        (format!("concat([for c in var.all : {one}], [for c in var.all : {one}])"), 0, false),
        ("[for c in var.all : c]".to_owned(), 0, false),
    ];
    for (list, told, all) in table {
        let text = format!(
            "{ALL}resource \"aws_ecs_task_definition\" \"t\" {{\n  family = \"t\"\n  container_definitions = jsonencode({list})\n}}\n"
        );
        let sources = Sources::new();
        let read = read_root(&sources, &[("main.tf", &text)]);
        let found = read.stacks[0].resources.iter().map(|resource| &task(resource).containers);
        let most = found.max_by_key(|containers| containers.items.len()).expect("a task definition");
        assert_eq!(most.items.len(), told, "{list}");
        let (reason, _) = most.rest.as_ref().expect("there may be more");
        assert_eq!(reason.is_of_alike(), all, "{list}");
        if let Some(last) = most.items.last() {
            assert_eq!(said(&last.readonly_root_filesystem), "true", "{list}");
        }
    }
    let text = format!(
        "{ALL}resource \"aws_ecs_task_definition\" \"t\" {{\n  family = \"t\"\n  container_definitions = jsonencode([for c in var.all : {{ readonlyRootFilesystem = c.open ? false : true }}])\n}}\n"
    );
    let sources = Sources::new();
    let read = read_root(&sources, &[("main.tf", &text)]);
    let when = "where c is any element of var.all";
    assert_eq!(
        addresses(&read),
        [
            format!("aws_ecs_task_definition.t when <c.open {when}>"),
            format!("aws_ecs_task_definition.t unless <c.open {when}>")
        ]
    );
}
