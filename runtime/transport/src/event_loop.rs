//! The thread that a carrier lives on.

use std::future::Future;
use std::io;
use std::thread::{self, JoinHandle};

use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// A named thread with an event loop of its own, on which everything of one carrier happens, one thing after the other.
/// Dropping it stops the loop and waits until it has ended.
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
