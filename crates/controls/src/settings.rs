//! What a house may ask for beyond the rules as written: the parameters of controls.

/// Empty lists ask for nothing in particular, as Security Hub's defaults do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `requiredTagKeys` of ECS.13, ECS.14, ECS.15 and ECR.4.
    pub required_tags: Vec<String>,
    /// `kmsKeyArns` of ECR.5: the only keys that count.
    pub kms_keys: Vec<String>,
}
