//! Edits of Terraform's language that keep its layout: attributes, members, items and blocks go in
//! with the indentation, line ends, separators and alignment of their neighbours. What is computed
//! is never overwritten.
//!
//! Long because bodies, objects and lists are laid out each in ways of their own.

mod align;
#[cfg(test)]
mod tests;
mod tree;

use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Document, Edit, Error, Layout, Part, Step, applied, children, meaning, path_within, shown, without};
use crate::source::Span;
use crate::tree::{Entry, Node, Written};

/// A text in Terraform's language while it is edited. Its tree is that of `tree::tree`, read
/// again after every change, so spans are never stale.
#[derive(Clone, Debug)]
pub struct Editor {
    text: String,
    tree: Node,
    habits: Arc<Habits>,
}

/// How the whole text is laid out, whatever part of it is edited.
#[derive(Debug)]
struct Habits {
    line_end: &'static str,
    /// One step of indentation.
    unit: String,
}

impl Document for Editor {
    fn get(&self, path: &[Step]) -> Option<&Node> {
        path.iter().try_fold(&self.tree, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.items().get(*index),
        })
    }

    fn path_of(&self, start: usize, end: usize) -> Option<Vec<Step>> {
        let mut path = Vec::new();
        // A kind of block that is there once covers the same bytes as that block.
        path_within(&self.tree, &(start..end), &mut path).then(|| self.block_of(path))
    }

    fn set(&mut self, path: &[Step], key: &str, value: &Json, after: &[&str]) -> Result<(), Error> {
        let object = self.object(path)?;
        let written: Vec<&Entry> = object.entries().iter().filter(|entry| &*entry.key.name == key).collect();
        match written[..] {
            [] => self.insert(object.clone(), key, value, after),
            [old] if meaning(&old.value) == *value => Ok(()),
            [old] if is_computed(&old.value) || is_blocks(old) || has_structure(&old.value) => {
                Err(Error::Layout(key.to_owned()))
            }
            [old] => {
                let style = self.style(old.key.span, self.starts_line(old.key.span));
                let (range, new) = (old.value.span.range(), style.render(value)?);
                self.splice(range, &new)
            }
            _ => Err(Error::WrittenTwice(key.to_owned())),
        }
    }

    fn push(&mut self, path: &[Step], key: &str, item: &Json, after: &[&str]) -> Result<(), Error> {
        let object = self.object(path)?;
        let list = match object.entry(key) {
            Some(entry) if is_computed(&entry.value) || is_blocks(entry) => {
                return Err(Error::Layout(key.to_owned()));
            }
            Some(entry) if entry.value.is_sequence() => &entry.value,
            _ => return self.set(path, key, &Json::Array(vec![item.clone()]), after),
        };
        if list.items().is_empty() {
            return self.set(path, key, &Json::Array(vec![item.clone()]), after);
        }
        self.append(&[path, &[Step::from(key)]].concat(), item)
    }

    fn append(&mut self, path: &[Step], item: &Json) -> Result<(), Error> {
        let list = self.get(path).filter(|list| !is_computed(list));
        let last = list.and_then(|list| list.items().last()).cloned();
        let last = last.ok_or_else(|| Error::NoSuchValue(shown(path)))?;
        if self.text[last.span.range()].starts_with("<<") {
            return Err(Error::Layout(shown(path)));
        }
        let end = last.span.end as usize;
        if !self.starts_line(last.span) {
            let style = self.style(last.span, self.text[last.span.range()].contains('\n'));
            let new = format!(", {}", style.render(item)?);
            return self.splice(end..end, &new);
        }
        // Items of one line in a list of lines stay on their lines.
        let style = self.style(last.span, self.text[last.span.range()].contains('\n') || !last.is_mapping());
        let rendered = style.render(item)?;
        let tail = self.tail(end);
        let comma = if tail.comma { "," } else { "" };
        match tail.whole_line {
            true => {
                let between = &self.text[end..tail.end];
                let before = if tail.comma { "" } else { "," };
                let new = format!("{before}{between}{}{}{rendered}{comma}", style.line_end, style.indent);
                self.splice(end..tail.end, &new)
            }
            false => {
                let new = format!(",{}{}{rendered}", style.line_end, style.indent);
                self.splice(end..end, &new)
            }
        }
    }

    fn replace(&mut self, path: &[Step], value: &Json) -> Result<(), Error> {
        let node = self.get(path).ok_or_else(|| Error::NoSuchValue(shown(path)))?;
        if is_computed(node) || has_structure(node) || node.is_mapping() || node.is_sequence() {
            return Err(Error::Layout(shown(path)));
        }
        let (range, new) = (node.span.range(), self.style(node.span, false).render(value)?);
        self.splice(range, &new)
    }

    fn remove(&mut self, path: &[Step]) -> Result<(), Error> {
        let missing = || Error::NoSuchValue(shown(path));
        let (step, parent) = path.split_last().ok_or_else(missing)?;
        let node = self.get(parent).ok_or_else(missing)?;
        let (index, ranges) = children(node, step).ok_or_else(missing)?;
        let is_kind = matches!(step, Step::Key(_)) && node.entries().get(index).is_some_and(is_blocks);
        let range = ranges[index].clone();
        if is_kind && node.entries().get(index).map_or(0, |entry| entry.value.items().len()) > 1 {
            return Err(Error::Layout(shown(path)));
        }
        let line = self.line_start(range.start);
        let tail = self.tail(range.end);
        if self.text[line..range.start].trim().is_empty() && tail.whole_line {
            let end = (tail.end + self.line_end().len()).min(self.text.len());
            return self.splice(line..end, "");
        }
        if self.is_object(node) || !node.is_mapping() {
            let range = without(&ranges, index);
            return self.splice(range, "");
        }
        Err(Error::Layout(shown(path)))
    }

    fn push_block(&mut self, path: &[Step], kind: &str, members: &Json) -> Result<(), Error> {
        let members = members.as_object().ok_or_else(|| Error::Layout(kind.to_owned()))?;
        let body = self.get(path).filter(|node| node.is_mapping() && !self.is_object(node));
        let body = body.ok_or_else(|| Error::NoSuchValue(shown(path)))?.clone();
        let same = body.entry(kind).filter(|entry| is_blocks(entry)).and_then(|entry| entry.value.items().last());
        let last = same.map(|block| block.span).or_else(|| self.ordered(&body).last().map(|entry| entry.value.span));
        let Some(last) = last else {
            let style = self.style(body.span, true);
            let inner = if path.is_empty() { style } else { style.deeper() };
            let block = inner.block(kind, members)?;
            return self.fill_empty(&body, &block);
        };
        if !path.is_empty() && !self.text[body.span.range()].contains('\n') {
            let inner = self.style(body.span, true).deeper();
            let block = inner.block(kind, members)?;
            return self.spread(&body, &format!("{}{}{block}", inner.line_end, inner.indent), kind);
        }
        let first = self.ordered(&body).first().map_or(last, |entry| entry.key.span);
        let style = self.style(first, true);
        let tail = self.tail(last.end as usize);
        if !tail.whole_line {
            return Err(Error::Layout(shown(path)));
        }
        let new = format!("{0}{0}{1}{2}", style.line_end, style.indent, style.block(kind, members)?);
        self.splice(tail.end..tail.end, &new)
    }

    fn whole(&self) -> Option<Node> {
        Some(self.tree.clone())
    }

    fn copied(&self) -> Box<dyn Document> {
        Box::new(self.clone())
    }

    /// A block of the file that begins its line.
    fn part(&self, path: &[Step]) -> Option<Part> {
        let [Step::Key(kind), Step::Index(index)] = path else { return None };
        let entry = self.tree.entry(kind).filter(|entry| is_blocks(entry))?;
        let block = entry.value.items().get(*index).filter(|block| self.starts_line(block.span))?;
        let range = block.span.range();
        // With the line end, the block is told from the body that it stands in.
        let line_end = self.line_end();
        let text = format!("{}{line_end}", &self.text[range.clone()]);
        let tree = tree::tree(&text).ok()?;
        let document = Box::new(Editor { text, tree, habits: Arc::clone(&self.habits) });
        let root = vec![Step::Key(kind.clone()), Step::Index(0)];
        Some(Part { document, root, range, around: (0, line_end.len()) })
    }

    fn apply(&mut self, edits: &[Edit]) -> Result<(), Error> {
        let text = applied(&self.text, edits)?;
        self.tree = tree::tree(&text)?;
        self.text = text;
        Ok(())
    }

    fn text(&self) -> &str {
        &self.text
    }
}

