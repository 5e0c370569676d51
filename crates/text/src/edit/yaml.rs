//! Edits of YAML text that keep its layout, comments, quotes and anchors: entries and items go in
//! beside their neighbours, in block or flow style as those are, and no other byte changes.

mod inline;
mod layout;

use std::sync::Arc;

use serde_json::Value as Json;

use self::inline::{flow, in_quotes_of, scalar, tagged};
use self::layout::Habits;
use super::{
    Document, Edit, Error, Part, Step, applied, children, meaning, path_within, shown, spliced, spliced_unmarked,
    without,
};
use crate::placeholder;
use crate::source::{FileId, Span};
use crate::tree::{Entry, Node, Written};
use crate::yaml::{Dialect, read};

/// A list of scalars that is wider is written a line an item.
const WIDEST_FLOW: usize = 80;

/// A YAML text while it is edited. The first step of every path is the index of a document. Every
/// change is made on a tree that was just read, so spans are never stale.
#[derive(Clone, Debug)]
pub struct Editor {
    text: String,
    /// The text as its author wrote it, where `text` has its templates marked: both are of one
    /// length, and every change is made to both.
    unmarked: Option<String>,
    dialect: Dialect,
    documents: Vec<Node>,
    habits: Arc<Habits>,
}

impl Document for Editor {
    fn text(&self) -> &str {
        self.unmarked.as_deref().unwrap_or(&self.text)
    }

    fn whole(&self) -> Option<Node> {
        let span = self.documents.first()?.span;
        Some(Node::new(span, Written::Sequence(self.documents.clone())))
    }

    fn get(&self, path: &[Step]) -> Option<&Node> {
        let Some((Step::Index(document), rest)) = path.split_first() else { return None };
        rest.iter().try_fold(self.documents.get(*document)?, |node, step| match step {
            Step::Key(key) => node.get(key),
            Step::Index(index) => node.items().get(*index),
        })
    }

    fn path_of(&self, start: usize, end: usize) -> Option<Vec<Step>> {
        self.documents.iter().enumerate().find_map(|(index, document)| {
            let mut path = vec![Step::Index(index)];
            path_within(document, &(start..end), &mut path).then_some(path)
        })
    }

    fn set(&mut self, path: &[Step], key: &str, value: &Json, after: &[&str]) -> Result<(), Error> {
        let mapping = self.mapping(path)?;
        let own: Vec<&Entry> = own_entries(mapping).filter(|entry| &*entry.key.name == key).collect();
        match own[..] {
            [] => self.insert(path, key, value, after),
            [entry] if meaning(&entry.value) == *value => Ok(()),
            [entry] => {
                let entry = entry.clone();
                let flow = self.is_flow(mapping);
                self.replace(&entry, flow, value)
            }
            _ => Err(Error::WrittenTwice(key.to_owned())),
        }
    }

    fn push(&mut self, path: &[Step], key: &str, item: &Json, after: &[&str]) -> Result<(), Error> {
        let mapping = self.mapping(path)?;
        if let Some(merged) = mapping.get(key).filter(|node| node.is_sequence())
            && !own_entries(mapping).any(|entry| &*entry.key.name == key)
        {
            // An own list hides the one that a merge key brings: it takes its items over.
            let items = merged.items().iter().map(meaning).chain([item.clone()]).collect();
            return self.insert(path, key, &Json::Array(items), after);
        }
        let sequence = match mapping.get(key) {
            Some(sequence) if sequence.is_sequence() && !sequence.items().is_empty() => sequence,
            Some(other) if !is_empty(other) => return Err(Error::Layout(key.to_owned())),
            _ => return self.set(path, key, &Json::Array(vec![item.clone()]), after),
        };
        let last = sequence.items().last().ok_or_else(|| Error::NoSuchValue(shown(path)))?;
        if self.is_flow(sequence) {
            let at = last.span.end as usize;
            let inserted = if self.starts_line(last.span) {
                format!(",{}{}{}", self.line_end(), self.indent_of(last.span), flow(item))
            } else {
                format!(", {}", flow(item))
            };
            return self.splice(at, at, &inserted);
        }
        let line_start = self.line_start(last.span.start as usize);
        let before = &self.text[line_start..last.span.start as usize];
        let dash = before.rfind('-').ok_or_else(|| Error::Layout(key.to_owned()))?;
        let indent = blanks(&before[..dash]);
        let rendered = self.block_item(item, indent.chars().count());
        let at = self.end_of_line(last.span);
        let inserted = format!("{}{indent}- {rendered}", self.line_end());
        self.splice(at, at, &inserted)
    }

