//! What is written, and how it is made sure that nothing else is: every write says which way it
//! touches, and what differs afterwards must lie on one of these. What is written within one resource
//! is written and compared there, without the rest of its file.

use std::cell::Cell;
use std::collections::HashMap;

use serde_json::{Value as Json, json};
use tojimari_read::Format;
use tojimari_text::edit::json::Editor as JsonEditor;
use tojimari_text::edit::yaml::Editor as YamlEditor;
use tojimari_text::edit::{Document, Edit, Error as EditError, Step, differences, meaning};
use tojimari_text::yaml::Dialect;
use tojimari_text::{Node, Span, placeholder};

use super::Error;

type Run<'a> = Box<dyn Fn(&mut Pen<'_>) -> Result<(), Error> + 'a>;

/// Something to write. It holds the ways to where it goes: edits move places, and leave ways.
pub(super) struct Job<'a> {
    /// The way to what it is about.
    way: Vec<Step>,
    run: Run<'a>,
}

impl<'a> Job<'a> {
    pub fn new(way: &[Step], run: impl Fn(&mut Pen<'_>) -> Result<(), Error> + 'a) -> Job<'a> {
        Job { way: way.to_vec(), run: Box::new(run) }
    }
}

/// Writes into a document, or into a part of one, and remembers where. All ways are those of the
/// whole document.
pub(super) struct Pen<'d> {
    document: &'d mut dyn Document,
    /// The way to the part, and what that is in the document of the part.
    room: &'d [Step],
    root: &'d [Step],
    touched: Vec<Vec<Step>>,
    /// Something was looked for outside of the part.
    strayed: Cell<bool>,
}

