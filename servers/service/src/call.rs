//! What a running call may ask of the place it runs in.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use palco_core::Ticket;
use parking_lot::Mutex;

/// A boxed future that stays on the thread that made it.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A way for a process to end without a word, as programs do that are wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crash {
    /// By `SIGSEGV`, as after an access to memory that it does not have.
    Fault,
    /// By `SIGABRT`.
    Abort,
    /// By its own decision, with this status.
    Exit(i32),
    /// By asking for more memory than there is.
    Memory,
}

/// The place's half of [`CallContext`]: implemented once per runtime, never by a service.
pub trait Host {
    /// Time since an arbitrary start, for measuring durations; virtual in tests.
    fn elapsed(&self) -> Duration;
    /// The calendar clock.
    fn wall_clock(&self) -> SystemTime;
    /// Waits without holding up other work of the same place.
    fn sleep(&self, duration: Duration) -> LocalFuture<'_, ()>;
    /// Lets pending signals act and, on an event loop, lets other work run.
    fn checkpoint(&self) -> LocalFuture<'_, ()>;
    /// Runs `work` where blocking harms nobody else: inline on a thread of one's own, on a helper thread otherwise.
    fn block(&self, work: Box<dyn FnOnce() + Send>) -> LocalFuture<'_, ()>;
    /// What gives its client power over the call; none where there is no urgent port.
    fn ticket(&self) -> Option<Ticket> {
        None
    }
    /// Whether the connection ends after its `request`-th request, the running one, because who serves it stops or begins
    /// another life. The default never knows.
    fn is_last(&self, request: u64) -> bool {
        let _ = request;
        false
    }
    /// Ends the process at once, if the call has it to itself. Returns, and has done nothing, where others would go
    /// down with it; so does the default.
    fn crash(&self, how: Crash) {
        let _ = how;
    }
}

/// Handed to every [`Service::call`](crate::Service::call).
#[derive(Clone, Copy)]
pub struct CallContext<'a> {
    host: &'a dyn Host,
}

impl<'a> CallContext<'a> {
    /// Wraps what the place offers.
    #[must_use]
    pub fn new(host: &'a dyn Host) -> Self {
        Self { host }
    }

    /// Time since an arbitrary start; only differences mean anything.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.host.elapsed()
    }

    /// The calendar clock.
    #[must_use]
    pub fn wall_clock(&self) -> SystemTime {
        self.host.wall_clock()
    }

    /// Waits for `duration` without blocking the thread for others. Cancel-safe.
    pub async fn sleep(&self, duration: Duration) {
        self.host.sleep(duration).await;
    }

    /// A point at which the call can be suspended, interrupted or killed, and at which other connections of the same
    /// event loop get their turn. Long computations should pass one every 100 µs or so. Cancel-safe.
    pub async fn checkpoint(&self) {
        self.host.checkpoint().await;
    }

    /// Runs blocking work where it harms nobody else and returns its result.
    ///
    /// Returns `None` if the work panicked. Not cancel-safe: work that has begun runs to its end, its result is lost.
    pub async fn block<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let slot = Arc::new(Mutex::new(None));
        let filled = Arc::clone(&slot);
        self.host.block(Box::new(move || *filled.lock() = Some(work()))).await;
        slot.lock().take()
    }

    /// What gives its client power over this call, and with another number over any other of the same connection: for
    /// the client, in the words of its protocol. `None` where no urgent port is open.
    #[must_use]
    pub fn ticket(&self) -> Option<Ticket> {
        self.host.ticket()
    }

    /// Whether the connection ends after its `request`-th request, the running one, as far as is known: for who encodes the
    /// answer.
    #[must_use]
    pub fn is_last(&self, request: u64) -> bool {
        self.host.is_last(request)
    }

    /// Ends the process at once, if this server runs in processes of its own: for demonstrations and tests. Returns,
    /// and has done nothing, where others would go down with it.
    pub fn crash(&self, how: Crash) {
        self.host.crash(how);
    }
}

impl fmt::Debug for CallContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext").finish_non_exhaustive()
    }
}
