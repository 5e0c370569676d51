//! What a write needs: the folder that must be writable for it. A directory entry that comes, goes
//! or changes its name needs its parent; a change to what an existing directory is (its mode, owner
//! or times) needs the directory itself; ECS mounts folders only, so a file needs its parent.

use std::collections::BTreeSet;

use tojimari_ecs::path::parent;
use tojimari_evidence::profile::{ContainerProfile, FileKind, Operation, PathProfile};

/// One path of the profile whose writes would fail on a read-only root.
pub(super) struct Need<'a> {
    pub path: &'a PathProfile,
    operations: BTreeSet<Operation>,
    /// The topmost folder on the way to the path that a program made, the path itself included.
    made: Option<&'a str>,
}

pub(super) fn of(observed: &ContainerProfile) -> Vec<Need<'_>> {
    let breaking = || observed.paths.iter().filter(|path| path.mount == "/" && path.path != "/");
    let made: BTreeSet<&str> = breaking()
        .filter(|path| !path.existed_in_image && breaks(path, Operation::Mkdir))
        .map(|path| path.path.as_str())
        .collect();
    breaking()
        .map(|path| Need {
            path,
            operations: path.operations.iter().filter(|op| op.would_break).map(|op| op.operation).collect(),
            made: topmost_made(&path.path, &made),
        })
        .filter(|need| !need.operations.is_empty() && !need.operations.iter().all(|op| *op == Operation::Mount))
        .collect()
}

fn breaks(path: &PathProfile, operation: Operation) -> bool {
    path.operations.iter().any(|op| op.operation == operation && op.would_break)
}

fn topmost_made<'a>(path: &str, made: &BTreeSet<&'a str>) -> Option<&'a str> {
    let ends = path.match_indices('/').map(|(at, _)| at).skip(1).chain([path.len()]);
    ends.filter_map(|end| made.get(&path[..end])).copied().next()
}

/// Whether the program called mkdir for a folder that it may have found there already.
pub(super) fn tried_to_make(observed: &ContainerProfile, folder: &str) -> bool {
    observed
        .paths
        .iter()
        .any(|path| path.path == folder && path.operations.iter().any(|op| op.operation == Operation::Mkdir))
}

impl Need<'_> {
    /// The folder that has to be writable.
    pub fn folder(&self) -> &str {
        let entry_changes = self.operations.iter().any(|operation| {
            !matches!(
                operation,
                Operation::Chmod
                    | Operation::Chown
                    | Operation::SetTimes
                    | Operation::SetXattr
                    | Operation::RemoveXattr
                    | Operation::SetFlags
                    | Operation::AccessWrite
                    | Operation::Mount
            )
        });
        if self.path.kind == FileKind::Directory && !entry_changes { &self.path.path } else { parent(&self.path.path) }
    }

    pub fn made_folder(&self) -> Option<&str> {
        self.made
    }

    /// Nothing is written: `access` with W_OK alone.
    pub fn only_asks(&self) -> bool {
        self.operations.iter().all(|operation| *operation == Operation::AccessWrite)
    }

    /// A file of the image that is made anew or emptied: hiding what the image has loses nothing.
    pub fn rewrites(&self) -> bool {
        self.operations.iter().any(|operation| {
            matches!(operation, Operation::Create | Operation::Truncate | Operation::RenameTo | Operation::Unlink)
        })
    }

    /// "`/run/nginx.pid`: create, open-write by /usr/sbin/nginx, first after 0.02 s".
    pub fn sentence(&self) -> String {
        let operations: Vec<String> = self.operations.iter().map(ToString::to_string).collect();
        let mut sentence = format!("{}: {}", self.path.path, operations.join(", "));
        if let Some(program) = self.path.programs.first() {
            sentence.push_str(&format!(" by {program}"));
        }
        if self.path.programs.len() > 1 {
            sentence.push_str(&format!(" and {} more", self.path.programs.len() - 1));
        }
        sentence.push_str(&format!(", first after {:.2} s", self.path.first_seconds));
        if !self.path.present_at_end {
            sentence.push_str(", gone at the end");
        }
        sentence
    }
}
