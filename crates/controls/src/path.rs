//! Paths of Linux as text: what lies beneath what.

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
        assert!(is_in("/etc/x", "/etc") && is_in("/etc", "/etc") && is_in("/a", "/"));
        assert!(!is_in("/etcetera", "/etc") && !is_in("/", "/etc"));
    }
}
