//! Starts the program that is traced: forked by the tracer's thread, seized while it waits, and
//! only then under the filter and into its own executable.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use libc::{c_char, c_int};

use crate::command::Command;
use crate::{filter, ptrace};

/// A process that is on its way to its program.
pub(crate) struct Launched {
    pub pid: i32,
    /// What the process says of itself until its program has replaced it.
    status: File,
}

/// How far the process came.
#[derive(Debug)]
pub(crate) enum Progress {
    Executed { no_new_privileges: bool },
    Failed { doing: &'static str, error: io::Error },
}

/// What the process was doing when it failed: the first byte of a message. The error number follows.
const STEPS: [&str; 4] = ["hand over descriptors", "change the working directory", "install the filter", "execute"];
const DESCRIPTORS: u8 = 0;
const WORKING_DIRECTORY: u8 = 1;
const FILTER: u8 = 2;
const EXECUTE: u8 = 3;
/// Not a failure: no_new_privs had to be set.
const NO_NEW_PRIVILEGES: u8 = 0xff;

fn terminated(bytes: &OsStr) -> io::Result<CString> {
    CString::new(bytes.as_bytes()).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "NUL in an argument"))
}

fn checked(answer: c_int) -> io::Result<c_int> {
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(answer) }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two descriptors, which are ours from then on.
    unsafe {
        checked(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC))?;
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

/// A duplicate at or above a number, out of the way of those that the program gets.
fn above(descriptor: &impl AsRawFd, lowest: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the kernel makes a new descriptor, which is ours.
    unsafe {
        let duplicate = checked(libc::fcntl(descriptor.as_raw_fd(), libc::F_DUPFD_CLOEXEC, lowest))?;
        Ok(OwnedFd::from_raw_fd(duplicate))
    }
}

