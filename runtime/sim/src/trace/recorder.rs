//! The recording of a run: a ring of what happened last.

use std::collections::{BTreeSet, VecDeque};

use palco_core::Time;
use palco_rambo::{Body, Message, NodeId};

use super::{Happening, Trace, Traced};
use crate::scenario::TraceWish;

/// Records, if that is wished.
#[derive(Debug)]
pub(crate) struct Recorder {
    room: usize,
    nodes: Vec<NodeId>,
    seen: BTreeSet<NodeId>,
    events: VecDeque<Traced>,
    dropped: u64,
}

/// Which message of a recording, to say later what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent(u64);

impl Recorder {
    /// Nothing happened.
    pub(crate) fn new(wish: TraceWish) -> Self {
        let room = match wish {
            TraceWish::None => 0,
            TraceWish::Last(room) => room,
        };
        Self { room, nodes: Vec::new(), seen: BTreeSet::new(), events: VecDeque::new(), dropped: 0 }
    }

    /// Whether it is worth describing something.
    pub(crate) fn is_on(&self) -> bool {
        self.room > 0
    }

    /// Somebody is about.
    pub(crate) fn appears(&mut self, node: NodeId) {
        if self.seen.insert(node) {
            self.nodes.push(node);
        }
    }

    /// Something happened. Described only if it is recorded.
    pub(crate) fn record(&mut self, at: Time, what: impl FnOnce() -> Happening) {
        if !self.is_on() {
            return;
        }
        if self.events.len() >= self.room {
            self.events.pop_front();
            self.dropped += 1;
        }
        self.events.push_back(Traced { at, what: what() });
    }

    /// A message leaves, and will arrive then.
    pub(crate) fn sent(
        &mut self,
        at: Time,
        (from, to): (NodeId, NodeId),
        message: &Message,
        arrived: Option<Time>,
    ) -> Sent {
        self.record(at, || Happening::Message {
            from,
            to,
            arrived,
            kind: kind(&message.body),
            detail: detail(message),
        });
        Sent(self.dropped + self.events.len().saturating_sub(1) as u64)
    }

    /// When a message really arrived, if it did.
    pub(crate) fn arrived(&mut self, sent: Sent, at: Option<Time>) {
        let position = sent.0.checked_sub(self.dropped).map(|position| position as usize);
        let Some(traced) = position.and_then(|position| self.events.get_mut(position)) else {
            return;
        };
        if let Happening::Message { arrived, .. } = &mut traced.what {
            *arrived = at;
        }
    }

    /// The recording.
    pub(crate) fn into_trace(self) -> Option<Trace> {
        let on = self.is_on();
        let Self { nodes, events, dropped, .. } = self;
        on.then(|| Trace { nodes, events: events.into(), dropped })
    }
}

/// What the protocol calls a message.
fn kind(body: &Body) -> &'static str {
    match body {
        Body::Query { .. } => "query",
        Body::Queried { .. } => "queried",
        Body::Propagate { .. } => "propagate",
        Body::Propagated { .. } => "propagated",
        Body::CasPrepare { .. } => "cas-prepare",
        Body::CasPromised { .. } => "cas-promised",
        Body::CasAccept { .. } => "cas-accept",
        Body::CasAccepted { .. } => "cas-accepted",
        Body::CasRefused { .. } => "cas-refused",
        Body::Prepare { .. } => "prepare",
        Body::Promised { .. } => "promised",
        Body::Accept { .. } => "accept",
        Body::Accepted { .. } => "accepted",
        Body::Refused { .. } => "refused",
        Body::Inform { .. } => "inform",
        Body::Informed { .. } => "informed",
        Body::Collect { .. } => "collect",
        Body::Collecting { .. } => "collecting",
        Body::Collected { .. } => "collected",
        Body::Pull { .. } => "pull",
        Body::Pulled { .. } => "pulled",
        Body::AskMap => "ask-map",
        Body::TellMap => "tell-map",
    }
}

/// What matters in a message.
fn detail(message: &Message) -> String {
    let about = match &message.body {
        Body::Query { key, .. } => key.to_string(),
        Body::Queried { tag, durable, .. } => {
            format!("tag {tag}{}", if *durable { "" } else { ", not on disk" })
        }
        Body::Propagate { key, tagged, .. } => format!("{key} tag {}", tagged.tag),
        Body::CasPrepare { key, ballot, .. } => format!("{key} ballot {ballot}"),
        Body::CasPromised { accepted, .. } => format!("accepted {}", accepted.tag),
        Body::CasAccept { key, accept, .. } => format!("{key} ballot {}", accept.tag),
        Body::CasRefused { promised, .. } => format!("promised {promised}"),
        Body::Prepare { index, ballot, .. } => format!("c{index} ballot {ballot}"),
        Body::Promised { accepted, .. } => match accepted {
            Some((ballot, one)) => format!("accepted {one} under {ballot}"),
            None => "accepted nothing".to_owned(),
        },
        Body::Accept { ballot, configuration, .. } => format!("{configuration} ballot {ballot}"),
        Body::Refused { promised, .. } => format!("promised {promised}"),
        Body::Inform { target, .. } | Body::Collect { target, .. } => format!("c{target}"),
        Body::Pull { from, .. } => format!("from {}", from.position),
        Body::Pulled { registers, last, .. } => {
            format!("{} registers{}", registers.len(), if *last { ", the last" } else { "" })
        }
        Body::Propagated { phase }
        | Body::CasAccepted { phase }
        | Body::Accepted { phase }
        | Body::Informed { phase }
        | Body::Collecting { phase }
        | Body::Collected { phase } => format!("phase {}.{}", phase.boot, phase.number),
        Body::AskMap | Body::TellMap => String::new(),
    };
    match &message.map {
        Some(knowledge) if about.is_empty() => knowledge.map.to_string(),
        Some(knowledge) => format!("{about}, map {}", knowledge.map),
        None => about,
    }
}

#[cfg(test)]
mod tests {
    use palco_rambo::Version;

    use super::*;

    fn message() -> Message {
        Message { version: Version::default(), map: None, body: Body::AskMap }
    }

    #[test]
    fn the_ring_keeps_the_last_and_counts_the_rest() {
        let mut recorder = Recorder::new(TraceWish::Last(2));
        let link = (NodeId(1), NodeId(2));
        recorder.appears(NodeId(1));
        recorder.appears(NodeId(1));
        let at = Time::from_nanos;
        let sent: Vec<_> = (0..3)
            .map(|time| recorder.sent(at(time), link, &message(), Some(at(time + 10))))
            .collect();
        recorder.arrived(sent[0], None);
        recorder.arrived(sent[2], None);
        let trace = recorder.into_trace().expect("it was wished for");
        assert_eq!((trace.dropped, trace.nodes), (1, vec![NodeId(1)]));
        let arrivals: Vec<_> = trace
            .events
            .iter()
            .map(|traced| match &traced.what {
                Happening::Message { arrived, .. } => *arrived,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(arrivals, [Some(at(11)), None]);
    }

    #[test]
    fn nothing_is_described_that_is_not_recorded() {
        let mut recorder = Recorder::new(TraceWish::None);
        recorder.record(Time::START, || unreachable!("nobody wants to know"));
        assert!(recorder.into_trace().is_none());
    }
}
