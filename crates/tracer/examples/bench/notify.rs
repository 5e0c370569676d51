//! The other way to stop calls, for comparison: a seccomp filter with user notification, answered
//! with "go on", and no ptrace at all. A prototype: of x86_64, without outcomes, links as last
//! component, or chroots.

use std::ffi::{CString, OsString};
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

/// Since Linux 6.6: wake each other on one processor.
const SET_FLAGS: libc::Ioctl = 0x4008_2104;
const SYNC_WAKE_UP: u64 = 1;

/// Calls that always stop, with the position of the folder and of the path: -1 for a path without
/// a folder, and no path for a descriptor.
const CALLS: &[(i64, i32, Option<usize>)] = &[
    (libc::SYS_creat, -1, Some(0)),
    (libc::SYS_mkdir, -1, Some(0)),
    (libc::SYS_mkdirat, 0, Some(1)),
    (libc::SYS_rmdir, -1, Some(0)),
    (libc::SYS_unlink, -1, Some(0)),
    (libc::SYS_unlinkat, 0, Some(1)),
    (libc::SYS_rename, -1, Some(1)),
    (libc::SYS_renameat2, 2, Some(3)),
    (libc::SYS_linkat, 2, Some(3)),
    (libc::SYS_symlinkat, 1, Some(2)),
    (libc::SYS_mknodat, 0, Some(1)),
    (libc::SYS_chmod, -1, Some(0)),
    (libc::SYS_fchmod, 0, None),
    (libc::SYS_fchmodat, 0, Some(1)),
    (libc::SYS_chown, -1, Some(0)),
    (libc::SYS_fchown, 0, None),
    (libc::SYS_fchownat, 0, Some(1)),
    (libc::SYS_utimensat, 0, Some(1)),
    (libc::SYS_fsetxattr, 0, None),
    (libc::SYS_ftruncate, 0, None),
];

fn checked(answer: impl Into<i64>) -> io::Result<i64> {
    let answer = answer.into();
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

fn filter() -> Vec<libc::sock_filter> {
    let step = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter { code: code as u16, jt, jf, k };
    let load = |k| step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, k);
    let equal = |k, jt, jf| step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, jt, jf, k);
    let any = |k, jt, jf| step(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, jt, jf, k);
    let answer = |k| step(libc::BPF_RET | libc::BPF_K, 0, 0, k);
    let writes = (libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC) as u32;
    let mut program = vec![
        load(0),
        equal(libc::SYS_openat as u32, 0, 4),
        load(16 + 8 * 2),
        any(writes, 0, 1),
        answer(libc::SECCOMP_RET_USER_NOTIF),
        answer(libc::SECCOMP_RET_ALLOW),
    ];
    for (at, (number, ..)) in CALLS.iter().enumerate() {
        program.push(equal(*number as u32, (CALLS.len() - at) as u8, 0));
    }
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    program.push(answer(libc::SECCOMP_RET_USER_NOTIF));
    program
}

pub fn run(program: &[OsString]) -> io::Result<u8> {
    let path = CString::new(crate::find(&program[0]).as_os_str().as_bytes())?;
    let words: Vec<CString> = program.iter().map(|word| CString::new(word.as_bytes())).collect::<Result<_, _>>()?;
    let words: Vec<*const libc::c_char> = words.iter().map(|word| word.as_ptr()).chain([ptr::null()]).collect();
    let rules = filter();
    let (mut ends, mut go) = ([0; 2], [0; 2]);
    // SAFETY: two places for two descriptors, twice.
    unsafe {
        checked(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC))?;
        checked(libc::pipe2(go.as_mut_ptr(), libc::O_CLOEXEC))?;
    }
    // SAFETY: this process has one thread; the child only makes system calls.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: everything that is pointed to was made before the fork.
        unsafe {
            let program = libc::sock_fprog { len: rules.len() as u16, filter: rules.as_ptr().cast_mut() };
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            let listener = libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
                &raw const program,
            ) as RawFd;
            libc::write(ends[1], (&raw const listener).cast(), 4);
            // The listener closes at the exec: not before it was fetched.
            let mut byte = 0u8;
            libc::read(go[0], (&raw mut byte).cast(), 1);
            libc::execv(path.as_ptr(), words.as_ptr());
            libc::_exit(127);
        }
    }
    checked(pid)?;
    let mut listener: RawFd = -1;
    // SAFETY: four bytes into an integer; our own ends.
    unsafe {
        checked(libc::read(ends[0], (&raw mut listener).cast(), 4) as i64)?;
        libc::close(ends[0]);
        libc::close(ends[1]);
    }
    // SAFETY: new descriptors, ours from here on.
    let listener = unsafe {
        let process = OwnedFd::from_raw_fd(checked(libc::syscall(libc::SYS_pidfd_open, pid, 0))? as RawFd);
        OwnedFd::from_raw_fd(checked(libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), listener, 0))? as RawFd)
    };
    // SAFETY: a byte of a constant, and our own descriptors.
    unsafe {
        libc::write(go[1], b"g".as_ptr().cast(), 1);
        libc::close(go[0]);
        libc::close(go[1]);
    }
    // SAFETY: an integer as argument. Older kernels refuse: it is only faster.
    unsafe { libc::ioctl(listener.as_raw_fd(), SET_FLAGS, SYNC_WAKE_UP) };
    answer_all(&listener)?;
    let mut status = 0;
    // SAFETY: our own child.
    checked(unsafe { libc::waitpid(pid, &mut status, 0) })?;
    Ok(if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) as u8 } else { 128 })
}

