//! From the blocks of resources to what they declare: arguments and nested blocks evaluated, and
//! brought to the names and forms of the APIs.
//!
//! Long because each kind of resource is a few lines of one mapping.

use std::sync::Arc;

use tojimari_text::hcl::{Block, Body};
use tojimari_text::{Problem, Span};

use super::evaluate::{Bound, Scope};
use super::json_text;
use super::module::Evaluator;
use super::schema::{self, Field, Form, Kind, Schema};
use super::types;
use super::value::{Entry, V, Val};
use crate::Resources;
use tojimari_model::declared::{
    CapacityProvider, Cluster, ClusterCapacityProviders, Declared, EventRule, LifecyclePolicy, MetricFilter,
    RegistryScanning, Repository, RepositoryKind, RepositoryPolicy, Service, TaskDefinition, TaskKind, TaskSet,
};
use tojimari_model::value::{self, Member, Part, Reason, Value};

impl Evaluator<'_> {
    /// Adds what a module instance declares, and all that it calls.
    pub fn declare(&mut self, module: usize, resources: &mut Resources, asked: &dyn Fn(Span) -> bool) {
        let config = self.modules[module].config.clone();
        for (place, block) in config.blocks.iter().enumerate() {
            let Some(schema) = own_schema(block).filter(|_| asked(block.span)) else { continue };
            let repeat = self.repeat_block(module, place);
            let address = self.address(module, &super::config::address(block));
            // What a module of others leaves out is no news.
            if repeat.turns.is_empty() && self.modules[module].call_span.is_none() {
                self.idle.push(block.span);
            }
            for turn in &repeat.turns {
                let (value, span) = self.in_turn(module, turn, &mut |evaluator, scope| {
                    let span = evaluator.span(block.span, scope);
                    let tags = evaluator.provider_tags(block, scope);
                    let read = evaluator.block_value(&block.body, schema.fields, span, scope);
                    (evaluator.canonical(schema, &read, tags.as_ref(), span), span)
                });
                let address = match &turn.key {
                    Some(key) => format!("{address}{key}"),
                    None => address.clone(),
                };
                let assumed = [self.modules[module].assumed.as_slice(), &turn.assumed].concat();
                resources.add(&address, span, &assumed, &value, |value| declared(schema.kind, value));
            }
        }
        for (call, block) in config.modules.iter().enumerate().filter(|(_, block)| asked(block.span)) {
            if self.may_declare(module, block) {
                for inner in self.called(module, call).modules.clone() {
                    self.declare(inner, resources, &|_| true);
                }
            } else {
                self.declare_handed(module, call, resources);
            }
        }
    }

    /// The tags that the provider adds, where the resource has tags.
    fn provider_tags(&mut self, block: &Block, scope: Scope<'_>) -> Option<Val> {
        let provider = block.body.attribute("provider").map(|provider| {
            provider.value.as_str().map_or_else(|| self.text_of(provider.value.span), |text| text.to_string())
        });
        let alias = provider.as_deref().and_then(|provider| provider.split_once('.')).map(|(_, alias)| alias);
        self.default_tags(scope.module, alias)
    }

    /// The arguments and blocks that a schema knows, by their names in the configuration.
    fn block_value(&mut self, body: &Body, fields: &[Field], span: Span, scope: Scope<'_>) -> Val {
        let mut entries = Vec::with_capacity(fields.len());
        for field in fields {
            // Of a block without fields nothing is asked but whether it is there.
            let inner = match &field.form {
                Form::One(inner) | Form::Many(inner) => Some(*inner),
                Form::Within(_, inner) if !inner.is_empty() => Some(*inner),
                _ => None,
            };
            let blocks = inner.and_then(|inner| {
                self.nested_blocks(body, field.from, scope, &mut |evaluator, block, scope| {
                    let span = evaluator.span(block.span, scope);
                    evaluator.block_value(&block.body, inner, span, scope)
                })
            });
            let (value, key_span) = match (blocks, body.attribute(field.from)) {
                (Some(blocks), _) => (blocks, span),
                (None, Some(attribute)) => (self.eval(&attribute.value, scope), self.span(attribute.name.span, scope)),
                (None, None) => continue,
            };
            entries.push(Entry { key: Arc::from(field.from), key_span, value });
        }
        Val::map(span, entries, None)
    }

    /// The blocks of a kind, with those that `dynamic` makes, as a list. None where there are none.
    pub fn nested_blocks(
        &mut self,
        body: &Body,
        kind: &str,
        scope: Scope<'_>,
        read: &mut dyn FnMut(&mut Self, &Block, Scope<'_>) -> Val,
    ) -> Option<Val> {
        let mut lists: Vec<Val> = Vec::new();
        for block in &body.blocks {
            let span = self.span(block.span, scope);
            if &*block.kind.text == kind {
                let value = read(self, block, scope);
                lists.push(Val::list(span, vec![value], None));
            } else if &*block.kind.text == "dynamic" && block.label(0) == Some(kind) {
                lists.push(self.dynamic_blocks(block, kind, span, scope, read));
            }
        }
        match lists.len() {
            0 => None,
            1 => lists.pop(),
            _ => {
                let span = lists[0].span;
                Some(super::functions::concat(&lists, span))
            }
        }
    }

    fn dynamic_blocks(
        &mut self,
        block: &Block,
        kind: &str,
        span: Span,
        scope: Scope<'_>,
        read: &mut dyn FnMut(&mut Self, &Block, Scope<'_>) -> Val,
    ) -> Val {
        let content = block.body.blocks("content").next();
        let (Some(written), Some(content)) = (block.body.attribute("for_each"), content) else {
            return Val::unknown(span, "depends on a dynamic block that says not what it repeats");
        };
        let name = match block.body.attribute("iterator") {
            Some(iterator) => {
                iterator.value.as_str().map_or_else(|| self.text_of(iterator.value.span), |n| n.to_string())
            }
            None => kind.to_owned(),
        };
        let collection = self.eval(&written.value, scope);
        collection.each_leaf(&mut |leaf| {
            // Null is taken for none by blocks that are made dynamic.
            let elements = match self.elements(leaf) {
                Ok(elements) => elements,
                Err(_) if leaf.is_null() => Vec::new(),
                Err(other) => return Val::unknown(span, other.reason().unwrap_or_else(|| "is not known".into())),
            };
            let rest = match &leaf.kind {
                V::List(list) => list.rest.clone(),
                V::Map(map) => map.rest.clone(),
                _ => None,
            };
            let mut items = Vec::with_capacity(elements.len());
            for (key, element) in elements {
                if !self.spend(1) {
                    break;
                }
                items.push(element.each_leaf(&mut |one| {
                    if matches!(one.kind, V::Absent) {
                        return one.clone();
                    }
                    let entries = [("key", key.clone()), ("value", one.clone())];
                    let entries = entries.map(|(name, value)| Entry { key: name.into(), key_span: span, value });
                    let label = self.known_text(&types::to_text(&key)).ok();
                    let bound = Bound {
                        name: &name,
                        value: Val::map(one.span, entries.into(), None),
                        label: label.map(|label| format!("{name}.key is {label:?}")),
                        up: scope.bound,
                    };
                    read(self, content, Scope { module: scope.module, bound: Some(&bound) })
                }));
            }
            Val::list(span, items, rest)
        })
    }

    // To the names of the APIs.

    /// A resource as the model takes it. `tags`: those that the provider adds.
    pub fn canonical(&mut self, schema: &Schema, read: &Val, tags: Option<&Val>, span: Span) -> Value {
        let mut members = self.members(schema.fields, read);
        if let Some(tags) = tags
            && schema.fields.iter().any(|field| matches!(field.form, Form::Tags))
        {
            let own = read.get("tags").cloned().unwrap_or_else(|| Val::null(span));
            let all = super::functions::merge(&[tags.clone(), own], span);
            members.retain(|member| &*member.name != "tags");
            let value = self.pairs(&all, "key");
            members.push(Member { name: "tags".into(), name_span: span, value });
        }
        let rest = read.as_map().and_then(|map| map.rest.clone());
        Value::new(span, value::Kind::Map(members, rest))
    }

    fn members(&mut self, fields: &[Field], read: &Val) -> Vec<Member> {
        let mut members: Vec<Member> = Vec::new();
        for field in fields {
            let Some(entry) = read.as_map().and_then(|map| map.get(field.from)).cloned() else { continue };
            // Of two arguments for one member the first counts.
            if members.iter().any(|member| &*member.name == field.to && member.value.kind != value::Kind::Null) {
                continue;
            }
            let value = self.formed(&field.form, &entry.value, field.from);
            if value.kind != value::Kind::Null {
                members.push(Member { name: field.to.into(), name_span: entry.key_span, value });
            }
        }
        members
    }

    fn formed(&mut self, form: &Form, value: &Val, name: &str) -> Value {
        if let V::Choice(choice) = &value.kind {
            let then = self.formed(form, &choice.then, name);
            let otherwise = self.formed(form, &choice.otherwise, name);
            return either(value, &choice.condition, &choice.then, &choice.otherwise, then, otherwise);
        }
        match form {
            Form::Plain => match &value.kind {
                V::Text(text) if text.known().is_some_and(|text| text.is_empty()) => null(value.span),
                _ => self.value(value),
            },
            Form::Reference => reference(self.value(value)),
            Form::Toggle => match &types::to_bool(value).kind {
                V::Bool(b) => {
                    let word = if *b { "ENABLED" } else { "DISABLED" };
                    Value::new(value.span, value::Kind::String(word.into()))
                }
                _ => self.value(value),
            },
            Form::Containers => self.containers(value, name),
            Form::Document => self.document(value, name),
            Form::Tags => self.pairs(value, "key"),
            Form::Pairs => self.pairs(value, "name"),
            Form::Many(fields) => self.objects(fields, value),
            Form::One(fields) => {
                let list = self.objects(fields, value);
                first(list)
            }
            Form::Within(inner, []) => match &value.kind {
                // An argument that the API has in an object of its own, or an object that it lacks.
                V::Map(map) => map.get(inner).map_or(null(value.span), |entry| self.document(&entry.value, name)),
                V::Text(text) if text.known().is_some_and(|text| text.is_empty()) => null(value.span),
                _ if value.is_null() => null(value.span),
                _ => {
                    let inside = self.value(value);
                    let member = Member { name: (*inner).into(), name_span: value.span, value: inside };
                    Value::new(value.span, value::Kind::Map(vec![member], None))
                }
            },
            Form::Within(inner, fields) => {
                let one = first(self.objects(fields, value));
                match one.kind {
                    value::Kind::Map(..) => {
                        let (span, name) = (one.span, (*inner).into());
                        Value::new(span, value::Kind::Map(vec![Member { name, name_span: span, value: one }], None))
                    }
                    _ => one,
                }
            }
            Form::Spelled => self.spelled(value, true),
        }
    }

    /// Blocks as objects. In the JSON syntax, and in plans, one block may stand without a list.
    fn objects(&mut self, fields: &[Field], value: &Val) -> Value {
        let mut items = Vec::new();
        let mut rest = None;
        match &value.kind {
            V::List(list) => {
                items.extend(list.items.iter().map(|item| self.object_of(fields, item)));
                rest = list.rest.clone();
            }
            V::Map(_) => items.push(self.object_of(fields, value)),
            V::Null | V::Absent => return null(value.span),
            _ => return self.value(value),
        }
        Value::new(value.span, value::Kind::List(items, rest))
    }

    fn object_of(&mut self, fields: &[Field], value: &Val) -> Value {
        match &value.kind {
            V::Choice(choice) => {
                let then = self.object_of(fields, &choice.then);
                let otherwise = self.object_of(fields, &choice.otherwise);
                either(value, &choice.condition, &choice.then, &choice.otherwise, then, otherwise)
            }
            V::Map(map) => {
                let members = self.members(fields, value);
                Value::new(value.span, value::Kind::Map(members, map.rest.clone()))
            }
            _ => self.value(value),
        }
    }

    /// A map of names and values as a list of objects.
    fn pairs(&mut self, value: &Val, name: &str) -> Value {
        match &value.kind {
            V::Choice(choice) => {
                let then = self.pairs(&choice.then, name);
                let otherwise = self.pairs(&choice.otherwise, name);
                either(value, &choice.condition, &choice.then, &choice.otherwise, then, otherwise)
            }
            V::Map(map) => {
                let items = map.entries.iter().map(|entry| self.pair(entry, &entry.value, name)).collect();
                Value::new(value.span, value::Kind::List(items, map.rest.clone()))
            }
            _ => self.value(value),
        }
    }

    fn pair(&mut self, entry: &Entry, value: &Val, name: &str) -> Value {
        match &value.kind {
            V::Choice(choice) => {
                let then = self.pair(entry, &choice.then, name);
                let otherwise = self.pair(entry, &choice.otherwise, name);
                either(value, &choice.condition, &choice.then, &choice.otherwise, then, otherwise)
            }
            V::Null | V::Absent => null(value.span),
            _ => {
                let key = Value::new(entry.key_span, value::Kind::String((&*entry.key).into()));
                let member = |name: &str, value: Value| Member { name: name.into(), name_span: entry.key_span, value };
                let members = vec![member(name, key), member("value", self.value(value))];
                Value::new(value.span, value::Kind::Map(members, None))
            }
        }
    }

    /// The list that JSON of container definitions holds, with the names as the API spells them.
    fn containers(&mut self, value: &Val, name: &str) -> Value {
        match &value.kind {
            V::Text(text) => match json_text::parse(text, value.span) {
                Ok(Val { kind: V::Map(_), span }) => {
                    let reason = format!("`{name}` must be a list in JSON");
                    self.problem_once(span, &reason);
                    Value::unknown(span, format!("`{name}` is not a list"))
                }
                Ok(list) => self.each_container(&list),
                Err(wrong) => self.not_json(wrong, text.reason(), value.span, name),
            },
            _ => self.each_container(value),
        }
    }

    /// A list of containers. Where all that are not known are made by one expression, one more stands
    /// for each of them: a task definition has at least one, so that it is there unless others are.
    fn each_container(&mut self, value: &Val) -> Value {
        let mut made = self.spelled(value, false);
        if let (V::List(list), value::Kind::List(items, rest)) = (&value.kind, &mut made.kind)
            && let (Some(each), Some(reason)) = (&list.each, &list.rest)
        {
            let one = self.spelled(each, false);
            let one = match items.is_empty() {
                true => one,
                false => {
                    let condition = format!("there are more containers ({reason})").into();
                    let choice = value::Choice { condition, then: one, otherwise: null(each.span) };
                    Value::new(each.span, value::Kind::Choice(Box::new(choice)))
                }
            };
            items.push(one);
            *rest = Some(reason.clone().of_alike());
        }
        made
    }

    fn document(&mut self, value: &Val, name: &str) -> Value {
        match &value.kind {
            V::Text(text) if text.known().is_some_and(|text| text.is_empty()) => null(value.span),
            V::Text(text) => match json_text::parse(text, value.span) {
                Ok(document) => self.value(&document),
                Err(wrong) => self.not_json(wrong, text.reason(), value.span, name),
            },
            _ => self.value(value),
        }
    }

    fn not_json(&mut self, wrong: json_text::NotJson, reason: Option<Reason>, span: Span, name: &str) -> Value {
        match wrong.certain {
            true => {
                self.problem_once(wrong.span, &format!("`{name}` is not JSON: {}", wrong.message));
                Value::unknown(span, format!("`{name}` is not JSON"))
            }
            false => Value::unknown(span, reason.unwrap_or_else(|| "is not known".into())),
        }
    }

    /// A value with the names of the API. `snake`: they are spelled with underscores.
    pub fn spelled(&mut self, value: &Val, snake: bool) -> Value {
        match &value.kind {
            V::List(list) => {
                let items = list.items.iter().map(|item| self.spelled(item, snake)).collect();
                Value::new(value.span, value::Kind::List(items, list.rest.clone()))
            }
            V::Map(map) => {
                if !self.spend(map.entries.len() as u64) {
                    return Value::unknown(value.span, "takes too many steps to evaluate");
                }
                let members = map.entries.iter().map(|entry| {
                    let known = schema::spelled(&entry.key, snake);
                    let own = known.is_some_and(|known| known.is_own);
                    let value = if own { self.value(&entry.value) } else { self.spelled(&entry.value, snake) };
                    Member {
                        name: known.map_or(&*entry.key, |known| known.name).into(),
                        name_span: entry.key_span,
                        value,
                    }
                });
                let members = members.collect();
                Value::new(value.span, value::Kind::Map(members, map.rest.clone()))
            }
            V::Choice(choice) => {
                let then = self.spelled(&choice.then, snake);
                let otherwise = self.spelled(&choice.otherwise, snake);
                either(value, &choice.condition, &choice.then, &choice.otherwise, then, otherwise)
            }
            _ => self.value(value),
        }
    }

    /// A value in the words of the model.
    fn value(&mut self, value: &Val) -> Value {
        if !self.spend(1) {
            return Value::unknown(value.span, "takes too many steps to evaluate");
        }
        let kind = match &value.kind {
            V::Null | V::Absent => value::Kind::Null,
            V::Bool(b) => value::Kind::Bool(*b),
            V::Number(number) => value::Kind::Number(number.to_string().into()),
            V::Text(text) => match text.known() {
                Some(text) => value::Kind::String((&*text).into()),
                None => value::Kind::Unknown(Reason::of_parts(text.parts(value.span))),
            },
            V::List(list) => {
                value::Kind::List(list.items.iter().map(|item| self.value(item)).collect(), list.rest.clone())
            }
            V::Map(map) => {
                let members = map.entries.iter().map(|entry| Member {
                    name: (&*entry.key).into(),
                    name_span: entry.key_span,
                    value: self.value(&entry.value),
                });
                value::Kind::Map(members.collect(), map.rest.clone())
            }
            V::Choice(choice) => {
                let then = self.value(&choice.then);
                let otherwise = self.value(&choice.otherwise);
                return either(value, &choice.condition, &choice.then, &choice.otherwise, then, otherwise);
            }
            V::Unknown(_) | V::Error(_) | V::Resource(_) | V::Module(_) => {
                value::Kind::Unknown(value.reason().unwrap_or_else(|| "is not known".into()))
            }
        };
        Value::new(value.span, kind)
    }
}

fn null(span: Span) -> Value {
    Value::new(span, value::Kind::Null)
}

/// One of two values by a condition. A way in which Terraform would refuse the whole cannot be.
fn either(value: &Val, condition: &Arc<str>, a: &Val, b: &Val, then: Value, otherwise: Value) -> Value {
    match (&a.kind, &b.kind) {
        (V::Error(_), _) => otherwise,
        (_, V::Error(_)) => then,
        _ if then.kind == otherwise.kind => then,
        _ => {
            let choice = value::Choice { condition: condition.clone(), then, otherwise };
            Value::new(value.span, value::Kind::Choice(Box::new(choice)))
        }
    }
}

/// The only block of a list.
fn first(list: Value) -> Value {
    match list.kind {
        value::Kind::List(items, rest) => match (items.into_iter().find(|item| item.kind != value::Kind::Null), rest) {
            (Some(item), _) => item,
            (None, Some(reason)) => Value::unknown(list.span, reason),
            (None, None) => null(list.span),
        },
        _ => list,
    }
}

/// `web:${…}` names what `web` is whatever revision that is.
fn reference(value: Value) -> Value {
    let value::Kind::Unknown(reason) = &value.kind else { return value };
    match reason.parts() {
        [Part::Known(name), _] if name.len() > 1 && name.ends_with(':') && !name.starts_with("arn:") => {
            Value::new(value.span, value::Kind::String(name.trim_end_matches(':').into()))
        }
        // The same of a name that is known by where it comes from.
        [Part::Unknown(of), Part::Known(colon), _] if &**colon == ":" && of.address().is_some() => {
            Value::unknown(value.span, of.clone())
        }
        _ => value,
    }
}

/// The schema of a resource that is ours.
pub fn own_schema(block: &Block) -> Option<&'static Schema> {
    match (&*block.kind.text, block.label(0)) {
        ("resource", Some(of)) => schema::of(of),
        _ => None,
    }
}

