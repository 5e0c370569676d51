//! What `check` sees of trees as people keep them: values in other files, generated folders that git
//! passes over, modules that are not there.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }
    folder
}

fn check(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tojimari"));
    command.args(["check", "--all", "--control", "ECS.5", "--format", "json"]).args(arguments);
    command.current_dir(folder).output().expect("it runs")
}

/// Status, place and message of each evaluation.
fn said(output: &Output) -> Vec<String> {
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let all = json["evaluations"].as_array().expect("a list").iter();
    all.map(|one| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        format!("{} {} {}", text(&one["status"]), text(&one["place"]["file"]), text(&one["message"]))
    })
    .collect()
}

const MAIN: &str = r#"
variable "readonly" {
  type    = bool
  default = true
}
resource "aws_ecs_task_definition" "t" {
  family                = "svc"
  container_definitions = jsonencode([{ name = "app", image = "nginx", readonlyRootFilesystem = var.readonly }])
}
"#;

const FALSE: &str = "readonlyRootFilesystem is false";

#[test]
fn values_of_variables_in_other_files_are_conditions() {
    let prod = |name: &str| format!("fail {name} {FALSE}, when {name} holds");
    for (name, text) in [
        ("envs/prod.tfvars", "readonly = false\n"),
        ("prod.tfvars", "readonly = false\n"),
        ("envs/prod/terraform.tfvars", "readonly = false\n"),
        ("envs/prod.tfvars.json", "{\"readonly\": false}"),
        ("terragrunt.hcl", "inputs = {\n  readonly = false\n}\n"),
        ("live/terragrunt.hcl", "terraform {\n  source = \"..//\"\n}\ninputs = { readonly = false }\n"),
    ] {
        let tree = folder(&[("main.tf", MAIN), ("envs/dev.tfvars", "readonly = true\n"), (name, text)]);
        for path in [".", "main.tf"] {
            assert_eq!(said(&check(tree.path(), &[path])), [prod(name)], "{name}, {path}");
        }
    }
    // One beside the folders of configurations is for what declares its names.
    let tree = folder(&[("infra/main.tf", MAIN), ("vars/prod.tfvars", "readonly = false\n")]);
    assert_eq!(said(&check(tree.path(), &[])), [prod("vars/prod.tfvars")]);
}

#[test]
fn what_a_file_of_values_does_not_write_out_is_unknown() {
    let text = "inputs = { readonly = local.readonly }\n";
    let tree = folder(&[("main.tf", MAIN), ("terragrunt.hcl", text)]);
    let said = said(&check(tree.path(), &[]));
    let [only] = &said[..] else { panic!("{said:?}") };
    assert!(only.starts_with("unknown"), "{only}");
    assert!(only.contains("depends on terragrunt.hcl, which does not write it out"), "{only}");
}

#[test]
fn values_for_other_configurations_change_nothing() {
    for (name, text) in [
        (
            "terragrunt.hcl",
            "terraform {\n  source = \"git::https://example.com/x.git\"\n}\ninputs = { readonly = false }",
        ),
        ("other/prod.tfvars", "replicas = 3\nreadonly = false\nzone = \"a\"\n"),
        ("notes.txt", "readonly = false\n"),
    ] {
        let tree = folder(&[("infra/main.tf", MAIN), (name, text)]);
        let said = said(&check(tree.path(), &[]));
        assert!(said.len() == 1 && said[0].starts_with("pass"), "{name}: {said:?}");
    }
}

#[test]
fn values_can_be_chosen() {
    let tree = folder(&[
        ("main.tf", MAIN),
        ("envs/dev.tfvars", "readonly = true\n"),
        ("envs/prod.tfvars", "readonly = false\n"),
    ]);
    for (arguments, expected) in [
        (&["--var-file", "envs/dev.tfvars"][..], "pass"),
        (&["--var-file", "envs/prod.tfvars"], "fail"),
        (&["--var-file", "envs/prod.tfvars", "--var-file", "envs/dev.tfvars"], "pass"),
        (&["--var-file", "envs/prod.tfvars", "--var", "readonly=true"], "pass"),
        (&["--var", "readonly=false"], "fail"),
        (&["--var", "readonly=true"], "pass"),
    ] {
        let said = said(&check(tree.path(), arguments));
        assert!(said.len() == 1 && said[0].starts_with(expected), "{arguments:?}: {said:?}");
        assert!(!said[0].contains("holds"), "{arguments:?}: {said:?}");
    }
    for arguments in [&["--var-file", "missing.tfvars"][..], &["--parameters", "main.tf"], &["--var", "readonly"]] {
        assert_eq!(check(tree.path(), arguments).status.code(), Some(2), "{arguments:?}");
    }
}

