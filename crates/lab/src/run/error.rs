//! What goes wrong in the lab: the user's mistakes, each a case of its own, and faults with their
//! cause.

use super::failure::FailureKind;
use crate::image;

/// Any error, as the cause of another.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What goes wrong in the lab. `is_input` tells the user's mistakes (exit 2) from faults (exit 3).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the user gave cannot be run.
    #[error(transparent)]
    Input(#[from] Mistake),
    /// The machine, or this tool, did not do what was asked of it.
    #[error("failed to {doing}")]
    Fault { doing: &'static str, source: Cause },
    #[error("running containers needs root")]
    NotRoot,
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    pub fn is_input(&self) -> bool {
        matches!(self, Error::Input(_))
    }

    /// For `map_err`: what was being done when it failed.
    pub(super) fn fault<E: Into<Cause>>(doing: &'static str) -> impl Fn(E) -> Error {
        move |source| Error::Fault { doing, source: source.into() }
    }
}

impl From<image::Error> for Error {
    fn from(error: image::Error) -> Error {
        match error {
            image::Error::Bad { .. } => Error::Input(Mistake::Image(error)),
            image::Error::Io { .. } => Error::Fault { doing: "read an image", source: error.into() },
            image::Error::Interrupted => Error::Interrupted,
        }
    }
}

/// What cannot be run, of a task definition, an image or the exercise. Text of strangers in it is
/// escaped.
#[derive(Debug, thiserror::Error)]
pub enum Mistake {
    #[error("the task definition has no container {0}")]
    NoSuchContainer(String),
    #[error("the task definition has no containers")]
    NoContainers,
    #[error("two containers have the name {0}")]
    SameName(String),
    #[error("the task is for {0}: only Linux containers can be run")]
    NotLinux(String),
    /// `of` is a container by its name, or "a container".
    #[error("{of} has no `{field}`")]
    Missing { of: String, field: &'static str },
    #[error("the `{field}` of {of} is not known ({reason})")]
    NotKnown { of: String, field: &'static str, reason: String },
    #[error("{0} has no `image`; --image gives one")]
    NoImage(String),
    #[error("the image of {container} is not known ({reason}); --image gives one")]
    ImageNotKnown { container: String, reason: String },
    #[error("{0}: the image of this container is not known")]
    NotOpened(String),
    /// What was given for an image is no reference to one.
    #[error("{0}")]
    Reference(String),
    #[error(transparent)]
    Image(image::Error),
    #[error("{name}: {mistake}")]
    Container { name: String, mistake: ContainerMistake },
    #[error("{container} depends on {other}, which is no container of the task")]
    NoDependency { container: String, other: String },
    #[error("{container} waits until {other} is healthy, which has no health check")]
    WaitsForHealth { container: String, other: String },
    #[error("{container} waits until {other} ended, which is essential")]
    WaitsForEssential { container: String, other: String },
    #[error("dependsOn goes in a circle: {}", .0.join(", "))]
    Circle(Vec<String>),
    #[error(transparent)]
    Run(Box<FailedRun>),
}

/// What cannot be run of one container's definition.
#[derive(Debug, thiserror::Error)]
pub enum ContainerMistake {
    #[error("`{field}` is not known ({reason})")]
    NotKnown { field: String, reason: String },
    #[error("healthCheck.command must be [\"CMD\", program, …] or [\"CMD-SHELL\", line]")]
    EmptyHealthCheck,
    #[error("healthCheck.command must begin with CMD, CMD-SHELL or NONE")]
    HealthCheckKind,
    #[error("containerPort {0} is not a port")]
    Port(i64),
    #[error("the {0} has a NUL in it")]
    Nul(&'static str),
    #[error("neither the task definition nor the image says what to run")]
    NoCommand,
    /// Why the image does not have it.
    #[error("{0}")]
    User(String),
    #[error("workingDirectory {0} is not a plain path")]
    WorkingDirectory(String),
    #[error("there is no capability {0}")]
    Capability(String),
    #[error("there is no ulimit {0}")]
    Ulimit(String),
    #[error("the soft limit of {0} is higher than the hard one")]
    SoftLimit(String),
    /// `what` is "mount point" or "tmpfs".
    #[error("a {what} has no containerPath")]
    NoPath { what: &'static str },
    #[error("the mount point {0} has no sourceVolume")]
    NoVolume(String),
    #[error("the mount point {path} names volume {volume}, which is not declared")]
    UndeclaredVolume { path: String, volume: String },
    #[error("the tmpfs {0} needs a size of at least 1 MiB")]
    TmpfsSize(String),
    #[error("the tmpfs {path} has a mount option that ECS does not take: {option}")]
    TmpfsOption { path: String, option: String },
    #[error("{0} is not an absolute path to mount on")]
    NotAbsolute(String),
    #[error("nothing can be mounted on /")]
    OverRoot,
    #[error("two mounts at {0}")]
    SameMount(String),
    #[error("volumesFrom names {0}, which is not run")]
    VolumesFrom(String),
    #[error("dependsOn has no condition {0}")]
    Condition(String),
}

/// A writable run that failed: nothing can be learned from it.
#[derive(Debug)]
pub struct FailedRun {
    /// The container that it is about; `None` for the exercise.
    pub container: Option<String>,
    pub kind: FailureKind,
    /// The last lines of who failed, masked.
    pub output: Vec<String>,
    /// The last lines of the containers, by name, where it was the exercise that failed: it says
    /// what it got, the service why.
    pub others: Vec<(String, Vec<String>)>,
}

impl std::error::Error for FailedRun {}

impl std::fmt::Display for FailedRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.container {
            Some(name) => write!(f, "{name}: {}", self.kind)?,
            None => write!(f, "the exercise does not pass even with a writable root: {}", self.kind)?,
        }
        for line in &self.output {
            write!(f, "\n  {line}")?;
        }
        for (name, lines) in &self.others {
            write!(f, "\n  the last lines of {name}:")?;
            for line in lines {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn a_fault_keeps_its_cause() {
        let io = std::io::Error::from_raw_os_error(libc::ENOSPC);
        let error = Error::fault("make a temporary folder")(io);
        assert_eq!(error.to_string(), "failed to make a temporary folder");
        let cause = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>()).expect("a cause");
        assert_eq!(cause.raw_os_error(), Some(libc::ENOSPC));
        assert!(!error.is_input());
    }

    #[test]
    fn an_image_that_is_bad_is_a_mistake_and_one_that_cannot_be_read_a_fault() {
        let bad = image::Error::Bad { reference: "x".to_owned(), message: "no layers".to_owned() };
        let error = Error::from(bad);
        assert!(error.is_input());
        assert_eq!(error.to_string(), "x: no layers");
        let source = std::io::Error::from_raw_os_error(libc::EIO);
        let error = Error::from(image::Error::Io { reference: "x".to_owned(), doing: "unpacking".to_owned(), source });
        assert!(!error.is_input());
        let causes: Vec<String> =
            std::iter::successors(error.source(), |&cause| cause.source()).map(ToString::to_string).collect();
        assert_eq!(causes, ["x: unpacking", "Input/output error (os error 5)"]);
    }
}
