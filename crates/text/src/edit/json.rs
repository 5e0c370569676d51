//! Edits of JSON text that keep its layout: members and items go in with the indentation, the line
//! ends and the spacing of their neighbours, and no other byte changes.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{
    Document, Edit, Error, Layout, Part, Step, applied, children, meaning, path_within, shown, spliced,
    spliced_unmarked, without,
};
use crate::json::parse;
use crate::placeholder;
use crate::source::{FileId, Span};
use crate::tree::Node;

/// A JSON text while it is edited. Every change is made on a tree that was just read, so spans are
/// never stale.
#[derive(Clone, Debug)]
pub struct Editor {
    text: String,
    /// The text as its author wrote it, where `text` has its templates marked: both are of one
    /// length, and every change is made to both.
    unmarked: Option<String>,
    tree: Node,
    habits: Arc<Habits>,
}

/// How the whole text is laid out, whatever part of it is edited.
#[derive(Debug)]
struct Habits {
    line_end: &'static str,
    /// One step of indentation.
    unit: String,
    /// What stands between the first key and its value, where these are on one line.
    colon: Option<String>,
    has_line_breaks: bool,
}

impl Document for Editor {
    fn text(&self) -> &str {
        self.unmarked.as_deref().unwrap_or(&self.text)
    }

    fn whole(&self) -> Option<Node> {
        Some(self.tree.clone())
    }

    fn get(&self, path: &[Step]) -> Option<&Node> {
        path.iter().try_fold(&self.tree, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.items().get(*index),
        })
    }

    fn path_of(&self, start: usize, end: usize) -> Option<Vec<Step>> {
        let mut path = Vec::new();
        path_within(&self.tree, &(start..end), &mut path).then_some(path)
    }

    fn set(&mut self, path: &[Step], key: &str, value: &Json, after: &[&str]) -> Result<(), Error> {
        let object = self.object(path)?;
        let written: Vec<&Node> =
            object.entries().iter().filter(|entry| &*entry.key.name == key).map(|entry| &entry.value).collect();
        match written[..] {
            [] => {
                let (at, inserted) = self.member(object, key, value, after);
                self.splice(at, at, &inserted)
            }
            [old] if meaning(old) == *value => Ok(()),
            [old] => {
                let style = self.style(old.span, self.multi_line(object));
                let new = style.render(value);
                let range = old.span.range();
                self.splice(range.start, range.end, &new)
            }
            _ => Err(Error::WrittenTwice(key.to_owned())),
        }
    }

    fn push(&mut self, path: &[Step], key: &str, item: &Json, after: &[&str]) -> Result<(), Error> {
        let object = self.object(path)?;
        let array = match object.get(key) {
            Some(array) if array.is_sequence() => array,
            Some(other) if other.is_mapping() => return Err(Error::Layout(key.to_owned())),
            _ => return self.set(path, key, &Json::Array(vec![item.clone()]), after),
        };
        if array.items().is_empty() {
            return self.set(path, key, &Json::Array(vec![item.clone()]), after);
        }
        self.append(&[path, &[Step::from(key)]].concat(), item)
    }

    fn append(&mut self, path: &[Step], item: &Json) -> Result<(), Error> {
        let last = self.get(path).and_then(|array| array.items().last());
        let last = last.ok_or_else(|| Error::NoSuchValue(shown(path)))?;
        let own_lines = self.starts_line(last.span);
        // Items of one line in an array of one line stay on that line.
        let style = self.style(last.span, own_lines && (self.multi_line(last) || !last.is_mapping()));
        let rendered = style.render(item);
        let inserted = if own_lines {
            format!(",{}{}{rendered}", style.line_end, style.indent)
        } else {
            format!(",{}{rendered}", if self.compact() { "" } else { " " })
        };
        let at = last.span.end as usize;
        self.splice(at, at, &inserted)
    }

    fn replace(&mut self, path: &[Step], value: &Json) -> Result<(), Error> {
        let node = self.get(path).ok_or_else(|| Error::NoSuchValue(shown(path)))?;
        let range = node.span.range();
        self.splice(range.start, range.end, &value.to_string())
    }

    fn copied(&self) -> Box<dyn Document> {
        Box::new(self.clone())
    }

    fn part(&self, path: &[Step]) -> Option<Part> {
        let node = self.get(path).filter(|node| node.is_mapping() && self.unmarked.is_none())?;
        let range = node.span.range();
        // The members follow the indentation of the line that the object begins on.
        let indent = Layout(&self.text).indent(node.span);
        let text = format!("{indent}{}", &self.text[range.clone()]);
        let tree = read(&text).ok()?;
        let around = (indent.len(), 0);
        let document = Box::new(Editor { text, unmarked: None, tree, habits: Arc::clone(&self.habits) });
        Some(Part { document, root: Vec::new(), range, around })
    }

    fn apply(&mut self, edits: &[Edit]) -> Result<(), Error> {
        if self.unmarked.is_some() && !edits.is_empty() {
            return Err(Error::Layout("a value with a template in it".to_owned()));
        }
        let text = applied(&self.text, edits)?;
        self.tree = read(&text)?;
        self.text = text;
        Ok(())
    }

    fn remove(&mut self, path: &[Step]) -> Result<(), Error> {
        let missing = || Error::NoSuchValue(shown(path));
        let (last, parent) = path.split_last().ok_or_else(missing)?;
        let (index, ranges) = self.get(parent).and_then(|parent| children(parent, last)).ok_or_else(missing)?;
        let range = without(&ranges, index);
        self.splice(range.start, range.end, "")
    }
}

