//! What tasks run on, and the words of the API for it.

use serde::{Deserialize, Serialize};

/// What a task runs on. Windows and daemons are none: they are an operating system and a kind of
/// task definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// Capacity that AWS runs, one task to a virtual machine.
    Fargate,
    /// Instances of one's own in EC2.
    Ec2,
    /// Instances in EC2 that ECS runs.
    ManagedInstances,
    /// Servers outside AWS (ECS Anywhere).
    External,
    /// The Docker engine under Docker Compose, which is not ECS.
    Compose,
}

impl Platform {
    /// All of them.
    pub const ALL: [Platform; 5] =
        [Platform::Fargate, Platform::Ec2, Platform::ManagedInstances, Platform::External, Platform::Compose];

    /// The name as files and the command line of tojimari write it, such as `managed-instances`.
    pub const fn name(self) -> &'static str {
        match self {
            Platform::Fargate => "fargate",
            Platform::Ec2 => "ec2",
            Platform::ManagedInstances => "managed-instances",
            Platform::External => "external",
            Platform::Compose => "compose",
        }
    }

    /// The name as the API writes it, in `requiresCompatibilities` and `launchType`. `None` for
    /// Compose.
    pub const fn api_name(self) -> Option<&'static str> {
        match self {
            Platform::Fargate => Some("FARGATE"),
            Platform::Ec2 => Some("EC2"),
            Platform::ManagedInstances => Some("MANAGED_INSTANCES"),
            Platform::External => Some("EXTERNAL"),
            Platform::Compose => None,
        }
    }

    /// The platform that [`Platform::name`] gives that name.
    pub fn from_name(name: &str) -> Option<Platform> {
        Platform::ALL.into_iter().find(|platform| platform.name() == name)
    }

    /// What an item of `requiresCompatibilities` or a `launchType` means. Case does not matter: who
    /// writes `fargate` means Fargate, whether ECS takes the spelling or not.
    pub fn from_api_name(name: &str) -> Option<Platform> {
        let means = |platform: &Platform| platform.api_name().is_some_and(|api| api.eq_ignore_ascii_case(name));
        Platform::ALL.into_iter().find(means)
    }

    /// The platform of one of the capacity providers that every account has: `FARGATE` and
    /// `FARGATE_SPOT`. `None` for those of one's own.
    pub fn from_capacity_provider(name: &str) -> Option<Platform> {
        let fargate = ["FARGATE", "FARGATE_SPOT"].iter().any(|provider| provider.eq_ignore_ascii_case(name));
        fargate.then_some(Platform::Fargate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_platforms() {
        for platform in Platform::ALL {
            assert_eq!(Platform::from_name(platform.name()), Some(platform));
            if let Some(name) = platform.api_name() {
                assert_eq!(Platform::from_api_name(name), Some(platform));
                assert_eq!(Platform::from_api_name(&name.to_ascii_lowercase()), Some(platform));
            }
        }
        assert_eq!(Platform::from_api_name("FARGATE_SPOT"), None);
        assert_eq!(Platform::from_api_name("COMPOSE"), None);
        assert_eq!(Platform::from_capacity_provider("FARGATE_SPOT"), Some(Platform::Fargate));
        assert_eq!(Platform::from_capacity_provider("EC2"), None);
    }
}
