//! `serverless.yml` of the Serverless Framework: the CloudFormation under `resources`, with the files
//! that it names. What its variables stand for is unknown.
//! Source: the documentation of the Serverless Framework, version 4, "AWS Infrastructure Resources".

use tojimari_text::{Entry, FileId, Node, Problem, Sources, Written};

use super::{Files, beside, cloudformation, has_top_key, parse};

/// Stands for a variable of the framework where a template has a value.
pub(crate) const VARIABLE: &str = "a variable of the Serverless Framework";

/// What the values of variables are looked up by, besides names.
const SOURCES: [&str; 15] = [
    "self",
    "opt",
    "env",
    "param",
    "sls",
    "file",
    "ssm",
    "s3",
    "cf",
    "aws",
    "output",
    "terraform",
    "vault",
    "custom",
    "strToBool",
];

/// Files that one project names.
const MAX_FILES: usize = 100;

/// Whether a text may be such a project with resources of ours.
pub(crate) fn may_be(text: &str) -> bool {
    has_top_key(text, "resources")
        && has_top_key(text, "provider")
        && (cloudformation::may_be(text) || text.contains("${file("))
}

/// The resources of a project as one template.
#[derive(Default)]
pub(crate) struct Project {
    pub template: Option<Node>,
    pub problems: Vec<Problem>,
    /// The files that it is put together from.
    pub claimed: Vec<FileId>,
}

/// Reads a document, if it is a project.
pub(crate) fn read(root: &Node, sources: &Sources, files: &dyn Files) -> Option<Project> {
    let resources = root.get("resources").filter(|_| root.get("provider").is_some())?;
    let mut project = Project::default();
    let name = sources.get(root.span.file).name.clone();
    let mut sections: Vec<Entry> = Vec::new();
    let one = std::slice::from_ref(resources);
    for part in if resources.is_sequence() { resources.items() } else { one } {
        for part in project.parts(part, &name, sources, files) {
            for entry in part.entries() {
                join(&mut sections, entry);
            }
        }
    }
    let whole = settled(Node::new(resources.span, Written::Mapping(sections)));
    project.template = cloudformation::is_template(&whole).then_some(whole);
    Some(project)
}

impl Project {
    /// What a part of the resources is: itself, or the documents of the file that it names.
    fn parts(&mut self, part: &Node, name: &str, sources: &Sources, files: &dyn Files) -> Vec<Node> {
        let Some(text) = part.as_str() else { return vec![part.clone()] };
        let path = text.strip_prefix("${file(").and_then(|rest| rest.strip_suffix(")}"));
        let Some(path) = path.filter(|path| !path.contains("${")) else {
            let message = "these resources are not read: which they are depends on a variable".to_owned();
            self.problems.push(Problem { span: part.span, message });
            return Vec::new();
        };
        // Code that makes resources is not run.
        if !super::is_named(path, &["yml", "yaml", "json"]) || self.claimed.len() == MAX_FILES {
            let message = format!("these resources are not read: {path} is no file of them in YAML or JSON");
            self.problems.push(Problem { span: part.span, message });
            return Vec::new();
        }
        match files.load(&beside(name, path)) {
            Ok(file) => {
                self.claimed.push(file);
                let (trees, problems) = parse(file, sources);
                self.problems.extend(problems);
                trees
            }
            Err(why) => {
                let message = format!("these resources are not read: {why}");
                self.problems.push(Problem { span: part.span, message });
                Vec::new()
            }
        }
    }
}

/// Adds a section, or what is in it to the one of the same name.
fn join(sections: &mut Vec<Entry>, entry: &Entry) {
    match sections.iter_mut().find(|other| other.key.name == entry.key.name) {
        Some(Entry { value: Node { written: Written::Mapping(entries), .. }, .. }) => {
            entries.extend(entry.value.entries().iter().cloned());
        }
        _ => sections.push(entry.clone()),
    }
}

/// The tree with its variables marked, each a value that nobody knows.
fn settled(node: Node) -> Node {
    let written = match node.written {
        Written::String(text) if node.tag.is_none() && has_variable(&text) => {
            return Node { tag: Some(VARIABLE.into()), written: Written::String(text), ..node };
        }
        Written::Sequence(items) => Written::Sequence(items.into_iter().map(settled).collect()),
        Written::Mapping(entries) => {
            let settled = entries.into_iter().map(|entry| Entry { value: settled(entry.value), ..entry });
            Written::Mapping(settled.collect())
        }
        other => other,
    };
    Node { written, ..node }
}

fn has_variable(text: &str) -> bool {
    text.match_indices("${").any(|(at, _)| {
        let inside = &text[at + 2..];
        let word = &inside[..inside.bytes().take_while(u8::is_ascii_alphanumeric).count()];
        SOURCES.contains(&word) && inside[word.len()..].starts_with([':', '(', '.'])
    })
}
