//! The end of a pool: everything is dropped, on the LWP it belongs to.

use std::future::{pending, poll_fn};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;

use palco_fibers::{Pool, PoolId, Stopped, blocking, current, here, park, sleep, yield_now};

fn pool(lwps: usize) -> Pool {
    Pool::builder().lwps(lwps).build().expect("a pool can be made")
}

/// Tells where it was dropped.
struct Dropped(mpsc::Sender<Option<(PoolId, usize)>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.send(here()).unwrap_or_default();
    }
}

#[test]
fn suspended_fibers_unwind_on_their_lwp() {
    let pool = pool(2);
    let (tell, dropped) = mpsc::channel();
    let (wait, is_waiting) = mpsc::channel();
    let fibers: Vec<_> = (0..20)
        .map(|number| {
            let (on_stack, wait) = (Dropped(tell.clone()), wait.clone());
            let body = move || {
                let _on_stack = on_stack;
                wait.send(()).unwrap();
                match number % 4 {
                    0 => park(),
                    1 => sleep(std::time::Duration::MAX),
                    2 => loop {
                        yield_now();
                    },
                    _ => palco_fibers::block_on(pending()),
                }
            };
            pool.spawn_on(number % 2, "waits", body).unwrap()
        })
        .collect();
    is_waiting.iter().take(20).for_each(drop);
    pool.stop();
    pool.stop();
    for fiber in fibers {
        assert_eq!(fiber.join().unwrap_err().downcast_ref(), Some(&Stopped));
    }
    pool.wait();
    drop(tell);
    let mut places: Vec<usize> = dropped.iter().map(|place| place.unwrap().1).collect();
    places.sort_unstable();
    assert_eq!(places, [[0; 10], [1; 10]].concat());
    assert_eq!(pool.stacks(), 0);
}

#[test]
fn futures_are_dropped_on_their_lwp() {
    let pool = pool(2);
    let (tell, dropped) = mpsc::channel();
    let (wait, is_waiting) = mpsc::channel();
    for lwp in [0, 1, 1] {
        let (dropped, wait) = (Dropped(tell.clone()), wait.clone());
        pool.run("rests".into(), Some(lwp), move || async move {
            let _dropped = dropped;
            wait.send(()).unwrap();
            pending().await
        })
        .unwrap();
    }
    is_waiting.iter().take(3).for_each(drop);
    drop((pool, tell));
    let mut places: Vec<usize> = dropped.iter().map(|place| place.unwrap().1).collect();
    places.sort_unstable();
    assert_eq!(places, [0, 1, 1]);
}

#[test]
fn work_that_never_began_is_dropped_and_who_waits_is_told() {
    // A spare would take the work while the LWP is blocked.
    let pool = Pool::builder().lwps(1).spares_max(0).build().unwrap();
    let (release, is_released) = mpsc::channel::<()>();
    let (begin, has_begun) = mpsc::channel();
    let holds = pool.spawn("holds", move || {
        begin.send(()).unwrap();
        is_released.recv().unwrap();
    });
    has_begun.recv().unwrap();
    let unstarted: Vec<_> = (0..100)
        .map(|number| match number % 2 {
            0 => pool.spawn("late", || ()).unwrap(),
            _ => pool.spawn_on(0, "late", || ()).unwrap(),
        })
        .collect();
    pool.stop();
    release.send(()).unwrap();
    holds.unwrap().join().unwrap();
    pool.wait();
    for fiber in unstarted {
        assert!(fiber.is_done());
        assert_eq!(fiber.join().unwrap_err().downcast_ref(), Some(&Stopped));
    }
}

#[test]
fn a_fiber_may_stop_its_pool() {
    let pool = pool(2);
    let inner = pool.clone();
    let fiber = pool.spawn("stops", move || {
        inner.stop();
        inner.wait();
        assert!(inner.spawn("late", || ()).is_err());
        1
    });
    assert_eq!(fiber.unwrap().join().unwrap(), 1);
    pool.wait();
}

#[test]
fn who_joins_during_a_stop_is_always_answered() {
    for _ in 0..50 {
        let pool = pool(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                while let Ok(fiber) = pool.spawn("races", yield_now) {
                    let outcome = fiber.join();
                    assert!(outcome.is_ok_and(|()| true) || pool.spawn("late", || ()).is_err());
                }
            });
            pool.spawn("first", || ()).unwrap().join().unwrap_or_default();
            pool.stop();
        });
        pool.wait();
    }
}

#[test]
fn a_fiber_that_catches_its_end_for_ever_is_given_up() {
    let pool = pool(1);
    let (begin, has_begun) = mpsc::channel();
    let stubborn = pool.spawn("stubborn", move || {
        begin.send(()).unwrap();
        loop {
            panic::catch_unwind(park).unwrap_or_default();
        }
    });
    has_begun.recv().unwrap();
    let polite = pool.spawn("polite", || {
        let caught = panic::catch_unwind(AssertUnwindSafe(park));
        assert!(caught.unwrap_err().is::<Stopped>());
        8
    });
    let polite = polite.unwrap();
    while pool.census()[0].suspended < 2 {
        pool.spawn("counts", || ()).unwrap().join().unwrap();
    }
    pool.stop();
    pool.wait();
    assert_eq!(polite.join().unwrap(), 8);
    assert!(!stubborn.unwrap().is_done());
}

#[test]
fn destructors_that_wait_do_not_suspend_what_unwinds() {
    struct Waits;
    impl Drop for Waits {
        fn drop(&mut self) {
            yield_now();
            sleep(std::time::Duration::ZERO);
            assert_eq!(blocking(|| 5), 5);
        }
    }
    let pool = pool(1);
    let panics = pool.spawn("panics", || {
        let _waits = Waits;
        panic!("on purpose");
    });
    assert!(panics.unwrap().join().is_err());
    let (begin, has_begun) = mpsc::channel();
    let waits = pool.spawn("waits", move || {
        let _waits = Waits;
        begin.send(()).unwrap();
        park();
    });
    has_begun.recv().unwrap();
    pool.stop();
    assert!(waits.unwrap().join().is_err());
    pool.wait();
}

#[test]
fn a_destructor_that_panics_keeps_nothing_else_from_its_end() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in a destructor, on purpose");
        }
    }
    let pool = pool(1);
    let (wait, is_waiting) = mpsc::channel();
    for _ in 0..3 {
        let wait = wait.clone();
        pool.run("panics at its end".into(), None, move || {
            let panics = Panics;
            poll_fn(move |_| {
                let _ = &panics;
                wait.send(()).unwrap();
                Poll::Pending
            })
        })
        .unwrap();
    }
    is_waiting.iter().take(3).for_each(drop);
    pool.stop();
    pool.wait();
}

#[test]
fn handles_outlive_their_fiber_and_their_pool() {
    let pool = pool(1);
    let (tell, told) = mpsc::channel();
    let fiber = pool.spawn("short", move || tell.send(current().unwrap()).unwrap());
    fiber.unwrap().join().unwrap();
    let handle = told.recv().unwrap();
    handle.unpark();
    pool.spawn("next", || ()).unwrap().join().unwrap();
    pool.stop();
    pool.wait();
    handle.unpark();
    assert_eq!(Arc::new(handle).name(), "short");
}
