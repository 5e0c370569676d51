//! What the evaluator makes of expressions, one line each, and what whole folders declare.

mod declared;
mod differential;
mod expressions;
mod hostile;
mod table;

use std::collections::BTreeMap;
use std::sync::Mutex;

use tojimari_text::{FileId, Sources};

use super::module::{Evaluator, clean};
use super::value::{V, Val};
use super::{Read, read};
use crate::Files;
use tojimari_model::value::Part;

/// Files in memory, by their path.
struct Folder<'a> {
    sources: &'a Sources,
    files: BTreeMap<String, String>,
    loaded: Mutex<BTreeMap<String, FileId>>,
}

impl<'a> Folder<'a> {
    fn new(sources: &'a Sources, files: &[(&str, &str)]) -> Folder<'a> {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Folder { sources, files, loaded: Mutex::default() }
    }

    /// The configurations directly in a folder.
    fn configurations(&self, folder: &str) -> Vec<FileId> {
        let names = self.list(folder);
        let path = |name: &String| if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let configurations = names.iter().filter(|name| super::is_configuration(name));
        configurations.map(|name| self.load(&path(name)).expect("it was listed")).collect()
    }
}

impl Files for Folder<'_> {
    fn load(&self, path: &str) -> Result<FileId, String> {
        let path = clean(path);
        if path.starts_with("../") || path.starts_with('/') {
            return Err(format!("{path} lies outside the folder that is checked"));
        }
        let mut loaded = self.loaded.lock().expect("no other thread failed");
        if let Some(file) = loaded.get(&path) {
            return Ok(*file);
        }
        let text = self.files.get(&path).ok_or_else(|| format!("{path} does not exist"))?;
        let file = self.sources.add(path.clone(), text.clone());
        loaded.insert(path, file);
        Ok(file)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let prefix = match clean(folder).as_str() {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let below = self.files.keys().filter_map(|name| name.strip_prefix(&*prefix));
        below.filter(|name| !name.contains('/')).map(str::to_owned).collect()
    }
}

/// A value in a few characters.
fn shown(value: &Val) -> String {
    match &value.kind {
        V::Null => "null".to_owned(),
        V::Bool(b) => b.to_string(),
        V::Number(number) => number.to_string(),
        V::Text(text) => match (text.as_json(), text.known()) {
            (Some(inner), None) => format!("json({})", shown(inner)),
            (_, Some(known)) => format!("{known:?}"),
            (None, None) => {
                let parts = text.parts(value.span);
                let parts = parts.iter().map(|part| match part {
                    Part::Known(text) => format!("{text:?}"),
                    Part::Unknown(reason) => format!("?{reason}"),
                });
                format!("({})", parts.collect::<Vec<_>>().join(" + "))
            }
        },
        V::List(list) => {
            let mut items: Vec<String> = list.items.iter().map(shown).collect();
            items.extend(list.rest.iter().map(|reason| format!("...{reason}")));
            format!(
                "{}[{}]",
                if list.shape == crate::terraform::value::Shape::Set { "set" } else { "" },
                items.join(", ")
            )
        }
        V::Map(map) => {
            let entries = map.entries.iter().map(|entry| format!("{}: {}", entry.key, shown(&entry.value)));
            let mut entries: Vec<String> = entries.collect();
            entries.extend(map.rest.iter().map(|reason| format!("...{reason}")));
            format!("{{{}}}", entries.join(", "))
        }
        V::Unknown(unknown) => format!("?{}", unknown.reason),
        V::Choice(choice) => {
            format!("if <{}> {} else {}", choice.condition, shown(&choice.then), shown(&choice.otherwise))
        }
        V::Error(reason) => format!("!{reason}"),
        V::Absent => "nothing".to_owned(),
        V::Resource(instance) => format!("<{}>", instance.address),
        V::Module(_) => "<module>".to_owned(),
    }
}

/// What an expression evaluates to beside these files.
fn evaluated(files: &[(&str, &str)], expression: &str) -> String {
    let sources = Sources::new();
    let text = format!("locals {{\n  it = {expression}\n}}\n");
    let all: Vec<(&str, &str)> = files.iter().copied().chain([("it.tf", &*text)]).collect();
    let folder = Folder::new(&sources, &all);
    let mut evaluator = Evaluator::new(&sources, &folder);
    let configurations = folder.configurations("");
    let config = evaluator.config("", &configurations);
    assert!(evaluator.problems.is_empty(), "{expression}: {:?}", evaluator.problems);
    evaluator.root_module(config, std::collections::HashMap::new());
    evaluator.load_values("");
    let file = *configurations.last().expect("it.tf");
    shown(&evaluator.local(0, &"it".into(), tojimari_text::Span::new(file, 0, 0)))
}

/// What a folder declares, with its problems.
fn read_folder(sources: &Sources, files: &[(&str, &str)], folder: &str) -> Read {
    let loader = Folder::new(sources, files);
    let configurations = loader.configurations(folder);
    read(&configurations, sources, &loader)
}
