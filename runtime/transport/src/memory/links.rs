//! Who is in the hub, who seeks whom, and the connections between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::select;
use tokio::sync::mpsc::{UnboundedReceiver, WeakUnboundedSender};
use tokio::task::{AbortHandle, spawn};

use super::pump::Pump;
use super::{SCHEME, Settings};
use crate::event_loop::Stop;
use crate::{Drain, Event, Hear, Introduction, Outbox, Peer, Session};

/// What is to be done; in the order in which it was asked for.
pub(super) enum Command {
    Join { me: Peer, node: u64, introduction: Introduction, hear: Arc<dyn Hear> },
    Leave { me: Peer, node: u64 },
    Seek { me: Peer, node: u64, peer: Peer, at: Vec<Peer> },
    Forget { me: Peer, node: u64, peer: Peer },
    Cut(Peer, Peer),
    Mend(Peer, Peer),
    Over { pair: Pair, session: Session, why: String },
}

/// Two nodes, the lesser first.
pub(super) type Pair = (Peer, Peer);

/// The state of a hub.
pub(super) struct Links {
    settings: Settings,
    commands: WeakUnboundedSender<Command>,
    nodes: BTreeMap<Peer, Node>,
    cut: BTreeSet<Pair>,
    links: BTreeMap<Pair, Link>,
    session_last: Session,
}

struct Node {
    number: u64,
    introduction: Introduction,
    hear: Arc<dyn Hear>,
    /// Whom it seeks, and who lives where it was told to look.
    sought: BTreeMap<Peer, BTreeSet<Peer>>,
}

struct Link {
    session: Session,
    is_over: Arc<AtomicBool>,
    pumps: [AbortHandle; 2],
    outboxes: [Outbox; 2],
}

/// Tells a carrier that has left from one of the same node that joined later.
pub(super) fn node_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

fn pair(a: Peer, b: Peer) -> Pair {
    (a.min(b), a.max(b))
}

impl Links {
    pub(super) fn new(settings: Settings, commands: WeakUnboundedSender<Command>) -> Self {
        Self {
            settings,
            commands,
            nodes: BTreeMap::new(),
            cut: BTreeSet::new(),
            links: BTreeMap::new(),
            session_last: 0,
        }
    }

    pub(super) async fn run(mut self, mut orders: UnboundedReceiver<Command>, mut stop: Stop) {
        loop {
            select! {
                biased;
                Some(command) = orders.recv() => self.act(command),
                _ = &mut stop => return,
            }
        }
    }

    fn act(&mut self, command: Command) {
        match command {
            Command::Join { me, node, introduction, hear } => {
                self.end_all(me, "the node was started anew");
                let sought = BTreeMap::new();
                self.nodes.insert(me, Node { number: node, introduction, hear, sought });
                for other in self.others(me) {
                    self.connect(me, other);
                }
            }
            Command::Leave { me, node } if self.is(me, node) => {
                self.end_all(me, "the node left");
                self.nodes.remove(&me);
            }
            Command::Seek { me, node, peer, at } if self.is(me, node) => self.seek(me, peer, at),
            Command::Forget { me, node, peer } if self.is(me, node) => {
                if let Some(node) = self.nodes.get_mut(&me) {
                    node.sought.remove(&peer);
                }
                self.end(pair(me, peer), "one of the two nodes ended it");
                self.connect(me, peer);
            }
            // Of a node that was replaced by itself.
            Command::Leave { .. } | Command::Seek { .. } | Command::Forget { .. } => {}
            Command::Cut(a, b) => {
                self.cut.insert(pair(a, b));
                self.end(pair(a, b), "the connection was cut");
            }
            Command::Mend(a, b) => {
                self.cut.remove(&pair(a, b));
                self.connect(a, b);
            }
            Command::Over { pair, session, why } => {
                if self.links.get(&pair).is_some_and(|link| link.session == session) {
                    self.end(pair, &why);
                    self.connect(pair.0, pair.1);
                }
            }
        }
    }

    fn is(&self, me: Peer, number: u64) -> bool {
        self.nodes.get(&me).is_some_and(|node| node.number == number)
    }

    fn others(&self, me: Peer) -> Vec<Peer> {
        self.nodes.keys().copied().filter(|peer| *peer != me).collect()
    }

