//! Changes of a text that leave all else in it as it was, and what they look like as a diff.

pub mod json;
pub mod yaml;

use serde_json::Value as Json;
use similar::TextDiff;

use crate::tree::{Node, Written};

/// A way from the root of a document to a value in it.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// A unified diff with three lines of context; empty when nothing differs.
pub fn unified_diff(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let name = name.trim_start_matches('/');
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
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
