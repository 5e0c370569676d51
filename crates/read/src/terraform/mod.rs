//! Terraform and OpenTofu: the configuration of a folder, with all the modules that it calls,
//! evaluated as far as the files tell, and what it declares of ECS and ECR.

mod config;
mod decimal;
mod evaluate;
mod functions;
mod given;
mod handed;
mod json_text;
mod known;
mod module;
pub mod plan;
mod policy;
mod repeat;
mod resource;
mod schema;
#[cfg(test)]
mod tests;
mod text;
mod types;
mod value;

use std::collections::{BTreeMap, HashMap};

use tojimari_text::hcl::Block;
use tojimari_text::{FileId, Sources, Span};

use super::{Files, Read, Resources};
use module::Evaluator;

pub use config::is_configuration;
pub(crate) use given::values;

/// Words of which every configuration has one that declares, or may call what declares, something of
/// ours.
const WORDS: [&str; 3] = ["aws_ec", "awscc_ec", "module"];

/// Of these configurations those of each folder that may declare something of ours: each is a root
/// module, as long as no other one calls it.
pub fn units(sources: &Sources, files: &[FileId]) -> Vec<Vec<FileId>> {
    let mut folders: BTreeMap<String, (bool, Vec<FileId>)> = BTreeMap::new();
    for &file in files {
        let source = sources.get(file);
        let (ours, files) = folders.entry(folder_of(&source.name).to_owned()).or_default();
        *ours |= WORDS.iter().any(|word| source.text.contains(word));
        files.push(file);
    }
    folders.into_values().filter(|(ours, _)| *ours).map(|(_, files)| files).collect()
}

/// Reads files of one folder as a root module. Other files of the folder are only looked things up
/// in: what they declare is not told.
pub fn read(files: &[FileId], sources: &Sources, loader: &dyn Files) -> Read {
    let Some(first) = files.first() else { return Read::default() };
    let name = sources.get(*first).name.clone();
    let folder = folder_of(&name);
    let mut evaluator = Evaluator::new(sources, loader);
    let config = evaluator.config(folder, files);
    evaluator.root_module(config, HashMap::new());
    evaluator.load_values(folder);
    let mut resources = Resources::default();
    let asked = |span: Span| files.contains(&span.file);
    evaluator.declare(0, &mut resources, &asked);
    evaluator.declare_untaken(&mut resources, &asked);
    if evaluator.is_exhausted() {
        evaluator.problem_once(Span::new(*first, 0, 0), "too much to evaluate: what is left of it is unknown");
    }
    // What is not ours may be as broken as it likes.
    let ours = files.iter().any(|file| sources.get(*file).text.contains("aws_ec"));
    let declares = !resources.is_empty();
    let mut idle = std::mem::take(&mut evaluator.idle);
    idle.sort_unstable();
    idle.dedup();
    // One instance of a module may have what another lacks.
    idle.retain(|span| !resources.have(*span));
    let (stack, problems) = resources.finish();
    if !declares && !ours {
        return Read::default();
    }
    let problems = evaluator.problems.into_iter().chain(problems).collect();
    evaluator.claimed.sort_unstable();
    evaluator.claimed.dedup();
    Read { stacks: vec![stack], problems, claimed: evaluator.claimed, idle, ..Read::default() }
}

fn folder_of(name: &str) -> &str {
    name.rfind('/').map_or("", |end| &name[..end])
}

impl Evaluator<'_> {
    /// Whether what a call makes may declare something of ours.
    fn may_declare(&mut self, module: usize, block: &Block) -> bool {
        match self.source(module, block) {
            Ok((config, ..)) => self.config_may_declare(&config, 0),
            Err(_) => false,
        }
    }
}