/// Reads what a resource declares.
pub fn declared(kind: Kind, value: &Value) -> (Declared, Vec<Problem>) {
    fn boxed<T>((read, problems): (T, Vec<Problem>), of: fn(Box<T>) -> Declared) -> (Declared, Vec<Problem>) {
        (of(Box::new(read)), problems)
    }
    match kind {
        Kind::TaskDefinition => {
            let (task, problems) = TaskDefinition::read(value, TaskKind::TaskDefinition);
            boxed((TaskDefinition { by_terraform: true, ..task }, problems), Declared::TaskDefinition)
        }
        Kind::Service => boxed(Service::read(value), Declared::Service),
        Kind::TaskSet => boxed(TaskSet::read(value), Declared::TaskSet),
        Kind::Cluster => boxed(Cluster::read(value), Declared::Cluster),
        Kind::ClusterCapacityProviders => {
            boxed(ClusterCapacityProviders::read(value), Declared::ClusterCapacityProviders)
        }
        Kind::CapacityProvider => boxed(CapacityProvider::read(value), Declared::CapacityProvider),
        Kind::Repository => boxed(Repository::read(value, RepositoryKind::Private), Declared::Repository),
        Kind::PublicRepository => boxed(Repository::read(value, RepositoryKind::Public), Declared::Repository),
        Kind::RepositoryPolicy => {
            boxed(RepositoryPolicy::read(value, RepositoryKind::Private), Declared::RepositoryPolicy)
        }
        Kind::PublicRepositoryPolicy => {
            boxed(RepositoryPolicy::read(value, RepositoryKind::Public), Declared::RepositoryPolicy)
        }
        Kind::LifecyclePolicy => boxed(LifecyclePolicy::read(value), Declared::LifecyclePolicy),
        Kind::RegistryScanning => boxed(RegistryScanning::read(value), Declared::RegistryScanning),
        Kind::EventRule => boxed(EventRule::read(value), Declared::EventRule),
        Kind::MetricFilter => boxed(MetricFilter::read(value), Declared::MetricFilter),
    }
}