const TEMPLATE: &str = "
Parameters:
  ReadOnly: {Type: String, Default: 'true'}
  Size: {Type: Number, Default: 256}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
          Image: nginx
          ReadonlyRootFilesystem: !Ref ReadOnly
";

#[test]
fn values_of_parameters_in_other_files_are_conditions() {
    let sam = "version = 0.1\n[default.deploy.parameters]\nstack_name = \"x\"\n\
               [prod.deploy.parameters]\nparameter_overrides = \"Size=512 ReadOnly=false\"\n";
    for (name, text, condition) in [
        ("params/prod.json", r#"[{"ParameterKey": "ReadOnly", "ParameterValue": "false"}]"#, "params/prod.json"),
        ("prod-params.json", r#"{"Parameters": {"ReadOnly": "false", "Size": 512}}"#, "prod-params.json"),
        ("samconfig.toml", sam, "samconfig.toml [prod]"),
    ] {
        let tree = folder(&[("template.yaml", TEMPLATE), (name, text)]);
        for path in [".", "template.yaml"] {
            let expected = format!("fail template.yaml {FALSE}, when {condition} holds");
            assert_eq!(said(&check(tree.path(), &[path])), [expected], "{name}, {path}");
        }
        let chosen = said(&check(tree.path(), &["--parameters", name, "template.yaml"]));
        assert_eq!(chosen, [format!("fail template.yaml {FALSE}")], "{name}");
    }
    // CloudFormation refuses values for parameters that a template does not declare.
    let other =
        r#"[{"ParameterKey": "ReadOnly", "ParameterValue": "false"}, {"ParameterKey": "X", "ParameterValue": "1"}]"#;
    let tree = folder(&[("template.yaml", TEMPLATE), ("params/prod.json", other)]);
    let said = said(&check(tree.path(), &[]));
    assert!(said.len() == 1 && said[0].starts_with("pass"), "{said:?}");
}

const STACK: &str = r#"{"Resources": {"Task": {"Type": "AWS::ECS::TaskDefinition",
  "Properties": {"ContainerDefinitions": [{"Name": "web", "Image": "nginx"}]}}}}"#;
const MANIFEST: &str =
    r#"{"artifacts": {"A": {"type": "aws:cloudformation:stack", "properties": {"templateFile": "A.template.json"}}}}"#;

#[test]
fn what_a_project_generates_is_read_although_git_passes_it_over() {
    for (project, output) in [(r#"{"app": "x"}"#, "cdk.out"), (r#"{"app": "x", "output": "build/out"}"#, "build/out")] {
        let tree = folder(&[
            ("app/cdk.json", project),
            (".gitignore", "cdk.out\nbuild\n"),
            (&format!("app/{output}/manifest.json"), MANIFEST),
            (&format!("app/{output}/A.template.json"), STACK),
        ]);
        let output = check(tree.path(), &[]);
        assert_eq!(said(&output).len(), 1, "{project}");
        assert_eq!(output.stderr, b"", "{project}");
    }
    let cdktf = r#"{"resource": {"aws_ecs_task_definition": {"t": {"container_definitions":
        "${jsonencode([{\"name\": \"web\", \"image\": \"nginx\"}])}", "family": "x"}}}}"#;
    let tree =
        folder(&[("cdktf.json", "{}"), (".gitignore", "cdktf.out\n"), ("cdktf.out/stacks/a/cdk.tf.json", cdktf)]);
    assert_eq!(said(&check(tree.path(), &[])).len(), 1);
}