impl Editor {
    pub fn new(text: impl Into<String>) -> Result<Self, Error> {
        let text = text.into();
        let tree = read(&text)?;
        let habits = Habits::of(&text, &tree);
        Ok(Editor { text, unmarked: None, tree, habits })
    }

    /// A text with templates in the syntax of Go, which no edit touches.
    pub fn templated(text: &str) -> Result<Self, Error> {
        let marked = placeholder::mark(FileId(0), text, placeholder::Around::Json).text;
        let tree = read(&marked)?;
        let habits = Habits::of(&marked, &tree);
        Ok(Editor { text: marked, unmarked: Some(text.to_owned()), tree, habits })
    }

    pub fn into_text(self) -> String {
        self.unmarked.unwrap_or(self.text)
    }

    /// The whole document.
    pub fn root(&self) -> &Node {
        &self.tree
    }

    fn object(&self, path: &[Step]) -> Result<&Node, Error> {
        self.get(path).filter(|node| node.is_mapping()).ok_or_else(|| Error::NoSuchValue(shown(path)))
    }

    /// Where a new member goes, and its text.
    fn member(&self, object: &Node, key: &str, value: &Json, after: &[&str]) -> (usize, String) {
        let key = Json::String(key.to_owned()).to_string();
        let neighbour = after.iter().find_map(|name| object.entry(name));
        let start = object.span.start as usize + 1;
        let Some(first) = object.entries().first() else {
            // An empty object has no layout to follow: it gets that of its surroundings.
            let outer = self.style(object.span, self.habits.has_line_breaks);
            if !outer.multi_line {
                return (start, format!("{key}{}{}", self.colon(object), outer.render(value)));
            }
            let inner = outer.deeper();
            let line_end = outer.line_end;
            let text = format!(
                "{line_end}{}{key}{}{}{line_end}{}",
                inner.indent,
                self.colon(object),
                inner.render(value),
                outer.indent
            );
            // Blanks between the braces are replaced by nothing: the closing brace follows.
            return (start, text);
        };
        let own_lines = self.starts_line(first.key.span);
        let style = self.style(first.key.span, own_lines);
        let member = format!("{key}{}{}", self.colon(object), style.render(value));
        let space = if self.compact() { "" } else { " " };
        match neighbour {
            Some(neighbour) if own_lines => {
                (neighbour.value.span.end as usize, format!(",{}{}{member}", style.line_end, style.indent))
            }
            Some(neighbour) => (neighbour.value.span.end as usize, format!(",{space}{member}")),
            None if own_lines => {
                (first.key.span.start as usize, format!("{member},{}{}", style.line_end, style.indent))
            }
            None => (first.key.span.start as usize, format!("{member},{space}")),
        }
    }

