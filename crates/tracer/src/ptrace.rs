//! Ptrace as typed stops: a tracee that stands still is a `Stopped`, which `wait` alone makes and
//! which is spent by what lets it go on. Every function may meet a tracee that has just been
//! killed: that is `Gone`, never a fault, and its end arrives through `wait` all the same.

use std::io;
use std::mem::{self, MaybeUninit};

use libc::{c_int, c_long, c_void, pid_t};

use crate::event::Exit;

/// `PTRACE_EVENT_STOP` of linux/ptrace.h: only after PTRACE_SEIZE.
const EVENT_STOP: c_int = 128;

/// The tracee does not stand still any more: it was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

/// What `wait` reports of a tracee.
#[derive(Debug)]
pub(crate) enum Waited {
    /// It is no more.
    Ended(pid_t, Exit),
    Stopped(Stopped, Stop),
}

/// A tracee that stands still. Dropped without more, it stands still until it is killed.
#[derive(Debug)]
#[must_use = "the tracee stands still until it is let go on"]
pub(crate) struct Stopped {
    pid: pid_t,
}

/// Why a tracee stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
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
pub(crate) fn wait() -> io::Result<Option<Waited>> {
    let mut status = 0;
    loop {
        // SAFETY: `status` outlives the call.
        let pid = unsafe { libc::waitpid(-1, &mut status, libc::__WALL | libc::__WNOTHREAD) };
        if pid > 0 {
            return Ok(Some(waited(pid, status)));
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::ECHILD) => return Ok(None),
            _ => return Err(error),
        }
    }
}

fn waited(pid: pid_t, status: c_int) -> Waited {
    if libc::WIFEXITED(status) {
        return Waited::Ended(pid, Exit::Code(libc::WEXITSTATUS(status)));
    }
    if libc::WIFSIGNALED(status) {
        return Waited::Ended(pid, Exit::Signal(libc::WTERMSIG(status)));
    }
    let signal = libc::WSTOPSIG(status);
    let stop = match status >> 16 {
        0 if signal == libc::SIGTRAP | 0x80 => Stop::CallEnd,
        0 => Stop::Signal(signal),
        libc::PTRACE_EVENT_SECCOMP => Stop::Call,
        libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE => Stop::Forked,
        libc::PTRACE_EVENT_EXEC => Stop::Executed,
        EVENT_STOP if matches!(signal, libc::SIGSTOP | libc::SIGTSTP | libc::SIGTTIN | libc::SIGTTOU) => Stop::Group,
        _ => Stop::Trap,
    };
    Waited::Stopped(Stopped { pid }, stop)
}

/// The type of a request differs between C libraries.
#[cfg(not(target_env = "musl"))]
type Request = libc::c_uint;
#[cfg(target_env = "musl")]
type Request = c_int;

