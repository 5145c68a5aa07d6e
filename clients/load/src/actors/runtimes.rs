//! tokio runtimes as the peers' users have them: one thread each, all drivers on.

use std::future::Future;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use super::contest::{Load, Refusal};

fn current_thread() -> Result<Runtime, Refusal> {
    Builder::new_current_thread().enable_all().build().map_err(Refusal::failed)
}

/// Runs `future` as a task of a runtime on this thread.
pub(crate) fn run_here<T: Send + 'static>(
    future: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    // As a task, like everything else on a loop: the future of `block_on` itself is scheduled apart from the tasks.
    current_thread()?.block_on(async { tokio::spawn(future).await.map_err(Refusal::failed)? })
}

/// A runtime on a thread of its own, until dropped.
pub(crate) struct Elsewhere {
    pub(crate) handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Elsewhere {
    pub(crate) fn start(load: Load) -> Result<Self, Refusal> {
        let runtime = current_thread()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            load.place_actor();
            let _ = runtime.block_on(stopped);
        });
        Ok(Self { handle, stop: Some(stop), thread: Some(thread) })
    }

    /// Runs `future` as a task over there and waits for it here.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, Refusal>> + Send + 'static,
    ) -> Result<T, Refusal> {
        palco_threads::block_on(self.handle.spawn(future)).map_err(Refusal::failed)?
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