fn answer_all(listener: &OwnedFd) -> io::Result<()> {
    let mut seen = 0u64;
    loop {
        let mut ready = libc::pollfd { fd: listener.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one `pollfd`.
        checked(unsafe { libc::poll(&mut ready, 1, -1) })?;
        if ready.revents & libc::POLLIN == 0 {
            // Hung up: the last process is gone.
            return Ok(());
        }
        // SAFETY: zero is a value of these structs of integers.
        let (mut asked, mut answer): (libc::seccomp_notif, libc::seccomp_notif_resp) =
            unsafe { (mem::zeroed(), mem::zeroed()) };
        // SAFETY: the kernel writes one notification.
        if unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut asked) } == -1 {
            continue;
        }
        seen += u64::from(look(&asked).is_some());
        answer.id = asked.id;
        answer.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32;
        // SAFETY: the kernel reads one answer. The caller may be gone: then there is nobody to ask.
        unsafe { libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw mut answer) };
        std::hint::black_box(seen);
    }
}

/// As much work as the tracer does for a call: the path, its folder's name, and what is there.
fn look(asked: &libc::seccomp_notif) -> Option<Vec<u8>> {
    let number = i64::from(asked.data.nr);
    let (folder, path) = if number == libc::SYS_openat {
        (0, Some(1))
    } else {
        let (_, folder, path) = CALLS.iter().find(|(known, ..)| *known == number)?;
        (*folder, *path)
    };
    let argument = |at: usize| asked.data.args[at];
    let descriptor = if folder < 0 { libc::AT_FDCWD } else { argument(folder as usize) as i32 };
    let base = if descriptor == libc::AT_FDCWD {
        format!("/proc/{}/cwd", asked.pid)
    } else {
        format!("/proc/{}/fd/{descriptor}", asked.pid)
    };
    let Some(path) = path.filter(|path| argument(*path) != 0) else {
        stat(libc::AT_FDCWD, base.as_bytes(), 0);
        return link(libc::AT_FDCWD, base.as_bytes());
    };
    let path = read_path(asked.pid, argument(path))?;
    let cut = path.iter().rposition(|byte| *byte == b'/');
    let (parent, name) = match cut {
        Some(cut) => (&path[..cut.max(1)], &path[cut + 1..]),
        None => (&b"."[..], &path[..]),
    };
    let base = if path[0] == b'/' { format!("/proc/{}/root", asked.pid) } else { base };
    let start = open(libc::AT_FDCWD, base.as_bytes(), 0)?;
    let place = open(start.as_raw_fd(), parent, libc::RESOLVE_IN_ROOT)?;
    stat(place.as_raw_fd(), name, libc::AT_SYMLINK_NOFOLLOW);
    let mut told = link(libc::AT_FDCWD, format!("/proc/self/fd/{}", place.as_raw_fd()).as_bytes())?;
    told.push(b'/');
    told.extend_from_slice(name);
    Some(told)
}

fn terminated(path: &[u8]) -> Vec<u8> {
    [path, b"\0"].concat()
}

fn open(folder: RawFd, path: &[u8], resolve: u64) -> Option<OwnedFd> {
    let path = terminated(path);
    // SAFETY: zero is a value of this struct of integers.
    let mut how: libc::open_how = unsafe { mem::zeroed() };
    how.flags = (libc::O_PATH | libc::O_CLOEXEC | libc::O_DIRECTORY) as u64;
    how.resolve = resolve;
    // SAFETY: path and `how` outlive the call; the descriptor is new.
    unsafe {
        let size = mem::size_of::<libc::open_how>();
        let opened = libc::syscall(libc::SYS_openat2, folder, path.as_ptr(), &raw const how, size);
        (opened != -1).then(|| OwnedFd::from_raw_fd(opened as RawFd))
    }
}

fn stat(folder: RawFd, path: &[u8], flags: i32) {
    let path = terminated(path);
    // SAFETY: the kernel writes one `statx`.
    unsafe {
        let mut stat: libc::statx = mem::zeroed();
        libc::statx(folder, path.as_ptr().cast(), flags, libc::STATX_BASIC_STATS | libc::STATX_MNT_ID, &mut stat);
    }
}

fn link(folder: RawFd, path: &[u8]) -> Option<Vec<u8>> {
    let path = terminated(path);
    let mut text = vec![0; 4096];
    // SAFETY: the kernel writes at most as much as there is room for.
    let length = unsafe { libc::readlinkat(folder, path.as_ptr().cast(), text.as_mut_ptr().cast(), text.len()) };
    text.truncate(usize::try_from(length).ok()?);
    Some(text)
}

fn read_path(pid: u32, address: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0u8; 256.min(4096 - (address % 4096) as usize)];
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: bytes.len() };
    // SAFETY: the kernel writes at most `bytes.len()` bytes there.
    let read = unsafe { libc::process_vm_readv(pid as i32, &local, 1, &remote, 1, 0) };
    bytes.truncate(usize::try_from(read).ok()?);
    bytes.iter().position(|byte| *byte == 0).map(|end| bytes[..end].to_vec()).filter(|path| !path.is_empty())
}
