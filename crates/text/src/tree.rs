//! The tree that JSON and YAML are read into: what is written, with the span of every part.

use std::sync::Arc;

use crate::source::Span;

/// One value as written. The span of a mapping or sequence covers its brackets, or in block
/// style its first to its last entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub span: Span,
    /// An explicit YAML tag without its `!`, such as `Sub` or `GetAtt`; `None` for standard ones.
    pub tag: Option<Arc<str>>,
    pub written: Written,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    Null,
    Bool(bool),
    /// The digits as written: the model decides what it needs of them.
    Number(Box<str>),
    String(Box<str>),
    Sequence(Vec<Node>),
    /// In the order of the file; a key that is written twice is there twice.
    Mapping(Vec<Entry>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: Key,
    pub value: Node,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub name: Box<str>,
    /// The key with its quotes.
    pub span: Span,
}

impl Node {
    pub fn new(span: Span, written: Written) -> Self {
        Node { span, tag: None, written }
    }

    /// The value of the last entry with that key: the one that readers of JSON and YAML keep.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().rev().find(|entry| &*entry.key.name == key)
    }

    /// The entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.written {
            Written::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none for anything else.
    pub fn items(&self) -> &[Node] {
        match &self.written {
            Written::Sequence(items) => items,
            _ => &[],
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.written {
            Written::String(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_mapping(&self) -> bool {
        matches!(self.written, Written::Mapping(_))
    }

    pub fn is_sequence(&self) -> bool {
        matches!(self.written, Written::Sequence(_))
    }
}
