//! Leases: for a while, a client is told before what it has read is changed.
//!
//! Source: C. Gray and D. Cheriton, "Leases: an efficient fault-tolerant mechanism for distributed file cache consistency",
//! SOSP 1989; the grace period is that of NFSv4 (RFC 7530, section 9.6.2). Deviations: all leases of a client end
//! together, so that one message renews them; a client that has been told to give one back gets none renewed until it has.
//!
//! A client that does not answer delays a writer until its leases have ended, and can do nothing else. Leases are kept in
//! this process: they bind who writes through it, nobody else.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_listener::Event;
use futures_util::future::{self, Either};
use palco_service::CallContext;
use parking_lot::Mutex;

use super::wire::{Answer, Secret};
use crate::tree::FileId;

/// The most clients that hold leases.
const CLIENTS_MAX: usize = 1024;
/// The most leases of one client.
const CLIENT_LEASES_MAX: usize = 16_384;
/// When to ask again for a file that is being written.
const RETRY: Duration = Duration::from_millis(10);

/// All leases of a service.
#[derive(Debug)]
pub(super) struct Leases {
    term: Duration,
    state: Mutex<State>,
    changed: Event,
}

#[derive(Debug, Default)]
struct State {
    clients: HashMap<Secret, Client>,
    files: HashMap<FileId, Leased>,
    /// Until then only those who held a lease before the start get one, and nobody writes.
    grace_ends: Option<Instant>,
}

#[derive(Debug)]
struct Client {
    ends: Instant,
    leases: HashMap<Secret, FileId>,
    /// To be given back: told, and not yet told.
    wanted_back: HashSet<Secret>,
    events: VecDeque<Secret>,
}

#[derive(Debug, Default)]
struct Leased {
    /// Lease by client.
    holders: HashMap<Secret, Secret>,
    writers: usize,
}

/// Who has a file, or several, to write to. Dropped, others may have leases again.
#[derive(Debug)]
pub(super) struct Exclusive {
    leases: Option<Arc<Leases>>,
    files: Vec<FileId>,
}

impl Leases {
    /// With a grace period if leases were given before.
    pub(super) fn new(term: Duration, grace: Option<Duration>) -> Arc<Self> {
        let grace_ends = grace.map(|grace| Instant::now() + grace);
        let state = Mutex::new(State { grace_ends, ..State::default() });
        Arc::new(Self { term, state, changed: Event::new() })
    }

    /// For how long a lease is given that is wanted for so many milliseconds.
    fn term(&self, wanted_ms: u32) -> Duration {
        match wanted_ms {
            0 => self.term,
            wanted => self.term.min(Duration::from_millis(wanted.into())),
        }
    }

    /// A lease on `file` for `client`, whose version is `version()` once nobody can begin to write any more.
    pub(super) fn grant(
        &self,
        client: Secret,
        file: FileId,
        wanted_ms: u32,
        version: impl FnOnce() -> u64,
    ) -> Answer {
        let now = Instant::now();
        let mut state = self.state.lock();
        if let Some(left) = state.grace_left(now) {
            return refusal(left);
        }
        self.give(&mut state, client, file, wanted_ms, now, version)
    }

    /// A lease that was given before the start. `None` if that is over.
    pub(super) fn reclaim(
        &self,
        client: Secret,
        file: FileId,
        wanted_ms: u32,
        version: u64,
    ) -> Option<Answer> {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.grace_left(now)?;
        Some(self.give(&mut state, client, file, wanted_ms, now, || version))
    }

    fn give(
        &self,
        state: &mut State,
        client: Secret,
        file: FileId,
        wanted_ms: u32,
        now: Instant,
        version: impl FnOnce() -> u64,
    ) -> Answer {
        if state.files.get(&file).is_some_and(|leased| leased.writers > 0) {
            return refusal(RETRY);
        }
        let Some(holder) = state.client(client, now) else { return refusal(self.term) };
        if holder.leases.len() >= CLIENT_LEASES_MAX {
            return refusal(self.term);
        }
        let term = self.term(wanted_ms);
        if holder.wanted_back.is_empty() {
            holder.ends = holder.ends.max(now + term);
        } else if holder.ends < now + term {
            return refusal(RETRY);
        }
        let leased = state.files.entry(file).or_default();
        let lease = *leased.holders.entry(client).or_insert_with(secret);
        state.clients.get_mut(&client).expect("it is there").leases.insert(lease, file);
        Answer::Lease { granted_ms: millis(term), retry_ms: 0, version: version(), lease }
    }

    /// All leases of a client, once more for the whole term.
    pub(super) fn renew(&self, client: Secret) -> Answer {
        let now = Instant::now();
        let mut state = self.state.lock();
        let granted_ms = match state.clients.get_mut(&client) {
            Some(holder) if holder.ends > now && holder.wanted_back.is_empty() => {
                holder.ends = holder.ends.max(now + self.term);
                if holder.leases.is_empty() { 0 } else { millis(self.term) }
            }
            _ => 0,
        };
        Answer::Renewed { granted_ms }
    }

    /// A lease is given back.
    pub(super) fn release(&self, client: Secret, lease: Secret) {
        self.state.lock().end(client, lease);
        self.changed.notify(usize::MAX);
    }