/// What follows a value on its line.
struct Tail {
    comma: bool,
    /// Nothing but a comma and a comment follows.
    whole_line: bool,
    /// The end of the line, without its line end.
    end: usize,
}

impl Editor {
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let tree = tree::tree(&text)?;
        let habits = Arc::new(Habits { line_end: Layout(&text).line_end(), unit: unit(&text, &tree) });
        Ok(Editor { text, tree, habits })
    }

    /// The bytes between the marks of the heredoc that holds an offset.
    pub fn heredoc(&self, offset: usize) -> Option<Range<usize>> {
        let span = heredoc_at(&self.tree, &self.text, offset)?;
        let written = &self.text[span.range()];
        let start = span.start as usize + written.find('\n')? + 1;
        let end = span.start as usize + written.rfind('\n')? + 1;
        (start..=end).contains(&offset).then_some(start..end)
    }

    /// Puts another text between the marks of a heredoc.
    pub fn set_heredoc(&mut self, content: Range<usize>, new: &str) -> Result<(), Error> {
        self.splice(content, new)
    }

    fn object(&self, path: &[Step]) -> Result<&Node, Error> {
        let found = self.get(path).filter(|node| node.is_mapping());
        found.ok_or_else(|| Error::NoSuchValue(shown(path)))
    }

    /// A way that ends at a kind of block, led on to its only block.
    fn block_of(&self, mut path: Vec<Step>) -> Vec<Step> {
        let (last, parent) = match path.split_last() {
            Some((Step::Key(key), parent)) => (key.clone(), parent),
            _ => return path,
        };
        let entry = self.get(parent).and_then(|node| node.entry(&last));
        if entry.is_some_and(|entry| is_blocks(entry) && entry.value.items().len() == 1) {
            path.push(Step::Index(0));
        }
        path
    }

    /// Whether a mapping is an object; else it is a body.
    fn is_object(&self, node: &Node) -> bool {
        node.span != self.tree.span && self.text[node.span.range()].starts_with('{')
    }

    /// Attributes and blocks in the order of the text.
    fn ordered<'n>(&self, node: &'n Node) -> Vec<&'n Entry> {
        let mut entries: Vec<&Entry> = node.entries().iter().collect();
        entries.sort_by_key(|entry| entry.value.span.end);
        entries
    }

    fn insert(&mut self, object: Node, key: &str, value: &Json, after: &[&str]) -> Result<(), Error> {
        let is_object = self.is_object(&object);
        let of_attributes = |entry: &&Entry| (is_object || !is_blocks(entry)) && !entry.key.name.starts_with('(');
        let first = object.entries().iter().find(of_attributes);
        let neighbour = after.iter().find_map(|name| object.entry(name).filter(of_attributes)).or(first);
        let Some(neighbour) = neighbour else {
            return self.insert_into_bare(&object, key, value);
        };
        // What takes several lines would part those that stand in line.
        let spreads = self.style_of(neighbour).member(key, value)?.contains('\n');
        let neighbour = if spreads { self.last_in_line(&object, neighbour) } else { neighbour };
        let end = neighbour.value.span.end as usize;
        let tail = self.tail(end);
        let style = self.style_of(neighbour);
        if self.starts_line(neighbour.key.span) && tail.whole_line {
            let member = style.member(key, value)?;
            let is_last = object.entries().iter().all(|entry| entry.value.span.end as usize <= end);
            let others = object.entries().iter().any(|entry| self.tail(entry.value.span.end as usize).comma);
            let (before, own) = match (is_object, tail.comma) {
                (true, true) => ("", ","),
                (true, false) if is_last && others => (",", ""),
                _ => ("", ""),
            };
            // The mark of a heredoc stands alone on its line.
            if !before.is_empty() && self.text[neighbour.value.span.range()].starts_with("<<") {
                return Err(Error::Layout(key.to_owned()));
            }
            let between = self.text[end..tail.end].to_owned();
            let gap = if spreads && !is_object { style.line_end } else { "" };
            let new = format!("{before}{between}{}{gap}{}{member}{own}", style.line_end, style.indent);
            return self.splice(end..tail.end, &new);
        }
        let style = Style { multi_line: false, ..style };
        let member = style.member(key, value)?;
        if is_object {
            return self.splice(end..end, &format!(", {member}"));
        }
        let inner = self.style(object.span, true).deeper();
        let member = format!("{}{}", inner.indent, inner.member(key, value)?);
        self.spread(&object, &member, key)
    }

    /// A block of one line holds one attribute at the most: it gets lines, and these behind it.
    fn spread(&mut self, block: &Node, lines: &str, name: &str) -> Result<(), Error> {
        let written = &self.text[block.span.range()];
        let (Some(open), true) = (written.find('{'), written.ends_with('}') && !written.contains('\n')) else {
            return Err(Error::Layout(name.to_owned()));
        };
        let outer = self.style(block.span, true);
        let (start, close) = (block.span.start as usize + open + 1, block.span.end as usize - 1);
        let old = self.text[start..close].trim().to_owned();
        let (line, indent) = (outer.line_end, outer.deeper().indent);
        self.splice(start..close, &format!("{line}{indent}{old}{line}{lines}{line}{}", outer.indent))
    }

    /// The last of the entries of one line that follow an entry line by line.
    fn last_in_line<'n>(&self, object: &'n Node, entry: &'n Entry) -> &'n Entry {
        let mut last = entry;
        let is_line = |entry: &Entry| {
            let whole = &self.text[entry.key.span.start as usize..entry.value.span.end as usize];
            !whole.contains('\n') && self.tail(entry.value.span.end as usize).whole_line && !is_blocks(entry)
        };
        let mut entries = object.entries().to_vec();
        entries.sort_by_key(|entry| entry.key.span.start);
        let behind = entries.iter().filter(|other| other.key.span.start > entry.key.span.start);
        for next in behind.take_while(|next| is_line(next)) {
            let line = self.tail(last.value.span.end as usize).end;
            if !is_line(last) || self.line_start(next.key.span.start as usize) != line + self.line_end().len() {
                break;
            }
            last = object.entries().iter().find(|entry| entry.key.span == next.key.span).unwrap_or(last);
        }
        last
    }

    /// Into a mapping that has nothing, or a body that has blocks alone.
    fn insert_into_bare(&mut self, object: &Node, key: &str, value: &Json) -> Result<(), Error> {
        let is_object = self.is_object(object);
        let style = self.style(object.span, true);
        if object.entries().is_empty() {
            if is_object && !self.text[object.span.range()].contains('\n') && !value.is_object() {
                let new = format!("{{ {} }}", Style { multi_line: false, ..style }.member(key, value)?);
                return self.splice(object.span.range(), &new);
            }
            let inner = if object.span == self.tree.span { style } else { style.deeper() };
            let member = inner.member(key, value)?;
            return self.fill_empty(object, &member);
        }
        let Some(first) = self.ordered(object).first().map(|entry| entry.key.span) else {
            return Err(Error::Layout(key.to_owned()));
        };
        if is_object || !self.starts_line(first) {
            return Err(Error::Layout(key.to_owned()));
        }
        let style = self.style(first, true);
        let at = first.start as usize;
        let new =
            format!("{member}{line}{line}{}", style.indent, member = style.member(key, value)?, line = style.line_end);
        self.splice(at..at, &new)
    }

    /// Puts a structure between braces that hold nothing but blanks and comments.
    fn fill_empty(&mut self, node: &Node, new: &str) -> Result<(), Error> {
        if node.span == self.tree.span {
            let at = self.text.len();
            let line = self.line_end();
            let before = if self.text.is_empty() || self.text.ends_with('\n') { "" } else { line };
            return self.splice(at..at, &format!("{before}{new}{line}"));
        }
        let style = self.style(node.span, true);
        let range = node.span.range();
        let written = &self.text[range.clone()];
        let open = written.rfind('{').ok_or_else(|| Error::Layout("it".to_owned()))?;
        let inside = written[open + 1..written.len() - 1].trim_end().to_owned();
        let new = format!("{inside}{0}{1}{new}{0}{2}", style.line_end, style.deeper().indent, style.indent);
        self.splice(range.start + open + 1..range.end - 1, &new)
    }

    fn splice(&mut self, old: Range<usize>, inserted: &str) -> Result<(), Error> {
        let mut text = String::with_capacity(self.text.len() + inserted.len());
        text.push_str(&self.text[..old.start]);
        text.push_str(inserted);
        text.push_str(&self.text[old.end..]);
        let new = old.start..old.start + inserted.len();
        let text = align::realigned(&self.text, &text, old, new);
        self.tree = tree::tree(&text)?;
        self.text = text;
        Ok(())
    }

    /// The layout of the line on which a span begins.
    fn style(&self, span: Span, multi_line: bool) -> Style {
        let indent = Layout(&self.text).indent(span).to_owned();
        let Habits { unit, line_end } = &*self.habits;
        Style { indent, unit: unit.clone(), line_end, multi_line, colon: None, quoted: false }
    }

    /// The layout of an attribute or a member, for one beside it.
    fn style_of(&self, entry: &Entry) -> Style {
        let between = self.text.get(entry.key.span.end as usize..entry.value.span.start as usize).unwrap_or_default();
        Style {
            colon: match between.trim_start().starts_with(':') {
                true if between.starts_with(':') => Some(": "),
                true => Some(" : "),
                false => None,
            },
            quoted: self.text[entry.key.span.range()].starts_with('"'),
            ..self.style(entry.key.span, true)
        }
    }

    fn line_end(&self) -> &'static str {
        self.habits.line_end
    }

    fn line_start(&self, at: usize) -> usize {
        Layout(&self.text).line_start(at)
    }

    fn starts_line(&self, span: Span) -> bool {
        Layout(&self.text).starts_line(span)
    }

    fn tail(&self, at: usize) -> Tail {
        let rest = &self.text[at..];
        let end = rest.find('\n').unwrap_or(rest.len());
        let line = rest[..end].trim_end_matches('\r');
        let after = line.trim_start_matches([' ', '\t']);
        let comma = after.starts_with(',');
        let after = after.strip_prefix(',').unwrap_or(after).trim();
        let whole_line = after.is_empty() || after.starts_with('#') || after.starts_with("//");
        Tail { comma, whole_line, end: at + line.len() }
    }
}