/// All that the new process needs, made before the fork: it must not allocate.
struct Prepared {
    program: CString,
    arguments: Vec<*const c_char>,
    environment: Vec<*const c_char>,
    working_directory: Option<CString>,
    descriptors: Vec<(RawFd, RawFd)>,
    own_group: bool,
    filter: Vec<libc::sock_filter>,
    go: RawFd,
    status: RawFd,
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

/// Forks, seizes, and lets the new process go on to its program. It belongs to this thread.
pub(crate) fn launch(command: &Command) -> io::Result<Launched> {
    let arguments: Vec<CString> =
        command.arguments.iter().map(|argument| terminated(argument)).collect::<io::Result<_>>()?;
    let environment: Vec<CString> = command
        .environment
        .iter()
        .map(|(name, value)| {
            let mut variable = name.clone();
            variable.push("=");
            variable.push(value);
            terminated(&variable)
        })
        .collect::<io::Result<_>>()?;
    let lowest = command.descriptors.iter().map(|(number, _)| number + 1).max().unwrap_or(0).max(3);
    let (go_read, go_write) = pipe()?;
    let (status_read, status_write) = pipe()?;
    let go_read = above(&go_read, lowest)?;
    let status_write = above(&status_write, lowest)?;
    let sources: Vec<OwnedFd> =
        command.descriptors.iter().map(|(_, source)| above(source, lowest)).collect::<io::Result<_>>()?;
    let prepared = Prepared {
        program: terminated(command.program.as_os_str())?,
        arguments: pointers(&arguments),
        environment: pointers(&environment),
        working_directory: command.working_directory.as_ref().map(|path| terminated(path.as_os_str())).transpose()?,
        descriptors: command
            .descriptors
            .iter()
            .zip(&sources)
            .map(|((number, _), source)| (source.as_raw_fd(), *number))
            .collect(),
        own_group: command.own_group,
        filter: filter::program(),
        go: go_read.as_raw_fd(),
        status: status_write.as_raw_fd(),
    };
    // SAFETY: the child calls only functions that are safe after a fork of a threaded process, on
    // memory that was made before, and never returns.
    let pid = unsafe {
        match checked(libc::fork())? {
            0 => become_program(&prepared),
            pid => pid,
        }
    };
    drop((go_read, status_write, sources));
    if let Err(error) = ptrace::seize(pid) {
        // SAFETY: our own child, not waited for yet.
        unsafe {
            libc::kill(pid, libc::SIGKILL);
            libc::waitpid(pid, ptr::null_mut(), libc::__WALL);
        }
        return Err(error);
    }
    // Closing the pipe without a byte would mean "do not go on". A dead child is met later.
    let _ = io::Write::write_all(&mut File::from(go_write), b"g");
    Ok(Launched { pid, status: File::from(status_read) })
}

impl Launched {
    /// What became of it. To be asked once the program has been executed or the process has ended:
    /// until then there is no end to read to.
    pub fn progress(mut self) -> Progress {
        let mut messages = Vec::new();
        let mut no_new_privileges = false;
        if let Err(error) = self.status.read_to_end(&mut messages) {
            return Progress::Failed { doing: "ask the new process", error };
        }
        for message in messages.chunks_exact(5) {
            let number = i32::from_ne_bytes([message[1], message[2], message[3], message[4]]);
            match message[0] {
                NO_NEW_PRIVILEGES => no_new_privileges = true,
                step => {
                    let doing = STEPS.get(usize::from(step)).copied().unwrap_or("start");
                    return Progress::Failed { doing, error: io::Error::from_raw_os_error(number) };
                }
            }
        }
        Progress::Executed { no_new_privileges }
    }
}

fn errno() -> c_int {
    io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

unsafe fn say(status: RawFd, what: u8, number: c_int) {
    let number = number.to_ne_bytes();
    let message = [what, number[0], number[1], number[2], number[3]];
    // SAFETY: a write of five bytes from the stack.
    unsafe { libc::write(status, message.as_ptr().cast(), message.len()) };
}

unsafe fn fail(prepared: &Prepared, step: u8) -> ! {
    // SAFETY: neither call touches the heap.
    unsafe {
        say(prepared.status, step, errno());
        libc::_exit(127)
    }
}

/// The child's part.
unsafe fn become_program(prepared: &Prepared) -> ! {
    // SAFETY: only calls that are safe between fork and exec, on memory that was made before.
    unsafe {
        let mut byte = 0u8;
        loop {
            match libc::read(prepared.go, (&raw mut byte).cast(), 1) {
                1 => break,
                -1 if errno() == libc::EINTR => {}
                // The tracer could not seize this process, or is gone.
                _ => libc::_exit(127),
            }
        }
        if prepared.own_group {
            libc::setpgid(0, 0);
        }
        for &(source, number) in &prepared.descriptors {
            // Sources lie above every number, so none is overwritten; dup2 takes close-on-exec off.
            if libc::dup2(source, number) == -1 {
                fail(prepared, DESCRIPTORS);
            }
        }
        if let Some(folder) = &prepared.working_directory
            && libc::chdir(folder.as_ptr()) == -1
        {
            fail(prepared, WORKING_DIRECTORY);
        }
        default_signals();
        let program =
            libc::sock_fprog { len: prepared.filter.len() as u16, filter: prepared.filter.as_ptr().cast_mut() };
        let install = || libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program);
        if install() == -1 {
            if errno() != libc::EACCES || libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 {
                fail(prepared, FILTER);
            }
            if install() == -1 {
                fail(prepared, FILTER);
            }
            say(prepared.status, NO_NEW_PRIVILEGES, 0);
        }
        libc::execve(prepared.program.as_ptr(), prepared.arguments.as_ptr(), prepared.environment.as_ptr());
        fail(prepared, EXECUTE)
    }
}

/// Handlers of the tracer's process must not run here, and nothing of its mask is inherited. What
/// is ignored stays so, but for SIGPIPE, which Rust's runtime ignores.
unsafe fn default_signals() {
    // SAFETY: plain structs of integers, for which zero is a value; numbers that cannot be
    // changed answer an error that does not matter.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        for signal in 1..=64 {
            if libc::sigaction(signal, ptr::null(), &mut action) == -1 {
                continue;
            }
            let ignored = action.sa_sigaction == libc::SIG_IGN && signal != libc::SIGPIPE;
            if action.sa_sigaction != libc::SIG_DFL && !ignored {
                action.sa_sigaction = libc::SIG_DFL;
                action.sa_flags = 0;
                libc::sigaction(signal, &action, ptr::null_mut());
            }
        }
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &none, ptr::null_mut());
    }
}
