//! How one declared resource names another, and which one of the stack it means.

use std::sync::Arc;

use tojimari_text::Span;

use super::{Resource, Stack};
use crate::value::Reason;

#[derive(Clone, Debug, PartialEq, Default)]
pub enum Reference {
    #[default]
    Absent,
    /// A resource that the same stack declares, by its address.
    Declared(Arc<str>, Span),
    /// A name or an ARN.
    Named(String, Span),
    Unknown(Reason, Span),
}

/// Where a reference leads.
#[derive(Debug)]
pub enum Target<'a> {
    Absent,
    /// The resource under each set of assumptions that can hold together with those of the asker.
    Declared(Vec<&'a Resource>),
    /// A resource that lives outside of the stack: nothing is known of it.
    Elsewhere(&'a str),
    Unknown(&'a Reason),
}

impl Reference {
    pub fn is_absent(&self) -> bool {
        matches!(self, Reference::Absent)
    }

    pub fn span(&self) -> Option<Span> {
        match self {
            Reference::Absent => None,
            Reference::Declared(_, span) | Reference::Named(_, span) | Reference::Unknown(_, span) => Some(*span),
        }
    }

    /// It means that resource, or one of the same name or the same block.
    pub fn means(&self, resource: &Resource) -> bool {
        match self {
            Reference::Declared(address, _) => without_index(address) == without_index(&resource.address),
            Reference::Named(..) => self.name() == Some(&resource.name),
            Reference::Absent | Reference::Unknown(..) => false,
        }
    }

    /// The name as written, or the last part of the ARN: `arn:aws:ecs:…:cluster/blue` is `blue`.
    /// The revision of a task definition is taken off.
    pub fn name(&self) -> Option<&str> {
        match self {
            Reference::Named(name, _) => Some(last_part(name)),
            _ => None,
        }
    }
}

/// `arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7` and `web:7` are `web`.
fn last_part(name: &str) -> &str {
    let name = match name.strip_prefix("arn:") {
        Some(arn) => arn.rsplit(['/', ':']).find(|part| !part.bytes().all(|b| b.is_ascii_digit())).unwrap_or(arn),
        None => name,
    };
    match name.rsplit_once(':') {
        Some((family, revision)) if revision.bytes().all(|b| b.is_ascii_digit()) => family,
        _ => name,
    }
}

/// An address without the index of its instance: `aws_ecs_cluster.a[0]` is `aws_ecs_cluster.a`.
fn without_index(address: &str) -> &str {
    match address.rfind('[') {
        Some(at) if address.ends_with(']') => &address[..at],
        _ => address,
    }
}

impl Stack {
    /// The resources that a reference means, of those that `wanted` takes, seen by `asker`.
    /// A name that two resources bear means each of them.
    pub fn target<'a>(
        &'a self,
        reference: &'a Reference,
        asker: &Resource,
        wanted: impl Fn(&Resource) -> bool,
    ) -> Target<'a> {
        let found: Vec<&Resource> = match reference {
            Reference::Absent => return Target::Absent,
            Reference::Unknown(reason, _) => return Target::Unknown(reason),
            Reference::Declared(address, _) => {
                let candidates = || self.resources.iter().filter(|r| wanted(r) && r.can_hold_with(asker));
                let exact: Vec<_> = candidates().filter(|r| r.address == *address).collect();
                match exact.is_empty() {
                    true => candidates().filter(|r| without_index(&r.address) == without_index(address)).collect(),
                    false => exact,
                }
            }
            Reference::Named(..) => {
                let name = reference.name().unwrap_or_default();
                self.resources.iter().filter(|r| wanted(r) && &*r.name == name && r.can_hold_with(asker)).collect()
            }
        };
        match reference {
            _ if !found.is_empty() => Target::Declared(found),
            Reference::Named(name, _) => Target::Elsewhere(name),
            Reference::Declared(address, _) => Target::Elsewhere(address),
            _ => Target::Absent,
        }
    }
}

impl Resource {
    /// No condition is assumed to hold by one and not to hold by the other.
    pub fn can_hold_with(&self, other: &Resource) -> bool {
        self.assumed
            .iter()
            .all(|mine| other.assumed.iter().all(|its| mine.condition != its.condition || mine.holds == its.holds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_its_arn() {
        for (written, name) in [
            ("blue", "blue"),
            ("web:7", "web"),
            ("arn:aws:ecs:eu-west-1:123456789012:cluster/blue", "blue"),
            ("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7", "web"),
            ("arn:aws:ecr:eu-west-1:123456789012:repository/team/app", "app"),
        ] {
            assert_eq!(last_part(written), name, "{written}");
        }
    }

    #[test]
    fn an_index_is_no_part_of_the_block() {
        assert_eq!(without_index("module.m[\"a\"].aws_ecs_cluster.c[0]"), "module.m[\"a\"].aws_ecs_cluster.c");
        assert_eq!(without_index("Cluster"), "Cluster");
    }
}
