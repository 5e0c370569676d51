//! Aliases replaced by what they name, and merge keys by the entries they bring, within a budget.

use std::collections::HashSet;

use super::{Builder, Built, GivenUp, UNRESOLVED};
use crate::source::{Problem, Span};
use crate::tree::{Entry, Node, Written};

/// What all aliases of one file may add to its trees, in bytes of memory, besides
/// [`EXPANSION_PER_BYTE`] for each byte of the file.
const EXPANSION: usize = 16 << 20;
const EXPANSION_PER_BYTE: usize = 8;

const BOMB: &str = "the aliases of this file multiply to more than is read";

/// Bytes of memory that the aliases of a file of that length may take.
pub(super) fn budget(length: usize) -> usize {
    EXPANSION.saturating_add(length.saturating_mul(EXPANSION_PER_BYTE))
}

impl Builder<'_> {
    pub(super) fn define(&mut self, anchor: usize, built: &Built) {
        if anchor != 0 {
            // A copy for each anchor, taken from the same budget: nested anchors would otherwise
            // cost the product of their depth and size.
            match self.budget.checked_sub(built.cost) {
                Some(left) => {
                    self.budget = left;
                    self.anchors.insert(anchor, built.clone());
                }
                None => self.budget = 0,
            }
        }
    }

    pub(super) fn alias(&mut self, id: usize, span: &granit_parser::Span) -> Result<Built, GivenUp> {
        let here = self.span_of(span);
        let Some(target) = self.anchors.get(&id) else {
            if self.budget == 0 {
                return Err(GivenUp(Problem { span: here, message: BOMB.to_owned() }));
            }
            self.problem(here, "this alias stands inside what it names".to_owned());
            return Ok(self.unresolved(here));
        };
        if target.cost > self.budget {
            return Err(GivenUp(Problem { span: here, message: BOMB.to_owned() }));
        }
        self.budget -= target.cost;
        let mut built = target.clone();
        if !matches!(built.node.written, Written::Sequence(_) | Written::Mapping(_)) {
            built.node.span = here;
        }
        // The open collection ends after the alias, wherever the text of its target lies.
        if let Some(frame) = self.stack.last_mut() {
            frame.end = frame.end.max(here.end as usize);
        }
        Ok(built)
    }

    pub(super) fn unresolved(&mut self, span: Span) -> Built {
        let node = Node { span, tag: Some(self.tag(UNRESOLVED)), written: Written::Null };
        Built { node, cost: size_of::<Entry>(), height: 0 }
    }

    /// Replaces `<<` by the entries it brings: a key that is written out wins over a merged one,
    /// and an earlier merged mapping over a later one.
    pub(super) fn merge(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let is_merge =
            |text: &str, entry: &Entry| &*entry.key.name == "<<" && text.get(entry.key.span.range()) == Some("<<");
        let mut taken: HashSet<Box<str>> =
            entries.iter().filter(|entry| !is_merge(self.text, entry)).map(|entry| entry.key.name.clone()).collect();
        let mut merged = Vec::with_capacity(entries.len());
        for entry in entries {
            if !is_merge(self.text, &entry) {
                merged.push(entry);
                continue;
            }
            let sources = match entry.value {
                Node { written: Written::Sequence(items), tag: None, .. } => items,
                single => vec![single],
            };
            for source in sources {
                match source {
                    Node { written: Written::Mapping(entries), tag: None, .. } => {
                        // Within one source the last of two equal keys holds.
                        let mut own = HashSet::new();
                        let fresh: Vec<Entry> = entries
                            .into_iter()
                            .rev()
                            .filter(|entry| !taken.contains(&entry.key.name) && own.insert(entry.key.name.clone()))
                            .collect();
                        merged.extend(fresh.into_iter().rev());
                        taken.extend(own);
                    }
                    // The problem of an unresolved alias was told where it stands.
                    unresolved if unresolved.tag.as_deref() == Some(UNRESOLVED) => {
                        merged.push(Entry { key: entry.key.clone(), value: unresolved });
                    }
                    other => {
                        self.problem(other.span, "`<<` must name a mapping or a list of mappings".to_owned());
                        let value = self.unresolved(other.span).node;
                        merged.push(Entry { key: entry.key.clone(), value });
                    }
                }
            }
        }
        merged
    }
}
