//! Fibers and futures run, switch, and tell what came of them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use palco_fibers::{Pool, block_on, current, here, park, yield_now};

fn pool(lwps: usize) -> Pool {
    Pool::builder().lwps(lwps).build().expect("a pool can be made")
}

#[test]
fn a_fiber_returns_to_who_joins_it() {
    let pool = pool(1);
    assert_eq!(pool.spawn("adds", || 1 + 1).unwrap().join().unwrap(), 2);
    let outer = pool.clone();
    let nested = pool.spawn("outer", move || outer.spawn("inner", || 7).unwrap().join().unwrap());
    assert_eq!(nested.unwrap().join().unwrap(), 7);
}

#[test]
fn a_panic_ends_its_fiber_only() {
    let pool = pool(1);
    let panics = pool.spawn("panics", || panic!("on purpose")).unwrap();
    let payload = panics.join().unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&"on purpose"));
    pool.run("future".into(), None, || async { panic!("on purpose too") }).unwrap();
    assert_eq!(pool.spawn("goes on", || 3).unwrap().join().unwrap(), 3);
}

#[test]
fn two_fibers_that_yield_alternate() {
    let pool = pool(1);
    let seen = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let both_are_there = Arc::new(AtomicUsize::new(0));
    let fibers = ["a", "b"].map(|name| {
        let (seen, there) = (Arc::clone(&seen), Arc::clone(&both_are_there));
        pool.spawn(name, move || {
            there.fetch_add(1, Ordering::SeqCst);
            while there.load(Ordering::SeqCst) < 2 {
                yield_now();
            }
            for _ in 0..100 {
                seen.lock().push(name);
                yield_now();
            }
        })
        .unwrap()
    });
    for fiber in fibers {
        fiber.join().unwrap();
    }
    let seen = seen.lock();
    let switches = seen.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert_eq!((seen.len(), switches), (200, 199));
}

#[test]
fn ten_thousand_fibers_rest_and_go_on() {
    let pool = pool(2);
    let (handles, at_rest) = mpsc::channel();
    let fibers: Vec<_> = (0..10_000)
        .map(|number| {
            let handles = handles.clone();
            let body = move || {
                handles.send(current().unwrap()).unwrap();
                park();
                number
            };
            pool.spawn(format!("fiber-{number}"), body).unwrap()
        })
        .collect();
    let handles: Vec<_> = at_rest.iter().take(10_000).collect();
    assert!(pool.stacks() >= 10_000, "{}", pool.stacks());
    handles.iter().for_each(|handle| handle.unpark());
    let sum: usize = fibers.into_iter().map(|fiber| fiber.join().unwrap()).sum();
    assert_eq!(sum, 10_000 * 9_999 / 2);
    assert!(handles.iter().any(|handle| handle.name() == "fiber-9999"));
}

#[test]
fn futures_at_rest_hold_no_stack() {
    let pool = pool(1);
    let (wakers, at_rest) = mpsc::channel();
    let done = Arc::new(AtomicUsize::new(0));
    for number in 0..1_000 {
        let (wakers, done) = (wakers.clone(), Arc::clone(&done));
        pool.run(format!("future-{number}").into(), None, move || {
            let mut is_first = true;
            std::future::poll_fn(move |context| {
                if is_first {
                    is_first = false;
                    wakers.send(context.waker().clone()).unwrap();
                    return std::task::Poll::Pending;
                }
                done.fetch_add(1, Ordering::SeqCst);
                std::task::Poll::Ready(())
            })
        })
        .unwrap();
    }
    let wakers: Vec<_> = at_rest.iter().take(1_000).collect();
    let census = pool.spawn("census", {
        let pool = pool.clone();
        move || pool.census()
    });
    assert_eq!(census.unwrap().join().unwrap()[0].at_rest, 1_000);
    assert!(pool.stacks() < 10, "{}", pool.stacks());
    wakers.into_iter().for_each(std::task::Waker::wake);
    while done.load(Ordering::SeqCst) < 1_000 {
        thread::yield_now();
    }
}