/// One step of indentation: that of the first attribute in a block.
fn unit(text: &str, tree: &Node) -> String {
    let layout = Layout(text);
    let blocks = tree.entries().iter().filter(|entry| is_blocks(entry));
    let first = blocks.flat_map(|entry| entry.value.items()).flat_map(Node::entries).find(|entry| {
        let start = entry.key.span.start as usize;
        layout.starts_line(entry.key.span) && layout.line_start(start) < start
    });
    let indent = first.map(|entry| layout.indent(entry.key.span)).unwrap_or_default();
    if (1..=8).contains(&indent.len()) { indent.to_owned() } else { "  ".to_owned() }
}

/// Whether an entry stands for blocks: these begin with their kind.
fn is_blocks(entry: &Entry) -> bool {
    entry.value.is_sequence() && entry.value.span.start == entry.key.span.start
}

/// The innermost heredoc that holds an offset.
fn heredoc_at(node: &Node, text: &str, offset: usize) -> Option<Span> {
    let children = node.entries().iter().map(|entry| &entry.value).chain(node.items());
    let inner = children
        .filter(|child| (child.span.start as usize..=child.span.end as usize).contains(&offset))
        .find_map(|child| heredoc_at(child, text, offset));
    inner.or_else(|| text.get(node.span.range())?.starts_with("<<").then_some(node.span))
}

