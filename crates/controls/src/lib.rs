//! The rules, one file each: pure functions over the model. No I/O, no configuration, no format knowledge.

mod baseline;
#[cfg(test)]
mod cases;
mod control;
mod custom;
mod evaluate;
mod exec;
mod host;
mod image;
mod key;
mod mounts;
mod network;
mod page;
mod plaintext;
mod platform;
mod policy;
mod programs;
mod registration;
mod registry;
mod rules;
mod search;
mod secret;
mod settings;
mod subject;
mod tags;
mod user;
mod verdict;
pub mod waiver;
mod watch;

pub use baseline::{Baseline, Known};
pub use control::{Control, Standard};
pub use custom::{Custom, Expression, On, Wrong, evaluate_custom};
pub use evaluate::evaluate;
pub use page::{Page, SECTIONS, markdown};
pub use plaintext::secret_spans;
pub use rules::{all, find, page};
pub use settings::Settings;
pub use subject::Subject;
pub use verdict::Verdict;
