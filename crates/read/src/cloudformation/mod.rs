//! CloudFormation and SAM templates, in YAML or JSON: each resource of ours with its properties
//! evaluated, under every combination of the conditions that the template leaves open. Nested
//! stacks that lie beside the template are read with the parameters that they are given.

mod condition;
mod evaluate;
mod functions;
pub(super) mod names;
mod nested;
mod template;
#[cfg(test)]
mod tests;

use tojimari_text::{Entry, Node, Problem, Span};

use self::condition::Condition;
use self::evaluate::Evaluator;
pub use self::names::template_name;
pub use self::nested::read;
pub use self::template::is_template;
use super::Resources;
use tojimari_model::declared::{
    CapacityProvider, Cluster, ClusterCapacityProviders, Declared, EventRule, MetricFilter, RegistryScanning,
    Repository, RepositoryKind, Service, TaskDefinition, TaskKind, TaskSet,
};
use tojimari_model::value::{Assumption, Value};

/// Words of which every template with something of ours has at least one.
const WORDS: [&str; 6] = [
    "AWS::ECS::",
    "AWS::ECR::",
    "AWS::CloudFormation::Stack",
    "AWS::Serverless::Application",
    "AWS::Events::Rule",
    "AWS::Logs::MetricFilter",
];

/// Whether a text may hold something of ours: cheap, and wrong only in that it says yes too often.
pub fn may_be(text: &str) -> bool {
    text.contains("AWS::") && WORDS.iter().any(|word| text.contains(word))
}

/// Reads the properties of one kind of resource.
type Reader = fn(&Value) -> (Declared, Vec<Problem>);

fn reader(kind: &str) -> Option<Reader> {
    macro_rules! reader {
        ($variant:ident, $read:expr) => {
            |value: &Value| {
                let (declared, problems) = $read(value);
                (Declared::$variant(Box::new(declared)), problems)
            }
        };
    }
    Some(match kind {
        "AWS::ECS::TaskDefinition" => {
            reader!(TaskDefinition, |v: &Value| TaskDefinition::read(v, TaskKind::TaskDefinition))
        }
        "AWS::ECS::DaemonTaskDefinition" => {
            reader!(TaskDefinition, |v: &Value| TaskDefinition::read(v, TaskKind::DaemonTaskDefinition))
        }
        "AWS::ECS::Service" => reader!(Service, Service::read),
        "AWS::ECS::TaskSet" => reader!(TaskSet, TaskSet::read),
        "AWS::ECS::Cluster" => reader!(Cluster, Cluster::read),
        "AWS::ECS::ClusterCapacityProviderAssociations" => {
            reader!(ClusterCapacityProviders, ClusterCapacityProviders::read)
        }
        "AWS::ECS::CapacityProvider" => reader!(CapacityProvider, CapacityProvider::read),
        "AWS::ECR::Repository" => reader!(Repository, |v: &Value| Repository::read(v, RepositoryKind::Private)),
        "AWS::ECR::PublicRepository" => reader!(Repository, |v: &Value| Repository::read(v, RepositoryKind::Public)),
        "AWS::ECR::RegistryScanningConfiguration" => reader!(RegistryScanning, RegistryScanning::read),
        "AWS::Events::Rule" => reader!(EventRule, EventRule::read),
        "AWS::Logs::MetricFilter" => reader!(MetricFilter, MetricFilter::read),
        _ => return None,
    })
}

/// A piece of a template on its own, by the names of the API: what it refers to is not known.
pub(super) fn fragment(node: &Node) -> Value {
    let empty = Node::new(node.span, tojimari_text::Written::Mapping(Vec::new()));
    let template = template::Template::new(&empty, template::Arguments::new(), None);
    names::to_api(Evaluator::new(&template).value(node))
}

impl Evaluator<'_> {
    /// Calls back with every resource of the template: its logical id, its entry, its node.
    fn each_resource(&self, resources: &mut Resources, call: &mut dyn FnMut(&mut Resources, &str, Span, &Node)) {
        self.each_entry(self.template.resources, resources, call, 0);
    }

    fn each_entry(
        &self,
        entries: &[Entry],
        resources: &mut Resources,
        call: &mut dyn FnMut(&mut Resources, &str, Span, &Node),
        depth: usize,
    ) {
        for entry in entries {
            if !template::is_loop(&entry.key.name) {
                let span = whole(entry);
                call(resources, &self.bound(&entry.key.name), span, &entry.value);
                continue;
            }
            if !declares_ours(&entry.value, 0) || depth > MAX_LOOPS {
                continue;
            }
            let outcome = match self.template.has_language_extensions() {
                true => self.each_of_loop(&entry.value, &mut |body| {
                    self.each_entry(body.entries(), resources, call, depth + 1);
                }),
                false => Err("the template does not name the transform AWS::LanguageExtensions".into()),
            };
            if let Err(reason) = outcome {
                let message = format!("the resources of this loop cannot be listed: {reason}");
                resources.problem(Problem { span: entry.key.span, message });
            }
        }
    }

    /// Adds a resource of ours in each variant that can be.
    fn add(&self, resources: &mut Resources, logical_id: &str, span: Span, node: &Node) {
        let Some(kind) = node.get("Type").and_then(Node::as_str) else { return };
        let Some(read) = reader(kind) else { return };
        let Some(assumed) = self.assumed(node) else { return };
        let changed_by = self.template.changed_by.or_else(|| template::own_macro(node));
        let mut value = match node.get("Properties") {
            _ if let Some(name) = changed_by => {
                Value::unknown(node.span, format!("depends on the macro {name}, which may change it"))
            }
            Some(properties) => names::to_api(self.value(properties)),
            None => Value::new(node.span, tojimari_model::value::Kind::Map(Vec::new(), None)),
        };
        for assumption in &assumed {
            value = value.given(&assumption.condition, assumption.holds);
        }
        let path = node
            .get("Metadata")
            .and_then(|metadata| metadata.get("aws:cdk:path"))
            .and_then(Node::as_str)
            .map(|path| path.strip_suffix("/Resource").unwrap_or(path));
        let address = self.template.address(logical_id);
        resources.add_where(&address, path, span, &assumed, &value, &|assumed| self.possible(assumed), read);
    }

    /// What a resource assumes by its own `Condition`; `None` when it is never made.
    fn assumed(&self, node: &Node) -> Option<Vec<Assumption>> {
        match node.get("Condition").and_then(Node::as_str).map(|name| self.condition(&self.bound(name))) {
            Some(Condition::Certain(false)) => None,
            Some(Condition::Open { name, negated }) => Some(vec![Assumption { condition: name, holds: !negated }]),
            Some(Condition::Certain(true)) | None => Some(Vec::new()),
        }
    }
}

/// Loops within loops.
const MAX_LOOPS: usize = 8;

fn whole(entry: &Entry) -> Span {
    // An alias or a merge may bring the value from elsewhere in the file.
    if entry.value.span.start >= entry.key.span.end { entry.key.span.to(entry.value.span) } else { entry.value.span }
}

/// Whether a node, or one in it, has a type that is read.
fn declares_ours(node: &Node, depth: usize) -> bool {
    depth < 64
        && (node.get("Type").and_then(Node::as_str).is_some_and(|kind| reader(kind).is_some())
            || node.items().iter().any(|item| declares_ours(item, depth + 1))
            || node.entries().iter().any(|entry| declares_ours(&entry.value, depth + 1)))
}
