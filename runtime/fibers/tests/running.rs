//! What fibers promise to whoever writes them.

#![cfg(test)]

use std::cell::Cell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use palco_fibers::{
    JoinError, Policy, Pool, SpawnError, block_on, blocking, current, park, yield_now,
};

fn one_lwp() -> Pool {
    Pool::builder().lwps(1).build().unwrap()
}

#[test]
fn a_fibers_result_reaches_whoever_waits_thread_or_fiber() {
    let pool = one_lwp();
    let inner = pool.clone();
    let outer =
        pool.spawn("outer", move || inner.spawn("inner", || 20).unwrap().join().unwrap() + 1);
    assert_eq!(outer.unwrap().join().unwrap(), 21);
}

#[test]
fn two_fibers_that_yield_take_turns() {
    let pool = one_lwp();
    let log = Arc::new(Mutex::new(String::new()));
    let fibers: Vec<_> = ["a", "b"]
        .into_iter()
        .map(|name| {
            let log = Arc::clone(&log);
            let body = move || {
                for _ in 0..1_000 {
                    log.lock().unwrap().push_str(name);
                    yield_now();
                }
            };
            pool.spawn_on(0, name, body).unwrap()
        })
        .collect();
    fibers.into_iter().for_each(|fiber| fiber.join().unwrap());
    let log = log.lock().unwrap();
    let both = log.find('b').unwrap();
    let turns = &log[both..log.rfind('a').unwrap()];
    assert!(!turns.contains("aa") && !turns.contains("bb"), "not in turn: {turns}");
}

#[test]
fn an_unpark_before_the_park_is_not_lost() {
    let pool = one_lwp();
    let fiber = pool.spawn("early", || {
        current().unwrap().unpark();
        park();
    });
    fiber.unwrap().join().unwrap();
}

#[test]
fn unparks_from_many_threads_are_never_lost() {
    let pool = Pool::builder().lwps(2).build().unwrap();
    let rounds = 2_000;
    let (send, receive) = mpsc::channel();
    let turn = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&turn);
    let fiber = pool.spawn("sleeper", move || {
        send.send(current().unwrap()).unwrap();
        for round in 1..=rounds {
            while seen.load(Ordering::SeqCst) < round {
                park();
            }
        }
    });
    let handle = receive.recv().unwrap();
    let wakers: Vec<_> = (0..4)
        .map(|_| {
            let (handle, turn) = (handle.clone(), Arc::clone(&turn));
            thread::spawn(move || {
                while turn.fetch_add(1, Ordering::SeqCst) < rounds {
                    handle.unpark();
                }
                handle.unpark();
            })
        })
        .collect();
    fiber.unwrap().join().unwrap();
    wakers.into_iter().for_each(|waker| waker.join().unwrap());
}

#[test]
fn ten_thousand_fibers_wait_at_once() {
    let pool = Pool::builder().lwps(2).build().unwrap();
    let gate = Arc::new(AtomicBool::new(false));
    let fibers: Vec<_> = (0..10_000)
        .map(|number| {
            let gate = Arc::clone(&gate);
            let body = move || {
                while !gate.load(Ordering::SeqCst) {
                    palco_fibers::sleep(Duration::from_millis(1)); // not a wait: the fiber is under test
                }
                number
            };
            pool.spawn("waiting", body).unwrap()
        })
        .collect();
    while pool.census().stacks < 10_000 {
        thread::yield_now();
    }
    gate.store(true, Ordering::SeqCst);
    let sum: usize = fibers.into_iter().map(|fiber| fiber.join().unwrap()).sum();
    assert_eq!(sum, 10_000 * 9_999 / 2);
}

#[test]
fn work_beyond_the_stacks_waits_and_is_not_lost() {
    let pool = Pool::builder().lwps(1).stacks_max(4).build().unwrap();
    let fibers: Vec<_> = (0..100)
        .map(|number| {
            let body = move || {
                (0..10).for_each(|_| yield_now());
                number
            };
            pool.spawn("many", body).unwrap()
        })
        .collect();
    let sum: usize = fibers.into_iter().map(|fiber| fiber.join().unwrap()).sum();
    assert_eq!(sum, 100 * 99 / 2);
    assert!(pool.census().stacks <= 4);
    assert!(pool.census().stack_waits > 0);
}

#[test]
fn a_panic_ends_one_fiber_and_its_payload_is_handed_over() {
    let pool = one_lwp();
    let fiber = pool.spawn("rash", || {
        yield_now();
        std::panic::resume_unwind(Box::new(17_u32));
    });
    match fiber.unwrap().join() {
        Err(JoinError::Panicked(payload)) => assert_eq!(payload.downcast_ref::<u32>(), Some(&17)),
        other => panic!("{other:?}"),
    }
    assert_eq!(pool.spawn("next", || 1).unwrap().join().unwrap(), 1);
}

