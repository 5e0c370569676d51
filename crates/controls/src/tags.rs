//! Whether a resource has the tags that it should have.

use tojimari_model::Field;
use tojimari_model::declared::{List, Tag};
use tojimari_model::finding::{Remedy, WantedTag};

use crate::subject::Subject;
use crate::verdict::Verdict;

/// The verdict of ECS.13, ECS.14, ECS.15 and ECR.4. Keys that begin with `aws:` do not count.
pub fn judge(on: &Subject<'_>, tags: &List<Tag>) -> Verdict {
    let required = &on.settings.required_tags;
    let keys: Vec<&str> =
        tags.iter().filter_map(|tag| tag.key.as_str()).filter(|key| !key.starts_with("aws:")).collect();
    // A key that is not known is some key, and may be any of those that are required.
    let open = tags.iter().find_map(|tag| match &tag.key {
        Field::Unknown(reason, span) => Some((reason, *span)),
        _ => None,
    });
    let rest = tags.rest.as_ref().map(|(reason, span)| (reason, *span));
    let span = tags.span.unwrap_or(on.head());
    let missing: Vec<&String> = required.iter().filter(|key| !keys.contains(&key.as_str())).collect();
    if required.is_empty() && (!keys.is_empty() || open.is_some()) || !required.is_empty() && missing.is_empty() {
        return Verdict::pass(span, "the resource is tagged");
    }
    if let Some((reason, span)) = open.or(rest) {
        return Verdict::unknown(span, "the tags", reason);
    }
    let keys: Vec<&str> = missing.iter().map(|key| key.as_str()).collect();
    let words = match keys.is_empty() {
        true => "there is no tag".to_owned(),
        false => format!("there is no tag {}", keys.join(", ")),
    };
    let tags = match keys.is_empty() {
        // Any tag will do: this one has a value that is known.
        true => vec![WantedTag { key: "Name".into(), value: Some(on.resource.name.clone()) }],
        false => keys.into_iter().map(|key| WantedTag { key: key.into(), value: None }).collect(),
    };
    Verdict::fail(span, words).with_remedy(Remedy::Tags { tags })
}

#[cfg(test)]
mod tests {
    use tojimari_model::Status;

    use crate::cases::evaluations;
    use crate::settings::Settings;

    #[test]
    fn a_house_may_ask_for_certain_keys() {
        let settings = Settings { required_tags: vec!["team".into(), "env".into()], ..Settings::default() };
        let control = crate::rules::find("ECS.13").expect("a control");
        for (tags, status) in [
            (r#"[{"key": "team"}, {"key": "env"}]"#, Status::Pass),
            (r#"[{"key": "team"}]"#, Status::Fail),
            (r#"[{"key": "team"}, {"key": "Env"}]"#, Status::Fail),
            (r#"[{"key": "team"}, {"key": "?"}]"#, Status::Unknown),
            (r#"["?..."]"#, Status::Unknown),
        ] {
            let stack = format!(r#"[{{"service": {{"tags": {tags}}}}}]"#);
            let found = evaluations(control, &stack, &settings);
            assert_eq!(found.iter().map(|one| one.status).collect::<Vec<_>>(), [status], "{tags}");
        }
    }
}
