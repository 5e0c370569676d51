//! ECS as JSON, as the command line takes and prints it: task definitions, daemon task definitions,
//! services, clusters and task sets, each as the input of its register or create call or as the
//! output of its describe call, and arrays of these.

use tojimari_text::edit::Step;
use tojimari_text::{Node, Problem};

use super::{Read, Resources, cloudformation, filled};
use tojimari_model::declared::{Cluster, Declared, Service, TaskDefinition, TaskKind};
use tojimari_model::value::{Kind, Member, Reason, Value};

/// Returned by describe and register, and refused as input of register.
/// Source: the ECS API model of 2014-11-13 as of November 2026.
pub const READ_ONLY_FIELDS: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "deregisteredAt",
    "deleteRequestedAt",
    "registeredBy",
];

/// A task definition in a JSON document.
pub struct Found {
    pub task: TaskDefinition,
    /// The way to it from the root of the document.
    pub path: Vec<Step>,
    pub problems: Vec<Problem>,
}

/// Words of which every JSON document of ours has at least one.
const WORDS: [&str; 9] = [
    "\"ContainerDefinitions\"",
    "\"containerDefinitions\"",
    "\"taskDefinition\"",
    "\"serviceName\"",
    "\"clusterName\"",
    "\"services\"",
    "\"clusters\"",
    "\"image\"",
    "\"family\"",
];

/// Whether a text may hold something of ours: cheap, and wrong only in that it says yes too often.
pub fn may_be(text: &str) -> bool {
    WORDS.iter().any(|word| text.contains(word))
}

/// Every task definition of a document, in its order: the document itself, the one in its
/// `taskDefinition` wrapper, or the items of an array.
pub fn task_definitions(root: &Node) -> Vec<Found> {
    let mut found = Vec::new();
    each(&Value::from(root), &mut |shape| {
        if let Shape::Task { value, kind, path } = shape {
            let (task, problems) = read_task(&value, kind);
            found.push(Found { task, path, problems });
        }
    });
    found
}

/// Reads a document; `None` when nothing in it is ours.
pub fn read(root: &Node) -> Option<Read> {
    read_value(&Value::from(root))
}

/// Reads a document whose parts may be unknown or open; `None` when nothing in it is ours.
pub(super) fn read_value(root: &Value) -> Option<Read> {
    let mut resources = Resources::default();
    let root = &filled::placeholders(by_api_names(root.clone()));
    each(root, &mut |shape| match shape {
        Shape::Task { value, kind, .. } => {
            let address = text(&value, "family").unwrap_or("task-definition").to_owned();
            resources.add(&address, value.span, &[], &value, |value| {
                let (task, problems) = read_task(value, kind);
                (Declared::TaskDefinition(Box::new(task)), problems)
            });
        }
        Shape::Service(value) => {
            let address = text(&value, "serviceName").unwrap_or("service").to_owned();
            resources.add(&address, value.span, &[], &value, |value| {
                let (service, problems) = Service::read(value);
                (Declared::Service(Box::new(service)), problems)
            });
        }
        Shape::Cluster(value) => {
            let address = text(&value, "clusterName").unwrap_or("cluster").to_owned();
            resources.add(&address, value.span, &[], &value, |value| {
                let (cluster, problems) = Cluster::read(value);
                (Declared::Cluster(Box::new(cluster)), problems)
            });
        }
    });
    if resources.is_empty() {
        return None;
    }
    let (stack, problems) = resources.finish();
    Some(Read { stacks: vec![stack], problems, ..Read::default() })
}

/// A document as the SDKs of .NET and PowerShell write it, whose names begin with a capital.
fn by_api_names(root: Value) -> Value {
    const NAME: &str = "ContainerDefinitions";
    let is_one = |value: &Value| {
        value.get(NAME).is_some() || value.get("TaskDefinition").is_some_and(|inner| inner.get(NAME).is_some())
    };
    match is_one(&root) || root.items().iter().any(is_one) {
        true => cloudformation::names::to_api(root),
        false => root,
    }
}

