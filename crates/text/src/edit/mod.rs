//! Changes of a text that leave all else in it as it was, and what they look like as a diff.

pub mod json;

use similar::TextDiff;

/// A unified diff with three lines of context; empty when nothing differs.
pub fn unified_diff(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let name = name.trim_start_matches('/');
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}