    fn splice(&mut self, start: usize, end: usize, inserted: &str) -> Result<(), Error> {
        let unmarked = self.unmarked.as_ref().map(|text| spliced_unmarked(text, start..end, inserted)).transpose()?;
        let text = spliced(&self.text, start..end, inserted);
        self.tree = read(&text)?;
        (self.text, self.unmarked) = (text, unmarked);
        Ok(())
    }

    /// The layout of the line on which a span begins.
    fn style(&self, span: Span, multi_line: bool) -> Style {
        let indent = Layout(&self.text).indent(span).to_owned();
        let Habits { unit, line_end, .. } = &*self.habits;
        Style { indent, unit: unit.clone(), line_end, multi_line, compact: self.compact() }
    }

    fn starts_line(&self, span: Span) -> bool {
        Layout(&self.text).starts_line(span)
    }

    fn multi_line(&self, node: &Node) -> bool {
        self.text[node.span.range()].contains('\n')
    }

    /// Whether the document is written without blanks after colons.
    fn compact(&self) -> bool {
        self.habits.colon.as_ref().is_some_and(|colon| !colon.contains(' '))
    }

    /// What stands between a key and its value in that object.
    fn colon(&self, object: &Node) -> String {
        colon_in(&self.text, object).or_else(|| self.habits.colon.clone()).unwrap_or_else(|| ": ".to_owned())
    }
}

impl Habits {
    fn of(text: &str, tree: &Node) -> Arc<Habits> {
        // The first line that is indented at all has one step of it.
        let indents = text.lines().map(|line| &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]);
        let unit = match indents.into_iter().find(|indent| !indent.is_empty()) {
            Some(indent) if indent.starts_with('\t') => "\t",
            Some(indent) => indent,
            None => "  ",
        };
        Arc::new(Habits {
            line_end: Layout(text).line_end(),
            unit: unit.to_owned(),
            colon: colon_in(text, tree),
            has_line_breaks: text.trim_end().contains('\n'),
        })
    }
}

/// What stands between the first key of a tree and its value, where these are on one line.
fn colon_in(text: &str, node: &Node) -> Option<String> {
    if let Some(entry) = node.entries().first() {
        let between = &text[entry.key.span.end as usize..entry.value.span.start as usize];
        return (!between.contains('\n')).then(|| between.to_owned());
    }
    node.items().iter().find_map(|item| colon_in(text, item))
}

struct Style {
    indent: String,
    unit: String,
    line_end: &'static str,
    multi_line: bool,
    compact: bool,
}

impl Style {
    fn deeper(&self) -> Style {
        Style { indent: format!("{}{}", self.indent, self.unit), unit: self.unit.clone(), ..*self }
    }

    /// The value as text whose first line goes where the cursor is.
    fn render(&self, value: &Json) -> String {
        let structured = value.as_object().is_some_and(|object| !object.is_empty())
            || value.as_array().is_some_and(|items| items.iter().any(|item| item.is_object()));
        if self.multi_line && structured { self.render_lines(value) } else { self.render_line(value) }
    }

    fn render_line(&self, value: &Json) -> String {
        let (comma, colon) = if self.compact { (",", ":") } else { (", ", ": ") };
        match value {
            Json::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.render_line(item)).collect();
                format!("[{}]", items.join(comma))
            }
            Json::Object(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("{}{colon}{}", Json::String(key.clone()), self.render_line(value)))
                    .collect();
                let blank = if self.compact || members.is_empty() { "" } else { " " };
                format!("{{{blank}{}{blank}}}", members.join(comma))
            }
            other => other.to_string(),
        }
    }

    fn render_lines(&self, value: &Json) -> String {
        let inner = self.deeper();
        let colon = if self.compact { ":" } else { ": " };
        let (open, lines, close): (_, Vec<String>, _) = match value {
            Json::Array(items) => ("[", items.iter().map(|item| inner.render(item)).collect(), "]"),
            Json::Object(members) => (
                "{",
                members
                    .iter()
                    .map(|(key, value)| format!("{}{colon}{}", Json::String(key.clone()), inner.render(value)))
                    .collect(),
                "}",
            ),
            other => return other.to_string(),
        };
        let line_end = self.line_end;
        let separator = format!(",{line_end}{}", inner.indent);
        format!("{open}{line_end}{}{}{line_end}{}{close}", inner.indent, lines.join(&separator), self.indent)
    }
}

