//! Nothing writable should be mounted over programs, libraries or a web root.
//!
//! # What
//! A volume, a host path or a tmpfs that is mounted for writing on a folder of programs, libraries,
//! settings of the system, or pages that a server serves.
//!
//! # Why
//! It undoes what a read-only root is for: who can write there can replace what runs, what it is told
//! to do (`/etc/ld.so.preload`, `/var/spool/cron`), or what is served. And it hides what the image holds at that path.
//!
//! # Exact test
//! Fails when a writable mount lies on or in a folder of programs or libraries: `/bin`, `/sbin`,
//! `/lib`, `/lib32`, `/lib64`, `/libx32`, each of these in `/usr`, `/usr/libexec`, `/usr/include`,
//! `/usr/local/bin`, `/usr/local/sbin`, `/usr/local/lib`, `/usr/local/lib64` or
//! `/usr/local/libexec`; on a whole tree that holds programs, their settings or web roots (`/`,
//! `/etc`, `/opt`, `/srv`, `/usr`, `/usr/local`, `/usr/share`, `/var` and `/var/lib` themselves); on a
//! web root (`/var/www`, `/var/www/html`, `/srv/www`, `/srv/http`, `/usr/share/nginx/html`,
//! `/usr/share/httpd`, `/usr/local/apache2/htdocs`, `/usr/local/tomcat/webapps`); or on a folder
//! that holds the program that the task definition itself starts by its path. One verdict for each
//! container.
//!
//! # Impact
//! Programs that update themselves or unpack plugins in these folders need an image that holds
//! them.
//!
//! # Default value
//! Nothing is mounted.
//!
//! # Fix
//! Mount the narrowest folder that is written, such as `uploads` under the web root, or set
//! `readOnly` on the mount point. What is written at start belongs into the image.
//!
//! # Back out
//! Point the service back to the revision before, which must not be deregistered.
//!
//! # Does not see
//! Programs in folders that only the image knows, and mounts of folders that hold scripts which a
//! server runs.

use tojimari_ecs::path::{absolute, is_in};
use tojimari_model::Severity;
use tojimari_model::declared::{Container, TaskDefinition};

use crate::control::Control;
use crate::mounts::{Access, mounts};
use crate::programs::over;
use crate::search::Search;
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {
    id: "TJ.16",
    slug: "writable-mount-over-programs",
    title: "Nothing writable should be mounted over programs, libraries or a web root",
    severity: Severity::Medium,
    level: 1,
    standards: &[],
    retired: None,
    check,
};

fn check(on: &Subject<'_>) -> Vec<Verdict> {
    on.containers(judge)
}

fn judge(task: &TaskDefinition, container: &Container) -> Verdict {
    let mut search = Search::new("where writable mounts lie");
    for mount in mounts(task, container).each(&mut search) {
        if mount.access == Access::ReadOnly {
            continue;
        }
        let Some(path) = search.known(mount.path).and_then(|path| absolute(path)) else { continue };
        let words = match over(&path) {
            Some(words) => words,
            None if container.started().any(|program| is_in(&program, &path)) => {
                "where the program lies that is started"
            }
            None => continue,
        };
        if let Access::Unknown(reason) = mount.access {
            search.note(&reason, mount.span);
            continue;
        }
        return Verdict::fail(mount.span, format!("{path} is mounted for writing, and is {words}"))
            .advise("mount the narrowest folder that is written, or set readOnly");
    }
    search.pass(container.head(), "no writable mount lies over programs")
}

#[cfg(test)]
crate::cases::cases! {
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/usr/local/bin"}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/usr/lib/app/plugins/"}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/var/www/html"}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    fail: r#"{"linuxParameters": {"tmpfs": [{"containerPath": "/opt", "size": 1}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/app"}], "entryPoint": ["/app/bin/server"],
        "in": {"volumes": [{"name": "v"}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/app"}], "command": ["python", "/app/main.py"],
        "in": {"volumes": [{"name": "v"}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/etc"}], "in": {"volumes": [{"name": "v"}]}}"#;
    fail: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/var/"}], "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/etc/nginx/conf.d"}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/var/lib/mysql"}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/mnt"}], "command": ["server", "/mnt"],
        "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/app"}], "command": ["python", "main.py"],
        "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/var/www/html/uploads"}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/usr/share/elasticsearch/data"}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/usr/local/bin", "readOnly": true}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    pass: r#"{}"#;
    unknown: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "?"}], "in": {"volumes": [{"name": "v"}]}}"#;
    unknown: r#"{"mountPoints": [{"sourceVolume": "v", "containerPath": "/opt", "readOnly": "?"}],
        "in": {"volumes": [{"name": "v"}]}}"#;
    unknown: r#"{"mountPoints": ["?..."]}"#;
}
