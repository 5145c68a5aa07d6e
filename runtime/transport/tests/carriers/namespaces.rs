//! Two network namespaces with a cable between them: nearly two machines.

use std::fs::File;
use std::io;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use nix::sched::{CloneFlags, setns};
use palco_transport::libp2p::{Allowed, Settings};
use palco_transport::{Carrier, Lane, NodeKey};

use crate::heard::{Heard, push};
use crate::nets::{introduction, start};

pub(crate) const TESTS: &[(&str, fn())] = &[(
    "a_peer_behind_a_pulled_cable_is_lost_and_found_again",
    a_peer_behind_a_pulled_cable_is_lost_and_found_again,
)];

/// Of the node in each place.
pub(crate) const ADDRESSES: [&str; 2] = ["10.231.7.1", "10.231.7.2"];

/// Removed when it is dropped.
pub(crate) struct Namespaces {
    names: [String; 2],
}

/// Why namespaces cannot be made; nothing if they can.
pub(crate) fn denied() -> Option<String> {
    let name = format!("palco-{}-try", std::process::id());
    let made = ip(&["netns", "add", &name]);
    made.and_then(|()| ip(&["netns", "del", &name])).err().map(|error| error.to_string())
}

fn ip(words: &[&str]) -> io::Result<()> {
    let done = Command::new("ip").args(words).output()?;
    if done.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "ip {}: {}",
        words.join(" "),
        String::from_utf8_lossy(&done.stderr)
    )))
}

impl Namespaces {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let name = |place: char| format!("palco-{}-{number}{place}", std::process::id());
        let made = Self { names: [name('a'), name('b')] };
        let [a, b] = &made.names;
        let run = |words: &str| {
            ip(&words.split(' ').collect::<Vec<_>>()).expect("root may make namespaces");
        };
        run(&format!("netns add {a}"));
        run(&format!("netns add {b}"));
        run(&format!("-n {a} link add cable type veth peer name cable netns {b}"));
        for (name, address) in made.names.iter().zip(ADDRESSES) {
            run(&format!("-n {name} link set lo up"));
            run(&format!("-n {name} address add {address}/24 dev cable"));
            run(&format!("-n {name} link set cable up"));
        }
        made
    }

    /// Runs it with the network of that place; threads that it starts have it too.
    pub(crate) fn inside<T: Send>(&self, place: usize, run: impl FnOnce() -> T + Send) -> T {
        let namespace =
            File::open(format!("/run/netns/{}", self.names[place])).expect("it is there");
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                setns(namespace, CloneFlags::CLONE_NEWNET).expect("root may enter it");
                run()
            });
            inside.join().expect("what runs inside does not panic")
        })
    }

    fn set_cable(&self, state: &str) {
        ip(&["-n", &self.names[0], "link", "set", "cable", state]).expect("the cable is there");
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = ip(&["netns", "del", name]);
        }
    }
}

fn a_peer_behind_a_pulled_cable_is_lost_and_found_again() {
    let namespaces = Namespaces::new();
    let keys = [NodeKey::generate(), NodeKey::generate()];
    let known = keys.each_ref().map(NodeKey::peer);
    let heard = [Heard::new(), Heard::new()];
    let [a, b] = [0, 1].map(|place: usize| {
        let settings = Settings {
            listen: vec![format!("/ip4/{}/tcp/0", ADDRESSES[place])],
            allowed: Allowed::Keys(known.into()),
            lost_after: Duration::from_secs(1),
            ..Settings::new(keys[place].clone(), introduction("c", "b"))
        };
        namespaces.inside(place, || start(settings, heard[place].clone()))
    });
    a.seek(b.me(), &b.addresses()).expect("its addresses");
    let (of_a, _) = heard[0].connected(b.me(), 0);
    let (of_b, _) = heard[1].connected(a.me(), 0);
    // Nothing is sent, and no packet says that it is over.
    namespaces.set_cable("down");
    heard[0].lost(of_a);
    heard[1].lost(of_b);
    namespaces.set_cable("up");
    let (_, to_b) = heard[0].connected(b.me(), 1);
    let (of_b, _) = heard[1].connected(a.me(), 1);
    push(&to_b, Lane::Normal, Bytes::from_static(b"again")).expect("a new session");
    assert_eq!(heard[1].frames(of_b, Lane::Normal, 1), [&b"again"[..]]);
}
