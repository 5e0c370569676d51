//! From the path that a tracee gave to the file that the kernel will act on: its absolute name in
//! the tracee's root, what is there now, and the mount that counts.
//!
//! Names come from the kernel: a folder is opened as a place (`openat2` within the tracee's root)
//! and its name read back, in the tracer's view, where the tracee's root has a name of its own that
//! is taken off again. A root in another mount namespace is named from the top of that namespace;
//! what a chroot leads to is named from the root that it lies below, as others would name it.
//! What is remembered between calls is in `recent`, with the conditions under which it holds.
//!
//! Long because each form of path ends in the same few questions to the kernel.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;

use tojimari_evidence::profile::FileKind;

use crate::event::Mount;
use crate::judge::Found;
use crate::kernel::{self, KernelPath, Permission, Scope, Stat};
use crate::mounts::{self, MountTable};
use crate::recent::{File, Folder, Recent};
use crate::walk::{Walked, Walker};

/// The most threads whose folder in /proc is kept open.
const MOST_THREADS: usize = 16;

/// The most roots that are kept open. A tree of programs has one or two.
const MOST_ROOTS: usize = 64;

/// A root directory of tracees, and the mounts seen from it.
pub(crate) struct Root {
    /// Of all roots ever looked at.
    number: u64,
    folder: OwnedFd,
    stat: Stat,
    /// What is taken off names of the tracer's view, without a slash at its end: the name of this
    /// root, or of the one above it. Empty for `/`.
    prefix: Vec<u8>,
    /// Of its mounts, as a number of the kernel's.
    namespace: u64,
    /// The root of the same mount namespace that this one lies below: it was made by chroot.
    above: Option<Rc<Root>>,
    /// Its name below that one; empty where there is none.
    name: Vec<u8>,
    mounts: RefCell<MountTable>,
    /// The mount that the root itself lies on.
    own: Arc<Mount>,
}

/// Where a path starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    WorkingDirectory,
    Descriptor(i32),
}

impl Root {
    /// Whether it is the same folder, in whatever mount namespace.
    pub fn same_folder(&self, other: &Root) -> bool {
        (self.stat.device, self.stat.inode) == (other.stat.device, other.stat.inode)
    }

    /// The root that names are told from.
    fn named_from(&self) -> &Root {
        self.above.as_deref().unwrap_or(self)
    }
}

impl Base {
    pub fn of(argument: u64) -> Base {
        match argument as i32 {
            libc::AT_FDCWD => Base::WorkingDirectory,
            descriptor => Base::Descriptor(descriptor),
        }
    }
}

/// How the last component of a path is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// Followed where it is a link; the mount of what it names counts.
    Followed,
    /// Not followed; the mount of what it names counts.
    Itself,
    /// Not followed; it is an entry that comes or goes: the mount of its folder counts.
    Entry,
}

/// The file that a call acts on.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub path: Vec<u8>,
    pub found: Found,
    pub bytes: u64,
    pub mount: Arc<Mount>,
    /// Of what exists there.
    pub permission: Option<Permission>,
}

/// Why there is no site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSite {
    /// The call acts on nothing that has a name in the tracee's mounts: a pipe, a socket, a memfd,
    /// a file handed in from outside. Or the kernel will refuse it before it looks at any file.
    Nothing,
    /// It may act on a file, and the tracer could not find out which.
    Unknown,
}

pub(crate) struct Resolver {
    /// `/proc/self/fd`, where the names of open places are read.
    descriptors: OwnedFd,
    roots: Vec<Rc<Root>>,
    /// Roots that were looked at so far.
    looked_at: u64,
    /// `/proc/TID` of the threads seen last: a shorter way to their descriptors.
    threads: VecDeque<(i32, Rc<OwnedFd>)>,
    pub recent: Recent,
    scratch: KernelPath,
    text: Vec<u8>,
}

/// A thread and its root.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub thread: i32,
    pub root: &'a Root,
}

