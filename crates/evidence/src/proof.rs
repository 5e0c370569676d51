//! What was proven: the outcome of running a task definition with its root read-only (`proof.json`).

use serde::{Deserialize, Serialize};

use crate::profile::Operation;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Proof {
    #[cfg_attr(feature = "schema", schemars(extend("const" = 2)))]
    pub version: u32,
    pub verdict: Verdict,
    pub containers: Vec<ContainerProof>,
    /// In what the read-only run was not the same as the writable one.
    #[serde(default)]
    pub differences: Vec<Difference>,
    /// In which way the proof is weaker than it looks: no exercise, no health check, a feature
    /// of the platform that cannot be reproduced here.
    #[serde(default)]
    pub notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The same behaviour as with a writable root, shown by an exercise.
    Holds,
    /// It runs and passes what was asked of it, and does something else than with a writable root.
    Differs,
    /// It starts and does the same, and nothing was exercised.
    Starts,
    Fails,
}

impl Verdict {
    /// Nothing speaks against the read-only root, however much was shown.
    pub fn is_same(self) -> bool {
        matches!(self, Verdict::Holds | Verdict::Starts)
    }
}

/// One thing that a container did otherwise than with a writable root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Difference {
    /// The same in each run: `web/did-not-run//usr/bin/python3`.
    pub id: String,
    pub container: String,
    pub message: String,
    /// A person said that it does not matter.
    pub accepted: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContainerProof {
    pub name: String,
    pub started: bool,
    /// `null` without a health check.
    pub healthy: Option<bool>,
    /// `null` without an exercise.
    pub exercise_exit: Option<i32>,
    /// Exit status if it ended by itself, 128 + signal where a signal ended it; `null` if it
    /// ran until it was stopped.
    pub exit: Option<i32>,
    pub denied: Vec<DeniedWrite>,
    /// Last lines of its output, where it failed. Values of environment variables are masked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeniedWrite {
    pub path: String,
    pub operation: Operation,
    pub program: String,
    /// The service started, is healthy and passed its exercise without this write.
    pub tolerated: bool,
}
