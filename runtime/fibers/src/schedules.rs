//! The protocols under every schedule that a checker comes up with: the same files, with its atomics and locks.
//!
//! The checker (shuttle) explores interleavings, not reorderings of memory: what the fences are for is argued where
//! they stand. A lost wake shows as a deadlock, which it reports.

#[path = "protocol/idle.rs"]
mod idle;
#[path = "protocol/inbox.rs"]
mod inbox;
mod primitives;
#[path = "protocol/rest.rs"]
mod rest;

use std::sync::Arc;

use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use shuttle::sync::{Condvar, Mutex};
use shuttle::thread;

use idle::{Bell, Sleepers};
use inbox::Inbox;
use rest::Rest;

const SCHEDULES: usize = 1_500;
/// Preemptions at chosen points in each schedule of the second kind (Burckhardt et al., ASPLOS 2010).
const DEPTH: usize = 3;

fn check(scene: impl Fn() + Send + Sync + Clone + 'static) {
    shuttle::check_random(scene.clone(), SCHEDULES);
    shuttle::check_pct(scene, SCHEDULES, DEPTH);
}

/// Stands for the poller: a notice that comes before the wait ends it at once.
#[derive(Default)]
struct Poller {
    is_notified: Mutex<bool>,
    bell: Condvar,
}

impl Poller {
    fn notify(&self) {
        *self.is_notified.lock().unwrap() = true;
        self.bell.notify_one();
    }

    fn wait(&self) {
        let mut is_notified = self.is_notified.lock().unwrap();
        while !*is_notified {
            is_notified = self.bell.wait(is_notified).unwrap();
        }
        *is_notified = false;
    }
}

/// One owner waits for `wakers` tokens, one at a time. Who is told to resume it does so through the poller.
fn rests_and_wakes(wakers: usize) {
    let shared = Arc::new((Rest::new(), AtomicUsize::new(0), Poller::default()));
    let resumed = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..wakers)
        .map(|_| {
            let (shared, resumed) = (Arc::clone(&shared), Arc::clone(&resumed));
            thread::spawn(move || {
                let (rest, tokens, poller) = &*shared;
                tokens.fetch_add(1, Ordering::SeqCst);
                if rest.notify() {
                    resumed.fetch_add(1, Ordering::SeqCst);
                    poller.notify();
                }
            })
        })
        .collect();
    let (rest, tokens, poller) = &*shared;
    let mut rests = 0;
    while tokens.load(Ordering::SeqCst) < wakers {
        if rest.try_rest() {
            rests += 1;
            poller.wait();
        }
        rest.look();
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(resumed.load(Ordering::SeqCst), rests, "each rest is ended by one waker");
}

#[test]
fn no_wake_is_lost_between_look_and_rest() {
    check(|| rests_and_wakes(1));
    check(|| rests_and_wakes(3));
}

/// An LWP that takes `count` letters from each of two senders, asleep whenever its inbox is empty.
fn takes_letters(count: usize, looks_again: bool) {
    let lwp = Arc::new((Inbox::new(), Bell::new(), Poller::default()));
    let sleepers = Sleepers::new();
    let senders: Vec<_> = (0..2)
        .map(|sender| {
            let lwp = Arc::clone(&lwp);
            thread::spawn(move || {
                let (inbox, bell, poller) = &*lwp;
                for number in 0..count {
                    inbox.push((sender, number)).unwrap();
                    if bell.ring() {
                        poller.notify();
                    }
                }
            })
        })
        .collect();
    let (inbox, bell, poller) = &*lwp;
    let mut taken: Vec<(usize, usize)> = Vec::new();
    let mut letters = Vec::new();
    while taken.len() < 2 * count {
        inbox.take(&mut letters);
        if !letters.is_empty() {
            taken.append(&mut letters);
            continue;
        }
        sleepers.fall_asleep(bell);
        if !(looks_again && inbox.is_filled()) {
            poller.wait();
        }
        sleepers.wake_up(bell);
    }
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    for sender in 0..2 {
        let numbers = taken.iter().filter(|letter| letter.0 == sender).map(|letter| letter.1);
        assert!(numbers.eq(0..count), "{taken:?}");
    }
    assert_eq!(sleepers.count(), 0);
}

#[test]
fn letters_arrive_once_and_in_order_whenever_the_lwp_sleeps() {
    check(|| takes_letters(2, true));
}

#[test]
#[should_panic(expected = "deadlock")]
fn the_checker_objects_to_a_sleep_without_a_second_look() {
    check(|| takes_letters(2, false));
}

#[test]
fn a_letter_to_an_lwp_that_ends_comes_back_or_is_found() {
    check(|| {
        let inbox = Arc::new(Inbox::new());
        let sender = {
            let inbox = Arc::clone(&inbox);
            thread::spawn(move || (0..3).filter(|number| inbox.push(*number).is_err()).count())
        };
        let found = inbox.close().len();
        assert_eq!(found + sender.join().unwrap(), 3);
        assert!(!inbox.is_filled());
    });
}

/// Two LWPs and one queue: work that was made visible is done, whoever sleeps.
#[test]
fn work_for_all_wakes_somebody() {
    const WORK: usize = 3;
    struct Pool {
        queue: Mutex<usize>,
        done: AtomicUsize,
        is_over: AtomicBool,
        sleepers: Sleepers,
        lwps: [(Bell, Poller); 2],
    }
    impl Pool {
        fn take(&self) -> bool {
            let mut queue = self.queue.lock().unwrap();
            let before = *queue;
            *queue = before.saturating_sub(1);
            before > 0
        }

        fn has_something(&self) -> bool {
            self.is_over.load(Ordering::SeqCst) || *self.queue.lock().unwrap() > 0
        }

        fn run(&self, index: usize) {
            let (bell, poller) = &self.lwps[index];
            while !self.is_over.load(Ordering::SeqCst) {
                if self.take() {
                    if self.done.fetch_add(1, Ordering::SeqCst) + 1 == WORK {
                        self.is_over.store(true, Ordering::SeqCst);
                        let rung = self.lwps.iter().filter(|(bell, _)| bell.ring());
                        rung.for_each(|(_, poller)| poller.notify());
                    }
                    continue;
                }
                self.sleepers.fall_asleep(bell);
                if !self.has_something() {
                    poller.wait();
                }
                self.sleepers.wake_up(bell);
            }
        }
    }
    check(|| {
        let pool = Arc::new(Pool {
            queue: Mutex::new(0),
            done: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            sleepers: Sleepers::new(),
            lwps: [(Bell::new(), Poller::default()), (Bell::new(), Poller::default())],
        });
        let lwps = [0, 1].map(|index| {
            let pool = Arc::clone(&pool);
            thread::spawn(move || pool.run(index))
        });
        for _ in 0..WORK {
            *pool.queue.lock().unwrap() += 1;
            let bells = pool.lwps.iter().enumerate().map(|(index, (bell, _))| (index, bell));
            if let Some(index) = pool.sleepers.choose(bells) {
                pool.lwps[index].1.notify();
            }
        }
        lwps.into_iter().for_each(|lwp| lwp.join().unwrap());
        assert_eq!(pool.done.load(Ordering::SeqCst), WORK);
    });
}
