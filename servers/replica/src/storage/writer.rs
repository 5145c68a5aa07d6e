//! A thread that writes a log: everything that is queued at once, with one flush.

use std::fmt;
use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use palco_rambo::{Barrier, Record};
use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};
use parking_lot::{Condvar, Mutex};

use super::compaction::{Compacted, CompactionError};
use super::error::StorageError;
use super::log::Log;
use super::statistics::Statistics;

/// Writes a log in a thread of its own, which sleeps while there is nothing to write, and waits for no timer: what comes
/// while one flush is under way shares the next. Closed when dropped.
pub struct Writer {
    queue: Arc<Queue>,
    statistics: Arc<Mutex<Statistics>>,
    thread: Option<JoinHandle<()>>,
}

enum Order {
    Append(Vec<(Barrier, Record)>),
    Compacted(Result<Compacted, CompactionError>),
    Close,
}

/// What is to be done next. Taken as a whole: a channel would look for each order alone, and give way to others again and
/// again before it sleeps.
#[derive(Default)]
struct Queue {
    orders: Mutex<Vec<Order>>,
    came: Condvar,
}

impl Queue {
    fn push(&self, order: Order) {
        let mut orders = self.orders.lock();
        orders.push(order);
        let is_first = orders.len() == 1;
        drop(orders);
        if is_first {
            self.came.notify_one();
        }
    }

    /// Everything, at least one; waits for it.
    fn take(&self) -> Vec<Order> {
        let mut orders = self.orders.lock();
        self.came.wait_while(&mut orders, |orders| orders.is_empty());
        mem::take(&mut *orders)
    }
}

impl Writer {
    /// Starts the thread. `done` is called in it with the highest barrier behind which everything is on disk, after each
    /// flush; or with an error, once, and never again: what was appended since the last barrier may be stored or not, so
    /// the participant must not be used any more (RAMBO.md §6, pitfall 29). It should do little.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(
        log: Log,
        done: impl FnMut(Result<Barrier, StorageError>) + Send + 'static,
    ) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let statistics = Arc::new(Mutex::new(Statistics::of(&log)));
        let desk = Desk {
            log,
            done,
            queue: Arc::clone(&queue),
            statistics: Arc::clone(&statistics),
            compacting: None,
        };
        let thread = spawn_named("log", STACK_BYTES_DEFAULT, || desk.run())?;
        Ok(Self { queue, statistics, thread: Some(thread) })
    }

    /// Queues records, ascending by barrier; never waits. How much is queued at most is up to the participant, which
    /// takes on so many operations at once. After an error nothing is stored.
    pub fn append(&self, records: Vec<(Barrier, Record)>) {
        self.queue.push(Order::Append(records));
    }

    /// What was done until now.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.statistics.lock().clone()
    }

    /// Flushes what is queued, ends the file and the thread. A compaction under way is given up.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.queue.push(Order::Close);
        // `done` may be what drops the writer: a thread cannot wait for its own end.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            drop(thread.join());
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("queued", &self.queue.orders.lock().len())
            .finish_non_exhaustive()
    }
}

/// What the thread works with.
struct Desk<F> {
    log: Log,
    done: F,
    queue: Arc<Queue>,
    statistics: Arc<Mutex<Statistics>>,
    compacting: Option<Compacting>,
}

struct Compacting {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// What is to come after what was taken from the queue.
#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    Close,
}

impl<F: FnMut(Result<Barrier, StorageError>)> Desk<F> {
    fn run(mut self) {
        match self.write() {
            // Every record was reported: a file without an end costs the next start a copy, and nothing else.
            Ok(()) => drop(self.log.close()),
            Err(error) => (self.done)(Err(error)),
        }
        if let Some(Compacting { stop, thread }) = self.compacting.take() {
            stop.store(true, Ordering::Relaxed);
            drop(thread.join());
        }
    }

    fn write(&mut self) -> Result<(), StorageError> {
        self.compact();
        loop {
            let (mut reached, mut then) = (None, Then::GoOn);
            for order in self.queue.take() {
                if self.take(order, &mut reached)? == Then::Close {
                    then = Then::Close;
                }
            }
            self.flush(reached)?;
            if then == Then::Close {
                return Ok(());
            }
            self.compact();
        }
    }

    fn take(&mut self, order: Order, reached: &mut Option<Barrier>) -> Result<Then, StorageError> {
        match order {
            Order::Append(records) => {
                for (barrier, record) in records {
                    if self.log.is_full() {
                        self.flush(reached.take())?;
                    }
                    self.log.append(&record)?;
                    *reached = Some(barrier);
                }
            }
            Order::Compacted(result) => {
                self.log.compacted(&result);
                self.statistics.lock().compacted(&result, &self.log);
                if let Some(Compacting { thread, .. }) = self.compacting.take() {
                    drop(thread.join());
                }
            }
            Order::Close => return Ok(Then::Close),
        }
        Ok(Then::GoOn)
    }

    fn flush(&mut self, reached: Option<Barrier>) -> Result<(), StorageError> {
        let Some(barrier) = reached else { return Ok(()) };
        let began = Instant::now();
        let flushed = self.log.flush()?;
        self.statistics.lock().flushed(flushed, began.elapsed(), &self.log);
        (self.done)(Ok(barrier));
        Ok(())
    }

    /// Begins a compaction if one is due.
    fn compact(&mut self) {
        let Some(compaction) = self.log.compaction() else { return };
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, queue) = (Arc::clone(&stop), Arc::clone(&self.queue));
        let started = spawn_named("log-compaction", STACK_BYTES_DEFAULT, move || {
            let result = compaction.run(&stopped);
            queue.push(Order::Compacted(result));
        });
        match started {
            Ok(thread) => self.compacting = Some(Compacting { stop, thread }),
            // Without a thread it waits until the log has grown.
            Err(_) => self.log.compacted(&Err(CompactionError::Stopped)),
        }
    }
}