    fn replace(&mut self, path: &[Step], value: &Json) -> Result<(), Error> {
        let node = self.get(path).ok_or_else(|| Error::NoSuchValue(shown(path)))?;
        let range = node.span.range();
        let written = &self.text[range.clone()];
        if range.is_empty() || written.contains('\n') || node.is_mapping() || node.is_sequence() || node.tag.is_some() {
            return Err(Error::Layout(shown(path)));
        }
        let rendered = in_quotes_of(written, value);
        self.splice(range.start, range.end, &rendered)
    }

    fn copied(&self) -> Box<dyn Document> {
        Box::new(self.clone())
    }

    /// A mapping in block style on lines of its own, of a text in which no alias leads elsewhere.
    fn part(&self, path: &[Step]) -> Option<Part> {
        let node = self.get(path).filter(|node| node.is_mapping() && node.tag.is_none())?;
        let first = node.entries().first()?.key.span;
        if self.unmarked.is_some() || !self.habits.is_nested || self.is_flow(node) || !self.starts_line(first) {
            return None;
        }
        let range = self.line_start(first.start as usize)..self.end_of_line(node.span);
        let line_end = self.line_end();
        let text = format!("{}{line_end}", &self.text[range.clone()]);
        let documents = documents(&text, self.dialect).ok().filter(|documents| documents.len() == 1)?;
        let habits = Arc::clone(&self.habits);
        let document = Box::new(Editor { text, unmarked: None, dialect: self.dialect, documents, habits });
        Some(Part { document, root: vec![Step::Index(0)], range, around: (0, line_end.len()) })
    }

    fn apply(&mut self, edits: &[Edit]) -> Result<(), Error> {
        if self.unmarked.is_some() && !edits.is_empty() {
            return Err(Error::Layout("a value with a template in it".to_owned()));
        }
        let text = applied(&self.text, edits)?;
        self.documents = documents(&text, self.dialect)?;
        self.text = text;
        Ok(())
    }

    fn remove(&mut self, path: &[Step]) -> Result<(), Error> {
        let missing = || Error::NoSuchValue(shown(path));
        let (last, parent_path) = path.split_last().ok_or_else(missing)?;
        let parent = self.get(parent_path).ok_or_else(missing)?;
        let (index, ranges) = children(parent, last).ok_or_else(missing)?;
        // What a merge key or an alias brings stands elsewhere.
        let own = parent.span.range();
        if ranges.iter().any(|range| !own.contains(&range.start)) && parent.is_mapping() {
            return Err(Error::Layout(shown(path)));
        }
        if self.is_flow(parent) {
            let range = without(&ranges, index);
            return self.splice(range.start, range.end, "");
        }
        if ranges.len() < 2 {
            return Err(Error::Layout(shown(path)));
        }
        let range = ranges[index].clone();
        let start = self.line_start(range.start);
        let before = &self.text[start..range.start];
        let alone = match last {
            Step::Key(_) => before.trim_matches([' ', '\u{feff}']).is_empty(),
            Step::Index(_) => before.trim() == "-",
        };
        if !alone {
            // The first entry stands behind the dash of its item: the next one takes its place.
            let next = ranges.get(index + 1).filter(|_| index == 0).ok_or_else(|| Error::Layout(shown(path)))?;
            let next = next.start;
            return self.splice(range.start, next, "");
        }
        let end = self.end_of_line(Span::new(FileId(0), range.start, range.end));
        let line_end = self.text[end..].find('\n').map_or(self.text.len(), |newline| end + newline + 1);
        self.splice(start, line_end, "")
    }
}

impl Editor {
    pub fn new(text: impl Into<String>, dialect: Dialect) -> Result<Self, Error> {
        let text = text.into();
        let documents = documents(&text, dialect)?;
        let habits = Habits::of(&text, &documents);
        Ok(Editor { text, unmarked: None, dialect, documents, habits })
    }

    /// A text with templates in the syntax of Go, which no edit touches.
    pub fn templated(text: &str, dialect: Dialect) -> Result<Self, Error> {
        let marked = placeholder::mark(FileId(0), text, placeholder::Around::Yaml).text;
        let documents = documents(&marked, dialect)?;
        let habits = Habits::of(&marked, &documents);
        Ok(Editor { text: marked, unmarked: Some(text.to_owned()), dialect, documents, habits })
    }

