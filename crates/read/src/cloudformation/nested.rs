//! Stacks within stacks: templates that lie beside the one that names them, read with the
//! parameters that it gives, their outputs handed back.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tojimari_text::{FileId, Node, Problem, Sources};

use super::evaluate::Evaluator;
use super::template::{Arguments, Template, is_template};
use crate::{Files, Read, Resources, parse};
use tojimari_model::value::{Reason, Value};

/// Stacks within stacks within stacks.
const MAX_DEPTH: usize = 8;

/// Stacks that one template comes to.
const MAX_STACKS: usize = 500;

/// What the resources of nested stacks give, by logical id and name of the output.
pub(super) type Outputs = HashMap<Box<str>, HashMap<Box<str>, Value>>;

struct Reader<'r> {
    sources: &'r Sources,
    files: &'r dyn Files,
    resources: Resources,
    /// Files that were read as part of this stack.
    claimed: Vec<FileId>,
    stacks: usize,
    /// Logical ids that more than one of the stacks has.
    repeated: HashSet<Box<str>>,
}

/// Reads a template with the stacks that it nests, as one stack.
pub fn read(root: &Node, sources: &Sources, files: &dyn Files) -> Read {
    let mut reader = Reader {
        sources,
        files,
        resources: Resources::default(),
        claimed: Vec::new(),
        stacks: 0,
        repeated: HashSet::new(),
    };
    if is_nesting(root) {
        reader.count(root, &mut HashSet::new(), 0);
    }
    reader.stack(root, Arguments::new(), None, 0);
    let (stack, problems) = reader.resources.finish();
    let warnings = express_services(root);
    Read { stacks: vec![stack], problems, warnings, claimed: reader.claimed, ..Read::default() }
}

/// Services whose task definition nobody writes. Source: the ECS API model of November 2026: the
/// primaryContainer of CreateExpressGatewayService has no readonlyRootFilesystem.
fn express_services(root: &Node) -> Vec<Problem> {
    let resources = root.get("Resources").map(Node::entries).unwrap_or_default().iter();
    let is_one = |node: &Node| node.get("Type").and_then(Node::as_str) == Some("AWS::ECS::ExpressGatewayService");
    let message = "an Express service is not judged: ECS makes its task definition, without a read-only root";
    resources
        .filter(|entry| is_one(&entry.value))
        .map(|entry| Problem { span: entry.key.span, message: message.to_owned() })
        .collect()
}

fn is_nesting(root: &Node) -> bool {
    root.get("Resources")
        .is_some_and(|resources| resources.entries().iter().any(|entry| location(&entry.value).is_some()))
}

/// Where a resource that is a stack has its template.
fn location(node: &Node) -> Option<&Node> {
    let properties = node.get("Properties");
    match node.get("Type").and_then(Node::as_str)? {
        // CDK writes an address in S3 that is known at deployment, and beside it the local file.
        "AWS::CloudFormation::Stack" => node
            .get("Metadata")
            .and_then(|metadata| metadata.get("aws:asset:path"))
            .or_else(|| properties?.get("TemplateURL")),
        "AWS::Serverless::Application" => properties?.get("Location"),
        _ => None,
    }
}

fn is_remote(location: &str) -> bool {
    location.contains("://") || location.is_empty()
}

