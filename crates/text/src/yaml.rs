//! YAML read into trees with the place of every part: tags kept, aliases and merge keys resolved
//! within a budget, and every document of a stream on its own. Nesting, alias expansion and time
//! are bounded for any input.

mod alias;
mod scalar;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use crate::source::{FileId, Problem, Span};
use crate::tree::{Entry, Key, Node, Written};

/// The tag of a node that stands for an alias which could not be resolved. No file can write it:
/// readers that take every unknown tag as an unknown value need no further care.
pub const UNRESOLVED: &str = "*";

/// Levels of nesting, counted after aliases were replaced. Real templates stay under 60.
pub const MAX_DEPTH: usize = 192;

/// Which plain words are booleans. Programs disagree, so the reader of each format says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `yes`, `no`, `on` and `off` are booleans, as in YAML 1.1: CloudFormation.
    Yaml11,
    /// Only `true` and `false` are, as in YAML 1.2: Compose, Copilot, ecspresso.
    Yaml12,
}

/// A stream of documents as far as it could be read.
#[derive(Clone, Debug, Default)]
pub struct Yaml {
    /// The documents that are whole. One that could not be read to its end is not among them.
    pub documents: Vec<Node>,
    pub problems: Vec<Problem>,
}

/// Reads every document of a stream. The span of a block collection reaches from its first key or
/// item to the end of its last value; the span of a tagged value begins at its tag. An alias to a
/// scalar has the span of the alias; an alias to a collection that of the collection it names,
/// because that is where the text is.
pub fn read(file: FileId, text: &str, dialect: Dialect) -> Yaml {
    Builder::new(file, text, dialect).read()
}

struct Builder<'a> {
    file: FileId,
    text: &'a str,
    dialect: Dialect,
    yaml: Yaml,
    stack: Vec<Frame>,
    root: Option<Built>,
    anchors: HashMap<usize, Built>,
    /// Bytes that aliases may still add.
    budget: usize,
    tags: HashSet<Arc<str>>,
}

/// A finished node with its size in memory and its height.
#[derive(Clone)]
struct Built {
    node: Node,
    cost: usize,
    height: usize,
}

struct Frame {
    anchor: usize,
    tag: Option<Arc<str>>,
    /// Byte offset where the node begins: its tag, its bracket, or its first child.
    start: usize,
    /// End of what was read of it so far.
    end: usize,
    cost: usize,
    height: usize,
    collection: Collection,
}

enum Collection {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        /// The key whose value comes next.
        key: Option<Key>,
        /// Whether that key, or an earlier one, is a plain `<<`.
        merges: bool,
    },
}

/// Why a document was given up.
struct GivenUp(Problem);

impl<'a> Builder<'a> {
    fn new(file: FileId, text: &'a str, dialect: Dialect) -> Self {
        Builder {
            file,
            text,
            dialect,
            yaml: Yaml::default(),
            stack: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            budget: alias::budget(text.len()),
            tags: HashSet::new(),
        }
    }

    fn read(mut self) -> Yaml {
        let mut options = granit_parser::Options::default();
        options.set_emit_comments(false);
        options.emit_unresolved_aliases = true;
        options.flow_nesting_limit = MAX_DEPTH;
        options.block_nesting_limit = MAX_DEPTH;
        // Without a line feed at its end, a last block scalar has none: so PyYAML and go-yaml.
        options.block_scalar_eof_without_line_feed = true;
        let mut parser = Parser::new_from_str_with_options(self.text, options);
        loop {
            let outcome = match parser.next_event() {
                None => break,
                Some(Ok((event, span))) => self.event(event, &span),
                Some(Err(error)) => Err(self.scan_problem(&error)),
            };
            if let Err(GivenUp(problem)) = outcome {
                self.yaml.problems.push(problem);
                self.abandon();
                match parser.proceed_next_document() {
                    Ok(true) => {}
                    Ok(false) | Err(_) => break,
                }
            }
        }
        self.yaml
    }

    fn abandon(&mut self) {
        self.stack.clear();
        self.root = None;
        self.anchors.clear();
    }

