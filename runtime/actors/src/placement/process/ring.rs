//! The way through shared memory: two rings that carry the same bytes as a socket would, and a socket as doorbell.
//!
//! A ring is faster than a socket only while its reader is awake: so both sides spin for a moment before they wait.
//! How long depends on the machine (not at all on one core) and on success: a side that spins in vain halves its next
//! spin. Whoever gives up says so in shared memory and waits for a byte on the socket, together with everything else
//! it waits for.

use palco_sys::{RingEnd, RingError, spin_budget};

/// Bytes of one frame of the ring; what is sent is cut into such parts.
const PART_BYTES_MAX: usize = 16 << 10;

/// A spin that is never shortened any further.
const SPINS_MIN: u32 = 16;

/// One end.
#[derive(Debug)]
pub(super) struct Ring {
    end: RingEnd,
    spins: u32,
    spins_max: u32,
    /// The doorbell has been asked for.
    waits: bool,
}

impl Ring {
    pub(super) fn new(end: RingEnd) -> Self {
        let spins_max = spin_budget();
        Self { end, spins: spins_max, spins_max, waits: false }
    }

    pub(super) fn end(&self) -> &RingEnd {
        &self.end
    }

    /// Sends as much of `bytes` as there is room for, and returns how much that is.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<usize, RingError> {
        let part = self.end.frame_bytes_max().min(PART_BYTES_MAX);
        let mut sent = 0;
        for part in bytes.chunks(part) {
            if !self.end.try_send(&[part])? {
                break;
            }
            sent += part.len();
        }
        Ok(sent)
    }

    /// Takes all that is there; false if that is nothing.
    pub(super) fn receive(&mut self, into: &mut Vec<u8>) -> Result<bool, RingError> {
        let before = into.len();
        while self.end.try_receive(into)?.is_some() {}
        Ok(into.len() > before)
    }

    /// Whether the other side waits for its doorbell: because of what was sent, or of the room that was made.
    pub(super) fn must_ring(&self) -> bool {
        // Both are asked: each wish is told once.
        let makes_room = self.end.take_room_request();
        self.end.take_bell_request() || makes_room
    }

    /// Looks for input for a moment; true if there is some.
    pub(super) fn spin(&mut self) -> bool {
        if self.spins_max == 0 {
            return self.end.has_input();
        }
        if std::mem::take(&mut self.waits) {
            // Awake: a bell would only cost the other side a system call.
            self.end.request_bell(false);
        }
        let found = self.end.spin(self.spins);
        self.spins = if found {
            (self.spins * 2).min(self.spins_max)
        } else {
            (self.spins / 2).max(SPINS_MIN)
        };
        found
    }

    /// Says that this side is about to wait for its doorbell; false if there is input after all.
    pub(super) fn may_wait(&mut self) -> bool {
        self.waits = true;
        self.end.request_bell(true);
        !self.end.has_input()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn what_does_not_fit_is_sent_when_there_is_room() {
        let mut here = Ring::new(RingEnd::create(4 << 10).unwrap());
        let file = here.end().as_fd().try_clone_to_owned().unwrap();
        let mut there = Ring::new(RingEnd::open(file).unwrap());
        let load: Vec<u8> = (0..100_000u32).map(|index| (index % 251) as u8).collect();
        let (mut sent, mut seen) = (0, Vec::new());
        while seen.len() < load.len() {
            sent += here.send(&load[sent..]).unwrap();
            there.receive(&mut seen).unwrap();
        }
        assert_eq!(seen, load);
    }

    #[test]
    fn who_waits_for_the_bell_is_rung_once() {
        let mut here = Ring::new(RingEnd::create(4 << 10).unwrap());
        let file = here.end().as_fd().try_clone_to_owned().unwrap();
        let mut there = Ring::new(RingEnd::open(file).unwrap());
        assert!(there.may_wait());
        here.send(b"x").unwrap();
        assert!(here.must_ring());
        assert!(!here.must_ring());
        assert!(!there.may_wait(), "there is input");
        there.receive(&mut Vec::new()).unwrap();
    }
}
