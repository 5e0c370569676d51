//! Container definitions that leave the files: those that a call hands to a module whose source is
//! not among them, and those that a known module makes and no task definition here takes. They are
//! judged like any others, as task definitions of which nothing else is known.

use tojimari_text::Span;
use tojimari_text::hcl::Block;

use super::evaluate::Scope;
use super::json_text;
use super::known;
use super::module::Evaluator;
use super::resource;
use super::schema::{self, Kind};
use super::value::{V, Val};
use crate::Resources;
use tojimari_model::declared::Declared;
use tojimari_model::value::{self, Assumption, Member, Reason, Value};

/// Arguments that Terraform takes for itself.
const OWN_ARGUMENTS: [&str; 7] = ["source", "version", "providers", "count", "for_each", "depends_on", "enabled"];

/// How other people's modules call what they hand on to ECS as it is.
const NAME: &str = "container_definition";

impl Evaluator<'_> {
    /// Adds the container definitions among the arguments of a call whose module cannot be read. One
    /// that makes such is called, for [`Evaluator::declare_untaken`] to look at.
    pub fn declare_handed(&mut self, module: usize, call: usize, resources: &mut Resources) {
        let config = self.modules[module].config.clone();
        let block = &config.modules[call];
        let why = match self.source(module, block) {
            Ok((called, ..)) if output_of(&called.folder).is_some() => {
                self.called(module, call);
                return;
            }
            Ok(_) => return,
            Err(why) => match is_remote(block) {
                true => format!("{why}: run `terraform init` first, and it is read"),
                false => why,
            },
        };
        let address = self.address(module, &format!("module.{}", block.label(0).unwrap_or_default()));
        let repeat = self.repeat(&block.body, module);
        for turn in &repeat.turns {
            let before = resources.len();
            for attribute in &block.body.attributes {
                let name = &*attribute.name.text;
                if OWN_ARGUMENTS.contains(&name) {
                    continue;
                }
                let value = self.in_turn(module, turn, &mut |evaluator, scope| evaluator.eval(&attribute.value, scope));
                let Some(containers) = self.handed(&value, name) else { continue };
                let address = match &turn.key {
                    Some(key) => format!("{address}{key}"),
                    None => address.clone(),
                };
                let assumed = [self.modules[module].assumed.as_slice(), &turn.assumed].concat();
                let span = self.span(block.span, Scope::of(module));
                add(resources, &address, span, &assumed, containers, Reason::from(why.clone()));
            }
            if resources.len() == before && is_of_task(block) {
                let address = turn.key.as_ref().map_or(address.clone(), |key| format!("{address}{key}"));
                let assumed = [self.modules[module].assumed.as_slice(), &turn.assumed].concat();
                let span = self.span(block.span, Scope::of(module));
                let value = Value::unknown(span, why.clone());
                resources
                    .add(&address, span, &assumed, &value, |value| resource::declared(Kind::TaskDefinition, value));
            }
        }
    }

    /// Adds the container definitions of known modules that nothing here takes. `asked`: calls in
    /// the root module that count.
    pub fn declare_untaken(&mut self, resources: &mut Resources, asked: &dyn Fn(Span) -> bool) {
        for module in 0..self.modules.len() {
            let made = &self.modules[module];
            let (Some(span), Some(parent)) = (made.call_span, &made.parent) else { continue };
            let of_user = !self.modules[parent.module].config.folder.starts_with(known::FOLDER);
            let Some(output) = output_of(&made.config.folder).filter(|_| of_user) else { continue };
            if parent.module == 0 && !asked(span) || resources.have_container(span) {
                continue;
            }
            let (address, assumed) = (made.address.clone(), made.assumed.clone());
            let value = self.output(module, output, span);
            let Some(containers) = self.handed(&value, NAME) else { continue };
            let why = Reason::from(format!("depends on what takes {address}, which is not among the files"));
            add(resources, &address, span, &assumed, containers, why);
        }
    }

    /// A list of container definitions as the API names their members, if the value is one.
    fn handed(&mut self, value: &Val, name: &str) -> Option<Value> {
        match &value.kind {
            V::Choice(choice) => {
                let then = self.handed(&choice.then, name);
                let otherwise = self.handed(&choice.otherwise, name);
                // Where nothing is handed on there is no container.
                let none = || Value::new(value.span, value::Kind::Null);
                let (then, otherwise) = match (then, otherwise) {
                    (None, None) => return None,
                    (then, otherwise) => (then.unwrap_or_else(none), otherwise.unwrap_or_else(none)),
                };
                let choice = value::Choice { condition: choice.condition.clone(), then, otherwise };
                Some(Value::new(value.span, value::Kind::Choice(Box::new(choice))))
            }
            V::Text(text) => {
                let document = json_text::parse(text, value.span).ok()?;
                let is_named = name.contains(NAME);
                is_containers(&document, &|item| is_named || has_name_of_ecs(item)).then(|| self.listed(&document))
            }
            // Objects may follow a module's own rules: these have the names of the API and no others.
            V::List(_) | V::Map(_) => {
                let of_ecs = |item: &Val| has_name_of_ecs(item) && names(item).all(is_of_api);
                is_containers(value, &of_ecs).then(|| self.listed(value))
            }
            _ => None,
        }
    }

    fn listed(&mut self, value: &Val) -> Value {
        let spelled = self.spelled(value, false);
        match &spelled.kind {
            value::Kind::Map(..) => Value::new(spelled.span, value::Kind::List(vec![spelled], None)),
            _ => spelled,
        }
    }
}

