//! `tojimari.toml`: what a house asks for and accepts. Every mistake in it is a problem with a place,
//! and what is right in it holds all the same.

#[cfg(feature = "schema")]
mod shape;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use tojimari_controls::waiver::{Patterns, Scope, Waiver};
use tojimari_controls::{Custom, Expression, On, Settings};
use tojimari_model::finding::Severity;
use tojimari_text::{FileId, Problem, Sources, Span};

#[cfg(feature = "schema")]
pub use shape::Shape;
use table::{Item, Reader, Table, Value};

pub const NAME: &str = "tojimari.toml";

#[derive(Default)]
pub struct Config {
    /// The folder that it lies in, without links; `None` without a configuration.
    pub folder: Option<PathBuf>,
    pub settings: Settings,
    pub pass_over: Vec<GlobMatcher>,
    /// By the id of the control.
    pub severities: Vec<(String, Severity)>,
    pub waivers: Vec<Waiver>,
    pub rules: Vec<Arc<Custom>>,
    pub problems: Vec<Problem>,
}

impl Config {
    /// The one that is nearest to the path: beside it or in a folder above, up to the git work tree
    /// that it lies in; without one up to the working folder.
    pub fn find(path: &Path) -> Option<PathBuf> {
        let path = if path == Path::new("-") { Path::new(".") } else { path };
        let path = std::fs::canonicalize(path).ok()?;
        let folder = if path.is_dir() { &*path } else { path.parent()? };
        let current = std::env::current_dir().and_then(std::fs::canonicalize).ok();
        let has_work_tree = folder.ancestors().any(|folder| folder.join(".git").exists());
        for folder in folder.ancestors() {
            let file = folder.join(NAME);
            if file.is_file() {
                return Some(file);
            }
            let last = match has_work_tree {
                true => folder.join(".git").exists(),
                false => current.as_deref() == Some(folder),
            };
            if last {
                break;
            }
        }
        None
    }

    /// Reads a configuration that was added to the sources.
    pub fn read(path: &Path, file: FileId, sources: &Sources) -> Config {
        let folder = path.parent().and_then(|folder| std::fs::canonicalize(folder).ok());
        let mut config = Config { folder, ..Config::default() };
        let source = sources.get(file);
        let mut reader = Reader::new(file, &source.text);
        let root = reader.parse();
        config.root(root, &mut reader);
        config.problems = reader.problems;
        config
    }

    fn root(&mut self, mut root: Table, reader: &mut Reader<'_>) {
        self.pass_over = reader.strings(&mut root, "pass-over").into_iter().filter_map(|i| reader.glob(i)).collect();
        self.settings.required_tags = words(reader.strings(&mut root, "required-tags"));
        self.settings.kms_keys = words(reader.strings(&mut root, "kms-keys"));
        for mut table in reader.tables(&mut root, "rule") {
            if let Some(rule) = self.rule(&mut table, reader) {
                self.rules.push(Arc::new(rule));
            }
            reader.unexpected(table);
        }
        if let Some(table) = reader.table(&mut root, "severity") {
            for (name, item) in table.members {
                let id = self.control(&name.value, name.span, reader);
                let severity = reader.severity(item);
                self.severities.extend(id.zip(severity));
            }
        }
        for mut table in reader.tables(&mut root, "waiver") {
            if let Some(waiver) = self.waiver(&mut table, reader) {
                self.waivers.push(waiver);
            }
            reader.unexpected(table);
        }
        reader.unexpected(root);
    }

    /// The id of a control or rule by its id or name.
    pub fn id_of(&self, name: &str) -> Option<String> {
        let own = self.rules.iter().find(|rule| rule.id.eq_ignore_ascii_case(name)).map(|rule| rule.id.to_string());
        own.or_else(|| tojimari_controls::find(name).map(|control| control.id.to_owned()))
    }

    fn control(&self, name: &str, span: Span, reader: &mut Reader<'_>) -> Option<String> {
        let id = self.id_of(name);
        if id.is_none() {
            reader.problem(span, format!("there is no control {name}"));
        }
        id
    }

    fn waiver(&self, table: &mut Table, reader: &mut Reader<'_>) -> Option<Waiver> {
        let span = table.span;
        let control = reader.required_string(table, "control");
        let path = reader.string(table, "path").map(|item| reader.glob(item));
        let resource = reader.string(table, "resource").map(|item| reader.glob(item));
        let container = reader.string(table, "container").map(|item| reader.glob(item));
        let reason = reader.string(table, "reason").map(|item| item.value);
        let until = reader.date(table, "until");
        // A pattern or a day that is wrong must not widen the waiver.
        let wrong = |pattern: &Option<Option<GlobMatcher>>| matches!(pattern, Some(None));
        if wrong(&path) || wrong(&resource) || wrong(&container) || matches!(until, Some(None)) {
            return None;
        }
        let control = control?;
        let controls = vec![self.control(&control.value, control.span, reader)?];
        let scope = Patterns { path: path.flatten(), resource: resource.flatten(), container: container.flatten() };
        let scope = Scope::Patterns(Box::new(scope));
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        Some(Waiver { controls, scope, reason, until: until.flatten(), span })
    }

