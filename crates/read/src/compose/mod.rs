//! Compose projects: the files of a project merged, each of its services read as a task with one
//! container, under the names of the ECS API.
//! Source: the Compose specification as of 2026.

mod interpolate;
mod merge;
mod mount;
mod project;
mod service;
#[cfg(test)]
mod tests;

use tojimari_text::Node;

pub use self::project::read;

/// The names that Compose looks for by itself, in its order, and those of the files that it lays
/// over them.
pub const DEFAULT: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
pub const OVERRIDE: [&str; 4] =
    ["compose.override.yaml", "compose.override.yml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// Words of which every Compose file with a service has at least one.
const WORDS: [&str; 4] = ["image", "build", "extends", "include"];

/// Whether a text may be a Compose file: cheap, and wrong only in that it says yes too often. A
/// file that is laid over another may name no image.
pub fn may_be(text: &str, name: &str) -> bool {
    let named = name.rsplit('/').next().unwrap_or(name).contains("compose");
    (super::has_top_key(text, "services") || super::has_top_key(text, "include"))
        && (named || WORDS.iter().any(|word| text.contains(word)))
}

/// A tree is a Compose file when it has services of which one says what it runs, or includes
/// others. By its name alone one that is laid over another is known.
pub fn is_project(root: &Node, name: &str) -> bool {
    let named = name.rsplit('/').next().unwrap_or(name).contains("compose");
    let Some(services) = root.get("services") else {
        return named && root.get("include").is_some_and(Node::is_sequence);
    };
    let runs = |service: &Node| ["image", "build", "extends"].iter().any(|key| service.get(key).is_some());
    services.is_mapping() && (named || services.entries().iter().any(|entry| runs(&entry.value)))
}