pub(super) fn read_task(value: &Value, kind: TaskKind) -> (TaskDefinition, Vec<Problem>) {
    let (task, mut problems) = TaskDefinition::read(value, kind);
    if task.containers.items.is_empty() && task.containers.rest.is_none() && problems.is_empty() {
        problems.push(Problem { span: value.span, message: "the task definition has no containers".to_owned() });
    }
    (task, problems)
}

/// What one object of a document is.
pub(super) enum Shape {
    Task { value: Value, kind: TaskKind, path: Vec<Step> },
    Service(Value),
    Cluster(Value),
}

/// Finds what is ours at the top of a document, in its wrappers and arrays.
pub(super) fn each(root: &Value, found: &mut dyn FnMut(Shape)) {
    if let Some(containers) = only_containers(root) {
        return found(Shape::Task { value: containers, kind: TaskKind::TaskDefinition, path: Vec::new() });
    }
    match &root.kind {
        Kind::List(items, _) => {
            for (index, item) in items.iter().enumerate() {
                object(item, &[Step::Index(index)], found);
            }
        }
        _ => object(root, &[], found),
    }
}

fn object(node: &Value, path: &[Step], found: &mut dyn FnMut(Shape)) {
    let below = |key: &str| [path, &[Step::from(key)]].concat();
    for (wrapper, kind) in
        [("taskDefinition", TaskKind::TaskDefinition), ("daemonTaskDefinition", TaskKind::DaemonTaskDefinition)]
    {
        if let Some(wrapped) = node.get(wrapper).filter(|wrapped| matches!(wrapped.kind, Kind::Map(..))) {
            return found(Shape::Task { value: task_value(wrapped, node.get("tags")), kind, path: below(wrapper) });
        }
    }
    if node.get("containerDefinitions").is_some() {
        let kind = if node.get("daemonTaskDefinitionArn").is_some() {
            TaskKind::DaemonTaskDefinition
        } else {
            TaskKind::TaskDefinition
        };
        return found(Shape::Task { value: task_value(node, None), kind, path: path.to_vec() });
    }
    // A task definition that lost its containers is still one; `family` alone is too common a word.
    let of_task = ["networkMode", "requiresCompatibilities", "executionRoleArn", "taskRoleArn"];
    if node.get("family").is_some_and(|family| family.as_str().is_some())
        && (of_task.iter().any(|name| node.get(name).is_some()) || node.members().len() == 1)
    {
        let value = task_value(node, None);
        return found(Shape::Task { value, kind: TaskKind::TaskDefinition, path: path.to_vec() });
    }
    for wrapper in ["service", "cluster", "services", "clusters"] {
        let Some(wrapped) = node.get(wrapper) else { continue };
        let one = std::slice::from_ref(wrapped);
        for item in if matches!(wrapped.kind, Kind::List(..)) { wrapped.items() } else { one } {
            service_or_cluster(item, found);
        }
    }
    service_or_cluster(node, found);
}

fn service_or_cluster(node: &Value, found: &mut dyn FnMut(Shape)) {
    const OF_SERVICE: [&str; 6] = [
        "desiredCount",
        "launchType",
        "networkConfiguration",
        "deploymentConfiguration",
        "schedulingStrategy",
        "enableExecuteCommand",
    ];
    const OF_CLUSTER: [&str; 5] =
        ["settings", "configuration", "capacityProviders", "serviceConnectDefaults", "clusterArn"];
    let has = |name: &str| node.get(name).is_some();
    // `appspec` and pipeline files carry a `taskDefinition` too, but none of these beside it.
    let service = OF_SERVICE.iter().any(|name| has(name)) && (has("serviceName") || has("taskDefinition"));
    if service {
        found(Shape::Service(node.clone()));
    } else if has("clusterName") && (OF_CLUSTER.iter().any(|name| has(name)) || node.members().len() <= 2) {
        found(Shape::Cluster(node.clone()));
    }
}

/// An array of container definitions alone, as Terraform's container_definitions takes it: what the
/// task around it says is not in this file.
fn only_containers(root: &Value) -> Option<Value> {
    let is_container = |node: &Value| {
        let has = |name: &str| node.get(name).is_some();
        has("name")
            && has("image")
            && ["essential", "portMappings", "memory", "cpu", "environment"].iter().any(|n| has(n))
    };
    if root.items().is_empty() || !root.items().iter().all(is_container) {
        return None;
    }
    let name_span = root.span;
    let member = Member { name: "containerDefinitions".into(), name_span, value: root.clone() };
    let rest = Reason::from("only the container definitions are in this file");
    Some(Value::new(root.span, Kind::Map(vec![member], Some(rest))))
}

