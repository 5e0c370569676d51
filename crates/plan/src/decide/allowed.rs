//! Which folders are never mounted without a person's word: the root, `/etc`, `/usr`, and whatever
//! holds programs, libraries or a web root. A writable mount there is a place for an attacker to
//! put a program, which is what a read-only root is to prevent.

use super::folders::{Folders, is_below};

/// Why a folder is not mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    TooBroad(String),
    HoldsPrograms(String),
    WebRoot(String),
}

/// Folders that are refused themselves, while some below them may do.
const TOO_BROAD: [&str; 12] =
    ["/", "/etc", "/usr", "/var", "/home", "/opt", "/srv", "/boot", "/proc", "/sys", "/dev", "/var/lib"];

/// Folders that are refused with all below them, whatever the image has there.
const PROGRAMS: [&str; 9] =
    ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr/bin", "/usr/sbin", "/usr/lib"];

const MORE_PROGRAMS: [&str; 5] =
    ["/usr/libexec", "/usr/local/bin", "/usr/local/sbin", "/usr/local/lib", "/usr/include"];

/// Names of folders from which interpreters load what they run, wherever they lie.
const LOADED_FROM: [&str; 6] = ["__pycache__", "node_modules", "site-packages", "dist-packages", "WEB-INF", "vendor"];

/// Where web servers and their packages keep what they serve.
const WEB_ROOTS: [&str; 6] =
    ["/var/www", "/srv/www", "/srv/http", "/usr/share/nginx/html", "/usr/local/apache2/htdocs", "/usr/share/httpd"];

/// Names of folders that applications keep beside what is served, and that nobody serves.
const SCRATCH: [&str; 8] = ["tmp", "temp", "log", "logs", "cache", "sessions", "session", "run"];

/// A folder in a web root that the image leaves empty for the application to write in, as CakePHP's
/// `tmp` and `logs` are.
fn is_left_empty(folder: &str, folders: &Folders<'_>) -> bool {
    let name = folder.rsplit('/').next().unwrap_or_default();
    SCRATCH.contains(&name) && folders.get(folder).is_some_and(|fact| fact.files == 0)
}

pub(super) fn check(folder: &str, folders: &Folders<'_>, allow: &[String]) -> Result<(), Refusal> {
    if allow.iter().any(|allowed| super::trim_slash(allowed) == folder) {
        return Ok(());
    }
    let within = |roots: &[&str]| roots.iter().any(|root| folder == *root || is_below(folder, root));
    if TOO_BROAD.contains(&folder) {
        return Err(Refusal::TooBroad(folder.to_owned()));
    }
    let loaded_from = folder.split('/').any(|part| LOADED_FROM.contains(&part));
    let holds_programs = folders.get(folder).is_some_and(|fact| fact.programs);
    if loaded_from || within(&PROGRAMS) || within(&MORE_PROGRAMS) || holds_programs {
        return Err(Refusal::HoldsPrograms(folder.to_owned()));
    }
    if within(&WEB_ROOTS) && folders.get(folder).is_some() && !is_left_empty(folder, folders) {
        return Err(Refusal::WebRoot(folder.to_owned()));
    }
    Ok(())
}

/// What follows a reason for as long as no proof tells whether the service does without the write.
pub(super) const UNPROVEN: &str = "; not proven yet, --allow ";

impl Refusal {
    pub fn because(&self) -> String {
        match self {
            Refusal::TooBroad(folder) => format!(
                "it lies directly in {folder}, which is never made writable as a whole{UNPROVEN}{folder} mounts it all \
                 the same"
            ),
            Refusal::HoldsPrograms(folder) => {
                format!(
                    "it lies in {folder}, which holds programs or libraries{UNPROVEN}{folder} mounts it all the same"
                )
            }
            Refusal::WebRoot(folder) => {
                format!("it lies in {folder}, from which files are served{UNPROVEN}{folder} mounts it all the same")
            }
        }
    }
}
