//! Paths as a process sees them whose root directory is a given folder: the kernel resolves links
//! inside of it.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{self, Mode, OFlags, ResolveFlags};
use rustix::path::Arg;

/// Opens a path below `root`, close-on-exec. Absolute links and `..` stay below it; magic links of
/// /proc are not followed. An empty path is the root itself.
pub fn open_in_root(root: &Path, path: impl Arg, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let root = fs::open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let path = path.into_c_str()?;
    let path = if path.is_empty() { c"." } else { &path };
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    fs::openat2(&root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_do_not_lead_out_of_the_root() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(root.path().join("etc")).expect("a folder");
        std::fs::write(root.path().join("etc/own"), "").expect("a file");
        std::os::unix::fs::symlink("/etc", root.path().join("link")).expect("a link");
        let open = |path: &str| open_in_root(root.path(), path, OFlags::PATH);
        for path in ["/etc/own", "/link/own", "link/own", "/../../etc/own", "", "/"] {
            assert!(open(path).is_ok(), "{path}");
        }
        for path in ["/link/passwd", "/etc/passwd"] {
            assert_eq!(open(path).err(), Some(rustix::io::Errno::NOENT), "{path}");
        }
    }
}