fn task_value(node: &Value, tags_beside: Option<&Value>) -> Value {
    let mut value = node.clone();
    if let Kind::Map(members, _) = &mut value.kind {
        members.retain(|member| !READ_ONLY_FIELDS.contains(&&*member.name));
        // describe-task-definition returns tags beside the task definition, and an empty list where it
        // has none.
        if let Some(tags) =
            tags_beside.filter(|tags| !matches!(&tags.kind, Kind::List(items, None) if items.is_empty()))
        {
            members.retain(|member| &*member.name != "tags");
            members.push(Member { name: "tags".into(), name_span: tags.span, value: tags.clone() });
        }
    }
    value
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use tojimari_text::{Sources, json};

    use super::*;

    fn found(text: &str) -> Vec<Found> {
        let sources = Sources::new();
        let (tree, problems) = json::parse(sources.add("t.json", text), text);
        assert!(problems.is_empty(), "{problems:?}");
        task_definitions(&tree.expect("a tree"))
    }

    #[test]
    fn both_forms_and_arrays_of_them_are_read() {
        let register = r#"{"family": "f", "containerDefinitions": [{"name": "web"}]}"#;
        let describe = format!(r#"{{"taskDefinition": {register}, "tags": [{{"key": "a", "value": "b"}}]}}"#);
        assert_eq!(found(register)[0].path, []);
        let described = &found(&describe)[0];
        assert_eq!(described.path, [Step::from("taskDefinition")]);
        assert_eq!(described.task.tags.items[0].key.as_str(), Some("a"));
        let both = found(&format!("[{register}, {describe}]"));
        assert_eq!(both[1].path, [Step::from(1), Step::from("taskDefinition")]);
    }

    #[test]
    fn the_nine_read_only_fields_are_no_surprise() {
        let text = r#"{"taskDefinition": {"family": "f", "revision": 3, "status": "ACTIVE",
            "containerDefinitions": [{"name": "web", "privilege": true}]}}"#;
        let names: Vec<String> = found(text)[0].task.unexpected.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(names, ["privilege"]);
    }

    #[test]
    fn a_task_definition_without_containers_is_a_problem() {
        for text in [r#"{"family": "f"}"#, r#"{"family": "f", "containerDefinitions": []}"#] {
            assert_eq!(found(text)[0].problems.len(), 1, "{text}");
        }
    }

    #[test]
    fn container_definitions_alone_leave_the_rest_unknown() {
        let found = found(r#"[{"name": "web", "image": "x", "essential": true}]"#);
        assert_eq!(found[0].task.containers.items.len(), 1);
        assert!(found[0].task.network_mode.unknown().is_some());
    }

    #[test]
    fn services_and_clusters_are_read_in_both_forms() {
        let kinds = |text: &str| -> Vec<&'static str> {
            let sources = Sources::new();
            let (tree, _) = json::parse(sources.add("t.json", text), text);
            let read = read(&tree.expect("a tree")).unwrap_or_default();
            read.stacks.iter().flat_map(|stack| &stack.resources).map(|r| r.declared.kind()).collect()
        };
        assert_eq!(kinds(r#"{"serviceName": "s", "taskDefinition": "t", "desiredCount": 1}"#), ["service"]);
        assert_eq!(
            kinds(r#"{"services": [{"serviceName": "s", "launchType": "FARGATE"}], "failures": []}"#),
            ["service"]
        );
        assert_eq!(kinds(r#"{"clusters": [{"clusterName": "c", "settings": []}]}"#), ["cluster"]);
        assert_eq!(kinds(r#"{"services": {"web": {"image": "x"}}}"#), [] as [&str; 0], "Compose as JSON");
    }

    #[test]
    fn other_json_is_not_ours() {
        assert!(found(r#"{"name": "web"}"#).is_empty());
        assert!(found("[1, 2]").is_empty());
    }
}
