//! The records on their way from the tracer's thread to whoever listens, in batches: waking the
//! listener for each would cost the traced program as much as the stop itself.

use std::cell::{Cell, RefCell};
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::vec;

use crate::event::Record;

/// How late a record may be.
const PAUSE: Duration = Duration::from_millis(10);

#[derive(Debug, Default)]
struct Channel {
    waiting: Mutex<Waiting>,
    /// Rung for what must not be late.
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    records: Vec<Record>,
    /// A beginning or an end is among them.
    urgent: bool,
    closed: bool,
}

impl Channel {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end that the tracer's thread keeps. Dropping it closes the channel.
#[derive(Debug)]
pub(crate) struct Sender {
    channel: Arc<Channel>,
}

/// The records of a session in their order: an iterator that waits. It ends when the last process
/// of the session has ended. Nothing bounds what piles up while nobody listens.
#[derive(Debug)]
pub struct Records {
    channel: Arc<Channel>,
    batch: RefCell<vec::IntoIter<Record>>,
    /// When the batch was taken.
    taken: Cell<Instant>,
}

pub(crate) fn channel() -> (Sender, Records) {
    let channel = Arc::new(Channel::default());
    (
        Sender { channel: channel.clone() },
        Records { channel, batch: RefCell::default(), taken: Cell::new(Instant::now()) },
    )
}

impl Sender {
    pub fn send(&self, record: Record) {
        // Whoever does not listen any more does not want to know.
        if Arc::strong_count(&self.channel) == 1 {
            return;
        }
        let urgent = matches!(record, Record::Began { .. } | Record::Ended { .. });
        let mut waiting = self.channel.waiting();
        waiting.records.push(record);
        if urgent {
            waiting.urgent = true;
            self.channel.bell.notify_one();
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.channel.waiting().closed = true;
        self.channel.bell.notify_one();
    }
}

impl Records {
    /// The next record, waiting for it at the most so long.
    ///
    /// # Errors
    /// `Timeout` if none came, `Disconnected` if none will.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Record, RecvTimeoutError> {
        self.receive(Some(Instant::now() + timeout))
    }

    /// The next record if there is one already.
    ///
    /// # Errors
    /// `Empty` if there is none yet, `Disconnected` if none will come.
    pub fn try_recv(&self) -> Result<Record, TryRecvError> {
        self.receive(Some(Instant::now())).map_err(|error| match error {
            RecvTimeoutError::Timeout => TryRecvError::Empty,
            RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
        })
    }

    fn receive(&self, until: Option<Instant>) -> Result<Record, RecvTimeoutError> {
        let mut batch = self.batch.borrow_mut();
        if let Some(record) = batch.next() {
            return Ok(record);
        }
        // Not before the next batch had time to grow.
        let ready = self.taken.get() + PAUSE;
        let mut waiting = self.channel.waiting();
        loop {
            let now = Instant::now();
            let over = until.is_some_and(|until| until <= now);
            if !waiting.records.is_empty() && (waiting.urgent || waiting.closed || over || ready <= now) {
                self.taken.set(now);
                waiting.urgent = false;
                *batch = std::mem::take(&mut waiting.records).into_iter();
                return batch.next().ok_or(RecvTimeoutError::Timeout);
            }
            if waiting.closed {
                return Err(RecvTimeoutError::Disconnected);
            }
            if over {
                return Err(RecvTimeoutError::Timeout);
            }
            let pause = until.map_or(PAUSE, |until| PAUSE.min(until - now));
            let woken = self.channel.bell.wait_timeout(waiting, pause);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        self.receive(None).ok()
    }
}
