//! What tojimari does with files, without a command line: files are read and judged, failures
//! accepted, remedies and plans written, tasks hardened. Prints nothing.

pub mod accept;
pub mod config;
pub mod document;
pub mod edits;
mod error;
pub mod files;
#[cfg(all(feature = "lab", target_os = "linux"))]
pub mod folder;
#[cfg(all(feature = "lab", target_os = "linux"))]
pub mod harden;
pub mod images;
pub mod input;
pub mod judge;
pub mod nothing;
pub mod report;
pub mod tag;
pub mod task;

pub use error::{Error, Result};
#[cfg(all(feature = "lab", target_os = "linux"))]
pub use tojimari_lab::Progress;
