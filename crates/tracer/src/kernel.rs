//! The file-system calls that std lacks, as safe functions over descriptors and byte paths.

use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use libc::{c_char, c_int, c_void};
use tojimari_evidence::profile::FileKind;

/// A path for the kernel: bytes with a NUL behind them, in a buffer that is used again.
#[derive(Default)]
pub(crate) struct KernelPath {
    bytes: Vec<u8>,
}

impl KernelPath {
    pub fn of(&mut self, parts: &[&[u8]]) -> &Self {
        self.bytes.clear();
        for part in parts {
            // A path from a tracee ends at its first NUL, so there is none in it.
            self.bytes.extend_from_slice(part);
        }
        self.bytes.push(0);
        self
    }

    fn pointer(&self) -> *const c_char {
        self.bytes.as_ptr().cast()
    }
}

fn checked(answer: impl Into<i64>) -> io::Result<i64> {
    let answer = answer.into();
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

fn owned(answer: impl Into<i64>) -> io::Result<OwnedFd> {
    let descriptor = checked(answer)? as RawFd;
    // SAFETY: the kernel has just made this descriptor for us.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Where a path starts: a folder, or this process's own view.
pub(crate) fn here() -> BorrowedFd<'static> {
    // SAFETY: AT_FDCWD is no descriptor that could be closed.
    unsafe { BorrowedFd::borrow_raw(libc::AT_FDCWD) }
}

/// Opens a place in the tree (O_PATH), with further flags.
pub(crate) fn place(folder: BorrowedFd<'_>, path: &KernelPath, flags: c_int) -> io::Result<OwnedFd> {
    let flags = libc::O_PATH | libc::O_CLOEXEC | flags;
    // SAFETY: the path ends in NUL and outlives the call.
    owned(unsafe { libc::openat(folder.as_raw_fd(), path.pointer(), flags) })
}

/// How far a path may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The folder is the root: absolute paths and `..` stay in it.
    Root,
    /// The path must not leave the folder, nor be absolute.
    Beneath,
    /// Anywhere, but through no magic link of /proc.
    NoMagic,
}

/// Opens a place as `openat2` does within a scope.
pub(crate) fn place_within(
    folder: BorrowedFd<'_>,
    path: &KernelPath,
    flags: c_int,
    scope: Scope,
) -> io::Result<OwnedFd> {
    // SAFETY: a struct of integers, for which zero is a value.
    let mut how: libc::open_how = unsafe { mem::zeroed() };
    how.flags = (libc::O_PATH | libc::O_CLOEXEC | flags) as u64;
    how.resolve = match scope {
        Scope::Root => libc::RESOLVE_IN_ROOT,
        Scope::Beneath => libc::RESOLVE_BENEATH | libc::RESOLVE_NO_MAGICLINKS,
        Scope::NoMagic => libc::RESOLVE_NO_MAGICLINKS,
    };
    // A rename elsewhere can disturb a scoped look-up: EAGAIN asks to try again.
    for _ in 0..8 {
        // SAFETY: path and `how` outlive the call; the size is that of `how`.
        let answer = unsafe {
            libc::syscall(
                libc::SYS_openat2,
                folder.as_raw_fd(),
                path.pointer(),
                &raw const how,
                mem::size_of::<libc::open_how>(),
            )
        };
        match owned(answer) {
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => {}
            answer => return answer,
        }
    }
    Err(io::Error::from_raw_os_error(libc::EAGAIN))
}

/// The text of a symbolic link, into `text`.
pub(crate) fn link(folder: BorrowedFd<'_>, path: &KernelPath, text: &mut Vec<u8>) -> io::Result<()> {
    text.clear();
    text.reserve(256);
    loop {
        // SAFETY: the kernel writes at most the spare capacity that it is told of.
        let length = checked(unsafe {
            libc::readlinkat(folder.as_raw_fd(), path.pointer(), text.as_mut_ptr().cast(), text.capacity())
        } as i64)? as usize;
        if length < text.capacity() {
            // SAFETY: the kernel has written this many bytes.
            unsafe { text.set_len(length) };
            return Ok(());
        }
        text.reserve(text.capacity() * 2);
    }
}

/// What statx tells of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    pub kind: FileKind,
    pub bytes: u64,
    pub inode: u64,
    pub device: (u32, u32),
    pub links: u32,
    pub permission: Permission,
    /// Id of the mount in mountinfo; 0 before Linux 5.8.
    pub mount: u64,
}

/// What decides who may do what with a file, as far as statx tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Permission {
    mode: u16,
    owner: u32,
    group: u32,
    /// Immutable, append-only, a mount point …
    attributes: u64,
}

