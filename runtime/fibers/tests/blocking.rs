//! Calls that block: shipped, not shipped, and found out.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use palco_fibers::{
    Event, Observer, Policy, Pool, Stall, StallState, What, Why, blocking, here, offload, yield_now,
};
use parking_lot::Mutex;

/// A fiber that counts its yields, and one in a call that lasts until the test lets it end.
struct Scene {
    pool: Pool,
    yields: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    release: mpsc::Sender<()>,
    calls: palco_fibers::Joined<()>,
}

impl Scene {
    fn new(policy: Policy) -> Self {
        let pool = Pool::builder().lwps(1).spares_max(0).policy(policy).build();
        let pool = pool.expect("a pool can be made");
        let (yields, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, end) = (Arc::clone(&yields), Arc::clone(&is_over));
        let ticker = pool.spawn("ticks", move || {
            while !end.load(Ordering::SeqCst) {
                count.fetch_add(1, Ordering::SeqCst);
                yield_now();
            }
        });
        drop(ticker.expect("the pool takes work"));
        let (release, is_released) = mpsc::channel();
        let (begin, has_begun) = mpsc::channel();
        let calls = pool.spawn("calls", move || {
            blocking(move || {
                begin.send(()).expect("the test waits");
                is_released.recv().expect("the test lets it end");
            });
        });
        has_begun.recv().expect("the call is made");
        Self { pool, yields, is_over, release, calls: calls.expect("the pool takes work") }
    }

    fn yields(&self) -> usize {
        self.yields.load(Ordering::SeqCst)
    }