    fn event(&mut self, event: Event<'_>, span: &granit_parser::Span) -> Result<(), GivenUp> {
        match event {
            Event::DocumentStart(..) => self.abandon(),
            Event::DocumentEnd => {
                if let Some(built) = self.root.take() {
                    self.yaml.documents.push(built.node);
                }
                self.abandon();
            }
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_none() && self.take_key(&text, style, anchor, span) {
                    return Ok(());
                }
                let built = self.scalar(&text, style, tag.as_deref(), span);
                self.define(anchor, &built);
                self.place(built)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(anchor, tag.as_deref(), span, Collection::Sequence(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                let collection = Collection::Mapping { entries: Vec::new(), key: None, merges: false };
                self.open(anchor, tag.as_deref(), span, collection)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::Alias(id) => {
                let built = self.alias(id, span)?;
                self.place(built)?;
            }
            Event::UnresolvedAlias(name) => {
                let span = self.span_of(span);
                self.problem(span, format!("no anchor `{name}` comes before this alias"));
                let built = self.unresolved(span);
                self.place(built)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// The common case of a scalar that is a key, without building a node for it.
    fn take_key(&mut self, text: &str, style: ScalarStyle, anchor: usize, span: &granit_parser::Span) -> bool {
        let key_span = self.span_of(span);
        let Some(Frame { end, collection: Collection::Mapping { key: key @ None, merges, .. }, .. }) =
            self.stack.last_mut()
        else {
            return false;
        };
        if anchor != 0 {
            return false;
        }
        *end = (*end).max(key_span.end as usize);
        *merges |= text == "<<" && style == ScalarStyle::Plain;
        *key = Some(Key { name: text.into(), span: key_span });
        true
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &granit_parser::Span) -> Built {
        let plain = style == ScalarStyle::Plain;
        let (written, tag) = match tag.map(TagKind::of) {
            None if plain => (scalar::plain(text, self.dialect), None),
            None => (Written::String(text.into()), None),
            Some(TagKind::Core(name)) => (scalar::tagged(text, name, self.dialect), None),
            // What a tag of its own means is its reader's affair, but the text under it was typed.
            Some(TagKind::Own(name)) if plain => (scalar::plain(text, self.dialect), Some(self.tag(&name))),
            Some(TagKind::Own(name)) => (Written::String(text.into()), Some(self.tag(&name))),
        };
        let mut node = Node { span: self.span_of(span), tag, written };
        if let Some(start) = tag_start(span) {
            node.span.start = node.span.start.min(start as u32);
        }
        let cost = size_of::<Entry>() + text.len();
        Built { node, cost, height: 0 }
    }

    fn open(
        &mut self,
        anchor: usize,
        tag: Option<&Tag>,
        span: &granit_parser::Span,
        collection: Collection,
    ) -> Result<(), GivenUp> {
        let start = span.start.byte_offset().unwrap_or_default();
        if self.stack.len() >= MAX_DEPTH {
            return Err(self.too_deep(start));
        }
        let tag = match tag.map(TagKind::of) {
            Some(TagKind::Own(name)) => Some(self.tag(&name)),
            _ => None,
        };
        let start = match &collection {
            Collection::Sequence(_) => self.first_dash(start),
            Collection::Mapping { .. } => start,
        };
        let start = tag_start(span).map_or(start, |tag| tag.min(start));
        let end = span.end.byte_offset().unwrap_or(start).max(start);
        self.stack.push(Frame { anchor, tag, start, end, cost: size_of::<Entry>(), height: 0, collection });
        Ok(())
    }

    /// Where a sequence begins whose dashes stand in the column of its key: the parser says where
    /// its first item does.
    fn first_dash(&self, start: usize) -> usize {
        let Some(Frame { collection: Collection::Mapping { key: Some(key), .. }, .. }) = self.stack.last() else {
            return start;
        };
        let gap = self.text.get(key.span.end as usize..start).unwrap_or_default();
        let mut line = gap.find('\n').map(|at| at + 1);
        while let Some(at) = line {
            let blanks = gap[at..].bytes().take_while(|b| *b == b' ').count();
            if gap.as_bytes().get(at + blanks) == Some(&b'-') {
                return key.span.end as usize + at + blanks;
            }
            line = gap[at..].find('\n').map(|next| at + next + 1);
        }
        start
    }

    fn close(&mut self, span: &granit_parser::Span) -> Result<(), GivenUp> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let mut end = frame.end;
        // A closing bracket belongs to the collection; the end of a block one is where its last
        // value ended, not where the next thing begins.
        let closing = span.byte_range().unwrap_or_default();
        if matches!(self.text.as_bytes().get(closing.start), Some(b']' | b'}')) && !closing.is_empty() {
            end = end.max(closing.end);
        }
        let written = match frame.collection {
            Collection::Sequence(items) => Written::Sequence(items),
            Collection::Mapping { entries, merges: false, .. } => Written::Mapping(entries),
            Collection::Mapping { entries, merges: true, .. } => Written::Mapping(self.merge(entries)),
        };
        let node = Node { span: Span::new(self.file, frame.start, end.max(frame.start)), tag: frame.tag, written };
        let built = Built { node, cost: frame.cost, height: frame.height };
        self.define(frame.anchor, &built);
        self.place(built)
    }

    /// Puts a finished node where it belongs: into the open collection, or as the document.
    fn place(&mut self, built: Built) -> Result<(), GivenUp> {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(built);
            return Ok(());
        };
        frame.cost = frame.cost.saturating_add(built.cost);
        frame.height = frame.height.max(built.height + 1);
        let height = frame.height;
        if built.node.span.start as usize >= frame.start {
            frame.end = frame.end.max(built.node.span.end as usize);
        }
        let start = built.node.span.start as usize;
        match &mut frame.collection {
            Collection::Sequence(items) => items.push(built.node),
            Collection::Mapping { entries, key, .. } => match key.take() {
                Some(key) => entries.push(Entry { key, value: built.node }),
                None => *key = Some(complex_key(self.text, built.node)),
            },
        }
        if self.stack.len() + height > MAX_DEPTH {
            return Err(self.too_deep(start));
        }
        Ok(())
    }

    fn tag(&mut self, name: &str) -> Arc<str> {
        if let Some(tag) = self.tags.get(name) {
            return tag.clone();
        }
        let tag: Arc<str> = name.into();
        self.tags.insert(tag.clone());
        tag
    }

    fn span_of(&self, span: &granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or_default();
        Span::new(self.file, range.start, range.end)
    }

    fn problem(&mut self, span: Span, message: String) {
        self.yaml.problems.push(Problem { span, message });
    }

    fn too_deep(&self, at: usize) -> GivenUp {
        let span = Span::new(self.file, at, at);
        GivenUp(Problem { span, message: format!("nested deeper than {MAX_DEPTH} levels") })
    }

    fn scan_problem(&self, error: &ScanError) -> GivenUp {
        let at = error.marker().byte_offset().unwrap_or(self.text.len()).min(self.text.len());
        let end = self.text[at..].chars().next().filter(|c| *c != '\n').map_or(at, |c| at + c.len_utf8());
        GivenUp(Problem { span: Span::new(self.file, at, end), message: format!("not valid YAML: {}", error.info()) })
    }
}

fn tag_start(span: &granit_parser::Span) -> Option<usize> {
    span.tag_start()?.byte_offset()
}

/// A key that is not a plain scalar: the text of an alias or tagged scalar, or else the source.
fn complex_key(text: &str, node: Node) -> Key {
    let name = match node.written {
        Written::String(name) | Written::Number(name) => name,
        _ => text.get(node.span.range()).unwrap_or_default().into(),
    };
    Key { name, span: node.span }
}

enum TagKind<'t> {
    Core(&'t str),
    Own(std::borrow::Cow<'t, str>),
}

impl<'t> TagKind<'t> {
    fn of(tag: &'t Tag) -> Self {
        if let Some(name) = tag.core_suffix() {
            return TagKind::Core(name);
        }
        match (tag.handle(), tag.suffix()) {
            // A lone `!` makes a string, a list or a mapping of what follows.
            ("!", "") | ("", "!") => TagKind::Core("str"),
            ("!", suffix) => TagKind::Own(suffix.into()),
            ("", suffix) => TagKind::Own(suffix.strip_prefix('!').unwrap_or(suffix).into()),
            (handle, suffix) => TagKind::Own(format!("{handle}{suffix}").into()),
        }
    }
}
