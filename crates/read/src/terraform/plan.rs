//! What Terraform itself says will be, or is: plans and states as `terraform show -json` writes them,
//! and state files. Nothing is evaluated here; what a plan leaves open is unknown.

use std::collections::HashMap;

use tojimari_text::{Node, Sources, Span, Written};

use super::functions::from_node;
use super::module::Evaluator;
use super::resource::declared;
use super::schema;
use super::value::{Entry, V, Val};
use crate::{Files, Read, Resources};
use tojimari_model::value::Reason;

/// Levels of modules within modules.
const MAX_MODULES: usize = 64;

/// Whether a text may be a plan or a state that holds something of ours.
pub fn may_be(text: &str) -> bool {
    text.contains("\"terraform_version\"") && (text.contains("\"aws_ec") || text.contains("\"awscc_ec"))
}

/// Whether a document is a plan or a state.
pub fn is_plan(root: &Node) -> bool {
    let has = |name: &str| root.get(name).is_some();
    has("terraform_version")
        && (has("planned_values") || has("values") || (has("version") && has("lineage") && has("resources")))
}

/// One resource of a plan or state.
struct Planned<'n> {
    address: String,
    of: &'n str,
    span: Span,
    values: &'n Node,
}

/// Reads a document that [`is_plan`].
pub fn read(root: &Node, sources: &Sources, files: &dyn Files) -> Read {
    let mut evaluator = Evaluator::new(sources, files);
    let mut resources = Resources::default();
    let mut all = Vec::new();
    let values = root.get("planned_values").or_else(|| root.get("values"));
    match values.and_then(|values| values.get("root_module")) {
        Some(module) => of_module(module, 0, &mut all),
        None => of_state(root, &mut all),
    }
    let changes = changes(root);
    let written = written(root);
    for planned in all {
        let Some(schema) = schema::of(planned.of) else { continue };
        let mut value = from_node(planned.values, &|span| span);
        if let Some(unknown) = changes.get(&*planned.address) {
            let references = written.get(without_keys(&planned.address).as_str()).copied();
            value = opened(&value, unknown, references, module_of(&planned.address));
        }
        let value = with_all_tags(value);
        let value = evaluator.canonical(schema, &value, None, planned.span);
        resources.add(&planned.address, planned.span, &[], &value, |value| declared(schema.kind, value));
    }
    let (stack, problems) = resources.finish();
    let problems = evaluator.problems.into_iter().chain(problems).collect();
    Read { stacks: vec![stack], problems, ..Read::default() }
}

fn text<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    node.get(name).and_then(Node::as_str)
}

fn of_module<'n>(module: &'n Node, depth: usize, all: &mut Vec<Planned<'n>>) {
    for resource in module.get("resources").map(Node::items).unwrap_or_default() {
        let managed = text(resource, "mode").is_none_or(|mode| mode == "managed");
        if let (true, Some(address), Some(of), Some(values)) =
            (managed, text(resource, "address"), text(resource, "type"), resource.get("values"))
        {
            all.push(Planned { address: address.to_owned(), of, span: resource.span, values });
        }
    }
    if depth < MAX_MODULES {
        for child in module.get("child_modules").map(Node::items).unwrap_or_default() {
            of_module(child, depth + 1, all);
        }
    }
}

/// The resources of a state file.
fn of_state<'n>(root: &'n Node, all: &mut Vec<Planned<'n>>) {
    for resource in root.get("resources").map(Node::items).unwrap_or_default() {
        let (Some("managed"), Some(of), Some(name)) =
            (text(resource, "mode"), text(resource, "type"), text(resource, "name"))
        else {
            continue;
        };
        let prefix = text(resource, "module").map(|module| format!("{module}.")).unwrap_or_default();
        for instance in resource.get("instances").map(Node::items).unwrap_or_default() {
            let Some(values) = instance.get("attributes") else { continue };
            let key = match instance.get("index_key").map(|key| &key.written) {
                Some(Written::Number(number)) => format!("[{number}]"),
                Some(Written::String(name)) => format!("[{name:?}]"),
                _ => String::new(),
            };
            all.push(Planned { address: format!("{prefix}{of}.{name}{key}"), of, span: instance.span, values });
        }
    }
}

/// By address, what is not known of each resource before it is made.
fn changes(root: &Node) -> HashMap<&str, &Node> {
    let changes = root.get("resource_changes").map(Node::items).unwrap_or_default();
    changes
        .iter()
        .filter_map(|change| Some((text(change, "address")?, change.get("change")?.get("after_unknown")?)))
        .collect()
}

