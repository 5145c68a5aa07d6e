//! The thread that keeps a client's leases: it gives back what the server asks for, renews at half the term, and claims
//! again what a server that was started again has forgotten.
//!
//! It has two connections: on one the server sends what it wants back, on the other everything is asked.

mod events;

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use palco_files::sftp::wire::{Answer, Extension, Reply, Request, Secret};

use super::super::FileOptions;
use super::super::counters::{many, one};
use super::super::sftp::link::Link;
use super::super::shared::Shared;
use super::super::transport::Grant;
use super::Lease;
use crate::Error;
use crate::pauses::Pauses;
use events::Events;

/// How long after a renewal that was refused the next is tried, at least.
const RENEWAL_PAUSE: Duration = Duration::from_millis(20);
/// The most requests of one pipeline.
const PIPELINE_MAX: usize = 64;

/// The thread; it ends when this is dropped, and its leases are given back.
#[derive(Debug)]
pub(in super::super) struct Keeper {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// # Errors
    /// The system has no thread.
    pub(in super::super) fn start(
        address: String,
        options: FileOptions,
        client: Secret,
        wanted: Duration,
        shared: &Arc<Shared>,
    ) -> io::Result<Self> {
        let pauses = Pauses::new(options.pause_min, options.pause_max);
        let wanted_ms = u32::try_from(wanted.as_millis()).unwrap_or(u32::MAX);
        let of_thread = Arc::clone(shared);
        let work = Work { address, options, client, wanted_ms, shared: of_thread, pauses };
        let thread = std::thread::Builder::new().name("palco-leases".to_owned());
        let thread = thread.spawn(move || work.run())?;
        Ok(Self { shared: Arc::clone(shared), thread: Some(thread) })
    }
}

impl Drop for Keeper {
    /// Waits until the leases are given back, at most for one answer.
    fn drop(&mut self) {
        self.shared.close();
        if let Some(thread) = self.thread.take() {
            // A panic there has been told on stderr already.
            let _: std::thread::Result<()> = thread.join();
        }
    }
}

struct Work {
    address: String,
    options: FileOptions,
    client: Secret,
    wanted_ms: u32,
    shared: Arc<Shared>,
    pauses: Pauses,
}

/// Why the thread does not go on as it did.
enum End {
    /// The client is no more.
    Closing,
    /// A connection was lost, or is not made.
    Lost,
}

impl From<Error> for End {
    fn from(_: Error) -> Self {
        Self::Lost
    }
}

impl Work {
    fn run(mut self) {
        let (mut failures, mut lost_at) = (0, Instant::now());
        loop {
            let mut has_served = false;
            match self.serve(&mut has_served) {
                End::Closing => return,
                End::Lost => self.shared.state().leases.doubt(),
            }
            if has_served {
                (failures, lost_at) = (0, Instant::now());
            }
            let mut until = Some(Instant::now() + self.pauses.after(failures));
            failures += 1;
            if lost_at.elapsed() > self.options.within {
                // Until the client has found the server again: all leases end without this thread.
                (until, failures, lost_at) = (None, 0, Instant::now());
            }
            self.expire();
            let due = self.shared.state().leases.next_due();
            self.wait(None, until.into_iter().chain(due).min());
        }
    }

    /// Until the end of a connection. `has_served` is set when both are there.
    fn serve(&mut self, has_served: &mut bool) -> End {
        // A client may end before its first lease has a connection here.
        if self.shared.is_closing() && self.shared.state().leases.ids().is_empty() {
            return End::Closing;
        }
        let limits = self.options.limits();
        let open = || Link::open(&self.address, limits, self.client, &self.shared.counting);
        let Ok(mut control) = open() else {
            return if self.shared.is_closing() { End::Closing } else { End::Lost };
        };
        if self.shared.is_closing() {
            return self.leave(&mut control);
        }
        let Ok(mut events) = open().and_then(|link| Events::ask(link, self.client)) else {
            return End::Lost;
        };
        *has_served = true;
        loop {
            if self.shared.is_closing() {
                return self.leave(&mut control);
            }
            if let Err(end) = self.step(&mut control, &mut events) {
                return end;
            }
        }
    }

    /// Gives everything back.
    fn leave(&mut self, control: &mut Link) -> End {
        let ids = self.shared.state().leases.ids();
        let _: Result<(), End> = self.release(control, &ids);
        End::Closing
    }

