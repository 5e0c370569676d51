//! Where secrets in plain text stand: every place of a container or an image build that takes
//! text is looked at by name and by value.

use tojimari_model::declared::{Container, EnvironmentVariable, ImageBuild, List};
use tojimari_model::value::{Part, Reason};
use tojimari_model::{Declared, Field, Stack};
use tojimari_text::Span;

use crate::secret::{Kind, by_name, by_option, by_value, name_says};

#[derive(Debug, PartialEq)]
pub struct Secret {
    /// Where it stands, in words: "environment DB_PASSWORD", "command item 2".
    pub place: String,
    pub kind: Kind,
    pub span: Span,
}

#[derive(Default)]
pub struct Found<'a> {
    pub secrets: Vec<Secret>,
    /// A place that may hold one, and why that is not known.
    pub open: Option<(String, &'a Reason, Span)>,
}

/// Where secrets stand in a stack: what quotes the files must leave these places out.
pub fn secret_spans(stack: &Stack) -> Vec<Span> {
    let found = stack.resources.iter().flat_map(|resource| match &resource.declared {
        Declared::TaskDefinition(task) => task.containers.iter().flat_map(|one| in_container(one).secrets).collect(),
        Declared::ImageBuild(build) => in_build(build).secrets,
        _ => Vec::new(),
    });
    found.map(|secret| secret.span).collect()
}

pub fn in_container(container: &Container) -> Found<'_> {
    let mut found = Found::default();
    found.variables("environment", &container.environment);
    found.arguments("entryPoint", &container.entry_point);
    found.arguments("command", &container.command);
    if let Field::Known(log, _) = &container.log_configuration {
        for (name, value) in &log.options {
            found.named("the log option", name, value);
        }
    }
    if let Field::Known(health, _) = &container.health_check {
        found.arguments("the health check", &health.command);
    }
    found
}

pub fn in_build(build: &ImageBuild) -> Found<'_> {
    let mut found = Found::default();
    found.variables("ENV", &build.environment);
    found.variables("ARG", &build.arguments);
    found.arguments("ENTRYPOINT", &build.entrypoint);
    found.arguments("CMD", &build.cmd);
    found
}

impl<'a> Found<'a> {
    fn add(&mut self, place: String, kind: Kind, span: Span) {
        self.secrets.push(Secret { place, kind, span });
    }

    fn leave_open(&mut self, place: impl FnOnce() -> String, reason: &'a Reason, span: Span) {
        if self.open.is_none() {
            self.open = Some((place(), reason, span));
        }
    }

    fn variables(&mut self, list: &str, variables: &'a List<EnvironmentVariable>) {
        for variable in variables {
            match &variable.name {
                Field::Known(name, _) => self.named(list, name, &variable.value),
                name => {
                    // Under a name that is not known only the form of the value can tell.
                    if let Some(kind) = kind_of(&variable.value) {
                        self.add(list.to_owned(), kind, variable.span);
                    } else if let Some((reason, span)) = name.unknown() {
                        self.leave_open(|| list.to_owned(), reason, span);
                    }
                }
            }
        }
        if let Some((reason, span)) = &variables.rest {
            self.leave_open(|| list.to_owned(), reason, *span);
        }
    }

    fn named(&mut self, list: &str, name: &'a str, value: &'a Field<String>) {
        // A list that was written wrongly may have the secret in what should be the name.
        let is_name = name.len() <= 128 && !name.contains([' ', '=', '\n']) && by_value(name).is_none();
        let place = || if is_name { format!("{list} {name}") } else { list.to_owned() };
        let kind = match value {
            Field::Known(text, _) => by_value(text).or_else(|| by_name(name, text)),
            value => kind_of(value),
        };
        if let (Some(kind), Some(span)) = (kind, value.span()) {
            return self.add(place(), kind, span);
        }
        if let (Some((reason, span)), Some(_)) = (value.unknown(), name_says(name)) {
            self.leave_open(place, reason, span);
        }
    }

    fn arguments(&mut self, list: &str, arguments: &'a List<Field<String>>) {
        let mut before: Option<&str> = None;
        for (at, argument) in arguments.iter().enumerate() {
            let place = || format!("{list} item {}", at + 1);
            match argument {
                Field::Known(text, span) => {
                    let kind = by_value(text).or_else(|| before.and_then(|option| by_option(option, text)));
                    if let Some(kind) = kind {
                        self.add(place(), kind, *span);
                    }
                }
                Field::Unknown(reason, span) => match kind_of(argument) {
                    Some(kind) => self.add(place(), kind, *span),
                    None if before.and_then(|option| name_says(option.strip_prefix('-')?)).is_some() => {
                        self.leave_open(place, reason, *span);
                    }
                    None => {}
                },
                Field::Absent => {}
            }
            before = argument.as_str();
        }
        if let Some((reason, span)) = &arguments.rest {
            self.leave_open(|| list.to_owned(), reason, *span);
        }
    }
}

/// The kind of secret that the known parts of a value are by their form.
fn kind_of(value: &Field<String>) -> Option<Kind> {
    match value {
        Field::Known(text, _) => by_value(text),
        Field::Unknown(reason, _) => {
            // A gap reads as a variable does: it is no value of its own.
            let whole: String = reason
                .parts()
                .iter()
                .map(|part| match part {
                    Part::Known(text) => text,
                    Part::Unknown(_) => "${}",
                })
                .collect();
            by_value(&whole)
        }
        Field::Absent => None,
    }
}