/// Whether `terraform init` would fetch the source.
fn is_remote(block: &Block) -> bool {
    let source = block.body.attribute("source").and_then(|source| source.value.as_str());
    source.is_some_and(|source| !source.starts_with('.'))
}

/// Whether a module that cannot be read is given what makes a task: nobody else takes that.
fn is_of_task(block: &Block) -> bool {
    const SURE: [&str; 8] = [
        "container_definition",
        "container_definitions",
        "container_image",
        "task_cpu",
        "task_memory",
        "task_container_image",
        "fargate_cpu",
        "fargate_memory",
    ];
    const LIKELY: [&str; 11] = [
        "image",
        "container",
        "containers",
        "container_port",
        "containers_definitions",
        "cpu",
        "memory",
        "desired_count",
        "launch_type",
        "services",
        "task_size",
    ];
    const CLUSTER: [&str; 6] =
        ["cluster", "cluster_arn", "cluster_id", "ecs_cluster", "ecs_cluster_arn", "ecs_cluster_id"];
    let has = |names: &[&str]| names.iter().any(|name| block.body.attribute(name).is_some());
    let source = block.body.attribute("source").and_then(|source| source.value.as_str()).unwrap_or_default();
    let of_ecs = ["ecs", "fargate"].iter().any(|word| source.to_ascii_lowercase().contains(word));
    has(&SURE) || has(&LIKELY) && (of_ecs || has(&CLUSTER))
}

/// The output of a known module that is one container definition.
fn output_of(folder: &str) -> Option<&'static str> {
    let folder = folder.strip_prefix(known::FOLDER)?;
    if folder.starts_with("ecs-container-definition/") {
        Some("json_map_object")
    } else {
        folder.ends_with("/modules/container-definition").then_some("container_definition")
    }
}

/// A list of container definitions, or one alone. What is open in a list may be one.
fn is_containers(value: &Val, is_one: &dyn Fn(&Val) -> bool) -> bool {
    let fits = |item: &Val| match &item.kind {
        V::Map(map) => map.get("image").is_some() && map.get("name").is_some() && is_one(item),
        _ => false,
    };
    match &value.kind {
        V::List(list) => {
            let known = || list.items.iter().filter(|item| !matches!(item.kind, V::Unknown(_) | V::Absent | V::Null));
            known().next().is_some() && known().all(|item| item.any_leaf(&fits))
        }
        V::Map(_) => fits(value),
        _ => false,
    }
}

fn names(value: &Val) -> impl Iterator<Item = &str> {
    value.as_map().into_iter().flat_map(|map| &map.entries).map(|entry| &*entry.key)
}

fn is_of_api(name: &str) -> bool {
    schema::spelled(name, false).is_some_and(|known| known.name == name)
}

/// Whether a name among its members is of ECS and hardly of anything else.
fn has_name_of_ecs(item: &Val) -> bool {
    names(item).any(|name| name == "essential" || name.contains(|c: char| c.is_ascii_uppercase()) && is_of_api(name))
}

fn add(resources: &mut Resources, address: &str, span: Span, assumed: &[Assumption], containers: Value, rest: Reason) {
    let member = Member { name: "containerDefinitions".into(), name_span: containers.span, value: containers };
    let value = Value::new(span, value::Kind::Map(vec![member], Some(rest)));
    resources.add(address, span, assumed, &value, |value| resource::declared(Kind::TaskDefinition, value));
}

impl Resources {
    /// Whether a task definition has a container at that place.
    fn have_container(&self, span: Span) -> bool {
        self.declared().any(|declared| match declared {
            Declared::TaskDefinition(task) => task.containers.items.iter().any(|container| container.span == span),
            _ => false,
        })
    }
}
