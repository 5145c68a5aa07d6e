//! A carrier for tests: nodes of one program, connected and cut as a test wants it.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::join_all;
use palco_actors::{Net, System};
use palco_transport::{
    Carrier, Drain, Event, Hear, Introduction, LANE_BYTES_DEFAULT, Lane, NodeKey, Outbox, Peer,
};

/// All nodes, and the connections between them.
#[derive(Clone, Default)]
pub(crate) struct Hub(pub(crate) Arc<State>);

#[derive(Default)]
pub(crate) struct State {
    nodes: Mutex<HashMap<Peer, Node>>,
    pub(crate) links: Mutex<HashMap<[Peer; 2], Arc<Link>>>,
    sessions: AtomicU64,
    /// Decides after how many frames a connection breaks.
    pub(crate) cuts: Mutex<Option<Cuts>>,
}

struct Node {
    ears: Arc<dyn Hear>,
    introduction: Introduction,
}

pub(crate) struct Link {
    pub(crate) session: u64,
    ends: [Peer; 2],
    outboxes: [Outbox; 2],
    is_cut: AtomicBool,
    /// Held while one direction delivers.
    delivering: [Mutex<()>; 2],
    frames_left: Option<AtomicU64>,
}

/// A connection breaks again and again, a fixed number of times.
pub(crate) struct Cuts {
    pub(crate) random: u64,
    pub(crate) left: u32,
}

#[derive(Debug)]
struct End(Peer);

impl Carrier for End {
    fn me(&self) -> Peer {
        self.0
    }

    fn addresses(&self) -> Vec<String> {
        Vec::new()
    }

    fn seek(&self, _: Peer, _: &[String]) -> Result<(), String> {
        Ok(())
    }

    fn forget(&self, _: Peer) {}
}

impl Hub {
    /// Gives a system its node.
    pub(crate) fn join(&self, system: &System) -> Net {
        self.join_as(system, palco_actors::build())
    }

    pub(crate) fn join_as(&self, system: &System, build: String) -> Net {
        let peer = NodeKey::generate().peer();
        let introduction = Introduction { cluster: "test".into(), build, name: "node".into() };
        let joined = system.join(|ears| {
            self.0.nodes.lock().unwrap().insert(peer, Node { ears, introduction });
            Ok::<_, std::io::Error>(Arc::new(End(peer)) as Arc<dyn Carrier>)
        });
        joined.expect("the system has no node yet")
    }

    pub(crate) fn connect(&self, one: &Net, other: &Net) {
        self.connect_peers([one.me(), other.me()]);
    }

    fn connect_peers(&self, ends: [Peer; 2]) {
        let session = self.0.sessions.fetch_add(1, Ordering::Relaxed) + 1;
        let [(out_a, drains_a), (out_b, drains_b)] =
            [Outbox::new(LANE_BYTES_DEFAULT), Outbox::new(LANE_BYTES_DEFAULT)];
        let frames_left = self.0.cuts.lock().unwrap().as_mut().and_then(Cuts::next);
        let link = Arc::new(Link {
            session,
            ends,
            outboxes: [out_a.clone(), out_b.clone()],
            is_cut: AtomicBool::new(false),
            delivering: Default::default(),
            frames_left,
        });
        self.0.links.lock().unwrap().insert(ends, Arc::clone(&link));
        for (end, outbox) in [(0, out_a), (1, out_b)] {
            let introduction = self.introduction(ends[1 - end]);
            let peer = ends[1 - end];
            self.hear(ends[end], Event::Connected { peer, session, introduction, outbox });
        }
        for (end, drains) in [(0, drains_a), (1, drains_b)] {
            let (hub, link) = (self.clone(), Arc::clone(&link));
            std::thread::spawn(move || hub.carry(&link, end, drains));
        }
    }

    fn introduction(&self, peer: Peer) -> Introduction {
        self.0.nodes.lock().unwrap()[&peer].introduction.clone()
    }

    pub(crate) fn hear(&self, peer: Peer, event: Event) {
        let ears = Arc::clone(&self.0.nodes.lock().unwrap()[&peer].ears);
        ears.hear(event);
    }

    pub(crate) fn cut_link(&self, link: &Link) -> bool {
        if link.is_cut.swap(true, Ordering::SeqCst) {
            return false;
        }
        link.outboxes.iter().for_each(Outbox::close);
        for end in [0, 1] {
            drop(link.delivering[end].lock().unwrap());
        }
        for end in [0, 1] {
            let (peer, session) = (link.ends[1 - end], link.session);
            self.hear(link.ends[end], Event::Lost { peer, session, why: "cut".into() });
        }
        true
    }

    /// From one end to the other, until the connection ends.
    fn carry(&self, link: &Link, end: usize, drains: [Drain; 3]) {
        let lanes = drains.map(|mut drain| async move {
            while let Some(frames) = drain.next().await {
                let lane = drain.lane();
                if !self.deliver(link, end, lane, frames) {
                    return;
                }
            }
        });
        palco_threads::block_on(join_all(lanes));
        if self.cut_link(link) && link.frames_left.is_some() {
            self.connect_peers(link.ends);
        }
    }

    fn deliver(&self, link: &Link, end: usize, lane: Lane, mut frames: Vec<Bytes>) -> bool {
        let delivering = link.delivering[end].lock().unwrap();
        let mut goes_on = !link.is_cut.load(Ordering::SeqCst);
        if let Some(left) = &link.frames_left {
            let most = frames.len() as u64;
            let left = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                Some(left.saturating_sub(most))
            });
            let left = left.expect("always some");
            if left <= most {
                frames.truncate(usize::try_from(left).expect("no more than there are"));
                goes_on = false;
            }
        }
        if !link.is_cut.load(Ordering::SeqCst) && !frames.is_empty() {
            let (peer, session) = (link.ends[end], link.session);
            self.hear(link.ends[1 - end], Event::Frames { peer, session, lane, frames });
        }
        drop(delivering);
        if !goes_on {
            link.outboxes.iter().for_each(Outbox::close);
        }
        goes_on
    }
}

impl Cuts {
    /// xorshift64 (Marsaglia 2003).
    fn next(&mut self) -> Option<AtomicU64> {
        self.left = self.left.checked_sub(1)?;
        self.random |= 1;
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        Some(AtomicU64::new(1 + self.random % 200))
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}
