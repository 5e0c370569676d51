//! What the processes of a run say to each other: the job that the lab writes down for them, and
//! the messages that come back. All of it is JSON, one message a line.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failure::{FailureKind, NotStarted};

/// One run of a task: everything that its processes need to know, decided beforehand.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TaskJob {
    /// Folder of this run alone; goes when the run is over.
    pub folder: PathBuf,
    /// Folder of the whole lab, with a `lock` file that is locked as long as the lab lives.
    pub scratch: PathBuf,
    /// Prefix of the names of this run's cgroups.
    pub cgroup: String,
    pub address: std::net::Ipv4Addr,
    pub containers: Vec<ContainerJob>,
    /// Folders that containers mount, made empty for this run.
    pub volumes: Vec<VolumeJob>,
    pub exercise: Option<ExerciseJob>,
    /// How long the task runs after it is up, beside the exercise.
    pub duration: Duration,
    /// Containers share one IPC namespace (`ipcMode` task or host).
    pub shared_ipc: bool,
    /// Stop by SIGKILL at the end: what a container does when it is stopped is not of interest.
    pub stop_hard: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ExerciseJob {
    pub command: String,
    pub timeout: Duration,
}

/// A volume is a folder of the run, by its place in the list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct VolumeJob {
    /// Permission bits of the folder, which belongs to root, unless it takes after an image's.
    pub mode: u32,
    /// What the folder begins with: the content of a folder of an image, ownership kept.
    pub seed: Option<SeedJob>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SeedJob {
    pub root: PathBuf,
    /// In the container.
    pub path: String,
}

/// One container, with image configuration and task definition merged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ContainerJob {
    pub name: String,
    pub essential: bool,
    /// The unpacked image, which no run changes.
    pub image_root: PathBuf,
    pub args: Vec<String>,
    /// `NAME=value`, each name once.
    pub env: Vec<String>,
    pub working_directory: String,
    pub user: UserJob,
    pub readonly_root: bool,
    pub privileged: bool,
    pub no_new_privileges: bool,
    /// Names such as `CHOWN`.
    pub capabilities: Vec<String>,
    pub hostname: String,
    /// Content of /etc/hosts.
    pub hosts: String,
    /// Tmpfs and volumes, those nearer to the root first.
    pub mounts: Vec<MountJob>,
    pub shared_memory_bytes: u64,
    pub rlimits: Vec<RlimitJob>,
    pub memory_limit_bytes: Option<i64>,
    /// A process of ours is the container's first one: it reaps orphans and passes signals on.
    pub init: bool,
    pub health: Option<HealthJob>,
    /// How long it may take to become healthy, or to listen on its ports.
    pub patience: Duration,
    pub depends_on: Vec<DependencyJob>,
    /// TCP ports that the task definition maps.
    pub ports: Vec<u16>,
    pub stop_signal: i32,
    /// Between the stop signal and SIGKILL.
    pub stop_timeout: Duration,
    /// Values that may stand in no kept line of output.
    pub masked: Vec<String>,
    pub traced: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UserJob {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MountJob {
    /// In the container.
    pub path: String,
    pub what: Mounted,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mounted {
    /// With all its options, size included.
    Tmpfs { options: Vec<String> },
    /// By its place in [`TaskJob::volumes`].
    Volume { index: usize, read_only: bool },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RlimitJob {
    /// `RLIMIT_NOFILE`.
    pub name: String,
    pub soft: u64,
    pub hard: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HealthJob {
    pub args: Vec<String>,
    pub timeout: Duration,
    pub retries: u32,
    pub interval: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DependencyJob {
    /// Place in [`TaskJob::containers`].
    pub container: usize,
    pub condition: Condition,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Condition {
    Start,
    Complete,
    Success,
    Healthy,
}

impl TaskJob {
    pub const FILE: &str = "job.json";

    pub fn read(folder: &std::path::Path) -> std::io::Result<TaskJob> {
        let bytes = std::fs::read(folder.join(TaskJob::FILE))?;
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// Where what belongs to one container of the run lies.
    pub fn container_folder(&self, index: usize) -> PathBuf {
        self.folder.join("containers").join(index.to_string())
    }

    /// The mount point of a container's root in the run's mount namespace.
    pub fn container_root(&self, index: usize) -> PathBuf {
        self.container_folder(index).join("root")
    }

    pub fn volume_folder(&self, index: usize) -> PathBuf {
        self.folder.join("volumes").join(index.to_string())
    }

    /// What the tracers of the run found, a file each.
    pub fn observed_folder(&self) -> PathBuf {
        self.folder.join("observed")
    }

    /// Named pipe on which the processes that run containers report.
    pub fn reports(&self) -> PathBuf {
        self.folder.join("reports")
    }

    /// This program, mounted read-only for the processes that run containers.
    pub fn program(&self) -> PathBuf {
        self.folder.join("program")
    }

    pub fn cgroup_of(&self, index: usize) -> String {
        format!("{}.{index}", self.cgroup)
    }
}

/// From the supervisor to the keeper; the keeper passes all but the request for the exercise on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum FromTask {
    /// Everything is up: run the exercise.
    Ready,
    Ended(TaskOutcome),
    /// The surroundings did not do what was asked of them.
    Fault(String),
}

/// From the keeper to the supervisor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum ToTask {
    Exercised(ExerciseReport),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ExerciseReport {
    /// `None` when it took longer than it may.
    pub exit: Option<i32>,
    pub took: Duration,
    pub output: Vec<String>,
}

/// From the processes that run containers to the supervisor. Short enough that writing one to the
/// pipe is one step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The container's first process by its number in the task's namespace.
    Started {
        container: usize,
        pid: i32,
    },
    Exited {
        container: usize,
        status: i32,
    },
    /// It could not be set up; nothing of it runs.
    NotStarted {
        container: usize,
        why: NotStarted,
    },
    /// A health check ended; `None` when it took longer than it may or could not be run.
    Probed {
        container: usize,
        status: Option<i32>,
        not_started: Option<NotStarted>,
    },
}

/// How a run ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TaskOutcome {
    /// The first thing that went wrong; `None` when the task came up, passed its exercise and ran
    /// until it was stopped.
    pub failure: Option<Failure>,
    pub exercise: Option<ExerciseReport>,
    pub containers: Vec<ContainerOutcome>,
    pub took: Duration,
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failure {
    /// The container it is about; `None` for the exercise and for the task as a whole.
    pub container: Option<usize>,
    pub kind: FailureKind,
    /// Last lines of output that tell more, masked.
    pub output: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ContainerOutcome {
    pub started: bool,
    /// `None` without a health check.
    pub healthy: Option<bool>,
    /// `None` without mapped ports.
    pub listening: Option<bool>,
    /// If it ended by itself: its status, 128 + signal where a signal ended it.
    pub exit: Option<i32>,
    pub ran: Duration,
    /// From its start until it was asked to stop; `None` if it never was.
    pub asked_to_stop: Option<Duration>,
    /// Lines that complain, numbers folded, each with one as it was printed, masked. Bounded.
    pub complaints: std::collections::BTreeMap<String, String>,
    /// From its start until it was healthy, listened, or had settled.
    pub ready_after: Option<Duration>,
    /// Last lines of its output, masked.
    pub output: Vec<String>,
}
