//! What Copilot's manifests come to, for all environments and in each.

use std::collections::HashMap;

use super::*;
use tojimari_model::declared::{Container, Field, VolumeSource};

struct Folder {
    files: HashMap<String, FileId>,
    names: Vec<String>,
}

impl Files for Folder {
    fn load(&self, path: &str) -> Result<FileId, String> {
        self.files.get(path).copied().ok_or_else(|| format!("{path} does not exist"))
    }

    fn list(&self, folder: &str) -> Vec<String> {
        self.names.iter().filter_map(|name| name.strip_prefix(&format!("{folder}/"))).map(ToOwned::to_owned).collect()
    }
}

fn read_with(text: &str, others: &[(&str, &str)]) -> Read {
    let sources = Sources::new();
    let file = sources.add("copilot/web/manifest.yml", text);
    assert!(may_be(text), "{text}");
    let files = others.iter().map(|(name, text)| ((*name).to_owned(), sources.add(*name, *text))).collect();
    let names = others.iter().map(|(name, _)| (*name).to_owned()).collect();
    read(file, &sources, &Folder { files, names })
}

fn tasks(read: &Read) -> Vec<(String, &TaskDefinition)> {
    read.stacks
        .iter()
        .flat_map(|stack| &stack.resources)
        .filter_map(|resource| match &resource.declared {
            Declared::TaskDefinition(task) => {
                let assumed: Vec<String> = resource
                    .assumed
                    .iter()
                    .map(|a| format!("{}{}", if a.holds { "" } else { "!" }, a.condition))
                    .collect();
                Some((assumed.join(" "), &**task))
            }
            _ => None,
        })
        .collect()
}

fn root_of(container: &Container) -> String {
    let root = match &container.readonly_root_filesystem {
        Field::Absent => "absent".to_owned(),
        Field::Known(b, _) => b.to_string(),
        Field::Unknown(reason, _) => format!("<{reason}>"),
    };
    format!("{}: {root}", container.name.as_str().unwrap_or("?"))
}

fn roots(read: &Read) -> Vec<String> {
    tasks(read)
        .into_iter()
        .map(|(assumed, task)| {
            let containers: Vec<String> = task.containers.iter().map(root_of).collect();
            format!("[{assumed}] {}", containers.join(", "))
        })
        .collect()
}

const HEAD: &str = "name: web\ntype: Backend Service\nimage: {location: 'app:1'}\n";

#[test]
fn a_workload_becomes_what_copilot_makes_of_it() {
    let text = r#"
name: web
type: Load Balanced Web Service
image:
  location: app:${TAG}
  port: 80
  depends_on: {nginx: start}
platform: windows/x86_64
exec: true
network: {vpc: {placement: private}}
variables: {A: b, C: {from_cfn: x}}
secrets: {D: /ssm/d, E: {secretsmanager: e}}
command: run 'a b'
storage:
  readonly_fs: true
  ephemeral: 30
  volumes:
    scratch: {path: /tmp, read_only: false}
    managed: {path: /m, efs: true}
    named: {path: /n, efs: {id: fs-1, auth: {iam: true, access_point_id: ap}}}
sidecars:
  nginx: {image: nginx, essential: false, mount_points: [{source_volume: scratch, path: /s}]}
  aide: {image: {build: ./Dockerfile}}
logging: {destination: {Name: x}}
observability: {tracing: awsxray}
"#;
    let read = read_with(text, &[]);
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    let [(assumed, task)] = &tasks(&read)[..] else { panic!("{read:?}") };
    assert_eq!(assumed, "");
    let names: Vec<String> = task.containers.iter().map(root_of).collect();
    assert_eq!(
        names,
        ["web: true", "firelens_log_router: absent", "aws-otel-collector: absent", "aide: absent", "nginx: absent"]
    );
    let main = task.container("web").expect("web");
    assert!(main.image.unknown().is_some_and(|(reason, _)| reason.contains("TAG")));
    assert_eq!(main.command.items.len(), 2);
    assert_eq!(main.log_configuration.known().and_then(|log| log.log_driver.as_str()), Some("awsfirelens"));
    assert_eq!(main.environment.items.len(), 2);
    assert!(main.environment.items[1].value.unknown().is_some());
    assert_eq!(main.secrets.items[1].value.as_str(), Some("e"));
    let mounts: Vec<(Option<&str>, Option<&bool>)> =
        main.mount_points.iter().map(|m| (m.container_path.as_str(), m.read_only.known())).collect();
    assert_eq!(mounts, [(Some("/tmp"), Some(&false)), (Some("/m"), Some(&true)), (Some("/n"), Some(&true))]);
    let sources: Vec<&VolumeSource> = task.volumes.iter().map(|volume| &volume.source).collect();
    assert!(matches!(sources[..], [VolumeSource::Empty, VolumeSource::Efs(_), VolumeSource::Efs(_)]), "{sources:?}");
    let VolumeSource::Efs(named) = sources[2] else { panic!() };
    assert_eq!((named.file_system_id.as_str(), named.iam.as_str()), (Some("fs-1"), Some("ENABLED")));
    assert_eq!(named.transit_encryption.as_str(), Some("ENABLED"));
    let system = task.runtime_platform.known().and_then(|p| p.operating_system_family.as_str());
    assert_eq!(system, Some("WINDOWS_SERVER_2019_CORE"));
    assert_eq!(task.tags.items.len(), 3);
    let service = read.stacks[0].resources.iter().find_map(|resource| match &resource.declared {
        Declared::Service(service) => Some(service),
        _ => None,
    });
    let service = service.expect("a service");
    assert_eq!(service.enable_execute_command.known(), Some(&true));
    assert_eq!(service.network.known().and_then(|network| network.assign_public_ip.as_str()), Some("DISABLED"));
    assert_eq!(service.platform_version.as_str(), Some("1.0.0"));
    assert!(
        matches!(&service.task_definition, tojimari_model::declared::Reference::Declared(name, _) if &**name == "web")
    );
}

