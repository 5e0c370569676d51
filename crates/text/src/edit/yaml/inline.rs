//! Values as YAML on one line: what needs quotes gets them.

use serde_json::Value as Json;

/// A value on one line.
pub(super) fn flow(value: &Json) -> String {
    match value {
        Json::String(text) => scalar(text),
        Json::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(members) if members.is_empty() => "{}".to_owned(),
        Json::Object(members) if tagged(members).is_some() => {
            tagged(members).map(|(tag, value)| format!("{tag} {}", flow(value))).unwrap_or_default()
        }
        Json::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// A value with an explicit tag, in the form that [`meaning`] gives it.
pub(super) fn tagged(members: &serde_json::Map<String, Json>) -> Option<(&str, &Json)> {
    let (key, value) = members.iter().next()?;
    (members.len() == 1 && key.starts_with('!')).then_some((key.as_str(), value))
}

/// A string, plain where every reader of YAML takes the plain word for a string.
pub(super) fn scalar(text: &str) -> String {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '/' | '_' | '.'));
    let rest = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '.' | '-' | '='));
    const WORDS: [&str; 11] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", ".inf", ".nan"];
    let word = WORDS.contains(&text.to_ascii_lowercase().as_str());
    // `.5` and `1e3` are numbers; a leading letter, slash or underscore with these letters is not.
    let number = text.starts_with('.') && text.chars().nth(1).is_some_and(|c| c.is_ascii_digit());
    // `=` alone is a type of its own in YAML 1.1.
    if first && rest && !word && !number { text.to_owned() } else { Json::from(text).to_string() }
}

/// A scalar as text, a string in the quotes that the old one stands in.
pub(super) fn in_quotes_of(written: &str, value: &Json) -> String {
    match (value, written.chars().next()) {
        (Json::String(text), Some('"')) => Json::from(text.as_str()).to_string(),
        (Json::String(text), Some('\'')) => format!("'{}'", text.replace('\'', "''")),
        _ => flow(value),
    }
}
