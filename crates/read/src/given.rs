//! Values that other files and the command line give to variables and parameters: files of values
//! of Terraform, inputs of Terragrunt, parameter files of CloudFormation and the overrides of SAM.
//! Each of a file that is not loaded by itself holds under the condition that the file is used.

mod parameters;

use std::collections::BTreeSet;
use std::sync::Arc;

use tojimari_text::hcl::{self, ExpressionKind, Key};
use tojimari_text::{FileId, Sources};

pub(crate) use parameters::{Argument, Arguments, arguments};

/// What is given, and what may be.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Files that may be used, wherever they lie.
    pub elsewhere: Vec<Elsewhere>,
    /// Files that were chosen, in their order, a later one over an earlier. Then no other is used.
    pub var_files: Vec<FileId>,
    /// Variables that were set, each with a source whose text is the value as it was written.
    pub variables: Vec<(Arc<str>, FileId)>,
    /// The parameter files that were chosen. Then no other is used.
    pub parameters: Vec<Elsewhere>,
}

/// A file that may give values.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    pub file: FileId,
    pub form: Form,
    /// The folder that it is for, where its place or its content tells.
    pub folder: Option<String>,
    /// What a condition on its use is called.
    pub condition: Arc<str>,
    /// The names that it gives values to.
    names: BTreeSet<Box<str>>,
    /// The section of the file.
    section: Option<Box<str>>,
}

/// The form of a file of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `*.tfvars`, `*.tfvars.json`.
    Variables,
    /// `terragrunt.hcl` with `inputs`.
    Terragrunt,
    /// `samconfig.toml` with `parameter_overrides`.
    SamConfig,
    /// Parameters as the command line or a pipeline of CloudFormation takes them.
    Parameters,
}

/// What is given where nobody gives anything.
pub(crate) static NOTHING: Given =
    Given { elsewhere: Vec::new(), var_files: Vec::new(), variables: Vec::new(), parameters: Vec::new() };

/// The form of a file of values, by its name and a look at its text.
pub fn form(text: &str, name: &str) -> Option<Form> {
    let own = name.rsplit('/').next().unwrap_or(name);
    if own.ends_with(".tfvars") || own.ends_with(".tfvars.json") {
        Some(Form::Variables)
    } else if own.ends_with(".hcl") {
        text.contains("inputs").then_some(Form::Terragrunt)
    } else if own == "samconfig.toml" {
        text.contains("parameter_overrides").then_some(Form::SamConfig)
    } else {
        parameters::may_be(text, own).then_some(Form::Parameters)
    }
}

/// What a file of values gives: one for each of its sections. `folders` are those that hold
/// configurations of Terraform.
pub fn elsewhere(file: FileId, sources: &Sources, folders: &BTreeSet<String>) -> Vec<Elsewhere> {
    let source = sources.get(file);
    let Some(form) = form(&source.text, &source.name) else { return Vec::new() };
    of_form(file, form, sources, folders)
}

/// The same for a parameter file that was chosen, whatever it is called.
pub fn chosen(file: FileId, sources: &Sources) -> Vec<Elsewhere> {
    let form = if sources.get(file).name.ends_with(".toml") { Form::SamConfig } else { Form::Parameters };
    of_form(file, form, sources, &BTreeSet::new())
}

fn of_form(file: FileId, form: Form, sources: &Sources, folders: &BTreeSet<String>) -> Vec<Elsewhere> {
    let source = sources.get(file);
    let made = |folder: Option<String>, section: Option<Box<str>>, names: BTreeSet<Box<str>>| {
        let condition = match &section {
            Some(section) => format!("{} [{section}]", source.name).into(),
            None => source.name.as_str().into(),
        };
        Elsewhere { file, form, folder, condition, names, section }
    };
    let mut all = match form {
        Form::Variables => {
            let (body, _) = crate::terraform::values(file, &source);
            let names = body.attributes.iter().map(|attribute| (*attribute.name.text).into()).collect();
            vec![made(around(&source.name, folders), None, names)]
        }
        Form::Terragrunt => {
            let (body, _) = hcl::read(file, &source.text);
            let names = inputs(&body).into_iter().map(|(name, _)| (*name.text).into()).collect();
            vec![made(terragrunt_folder(&source.name, &body, folders), None, names)]
        }
        Form::SamConfig | Form::Parameters => parameters::sets(file, form, sources)
            .into_iter()
            .map(|set| {
                let names = set.values.iter().map(|(name, _)| name.clone()).collect();
                made(set.template, set.section, names)
            })
            .collect(),
    };
    all.retain(|one| !one.names.is_empty());
    all
}