fn request(request: Request, pid: pid_t, data: usize) -> Result<c_long, Gone> {
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

impl Stopped {
    /// The thread that stands still.
    pub fn pid(&self) -> pid_t {
        self.pid
    }

    /// Lets it run, with a signal or 0.
    pub fn resume(self, signal: c_int) -> Result<(), Gone> {
        request(libc::PTRACE_CONT, self.pid, signal as usize).map(drop)
    }

    /// Lets it run to the end of the call that it is stopped at.
    pub fn resume_to_end(self) -> Result<(), Gone> {
        request(libc::PTRACE_SYSCALL, self.pid, 0).map(drop)
    }

    /// Leaves it in its group stop, to hear of its end.
    pub fn listen(self) -> Result<(), Gone> {
        request(libc::PTRACE_LISTEN, self.pid, 0).map(drop)
    }

    /// Lets it run past the call that it is stopped at, which answers ENOSYS and does nothing.
    pub fn refuse(self) -> Result<(), Gone> {
        skip_call(self.pid)?;
        self.resume(0)
    }

    /// The new process at `Forked`, the thread's former id at `Executed`.
    pub fn message(&self) -> Result<pid_t, Gone> {
        let mut message: libc::c_ulong = 0;
        request(libc::PTRACE_GETEVENTMSG, self.pid, &raw mut message as usize)?;
        Ok(message as pid_t)
    }

    /// The call that it is stopped at.
    pub fn call(&self) -> Result<StoppedCall, Gone> {
        let info = info(self.pid)?;
        if info.op != SYSCALL_INFO_SECCOMP {
            return Err(Gone);
        }
        // SAFETY: `op` says that this is the member that was written.
        let call = unsafe { info.data.seccomp };
        Ok(StoppedCall { architecture: info.arch, number: call.nr, arguments: call.args, mark: call.ret_data })
    }

    /// What the call returned at whose end it is: a negative number is an error number.
    pub fn returned(&self) -> Result<i64, Gone> {
        let info = info(self.pid)?;
        if info.op != SYSCALL_INFO_EXIT {
            return Err(Gone);
        }
        // SAFETY: `op` says that this is the member that was written.
        Ok(unsafe { info.data.exit.sval })
    }
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

/// `PTRACE_GET_SYSCALL_INFO` and what it answers. Source: linux/ptrace.h; the `libc` crate has it
/// for glibc alone.
const GET_SYSCALL_INFO: Request = 0x420e;
const SYSCALL_INFO_EXIT: u8 = 2;
const SYSCALL_INFO_SECCOMP: u8 = 3;

/// `struct ptrace_syscall_info`.
#[repr(C)]
#[derive(Clone, Copy)]
struct SyscallInfo {
    op: u8,
    reserved: u8,
    flags: u16,
    arch: u32,
    instruction_pointer: u64,
    stack_pointer: u64,
    data: SyscallData,
}

#[repr(C)]
#[derive(Clone, Copy)]
union SyscallData {
    entry: SyscallEntry,
    exit: SyscallExit,
    seccomp: SyscallSeccomp,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct SyscallEntry {
    nr: u64,
    args: [u64; 6],
}

#[repr(C)]
#[derive(Clone, Copy)]
struct SyscallExit {
    sval: i64,
    is_error: u8,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct SyscallSeccomp {
    nr: u64,
    args: [u64; 6],
    ret_data: u32,
    reserved: u32,
}

fn info(pid: pid_t) -> Result<SyscallInfo, Gone> {
    let mut info = MaybeUninit::<SyscallInfo>::zeroed();
    let size = mem::size_of::<SyscallInfo>();
    // SAFETY: the kernel writes at most `size` bytes, and all of them are initialised: any
    // pattern of bits is a value of this struct of integers.
    unsafe {
        if libc::ptrace(GET_SYSCALL_INFO, pid, size, info.as_mut_ptr()) == -1 {
            return Err(Gone);
        }
        Ok(info.assume_init())
    }
}

/// Skips the call that a tracee is stopped at and makes it answer ENOSYS.
#[cfg(target_arch = "x86_64")]
fn skip_call(pid: pid_t) -> Result<(), Gone> {
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
fn skip_call(pid: pid_t) -> Result<(), Gone> {
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
    let described = |registers: &mut [u64; 34]| libc::iovec {
        iov_base: registers.as_mut_ptr().cast(),
        iov_len: mem::size_of_val(registers),
    };
    let mut registers = [0u64; 34];
    set(NT_PRSTATUS, &described(&mut registers), true)?;
    registers[0] = -i64::from(libc::ENOSYS) as u64;
    set(NT_PRSTATUS, &described(&mut registers), false)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_told_from_every_other() {
        let stopped = |signal: c_int, event: c_int| event << 16 | signal << 8 | 0x7f;
        let table = [
            (stopped(libc::SIGTRAP | 0x80, 0), Stop::CallEnd),
            (stopped(libc::SIGUSR1, 0), Stop::Signal(libc::SIGUSR1)),
            (stopped(libc::SIGTRAP, libc::PTRACE_EVENT_SECCOMP), Stop::Call),
            (stopped(libc::SIGTRAP, libc::PTRACE_EVENT_CLONE), Stop::Forked),
            (stopped(libc::SIGTRAP, libc::PTRACE_EVENT_EXEC), Stop::Executed),
            (stopped(libc::SIGTSTP, EVENT_STOP), Stop::Group),
            (stopped(libc::SIGTRAP, EVENT_STOP), Stop::Trap),
        ];
        for (status, expected) in table {
            match waited(7, status) {
                Waited::Stopped(stopped, stop) => assert_eq!((stopped.pid(), stop), (7, expected)),
                ended => panic!("{status:#x}: {ended:?}"),
            }
        }
        assert!(matches!(waited(7, 3 << 8), Waited::Ended(7, Exit::Code(3))));
        assert!(matches!(waited(7, libc::SIGKILL), Waited::Ended(7, Exit::Signal(libc::SIGKILL))));
    }

    /// What is defined here for every C library is what `libc` has for glibc.
    #[cfg(target_env = "gnu")]
    #[test]
    fn the_kernels_structs_have_its_layout() {
        use std::mem::{align_of, offset_of, size_of};
        assert_eq!(GET_SYSCALL_INFO, libc::PTRACE_GET_SYSCALL_INFO);
        assert_eq!(SYSCALL_INFO_EXIT, libc::PTRACE_SYSCALL_INFO_EXIT);
        assert_eq!(SYSCALL_INFO_SECCOMP, libc::PTRACE_SYSCALL_INFO_SECCOMP);
        assert_eq!(size_of::<SyscallInfo>(), size_of::<libc::ptrace_syscall_info>());
        assert_eq!(align_of::<SyscallInfo>(), align_of::<libc::ptrace_syscall_info>());
        assert_eq!(size_of::<SyscallEntry>(), size_of::<libc::__c_anonymous_ptrace_syscall_info_entry>());
        assert_eq!(size_of::<SyscallExit>(), size_of::<libc::__c_anonymous_ptrace_syscall_info_exit>());
        assert_eq!(size_of::<SyscallSeccomp>(), size_of::<libc::__c_anonymous_ptrace_syscall_info_seccomp>());
        macro_rules! same_offsets {
            ($($ours:ident.$our:ident = $theirs:ident.$their:ident),* $(,)?) => {
                $(assert_eq!(offset_of!($ours, $our), offset_of!(libc::$theirs, $their), stringify!($our));)*
            };
        }
        same_offsets!(
            SyscallInfo.op = ptrace_syscall_info.op,
            SyscallInfo.flags = ptrace_syscall_info.flags,
            SyscallInfo.arch = ptrace_syscall_info.arch,
            SyscallInfo.instruction_pointer = ptrace_syscall_info.instruction_pointer,
            SyscallInfo.stack_pointer = ptrace_syscall_info.stack_pointer,
            SyscallInfo.data = ptrace_syscall_info.u,
            SyscallEntry.args = __c_anonymous_ptrace_syscall_info_entry.args,
            SyscallExit.sval = __c_anonymous_ptrace_syscall_info_exit.sval,
            SyscallExit.is_error = __c_anonymous_ptrace_syscall_info_exit.is_error,
            SyscallSeccomp.nr = __c_anonymous_ptrace_syscall_info_seccomp.nr,
            SyscallSeccomp.args = __c_anonymous_ptrace_syscall_info_seccomp.args,
            SyscallSeccomp.ret_data = __c_anonymous_ptrace_syscall_info_seccomp.ret_data,
        );
    }
}
