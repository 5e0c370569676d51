//! Recipes: what well-known images need to write, each proven by an experiment that its file in
//! `recipes/` names, and which image a recipe is for.

use std::sync::LazyLock;

use serde::Deserialize;

use tojimari_evidence::plan::WritableBy;

/// One file of `recipes/`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The name of its file and of the example that proves it.
    #[serde(skip)]
    pub name: &'static str,
    pub title: String,
    /// The images that it is for, in full: `docker.io/library/nginx`. None where it is for a way to
    /// build an image rather than for one that is published.
    #[serde(default)]
    pub images: Vec<String>,
    /// Only tags with this word in them: `php:8.3-fpm` and `php:8.3-apache` are different servers.
    pub tag_has: Option<String>,
    /// The container of the example that it describes.
    pub container: String,
    /// In what the image that was run is like the ones named, and in what not.
    pub layout: String,
    /// `uid:gid` of the first process.
    pub user: String,
    /// Packages that were run, with their versions.
    pub versions: Vec<String>,
    /// Day of the proof, `2026-11-23`.
    pub date: String,
    /// Digest of the proof that lies beside the recipe as `NAME.proof.json`.
    pub proof: String,
    /// Sorted by path; empty where a read-only root needs no mount at all.
    #[serde(default)]
    pub writable: Vec<RecipeMount>,
    /// Writes that were refused, and without which the service passed.
    #[serde(default)]
    pub tolerated: Vec<Tolerated>,
    /// What people say of it, and what the experiment showed.
    #[serde(default)]
    pub claims: Vec<Claim>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeMount {
    pub path: String,
    pub by: WritableBy,
    /// Of a tmpfs, in MiB.
    pub size_mib: Option<u64>,
    #[serde(default)]
    pub options: Vec<String>,
    /// What the image has there is copied into it first.
    #[serde(default)]
    pub seeded: bool,
    /// The folder holds programs or is too broad: a person has to allow it (`--allow`).
    #[serde(default)]
    pub asks: bool,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tolerated {
    pub path: String,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// "nginx needs /etc/nginx"
    pub says: String,
    pub verdict: ClaimVerdict,
    pub showed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimVerdict {
    Confirmed,
    /// True under a condition that the text says, or of another path.
    Corrected,
    Refuted,
    /// No experiment here can tell.
    NotShown,
}

impl std::fmt::Display for ClaimVerdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ClaimVerdict::Confirmed => "confirmed",
            ClaimVerdict::Corrected => "corrected",
            ClaimVerdict::Refuted => "refuted",
            ClaimVerdict::NotShown => "not shown",
        })
    }
}

/// The files, by the name of their example. A test holds this list to the folder.
macro_rules! recipes {
    ($($name:literal),+ $(,)?) => {
        const FILES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../recipes/", $name, ".toml")))),+];
    };
}

recipes![
    "cakephp",
    "gunicorn",
    "httpd",
    "nginx",
    "nginx-official",
    "nginx-unprivileged",
    "node",
    "php-fpm",
    "php-official",
    "phpmyadmin",
    "postgres",
    "redis",
    "tomcat",
];

static RECIPES: LazyLock<Vec<Recipe>> = LazyLock::new(|| {
    // They are part of this program, and a test reads each: one that does not parse is a fault of it.
    FILES.iter().map(|(name, text)| Recipe { name, ..toml::from_str(text).expect("a recipe that parses") }).collect()
});

/// All recipes, by name.
pub fn all() -> &'static [Recipe] {
    &RECIPES
}

/// The recipe for an image as a task definition names it.
pub fn for_image(reference: &str) -> Option<&'static Recipe> {
    let name = ImageName::of(reference)?;
    all().iter().find(|recipe| {
        let tagged = recipe.tag_has.as_deref().is_none_or(|word| name.tag.is_some_and(|tag| tag.contains(word)));
        tagged && recipe.images.iter().any(|image| name.is(image))
    })
}

/// An image's name without its digest.
struct ImageName<'a> {
    host: &'a str,
    repository: String,
    tag: Option<&'a str>,
}

const HUB: &str = "docker.io";

