//! What a person decides of a plan.

use tojimari_ecs::path::trim_slash;

/// What a person may decide for the plan.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Folders that may be mounted although they hold programs, or are otherwise refused.
    pub allow: Vec<String>,
    /// ECS Exec is on: the two folders of its agent are made writable.
    pub exec: bool,
    /// What to take where both would do.
    pub prefer: Prefer,
    /// The task gets the memory that the tmpfs mounts may take, instead of a note about it.
    pub raise_memory: bool,
    /// A file of the image that is written anew counts as content that has to be kept: the program
    /// may have read it before (`sed -i`), which the profile does not tell.
    pub keep_content: bool,
}

impl Options {
    /// A person allows a mount on that folder.
    pub(super) fn allows(&self, folder: &str) -> bool {
        self.allow.iter().any(|allowed| trim_slash(allowed) == folder)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Prefer {
    #[default]
    Tmpfs,
    Volume,
    /// A `VOLUME` in the Dockerfile, with a folder of the right owner: the volume gets both.
    Dockerfile,
    /// A folder of this file system: what is written outlives the task, and tasks share it.
    Efs(String),
}
