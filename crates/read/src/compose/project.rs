//! The files of a Compose project brought together: the file and what is laid over it, what it
//! includes, and what its services extend.

use std::collections::HashSet;

use tojimari_text::yaml::Dialect;
use tojimari_text::{FileId, Node, Problem, Sources, Span, yaml};

use super::interpolate::Variables;
use super::merge::{merged, settled, value};
use super::{DEFAULT, service};
use crate::{Files, Read, Resources, beside};
use tojimari_model::declared::{Declared, TaskDefinition, TaskKind};
use tojimari_model::value::{Kind, Member, Reason, Value};

/// Files that include files, and services that extend services.
const MAX_CHAIN: usize = 16;

/// Files that one project may consist of.
const MAX_FILES: usize = 200;

struct Project<'p> {
    sources: &'p Sources,
    files: &'p dyn Files,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    claimed: Vec<FileId>,
    loaded: usize,
    services: Vec<Member>,
    volumes: Value,
}

/// Services that are named where many are passed over.
const MAX_NAMED: usize = 5;

/// Files that `COMPOSE_FILE` may list.
const MAX_LISTED: usize = 100;

/// A file of the project, and what its variables are.
struct File<'f> {
    name: &'f str,
    root: &'f Node,
    variables: &'f Variables,
}

/// Reads one project from its files, each laid over those before it.
pub fn read(project_files: &[FileId], sources: &Sources, files: &dyn Files) -> Read {
    let Some(first) = project_files.first() else { return Read::default() };
    let empty = Value::new(Span::new(*first, 0, 0), Kind::Map(Vec::new(), None));
    let mut project = Project {
        sources,
        files,
        problems: Vec::new(),
        warnings: Vec::new(),
        claimed: Vec::new(),
        loaded: 0,
        services: Vec::new(),
        volumes: empty,
    };
    let name = sources.get(*first).name.clone();
    let variables = project.variables(&beside(&name, ".env"));
    let listed = project.listed(&name, *first, &variables);
    let project_files = listed.as_deref().unwrap_or(project_files);
    let mut trees: Vec<(String, Node)> = Vec::new();
    for file in project_files {
        trees.extend(project.trees(*file, project_files.len() == 1));
    }
    // A file that only changes services of another is read over that other.
    let only = match project_files {
        [single] => project.base(*single, &mut trees),
        _ => None,
    };
    for (name, root) in &trees {
        project.lay(&File { name, root, variables: &variables }, 0);
    }
    project.finish(only.as_ref())
}

