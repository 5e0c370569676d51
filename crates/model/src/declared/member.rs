//! The members that the API has, recorded from the readers: what a reader asks for is known, and no
//! list beside it has to be kept.

use std::cell::RefCell;
use std::sync::LazyLock;

use tojimari_text::{FileId, Span};

use super::field::{Fields, Met};
use super::{Cluster, Repository, RepositoryKind, Service, TaskDefinition, TaskKind};
use crate::value::{Kind, Value};

/// One member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: &'static str,
    /// The names below it are the user's own, as those of `dockerLabels` are.
    pub is_own: bool,
    /// The members of the object, or of each object of the list, that it is; empty for any other.
    pub members: Vec<Member>,
}

/// What a reader asks for.
fn recorded<T>(read: impl FnOnce(&Fields<'_>) -> T) -> Vec<Member> {
    let nothing = Value::new(Span::new(FileId(0), 0, 0), Kind::Map(Vec::new(), None));
    let met = RefCell::new(Met { recorded: Some(Vec::new()), ..Met::default() });
    Fields::read(&nothing, &met, read);
    met.into_inner().recorded.unwrap_or_default()
}

/// The names of members at any depth, each once, in order.
pub fn names(members: &[Member]) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut todo: Vec<&Member> = members.iter().collect();
    while let Some(member) = todo.pop() {
        names.push(member.name);
        todo.extend(&member.members);
    }
    names.sort_unstable();
    names.dedup();
    names
}

impl TaskDefinition {
    /// The members of RegisterTaskDefinition.
    pub fn members() -> &'static [Member] {
        static MEMBERS: LazyLock<Vec<Member>> =
            LazyLock::new(|| recorded(|f| TaskDefinition::from_fields(f, TaskKind::TaskDefinition)));
        &MEMBERS
    }
}

impl Service {
    /// The members of CreateService that are read.
    pub fn members() -> &'static [Member] {
        static MEMBERS: LazyLock<Vec<Member>> = LazyLock::new(|| recorded(Service::from_fields));
        &MEMBERS
    }
}

impl Cluster {
    /// The members of CreateCluster that are read.
    pub fn members() -> &'static [Member] {
        static MEMBERS: LazyLock<Vec<Member>> = LazyLock::new(|| recorded(Cluster::from_fields));
        &MEMBERS
    }
}

impl Repository {
    /// The members of CreateRepository that are read.
    pub fn members() -> &'static [Member] {
        static MEMBERS: LazyLock<Vec<Member>> =
            LazyLock::new(|| recorded(|f| Repository::from_fields(f, RepositoryKind::Private)));
        &MEMBERS
    }
}
