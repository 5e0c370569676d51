//! What CloudFormation's functions come to, which resources a template declares under which
//! conditions, and what nested stacks are given. Longer than 400 lines: its tables are.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use tojimari_text::{FileId, Sources, yaml};

use super::evaluate::Evaluator;
use super::template::{Arguments, Template};
use super::*;
use crate::Files;
use tojimari_model::declared::Field;
use tojimari_model::value::{Kind, Value};

/// A value on one line: what is unknown in angle brackets, a choice as `condition ? a : b`.
fn flat(value: &Value) -> String {
    match &value.kind {
        Kind::Null => "nothing".to_owned(),
        Kind::Bool(b) => b.to_string(),
        Kind::Number(digits) => digits.to_string(),
        Kind::String(text) => format!("{text:?}"),
        Kind::List(items, rest) => {
            let mut items: Vec<String> = items.iter().map(flat).collect();
            items.extend(rest.as_ref().map(|reason| format!("<{reason}>...")));
            format!("[{}]", items.join(", "))
        }
        Kind::Map(members, rest) => {
            let mut said: Vec<String> =
                members.iter().map(|member| format!("{}: {}", member.name, flat(&member.value))).collect();
            said.extend(rest.as_ref().map(|reason| format!("<{reason}>...")));
            format!("{{{}}}", said.join(", "))
        }
        Kind::Unknown(reason) => format!("<{reason}>"),
        Kind::Choice(choice) => {
            format!("({} ? {} : {})", choice.condition, flat(&choice.then), flat(&choice.otherwise))
        }
    }
}

const HEAD: &str = r#"
Transform: AWS::LanguageExtensions
Parameters:
  Env: {Type: String, Default: dev}
  Size: {Type: Number, Default: 3}
  Image: {Type: String}
  Only: {Type: String, AllowedValues: [one]}
  Names: {Type: CommaDelimitedList, Default: "a, b,c"}
  Ssm: {Type: "AWS::SSM::Parameter::Value<String>", Default: /app/image}
  Either: {Type: String, AllowedValues: [x, y], Default: x}
Mappings:
  ByEnv:
    dev: {Cpu: 256, List: [p, q], Same: s}
    prod: {Cpu: 512, List: [r], Same: s}
  ByRegion:
    us-east-1: {Ami: one, Same: s}
    eu-west-1: {Ami: two, Same: s}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  IsDev: !Equals [!Ref Env, dev]
  NotProd: !Not [!Condition IsProd]
  AlsoProd: {Condition: IsProd}
  Always: !Equals [a, a]
  Never: !Or [!Equals [a, b], !And [!Condition Always, !Equals ["1", 2]]]
  OneOnly: !Equals [!Ref Only, one]
  BothEnvs: !And [!Condition IsProd, !Condition IsDev]
  XorY: !Or [!Equals [!Ref Either, x], !Equals [!Ref Either, y]]
  HasImage: !Not [!Equals [!Ref Image, ""]]
  Circle: !Not [!Condition Circle]
  ByMap: !Equals [!FindInMap [ByEnv, !Ref Env, Cpu], 512]
Resources:
  Repo: {Type: "AWS::ECR::Repository"}
"#;

fn evaluated(snippet: &str) -> String {
    let text = format!("{HEAD}\nV: {snippet}\n");
    let read = yaml::read(FileId(0), &text, yaml::Dialect::Yaml11);
    assert!(read.problems.is_empty(), "{snippet}: {:?}", read.problems);
    let root = &read.documents[0];
    let template = Template::new(root, Arguments::new(), None);
    flat(&Evaluator::new(&template).value(root.get("V").expect("V")))
}

