//! Names: members that the API does not have, and names of resources that are out of bounds.

use std::sync::LazyLock;

use tojimari_model::Field;
use tojimari_model::declared::{TaskDefinition, TaskKind, names};

use super::{About, Notes, containers};

/// Members of RegisterTaskDefinition at any depth, to tell what was meant.
static MEMBERS: LazyLock<Vec<&str>> = LazyLock::new(|| names(TaskDefinition::members()));

pub fn look(task: &TaskDefinition, notes: &mut Notes) {
    let api = match task.kind {
        TaskKind::DaemonTaskDefinition => "RegisterDaemonTaskDefinition",
        _ => "RegisterTaskDefinition",
    };
    for (name, span) in &task.unexpected {
        // What the log driver of a daemon writes to is a volume of its own kind.
        if task.kind == TaskKind::DaemonTaskDefinition && name == "logDriverVolumeConfiguration" {
            continue;
        }
        let inside =
            |whole: tojimari_text::Span| whole.file == span.file && whole.start <= span.start && span.end <= whole.end;
        let about: About = containers(task).find(|(_, container)| inside(container.span)).and_then(|(about, _)| about);
        let meant = meant(name).map(|meant| format!(": is {meant} meant?")).unwrap_or_default();
        let said = match task.by_terraform {
            true => format!("ECS has no {name} here, and Terraform's provider leaves it out without a word{meant}"),
            false => format!("{api} has no {name} here{meant}"),
        };
        notes.refuse(about, *span, said);
    }
    bounds(None, "the family", &task.family, notes);
    let mut seen: Vec<&str> = Vec::new();
    for (about, container) in containers(task) {
        bounds(about, "the container name", &container.name, notes);
        if let Field::Known(name, span) = &container.name {
            if seen.contains(&name.as_str()) {
                notes.refuse(about, *span, format!("two containers are called {name}"));
            }
            seen.push(name);
        }
    }
    let mut seen: Vec<&str> = Vec::new();
    for volume in &task.volumes {
        bounds(None, "the volume name", &volume.name, notes);
        if let Field::Known(name, span) = &volume.name {
            if seen.contains(&name.as_str()) {
                notes.refuse(None, *span, format!("two volumes are called {name}"));
            }
            seen.push(name);
        }
    }
}

/// Up to 255 letters, digits, underscores and hyphens.
fn bounds(about: About, what: &str, name: &Field<String>, notes: &mut Notes) {
    let Field::Known(name, span) = name else { return };
    // A mark that some tool replaces before the file is sent: `$NAME`, `<name>`, `{{ name }}`.
    if name.contains(['$', '<', '{', '%']) {
        return;
    }
    if name.is_empty() || name.len() > 255 {
        notes.refuse(about, *span, format!("{what} must have 1 to 255 characters"));
    } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
        notes.refuse(about, *span, format!("{what} takes letters, digits, underscores and hyphens only"));
    }
}

/// The member that differs least, by no more than a third of its letters.
fn meant(name: &str) -> Option<&'static str> {
    if name.len() > 64 {
        return None;
    }
    let lower = name.to_ascii_lowercase().replace(['_', '-'], "");
    let near = MEMBERS.iter().filter(|member| **member != name);
    let (distance, member) = near
        .map(|member| (distance(&lower, &member.to_ascii_lowercase()), *member))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= (member.len() / 3).min(3)).then_some(member)
}

/// How many letters must be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::meant;

    #[test]
    fn a_slip_of_the_pen_is_known() {
        for (name, member) in [
            ("privilege", Some("privileged")),
            ("readOnlyRootFilesystem", Some("readonlyRootFilesystem")),
            ("readonly_root_filesystem", Some("readonlyRootFilesystem")),
            ("enviroment", Some("environment")),
            ("Image", Some("image")),
            ("sharingStrategies", Some("sharingStrategy")),
            ("x", None),
            ("somethingElse", None),
        ] {
            assert_eq!(meant(name), member, "{name}");
        }
    }
}
