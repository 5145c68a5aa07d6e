//! Tests of a ring: two ends in two threads, each with a mapping of its own.

mod hostile;

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::layout::{self, Side};
use super::{RingEnd, RingError};
use crate::{Registration, SharedWords};

const TINY: usize = layout::BYTES_MIN;

fn pair(bytes: usize) -> (RingEnd, RingEnd) {
    let parent = RingEnd::create(bytes).unwrap();
    let child = RingEnd::open(file_of(&parent)).unwrap();
    (parent, child)
}

fn file_of(end: &impl AsFd) -> OwnedFd {
    end.as_fd().try_clone_to_owned().unwrap()
}

/// A small generator of pseudo-random numbers; both sides run the same one.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Mostly short, sometimes as long as can be; its bytes follow from its length and its number.
    fn next_frame(&mut self, max: usize, frame: &mut Vec<u8>) {
        let number = self.next();
        let limit = [9, 100, 100, 100, 100, 100, 100, max + 1][(number >> 32) as usize % 8];
        frame.clear();
        frame.resize((number >> 8) as usize % limit, number as u8);
        let counted = frame.iter_mut().zip((0..=255_u8).cycle());
        counted.for_each(|(byte, count)| *byte = byte.wrapping_add(count));
    }
}

/// Sends and receives `count` frames at the same time; sleeps whenever neither goes on.
fn exchange(mut end: RingEnd, count: usize, seeds: [u64; 2]) {
    let max = end.frame_bytes_max();
    let [mut outgoing, mut incoming] = seeds.map(Numbers);
    let (mut next, mut expected, mut frame) = (Vec::new(), Vec::new(), Vec::new());
    let (mut sent, mut received) = (0, 0);
    outgoing.next_frame(max, &mut next);
    while sent < count || received < count {
        let before = (sent, received);
        let (first, second) = next.split_at(next.len() / 3);
        if sent < count && end.try_send(&[first, second]).unwrap() {
            sent += 1;
            outgoing.next_frame(max, &mut next);
        } else if sent == count || sent % 3 == 0 {
            end.wake();
        }
        frame.clear();
        if let Some(len) = end.try_receive(&mut frame).unwrap() {
            incoming.next_frame(max, &mut expected);
            assert_eq!((len, &frame), (expected.len(), &expected), "frame {received}");
            received += 1;
        }
        if before == (sent, received) {
            let _ = end.take_room_request();
            end.wake();
            end.sleep(None).unwrap();
        }
    }
    let _ = end.take_room_request();
    end.wake();
}

#[test]
fn frames_of_any_size_pass_both_ways_in_order() {
    let (parent, child) = pair(TINY);
    let child = thread::spawn(move || exchange(child, 100_000, [5, 7]));
    exchange(parent, 100_000, [7, 5]);
    child.join().unwrap();
}

#[test]
fn no_wake_up_is_lost() {
    const ROUNDS: u64 = 20_000;
    let (mut parent, mut child) = pair(TINY);
    let receive = |end: &mut RingEnd| {
        let mut frame = Vec::new();
        while end.try_receive(&mut frame).unwrap().is_none() {
            end.sleep(None).unwrap();
        }
        frame
    };
    let echo = thread::spawn(move || {
        for _ in 0..ROUNDS {
            let frame = receive(&mut child);
            assert!(child.try_send(&[&frame]).unwrap());
            child.wake();
        }
    });
    for round in 0..ROUNDS {
        assert!(parent.try_send(&[&round.to_ne_bytes()]).unwrap());
        parent.wake();
        assert_eq!(receive(&mut parent), round.to_ne_bytes());
    }
    echo.join().unwrap();
}

#[test]
fn a_writer_that_lacks_room_is_told_when_there_is() {
    const FRAMES: usize = 20_000;
    let (mut parent, mut child) = pair(TINY);
    let writer = thread::spawn(move || {
        for number in 0..FRAMES {
            while !parent.try_send(&[&[number as u8; 500]]).unwrap() {
                parent.wake();
                parent.sleep(None).unwrap();
            }
        }
        parent.wake();
        parent
    });
    let mut frame = Vec::new();
    for number in 0..FRAMES {
        frame.clear();
        while child.try_receive(&mut frame).unwrap().is_none() {
            child.sleep(None).unwrap();
        }
        assert_eq!(frame, [number as u8; 500]);
        if child.take_room_request() {
            child.wake();
        }
    }
    writer.join().unwrap();
}

#[test]
fn a_bell_is_rung_once_for_each_wish_and_none_is_missed() {
    const FRAMES: usize = 20_000;
    let (mut parent, mut child) = pair(TINY);
    let (bell, rings) = mpsc::channel();
    let writer = thread::spawn(move || {
        for _ in 0..FRAMES {
            while !child.try_send(&[b"x"]).unwrap() {
                child.sleep(None).unwrap();
            }
            if child.take_bell_request() {
                bell.send(()).unwrap();
            }
        }
    });
    let (mut received, mut wishes, mut rung) = (0, 0, 0);
    while received < FRAMES {
        if parent.try_receive(&mut Vec::new()).unwrap().is_some() {
            received += 1;
            if parent.take_room_request() {
                parent.wake();
            }
            continue;
        }
        parent.request_bell(true);
        wishes += 1;
        if parent.has_input() {
            parent.request_bell(false);
        } else {
            rings.recv().unwrap();
            rung += 1;
        }
    }
    writer.join().unwrap();
    assert!(rung + rings.try_iter().count() <= wishes);
    parent.request_bell(true);
    let other = RingEnd::open(file_of(&parent));
    assert_eq!(other.unwrap_err().kind(), io::ErrorKind::InvalidData, "it has been used");
}

