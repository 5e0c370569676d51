//! ecspresso: its configuration with the task and service definition that it names, and such
//! definitions on their own, in JSON, YAML or Jsonnet, with templates in the syntax of Go. What a
//! template renders is unknown.
//! Source: ecspresso's documentation, version 2.

#[cfg(test)]
mod tests;

use tojimari_text::placeholder::{self, Around, Part as Piece};
use tojimari_text::yaml::{self, Dialect};
use tojimari_text::{FileId, Node, Problem, Sources, Span, Written};

use super::ecs_json::{self, Shape};
use super::{Files, Read, Resources, beside, has_top_key, is_named, jsonnet, looks_like_json};
use tojimari_model::declared::{Declared, Service};
use tojimari_model::value::{Kind, Member, Part, Reason, Value};

/// Words of which every Jsonnet file of ours has one, or has what it imports.
const WORDS: [&str; 6] = [
    "containerDefinitions",
    "task_definition",
    "requiresCompatibilities",
    "networkConfiguration",
    "deploymentConfiguration",
    "taskDefinition",
];

/// Whether a text may be Jsonnet of ours. Libraries are read where they are imported.
pub fn may_be_jsonnet(text: &str, name: &str) -> bool {
    is_named(name, &["jsonnet"]) && WORDS.iter().any(|word| text.contains(word))
}

/// Whether a text may be a definition or a configuration in YAML.
pub fn may_be_yaml(text: &str) -> bool {
    let keys = [
        "containerDefinitions",
        "taskDefinition",
        "task_definition",
        "deploymentConfiguration",
        "networkConfiguration",
    ];
    keys.iter().any(|key| text.contains(key) && has_top_key(text, key))
}

/// Whether a text in JSON may be a configuration.
pub fn may_be_json(text: &str) -> bool {
    text.contains("\"task_definition\"")
}

/// Reads one file: a configuration with what it names, or a definition; `None` when it is neither.
pub fn read(file: FileId, sources: &Sources, files: &dyn Files) -> Option<Read> {
    let (documents, problems) = documents(file, sources, files);
    let mut whole = Read::default();
    let mut ours = false;
    for document in &documents {
        let read = match is_configuration(document) {
            true => Some(configuration(document, sources, files)),
            false => ecs_json::read_value(document),
        };
        if let Some(read) = read {
            ours = true;
            whole.append(read);
        }
    }
    if !ours {
        // What cannot be read at all may be ours; what reads as something else is not.
        let unread = documents.iter().all(|document| matches!(document.kind, Kind::Unknown(_)));
        return (unread && !problems.is_empty()).then(|| Read { problems, ..Read::default() });
    }
    whole.problems.splice(0..0, problems);
    Some(whole)
}

/// The documents of a file with what is known of them, and what is wrong.
pub(super) fn documents(file: FileId, sources: &Sources, files: &dyn Files) -> (Vec<Value>, Vec<Problem>) {
    let source = sources.get(file);
    if is_named(&source.name, &["jsonnet", "libsonnet"]) {
        let (value, problems) = jsonnet::evaluate(file, sources, files);
        return (vec![rendered(value)], problems);
    }
    let around = if looks_like_json(&source.text) { Around::Json } else { Around::Yaml };
    let marked = placeholder::mark(file, &source.text, around);
    let mut problems = marked.problems;
    let trees = match around {
        Around::Json => {
            let (tree, met) = tojimari_text::json::parse(file, &marked.text);
            problems.extend(met);
            tree.into_iter().collect()
        }
        Around::Yaml => {
            let read = yaml::read(file, &marked.text, Dialect::Yaml12);
            problems.extend(read.problems);
            read.documents
        }
    };
    let known = |tree: &Node| Tree { conditional: &marked.conditional }.value(tree);
    (trees.iter().map(known).collect(), problems)
}

/// A marked tree with its templates as unknown values.
struct Tree<'m> {
    /// What is there or not.
    conditional: &'m [Span],
}

