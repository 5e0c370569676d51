//! Names of images in registries, `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`, with Docker's rules of
//! what a short name stands for.

use std::fmt;
use std::net::IpAddr;

/// Docker Hub as people write it, and the host that answers for it.
const HUB: &str = "docker.io";
const HUB_API: &str = "registry-1.docker.io";
/// The key under which Docker keeps the credentials of its Hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// As the user wrote it.
    text: String,
    /// With its port where one was given; `docker.io` where no host was.
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Name {
    /// The error is a fragment such as "repository names are in lower case".
    pub fn parse(text: &str) -> Result<Name, String> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                super::super::blob_path(digest)
                    .ok_or("what follows the @ is no digest, `sha256:` and 64 hex digits")?;
                (rest, Some(digest.to_owned()))
            }
            None => (text, None),
        };
        // A colon after the last slash begins the tag; one before it, a port.
        let after_slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (path, tag) = match rest[after_slash..].find(':') {
            Some(at) => (&rest[..after_slash + at], Some(&rest[after_slash + at + 1..])),
            None => (rest, None),
        };
        if let Some(tag) = tag {
            let first = tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            if !first || tag.len() > 128 || !tag.chars().all(fits) {
                return Err(format!("{} is no tag", quoted(tag)));
            }
        }
        let (host, path) = match path.split_once('/') {
            Some((first, path)) if is_host(first) => (first, path),
            _ => (HUB, path),
        };
        if !host_fits(host) {
            return Err(format!("{} is no host", quoted(host)));
        }
        // What Docker resolves the same way is the same host.
        let host = if matches!(host, "index.docker.io" | HUB_API) { HUB } else { host };
        let repository = match path.contains('/') {
            false if host == HUB && !path.is_empty() => format!("library/{path}"),
            _ => path.to_owned(),
        };
        if repository.is_empty() {
            return Err("the repository is missing".to_owned());
        }
        if repository.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err("repository names are in lower case".to_owned());
        }
        if repository.len() > 255 || !repository.split('/').all(component_fits) {
            return Err(format!("{} is no repository", quoted(path)));
        }
        let tag = tag.map(str::to_owned);
        Ok(Name { text: text.to_owned(), host: host.to_owned(), repository, tag, digest })
    }

    /// For people and for the keys of credentials: `docker.io`, `registry.example:5000`.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn repository(&self) -> &str {
        &self.repository
    }

    /// What a manifest is asked for by: the digest, which wins, or the tag.
    pub(super) fn version(&self) -> &str {
        self.digest.as_deref().or(self.tag.as_deref()).unwrap_or("latest")
    }

    /// The address that answers: `https` everywhere but on this machine.
    pub(super) fn base(&self) -> String {
        let host = if self.host == HUB { HUB_API } else { &self.host };
        format!("{}://{host}/v2", if self.is_local() { "http" } else { "https" })
    }

    /// Whether the registry runs on this machine, where Docker asks for no TLS either.
    pub(super) fn is_local(&self) -> bool {
        let host = match self.host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => self.host.split(':').next().unwrap_or_default(),
        };
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// The keys under which a Docker configuration may know the registry.
    pub(super) fn keys(&self) -> Vec<String> {
        if self.host == HUB {
            return [HUB_KEY, HUB, "index.docker.io", HUB_API].map(str::to_owned).to_vec();
        }
        vec![self.host.clone(), format!("https://{}", self.host), format!("http://{}", self.host)]
    }

    /// What a credential helper is asked for.
    pub(super) fn server(&self) -> &str {
        if self.host == HUB { HUB_KEY } else { &self.host }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A first component is a host if no repository could be named so.
fn is_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':', '[']) || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn host_fits(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            (None, port.strip_prefix(':').or(if port.is_empty() { None } else { Some("no") }))
        }
        None => match host.split_once(':') {
            Some((name, port)) => (Some(name), Some(port)),
            None => (Some(host), None),
        },
    };
    let label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(fits) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.is_none_or(|name| name.len() <= 253 && name.split('.').all(label))
        && port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

/// Lower-case letters and digits, parted by `.`, `_`, `__` or any number of `-`.
fn component_fits(component: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    word(*first)
        && word(*last)
        && bytes
            .split(|byte| word(*byte))
            .all(|part| matches!(part, b"" | b"." | b"_" | b"__") || part.iter().all(|byte| *byte == b'-'))
}

fn quoted(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    format!("`{}`", short.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn names_are_read_as_docker_reads_them() {
        let pinned = format!("team/app:1@{DIGEST}");
        for (text, base, repository, version) in [
            ("nginx", "https://registry-1.docker.io/v2", "library/nginx", "latest"),
            ("nginx:1.27", "https://registry-1.docker.io/v2", "library/nginx", "1.27"),
            ("bitnami/nginx", "https://registry-1.docker.io/v2", "bitnami/nginx", "latest"),
            ("docker.io/nginx", "https://registry-1.docker.io/v2", "library/nginx", "latest"),
            ("index.docker.io/library/nginx", "https://registry-1.docker.io/v2", "library/nginx", "latest"),
            (&pinned, "https://registry-1.docker.io/v2", "team/app", DIGEST),
            ("public.ecr.aws/nginx/nginx:stable", "https://public.ecr.aws/v2", "nginx/nginx", "stable"),
            ("registry.example:5000/a/b/c", "https://registry.example:5000/v2", "a/b/c", "latest"),
            ("localhost/app", "http://localhost/v2", "app", "latest"),
            ("localhost:5000/app:x_Y.1-2", "http://localhost:5000/v2", "app", "x_Y.1-2"),
            ("127.0.0.1:5000/a__b--c.d", "http://127.0.0.1:5000/v2", "a__b--c.d", "latest"),
            ("[::1]:5000/app", "http://[::1]:5000/v2", "app", "latest"),
            ("10.0.0.1:5000/app", "https://10.0.0.1:5000/v2", "app", "latest"),
        ] {
            let name = Name::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(
                (name.base().as_str(), name.repository(), name.version()),
                (base, repository, version),
                "{text}"
            );
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_reason() {
        for (text, said) in [
            ("", "the repository is missing"),
            ("registry.example/", "the repository is missing"),
            ("Nginx", "lower case"),
            ("nginx:", "`` is no tag"),
            ("nginx:-x", "`-x` is no tag"),
            ("nginx@sha256:12", "no digest"),
            ("nginx@", "no digest"),
            ("a//b", "no repository"),
            ("a/../b", "no repository"),
            ("a..b/c", "`a..b` is no host"),
            ("registry.example:99999/a", "no host"),
            ("registry.example:x/a", "no host"),
            ("[::g]/a", "no host"),
            ("nginx latest", "no repository"),
            ("nginx?x=y", "no repository"),
            ("-nginx", "no repository"),
            ("user:password@registry.example/a", "no digest"),
        ] {
            let error = Name::parse(text).expect_err(text);
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
