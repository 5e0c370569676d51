//! Images should be pinned by digest.
//!
//! # What
//! A digest names one image for ever. A tag is a name that somebody may move, and `latest` is moved
//! all the time.
//!
//! # Why
//! What was scanned and proven is not what runs after the tag has moved: a new image writes
//! elsewhere, and breaks on a read-only root.
//!
//! # Exact test
//! Fails when an image is named without a digest (`@sha256:…`), with worse words for `latest` and
//! for no tag at all. Passes with a digest. What is known of the end of a name is enough:
//! `…/app:1.2` fails whatever its registry is. In a Dockerfile every FROM counts that does not name
//! an earlier stage or `scratch`. A Compose service that is built and not pulled is not applicable.
//!
//! # Impact
//! New images are rolled out by registering a new revision, which is what ECS does anyway: with
//! `versionConsistency` it pins the tag to a digest for the time of a deployment.
//!
//! # Default value
//! No tag means `latest`.
//!
//! # Fix
//! Let the pipeline write the digest that it pushed. `aws ecr describe-images` shows the digest of
//! a tag.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! Whether tags of the repository are immutable (see ECR.2), and whether the digest exists.

use tojimari_model::Severity;
use tojimari_model::declared::{ImageBuild, TaskKind};
use tojimari_text::Span;

use crate::control::Control;
use crate::image::{Pin, pin};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.13",
    slug: "image-not-pinned",
    title: "Images should be pinned by digest",
    severity: Severity::Low,
    level: 1,
    standards: &[],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    if let Some(build) = on.image_build() {
        return vec![of_build(on, build)];
    }
    on.containers(|task, container| match (pin(&container.image), task.kind) {
        (Some((Pin::Unknown(reason), span)), _) if reason.is_built_here() => {
            Verdict::not_applicable(span, "the image is built, not pulled")
        }
        (Some((pin, span)), _) => judge(pin, span),
        (None, TaskKind::ComposeService) => Verdict::not_applicable(container.head(), "the image is built, not pulled"),
        (None, _) => Verdict::unknown(container.head(), "the image", "it is not named"),
    })
}

fn of_build(on: &Subject<'_>, build: &ImageBuild) -> Verdict {
    let pulled = build.stages.iter().filter(|stage| !stage.from_is_local);
    let verdicts: Vec<Verdict> =
        pulled.filter_map(|stage| pin(&stage.from)).map(|(pin, span)| judge(pin, span)).collect();
    let worst = [tojimari_model::Status::Fail, tojimari_model::Status::Unknown];
    let bad = worst.iter().find_map(|status| verdicts.iter().find(|verdict| verdict.status == *status));
    match (bad.or(verdicts.first()), &build.stages.rest) {
        (Some(verdict), _) => verdict.clone(),
        (None, Some((reason, span))) => Verdict::unknown(*span, "the base images", reason),
        (None, None) => Verdict::pass(on.head(), "no image is pulled"),
    }
}

fn judge(pin: Pin, span: Span) -> Verdict {
    let advice = "name the image by the digest that was pushed";
    match pin {
        Pin::Digest => Verdict::pass(span, "the image is pinned by digest"),
        Pin::Tag(tag) => Verdict::fail(span, format!("the tag {tag} can be moved to another image")).advise(advice),
        Pin::Latest(words) => Verdict::fail(span, words).advise(advice),
        Pin::Unknown(reason) => Verdict::unknown(span, "the image", reason),
    }
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"image": "nginx"}"#;
    fail: r#"{"image": "nginx:latest"}"#;
    fail: r#"{"image": "nginx:1.25"}"#;
    fail: r#"{"image": "?+.amazonaws.com/app:1"}"#;
    pass: r#"{"image": "nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#;
    pass: r#"{"image": "app@+?"}"#;
    unknown: r#"{"image": "?"}"#;
    unknown: r#"{"image": "app:+?"}"#;
    unknown: r#"{"image": "@repository"}"#;
    unknown: r#"{}"#;
    not_applicable: r#"{"as": "compose"}"#;
    fail: r#"[{"build": {"stages": [{"from": "nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "name": "a"}, {"from": "debian:12"}]}}]"#;
    pass: r#"[{"build": {"stages": [{"from": "nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "name": "a"}, {"from": "a", "fromIsLocal": true}]}}]"#;
    unknown: r#"[{"build": {"stages": [{"from": "?"}]}}]"#;
}
