//! Manifests of AWS Copilot: each workload as the task definition and service that Copilot makes of
//! it, in every environment for which the manifest says something of its own.
//! Source: Copilot's documentation of manifests and its templates, version 1.34.

mod patch;
mod service;
#[cfg(test)]
mod tests;
mod workload;

use std::sync::Arc;

use tojimari_text::yaml::{self, Dialect};
use tojimari_text::{FileId, Node, Problem, Sources, Span, Written};

use self::patch::Patches;
use super::{Files, Read, Resources, has_top_key};
use tojimari_model::declared::{Cluster, Declared, Service, TaskDefinition, TaskKind};
use tojimari_model::value::{Assumption, Choice, Kind, Member, Part, Reason, Value};

/// Environments beyond which those of one manifest are not told apart.
const MAX_ENVIRONMENTS: usize = 50;

/// The types of workload that run on ECS with a service or as a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Service,
    ScheduledJob,
    Environment,
}

impl Type {
    fn named(name: &str) -> Option<Type> {
        match name {
            "Load Balanced Web Service" | "Backend Service" | "Worker Service" => Some(Type::Service),
            "Scheduled Job" => Some(Type::ScheduledJob),
            "Environment" => Some(Type::Environment),
            // App Runner and S3: not of ECS.
            _ => None,
        }
    }
}

/// Whether a text may be a manifest: cheap, and wrong only in that it says yes too often.
pub fn may_be(text: &str) -> bool {
    ["Web Service", "Backend Service", "Worker Service", "Scheduled Job", "Environment"]
        .iter()
        .any(|kind| text.contains(kind))
        && has_top_key(text, "type")
        && has_top_key(text, "name")
}

fn kind(root: &Node) -> Option<Type> {
    root.get("name")?.as_str()?;
    Type::named(root.get("type")?.as_str()?)
}

/// Reads one manifest.
pub fn read(file: FileId, sources: &Sources, files: &dyn Files) -> Read {
    let source = sources.get(file);
    let yaml = yaml::read(file, &source.text, Dialect::Yaml12);
    let mut resources = Resources::default();
    let mut ours = false;
    for root in &yaml.documents {
        let Some(kind) = kind(root) else { continue };
        ours = true;
        if kind == Type::Environment {
            environment(root, &mut resources);
        } else {
            workload(kind, root, &source.name, sources, files, &mut resources);
        }
    }
    if !ours && !yaml.documents.is_empty() {
        return Read::default();
    }
    if ours || source.name.ends_with("manifest.yml") || source.name.ends_with("manifest.yaml") {
        yaml.problems.into_iter().for_each(|problem| resources.problem(problem));
    }
    let any = !resources.is_empty();
    let (stack, problems) = resources.finish();
    Read { stacks: if any { vec![stack] } else { Vec::new() }, problems, ..Read::default() }
}

/// A manifest of an environment declares a cluster.
fn environment(root: &Node, resources: &mut Resources) {
    let Some(name) = root.get("name").and_then(Node::as_str) else { return };
    let value = service::cluster(&manifest(root, Some(name)));
    resources.add(name, root.span, &[], &value, |value| {
        let (cluster, problems) = Cluster::read(value);
        (Declared::Cluster(Box::new(cluster)), problems)
    });
}

fn workload(kind: Type, root: &Node, file_name: &str, sources: &Sources, files: &dyn Files, resources: &mut Resources) {
    let Some(name) = root.get("name").and_then(Node::as_str) else { return };
    let patches = Patches::read(file_name, root, sources, files);
    let environments = root.get("environments").map(Node::entries).unwrap_or_default();
    if environments.len() > MAX_ENVIRONMENTS {
        let message = format!("more than {MAX_ENVIRONMENTS} environments are not read");
        resources.problem(Problem { span: root.span, message });
    }
    let mut problems = Vec::new();
    let base = manifest(root, None);
    let variants: Vec<(Arc<str>, Value, Option<Patches>)> = environments
        .iter()
        .take(MAX_ENVIRONMENTS)
        .filter(|entry| entry.value.is_mapping() || entry.value.tag.is_some())
        .map(|entry| {
            let environment = &entry.key.name;
            let mut whole = overridden(manifest(root, Some(environment)), value(&entry.value, Some(environment)), "");
            // An override leaves the place of the whole where it was.
            whole.span = root.span;
            // A list of an environment takes the place of the one for all.
            let own = entry.value.get("taskdef_overrides").is_some();
            let own = own.then(|| Patches::read(file_name, &entry.value, sources, files));
            (Arc::from(format!("environments.{environment}")), whole, own)
        })
        .collect();
    let mut choose = |make: &dyn Fn(&Value, &Patches, &mut Vec<Problem>) -> Value| {
        let mut chosen = make(&base, &patches, &mut problems);
        for (condition, whole, own) in variants.iter().rev() {
            let then = make(whole, own.as_ref().unwrap_or(&patches), &mut problems);
            if !then.is_same(&chosen) {
                let choice = Choice { condition: condition.clone(), then, otherwise: chosen };
                chosen = Value::new(root.span, Kind::Choice(Box::new(choice)));
            }
        }
        chosen
    };
    let task = choose(&|manifest, patches, problems| {
        let mut task = workload::task(name, manifest);
        patches.apply_to_task(&mut task, problems);
        task
    });
    // A service runs in one environment at a time.
    let possible = |assumed: &[Assumption]| assumed.iter().filter(|assumption| assumption.holds).count() <= 1;
    resources.add_where(name, None, root.span, &[], &task, &possible, |value| {
        let (task, problems) = TaskDefinition::read(value, TaskKind::TaskDefinition);
        (Declared::TaskDefinition(Box::new(task)), problems)
    });
    if kind == Type::Service {
        let service = choose(&|manifest, patches, problems| {
            let mut service = service::service(name, manifest);
            patches.apply_to_service(&mut service, problems);
            service
        });
        resources.add_where(name, Some(name), root.span, &[], &service, &possible, |value| {
            let (service, problems) = Service::read(value);
            (Declared::Service(Box::new(service)), problems)
        });
    }
    problems.extend(variants.into_iter().filter_map(|(.., own)| own).flat_map(|own| own.problems));
    problems.extend(patches.problems);
    problems.dedup();
    problems.into_iter().for_each(|problem| resources.problem(problem));
}

