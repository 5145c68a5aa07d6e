//! The event loop that a carrier lives on: a thread of its own, or a guest's place on another.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::thread::{self, JoinHandle};

use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// Something that runs on an event loop, made there.
pub type Guest = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// An event loop of tokio on one thread, with sockets and timers, that takes in guests.
pub trait Host: Send + Sync {
    /// Has a guest made and run there, until it ends or the loop does.
    ///
    /// # Errors
    /// The loop has ended.
    fn take_in(&self, guest: Guest) -> io::Result<()>;
}

/// On which everything of one carrier happens, one thing after the other. Dropping it tells that to end; if it has a thread
/// of its own, which is named, waits until it has.
#[derive(Debug)]
pub(crate) struct EventLoop {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Completes when the loop is to end.
pub(crate) type Stop = oneshot::Receiver<()>;

impl EventLoop {
    /// Begins it with the future that `run` makes; the loop ends with that future, which is to end when told to stop.
    pub(crate) fn start<F: Future<Output = ()>>(
        name: &str,
        run: impl FnOnce(Stop) -> F + Send + 'static,
    ) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = spawn_named(name, STACK_BYTES_DEFAULT, move || {
            // Inside the runtime, so that what `run` makes may register timers and sockets.
            runtime.block_on(async move { run(stopped).await });
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// The same on somebody else's loop.
    #[cfg(feature = "libp2p")]
    pub(crate) fn start_on<F: Future<Output = ()> + 'static>(
        host: &dyn Host,
        run: impl FnOnce(Stop) -> F + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        host.take_in(Box::new(move || Box::pin(run(stopped))))?;
        Ok(Self { stop: Some(stop), thread: None })
    }
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Who hears an event may drop the carrier: a thread cannot wait for itself.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn dropping_it_waits_until_it_has_ended() {
        let (ended, end) = mpsc::channel();
        let event_loop = EventLoop::start("loop", |stop| async move {
            let _ = stop.await;
            ended.send(()).unwrap();
        });
        drop(event_loop.unwrap());
        assert_eq!(end.try_recv(), Ok(()));
    }
}
