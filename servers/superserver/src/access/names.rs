//! The names of addresses, looked up where a wait costs nobody anything.
//!
//! The resolver of the system blocks, for many seconds when it wants to. So it is asked by threads of its own: a few at
//! most, which end when there is nothing to look up.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use palco_threads::{STACK_BYTES_DEFAULT, spawn_named};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::hosts::Files;

/// Lookups that wait for a thread; beyond, a name is unknown at once.
const WAITING_MAX: usize = 256;
/// Lookups at once.
const THREADS_MAX: usize = 4;
/// Names that are kept.
const KEPT_MAX: usize = 1024;
/// How long a name is kept.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// What an address is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// So, and this name leads back to the address.
    Known(String),
    /// Nothing, or nothing that could be found out in time.
    Unknown,
    /// Something that does not lead back to the address: hosts_access's `PARANOID`.
    Paranoid,
}

/// What judging remembers from caller to caller: the names of addresses, and hosts_access files as they were last read.
///
/// A clone is the same. Bounded: 4 lookups at once, 256 that wait, 1024 names, kept for a minute.
#[derive(Clone)]
pub struct Names(Arc<Inner>);

struct Inner {
    look_up: Box<dyn Fn(IpAddr) -> Name + Send + Sync>,
    state: Mutex<State>,
    files: Files,
}

#[derive(Default)]
struct State {
    kept: HashMap<IpAddr, (Name, Instant)>,
    /// Who waits for which name.
    asked: HashMap<IpAddr, Vec<oneshot::Sender<Name>>>,
    /// Which are asked for and not being looked up.
    queue: VecDeque<IpAddr>,
    threads: usize,
}

impl Names {
    /// How long a name is waited for; after that it is unknown.
    pub const TIME_LIMIT: Duration = Duration::from_secs(5);

    /// Names as the system's resolver knows them: of `/etc/hosts`, the DNS and whatever `nsswitch.conf` says.
    #[must_use]
    pub fn new() -> Self {
        Self::looked_up_by(system_name)
    }

    /// Names as `look_up` knows them, which may block.
    #[must_use]
    pub fn looked_up_by(look_up: impl Fn(IpAddr) -> Name + Send + Sync + 'static) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Inner { look_up: Box::new(look_up), state, files: Files::default() }))
    }

    /// What an address is called. Needs a tokio runtime with a timer. Cancel-safe.
    pub async fn name(&self, address: IpAddr) -> Name {
        let Some(answer) = self.ask(address) else { return Name::Unknown };
        let answer = match answer {
            Answer::Kept(name) => return name,
            Answer::Coming(receiver) => receiver,
        };
        match tokio::time::timeout(Self::TIME_LIMIT, answer).await {
            Ok(Ok(name)) => name,
            Ok(Err(_)) => Name::Unknown,
            Err(_) => {
                tracing::warn!(%address, limit = ?Self::TIME_LIMIT, "no name in time");
                Name::Unknown
            }
        }
    }

    pub(super) fn files(&self) -> &Files {
        &self.0.files
    }

    fn ask(&self, address: IpAddr) -> Option<Answer> {
        let mut state = self.0.state.lock();
        if let Some((name, since)) = state.kept.get(&address)
            && since.elapsed() < KEPT_FOR
        {
            return Some(Answer::Kept(name.clone()));
        }
        let (sender, receiver) = oneshot::channel();
        let full = state.queue.len() >= WAITING_MAX;
        match state.asked.entry(address) {
            Entry::Occupied(mut waiting) => {
                // Who has gone does not wait.
                waiting.get_mut().retain(|sender| !sender.is_closed());
                waiting.get_mut().push(sender);
                return Some(Answer::Coming(receiver));
            }
            Entry::Vacant(_) if full => {
                tracing::warn!(%address, "too many names are being looked up; this one is taken as unknown");
                return None;
            }
            Entry::Vacant(first) => first.insert(vec![sender]),
        };
        state.queue.push_back(address);
        if state.threads < THREADS_MAX {
            let names = self.clone();
            match spawn_named("palco-names", STACK_BYTES_DEFAULT, move || names.look_all_up()) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    tracing::warn!(%error, "no thread to look names up; they are taken as unknown");
                    state.queue.clear();
                    state.asked.clear();
                }
                // The others will come to it.
                Err(_) => {}
            }
        }
        Some(Answer::Coming(receiver))
    }

    /// Until nothing is asked for.
    fn look_all_up(&self) {
        loop {
            let mut state = self.0.state.lock();
            let Some(address) = state.queue.pop_front() else {
                state.threads -= 1;
                return;
            };
            drop(state);
            let name = (self.0.look_up)(address);
            let mut state = self.0.state.lock();
            state.keep(address, name.clone());
            let waiting = state.asked.remove(&address).unwrap_or_default();
            drop(state);
            for sender in waiting {
                // Who has gone does not want it.
                drop(sender.send(name.clone()));
            }
        }
    }
}

