//! Remembers what a carrier said, in order, and lets a test wait for it.

use std::sync::Arc;

use bytes::Bytes;
use palco_threads::block_on;
use palco_transport::{Event, Hear, Lane, Outbox, Peer, PushError, Session};
use parking_lot::{Condvar, Mutex};

/// What was heard.
#[derive(Default)]
pub(crate) struct Heard {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    /// Frames of this lane are not taken in while it is set: the carrier's loop is held up.
    gate: Option<Lane>,
    /// Whether the loop stands at the gate.
    is_held: bool,
}

impl Hear for Heard {
    fn hear(&self, event: Event) {
        let mut state = self.state.lock();
        if let Event::Frames { lane, .. } = &event {
            while state.gate == Some(*lane) {
                state.is_held = true;
                self.changed.notify_all();
                self.changed.wait(&mut state);
            }
            state.is_held = false;
        }
        state.events.push(event);
        self.changed.notify_all();
    }
}

impl Heard {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Waits until `found` finds something in all that was heard.
    pub(crate) fn wait<T>(&self, mut found: impl FnMut(&[Event]) -> Option<T>) -> T {
        let mut state = self.state.lock();
        loop {
            if let Some(found) = found(&state.events) {
                return found;
            }
            self.changed.wait(&mut state);
        }
    }

    pub(crate) fn now<T>(&self, look: impl FnOnce(&[Event]) -> T) -> T {
        look(&self.state.lock().events)
    }

    pub(crate) fn hold(&self, lane: Lane) {
        self.state.lock().gate = Some(lane);
    }

    pub(crate) fn wait_until_held(&self) {
        let mut state = self.state.lock();
        while !state.is_held {
            self.changed.wait(&mut state);
        }
    }

    pub(crate) fn release(&self) {
        self.state.lock().gate = None;
        self.changed.notify_all();
    }

    /// The `nth` connection to a peer, from 0.
    pub(crate) fn connected(&self, to: Peer, nth: usize) -> (Session, Outbox) {
        self.wait(|events| {
            let connected = events.iter().filter_map(|event| match event {
                Event::Connected { peer, session, outbox, .. } if *peer == to => {
                    Some((*session, outbox.clone()))
                }
                _ => None,
            });
            connected.skip(nth).last().filter(|_| connections(events, to) > nth)
        })
    }

    /// Why the connection was lost.
    pub(crate) fn lost(&self, of: Session) -> String {
        self.wait(|events| {
            events.iter().find_map(|event| match event {
                Event::Lost { session, why, .. } if *session == of => Some(why.clone()),
                _ => None,
            })
        })
    }

    /// Who was refused first, and why.
    pub(crate) fn refused(&self) -> (Option<Peer>, String) {
        self.wait(|events| {
            events.iter().find_map(|event| match event {
                Event::Refused { peer, why, .. } => Some((*peer, why.clone())),
                _ => None,
            })
        })
    }

    pub(crate) fn connections(&self, to: Peer) -> usize {
        self.now(|events| connections(events, to))
    }

    /// Frames of a session's lane, once there are so many.
    pub(crate) fn frames(&self, session: Session, lane: Lane, count: usize) -> Vec<Bytes> {
        self.wait(|events| {
            let frames = frames(events, session, lane);
            (frames.len() >= count).then_some(frames)
        })
    }
}

fn connections(events: &[Event], to: Peer) -> usize {
    let is_it = |event: &&Event| matches!(event, Event::Connected { peer, .. } if *peer == to);
    events.iter().filter(is_it).count()
}

/// Frames of a session's lane so far.
pub(crate) fn frames(events: &[Event], of: Session, in_lane: Lane) -> Vec<Bytes> {
    let frames = events.iter().filter_map(|event| match event {
        Event::Frames { session, lane, frames, .. } if *session == of && *lane == in_lane => {
            Some(frames.iter().cloned())
        }
        _ => None,
    });
    frames.flatten().collect()
}

/// Puts a frame into a lane, when there is room.
pub(crate) fn push(outbox: &Outbox, lane: Lane, frame: Bytes) -> Result<(), PushError> {
    let mut frame = frame;
    loop {
        let room = outbox.room();
        match outbox.try_push(lane, frame) {
            Err(PushError::Full(back)) => {
                frame = back;
                block_on(room);
            }
            other => return other,
        }
    }
}