/// Whether a node is an expression, which an edit does not overwrite.
fn is_computed(node: &Node) -> bool {
    node.tag.is_some()
}

/// Whether a node has members or items.
fn has_structure(node: &Node) -> bool {
    match &node.written {
        Written::Mapping(entries) => !entries.is_empty(),
        Written::Sequence(items) => !items.is_empty(),
        _ => false,
    }
}

#[derive(Clone)]
struct Style {
    indent: String,
    unit: String,
    line_end: &'static str,
    multi_line: bool,
    /// What parts a key from its value instead of `=`: a colon with blanks.
    colon: Option<&'static str>,
    quoted: bool,
}

impl Style {
    fn deeper(&self) -> Style {
        Style { indent: format!("{}{}", self.indent, self.unit), ..self.clone() }
    }

    fn key(&self, key: &str) -> String {
        let first = key.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        let plain = first && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if plain && !self.quoted { key.to_owned() } else { string(key) }
    }

    fn member(&self, key: &str, value: &Json) -> Result<String, Error> {
        let between = self.colon.unwrap_or(" = ");
        Ok(format!("{}{between}{}", self.key(key), self.render(value)?))
    }

    /// Members on lines of their own, those of one line with their `=` in one column.
    fn members(&self, members: &Map<String, Json>) -> Result<String, Error> {
        let mut lines: Vec<String> = Vec::new();
        let mut run = 0;
        let column = |lines: &mut [String]| {
            let widest = lines.iter().filter_map(|line| line.find(" = ")).max().unwrap_or(0);
            for line in lines {
                if let Some(at) = line.find(" = ") {
                    line.insert_str(at, &" ".repeat(widest - at));
                }
            }
        };
        for (key, value) in members {
            let line = self.member(key, value)?;
            if line.contains('\n') {
                if self.colon.is_none() {
                    column(&mut lines[run..]);
                }
                run = lines.len() + 1;
            }
            lines.push(line);
        }
        if run < lines.len() && self.colon.is_none() {
            column(&mut lines[run..]);
        }
        let lines: Vec<String> = lines.iter().map(|line| format!("{}{line}", self.indent)).collect();
        Ok(lines.join(self.line_end))
    }