    /// Does what is due, and waits for the next.
    fn step(&mut self, control: &mut Link, events: &mut Events) -> Result<(), End> {
        let to_give_back = self.shared.state().leases.to_give_back();
        self.release(control, &to_give_back)?;
        let (doubtful, changes) = self.shared.state().leases.doubtful();
        for some in doubtful.chunks(PIPELINE_MAX) {
            self.reclaim(control, some, changes)?;
        }
        self.expire();
        let is_due = self.shared.state().leases.is_renewal_due(Instant::now());
        if is_due {
            self.renew(control)?;
        }
        let next_due = self.shared.state().leases.next_due();
        if self.wait(Some(events), next_due) {
            for lease in events.read()? {
                one(&self.shared.counting.leases_revoked);
                self.shared.state().give_back(lease);
            }
        }
        Ok(())
    }

    fn expire(&self) {
        let expired = self.shared.state().expire();
        many(&self.shared.counting.leases_expired, expired);
    }

    fn renew(&mut self, control: &mut Link) -> Result<(), End> {
        let asked_at = Instant::now();
        let fields = extended(control.ask(&[Extension::Renew.request()])?.pop());
        let answer = fields.map(Answer::decode_renewed);
        let mut state = self.shared.state();
        match answer {
            Some(Ok(Answer::Renewed { granted_ms })) if granted_ms > 0 => {
                let term = Duration::from_millis(granted_ms.into());
                let renewed = state.leases.renew(asked_at, term);
                many(&self.shared.counting.leases_renewed, renewed);
            }
            _ => state.leases.refuse_renewal(Instant::now() + RENEWAL_PAUSE),
        }
        Ok(())
    }

    fn release(&mut self, control: &mut Link, ids: &[Secret]) -> Result<(), End> {
        for some in ids.chunks(PIPELINE_MAX) {
            let request = |lease: &Secret| Extension::Release { lease: *lease }.request();
            control.ask(&some.iter().map(request).collect::<Vec<Request>>())?;
            let mut state = self.shared.state();
            for id in some {
                state.leases.given_back(*id);
            }
        }
        Ok(())
    }

    /// Claims leases again. What the server does not give is dropped: either it has not forgotten it and gives it when it
    /// is asked for the next time, or the file has changed.
    fn reclaim(
        &mut self,
        control: &mut Link,
        doubtful: &[(Arc<str>, Lease)],
        changes: u64,
    ) -> Result<(), End> {
        let asked_at = Instant::now();
        let request = |(path, lease): &(Arc<str>, Lease)| {
            let path = Bytes::copy_from_slice(path.as_bytes());
            let (version, wanted_ms) = (lease.version, self.wanted_ms);
            Extension::Reclaim { path, version, wanted_ms }.request()
        };
        let replies = control.ask(&doubtful.iter().map(request).collect::<Vec<Request>>())?;
        let mut state = self.shared.state();
        for ((path, old), reply) in doubtful.iter().zip(replies) {
            match extended(Some(reply)).map(Answer::decode_lease) {
                Some(Ok(Answer::Lease { granted_ms, version, lease, .. }))
                    if granted_ms > 0 && version == old.version =>
                {
                    let term = Duration::from_millis(granted_ms.into());
                    let grant = Grant { lease, version, term };
                    if state.leases.reclaimed(path, old.id, grant, (asked_at, changes)) {
                        one(&self.shared.counting.leases_reclaimed);
                    } else {
                        state.cache.forget(path);
                    }
                }
                _ => {
                    if state.leases.drop_doubtful(path, old.id) {
                        state.cache.forget(path);
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits until the server sends something, the client wants something, or it is this time; whether it is the server.
    fn wait(&self, events: Option<&Events>, until: Option<Instant>) -> bool {
        if events.is_some_and(Events::has_more) {
            return true;
        }
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        // A part of a millisecond would be none, and the thread would wait by asking again and again.
        let millis = left.map(|left| u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX));
        let timeout = millis.map_or(PollTimeout::NONE, PollTimeout::from);
        let mut both = vec![PollFd::new(self.shared.wakes().as_fd(), PollFlags::POLLIN)];
        both.extend(events.map(|events| PollFd::new(events.as_fd(), PollFlags::POLLIN)));
        // A signal ends the wait early, which does no harm.
        if poll(&mut both, timeout).is_err() {
            return false;
        }
        let is_ready = |fd: &PollFd<'_>| fd.revents().is_some_and(|events| !events.is_empty());
        if is_ready(&both[0]) {
            self.shared.awake();
        }
        both.get(1).is_some_and(is_ready)
    }
}

/// The fields of an extension's answer.
fn extended(reply: Option<Reply>) -> Option<Bytes> {
    match reply {
        Some(Reply::Extended(fields)) => Some(fields),
        _ => None,
    }
}
