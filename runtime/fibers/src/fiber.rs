//! What may be called in a fiber. Elsewhere each does what a thread would do.
//!
//! While a panic unwinds they do that too: destructors must not let others run, who would see a thread that panics.

use std::any::Any;
use std::future::Future;
use std::panic;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::Policy;
use crate::activity::Activity;
use crate::joined::{self, Promise};
use crate::local::{self, Local};
use crate::observer::{What, Why};
use crate::offload::Call;
use crate::runner::{self, Suspension};
use crate::shared::PoolId;

/// A fiber, or a future that is being polled, for others to wake.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Activity>);

impl Handle {
    /// Ends its [`park`], or lets its next one return at once. Several before one park count as one.
    pub fn unpark(&self) {
        self.0.unpark();
    }

    /// The name it was spawned with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }
}

/// The fiber, or the future, that calls. None outside of one.
#[must_use]
pub fn current() -> Option<Handle> {
    local::here()?.activity().map(Handle)
}

/// Which pool and which of its LWPs this is; none outside of one. An index behind those of the pool's own LWPs is that
/// of a spare, which works while an LWP is blocked.
#[must_use]
pub fn here() -> Option<(PoolId, usize)> {
    local::here().map(|local| (local.shared.id, local.lwp.index))
}

/// Lets everything that is ready run first.
pub fn yield_now() {
    match suspendable() {
        Some(local) => suspend(&local, Suspension::Yield, Why::Yielded),
        None => thread::yield_now(),
    }
}

/// Lets others run for at least this long.
pub fn sleep(duration: Duration) {
    let Some(local) = suspendable() else {
        thread::sleep(duration);
        return;
    };
    match Instant::now().checked_add(duration) {
        Some(at) => {
            local.sleeps_until.set(at);
            suspend(&local, Suspension::Sleep, Why::Sleeps);
        }
        // Beyond what the clock can say: for ever.
        None => block_on(std::future::pending()),
    }
}

/// Lets others run until [`Handle::unpark`]; one that came before counts. May also return for nothing, outside of a
/// fiber: there it is [`std::thread::park`].
pub fn park() {
    let here = suspendable().and_then(|local| local.activity().map(|activity| (local, activity)));
    match here {
        Some((local, activity)) => wait_until(&local, &activity, || activity.take_token()),
        None => thread::park(),
    }
}

/// Waits for a future while others run; on a thread it blocks.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let here = suspendable().and_then(|local| local.activity().map(|activity| (local, activity)));
    let Some((local, activity)) = here else {
        return palco_threads::block_on(future);
    };
    let signal = Arc::new(Signal { is_given: AtomicBool::new(false), activity });
    let waker = Waker::from(Arc::clone(&signal));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        // Woken while it was polled: it wants others to run.
        if signal.take() {
            suspend(&local, Suspension::Yield, Why::Yielded);
        } else {
            wait_until(&local, &signal.activity, || signal.take());
        }
    }
}

/// Makes a call that blocks its thread, on another thread: this fiber waits, all others go on.
///
/// Costs some microseconds more than the call itself. Under [`Policy::Alone`], and outside of a pool, it is made right
/// here and everybody waits. If the pool is stopped meanwhile the call runs to its end, unattended.
///
/// # Panics
/// With the panic of `work`.
pub fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let helped = suspendable().filter(|local| local.shared.policy == Policy::Offload);
    let Some(local) = helped else {
        return work();
    };
    let (promise, joined) = joined::promise();
    ship(&local, promise, work);
    joined.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
}

/// As [`blocking`], for a future: does not wait, but tells when it is done. None: it panicked, or the pool was stopped.
///
/// The call begins now. Dropping what is returned does not end it. Under [`Policy::Alone`], and outside of a pool, it
/// is made right here and everybody waits.
pub fn offload<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Option<T>> {
    let (promise, joined) = joined::promise();
    match local::here().filter(|local| local.shared.policy == Policy::Offload) {
        Some(local) => ship(&local, promise, work),
        None => promise.keep(work),
    }
    async move { joined.await.ok() }
}

fn ship<T: Send + 'static>(
    local: &Local,
    promise: Promise<T>,
    work: impl FnOnce() -> T + Send + 'static,
) {
    let name = local.current.borrow().name.clone();
    local.shared.office.submit(Call {
        name: name.unwrap_or_else(|| Arc::clone(&local.shared.name)),
        home: Arc::clone(&local.lwp),
        work: Box::new(move || promise.keep(work)),
    });
}

/// Suspends this fiber until a condition holds. Whoever makes it hold calls [`Activity::look_again`] afterwards.
#[inline(always)]
fn wait_until(local: &Local, activity: &Activity, mut holds: impl FnMut() -> bool) {
    while !holds() {
        if activity.inside.try_rest() {
            suspend(local, Suspension::Rest, Why::Waits);
        }
        activity.inside.look();
    }
}

#[inline(always)]
fn suspend(local: &Local, how: Suspension, why: Why) {
    if local.shared.observer.is_some() {
        let name = local.current.borrow().name.clone();
        name.inspect(|name| local.tell(name, What::Suspended(why)));
    }
    let carry = local.shared.carry.as_ref();
    let _carried = carry.map(|carry| Carried { taken: (carry.take)(), put: carry.put });
    runner::suspend(local, how);
}

/// Put back also when the fiber is unwound.
struct Carried {
    taken: Option<Box<dyn Any>>,
    put: fn(Option<Box<dyn Any>>),
}

impl Drop for Carried {
    fn drop(&mut self) {
        (self.put)(self.taken.take());
    }
}

/// The LWP, if this is on a stack that can be suspended now.
fn suspendable() -> Option<Rc<Local>> {
    let local = local::here()?;
    let can = local.current.borrow().is_on_runner() && !thread::panicking();
    can.then_some(local)
}

/// The waker of one `block_on`. Each has its own word: nested ones do not take each other's wakes.
struct Signal {
    is_given: AtomicBool,
    activity: Arc<Activity>,
}

impl Signal {
    fn take(&self) -> bool {
        self.is_given.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_given.store(true, Ordering::Release);
        self.activity.look_again();
    }
}
