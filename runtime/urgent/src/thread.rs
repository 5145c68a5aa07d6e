//! The urgent thread: it hears the watch and serves the port, before every thread that is not in real time.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use palco_sys::{Demotion, RealTimeGuard, thread_id};
use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};
use serde::{Deserialize, Serialize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinSet, LocalSet};

use crate::breath::Breath;
use crate::policy::now;
use crate::port::{Counter, PortCounters, count};
use crate::watch::EVENTS_AT_ONCE;
use crate::{Bound, Desk, Obtained, Policy, PortCounts, PortSettings, Rest, Watch};

/// How an [`UrgentThread`] works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadSettings {
    /// How it is scheduled; default `fifo:50`.
    pub policy: Policy,
    /// How long it may compute in real time without a blocking call before it is made a usual thread; default 200 ms.
    pub compute_max: Duration,
    /// So many events of the watch are attended to at once; default 256. More wait in the kernel.
    pub heard_at_once: usize,
    /// What its port takes.
    pub port: PortSettings,
}

/// What has happened in an urgent thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadCounts {
    /// Events of urgent data.
    pub heard: u64,
    /// At the port.
    pub port: PortCounts,
}

/// Why there is no urgent thread.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing can listen there.
    #[error("the urgent port cannot listen on {address}; choose a free one, or 0")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// The system gives no thread, or none of what it needs.
    #[error(
        "the urgent thread cannot begin; see the limits of processes and descriptors (ulimit -u, -n)"
    )]
    Thread(#[source] io::Error),
}

/// A thread of its own that hears urgent data and serves the urgent port; told to end and waited for when it is dropped.
pub struct UrgentThread {
    /// Dropped to end the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    begun: Begun,
    address: Option<SocketAddr>,
    heard: Arc<AtomicU64>,
    port: Arc<PortCounters>,
}

/// What the thread says of itself.
struct Begun {
    id: i32,
    obtained: Obtained,
    demotion: Option<Demotion>,
}

impl Default for ThreadSettings {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            compute_max: RealTimeGuard::DEFAULT_LIMIT,
            heard_at_once: 256,
            port: PortSettings::default(),
        }
    }
}

impl UrgentThread {
    /// Starts it, and returns when it hears and serves. A policy that is refused is no error: see
    /// [`obtained`](Self::obtained).
    ///
    /// # Errors
    /// [`StartError::Thread`].
    pub fn start(
        settings: ThreadSettings,
        desk: Arc<dyn Desk>,
        watch: Arc<Watch>,
        port: Option<Bound>,
    ) -> Result<Self, StartError> {
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = mpsc::sync_channel(1);
        let (heard, counters) = (Arc::default(), Arc::<PortCounters>::default());
        let address = port.as_ref().map(Bound::address);
        let work = Work { settings, desk, watch, port, heard, counters };
        let (heard, port) = (Arc::clone(&work.heard), Arc::clone(&work.counters));
        let run = move || match work.prepare() {
            Ok((prepared, begun, _guard)) => {
                let is_awaited = tell.send(Ok(begun)).is_ok();
                if is_awaited {
                    prepared.run(stopped);
                }
            }
            Err(error) => drop(tell.send(Err(error))),
        };
        let thread =
            spawn_named("palco-urgent", STACK_BYTES_DEFAULT, run).map_err(StartError::Thread)?;
        let lost = || io::Error::other("it ended before it began");
        let begun = told.recv().unwrap_or_else(|_| Err(lost())).map_err(StartError::Thread)?;
        Ok(Self { stop: Some(stop), thread: Some(thread), begun, address, heard, port })
    }

    /// How the thread is scheduled now, as the kernel tells it, and why that is not as it was asked for.
    #[must_use]
    pub fn obtained(&self) -> Obtained {
        let obtained = self.begun.obtained.clone();
        if !self.begun.demotion.is_some_and(|demotion| demotion.has_happened()) {
            return obtained;
        }
        let why = format!(
            "it was {:#} and computed for too long without a pause; report this, and start the server anew",
            obtained.policy
        );
        Obtained { policy: now(self.begun.id).unwrap_or(Policy::Usual), why: Some(why) }
    }

    /// Where its port listens, if it has one.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// What has happened so far.
    #[must_use]
    pub fn counts(&self) -> ThreadCounts {
        let heard = self.heard.load(Ordering::Relaxed);
        ThreadCounts { heard, port: self.port.snapshot() }
    }
}

