//! The values that variables of a root module are given: by the files that Terraform loads by
//! itself, by those and the settings that were chosen, and, each under the condition that it is
//! used, by every other file of values that is for the module.

use std::collections::HashMap;
use std::sync::Arc;

use tojimari_text::hcl::{self, Attribute, Expression, ExpressionKind, Key, Part};
use tojimari_text::{FileId, Problem, Source, Span};

use super::config::{self, Config};
use super::evaluate::Scope;
use super::folder_of;
use super::module::{Evaluator, join};
use super::types::Type;
use super::value::{V, Val};
use crate::given::{Elsewhere, Form, inputs};

/// Files under whose use a module is looked at. Each may double the ways that its conditions fall.
const MAX_FILES: usize = 24;

/// The values of one file, read.
struct Values<'g> {
    from: &'g Elsewhere,
    given: HashMap<Arc<str>, Expression>,
}

/// A file of values of variables, in either syntax.
pub(crate) fn values(file: FileId, source: &Source) -> (hcl::Body, Vec<Problem>) {
    config::read_values(file, source)
}

/// Whether Terraform loads a file of that name by itself, where it lies beside the configuration.
fn is_loaded(name: &str) -> bool {
    let own = name.rsplit('/').next().unwrap_or(name);
    let stem = own.strip_suffix(".json").unwrap_or(own);
    stem == "terraform.tfvars" || stem.ends_with(".auto.tfvars")
}

impl Evaluator<'_> {
    /// Takes the files of values that Terraform loads by itself, in its order: `terraform.tfvars`,
    /// then `*.auto.tfvars` by name; then what was chosen, or what may be given.
    pub(super) fn load_values(&mut self, folder: &str) {
        let names = self.files.list(folder);
        let first = ["terraform.tfvars", "terraform.tfvars.json"];
        let auto = |name: &&String| name.ends_with(".auto.tfvars") || name.ends_with(".auto.tfvars.json");
        let ordered = first
            .iter()
            .filter(|first| names.iter().any(|name| name == *first))
            .map(|first| (*first).to_owned())
            .chain(names.iter().filter(auto).cloned());
        let mut given: HashMap<Arc<str>, Val> = HashMap::new();
        for name in ordered.collect::<Vec<_>>() {
            let Ok(file) = self.files.load(&join(folder, &name)) else { continue };
            self.take(file, &mut given);
        }
        let config = self.modules[0].config.clone();
        let all = self.files.given();
        if all.var_files.is_empty() {
            self.take_elsewhere(folder, &config, &mut given);
        }
        for file in &all.var_files {
            self.take(*file, &mut given);
        }
        for (name, file) in &all.variables {
            self.set(name, *file, &config, &mut given);
        }
        self.give(given);
    }

    fn take(&mut self, file: FileId, given: &mut HashMap<Arc<str>, Val>) {
        let (body, problems) = values(file, &self.sources.get(file));
        self.problems.extend(problems);
        for attribute in &body.attributes {
            let value = self.eval(&attribute.value, Scope::of(0));
            given.insert(attribute.name.text.clone(), value);
        }
    }

    /// Gives every variable the values of the files that may be used, each under its condition. The
    /// first of several that are used together decides.
    fn take_elsewhere(&mut self, folder: &str, config: &Config, given: &mut HashMap<Arc<str>, Val>) {
        let all = self.files.given();
        let declares = |name: &str| config.variables.contains_key(name);
        let is_for = |one: &&Elsewhere| match one.form {
            Form::Variables => {
                let name = &self.sources.get(one.file).name;
                one.is_for(folder, declares) && !(folder_of(name) == folder && is_loaded(name))
            }
            Form::Terragrunt => one.is_for(folder, declares),
            Form::SamConfig | Form::Parameters => false,
        };
        let files: Vec<&Elsewhere> = all.elsewhere.iter().filter(is_for).collect();
        let values: Vec<Values<'_>> = files.iter().take(MAX_FILES).map(|from| self.values_of(from)).collect();
        for (name, declared) in &config.variables {
            let mut value = given.get(name).cloned();
            // What the value is where none of the files is used, as it is written.
            let default = declared.first().and_then(|(_, variable)| variable.default.as_ref());
            let base = value.as_ref().map(|value| value.span).or(default.map(|default| default.span));
            let base = base.map(|span| self.text_of(span));
            for Values { from, given } in values.iter().rev() {
                let Some(written) = given.get(name) else { continue };
                let place = written.span;
                // Files of values are alternatives: one that says what holds anyway decides nothing.
                if base.as_deref() == Some(&*self.text_of(place)) {
                    continue;
                }
                let otherwise = value.unwrap_or_else(|| Val::new(place, V::Absent));
                let used = match is_literal(written) {
                    true => self.eval(written, Scope::of(0)),
                    false => Val::unknown(place, format!("depends on {}, which does not write it out", from.condition)),
                };
                value = Some(Val::choice(place, &from.condition, used, otherwise));
            }
            if files.len() > MAX_FILES {
                let place = value.as_ref().map_or(Span::new(files[0].file, 0, 0), |value| value.span);
                value =
                    Some(Val::unknown(place, format!("depends on which of {} files of values is used", files.len())));
            }
            given.extend(value.map(|value| (name.clone(), value)));
        }
    }

    fn values_of<'g>(&self, from: &'g Elsewhere) -> Values<'g> {
        let source = self.sources.get(from.file);
        let given = match from.form {
            Form::Terragrunt => {
                let (body, _) = hcl::read(from.file, &source.text);
                inputs(&body).into_iter().map(|(name, value)| (name.text.clone(), value.clone())).collect()
            }
            _ => {
                let (body, _) = values(from.file, &source);
                body.attributes.into_iter().map(|Attribute { name, value }| (name.text, value)).collect()
            }
        };
        Values { from, given }
    }

    /// A variable that was set on the command line. Source: Terraform's documentation of input
    /// variables: text as it is for the primitive types, else an expression.
    fn set(&mut self, name: &Arc<str>, file: FileId, config: &Config, given: &mut HashMap<Arc<str>, Val>) {
        let Some((_, declared)) = config.variables.get(name).and_then(|all| all.first()) else { return };
        let text = self.sources.get(file).text.clone();
        // It stands in no file: its place is the variable's.
        let place = declared.name.span;
        let value = match declared.of {
            Type::Any | Type::String | Type::Number | Type::Bool => Val::text(place, text),
            _ => match hcl::read_expression(file, &text, 0..text.len()) {
                Ok(written) if is_literal(&written) => self.eval(&written, Scope::of(0)).at(place),
                _ => Val::unknown(place, format!("depends on --var {name}, whose value cannot be read")),
            },
        };
        given.insert(name.clone(), value);
    }
}

/// Whether an expression says its value by itself: it refers to nothing and calls nothing.
fn is_literal(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Null | ExpressionKind::Bool(_) | ExpressionKind::Number(_) => true,
        ExpressionKind::Template(template) => template.parts.iter().all(|part| matches!(part, Part::Literal(..))),
        ExpressionKind::List(items) => items.iter().all(is_literal),
        ExpressionKind::Object(items) => items.iter().all(|item| {
            let named = match &item.key {
                Key::Name(_) => true,
                Key::Computed(key) => is_literal(key),
            };
            named && is_literal(&item.value)
        }),
        ExpressionKind::Parentheses(inner) | ExpressionKind::Unary(_, inner) => is_literal(inner),
        _ => false,
    }
}
