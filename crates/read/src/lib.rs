//! How files become stacks of declared resources. `units` sorts the files that were walked into
//! what has to be read together; `read` reads one unit. Each format has a file of its own; none
//! does I/O: what a file points to comes through [`Files`].

mod base64;
pub mod cdk;
pub mod cloudformation;
pub mod compose;
pub mod copilot;
#[cfg(test)]
mod differential;
pub mod dockerfile;
pub mod ecs_json;
pub mod ecspresso;
mod filled;
pub mod given;
mod jsonnet;
mod notation;
mod partial;
mod rendered;
mod resource;
mod serverless;
pub mod terraform;
mod variable;

use std::collections::HashMap;

use tojimari_text::yaml::Dialect;
use tojimari_text::{FileId, Node, Problem, Sources, Span};

use tojimari_model::declared::Stack;

pub use given::Given;
pub use resource::Resources;

/// Files that others point to: `file()`, nested stacks, `extends`, `include`. The implementation
/// decides which may be read at all; paths are joined to the folder of the file that names them.
pub trait Files: Sync {
    /// The text of a file, added to the sources. The error is a fragment such as
    /// "config.json does not exist" or "../../etc/passwd lies outside the folder that is checked".
    fn load(&self, path: &str) -> Result<FileId, String>;

    /// The names of the files in a folder, sorted; none where it cannot be read.
    fn list(&self, folder: &str) -> Vec<String>;

    /// Values that other files and the command line give to variables and parameters.
    fn given(&self) -> &Given {
        &given::NOTHING
    }
}

/// What was read of one unit.
#[derive(Debug, Default)]
pub struct Read {
    pub stacks: Vec<Stack>,
    pub problems: Vec<Problem>,
    /// What is not as it should be and was read all the same.
    pub warnings: Vec<Problem>,
    /// Files that this unit read as parts of itself, such as nested stacks: what they say when they
    /// are read on their own does not count.
    pub claimed: Vec<FileId>,
    /// Resources of ours that are written down, and of which there is none by the values in the
    /// files: their `count` or `for_each` is empty.
    pub idle: Vec<Span>,
}

/// Files that are read together, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub format: Format,
    /// In the order of their names.
    pub files: Vec<FileId>,
}

/// A format as it is recognised before anything is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Any JSON document that may hold something of ours; which it is shows in its tree.
    Json,
    /// A CloudFormation or SAM template in YAML.
    CloudFormation,
    /// The files of a Compose project, each laid over those before it.
    Compose,
    /// A manifest of AWS Copilot.
    Copilot,
    /// What ecspresso deploys, in YAML or Jsonnet.
    Ecspresso,
    Dockerfile,
    /// The files of one folder in Terraform's language.
    Terraform,
}

/// Whether a text may hold something of ours: cheap, and wrong only in that it says yes too often.
pub fn may_be(text: &str) -> bool {
    format(text, "").is_some()
}

/// The format of a file, by its content rather than its name alone and without parsing.
pub fn format(text: &str, name: &str) -> Option<Format> {
    if terraform::is_configuration(name) {
        Some(Format::Terraform)
    } else if ecspresso::may_be_jsonnet(text, name) {
        Some(Format::Ecspresso)
    } else if looks_like_json(text) {
        let ours = ecs_json::may_be(text) || cloudformation::may_be(text) || cdk::may_be(text);
        let ours = ours || terraform::plan::may_be(text) || ecspresso::may_be_json(text);
        (ours && (is_named_json(name) || is_json(text))).then_some(Format::Json)
    } else if cloudformation::may_be(text) && has_top_key(text, "Resources") || serverless::may_be(text) {
        Some(Format::CloudFormation)
    } else if compose::may_be(text, name) {
        Some(Format::Compose)
    } else if copilot::may_be(text) {
        Some(Format::Copilot)
    } else if ecspresso::may_be_yaml(text) {
        Some(Format::Ecspresso)
    } else {
        dockerfile::may_be(text, name).then_some(Format::Dockerfile)
    }
}

/// The format of a file that was read.
pub fn format_of(sources: &Sources, file: FileId) -> Option<Format> {
    let source = sources.get(file);
    format(&source.text, &source.name)
}

/// Sorts files into units, by content rather than by name alone and without parsing. A file that
/// cannot be ours is in no unit.
pub fn units(sources: &Sources, files: &[FileId]) -> Vec<Unit> {
    let formats = files.iter().filter_map(|file| Some((*file, format_of(sources, *file)?)));
    units_of(sources, &formats.collect::<Vec<_>>())
}

