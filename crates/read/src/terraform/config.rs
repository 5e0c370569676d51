//! The configuration of one folder: its files in the native and in the JSON syntax read into what
//! they declare, with override files merged in.

use std::collections::HashMap;
use std::sync::Arc;

use tojimari_text::hcl::{self, Attribute, Block, Body, Expression, Name};
use tojimari_text::{FileId, Node, Problem, Source, Written};

use super::types::Type;

#[derive(Debug, Default)]
pub struct Config {
    /// The folder as its files name it; empty for the current one.
    pub folder: String,
    pub files: Vec<FileId>,
    pub variables: Declared<Variable>,
    pub locals: Declared<Expression>,
    pub outputs: Declared<Expression>,
    /// Resources and data sources in the order of the files.
    pub blocks: Vec<Block>,
    /// Places in `blocks` by address: `aws_ecs_cluster.main`, `data.aws_region.current`.
    pub by_address: HashMap<String, Vec<usize>>,
    pub modules: Vec<Block>,
    pub providers: Vec<Block>,
}

/// What is declared under each name, with the file that does. Only one declaration is allowed, but
/// folders of examples have several.
pub type Declared<T> = HashMap<Arc<str>, Vec<(FileId, T)>>;

#[derive(Clone, Debug)]
pub struct Variable {
    pub default: Option<Expression>,
    pub of: Type,
    /// Whether null may be given; else it means the default.
    pub nullable: bool,
    pub name: Name,
}

/// Whether a file of that name belongs to the configuration of its folder.
pub fn is_configuration(name: &str) -> bool {
    [".tf", ".tf.json", ".tofu", ".tofu.json"].iter().any(|ending| name.ends_with(ending))
}

/// Whether the declarations of a file replace parts of those in others.
pub fn is_override(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.split('.').next().unwrap_or(file);
    stem == "override" || stem.ends_with("_override")
}

/// The file that OpenTofu does not read beside one of that name: `main.tf` beside `main.tofu`.
pub fn replaced_by(name: &str) -> Option<String> {
    name.strip_suffix(".tofu")
        .map(|stem| format!("{stem}.tf"))
        .or_else(|| name.strip_suffix(".tofu.json").map(|stem| format!("{stem}.tf.json")))
}

/// Reads one file.
pub fn read_file(file: FileId, source: &Source) -> (Body, Vec<Problem>) {
    if !source.name.ends_with(".json") {
        return hcl::read(file, &source.text);
    }
    let (tree, mut problems) = tojimari_text::json::parse(file, &source.text);
    let body = tree.map(|tree| json_file(&tree, &source.text, &mut problems)).unwrap_or_default();
    (body, problems)
}

/// Reads a file of values of variables.
pub fn read_values(file: FileId, source: &Source) -> (Body, Vec<Problem>) {
    if !source.name.ends_with(".json") {
        return hcl::read(file, &source.text);
    }
    let (tree, mut problems) = tojimari_text::json::parse(file, &source.text);
    let body = tree.map(|tree| json_body(&tree, &source.text, &mut problems)).unwrap_or_default();
    (body, problems)
}