impl<'a> ImageName<'a> {
    /// With Docker's rules of what a short name stands for. Nothing of what is no name at all.
    fn of(reference: &'a str) -> Option<Self> {
        let reference = reference.trim();
        let rest = reference.split('@').next().unwrap_or_default();
        let after_slash = rest.rfind('/').map_or(0, |at| at + 1);
        let (path, tag) = match rest[after_slash..].find(':') {
            Some(at) => (&rest[..after_slash + at], Some(&rest[after_slash + at + 1..])),
            None => (rest, None),
        };
        let is_host = |first: &str| first.contains(['.', ':']) || first == "localhost";
        let (host, path) = match path.split_once('/') {
            Some((first, rest)) if is_host(first) => (first, rest),
            _ => (HUB, path),
        };
        let host = if matches!(host, "index.docker.io" | "registry-1.docker.io") { HUB } else { host };
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        if path.is_empty() || !path.chars().all(fits) || path.split('/').any(str::is_empty) {
            return None;
        }
        let repository = if host == HUB && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
        Some(ImageName { host, repository, tag })
    }

    /// Whether it is that image, by itself or through a pull-through cache in a private registry of
    /// ECR, whose repositories are called `PREFIX/UPSTREAM`. Another publisher's image of the same
    /// last word (`bitnami/nginx`) is another image, and so is a repository that is just called
    /// `nginx`: nobody knows what was pushed there.
    fn is(&self, image: &str) -> bool {
        let Some((host, repository)) = image.split_once('/') else { return false };
        if self.host == host {
            return self.repository == repository;
        }
        let ecr = self.host.contains(".dkr.ecr") && self.host.contains(".amazonaws.com");
        let cached = || self.repository.split_once('/').map(|(_, upstream)| upstream);
        ecr && repository.contains('/') && cached() == Some(repository)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn every_recipe_reads_and_is_whole() {
        let mut files: Vec<String> = std::fs::read_dir(root().join("recipes"))
            .expect("the recipes")
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".toml").map(str::to_owned))
            .collect();
        files.sort();
        let names: Vec<&str> = all().iter().map(|recipe| recipe.name).collect();
        assert_eq!(names, files, "the list in recipe.rs and the folder");
        for recipe in all() {
            let name = recipe.name;
            assert!(root().join("examples").join(name).join("exercise").exists(), "{name} has no example");
            assert!(recipe.writable.is_sorted_by_key(|mount| &mount.path), "{name}: mounts in order");
            assert!(!recipe.versions.is_empty() && recipe.proof.starts_with("sha256:"), "{name}");
            for mount in &recipe.writable {
                assert_eq!(mount.by == WritableBy::Tmpfs, mount.size_mib.is_some(), "{name}: {}", mount.path);
            }
            for image in &recipe.images {
                let image = format!("{image}:{}", recipe.tag_has.as_deref().unwrap_or("1"));
                assert_eq!(for_image(&image).map(|found| found.name), Some(name), "{image} belongs to one recipe");
            }
        }
    }

    #[test]
    fn an_image_is_known_by_its_whole_name() {
        for (image, recipe) in [
            ("nginx", Some("nginx-official")),
            ("nginx:1.27-alpine", Some("nginx-official")),
            ("library/nginx", Some("nginx-official")),
            ("docker.io/library/nginx:1.27", Some("nginx-official")),
            ("docker.io/nginx", Some("nginx-official")),
            ("index.docker.io/library/nginx@sha256:00", Some("nginx-official")),
            ("public.ecr.aws/nginx/nginx:stable", Some("nginx-official")),
            ("public.ecr.aws/docker/library/nginx", Some("nginx-official")),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/library/nginx:1", Some("nginx-official")),
            ("nginxinc/nginx-unprivileged", Some("nginx-unprivileged")),
            ("php:8.3-fpm-alpine", Some("php-official")),
            ("php:8.3-apache", None),
            ("php", None),
            ("bitnami/nginx", None),
            ("docker.io/bitnami/nginx:1", None),
            ("ghcr.io/library/nginx", None),
            ("registry.example:5000/nginx", None),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/nginx:1", None),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/docker-hub/bitnami/nginx", None),
            ("nginx-prometheus-exporter", None),
            ("${IMAGE}", None),
            ("", None),
        ] {
            assert_eq!(for_image(image).map(|recipe| recipe.name), recipe, "{image}");
        }
    }
}