fn code(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

impl Resolver {
    pub fn new() -> io::Result<Resolver> {
        let mut scratch = KernelPath::default();
        let descriptors = kernel::place(kernel::here(), scratch.of(&[b"/proc/self/fd"]), libc::O_DIRECTORY)?;
        Ok(Resolver {
            descriptors,
            roots: Vec::new(),
            looked_at: 0,
            threads: VecDeque::new(),
            recent: Recent::default(),
            scratch,
            text: Vec::new(),
        })
    }

    /// `/proc/TID`.
    fn thread(&mut self, thread: i32) -> io::Result<Rc<OwnedFd>> {
        if let Some((_, folder)) = self.threads.iter().find(|(known, _)| *known == thread) {
            return Ok(folder.clone());
        }
        let name = format!("/proc/{thread}");
        let folder = kernel::place(kernel::here(), self.scratch.of(&[name.as_bytes()]), libc::O_DIRECTORY)?;
        let folder = Rc::new(folder);
        if self.threads.len() >= MOST_THREADS {
            self.threads.pop_front();
        }
        self.threads.push_back((thread, folder.clone()));
        Ok(folder)
    }

    /// The thread has ended: its number may be given to another.
    pub fn forget(&mut self, thread: i32) {
        self.threads.retain(|(known, _)| *known != thread);
    }

    /// The root directory of a thread.
    pub fn root(&mut self, thread: i32) -> io::Result<Rc<Root>> {
        let of_thread = self.thread(thread)?;
        let stat = kernel::stat(of_thread.as_fd(), self.scratch.of(&[b"root"]), true)?;
        // A root that is kept open keeps its mount, so that the mount's id stays its own.
        if let Some(root) = self.roots.iter().find(|root| root.stat.same_place(&stat)) {
            return Ok(root.clone());
        }
        let folder = kernel::place(of_thread.as_fd(), self.scratch.of(&[b"root"]), libc::O_DIRECTORY)?;
        let stat = kernel::stat_open(folder.as_fd())?;
        let mut prefix = self.name(folder.as_fd())?;
        if prefix == b"/" {
            prefix.clear();
        }
        let of_thread = self.thread(thread)?;
        let namespace = kernel::stat(of_thread.as_fd(), self.scratch.of(&[b"ns/mnt"]), true)?.inode;
        let lies_below = |other: &&Rc<Root>| {
            let rest = prefix.strip_prefix(&other.prefix[..]);
            other.above.is_none()
                && other.namespace == namespace
                && rest.is_some_and(|rest| rest.first() == Some(&b'/'))
        };
        // The latest one: before it, there may have been another of that name.
        let above = self.roots.iter().filter(lies_below).max_by_key(|other| other.number).cloned();
        let mut name = Vec::new();
        if let Some(above) = &above {
            name = prefix.split_off(above.prefix.len());
        }
        let mut mounts = MountTable::of(thread)?;
        let own = mounts.by_id(stat.mount).or_else(|| mounts.by_path(b"/"));
        let own = own.unwrap_or_else(|| {
            let outer = mounts::own(stat.mount);
            let (fstype, read_only) = outer.map(|mount| (mount.fstype, mount.read_only)).unwrap_or_default();
            Arc::new(Mount { point: b"/".to_vec(), fstype, device: stat.device, read_only })
        });
        self.looked_at += 1;
        let mounts = RefCell::new(mounts);
        let root = Rc::new(Root { number: self.looked_at, folder, stat, prefix, namespace, above, name, mounts, own });
        if self.roots.len() >= MOST_ROOTS {
            self.roots.retain(|root| Rc::strong_count(root) > 1);
        }
        // One beyond the bound is not kept: a program may make as many roots as it likes.
        if self.roots.len() < MOST_ROOTS {
            self.roots.push(root.clone());
        }
        Ok(root)
    }

    /// Mounts were made or taken away.
    pub fn mounts_changed(&mut self) {
        self.recent.clear();
        for root in &self.roots {
            root.mounts.borrow_mut().mark_stale();
        }
    }

    /// The executable of a thread, as it sees it.
    pub fn program(&mut self, view: View<'_>) -> Option<Arc<str>> {
        let of_thread = self.thread(view.thread).ok()?;
        kernel::link(of_thread.as_fd(), self.scratch.of(&[b"exe"]), &mut self.text).ok()?;
        let mut name = inside(view.root, &self.text);
        if let Some(stripped) = name.strip_suffix(b" (deleted)") {
            name = stripped;
        }
        Some(String::from_utf8_lossy(name).into())
    }

    /// The name of an open place in the tracer's view.
    fn name(&mut self, place: BorrowedFd<'_>) -> io::Result<Vec<u8>> {
        let number = place.as_raw_fd().to_string();
        kernel::link(self.descriptors.as_fd(), self.scratch.of(&[number.as_bytes()]), &mut self.text)?;
        Ok(self.text.clone())
    }

    /// What a descriptor of the thread is open on.
    pub fn descriptor(&mut self, view: View<'_>, base: Base) -> Result<Site, NoSite> {
        let link = base_link(base);
        let of_thread = self.thread(view.thread).map_err(|error| no_site(&error))?;
        // A descriptor that is not open: the kernel answers EBADF.
        let stat = kernel::stat(of_thread.as_fd(), self.scratch.of(&[&link]), true).map_err(|error| no_site(&error))?;
        let number = if let Base::Descriptor(number) = base { number } else { libc::AT_FDCWD };
        if let Some(name) = self.recent.file(view.thread, number, &stat) {
            let mount = mount_by_id(view.root, stat.mount).ok_or(NoSite::Nothing)?;
            let found = Found { parent: true, named: true, kind: Some(stat.kind), slash: false };
            let permission = Some(stat.permission);
            return Ok(Site { path: name.to_vec(), found, bytes: stat.bytes, mount, permission });
        }
        kernel::link(of_thread.as_fd(), self.scratch.of(&[&link]), &mut self.text).map_err(|error| no_site(&error))?;
        if self.text.first() != Some(&b'/') {
            return Err(NoSite::Nothing);
        }
        let mount = mount_by_id(view.root, stat.mount).ok_or(NoSite::Nothing)?;
        let text = inside(view.root, &self.text);
        let path = match text.strip_suffix(b" (deleted)") {
            Some(stripped) if stat.links == 0 || !self.exists(view.root, text) => stripped.to_vec(),
            _ => text.to_vec(),
        };
        if stat.kind == FileKind::File {
            self.recent.keep_file(File { thread: view.thread, number, stat, name: path.clone() });
        }
        let found = Found { parent: true, named: path != b"/", kind: Some(stat.kind), slash: false };
        Ok(Site { path, found, bytes: stat.bytes, mount, permission: Some(stat.permission) })
    }

    fn exists(&self, root: &Root, path: &[u8]) -> bool {
        let root = root.named_from();
        let mut scratch = KernelPath::default();
        kernel::place_within(root.folder.as_fd(), scratch.of(&[path]), libc::O_NOFOLLOW, Scope::Root).is_ok()
    }

    /// What a path of the thread leads to.
    pub fn path(&mut self, view: View<'_>, base: Base, path: &[u8], last: Last) -> Result<Site, NoSite> {
        if path.is_empty() {
            // ENOENT before anything else.
            return Err(NoSite::Nothing);
        }
        match self.quick(view, base, path, last) {
            Some(site) if site.mount.fstype != "proc" => Ok(site),
            // Where `self` stands in the path, this process has found itself.
            _ => self.slow(view, base, path, last, None),
        }
    }

    /// As `path`, with a folder of the thread as root: RESOLVE_IN_ROOT.
    pub fn path_in(&mut self, view: View<'_>, base: Base, path: &[u8], last: Last) -> Result<Site, NoSite> {
        let link = base_link(base);
        let of_thread = self.thread(view.thread).map_err(|error| no_site(&error))?;
        let folder = kernel::place(of_thread.as_fd(), self.scratch.of(&[&link]), libc::O_DIRECTORY);
        let folder = folder.map_err(|error| no_site(&error))?;
        self.slow(view, base, path, last, Some(folder))
    }

    /// The usual case in five calls. `None` where it is not the usual case.
    fn quick(&mut self, view: View<'_>, base: Base, path: &[u8], last: Last) -> Option<Site> {
        let slash = path.len() > 1 && path.ends_with(b"/");
        if slash && last != Last::Entry {
            return None;
        }
        let trimmed = path.iter().rposition(|&byte| byte != b'/').map_or(&path[..0], |end| &path[..=end]);
        let cut = trimmed.iter().rposition(|&byte| byte == b'/');
        let (folder, name) = match cut {
            Some(cut) => (&trimmed[..cut], &trimmed[cut + 1..]),
            None => (&trimmed[..0], trimmed),
        };
        if name.is_empty() || name == b"." || name == b".." {
            return None;
        }
        let root = view.root;
        // The folder's name in the tracee's root, then what is there under the name.
        let (mut site_path, stat) = if path[0] == b'/' && folder.is_empty() {
            (root.name.clone(), kernel::stat(root.folder.as_fd(), self.scratch.of(&[name]), false))
        } else if cut.is_some() {
            let (place, folder_name) = self.folder(view, base, folder)?;
            (folder_name, kernel::stat(place.as_fd(), self.scratch.of(&[name]), false))
        } else {
            let link = base_link(base);
            let of_thread = self.thread(view.thread).ok()?;
            kernel::link(of_thread.as_fd(), self.scratch.of(&[&link]), &mut self.text).ok()?;
            if self.text.ends_with(b" (deleted)") {
                return None;
            }
            let stat = kernel::stat(of_thread.as_fd(), self.scratch.of(&[&link, b"/", name]), false);
            (inside(root, &self.text).to_vec(), stat)
        };
        if site_path == b"/" {
            site_path.clear();
        }
        let folder_length = site_path.len();
        site_path.push(b'/');
        site_path.extend_from_slice(name);
        let folder_mount =
            |path: &[u8]| mount_by_path(root, if folder_length == 0 { b"/" } else { &path[..folder_length] });
        let stat = match stat {
            Ok(stat) => stat,
            Err(error) if code(&error) == libc::ENOENT => {
                let found = Found { parent: true, named: true, kind: None, slash };
                let mount = folder_mount(&site_path);
                return Some(Site { path: site_path, found, bytes: 0, mount, permission: None });
            }
            Err(_) => return None,
        };
        if stat.kind == FileKind::Symlink && last == Last::Followed {
            if root.above.is_some() {
                // The link's name is told from another root than the one that its text begins at.
                return None;
            }
            let target = self.scratch.of(&[&site_path]);
            let target = kernel::place_within(root.folder.as_fd(), target, 0, Scope::Root).ok()?;
            let stat = kernel::stat_open(target.as_fd()).ok()?;
            self.read_name(target.as_fd())?;
            let path = inside(root, &self.text).to_vec();
            let mount = mount_by_id(root, stat.mount).unwrap_or_else(|| mount_by_path(root, &path));
            let found = Found { parent: true, named: path != b"/", kind: Some(stat.kind), slash };
            return Some(Site { path, found, bytes: stat.bytes, mount, permission: Some(stat.permission) });
        }
        let mount = match last {
            Last::Entry => folder_mount(&site_path),
            _ => mount_by_id(root, stat.mount).unwrap_or_else(|| mount_by_path(root, &site_path)),
        };
        let found = Found { parent: true, named: true, kind: Some(stat.kind), slash };
        Some(Site { path: site_path, found, bytes: stat.bytes, mount, permission: Some(stat.permission) })
    }

    /// The folder that a path leads to, and its name.
    fn folder(&mut self, view: View<'_>, base: Base, path: &[u8]) -> Option<(Rc<OwnedFd>, Vec<u8>)> {
        let root = view.root;
        let of_thread = self.thread(view.thread).ok()?;
        let base_link = base_link(base);
        let start = match path[0] {
            b'/' => None,
            _ => Some(kernel::stat(of_thread.as_fd(), self.scratch.of(&[&base_link]), true).ok()?),
        };
        if let Some(known) = self.recent.folder(root.number, start.as_ref(), path) {
            return Some((known.place.clone(), known.name.clone()));
        }
        let place = match start {
            None => {
                let path = self.scratch.of(&[path]);
                kernel::place_within(root.folder.as_fd(), path, libc::O_DIRECTORY, Scope::Root).ok()?
            }
            Some(_) => {
                let link = self.scratch.of(&[&base_link]);
                let start = kernel::place(of_thread.as_fd(), link, libc::O_DIRECTORY).ok()?;
                let path = self.scratch.of(&[path]);
                kernel::place_within(start.as_fd(), path, libc::O_DIRECTORY, Scope::Beneath).ok()?
            }
        };
        self.read_name(place.as_fd())?;
        let name = inside(root, &self.text).to_vec();
        let place = Rc::new(place);
        self.recent.keep_folder(Folder {
            root: root.number,
            base: start,
            path: path.to_vec(),
            place: place.clone(),
            name: name.clone(),
        });
        Some((place, name))
    }

    fn read_name(&mut self, place: BorrowedFd<'_>) -> Option<()> {
        let number = place.as_raw_fd().to_string();
        kernel::link(self.descriptors.as_fd(), self.scratch.of(&[number.as_bytes()]), &mut self.text).ok()
    }

    /// Every case, component by component. `within` is a root for this path alone.
    fn slow(
        &mut self,
        view: View<'_>,
        base: Base,
        path: &[u8],
        last: Last,
        within: Option<OwnedFd>,
    ) -> Result<Site, NoSite> {
        let root = view.root;
        let start = if path[0] == b'/' {
            kernel::duplicate(within.as_ref().unwrap_or(&root.folder))
        } else {
            let of_thread = self.thread(view.thread).map_err(|error| no_site(&error))?;
            kernel::place(of_thread.as_fd(), self.scratch.of(&[&base_link(base)]), libc::O_DIRECTORY)
        };
        // A base that is closed or no folder: EBADF or ENOTDIR.
        let start = start.map_err(|error| no_site(&error))?;
        let walker = Walker { thread: view.thread, root: within.as_ref().unwrap_or(&root.folder).as_fd() };
        let entry = last == Last::Entry;
        let slash = path.ends_with(b"/");
        let trimmed = path.iter().rposition(|&byte| byte != b'/').map_or(path, |end| &path[..=end]);
        let walked = walker.walk(start, if entry { trimmed } else { path }, last == Last::Followed);
        match walked.map_err(|_| NoSite::Unknown)? {
            Walked::Named { folder, name, target } => {
                let parent = self.name_inside(root, folder.as_fd())?;
                let path = join(&parent, &name);
                let of_folder = || {
                    let id = kernel::stat_open(folder.as_fd()).map_or(0, |stat| stat.mount);
                    mount_by_id(root, id).unwrap_or_else(|| mount_by_path(root, &parent))
                };
                let mount = match target {
                    Some(stat) if !entry => mount_by_id(root, stat.mount).unwrap_or_else(of_folder),
                    _ => of_folder(),
                };
                let kind = target.map(|stat| stat.kind);
                let found = Found { parent: true, named: true, kind, slash };
                let permission = target.map(|stat| stat.permission);
                Ok(Site { path, found, bytes: target.map_or(0, |stat| stat.bytes), mount, permission })
            }
            Walked::Folder { folder, stat } => {
                let path = self.name_inside(root, folder.as_fd())?;
                let mount = mount_by_id(root, stat.mount).unwrap_or_else(|| mount_by_path(root, &path));
                let found = Found { parent: true, named: false, kind: Some(stat.kind), slash };
                Ok(Site { path, found, bytes: stat.bytes, mount, permission: Some(stat.permission) })
            }
            Walked::Magic { link_folder, link_name, target, stat } => {
                let name = self.name(target.as_fd()).map_err(|_| NoSite::Unknown)?;
                let found = Found { parent: true, named: true, kind: Some(stat.kind), slash };
                let permission = Some(stat.permission);
                let in_tree = name.first() == Some(&b'/') && !name.ends_with(b" (deleted)");
                if let Some(mount) = mount_by_id(root, stat.mount).filter(|_| in_tree) {
                    return Ok(Site {
                        path: inside(root, &name).to_vec(),
                        found,
                        bytes: stat.bytes,
                        mount,
                        permission,
                    });
                }
                // A pipe, or a file from outside: it is known by its link.
                let parent = self.name_inside(root, link_folder.as_fd())?;
                let mount = mount_by_path(root, &parent);
                Ok(Site { path: join(&parent, &link_name), found, bytes: stat.bytes, mount, permission })
            }
            Walked::Lost { folder, rest, error } => {
                if error == libc::ENAMETOOLONG {
                    return Err(NoSite::Nothing);
                }
                let parent = self.name_inside(root, folder.as_fd())?;
                let mount = mount_by_path(root, &parent);
                let found = Found { parent: false, named: true, kind: None, slash };
                Ok(Site { path: join(&parent, &rest), found, bytes: 0, mount, permission: None })
            }
        }
    }

    fn name_inside(&mut self, root: &Root, place: BorrowedFd<'_>) -> Result<Vec<u8>, NoSite> {
        let name = self.name(place).map_err(|_| NoSite::Unknown)?;
        let name = inside(root, &name);
        Ok(name.strip_suffix(b" (deleted)").unwrap_or(name).to_vec())
    }
}

/// An error on the way to a descriptor or working directory of a tracee.
fn no_site(error: &io::Error) -> NoSite {
    match code(error) {
        // Not open, or no folder where one has to be: the kernel will say so itself.
        libc::ENOENT | libc::ENOTDIR | libc::ESRCH => NoSite::Nothing,
        _ => NoSite::Unknown,
    }
}

/// Below `/proc/TID`.
fn base_link(base: Base) -> Vec<u8> {
    match base {
        Base::WorkingDirectory => b"cwd".to_vec(),
        Base::Descriptor(number) => format!("fd/{number}").into_bytes(),
    }
}

/// A name of the tracer's view in the tracee's: `/` for the root itself.
fn inside<'a>(root: &Root, name: &'a [u8]) -> &'a [u8] {
    match name.strip_prefix(&root.prefix[..]) {
        Some(b"") => b"/",
        Some(rest) if rest[0] == b'/' => rest,
        // Outside of the root: a descriptor or working directory from before a chroot.
        _ => name,
    }
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = if folder == b"/" { Vec::new() } else { folder.to_vec() };
    path.push(b'/');
    path.extend_from_slice(name);
    path
}

fn mount_by_id(root: &Root, id: u64) -> Option<Arc<Mount>> {
    let from = root.named_from();
    if id == from.stat.mount {
        return Some(own_mount(from));
    }
    let mount = from.mounts.borrow_mut().by_id(id);
    mount.or_else(|| (id == root.stat.mount).then(|| root.own.clone()))
}

fn mount_by_path(root: &Root, path: &[u8]) -> Arc<Mount> {
    let from = root.named_from();
    from.mounts.borrow_mut().by_path(path).unwrap_or_else(|| from.own.clone())
}

/// The root's mount as it is now: it may have been made read-only since.
fn own_mount(root: &Root) -> Arc<Mount> {
    root.mounts.borrow_mut().by_id(root.stat.mount).unwrap_or_else(|| root.own.clone())
}
