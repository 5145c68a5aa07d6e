//! Messages on their way: a set, in no order. One that is never delivered is lost.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use palco_rambo::{Message, NodeId};

use super::world::print_of;

/// A message on its way.
#[derive(Clone)]
pub(crate) struct Envelope {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) message: Arc<Message>,
    print: u64,
}

impl Envelope {
    pub(crate) fn new(from: NodeId, to: NodeId, message: Message) -> Self {
        Self { from, to, print: print_of(&message), message: Arc::new(message) }
    }

    fn place(&self) -> (NodeId, NodeId, u64) {
        (self.to, self.from, self.print)
    }
}

impl PartialEq for Envelope {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}: {:?}", self.from, self.to, self.message.body)?;
        self.message.map.as_ref().map_or(Ok(()), |knowledge| write!(f, " with {}", knowledge.map))
    }
}

/// All of them, in the order of their receivers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Network(Vec<Envelope>);

impl Network {
    /// The same message twice on its way is once on its way: the other was lost.
    pub(crate) fn send(&mut self, envelope: Envelope) {
        let place = envelope.place();
        if let Err(at) = self.0.binary_search_by_key(&place, Envelope::place) {
            self.0.insert(at, envelope);
        }
    }

    pub(crate) fn take(&mut self, envelope: &Envelope) {
        self.0.retain(|other| other != envelope);
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&Envelope) -> bool) {
        self.0.retain(keep);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Envelope> {
        self.0.iter()
    }
}

impl Hash for Network {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for envelope in &self.0 {
            envelope.place().hash(hasher);
        }
    }
}