#[test]
fn each_environment_is_a_variant_of_its_own() {
    let text = format!(
        "{HEAD}storage: {{readonly_fs: false}}\nenvironments:\n  test: {{cpu: 512}}\n  prod: {{storage: {{readonly_fs: true}}, image: {{build: ./x}}}}\n  same: {{storage: {{readonly_fs: false}}}}\n"
    );
    let read = read_with(&text, &[]);
    assert_eq!(
        roots(&read),
        [
            "[environments.test] web: false",
            "[!environments.test environments.prod] web: true",
            "[!environments.test !environments.prod] web: false",
        ]
    );
    let images: Vec<bool> =
        tasks(&read).iter().map(|(_, task)| task.containers.items[0].image.known().is_some()).collect();
    assert_eq!(images, [true, false, true]);
}

#[test]
fn overrides_change_the_template() {
    let rules = "taskdef_overrides:\n- {path: 'ContainerDefinitions[0].ReadonlyRootFilesystem', value: true}\n- {path: 'ContainerDefinitions[0].LinuxParameters.Tmpfs[-].ContainerPath', value: /tmp}\n";
    let read = read_with(&format!("{HEAD}{rules}"), &[]);
    assert_eq!(roots(&read), ["[] web: true"]);
    let (_, task) = &tasks(&read)[0];
    let linux = task.containers.items[0].linux_parameters.known().expect("linux");
    assert_eq!(linux.tmpfs.items[0].container_path.as_str(), Some("/tmp"));

    let patches = "- op: add\n  path: /Resources/TaskDefinition/Properties/ContainerDefinitions/1/ReadonlyRootFilesystem\n  value: true\n- op: replace\n  path: /Resources/Service/Properties/EnableExecuteCommand\n  value: false\n- op: remove\n  path: /Resources/TaskRole\n";
    let read = read_with(
        &format!("{HEAD}sidecars: {{log: {{image: x}}}}\nexec: true\n"),
        &[("copilot/web/overrides/cfn.patches.yml", patches)],
    );
    assert_eq!(roots(&read), ["[] web: absent, log: true"]);
    assert!(read.problems.is_empty(), "{:?}", read.problems);

    let read = read_with(HEAD, &[("copilot/web/overrides/cfn.patches.yml", patches)]);
    assert_eq!(read.problems.len(), 2, "{:?}", read.problems);

    let read = read_with(HEAD, &[("copilot/web/overrides/cdk.json", "{}")]);
    assert_eq!(roots(&read), ["[] web: <may be changed by the code in overrides>"]);
}

#[test]
fn an_environment_declares_a_cluster_and_other_types_nothing_of_ecs() {
    let read = read_with("name: test\ntype: Environment\nobservability: {container_insights: true}\n", &[]);
    let Declared::Cluster(cluster) = &read.stacks[0].resources[0].declared else { panic!("{read:?}") };
    assert_eq!(cluster.settings.items[0].value.as_str(), Some("enabled"));
    for kind in ["Request-Driven Web Service", "Static Site # Web Service"] {
        assert!(read_with(&format!("name: x\ntype: {kind}\n"), &[]).stacks.is_empty(), "{kind}");
    }
    let job = read_with("name: job\ntype: Scheduled Job\nimage: {location: x}\non: {schedule: '@daily'}\n", &[]);
    assert_eq!(job.stacks[0].resources.len(), 1);
}

#[test]
fn variables_are_not_known() {
    let table = [
        ("app:${TAG}", "<depends on the variable TAG>"),
        ("\\${TAG}", "${TAG}"),
        ("${1} ${", "${1} ${"),
        ("${COPILOT_ENVIRONMENT_NAME}-x", "test-x"),
    ];
    for (text, expected) in table {
        let value = interpolated(text, Span::new(FileId(0), 0, 0), Some("test"));
        let said = match &value.kind {
            Kind::String(text) => text.to_string(),
            Kind::Unknown(reason) => format!("<{reason}>"),
            other => panic!("{other:?}"),
        };
        assert_eq!(said, expected, "{text}");
    }
}
