//! Task definitions as JSON: the input of register-task-definition, or the output of
//! describe-task-definition with its wrapper and the fields that registration does not take.

use tojimari_text::edit::Step;
use tojimari_text::{Node, Problem, Written};

use crate::declared::{TaskDefinition, TaskKind};
use crate::value::{Kind, Value};

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

/// Every task definition of a document, in its order: the document itself, the one in its
/// `taskDefinition` wrapper, or the items of an array.
pub fn task_definitions(root: &Node) -> Vec<Found> {
    match &root.written {
        Written::Sequence(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, item)| {
                let mut found = one(item);
                found.iter_mut().for_each(|found| found.path.insert(0, Step::Index(index)));
                found
            })
            .collect(),
        _ => one(root).into_iter().collect(),
    }
}

fn one(node: &Node) -> Option<Found> {
    if let Some(wrapped) = node.get("taskDefinition").filter(|wrapped| wrapped.is_mapping()) {
        return Some(read(wrapped, node.get("tags"), vec![Step::from("taskDefinition")]));
    }
    let ours = node.get("containerDefinitions").is_some() || node.get("family").is_some();
    ours.then(|| read(node, None, Vec::new()))
}

fn read(node: &Node, tags_beside: Option<&Node>, path: Vec<Step>) -> Found {
    let mut value = Value::from(node);
    if let Kind::Map(members, _) = &mut value.kind {
        members.retain(|member| !READ_ONLY_FIELDS.contains(&&*member.name));
        // describe-task-definition returns tags beside the task definition.
        if let (Some(tags), Some(entry)) = (tags_beside, tags_beside.and_then(|_| node.entries().first())) {
            members.push(crate::value::Member {
                name: "tags".into(),
                name_span: entry.key.span,
                value: Value::from(tags),
            });
        }
    }
    let (task, mut problems) = TaskDefinition::read(&value, TaskKind::TaskDefinition);
    if task.containers.items.is_empty() && task.containers.rest.is_none() && problems.is_empty() {
        problems.push(Problem { span: node.span, message: "the task definition has no containers".to_owned() });
    }
    Found { task, path, problems }
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
    fn other_json_is_not_ours() {
        assert!(found(r#"{"name": "web"}"#).is_empty());
        assert!(found("[1, 2]").is_empty());
    }
}
