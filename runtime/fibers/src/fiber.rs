//! What may be called inside a fiber, in code that is not async. Outside of one, each falls back to the thread.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::joined::{JoinError, promise};
use crate::lwp::{Lwp, here};
use crate::unit::Unit;

/// The right to wake a fiber. Cheap to clone, and good for any thread; of one that has ended it does nothing.
#[derive(Clone)]
pub struct Handle(Arc<Unit>);

impl Handle {
    /// Ends the fiber's [`park`], or its next one if it is not parked.
    pub fn unpark(&self) {
        self.0.unpark();
    }

    /// The fiber's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name.text()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Handle").field(&self.name()).finish()
    }
}

/// The LWP of the fiber that calls this.
fn in_fiber() -> Option<Rc<Lwp>> {
    here().filter(|lwp| lwp.is_in_fiber())
}

/// The fiber that calls this, or the future that a pool polls.
#[must_use]
pub fn current() -> Option<Handle> {
    in_fiber().map(|lwp| Handle(lwp.become_unit()))
}

/// Lets others of this LWP run.
pub fn yield_now() {
    match in_fiber() {
        Some(lwp) => lwp.yield_now(),
        None => thread::yield_now(),
    }
}

/// Waits for [`Handle::unpark`]. Returns at once if that has been called since the last time; may also return for no
/// reason, so it belongs into a loop.
pub fn park() {
    match in_fiber() {
        Some(lwp) => lwp.park(),
        None => thread::park(),
    }
}

/// Waits this long, in real time.
pub fn sleep(duration: Duration) {
    let Some(lwp) = in_fiber() else { return thread::sleep(duration) };
    let at = Instant::now() + duration;
    lwp.wake_at(at, lwp.become_unit());
    while Instant::now() < at && !lwp.shared.is_stopping() {
        lwp.park();
    }
}

/// Runs `future` to its end; the fiber parks while it waits.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let Some(lwp) = in_fiber() else { return palco_threads::block_on(future) };
    let waker = Waker::from(lwp.become_unit());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        lwp.park();
    }
}

/// Makes a call that blocks its thread, on a helper; the fiber parks meanwhile. A panic in it goes on here.
///
/// Takes some microseconds more than the call itself: not for calls that hardly ever block. With [`Policy::Alone`] the
/// call is made here, and everybody on this LWP waits.
///
/// # Panics
/// With the panic of `work`; and when the kernel has no thread for a helper.
///
/// [`Policy::Alone`]: crate::Policy::Alone
pub fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let Some(lwp) = in_fiber().filter(|lwp| lwp.shared.offloads) else { return work() };
    let (owed, joined) = promise();
    let job = move || owed.pay(catch_unwind(AssertUnwindSafe(work)));
    lwp.shared.helpers.run(Box::new(job)).expect("a thread for a helper");
    match block_on(joined) {
        Ok(output) => output,
        Err(JoinError::Panicked(payload)) => resume_unwind(payload),
        Err(JoinError::Stopped) => panic!("the pool was stopped before the call was made"),
    }
}

/// As [`blocking`], for a future that a pool polls. `None`: it panicked, or could not be made any more. Dropped, it lets
/// the call go on to its end.
pub async fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (owed, joined) = promise();
    let job = move || owed.pay(catch_unwind(AssertUnwindSafe(work)));
    match here() {
        Some(lwp) => lwp.shared.helpers.run(Box::new(job)).ok()?,
        None => job(),
    }
    joined.await.ok()
}
