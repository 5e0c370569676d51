//! What the processes of a run do, and the command that starts one: this same program under a
//! hidden first argument.

use std::path::Path;
use std::process::Command;

use super::job::TaskJob;

/// The first argument of every process of a run.
pub(super) const ARGUMENT: &str = "__runner";

/// What a process of a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Owns the run, and cleans up after it.
    Keeper,
    /// Becomes the exercise.
    Exercise,
    /// The first process of the task's PID namespace: starts, watches and stops the containers.
    Supervisor,
    /// Sets up one container and waits for its end.
    Container { container: usize },
    /// Runs one health check in a container.
    Probe { container: usize, number: u32 },
}

/// Before the words of a role that is run by way of a tracer.
pub(super) const WATCH: &str = "watch";

impl Role {
    fn words(self) -> Vec<String> {
        match self {
            Role::Keeper => vec!["keep".into()],
            Role::Exercise => vec!["exercise".into()],
            Role::Supervisor => vec!["supervise".into()],
            Role::Container { container } => vec!["container".into(), container.to_string()],
            Role::Probe { container, number } => vec!["probe".into(), container.to_string(), number.to_string()],
        }
    }

    pub fn from_words(words: &[&str]) -> Option<Role> {
        Some(match words {
            ["keep"] => Role::Keeper,
            ["exercise"] => Role::Exercise,
            ["supervise"] => Role::Supervisor,
            ["container", container] => Role::Container { container: container.parse().ok()? },
            ["probe", container, number] => {
                Role::Probe { container: container.parse().ok()?, number: number.parse().ok()? }
            }
            _ => return None,
        })
    }
}

/// `program` started as a process of the run in `folder`.
pub(super) fn command(program: &Path, role: Role, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(ARGUMENT).arg(folder).args(role.words());
    command
}

/// A process that runs something in a container: by way of a tracer, where the container is traced.
pub(super) fn watched(job: &TaskJob, index: usize, role: Role) -> Command {
    let program = job.program();
    if !job.containers[index].traced {
        return command(&program, role, &job.folder);
    }
    let mut command = Command::new(&program);
    command.arg(ARGUMENT).arg(&job.folder).arg(WATCH).args(role.words());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_survive_the_command_line() {
        let container = 3;
        let all = [Role::Keeper, Role::Exercise, Role::Supervisor, Role::Container { container }];
        for role in all.into_iter().chain([Role::Probe { container, number: 7 }]) {
            let words = role.words();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            assert_eq!(Role::from_words(&words), Some(role));
        }
    }
}
