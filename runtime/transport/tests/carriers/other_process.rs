//! Nodes that are stopped, killed and started anew.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use palco_transport::libp2p::{Allowed, Libp2p, Settings};
use palco_transport::{Carrier, Event, Lane, NodeKey, Outbox, Peer};
use parking_lot::Mutex;

use crate::heard::{Heard, push};
use crate::nets::{introduction, start};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("a_stopped_peer_is_lost_and_comes_back", a_stopped_peer_is_lost_and_comes_back),
    (
        "a_killed_peer_is_lost_and_found_when_it_is_back",
        a_killed_peer_is_lost_and_found_when_it_is_back,
    ),
];

/// The first word of a run that is a node.
const NODE: &str = "--live-as-node";

const LOST_AFTER: Duration = Duration::from_secs(1);

/// What a run that is a node is to do.
pub(crate) struct Orders {
    secret: Vec<u8>,
    listen: String,
    peer: Peer,
}

/// Those of this run, if it is one.
pub(crate) fn orders(words: &[String]) -> Option<Orders> {
    let [_, node, secret, listen, peer] = words else { return None };
    let byte = |at: usize| u8::from_str_radix(&secret[at..at + 2], 16).expect("made below");
    (node == NODE).then(|| Orders {
        secret: (0..secret.len()).step_by(2).map(byte).collect(),
        listen: listen.clone(),
        peer: peer.parse().expect("made below"),
    })
}

fn settings(key: NodeKey, peer: Peer) -> Settings {
    let allowed = Allowed::Keys(BTreeSet::from([peer]));
    Settings { allowed, lost_after: LOST_AFTER, ..Settings::new(key, introduction("c", "b")) }
}

/// Sends back what comes, until nobody holds its standard input any more.
pub(crate) fn live(orders: &Orders) -> ExitCode {
    let key = NodeKey::from_secret(&mut orders.secret.clone()).expect("made below");
    let back: Arc<Mutex<Option<Outbox>>> = Arc::default();
    let hear = move |event: Event| match event {
        Event::Connected { outbox, .. } => *back.lock() = Some(outbox),
        Event::Frames { frames, lane, .. } => {
            let outbox = back.lock().clone().expect("connected before");
            for frame in frames {
                outbox.try_push(lane, frame).expect("few frames");
            }
        }
        Event::Lost { .. } | Event::Refused { .. } => {}
    };
    let mut settings = settings(key, orders.peer);
    settings.listen = vec![orders.listen.clone()];
    let node = Libp2p::start(settings, Arc::new(hear)).expect("a free port");
    writeln!(io::stdout(), "{}", node.addresses()[0]).expect("somebody waits for it");
    let _ = io::stdin().read(&mut [0]);
    ExitCode::SUCCESS
}

/// A node in a process of its own. Ended when it is dropped.
struct Other {
    child: Child,
    address: String,
}

impl Other {
    fn start(key: &NodeKey, listen: &str, peer: Peer) -> Self {
        let secret: String = key.secret().iter().map(|byte| format!("{byte:02x}")).collect();
        let program = std::env::current_exe().expect("this run has a program");
        let mut command = Command::new(program);
        command.args([NODE, &secret, listen, &peer.to_string()]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("this program runs");
        let mut address = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("piped"));
        lines.read_line(&mut address).expect("it says where it listens");
        Self { child, address: address.trim_end().to_owned() }
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(self.child.id().try_into().expect("an id of a process"));
        kill(id, signal).expect("the child is there");
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One frame there and back.
fn trip(heard: &Heard, to: Peer, nth: usize) -> u64 {
    let (session, outbox) = heard.connected(to, nth);
    push(&outbox, Lane::Urgent, Bytes::from_static(b"trip")).expect("a session");
    assert_eq!(heard.frames(session, Lane::Urgent, 1), [&b"trip"[..]]);
    session
}

fn a_stopped_peer_is_lost_and_comes_back() {
    let (key, key_of_other, heard) = (NodeKey::generate(), NodeKey::generate(), Heard::new());
    let peer = key_of_other.peer();
    let other = Other::start(&key_of_other, "/ip4/127.0.0.1/tcp/0", key.peer());
    let node = start(settings(key, peer), heard.clone());
    node.seek(peer, std::slice::from_ref(&other.address)).expect("its address");
    for nth in 0..2 {
        let session = trip(&heard, peer, nth);
        other.signal(Signal::SIGSTOP);
        let why = heard.lost(session);
        assert!(why.contains("1000 ms"), "{why}");
        other.signal(Signal::SIGCONT);
    }
    trip(&heard, peer, 2);
}

fn a_killed_peer_is_lost_and_found_when_it_is_back() {
    // The process that comes back has nothing of the one that was killed but key and address.
    static ADDRESS: OnceLock<String> = OnceLock::new();
    let (key, key_of_other, heard) = (NodeKey::generate(), NodeKey::generate(), Heard::new());
    let (me, peer) = (key.peer(), key_of_other.peer());
    let node = start(settings(key, peer), heard.clone());
    for nth in 0..3 {
        let listen = ADDRESS.get().map_or("/ip4/127.0.0.1/tcp/0", String::as_str);
        let other = Other::start(&key_of_other, listen, me);
        let address = ADDRESS.get_or_init(|| other.address.clone());
        node.seek(peer, std::slice::from_ref(address)).expect("its address");
        let session = trip(&heard, peer, nth);
        drop(other);
        heard.lost(session);
    }
}
