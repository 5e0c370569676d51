//! Changes of a text that leave all else in it as it was, and what they look like as a diff.

pub mod hcl;
mod hidden;
pub mod json;
pub mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value as Json;
use similar::TextDiff;

use crate::source::Span;
use crate::tree::{Node, Written};

/// A way from the root of a document to a value in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Key(String),
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Step::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Step::Index(index)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the text cannot be read: {0}")]
    NotRead(String),
    #[error("there is no {0} in it")]
    NoSuchValue(String),
    #[error("{0} is written twice in the same object")]
    WrittenTwice(String),
    /// The layout of the text at that place is one that edits do not follow.
    #[error("{0} is laid out in a way that is not edited")]
    Layout(String),
}

/// A text of some format while it is edited: what a change needs, whatever the format.
pub trait Document: Send + Sync {
    fn get(&self, path: &[Step]) -> Option<&Node>;

    /// The way to the node that covers exactly those bytes, alone or with its key, the outermost one.
    fn path_of(&self, start: usize, end: usize) -> Option<Vec<Step>>;

    /// Sets a member of the object at `path`: its value is replaced where it has one, else it is
    /// put in after the first of `after` that the object has, or beside its first member.
    fn set(&mut self, path: &[Step], key: &str, value: &Json, after: &[&str]) -> Result<(), Error>;

    /// Adds an item at the end of the list `key` of the object at `path`; the list is made where
    /// there is none.
    fn push(&mut self, path: &[Step], key: &str, item: &Json, after: &[&str]) -> Result<(), Error>;

    /// Puts a scalar in the place of the scalar at `path`.
    fn replace(&mut self, path: &[Step], value: &Json) -> Result<(), Error>;

    /// Takes the member or the item at `path` out, with the lines that are its own. The last one
    /// of a block cannot be taken out: the block itself can.
    fn remove(&mut self, path: &[Step]) -> Result<(), Error>;

    /// Adds an item at the end of the list at `path`, which has items.
    fn append(&mut self, path: &[Step], item: &Json) -> Result<(), Error> {
        let _ = item;
        Err(Error::Layout(shown(path)))
    }

    /// Adds a block to the body at `path`, where the format has such: behind the last one of its
    /// kind, else at the end. Members that are objects are blocks of their own.
    fn push_block(&mut self, path: &[Step], kind: &str, members: &Json) -> Result<(), Error> {
        let _ = (path, members);
        Err(Error::Layout(kind.to_owned()))
    }

    /// The node that every path starts from; for a stream of documents the sequence of them.
    fn whole(&self) -> Option<Node>;

    fn text(&self) -> &str;

    /// A copy that can be edited while this one stays.
    fn copied(&self) -> Box<dyn Document>;

    /// The part of the document that stands at `path`, to be edited by itself: what is written in it
    /// means the same wherever it stands. None where that is not known for sure.
    fn part(&self, path: &[Step]) -> Option<Part> {
        let _ = path;
        None
    }

    /// Puts all of these in, and reads the text once. They are sorted and do not overlap.
    fn apply(&mut self, edits: &[Edit]) -> Result<(), Error>;
}

/// Bytes of a text, and what is put in their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub range: Range<usize>,
    pub new: String,
}

/// A part of a document that is a document itself, in the layout of the whole.
pub struct Part {
    pub document: Box<dyn Document>,
    /// The way in it to the node that it is made of.
    pub root: Vec<Step>,
    /// Where it stands in the text of the whole.
    pub range: Range<usize>,
    /// Bytes at both ends of its text that the whole does not have there.
    around: (usize, usize),
}

impl Part {
    /// The text that takes the place of `range`, once the document was edited; none where its ends
    /// are not what they were.
    pub fn text<'d>(&self, edited: &'d dyn Document) -> Option<&'d str> {
        let (before, edited) = (self.document.text(), edited.text());
        let end = edited.len().checked_sub(self.around.1).filter(|end| *end >= self.around.0)?;
        let same = edited.get(..self.around.0)? == &before[..self.around.0]
            && edited.get(end..)? == &before[before.len() - self.around.1..];
        same.then_some(&edited[self.around.0..end])
    }
}