impl Drop for UrgentThread {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A desk may hold the last of it, and then it ends on its own thread, which cannot wait for itself.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // A panic of the thread has been reported where it was.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for UrgentThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UrgentThread")
            .field("obtained", &self.obtained())
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// What the thread is to do.
struct Work {
    settings: ThreadSettings,
    desk: Arc<dyn Desk>,
    watch: Arc<Watch>,
    port: Option<Bound>,
    heard: Arc<AtomicU64>,
    counters: Arc<PortCounters>,
}

/// The same, on the thread that does it.
struct Prepared {
    work: Work,
    runtime: Runtime,
    watched: AsyncFd<Watched>,
}

impl Work {
    fn prepare(self) -> io::Result<(Prepared, Begun, Option<RealTimeGuard>)> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let watched = {
            let _entered = runtime.enter();
            register(Arc::clone(&self.watch))?
        };
        let (obtained, guard) = schedule(&self.settings);
        let demotion = guard.as_ref().map(RealTimeGuard::demotion);
        let begun = Begun { id: thread_id(), obtained, demotion };
        Ok((Prepared { work: self, runtime, watched }, begun, guard))
    }
}

/// Real time only with the guard.
fn schedule(settings: &ThreadSettings) -> (Obtained, Option<RealTimeGuard>) {
    match settings.policy {
        Policy::Fifo(_) => match RealTimeGuard::current_thread(settings.compute_max) {
            Ok(guard) => (settings.policy.obtain(), Some(guard)),
            Err(error) => {
                let mut obtained = Policy::most_nice().obtain();
                obtained.why = Some(format!("real time cannot be guarded: {error}"));
                (obtained, None)
            }
        },
        Policy::Nice(_) | Policy::Usual => (settings.policy.obtain(), None),
    }
}

impl Prepared {
    fn run(self, stopped: oneshot::Receiver<()>) {
        let Self { work, runtime, watched } = self;
        let breath = Rc::new(Breath::new());
        let local = LocalSet::new();
        if let Some(port) = work.port {
            let counter = Rc::new(Counter {
                desk: Arc::clone(&work.desk),
                settings: work.settings.port,
                counters: work.counters,
                breath: Rc::clone(&breath),
                sources: Default::default(),
            });
            local.spawn_local(async move {
                if let Err(error) = port.serve(counter).await {
                    tracing::error!(%error, "the urgent port is not served");
                }
            });
        }
        let at_once = work.settings.heard_at_once.max(1);
        local.spawn_local(async move {
            if let Err(error) = hear(watched, work.desk, at_once, &work.heard, &breath).await {
                tracing::error!(%error, "urgent data is no longer heard");
            }
        });
        // It is told by dropping the sender.
        let _ = local.block_on(&runtime, stopped);
    }
}

/// Attends to each event of the watch.
async fn hear(
    watched: AsyncFd<Watched>,
    desk: Arc<dyn Desk>,
    at_once: usize,
    heard: &AtomicU64,
    breath: &Breath,
) -> io::Result<()> {
    let mut attended = JoinSet::new();
    let mut tokens = Vec::with_capacity(EVENTS_AT_ONCE);
    loop {
        // A panic of the desk has been reported where it was, and concerns no other event.
        while attended.try_join_next().is_some() {}
        if attended.len() >= at_once {
            let _ = attended.join_next().await;
            continue;
        }
        let mut ready = watched.readable().await?;
        if watched.get_ref().0.take(at_once - attended.len(), &mut tokens)? == Rest::Nothing {
            ready.clear_ready();
        }
        for token in tokens.drain(..) {
            count(heard);
            let desk = Arc::clone(&desk);
            attended.spawn_local(async move { desk.heard(token).await });
        }
        breath.draw();
    }
}

/// A watch that owns its descriptor as long as the runtime looks at it.
struct Watched(Arc<Watch>);

impl AsRawFd for Watched {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

fn register(watch: Arc<Watch>) -> io::Result<AsyncFd<Watched>> {
    #[expect(
        deprecated,
        reason = "its successor is unsafe; a watch owns its descriptor as long as it lives"
    )]
    AsyncFd::with_interest(Watched(watch), Interest::READABLE)
}