    /// A block, from its kind on.
    fn block(&self, kind: &str, members: &Map<String, Json>) -> Result<String, Error> {
        let inner = Style { colon: None, quoted: false, ..self.deeper() };
        let line = self.line_end;
        let (blocks, attributes): (Vec<_>, Vec<_>) =
            members.clone().into_iter().partition(|(_, value)| value.is_object());
        let mut body = String::new();
        if !attributes.is_empty() {
            body.push_str(&format!("{}{line}", inner.members(&attributes.into_iter().collect())?));
        }
        for (name, value) in &blocks {
            let gap = if body.is_empty() { "" } else { line };
            let members = value.as_object().cloned().unwrap_or_default();
            body.push_str(&format!("{gap}{}{}{line}", inner.indent, inner.block(name, &members)?));
        }
        Ok(format!("{kind} {{{line}{body}{}}}", self.indent))
    }

    /// The value as text whose first line goes where the cursor is.
    fn render(&self, value: &Json) -> Result<String, Error> {
        let line = self.line_end;
        Ok(match value {
            Json::Object(members) if is_tagged(members) => return tagged(members, self),
            Json::Object(members) if members.is_empty() => "{}".to_owned(),
            Json::Object(members) if self.multi_line => {
                format!("{{{line}{}{line}{}}}", self.deeper().members(members)?, self.indent)
            }
            Json::Object(members) => {
                let members: Result<Vec<String>, Error> =
                    members.iter().map(|(key, value)| self.member(key, value)).collect();
                format!("{{ {} }}", members?.join(", "))
            }
            Json::Array(items) => {
                let structured = |item: &Json| item.as_object().is_some_and(|members| !is_tagged(members));
                if self.multi_line && items.iter().any(structured) {
                    let inner = self.deeper();
                    let items: Result<Vec<String>, Error> =
                        items.iter().map(|item| Ok(format!("{}{}", inner.indent, inner.render(item)?))).collect();
                    format!("[{line}{}{line}{}]", items?.join(&format!(",{line}")), self.indent)
                } else {
                    let items: Result<Vec<String>, Error> = items.iter().map(|item| self.render(item)).collect();
                    format!("[{}]", items?.join(", "))
                }
            }
            Json::String(text) => string(text),
            other => other.to_string(),
        })
    }
}

