//! Signals as a program expects them when it starts.

use std::ptr;

/// The highest number of a signal, and the size of a set of them in the kernel's own form.
const LAST: libc::c_long = 64;
const SET: usize = 8;

/// Gives every signal its default action and blocks none. For a process that is about to execute a
/// program for which nobody has decided otherwise: what is ignored or blocked stays so over
/// `execve`, and glibc's `posix_spawn` leaves the two signals ignored that it uses itself.
pub fn default_signals() {
    // All zero: SIG_DFL, no flags, no restorer, an empty mask. glibc's own sigaction(3) does not
    // touch the two signals of its own.
    let action = [0_usize; 4];
    for signal in 1..=LAST {
        // SAFETY: the kernel reads a structure of at the most four words and writes none.
        // SIGKILL and SIGSTOP have no other action: that is refused.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, action.as_ptr(), ptr::null_mut::<usize>(), SET) };
    }
    let none = 0_u64;
    // SAFETY: the kernel reads a set of eight bytes and writes none.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &none, ptr::null_mut::<u64>(), SET) };
}
