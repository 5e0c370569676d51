//! How a user names an image: `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-archive:FILE`, or
//! the name of an image in a registry.

use std::fmt;
use std::path::{Path, PathBuf};

use super::registry::Name;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// An OCI image layout folder; the tag is the `org.opencontainers.image.ref.name` of a manifest.
    Layout { folder: PathBuf, tag: Option<String> },
    /// A tar of an OCI image layout, compressed or not.
    OciArchive { file: PathBuf, tag: Option<String> },
    /// What `docker save` writes, compressed or not.
    DockerArchive { file: PathBuf },
    /// `nginx`, `registry.example:5000/team/app:1@sha256:…`.
    Registry(Name),
}

impl Reference {
    /// The error names the text and the forms that are understood.
    pub fn parse(text: &str) -> Result<Reference, String> {
        let shown = text.escape_debug();
        if let Some(rest) = text.strip_prefix("oci:") {
            let (folder, tag) = path_and_tag(rest, Path::is_dir);
            if folder.as_os_str().is_empty() {
                return Err(format!("{shown}: the folder is missing, as in oci:DIR or oci:DIR:TAG"));
            }
            return Ok(Reference::Layout { folder, tag });
        }
        if let Some(rest) = text.strip_prefix("oci-archive:") {
            let (file, tag) = path_and_tag(rest, Path::is_file);
            if file.as_os_str().is_empty() {
                return Err(format!("{shown}: the file is missing, as in oci-archive:FILE or oci-archive:FILE:TAG"));
            }
            return Ok(Reference::OciArchive { file, tag });
        }
        if let Some(file) = text.strip_prefix("docker-archive:") {
            if file.is_empty() {
                return Err(format!("{shown}: the file is missing, as in docker-archive:FILE"));
            }
            return Ok(Reference::DockerArchive { file: file.into() });
        }
        let name = text.strip_prefix("docker://").unwrap_or(text);
        let because = match Name::parse(name) {
            Ok(name) => return Ok(Reference::Registry(name)),
            Err(because) => because,
        };
        let path = Path::new(text);
        Err(if path.join("index.json").is_file() {
            format!("{shown}: an OCI image layout is named oci:{shown}")
        } else if path.is_file() {
            format!("{shown}: an archive is named docker-archive:{shown} or oci-archive:{shown}")
        } else {
            format!(
                "{shown}: not an image ({because}); oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE or a \
                 name in a registry is needed"
            )
        })
    }
}

/// A path may hold colons, a tag holds no slash; what is there under the whole name wins.
fn path_and_tag(text: &str, is_there: impl Fn(&Path) -> bool) -> (PathBuf, Option<String>) {
    match text.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') && !tag.is_empty() && !is_there(Path::new(text)) => {
            (path.into(), Some(tag.to_owned()))
        }
        _ => (text.into(), None),
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with_tag = |f: &mut fmt::Formatter<'_>, form: &str, path: &Path, tag: &Option<String>| {
            write!(f, "{form}:{}", super::shown(path))?;
            tag.as_ref().map_or(Ok(()), |tag| write!(f, ":{}", tag.escape_debug()))
        };
        match self {
            Reference::Layout { folder, tag } => with_tag(f, "oci", folder, tag),
            Reference::OciArchive { file, tag } => with_tag(f, "oci-archive", file, tag),
            Reference::DockerArchive { file } => with_tag(f, "docker-archive", file, &None),
            Reference::Registry(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_told_from_the_others() {
        let name = |text| Reference::Registry(Name::parse(text).expect("a name"));
        for (text, reference) in [
            ("oci:dir", Reference::Layout { folder: "dir".into(), tag: None }),
            ("oci:a/b:1.2", Reference::Layout { folder: "a/b".into(), tag: Some("1.2".into()) }),
            ("oci:a:b/c", Reference::Layout { folder: "a:b/c".into(), tag: None }),
            ("oci-archive:a.tar:1", Reference::OciArchive { file: "a.tar".into(), tag: Some("1".into()) }),
            ("docker-archive:x.tar", Reference::DockerArchive { file: "x.tar".into() }),
            ("nginx:1", name("nginx:1")),
            ("docker://localhost:5000/x", name("localhost:5000/x")),
        ] {
            assert_eq!(Reference::parse(text).as_ref(), Ok(&reference), "{text}");
            let again = reference.to_string();
            assert_eq!(Reference::parse(&again), Ok(reference), "{again}");
        }
        for text in ["", "oci:", "oci-archive:", "docker-archive:", "a b", "../x", "${IMAGE}", "a\nb"] {
            let error = Reference::parse(text).expect_err(text);
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn a_path_without_its_form_is_answered_with_the_form() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("index.json"), "{}").expect("a file");
        let path = folder.path().display().to_string();
        let error = Reference::parse(&path).expect_err("no name");
        assert!(error.ends_with(&format!("is named oci:{path}")), "{error}");
        let error = Reference::parse(&format!("{path}/index.json")).expect_err("no name");
        assert!(error.contains("docker-archive:"), "{error}");
    }

    #[test]
    fn a_folder_with_a_colon_in_its_name_wins() {
        let folder = tempfile::Builder::new().suffix(":1").tempdir().expect("a folder");
        let path = folder.path().to_owned();
        let reference = Reference::parse(&format!("oci:{}", path.display()));
        assert_eq!(reference, Ok(Reference::Layout { folder: path, tag: None }));
    }
}