/// By address without keys, the expressions that each resource is written with.
fn written(root: &Node) -> HashMap<String, &Node> {
    fn of_module<'n>(module: &'n Node, prefix: &str, depth: usize, all: &mut HashMap<String, &'n Node>) {
        for resource in module.get("resources").map(Node::items).unwrap_or_default() {
            if let (Some(address), Some(expressions)) = (text(resource, "address"), resource.get("expressions")) {
                all.insert(format!("{prefix}{address}"), expressions);
            }
        }
        let calls = module.get("module_calls").map(Node::entries).unwrap_or_default();
        for call in calls.iter().filter(|_| depth < MAX_MODULES) {
            if let Some(inner) = call.value.get("module") {
                of_module(inner, &format!("{prefix}module.{}.", call.key.name), depth + 1, all);
            }
        }
    }
    let mut all = HashMap::new();
    if let Some(module) = root.get("configuration").and_then(|configuration| configuration.get("root_module")) {
        of_module(module, "", 0, &mut all);
    }
    all
}

/// `module.a["x"].aws_ecs_service.web[0]` as `module.a.aws_ecs_service.web`.
fn without_keys(address: &str) -> String {
    let mut kept = String::with_capacity(address.len());
    let (mut depth, mut quoted) = (0, false);
    for c in address.chars() {
        match c {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth -= 1,
            c if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

/// The module that an address lies in, with the point behind it; empty for the root.
fn module_of(address: &str) -> &str {
    // The key of the resource itself may hold anything; a resource is two names.
    let (mut depth, mut quoted, mut points) = (0, false, Vec::new());
    for (at, c) in address.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth -= 1,
            '.' if depth == 0 => points.push(at),
            _ => {}
        }
    }
    points.len().checked_sub(2).map_or("", |last| &address[..=points[last]])
}

/// A value with what a plan says is not known. The plan nests as the value does.
fn opened(value: &Val, unknown: &Node, references: Option<&Node>, module: &str) -> Val {
    let after = || Val::unknown(value.span, "is known only after it is applied");
    match (&unknown.written, &value.kind) {
        (Written::Bool(true), _) => after(),
        (Written::Mapping(entries), V::Map(map)) => {
            let mut members: Vec<Entry> = map.entries.clone();
            for entry in entries {
                let place = members.iter().position(|member| *member.key == *entry.key.name);
                let given = place.map(|place| members[place].value.clone()).unwrap_or_else(|| Val::null(value.span));
                let mut opened = opened(&given, &entry.value, None, module);
                if let (V::Unknown(_), Some(address)) = (&opened.kind, referred(references, &entry.key.name)) {
                    opened = Val::unknown(opened.span, Reason::attribute_of(&format!("{module}{address}")));
                }
                match place {
                    Some(place) => members[place].value = opened,
                    None if matches!(opened.kind, V::Unknown(_)) => {
                        members.push(Entry { key: (&*entry.key.name).into(), key_span: value.span, value: opened })
                    }
                    None => {}
                }
            }
            Val::map(value.span, members, map.rest.clone())
        }
        (Written::Sequence(items), V::List(list)) => {
            let opened = list.items.iter().enumerate().map(|(at, item)| match items.get(at) {
                Some(unknown) => opened(item, unknown, None, module),
                None => item.clone(),
            });
            Val::list(value.span, opened.collect(), list.rest.clone())
        }
        _ => value.clone(),
    }
}

/// The resource that an argument refers to, by its address in its module.
fn referred<'n>(references: Option<&'n Node>, argument: &str) -> Option<&'n str> {
    let all = references?.get(argument)?.get("references")?.items();
    // Each reference is there twice: with the attribute and without.
    let bare =
        |name: &&str| (name.starts_with("aws_ec") || name.starts_with("awscc_ec")) && name.split('.').count() == 2;
    all.iter().filter_map(Node::as_str).find(bare)
}

/// `tags_all` is `tags` with those that the provider adds.
fn with_all_tags(value: Val) -> Val {
    let V::Map(map) = &value.kind else { return value };
    let Some(all) = map.get("tags_all").filter(|all| !all.value.is_null()) else { return value };
    let mut entries: Vec<Entry> = map.entries.iter().filter(|entry| &*entry.key != "tags").cloned().collect();
    entries.push(Entry { key: "tags".into(), ..all.clone() });
    Val::map(value.span, entries, map.rest.clone())
}
