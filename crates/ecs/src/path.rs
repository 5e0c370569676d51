//! Paths of Linux as text: what is absolute, what lies in what, and what lies above.

/// An absolute path without `.`, `..`, doubled or trailing slashes; `None` for any other.
pub fn absolute(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

/// `path` is `folder` or lies in it. Both are absolute.
pub fn is_in(path: &str, folder: &str) -> bool {
    folder == "/" || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// `path` lies in `folder` and is not the folder itself. Both are absolute.
pub fn is_below(path: &str, folder: &str) -> bool {
    path != folder && is_in(path, folder)
}

/// The folder above an absolute path; `/` for what lies directly in it, and for itself.
pub fn parent(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => &path[..at],
    }
}

/// The path without slashes at its end; `/` stays.
pub fn trim_slash(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.starts_with('/') => "/",
        trimmed => trimmed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_what_it_leads_to() {
        for (path, absolute_path) in [
            ("/a/b/", Some("/a/b")),
            ("//a/./b/../c", Some("/a/c")),
            ("/../..", Some("/")),
            ("a", None),
            ("./a", None),
            ("~/a", None),
            ("", None),
        ] {
            assert_eq!(absolute(path).as_deref(), absolute_path, "{path}");
        }
    }

    #[test]
    fn what_lies_in_a_folder_shares_its_whole_name() {
        assert!(is_in("/etc/x", "/etc") && is_in("/etc", "/etc") && is_in("/a", "/") && is_in("/", "/"));
        assert!(!is_in("/etcetera", "/etc") && !is_in("/", "/etc"));
        assert!(is_below("/etc/x", "/etc") && is_below("/a", "/"));
        assert!(!is_below("/etc", "/etc") && !is_below("/", "/"));
    }

    #[test]
    fn what_lies_above_is_the_rest_of_the_path() {
        assert_eq!(["/a/b", "/a", "/"].map(parent), ["/a", "/", "/"]);
        assert_eq!(["/a/", "/a", "/", "//", ""].map(trim_slash), ["/a", "/a", "/", "/", ""]);
    }
}
