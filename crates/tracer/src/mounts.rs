//! The mounts that a tracee sees, from its mountinfo, and which of them a path lies on.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::event::Mount;
use crate::kernel;

/// How long a table is taken as it is. Mounts made by tracees mark it as stale at once: this is
/// for those that come from outside.
const UNASKED: Duration = Duration::from_millis(10);

/// The mount namespace of a tracee, kept open: it also remembers the root that it was opened from.
pub(crate) struct MountTable {
    info: File,
    tree: Tree,
    stale: bool,
    asked: Instant,
}

impl MountTable {
    /// The mounts as the thread sees them.
    pub fn of(thread: i32) -> io::Result<MountTable> {
        let info = File::open(format!("/proc/{thread}/mountinfo"))?;
        Ok(MountTable { info, tree: Tree::default(), stale: true, asked: Instant::now() })
    }

    pub fn mark_stale(&mut self) {
        self.stale = true;
    }

    /// The mount of this id.
    pub fn by_id(&mut self, id: u64) -> Option<Arc<Mount>> {
        self.refresh();
        if !self.tree.ids.contains_key(&id) && !self.stale {
            // Newer than the table, perhaps.
            self.read();
        }
        self.tree.ids.get(&id).map(|&at| self.tree.entries[at].mount.clone())
    }

    /// The mount that an absolute path without symbolic links lies on; `None` for what lies on
    /// the root where the root is no mount of its own.
    pub fn by_path(&mut self, path: &[u8]) -> Option<Arc<Mount>> {
        self.refresh();
        self.tree.by_path(path)
    }

    fn refresh(&mut self) {
        if !self.stale && self.asked.elapsed() > UNASKED {
            self.asked = Instant::now();
            self.stale = kernel::mounts_changed(self.info.as_fd());
        }
        if self.stale {
            self.read();
        }
    }

    fn read(&mut self) {
        let mut text = Vec::new();
        // Without mounts nothing is known of them: that is what the empty table says.
        let read = self.info.rewind().and_then(|()| self.info.read_to_end(&mut text));
        self.tree = if read.is_ok() { Tree::parse(&text) } else { Tree::default() };
        self.stale = false;
        self.asked = Instant::now();
    }
}

/// The mount of this id in the tracer's own namespace: for a tracee whose root is a plain folder,
/// which its own mountinfo leaves out.
pub(crate) fn own(id: u64) -> Option<Mount> {
    let tree = Tree::parse(&std::fs::read("/proc/self/mountinfo").ok()?);
    let at = *tree.ids.get(&id)?;
    Some(Mount::clone(&tree.entries[at].mount))
}

struct Entry {
    mount: Arc<Mount>,
    /// Mounts on top of this one, the shortest mount point first.
    children: Vec<usize>,
}

#[derive(Default)]
struct Tree {
    entries: Vec<Entry>,
    ids: HashMap<u64, usize>,
    /// Mounts whose parent is not listed.
    tops: Vec<usize>,
}

impl Tree {
    /// Reads the format of proc_pid_mountinfo(5).
    fn parse(text: &[u8]) -> Tree {
        let mut tree = Tree::default();
        let mut parents = Vec::new();
        for line in text.split(|&byte| byte == b'\n') {
            if let Some((id, parent, mount)) = parse_line(line) {
                tree.ids.insert(id, tree.entries.len());
                tree.entries.push(Entry { mount: Arc::new(mount), children: Vec::new() });
                parents.push((id, parent));
            }
        }
        for (at, (id, parent)) in parents.into_iter().enumerate() {
            match tree.ids.get(&parent) {
                Some(&parent_at) if parent != id => tree.entries[parent_at].children.push(at),
                _ => tree.tops.push(at),
            }
        }
        let lengths: Vec<usize> = tree.entries.iter().map(|entry| entry.mount.point.len()).collect();
        for entry in &mut tree.entries {
            entry.children.sort_by_key(|&child| lengths[child]);
        }
        tree.tops.sort_by_key(|&top| lengths[top]);
        tree
    }

    /// Goes down as a look-up does: at each mount the first mount point on the way is entered, so
    /// that what it hides is never found.
    fn by_path(&self, path: &[u8]) -> Option<Arc<Mount>> {
        let mut found = None;
        let mut candidates = &self.tops;
        while let Some(&at) = candidates.iter().find(|&&at| holds(&self.entries[at].mount.point, path)) {
            found = Some(at);
            candidates = &self.entries[at].children;
        }
        found.map(|at| self.entries[at].mount.clone())
    }
}

