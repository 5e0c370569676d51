//! Values for variables and parameters: the files that were found to give some, and those that the
//! user chose.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::WalkBuilder;
use tojimari_read::{Given, given, terraform};
use tojimari_text::{FileId, Problem, Span};

use super::{Input, MAX_BYTES, loader, walk};

/// What the user chose.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Files of values of Terraform, a later one over an earlier.
    pub var_files: Vec<PathBuf>,
    /// Variables of Terraform, name and value.
    pub variables: Vec<(String, String)>,
    /// Parameter files of CloudFormation.
    pub parameters: Vec<PathBuf>,
}

/// How far below the folder of a file that was named alone its values are looked for: as far as
/// `envs/prod/terraform.tfvars`.
const DEPTH: usize = 3;

/// Files of values beside a file that the user named alone, whose folder is not walked.
pub fn beside(path: &Path) -> Vec<walk::Found> {
    if !path.is_file() {
        return Vec::new();
    }
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let terraform = terraform::is_configuration(&path.to_string_lossy());
    let template =
        path.extension().is_some_and(|ending| ["yaml", "yml", "json", "template"].iter().any(|e| ending == *e));
    if !terraform && !template {
        return Vec::new();
    }
    let walk = WalkBuilder::new(folder).max_depth(Some(DEPTH)).require_git(false).sort_by_file_name(Ord::cmp).build();
    let is_one = |path: &Path| {
        let own = path.file_name().map(|own| own.to_string_lossy().into_owned()).unwrap_or_default();
        let named = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().to_ascii_lowercase();
        match terraform {
            true => own.ends_with(".tfvars") || own.ends_with(".tfvars.json") || own == "terragrunt.hcl",
            // Any other document may be a parameter file; only a name tells before it is read.
            false => own == "samconfig.toml" || named.contains("param"),
        }
    };
    walk.flatten()
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()) && is_one(entry.path()))
        .filter(|entry| entry.metadata().is_ok_and(|about| about.len() <= MAX_BYTES) && entry.path() != path)
        .map(|entry| walk::Found { path: entry.into_path(), named: false, problem: None })
        .collect()
}

/// Takes what the files give and what was chosen.
pub fn give(input: &mut Input, of_values: &[FileId], chosen: &Chosen) {
    let folders: BTreeSet<String> = input
        .files
        .iter()
        .map(|file| input.sources.get(*file).name.clone())
        .filter(|name| terraform::is_configuration(name))
        .map(|name| name.rfind('/').map_or(String::new(), |end| name[..end].to_owned()))
        .collect();
    let mut given = Given::default();
    for file in of_values {
        given.elsewhere.extend(given::elsewhere(*file, &input.sources, &folders));
    }
    for path in &chosen.var_files {
        given.var_files.extend(load(input, path));
    }
    for path in &chosen.parameters {
        let Some(file) = load(input, path) else { continue };
        let all = given::chosen(file, &input.sources);
        if all.is_empty() {
            let message = "no values for parameters in it".to_owned();
            input.problems.push(Problem { span: Span::new(file, 0, 0), message });
        }
        given.parameters.extend(all);
    }
    for (name, value) in &chosen.variables {
        let file = input.sources.add(format!("--var {name}"), value.clone());
        given.variables.push((name.as_str().into(), file));
    }
    input.known.given = Arc::new(given);
}

/// A file that was chosen: what it cannot be read of is a problem.
fn load(input: &mut Input, path: &Path) -> Option<FileId> {
    let name = loader::shown(path);
    let text = match std::fs::metadata(path) {
        Ok(about) if about.len() > MAX_BYTES => Err(super::too_large()),
        Ok(_) => std::fs::read_to_string(path).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let (text, problem) = match text {
        Ok(text) => (text, None),
        Err(message) => (String::new(), Some(message)),
    };
    if problem.is_none()
        && let Some(file) = input.known.file(path)
    {
        return Some(file);
    }
    let file = input.sources.add(name, text);
    let Some(message) = problem else {
        input.known.know(path, file);
        return Some(file);
    };
    input.problems.push(Problem { span: Span::new(file, 0, 0), message });
    None
}
