//! Whether the scanning configuration of a registry covers a repository.

use tojimari_model::Field;
use tojimari_model::declared::RegistryScanning;
use tojimari_model::value::Reason;
use tojimari_text::Span;

use crate::search::Search;

pub enum Covered {
    Yes,
    No,
    Unknown(Reason),
}

/// A rule other than MANUAL has a filter that matches the name. The configuration stands at `whole`.
pub fn scanned(scanning: &RegistryScanning, name: &Field<String>, whole: Span) -> Covered {
    let mut search = Search::new("whether the registry scans the repository");
    for rule in search.each(&scanning.rules) {
        match &rule.scan_frequency {
            Field::Known(frequency, _) if frequency == "MANUAL" => continue,
            Field::Unknown(reason, span) => search.note(reason, *span),
            _ => {}
        }
        let certain = rule.scan_frequency.known().is_some();
        for filter in &rule.filters {
            match (filter, name) {
                (Field::Known(filter, _), _) if filter == "*" && certain => return Covered::Yes,
                (Field::Known(filter, _), Field::Known(name, _)) => {
                    if certain && matches(filter, name) {
                        return Covered::Yes;
                    }
                }
                (Field::Unknown(reason, span), _) | (_, Field::Unknown(reason, span)) => {
                    search.note(reason, *span);
                }
                // A name that CloudFormation or Terraform makes up.
                _ => search.note(&"depends on the name of the repository".into(), whole),
            }
        }
        search.note_rest(&rule.filters.rest);
    }
    search.finish(|reason, _| Covered::Unknown(reason), Covered::No)
}

/// `*` stands for any run of characters; a filter without one matches names that contain it.
fn matches(filter: &str, name: &str) -> bool {
    if !filter.contains('*') {
        return name.contains(filter);
    }
    let mut parts = filter.split('*');
    let Some(mut rest) = parts.next().and_then(|start| name.strip_prefix(start)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        for (filter, name, found) in [
            ("*", "a", true),
            ("team/*", "team/app", true),
            ("team/*", "other/app", false),
            ("*-prod", "app-prod", true),
            ("*-prod", "app-prod-2", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("prod", "my-prod-app", true),
        ] {
            assert_eq!(matches(filter, name), found, "{filter} {name}");
        }
    }
}
