//! What one tracer saw, as it is handed on to whoever makes a profile of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tojimari_evidence::profile::{FileKind, Operation};
use tojimari_tracer::Report;

/// What one tracer saw of a program and its descendants.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Recording {
    /// Since the epoch: when the program began that `first` and `last` count from. `None` if
    /// nothing was recorded.
    pub began: Option<Duration>,
    /// Sorted by path and mount.
    pub paths: Vec<RecordedPath>,
    /// Events on paths beyond those that are kept.
    pub left_out: u64,
    /// Sorted by chain.
    pub programs: Vec<RecordedProgram>,
    /// Ends of programs beyond the chains that are kept.
    pub programs_left_out: u64,
    pub report: Report,
}

/// What became of a program, each time that it was started in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedProgram {
    /// The executables that led to it and it, the last one.
    pub chain: Vec<String>,
    /// By exit status: the code, or 128 plus the signal.
    pub exits: BTreeMap<i32, Exits>,
}

/// The ends of a program with one status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exits {
    pub count: u64,
    /// When it first ended so, since the recording began.
    pub first: Duration,
}

/// What was done to one path.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedPath {
    /// Absolute in the program's root. Bytes that are not UTF-8 are escaped `\xNN`.
    pub path: String,
    /// Mount point that it lies on: `/` for the root file system.
    pub mount: String,
    pub operations: BTreeMap<Operation, Seen>,
    pub first: Duration,
    pub last: Duration,
    /// The executables that did it.
    pub programs: BTreeSet<String>,
    pub kind: FileKind,
    /// The most that the file was seen to hold.
    pub bytes: u64,
    pub present_at_end: bool,
    /// What was refused because the root was read-only, and whom.
    pub denied: BTreeSet<(Operation, String)>,
}

/// How often one thing was done, and how it went.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Seen {
    pub count: u64,
    /// The error numbers of calls that failed.
    pub failed: BTreeSet<i32>,
    /// Whether a call that did not fail here would on a read-only root.
    pub would_break: bool,
}

impl RecordedPath {
    /// Takes in what another recording has of the same path.
    pub(crate) fn add(&mut self, other: RecordedPath) {
        for (operation, seen) in other.operations {
            let known = self.operations.entry(operation).or_default();
            known.count += seen.count;
            known.failed.extend(seen.failed);
            known.would_break |= seen.would_break;
        }
        // What is there at the end is told by who looked last.
        if other.last >= self.last {
            self.present_at_end = other.present_at_end;
            if other.kind != FileKind::Unknown {
                self.kind = other.kind;
            }
        }
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.programs.extend(other.programs);
        self.bytes = self.bytes.max(other.bytes);
        self.denied.extend(other.denied);
    }
}
