//! How firmly a reference to an image says which image it means.

use tojimari_model::Field;
use tojimari_model::value::{Part, Reason};
use tojimari_text::Span;

#[derive(Clone, Debug, PartialEq)]
pub enum Pin {
    /// A digest: always the same image.
    Digest,
    /// A tag that somebody may move.
    Tag(String),
    /// `latest`, written or implied.
    Latest(&'static str),
    Unknown(Reason),
}

/// `None` when no image is named.
pub fn pin(image: &Field<String>) -> Option<(Pin, Span)> {
    match image {
        Field::Absent => None,
        Field::Known(text, span) => Some((of_text(text), *span)),
        Field::Unknown(reason, span) => Some((of_parts(reason), *span)),
    }
}

fn of_text(text: &str) -> Pin {
    if let Some((_, digest)) = text.split_once('@') {
        let is_digest = digest
            .split_once(':')
            .is_some_and(|(_, hex)| hex.len() >= 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if is_digest {
            return Pin::Digest;
        }
    }
    let last = text.rsplit('/').next().unwrap_or(text);
    match last.split('@').next().unwrap_or(last).split_once(':') {
        Some((_, "latest")) => Pin::Latest("the image is pinned to latest"),
        Some((_, tag)) => Pin::Tag(tag.to_owned()),
        None => Pin::Latest("the image has no tag, which means latest"),
    }
}

/// What is known of the end of a reference may be enough: `…/app:1.2` has a tag whatever the
/// registry is, and after `@` comes a digest.
fn of_parts(reason: &Reason) -> Pin {
    let parts = reason.parts();
    if parts.iter().any(|part| matches!(part, Part::Known(text) if text.contains('@'))) {
        return Pin::Digest;
    }
    match parts.last() {
        Some(Part::Known(end)) if end.contains(['/', ':']) => of_text(end),
        _ => Pin::Unknown(reason.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_as_firm_as_its_end() {
        let digest = "a".repeat(64);
        let known = |text: &str| Part::Known(text.into());
        let open = || Part::Unknown(Reason::from("depends on var.x"));
        let of = |parts: Vec<Part>| of_parts(&Reason::of_parts(parts));
        assert_eq!(of_text(&format!("nginx@sha256:{digest}")), Pin::Digest);
        assert_eq!(of_text(&format!("nginx:1.25@sha256:{digest}")), Pin::Digest);
        assert_eq!(of_text("localhost:5000/nginx"), Pin::Latest("the image has no tag, which means latest"));
        assert_eq!(of_text("localhost:5000/nginx:1"), Pin::Tag("1".into()));
        assert_eq!(of_text("nginx:latest"), Pin::Latest("the image is pinned to latest"));
        assert_eq!(of(vec![open(), known(".amazonaws.com/app:1")]), Pin::Tag("1".into()));
        assert_eq!(of(vec![open(), known("/app")]), Pin::Latest("the image has no tag, which means latest"));
        assert_eq!(of(vec![open(), known(":latest")]), Pin::Latest("the image is pinned to latest"));
        assert_eq!(of(vec![known("app@"), open()]), Pin::Digest);
        assert!(matches!(of(vec![known("app:"), open()]), Pin::Unknown(_)));
        assert!(matches!(of(vec![open(), known("app")]), Pin::Unknown(_)));
    }
}