impl Project<'_> {
    fn variables(&self, path: &str) -> Variables {
        let mut variables = Variables::default();
        if let Ok(file) = self.files.load(path) {
            variables.read(&self.sources.get(file).text);
        }
        variables
    }

    /// The files that `COMPOSE_FILE` in `.env` makes the project of, where this one is the first of
    /// them. What they say on their own does not count.
    fn listed(&mut self, name: &str, first: FileId, variables: &Variables) -> Option<Vec<FileId>> {
        let env = beside(name, ".env");
        let list = variables.plain("COMPOSE_FILE")?;
        let separator = variables.plain("COMPOSE_PATH_SEPARATOR").filter(|text| !text.is_empty());
        let mut paths = list.split(separator.as_deref().unwrap_or(":")).map(|path| beside(&env, path.trim()));
        if paths.next()? != beside(&env, name.rsplit('/').next()?) {
            return None;
        }
        let mut listed = vec![first];
        for path in paths.take(MAX_LISTED) {
            match self.files.load(&path) {
                Ok(file) => {
                    self.claimed.push(file);
                    listed.push(file);
                }
                Err(why) => {
                    let message = format!("cannot read a file of the project that .env lists: {why}");
                    self.problems.push(Problem { span: Span::new(first, 0, 0), message });
                }
            }
        }
        Some(listed)
    }

    /// The documents of a file. Alone, those that are no Compose file are passed over.
    fn trees(&mut self, file: FileId, alone: bool) -> Vec<(String, Node)> {
        let source = self.sources.get(file);
        let (documents, problems) = if super::super::looks_like_json(&source.text) {
            let (tree, problems) = tojimari_text::json::parse(file, &source.text);
            (tree.into_iter().collect(), problems)
        } else {
            let read = yaml::read(file, &source.text, Dialect::Yaml12);
            (read.documents, read.problems)
        };
        let documents: Vec<(String, Node)> = documents
            .into_iter()
            .filter(|root| !alone || super::is_project(root, &source.name))
            .map(|root| (source.name.clone(), root))
            .collect();
        if !documents.is_empty() || crate::is_named(&source.name, &["yaml", "yml", "json"]) {
            self.problems.extend(problems);
        }
        documents
    }

    /// Puts the project's main file before a file whose services say neither what they run nor
    /// what they extend. Returns the services that are judged, where these are not all.
    /// Without a main file those that cannot run by themselves are of a project that is not here.
    fn base(&mut self, file: FileId, trees: &mut Vec<(String, Node)>) -> Option<HashSet<Box<str>>> {
        let whole = |service: &Node| {
            !service.is_mapping() || ["image", "build", "extends"].iter().any(|key| service.get(key).is_some())
        };
        let named: Vec<&tojimari_text::Entry> =
            trees.iter().filter_map(|(_, root)| root.get("services")).flat_map(Node::entries).collect();
        if named.is_empty() || named.iter().all(|entry| whole(&entry.value)) {
            return None;
        }
        let names: HashSet<Box<str>> = named.iter().map(|entry| entry.key.name.clone()).collect();
        let own = self.sources.get(file).name.clone();
        for default in DEFAULT {
            let path = beside(&own, default);
            let Some(base) = self.files.load(&path).ok().filter(|base| *base != file) else { continue };
            if self.sources.get(base).name == own {
                continue;
            }
            let source = self.sources.get(base);
            let documents = yaml::read(base, &source.text, Dialect::Yaml12).documents;
            let has_one = |root: &Node| {
                root.get("services").is_some_and(|all| all.entries().iter().any(|e| names.contains(&e.key.name)))
            };
            if documents.iter().any(has_one) {
                trees.splice(0..0, documents.into_iter().map(|root| (source.name.clone(), root)));
                return Some(names);
            }
        }
        // What another file includes may run them.
        if trees.iter().any(|(_, root)| root.get("include").is_some()) {
            return None;
        }
        let (whole, parts): (Vec<&tojimari_text::Entry>, Vec<&tojimari_text::Entry>) =
            named.iter().copied().partition(|entry| whole(&entry.value));
        let names: Vec<&str> = parts.iter().map(|entry| &*entry.key.name).take(MAX_NAMED).collect();
        let (services, say) = if parts.len() == 1 { ("service", "says") } else { ("services", "say") };
        let message = format!(
            "the {services} {} {say} neither what to run nor what to build, so this file is laid over another, which is \
             not beside it: they are not judged",
            names.join(", ")
        );
        self.warnings.push(Problem { span: parts[0].key.span, message });
        Some(whole.into_iter().map(|entry| entry.key.name.clone()).collect())
    }

    /// Lays one file over the project.
    fn lay(&mut self, file: &File<'_>, depth: usize) {
        if let Some(includes) = file.root.get("include") {
            for include in includes.items() {
                self.include(file, include, depth);
            }
        }
        if let Some(volumes) = file.root.get("volumes") {
            let empty = Value::new(self.volumes.span, Kind::Null);
            let base = std::mem::replace(&mut self.volumes, empty);
            self.volumes = merged(base, value(volumes, "", file.variables), "");
        }
        let services = file.root.get("services");
        for entry in services.map(Node::entries).unwrap_or_default() {
            if !entry.value.is_mapping() && entry.value.tag.is_none() {
                let message = format!("the service `{}` must be a mapping", entry.key.name);
                self.problems.push(Problem { span: entry.value.span, message });
                continue;
            }
            let own = self.extended(file, &entry.value, &mut vec![(file.name.to_owned(), entry.key.name.clone())]);
            match self.services.iter_mut().find(|service| service.name == entry.key.name) {
                Some(service) => {
                    let base = std::mem::replace(&mut service.value, Value::new(entry.value.span, Kind::Null));
                    service.value = merged(base, own, "");
                }
                None => {
                    self.services.push(Member { name: entry.key.name.clone(), name_span: entry.key.span, value: own })
                }
            }
        }
    }

    /// A service over those that it extends.
    fn extended(&mut self, file: &File<'_>, service: &Node, chain: &mut Vec<(String, Box<str>)>) -> Value {
        let own = value(service, "", file.variables);
        let Some(extends) = service.get("extends") else { return own };
        let unknown = |own: Value, reason: Reason| match own.kind {
            Kind::Map(members, _) => Value::new(own.span, Kind::Map(members, Some(reason))),
            kind => Value::new(own.span, kind),
        };
        let text = |node: Option<&Node>| match node.map(|node| value(node, "", file.variables).kind) {
            Some(Kind::String(text)) => Some(text),
            _ => None,
        };
        let (path, name) = match extends.as_str() {
            Some(_) => (None, text(Some(extends))),
            None => (extends.get("file"), text(extends.get("service"))),
        };
        let Some(name) = name else {
            return unknown(own, "depends on a service to extend whose name is not known".into());
        };
        let other = match path {
            None => None,
            Some(path) => {
                let Some(path) = text(Some(path)) else {
                    return unknown(own, "depends on a file whose name is not known".into());
                };
                match self.load(&beside(file.name, &path)) {
                    Ok(other) => Some(other),
                    Err(why) => {
                        let message = format!("cannot read what this service extends: {why}");
                        self.problems.push(Problem { span: extends.span, message });
                        return unknown(own, format!("depends on the service {name}, which cannot be read").into());
                    }
                }
            }
        };
        let (other_name, other_root) = match &other {
            Some((name, root)) => (&**name, root),
            None => (file.name, file.root),
        };
        let found = other_root.get("services").and_then(|services| services.get(&name)).filter(|s| s.is_mapping());
        let step = (other_name.to_owned(), name.clone());
        let trouble = match found {
            None => format!("there is no service `{name}` to extend"),
            Some(_) if chain.contains(&step) => "a service cannot extend itself".to_owned(),
            Some(_) if chain.len() >= MAX_CHAIN => "services extend one another too often".to_owned(),
            Some(found) => {
                chain.push(step);
                let other = File { name: other_name, root: other_root, variables: file.variables };
                let base = self.extended(&other, found, chain);
                chain.pop();
                return merged(base, own, "");
            }
        };
        self.problems.push(Problem { span: extends.span, message: trouble });
        unknown(own, format!("depends on the service {name}, which cannot be read").into())
    }

    /// One item of `include`: a path, or paths with variables of their own.
    fn include(&mut self, file: &File<'_>, include: &Node, depth: usize) {
        let text = |node: &Node| match value(node, "", file.variables).kind {
            Kind::String(text) => Ok((text, node.span)),
            _ => Err(node.span),
        };
        let paths = match include.get("path") {
            Some(list) if list.is_sequence() => list.items().iter().map(text).collect(),
            Some(one) => vec![text(one)],
            None => vec![text(include)],
        };
        let mut trees = Vec::new();
        for path in paths {
            let loaded = match path {
                Err(span) => Err((span, "its path is not known".to_owned())),
                Ok((_, span)) if depth >= MAX_CHAIN => Err((span, "files include one another too often".to_owned())),
                Ok((path, span)) => self.load(&beside(file.name, &path)).map_err(|why| (span, why)),
            };
            match loaded {
                Ok(tree) => trees.push(tree),
                Err((span, why)) => {
                    let message = format!("cannot read what this project includes: {why}");
                    self.problems.push(Problem { span, message });
                }
            }
        }
        let Some((first, _)) = trees.first() else { return };
        let environment = include.get("env_file").and_then(Node::as_str);
        let environment = match (environment, include.get("project_directory").and_then(Node::as_str)) {
            (Some(path), _) => beside(file.name, path),
            (None, Some(folder)) => beside(file.name, &format!("{}/.env", folder.trim_end_matches('/'))),
            (None, None) => beside(first, ".env"),
        };
        let variables = self.variables(&environment);
        for (name, root) in &trees {
            if !self.claimed.contains(&root.span.file) {
                self.claimed.push(root.span.file);
            }
            self.lay(&File { name, root, variables: &variables }, depth + 1);
        }
    }

    fn load(&mut self, path: &str) -> Result<(String, Node), String> {
        self.loaded += 1;
        if self.loaded > MAX_FILES {
            return Err(format!("the project consists of more than {MAX_FILES} files"));
        }
        let file = self.files.load(path)?;
        let source = self.sources.get(file);
        let read = yaml::read(file, &source.text, Dialect::Yaml12);
        match (read.documents.into_iter().next(), read.problems.into_iter().next()) {
            (Some(root), None) => Ok((source.name.clone(), root)),
            (_, Some(problem)) => Err(format!("{path}: {}", problem.message)),
            (None, None) => Err(format!("{path} is empty")),
        }
    }

    fn finish(self, only: Option<&HashSet<Box<str>>>) -> Read {
        let mut resources = Resources::default();
        let volumes = settled(self.volumes);
        for member in self.services {
            if only.is_some_and(|only| !only.contains(&member.name)) {
                continue;
            }
            let service = settled(member.value);
            if service.kind == Kind::Null {
                continue;
            }
            let task = service::task(&member.name, member.name_span, &service, &volumes);
            let span = match member.name_span.file == service.span.file && member.name_span.start < service.span.start {
                true => member.name_span.to(service.span),
                false => service.span,
            };
            resources.add(&member.name, span, &[], &task, |value| {
                let (task, problems) = TaskDefinition::read(value, TaskKind::ComposeService);
                (Declared::TaskDefinition(Box::new(task)), problems)
            });
        }
        for problem in self.problems {
            resources.problem(problem);
        }
        let any = !resources.is_empty();
        let (stack, problems) = resources.finish();
        Read {
            stacks: if any { vec![stack] } else { Vec::new() },
            problems,
            warnings: self.warnings,
            claimed: self.claimed,
            ..Read::default()
        }
    }
}