impl Config {
    /// Puts the files of a folder together. `bodies`: the files, first those that were asked for and
    /// then those that are only looked things up in.
    pub fn new(folder: String, bodies: Vec<(FileId, bool, Body)>) -> Config {
        let mut config = Config { folder, ..Config::default() };
        let (overrides, plain): (Vec<_>, Vec<_>) = bodies.into_iter().partition(|(_, overrides, _)| *overrides);
        for (file, _, body) in plain {
            for block in body.blocks {
                config.declare(file, block);
            }
        }
        for (file, _, body) in overrides {
            for block in body.blocks {
                config.replace(file, block);
            }
        }
        for (index, block) in config.blocks.iter().enumerate() {
            config.by_address.entry(address(block)).or_default().push(index);
        }
        config
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    fn declare(&mut self, file: FileId, mut block: Block) {
        match (&*block.kind.text, block.labels.len()) {
            ("variable", 1) => {
                let name = block.labels.swap_remove(0);
                let variable = Variable::read(name.clone(), &block.body);
                self.variables.entry(name.text).or_default().push((file, variable));
            }
            ("locals", 0) => {
                for Attribute { name, value } in block.body.attributes {
                    self.locals.entry(name.text).or_default().push((file, value));
                }
            }
            ("output", 1) => {
                let name = block.labels.swap_remove(0);
                let value = block.body.attributes.into_iter().rfind(|attribute| &*attribute.name.text == "value");
                if let Some(value) = value {
                    self.outputs.entry(name.text).or_default().push((file, value.value));
                }
            }
            ("resource" | "data", 2) => self.blocks.push(block),
            ("module", 1) => self.modules.push(block),
            ("provider", 1) => self.providers.push(block),
            _ => {}
        }
    }

    /// A block of an override file. Source: Terraform's documentation of override files: attributes
    /// are replaced one by one, nested blocks all those of a kind at once.
    fn replace(&mut self, file: FileId, block: Block) {
        let same = |base: &&mut Block| {
            base.kind.text == block.kind.text
                && base.labels.iter().map(|label| &label.text).eq(block.labels.iter().map(|label| &label.text))
        };
        let base = match (&*block.kind.text, block.label(0)) {
            ("resource" | "data", _) => self.blocks.iter_mut().find(same),
            ("module", _) => self.modules.iter_mut().find(same),
            ("provider", _) => self.providers.iter_mut().find(same),
            ("locals", _) => {
                for attribute in block.body.attributes {
                    self.locals.insert(attribute.name.text, vec![(file, attribute.value)]);
                }
                return;
            }
            ("variable", Some(name)) => {
                let given = Variable::read(block.labels[0].clone(), &block.body);
                if let Some((_, base)) = self.variables.get_mut(name).and_then(|all| all.last_mut()) {
                    base.default = given.default.or_else(|| base.default.take());
                    if block.body.attribute("type").is_some() {
                        base.of = given.of;
                    }
                    return;
                }
                None
            }
            ("output", Some(name)) => {
                self.outputs.remove(name);
                None
            }
            _ => None,
        };
        match base {
            Some(base) => merge(&mut base.body, block.body),
            None => self.declare(file, block),
        }
    }
}

fn merge(base: &mut Body, over: Body) {
    base.attributes.retain(|attribute| over.attribute(&attribute.name.text).is_none());
    base.blocks.retain(|block| over.blocks(nested_kind(block)).next().is_none());
    base.attributes.extend(over.attributes);
    base.blocks.extend(over.blocks);
}

/// The kind that a nested block stands for: `dynamic "volume"` makes blocks of kind `volume`.
fn nested_kind(block: &Block) -> &str {
    match block.label(0) {
        Some(label) if &*block.kind.text == "dynamic" => label,
        _ => &block.kind.text,
    }
}

/// `aws_ecs_cluster.main` or `data.aws_region.current`.
pub fn address(block: &Block) -> String {
    let [of, name] = [0, 1].map(|index| block.label(index).unwrap_or_default());
    match &*block.kind.text {
        "data" => format!("data.{of}.{name}"),
        _ => format!("{of}.{name}"),
    }
}

impl Variable {
    fn read(name: Name, body: &Body) -> Variable {
        let nullable = body.attribute("nullable").map(|attribute| &attribute.value.kind);
        Variable {
            default: body.attribute("default").map(|attribute| attribute.value.clone()),
            of: body.attribute("type").map_or(Type::Any, |attribute| Type::read(&attribute.value)),
            nullable: !matches!(nullable, Some(hcl::ExpressionKind::Bool(false))),
            name,
        }
    }
}

/// A file in the JSON syntax: the kinds of blocks tell how many labels each has.
fn json_file(root: &Node, text: &str, problems: &mut Vec<Problem>) -> Body {
    let mut body = Body::default();
    for entry in root.entries() {
        let labels = match &*entry.key.name {
            "resource" | "data" => 2,
            "variable" | "output" | "module" | "provider" => 1,
            "locals" => 0,
            _ => continue,
        };
        let kind = Name { text: (&*entry.key.name).into(), span: entry.key.span };
        json_blocks(&kind, labels, &mut Vec::new(), &entry.value, text, &mut body.blocks, problems);
    }
    body
}

fn json_blocks(
    kind: &Name,
    labels: usize,
    taken: &mut Vec<Name>,
    node: &Node,
    text: &str,
    blocks: &mut Vec<Block>,
    problems: &mut Vec<Problem>,
) {
    match &node.written {
        Written::Sequence(items) => {
            for item in items {
                json_blocks(kind, labels, taken, item, text, blocks, problems);
            }
        }
        Written::Mapping(entries) if labels > 0 => {
            for entry in entries.iter().filter(|entry| &*entry.key.name != "//") {
                taken.push(Name { text: (&*entry.key.name).into(), span: entry.key.span });
                json_blocks(kind, labels - 1, taken, &entry.value, text, blocks, problems);
                taken.pop();
            }
        }
        Written::Mapping(_) => {
            let body = json_body(node, text, problems);
            blocks.push(Block { kind: kind.clone(), labels: taken.clone(), body, span: node.span });
        }
        _ => {}
    }
}

/// Nested blocks look like attributes here; only `dynamic` ones are told apart.
fn json_body(node: &Node, text: &str, problems: &mut Vec<Problem>) -> Body {
    let mut body = Body::default();
    for entry in node.entries().iter().filter(|entry| &*entry.key.name != "//") {
        if &*entry.key.name == "dynamic" {
            let kind = Name { text: "dynamic".into(), span: entry.key.span };
            json_dynamic(&kind, &entry.value, text, &mut body.blocks, problems);
        } else {
            let name = Name { text: (&*entry.key.name).into(), span: entry.key.span };
            body.attributes.push(Attribute { name, value: hcl::json::expression(&entry.value, text, problems) });
        }
    }
    body
}

fn json_dynamic(kind: &Name, node: &Node, text: &str, blocks: &mut Vec<Block>, problems: &mut Vec<Problem>) {
    for entry in node.entries() {
        let label = Name { text: (&*entry.key.name).into(), span: entry.key.span };
        let written = std::slice::from_ref(&entry.value);
        for one in if entry.value.is_sequence() { entry.value.items() } else { written } {
            let mut body = Body::default();
            for part in one.entries() {
                let name = Name { text: (&*part.key.name).into(), span: part.key.span };
                if &*name.text == "content" {
                    let content = json_body(&part.value, text, problems);
                    body.blocks.push(Block { kind: name, labels: Vec::new(), body: content, span: part.value.span });
                } else {
                    let value = hcl::json::expression(&part.value, text, problems);
                    body.attributes.push(Attribute { name, value });
                }
            }
            blocks.push(Block { kind: kind.clone(), labels: vec![label.clone()], body, span: one.span });
        }
    }
}