#[test]
fn a_started_fiber_stays_on_its_lwp() {
    let pool = Pool::builder().lwps(4).build().unwrap();
    let fibers: Vec<_> = (0..200)
        .map(|_| {
            let body = || {
                let thread = thread::current().id();
                for turn in 0..50 {
                    yield_now();
                    if turn % 10 == 0 {
                        blocking(thread::yield_now);
                    }
                    assert_eq!(thread::current().id(), thread);
                }
            };
            pool.spawn("sticky", body).unwrap()
        })
        .collect();
    fibers.into_iter().for_each(|fiber| fiber.join().unwrap());
}

#[test]
fn a_future_need_not_be_send_and_may_wait_in_the_manner_of_a_fiber() {
    let pool = one_lwp();
    let (send, receive) = mpsc::channel();
    let make = move || async move {
        let here = Rc::new(Cell::new(0));
        for _ in 0..3 {
            palco_fibers::sleep(Duration::from_millis(1)); // not a wait: the fiber is under test
            let mut rested = false;
            poll_fn(|task| {
                task.waker().wake_by_ref();
                if std::mem::replace(&mut rested, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            here.set(here.get() + blocking(|| 1));
        }
        send.send(here.get()).unwrap();
    };
    pool.run("future".into(), None, make).unwrap();
    assert_eq!(receive.recv().unwrap(), 3);
}

#[test]
fn a_wake_during_a_wait_in_the_middle_of_a_poll_reaches_the_others() {
    // One branch is woken while the other waits in the manner of a fiber, which takes the wake.
    let pool = one_lwp();
    let (send, receive) = mpsc::channel();
    let (ended, has_ended) = mpsc::channel();
    let flag = Arc::new(AtomicBool::new(false));
    let is_set = Arc::clone(&flag);
    let make = move || async move {
        let mut waited = false;
        poll_fn(|task| {
            if is_set.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            if !std::mem::replace(&mut waited, true) {
                send.send(task.waker().clone()).unwrap();
                while !is_set.load(Ordering::SeqCst) {
                    park();
                }
            }
            Poll::Pending
        })
        .await;
        ended.send(()).unwrap();
    };
    pool.run("both".into(), None, make).unwrap();
    let waker = receive.recv().unwrap();
    flag.store(true, Ordering::SeqCst);
    waker.wake();
    has_ended.recv().unwrap();
}

#[test]
fn a_future_at_rest_holds_no_stack() {
    let pool = one_lwp();
    let begun = Arc::new(AtomicUsize::new(0));
    for _ in 0..5_000 {
        let begun = Arc::clone(&begun);
        let make = move || async move {
            begun.fetch_add(1, Ordering::SeqCst);
            pending::<()>().await;
        };
        pool.run("resting".into(), None, make).unwrap();
    }
    while begun.load(Ordering::SeqCst) < 5_000 {
        thread::yield_now();
    }
    assert!(pool.census().stacks <= 2, "{:?}", pool.census().stacks);
}

/// How often a sibling ran while a call blocked until the sibling, or the test, let it go.
fn turns_during_a_call(policy: Policy) -> usize {
    let pool = Pool::builder().lwps(1).policy(policy).build().unwrap();
    let (turns, blocked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (release, released) = mpsc::channel::<()>();
    let (count, is_blocked) = (Arc::clone(&turns), Arc::clone(&blocked));
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let sibling = pool.spawn("sibling", move || {
        while !is_over.load(Ordering::SeqCst) {
            if is_blocked.load(Ordering::SeqCst) {
                count.fetch_add(1, Ordering::SeqCst);
            }
            yield_now();
        }
    });
    let says = Arc::clone(&blocked);
    let caller = pool.spawn("caller", move || {
        blocking(move || {
            says.store(true, Ordering::SeqCst);
            released.recv().unwrap();
            says.store(false, Ordering::SeqCst);
        });
    });
    while !blocked.load(Ordering::SeqCst) {
        thread::yield_now();
    }
    match policy {
        Policy::Offload => {
            while turns.load(Ordering::SeqCst) < 100 {
                thread::yield_now();
            }
        }
        Policy::Alone => {
            // The watchdog sees that it is blocked, so nobody else has run for milliseconds.
            while pool.census().stalls.is_empty() {
                thread::yield_now();
            }
        }
    }
    release.send(()).unwrap();
    caller.unwrap().join().unwrap();
    let during = turns.load(Ordering::SeqCst);
    over.store(true, Ordering::SeqCst);
    sibling.unwrap().join().unwrap();
    during
}

#[test]
fn a_call_given_to_a_helper_holds_up_nobody() {
    assert!(turns_during_a_call(Policy::Offload) >= 100);
}

#[test]
fn a_call_made_by_the_lwp_itself_holds_up_everybody() {
    assert_eq!(turns_during_a_call(Policy::Alone), 0);
}

#[test]
fn local_work_does_not_starve_what_comes_from_outside() {
    // Trap 1: fibers that yield to each other for ever keep the local queue full.
    let pool = one_lwp();
    let over = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..2)
        .map(|_| {
            let over = Arc::clone(&over);
            let body = move || {
                while !over.load(Ordering::SeqCst) {
                    yield_now();
                }
            };
            pool.spawn("busy", body).unwrap()
        })
        .collect();
    let (send, receive) = mpsc::channel();
    for number in 0..100 {
        let send = send.clone();
        pool.spawn("outside", move || send.send(number).unwrap()).unwrap().join().unwrap();
    }
    assert_eq!(receive.iter().take(100).count(), 100);
    over.store(true, Ordering::SeqCst);
    busy.into_iter().for_each(|fiber| fiber.join().unwrap());
}

#[test]
fn lwps_are_no_real_time_threads_though_their_maker_is() {
    // Trap 2: real-time threads of one priority starve each other.
    let made = thread::spawn(|| {
        palco_sys::become_fifo(1)?; // without the right to it there is nothing to inherit
        let pool = Pool::builder().lwps(2).build()?;
        let scheduling =
            pool.spawn("class", || palco_sys::scheduling_of(0)).unwrap().join().unwrap()?;
        pool.stop_and_wait();
        Ok(scheduling)
    });
    match made.join().unwrap() {
        Ok(scheduling) => assert_eq!(scheduling, palco_sys::Scheduling::Usual(0)),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
}

#[test]
fn work_is_begun_though_every_lwp_had_gone_to_sleep() {
    // Trap 3: a wake that comes while an LWP is about to sleep.
    let pool = Pool::builder().lwps(2).build().unwrap();
    for round in 0..5_000 {
        assert_eq!(pool.spawn("lonely", move || round).unwrap().join().unwrap(), round);
    }
}

#[test]
fn unstarted_work_is_stolen_from_an_lwp_that_computes() {
    let pool = Pool::builder().lwps(2).build().unwrap();
    let inner = pool.clone();
    let fiber = pool.spawn("hog", move || {
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..100 {
            let done = Arc::clone(&done);
            drop(inner.spawn("stolen", move || done.fetch_add(1, Ordering::SeqCst)).unwrap());
        }
        // It never yields: only the other LWP can do it.
        while done.load(Ordering::SeqCst) < 100 {
            std::hint::spin_loop();
        }
    });
    fiber.unwrap().join().unwrap();
}

#[test]
fn unstarted_work_goes_on_on_a_spare_when_the_only_lwp_is_blocked() {
    let (tell, told) = mpsc::channel();
    let pool = Pool::builder().lwps(1).on_stall(move |stall| tell.send(stall.clone()).unwrap());
    let pool = pool.build().unwrap();
    let (release, released) = mpsc::channel::<()>();
    let blocked = pool.spawn("silent", move || released.recv().unwrap()).unwrap();
    let stall = told.recv().unwrap();
    assert_eq!((&*stall.running, stall.lwp), ("silent", 0));
    assert!(stall.state.to_string().contains("futex"), "{}", stall.state);
    pool.spawn("mobile", move || release.send(()).unwrap()).unwrap().join().unwrap();
    blocked.join().unwrap();
}

#[test]
fn a_fiber_that_computes_is_named() {
    let (tell, told) = mpsc::channel();
    let pool = Pool::builder().lwps(1).on_stall(move |stall| tell.send(stall.clone()).unwrap());
    let pool = pool.build().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&over);
    let hog = pool.spawn("hog", move || {
        while !is_over.load(Ordering::SeqCst) {
            std::hint::spin_loop();
        }
    });
    let stall = told.recv().unwrap();
    assert_eq!(&*stall.running, "hog");
    assert_eq!(stall.state, palco_fibers::Standstill::Computing);
    over.store(true, Ordering::SeqCst);
    hog.unwrap().join().unwrap();
}

/// Says that it has been dropped.
struct Dropped(mpsc::Sender<&'static str>, &'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.send(self.1).unwrap();
    }
}

#[test]
fn a_stop_unwinds_what_waits_and_drops_what_rests_or_has_not_begun() {
    let pool = one_lwp();
    let (send, receive) = mpsc::channel();
    let waits = Dropped(send.clone(), "waits");
    let waiting = pool.spawn("waits", move || {
        let _held = waits;
        loop {
            park();
        }
    });
    let rests = Dropped(send.clone(), "rests");
    let make = move || async move {
        let _held = rests;
        pending::<()>().await;
    };
    pool.run("rests".into(), None, make).unwrap();
    pool.spawn("barrier", || ()).unwrap().join().unwrap();
    pool.stop_and_wait();
    let mut dropped: Vec<_> = receive.try_iter().collect();
    dropped.sort_unstable();
    assert_eq!(dropped, ["rests", "waits"]);
    assert!(matches!(waiting.unwrap().join(), Err::<(), _>(JoinError::Stopped)));
    assert_eq!(pool.spawn("late", || ()).err(), Some(SpawnError::Stopped));
}

#[test]
fn an_lwp_that_does_not_exist_is_refused_by_number() {
    let pool = one_lwp();
    let error = pool.spawn_on(3, "lost", || ()).err().unwrap();
    assert_eq!(error, SpawnError::NoSuchLwp { asked: 3, available: 1 });
    assert!(error.to_string().contains("0 to 0"));
}

#[test]
fn outside_of_fibers_everything_falls_back_to_the_thread() {
    yield_now();
    assert_eq!(blocking(|| 1) + block_on(async { 2 }), 3);
    assert!(current().is_none());
}