    /// The next lease that this client is to give back. Cancel-safe.
    pub(super) async fn next_event(&self, client: Secret) -> Secret {
        loop {
            let changed = self.changed.listen();
            let event = {
                let mut state = self.state.lock();
                state.client(client, Instant::now()).and_then(|client| client.events.pop_front())
            };
            match event {
                Some(lease) => return lease,
                None => changed.await,
            }
        }
    }

    /// Whether anybody has a lease, or may have one from before the start.
    pub(super) fn are_used(&self) -> bool {
        let state = self.state.lock();
        state.grace_ends.is_some() || !state.files.is_empty()
    }

    /// Waits until nobody but `client` has a lease on any of `files`, asking for them back, and until the grace period is
    /// over. Cancel-safe.
    pub(super) async fn exclusive(
        self: &Arc<Self>,
        files: Vec<FileId>,
        client: Option<Secret>,
        cx: &CallContext<'_>,
    ) -> Exclusive {
        {
            let mut state = self.state.lock();
            for file in &files {
                state.files.entry(*file).or_default().writers += 1;
            }
        }
        let exclusive = Exclusive { leases: Some(Arc::clone(self)), files };
        loop {
            let changed = self.changed.listen();
            let (until, told) = {
                let mut state = self.state.lock();
                state.reach(&exclusive.files, client, Instant::now())
            };
            if told {
                self.changed.notify(usize::MAX);
            }
            let Some(until) = until else { return exclusive };
            let sleep = cx.sleep(until.saturating_duration_since(Instant::now()));
            let _: Either<_, _> = future::select(changed, std::pin::pin!(sleep)).await;
        }
    }
}

impl State {
    fn grace_left(&mut self, now: Instant) -> Option<Duration> {
        let left = self.grace_ends?.checked_duration_since(now).filter(|left| !left.is_zero());
        if left.is_none() {
            self.grace_ends = None;
        }
        left
    }

    /// The client, made if there is room.
    fn client(&mut self, client: Secret, now: Instant) -> Option<&mut Client> {
        if !self.clients.contains_key(&client) && self.clients.len() >= CLIENTS_MAX {
            let ended: Vec<_> =
                self.clients.iter().filter(|(_, it)| it.ends <= now).map(|(id, _)| *id).collect();
            for ended in ended {
                self.forget(ended);
            }
            if self.clients.len() >= CLIENTS_MAX {
                return None;
            }
        }
        Some(self.clients.entry(client).or_insert_with(|| Client {
            ends: now,
            leases: HashMap::new(),
            wanted_back: HashSet::new(),
            events: VecDeque::new(),
        }))
    }

    fn forget(&mut self, client: Secret) {
        let Some(gone) = self.clients.remove(&client) else { return };
        for file in gone.leases.into_values() {
            if let Some(leased) = self.files.get_mut(&file) {
                leased.holders.remove(&client);
                self.drop_if_idle(file);
            }
        }
    }

    fn end(&mut self, client: Secret, lease: Secret) {
        let Some(holder) = self.clients.get_mut(&client) else { return };
        holder.wanted_back.remove(&lease);
        holder.events.retain(|event| *event != lease);
        let Some(file) = holder.leases.remove(&lease) else { return };
        if let Some(leased) = self.files.get_mut(&file) {
            leased.holders.remove(&client);
            self.drop_if_idle(file);
        }
    }

    fn drop_if_idle(&mut self, file: FileId) {
        if self.files.get(&file).is_some_and(|it| it.holders.is_empty() && it.writers == 0) {
            self.files.remove(&file);
        }
    }

    /// Until when a writer must wait, if it must, and whether anybody has been told just now.
    fn reach(
        &mut self,
        files: &[FileId],
        writer: Option<Secret>,
        now: Instant,
    ) -> (Option<Instant>, bool) {
        let (mut until, mut told) = (None, false);
        if self.grace_left(now).is_some() {
            return (self.grace_ends, false);
        }
        for file in files {
            let Some(leased) = self.files.get(file) else { continue };
            let others: Vec<(Secret, Secret)> = leased
                .holders
                .iter()
                .filter(|(client, _)| Some(**client) != writer)
                .map(|(client, lease)| (*client, *lease))
                .collect();
            for (client, lease) in others {
                let holder = self.clients.get_mut(&client).expect("who holds a lease is there");
                if holder.ends <= now {
                    self.end(client, lease);
                    continue;
                }
                until = Some(until.map_or(holder.ends, |until: Instant| until.min(holder.ends)));
                if holder.wanted_back.insert(lease) {
                    holder.events.push_back(lease);
                    told = true;
                }
            }
        }
        (until, told)
    }
}

impl Exclusive {
    /// Where there are no leases.
    pub(super) fn free() -> Self {
        Self { leases: None, files: Vec::new() }
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        let Some(leases) = &self.leases else { return };
        let mut state = leases.state.lock();
        for file in &self.files {
            if let Some(leased) = state.files.get_mut(file) {
                leased.writers -= 1;
                state.drop_if_idle(*file);
            }
        }
    }
}

fn refusal(retry: Duration) -> Answer {
    let retry_ms = millis(retry).max(1);
    Answer::Lease { granted_ms: 0, retry_ms, version: 0, lease: Secret::default() }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// What nobody can guess.
pub(super) fn secret() -> Secret {
    let mut bytes = Secret::default();
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    bytes
}