/// The manifest without its environments.
fn manifest(root: &Node, environment: Option<&str>) -> Value {
    let mut whole = value(root, environment);
    if let Kind::Map(members, _) = &mut whole.kind {
        members.retain(|member| &*member.name != "environments");
    }
    whole
}

/// A node with its variables put in.
fn value(node: &Node, environment: Option<&str>) -> Value {
    let span = node.span;
    if let Some(tag) = &node.tag {
        let reason = match &**tag {
            yaml::UNRESOLVED => "depends on an alias that leads nowhere".to_owned(),
            tag => format!("depends on the tag !{tag}"),
        };
        return Value::unknown(span, reason);
    }
    let kind = match &node.written {
        Written::Null => Kind::Null,
        Written::Bool(b) => Kind::Bool(*b),
        Written::Number(digits) => Kind::Number(digits.clone()),
        Written::String(text) => return interpolated(text, span, environment),
        Written::Sequence(items) => Kind::List(items.iter().map(|item| value(item, environment)).collect(), None),
        Written::Mapping(entries) => {
            let unresolved = |node: &Node| node.tag.as_deref() == Some(yaml::UNRESOLVED);
            let merged_nothing = entries.iter().any(|e| &*e.key.name == "<<" && unresolved(&e.value));
            let members = entries.iter().map(|entry| Member {
                name: entry.key.name.clone(),
                name_span: entry.key.span,
                value: value(&entry.value, environment),
            });
            let rest = merged_nothing.then(|| Reason::from("depends on an alias that leads nowhere"));
            Kind::Map(members.collect(), rest)
        }
    };
    Value::new(span, kind)
}

/// `${NAME}` is the shell's; `\${NAME}` is itself.
fn interpolated(text: &str, span: Span, environment: Option<&str>) -> Value {
    let mut parts = Vec::new();
    let mut known = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let after = &rest[at + 2..];
        let length = after.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let is_name = length > 0 && !after.as_bytes()[0].is_ascii_digit() && after[length..].starts_with('}');
        let before = &rest[..at];
        let Some(name) = is_name.then(|| &after[..length]) else {
            known.push_str(&rest[..at + 2]);
            rest = after;
            continue;
        };
        rest = &after[length + 1..];
        if let Some(before) = before.strip_suffix('\\') {
            known.push_str(before);
            known.push_str(&format!("${{{name}}}"));
            continue;
        }
        known.push_str(before);
        match environment {
            Some(environment) if name == "COPILOT_ENVIRONMENT_NAME" => known.push_str(environment),
            _ => {
                parts.push(Part::Known(std::mem::take(&mut known).into()));
                parts.push(Part::Unknown(format!("depends on the variable {name}").into()));
            }
        }
    }
    known.push_str(rest);
    parts.push(Part::Known(known.into()));
    parts.retain(|part| !matches!(part, Part::Known(text) if text.is_empty()));
    Value::of_parts(span, parts)
}

/// What an environment says over what the manifest says for all: mappings are laid over one
/// another, everything else is replaced.
fn overridden(base: Value, over: Value, name: &str) -> Value {
    match (base.kind, over.kind) {
        (base_kind, Kind::Null) => Value::new(base.span, base_kind),
        (Kind::Map(mut members, base_rest), Kind::Map(over_members, over_rest)) => {
            // An image is built or lies somewhere: one takes the place of the other.
            for (one, other) in [("build", "location"), ("location", "build")] {
                if name == "image" && over_members.iter().any(|member| &*member.name == one) {
                    members.retain(|member| &*member.name != other);
                }
            }
            for member in over_members {
                match members.iter_mut().find(|other| other.name == member.name) {
                    Some(other) => {
                        let base = std::mem::replace(&mut other.value, Value::new(over.span, Kind::Null));
                        let value = overridden(base, member.value, &member.name);
                        *other = Member { value, ..member };
                    }
                    None => members.push(member),
                }
            }
            Value::new(over.span, Kind::Map(members, over_rest.or(base_rest)))
        }
        (_, over_kind) => Value::new(over.span, over_kind),
    }
}