impl Elsewhere {
    /// Whether the file is meant for the configuration of that folder, which declares these names.
    pub(crate) fn is_for(&self, folder: &str, declares: impl Fn(&str) -> bool) -> bool {
        match &self.folder {
            Some(own) => own == folder,
            // Values for undeclared variables are only warned of. A file in a tree of its own is for
            // whatever declares most of what it gives.
            None => self.names.iter().filter(|name| declares(name)).count() * 2 > self.names.len(),
        }
    }
}

/// The nearest folder around a file that holds a configuration.
fn around(name: &str, folders: &BTreeSet<String>) -> Option<String> {
    let mut folder = name;
    while let Some(end) = folder.rfind('/') {
        folder = &folder[..end];
        if folders.contains(folder) {
            return Some(folder.to_owned());
        }
    }
    folders.contains("").then(String::new)
}

/// The folder of the module that a file of Terragrunt gives inputs to.
fn terragrunt_folder(name: &str, body: &hcl::Body, folders: &BTreeSet<String>) -> Option<String> {
    let source = body.blocks("terraform").next().and_then(|block| block.body.attribute("source")?.value.as_str());
    let Some(source) = source else {
        let own = name.rfind('/').map_or("", |end| &name[..end]);
        return folders.contains(own).then(|| own.to_owned());
    };
    let local = source.starts_with("./") || source.starts_with("../");
    // A module from elsewhere is in no folder that is read: one of that name would be another's.
    Some(if local { crate::beside(name, &source.replace("//", "/")) } else { source.to_string() })
}

/// What a file of Terragrunt gives, name by name.
pub(crate) fn inputs(body: &hcl::Body) -> Vec<(&hcl::Name, &hcl::Expression)> {
    let mut inputs = body.attribute("inputs").map(|inputs| &inputs.value);
    // `merge({…}, local.x)`: what is written out in it.
    if let Some(ExpressionKind::Call(call)) = inputs.map(|inputs| &inputs.kind)
        && &*call.name.text == "merge"
    {
        inputs = call.arguments.iter().rfind(|argument| matches!(argument.kind, ExpressionKind::Object(_)));
    }
    let Some(ExpressionKind::Object(items)) = inputs.map(|inputs| &inputs.kind) else { return Vec::new() };
    let named = items.iter().filter_map(|item| match &item.key {
        Key::Name(name) => Some((name, &item.value)),
        Key::Computed(_) => None,
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_values_are_told_by_name_and_content() {
        for (name, text, expected) in [
            ("envs/prod.tfvars", "a = 1", Some(Form::Variables)),
            ("prod.tfvars.json", "{}", Some(Form::Variables)),
            ("live/terragrunt.hcl", "inputs = {}", Some(Form::Terragrunt)),
            ("x/.terraform.lock.hcl", "provider \"x\" {}", None),
            ("samconfig.toml", "parameter_overrides = \"A=b\"", Some(Form::SamConfig)),
            ("p.json", r#"[{"ParameterKey": "A", "ParameterValue": "b"}]"#, Some(Form::Parameters)),
            ("p.json", r#"{"Parameters": {"A": "b"}}"#, Some(Form::Parameters)),
            ("t.json", r#"{"Parameters": {"A": {"Type": "String"}}, "Resources": {}}"#, None),
        ] {
            assert_eq!(form(text, name), expected, "{name}: {text}");
        }
    }

    #[test]
    fn a_file_of_values_is_for_the_nearest_configuration_around_it() {
        let folders: BTreeSet<String> = ["", "infra", "infra/x"].map(str::to_owned).into();
        for (name, expected) in [
            ("prod.tfvars", Some("")),
            ("infra/envs/a/prod.tfvars", Some("infra")),
            ("infra/x/prod.tfvars", Some("infra/x")),
            ("other/prod.tfvars", Some("")),
        ] {
            assert_eq!(around(name, &folders).as_deref(), expected, "{name}");
        }
        assert_eq!(around("other/prod.tfvars", &["infra".to_owned()].into()), None);
    }
}