/// A text with all of these in it. They are sorted and do not overlap: an error where they do.
pub fn applied(text: &str, edits: &[Edit]) -> Result<String, Error> {
    let mut whole = String::with_capacity(text.len() + edits.iter().map(|edit| edit.new.len()).sum::<usize>());
    let mut at = 0;
    for edit in edits {
        let kept = text.get(at..edit.range.start).filter(|_| text.is_char_boundary(edit.range.end));
        whole.push_str(kept.ok_or_else(|| Error::Layout("what is changed twice".to_owned()))?);
        whole.push_str(&edit.new);
        at = edit.range.end;
    }
    whole.push_str(text.get(at..).ok_or_else(|| Error::Layout("what is changed twice".to_owned()))?);
    Ok(whole)
}

/// How a text is laid out, whatever its format: its line ends and where its lines begin.
#[derive(Clone, Copy)]
struct Layout<'t>(&'t str);

impl<'t> Layout<'t> {
    fn line_end(self) -> &'static str {
        if self.0.contains("\r\n") { "\r\n" } else { "\n" }
    }

    fn line_start(self, at: usize) -> usize {
        self.0[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// What stands before a span on its line.
    fn before(self, span: Span) -> &'t str {
        self.0[self.line_start(span.start as usize)..span.start as usize].trim_start_matches('\u{feff}')
    }

    fn starts_line(self, span: Span) -> bool {
        self.before(span).trim().is_empty()
    }

    /// The blanks that the line of a span begins with.
    fn indent(self, span: Span) -> &'t str {
        let line = self.before(span);
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }
}

/// The way from `root` to the node that covers exactly those bytes, alone or with its key, the
/// outermost one.
fn path_within(root: &Node, wanted: &Range<usize>, path: &mut Vec<Step>) -> bool {
    // An alias leads to text elsewhere, so a child need not lie inside its parent: only where none
    // that does is what is wanted, all are looked at.
    search(root, wanted, path, true) || search(root, wanted, path, false)
}

fn search(node: &Node, wanted: &Range<usize>, path: &mut Vec<Step>, within: bool) -> bool {
    if node.span.range() == *wanted {
        return true;
    }
    let holds = |range: &Range<usize>| !within || (range.start <= wanted.start && wanted.end <= range.end);
    for entry in node.entries() {
        let whole = entry.key.span.start as usize..entry.value.span.end as usize;
        if !holds(&whole) && !holds(&entry.value.span.range()) {
            continue;
        }
        path.push(Step::Key(entry.key.name.to_string()));
        if whole == *wanted || search(&entry.value, wanted, path, within) {
            return true;
        }
        path.pop();
    }
    for (index, item) in node.items().iter().enumerate().filter(|(_, item)| holds(&item.span.range())) {
        path.push(Step::Index(index));
        if search(item, wanted, path, within) {
            return true;
        }
        path.pop();
    }
    false
}

/// Whether each node lies within the one that it is a part of: so no alias leads elsewhere.
fn is_nested(node: &Node) -> bool {
    let range = node.span.range();
    let within = |child: &Node| {
        let child = child.span.range();
        range.start <= child.start && child.end <= range.end
    };
    let mut children = node.entries().iter().map(|entry| &entry.value).chain(node.items());
    node.entries().iter().all(|entry| range.contains(&(entry.key.span.start as usize)))
        && children.all(|child| within(child) && is_nested(child))
}

fn spliced(text: &str, range: std::ops::Range<usize>, inserted: &str) -> String {
    let mut whole = String::with_capacity(text.len() + inserted.len());
    whole.push_str(&text[..range.start]);
    whole.push_str(inserted);
    whole.push_str(&text[range.end..]);
    whole
}

/// The same change in the text whose templates are not marked.
fn spliced_unmarked(text: &str, range: std::ops::Range<usize>, inserted: &str) -> Result<String, Error> {
    let whole = text.is_char_boundary(range.start) && text.is_char_boundary(range.end);
    if !whole || crate::placeholder::is_marked(inserted) {
        return Err(Error::Layout("a value with a template in it".to_owned()));
    }
    Ok(spliced(text, range, inserted))
}

