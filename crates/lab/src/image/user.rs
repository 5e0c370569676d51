//! Who a container runs as: the forms of ECS's `user`, looked up in the image's own /etc/passwd and
//! /etc/group.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{self, FileType, OFlags};
use tojimari_recorder::open_in_root;

/// Numeric identities for the container's program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub uid: u32,
    pub gid: u32,
    /// Supplementary groups, when the user has a name in the image and no group was given.
    pub groups: Vec<u32>,
    /// From /etc/passwd; `/` where the image does not know the user.
    pub home: String,
}

/// The largest /etc/passwd or /etc/group that is read.
const MAX_FILE: u64 = 4 << 20;

/// Resolves `user`, `user:group`, `uid`, `uid:gid`, `user:gid` or `uid:group`; root where it is
/// empty. The error is a fragment such as "the image has no user www-data".
pub fn resolve_user(root: &Path, user: &str) -> Result<User, String> {
    let passwd = read_in_root(root, "/etc/passwd", MAX_FILE).unwrap_or_default();
    let group = read_in_root(root, "/etc/group", MAX_FILE).unwrap_or_default();
    let (name, group_name) = match user.split_once(':') {
        Some((name, group)) => (name, Some(group)),
        None => (user, None),
    };
    let name = if name.is_empty() { "0" } else { name };
    // Digits are always a number, even where somebody has them for a name.
    let field = if name.parse::<u32>().is_ok() { 2 } else { 0 };
    let found = lines(&passwd, 7).find(|fields| fields[field] == name);
    let (uid, mut gid, home, known) = match (&found, name.parse()) {
        (Some(fields), _) => {
            let number = |text: &str| text.parse().map_err(|_| format!("/etc/passwd has a malformed line for {name}"));
            (number(fields[2])?, number(fields[3])?, fields[5].to_owned(), Some(fields[0].to_owned()))
        }
        // A number need not be in the file.
        (None, Ok(uid)) => (uid, 0, "/".to_owned(), None),
        (None, Err(_)) => return Err(format!("the image has no user {}", name.escape_debug())),
    };
    let mut groups = Vec::new();
    match group_name.filter(|group| !group.is_empty()) {
        Some(wanted) => {
            gid = wanted
                .parse()
                .ok()
                .or_else(|| lines(&group, 4).find(|fields| fields[0] == wanted)?[2].parse().ok())
                .ok_or_else(|| format!("the image has no group {}", wanted.escape_debug()))?;
        }
        None => {
            if let Some(known) = known {
                let member = |fields: &Vec<&str>| fields[3].split(',').any(|name| name == known);
                groups = lines(&group, 4).filter(member).filter_map(|fields| fields[2].parse().ok()).collect();
            }
        }
    }
    let home = if home.is_empty() { "/".to_owned() } else { home };
    Ok(User { uid, gid, groups, home })
}

/// The lines of a passwd-like file that have at least that many fields.
fn lines(text: &str, count: usize) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split(':').collect::<Vec<_>>()).filter(move |fields| fields.len() >= count)
}

/// A text file of the image, with links followed inside the image only.
fn read_in_root(root: &Path, path: &str, limit: u64) -> Option<String> {
    let file = open_in_root(root, path, OFlags::RDONLY | OFlags::NONBLOCK).ok()?;
    if FileType::from_raw_mode(fs::fstat(&file).ok()?.st_mode) != FileType::RegularFile {
        return None;
    }
    let mut bytes = Vec::new();
    File::from(file).take(limit).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_ecs_is_resolved() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(root.path().join("etc")).expect("etc");
        let passwd = "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\nbroken\n\
                      1000:x:0:0::/root:/bin/sh\n";
        std::fs::write(root.path().join("etc/passwd"), passwd).expect("passwd");
        std::fs::write(root.path().join("etc/group"), "root:x:0:\nadm:x:4:syslog,www-data\n").expect("group");
        let user = |uid, gid, groups: &[u32], home: &str| User { uid, gid, groups: groups.to_vec(), home: home.into() };
        for (text, resolved) in [
            ("", user(0, 0, &[], "/root")),
            ("www-data", user(33, 33, &[4], "/var/www")),
            ("33", user(33, 33, &[4], "/var/www")),
            ("www-data:adm", user(33, 4, &[], "/var/www")),
            ("www-data:7", user(33, 7, &[], "/var/www")),
            ("1000", user(1000, 0, &[], "/")),
            ("1000:1000", user(1000, 1000, &[], "/")),
            ("1000:adm", user(1000, 4, &[], "/")),
        ] {
            assert_eq!(resolve_user(root.path(), text), Ok(resolved), "{text}");
        }
        assert_eq!(resolve_user(root.path(), "nobody2"), Err("the image has no user nobody2".to_owned()));
        assert_eq!(resolve_user(root.path(), "0:no"), Err("the image has no group no".to_owned()));
    }

    #[test]
    fn a_link_out_of_the_image_is_not_followed() {
        let outside = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(outside.path(), "evil:x:7:7::/:\n").expect("a file");
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(root.path().join("etc")).expect("etc");
        std::os::unix::fs::symlink(outside.path(), root.path().join("etc/passwd")).expect("a link");
        assert!(resolve_user(root.path(), "evil").is_err());
    }
}
