//! A write profile: which paths matter, what was done to them, by whom and when.

use tojimari_evidence::profile::{ContainerProfile, PathProfile, Profile};

use super::columns::{columns, harmless};

/// The most paths of one container that are listed; the rest is counted. `profile.json` has all.
const SHOWN: usize = 40;

pub fn profile(profile: &Profile) -> String {
    let mut text = String::new();
    for container in &profile.containers {
        text.push_str(&one(container));
    }
    if let Some(exercise) = &profile.exercise {
        text.push_str(&format!("exercise passed in {:.1} s: {}\n", exercise.seconds, harmless(&exercise.command)));
    }
    for note in &profile.notes {
        text.push_str(&format!("note: {}\n", harmless(note)));
    }
    text
}

fn one(container: &ContainerProfile) -> String {
    let matter: Vec<&PathProfile> = container
        .paths
        .iter()
        .filter(|path| path.mount == "/" && path.operations.iter().any(|op| op.would_break))
        .collect();
    let mut text = format!(
        "{} ({}, user {}, {:.1} s): {} would break on a read-only root\n",
        harmless(&container.name),
        harmless(&container.image.reference),
        harmless(&container.user),
        container.duration_seconds,
        counted(matter.len(), "path"),
    );
    let rows: Vec<Vec<String>> = matter.iter().take(SHOWN).map(|path| row(path)).collect();
    text.push_str(&columns(&rows, 2));
    if matter.len() > SHOWN {
        text.push_str(&format!("  and {} more\n", counted(matter.len() - SHOWN, "path")));
    }
    text
}

fn row(path: &PathProfile) -> Vec<String> {
    let operations: Vec<String> =
        path.operations.iter().filter(|op| op.would_break).map(|op| op.operation.to_string()).collect();
    let mut when = format!("{:.2} s", path.first_seconds);
    if !path.present_at_end {
        when.push_str(", gone at the end");
    }
    vec![
        harmless(&path.path),
        operations.join(","),
        path.programs.first().map(|program| harmless(program)).unwrap_or_default(),
        when,
    ]
}

/// `1 path`, `2 paths`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