/// The same for files whose formats are known.
pub fn units_of(sources: &Sources, files: &[(FileId, Format)]) -> Vec<Unit> {
    let (terraform, others): (Vec<_>, Vec<_>) = files.iter().partition(|(_, format)| *format == Format::Terraform);
    let terraform: Vec<FileId> = terraform.into_iter().map(|(file, _)| file).collect();
    let folders = terraform::units(sources, &terraform).into_iter();
    let mut units: Vec<Unit> = folders.map(|files| Unit { format: Format::Terraform, files }).collect();
    units.extend(others.into_iter().map(|(file, format)| Unit { format, files: vec![file] }));
    lay_overrides(&mut units, sources);
    units
}

/// Joins `compose.override.yaml` and its like to the file that Compose lays it over by itself.
fn lay_overrides(units: &mut Vec<Unit>, sources: &Sources) {
    let own_name = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
    let mut bases: HashMap<String, usize> = HashMap::new();
    let mut overs: Vec<(usize, String)> = Vec::new();
    for (at, unit) in units.iter().enumerate().filter(|(_, unit)| unit.format == Format::Compose) {
        let name = sources.get(unit.files[0]).name.clone();
        let own = own_name(&name);
        if compose::DEFAULT.contains(&&*own) {
            bases.insert(name, at);
        } else if compose::OVERRIDE.contains(&&*own) {
            overs.push((at, name));
        }
    }
    for (at, name) in overs {
        let base = compose::DEFAULT.iter().find_map(|default| bases.get(&beside(&name, default)));
        if let Some(base) = base {
            let files = std::mem::take(&mut units[at].files);
            units[*base].files.extend(files);
        }
    }
    units.retain(|unit| !unit.files.is_empty());
}

/// For each unit whether another one read all of its files as parts of itself, by what each of
/// them claimed. Of two that claim each other, one stays.
pub fn are_parts(units: &[Unit], claimed: &[Vec<FileId>]) -> Vec<bool> {
    let mut claimants: HashMap<FileId, Vec<usize>> = HashMap::new();
    for (unit, files) in claimed.iter().enumerate() {
        files.iter().for_each(|file| claimants.entry(*file).or_default().push(unit));
    }
    let mut parts = vec![false; units.len()];
    for (at, unit) in units.iter().enumerate() {
        let by_another = |file| claimants.get(file).is_some_and(|by| by.iter().any(|by| *by != at && !parts[*by]));
        parts[at] = unit.files.iter().all(by_another);
    }
    parts
}

/// Reads one unit.
pub fn read(unit: &Unit, sources: &Sources, files: &dyn Files) -> Read {
    let Some(&file) = unit.files.first() else { return Read::default() };
    match unit.format {
        Format::Json => json(file, sources, files),
        Format::CloudFormation => templates(file, sources, files),
        Format::Compose => compose::read(&unit.files, sources, files),
        Format::Copilot => copilot::read(file, sources, files),
        Format::Terraform => terraform::read(&unit.files, sources, files),
        Format::Ecspresso => ecspresso::read(file, sources, files).unwrap_or_default(),
        Format::Dockerfile => dockerfile::read(file, sources),
    }
}

fn looks_like_json(text: &str) -> bool {
    tojimari_text::json::begins(text)
}

/// Whoever named it so meant JSON, or a template of it, also where it cannot be read as such.
fn is_named_json(name: &str) -> bool {
    let own = name.rsplit('/').next().unwrap_or(name);
    !own.contains('.') || own.contains(".json") || own.ends_with(".template")
}

/// Programs in other languages begin with a brace too, such as filters of `jq`.
fn is_json(text: &str) -> bool {
    let read = tojimari_text::json::read(FileId(0), text);
    read.problems.is_empty() || read.only_comments
}

/// A line of the text begins with that key of a YAML mapping, quoted or not.
fn has_top_key(text: &str, key: &str) -> bool {
    text.match_indices(key).any(|(at, _)| {
        let before = text[..at].trim_end_matches(['"', '\'']);
        let after = text[at + key.len()..].trim_start_matches(['"', '\'']);
        (before.is_empty() || before.ends_with(['\n', '\u{feff}'])) && after.trim_start_matches(' ').starts_with(':')
    })
}

/// The documents of a JSON or YAML file, whichever its content is.
pub(crate) fn parse(file: FileId, sources: &Sources) -> (Vec<Node>, Vec<Problem>) {
    let source = sources.get(file);
    if looks_like_json(&source.text) {
        let (tree, problems) = tojimari_text::json::parse(file, &source.text);
        return (tree.into_iter().collect(), problems);
    }
    let dialect = if source.text.contains("AWS::") { Dialect::Yaml11 } else { Dialect::Yaml12 };
    let yaml = tojimari_text::yaml::read(file, &source.text, dialect);
    (yaml.documents, yaml.problems)
}

