//! In which ways a run fails, as values that its processes tell each other; the words of each stand
//! beside it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What was the first to go wrong in a run: of one container, or of the exercise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum FailureKind {
    #[error("cannot start: {}", .why.message(.program))]
    CannotStart { program: String, why: NotStarted },
    #[error("cannot be set up within {} s", .within.as_secs())]
    SetUpTooLong { within: Duration },
    /// How the process that runs the container ended.
    #[error("the process that runs it ended: {0}")]
    RunnerEnded(String),
    /// `status` is 128 + signal where a signal ended it.
    #[error("ended by itself with status {status} after {:.1} s", .after.as_secs_f64())]
    Ended { status: i32, after: Duration },
    #[error("did not become healthy within {:.0} s", .within.as_secs_f64())]
    NotHealthy { within: Duration },
    #[error("was healthy and is not any more")]
    NotHealthyAnyMore,
    #[error("waits for the success of {other}, which ended with status {status}")]
    WaitsForSuccess { other: String, status: i32 },
    #[error("waits until {other} is healthy, which ended with status {status}")]
    WaitsForHealth { other: String, status: i32 },
    #[error("waits for the end of {other}, which still runs after {} s", .within.as_secs())]
    WaitsForEnd { other: String, within: Duration },
    #[error("the exercise ended with status {status} after {:.1} s", .after.as_secs_f64())]
    ExerciseEnded { status: i32, after: Duration },
    #[error("the exercise did not end within {:.0} s", .after.as_secs_f64())]
    ExerciseTooLong { after: Duration },
}

impl FailureKind {
    /// Whether the run could not be tried: nothing of this has to do with a read-only root.
    pub fn is_fault(&self) -> bool {
        matches!(
            self,
            FailureKind::CannotStart { why: NotStarted::Fault(_), .. }
                | FailureKind::SetUpTooLong { .. }
                | FailureKind::RunnerEnded(_)
        )
    }
}

/// Why a container or a health check could not be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotStarted {
    /// The image or the task definition asks for what cannot be: a program that does not exist.
    Input(CannotRun),
    Fault(String),
}

/// What is wrong with what an image or a task definition asks for. The name of the program is in
/// the job: a message of this says nothing that a container could have written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CannotRun {
    #[error("there is no command")]
    NoCommand,
    #[error("no such file in the image")]
    NoSuchFile,
    #[error("not found in PATH")]
    NotInPath,
    #[error("is a folder")]
    Folder,
    #[error("is not executable")]
    NotExecutable,
    #[error("permission denied")]
    PermissionDenied,
    /// The kernel refused to execute it, with this error number.
    #[error("{}", std::io::Error::from_raw_os_error(*.0))]
    Refused(i32),
    /// The runtime mounts on a folder of this name in the root.
    #[error("the image has no folder at /{0} but something else")]
    InTheWay(String),
    #[error("the working directory {path} cannot be: {}", std::io::Error::from_raw_os_error(*.errno))]
    WorkingDirectory { path: String, errno: i32 },
}

impl NotStarted {
    /// In words; `program` is what was to be run.
    pub(super) fn message(&self, program: &str) -> String {
        match self {
            NotStarted::Fault(what) => what.clone(),
            NotStarted::Input(why) => match why {
                CannotRun::NoCommand | CannotRun::InTheWay(_) | CannotRun::WorkingDirectory { .. } => why.to_string(),
                _ => format!("`{program}`: {why}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_run_is_told_with_its_name() {
        let told = |why| FailureKind::CannotStart { program: "nginx".to_owned(), why };
        let input = |why| told(NotStarted::Input(why));
        for (kind, message, fault) in [
            (input(CannotRun::NotInPath), "cannot start: `nginx`: not found in PATH", false),
            (
                input(CannotRun::Refused(libc::ENOENT)),
                "cannot start: `nginx`: No such file or directory (os error 2)",
                false,
            ),
            (
                input(CannotRun::InTheWay("dev".to_owned())),
                "cannot start: the image has no folder at /dev but something else",
                false,
            ),
            (
                input(CannotRun::WorkingDirectory { path: "/app".to_owned(), errno: libc::ENOTDIR }),
                "cannot start: the working directory /app cannot be: Not a directory (os error 20)",
                false,
            ),
            (told(NotStarted::Fault("no cgroup".to_owned())), "cannot start: no cgroup", true),
            (FailureKind::SetUpTooLong { within: Duration::from_secs(60) }, "cannot be set up within 60 s", true),
        ] {
            assert_eq!((kind.to_string().as_str(), kind.is_fault()), (message, fault));
        }
    }
}
