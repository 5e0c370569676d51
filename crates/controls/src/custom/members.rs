//! The model as expressions see it: objects with the names of the ECS API. What is absent is null, an
//! empty list or an object whose members are; what is not known is not there, and noted.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use cel::Value;
use tojimari_model::declared::{
    Cluster, Container, Field, List, Reference, Repository, RepositoryKind, Resource, Service, Tag, TaskDefinition,
    TaskKind, VolumeSource,
};
use tojimari_model::value::{Kind, Reason};
use tojimari_text::{FileId, Span};

/// What is not known, by name, with the reason; and the keys that an expression looks up.
#[derive(Default)]
pub struct Unknowns {
    reasons: HashMap<String, Reason>,
    keys: Vec<String>,
}

impl Unknowns {
    pub fn of(keys: &[String]) -> Unknowns {
        Unknowns { reasons: HashMap::new(), keys: keys.to_vec() }
    }

    pub fn reason(&self, name: &str) -> Option<&Reason> {
        self.reasons.get(name)
    }

    fn note(&mut self, name: &str, reason: &Reason) {
        self.reasons.entry(name.to_owned()).or_insert_with(|| reason.clone());
    }
}

/// An object while it is put together.
pub struct Object(BTreeMap<&'static str, Value>, Vec<&'static str>);

/// The names of the members of a variable.
pub fn names(variable: &str) -> Option<&'static [&'static str]> {
    static NAMES: LazyLock<HashMap<&str, Vec<&'static str>>> = LazyLock::new(|| {
        let span = Span::new(FileId(0), 0, 0);
        let empty = tojimari_model::Value::new(span, Kind::Map(Vec::new(), None));
        let containers = serde_json::json!({ "containerDefinitions": [{}] });
        let (task, _) =
            TaskDefinition::read(&tojimari_model::Value::from_json(span, &containers), TaskKind::TaskDefinition);
        let u = &mut Unknowns::default();
        let mut names = HashMap::from([
            ("task", Object::of_task(&task, u).1),
            ("service", Object::of_service(&Service::read(&empty).0, u).1),
            ("cluster", Object::of_cluster(&Cluster::read(&empty).0, u).1),
            ("repository", Object::of_repository(&Repository::read(&empty, RepositoryKind::Private).0, u).1),
            ("resource", vec!["address", "name", "type"]),
        ]);
        if let Some(container) = task.containers.iter().next() {
            names.insert("container", Object::of_container(container, u).1);
        }
        names
    });
    NAMES.get(variable).map(Vec::as_slice)
}

impl Object {
    fn new() -> Object {
        Object(BTreeMap::new(), Vec::new())
    }

    pub fn value(self) -> Value {
        self.0.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<HashMap<_, _>>().into()
    }

    fn put(&mut self, name: &'static str, value: Value) {
        self.1.push(name);
        self.0.insert(name, value);
    }

    fn field<T: Clone + Into<Value>>(&mut self, name: &'static str, field: &Field<T>, unknowns: &mut Unknowns) {
        self.1.push(name);
        match field {
            Field::Absent => {
                self.0.insert(name, Value::Null);
            }
            Field::Known(known, _) => {
                self.0.insert(name, known.clone().into());
            }
            Field::Unknown(reason, _) => unknowns.note(name, reason),
        }
    }

    fn reference(&mut self, name: &'static str, reference: &Reference, unknowns: &mut Unknowns) {
        self.1.push(name);
        match reference {
            Reference::Absent => {
                self.0.insert(name, Value::Null);
            }
            Reference::Named(known, _) => {
                self.0.insert(name, known.as_str().into());
            }
            Reference::Declared(address, _) => unknowns.note(name, &Reason::attribute_of(address)),
            Reference::Unknown(reason, _) => unknowns.note(name, reason),
        }
    }

    /// A list is known when all of it is.
    fn list<T>(
        &mut self,
        name: &'static str,
        list: &List<T>,
        unknowns: &mut Unknowns,
        mut of: impl FnMut(&T, &mut Unknowns) -> Option<Value>,
    ) {
        self.1.push(name);
        if let Some((reason, _)) = &list.rest {
            return unknowns.note(name, reason);
        }
        let items: Option<Vec<Value>> = list.iter().map(|item| of(item, unknowns)).collect();
        match items {
            Some(items) => {
                self.0.insert(name, items.into());
            }
            None => unknowns.note(name, &Reason::from("an item of it is not known")),
        }
    }

    fn strings(&mut self, name: &'static str, list: &List<Field<String>>, unknowns: &mut Unknowns) {
        if let Some(reason) = list.iter().find_map(|item| item.unknown().map(|(reason, _)| reason)) {
            self.1.push(name);
            return unknowns.note(name, reason);
        }
        self.list(name, list, unknowns, |item, _| item.as_str().map(Value::from));
    }

