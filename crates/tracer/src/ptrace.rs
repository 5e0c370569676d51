//! Ptrace as typed stops and safe functions. Every function may meet a tracee that has just been
//! killed: that is `Gone`, never a fault, and its end arrives through `wait` all the same.

use std::io;
use std::mem::{self, MaybeUninit};

use libc::{c_int, c_long, c_uint, c_void, pid_t};

use crate::event::Exit;

/// `PTRACE_EVENT_STOP` of linux/ptrace.h: only after PTRACE_SEIZE.
const EVENT_STOP: c_int = 128;

/// The tracee does not stand still any more: it was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// Why a tracee was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It is no more.
    Ended(Exit),
    /// At a call that the filter stops, before it is made.
    Call,
    /// At the end of a call.
    CallEnd,
    /// It made a process or thread.
    Forked,
    /// It executes another program.
    Executed,
    /// Stopped as by SIGSTOP, and to stay so.
    Group,
    /// Seized, or woken from a group stop.
    Trap,
    /// About to receive a signal.
    Signal(c_int),
}

/// Waits for the next report from a tracee of this thread. `None` when there are none left.
///
/// Children of other threads are not touched: their owners wait for them.
pub(crate) fn wait() -> io::Result<Option<(pid_t, Stop)>> {
    let mut status = 0;
    loop {
        // SAFETY: `status` outlives the call.
        let pid = unsafe { libc::waitpid(-1, &mut status, libc::__WALL | libc::__WNOTHREAD) };
        if pid > 0 {
            return Ok(Some((pid, stop(status))));
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::ECHILD) => return Ok(None),
            _ => return Err(error),
        }
    }
}

fn stop(status: c_int) -> Stop {
    if libc::WIFEXITED(status) {
        return Stop::Ended(Exit::Code(libc::WEXITSTATUS(status)));
    }
    if libc::WIFSIGNALED(status) {
        return Stop::Ended(Exit::Signal(libc::WTERMSIG(status)));
    }
    let signal = libc::WSTOPSIG(status);
    match status >> 16 {
        0 if signal == libc::SIGTRAP | 0x80 => Stop::CallEnd,
        0 => Stop::Signal(signal),
        libc::PTRACE_EVENT_SECCOMP => Stop::Call,
        libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => Stop::Forked,
        libc::PTRACE_EVENT_EXEC => Stop::Executed,
        EVENT_STOP if matches!(signal, libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) => Stop::Group,
        _ => Stop::Trap,
    }
}

fn request(request: c_uint, pid: pid_t, data: usize) -> Result<c_long, Gone> {
    // SAFETY: none of the requests given here makes the kernel write to memory of this process
    // other than what `data` points to, which its caller owns.
    let answer = unsafe { libc::ptrace(request, pid, 0usize, data) };
    if answer == -1 { Err(Gone) } else { Ok(answer) }
}

/// Attaches without stopping. The tracee and all that it makes die with this thread.
pub(crate) fn seize(pid: pid_t) -> io::Result<()> {
    let options = libc::PTRACE_O_EXITKILL
        | libc::PTRACE_O_TRACESYSGOOD
        | libc::PTRACE_O_TRACESECCOMP
        | libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEEXEC;
    request(libc::PTRACE_SEIZE, pid, options as usize).map(drop).map_err(|Gone| io::Error::last_os_error())
}

/// Lets it run, with a signal or 0.
pub(crate) fn resume(pid: pid_t, signal: c_int) -> Result<(), Gone> {
    request(libc::PTRACE_CONT, pid, signal as usize).map(drop)
}

/// Lets it run to the end of the call that it is stopped at.
pub(crate) fn resume_to_end(pid: pid_t) -> Result<(), Gone> {
    request(libc::PTRACE_SYSCALL, pid, 0).map(drop)
}

/// Leaves it in its group stop, to hear of its end.
pub(crate) fn listen(pid: pid_t) -> Result<(), Gone> {
    request(libc::PTRACE_LISTEN, pid, 0).map(drop)
}

