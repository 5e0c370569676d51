//! A path walked component by component, as the kernel does for the tracee. Slow and complete: for
//! what `openat2` cannot do in a tracee's place, which is magic links, `/proc/self`, `..` out of a
//! working directory, and paths that lead nowhere.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use tojimari_evidence::profile::FileKind;

use crate::kernel::{self, KernelPath, Scope, Stat};

/// The kernel's own limit, MAXSYMLINKS.
const MOST_LINKS: u32 = 40;

/// Where a walk ended.
pub(crate) enum Walked {
    /// In a folder, at a name that exists or not.
    Named { folder: OwnedFd, name: Vec<u8>, target: Option<Stat> },
    /// At a folder itself, by `.`, `..`, `/` or a magic link.
    Folder { folder: OwnedFd, stat: Stat },
    /// At something that a magic link of /proc leads to, which need not have a name.
    Magic { link_folder: OwnedFd, link_name: Vec<u8>, target: OwnedFd, stat: Stat },
    /// Nowhere: the way stops in this folder, with this part of the path left.
    Lost { folder: OwnedFd, rest: Vec<u8>, error: i32 },
}

/// For whom a path is walked.
pub(crate) struct Walker<'a> {
    pub thread: i32,
    pub root: BorrowedFd<'a>,
}

impl Walker<'_> {
    /// Walks from `base`. A link as last component is followed if `follow`.
    pub fn walk(&self, base: OwnedFd, path: &[u8], follow: bool) -> io::Result<Walked> {
        let mut scratch = KernelPath::default();
        let root = kernel::stat_open(self.root)?;
        let mut current = if path.first() == Some(&b'/') { kernel::duplicate(self.root)? } else { base };
        let mut left = Vec::new();
        push(&mut left, path);
        let follow = follow || path.last() == Some(&b'/');
        let mut links = 0;
        while let Some(name) = left.pop() {
            let last = left.is_empty();
            if name == b"." {
                continue;
            }
            if name == b".." {
                if !kernel::stat_open(current.as_fd())?.same_place(&root) {
                    current = kernel::place(current.as_fd(), scratch.of(&[b".."]), libc::O_DIRECTORY)?;
                }
                continue;
            }
            let stat = match kernel::stat(current.as_fd(), scratch.of(&[&name]), false) {
                Ok(stat) => stat,
                Err(error) if last && error.raw_os_error() == Some(libc::ENOENT) => {
                    return Ok(Walked::Named { folder: current, name, target: None });
                }
                Err(error) => return Ok(lost(current, name, left, error.raw_os_error().unwrap_or(libc::EIO))),
            };
            if stat.kind == FileKind::Symlink && (!last || follow) {
                links += 1;
                if links > MOST_LINKS {
                    return Ok(lost(current, name, left, libc::ELOOP));
                }
                if kernel::is_proc(current.as_fd()) {
                    if let Some(number) = self.own_number(current.as_fd(), &name) {
                        push(&mut left, &number);
                        continue;
                    }
                    let plain = kernel::place_within(current.as_fd(), scratch.of(&[&name]), 0, Scope::NoMagic);
                    if plain.is_err_and(|error| error.raw_os_error() == Some(libc::ELOOP)) {
                        let target = match kernel::place(current.as_fd(), scratch.of(&[&name]), 0) {
                            Ok(target) => target,
                            Err(error) => {
                                return Ok(lost(current, name, left, error.raw_os_error().unwrap_or(libc::EIO)));
                            }
                        };
                        let stat = kernel::stat_open(target.as_fd())?;
                        if last {
                            return Ok(Walked::Magic { link_folder: current, link_name: name, target, stat });
                        }
                        if stat.kind != FileKind::Directory {
                            return Ok(lost(current, name, left, libc::ENOTDIR));
                        }
                        current = target;
                        continue;
                    }
                }
                let mut text = Vec::new();
                if let Err(error) = kernel::link(current.as_fd(), scratch.of(&[&name]), &mut text) {
                    return Ok(lost(current, name, left, error.raw_os_error().unwrap_or(libc::EIO)));
                }
                if text.first() == Some(&b'/') {
                    current = kernel::duplicate(self.root)?;
                }
                push(&mut left, &text);
                continue;
            }
            if last {
                return Ok(Walked::Named { folder: current, name, target: Some(stat) });
            }
            if stat.kind != FileKind::Directory {
                return Ok(lost(current, name, left, libc::ENOTDIR));
            }
            match kernel::place(current.as_fd(), scratch.of(&[&name]), libc::O_NOFOLLOW | libc::O_DIRECTORY) {
                Ok(folder) => current = folder,
                Err(error) => return Ok(lost(current, name, left, error.raw_os_error().unwrap_or(libc::EIO))),
            }
        }
        let stat = kernel::stat_open(current.as_fd())?;
        Ok(Walked::Folder { folder: current, stat })
    }

    /// What `self` and `thread-self` of a proc file system's root mean to the tracee: they would
    /// lead this process to itself.
    fn own_number(&self, folder: BorrowedFd<'_>, name: &[u8]) -> Option<Vec<u8>> {
        if name != b"self" && name != b"thread-self" {
            return None;
        }
        let mut scratch = KernelPath::default();
        let here = kernel::stat_open(folder).ok()?;
        let ours = kernel::stat(kernel::here(), scratch.of(&[b"/proc"]), true).ok()?;
        // /proc/PID/task/TID/self is no such link.
        if here.inode != ours.inode {
            return None;
        }
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.thread)).ok()?;
        let number = |key: &str| {
            let mut numbers = status.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace();
            // One number for each pid namespace, ours first; a container's own /proc is of its innermost.
            if here.device == ours.device { numbers.next() } else { numbers.next_back() }
        };
        let process = number("NStgid:")?;
        Some(match name {
            b"self" => process.into(),
            _ => format!("{process}/task/{}", number("NSpid:")?).into_bytes(),
        })
    }
}

fn lost(folder: OwnedFd, name: Vec<u8>, left: Vec<Vec<u8>>, error: i32) -> Walked {
    let mut rest = name;
    for component in left.iter().rev() {
        rest.push(b'/');
        rest.extend_from_slice(component);
    }
    Walked::Lost { folder, rest, error }
}

/// The components of a path, to be popped in their order.
fn push(left: &mut Vec<Vec<u8>>, path: &[u8]) {
    left.extend(path.split(|&byte| byte == b'/').rev().filter(|name| !name.is_empty()).map(<[u8]>::to_vec));
}
