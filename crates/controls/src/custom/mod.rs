//! Users' own rules: a CEL expression over the model that is true where something fails.

#[cfg(not(feature = "rules"))]
mod absent;
#[cfg(feature = "rules")]
mod expression;
#[cfg(feature = "rules")]
mod members;

use std::fmt;
use std::sync::Arc;

use tojimari_model::Severity;

#[cfg(not(feature = "rules"))]
pub use absent::{Expression, evaluate_custom};
#[cfg(feature = "rules")]
pub use expression::{Expression, evaluate_custom};

/// What a rule looks at, one evaluation each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Each container; the expression sees `container` and `task`.
    Container,
    Task,
    Service,
    Cluster,
    Repository,
}

impl On {
    pub const ALL: [On; 5] = [On::Container, On::Task, On::Service, On::Cluster, On::Repository];

    pub fn named(name: &str) -> Option<On> {
        On::ALL.into_iter().find(|on| on.to_string() == name)
    }

    /// The variables of its expressions; `resource` is always there.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            On::Container => &["container", "task", "resource"],
            On::Task => &["task", "resource"],
            On::Service => &["service", "resource"],
            On::Cluster => &["cluster", "resource"],
            On::Repository => &["repository", "resource"],
        }
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            On::Container => "container",
            On::Task => "task",
            On::Service => "service",
            On::Cluster => "cluster",
            On::Repository => "repository",
        })
    }
}

/// A rule of the user's own.
#[derive(Debug)]
pub struct Custom {
    pub id: Arc<str>,
    pub severity: Severity,
    /// What is said where the expression is true.
    pub message: String,
    /// What a person can do about it.
    pub remedy: Option<String>,
    pub on: On,
    pub expression: Expression,
}

/// What is wrong with an expression, and in which of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub at: std::ops::Range<usize>,
    pub message: String,
}
