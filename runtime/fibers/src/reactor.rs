//! What one LWP waits for outside: sockets, and other threads that have something for it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use polling::{Event, Events, PollMode, Poller};

/// Events taken at once.
const EVENTS: usize = 256;

pub(crate) struct Reactor {
    poller: Poller,
    events: Mutex<Events>,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    all: Vec<Option<Arc<Entry>>>,
    free: Vec<usize>,
}

/// A descriptor that is watched.
#[derive(Default)]
pub(crate) struct Entry {
    read: Mutex<Side>,
    write: Mutex<Side>,
}

#[derive(Default)]
struct Side {
    is_ready: bool,
    waker: Option<Waker>,
}

/// Which way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Read,
    Write,
}

impl Reactor {
    pub(crate) fn new() -> io::Result<Self> {
        let capacity = EVENTS.try_into().expect("more than none");
        Ok(Self {
            poller: Poller::new()?,
            events: Mutex::new(Events::with_capacity(capacity)),
            entries: Mutex::default(),
        })
    }

    /// Waits for an event, an interrupt or the time, and wakes whom it concerns. Its own thread alone calls this.
    pub(crate) fn wait(&self, at_most: Option<Duration>) {
        let mut events = self.events.lock();
        events.clear();
        if let Err(error) = self.poller.wait(&mut events, at_most) {
            if error.kind() != io::ErrorKind::Interrupted {
                tracing::error!(%error, "an LWP cannot wait for sockets");
            }
            return;
        }
        for event in events.iter() {
            let entry = self.entries.lock().all.get(event.key).cloned().flatten();
            let Some(entry) = entry else { continue };
            let is_over = event.is_interrupt() || event.is_err().unwrap_or(false);
            if event.readable || event.is_priority() || is_over {
                entry.read.lock().wake();
            }
            if event.writable || is_over {
                entry.write.lock().wake();
            }
        }
    }

    /// Ends a wait from another thread.
    pub(crate) fn interrupt(&self) {
        if let Err(error) = self.poller.notify() {
            tracing::error!(%error, "an LWP cannot be woken");
        }
    }

    /// Watches a descriptor, until [`forget`](Self::forget).
    pub(crate) fn watch(&self, descriptor: BorrowedFd<'_>) -> io::Result<(usize, Arc<Entry>)> {
        let entry = Arc::new(Entry::default());
        let key = {
            let mut entries = self.entries.lock();
            let key = entries.free.pop().unwrap_or(entries.all.len());
            if key == entries.all.len() {
                entries.all.push(None);
            }
            entries.all[key] = Some(Arc::clone(&entry));
            key
        };
        let interest = Event::all(key).with_priority().with_interrupt();
        // SAFETY: whoever watches a descriptor owns it (`Source`) and has it forgotten before it is closed.
        let added =
            unsafe { self.poller.add_with_mode(descriptor.as_raw_fd(), interest, PollMode::Edge) };
        match added {
            Ok(()) => Ok((key, entry)),
            Err(error) => {
                self.free(key);
                Err(error)
            }
        }
    }

    pub(crate) fn forget(&self, key: usize, descriptor: BorrowedFd<'_>) {
        if let Err(error) = self.poller.delete(descriptor.as_fd()) {
            tracing::error!(%error, "a descriptor is watched for ever");
        }
        self.free(key);
    }

    fn free(&self, key: usize) {
        let mut entries = self.entries.lock();
        entries.all[key] = None;
        entries.free.push(key);
    }
}

impl Entry {
    /// Ready, if there was news since this was last asked; else the waker is woken by the next.
    pub(crate) fn poll(&self, way: Way, task: &mut Context<'_>) -> Poll<()> {
        let mut side = match way {
            Way::Read => self.read.lock(),
            Way::Write => self.write.lock(),
        };
        if std::mem::take(&mut side.is_ready) {
            return Poll::Ready(());
        }
        match &mut side.waker {
            Some(waker) => waker.clone_from(task.waker()),
            none => *none = Some(task.waker().clone()),
        }
        Poll::Pending
    }
}

impl Side {
    fn wake(&mut self) {
        self.is_ready = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