const CONDITIONAL: &str = "depends on a condition of the template";

impl Tree<'_> {
    fn is_conditional(&self, span: Span) -> bool {
        self.conditional.iter().any(|region| region.start <= span.start && span.end <= region.end)
    }

    /// The parser bounds the depth.
    fn value(&self, node: &Node) -> Value {
        let kind = match &node.written {
            _ if node.tag.is_some() => Kind::Unknown("depends on a tag".into()),
            Written::Null => Kind::Null,
            Written::Bool(b) => Kind::Bool(*b),
            Written::Number(digits) => Kind::Number(digits.clone()),
            Written::String(text) => return of_pieces(placeholder::parts(text), text, node.span),
            Written::Sequence(items) => {
                let known = items.iter().filter(|item| !self.is_conditional(item.span)).map(|item| self.value(item));
                let known: Vec<Value> = known.collect();
                let rest = (known.len() < items.len()).then(|| Reason::from(CONDITIONAL));
                Kind::List(known, rest)
            }
            Written::Mapping(entries) => {
                let mut members = Vec::with_capacity(entries.len());
                let mut rest = None;
                for entry in entries {
                    if self.is_conditional(entry.key.span) {
                        rest = Some(CONDITIONAL.into());
                        continue;
                    }
                    match placeholder::parts(&entry.key.name)[..] {
                        [] | [Piece::Text(_)] => members.push(Member {
                            name: entry.key.name.clone(),
                            name_span: entry.key.span,
                            value: self.value(&entry.value),
                        }),
                        _ => rest = Some("depends on a template for a name".into()),
                    }
                }
                Kind::Map(members, rest)
            }
        };
        Value::new(node.span, kind)
    }
}

fn of_pieces(pieces: Vec<Piece<'_>>, whole: &str, span: Span) -> Value {
    // Of the shortest placeholders nothing is left but the marks.
    let only_marks = pieces.is_empty() && !whole.is_empty();
    if !only_marks && pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
        return Value::new(span, Kind::String(whole.into()));
    }
    if only_marks {
        return Value::unknown(span, FILLED_IN);
    }
    let parts: Vec<Part> = pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => Part::Known(text.into()),
            Piece::Template(inside) => Part::Unknown(reason(inside)),
        })
        .collect();
    match &parts[..] {
        [Part::Unknown(reason)] => Value::unknown(span, reason.clone()),
        _ => Value::of_parts(span, parts),
    }
}

/// Why a value is not known that somebody fills in before the file is used.
pub(super) const FILLED_IN: &str = "depends on what is filled in here";

fn reason(template: &str) -> Reason {
    if placeholder::is_foreign(template) {
        return FILLED_IN.into();
    }
    let mut words = template.split_whitespace();
    let name = |word: Option<&str>| {
        let word = word?.trim_matches(['`', '"', '\'', '(', ')']);
        (!word.is_empty()).then(|| word.to_owned())
    };
    match (words.next(), name(words.next())) {
        (Some("env" | "must_env"), Some(variable)) => format!("depends on the environment variable {variable}").into(),
        (Some(function), _) if !function.starts_with('$') => {
            let function: String = function.chars().take(40).collect();
            format!("depends on the template function {function}").into()
        }
        _ => "depends on a template".into(),
    }
}

/// A value of an expression, with the templates in its texts.
fn rendered(value: Value) -> Value {
    let span = value.span;
    let kind = match value.kind {
        Kind::String(text) if placeholder::may_have(&text) => {
            return of_pieces(placeholder::parts_of_plain(&text), &text, span);
        }
        Kind::List(items, rest) => Kind::List(items.into_iter().map(rendered).collect(), rest),
        Kind::Map(members, rest) => {
            let members = members.into_iter().map(|member| Member { value: rendered(member.value), ..member });
            Kind::Map(members.collect(), rest)
        }
        Kind::Choice(mut choice) => {
            choice.then = rendered(choice.then);
            choice.otherwise = rendered(choice.otherwise);
            Kind::Choice(choice)
        }
        Kind::Unknown(reason) if !reason.parts().is_empty() => {
            let mut parts = Vec::new();
            for part in reason.parts() {
                match part {
                    Part::Known(text) => match rendered(Value::new(span, Kind::String(text.clone()))).kind {
                        Kind::Unknown(inner) if inner.parts().is_empty() => parts.push(Part::Unknown(inner)),
                        Kind::Unknown(inner) => parts.extend(inner.parts().iter().cloned()),
                        _ => parts.push(part.clone()),
                    },
                    Part::Unknown(_) => parts.push(part.clone()),
                }
            }
            return Value::of_parts(span, parts);
        }
        other => other,
    };
    Value::new(span, kind)
}