#[test]
fn unstarted_work_is_taken_from_an_lwp_that_computes() {
    let pool = pool(2);
    let (is_taken, computes) = (Arc::new(AtomicBool::new(false)), pool.clone());
    let home = pool.spawn("computes", move || {
        let taken = Arc::clone(&is_taken);
        let other = computes.spawn("moves", move || {
            taken.store(true, Ordering::SeqCst);
            here().unwrap().1
        });
        while !is_taken.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
        (here().unwrap().1, other.unwrap().join().unwrap())
    });
    let (home, other) = home.unwrap().join().unwrap();
    assert_ne!(home, other);
}

#[test]
fn work_for_one_lwp_runs_there() {
    let pool = pool(3);
    for lwp in (0..3).cycle().take(300) {
        let fiber = pool.spawn_on(lwp, "bound", || here().unwrap().1).unwrap();
        assert_eq!(fiber.join().unwrap(), lwp);
    }
}

#[test]
fn a_fiber_never_leaves_its_lwp() {
    let pool = pool(3);
    let fibers = (0..30).map(|_| {
        let stays = || {
            let home = here().unwrap();
            (0..1_000).all(|_| {
                yield_now();
                here().unwrap() == home
            })
        };
        pool.spawn("stays", stays).unwrap()
    });
    assert!(fibers.collect::<Vec<_>>().into_iter().all(|fiber| fiber.join().unwrap()));
}

/// Trap: an LWP whose own queue is never empty, and work that only the common queue, its inbox or its poller has.
#[test]
fn busy_fibers_keep_nobody_else_waiting_for_ever() {
    use std::io::Write;
    let pool = pool(1);
    let is_over = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let is_over = Arc::clone(&is_over);
            let body = move || {
                while !is_over.load(Ordering::SeqCst) {
                    yield_now();
                }
            };
            pool.spawn("busy", body).unwrap()
        })
        .collect();
    assert_eq!(pool.spawn("injected", || 1).unwrap().join().unwrap(), 1);
    assert_eq!(pool.spawn_on(0, "posted", || 2).unwrap().join().unwrap(), 2);
    let slept = pool.spawn("sleeps", || palco_fibers::sleep(std::time::Duration::from_millis(1)));
    slept.unwrap().join().unwrap();
    let (near, mut far) = std::os::unix::net::UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    let (waits, is_waiting) = mpsc::channel();
    let woken = pool.spawn("polls", move || {
        let source = palco_fibers::Source::new(near).unwrap();
        block_on(source.writable()).unwrap();
        waits.send(()).unwrap();
        block_on(source.readable())
    });
    is_waiting.recv().unwrap();
    far.write_all(b"x").unwrap();
    woken.unwrap().join().unwrap().unwrap();
    is_over.store(true, Ordering::SeqCst);
    busy.into_iter().for_each(|fiber| fiber.join().unwrap());
}

#[test]
fn spawns_from_many_threads_all_run() {
    let pool = pool(2);
    let count = Arc::new(AtomicUsize::new(0));
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                for _ in 0..2_000 {
                    let count = Arc::clone(&count);
                    let fiber = pool.spawn("counts", move || count.fetch_add(1, Ordering::SeqCst));
                    fiber.unwrap().join().unwrap();
                }
            });
        }
    });
    assert_eq!(count.load(Ordering::SeqCst), 8_000);
}

#[test]
fn work_is_refused_with_the_reason() {
    let pool = pool(1);
    let error = pool.spawn_on(1, "nowhere", || ()).unwrap_err();
    assert_eq!(error.to_string(), "there is no LWP 1: the pool has 1, counted from 0");
    pool.stop();
    let error = pool.spawn("late", || ()).unwrap_err();
    assert_eq!(error.to_string(), "the pool was stopped and takes no more work");
    pool.wait();
}

#[test]
fn work_of_all_is_not_left_to_an_lwp_that_got_work_of_its_own() {
    for _ in 0..200 {
        let pool = Pool::builder().lwps(2).build().unwrap();
        let (tell, told) = mpsc::channel();
        let enough = Arc::new(AtomicBool::new(false));
        let is_enough = Arc::clone(&enough);
        // Whoever is woken for the first finds the second too, and computes until the first has run.
        let any = pool.spawn("any", move || tell.send(()).unwrap()).unwrap();
        let hog = pool.spawn_on(0, "hog", move || {
            while !is_enough.load(Ordering::SeqCst) {
                std::hint::spin_loop();
            }
        });
        told.recv().unwrap();
        enough.store(true, Ordering::SeqCst);
        any.join().unwrap();
        hog.unwrap().join().unwrap();
    }
}