fn read(text: &str) -> Result<Node, Error> {
    match parse(FileId(0), text) {
        (Some(tree), problems) if problems.is_empty() => Ok(tree),
        (_, problems) => {
            Err(Error::NotRead(problems.into_iter().next().map_or_else(|| "it is empty".to_owned(), |p| p.message)))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edited(text: &str, edit: impl FnOnce(&mut Editor) -> Result<(), Error>) -> String {
        let mut editor = Editor::new(text).expect("the text is JSON");
        edit(&mut editor).expect("the edit is possible");
        editor.into_text()
    }

    #[test]
    fn a_member_goes_after_its_neighbour_on_a_line_of_its_own() {
        let text = "{\n    \"name\": \"web\",\n    \"image\": \"x\"\n}\n";
        assert_eq!(
            edited(text, |e| e.set(&[], "readonlyRootFilesystem", &json!(true), &["missing", "name"])),
            "{\n    \"name\": \"web\",\n    \"readonlyRootFilesystem\": true,\n    \"image\": \"x\"\n}\n"
        );
    }

    #[test]
    fn a_value_is_replaced_in_its_place() {
        let text = "{\"a\" : false , \"b\":1}";
        assert_eq!(edited(text, |e| e.set(&[], "a", &json!(true), &[])), "{\"a\" : true , \"b\":1}");
        assert_eq!(edited(text, |e| e.set(&[], "b", &json!(1), &[])), text, "the same value changes nothing");
    }

    #[test]
    fn compact_documents_stay_compact() {
        assert_eq!(
            edited("{\"a\":1,\"l\":[{\"x\":1}]}", |e| e.push(&[], "l", &json!({"x": 2, "y": [1, 2]}), &[])),
            "{\"a\":1,\"l\":[{\"x\":1},{\"x\":2,\"y\":[1,2]}]}"
        );
    }

    #[test]
    fn crlf_tabs_and_a_byte_order_mark_stay() {
        let text = "\u{feff}{\r\n\t\"a\": {\r\n\t\t\"b\": 1\r\n\t}\r\n}\r\n";
        let after = edited(text, |e| e.set(&["a".into()], "t", &json!([{"p": "/tmp", "o": ["x", "y"]}]), &["b"]));
        assert_eq!(
            after,
            "\u{feff}{\r\n\t\"a\": {\r\n\t\t\"b\": 1,\r\n\t\t\"t\": [\r\n\t\t\t{\r\n\t\t\t\t\"p\": \"/tmp\",\r\n\t\t\t\t\"o\": [\"x\", \"y\"]\r\n\t\t\t}\r\n\t\t]\r\n\t}\r\n}\r\n"
        );
    }

    #[test]
    fn empty_objects_and_arrays_are_filled() {
        assert_eq!(
            edited("{\n  \"a\": {}\n}\n", |e| e.set(&["a".into()], "b", &json!(1), &[])),
            "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n"
        );
        assert_eq!(
            edited("{\n  \"v\": []\n}\n", |e| e.push(&[], "v", &json!({"name": "x"}), &[])),
            "{\n  \"v\": [\n    {\n      \"name\": \"x\"\n    }\n  ]\n}\n"
        );
        assert_eq!(edited("{}", |e| e.set(&[], "b", &json!(1), &[])), "{\"b\": 1}");
    }

    #[test]
    fn an_item_looks_like_the_one_before_it() {
        assert_eq!(
            edited("{\n  \"v\": [\n    { \"name\": \"a\" }\n  ]\n}", |e| e.push(&[], "v", &json!({"name": "b"}), &[])),
            "{\n  \"v\": [\n    { \"name\": \"a\" },\n    { \"name\": \"b\" }\n  ]\n}"
        );
    }

    #[test]
    fn a_key_that_is_written_twice_is_left_alone() {
        let mut editor = Editor::new("{\"a\": 1, \"a\": 2}").expect("JSON");
        assert_eq!(editor.set(&[], "a", &json!(3), &[]), Err(Error::WrittenTwice("a".into())));
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let mut editor = Editor::new("{\"a\": [1]}").expect("JSON");
        let error = editor.set(&["a".into(), 3.into()], "b", &json!(1), &[]).expect_err("no such item");
        assert_eq!(error.to_string(), "there is no a[3] in it");
    }
}