/// Whether the path is the folder or lies below it.
fn holds(folder: &[u8], path: &[u8]) -> bool {
    folder == b"/" || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

fn parse_line(line: &[u8]) -> Option<(u64, u64, Mount)> {
    let mut fields = line.split(|&byte| byte == b' ');
    let id = number(fields.next()?)?;
    let parent = number(fields.next()?)?;
    let device = fields.next()?;
    let colon = device.iter().position(|&byte| byte == b':')?;
    let device = (number(&device[..colon])? as u32, number(&device[colon + 1..])? as u32);
    let _root = fields.next()?;
    let point = unescape(fields.next()?);
    let options = fields.next()?;
    let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
    let fstype = String::from_utf8_lossy(rest.next()?).into_owned();
    let _source = rest.next()?;
    let of_file_system = rest.next().unwrap_or_default();
    let read_only = |options: &[u8]| options.split(|&byte| byte == b',').any(|option| option == b"ro");
    let read_only = read_only(options) || read_only(of_file_system);
    Some((id, parent, Mount { point, fstype, device, read_only }))
}

fn number(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

/// Blank, tab, newline and backslash stand there in octal.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut at = 0;
    while at < field.len() {
        let octal = (field[at] == b'\\')
            .then(|| field.get(at + 1..at + 4))
            .flatten()
            .and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 8).ok());
        match octal {
            Some(byte) => {
                plain.push(byte);
                at += 4;
            }
            None => {
                plain.push(field[at]);
                at += 1;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTAINER: &str = "\
100 90 0:40 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
101 100 0:41 / /proc rw,nosuid shared:3 - proc proc rw
102 100 0:42 / /dev rw - tmpfs tmpfs rw,mode=755
103 102 0:43 / /dev/shm rw - tmpfs shm rw,size=65536k
104 100 8:1 /var/v /var/with\\040blank ro,relatime - ext4 /dev/sda1 rw
105 100 8:1 / /data rw - ext4 /dev/sda1 ro
106 100 0:44 / /a/b rw - tmpfs hidden rw
107 100 0:45 / /a rw - tmpfs over rw
108 107 0:46 / /a rw - tmpfs top rw
";

    #[test]
    fn finds_the_mount_of_a_path() {
        let tree = Tree::parse(CONTAINER.as_bytes());
        let table: [(&str, &str, u32); 10] = [
            ("/", "/", 40),
            ("/run/nginx.pid", "/", 40),
            ("/dev/null", "/dev", 42),
            ("/dev/shm/x", "/dev/shm", 43),
            ("/devices", "/", 40),
            ("/proc", "/proc", 41),
            ("/var/with blank/x", "/var/with blank", 1),
            ("/data/x/y", "/data", 1),
            ("/a/b/c", "/a", 46),
            ("/a", "/a", 46),
        ];
        for (path, point, minor) in table {
            let mount = tree.by_path(path.as_bytes()).expect(path);
            assert_eq!((str::from_utf8(&mount.point).unwrap(), mount.device.1), (point, minor), "{path}");
        }
    }

    #[test]
    fn read_only_by_mount_or_by_file_system() {
        let tree = Tree::parse(CONTAINER.as_bytes());
        let read_only = |path: &str| tree.by_path(path.as_bytes()).unwrap().read_only;
        assert!(!read_only("/"));
        assert!(read_only("/var/with blank"));
        assert!(read_only("/data"));
    }

    #[test]
    fn without_a_listed_root_nothing_is_claimed_for_it() {
        let tree = Tree::parse(b"30 20 0:5 / /proc rw - proc proc rw\n");
        assert!(tree.by_path(b"/etc/x").is_none());
        assert_eq!(tree.by_path(b"/proc/1").unwrap().fstype, "proc");
    }

    #[test]
    fn lines_that_are_no_mounts_are_passed_over() {
        for text in ["", "x", "1 2", "1 2 3 / / rw", "1 2 3:4 / / rw - ", "1 2 3:4 / /\\0 rw -"] {
            assert!(Tree::parse(text.as_bytes()).entries.is_empty(), "{text}");
        }
    }
}