#[test]
fn a_wish_is_granted_once() {
    let (mut parent, mut child) = pair(TINY);
    assert!(!child.take_bell_request());
    parent.request_bell(true);
    assert!(!child.take_bell_request(), "nothing has been sent");
    child.try_send(&[b"x"]).unwrap();
    assert!(child.take_bell_request() && !child.take_bell_request());
    parent.request_bell(true);
    parent.request_bell(false);
    assert!(!child.take_bell_request());
    parent.try_receive(&mut Vec::new()).unwrap();
    parent.request_bell(true);
    assert!(!child.take_bell_request(), "all that was sent has been taken");
    child.try_send(&[b"x"]).unwrap();
    assert!(child.take_bell_request());
    assert!(!child.wake(), "the parent is awake");
    while parent.try_send(&[&[1; 1000]]).unwrap() {}
    assert!(!child.take_room_request(), "there is none yet");
}

#[test]
fn a_full_ring_has_room_when_a_frame_is_taken() {
    let (mut parent, mut child) = pair(TINY);
    let whole = vec![3; parent.frame_bytes_max()];
    assert_eq!(whole.len(), TINY - 16);
    for _ in 0..3 {
        assert_eq!(parent.try_send(&[&whole]), Ok(true));
        assert_eq!(parent.try_send(&[]), Ok(false));
        let mut frame = Vec::new();
        assert!(child.has_input() && child.spin(0));
        assert_eq!(child.try_receive(&mut frame), Ok(Some(whole.len())));
        assert_eq!(frame, whole);
        assert!(child.take_room_request() && !child.take_room_request());
        parent.sleep(None).unwrap(); // returns: there is room
        assert_eq!(parent.try_send(&[]), Ok(true));
        assert_eq!(child.try_receive(&mut frame), Ok(Some(0)));
        assert!(!child.take_room_request() && !child.spin(3));
    }
}

#[test]
fn a_frame_that_never_fits_is_an_error_and_no_more() {
    let (mut parent, mut child) = pair(TINY);
    let max = parent.frame_bytes_max();
    let large = parent.try_send(&[&vec![0; max], &[0]]);
    assert_eq!(large, Err(RingError::TooLarge { bytes: max + 1, max }));
    assert!(!child.has_input());
    assert_eq!(parent.try_send(&[b"x"]), Ok(true));
    assert_eq!(child.try_receive(&mut Vec::new()), Ok(Some(1)));
}

#[test]
fn sleep_ends_with_a_signal_a_wake_and_its_time() {
    let (parent, child) = pair(TINY);
    parent.sleep(Some(Duration::from_millis(1))).unwrap();
    let (sender, receiver) = mpsc::channel();
    let sleeper = thread::spawn(move || {
        let registration = Registration::current_thread().unwrap();
        sender.send(registration.interrupter()).unwrap();
        parent.sleep(None).unwrap();
        parent.sleep(None).unwrap();
    });
    while !child.wake() {
        thread::yield_now();
    }
    let interrupter = receiver.recv().unwrap();
    while !sleeper.is_finished() {
        interrupter.interrupt();
    }
    sleeper.join().unwrap();
}

#[test]
fn what_is_no_ring_is_refused() {
    let kind = |file: OwnedFd| RingEnd::open(file).unwrap_err().kind();
    let words = layout::words_for_lanes(TINY).unwrap();
    for len in [1, words - 1, words, words + 1] {
        let garbage = SharedWords::create("garbage", len).unwrap();
        assert_eq!(kind(file_of(&garbage)), io::ErrorKind::InvalidData, "{len} words of zeroes");
    }
    let version = RingEnd::create(TINY).unwrap();
    layout::title(version.memory.words()).magic.fetch_add(1, Ordering::Relaxed);
    assert_eq!(kind(file_of(&version)), io::ErrorKind::InvalidData);
    let size = RingEnd::create(TINY).unwrap();
    layout::title(size.memory.words()).bytes.store(2 * TINY as u64, Ordering::Relaxed);
    assert_eq!(kind(file_of(&size)), io::ErrorKind::InvalidData);
    let used = RingEnd::create(TINY).unwrap();
    let lane = layout::lane(used.memory.words(), Side::Child);
    lane.written.store(1, Ordering::Relaxed);
    assert_eq!(kind(file_of(&used)), io::ErrorKind::InvalidData);
}

#[test]
fn a_memory_that_could_shrink_is_refused() {
    // SAFETY: the name is a C string that lives throughout the call.
    let fd = unsafe { libc::memfd_create(c"test".as_ptr(), libc::MFD_ALLOW_SEALING) };
    assert!(fd >= 0);
    // SAFETY: a new descriptor that nobody else owns.
    let file = unsafe { std::os::fd::FromRawFd::from_raw_fd(fd) };
    let file: OwnedFd = file;
    let bytes = layout::words_for_lanes(TINY).unwrap() * layout::WORD;
    // SAFETY: plain system call on an open descriptor.
    assert_eq!(unsafe { libc::ftruncate(file.as_raw_fd(), bytes as libc::off_t) }, 0);
    assert_eq!(RingEnd::open(file).unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn other_sizes_are_not_made() {
    for bytes in [0, 2048, 5000, 32 << 20] {
        assert_eq!(RingEnd::create(bytes).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
    RingEnd::create(16 << 20).unwrap();
}
