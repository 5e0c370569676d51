//! What is written, and how it is made sure that nothing else is: every write says which way it
//! touches, and what differs afterwards must lie on one of these.

use serde_json::{Value as Json, json};
use tojimari_read::Format;
use tojimari_text::edit::json::Editor as JsonEditor;
use tojimari_text::edit::yaml::Editor as YamlEditor;
use tojimari_text::edit::{Document, Step, differences, meaning};
use tojimari_text::yaml::Dialect;
use tojimari_text::{Node, Span, placeholder};

use super::Error;

/// Something to write. It holds the ways to where it goes: edits move places, and leave ways.
pub(super) type Job<'a> = Box<dyn Fn(&mut Pen<'_>) -> Result<(), Error> + 'a>;

/// Writes into a document and remembers where.
pub(super) struct Pen<'d> {
    document: &'d mut dyn Document,
    touched: Vec<Vec<Step>>,
}

impl Pen<'_> {
    pub fn get(&self, path: &[Step]) -> Option<&Node> {
        self.document.get(path)
    }

    pub fn member(&self, path: &[Step], name: &str) -> Option<&Node> {
        self.get(path)?.get(name)
    }

    pub fn set(&mut self, path: &[Step], key: &str, value: Json, after: &[&str]) -> Result<(), Error> {
        let whole = [path, &[Step::from(key)]].concat();
        self.is_written_out(path, || json!({ key: value }))?;
        // A scalar takes the place of a function; a structure would lose what the function gives.
        if value.is_object() || value.is_array() {
            self.is_written_out(&whole, || value.clone())?;
        }
        self.touched.push(whole);
        Ok(self.document.set(path, key, &value, after)?)
    }

    pub fn push(&mut self, path: &[Step], key: &str, item: Json, after: &[&str]) -> Result<(), Error> {
        self.is_written_out(&[path, &[Step::from(key)]].concat(), || json!([item]))?;
        self.touched.push([path, &[Step::from(key)]].concat());
        // Two that share a list by an anchor are to get the same: once is enough.
        if self.member(path, key).is_some_and(|list| list.items().iter().any(|given| meaning(given) == item)) {
            return Ok(());
        }
        Ok(self.document.push(path, key, &item, after)?)
    }

    /// Adds an item to a list of which only that item may differ afterwards.
    pub fn push_only(&mut self, path: &[Step], key: &str, item: Json) -> Result<(), Error> {
        let at = self.member(path, key).map_or(0, |list| list.items().len());
        self.touched.push([path, &[Step::from(key), Step::Index(at)]].concat());
        Ok(self.document.push(path, key, &item, &[])?)
    }

    /// Adds an item to the list at `path`.
    pub fn append(&mut self, path: &[Step], item: Json) -> Result<(), Error> {
        let at = self.get(path).map_or(0, |list| list.items().len());
        self.touched.push([path, &[Step::Index(at)]].concat());
        Ok(self.document.append(path, &item)?)
    }

    /// Adds a block of Terraform's to the body at `path`.
    pub fn push_block(&mut self, path: &[Step], kind: &str, members: &Json) -> Result<(), Error> {
        let at = self.member(path, kind).map(|blocks| blocks.items().len());
        let step = at.map(Step::Index);
        self.touched.push([path, &[Step::from(kind)], step.as_slice()].concat());
        Ok(self.document.push_block(path, kind, members)?)
    }

    /// Whether what lies on the way is written out: a function of CloudFormation that gives an object
    /// or a list is no place to put members or items into.
    fn is_written_out(&self, path: &[Step], new: impl Fn() -> Json) -> Result<(), Error> {
        for end in 1..=path.len() {
            let Some(function) = self.get(&path[..end]).and_then(function_of) else { continue };
            // One that the way goes on through, into a branch of it.
            if end < path.len() && self.get(&path[..=end]).is_some() {
                continue;
            }
            let whole = shown(&path[..end]);
            return Err(Error::ByHand(format!("{whole} comes from {function}: what it gives has to have {}", new())));
        }
        Ok(())
    }

    /// Puts a scalar in the place of one.
    pub fn replace(&mut self, path: &[Step], value: Json) -> Result<(), Error> {
        self.touched.push(path.to_vec());
        Ok(self.document.replace(path, &value)?)
    }

    /// Takes a member out of an object, or an item out of a list.
    pub fn remove(&mut self, path: &[Step]) -> Result<(), Error> {
        // Items behind the one that goes move up.
        let moved = matches!(path.last(), Some(Step::Index(_)));
        self.touched.push(path[..path.len() - usize::from(moved)].to_vec());
        Ok(self.document.remove(path)?)
    }
}