/// Whether this thread traces it.
pub(crate) fn is_ours(pid: pid_t) -> bool {
    // SAFETY: no memory is handed over.
    let tracer = unsafe { libc::gettid() }.to_string();
    std::fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| {
        status.lines().filter_map(|line| line.strip_prefix("TracerPid:")).any(|id| id.trim() == tracer)
    })
}

/// Sends SIGKILL to the whole process of a tracee of this thread.
pub(crate) fn kill(pid: pid_t) {
    // SAFETY: no memory is handed over.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// Keeps signals that are meant for the rest of this program away from this thread. Not SIGCHLD:
/// every stop sends one to this thread, and the kernel drops what is ignored at once, unless it is
/// blocked; then it would wake another thread, at every stop.
pub(crate) fn block_signals() {
    // SAFETY: a plain set, filled before it is used.
    unsafe {
        let mut all: libc::sigset_t = mem::zeroed();
        libc::sigfillset(&mut all);
        libc::sigdelset(&mut all, libc::SIGCHLD);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
    }
}

/// The new process at `Forked`, the thread's former id at `Executed`.
pub(crate) fn message(pid: pid_t) -> Result<pid_t, Gone> {
    let mut message: libc::c_ulong = 0;
    request(libc::PTRACE_GETEVENTMSG, pid, &raw mut message as usize)?;
    Ok(message as pid_t)
}

/// The call that a tracee is stopped at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoppedCall {
    /// `AUDIT_ARCH_…`.
    pub architecture: u32,
    pub number: u64,
    pub arguments: [u64; 6],
    /// The filter's data.
    pub mark: u32,
}

fn info(pid: pid_t) -> Result<libc::ptrace_syscall_info, Gone> {
    let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    let size = mem::size_of::<libc::ptrace_syscall_info>();
    // SAFETY: the kernel writes at most `size` bytes, and all of them are initialised: any
    // pattern of bits is a value of this struct of integers.
    unsafe {
        if libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, pid, size, info.as_mut_ptr()) == -1 {
            return Err(Gone);
        }
        Ok(info.assume_init())
    }
}

pub(crate) fn stopped_call(pid: pid_t) -> Result<StoppedCall, Gone> {
    let info = info(pid)?;
    if info.op != libc::PTRACE_SYSCALL_INFO_SECCOMP {
        return Err(Gone);
    }
    // SAFETY: `op` says that this is the member that was written.
    let call = unsafe { info.u.seccomp };
    Ok(StoppedCall { architecture: info.arch, number: call.nr, arguments: call.args, mark: call.ret_data })
}

/// What the call returned: a negative number is an error number.
pub(crate) fn returned(pid: pid_t) -> Result<i64, Gone> {
    let info = info(pid)?;
    if info.op != libc::PTRACE_SYSCALL_INFO_EXIT {
        return Err(Gone);
    }
    // SAFETY: `op` says that this is the member that was written.
    Ok(unsafe { info.u.exit.sval })
}

/// Skips the call that a tracee is stopped at and makes it answer ENOSYS.
#[cfg(target_arch = "x86_64")]
pub(crate) fn refuse(pid: pid_t) -> Result<(), Gone> {
    let mut registers = MaybeUninit::<libc::user_regs_struct>::zeroed();
    request(libc::PTRACE_GETREGS, pid, registers.as_mut_ptr() as usize)?;
    // SAFETY: zeroed, then written by the kernel; a struct of integers.
    let mut registers = unsafe { registers.assume_init() };
    registers.orig_rax = u64::MAX;
    registers.rax = -i64::from(libc::ENOSYS) as u64;
    request(libc::PTRACE_SETREGS, pid, &raw const registers as usize).map(drop)
}