impl Stat {
    /// Whether both are the same file reached through the same mount.
    pub fn same_place(&self, other: &Stat) -> bool {
        (self.mount, self.device, self.inode) == (other.mount, other.device, other.inode)
    }
}

/// Looks at a path without following its last component; `follow` follows it.
pub(crate) fn stat(folder: BorrowedFd<'_>, path: &KernelPath, follow: bool) -> io::Result<Stat> {
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    statx(folder.as_raw_fd(), path.pointer(), flags)
}

/// Looks at what is open.
pub(crate) fn stat_open(descriptor: BorrowedFd<'_>) -> io::Result<Stat> {
    statx(descriptor.as_raw_fd(), c"".as_ptr(), libc::AT_EMPTY_PATH)
}

fn statx(folder: RawFd, path: *const c_char, flags: c_int) -> io::Result<Stat> {
    let mut stat = MaybeUninit::<libc::statx>::zeroed();
    let mask = libc::STATX_TYPE
        | libc::STATX_MODE
        | libc::STATX_UID
        | libc::STATX_GID
        | libc::STATX_SIZE
        | libc::STATX_INO
        | libc::STATX_NLINK
        | libc::STATX_MNT_ID;
    let flags = flags | libc::AT_NO_AUTOMOUNT | libc::AT_STATX_DONT_SYNC;
    // SAFETY: the path ends in NUL, and the kernel writes one `statx`, a struct of integers.
    let stat = unsafe {
        checked(libc::statx(folder, path, flags, mask, stat.as_mut_ptr()))?;
        stat.assume_init()
    };
    Ok(Stat {
        kind: kind(u32::from(stat.stx_mode)),
        bytes: stat.stx_size,
        inode: stat.stx_ino,
        device: (stat.stx_dev_major, stat.stx_dev_minor),
        links: stat.stx_nlink,
        permission: Permission {
            mode: stat.stx_mode,
            owner: stat.stx_uid,
            group: stat.stx_gid,
            attributes: stat.stx_attributes,
        },
        mount: if stat.stx_mask & libc::STATX_MNT_ID != 0 { stat.stx_mnt_id } else { 0 },
    })
}

/// The kind of file that a mode tells.
pub(crate) fn kind(mode: u32) -> FileKind {
    match mode & libc::S_IFMT {
        libc::S_IFREG => FileKind::File,
        libc::S_IFDIR => FileKind::Directory,
        libc::S_IFLNK => FileKind::Symlink,
        libc::S_IFSOCK => FileKind::Socket,
        libc::S_IFIFO => FileKind::Fifo,
        libc::S_IFCHR | libc::S_IFBLK => FileKind::Device,
        _ => FileKind::Unknown,
    }
}

/// Whether the folder lies on a proc file system.
pub(crate) fn is_proc(folder: BorrowedFd<'_>) -> bool {
    let mut stat = MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: the kernel writes one `statfs`, a struct of integers.
    let kind = unsafe {
        if libc::fstatfs(folder.as_raw_fd(), stat.as_mut_ptr()) == -1 {
            return false;
        }
        stat.assume_init().f_type
    };
    // The type of both differs between C libraries.
    i128::from(kind) == i128::from(libc::PROC_SUPER_MAGIC)
}

/// Whether the mounts that an open mountinfo tells of have changed since it was last asked.
pub(crate) fn mounts_changed(mountinfo: BorrowedFd<'_>) -> bool {
    let mut ask = libc::pollfd { fd: mountinfo.as_raw_fd(), events: libc::POLLPRI, revents: 0 };
    // SAFETY: one `pollfd`, which outlives the call.
    let answer = unsafe { libc::poll(&mut ask, 1, 0) };
    answer > 0 && ask.revents & (libc::POLLPRI | libc::POLLERR) != 0
}

/// A handle on a process that stays its own when the process id is given to another.
pub(crate) fn pidfd(pid: libc::pid_t) -> io::Result<OwnedFd> {
    // SAFETY: no memory is handed over.
    owned(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })
}

/// Sends SIGKILL.
pub(crate) fn kill(process: BorrowedFd<'_>) {
    // SAFETY: no memory is handed over. The process may have ended: then there is nothing to do.
    unsafe {
        libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), libc::SIGKILL, std::ptr::null::<c_void>(), 0)
    };
}

/// A second descriptor for what is open.
pub(crate) fn duplicate(descriptor: impl AsFd) -> io::Result<OwnedFd> {
    descriptor.as_fd().try_clone_to_owned()
}
