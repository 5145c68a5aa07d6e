//! What a replica has to say: collected, held back until the disk agrees, and said in few words.

use std::collections::VecDeque;
use std::mem;

use palco_actors::{Recipient, SendError};
use palco_rambo::{Barrier, Message, NodeId, Record};

use crate::pack::{PACKED_BYTES_MAX, pack};
use crate::words::{Answer, Letter, Out};

/// Collects what goes out until [`Self::say`].
#[derive(Debug)]
pub(crate) struct Speech {
    shard: u16,
    node: NodeId,
    /// One buffer for each peer, and those that are full.
    open: Vec<(NodeId, Vec<u8>)>,
    letters: Vec<Letter>,
    answers: Vec<Answer>,
    /// Messages that must not be sent before their barrier.
    held: VecDeque<(Barrier, NodeId, Message)>,
    durable: Barrier,
    records: Vec<(Barrier, Record)>,
    /// What could not be handed over, for the outlet was full; answers are never lost.
    unsaid: Vec<Answer>,
    lost: u64,
}

impl Speech {
    pub(crate) fn of(shard: u16, node: NodeId) -> Self {
        Self {
            shard,
            node,
            open: Vec::new(),
            letters: Vec::new(),
            answers: Vec::new(),
            held: VecDeque::new(),
            durable: 0,
            records: Vec::new(),
            unsaid: Vec::new(),
            lost: 0,
        }
    }

    pub(crate) fn send(&mut self, to: NodeId, after: Barrier, message: Message) {
        if after > self.durable {
            self.held.push_back((after, to, message));
        } else {
            self.write(to, &message);
        }
    }

    pub(crate) fn keep(&mut self, barrier: Barrier, record: Record) {
        self.records.push((barrier, record));
    }

    pub(crate) fn answer(&mut self, answer: Answer) {
        self.answers.push(answer);
    }

    /// Everything up to `barrier` is on disk: what waited for that may go.
    pub(crate) fn kept(&mut self, barrier: Barrier) {
        self.durable = self.durable.max(barrier);
        for _ in 0..self.held.len() {
            let Some((after, to, message)) = self.held.pop_front() else { break };
            if after > self.durable {
                self.held.push_back((after, to, message));
            } else {
                self.write(to, &message);
            }
        }
    }

    /// What is to be stored since the last time.
    pub(crate) fn records(&mut self) -> Vec<(Barrier, Record)> {
        mem::take(&mut self.records)
    }

    pub(crate) fn has_something_to_say(&self) -> bool {
        !(self.open.is_empty()
            && self.letters.is_empty()
            && self.answers.is_empty()
            && self.records.is_empty())
    }

    /// Letters that found no room.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    fn write(&mut self, to: NodeId, message: &Message) {
        let place = self.open.iter().position(|(node, _)| *node == to);
        let place = place.unwrap_or_else(|| {
            self.open.push((to, Vec::new()));
            self.open.len() - 1
        });
        let packed = &mut self.open[place].1;
        pack(message, packed);
        if packed.len() >= PACKED_BYTES_MAX {
            let (to, packed) = self.open.swap_remove(place);
            self.letters.push(Letter { to, packed: packed.into() });
        }
    }

    /// Says all of it to whoever listens there. False if answers are left to be said: try again soon.
    pub(crate) fn say(&mut self, outlet: &Recipient<Out>) -> bool {
        let full = self.open.drain(..);
        self.letters.extend(full.map(|(to, packed)| Letter { to, packed: packed.into() }));
        self.unsaid.append(&mut self.answers);
        let out = Out {
            shard: self.shard,
            node: self.node,
            letters: mem::take(&mut self.letters),
            answers: mem::take(&mut self.unsaid),
        };
        match outlet.try_tell(out) {
            Ok(()) => true,
            Err(SendError::Full(out) | SendError::Closed(out)) => {
                self.lost += out.letters.len() as u64;
                self.unsaid = out.answers;
                self.unsaid.is_empty()
            }
        }
    }
}
