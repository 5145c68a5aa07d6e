//! Runs one test body on a system of its own, in one place, and closes the books afterwards.

use std::future::{Future, poll_fn};
use std::panic;
use std::pin::{Pin, pin};
use std::sync::{LazyLock, Once};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures_util::future::{Either, select};
use palco_actors::{Actor, ActorRef, Clock, Place, PlaceKind, SpawnError, SpawnOptions, System};
use palco_threads::block_on;
use tokio::sync::oneshot;

/// Against hanging only: nothing that works takes nearly as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Measures [`LIMIT`], also where the system's own clock stands still.
static WATCH: LazyLock<Clock> = LazyLock::new(Clock::real);

/// What a test body gets.
pub(crate) struct Stage {
    pub(crate) system: System,
    pub(crate) place: PlaceKind,
    roves: bool,
}

impl Stage {
    /// In the place under test. Tasks share one loop and fibers one LWP, so that each is every other's neighbour.
    pub(crate) fn options(&self) -> SpawnOptions {
        SpawnOptions::new().place(match self.place {
            PlaceKind::Task => Place::Loop(0),
            PlaceKind::Thread => Place::Thread,
            PlaceKind::Fiber => Place::Lwp(0),
            PlaceKind::Process | PlaceKind::Remote => self.place.into(),
        })
    }

    /// Starts an actor of the test's own.
    pub(crate) fn spawn<A: Actor + Send>(
        &self,
        options: SpawnOptions,
        make: impl FnMut() -> A + Send + 'static,
    ) -> Result<ActorRef<A>, SpawnError> {
        match self.roves {
            true => self.system.spawn_roving(options, make),
            false => self.system.spawn(options, make),
        }
    }
}

/// Runs `body` and shuts the system down; after that every message must be accounted for.
pub(crate) fn run(place: PlaceKind, clock: Clock, body: impl AsyncFnOnce(&Stage)) {
    run_on(clock, |system| Stage { system, place, roves: false }, body);
}

/// As [`run`], on fibers that rove.
pub(crate) fn run_roving(clock: Clock, body: impl AsyncFnOnce(&Stage)) {
    run_on(clock, |system| Stage { system, place: PlaceKind::Fiber, roves: true }, body);
}

fn run_on(clock: Clock, stage: impl FnOnce(System) -> Stage, body: impl AsyncFnOnce(&Stage)) {
    keep_deliberate_panics_quiet();
    let system = System::builder().clock(clock).event_loops(2).lwps(2).build().unwrap();
    let stage = stage(system);
    block_on(async {
        in_time("the test body", body(&stage)).await;
        in_time("the shutdown", stage.system.shutdown()).await;
    });
    let ledger = stage.system.ledger();
    assert!(ledger.is_balanced(), "messages were lost or doubled: {ledger:?}");
    assert_eq!((ledger.queued, ledger.in_flight), (0, 0), "all actors have ended: {ledger:?}");
}

/// Fails instead of hanging.
pub(crate) async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    match select(pin!(future), WATCH.sleep(LIMIT)).await {
        Either::Left((output, _)) => output,
        Either::Right(_) => panic!("{what} hangs"),
    }
}

/// Waits until `holds`.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        WATCH.sleep(Duration::from_millis(1)).await;
    }
}

/// Polls `future` once, so that it has begun; its waker stays that of the test.
pub(crate) async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    poll_fn(|task| Poll::Ready(Pin::new(&mut *future).poll(task))).await
}

/// Runs `future` on a thread of its own at once; awaiting the result is optional.
pub(crate) fn background<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = T> {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        let _ = sender.send(block_on(future));
    });
    async { receiver.await.expect("the background work did not panic") }
}

/// Tests panic in actors on purpose; such panics start with `deliberate` and are not printed.
fn keep_deliberate_panics_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !info.payload_as_str().is_some_and(|text| text.starts_with("deliberate")) {
                report(info);
            }
        }));
    });
}

/// Makes a test of each body for each place: the bodies under `real` with the machine's clock, those under `simulated`
/// with one that the body advances. A place is one line below.
macro_rules! in_every_place {
    (real: $real:tt, simulated: $simulated:tt) => {
        $crate::harness::in_place!(in_task, Task, $real, $simulated);
        $crate::harness::in_place!(in_thread, Thread, $real, $simulated);
        $crate::harness::in_place!(in_fiber, Fiber, $real, $simulated);
        $crate::harness::roving!($real, $simulated);
    };
}

macro_rules! in_place {
    ($module:ident, $place:ident, [$($real:ident),* $(,)?], [$($simulated:ident),* $(,)?]) => {
        mod $module {
            use palco_actors::{Clock, PlaceKind};
            $(#[test]
            fn $real() {
                $crate::harness::run(PlaceKind::$place, Clock::real(), super::$real);
            })*
            $(#[test]
            fn $simulated() {
                $crate::harness::run(PlaceKind::$place, Clock::virtual_time(), super::$simulated);
            })*
        }
    };
}

macro_rules! roving {
    ([$($real:ident),* $(,)?], [$($simulated:ident),* $(,)?]) => {
        mod roving {
            use palco_actors::Clock;
            $(#[test]
            fn $real() {
                $crate::harness::run_roving(Clock::real(), super::$real);
            })*
            $(#[test]
            fn $simulated() {
                $crate::harness::run_roving(Clock::virtual_time(), super::$simulated);
            })*
        }
    };
}

pub(crate) use {in_every_place, in_place, roving};

/// A new place must not be forgotten above. What these tests send are closures, which cross to no process and no other node: the
/// promises that hold there as well are tested with data, in all places, in `tests/portable`.
#[test]
fn every_place_is_tested() {
    let all = [
        PlaceKind::Task,
        PlaceKind::Thread,
        PlaceKind::Fiber,
        PlaceKind::Process,
        PlaceKind::Remote,
    ];
    assert_eq!(PlaceKind::ALL, all);
}