    pub fn into_text(self) -> String {
        self.unmarked.unwrap_or(self.text)
    }

    pub fn documents(&self) -> &[Node] {
        &self.documents
    }

    fn mapping(&self, path: &[Step]) -> Result<&Node, Error> {
        self.get(path).filter(|node| node.is_mapping()).ok_or_else(|| Error::NoSuchValue(shown(path)))
    }

    fn insert(&mut self, path: &[Step], key: &str, value: &Json, after: &[&str]) -> Result<(), Error> {
        let mapping = self.mapping(path)?;
        let neighbour = after
            .iter()
            .find_map(|name| own_entries(mapping).find(|entry| &*entry.key.name == *name))
            .or_else(|| own_entries(mapping).next());
        let Some(neighbour) = neighbour else {
            // `{}`: braces of its own, or the span of what an alias leads to.
            if !self.text[mapping.span.range()].starts_with('{') {
                return Err(Error::Layout(shown(path)));
            }
            let at = mapping.span.start as usize + 1;
            return self.splice(at, at, &format!("{}: {}", scalar(key), flow(value)));
        };
        if self.is_flow(mapping) {
            let at = neighbour.value.span.end as usize;
            let json = self.text[neighbour.key.span.range()].starts_with('"');
            let entry = if json {
                format!("{}: {value}", Json::from(key))
            } else {
                format!("{}: {}", scalar(key), flow(value))
            };
            let inserted = if self.starts_line(neighbour.key.span) {
                format!(",{}{}{entry}", self.line_end(), self.indent_of(neighbour.key.span))
            } else {
                format!(", {entry}")
            };
            return self.splice(at, at, &inserted);
        }
        // The first key of an item stands behind its dash: the column counts, not the line's indent.
        let column = self.column(neighbour.key.span);
        let at = self.end_of_line(neighbour.key.span.to(neighbour.value.span));
        let indent = " ".repeat(column);
        let inserted = format!("{}{indent}{}:{}", self.line_end(), scalar(key), self.block_value(value, column));
        self.splice(at, at, &inserted)
    }

    fn replace(&mut self, entry: &Entry, flow_style: bool, value: &Json) -> Result<(), Error> {
        let range = entry.value.span.range();
        if range.is_empty() {
            // `key:` without a value.
            let at = entry.key.span.end as usize;
            let colon = self.text[at..].find(':').map(|colon| at + colon + 1);
            let at = colon.ok_or_else(|| Error::Layout(entry.key.name.to_string()))?;
            let rendered = if flow_style {
                format!(" {}", flow(value))
            } else {
                self.block_value(value, self.column(entry.key.span))
            };
            return self.splice(at, at, &rendered);
        }
        let written = &self.text[range.clone()];
        if matches!(entry.value.written, Written::Mapping(_) | Written::Sequence(_)) && !is_empty(&entry.value) {
            // A comment in it would go with it; an alias leads to what others have too.
            let own = entry.key.span.end <= entry.value.span.start;
            if !own || written.contains('#') || matches!(value, Json::Array(_) | Json::Object(_)) {
                return Err(Error::Layout(entry.key.name.to_string()));
            }
            let start = self.text[..range.start].trim_end().len();
            let end = start + self.text[start..range.end].trim_end().len();
            return self.splice(start, end, &format!(" {}", flow(value)));
        }
        if written.contains('\n') {
            return Err(Error::Layout(entry.key.name.to_string()));
        }
        let structured = !flow_style && matches!(value, Json::Array(_) | Json::Object(_));
        if structured {
            let rendered = self.block_value(value, self.column(entry.key.span));
            let start = self.text[..range.start].trim_end_matches([' ', '\t']).len();
            return self.splice(start, range.end, &rendered);
        }
        let rendered = in_quotes_of(written, value);
        self.splice(range.start, range.end, &rendered)
    }

    fn splice(&mut self, start: usize, end: usize, inserted: &str) -> Result<(), Error> {
        let unmarked = self.unmarked.as_ref().map(|text| spliced_unmarked(text, start..end, inserted)).transpose()?;
        let text = spliced(&self.text, start..end, inserted);
        self.documents = documents(&text, self.dialect)?;
        (self.text, self.unmarked) = (text, unmarked);
        Ok(())
    }