/// A configuration names a task definition, and the service or cluster that it is for.
fn is_configuration(document: &Value) -> bool {
    document.get("task_definition").is_some()
        && ["service", "cluster", "service_definition", "region"].iter().any(|key| document.get(key).is_some())
}

/// Reads what a configuration names, as one stack.
fn configuration(config: &Value, sources: &Sources, files: &dyn Files) -> Read {
    let mut read = Read::default();
    let mut resources = Resources::default();
    let mut family = None;
    let name = sources.get(config.span.file).name.clone();
    for key in ["task_definition", "service_definition"] {
        // A path that is not known leads nowhere; the file that it means is read on its own.
        let Some((path, span)) = config.get(key).and_then(|value| Some((value.as_str()?, value.span))) else {
            continue;
        };
        let file = match files.load(&beside(&name, path)) {
            Ok(file) => file,
            Err(why) => {
                read.problems
                    .push(Problem { span, message: format!("cannot read the {}: {why}", key.replace('_', " ")) });
                continue;
            }
        };
        if !read.claimed.contains(&file) {
            read.claimed.push(file);
        }
        let (documents, problems) = documents(file, sources, files);
        read.problems.extend(problems);
        for document in &documents {
            if key == "service_definition" {
                service(config, document, family.as_deref(), &mut resources);
                continue;
            }
            ecs_json::each(document, &mut |shape| {
                if let Shape::Task { value, kind, .. } = shape {
                    let address = value.get("family").and_then(Value::as_str).unwrap_or("task-definition").to_owned();
                    resources.add(&address, value.span, &[], &value, |value| {
                        let (task, problems) = ecs_json::read_task(value, kind);
                        (Declared::TaskDefinition(Box::new(task)), problems)
                    });
                    family = Some(address);
                }
            });
        }
    }
    let any = !resources.is_empty();
    let (stack, problems) = resources.finish();
    read.problems.extend(problems);
    if any {
        read.stacks.push(stack);
    }
    read
}

/// A service definition with what the configuration says beside it.
fn service(config: &Value, document: &Value, family: Option<&str>, resources: &mut Resources) {
    let Kind::Map(members, rest) = &document.kind else { return };
    // The output of describe-services has it in a list.
    let wrapped = document.get("services").and_then(|services| services.items().first());
    if let Some(wrapped) = wrapped {
        return service(config, wrapped, family, resources);
    }
    let mut members = members.clone();
    let mut say = |name: &str, value: Value| {
        members.retain(|member| &*member.name != name);
        members.push(Member { name: name.into(), name_span: value.span, value });
    };
    for (theirs, ours) in [("service", "serviceName"), ("cluster", "cluster")] {
        if let Some(value) = config.get(theirs) {
            say(ours, value.clone());
        }
    }
    if let (Some(family), Some(named)) = (family, config.get("task_definition")) {
        say("taskDefinition", Value::unknown(named.span, Reason::attribute_of(family)));
    }
    let value = Value::new(document.span, Kind::Map(members, rest.clone()));
    let address = config.get("service").and_then(Value::as_str).unwrap_or("service").to_owned();
    resources.add(&address, document.span, &[], &value, |value| {
        let (service, problems) = Service::read(value);
        (Declared::Service(Box::new(service)), problems)
    });
}
