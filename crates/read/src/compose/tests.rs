//! What Compose services come to, in every form, and over files that are merged, extended and
//! included.

use std::collections::HashMap;
use std::sync::Mutex;

use tojimari_text::{FileId, Sources};

use crate::{Files, Read, read, units};
use tojimari_model::declared::Declared;
use tojimari_model::value::{Kind, Value};

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

    /// Reads the files of these names as they would be walked.
    fn read(&self, paths: &[&str]) -> Vec<Read> {
        let files: Vec<FileId> = paths.iter().map(|path| self.load(path).expect(path)).collect();
        units(&self.sources, &files).iter().map(|unit| read(unit, &self.sources, self)).collect()
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

/// A value on one line: what is unknown in angle brackets.
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
        Kind::Choice(_) => panic!("Compose has no conditions"),
    }
}

/// The container of a service with these lines, without its name, and the volumes of its task.
fn container(lines: &str) -> (String, String) {
    let text = format!("services:\n  a:\n    {}\nvolumes:\n  data: {{driver: nfs}}\n", lines.replace('\n', "\n    "));
    let sources = Sources::new();
    let file = sources.add("compose.yaml", text.as_str());
    let root = tojimari_text::yaml::read(file, &text, tojimari_text::yaml::Dialect::Yaml12);
    assert!(root.problems.is_empty(), "{lines}: {:?}", root.problems);
    let variables = super::interpolate::Variables::default();
    let value = |node| super::merge::settled(super::merge::value(node, "", &variables));
    let service = root.documents[0].get("services").and_then(|s| s.get("a")).expect("a");
    let volumes = root.documents[0].get("volumes").expect("volumes");
    let task = super::service::task("a", service.span, &value(service), &value(volumes));
    let without = |value: &Value, names: &[&str]| {
        let said: Vec<String> = value
            .members()
            .iter()
            .filter(|member| !names.contains(&&*member.name))
            .map(|member| format!("{}: {}", member.name, flat(&member.value)))
            .collect();
        said.join(", ")
    };
    let container = &task.get("containerDefinitions").expect("containers").items()[0];
    (without(container, &["name"]), without(&task, &["family", "containerDefinitions"]))
}

