//! A ring in shared memory: both ends look for a moment before they sleep.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use palco_sys::{RingEnd, spin_budget};

use super::super::contest::{Load, Outcome, Refusal};
use super::{ANSWER_WITHIN, End, against, frame, read_frame};

/// For each direction, as palco's rows have it.
const RING_BYTES: usize = 64 << 10;

/// How long to sleep before looking whether the peer is silent for too long.
const NAP: Duration = Duration::from_secs(1);

/// The asker's end. Dropped it says so, with an empty frame.
pub(super) struct Asker {
    way: Way,
    answer: Vec<u8>,
}

/// One end and how it waits.
struct Way {
    end: RingEnd,
    spins: u32,
}

impl Way {
    fn new(end: RingEnd) -> Self {
        Self { end, spins: spin_budget() }
    }

    /// Puts a frame into the ring, when there is room. The peer is woken only if it has to make some.
    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let mut since = None;
        while !self.end.try_send(&[frame]).map_err(io::Error::other)? {
            self.end.wake();
            self.wait(&mut since)?;
        }
        Ok(())
    }

    /// Takes a frame, when there is one.
    fn receive(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        into.clear();
        let mut since = None;
        while self.end.try_receive(into).map_err(io::Error::other)?.is_none() {
            if self.end.take_room_request() {
                self.end.wake();
            }
            if !self.end.spin(self.spins) {
                self.wait(&mut since)?;
            }
        }
        Ok(())
    }

    fn wait(&self, since: &mut Option<Instant>) -> io::Result<()> {
        if since.get_or_insert_with(Instant::now).elapsed() > ANSWER_WITHIN {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.end.sleep(Some(NAP))
    }
}

impl End for Asker {
    fn tell(&mut self, number: u64) -> Result<(), Refusal> {
        self.way.send(&frame(number, false)).map_err(Refusal::failed)
    }

    fn ask(&mut self, number: u64) -> Result<u64, Refusal> {
        self.way.send(&frame(number, true)).map_err(Refusal::failed)?;
        self.way.end.wake();
        self.way.receive(&mut self.answer).map_err(Refusal::failed)?;
        Ok(read_frame(&self.answer).0)
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        // A peer that has gone, or makes no room, is killed when its time is over.
        let _sent = self.way.end.try_send(&[]);
        self.way.end.wake();
    }
}

/// One round.
pub(super) fn play(load: Load, job: fn(Load, Asker) -> Outcome) -> Outcome {
    let here = RingEnd::create(RING_BYTES).map_err(Refusal::failed)?;
    let there = here.as_fd().try_clone_to_owned().map_err(Refusal::failed)?;
    against(super::Read::Ring, there, move || {
        job(load, Asker { way: Way::new(here), answer: Vec::new() })
    })
}

/// The other process: until an empty frame, or nobody speaks for long.
pub(super) fn count(descriptor: OwnedFd) -> io::Result<()> {
    let mut way = Way::new(RingEnd::open(descriptor)?);
    let (mut count, mut received) = (0_u64, Vec::new());
    loop {
        way.receive(&mut received)?;
        if received.is_empty() {
            return Ok(());
        }
        let (number, asked) = read_frame(&received);
        count += number;
        if asked {
            way.send(&frame(count, false))?;
            way.end.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn more_than_fits_is_counted() {
        let here = RingEnd::create(4 << 10).unwrap();
        let there = here.as_fd().try_clone_to_owned().unwrap();
        let counting = thread::spawn(move || count(there));
        let mut asker = Asker { way: Way::new(here), answer: Vec::new() };
        for _ in 0..2_000 {
            asker.tell(2).unwrap();
        }
        assert_eq!(asker.ask(1), Ok(4_001));
        drop(asker);
        counting.join().unwrap().unwrap();
    }
}
