//! Values for the parameters of CloudFormation templates: the parameter files of the command line
//! and of pipelines, and `parameter_overrides` of `samconfig.toml`.

use std::collections::HashMap;

use tojimari_text::{FileId, Node, Sources, Span};

use super::{Form, Given};
use crate::notation::split_words;
use tojimari_model::value::{Kind, Value};

/// Values by the name of the parameter.
pub(crate) type Arguments = HashMap<Box<str>, Vec<Argument>>;

/// One value that a parameter may be given.
pub(crate) struct Argument {
    pub value: Value,
    /// The file that has to be used for it; none where it was chosen.
    pub condition: Option<std::sync::Arc<str>>,
}

/// What one section of a file gives.
pub(super) struct Set {
    pub section: Option<Box<str>>,
    /// The template that it is for, where it says so.
    pub template: Option<String>,
    pub values: Vec<(Box<str>, Value)>,
}

/// Files of which a template is given at most so many; those beyond are not followed.
const MAX_FILES: usize = 32;

/// Whether a text may be a parameter file. Source: `aws cloudformation create-stack --parameters`,
/// and the template configuration file of CodePipeline.
pub(super) fn may_be(text: &str, own_name: &str) -> bool {
    let json = text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    let keyed = text.contains("ParameterKey");
    let yaml = [".yaml", ".yml"].iter().any(|ending| own_name.ends_with(ending));
    let configuration = text.contains("Parameters") && !text.contains("Resources") && !text.contains("parameters:");
    (json || yaml) && (keyed && text.contains("ParameterValue") || json && configuration) && !text.contains("AWS::")
}

/// What a file gives, section by section.
pub(super) fn sets(file: FileId, form: Form, sources: &Sources) -> Vec<Set> {
    if form == Form::SamConfig {
        return sam(file, sources);
    }
    let (trees, _) = crate::parse(file, sources);
    let values: Vec<(Box<str>, Value)> = trees.iter().flat_map(pairs).collect();
    vec![Set { section: None, template: None, values }]
}

fn pairs(root: &Node) -> Vec<(Box<str>, Value)> {
    if let Some(parameters) = root.get("Parameters") {
        let named = parameters.entries().iter().map(|entry| (entry.key.name.clone(), &entry.value));
        return match parameters.is_sequence() {
            true => parameters.items().iter().filter_map(keyed).collect(),
            false => named.filter_map(|(name, value)| Some((name, scalar(value)?))).collect(),
        };
    }
    root.items().iter().filter_map(keyed).collect()
}

/// `{"ParameterKey": …, "ParameterValue": …}`.
fn keyed(item: &Node) -> Option<(Box<str>, Value)> {
    let name = item.get("ParameterKey")?.as_str()?;
    Some((name.into(), scalar(item.get("ParameterValue")?)?))
}

/// A value as the text that CloudFormation makes of it.
fn scalar(node: &Node) -> Option<Value> {
    let value = Value::from(node);
    let kind = match value.kind {
        Kind::Bool(b) => Kind::String(b.to_string().into()),
        Kind::Number(text) | Kind::String(text) => Kind::String(text),
        _ => return None,
    };
    Some(Value::new(node.span, kind))
}

/// `[prod.deploy.parameters]` with `parameter_overrides`, a text or a list of texts.
fn sam(file: FileId, sources: &Sources) -> Vec<Set> {
    let source = sources.get(file);
    let Ok(whole) = source.text.parse::<toml::Table>() else { return Vec::new() };
    let mut sets = Vec::new();
    for (environment, commands) in whole.iter().filter_map(|(name, table)| Some((name, table.as_table()?))) {
        // What is for all commands holds for the deployment, unless that says otherwise.
        let parameters = |command: &str| commands.get(command)?.as_table()?.get("parameters")?.as_table();
        let setting = |name: &str| ["deploy", "global"].iter().find_map(|command| parameters(command)?.get(name));
        let overrides: Vec<String> = match setting("parameter_overrides") {
            Some(toml::Value::String(text)) => split_words(text),
            Some(toml::Value::Array(items)) => {
                items.iter().filter_map(|item| item.as_str()).map(str::to_owned).collect()
            }
            _ => continue,
        };
        let values = overrides.iter().filter_map(|one| {
            let (name, value) = one.split_once('=')?;
            let span = place(file, &source.text, environment, one, name);
            Some((name.into(), Value::new(span, Kind::String(value.into()))))
        });
        let template = setting("template_file").or_else(|| setting("template")).and_then(toml::Value::as_str);
        let template = template.map(|template| crate::beside(&source.name, template));
        sets.push(Set { section: Some(environment.as_str().into()), template, values: values.collect() });
    }
    sets
}

/// Where an override stands: within its environment, or else the beginning of the file.
fn place(file: FileId, text: &str, environment: &str, whole: &str, name: &str) -> Span {
    let from = text.find(&format!("[{environment}.")).unwrap_or_default();
    let found = text[from..].find(whole).map(|at| (at, whole.len()));
    let found = found.or_else(|| text[from..].find(&format!("{name}=")).map(|at| (at, name.len())));
    found.map_or(Span::new(file, 0, 0), |(at, length)| Span::new(file, from + at, from + at + length))
}

/// What files and the command line give to the parameters of a template that declares these names.
/// CloudFormation refuses a value for a parameter that is not declared: whatever gives one is for
/// another template.
pub(crate) fn arguments(given: &Given, declared: &[&str], template: &str, sources: &Sources) -> Arguments {
    let mut arguments = Arguments::new();
    let chosen = !given.parameters.is_empty();
    let files = if chosen { &given.parameters } else { &given.elsewhere };
    let fits = |one: &&super::Elsewhere| {
        chosen
            || matches!(one.form, Form::SamConfig | Form::Parameters)
                && one.names.iter().all(|name| declared.contains(&&**name))
                && one.folder.as_deref().is_none_or(|own| own == template)
    };
    for one in files.iter().filter(fits).take(MAX_FILES) {
        for set in sets(one.file, one.form, sources).into_iter().filter(|set| set.section == one.section) {
            for (name, value) in set.values {
                let condition = (!chosen).then(|| one.condition.clone());
                arguments.entry(name).or_default().push(Argument { value, condition });
            }
        }
    }
    arguments
}
