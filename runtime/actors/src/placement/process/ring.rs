//! The way through shared memory: two rings that carry the same bytes as a socket would, and a socket as doorbell.
//!
//! A ring is faster than a socket only while its reader is awake: so both sides spin for a moment before they wait.
//! How long depends on the machine (not at all on one core) and on success: see [`Patience`]. Whoever gives up says so in shared memory and waits for a byte on the socket, together with everything else
//! it waits for.

use std::sync::OnceLock;

use palco_sys::{RingEnd, RingError, spin_budget};

/// Bytes of one frame of the ring; what is sent is cut into such parts.
const PART_BYTES_MAX: usize = 16 << 10;

/// Parts that are taken at once.
const PARTS_MAX: usize = 256;

/// A spin that is never shortened any further.
const SPINS_MIN: u32 = 16;

/// After so many spins in vain, one is as long as it may be: peers that sleep for want of each other's patience find back.
const VAIN_MAX: u32 = 64;

/// As much patience as this machine allows; none on one core. Its processes are told: they need not read, in files that
/// they may not be allowed to read, what is the same for them.
pub(super) fn spins_max() -> u32 {
    static SPINS: OnceLock<u32> = OnceLock::new();
    *SPINS.get_or_init(spin_budget)
}

/// How often to look before waiting: halved by a look in vain, doubled by success.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    spins: u32,
    max: u32,
    vain: u32,
}

impl Patience {
    pub(super) fn new(max: u32) -> Self {
        Self { spins: max, max, vain: 0 }
    }

    /// Very little until a long look has been worth it: for a way that works well without.
    pub(super) fn reserved(max: u32) -> Self {
        Self { spins: SPINS_MIN.min(max), ..Self::new(max) }
    }

    pub(super) fn spins(self) -> u32 {
        self.spins
    }

    pub(super) fn learn(&mut self, found: bool) {
        self.vain = if found { 0 } else { self.vain + 1 };
        self.spins = match (found, self.vain) {
            (true, _) => (self.spins * 2).min(self.max),
            (false, VAIN_MAX..) => {
                self.vain = 0;
                self.max
            }
            (false, _) => (self.spins / 2).max(SPINS_MIN.min(self.max)),
        };
    }
}

/// One end.
#[derive(Debug)]
pub(super) struct Ring {
    end: RingEnd,
    patience: Patience,
    /// The doorbell has been asked for.
    waits: bool,
    /// Something has been taken since the other side was last asked whether it lacks room.
    has_made_room: bool,
}

impl Ring {
    pub(super) fn new(end: RingEnd, spins_max: u32) -> Self {
        Self { end, patience: Patience::new(spins_max), waits: false, has_made_room: false }
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

    /// Takes what is there, or part of it: another process could go on for ever. False if there is nothing.
    pub(super) fn receive(&mut self, into: &mut Vec<u8>) -> Result<bool, RingError> {
        let mut parts = 0;
        while parts < PARTS_MAX && self.end.try_receive(into)?.is_some() {
            parts += 1;
        }
        self.has_made_room |= parts > 0;
        Ok(parts > 0)
    }

    /// Whether the other side waits for its doorbell, because of what was sent.
    pub(super) fn must_ring(&self) -> bool {
        self.end.take_bell_request()
    }

    /// Whether it waits because of the room that was made. To be asked before every wait, and not at once: whoever sent
    /// what was taken mostly waits for the answer.
    pub(super) fn must_ring_for_room(&mut self) -> bool {
        std::mem::take(&mut self.has_made_room) && self.end.take_room_request()
    }

    /// Looks for input for a moment; true if there is some.
    pub(super) fn spin(&mut self) -> bool {
        if self.patience.spins() == 0 {
            return self.end.has_input();
        }
        if std::mem::take(&mut self.waits) {
            // Awake: a bell would only cost the other side a system call.
            self.end.request_bell(false);
        }
        let found = self.end.spin(self.patience.spins());
        self.patience.learn(found);
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
    fn patience_wanes_and_comes_back() {
        let mut patience = Patience { spins: 100, max: 100, vain: 0 };
        let mut learn = |found| {
            patience.learn(found);
            patience.spins()
        };
        assert_eq!([false, false, false, false, true].map(&mut learn), [50, 25, 16, 16, 32]);
        let all: Vec<_> = (0..VAIN_MAX).map(|_| learn(false)).collect();
        assert_eq!((all[10], all.last()), (16, Some(&100)));
        let mut none = Patience { spins: 0, max: 0, vain: 0 };
        none.learn(true);
        none.learn(false);
        assert_eq!(none.spins(), 0, "one core");
    }

    #[test]
    fn what_does_not_fit_is_sent_when_there_is_room() {
        let mut here = Ring::new(RingEnd::create(4 << 10).unwrap(), 0);
        let file = here.end().as_fd().try_clone_to_owned().unwrap();
        let mut there = Ring::new(RingEnd::open(file).unwrap(), 0);
        let load: Vec<u8> = (0..100_000u32).map(|index| (index % 251) as u8).collect();
        let (mut sent, mut seen) = (0, Vec::new());
        while seen.len() < load.len() {
            sent += here.send(&load[sent..]).unwrap();
            there.receive(&mut seen).unwrap();
        }
        assert_eq!(seen, load);
    }

    #[test]
    fn empty_parts_are_taken_by_and_by() {
        let mut here = RingEnd::create(4 << 10).unwrap();
        let file = here.as_fd().try_clone_to_owned().unwrap();
        let mut there = Ring::new(RingEnd::open(file).unwrap(), 0);
        for _ in 0..PARTS_MAX + 1 {
            assert!(here.try_send(&[]).unwrap());
        }
        let mut seen = Vec::new();
        assert_eq!([(); 3].map(|()| there.receive(&mut seen).unwrap()), [true, true, false]);
        assert!(seen.is_empty());
    }

    #[test]
    fn who_waits_for_the_bell_is_rung_once() {
        let mut here = Ring::new(RingEnd::create(4 << 10).unwrap(), 0);
        let file = here.end().as_fd().try_clone_to_owned().unwrap();
        let mut there = Ring::new(RingEnd::open(file).unwrap(), 0);
        assert!(there.may_wait());
        assert!(!here.must_ring(), "for nothing");
        here.send(b"x").unwrap();
        assert!(here.must_ring());
        assert!(!here.must_ring());
        assert!(!there.may_wait(), "there is input");
        there.receive(&mut Vec::new()).unwrap();
    }
}
