//! Placeholders within the texts of a document that somebody fills in before it is used: `<IMAGE>`,
//! `${TAG}`, `%TAG%`. What they stand in is unknown in part.

use std::sync::LazyLock;

use regex::Regex;

use tojimari_model::value::{Kind, Member, Part, Value};

use super::ecspresso::FILLED_IN;

/// Members whose texts are for a shell or for another program, which has such words of its own.
const OF_OTHERS: [&str; 5] = ["command", "entryPoint", "healthCheck", "options", "dockerLabels"];

/// Source: what is common in repositories of task definitions: `<IMAGE1_NAME>` of CodeDeploy,
/// `envsubst`, `%NAME%`, `#{NAME}#` of Azure Pipelines, `@@NAME@@`, `__NAME__`, ERB.
static PLACEHOLDER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = r"<[A-Za-z][A-Za-z0-9_ .-]*>|\$\{[A-Za-z_][^{}]*\}|%[A-Z][A-Z0-9_]+%|#\{[A-Za-z_][^{}]*\}#?";
    let more = r"@@[A-Za-z0-9_]+@@|__[A-Z][A-Z0-9_]*[A-Z0-9]__|<%=[^%]*%>|\$[A-Z][A-Z0-9_]+";
    Regex::new(&format!("{names}|{more}")).ok()
});

/// The value with what its placeholders stand in as unknown.
pub(super) fn placeholders(value: Value) -> Value {
    let span = value.span;
    let kind = match value.kind {
        Kind::String(text) => return of_text(&text, value.span),
        Kind::List(items, rest) => Kind::List(items.into_iter().map(placeholders).collect(), rest),
        Kind::Map(members, rest) => {
            let members = members.into_iter().map(|member| match OF_OTHERS.contains(&&*member.name) {
                true => member,
                false => Member { value: placeholders(member.value), ..member },
            });
            Kind::Map(members.collect(), rest)
        }
        other => other,
    };
    Value { span, kind }
}

fn of_text(text: &str, span: tojimari_text::Span) -> Value {
    let whole = || Value::new(span, Kind::String(text.into()));
    let Some(pattern) = PLACEHOLDER.as_ref().filter(|_| text.contains(['<', '$', '%', '#', '@', '_'])) else {
        return whole();
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for found in pattern.find_iter(text) {
        if found.start() > from {
            parts.push(Part::Known(text[from..found.start()].into()));
        }
        parts.push(Part::Unknown(FILLED_IN.into()));
        from = found.end();
    }
    if parts.is_empty() {
        return whole();
    }
    if from < text.len() {
        parts.push(Part::Known(text[from..].into()));
    }
    match &parts[..] {
        [Part::Unknown(reason)] => Value::unknown(span, reason.clone()),
        _ => Value::of_parts(span, parts),
    }
}

#[cfg(test)]
mod tests {
    use tojimari_text::{FileId, Span};

    use super::*;

    #[test]
    fn placeholders_are_unknown_and_the_words_of_programs_are_not() {
        for (text, unknown) in [
            ("<IMAGE1_NAME>", true),
            ("repo:${TAG}", true),
            ("repo:%TAG%", true),
            ("#{IMAGE}#", true),
            ("@@IMAGE@@", true),
            ("__IMAGE__", true),
            ("$IMAGE", true),
            ("<%= image %>", true),
            ("repo:1", false),
            ("a < b > c", false),
            ("100%", false),
            ("__init__.py", false),
            ("arn:aws:iam::1:role/a_b@c#d", false),
            ("$1", false),
        ] {
            let value = of_text(text, Span::new(FileId(0), 0, 0));
            assert_eq!(matches!(value.kind, Kind::Unknown(_)), unknown, "{text}");
        }
    }
}