/// The bytes to take out for the child at `index` of a list whose children, with commas between
/// them, cover these ranges.
fn without(children: &[std::ops::Range<usize>], index: usize) -> std::ops::Range<usize> {
    match (index.checked_sub(1), children.get(index + 1)) {
        (_, Some(next)) => children[index].start..next.start,
        (Some(before), None) => children[before].end..children[index].end,
        (None, None) => children[index].clone(),
    }
}

/// The index of a step's child among the children of a node, and the places of all of them.
fn children(node: &Node, step: &Step) -> Option<(usize, Vec<std::ops::Range<usize>>)> {
    match step {
        Step::Key(key) => {
            let index = node.entries().iter().position(|entry| *entry.key.name == **key)?;
            let ranges = node.entries().iter().map(|entry| entry.key.span.to(entry.value.span).range());
            Some((index, ranges.collect()))
        }
        Step::Index(index) => {
            (*index < node.items().len()).then(|| (*index, node.items().iter().map(|item| item.span.range()).collect()))
        }
    }
}

/// Where two trees mean different things: the ways to the topmost values that differ, that one has
/// and the other lacks, or that an edit added at the end of a list.
pub fn differences(before: &Node, after: &Node) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    differ(before, after, &mut Vec::new(), &mut found);
    found
}

fn differ<'n>(before: &'n Node, after: &'n Node, path: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    match (&before.written, &after.written) {
        (Written::Mapping(old), Written::Mapping(new)) if before.tag == after.tag => {
            // Of a name that is written twice, the last counts.
            let named = |entries: &'n [crate::tree::Entry]| -> BTreeMap<&'n str, &'n Node> {
                entries.iter().map(|entry| (&*entry.key.name, &entry.value)).collect()
            };
            let (old, new) = (named(old), named(new));
            let all: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
            for name in all {
                path.push(Step::Key(name.to_owned()));
                match (old.get(name), new.get(name)) {
                    (Some(old), Some(new)) => differ(old, new, path, found),
                    _ => found.push(path.clone()),
                }
                path.pop();
            }
        }
        (Written::Sequence(old), Written::Sequence(new)) if before.tag == after.tag => {
            for index in 0..old.len().max(new.len()) {
                path.push(Step::Index(index));
                match (old.get(index), new.get(index)) {
                    (Some(old), Some(new)) => differ(old, new, path, found),
                    _ => found.push(path.clone()),
                }
                path.pop();
            }
        }
        _ if meaning(before) == meaning(after) => {}
        _ => found.push(path.clone()),
    }
}

/// A unified diff with three lines of context; empty when nothing differs. What stands in the hidden
/// bytes of the first text is stars on both sides.
pub fn unified_diff(name: &str, before: &str, after: &str, hidden: &[Range<usize>]) -> String {
    if before == after {
        return String::new();
    }
    let (before, after) = &hidden::hide(before, after, hidden);
    let name = name.trim_start_matches('/');
    let mut diff = TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string();
    // That of a line which stays as it is is not told otherwise.
    if !diff.is_empty() && !diff.ends_with('\n') {
        diff.push_str("\n\\ No newline at end of file\n");
    }
    diff
}

fn shown(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.push_str(&format!(".{key}")),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// What a tree means, for comparison: numbers by their value, an explicit tag as an object of one
/// member named after it.
pub fn meaning(node: &Node) -> Json {
    let value = match &node.written {
        Written::Null => Json::Null,
        Written::Bool(b) => Json::Bool(*b),
        Written::Number(digits) => serde_json::from_str(digits).unwrap_or_else(|_| Json::String(digits.to_string())),
        Written::String(text) => Json::String(text.to_string()),
        Written::Sequence(items) => Json::Array(items.iter().map(meaning).collect()),
        Written::Mapping(entries) => {
            Json::Object(entries.iter().map(|entry| (entry.key.name.to_string(), meaning(&entry.value))).collect())
        }
    };
    match &node.tag {
        Some(tag) => Json::Object([(format!("!{tag}"), value)].into_iter().collect()),
        None => value,
    }
}