/// The document of a text in JSON or YAML, whose templates stay as they are.
pub(super) fn open(text: &str, format: Format) -> Result<Box<dyn Document>, Error> {
    let json = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    let dialect = if text.contains("AWS::") { Dialect::Yaml11 } else { Dialect::Yaml12 };
    let templated = matches!(format, Format::Json | Format::Ecspresso) && placeholder::may_have(text);
    Ok(match (json, templated) {
        (true, true) => Box::new(JsonEditor::templated(text)?),
        (true, false) => Box::new(JsonEditor::new(text)?),
        (false, true) => Box::new(YamlEditor::templated(text, dialect)?),
        (false, false) => Box::new(YamlEditor::new(text, dialect)?),
    })
}

pub(super) fn path_of(document: &dyn Document, span: Span) -> Result<Vec<Step>, Error> {
    let range = span.range();
    document.path_of(range.start, range.end).ok_or(Error::NoSuchPlace)
}

/// The way to what covers those bytes and is what `accepts` looks for. The only entry of a mapping
/// covers the same bytes as the mapping itself.
pub(super) fn path_where(
    document: &dyn Document,
    span: Span,
    accepts: impl Fn(&[Step], &Node) -> bool,
) -> Result<Vec<Step>, Error> {
    let mut path = path_of(document, span)?;
    loop {
        let node = document.get(&path).ok_or(Error::NoSuchPlace)?;
        if accepts(&path, node) {
            return Ok(path);
        }
        let [entry] = node.entries() else { return Err(Error::NoSuchPlace) };
        if entry.key.span.start != span.start || entry.value.span.end != span.end {
            return Err(Error::NoSuchPlace);
        }
        path.push(Step::Key(entry.key.name.to_string()));
    }
}

/// Does all jobs, or says why not: then the document is to be thrown away. What else changes with
/// them because it shares an anchor comes back in words.
pub(super) fn carry_out(document: &mut dyn Document, jobs: &[Job<'_>]) -> Result<Vec<String>, Error> {
    let before = document.whole().ok_or(Error::NoSuchPlace)?;
    let mut pen = Pen { document, touched: Vec::new() };
    for job in jobs {
        job(&mut pen)?;
    }
    let touched = pen.touched;
    let after = document.whole().ok_or(Error::NoSuchPlace)?;
    let meant = |path: &[Step]| touched.iter().any(|touched| path.starts_with(touched));
    let mut shared = Vec::new();
    for difference in differences(&before, &after) {
        if meant(&difference) {
            continue;
        }
        if !is_shared(&after, &difference, &touched) {
            return Err(Error::OtherMeaning);
        }
        shared.push(format!("{} changes too: it shares an anchor with what is changed", shown(&difference)));
    }
    shared.sort();
    shared.dedup();
    Ok(shared)
}

/// Functions of CloudFormation that give objects and lists, without `Fn::` or `!`.
const FUNCTIONS: [&str; 10] =
    ["Cidr", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Ref", "Select", "Split", "Transform"];

/// The function of CloudFormation that gives this value.
fn function_of(node: &Node) -> Option<&'static str> {
    let name = match (&node.tag, node.entries()) {
        (Some(tag), _) => tag,
        (None, [entry]) => entry.key.name.strip_prefix("Fn::").unwrap_or(&entry.key.name),
        _ => return None,
    };
    FUNCTIONS.into_iter().find(|function| *function == name)
}

/// Whether what differs is the same text as something that was meant to: reached by an alias.
fn is_shared(root: &Node, difference: &[Step], touched: &[Vec<Step>]) -> bool {
    let at = |path: &[Step]| {
        path.iter().try_fold(root, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.items().get(*index),
        })
    };
    let Some(node) = at(difference) else { return false };
    touched.iter().any(|path| at(path).is_some_and(|meant| meant.span == node.span))
}

fn shown(path: &[Step]) -> String {
    let steps = path.iter().skip_while(|step| matches!(step, Step::Index(_))).map(|step| match step {
        Step::Key(key) => key.clone(),
        Step::Index(index) => index.to_string(),
    });
    steps.collect::<Vec<_>>().join(".")
}