    fn seek(&mut self, me: Peer, peer: Peer, at: Vec<Peer>) {
        let Some(node) = self.nodes.get_mut(&me) else { return };
        node.sought.entry(peer).or_default().extend(at.iter().copied());
        for found in at.into_iter().filter(|found| *found != peer) {
            self.refuse_other_key(me, peer, found);
        }
        self.connect(me, peer);
    }

    /// At the address of `found`, `me` seeks `sought`.
    fn refuse_other_key(&self, me: Peer, sought: Peer, found: Peer) {
        if !self.nodes.contains_key(&found) || self.cut.contains(&pair(me, found)) {
            return;
        }
        let why = crate::other_key(sought, found);
        self.refuse(me, found, &why);
        self.refuse(found, me, &why);
    }

    fn refuse(&self, who: Peer, peer: Peer, why: &str) {
        if let Some(node) = self.nodes.get(&who) {
            let (address, why) = (format!("{SCHEME}{peer}"), why.to_owned());
            node.hear.hear(Event::Refused { peer: Some(peer), address, why });
        }
    }

    /// Makes a connection if one is sought and possible.
    fn connect(&mut self, a: Peer, b: Peer) {
        let pair = pair(a, b);
        let (Some(one), Some(other)) = (self.nodes.get(&pair.0), self.nodes.get(&pair.1)) else {
            return;
        };
        let is_sought = one.sought.contains_key(&pair.1) || other.sought.contains_key(&pair.0);
        if a == b || !is_sought || self.cut.contains(&pair) || self.links.contains_key(&pair) {
            return;
        }
        let objections = (
            one.introduction.objection(&other.introduction),
            other.introduction.objection(&one.introduction),
        );
        if let (Some(mine), Some(theirs)) = objections {
            self.refuse(pair.0, pair.1, &mine);
            self.refuse(pair.1, pair.0, &theirs);
            return;
        }
        self.session_last += 1;
        let session = self.session_last;
        let is_over = Arc::new(AtomicBool::new(false));
        let ((to_other, from_one), (to_one, from_other)) =
            (Outbox::new(self.settings.lane_bytes), Outbox::new(self.settings.lane_bytes));
        let connected = |peer, node: &Node, outbox: &Outbox| Event::Connected {
            peer,
            session,
            introduction: node.introduction.clone(),
            outbox: outbox.clone(),
        };
        one.hear.hear(connected(pair.1, other, &to_other));
        other.hear.hear(connected(pair.0, one, &to_one));
        let pumps = [
            self.pump(pair, (pair.0, &other.hear), from_one, session, &is_over),
            self.pump(pair, (pair.1, &one.hear), from_other, session, &is_over),
        ];
        self.links.insert(pair, Link { session, is_over, pumps, outboxes: [to_other, to_one] });
    }

    fn pump(
        &self,
        pair: Pair,
        (from, to): (Peer, &Arc<dyn Hear>),
        drains: [Drain; 3],
        session: Session,
        is_over: &Arc<AtomicBool>,
    ) -> AbortHandle {
        let frame_bytes_max = self.settings.frame_bytes_max;
        let (to, is_over) = (Arc::clone(to), Arc::clone(is_over));
        let pump = Pump { from, session, to, is_over, frame_bytes_max };
        let commands = self.commands.clone();
        let delivering = spawn(async move {
            let why = pump.run(drains).await;
            if let Some(commands) = commands.upgrade() {
                let _ = commands.send(Command::Over { pair, session, why });
            }
        });
        delivering.abort_handle()
    }

    fn end(&mut self, pair: Pair, why: &str) {
        let Some(link) = self.links.remove(&pair) else { return };
        link.is_over.store(true, Ordering::Relaxed);
        link.outboxes.iter().for_each(Outbox::close);
        link.pumps.iter().for_each(AbortHandle::abort);
        for (who, peer) in [pair, (pair.1, pair.0)] {
            if let Some(node) = self.nodes.get(&who) {
                let why = why.to_owned();
                node.hear.hear(Event::Lost { peer, session: link.session, why });
            }
        }
    }

    fn end_all(&mut self, me: Peer, why: &str) {
        for other in self.others(me) {
            self.end(pair(me, other), why);
        }
    }
}
