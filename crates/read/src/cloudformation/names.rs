//! CloudFormation's names of properties brought to those of the ECS and ECR API.
//! Source: the resource specification of CloudFormation beside the API models, November 2026.

use tojimari_model::value::{Choice, Kind, Member, Value};

/// Properties whose members are the user's own: their names stay as they are. By their API names.
const FREE: [&str; 8] = [
    "dockerLabels",
    "options",
    "driverOpts",
    "labels",
    "policyText",
    "lifecyclePolicyText",
    "eventPattern",
    "hookDetails",
];

/// The same value with the API's names: `ContainerDefinitions` is `containerDefinitions`.
pub(crate) fn to_api(value: Value) -> Value {
    let kind = match value.kind {
        Kind::List(items, rest) => Kind::List(items.into_iter().map(to_api).collect(), rest),
        Kind::Map(members, rest) => {
            let mut renamed = Vec::with_capacity(members.len());
            for member in members {
                // CloudFormation wraps the text in an object of its own.
                if &*member.name == "LifecyclePolicy" {
                    renamed.push(lifecycle_policy(member));
                    continue;
                }
                // The names of properties begin with a capital: the API's own spelling is refused.
                let name = match member.name.starts_with(|c: char| c.is_ascii_lowercase()) {
                    true => format!("{} in lower case", member.name).into(),
                    false => api_name(&member.name),
                };
                let value = if FREE.contains(&&*name) { member.value } else { to_api(member.value) };
                renamed.push(Member { name, value, ..member });
            }
            Kind::Map(renamed, rest)
        }
        Kind::Choice(choice) => Kind::Choice(Box::new(Choice {
            condition: choice.condition,
            then: to_api(choice.then),
            otherwise: to_api(choice.otherwise),
        })),
        other => other,
    };
    Value { span: value.span, kind }
}

fn lifecycle_policy(member: Member) -> Member {
    fn text_in(value: Value) -> Value {
        let span = value.span;
        match value.kind {
            Kind::Map(members, rest) => {
                match members.into_iter().rfind(|member| &*member.name == "LifecyclePolicyText") {
                    Some(text) => text.value,
                    None => match rest {
                        Some(reason) => Value::unknown(span, reason),
                        None => Value::new(span, Kind::Null),
                    },
                }
            }
            Kind::Choice(choice) => Value::new(
                span,
                Kind::Choice(Box::new(Choice {
                    condition: choice.condition,
                    then: text_in(choice.then),
                    otherwise: text_in(choice.otherwise),
                })),
            ),
            kind => Value { span, kind },
        }
    }
    Member { name: "lifecyclePolicyText".into(), value: text_in(member.value), ..member }
}

/// CloudFormation's name of a property that the API calls so.
pub fn template_name(name: &str) -> String {
    match name {
        "efsVolumeConfiguration" => "EFSVolumeConfiguration".to_owned(),
        "fileSystemId" => "FilesystemId".to_owned(),
        name => {
            let mut chars = name.chars();
            chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
        }
    }
}

pub(crate) fn api_name(name: &str) -> Box<str> {
    match name {
        "EFSVolumeConfiguration" => "efsVolumeConfiguration".into(),
        "FSxWindowsFileServerVolumeConfiguration" => "fsxWindowsFileServerVolumeConfiguration".into(),
        "S3FilesVolumeConfiguration" => "s3filesVolumeConfiguration".into(),
        "FilesystemId" => "fileSystemId".into(),
        "IAM" => "iam".into(),
        "ProxyConfigurationProperties" => "properties".into(),
        "AwsVpcConfiguration" => "awsvpcConfiguration".into(),
        "ClusterSettings" => "settings".into(),
        "RepositoryPolicyText" => "policyText".into(),
        _ => {
            let mut chars = name.chars();
            match chars.next() {
                Some(first) if first.is_ascii_uppercase() => {
                    let mut text = String::with_capacity(name.len());
                    text.push(first.to_ascii_lowercase());
                    text.push_str(chars.as_str());
                    text.into()
                }
                _ => name.into(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_those_of_the_api() {
        for (ours, theirs) in [
            ("ContainerDefinitions", "containerDefinitions"),
            ("ReadonlyRootFilesystem", "readonlyRootFilesystem"),
            ("EnableECSManagedTags", "enableECSManagedTags"),
            ("S3BucketName", "s3BucketName"),
            ("SizeInGiB", "sizeInGiB"),
            ("EFSVolumeConfiguration", "efsVolumeConfiguration"),
            ("FilesystemId", "fileSystemId"),
        ] {
            assert_eq!(&*api_name(ours), theirs);
        }
    }

    #[test]
    fn a_name_in_lower_case_is_no_property() {
        let span = tojimari_text::Span::new(tojimari_text::FileId(0), 0, 0);
        let json = serde_json::json!({ "volumes": [], "Volumes": [{ "name": "a" }], "DockerLabels": { "a": "b" } });
        let Kind::Map(members, _) = to_api(Value::from_json(span, &json)).kind else { panic!("a map") };
        let names: Vec<&str> = members.iter().map(|member| &*member.name).collect();
        assert_eq!(names, ["volumes in lower case", "volumes", "dockerLabels"]);
        assert_eq!(&*members[1].value.items()[0].members()[0].name, "name in lower case");
        assert_eq!(&*members[2].value.members()[0].name, "a", "a name of the user's own");
    }
}