#[test]
fn fields_of_a_service_have_their_ecs_names() {
    let table = [
        ("image: nginx", r#"image: "nginx""#),
        ("build: .\nimage: nginx", "image: <is built by this project>"),
        ("read_only: true", "readonlyRootFilesystem: true"),
        ("read_only: 'yes'", "readonlyRootFilesystem: true"),
        ("read_only: off", "readonlyRootFilesystem: false"),
        ("read_only: ${RO:-true}", "readonlyRootFilesystem: true"),
        ("read_only: ${RO}", "readonlyRootFilesystem: <depends on the variable RO, which has no default>"),
        ("privileged: true\nuser: 1000", "privileged: true, user: 1000"),
        ("command: run --x 'a b' \"c\"", r#"command: ["run", "--x", "a b", "c"]"#),
        ("entrypoint: [sh, -c]", r#"entryPoint: ["sh", "-c"]"#),
        (
            "environment: {A: 1, B: }",
            r#"environment: [{name: "A", value: 1}, {name: "B", value: <comes from the shell that runs Compose>}]"#,
        ),
        (
            "environment: [A=1, B]",
            r#"environment: [{name: "A", value: "1"}, {name: "B", value: <comes from the shell that runs Compose>}]"#,
        ),
        ("env_file: .env", r#"environmentFiles: [{value: ".env"}]"#),
        ("env_file: [{path: a.env, required: false}]", r#"environmentFiles: [{value: "a.env"}]"#),
        (
            "cap_add: [CAP_NET_ADMIN, sys_ptrace]\ncap_drop: [ALL]",
            r#"linuxParameters: {capabilities: {add: ["NET_ADMIN", "SYS_PTRACE"], drop: ["ALL"]}}"#,
        ),
        (
            "security_opt: ['no-new-privileges:true', 'seccomp:unconfined']",
            r#"dockerSecurityOptions: ["no-new-privileges", "seccomp:unconfined"]"#,
        ),
        (
            "healthcheck: {test: curl x, interval: 1m30s, retries: 3}",
            r#"healthCheck: {command: ["CMD-SHELL", "curl x"], interval: 90, retries: 3}"#,
        ),
        ("healthcheck: {disable: true}", ""),
        ("healthcheck: {test: [NONE]}", ""),
        ("logging: {driver: none}", r#"logConfiguration: {logDriver: "none"}"#),
        (
            "logging: {options: {max-size: 1m}}",
            r#"logConfiguration: {options: {max-size: "1m"}, logDriver: "json-file"}"#,
        ),
        (
            "ulimits: {nofile: 5, nproc: {soft: 1, hard: 2}}",
            r#"ulimits: [{name: "nofile", softLimit: 5, hardLimit: 5}, {name: "nproc", softLimit: 1, hardLimit: 2}]"#,
        ),
        (
            "ports: ['127.0.0.1:80:8080/udp', 90]",
            r#"portMappings: [{containerPort: 8080, hostPort: 80, protocol: "udp"}, {containerPort: 90, protocol: "tcp"}]"#,
        ),
        (
            "ports: [{target: 80, published: '90-95', protocol: tcp}]",
            r#"portMappings: [{containerPort: 80, protocol: "tcp"}]"#,
        ),
        ("mem_limit: 1g\nshm_size: 64m", "memory: 1024, linuxParameters: {sharedMemorySize: 64}"),
        ("deploy: {resources: {limits: {memory: 512M}}}", "memory: 512"),
        (
            "devices: ['/dev/fuse:/dev/fuse:rwm']",
            r#"linuxParameters: {devices: [{hostPath: "/dev/fuse", containerPath: "/dev/fuse"}]}"#,
        ),
        ("labels: [a=b]", r#"dockerLabels: {a: "b"}"#),
        ("read_only: !odd true", "readonlyRootFilesystem: <depends on the tag !odd>"),
        ("read_only: !reset true", ""),
        (
            "tmpfs: /run",
            r#"linuxParameters: {tmpfs: [{containerPath: "/run", mountOptions: ["noexec", "nosuid", "nodev"]}]}"#,
        ),
        (
            "tmpfs: ['/run:exec,size=64m,mode=1777']",
            r#"linuxParameters: {tmpfs: [{containerPath: "/run", size: 64, mountOptions: ["nosuid", "nodev", "exec", "mode=1777"]}]}"#,
        ),
        (
            "volumes: [{type: tmpfs, target: /t, tmpfs: {size: 1048576, mode: 0755}}]",
            r#"linuxParameters: {tmpfs: [{containerPath: "/t", size: 1, mountOptions: ["noexec", "nosuid", "nodev", "mode=755"]}]}"#,
        ),
    ];
    for (lines, expected) in table {
        assert_eq!(container(lines).0, expected, "{lines}");
    }
}

#[test]
fn fields_of_the_task_have_their_ecs_names() {
    let table = [
        ("network_mode: host\npid: host\nipc: host", r#"networkMode: "host", pidMode: "host", ipcMode: "host""#),
        ("platform: linux/arm64", r#"runtimePlatform: {operatingSystemFamily: "LINUX", cpuArchitecture: "ARM64"}"#),
    ];
    for (lines, expected) in table {
        assert_eq!(container(lines).1, expected, "{lines}");
    }
}

#[test]
fn volumes_come_in_every_form() {
    let table = [
        ("[/var/lib]", r#"mountPoints: [{containerPath: "/var/lib"}]"#, ""),
        (
            "['data:/d:ro']",
            r#"mountPoints: [{sourceVolume: "data", containerPath: "/d", readOnly: true}]"#,
            r#"volumes: [{name: "data", dockerVolumeConfiguration: {driver: "nfs", scope: "shared"}}]"#,
        ),
        (
            "[./x:/d]",
            r#"mountPoints: [{sourceVolume: "./x", containerPath: "/d"}]"#,
            r#"volumes: [{name: "./x", host: {sourcePath: "./x"}}]"#,
        ),
        (
            "['C:\\a:C:\\b:ro']",
            r#"mountPoints: [{sourceVolume: "C:\\a", containerPath: "C:\\b", readOnly: true}]"#,
            r#"volumes: [{name: "C:\\a", host: {sourcePath: "C:\\a"}}]"#,
        ),
        (
            "['${X:-./y}:/d']",
            r#"mountPoints: [{sourceVolume: "./y", containerPath: "/d"}]"#,
            r#"volumes: [{name: "./y", host: {sourcePath: "./y"}}]"#,
        ),
        (
            "['${X}/y:/d']",
            r#"mountPoints: [{sourceVolume: <depends on the variable X, which has no default>, containerPath: "/d"}]"#,
            r#"volumes: [{name: <depends on the variable X, which has no default>, host: {sourcePath: <depends on the variable X, which has no default>}}]"#,
        ),
        (
            "['${X}:/d']",
            r#"mountPoints: [{sourceVolume: <depends on the variable X, which has no default>, containerPath: "/d"}]"#,
            r#"volumes: [{name: <depends on the variable X, which has no default>, host: <depends on the variable X, which has no default>}]"#,
        ),
        (
            "['${X}']",
            "mountPoints: [<depends on the variable X, which has no default>...]",
            "volumes: [<depends on the variable X, which has no default>...]",
        ),
        (
            "[{type: bind, source: /, target: /host, read_only: true}]",
            r#"mountPoints: [{sourceVolume: "/", containerPath: "/host", readOnly: true}]"#,
            r#"volumes: [{name: "/", host: {sourcePath: "/"}}]"#,
        ),
        ("[{type: volume, target: /v}]", r#"mountPoints: [{containerPath: "/v"}]"#, ""),
        (
            "[one:/d, two:/d]",
            r#"mountPoints: [{sourceVolume: "two", containerPath: "/d"}]"#,
            r#"volumes: [{name: "two", dockerVolumeConfiguration: {scope: "shared"}}]"#,
        ),
    ];
    for (lines, points, volumes) in table {
        let (found, of_task) = container(&format!("volumes: {lines}"));
        assert_eq!((&*found, &*of_task), (points, volumes), "{lines}");
    }
}

/// One line for each service: its image, whether its root is read-only, how often it is given
/// capabilities, and its environment.
fn said(reads: &[Read]) -> Vec<String> {
    let mut lines = Vec::new();
    for resource in reads.iter().flat_map(|read| &read.stacks).flat_map(|stack| &stack.resources) {
        let Declared::TaskDefinition(task) = &resource.declared else { panic!("{resource:?}") };
        let container = &task.containers.items[0];
        let environment: Vec<String> = container
            .environment
            .iter()
            .map(|variable| {
                format!("{}={}", variable.name.as_str().unwrap_or("?"), variable.value.as_str().unwrap_or("?"))
            })
            .collect();
        let root = match container.readonly_root_filesystem.unknown() {
            Some((reason, _)) => format!("<{reason}>"),
            None => format!("{:?}", container.readonly_root_filesystem.known()),
        };
        let drops = container.linux_parameters.known().map_or(0, |linux| linux.capabilities_drop.items.len());
        lines.push(format!(
            "{} {} {root} {drops} {}",
            resource.address,
            container.image.as_str().unwrap_or("?"),
            environment.join(" ")
        ));
    }
    lines
}

#[test]
fn an_override_is_laid_over_its_base() {
    let base = "services:\n  a: {image: x, read_only: true, environment: [A=1, B=2], cap_drop: [ALL], command: [x, y]}\n  b: {image: y}\n";
    let over =
        "services:\n  a: {read_only: false, environment: {B: 3}, cap_drop: [NET_RAW], command: [z]}\n  c: {image: z}\n";
    let reset = "services:\n  a: {read_only: !reset null, environment: !override {C: 1}}\n";
    let folder = Folder::new(&[
        ("p/compose.yaml", base),
        ("p/compose.override.yml", over),
        ("p/docker-compose.prod.yml", reset),
    ]);
    let reads = folder.read(&["p/compose.override.yml", "p/compose.yaml"]);
    assert_eq!(said(&reads), ["a x Some(false) 2 A=1 B=3", "b y None 0 ", "c z None 0 "]);
    // A file that only changes services of the main one is read over it.
    let reads = folder.read(&["p/docker-compose.prod.yml"]);
    assert_eq!(said(&reads), ["a x None 1 C=1"]);
}

/// The shell that deploys may say otherwise; `.env` is what the files tell.
#[test]
fn the_files_of_a_project_are_those_that_env_lists() {
    let base = "services:\n  a: {image: x, read_only: true}\n";
    let prod = "services:\n  a: {environment: [A=1]}\n  b: {image: y}\n";
    let unlisted = "services:\n  a: {read_only: false}\n";
    let folder = Folder::new(&[
        ("p/compose.yaml", base),
        ("p/deploy/prod.yaml", prod),
        ("p/compose.override.yaml", unlisted),
        ("p/.env", "COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE=compose.yaml,deploy/prod.yaml,lost.yaml # all\n"),
    ]);
    let reads = folder.read(&["p/compose.yaml", "p/compose.override.yaml"]);
    assert_eq!(said(&reads), ["a x Some(true) 0 A=1", "b y None 0 "]);
    assert_eq!(reads[0].claimed.len(), 1);
    let problems: Vec<&str> = reads[0].problems.iter().map(|problem| &*problem.message).collect();
    assert_eq!(problems, ["cannot read a file of the project that .env lists: p/lost.yaml does not exist"]);
    // A file that is listed, but not first, is read on its own where it is looked at alone.
    assert_eq!(said(&folder.read(&["p/deploy/prod.yaml"])).last().map(String::as_str), Some("b y None 0 "));
}

#[test]
fn services_extend_one_another() {
    let base = "services:\n  base: {image: x, read_only: true, environment: {A: 1}}\n  mid: {extends: base, environment: {B: 2}}\n";
    let text = r#"
services:
  a: {extends: {file: common/base.yml, service: mid}, environment: {A: 9}}
  b: {extends: a, image: z}
  lost: {extends: {file: nowhere.yml, service: x}, image: z}
  none: {extends: nobody, image: z}
  self: {extends: self, image: z}
"#;
    let folder = Folder::new(&[("compose.yaml", text), ("common/base.yml", base)]);
    let reads = folder.read(&["compose.yaml"]);
    assert_eq!(
        said(&reads),
        [
            "a x Some(true) 0 A=9 B=2",
            "b z Some(true) 0 A=9 B=2",
            "lost z <depends on the service x, which cannot be read> 0 ",
            "none z <depends on the service nobody, which cannot be read> 0 ",
            "self z <depends on the service self, which cannot be read> 0 ",
        ]
    );
    let problems: Vec<&str> = reads[0].problems.iter().map(|problem| &*problem.message).collect();
    assert_eq!(
        problems,
        [
            "cannot read what this service extends: nowhere.yml does not exist",
            "there is no service `nobody` to extend",
            "a service cannot extend itself",
        ]
    );
}

#[test]
fn projects_include_others_with_variables_of_their_own() {
    let text = "include: [sub/compose.yaml, {path: [other.yml], env_file: other.env}, gone.yml]\nservices: {a: {image: 'a:$TAG'}}\n";
    let folder = Folder::new(&[
        ("compose.yaml", text),
        (".env", "TAG=1"),
        ("sub/compose.yaml", "services: {b: {image: 'b:$TAG'}}"),
        ("sub/.env", "TAG=2"),
        ("other.yml", "services: {c: {image: 'c:$TAG'}}"),
        ("other.env", "TAG=3"),
    ]);
    let reads = folder.read(&["compose.yaml"]);
    assert_eq!(said(&reads), ["b b:2 None 0 ", "c c:3 None 0 ", "a a:1 None 0 "]);
    assert_eq!(reads[0].claimed.len(), 2);
    assert_eq!(reads[0].problems.len(), 1);
}

#[test]
fn a_project_that_includes_itself_comes_to_an_end() {
    let folder = Folder::new(&[("compose.yaml", "include: [compose.yaml, compose.yaml]\nservices: {a: {image: x}}\n")]);
    let reads = folder.read(&["compose.yaml"]);
    assert_eq!(said(&reads).len(), 1);
    assert!(!reads[0].problems.is_empty());
}

#[test]
fn what_another_unit_reads_is_a_part_of_it() {
    let folder = Folder::new(&[
        ("a.yml", "include: [b.yml]\nservices: {a: {image: x}}"),
        ("b.yml", "include: [a.yml]\nservices: {b: {image: x}}"),
        ("c.yml", "services: {c: {image: x}}"),
    ]);
    let files: Vec<FileId> = ["a.yml", "b.yml", "c.yml"].iter().map(|path| folder.load(path).unwrap()).collect();
    let units = units(&folder.sources, &files);
    let claimed: Vec<Vec<FileId>> = units.iter().map(|unit| read(unit, &folder.sources, &folder).claimed).collect();
    assert_eq!(crate::are_parts(&units, &claimed), [true, false, false]);
}

#[test]
fn other_yaml_is_not_ours() {
    for (name, text) in [
        ("services.yaml", "services:\n  _defaults: {autowire: true}\n  App\\: {resource: ../src}\n"),
        (".gitlab-ci.yml", "image: x\nservices:\n  - docker:dind\n"),
        ("k8s.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: x}]}\n"),
    ] {
        let reads = Folder::new(&[(name, text)]).read(&[name]);
        assert!(reads.iter().all(|read| read.stacks.is_empty() && read.problems.is_empty()), "{name}: {reads:?}");
    }
}

#[test]
fn what_is_wrong_has_a_place() {
    let reads = Folder::new(&[("compose.yml", "services:\n  a: {image: x}\n  image: docker\n")]).read(&["compose.yml"]);
    assert_eq!(reads[0].problems.len(), 1);
    assert_eq!(reads[0].stacks[0].resources.len(), 1);
}