/// Skips the call that a tracee is stopped at and makes it answer ENOSYS.
#[cfg(target_arch = "aarch64")]
pub(crate) fn refuse(pid: pid_t) -> Result<(), Gone> {
    /// Register sets of linux/elf.h.
    const NT_PRSTATUS: usize = 1;
    const NT_ARM_SYSTEM_CALL: usize = 0x404;
    let set = |kind: usize, vector: &libc::iovec, get: bool| {
        let request = if get { libc::PTRACE_GETREGSET } else { libc::PTRACE_SETREGSET };
        // SAFETY: `vector` describes memory that its caller owns.
        let answer = unsafe { libc::ptrace(request, pid, kind, vector as *const libc::iovec) };
        if answer == -1 { Err(Gone) } else { Ok(()) }
    };
    let mut number: c_int = -1;
    let number = libc::iovec { iov_base: (&raw mut number).cast(), iov_len: mem::size_of::<c_int>() };
    set(NT_ARM_SYSTEM_CALL, &number, false)?;
    let mut registers = [0u64; 34];
    let vector = libc::iovec { iov_base: (&raw mut registers).cast(), iov_len: mem::size_of_val(&registers) };
    set(NT_PRSTATUS, &vector, true)?;
    registers[0] = -i64::from(libc::ENOSYS) as u64;
    set(NT_PRSTATUS, &vector, false)
}

/// Longest path that the kernel takes, its closing NUL included.
const PATH_MAX: usize = libc::PATH_MAX as usize;
const PAGE: u64 = 4096;

/// Why a tracee's memory could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// The address is not mapped: the kernel will answer EFAULT itself.
    Fault,
    /// No NUL within PATH_MAX: the kernel will answer ENAMETOOLONG.
    TooLong,
    Gone,
}

/// Reads a path into `path`, without its NUL.
pub(crate) fn read_path(pid: pid_t, address: u64, path: &mut Vec<u8>) -> Result<(), Unreadable> {
    path.clear();
    let mut chunk = [0u8; 256];
    let mut at = address;
    while path.len() < PATH_MAX {
        // Up to the end of a page: the next one need not be mapped.
        let length = (chunk.len() as u64).min(PAGE - at % PAGE) as usize;
        let read = read(pid, at, &mut chunk[..length])?;
        let chunk = &chunk[..read];
        if let Some(end) = chunk.iter().position(|&byte| byte == 0) {
            path.extend_from_slice(&chunk[..end]);
            return if path.len() < PATH_MAX { Ok(()) } else { Err(Unreadable::TooLong) };
        }
        path.extend_from_slice(chunk);
        at = at.wrapping_add(read as u64);
    }
    Err(Unreadable::TooLong)
}

/// Reads as much as is mapped, at least one byte.
pub(crate) fn read(pid: pid_t, address: u64, buffer: &mut [u8]) -> Result<usize, Unreadable> {
    let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast::<c_void>(), iov_len: buffer.len() };
    let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: buffer.len() };
    // SAFETY: the kernel writes at most `buffer.len()` bytes to `buffer`; the remote address is
    // checked by the kernel alone.
    let read = unsafe { libc::process_vm_readv(pid, &local, 1, &remote, 1, 0) };
    if read > 0 {
        return Ok(read as usize);
    }
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::ESRCH) => Err(Unreadable::Gone),
        // A program that may not be read, under a tracer without privileges: ptrace still may.
        Some(libc::EPERM) => peek(pid, address, buffer),
        _ => Err(Unreadable::Fault),
    }
}

fn peek(pid: pid_t, address: u64, buffer: &mut [u8]) -> Result<usize, Unreadable> {
    let word = address & !7;
    let mut value: c_long = 0;
    // SAFETY: the raw call writes one word to `value`.
    let answer = unsafe { libc::syscall(libc::SYS_ptrace, libc::PTRACE_PEEKDATA, pid, word as usize, &raw mut value) };
    if answer == -1 {
        let gone = io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH);
        return Err(if gone { Unreadable::Gone } else { Unreadable::Fault });
    }
    let bytes = &value.to_ne_bytes()[(address - word) as usize..];
    let length = bytes.len().min(buffer.len());
    buffer[..length].copy_from_slice(&bytes[..length]);
    Ok(length)
}

/// Reads exactly as many bytes as `buffer` has.
pub(crate) fn read_exact(pid: pid_t, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
    let mut done = 0;
    while done < buffer.len() {
        done += read(pid, address.wrapping_add(done as u64), &mut buffer[done..])?;
    }
    Ok(())
}
