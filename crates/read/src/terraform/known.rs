//! Modules of the public registry that people really use, each written down as a configuration of
//! its own with the inputs and defaults of the real one, so that what they make is known without
//! their source. Source of the defaults: the repositories of the modules, at the versions named.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use tojimari_text::{FileId, hcl};

use super::config::Config;
use super::module::clean;

/// Folders of the configurations below begin with this; no path of a user's does.
pub const FOLDER: &str = "\0known/";

/// One configuration: where it lies among the others, and what it says.
struct Known {
    folder: &'static str,
    text: &'static str,
}

const fn known(folder: &'static str, text: &'static str) -> Known {
    Known { folder, text }
}

const ALL: &[Known] = &[
    known("ecs/4", include_str!("known/ecs/v4.tf")),
    known("ecs/5", include_str!("known/ecs/v5.tf")),
    known("ecs/5/modules/cluster", include_str!("known/ecs/v5_cluster.tf")),
    known("ecs/5/modules/service", include_str!("known/ecs/v5_service.tf")),
    known("ecs/5/modules/container-definition", include_str!("known/ecs/v5_container_definition.tf")),
    known("ecs/6", include_str!("known/ecs/v6.tf")),
    known("ecs/6/modules/cluster", include_str!("known/ecs/v6_cluster.tf")),
    known("ecs/6/modules/service", include_str!("known/ecs/v6_service.tf")),
    known("ecs/6/modules/container-definition", include_str!("known/ecs/v6_container_definition.tf")),
    known("ecs/7", include_str!("known/ecs/v6.tf")),
    known("ecs/7/modules/cluster", include_str!("known/ecs/v7_cluster.tf")),
    known("ecs/7/modules/service", include_str!("known/ecs/v6_service.tf")),
    known("ecs/7/modules/container-definition", include_str!("known/ecs/v6_container_definition.tf")),
    known("ecs-container-definition/0", include_str!("known/cloudposse/container_definition.tf")),
    known("ecs-alb-service-task/0", include_str!("known/cloudposse/service_task.tf")),
    known("null-label/0", include_str!("known/cloudposse/label.tf")),
];

/// A module: how the registry and GitHub name it, the folder of its configurations, and for which
/// major versions there are such, the newest last.
struct Module {
    registry: &'static str,
    repository: &'static str,
    folder: &'static str,
    majors: &'static [u64],
}

const MODULES: &[Module] = &[
    Module {
        registry: "terraform-aws-modules/ecs/aws",
        repository: "terraform-aws-modules/terraform-aws-ecs",
        folder: "ecs",
        majors: &[4, 5, 6, 7],
    },
    Module {
        registry: "cloudposse/ecs-container-definition/aws",
        repository: "cloudposse/terraform-aws-ecs-container-definition",
        folder: "ecs-container-definition",
        majors: &[0],
    },
    Module {
        registry: "cloudposse/ecs-alb-service-task/aws",
        repository: "cloudposse/terraform-aws-ecs-alb-service-task",
        folder: "ecs-alb-service-task",
        majors: &[0],
    },
    Module {
        registry: "cloudposse/label/null",
        repository: "cloudposse/terraform-null-label",
        folder: "null-label",
        majors: &[0],
    },
];

/// Files of the texts above count down from here; a user's count up from zero.
const LAST_FILE: u32 = u32::MAX;

/// The text of such a file.
pub fn text(file: FileId) -> Option<&'static str> {
    let index = LAST_FILE.checked_sub(file.0)? as usize;
    ALL.get(index).map(|known| known.text)
}

/// The configuration in one of these folders.
pub fn local(folder: &str) -> Option<Arc<Config>> {
    static READ: OnceLock<HashMap<&'static str, Arc<Config>>> = OnceLock::new();
    let all = READ.get_or_init(|| {
        ALL.iter()
            .enumerate()
            .map(|(index, known)| {
                let file = FileId(LAST_FILE - index as u32);
                let (body, _) = hcl::read(file, known.text);
                let config = Config::new(format!("{FOLDER}{}", known.folder), vec![(file, false, body)]);
                (known.folder, Arc::new(Config { files: vec![file], ..config }))
            })
            .collect()
    });
    all.get(folder).cloned()
}