    /// A map of the user's own names. A name that is not known hides the map, a value only itself.
    fn map<'a>(
        &mut self,
        name: &'static str,
        members: impl Iterator<Item = (Option<&'a str>, &'a Field<String>)>,
        rest: Option<&Reason>,
        unknowns: &mut Unknowns,
    ) {
        self.1.push(name);
        let mut map: HashMap<String, Value> = unknowns.keys.iter().map(|key| (key.clone(), Value::Null)).collect();
        let mut hidden = rest.cloned();
        for (key, value) in members {
            let Some(key) = key else {
                hidden.get_or_insert_with(|| Reason::from("a name in it is not known"));
                continue;
            };
            match value {
                Field::Known(value, _) => {
                    map.insert(key.to_owned(), value.as_str().into());
                }
                Field::Absent => {
                    map.insert(key.to_owned(), Value::Null);
                }
                Field::Unknown(reason, _) => {
                    map.remove(key);
                    unknowns.note(key, reason);
                }
            }
        }
        match hidden {
            Some(reason) => unknowns.note(name, &reason),
            None => {
                self.0.insert(name, map.into());
            }
        }
    }

    fn tags(&mut self, tags: &List<Tag>, unknowns: &mut Unknowns) {
        let rest = tags.rest.as_ref().map(|(reason, _)| reason);
        self.map("tags", tags.iter().map(|tag| (tag.key.as_str(), &tag.value)), rest, unknowns);
    }

    pub fn of_resource(resource: &Resource) -> Object {
        let mut object = Object::new();
        object.put("type", resource.declared.kind().into());
        object.put("address", (&*resource.address).into());
        object.put("name", (&*resource.name).into());
        object
    }

    pub fn of_container(container: &Container, u: &mut Unknowns) -> Object {
        let mut o = Object::new();
        o.field("name", &container.name, u);
        o.field("image", &container.image, u);
        o.field("cpu", &container.cpu, u);
        o.field("memory", &container.memory, u);
        o.field("memoryReservation", &container.memory_reservation, u);
        o.field("essential", &container.essential, u);
        o.strings("entryPoint", &container.entry_point, u);
        o.strings("command", &container.command, u);
        for (name, variables) in [("environment", &container.environment), ("secrets", &container.secrets)] {
            let rest = variables.rest.as_ref().map(|(reason, _)| reason);
            o.map(name, variables.iter().map(|variable| (variable.name.as_str(), &variable.value)), rest, u);
        }
        o.list("mountPoints", &container.mount_points, u, |mount, u| {
            let mut o = Object::new();
            o.field("sourceVolume", &mount.source_volume, u);
            o.field("containerPath", &mount.container_path, u);
            o.field("readOnly", &mount.read_only, u);
            Some(o.value())
        });
        o.list("portMappings", &container.port_mappings, u, |port, u| {
            let mut o = Object::new();
            o.field("containerPort", &port.container_port, u);
            o.field("hostPort", &port.host_port, u);
            o.field("protocol", &port.protocol, u);
            Some(o.value())
        });
        o.field("startTimeout", &container.start_timeout, u);
        o.field("stopTimeout", &container.stop_timeout, u);
        o.field("hostname", &container.hostname, u);
        o.field("user", &container.user, u);
        o.field("workingDirectory", &container.working_directory, u);
        o.field("privileged", &container.privileged, u);
        o.field("readonlyRootFilesystem", &container.readonly_root_filesystem, u);
        o.strings("dockerSecurityOptions", &container.docker_security_options, u);
        let labels = &container.docker_labels;
        let rest = labels.rest.as_ref().map(|(reason, _)| reason);
        o.map("dockerLabels", labels.iter().map(|(name, value)| (Some(name.as_str()), value)), rest, u);
        o.nested("linuxParameters", &container.linux_parameters, u, |linux, u| {
            let mut o = Object::new();
            o.strings("capabilitiesAdd", linux.map_or(&List::default(), |l| &l.capabilities_add), u);
            o.strings("capabilitiesDrop", linux.map_or(&List::default(), |l| &l.capabilities_drop), u);
            o.field("initProcessEnabled", linux.map_or(&Field::Absent, |l| &l.init_process_enabled), u);
            o.list("tmpfs", linux.map_or(&List::default(), |l| &l.tmpfs), u, |tmpfs, u| {
                let mut o = Object::new();
                o.field("containerPath", &tmpfs.container_path, u);
                o.field("size", &tmpfs.size, u);
                o.strings("mountOptions", &tmpfs.mount_options, u);
                Some(o.value())
            });
            o
        });
        o.nested("logConfiguration", &container.log_configuration, u, |log, u| {
            let mut o = Object::new();
            o.field("logDriver", log.map_or(&Field::Absent, |log| &log.log_driver), u);
            let options = log.map(|log| &log.options);
            let rest = options.and_then(|options| options.rest.as_ref()).map(|(reason, _)| reason);
            let items = options.into_iter().flatten().map(|(name, value)| (Some(name.as_str()), value));
            o.map("options", items, rest, u);
            o
        });
        o.nested("healthCheck", &container.health_check, u, |health, u| {
            let mut o = Object::new();
            o.strings("command", health.map_or(&List::default(), |health| &health.command), u);
            o
        });
        o
    }

    /// An object in an object; of an absent one everything is absent.
    fn nested<T>(
        &mut self,
        name: &'static str,
        field: &Field<T>,
        unknowns: &mut Unknowns,
        of: impl FnOnce(Option<&T>, &mut Unknowns) -> Object,
    ) {
        if let Field::Unknown(reason, _) = field {
            self.1.push(name);
            return unknowns.note(name, reason);
        }
        let object = of(field.known(), unknowns);
        self.put(name, object.value());
    }

    pub fn of_task(task: &TaskDefinition, u: &mut Unknowns) -> Object {
        let mut o = Object::new();
        o.field("family", &task.family, u);
        o.field("taskRoleArn", &task.task_role_arn, u);
        o.field("executionRoleArn", &task.execution_role_arn, u);
        o.field("networkMode", &task.network_mode, u);
        o.field("pidMode", &task.pid_mode, u);
        o.field("ipcMode", &task.ipc_mode, u);
        o.field("cpu", &task.cpu, u);
        o.field("memory", &task.memory, u);
        o.strings("requiresCompatibilities", &task.requires_compatibilities, u);
        o.nested("runtimePlatform", &task.runtime_platform, u, |platform, u| {
            let mut o = Object::new();
            let absent = Field::Absent;
            o.field("operatingSystemFamily", platform.map_or(&absent, |p| &p.operating_system_family), u);
            o.field("cpuArchitecture", platform.map_or(&absent, |p| &p.cpu_architecture), u);
            o
        });
        o.list("volumes", &task.volumes, u, |volume, u| {
            let mut o = Object::new();
            o.field("name", &volume.name, u);
            let host = match &volume.source {
                VolumeSource::Host { source_path } => source_path.clone(),
                VolumeSource::Unknown(reason, span) => Field::Unknown(reason.clone(), *span),
                _ => Field::Absent,
            };
            o.field("hostPath", &host, u);
            let efs = match &volume.source {
                VolumeSource::Efs(efs) => efs.file_system_id.clone(),
                VolumeSource::Unknown(reason, span) => Field::Unknown(reason.clone(), *span),
                _ => Field::Absent,
            };
            o.field("efsFileSystemId", &efs, u);
            Some(o.value())
        });
        o.list("containers", &task.containers, u, |container, _| container.name.as_str().map(Value::from));
        o.tags(&task.tags, u);
        o
    }

    pub fn of_service(service: &Service, u: &mut Unknowns) -> Object {
        let mut o = Object::new();
        o.field("serviceName", &service.service_name, u);
        o.reference("cluster", &service.cluster, u);
        o.reference("taskDefinition", &service.task_definition, u);
        o.field("launchType", &service.launch_type, u);
        o.field("platformVersion", &service.platform_version, u);
        o.field("desiredCount", &service.desired_count, u);
        o.field("schedulingStrategy", &service.scheduling_strategy, u);
        o.field("enableExecuteCommand", &service.enable_execute_command, u);
        o.nested("network", &service.network, u, |network, u| {
            let mut o = Object::new();
            o.strings("subnets", network.map_or(&List::default(), |n| &n.subnets), u);
            o.strings("securityGroups", network.map_or(&List::default(), |n| &n.security_groups), u);
            o.field("assignPublicIp", network.map_or(&Field::Absent, |n| &n.assign_public_ip), u);
            o
        });
        o.tags(&service.tags, u);
        o
    }

    pub fn of_cluster(cluster: &Cluster, u: &mut Unknowns) -> Object {
        let mut o = Object::new();
        o.field("clusterName", &cluster.cluster_name, u);
        let rest = cluster.settings.rest.as_ref().map(|(reason, _)| reason);
        o.map("settings", cluster.settings.iter().map(|s| (s.name.as_str(), &s.value)), rest, u);
        o.strings("capacityProviders", &cluster.capacity_providers, u);
        o.nested("executeCommand", &cluster.execute_command, u, |exec, u| {
            let mut o = Object::new();
            o.field("kmsKeyId", exec.map_or(&Field::Absent, |exec| &exec.kms_key_id), u);
            o.field("logging", exec.map_or(&Field::Absent, |exec| &exec.logging), u);
            o
        });
        o.tags(&cluster.tags, u);
        o
    }

    pub fn of_repository(repository: &Repository, u: &mut Unknowns) -> Object {
        let mut o = Object::new();
        o.put("public", (repository.kind == RepositoryKind::Public).into());
        o.field("repositoryName", &repository.repository_name, u);
        o.field("imageTagMutability", &repository.image_tag_mutability, u);
        o.field("scanOnPush", &repository.scan_on_push, u);
        o.field("encryptionType", &repository.encryption_type, u);
        o.field("kmsKey", &repository.kms_key, u);
        o.tags(&repository.tags, u);
        o
    }
}
