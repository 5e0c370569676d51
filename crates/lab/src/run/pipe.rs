//! How the processes of a run hear of each other: pipes, read without waiting, line by line; the
//! ends of children; and waiting for any of several.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::WaitStatus;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A message longer than this is not one of ours.
const LONGEST_LINE: usize = 4 << 20;

/// The end of a pipe that is read from.
#[derive(Debug)]
pub(super) struct Incoming {
    file: std::fs::File,
    buffer: Vec<u8>,
    open: bool,
}

impl Incoming {
    pub fn new(fd: impl Into<OwnedFd>) -> io::Result<Incoming> {
        let fd = fd.into();
        let flags = OFlag::from_bits_retain(fcntl(&fd, FcntlArg::F_GETFL)?);
        fcntl(&fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        Ok(Incoming { file: fd.into(), buffer: Vec::new(), open: true })
    }

    /// Whether the other end is still held by someone.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Takes what is there, without waiting.
    pub fn bytes(&mut self) -> Vec<u8> {
        let mut taken = Vec::new();
        let mut chunk = [0_u8; 16 << 10];
        // Bounded: one that never stops writing must not keep us from the others.
        for _ in 0..64 {
            match self.file.read(&mut chunk) {
                Ok(0) => {
                    self.open = false;
                    break;
                }
                Ok(length) => taken.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.open = false;
                    break;
                }
            }
        }
        taken
    }

    /// The messages that have arrived whole. A line that is not a message is passed over: only our
    /// own processes hold the other end.
    pub fn messages<T: DeserializeOwned>(&mut self) -> Vec<T> {
        let taken = self.bytes();
        self.buffer.extend(taken);
        let Some(end) = self.buffer.iter().rposition(|byte| *byte == b'\n') else {
            if self.buffer.len() > LONGEST_LINE {
                self.open = false;
            }
            return Vec::new();
        };
        let whole: Vec<u8> = self.buffer.drain(..=end).collect();
        whole.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }
}

impl AsFd for Incoming {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Writes one message in one go.
pub(super) fn send<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

/// Waits until one of these can be read, or its other end is gone, or the time is over.
pub(super) fn wait_for(fds: &[BorrowedFd<'_>], until: Instant) -> io::Result<()> {
    let mut polled: Vec<PollFd<'_>> = fds.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)).collect();
    let left = until.saturating_duration_since(Instant::now()).min(Duration::from_secs(60));
    // Rounded up: waking before the time is over would only mean waiting again.
    let milliseconds = u16::try_from(left.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
    match poll(&mut polled, PollTimeout::from(milliseconds)) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Tells when a child has ended, as something to wait for beside pipes.
#[derive(Debug)]
pub(super) struct ChildSignal(SignalFd);

impl ChildSignal {
    /// From now on this thread gets no SIGCHLD but through this. Programs that it starts begin
    /// with it blocked, which is nothing for a program that is not ours.
    pub fn new() -> io::Result<ChildSignal> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGCHLD);
        set.thread_block()?;
        Ok(ChildSignal(SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?))
    }

    /// Forgets the signals that came; to be called before looking for ended children.
    pub fn drain(&self) {
        while let Ok(Some(_)) = self.0.read_signal() {}
    }
}

impl AsFd for ChildSignal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// 128 + signal where a signal ended it, as a shell has it.
pub(super) fn exit_code(status: WaitStatus) -> Option<i32> {
    match status {
        WaitStatus::Exited(_, code) => Some(code),
        WaitStatus::Signaled(_, signal, _) => Some(128 + signal as i32),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_whole_and_in_order() {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let mut incoming = Incoming::new(reader).expect("an end");
        assert!(incoming.messages::<u32>().is_empty());
        send(&mut writer, &1).expect("sent");
        writer.write_all(b"2\n3").expect("written");
        assert_eq!(incoming.messages::<u32>(), [1, 2]);
        assert!(incoming.is_open());
        writer.write_all(b"4\nnonsense\n5\n").expect("written");
        drop(writer);
        assert_eq!(incoming.messages::<u32>(), [34, 5]);
        assert!(!incoming.is_open());
    }

    #[test]
    fn waiting_ends_when_the_time_is_over() {
        let (reader, _writer) = std::io::pipe().expect("a pipe");
        let began = Instant::now();
        wait_for(&[reader.as_fd()], began + Duration::from_millis(20)).expect("waited");
        assert!(began.elapsed() >= Duration::from_millis(20));
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
