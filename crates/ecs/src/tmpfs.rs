//! The mount options of a tmpfs, as `mountOptions` takes them.
//! Source: the reference of the ECS API, type Tmpfs.

/// What an option of `mountOptions` is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountOption {
    /// It stands alone, as `noexec` does.
    Flag,
    /// It stands alone, and says nothing about a tmpfs that one container has for itself: `remount`,
    /// binds and how mounts propagate.
    WithoutMeaning,
    /// It takes a value, as `mode=1777` does.
    Valued,
}

const FLAGS: [&str; 22] = [
    "defaults",
    "ro",
    "rw",
    "suid",
    "nosuid",
    "dev",
    "nodev",
    "exec",
    "noexec",
    "sync",
    "async",
    "dirsync",
    "mand",
    "nomand",
    "atime",
    "noatime",
    "diratime",
    "nodiratime",
    "relatime",
    "norelatime",
    "strictatime",
    "nostrictatime",
];

const WITHOUT_MEANING: [&str; 11] = [
    "remount",
    "bind",
    "rbind",
    "unbindable",
    "runbindable",
    "private",
    "rprivate",
    "shared",
    "rshared",
    "slave",
    "rslave",
];

const VALUED: [&str; 6] = ["mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"];

/// What the Docker engine puts on a tmpfs, each unless the opposite beside it is asked for.
/// Source: the engine's description of `--tmpfs`.
pub const ENGINE_DEFAULTS: [(&str, &str); 3] = [("noexec", "exec"), ("nosuid", "suid"), ("nodev", "dev")];

/// The name of an option: of `mode=1777` it is `mode`.
pub fn option_name(option: &str) -> &str {
    option.split('=').next().unwrap_or_default()
}

/// What that option is; `None` where ECS has none of its name.
pub fn mount_option(option: &str) -> Option<MountOption> {
    let name = option_name(option);
    if FLAGS.contains(&name) {
        Some(MountOption::Flag)
    } else if WITHOUT_MEANING.contains(&name) {
        Some(MountOption::WithoutMeaning)
    } else if VALUED.contains(&name) {
        Some(MountOption::Valued)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_known_by_their_names() {
        for (option, kind) in [
            ("noexec", Some(MountOption::Flag)),
            ("rslave", Some(MountOption::WithoutMeaning)),
            ("mode=1777", Some(MountOption::Valued)),
            ("mode", Some(MountOption::Valued)),
            ("size=64m", None),
            ("NOEXEC", None),
            ("", None),
        ] {
            assert_eq!(mount_option(option), kind, "{option}");
        }
        // The opposites are options themselves.
        let both = ENGINE_DEFAULTS.iter().flat_map(|(default, opposite)| [default, opposite]);
        assert!(both.into_iter().all(|option| mount_option(option) == Some(MountOption::Flag)));
    }
}
