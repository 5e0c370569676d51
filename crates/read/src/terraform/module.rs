//! Module instances: the folder that each is configured by, its variables, locals and outputs, the
//! modules that it calls, and the budget that all evaluation draws on.
//!
//! Long because variables, locals, resources and calls of a module look at each other.

use std::collections::HashMap;
use std::sync::Arc;

use tojimari_text::hcl::{Block, Body, Expression, ExpressionKind, Key, Step, Template};
use tojimari_text::{FileId, Problem, Sources, Span};

use super::config::{self, Config, Declared, Variable};
use super::evaluate::{Bound, Scope};
use super::known;
use super::repeat::{Each, Repeat, Turn};
use super::value::{Instance, V, Val};
use crate::Files;
use crate::partial::BOUNDS;
use tojimari_model::value::{Assumption, Reason};

/// Steps of evaluation of one root module: a large one takes a hundred thousand.
const MAX_STEPS: u64 = 3_000_000;

/// Bytes of text put together in one root module.
const MAX_BYTES: usize = BOUNDS.bytes;

/// Module instances of one root module, and how deeply they call one another.
const MAX_MODULES: usize = 2_000;
const MAX_CALLS: usize = 24;

/// Evaluates one root module and all that it calls.
pub struct Evaluator<'a> {
    pub(super) sources: &'a Sources,
    pub(super) files: &'a dyn Files,
    pub(super) modules: Vec<Module>,
    /// By folder. None while a folder is read.
    configs: HashMap<String, Arc<Config>>,
    pub(super) templates: HashMap<FileId, Result<Arc<Template>, Arc<str>>>,
    loaded: HashMap<String, Result<FileId, String>>,
    memo: HashMap<Slot, Memo>,
    repeats: HashMap<(usize, Repeated, usize), Arc<Repeat>>,
    calls: HashMap<(usize, usize), Arc<Called>>,
    /// Folders that declare something of ours, or call one that does.
    declaring: HashMap<String, bool>,
    steps: u64,
    bytes: usize,
    pub(super) depth: u32,
    /// Whether errors are asked for, as in `try`.
    pub(super) catching: bool,
    pub(super) problems: Vec<Problem>,
    pub(super) claimed: Vec<FileId>,
    /// Blocks of ours that some module instance has none of.
    pub(super) idle: Vec<Span>,
}

/// One instance of a module; the first is the root.
pub struct Module {
    /// `module.app[0].module.task`; empty for the root.
    pub address: String,
    /// `app.task`: how Terraform's own list of installed modules names it.
    key: String,
    pub config: Arc<Config>,
    pub parent: Option<Parent>,
    /// As `path.module` says it: relative to the root's folder.
    pub path: String,
    /// The call, for a module whose configuration is not the user's: everything is there.
    pub call_span: Option<Span>,
    pub assumed: Vec<Assumption>,
    /// Values of the files of variables that Terraform loads by itself; for the root alone.
    given: HashMap<Arc<str>, Val>,
    depth: usize,
}

#[derive(Clone)]
pub struct Parent {
    pub module: usize,
    call: usize,
    turn: Turn,
}

