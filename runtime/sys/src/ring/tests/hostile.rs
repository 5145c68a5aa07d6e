//! A peer that writes anything, anywhere, at any time: an end gives frames or refuses, and never fails otherwise.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use proptest::prelude::*;

use super::{Numbers, TINY, pair};
use crate::ring::layout::{self, Side};
use crate::ring::{RingEnd, RingError};

#[derive(Clone, Debug)]
enum Step {
    /// The peer writes a value into a word of the header or of the data.
    Scribble {
        word: usize,
        value: u64,
    },
    /// The peer moves one of its two counts a little.
    Nudge {
        counts_written: bool,
        by: u64,
    },
    PeerSends(usize),
    PeerReceives,
    Send(usize),
    Receive,
    Wait,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let words = layout::words_for_lanes(TINY).unwrap();
    let word = prop_oneof![0..112_usize, 512..530_usize, 0..words];
    let value = prop_oneof![0..600_u64, 3900..4200_u64, Just(u64::MAX), any::<u64>()];
    let by = prop_oneof![1..20_u64, Just(u64::MAX), 500..520_u64];
    let step = prop_oneof![
        2 => (word, value).prop_map(|(word, value)| Step::Scribble { word, value }),
        1 => (any::<bool>(), by).prop_map(|(counts_written, by)| Step::Nudge { counts_written, by }),
        4 => (0..700_usize).prop_map(Step::PeerSends),
        4 => Just(Step::PeerReceives),
        4 => (0..4200_usize).prop_map(Step::Send),
        8 => Just(Step::Receive),
        1 => Just(Step::Wait),
    ];
    prop::collection::vec(step, 1..120)
}

/// One call on the end under attack; whether it refuses now.
fn receive(end: &mut RingEnd, frame: &mut Vec<u8>) -> bool {
    frame.truncate(3);
    let before = frame.clone();
    match end.try_receive(frame) {
        Ok(Some(len)) => {
            assert!(len <= end.frame_bytes_max() && frame.len() == before.len() + len);
            assert!(frame.starts_with(&before));
            false
        }
        Ok(None) => {
            assert_eq!(*frame, before);
            false
        }
        Err(error) => {
            assert!(matches!(error, RingError::Corrupt(_)), "{error}");
            assert_eq!(*frame, before, "nothing of a refused frame is appended");
            true
        }
    }
}

fn send(end: &mut RingEnd, bytes: usize) -> bool {
    match end.try_send(&[&vec![1; bytes]]) {
        Ok(_) => false,
        Err(RingError::TooLarge { max, .. }) => {
            assert!(bytes > max);
            false
        }
        Err(RingError::Corrupt(_)) => true,
    }
}

proptest! {
    #[test]
    fn whatever_the_peer_writes_an_end_gives_frames_or_refuses(steps in steps(), swapped in any::<bool>()) {
        let (parent, child) = pair(TINY);
        let (mut end, mut peer) = if swapped { (child, parent) } else { (parent, child) };
        let mut frame = vec![1, 2, 3];
        let mut has_refused = false;
        for step in steps {
            let words = peer.memory.words();
            let refuses = match step {
                Step::Scribble { word, value } => {
                    words[word].store(value, Ordering::Relaxed);
                    has_refused
                }
                Step::Nudge { counts_written, by } => {
                    let written = layout::lane(words, peer.side).written;
                    let taken = layout::lane(words, end.side).taken;
                    let count = if counts_written { written } else { taken };
                    count.fetch_add(by, Ordering::Relaxed);
                    has_refused
                }
                Step::PeerSends(bytes) => {
                    let _ = peer.try_send(&[&vec![2; bytes]]);
                    has_refused
                }
                Step::PeerReceives => {
                    let _ = peer.try_receive(&mut Vec::new());
                    has_refused
                }
                Step::Send(bytes) => send(&mut end, bytes) || (has_refused && bytes > TINY - 8),
                Step::Receive => receive(&mut end, &mut frame),
                Step::Wait => {
                    end.request_bell(true);
                    let _ = (end.wake(), end.take_bell_request(), end.take_room_request());
                    end.sleep(Some(Duration::ZERO)).unwrap();
                    has_refused
                }
            };
            prop_assert!(refuses || !has_refused, "once refused, refused for ever");
            prop_assert!(!refuses || end.has_input(), "who refuses does not let its user sleep");
            has_refused = refuses;
        }
    }
}

#[test]
fn a_peer_that_scribbles_while_an_end_reads_and_writes_breaks_nothing() {
    for seed in 1..=40 {
        let (mut end, mut peer) = pair(TINY);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| scribble(&mut peer, seed, &is_over));
            let mut frame = vec![1, 2, 3];
            let mut numbers = Numbers(seed + 1000);
            for _ in 0..5000 {
                let bytes = (numbers.next() % 4100) as usize;
                let refuses = receive(&mut end, &mut frame) | send(&mut end, bytes);
                end.wake();
                if refuses {
                    assert!(receive(&mut end, &mut frame) && send(&mut end, 0));
                    break;
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }
}

/// Keeps a lane filled with what looks like frames, and spoils their lengths and bytes while they are read.
fn scribble(peer: &mut RingEnd, seed: u64, is_over: &AtomicBool) {
    let mut numbers = Numbers(seed);
    while !is_over.load(Ordering::Relaxed) {
        let number = numbers.next();
        let _ = peer.try_send(&[&[9; 300][..(number >> 40) as usize % 300]]);
        let _ = peer.try_receive(&mut Vec::new());
        let lane = layout::lane(peer.memory.words(), Side::Child);
        let place = &lane.data[(number >> 16) as usize % lane.data.len()];
        match number % 4096 {
            0 => lane.written.store(number >> 52, Ordering::Relaxed),
            1..64 => place.store(number, Ordering::Relaxed),
            _ => place.store((number >> 8) % 64, Ordering::Relaxed),
        }
    }
}
