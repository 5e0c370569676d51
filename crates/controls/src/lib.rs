//! The rules, one file each: pure functions over the model. No I/O, no configuration, no format knowledge.

#[cfg(test)]
mod cases;
mod control;
mod evaluate;
mod key;
mod network;
mod page;
mod platform;
mod registry;
mod rules;
mod secret;
mod settings;
mod subject;
mod tags;
mod user;
mod verdict;

pub use control::{Control, Standard};
pub use evaluate::evaluate;
pub use page::{Page, SECTIONS};
pub use rules::{all, find, page};
pub use settings::Settings;
pub use subject::Subject;
pub use verdict::Verdict;
