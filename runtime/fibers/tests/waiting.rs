//! Waiting: nothing that wakes is lost, whoever it comes from.

use std::future::{Future, poll_fn};
use std::io::ErrorKind;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use palco_fibers::{Handle, Pool, Source, block_on, current, here, park, sleep, yield_now};

fn pool(lwps: usize) -> Pool {
    Pool::builder().lwps(lwps).build().expect("a pool can be made")
}

#[test]
fn an_unpark_that_comes_first_counts() {
    let pool = pool(1);
    let fiber = pool.spawn("parks", || {
        current().unwrap().unpark();
        park();
    });
    fiber.unwrap().join().unwrap();
}

#[test]
fn unparks_from_many_threads_are_never_lost() {
    const THREADS: usize = 4;
    const EACH: usize = 5_000;
    let pool = pool(1);
    let count = Arc::new(AtomicUsize::new(0));
    let (tell, handle) = mpsc::channel::<Handle>();
    let parked = pool.spawn("counts", {
        let count = Arc::clone(&count);
        move || {
            tell.send(current().unwrap()).unwrap();
            let mut parks = 0;
            while count.load(Ordering::Relaxed) < THREADS * EACH {
                park();
                parks += 1;
            }
            parks
        }
    });
    let handle = handle.recv().unwrap();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    count.fetch_add(1, Ordering::Relaxed);
                    handle.unpark();
                }
            });
        }
    });
    let parks: usize = parked.unwrap().join().unwrap();
    assert!(parks <= THREADS * EACH, "each unpark ends one park at most, {parks} ended");
}

#[test]
fn two_lwps_hand_a_token_to_and_fro() {
    let pool = pool(2);
    let turn = Arc::new(AtomicUsize::new(0));
    let (left, right) = (mpsc::channel::<Handle>(), mpsc::channel::<Handle>());
    let side = |lwp: usize, tell: mpsc::Sender<Handle>, told: mpsc::Receiver<Handle>| {
        let turn = Arc::clone(&turn);
        let body = move || {
            tell.send(current().unwrap()).unwrap();
            let other = loop {
                match told.try_recv() {
                    Ok(other) => break other,
                    Err(_) => yield_now(),
                }
            };
            for round in 0..5_000 {
                while turn.load(Ordering::Relaxed) != 2 * round + lwp {
                    park();
                }
                turn.fetch_add(1, Ordering::Relaxed);
                other.unpark();
            }
        };
        pool.spawn_on(lwp, "side", body).unwrap()
    };
    let sides = [side(0, left.0, right.1), side(1, right.0, left.1)];
    for side in sides {
        side.join().unwrap();
    }
    assert_eq!(turn.load(Ordering::Relaxed), 10_000);
}

/// A future that gives its waker away once and is ready when it was woken.
fn handshake(tell: mpsc::Sender<Waker>, is_woken: Arc<AtomicUsize>) -> impl Future<Output = ()> {
    poll_fn(move |context| {
        if is_woken.load(Ordering::SeqCst) > 0 {
            return Poll::Ready(());
        }
        tell.send(context.waker().clone()).expect("the test listens");
        Poll::Pending
    })
}

#[test]
fn a_nested_wait_does_not_take_the_wake_of_the_outer_one() {
    let pool = pool(1);
    let (tell, wakers) = mpsc::channel();
    let (outer, inner) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let fiber = pool.spawn("nests", {
        let (outer, inner) = (Arc::clone(&outer), Arc::clone(&inner));
        move || {
            let mut outer = pin!(handshake(tell.clone(), outer));
            block_on(poll_fn(|context| {
                let polled = outer.as_mut().poll(context);
                if polled.is_pending() {
                    block_on(handshake(tell.clone(), Arc::clone(&inner)));
                }
                polled
            }));
        }
    });
    let [of_outer, of_inner] = [wakers.recv().unwrap(), wakers.recv().unwrap()];
    outer.store(1, Ordering::SeqCst);
    of_outer.wake();
    inner.store(1, Ordering::SeqCst);
    of_inner.wake();
    fiber.unwrap().join().unwrap();
}

#[test]
fn a_future_that_is_woken_in_the_middle_of_a_poll_is_polled_again() {
    let pool = pool(1);
    let (tell, told) = mpsc::channel();
    let (done, is_done) = mpsc::channel();
    pool.run("waits inside".into(), None, move || {
        let mut polls = 0;
        poll_fn(move |context| {
            polls += 1;
            if polls == 2 {
                done.send(()).unwrap();
                return Poll::Ready(());
            }
            tell.send((context.waker().clone(), current().unwrap())).unwrap();
            park();
            Poll::Pending
        })
    })
    .unwrap();
    let (waker, handle) = told.recv().unwrap();
    waker.wake();
    handle.unpark();
    is_done.recv().unwrap();
}

#[test]
fn sleepers_wake_in_the_order_of_their_moments() {
    let pool = pool(1);
    let (tell, told) = mpsc::channel();
    let start = Instant::now();
    let all_asleep = pool.spawn("all", {
        let pool = pool.clone();
        move || {
            for millis in [30, 10, 20] {
                let tell = tell.clone();
                let body = move || {
                    sleep(Duration::from_millis(millis));
                    tell.send((millis, start.elapsed())).unwrap();
                };
                drop(pool.spawn("sleeps", body).unwrap());
            }
        }
    });
    all_asleep.unwrap().join().unwrap();
    let order: Vec<_> = told.iter().take(3).collect();
    for (millis, after) in &order {
        assert!(*after >= Duration::from_millis(*millis), "{after:?} is less than {millis} ms");
    }
}

#[test]
fn a_thread_does_what_a_thread_does() {
    assert!(current().is_none() && here().is_none());
    yield_now();
    sleep(Duration::ZERO);
    thread::current().unpark();
    park();
    assert_eq!(block_on(async { palco_fibers::offload(|| 2).await }), Some(2));
    assert_eq!(palco_fibers::blocking(|| 3), 3);
    let source = Source::new(TcpListener::bind("127.0.0.1:0").unwrap()).unwrap();
    let error = block_on(source.readable()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