/// The configuration that stands for a source of the registry, or of GitHub, at a version.
pub fn find(source: &str, version: Option<&str>) -> Option<Arc<Config>> {
    let (source, query) = source.split_once('?').unwrap_or((source, ""));
    let reference = query.split('&').find_map(|part| part.strip_prefix("ref="));
    let source = source.strip_prefix("git::").unwrap_or(source);
    // `//` parts the module from a folder within it; behind a scheme it does not.
    let after_scheme = source.find("://").map_or(0, |at| at + 3);
    let (name, inner) = match source[after_scheme..].find("//") {
        Some(at) => (&source[..after_scheme + at], &source[after_scheme + at + 2..]),
        None => (source, ""),
    };
    let name = name.strip_suffix(".git").unwrap_or(name);
    let is = |whole: &str| name == whole || name.strip_suffix(whole).is_some_and(|before| before.ends_with(['/', ':']));
    let module = MODULES.iter().find(|module| is(module.registry) || is(module.repository))?;
    let constraint = version.or(reference);
    let major = module.majors.iter().rev().find(|major| constraint.is_none_or(|given| allows(given, **major)))?;
    local(&clean(&format!("{}/{major}/{inner}", module.folder)))
}

/// Whether constraints such as `~> 5.0, != 5.2.1` or `v5.2.0` leave room for a major version.
fn allows(constraints: &str, major: u64) -> bool {
    constraints.split(',').all(|constraint| {
        let constraint = constraint.trim();
        let version = constraint.trim_start_matches(|c: char| "<>=!~ v".contains(c));
        let operator = constraint[..constraint.len() - version.len()].trim_end_matches(['v', ' ']);
        let mut numbers = version.split('.').map(|part| part.parse::<u64>().ok());
        let Some(Some(first)) = numbers.next() else {
            // A branch or a commit: the newest is as good a guess as any.
            return true;
        };
        let rest_is_zero = numbers.clone().all(|part| part == Some(0));
        let parts = version.split('.').count();
        match operator {
            "" | "=" => major == first,
            "!=" => true,
            ">" | ">=" => major >= first,
            "<=" => major <= first,
            "<" => major < first || (major == first && !rest_is_zero),
            "~>" if parts == 1 => major >= first,
            _ => major == first,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_configuration_reads_without_a_problem() {
        for (index, known) in ALL.iter().enumerate() {
            let (_, problems) = hcl::read(FileId(LAST_FILE - index as u32), known.text);
            assert!(problems.is_empty(), "{}: {problems:?}", known.folder);
        }
    }

    #[test]
    fn sources_and_versions_choose_a_configuration() {
        for (source, version, folder) in [
            ("terraform-aws-modules/ecs/aws", Some("~> 5.0"), Some("ecs/5")),
            ("terraform-aws-modules/ecs/aws", Some("5.12.1"), Some("ecs/5")),
            ("terraform-aws-modules/ecs/aws", Some(">= 4.0, < 6.0"), Some("ecs/5")),
            ("terraform-aws-modules/ecs/aws", Some("< 6.0.0"), Some("ecs/5")),
            ("terraform-aws-modules/ecs/aws", None, Some("ecs/7")),
            ("terraform-aws-modules/ecs/aws", Some("~> 3.0"), None),
            ("registry.terraform.io/terraform-aws-modules/ecs/aws", Some("~> 6.1"), Some("ecs/6")),
            ("terraform-aws-modules/ecs/aws//modules/service", Some("6.0"), Some("ecs/6/modules/service")),
            ("terraform-aws-modules/ecs/aws//modules/express-service", Some("7.0"), None),
            (
                "git::https://github.com/terraform-aws-modules/terraform-aws-ecs.git//modules/cluster?ref=v5.2.0",
                None,
                Some("ecs/5/modules/cluster"),
            ),
            ("github.com/cloudposse/terraform-aws-ecs-container-definition", None, Some("ecs-container-definition/0")),
            ("cloudposse/ecs-container-definition/aws", Some("0.58.1"), Some("ecs-container-definition/0")),
            ("cloudposse/ecs-alb-service-task/aws", None, Some("ecs-alb-service-task/0")),
            ("cloudposse/label/null", Some("0.25.0"), Some("null-label/0")),
            ("someone/ecs/aws", None, None),
            ("not-terraform-aws-modules/ecs/aws", None, None),
        ] {
            let found = find(source, version);
            let found = found.as_ref().map(|config| config.folder.trim_start_matches(FOLDER));
            assert_eq!(found, folder, "{source} {version:?}");
        }
    }
}