    /// What follows `key:` in block style, with the blank or line end before it.
    fn block_value(&self, value: &Json, column: usize) -> String {
        match value {
            Json::Object(members) if !members.is_empty() && tagged(members).is_none() => {
                let inner = column + self.habits.unit;
                members.iter().map(|(key, value)| self.block_line(key, value, inner)).collect()
            }
            Json::Array(items) if items.iter().any(Json::is_object) || flow(value).len() > WIDEST_FLOW => {
                let dash = column + if self.habits.sequences_are_indented { self.habits.unit } else { 0 };
                items
                    .iter()
                    .map(|item| format!("{}{}- {}", self.line_end(), " ".repeat(dash), self.block_item(item, dash)))
                    .collect()
            }
            other => format!(" {}", flow(other)),
        }
    }

    fn block_line(&self, key: &str, value: &Json, column: usize) -> String {
        format!("{}{}{}:{}", self.line_end(), " ".repeat(column), scalar(key), self.block_value(value, column))
    }

    /// An item behind its dash, which stands at that column.
    fn block_item(&self, item: &Json, dash: usize) -> String {
        match item {
            Json::Object(members) if !members.is_empty() => {
                let column = dash + 2;
                let mut lines: String =
                    members.iter().map(|(key, value)| self.block_line(key, value, column)).collect();
                // The first key stands on the line of the dash.
                let lead = self.line_end().len() + column;
                lines.drain(..lead);
                lines
            }
            other => flow(other),
        }
    }
}

fn documents(text: &str, dialect: Dialect) -> Result<Vec<Node>, Error> {
    let yaml = read(FileId(0), text, dialect);
    match yaml.problems.into_iter().next() {
        Some(problem) => Err(Error::NotRead(problem.message)),
        None => Ok(yaml.documents),
    }
}

/// The entries that stand in the mapping itself: those that a merge key brings stand elsewhere.
fn own_entries(node: &Node) -> impl Iterator<Item = &Entry> {
    let range = node.span.range();
    node.entries().iter().filter(move |entry| range.contains(&(entry.key.span.start as usize)))
}

fn is_empty(node: &Node) -> bool {
    match &node.written {
        Written::Null => true,
        Written::Sequence(items) => items.is_empty(),
        Written::Mapping(entries) => entries.is_empty(),
        _ => false,
    }
}

