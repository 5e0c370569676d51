//! What /proc tells of a task: which signals a process handles, and which ports have a listener.

use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// Whether a process does anything about a signal: it has a handler, or waits for it. Yes, where
/// that cannot be told.
pub(super) fn handles(pid: Pid, signal: Signal) -> bool {
    let Ok(status) = std::fs::read_to_string(format!("/proc/{pid}/status")) else { return true };
    let bit = 1_u64 << (signal as i32 - 1);
    let has = |field: &str| {
        let mask = status.lines().find_map(|line| line.strip_prefix(field));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & bit != 0)
    };
    has("SigCgt:") || has("SigBlk:") || waits_for_signals(pid)
}

/// Whether a thread is in sigwait(3), during which the signals that it waits for do not count as
/// blocked.
fn waits_for_signals(pid: Pid) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    let call = format!("{} ", libc::SYS_rt_sigtimedwait);
    threads.flatten().any(|thread| {
        std::fs::read_to_string(thread.path().join("syscall")).map_or(true, |text| text.starts_with(&call))
    })
}

/// Whether every one of these TCP ports has a listener in this network namespace.
pub(super) fn listen_all(ports: &[u16]) -> bool {
    let tables: Vec<String> = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .collect();
    let listening: Vec<u16> = tables.iter().flat_map(|table| listening(table)).collect();
    ports.iter().all(|port| listening.contains(port))
}

/// The ports of sockets in the state LISTEN (0A), see proc_net_tcp in the kernel's documentation.
fn listening(table: &str) -> Vec<u16> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            let local = fields.nth(1)?;
            let state = fields.nth(1)?;
            let port = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()?;
            (state == "0A").then_some(port)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listening_ports_are_read_from_the_kernels_table() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n   \
                     0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n   \
                     1: 0100007F:1F90 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000     0\n";
        assert_eq!(listening(table), [80]);
    }

    #[test]
    fn a_process_without_a_handler_handles_no_signal() {
        assert!(!handles(Pid::this(), Signal::SIGXCPU));
    }
}