#[test]
fn functions_come_to_what_the_template_tells() {
    let table = [
        ("plain", r#""plain""#),
        ("!Ref Env", r#""dev""#),
        ("{Ref: Env}", r#""dev""#),
        ("!Ref Size", r#""3""#),
        ("!Ref Image", "<depends on the parameter Image, which has no default>"),
        ("!Ref Only", r#""one""#),
        ("!Ref Ssm", "<is read from Systems Manager by the parameter Ssm>"),
        ("!Ref Names", r#"["a", "b", "c"]"#),
        ("!Ref Repo", "<is known only once Repo exists>"),
        ("!GetAtt Repo.Arn", "<is known only once Repo exists>"),
        ("{Fn::GetAtt: [Repo, Arn]}", "<is known only once Repo exists>"),
        ("!Ref Nowhere", "<refers to Nowhere, which this template does not declare>"),
        ("!Ref AWS::Region", "<depends on AWS::Region>"),
        ("!Ref AWS::NoValue", "nothing"),
        ("[1, !Ref AWS::NoValue, 2]", "[1, 2]"),
        ("{a: 1, b: !Ref AWS::NoValue}", "{a: 1}"),
        ("!Sub 'x-${Env}-${!Lit}'", r#""x-dev-${Lit}""#),
        ("!Sub '${AWS::Region}/${Env}'", "<depends on AWS::Region>"),
        ("!Sub ['${A}${Env}', {A: !Ref Size}]", r#""3dev""#),
        ("!Sub '${Repo.Arn}'", "<is known only once Repo exists>"),
        ("!Sub '$ ${unclosed'", r#""$ ${unclosed""#),
        ("!Sub ''", r#""""#),
        ("!Join ['-', [a, !Ref Env, 1]]", r#""a-dev-1""#),
        ("!Join [',', !Ref Names]", r#""a,b,c""#),
        ("!Join ['', [a, !Ref Image]]", "<depends on the parameter Image, which has no default>"),
        ("!Join ['', [a, !Ref AWS::NoValue, b]]", r#""ab""#),
        ("!Select [1, !Ref Names]", r#""b""#),
        ("!Select ['0', !Split ['/', 'a/b']]", r#""a""#),
        ("!Select [7, [a]]", "<depends on an item that the list does not have>"),
        ("!Select [0, !GetAZs '']", "<depends on the zones of the region>"),
        ("!FindInMap [ByEnv, !Ref Env, Cpu]", "256"),
        ("!FindInMap [ByEnv, dev, List]", r#"["p", "q"]"#),
        ("!FindInMap [ByRegion, !Ref AWS::Region, Ami]", "<depends on AWS::Region>"),
        ("!FindInMap [ByRegion, !Ref AWS::Region, Same]", r#""s""#),
        ("!FindInMap [ByRegion, mars, Ami]", "<depends on an entry that the mapping does not have>"),
        ("!FindInMap [ByRegion, mars, Ami, {DefaultValue: d}]", r#""d""#),
        ("!FindInMap [Nope, a, b]", "<depends on the mapping Nope, which this template does not have>"),
        ("!ImportValue x", "<is imported from another stack>"),
        ("{Fn::ImportValue: !Sub 'x'}", "<is imported from another stack>"),
        ("'{{resolve:ssm:/a:1}}'", "<is resolved from ssm when the stack is deployed>"),
        ("!Join ['', ['{{resolve:', 'secretsmanager:x}}']]", "<is resolved from elsewhere when the stack is deployed>"),
        ("!Base64 x", "<depends on Fn::Base64>"),
        ("!Length [a, b]", "2"),
        ("{Fn::Length: !Ref Names}", "3"),
        ("!Rain::Module x", "<depends on Rain::Module, which CloudFormation does not have>"),
        ("{Fn::Transform: {Name: AWS::Include}}", "<depends on Fn::Transform>"),
        ("{Fn::Transform: {Name: AWS::Include}, a: 1}", "{a: 1, <depends on Fn::Transform>...}"),
        ("{Fn::ForEach::K: [X, [p, q], {'Key${X}': !Sub '${X}!'}]}", r#"{Keyp: "p!", Keyq: "q!"}"#),
        ("{Fn::ForEach::K: [X, !Ref Names, {'${X}': !Ref X}], z: 1}", r#"{a: "a", b: "b", c: "c", z: 1}"#),
        (
            "{Fn::ForEach::K: [X, !Ref Image, {'${X}': 1}]}",
            "{<depends on the parameter Image, which has no default>...}",
        ),
        ("{Fn::Join: !Split [a, b]}", "<depends on a Fn::Join with other arguments than it takes>"),
        ("yes", "true"),
    ];
    for (snippet, expected) in table {
        assert_eq!(evaluated(snippet), expected, "{snippet}");
    }
}

#[test]
fn what_is_known_of_a_text_is_kept() {
    let table = [
        ("!Sub '${AWS::Region}/app:1'", "?/app:1", ""),
        ("!Join ['', [!Sub '${AWS::AccountId}.dkr/app', ':', !Ref Env]]", "?.dkr/app:dev", ""),
        ("!Sub '${Repo}'", "", "Repo"),
        ("!Join ['', [!Ref Repo]]", "", "Repo"),
    ];
    for (snippet, parts, address) in table {
        let text = format!("{HEAD}\nV: {snippet}\n");
        let read = yaml::read(FileId(0), &text, yaml::Dialect::Yaml11);
        let root = &read.documents[0];
        let template = Template::new(root, Arguments::new(), None);
        let value = Evaluator::new(&template).value(root.get("V").expect("V"));
        let Kind::Unknown(reason) = &value.kind else { panic!("{snippet}: {value:?}") };
        let found: String = reason
            .parts()
            .iter()
            .map(|part| match part {
                tojimari_model::value::Part::Known(text) => &**text,
                tojimari_model::value::Part::Unknown(_) => "?",
            })
            .collect();
        assert_eq!((&*found, reason.address().map_or("", |address| address)), (parts, address), "{snippet}");
    }
}

#[test]
fn open_conditions_leave_both_branches() {
    let table = [
        ("!If [IsProd, 1, 2]", "(IsProd ? 1 : 2)"),
        ("!If [NotProd, 1, 2]", "(IsProd ? 2 : 1)"),
        ("!If [AlsoProd, 1, 2]", "(IsProd ? 1 : 2)"),
        ("!If [Always, 1, 2]", "1"),
        ("!If [Never, 1, 2]", "2"),
        ("!If [OneOnly, 1, 2]", "1"),
        ("!If [BothEnvs, 1, 2]", "2"),
        ("!If [XorY, 1, 2]", "1"),
        ("!If [HasImage, 1, 2]", "(HasImage ? 1 : 2)"),
        ("!If [ByMap, 1, 2]", "(ByMap ? 1 : 2)"),
        ("!If [Circle, 1, 2]", "(Circle ? 1 : 2)"),
        ("!If [Unheard, 1, 2]", "(Unheard ? 1 : 2)"),
        ("!If [IsProd, 1, 1]", "1"),
        ("!If [IsProd, !If [IsProd, 1, 2], !If [NotProd, 3, 4]]", "(IsProd ? 1 : 3)"),
        ("!If [IsProd, 1, !Ref AWS::NoValue]", "(IsProd ? 1 : nothing)"),
        ("[!If [IsProd, 1, !Ref AWS::NoValue]]", "[(IsProd ? 1 : nothing)]"),
        ("!Sub ['${A}-x', {A: !If [IsProd, p, d]}]", r#"(IsProd ? "p-x" : "d-x")"#),
        ("!Join [',', [!If [IsProd, p, !Ref AWS::NoValue], d]]", r#"(IsProd ? "p,d" : "d")"#),
        ("!Select [0, !If [IsProd, [a], [b]]]", r#"(IsProd ? "a" : "b")"#),
        ("!If [IsProd, 1]", "<depends on a Fn::If that is not a condition and two values>"),
        ("!Equals [a, a]", "<depends on Fn::Equals, which is for conditions>"),
    ];
    for (snippet, expected) in table {
        assert_eq!(evaluated(snippet), expected, "{snippet}");
    }
}

/// Files by their path from the root.
#[derive(Default)]
struct Folder {
    files: HashMap<String, String>,
    loaded: Mutex<HashMap<String, FileId>>,
    sources: Sources,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Folder { files, ..Folder::default() }
    }

    fn read(&self, path: &str) -> crate::Read {
        let file = self.load(path).expect(path);
        let (trees, problems) = crate::parse(file, &self.sources);
        assert!(problems.is_empty(), "{problems:?}");
        assert!(is_template(&trees[0]));
        read(&trees[0], &self.sources, self)
    }
}

impl Files for Folder {
    fn load(&self, path: &str) -> Result<FileId, String> {
        let mut loaded = self.loaded.lock().unwrap();
        if let Some(file) = loaded.get(path) {
            return Ok(*file);
        }
        let text = self.files.get(path).ok_or_else(|| format!("{path} does not exist"))?;
        let file = self.sources.add(path, text.as_str());
        loaded.insert(path.to_owned(), file);
        Ok(file)
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

/// One line for each resource: address, what is assumed, and of each container whether its root
/// is read-only.
fn said(read: &crate::Read) -> String {
    let mut out = String::new();
    for resource in &read.stacks[0].resources {
        let assumed: Vec<String> =
            resource.assumed.iter().map(|a| format!("{}{}", if a.holds { "" } else { "!" }, a.condition)).collect();
        write!(out, "{} {}", resource.declared.kind(), resource.address).unwrap();
        if !assumed.is_empty() {
            write!(out, " if {}", assumed.join(" and ")).unwrap();
        }
        if let Declared::TaskDefinition(task) = &resource.declared {
            for container in &task.containers {
                let root = match &container.readonly_root_filesystem {
                    Field::Absent => "absent".to_owned(),
                    Field::Known(b, _) => b.to_string(),
                    Field::Unknown(reason, _) => format!("<{reason}>"),
                };
                write!(out, "; {}: {root}", container.name.as_str().unwrap_or("?")).unwrap();
            }
            if let Some((reason, _)) = &task.containers.rest {
                write!(out, "; <{reason}>").unwrap();
            }
        }
        out.push('\n');
    }
    out
}

#[test]
fn resources_come_under_the_conditions_that_they_depend_on() {
    let text = r#"
AWSTemplateFormatVersion: '2010-09-09'
Parameters:
  Env: {Type: String, Default: dev, AllowedValues: [dev, prod]}
  ReadOnly: {Type: String, Default: 'false'}
  Sidecars: {Type: String, Default: ''}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  IsDev: !Equals [!Ref Env, dev]
  Sidecar: !Not [!Equals [!Ref Sidecars, '']]
  Never: !Equals [a, b]
Resources:
  Both:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web
          ReadonlyRootFilesystem: !If [IsProd, true, false]
        - !If
          - Sidecar
          - {Name: log, ReadonlyRootFilesystem: !If [IsDev, true, false]}
          - !Ref AWS::NoValue
  Default:
    Type: AWS::ECS::TaskDefinition
    Properties: {ContainerDefinitions: [{Name: web, ReadonlyRootFilesystem: !Ref ReadOnly}]}
  Whole:
    Type: AWS::ECS::TaskDefinition
    Condition: IsProd
    Properties:
      ContainerDefinitions: !If [IsProd, [{Name: p, ReadonlyRootFilesystem: 'true'}], [{Name: d}]]
  Gone: {Type: AWS::ECS::Cluster, Condition: Never}
  Cluster: {Type: AWS::ECS::Cluster}
  Other: {Type: AWS::S3::Bucket}
  Included:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://a/b}}
"#;
    let folder = Folder::new(&[("t.yaml", text)]);
    let read = folder.read("t.yaml");
    assert_eq!(
        said(&read),
        "task-definition Both if Sidecar and IsProd; web: true; log: false\n\
         task-definition Both if Sidecar and !IsProd; web: false; log: true\n\
         task-definition Both if !Sidecar and IsProd; web: true\n\
         task-definition Both if !Sidecar and !IsProd; web: false\n\
         task-definition Default; web: false\n\
         task-definition Whole if IsProd; p: true\n\
         cluster Cluster\n\
         task-definition Included; <depends on Fn::Transform>\n"
    );
    assert!(read.problems.is_empty(), "{:?}", read.problems);
}

#[test]
fn nested_stacks_are_read_with_what_they_are_given() {
    let parent = r#"
Parameters: {Harden: {Type: String, Default: 'true'}}
Conditions: {Hard: !Equals [!Ref Harden, 'true']}
Resources:
  Cluster: {Type: AWS::ECS::Cluster}
  Web:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: ./stacks/service.yaml
      Parameters: {ReadOnly: 'true', Name: web, Cluster: !GetAtt Base.Outputs.ClusterName}
  Job:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: stacks/service.yaml
      Parameters: {ReadOnly: !If [Hard, 'true', 'false'], Name: job, Cluster: !Ref Cluster}
  Base: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: base.json}}
  Remote: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: https://s3.amazonaws.com/b/x.yaml}}
  Lost: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: lost.yaml}}
"#;
    let service = r#"
Parameters: {ReadOnly: {Type: String}, Name: {Type: String}, Cluster: {Type: String}}
Conditions: {Hard: !Equals [!Ref ReadOnly, 'true']}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties: {ContainerDefinitions: [{Name: !Ref Name, ReadonlyRootFilesystem: !If [Hard, true, false]}]}
  Service: {Type: AWS::ECS::Service, Properties: {Cluster: !Ref Cluster, TaskDefinition: !Ref Task}}
"#;
    let base = r#"{"Resources": {"Main": {"Type": "AWS::ECS::Cluster"}},
        "Outputs": {"ClusterName": {"Value": {"Ref": "Main"}}}}"#;
    let folder = Folder::new(&[("a/t.yaml", parent), ("a/stacks/service.yaml", service), ("a/base.json", base)]);
    let read = folder.read("a/t.yaml");
    assert_eq!(
        said(&read),
        "cluster Main\n\
         task-definition Web.Task; web: true\n\
         service Web.Service\n\
         task-definition Job.Task if Hard of Job; job: true\n\
         task-definition Job.Task if !Hard of Job; job: false\n\
         service Job.Service\n\
         cluster Cluster\n"
    );
    let services: Vec<String> = read.stacks[0]
        .resources
        .iter()
        .filter_map(|resource| match &resource.declared {
            Declared::Service(service) => Some(format!("{:?} {:?}", service.cluster, service.task_definition)),
            _ => None,
        })
        .collect();
    assert!(services[0].contains("Declared(\"Main\"") && services[0].contains("Declared(\"Web.Task\""), "{services:?}");
    assert!(services[1].contains("Declared(\"Cluster\"") && services[1].contains("Declared(\"Job.Task\""));
    let problems: Vec<&str> = read.problems.iter().map(|problem| &*problem.message).collect();
    assert_eq!(problems, ["cannot read the nested stack: a/lost.yaml does not exist"]);
    assert_eq!(read.claimed.len(), 2);
}

/// What goes through a macro of the user's own may come out as anything.
#[test]
fn macros_of_ones_own_leave_what_they_change_unknown() {
    let task =
        |properties: &str| format!("Resources: {{T: {{Type: AWS::ECS::TaskDefinition, Properties: {properties}}}}}");
    let web = "{ContainerDefinitions: [{Name: web, ReadonlyRootFilesystem: true}]}";
    let own = "Fn::Transform: {Name: Mine}";
    for (text, expected) in [
        (format!("Transform: AWS::Serverless-2016-10-31\n{}", task(web)), "web: true"),
        (
            format!("Transform: [AWS::LanguageExtensions, Mine]\n{}", task(web)),
            "<depends on the macro Mine, which may change it>",
        ),
        (format!("Transform: {{Name: Mine}}\n{}", task(web)), "<depends on the macro Mine, which may change it>"),
        (task(&web.replace("Name:", &format!("{own}, Name:"))), "<depends on the macro Mine>"),
        (task(&format!("{{{own}, Family: f}}")), "<depends on the macro Mine>"),
        (task(&web.replace("true", "{Fn::Transform: {Name: Mine}}")), "web: <depends on Fn::Transform>"),
        (
            format!("Resources: {{{own}, T: {{Type: AWS::ECS::TaskDefinition, Properties: {web}}}}}"),
            "<depends on the macro Mine, which may change it>",
        ),
        (
            format!("Resources: {{T: {{Type: AWS::ECS::TaskDefinition, {own}, Properties: {web}}}}}"),
            "<depends on the macro Mine, which may change it>",
        ),
    ] {
        let said = said(&Folder::new(&[("t.yaml", &text)]).read("t.yaml"));
        assert_eq!(said, format!("task-definition T; {expected}\n"), "{text}");
    }
}

#[test]
fn a_stack_that_nests_itself_comes_to_an_end() {
    let text = r#"
Resources:
  Cluster: {Type: AWS::ECS::Cluster}
  A: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: t.yaml}}
  B: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: t.yaml}}
"#;
    let read = Folder::new(&[("t.yaml", text)]).read("t.yaml");
    assert!(!read.problems.is_empty());
    assert!(read.stacks[0].resources.len() <= 600);
}

#[test]
fn loops_declare_resources() {
    let text = r#"
Transform: [AWS::LanguageExtensions]
Parameters: {Open: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::Apps:
    - App
    - [Web, Job]
    - Task${App}:
        Type: AWS::ECS::TaskDefinition
        Properties: {ContainerDefinitions: [{Name: !Ref App, ReadonlyRootFilesystem: true}]}
  Fn::ForEach::More:
    - App
    - !Ref Open
    - More${App}: {Type: AWS::ECS::Cluster}
"#;
    let read = Folder::new(&[("t.yaml", text)]).read("t.yaml");
    assert_eq!(said(&read), "task-definition TaskWeb; Web: true\ntask-definition TaskJob; Job: true\n");
    assert_eq!(read.problems.len(), 1);
    assert!(read.problems[0].message.contains("cannot be listed"), "{:?}", read.problems);
}

#[test]
fn other_names_than_the_api_s_are_understood() {
    let text = r#"{"Resources": {"T": {"Type": "AWS::ECS::TaskDefinition",
        "Metadata": {"aws:cdk:path": "Stack/Task/Resource"},
        "Properties": {"Family": "f", "Volumes": [
            {"Name": "v", "EFSVolumeConfiguration": {"FilesystemId": "fs-1", "AuthorizationConfig": {"IAM": "ENABLED"}}}],
            "ContainerDefinitions": [{"Name": "c", "DockerLabels": {"Upper": "x"}}]}},
        "R": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryPolicyText": {"Statement": []},
            "LifecyclePolicy": {"LifecyclePolicyText": "{\"rules\": []}"}}}}}"#;
    let read = Folder::new(&[("t.json", text)]).read("t.json");
    let [task, repository] = &read.stacks[0].resources[..] else { panic!("{:?}", read.stacks) };
    assert_eq!(&*task.name, "Stack/Task");
    let Declared::TaskDefinition(definition) = &task.declared else { panic!("{task:?}") };
    let tojimari_model::declared::VolumeSource::Efs(efs) = &definition.volumes.items[0].source else {
        panic!("{definition:?}")
    };
    assert_eq!((efs.file_system_id.as_str(), efs.iam.as_str()), (Some("fs-1"), Some("ENABLED")));
    assert_eq!(definition.containers.items[0].docker_labels.items[0].0, "Upper");
    let Declared::Repository(repository) = &repository.declared else { panic!("{repository:?}") };
    assert!(repository.policy.known().is_some_and(|policy| policy.get("Statement").is_some()));
    assert!(repository.lifecycle_policy.known().is_some_and(|policy| policy.get("rules").is_some()));
}

#[test]
fn hostile_templates_end_soon() {
    let chain: String = (1..200).map(|i| format!("  C{i}: !And [!Condition C{0}, !Condition C{0}]\n", i - 1)).collect();
    let wide: String = (0..300).map(|i| format!("  W{i}: !Equals [!Ref P{i}, x]\n")).collect();
    let all: String = (0..9).map(|i| format!("!Condition W{i}, ")).collect();
    let doubling = "${P}".repeat(1000);
    let large = "x".repeat(100_000);
    let uses = "!Ref P, ".repeat(20_000);
    let loops = (0..12).fold("{'K': 1}".to_owned(), |body, i| {
        format!("{{'Fn::ForEach::L{i}': [V{i}, [a, b, c, d, e, f, g, h], {body}]}}")
    });
    let table = [
        format!(
            "Conditions:\n  C0: !Equals [!Ref X, y]\n{chain}Resources: {{T: {{Type: AWS::ECS::Cluster, Condition: C199}}}}"
        ),
        format!(
            "Conditions:\n{wide}  All: !And [{all}]\nResources: {{T: {{Type: AWS::ECS::Cluster, Condition: All}}}}"
        ),
        format!(
            "Parameters: {{P: {{Type: String, Default: {large}}}}}\nResources: {{T: {{Type: AWS::ECS::TaskDefinition, Properties: {{Family: !Sub '{doubling}', Tags: [{uses}]}}}}}}"
        ),
        format!(
            "Transform: AWS::LanguageExtensions\nResources: {{T: {{Type: AWS::ECS::TaskDefinition, Properties: {loops}}}}}"
        ),
        format!(
            "Resources: {{T: {{Type: AWS::ECS::TaskDefinition, Properties: {{Family: {}x{}}}}}}}",
            "{a: ".repeat(150),
            "}".repeat(150)
        ),
    ];
    for text in &table {
        let start = std::time::Instant::now();
        Folder::new(&[("t.yaml", text)]).read("t.yaml");
        assert!(start.elapsed().as_secs() < 20, "{:?} for {}", start.elapsed(), &text[..80]);
    }
}