/// The instances of a call, and what `module.x` is.
pub struct Called {
    pub value: Val,
    pub modules: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Repeated {
    Block,
    Call,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Slot {
    Variable(usize, Arc<str>),
    Local(usize, Arc<str>),
    Output(usize, Arc<str>),
    Attribute(usize, usize, Arc<str>, Arc<str>),
}

enum Memo {
    Evaluating,
    Done(Val),
}

impl<'a> Evaluator<'a> {
    pub fn new(sources: &'a Sources, files: &'a dyn Files) -> Self {
        Evaluator {
            sources,
            files,
            modules: Vec::new(),
            configs: HashMap::new(),
            templates: HashMap::new(),
            loaded: HashMap::new(),
            memo: HashMap::new(),
            repeats: HashMap::new(),
            calls: HashMap::new(),
            declaring: HashMap::new(),
            steps: MAX_STEPS,
            bytes: MAX_BYTES,
            depth: 0,
            catching: false,
            problems: Vec::new(),
            claimed: Vec::new(),
            idle: Vec::new(),
        }
    }

    /// Counts work; false when the budget is used up.
    pub fn spend(&mut self, steps: u64) -> bool {
        self.steps = self.steps.saturating_sub(steps);
        self.steps > 0
    }

    pub fn spend_bytes(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.bytes > 0
    }

    pub fn is_exhausted(&self) -> bool {
        self.steps == 0 || self.bytes == 0
    }

    /// The place of something in a module: in one that is not the user's it is that of its call.
    pub fn span(&self, span: Span, scope: Scope<'_>) -> Span {
        self.modules[scope.module].call_span.unwrap_or(span)
    }

    /// The text that a span covers.
    pub fn text_of(&self, span: Span) -> String {
        match known::text(span.file) {
            Some(text) => text.get(span.range()).unwrap_or_default().to_owned(),
            None => self.sources.slice(span),
        }
    }

    /// A file, by its path from the current folder.
    pub fn load(&mut self, path: &str) -> Result<FileId, String> {
        if let Some(loaded) = self.loaded.get(path) {
            return loaded.clone();
        }
        let loaded = self.files.load(path);
        if let Ok(file) = &loaded {
            self.claimed.push(*file);
        }
        self.loaded.insert(path.to_owned(), loaded.clone());
        loaded
    }

    // Configurations.

    /// The configuration of a folder. `asked`: the files whose declarations count first; the others
    /// of the folder are only looked things up in, and what they cannot be read of is no problem.
    pub fn config(&mut self, folder: &str, asked: &[FileId]) -> Arc<Config> {
        if let Some(config) = self.configs.get(folder) {
            return config.clone();
        }
        let mut names: Vec<String> = self
            .files
            .list(folder)
            .into_iter()
            .filter(|name| config::is_configuration(name))
            .map(|name| join(folder, &name))
            .collect();
        let replaced: Vec<String> = names.iter().filter_map(|name| config::replaced_by(name)).collect();
        names.retain(|name| !replaced.contains(name));
        let mut files: Vec<FileId> = asked.to_vec();
        for name in names {
            if let Ok(file) = self.files.load(&name)
                && !files.contains(&file)
            {
                files.push(file);
            }
        }
        let all = files.clone();
        let mut bodies = Vec::with_capacity(files.len());
        for file in files {
            let source = self.sources.get(file);
            let (body, problems) = config::read_file(file, &source);
            if asked.is_empty() || asked.contains(&file) {
                self.problems.extend(problems);
            }
            bodies.push((file, config::is_override(&source.name), body));
        }
        let config = Arc::new(Config { files: all, ..Config::new(folder.to_owned(), bodies) });
        self.configs.insert(folder.to_owned(), config.clone());
        config
    }

    /// Begins with the root module.
    pub fn root_module(&mut self, config: Arc<Config>, given: HashMap<Arc<str>, Val>) {
        self.modules.push(Module {
            address: String::new(),
            key: String::new(),
            config,
            parent: None,
            path: ".".to_owned(),
            call_span: None,
            assumed: Vec::new(),
            given,
            depth: 0,
        });
    }

    pub fn give(&mut self, given: HashMap<Arc<str>, Val>) {
        self.modules[0].given = given;
    }

    /// Whether a configuration, or one of the folders that it calls, has a resource of ours.
    pub fn config_may_declare(&mut self, config: &Arc<Config>, depth: usize) -> bool {
        if let Some(known) = self.declaring.get(&config.folder) {
            return *known;
        }
        if depth > MAX_CALLS || config.blocks.iter().any(|block| super::resource::own_schema(block).is_some()) {
            self.declaring.insert(config.folder.clone(), true);
            return true;
        }
        // A folder that calls itself declares nothing by that.
        self.declaring.insert(config.folder.clone(), false);
        let declares = config.modules.iter().any(|block| {
            let source = block.body.attribute("source").and_then(|source| source.value.as_str());
            match source {
                Some(source) if source.starts_with('.') && !config.folder.starts_with(known::FOLDER) => {
                    let folder = clean(&join(&config.folder, &source));
                    let inner = self.config(&folder, &[]);
                    self.config_may_declare(&inner, depth + 1)
                }
                // What cannot be told here is seen when it is called.
                _ => true,
            }
        });
        self.declaring.insert(config.folder.clone(), declares);
        declares
    }

    // References.

    /// What a reference begins with, and how many of its steps that took.
    pub fn root(&mut self, name: &str, steps: &[Step], span: Span, scope: Scope<'_>) -> (Val, usize) {
        if let Some(bound) = scope.find(name) {
            return (bound, 0);
        }
        let step = |index: usize| match steps.get(index) {
            Some(Step::Attribute(name)) => Some(name.text.clone()),
            Some(Step::Index(index)) => index.as_str(),
            _ => None,
        };
        let module = scope.module;
        match (name, step(0), step(1)) {
            ("var", Some(name), _) => (self.variable(module, &name, span), 1),
            ("local", Some(name), _) => (self.local(module, &name, span), 1),
            ("module", Some(name), _) => (self.module_value(module, &name, span), 1),
            ("path", Some(name), _) => (self.path_value(module, &name, span), 1),
            ("terraform" | "tofu", Some(name), _) => (Val::unknown(span, format!("depends on terraform.{name}")), 1),
            ("each" | "count" | "self", ..) => (Val::error(span, format!("`{name}` is known only within a block")), 0),
            ("data", Some(of), Some(name)) => (self.resource_value(module, &format!("data.{of}.{name}"), span), 2),
            ("ephemeral", Some(of), Some(name)) => {
                (Val::unknown(span, format!("is read from ephemeral.{of}.{name}")), 2)
            }
            ("resource", Some(of), Some(name)) => (self.resource_value(module, &format!("{of}.{name}"), span), 2),
            ("var" | "local" | "module" | "path" | "data", ..) => {
                (Val::unknown(span, format!("depends on all of `{name}`")), 0)
            }
            (of, Some(name), _) => (self.resource_value(module, &format!("{of}.{name}"), span), 1),
            (name, None, _) => (Val::unknown(span, format!("depends on `{name}`, which is not declared")), 0),
        }
    }

    fn path_value(&self, module: usize, name: &str, span: Span) -> Val {
        match name {
            "module" => Val::text(span, &*self.modules[module].path),
            // The folder that Terraform is run in is the root's.
            "root" | "cwd" => Val::text(span, "."),
            _ => Val::error(span, format!("`path.{name}` does not exist")),
        }
    }

    /// Evaluates once; what refers to itself is unknown.
    fn once(&mut self, slot: Slot, span: Span, words: &str, evaluate: impl FnOnce(&mut Self) -> Val) -> Val {
        match self.memo.get(&slot) {
            Some(Memo::Done(value)) => return value.clone(),
            Some(Memo::Evaluating) => return Val::unknown(span, format!("depends on {words}, which refers to itself")),
            None => {}
        }
        self.memo.insert(slot.clone(), Memo::Evaluating);
        let catching = std::mem::replace(&mut self.catching, false);
        let value = evaluate(self);
        self.catching = catching;
        self.memo.insert(slot, Memo::Done(value.clone()));
        value
    }

    /// A value that is unknown where it is declared is so where it is used.
    fn used(value: Val, span: Span) -> Val {
        match value.kind {
            V::Unknown(_) | V::Error(_) => value.at(span),
            _ => value,
        }
    }

    pub fn variable(&mut self, module: usize, name: &Arc<str>, span: Span) -> Val {
        let config = self.modules[module].config.clone();
        let Some(declared) = pick(&config.variables, name, span.file) else {
            return Val::unknown(span, format!("depends on var.{name}, which is not declared"));
        };
        let slot = Slot::Variable(module, name.clone());
        let value = self
            .once(slot, span, &format!("var.{name}"), |evaluator| evaluator.given_or_default(module, name, declared));
        Self::used(value, span)
    }

    fn given_or_default(&mut self, module: usize, name: &Arc<str>, declared: &Variable) -> Val {
        let scope = Scope::of(module);
        let place = self.span(declared.name.span, scope);
        let unset = || {
            let reason = Reason::from(format!("depends on var.{name}"));
            let condition = Some((format!("var.{name}").into(), false));
            Val::new(place, V::Unknown(Arc::new(super::value::Unknown { reason, condition })))
        };
        let given = match self.modules[module].parent.clone() {
            None => self.modules[module].given.get(name).cloned(),
            Some(parent) => self.argument(&parent, name),
        };
        let default = |evaluator: &mut Self| match &declared.default {
            Some(default) => evaluator.eval(default, scope),
            None => unset(),
        };
        let value = match given {
            None => default(self),
            Some(given) if given.may_be_absent() => {
                let default = default(self);
                given.each_leaf(&mut |leaf| match leaf.kind {
                    V::Absent => default.clone(),
                    V::Null if !declared.nullable => default.clone(),
                    _ => leaf.clone(),
                })
            }
            Some(given) if declared.nullable || !given.any_leaf(&Val::is_null) => given,
            Some(given) => {
                let default = default(self);
                given.each_leaf(&mut |leaf| if leaf.is_null() { default.clone() } else { leaf.clone() })
            }
        };
        let optional = &mut |written: &Expression| self.eval(written, scope);
        match declared.of.convert(&value, optional) {
            Val { kind: V::Error(reason), span } => {
                Val::unknown(span, format!("depends on var.{name}, whose value {reason}"))
            }
            converted => converted,
        }
    }

    /// What a call gives for a variable.
    fn argument(&mut self, parent: &Parent, name: &str) -> Option<Val> {
        let config = self.modules[parent.module].config.clone();
        let body = &config.modules[parent.call].body;
        // Configurations of our own may give all arguments as one map.
        if config.folder.starts_with(known::FOLDER)
            && let Some(all) = body.attribute("arguments")
        {
            let all =
                self.in_turn(parent.module, &parent.turn, &mut |evaluator, scope| evaluator.eval(&all.value, scope));
            let given = all.each_leaf(&mut |leaf| match &leaf.kind {
                V::Map(map) => match (map.get(name), &map.rest) {
                    (Some(entry), _) => entry.value.clone(),
                    (None, Some(reason)) => Val::unknown(leaf.span, reason.clone()),
                    (None, None) => Val::new(leaf.span, V::Absent),
                },
                _ => leaf.clone(),
            });
            return Some(given).filter(|given| !matches!(given.kind, V::Absent));
        }
        let written = &body.attribute(name)?.value;
        Some(self.in_turn(parent.module, &parent.turn, &mut |evaluator, scope| evaluator.eval(written, scope)))
    }

    /// Evaluates with what `count` and `for_each` bind.
    pub fn in_turn<T>(&mut self, module: usize, turn: &Turn, evaluate: &mut dyn FnMut(&mut Self, Scope<'_>) -> T) -> T {
        match &turn.bound {
            None => evaluate(self, Scope::of(module)),
            Some((name, value)) => {
                let label = turn.label();
                let bound = Bound { name, value: value.clone(), label, up: None };
                evaluate(self, Scope { module, bound: Some(&bound) })
            }
        }
    }

    pub fn local(&mut self, module: usize, name: &Arc<str>, span: Span) -> Val {
        let config = self.modules[module].config.clone();
        let Some(written) = pick(&config.locals, name, span.file) else {
            return Val::unknown(span, format!("depends on local.{name}, which is not declared"));
        };
        let slot = Slot::Local(module, name.clone());
        let value =
            self.once(slot, span, &format!("local.{name}"), |evaluator| evaluator.eval(written, Scope::of(module)));
        Self::used(value, span)
    }

    pub fn output(&mut self, module: usize, name: &str, span: Span) -> Val {
        let config = self.modules[module].config.clone();
        let Some(written) = pick(&config.outputs, name, span.file) else {
            let address = &self.modules[module].address;
            // Of a module that is known only in part, what is not written down may be there.
            return match config.folder.starts_with(known::FOLDER) {
                true => Val::unknown(span, format!("depends on {address}.{name}")),
                false => Val::error(span, format!("{address} has no output `{name}`")),
            };
        };
        let slot = Slot::Output(module, name.into());
        let value =
            self.once(slot, span, &format!("output {name}"), |evaluator| evaluator.eval(written, Scope::of(module)));
        Self::used(value, span)
    }

    // Resources.

    /// What an address such as `aws_ecs_cluster.main` refers to: an instance, or all of them.
    fn resource_value(&mut self, module: usize, address: &str, span: Span) -> Val {
        let config = self.modules[module].config.clone();
        let Some(places) = config.by_address.get(address) else {
            return Val::unknown(span, format!("depends on {address}, which is not declared"));
        };
        let own = places.iter().find(|place| config.blocks[**place].span.file == span.file);
        let place = *own.unwrap_or(&places[0]);
        let repeat = self.repeat_block(module, place);
        let full = self.address(module, address);
        let is_data = address.starts_with("data.");
        repeat.value(
            span,
            &full,
            &mut |key| {
                let address = match key {
                    Some(key) => format!("{full}{key}"),
                    None => full.clone(),
                };
                V::Resource(Arc::new(Instance { module, block: place, key: key.cloned(), address: address.into() }))
            },
            is_data,
        )
    }

    /// An address within a module, from the root.
    pub fn address(&self, module: usize, address: &str) -> String {
        match &*self.modules[module].address {
            "" => address.to_owned(),
            module => format!("{module}.{address}"),
        }
    }

    pub fn repeat_block(&mut self, module: usize, place: usize) -> Arc<Repeat> {
        let key = (module, Repeated::Block, place);
        if let Some(repeat) = self.repeats.get(&key) {
            return repeat.clone();
        }
        let config = self.modules[module].config.clone();
        // What asks for itself while it is counted finds one instance.
        self.repeats.insert(key, Arc::new(Repeat::once()));
        let repeat = Arc::new(self.repeat(&config.blocks[place].body, module));
        self.repeats.insert(key, repeat.clone());
        repeat
    }

    /// An attribute of a resource: the argument of that name, or what only the provider knows.
    pub fn resource_attribute(&mut self, instance: &Instance, name: &str, span: Span) -> Val {
        let config = self.modules[instance.module].config.clone();
        let block = &config.blocks[instance.block];
        let later = |span: Span| match &*block.kind.text {
            "data" => Val::unknown(span, format!("is read from {}", instance.address)),
            _ => Val::unknown(span, Reason::attribute_of(&instance.address)),
        };
        let repeat = self.repeat_block(instance.module, instance.block);
        let Some(turn) = repeat.turn(instance.key.as_ref()) else { return later(span) };
        let turn = turn.clone();
        let slot = Slot::Attribute(instance.module, instance.block, instance.address.clone(), name.into());
        let value = self.once(slot, span, &instance.address, |evaluator| {
            evaluator.in_turn(instance.module, &turn, &mut |evaluator, scope| {
                if let Some(value) = evaluator.computed(block, name, span, scope) {
                    return value;
                }
                match block.body.attribute(name) {
                    Some(attribute) => {
                        let value = evaluator.eval(&attribute.value, scope);
                        value.each_leaf(&mut |leaf| if leaf.is_null() { later(span) } else { leaf.clone() })
                    }
                    None => later(span),
                }
            })
        });
        Self::used(value, span)
    }

    /// Attributes that are computed from others without asking anyone.
    fn computed(&mut self, block: &Block, name: &str, span: Span, scope: Scope<'_>) -> Option<Val> {
        match (&*block.kind.text, block.label(0)?, name) {
            ("data", "aws_iam_policy_document", "json" | "minified_json") => {
                Some(self.policy_document(&block.body, span, scope))
            }
            ("data", "template_file", "rendered") => Some(self.template_file(&block.body, span, scope)),
            ("data", "local_file", "content") => {
                let path = self.eval(&block.body.attribute("filename")?.value, scope);
                Some(self.function("file", vec![path], span, scope))
            }
            ("resource", "terraform_data", "output") => Some(self.eval(&block.body.attribute("input")?.value, scope)),
            ("data", "null_data_source", "outputs") => Some(self.eval(&block.body.attribute("inputs")?.value, scope)),
            _ => None,
        }
    }

    // Calls of modules.

    /// What `module.x` is.
    fn module_value(&mut self, module: usize, name: &str, span: Span) -> Val {
        let config = self.modules[module].config.clone();
        let places = || config.modules.iter().enumerate().filter(|(_, block)| block.label(0) == Some(name));
        let own = places().find(|(_, block)| block.span.file == span.file).or_else(|| places().next());
        match own {
            Some((call, _)) => Self::used(self.called(module, call).value.clone(), span),
            None => Val::unknown(span, format!("depends on module.{name}, which is not declared")),
        }
    }

    /// The instances of a call, made when they are first asked for.
    pub fn called(&mut self, module: usize, call: usize) -> Arc<Called> {
        if let Some(called) = self.calls.get(&(module, call)) {
            return called.clone();
        }
        let config = self.modules[module].config.clone();
        let block = &config.modules[call];
        let span = self.span(block.span, Scope::of(module));
        let name = block.label(0).unwrap_or_default();
        let waiting = Val::unknown(span, format!("depends on module.{name}, which refers to itself"));
        self.calls.insert((module, call), Arc::new(Called { value: waiting, modules: Vec::new() }));
        let called = match self.source(module, block) {
            Err(reason) => Called { value: Val::unknown(span, reason), modules: Vec::new() },
            Ok((config, path, call_span)) => self.instances(module, call, &config, &path, call_span),
        };
        let called = Arc::new(called);
        self.calls.insert((module, call), called.clone());
        called
    }

    fn instances(
        &mut self,
        module: usize,
        call: usize,
        config: &Arc<Config>,
        path: &str,
        call_span: Option<Span>,
    ) -> Called {
        let parent = self.modules[module].config.clone();
        let block = &parent.modules[call];
        let span = self.span(block.span, Scope::of(module));
        let name = block.label(0).unwrap_or_default().to_owned();
        let depth = self.modules[module].depth + 1;
        let repeat = Arc::new(self.repeat(&block.body, module));
        self.repeats.insert((module, Repeated::Call, call), repeat.clone());
        let key = match &*self.modules[module].key {
            "" => name.clone(),
            outer => format!("{outer}.{name}"),
        };
        let address = self.address(module, &format!("module.{name}"));
        let mut modules = Vec::new();
        let mut by_key = HashMap::new();
        for turn in &repeat.turns {
            if self.modules.len() >= MAX_MODULES || depth > MAX_CALLS {
                self.problem_once(span, "there are too many instances of modules to evaluate them all");
                break;
            }
            let number = self.modules.len();
            let mut assumed = self.modules[module].assumed.clone();
            assumed.extend(turn.assumed.iter().cloned());
            self.modules.push(Module {
                address: match &turn.key {
                    Some(key) => format!("{address}{key}"),
                    None => address.clone(),
                },
                key: key.clone(),
                config: config.clone(),
                parent: Some(Parent { module, call, turn: turn.clone() }),
                path: path.to_owned(),
                call_span,
                assumed,
                given: HashMap::new(),
                depth,
            });
            by_key.entry(turn.key.clone()).or_insert(number);
            modules.push(number);
        }
        if !modules.is_empty() {
            self.claimed.extend(config.files.iter().copied());
        }
        let value = repeat.value(
            span,
            &address,
            &mut |key| match by_key.get(&key.cloned()) {
                Some(number) => V::Module(*number),
                None => V::Error(format!("{address} has no such instance").into()),
            },
            false,
        );
        Called { value, modules }
    }

    /// Whether there are repeated instances that nobody can count: they have no key.
    pub fn problem_once(&mut self, span: Span, message: &str) {
        let problem = Problem { span, message: message.to_owned() };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// The configuration that a call names, its path from the root, and the place of everything in
    /// it where it is not the user's.
    pub fn source(&mut self, module: usize, block: &Block) -> Result<(Arc<Config>, String, Option<Span>), String> {
        let name = block.label(0).unwrap_or_default();
        let outer = &self.modules[module];
        let outer_span = outer.call_span;
        let Some(written) = block.body.attribute("source") else {
            return Err(format!("depends on module.{name}, which has no source"));
        };
        let source = self.eval(&written.value, Scope::of(module));
        let source = match self.known_text(&source) {
            Ok(source) => source,
            Err(reason) => return Err(format!("depends on module.{name}, whose source {reason}")),
        };
        let version = block.body.attribute("version").and_then(|version| version.value.as_str());
        if let Some(folder) = &self.modules[module].config.folder.strip_prefix(known::FOLDER) {
            let folder = clean(&join(folder, &source));
            let config =
                known::local(&folder).ok_or_else(|| format!("depends on module.{name}, which is not known here"))?;
            return Ok((config, self.modules[module].path.clone(), outer_span));
        }
        let root = self.modules[0].config.folder.clone();
        if source.starts_with("./") || source.starts_with("../") || &*source == "." || &*source == ".." {
            let path = clean(&join(&self.modules[module].path, &source));
            let config = self.config(&clean(&join(&root, &path)), &[]);
            return match config.is_empty() {
                true => Err(format!("depends on module.{name}, whose source `{source}` holds no configuration")),
                false => Ok((config, path, None)),
            };
        }
        let key = match &*self.modules[module].key {
            "" => name.to_owned(),
            outer => format!("{outer}.{name}"),
        };
        if let Some(path) = self.installed(&root, &key) {
            let config = self.config(&clean(&join(&root, &path)), &[]);
            if !config.is_empty() {
                return Ok((config, path, None));
            }
        }
        match known::find(&source, version.as_deref()) {
            Some(config) => Ok((config, self.modules[module].path.clone(), Some(block.span))),
            None => Err(format!("depends on module.{name}, whose source `{source}` is not among the files")),
        }
    }

    /// Where `terraform init` put a module that was downloaded.
    fn installed(&mut self, root: &str, key: &str) -> Option<String> {
        let file = self.load(&join(root, ".terraform/modules/modules.json")).ok()?;
        let source = self.sources.get(file);
        let list: serde_json::Value = serde_json::from_str(&source.text).ok()?;
        let found = list.get("Modules")?.as_array()?.iter().find(|module| module["Key"] == *key)?;
        Some(clean(found.get("Dir")?.as_str()?))
    }

    // Providers.

    /// The tags that the provider of a resource adds to all that it makes.
    pub fn default_tags(&mut self, module: usize, alias: Option<&str>) -> Option<Val> {
        let config = self.modules[module].config.clone();
        let own = config.providers.iter().find(|provider| {
            let named = provider.body.attribute("alias").and_then(|alias| alias.value.as_str());
            provider.label(0) == Some("aws") && named.as_deref() == alias
        });
        if let Some(provider) = own {
            let block = provider.body.blocks("default_tags").next().map(|block| &block.body);
            let tags = block.and_then(|body| body.attribute("tags")).map(|tags| tags.value.clone());
            // In the JSON syntax the block is an attribute.
            let tags = tags.or_else(|| match &provider.body.attribute("default_tags")?.value.kind {
                ExpressionKind::Object(items) => tags_item(items),
                ExpressionKind::List(items) => match &items.first()?.kind {
                    ExpressionKind::Object(items) => tags_item(items),
                    _ => None,
                },
                _ => None,
            })?;
            return Some(self.eval(&tags, Scope::of(module)));
        }
        let parent = self.modules[module].parent.clone()?;
        let outer = self.modules[parent.module].config.clone();
        let given = outer.modules[parent.call].body.attribute("providers").map(|providers| &providers.value.kind);
        let wanted = alias.map_or_else(|| "aws".to_owned(), |alias| format!("aws.{alias}"));
        let mut outer_alias = alias.map(str::to_owned);
        if let Some(ExpressionKind::Object(items)) = given {
            for item in items {
                let key = match &item.key {
                    Key::Name(name) => name.text.to_string(),
                    Key::Computed(key) => self.text_of(key.span),
                };
                if key == wanted {
                    let text =
                        item.value.as_str().map_or_else(|| self.text_of(item.value.span), |text| text.to_string());
                    outer_alias = text.split_once('.').map(|(_, alias)| alias.to_owned());
                }
            }
        }
        self.default_tags(parent.module, outer_alias.as_deref())
    }

    /// Repetition as the meta-arguments of a block say it.
    pub fn repeat(&mut self, body: &Body, module: usize) -> Repeat {
        let scope = Scope::of(module);
        if let Some(written) = body.attribute("for_each") {
            let value = self.eval(&written.value, scope);
            let condition = self.condition(&written.value, scope);
            return Repeat::new(Each::ForEach, &value, &condition);
        }
        if let Some(written) = body.attribute("count") {
            let value = self.eval(&written.value, scope);
            let condition = self.condition(&written.value, scope);
            return Repeat::new(Each::Count, &value, &condition);
        }
        // `enabled` of OpenTofu and any other way leave one instance.
        Repeat::once()
    }
}

fn tags_item(items: &[tojimari_text::hcl::Item]) -> Option<Expression> {
    items
        .iter()
        .find(|item| matches!(&item.key, Key::Name(name) if &*name.text == "tags"))
        .map(|item| item.value.clone())
}

/// The declaration of a name: that of the file that asks, where there are several.
fn pick<'c, T>(declared: &'c Declared<T>, name: &str, file: FileId) -> Option<&'c T> {
    let all = declared.get(name)?;
    all.iter().find(|(own, _)| *own == file).or_else(|| all.first()).map(|(_, one)| one)
}

/// A path below a folder.
pub fn join(folder: &str, path: &str) -> String {
    match folder {
        "" | "." => path.to_owned(),
        _ if path.starts_with('/') => path.to_owned(),
        folder => format!("{}/{path}", folder.trim_end_matches('/')),
    }
}

/// A path without `.` parts and without names that a `..` follows.
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match path.starts_with('/') {
        true => format!("/{joined}"),
        false => joined,
    }
}
