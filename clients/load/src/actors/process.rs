//! Nothing but another process and a way to it: what remains when everything that makes an actor is taken away.
//!
//! The other process is this program, started as an actor that nothing confines; but all the while it is in one handler,
//! on its only thread, where it reads and writes and nothing else. Frames have 64 bytes.

mod ring;
mod socket;

use std::borrow::Cow;
use std::future::ready;
use std::os::fd::OwnedFd;
use std::time::Duration;

use palco_actors::{
    Actor, Confinement, Context, Failure, Handler, Luggage, Message, MessageTable, Parcel, Place,
    Portable, ProcessOptions, SpawnOptions, System,
};
use palco_threads::block_on;
use serde::{Deserialize, Serialize};

use super::Question;
use super::contest::{Contestant, Load, Outcome, Refusal};
use super::pace;

const FRAME_BYTES: usize = 64;

type Frame = [u8; FRAME_BYTES];

/// A peer that says nothing for this long is broken.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The process needs no longer to end than to see that nobody writes any more.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// Adds what it reads, and writes the count where it is asked to.
pub(crate) struct Peer(Option<OwnedFd>);

/// Reads until nobody writes any more.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Read {
    Socket,
    Ring,
}

impl Message for Read {
    type Reply = ();
}

impl Actor for Peer {}

impl Portable for Peer {
    type Args = ();

    fn kind() -> Cow<'static, str> {
        "bench/peer".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table.handles::<Read>();
    }

    fn make((): (), mut luggage: Luggage) -> Result<Self, Failure> {
        Ok(Self(Some(luggage.take_descriptor()?)))
    }
}

impl Handler<Read> for Peer {
    async fn handle(&mut self, read: Read, cx: &mut Context<Self>) {
        let Some(descriptor) = self.0.take() else { return };
        let done = match read {
            Read::Socket => socket::count(descriptor.into()).map_err(Failure::from),
            Read::Ring => ring::count(descriptor).map_err(Failure::from),
        };
        if let Err(failure) = done {
            cx.fail(failure);
        }
    }
}

/// Has `asker` play with a process that has the other end.
fn against(read: Read, there: OwnedFd, asker: impl FnOnce() -> Outcome) -> Outcome {
    let system = System::builder().event_loops(1).build().map_err(Refusal::failed)?;
    let process = ProcessOptions::new().confinement(Confinement::none());
    let options = SpawnOptions::new().place(Place::Process).process(process);
    let pack = move || Ok(Parcel::new(()).with_descriptor(there.try_clone()?));
    let outcome = match system.spawn_portable::<Peer>(options.stop_within(STOP_WITHIN), pack) {
        Ok(peer) => peer.try_tell(read).map_err(Refusal::failed).and_then(|()| asker()),
        Err(error) => Err(Refusal::failed(error)),
    };
    block_on(system.shutdown());
    outcome
}

/// A number to add, and whether the count is asked for.
fn frame(number: u64, asked: bool) -> Frame {
    let mut frame = [0; FRAME_BYTES];
    frame[..8].copy_from_slice(&number.to_le_bytes());
    frame[8] = asked.into();
    frame
}

/// What [`frame`] was made of; nothing of too few bytes.
fn read_frame(frame: &[u8]) -> (u64, bool) {
    let number = frame.first_chunk().map_or(0, |number| u64::from_le_bytes(*number));
    (number, frame.get(8) == Some(&1))
}

/// What one end of a bare way can do.
trait End {
    /// Sends, perhaps later.
    fn tell(&mut self, number: u64) -> Result<(), Refusal>;

    /// Sends with all that waits, and reads the count.
    fn ask(&mut self, number: u64) -> Result<u64, Refusal>;
}

fn asks(load: Load, mut end: impl End) -> Outcome {
    block_on(pace::asks(load, |number| ready(end.ask(number))))
}

fn tells(load: Load, end: impl End) -> Outcome {
    let end = std::cell::RefCell::new(end);
    let tell = |number| ready(end.borrow_mut().tell(number));
    block_on(pace::tells(load, tell, || ready(end.borrow_mut().ask(0))))
}

pub(crate) fn contestants() -> Vec<Contestant> {
    use Question::{AskProcessRing, AskProcessSocket, TellProcessRing, TellProcessSocket};
    let ring = "two plain threads of two processes; both spin, then sleep on a futex";
    vec![
        Contestant::new(
            AskProcessSocket,
            "bare socketpair",
            "two plain threads of two processes, blocking read and write, 64 bytes",
            |load| socket::play(load, socket::Writes::Each, asks),
        ),
        Contestant::new(AskProcessRing, "bare ring", ring, |load| ring::play(load, asks)),
        Contestant::new(
            TellProcessSocket,
            "bare socketpair, one write",
            "blocking; a burst of 64-byte frames is one write",
            |load| socket::play(load, socket::Writes::Burst, tells),
        ),
        Contestant::new(
            TellProcessSocket,
            "bare socketpair, a write each",
            "blocking; each 64-byte frame is a write",
            |load| socket::play(load, socket::Writes::Each, tells),
        ),
        Contestant::new(TellProcessRing, "bare ring", ring, |load| ring::play(load, tells)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_back() {
        for (number, asked) in [(0, false), (u64::MAX, true), (7, false)] {
            assert_eq!(read_frame(&frame(number, asked)), (number, asked));
        }
        assert_eq!(read_frame(&[1]), (0, false));
    }
}
