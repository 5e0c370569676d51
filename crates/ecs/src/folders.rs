//! Folders of containers, as most images have them: those of programs, libraries, settings and
//! pages, over which nothing writable belongs, those in which nothing is kept, and those of ECS
//! Exec.

use crate::path::is_in;

/// What a mount on a folder lies over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Programs or libraries: nothing may be written there, at any depth.
    Programs,
    /// A whole tree that holds programs, settings or web roots beside others. A mount on a folder
    /// within may be fine.
    Tree,
    /// Pages that a server serves. A mount on a folder within, such as `uploads`, may be fine.
    WebRoot,
}

/// Folders of programs and libraries, with all below them. On a merged `/usr` the first of them are
/// links to their namesakes there.
pub const PROGRAMS: [&str; 19] = [
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libx32",
    "/usr/libexec",
    "/usr/include",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/local/libexec",
];

/// Trees that hold programs, what tells programs what to do (`/etc/ld.so.preload`, `/var/spool/cron`,
/// the scripts of packages in `/var/lib`), or web roots.
pub const TREES: [&str; 9] = ["/", "/etc", "/opt", "/srv", "/usr", "/usr/local", "/usr/share", "/var", "/var/lib"];

/// Where web servers and their packages keep what they serve.
pub const WEB_ROOTS: [&str; 8] = [
    "/var/www",
    "/var/www/html",
    "/srv/www",
    "/srv/http",
    "/usr/share/nginx/html",
    "/usr/share/httpd",
    "/usr/local/apache2/htdocs",
    "/usr/local/tomcat/webapps",
];

/// Folders without programs that are too broad to be made writable unasked: homes of users, and what
/// the kernel and the boot loader have.
pub const TOO_BROAD: [&str; 5] = ["/boot", "/dev", "/home", "/proc", "/sys"];

/// Names of folders from which interpreters load what they run, wherever they lie.
pub const LOADED_FROM: [&str; 6] =
    ["__pycache__", "node_modules", "site-packages", "dist-packages", "WEB-INF", "vendor"];

/// Names of folders that applications keep beside what is served, and that nobody serves.
pub const SCRATCH_NAMES: [&str; 8] = ["tmp", "temp", "log", "logs", "cache", "sessions", "session", "run"];

/// Folders in which nothing is kept, with all below them, whatever an image declares as a `VOLUME`.
pub const SCRATCH: [&str; 5] = ["/tmp", "/run", "/var/tmp", "/var/cache", "/var/lock"];

/// The two folders in which the agent of ECS Exec writes.
/// Source: aws-containers roadmap issues 1359 and 2824; AWS itself documents no paths.
pub const EXEC: [&str; 2] = ["/var/lib/amazon", "/var/log/amazon"];

/// The folder in each of [`EXEC`] that the agent really uses, in the same order. On EC2 and external
/// instances the agent of ECS mounts the second by itself.
pub const EXEC_AGENT: [&str; 2] = ["/var/lib/amazon/ssm", "/var/log/amazon/ssm"];

/// What a mount at that absolute path lies over, if it is one of these folders.
pub fn over(path: &str) -> Option<Over> {
    if PROGRAMS.iter().any(|folder| is_in(path, folder)) {
        Some(Over::Programs)
    } else if TREES.contains(&path) {
        Some(Over::Tree)
    } else if WEB_ROOTS.contains(&path) {
        Some(Over::WebRoot)
    } else {
        None
    }
}

/// The path lies in a web root, or is one.
pub fn is_in_web_root(path: &str) -> bool {
    WEB_ROOTS.iter().any(|root| is_in(path, root))
}

/// Nothing is kept at that path.
pub fn is_scratch(path: &str) -> bool {
    SCRATCH.iter().any(|folder| is_in(path, folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::absolute;

    #[test]
    fn depth_decides_what_a_mount_lies_over() {
        for (path, expected) in [
            ("/", Some(Over::Tree)),
            ("/etc", Some(Over::Tree)),
            ("/etc/nginx", None),
            ("/var", Some(Over::Tree)),
            ("/var/lib", Some(Over::Tree)),
            ("/var/lib/mysql", None),
            ("/usr/lib64", Some(Over::Programs)),
            ("/usr/lib/app/plugins", Some(Over::Programs)),
            ("/usr/library", None),
            ("/usr/share", Some(Over::Tree)),
            ("/usr/share/elasticsearch/data", None),
            ("/usr/local/tomcat/webapps", Some(Over::WebRoot)),
            ("/usr/local/tomcat/webapps/uploads", None),
            ("/usr/local/tomcat", None),
            ("/home", None),
            ("/tmp", None),
        ] {
            assert_eq!(over(path), expected, "{path}");
        }
    }

    #[test]
    fn folders_stand_once_and_are_absolute() {
        let all: Vec<&str> =
            PROGRAMS.into_iter().chain(TREES).chain(WEB_ROOTS).chain(TOO_BROAD).chain(SCRATCH).collect();
        for (at, folder) in all.iter().enumerate() {
            assert_eq!(absolute(folder).as_deref(), Some(*folder));
            assert!(!all[..at].contains(folder), "{folder} stands twice");
        }
    }

    #[test]
    fn no_folder_that_has_to_be_writable_lies_over_programs() {
        assert!(EXEC.into_iter().chain(EXEC_AGENT).chain(SCRATCH).all(|folder| over(folder).is_none()));
        assert!(EXEC.iter().zip(EXEC_AGENT).all(|(folder, agent)| is_in(agent, folder)));
    }
}