fn blanks(text: &str) -> String {
    text.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edited(text: &str, edit: impl FnOnce(&mut Editor) -> Result<(), Error>) -> String {
        let mut editor = Editor::new(text, Dialect::Yaml11).expect("the text is YAML");
        edit(&mut editor).expect("the edit is possible");
        editor.into_text()
    }

    const TEMPLATE: &str = "Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: web   # the only one
          Image: !Sub \"${Repo}:1\"
          # ports of the load balancer
          PortMappings: [{ContainerPort: 80}]
";

    fn container() -> Vec<Step> {
        let mut path: Vec<Step> = vec![0.into()];
        path.extend(["Resources", "Task", "Properties", "ContainerDefinitions"].map(Step::from));
        path.push(0.into());
        path
    }

    #[test]
    fn an_entry_goes_after_its_neighbour_and_comments_stay() {
        let after = edited(TEMPLATE, |e| e.set(&container(), "ReadonlyRootFilesystem", &json!(true), &["Image"]));
        assert_eq!(after, TEMPLATE.replace(":1\"\n", ":1\"\n          ReadonlyRootFilesystem: true\n"));
        // Behind the comment on the neighbour's line.
        let after = edited(TEMPLATE, |e| e.set(&container(), "User", &json!("1000"), &["Name"]));
        assert_eq!(after, TEMPLATE.replace("only one\n", "only one\n          User: \"1000\"\n"));
    }

    #[test]
    fn nested_values_follow_the_indentation_of_the_text() {
        let tmpfs = json!([{"ContainerPath": "/tmp", "Size": 16, "MountOptions": ["noexec", "mode=1777"]}]);
        let after =
            edited(TEMPLATE, |e| e.set(&container(), "LinuxParameters", &json!({ "Tmpfs": tmpfs }), &["Image"]));
        let expected = ":1\"
          LinuxParameters:
            Tmpfs:
              - ContainerPath: /tmp
                Size: 16
                MountOptions: [noexec, mode=1777]
";
        assert_eq!(after, TEMPLATE.replace(":1\"\n", expected));
    }

    #[test]
    fn items_are_added_in_the_style_of_the_sequence() {
        let text = "volumes:\n- name: a\nlist: [x, y]\n";
        assert_eq!(
            edited(text, |e| e.push(&[0.into()], "volumes", &json!({"name": "b", "host": {}}), &[])),
            "volumes:\n- name: a\n- name: b\n  host: {}\nlist: [x, y]\n"
        );
        assert_eq!(
            edited(text, |e| e.push(&[0.into()], "list", &json!("z"), &[])),
            "volumes:\n- name: a\nlist: [x, y, z]\n"
        );
        assert_eq!(
            edited(text, |e| e.push(&[0.into()], "more", &json!({"a": 1}), &["volumes"])),
            "volumes:\n- name: a\nmore:\n- a: 1\nlist: [x, y]\n"
        );
    }

    #[test]
    fn values_are_replaced_with_their_quotes() {
        let text = "a: false # off\r\nb: 'x'\r\nc:\r\nd: {e: 1}\r\n";
        assert_eq!(edited(text, |e| e.set(&[0.into()], "a", &json!(true), &[])), text.replace("false", "true"));
        assert_eq!(edited(text, |e| e.set(&[0.into()], "b", &json!("y"), &[])), text.replace("'x'", "'y'"));
        assert_eq!(edited(text, |e| e.set(&[0.into()], "c", &json!(["z"]), &[])), text.replace("c:", "c: [z]"));
        assert_eq!(
            edited(text, |e| e.set(&[0.into(), "d".into()], "f", &json!(2), &[])),
            text.replace("{e: 1}", "{e: 1, f: 2}")
        );
    }

    #[test]
    fn entries_of_a_merge_key_are_not_touched() {
        let text = "x: &x\n  a: 1\ny:\n  <<: *x\n  b: 2\n";
        assert_eq!(
            edited(text, |e| e.set(&[0.into(), "y".into()], "a", &json!(3), &["b"])),
            "x: &x\n  a: 1\ny:\n  <<: *x\n  b: 2\n  a: 3\n"
        );
    }

    #[test]
    fn words_that_yaml_takes_for_something_else_are_quoted() {
        for (text, written) in [
            ("noexec", "noexec"),
            ("mode=1777", "mode=1777"),
            ("/var/lib/x-y", "/var/lib/x-y"),
            ("yes", "\"yes\""),
            ("0", "\"0\""),
            ("1:2", "\"1:2\""),
            ("a: b", "\"a: b\""),
            (".5", "\".5\""),
            ("", "\"\""),
        ] {
            assert_eq!(scalar(text), written);
        }
    }

    #[test]
    fn a_node_is_found_by_its_place() {
        let editor = Editor::new(TEMPLATE, Dialect::Yaml11).expect("YAML");
        let node = editor.get(&container()).expect("the container");
        let range = node.span.range();
        assert_eq!(editor.path_of(range.start, range.end), Some(container()));
    }

    #[test]
    fn tagged_values_keep_their_tag() {
        let value = json!({ "!Sub": "${Repo}:1" });
        let after = edited(TEMPLATE, |e| e.set(&container(), "Other", &value, &["Image"]));
        assert!(after.contains("          Other: !Sub \"${Repo}:1\"\n"), "{after}");
    }

    #[test]
    fn a_scalar_takes_the_place_of_a_structure_without_comments() {
        for (before, after) in [
            ("a:\n  x: !If [C, true, false]\n  y: 1\n", "a:\n  x: true\n  y: 1\n"),
            ("a:\n  x:\n    Fn::If:\n      - C\n      - true\n  # of y\n  y: 1\n", "a:\n  x: true\n  # of y\n  y: 1\n"),
            ("a:\n  x:\n    !If\n    - C\n    - true\n", "a:\n  x: true\n"),
            ("a: {x: {Ref: P}, y: 1}\n", "a: {x: true, y: 1}\n"),
        ] {
            let set = |e: &mut Editor| e.set(&[0.into(), "a".into()], "x", &json!(true), &[]);
            assert_eq!(edited(before, set), after);
        }
        for kept in ["a:\n  x:\n    - 1 # one\n    - 2\n", "b: &b\n  - 1\na:\n  x: *b\n"] {
            let mut editor = Editor::new(kept, Dialect::Yaml11).expect("YAML");
            let refused = editor.set(&[0.into(), "a".into()], "x", &json!(true), &[]);
            assert_eq!((refused, editor.text()), (Err(Error::Layout("x".to_owned())), kept));
        }
    }

    #[test]
    fn a_layout_that_cannot_be_followed_is_refused() {
        let mut editor = Editor::new("a: |\n  text\n", Dialect::Yaml11).expect("YAML");
        assert!(matches!(editor.set(&[0.into()], "a", &json!(1), &[]), Err(Error::Layout(_))));
    }
}
