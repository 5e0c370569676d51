//! Bytes with places: source files, spans, the tree that every format is read into, and edits.
//! This crate knows no AWS word.

pub mod dockerfile;
pub mod edit;
pub mod hcl;
pub mod json;
pub mod jsonnet;
pub mod placeholder;
pub mod source;
pub mod tree;
pub mod yaml;

pub use source::{FileId, Place, Problem, Source, Sources, Span};
pub use tree::{Entry, Key, Node, Written};
