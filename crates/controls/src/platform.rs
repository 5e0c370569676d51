//! Which operating system and which kind of capacity a task definition is for.

use tojimari_model::Field;
use tojimari_model::declared::TaskDefinition;
use tojimari_model::value::Reason;
use tojimari_text::Span;

use crate::verdict::Verdict;

/// Whether the containers are Windows ones.
#[derive(Clone, Debug, PartialEq)]
pub enum Windows {
    /// `operatingSystemFamily` says LINUX.
    No,
    /// `operatingSystemFamily` says a `WINDOWS_SERVER` one.
    Yes(Span),
    /// `operatingSystemFamily` is not set: Linux for ECS, both for some of Security Hub's rules.
    NotSet,
    Unknown(Reason, Span),
}

pub fn windows(task: &TaskDefinition) -> Windows {
    match &task.runtime_platform {
        Field::Absent => Windows::NotSet,
        Field::Unknown(reason, span) => Windows::Unknown(reason.clone(), *span),
        Field::Known(platform, _) => match &platform.operating_system_family {
            Field::Absent => Windows::NotSet,
            Field::Unknown(reason, span) => Windows::Unknown(reason.clone(), *span),
            Field::Known(family, span) if family.to_ascii_uppercase().starts_with("WINDOWS_SERVER") => {
                Windows::Yes(*span)
            }
            Field::Known(..) => Windows::No,
        },
    }
}

impl Windows {
    /// A verdict that holds for Linux; where the task may be a Windows one it is unknown.
    pub fn unless_linux(self, verdict: Verdict, why_not: &str) -> Verdict {
        match self {
            Windows::No | Windows::NotSet => verdict,
            Windows::Yes(span) => Verdict::not_applicable(span, why_not),
            Windows::Unknown(reason, span) => Verdict::unknown(span, "operatingSystemFamily", reason),
        }
    }
}