/// The path of a file that another names: relative to the folder of the one that names it, without
/// `.` and, where the words allow, `..`.
pub(crate) fn beside(name: &str, path: &str) -> String {
    let folder = name.rfind('/').map_or("", |end| &name[..=end]);
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/').skip(usize::from(whole.starts_with('/'))) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if whole.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

/// A JSON document goes to the first format that knows its tree.
fn json(file: FileId, sources: &Sources, files: &dyn Files) -> Read {
    let source = sources.get(file);
    let tojimari_text::json::Json { tree, mut problems, only_comments } = tojimari_text::json::read(file, &source.text);
    let templated = tojimari_text::placeholder::may_have(&source.text);
    let Some(tree) = tree else {
        // A template that stands for a value is no JSON before it is rendered.
        let read = if templated { ecspresso::read(file, sources, files) } else { None };
        return read.unwrap_or(Read { problems, ..Read::default() });
    };
    let mut read = if terraform::plan::is_plan(&tree) {
        terraform::plan::read(&tree, sources, files)
    } else if cloudformation::is_template(&tree) {
        cloudformation::read(&tree, sources, files)
    } else if cdk::is_assembly(&tree) {
        cdk::read(&tree, sources, files)
    } else if compose::is_project(&tree, &source.name) {
        compose::read(&[file], sources, files)
    } else if templated || ecspresso::may_be_json(&source.text) {
        return ecspresso::read(file, sources, files).unwrap_or_default();
    } else {
        ecs_json::read(&tree).unwrap_or_default()
    };
    if only_comments && !read.stacks.is_empty() {
        read.warnings.append(&mut problems);
    }
    // A file that is not ours may be as broken as it likes. What is amiss with the content of one
    // that cannot be read whole may be so only because of that.
    if !read.stacks.is_empty() && !problems.is_empty() {
        read.problems = problems;
    }
    read
}

/// Every document of a YAML file that is a template.
fn templates(file: FileId, sources: &Sources, files: &dyn Files) -> Read {
    let source = sources.get(file);
    let is_rendered = rendered::is_rendered(&source.text);
    let (trees, problems) = if is_rendered { rendered::parse(file, &source) } else { parse(file, sources) };
    let mut whole = Read::default();
    for tree in &trees {
        if cloudformation::is_template(tree) {
            whole.append(cloudformation::read(tree, sources, files));
        } else if let Some(project) = serverless::read(tree, sources, files) {
            whole.problems.extend(project.problems);
            whole.claimed.extend(project.claimed);
            if let Some(template) = &project.template {
                whole.append(cloudformation::read(template, sources, files));
            }
        }
    }
    // Code and prose that hold a template in a part of theirs are not templates.
    let endings = ["yaml", "yml", "template", "cfn", "cform", "j2", "jinja", "jinja2", "erb", "tpl", "tmpl"];
    if !whole.stacks.is_empty() || is_named(&source.name, &endings) {
        whole.problems.splice(0..0, problems);
    }
    whole
}

/// The name ends in a dot and one of these.
fn is_named(name: &str, endings: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| endings.iter().any(|wanted| ending.eq_ignore_ascii_case(wanted)))
}

impl Read {
    fn append(&mut self, other: Read) {
        self.stacks.extend(other.stacks);
        self.problems.extend(other.problems);
        self.warnings.extend(other.warnings);
        self.claimed.extend(other.claimed);
        self.idle.extend(other.idle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_from_the_file_that_names_it() {
        for (name, path, expected) in [
            ("t.yaml", "a.yaml", "a.yaml"),
            ("x/t.yaml", "./a.yaml", "x/a.yaml"),
            ("x/y/t.yaml", "../a.yaml", "x/a.yaml"),
            ("t.yaml", "../a.yaml", "../a.yaml"),
            ("../t.yaml", "../a.yaml", "../../a.yaml"),
            ("/x/t.yaml", "../../a.yaml", "/../a.yaml"),
            ("x/t.yaml", "/a.yaml", "/a.yaml"),
        ] {
            assert_eq!(beside(name, path), expected, "{path} beside {name}");
        }
    }

    #[test]
    fn what_is_not_named_json_has_to_be_json() {
        let (whole, program) = (r#"{"containerDefinitions": []}"#, r#"{"containerDefinitions": [.[] | .name]}"#);
        for (name, text, expected) in [
            ("t.json", whole, true),
            ("t.json", program, true),
            ("x.y/t", program, true),
            ("t.json.tpl", program, true),
            ("t.tpl", whole, true),
            ("t.jq", program, false),
        ] {
            assert_eq!(format(text, name).is_some(), expected, "{name}: {text}");
        }
    }

    #[test]
    fn a_top_key_begins_its_line() {
        for (text, expected) in [
            ("Resources:\n", true),
            ("\u{feff}Resources:\n", true),
            ("a: 1\n\"Resources\" :\n", true),
            ("a:\n  Resources: 1\n", false),
            ("MyResources: 1\n", false),
            ("Resources are: 1\n", false),
        ] {
            assert_eq!(has_top_key(text, "Resources"), expected, "{text:?}");
        }
    }
}
