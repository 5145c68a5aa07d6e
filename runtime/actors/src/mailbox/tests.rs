//! What the mailbox promises to its senders and to its one reader.

use std::sync::Arc;
use std::task::Wake;
use std::thread;

use super::*;

fn send(mailbox: &Mailbox<u32>, item: u32) -> Result<(), SendError<u32>> {
    mailbox.try_send(LaneKind::Normal, item, |item| item)
}

fn pop(mailbox: &Mailbox<u32>, fetched: &mut Fetched<u32>) -> Option<u32> {
    mailbox.pop_or_rest(fetched, Waker::noop())
}

#[test]
fn full_and_closed_differ() {
    let mailbox = Mailbox::new(1, 1);
    send(&mailbox, 1).unwrap();
    assert_eq!(send(&mailbox, 2), Err(SendError::Full(2)));
    let mut left = Vec::new();
    mailbox.close(|item| left.push(item));
    assert_eq!(left, [1]);
    assert_eq!(send(&mailbox, 3), Err(SendError::Closed(3)));
}

#[test]
fn what_is_fetched_and_not_taken_still_fills_the_lane() {
    let (mailbox, mut fetched) = (Mailbox::new(2, 1), Fetched::default());
    send(&mailbox, 1).unwrap();
    send(&mailbox, 2).unwrap();
    assert_eq!(pop(&mailbox, &mut fetched), Some(1));
    send(&mailbox, 3).unwrap();
    assert_eq!(send(&mailbox, 4), Err(SendError::Full(4)));
    assert_eq!(mailbox.queued(), 2);
}

#[test]
fn urgent_overtakes_what_is_fetched() {
    let (mailbox, mut fetched) = (Mailbox::new(9, 9), Fetched::default());
    send(&mailbox, 1).unwrap();
    send(&mailbox, 2).unwrap();
    assert_eq!(pop(&mailbox, &mut fetched), Some(1));
    mailbox.try_send(LaneKind::Urgent, 9, |item| item).unwrap();
    assert_eq!(pop(&mailbox, &mut fetched), Some(9));
    assert_eq!(pop(&mailbox, &mut fetched), Some(2));
    assert_eq!(pop(&mailbox, &mut fetched), None);
}

/// Sends from within the reader's turn, at every point where the reader may believe that it rests.
#[test]
fn whoever_finds_the_reader_resting_wakes_it() {
    struct Woken(AtomicUsize);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let woken = Arc::new(Woken(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&woken));
    let (mailbox, mut fetched) = (Mailbox::new(9, 9), Fetched::default());
    let mut rest =
        |mailbox: &Mailbox<u32>| while mailbox.pop_or_rest(&mut fetched, &waker).is_some() {};
    let mut seen = 0;
    let mut is_woken = || {
        let before = std::mem::replace(&mut seen, woken.0.load(Ordering::Relaxed));
        seen > before
    };
    rest(&mailbox);
    for lane in [LaneKind::Normal, LaneKind::Urgent, LaneKind::Urgent, LaneKind::Normal] {
        mailbox.try_send(lane, 1, |item| item).unwrap();
        assert!(is_woken(), "{lane:?}");
        rest(&mailbox);
        mailbox.wake();
        assert!(is_woken(), "a signal");
        rest(&mailbox);
    }
    assert_eq!(mailbox.queued(), 0);
}

#[test]
fn what_is_given_back_keeps_its_place() {
    let (mailbox, mut fetched) = (Mailbox::new(9, 9), Fetched::default());
    (1..=3).for_each(|item| send(&mailbox, item).unwrap());
    assert_eq!(pop(&mailbox, &mut fetched), Some(1));
    send(&mailbox, 4).unwrap();
    mailbox.give_back(&mut fetched);
    let mut left = Vec::new();
    mailbox.close(|item| left.push(item));
    assert_eq!(left, [2, 3, 4]);
    assert_eq!(mailbox.queued(), 0);
}

#[test]
fn what_senders_race_in_before_a_close_is_handed_out() {
    for _ in 0..200 {
        let mailbox = Mailbox::new(1_000, 1);
        let (mut left, mut accepted) = (0, 0);
        thread::scope(|scope| {
            let senders: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| (0..50).filter(|i| send(&mailbox, *i).is_ok()).count()))
                .collect();
            mailbox.close(|_| left += 1);
            accepted = senders.into_iter().map(|sender| sender.join().unwrap()).sum();
        });
        assert_eq!(left, accepted);
    }
}

#[test]
fn capacity_is_exact_under_contention() {
    let mailbox = Mailbox::new(10, 1);
    let accepted: usize = thread::scope(|scope| {
        let senders: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..100).filter(|i| send(&mailbox, *i).is_ok()).count()))
            .collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).sum()
    });
    assert_eq!(accepted, 10);
    assert_eq!(mailbox.queued(), 10);
}
