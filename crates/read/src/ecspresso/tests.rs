//! Configurations and definitions of ecspresso, with templates and in Jsonnet.

use std::collections::HashMap;

use super::*;
use tojimari_model::declared::{Field, Reference, TaskDefinition};

struct Folder {
    sources: Sources,
    files: HashMap<String, FileId>,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let sources = Sources::new();
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), sources.add(*name, *text))).collect();
        Folder { sources, files }
    }

    fn read(&self, name: &str) -> Option<Read> {
        read(self.files[name], &self.sources, self)
    }
}

impl Files for Folder {
    fn load(&self, path: &str) -> Result<FileId, String> {
        self.files.get(path).copied().ok_or_else(|| format!("{path} does not exist"))
    }

    fn list(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
}

fn tasks(read: &Read) -> Vec<&TaskDefinition> {
    let resources = read.stacks.iter().flat_map(|stack| &stack.resources);
    resources
        .filter_map(|resource| match &resource.declared {
            Declared::TaskDefinition(task) => Some(&**task),
            _ => None,
        })
        .collect()
}

fn root(task: &TaskDefinition) -> String {
    match &task.containers.items[0].readonly_root_filesystem {
        Field::Absent => "absent".to_owned(),
        Field::Known(b, _) => b.to_string(),
        Field::Unknown(reason, _) => format!("<{reason}>"),
    }
}

#[test]
fn templates_are_unknown_wherever_they_stand() {
    let json = |value: &str| {
        format!(r#"{{"family": "f", "containerDefinitions": [{{"name": "a", "readonlyRootFilesystem": {value}}}]}}"#)
    };
    let yaml =
        |value: &str| format!("family: f\ncontainerDefinitions:\n  - name: a\n    readonlyRootFilesystem: {value}\n");
    let jsonnet = |value: &str| {
        format!("{{family: 'f', containerDefinitions: [{{name: 'a', readonlyRootFilesystem: {value}}}]}}")
    };
    let x = "<depends on the environment variable X>";
    let table = [
        ("t.json", json("true"), "true"),
        ("t.json", json("{{ must_env `X` }}"), x),
        ("t.json", json("\"{{ env `X` `true` }}\""), x),
        ("t.json", json("{{ tfstate `a['b'].c` }}"), "<depends on the template function tfstate>"),
        ("t.json", json("{{ or (env `X` ``) `true` }}"), "<depends on the template function or>"),
        ("t.json", json("true{{ if env `X` `` }}, \"user\": \"1\"{{ end }}"), "true"),
        ("t.yaml", yaml("true"), "true"),
        ("t.yaml", yaml("{{ must_env `X` }}"), x),
        ("t.yaml", yaml("'{{ must_env `X` }}'"), x),
        ("t.jsonnet", jsonnet("true"), "true"),
        ("t.jsonnet", jsonnet("'{{ must_env `X` }}'"), x),
        ("t.jsonnet", jsonnet("std.extVar('X')"), "<depends on the external variable X>"),
        ("t.jsonnet", jsonnet("std.native('must_env')('X') == 'a'"), "<depends on the native function must_env>"),
    ];
    for (name, text, expected) in &table {
        let read = Folder::new(&[(name, text)]).read(name).expect(text);
        assert_eq!(root(tasks(&read)[0]), *expected, "{text}");
        assert!(read.problems.is_empty(), "{text}: {:?}", read.problems);
    }
}

#[test]
fn what_a_condition_brings_may_not_be_there() {
    let text = "{\"family\": \"f\", \"containerDefinitions\": [{\"name\": \"a\"\n{{ if env `X` `` }}\n, \"readonlyRootFilesystem\": true\n{{ end }}\n}]}";
    let read = Folder::new(&[("t.json", text)]).read("t.json").expect("ours");
    assert_eq!(root(tasks(&read)[0]), "<depends on a condition of the template>");
}

#[test]
fn known_parts_of_a_text_are_kept() {
    let text = r#"{"family": "f", "containerDefinitions": [{"name": "a", "image": "app:{{ must_env `TAG` }}"}]}"#;
    let read = Folder::new(&[("t.json", text)]).read("t.json").expect("ours");
    let (reason, _) = tasks(&read)[0].containers.items[0].image.unknown().expect("unknown");
    assert_eq!(reason.parts()[0], Part::Known("app:".into()));
}

#[test]
fn conditions_of_jsonnet_leave_both_branches() {
    let text = "local prod = std.extVar('ENV') == 'prod'; {family: 'f', containerDefinitions: [{name: 'a', readonlyRootFilesystem: if prod then true else false}]}";
    let read = Folder::new(&[("t.jsonnet", text)]).read("t.jsonnet").expect("ours");
    let roots: Vec<String> = tasks(&read).into_iter().map(root).collect();
    assert_eq!(roots, ["true", "false"]);
    assert_eq!(&*read.stacks[0].resources[0].assumed[0].condition, "prod");
}

#[test]
fn a_configuration_joins_its_definitions() {
    let folder = Folder::new(&[
        (
            "deploy/ecspresso.yml",
            "region: x\ncluster: main\nservice: '{{ must_env `S` }}'\nservice_definition: sv.jsonnet\ntask_definition: ./td.json\nplugins:\n{{ if (env `T` ``) }}\n  - name: tfstate\n{{ end }}\n",
        ),
        ("deploy/sv.jsonnet", "{desiredCount: 1, enableExecuteCommand: true}"),
        ("deploy/td.json", r#"{"family": "app", "containerDefinitions": [{"name": "a"}]}"#),
    ]);
    let read = folder.read("deploy/ecspresso.yml").expect("ours");
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    assert_eq!(read.claimed.len(), 2);
    let [task, service] = &read.stacks[0].resources[..] else { panic!("{read:?}") };
    assert_eq!((&*task.address, &*service.address), ("app", "service"));
    let Declared::Service(service) = &service.declared else { panic!("{service:?}") };
    assert_eq!(service.enable_execute_command.known(), Some(&true));
    assert!(matches!(&service.task_definition, Reference::Declared(address, _) if &**address == "app"));
    assert_eq!(service.cluster.name(), Some("main"));

    let read = Folder::new(&[("c.json", r#"{"service": "s", "task_definition": "gone.json"}"#)]).read("c.json");
    let problems = read.expect("ours").problems;
    assert_eq!(problems[0].message, "cannot read the task definition: gone.json does not exist");
}

#[test]
fn what_cannot_be_read_is_told() {
    for (name, text) in [
        ("a.jsonnet", "{containerDefinitions: [}"),
        ("a.yaml", "containerDefinitions: [\n"),
        ("a.json", "{\"containerDefinitions\": [{{ x }"),
    ] {
        let read = Folder::new(&[(name, text)]).read(name).expect(name);
        assert!(!read.problems.is_empty() && read.stacks.is_empty(), "{name}");
    }
}

#[test]
fn other_files_are_not_ours() {
    for (name, text) in [("a.jsonnet", "{a: 1}"), ("a.json", "{\"a\": 1}"), ("a.yaml", "a: 1")] {
        assert!(Folder::new(&[(name, text)]).read(name).is_none(), "{name}");
    }
}
