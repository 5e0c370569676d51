//! Whether the `user` of a container is root.

use tojimari_model::Field;
use tojimari_model::value::{Part, Reason};
use tojimari_text::Span;

#[derive(Clone, Debug, PartialEq)]
pub enum Root {
    /// Root, and in which words.
    Yes(Span, &'static str),
    No(Span),
    Unknown(Reason, Span),
}

/// Absent counts as root; `head` is where to point then. Of `user:group` only the user matters.
pub fn linux_root(user: &Field<String>, head: Span) -> Root {
    let judge = |user: &str, span: Span| match user {
        "" => Root::Yes(span, "the user is empty"),
        "root" => Root::Yes(span, "the user is root"),
        _ if user.bytes().all(|b| b == b'0') => Root::Yes(span, "the user is 0, which is root"),
        _ => Root::No(span),
    };
    match user {
        Field::Absent => Root::Yes(head, "user is not set"),
        Field::Known(user, span) => judge(user.split(':').next().unwrap_or_default().trim(), *span),
        // The user is known where only the group is not.
        Field::Unknown(reason, span) => match reason.parts() {
            [Part::Known(start), ..] if start.contains(':') => {
                judge(start.split(':').next().unwrap_or_default().trim(), *span)
            }
            _ => Root::Unknown(reason.clone(), *span),
        },
    }
}
