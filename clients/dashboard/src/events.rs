//! Server-sent events: the observer is heard once for all clients.
//!
//! | file | what |
//! |---|---|
//! | `events/ring.rs` | the latest events as text, bounded in number and bytes |
//! | `events/pump.rs` | from the observer and the loads into the ring, while there are clients |
//! | `events/client.rs` | from the ring to one client: snapshot, what follows, what was lost |
//!
//! A client pulls: its next event is looked up when its socket has taken the one before. One that does not read holds
//! that one event, and finds when it comes back that it has lost the others.

mod client;
mod pump;
mod ring;

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::web::Data;
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use client::{Client, Resume};
use ring::Ring;

use crate::shared::Shared;

/// Clients that listen at once.
pub(crate) const CLIENTS_MAX: usize = 32;

/// What is between the observer and the clients.
#[derive(Debug)]
pub(crate) struct Hub {
    ring: Mutex<Ring>,
    news: Notify,
    clients: AtomicUsize,
    /// In every event's id, so that a client of an earlier stage is told from one of this.
    mark: String,
}

/// The right to listen; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat(Data<Shared>);

impl Hub {
    pub(crate) fn new() -> Self {
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let mark = started.map_or(0, |since| since.as_millis());
        Self {
            ring: Mutex::default(),
            news: Notify::new(),
            clients: AtomicUsize::new(0),
            mark: format!("{mark:x}"),
        }
    }

    fn clients(&self) -> usize {
        self.clients.load(Ordering::Acquire)
    }

    /// The id of the event with this number.
    fn id(&self, seq: u64) -> String {
        format!("{seq}-{}", self.mark)
    }

    /// The number in an id, if this hub has given it out.
    fn seq(&self, id: &str) -> Option<u64> {
        let (seq, mark) = id.split_once('-')?;
        if mark == self.mark { seq.parse().ok() } else { None }
    }
}

impl Seat {
    /// None if all are taken.
    pub(crate) fn take(shared: &Data<Shared>) -> Option<Self> {
        let one_more = |taken: usize| (taken < CLIENTS_MAX).then_some(taken + 1);
        let clients = &shared.hub.clients;
        clients.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).ok()?;
        Some(Self(shared.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.hub.clients.fetch_sub(1, Ordering::AcqRel);
    }
}