/// A value with a tag, in the form that [`meaning`] gives it.
fn is_tagged(members: &Map<String, Json>) -> bool {
    members.len() == 1 && members.keys().all(|key| key.starts_with('!'))
}

fn tagged(members: &Map<String, Json>, style: &Style) -> Result<String, Error> {
    let Some((tag, value)) = members.iter().next() else { return Ok(String::new()) };
    let tag = &tag[1..];
    let rendered =
        |items: &[Json]| -> Result<Vec<String>, Error> { items.iter().map(|item| style.render(item)).collect() };
    match value {
        Json::String(text) if tag == tree::EXPRESSION && !text.starts_with("<<") => Ok(text.clone()),
        Json::Array(items) if tag == tree::CONDITIONAL => Ok(match &rendered(items)?[..] {
            [condition, then, otherwise] => format!("{condition} ? {then} : {otherwise}"),
            _ => return Err(Error::Layout(tag.to_owned())),
        }),
        Json::Array(items) if tag.ends_with("()") => {
            Ok(format!("{}({})", tag.trim_end_matches("()"), rendered(items)?.join(", ")))
        }
        _ => Err(Error::Layout(tag.to_owned())),
    }
}

/// A quoted string in which nothing is evaluated.
fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '$' | '%' if chars.peek() == Some(&'{') => quoted.extend([c, c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
