//! Folders of programs, libraries and pages that a server serves, as most images have them.

use crate::path::is_in;

/// Folders in which nothing may be written, at any depth.
const PROGRAMS: [&str; 13] = [
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/lib",
];

/// Folders that hold programs or pages beside others: a mount on a folder within may be fine.
const ABOVE: [&str; 12] = [
    "/",
    "/usr",
    "/usr/local",
    "/usr/share",
    "/opt",
    "/var/www",
    "/var/www/html",
    "/usr/share/nginx/html",
    "/usr/local/apache2/htdocs",
    "/usr/local/tomcat/webapps",
    "/srv/www",
    "/srv/http",
];

/// What a mount at that absolute path lies over, if it is one of these folders.
pub fn over(path: &str) -> Option<&'static str> {
    if PROGRAMS.iter().any(|folder| is_in(path, folder)) {
        Some("a folder of programs or libraries")
    } else if ABOVE.contains(&path) {
        Some("a folder of programs or a web root")
    } else {
        None
    }
}