enum Answer {
    Kept(Name),
    Coming(oneshot::Receiver<Name>),
}

impl State {
    fn keep(&mut self, address: IpAddr, name: Name) {
        if self.kept.len() >= KEPT_MAX {
            self.kept.retain(|_, (_, since)| since.elapsed() < KEPT_FOR);
        }
        if self.kept.len() >= KEPT_MAX {
            // Whoever comes back is looked up again.
            self.kept.clear();
        }
        self.kept.insert(address, (name, Instant::now()));
    }
}

/// The name of an address, if it leads back to it.
fn system_name(address: IpAddr) -> Name {
    let Ok(name) = dns_lookup::lookup_addr(&address) else { return Name::Unknown };
    // Without a name the resolver writes the address, with its zone if it has one.
    if name.is_empty() || name.contains([':', '%']) {
        return Name::Unknown;
    }
    if let Ok(written) = name.parse::<IpAddr>() {
        // A name that is written like another address is a lie.
        return if written == address { Name::Unknown } else { Name::Paranoid };
    }
    let mut found = (name.as_str(), 0).to_socket_addrs().into_iter().flatten();
    if found.any(|found: SocketAddr| found.ip().to_canonical() == address) {
        Name::Known(name)
    } else {
        Name::Paranoid
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.state.lock();
        let (kept, waiting) = (state.kept.len(), state.queue.len());
        f.debug_struct("Names")
            .field("kept", &kept)
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Barrier, mpsc};

    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    #[tokio::test]
    async fn a_name_is_looked_up_once_for_all_who_ask() {
        let (go, wait) = mpsc::channel::<()>();
        let (count, wait) = (Arc::new(AtomicUsize::new(0)), Mutex::new(wait));
        let counted = Arc::clone(&count);
        let names = Names::looked_up_by(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            wait.lock().recv().unwrap();
            Name::Known("one.example.org".into())
        });
        let (first, second, ()) = tokio::join!(names.name(ADDRESS), names.name(ADDRESS), async {
            go.send(()).unwrap();
        });
        assert_eq!(first, Name::Known("one.example.org".into()));
        assert_eq!((second, names.name(ADDRESS).await), (first.clone(), first));
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_gets_no_name_and_disturbs_nobody() {
        let barrier = Arc::new(Barrier::new(2));
        let held = Arc::clone(&barrier);
        let names = Names::looked_up_by(move |address| {
            if address == ADDRESS {
                held.wait();
            }
            Name::Paranoid
        });
        assert_eq!(names.name(ADDRESS).await, Name::Unknown);
        barrier.wait();
    }

    #[test]
    fn too_many_lookups_are_answered_at_once() {
        let (go, wait) = mpsc::channel::<()>();
        let wait = Mutex::new(wait);
        let names = Names::looked_up_by(move |_| {
            // Until the other end is gone.
            wait.lock().recv().unwrap_err();
            Name::Unknown
        });
        let asked: Vec<_> =
            (0..2000).map(|n: u32| names.ask(IpAddr::from(n.to_be_bytes()))).collect();
        let taken = asked.into_iter().flatten().count();
        assert!((WAITING_MAX..=WAITING_MAX + THREADS_MAX).contains(&taken), "{taken}");
        drop(go);
    }

    #[test]
    fn no_more_names_are_kept_than_there_is_room_for() {
        let mut state = State::default();
        for n in 0..3 * KEPT_MAX {
            state.keep(IpAddr::from((n as u32).to_be_bytes()), Name::Unknown);
            assert!(state.kept.len() <= KEPT_MAX);
        }
    }

    #[test]
    fn the_loopback_address_is_called_localhost() {
        let Name::Known(name) = system_name(IpAddr::from([127, 0, 0, 1])) else { panic!() };
        assert!(name.starts_with("localhost"), "{name}");
    }
}
