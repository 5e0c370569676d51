//! How a user names an image: `oci:DIR[:TAG]`, `docker-archive:FILE`, or a registry reference.

use std::fmt;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// An OCI image layout folder; the tag is the `org.opencontainers.image.ref.name` of a manifest.
    Layout { folder: PathBuf, tag: Option<String> },
    /// What `docker save` writes, compressed or not.
    DockerArchive { file: PathBuf },
    /// `nginx`, `registry.example:5000/team/app:1@sha256:…`.
    Registry { name: String },
}

impl Reference {
    pub fn parse(text: &str) -> Result<Reference, String> {
        if let Some(rest) = text.strip_prefix("oci:") {
            // A path may hold colons; a tag holds no slash. A folder of the whole name wins.
            let (folder, tag) = match rest.rsplit_once(':') {
                Some((folder, tag)) if !tag.contains('/') && !tag.is_empty() && !PathBuf::from(rest).is_dir() => {
                    (folder, Some(tag.to_owned()))
                }
                _ => (rest, None),
            };
            if folder.is_empty() {
                return Err(format!("{text}: the folder is missing, as in oci:DIR or oci:DIR:TAG"));
            }
            return Ok(Reference::Layout { folder: folder.into(), tag });
        }
        if let Some(file) = text.strip_prefix("docker-archive:") {
            if file.is_empty() {
                return Err(format!("{text}: the file is missing, as in docker-archive:FILE"));
            }
            return Ok(Reference::DockerArchive { file: file.into() });
        }
        let name = text.strip_prefix("docker://").unwrap_or(text);
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        if name.is_empty() || !name.chars().all(fits) || name.starts_with(['/', '.', ':', '@', '-']) {
            return Err(format!(
                "{}: not an image reference; oci:DIR[:TAG], docker-archive:FILE or a name in a registry is needed",
                text.escape_debug()
            ));
        }
        Ok(Reference::Registry { name: name.to_owned() })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Layout { folder, tag: None } => write!(f, "oci:{}", folder.display()),
            Reference::Layout { folder, tag: Some(tag) } => write!(f, "oci:{}:{tag}", folder.display()),
            Reference::DockerArchive { file } => write!(f, "docker-archive:{}", file.display()),
            Reference::Registry { name } => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_told_from_the_others() {
        for (text, reference) in [
            ("oci:dir", Reference::Layout { folder: "dir".into(), tag: None }),
            ("oci:a/b:1.2", Reference::Layout { folder: "a/b".into(), tag: Some("1.2".into()) }),
            ("oci:a:b/c", Reference::Layout { folder: "a:b/c".into(), tag: None }),
            ("docker-archive:x.tar", Reference::DockerArchive { file: "x.tar".into() }),
            ("nginx:1@sha256:ab", Reference::Registry { name: "nginx:1@sha256:ab".into() }),
            ("docker://localhost:5000/x", Reference::Registry { name: "localhost:5000/x".into() }),
        ] {
            assert_eq!(Reference::parse(text).as_ref(), Ok(&reference), "{text}");
            let again = reference.to_string();
            assert_eq!(Reference::parse(&again), Ok(reference), "{again}");
        }
        for text in ["", "oci:", "docker-archive:", "a b", "../x", "${IMAGE}"] {
            assert!(Reference::parse(text).is_err(), "{text}");
        }
    }
}
