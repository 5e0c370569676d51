//! The members that the reader of task definitions knows are those of RegisterTaskDefinition, which
//! `register-task-definition.txt` lists with their types (ECS API model of 2014-11-13 as of November 2026).

use std::collections::BTreeSet;

use tojimari_model::declared::{Member, TaskDefinition, names};

/// Paths such as `volumes.host.sourcePath` from the indented list.
fn of_the_api() -> BTreeSet<String> {
    let mut above: Vec<(usize, &str)> = Vec::new();
    let mut paths = BTreeSet::new();
    for line in include_str!("register-task-definition.txt").lines() {
        let depth = line.len() - line.trim_start().len();
        let Some((name, _)) = line.trim_start().strip_prefix("- ").and_then(|line| line.split_once(':')) else {
            continue;
        };
        above.retain(|(other, _)| *other < depth);
        above.push((depth, name.trim_end_matches('*')));
        let names: Vec<&str> = above.iter().map(|(_, name)| *name).collect();
        paths.insert(names.join("."));
    }
    paths
}

fn of_the_reader(members: &[Member], above: &str, paths: &mut BTreeSet<String>) {
    for member in members {
        let path = format!("{above}{}", member.name);
        of_the_reader(&member.members, &format!("{path}."), paths);
        paths.insert(path);
    }
}

#[test]
fn the_reader_knows_every_member_of_the_api_and_no_other() {
    let api = of_the_api();
    let mut read = BTreeSet::new();
    of_the_reader(TaskDefinition::members(), "", &mut read);
    assert!(api.len() > 150, "{}", api.len());
    assert_eq!(api.difference(&read).collect::<Vec<_>>(), Vec::<&String>::new(), "not known");
    assert_eq!(read.difference(&api).collect::<Vec<_>>(), Vec::<&String>::new(), "not of the API");
}

#[test]
fn names_that_are_the_users_own_are_no_members() {
    let names = names(TaskDefinition::members());
    for known in ["sharingStrategy", "nvidiaMps", "trustedExecutionConfiguration", "key", "readonlyRootFilesystem"] {
        assert!(names.contains(&known), "{known}");
    }
    assert!(!names.contains(&"device") && !names.contains(&"o"), "options of Docker's driver");
}