    fn rule(&self, table: &mut Table, reader: &mut Reader<'_>) -> Option<Custom> {
        let id = reader.required_string(table, "id");
        let message = reader.required_string(table, "message");
        let severity = reader.take(table, "severity").map(|item| reader.severity(item));
        let on = reader.string(table, "on");
        let remedy = reader.string(table, "remedy").map(|item| item.value);
        let fails_when = reader.required_string(table, "fails-when");
        let (id, message, fails_when) = (id?, message?, fails_when?);
        let shape = |id: &str| id.contains('.') && !id.contains(|c: char| c.is_whitespace() || c == ',');
        if !shape(&id.value) {
            reader.problem(id.span, format!("`{}` is no id such as ACME.1", id.value));
            return None;
        }
        if self.id_of(&id.value).is_some() {
            reader.problem(id.span, format!("there is a {} already", id.value));
            return None;
        }
        let on = match on {
            None => On::Container,
            Some(item) => match On::named(&item.value) {
                Some(on) => on,
                None => {
                    let all: Vec<String> = On::ALL.iter().map(|on| format!("\"{on}\"")).collect();
                    reader.problem(item.span, format!("`on` must be one of {}", all.join(", ")));
                    return None;
                }
            },
        };
        let expression = match Expression::new(&fails_when.value, on, fails_when.span) {
            Ok(expression) => expression,
            Err(wrong) => {
                let span = reader.within(&fails_when, wrong.at);
                reader.problem(span, wrong.message);
                return None;
            }
        };
        let severity = severity.unwrap_or(Some(Severity::Medium))?;
        Some(Custom { id: Arc::from(id.value), severity, message: message.value, remedy, on, expression })
    }

    /// The name of a file relative to the folder of the configuration; `None` outside of it.
    pub fn relative(&self, name: &str) -> Option<String> {
        let path = crate::input::normal(Path::new(name));
        let folder = self.folder.as_deref()?;
        // The name may lead through a link to where the configuration lies.
        let inside = path.strip_prefix(folder).map(Path::to_owned).ok();
        let inside =
            inside.or_else(|| std::fs::canonicalize(&path).ok()?.strip_prefix(folder).map(Path::to_owned).ok());
        Some(inside?.to_string_lossy().into_owned())
    }

    pub fn passes_over(&self, path: &Path) -> bool {
        !self.pass_over.is_empty()
            && self.relative(&path.to_string_lossy()).is_some_and(|name| {
                // A folder stands for everything in it.
                Path::new(&name).ancestors().any(|part| self.pass_over.iter().any(|glob| glob.is_match(part)))
            })
    }
}

fn words(items: Vec<Item<String>>) -> Vec<String> {
    items.into_iter().map(|item| item.value).collect()
}

impl Reader<'_> {
    /// `*` stays within a folder, `**` does not; a slash at the end says that it is a folder.
    fn glob(&mut self, item: Item<String>) -> Option<GlobMatcher> {
        let pattern = item.value.trim_end_matches('/').trim_start_matches("./");
        match GlobBuilder::new(pattern).literal_separator(true).build() {
            Ok(glob) => Some(glob.compile_matcher()),
            Err(error) => {
                self.problem(item.span, format!("not a pattern: {}", error.kind()));
                None
            }
        }
    }

    fn severity(&mut self, item: Item<Value>) -> Option<Severity> {
        let name = match &item.value {
            Value::String(name) => name.as_str(),
            _ => "",
        };
        let named = match name {
            "low" => Some(Severity::Low),
            "medium" => Some(Severity::Medium),
            "high" => Some(Severity::High),
            "critical" => Some(Severity::Critical),
            _ => None,
        };
        if named.is_none() {
            self.problem(item.span, "a severity is \"low\", \"medium\", \"high\" or \"critical\"".to_owned());
        }
        named
    }
}

#[cfg(all(test, feature = "schema"))]
mod tests {
    use super::*;

    /// The names that the reader takes out of a table, as it says them.
    fn asked(text: &str) -> Vec<String> {
        let sources = Sources::new();
        let file = sources.add(NAME, text);
        let config = Config::read(Path::new(NAME), file, &sources);
        let said =
            config.problems.iter().find_map(|problem| problem.message.split_once("there is no `nothing` here, but "));
        let (_, names) = said.unwrap_or_else(|| panic!("{:?}", config.problems));
        names.split(", ").map(str::to_owned).collect()
    }

    #[test]
    fn the_schema_has_the_names_that_are_read() {
        let schema = schemars::schema_for!(Shape).to_value();
        let properties = |route: &str| {
            let mut names: Vec<String> =
                schema.pointer(route).and_then(|o| o.as_object()).expect(route).keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(asked("nothing = 1"), properties("/properties"));
        assert_eq!(asked("[[waiver]]\nnothing = 1"), properties("/$defs/WaiverShape/properties"));
        assert_eq!(asked("[[rule]]\nnothing = 1"), properties("/$defs/RuleShape/properties"));
        let on: Vec<String> = On::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(schema["$defs"]["OnShape"]["enum"], serde_json::json!(on));
    }
}