impl Reader<'_> {
    /// Finds the logical ids that need the name of their stack to be told apart.
    fn count(&mut self, root: &Node, seen: &mut HashSet<Box<str>>, depth: usize) {
        self.stacks += 1;
        for entry in root.get("Resources").map(Node::entries).unwrap_or_default() {
            if !seen.insert(entry.key.name.clone()) {
                self.repeated.insert(entry.key.name.clone());
            }
            let path = location(&entry.value).and_then(Node::as_str).filter(|path| !is_remote(path));
            if let Some(path) = path
                && depth < MAX_DEPTH
                && self.stacks < MAX_STACKS
                && let Ok((child, _)) = self.load(root, path)
            {
                self.count(&child, seen, depth + 1);
            }
        }
        if depth == 0 {
            self.stacks = 0;
        }
    }

    fn load(&self, from: &Node, path: &str) -> Result<(Node, FileId), String> {
        let path = crate::beside(&self.sources.get(from.span.file).name, path);
        let file = self.files.load(&path)?;
        let (mut trees, problems) = parse(file, self.sources);
        match (trees.pop(), problems.into_iter().next()) {
            (Some(tree), _) if is_template(&tree) => Ok((tree, file)),
            (_, Some(problem)) => Err(format!("{path}: {}", problem.message)),
            _ => Err(format!("{path} is not a template")),
        }
    }

    /// Reads one stack, those within it first, and returns its outputs.
    fn stack(
        &mut self,
        root: &Node,
        arguments: Arguments,
        within: Option<Arc<str>>,
        depth: usize,
    ) -> HashMap<Box<str>, Value> {
        self.stacks += 1;
        let mut template = Template::new(root, arguments, within);
        template.repeated = self.repeated.clone();
        if depth == 0 {
            let declared: Vec<&str> = template.parameters.keys().copied().collect();
            let name = &self.sources.get(root.span.file).name;
            template.give(&crate::given::arguments(self.files.given(), &declared, name, self.sources));
        }
        let evaluator = Evaluator::new(&template);
        let nested: Vec<(&str, &Node, &Node)> = template
            .resources
            .iter()
            .filter_map(|entry| location(&entry.value).map(|at| (&*entry.key.name, &entry.value, at)))
            .collect();
        let mut started = HashSet::new();
        for (name, _, _) in &nested {
            self.nested(&evaluator, root, &nested, name, &mut started, depth);
        }
        let mut resources = std::mem::take(&mut self.resources);
        evaluator.each_resource(&mut resources, &mut |resources, logical_id, span, node| {
            evaluator.add(resources, logical_id, span, node);
        });
        self.resources = resources;
        let outputs = root.get("Outputs").map(Node::entries).unwrap_or_default();
        outputs
            .iter()
            .filter_map(|entry| Some((entry.key.name.clone(), evaluator.value(entry.value.get("Value")?))))
            .collect()
    }

    /// Reads one nested stack, after those whose outputs it is given.
    fn nested<'e>(
        &mut self,
        evaluator: &Evaluator<'_>,
        root: &Node,
        all: &[(&'e str, &'e Node, &'e Node)],
        name: &'e str,
        started: &mut HashSet<&'e str>,
        depth: usize,
    ) {
        let Some((_, node, at)) = all.iter().find(|(other, _, _)| *other == name) else { return };
        if !started.insert(name) || evaluator.assumed(node).is_none() {
            return;
        }
        let given = node.get("Properties").and_then(|properties| properties.get("Parameters"));
        if let Some(given) = given {
            let mut names = HashSet::new();
            stacks_named(given, &mut names, 0);
            for (other, _, _) in all {
                if names.contains(*other) && started.len() < MAX_STACKS {
                    self.nested(evaluator, root, all, other, started, depth);
                }
            }
        }
        let location = evaluator.value(at);
        let Some(path) = location.as_str().filter(|path| !is_remote(path)) else { return };
        if depth >= MAX_DEPTH || self.stacks >= MAX_STACKS {
            let message = "stacks are nested deeper than is read".to_owned();
            return self.resources.problem(Problem { span: at.span, message });
        }
        let (child, file) = match self.load(root, path) {
            Ok(loaded) => loaded,
            Err(why) => {
                let message = format!("cannot read the nested stack: {why}");
                return self.resources.problem(Problem { span: at.span, message });
            }
        };
        if !self.claimed.contains(&file) {
            self.claimed.push(file);
        }
        let arguments = given
            .map(|given| given.entries().iter().map(|e| (e.key.name.clone(), evaluator.value(&e.value))).collect())
            .unwrap_or_default();
        let within = match &evaluator.template.within {
            Some(parent) => format!("{parent}.{name}").into(),
            None => name.into(),
        };
        let outputs = self.stack(&child, arguments, Some(within), depth + 1);
        evaluator.outputs.borrow_mut().insert(name.into(), outputs);
    }
}

/// The resources that a node names in `Fn::GetAtt` or `${X.Y}`.
fn stacks_named<'n>(node: &'n Node, names: &mut HashSet<&'n str>, depth: usize) {
    if depth > 64 {
        return;
    }
    if let Some(text) = node.as_str() {
        names.insert(text.split('.').next().unwrap_or_default());
        let in_text = text.split("${").skip(1).filter_map(|rest| rest.split(['.', '}']).next());
        names.extend(in_text);
    }
    node.items().iter().for_each(|item| stacks_named(item, names, depth + 1));
    node.entries().iter().for_each(|entry| stacks_named(&entry.value, names, depth + 1));
}

impl Evaluator<'_> {
    /// What `!GetAtt Stack.Outputs.Name` comes to, where that stack was read.
    pub(super) fn output(&self, resource: &str, attribute: &str) -> Option<Value> {
        let output = attribute.strip_prefix("Outputs.")?;
        let outputs = self.outputs.borrow();
        let outputs = outputs.get(resource)?;
        Some(match outputs.get(output) {
            Some(value) => value.clone(),
            None => {
                let span = tojimari_text::Span::new(FileId(0), 0, 0);
                Value::unknown(span, Reason::from(format!("depends on an output that {resource} does not have")))
            }
        })
    }
}
