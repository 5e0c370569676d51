//! What describe-task-definition printed made into what register-task-definition takes: the wrapper
//! and the read-only fields go, and tags move in from beside it.

use tojimari_read::ecs_json::READ_ONLY_FIELDS;
use tojimari_text::edit::{Document, Step, json, meaning};

use super::Error;

const WRAPPER: &str = "taskDefinition";

/// The text as input of register-task-definition; `None` where it is no output of describe.
pub fn registrable(text: &str) -> Result<Option<String>, Error> {
    let Ok(mut editor) = json::Editor::new(text) else { return Ok(None) };
    let wrapped = editor.root().get(WRAPPER).filter(|task| task.get("containerDefinitions").is_some());
    let Some(wrapped) = wrapped else { return Ok(None) };
    let present: Vec<&str> = READ_ONLY_FIELDS.into_iter().filter(|name| wrapped.get(name).is_some()).collect();
    let tags = editor.root().get("tags").filter(|tags| !tags.items().is_empty()).map(meaning);
    for name in present {
        editor.remove(&[WRAPPER.into(), name.into()])?;
    }
    if let Some(tags) = tags {
        editor.set(&[Step::from(WRAPPER)], "tags", &tags, &["family"])?;
    }
    let text = editor.text();
    let span = editor.root().get(WRAPPER).ok_or(Error::NoSuchPlace)?.span.range();
    // The object stood one step further right than it will.
    let line = text[..span.start].rfind('\n').map_or(0, |newline| newline + 1);
    let indent: String = text[line..].chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let mut lines = text[span].split('\n');
    let mut whole = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        whole.push('\n');
        whole.push_str(line.strip_prefix(&*indent).unwrap_or(line));
    }
    if text.ends_with('\n') {
        whole.push_str(if text.ends_with("\r\n") { "\r\n" } else { "\n" });
    }
    Ok(Some(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_describe_prints_becomes_what_register_takes() {
        let text = r#"{
    "taskDefinition": {
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/app:3",
        "containerDefinitions": [
            {
                "name": "web"
            }
        ],
        "family": "app",
        "revision": 3,
        "status": "ACTIVE",
        "volumes": [],
        "registeredAt": "2026-01-01T00:00:00Z"
    },
    "tags": [
        {
            "key": "team",
            "value": "web"
        }
    ]
}
"#;
        let expected = r#"{
    "containerDefinitions": [
        {
            "name": "web"
        }
    ],
    "family": "app",
    "tags": [
        {
            "key": "team",
            "value": "web"
        }
    ],
    "volumes": []
}
"#;
        let once = registrable(text).expect("a text").expect("an output of describe");
        assert_eq!(once, expected);
        assert_eq!(registrable(&once), Ok(None), "twice is the same as once");
    }

    #[test]
    fn what_is_no_output_of_describe_is_left() {
        for text in ["{}", "[1]", "a: 1", r#"{"taskDefinition": "app:3", "serviceName": "a"}"#] {
            assert_eq!(registrable(text), Ok(None), "{text}");
        }
    }
}
