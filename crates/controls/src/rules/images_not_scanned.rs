//! ECR private repositories should have image scanning configured.
//!
//! # What
//! ECR scans images for known vulnerabilities when they are pushed, or all the time.
//!
//! # Why
//! A base image that was fine last year holds holes that are known today.
//!
//! # Exact test
//! Fails when a private repository has `imageScanningConfiguration.scanOnPush` false or absent, and
//! no rule of a registry scanning configuration in the same files scans it on push or continuously.
//!
//! # Impact
//! None for pushes and pulls. Enhanced scanning costs money.
//!
//! # Default value
//! Images are not scanned when they are pushed.
//!
//! # Fix
//! Set `scanOnPush` to true on the repository, or give the registry a scanning configuration whose
//! filters match its name: AWS recommends the latter.
//!
//! # Back out
//! Set it to false again.
//!
//! # Does not see
//! A scanning configuration of the registry that is declared elsewhere or set by hand, Amazon
//! Inspector (see Inspector.2), and what the scans found.

use tojimari_model::declared::RepositoryKind;
use tojimari_model::finding::Remedy;
use tojimari_model::{Declared, Field, Severity};

use crate::control::{Control, Standard};
use crate::registry::{Covered, scanned};
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "ECR.1",
    slug: "images-not-scanned",
    title: "ECR private repositories should have image scanning configured",
    severity: Severity::High,
    level: 1,
    standards: &[Standard::Fsbp, Standard::Nist80053(&["RA-5"]), Standard::PciDss401(&["6.2.3", "6.2.4"])],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    let Some(repository) = on.repository(RepositoryKind::Private) else { return Vec::new() };
    if let Field::Known(true, span) = repository.scan_on_push {
        return vec![Verdict::pass(span, "images are scanned when they are pushed")];
    }
    let mut search = Search::new("whether images are scanned");
    search.known(&repository.scan_on_push);
    for other in on.others() {
        let Declared::RegistryScanning(scanning) = &other.declared else { continue };
        match scanned(scanning, &repository.repository_name, other.span) {
            Covered::Yes => {
                return vec![Verdict::pass(other.span, "the registry's configuration scans the repository")];
            }
            Covered::Unknown(reason) => search.note(&reason, other.span),
            Covered::No => {}
        }
    }
    vec![search.or_else(|| {
        let span = repository.scan_on_push.span().unwrap_or(on.head());
        Verdict::fail(span, "images are not scanned when they are pushed").with_remedy(Remedy::ScanOnPush)
    })]
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"[{"repository": {"repositoryName": "?"}}]"#;
    fail: r#"[{"repository": {"imageScanningConfiguration": {"scanOnPush": false}}}]"#;
    pass: r#"[{"repository": {"imageScanningConfiguration": {"scanOnPush": true}}}]"#;
    pass: r#"[{"repository": {"repositoryName": "team/app"}},
        {"scanning": {"rules": [{"scanFrequency": "CONTINUOUS_SCAN",
        "repositoryFilters": [{"filter": "team/*"}]}]}}]"#;
    fail: r#"[{"repository": {"repositoryName": "app"}}, {"scanning": {"rules": [{"scanFrequency": "MANUAL",
        "repositoryFilters": [{"filter": "*"}]}, {"scanFrequency": "SCAN_ON_PUSH",
        "repositoryFilters": [{"filter": "team/*"}]}]}}]"#;
    unknown: r#"[{"repository": {"repositoryName": "?"}}, {"scanning": {"rules": [{"scanFrequency": "SCAN_ON_PUSH",
        "repositoryFilters": [{"filter": "team/*"}]}]}}]"#;
    unknown: r#"[{"repository": {"imageScanningConfiguration": {"scanOnPush": "?"}}}]"#;
    unknown: r#"[{"repository": {"imageScanningConfiguration": "?"}}]"#;
}
