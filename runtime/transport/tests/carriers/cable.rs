//! Two network namespaces with a cable between them: nearly two machines.

use std::fs::File;
use std::io;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use nix::sched::{CloneFlags, setns};

/// Of the node in each place.
pub(crate) const ADDRESSES: [&str; 2] = ["10.231.7.1", "10.231.7.2"];

/// Removed when it is dropped.
pub(crate) struct Namespaces {
    pub(crate) names: [String; 2],
}

/// Why namespaces cannot be made; nothing if they can.
pub(crate) fn denied() -> Option<String> {
    let name = format!("palco-{}-try", std::process::id());
    let made = ip(&["netns", "add", &name]);
    made.and_then(|()| ip(&["netns", "del", &name])).err().map(|error| error.to_string())
}

pub(crate) fn ip(words: &[&str]) -> io::Result<()> {
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
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = ip(&["netns", "del", name]);
        }
    }
}