impl<'d> Pen<'d> {
    fn new(document: &'d mut dyn Document, room: &'d [Step], root: &'d [Step]) -> Pen<'d> {
        Pen { document, room, root, touched: Vec::new(), strayed: Cell::new(false) }
    }

    /// A way of the whole document as one of the document that is written into.
    fn inner(&self, path: &[Step]) -> Option<Vec<Step>> {
        let rest = path.strip_prefix(self.room);
        if rest.is_none() {
            self.strayed.set(true);
        }
        Some([self.root, rest?].concat())
    }

    fn within(&self, path: &[Step]) -> Result<Vec<Step>, Error> {
        self.inner(path).ok_or(Error::NoSuchPlace)
    }

    pub fn get(&self, path: &[Step]) -> Option<&Node> {
        self.document.get(&self.inner(path)?)
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
        Ok(self.document.set(&self.within(path)?, key, &value, after)?)
    }

    pub fn push(&mut self, path: &[Step], key: &str, item: Json, after: &[&str]) -> Result<(), Error> {
        self.is_written_out(&[path, &[Step::from(key)]].concat(), || json!([item]))?;
        self.touched.push([path, &[Step::from(key)]].concat());
        // Two that share a list by an anchor are to get the same: once is enough.
        if self.member(path, key).is_some_and(|list| list.items().iter().any(|given| meaning(given) == item)) {
            return Ok(());
        }
        Ok(self.document.push(&self.within(path)?, key, &item, after)?)
    }

    /// Adds an item to a list of which only that item may differ afterwards.
    pub fn push_only(&mut self, path: &[Step], key: &str, item: Json) -> Result<(), Error> {
        let at = self.member(path, key).map_or(0, |list| list.items().len());
        self.touched.push([path, &[Step::from(key), Step::Index(at)]].concat());
        Ok(self.document.push(&self.within(path)?, key, &item, &[])?)
    }

    /// Adds an item to the list at `path`.
    pub fn append(&mut self, path: &[Step], item: Json) -> Result<(), Error> {
        let at = self.get(path).map_or(0, |list| list.items().len());
        self.touched.push([path, &[Step::Index(at)]].concat());
        Ok(self.document.append(&self.within(path)?, &item)?)
    }

    /// Adds a block of Terraform's to the body at `path`.
    pub fn push_block(&mut self, path: &[Step], kind: &str, members: &Json) -> Result<(), Error> {
        let at = self.member(path, kind).map(|blocks| blocks.items().len());
        let step = at.map(Step::Index);
        self.touched.push([path, &[Step::from(kind)], step.as_slice()].concat());
        Ok(self.document.push_block(&self.within(path)?, kind, members)?)
    }

    /// Whether what lies on the way is written out: a function of CloudFormation that gives an object
    /// or a list is no place to put members or items into.
    fn is_written_out(&self, path: &[Step], new: impl Fn() -> Json) -> Result<(), Error> {
        for end in self.room.len().max(1)..=path.len() {
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
        Ok(self.document.replace(&self.within(path)?, &value)?)
    }

    /// Takes a member out of an object, or an item out of a list.
    pub fn remove(&mut self, path: &[Step]) -> Result<(), Error> {
        // Items behind the one that goes move up.
        let moved = matches!(path.last(), Some(Step::Index(_)));
        self.touched.push(path[..path.len() - usize::from(moved)].to_vec());
        Ok(self.document.remove(&self.within(path)?)?)
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

/// How far it is looked at what edits come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// The whole text is read again.
    Whole,
    /// Parts that were edited by themselves are compared by themselves.
    Parts,
}

/// What jobs come to.
#[derive(Default)]
pub(super) struct Done {
    /// Sorted; none where nothing changes.
    pub edits: Vec<Edit>,
    /// What else changes because it shares an anchor.
    pub notes: Vec<String>,
}

/// Does all jobs, or says why not.
pub(super) fn carry_out(document: &dyn Document, jobs: &[Job<'_>], check: Check) -> Result<Done, Error> {
    let mut rooms: Vec<(&[Step], Vec<&Job<'_>>)> = Vec::new();
    let mut known: HashMap<&[Step], usize> = HashMap::new();
    let mut left: Vec<&Job<'_>> = Vec::new();
    for job in jobs {
        let Some(room) = room_of(&job.way) else {
            left.push(job);
            continue;
        };
        let at = *known.entry(room).or_insert(rooms.len());
        if at == rooms.len() {
            rooms.push((room, Vec::new()));
        }
        rooms[at].1.push(job);
    }
    let (mut edits, mut touched) = (Vec::new(), Vec::new());
    for (room, jobs) in rooms {
        match in_room(document, room, &jobs)? {
            Some((edit, ways)) => {
                edits.extend(edit);
                touched.extend(ways);
            }
            None => left.extend(jobs),
        }
    }
    edits.sort_by_key(|edit| edit.range.start);
    if left.is_empty() && check == Check::Parts {
        return Ok(Done { edits, notes: Vec::new() });
    }
    let before = document.whole().ok_or(Error::NoSuchPlace)?;
    let mut whole = document.copied();
    if !edits.is_empty() {
        whole.apply(&edits)?;
    }
    let mut pen = Pen::new(&mut *whole, &[], &[]);
    for job in &left {
        (job.run)(&mut pen)?;
    }
    touched.append(&mut pen.touched);
    let notes = compared(&before, &whole.whole().ok_or(Error::NoSuchPlace)?, &touched)?;
    if !left.is_empty() {
        let (old, new) = (document.text(), whole.text());
        let changes = old != new;
        edits = changes.then(|| Edit { range: 0..old.len(), new: new.to_owned() }).into_iter().collect();
    }
    Ok(Done { edits, notes })
}

/// What differs in meaning must lie on a way that was touched, or share an anchor with it: that comes
/// back in words.
fn compared(before: &Node, after: &Node, touched: &[Vec<Step>]) -> Result<Vec<String>, Error> {
    let mut shared = Vec::new();
    let meant: HashMap<&[Step], ()> = touched.iter().map(|way| (&way[..], ())).collect();
    for difference in differences(before, after) {
        if (0..=difference.len()).any(|end| meant.contains_key(&difference[..end])) {
            continue;
        }
        if !is_shared(after, &difference, touched) {
            return Err(Error::OtherMeaning);
        }
        shared.push(format!("{} changes too: it shares an anchor with what is changed", shown(&difference)));
    }
    shared.sort();
    shared.dedup();
    Ok(shared)
}

/// The way to the resource, the service or the block that a way leads into.
fn room_of(way: &[Step]) -> Option<&[Step]> {
    let stream = usize::from(matches!(way.first(), Some(Step::Index(_))));
    match &way[stream..] {
        [Step::Key(list), Step::Key(_), ..] if list == "Resources" || list == "services" => Some(&way[..stream + 2]),
        // A block of Terraform's with its labels, or without.
        [Step::Key(kind), Step::Index(_), ..] if stream == 0 && (kind.contains(' ') || kind == "locals") => {
            Some(&way[..2])
        }
        _ => None,
    }
}

/// What jobs come to in one part of a document, and the ways that they touch. None where it is not
/// certain that all of it stays in there: then the whole document is needed.
#[allow(clippy::type_complexity, reason = "the two are taken apart at once")]
fn in_room(
    document: &dyn Document,
    room: &[Step],
    jobs: &[&Job<'_>],
) -> Result<Option<(Option<Edit>, Vec<Vec<Step>>)>, Error> {
    let Some(part) = document.part(room) else { return Ok(None) };
    let mut edited = part.document.copied();
    let mut pen = Pen::new(&mut *edited, room, &part.root);
    for job in jobs {
        match (job.run)(&mut pen) {
            _ if pen.strayed.get() => return Ok(None),
            Err(Error::Edit(EditError::NotRead(_))) => return Ok(None),
            done => done?,
        }
    }
    let touched = pen.touched;
    let (Some(before), Some(after)) = (part.document.whole(), edited.whole()) else { return Ok(None) };
    let is_meant = |difference: &[Step]| {
        let rest = difference.strip_prefix(&*part.root).map(|rest| [room, rest].concat());
        rest.is_some_and(|way| touched.iter().any(|touched| way.starts_with(touched)))
    };
    if !differences(&before, &after).iter().all(|difference| is_meant(difference)) {
        return Ok(None);
    }
    let Some(new) = part.text(&*edited) else { return Ok(None) };
    let changes = document.text().get(part.range.clone()) != Some(new);
    let edit = changes.then(|| Edit { range: part.range.clone(), new: new.to_owned() });
    Ok(Some((edit, touched)))
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