    fn end(self) {
        self.release.send(()).expect("the call still waits");
        self.calls.join().expect("the call ends");
        self.is_over.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_shipped_call_holds_up_nobody() {
    let scene = Scene::new(Policy::Offload);
    let before = scene.yields();
    while scene.yields() < before + 1_000 {
        thread::yield_now();
    }
    assert_eq!(scene.pool.census()[0].offloaded, 1);
    assert_eq!(scene.pool.helpers(), 1);
    scene.end();
}

#[test]
fn alone_a_call_holds_up_everybody() {
    let scene = Scene::new(Policy::Alone);
    let before = scene.yields();
    let posted = scene.pool.spawn("waits", || ()).unwrap();
    (0..1_000).for_each(|_| thread::yield_now());
    assert!(!posted.is_done());
    assert_eq!((scene.yields(), scene.pool.helpers()), (before, 0));
    let _pool = scene.pool.clone();
    scene.end();
    posted.join().unwrap();
}

#[test]
fn a_call_that_panics_panics_in_its_fiber() {
    let pool = Pool::builder().lwps(1).build().unwrap();
    let fiber = pool.spawn("calls", || blocking(|| panic!("in the call"))).unwrap();
    assert_eq!(fiber.join().unwrap_err().downcast_ref(), Some(&"in the call"));
    let (tell, told) = mpsc::channel();
    pool.run("future".into(), None, move || async move {
        let panicked = offload(|| panic!("again")).await;
        let inside = blocking(|| thread::current().id());
        tell.send((panicked, offload(move || inside != thread::current().id()).await)).unwrap();
    })
    .unwrap();
    assert_eq!(told.recv().unwrap().0, None::<()>);
}

#[test]
fn more_calls_than_threads_wait_in_order() {
    let pool = Pool::builder().lwps(1).helpers_max(1).build().unwrap();
    let (release, is_released) = mpsc::channel::<()>();
    let order = Arc::new(Mutex::new(Vec::new()));
    let begun = order.clone();
    let (begin, has_begun) = mpsc::channel();
    let first = pool.spawn("first", move || {
        blocking(move || {
            begin.send(()).unwrap();
            is_released.recv().unwrap();
            begun.lock().push(0);
        });
    });
    has_begun.recv().unwrap();
    let others: Vec<_> = (1..20)
        .map(|number| {
            let order = Arc::clone(&order);
            let call = move || blocking(move || order.lock().push(number));
            pool.spawn_on(0, "other", call).unwrap()
        })
        .collect();
    while pool.census()[0].offloaded < 20 {
        thread::yield_now();
    }
    assert_eq!((pool.helpers(), order.lock().len()), (1, 0));
    release.send(()).unwrap();
    first.unwrap().join().unwrap();
    others.into_iter().for_each(|other| other.join().unwrap());
    assert_eq!(*order.lock(), (0..20).collect::<Vec<_>>());
}

fn watched(lwps: usize, spares: usize) -> (Pool, mpsc::Receiver<Stall>) {
    let (tell, stalls) = mpsc::channel();
    let on_stall = move |stall: &Stall| tell.send(stall.clone()).unwrap_or_default();
    let builder = Pool::builder().lwps(lwps).spares_max(spares).on_stall(on_stall);
    (builder.build().expect("a pool can be made"), stalls)
}

#[test]
fn a_call_that_was_not_shipped_is_named_and_a_spare_takes_what_can_move() {
    let (pool, stalls) = watched(1, 1);
    let (mut near, mut far) = UnixStream::pair().unwrap();
    let handle = Arc::new(Mutex::new(None));
    let told = Arc::clone(&handle);
    let held = pool.spawn("held", move || {
        *told.lock() = palco_fibers::current();
        palco_fibers::park();
    });
    while handle.lock().is_none() {
        thread::yield_now();
    }
    let blocks = pool.spawn("blocks", move || near.read(&mut [0]).unwrap());
    let stall = stalls.recv().unwrap();
    assert_eq!((stall.lwp, &*stall.running, stall.held), (0, "blocks", 1));
    let StallState::Blocked { system_call } = stall.state else { panic!("{stall:?}") };
    if let Some(call) = system_call {
        assert!(matches!(call.name, Some("read" | "recvfrom")), "{call:?}");
    }
    let moved = pool.spawn("moves", || here().unwrap().1).unwrap();
    assert_eq!(moved.join().unwrap(), 1);
    assert_eq!(pool.stalls_by_name(), [("blocks".to_owned(), 1)]);
    assert_eq!((pool.census()[0].stalls, pool.stalls().len()), (1, 1));
    far.write_all(b"x").unwrap();
    blocks.unwrap().join().unwrap();
    handle.lock().take().unwrap().unpark();
    held.unwrap().join().unwrap();
    // The watchdog looks while somebody works: then the spare goes.
    while pool.census().len() > 1 {
        pool.spawn("works", || (0..100).for_each(|_| yield_now())).unwrap().join().unwrap();
    }
}

#[test]
fn a_fiber_that_computes_for_long_is_named() {
    let (pool, stalls) = watched(1, 1);
    let is_named = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&is_named);
    let hog = pool.spawn("computes", move || {
        while !end.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
    });
    let stall = stalls.recv().unwrap();
    is_named.store(true, Ordering::SeqCst);
    assert_eq!((&*stall.running, stall.state), ("computes", StallState::Computing));
    hog.unwrap().join().unwrap();
}

#[derive(Default)]
struct Notes(Mutex<Vec<(Option<usize>, String, What)>>);

impl Observer for Notes {
    fn event(&self, event: Event) {
        self.0.lock().push((event.lwp, event.name.to_string(), event.what));
    }
}

#[test]
fn an_observer_sees_what_happens_where() {
    let notes = Arc::new(Notes::default());
    let pool = Pool::builder().lwps(1).observer(Arc::<Notes>::clone(&notes)).build().unwrap();
    let seen = Arc::clone(&notes);
    let fiber = pool.spawn("calls", move || {
        yield_now();
        blocking(move || {
            let waits = (Some(0), "calls".to_owned(), What::Suspended(Why::Waits));
            while !seen.0.lock().contains(&waits) {
                thread::yield_now();
            }
        });
    });
    fiber.unwrap().join().unwrap();
    pool.stop();
    pool.wait();
    let notes = notes.0.lock();
    let on_lwp: Vec<What> =
        notes.iter().filter(|note| note.0 == Some(0)).map(|note| note.2).collect();
    let expected = [
        What::Started,
        What::Suspended(Why::Yielded),
        What::Resumed,
        What::Suspended(Why::Waits),
        What::Resumed,
        What::Ended,
    ];
    assert_eq!(on_lwp, expected);
    let elsewhere: Vec<What> =
        notes.iter().filter(|note| note.0.is_none()).map(|note| note.2).collect();
    assert_eq!(elsewhere[0], What::BlockingBegan);
    assert!(notes.iter().all(|note| note.1 == "calls"));
}
