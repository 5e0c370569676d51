//! Whose KMS key it is.

use tojimari_model::Field;
use tojimari_model::value::Reason;

#[derive(Debug, PartialEq)]
pub enum Key {
    /// No key is named.
    None,
    /// `alias/aws/…`.
    Aws,
    Customer,
    /// A customer's, but none of those that are allowed.
    Other,
    Unknown(Reason),
}

/// Judges an id, ARN or alias of a key. With `allowed`, only those keys count. A key that the same
/// files declare is a customer's; one that they look up may be anybody's.
pub fn key(key: &Field<String>, allowed: &[String]) -> Key {
    match key {
        Field::Absent => Key::None,
        Field::Known(key, _) if key.is_empty() => Key::None,
        Field::Known(key, _) if key.starts_with("alias/aws/") || key.contains(":alias/aws/") => Key::Aws,
        Field::Known(key, _) if allowed.is_empty() || allowed.contains(key) => Key::Customer,
        Field::Known(..) => Key::Other,
        Field::Unknown(reason, _) => match reason.address() {
            Some(address) if allowed.is_empty() && !is_looked_up(address) => Key::Customer,
            _ => Key::Unknown(reason.clone()),
        },
    }
}

/// A data source of Terraform, or an output of a module that is not read.
fn is_looked_up(address: &str) -> bool {
    let last = address.rsplit_once("data.").map(|(before, _)| before);
    last.is_some_and(|before| before.is_empty() || before.ends_with('.'))
        || address.split('.').nth_back(1) == Some("module")
}

#[cfg(test)]
mod tests {
    use super::is_looked_up;

    #[test]
    fn a_data_source_is_looked_up() {
        for (address, looked_up) in [
            ("aws_kms_key.a", false),
            ("Key", false),
            ("module.m.aws_kms_key.data", false),
            ("data.aws_kms_alias.ecr", true),
            ("module.m.data.aws_kms_key.a", true),
            ("module.kms", true),
        ] {
            assert_eq!(is_looked_up(address), looked_up, "{address}");
        }
    }
}