#[test]
fn a_project_of_which_nothing_was_generated_is_told() {
    for (name, text, words) in [
        ("cdk.json", r#"{"app": "x"}"#, "cdk.json: cdk.out of this project is not there"),
        ("cdktf.json", "{}", "cdktf.json: cdktf.out of this project is not there"),
        ("cdk.json", r#"{"output": "../.."}"#, "cdk.json: ../.. of this project is not there"),
    ] {
        let tree = folder(&[(name, text)]);
        let output = check(tree.path(), &[]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(words) && told.contains("synth`"), "{name}: {told}");
    }
}

#[test]
fn a_module_that_is_not_there_and_makes_tasks_is_unknown() {
    for (source, arguments, expected) in [
        ("git::https://example.com/ecs-service.git?ref=v4", "container = { name = \"a\", image = \"b\" }", true),
        ("example/service/aws", "image = \"b\"\n cluster_arn = \"c\"", true),
        ("example/service/aws", "task_cpu = 256", true),
        ("example/lambda/aws", "image = \"b\"", false),
        ("example/ecs-autoscaling/aws", "cluster_name = \"c\"", false),
        ("example/vpc/aws", "cidr = \"10.0.0.0/8\"", false),
    ] {
        let main = format!("module \"m\" {{\n source = \"{source}\"\n {arguments}\n}}\n");
        let tree = folder(&[("main.tf", &main)]);
        let said = said(&check(tree.path(), &[]));
        assert_eq!(said.len(), usize::from(expected), "{source}: {said:?}");
        for one in said {
            assert!(one.starts_with("unknown main.tf") && one.contains("run `terraform init` first"), "{one}");
        }
    }
}

const TASK: &str = r#""containerDefinitions": [{"name": "web", "image": "nginx", "readonlyRootFilesystem": "#;

#[test]
fn json_is_read_however_it_is_written() {
    for (name, text, expected) in [
        // What many tools take out and the API of AWS refuses.
        ("t.json", format!("// ours\n{{{TASK} false}}]}}"), "fail"),
        ("t.json", format!("/* ours */ {{{TASK} /* not */ true}}]}}"), "pass"),
        // The names of .NET and PowerShell.
        ("t.json", r#"{"ContainerDefinitions": [{"Name": "web", "ReadonlyRootFilesystem": true}]}"#.to_owned(), "pass"),
        ("t.json", r#"{"TaskDefinition": {"ContainerDefinitions": [{"Name": "web"}]}}"#.to_owned(), "fail"),
        // What is filled in later is unknown, and nothing else.
        ("t.json", format!("{{\"cpu\": ${{cpu}}, {TASK} true}}]}}"), "pass"),
        ("t.json", format!("{{\"cpu\": <CPU>, {TASK} false}}]}}"), "fail"),
        ("t.json", format!("{{{TASK} ${{readonly}}}}]}}"), "unknown"),
        ("t.json", format!("{{{TASK} %READONLY%}}]}}"), "unknown"),
        ("t.json", format!("{{{TASK} <READONLY>}}]}}"), "unknown"),
        ("t.json", format!("{{{TASK} \"<READONLY>\"}}]}}"), "unknown"),
        ("t.json", format!("{{{TASK} \"${{READONLY}}\"}}]}}"), "unknown"),
        ("t.json", format!("{{{TASK} {{{{ readonly }}}}}}]}}"), "unknown"),
        ("t.json.j2", format!("{{{{% if x %}}\n\"cpu\": 1,\n{{% endif %}}\n{TASK} true}}]}}"), "pass"),
        ("t.json.j2", format!("{{{TASK}\n{{% if x %}} true {{% else %}} false {{% endif %}} }}]}}"), ""),
        ("t.json.erb", format!("{{{TASK} <%= readonly %>}}]}}"), "unknown"),
    ] {
        let tree = folder(&[(name, &text)]);
        let output = check(tree.path(), &[]);
        let said = said(&output);
        if expected.is_empty() {
            assert!(said.iter().all(|one| !one.starts_with("pass")), "{text}: {said:?}");
            assert_ne!(output.status.code(), Some(0), "{text}: {said:?}");
            continue;
        }
        assert!(said.len() == 1 && said[0].starts_with(expected), "{text}: {said:?}");
        assert_ne!(output.status.code(), Some(2), "{text}");
    }
}

#[test]
fn json_of_ours_that_cannot_be_read_is_a_problem() {
    let tree = folder(&[("t.json", &format!("{{{TASK} true}} \"x\"]}}"))]);
    let output = check(tree.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    let json: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["problems"][0]["file"], "t.json");
}

#[test]
fn resources_of_the_serverless_framework_are_read() {
    let head = "service: x\nprovider: {name: aws}\n";
    let resources = |value: &str, margin: &str| {
        let lines = [
            "Resources:",
            "  Task:",
            "    Type: AWS::ECS::TaskDefinition",
            "    Properties:",
            "      ContainerDefinitions:",
            "        - Name: web",
            "          Image: nginx",
            &format!("          ReadonlyRootFilesystem: {value}"),
        ];
        lines.map(|line| format!("{margin}{line}\n")).concat()
    };
    for (value, expected) in [
        ("true", "pass"),
        ("false", "fail"),
        ("${self:custom.readonly}", "unknown"),
        ("${param:readonly, 'true'}", "unknown"),
    ] {
        let inline = format!("{head}resources:\n{}", resources(value, "  "));
        let named = format!("{head}resources:\n  - ${{file(ecs/task.yml)}}\n");
        let part = resources(value, "");
        for files in [&[("serverless.yml", &*inline)][..], &[("serverless.yml", &*named), ("ecs/task.yml", &*part)]] {
            let tree = folder(files);
            let said = said(&check(tree.path(), &[]));
            assert!(said.len() == 1 && said[0].starts_with(expected), "{files:?}: {said:?}");
        }
    }
    let code = format!("{head}resources:\n  - ${{file(ecs.js)}}\n");
    let tree = folder(&[("serverless.yml", &code)]);
    let output = check(tree.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("these resources are not read"));
}

#[test]
fn templates_of_templates_are_read_with_what_they_render_as_unknown() {
    let template = |line: &str| {
        format!(
            "Resources:\n  Task:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        \
             - Name: web\n          Image: {{{{ image }}}}\n{line}\n"
        )
    };
    for (line, expected) in [
        ("          ReadonlyRootFilesystem: true", "pass"),
        ("          ReadonlyRootFilesystem: {{ readonly }}", "unknown"),
        ("          ReadonlyRootFilesystem: <%= readonly %>", "unknown"),
        ("{% if x %}\n          ReadonlyRootFilesystem: true\n{% endif %}", "unknown"),
        ("<% if x %>\n          ReadonlyRootFilesystem: true\n<% end %>", "unknown"),
        ("          ReadonlyRootFilesystem: false\n{% set x = 1 %}", "fail"),
    ] {
        let tree = folder(&[("t.yaml.j2", &template(line))]);
        let said = said(&check(tree.path(), &[]));
        assert!(said.len() == 1 && said[0].starts_with(expected), "{line}: {said:?}");
    }
}

#[test]
fn a_compose_file_that_is_laid_over_another_is_not_judged_alone() {
    let over = "services:\n  web:\n    environment: {A: b}\n";
    let tree = folder(&[("docker-compose.prod.yml", over)]);
    let output = check(tree.path(), &[]);
    assert_eq!(said(&output), [] as [&str; 0]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("the service web says neither what to run nor what to build"), "{told}");
    // Of one that has both, what can run is judged.
    let both = format!("{over}  api:\n    image: nginx\n    read_only: true\n");
    let tree = folder(&[("docker-compose.prod.yml", &both)]);
    let said_of_both = said(&check(tree.path(), &[]));
    assert!(said_of_both.len() == 1 && said_of_both[0].starts_with("pass"), "{said_of_both:?}");
    // Over its base it is judged with it.
    let base = "services:\n  web:\n    image: nginx\n    read_only: true\n";
    let over = "services:\n  web:\n    read_only: false\n";
    let tree = folder(&[("docker-compose.yml", base), ("docker-compose.prod.yml", over)]);
    let mut said = said(&check(tree.path(), &[]));
    said.sort();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("fail docker-compose.prod.yml") && said[1].starts_with("pass docker-compose.yml"),
        "{said:?}"
    );
}

#[test]
fn an_express_service_is_told_and_not_judged() {
    let text = "Resources:\n  Web:\n    Type: AWS::ECS::ExpressGatewayService\n    Properties: {PrimaryContainer: {Image: x}}\n";
    let tree = folder(&[("t.yaml", text)]);
    let output = check(tree.path(), &[]);
    assert_eq!(said(&output), [] as [&str; 0]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("an Express service is not judged"), "{told}");
}

#[test]
fn overrides_of_a_copilot_environment_are_those_of_that_environment() {
    let rules = |value: bool| format!("[{{path: 'ContainerDefinitions[0].ReadonlyRootFilesystem', value: {value}}}]");
    let text = format!(
        "name: web\ntype: Backend Service\nimage: {{location: nginx}}\ntaskdef_overrides: {}\n\
         environments:\n  prod:\n    taskdef_overrides: {}\n",
        rules(true),
        rules(false)
    );
    let tree = folder(&[("copilot/web/manifest.yml", &text)]);
    let said = said(&check(tree.path(), &[]));
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("fail") && said[0].contains("when environments.prod holds"), "{said:?}");
}
