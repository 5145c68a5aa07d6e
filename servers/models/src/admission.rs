//! How many connections a server holds at once, and what happens to one more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use event_listener::Event;
use serde::{Deserialize, Serialize};

use crate::shedding::Shedding;

/// What happens to a connection beyond the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is not accepted until there is room: it waits in the kernel's backlog, nothing is lost.
    #[default]
    Defer,
    /// It is reset at once; the client sees an error.
    Drop,
    /// It is closed in order; the client sees an end of input.
    Close,
    /// It is told so in the protocol's words, then closed.
    Fail,
}

/// A server's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Limits {
    /// Connections held at once; at least 1, and at most 1 048 576: more count as that.
    pub connections_max: usize,
    /// What happens to one more.
    pub action: Action,
    /// Connections that the kernel keeps waiting before they are accepted.
    pub backlog: i32,
    /// When to turn clients away that have waited too long to be accepted; never if not given.
    #[serde(skip)]
    pub shedding: Option<Shedding>,
}

/// As many connections as one server can tell apart at once.
const CONNECTIONS_MAX: usize = 1 << 20;

impl Limits {
    /// Connections held at once, whatever was asked for.
    pub(crate) fn at_once(&self) -> usize {
        self.connections_max.clamp(1, CONNECTIONS_MAX)
    }
}

impl Default for Limits {
    /// 1024 connections, deferred beyond; a backlog of 1024.
    fn default() -> Self {
        Self { connections_max: 1024, action: Action::Defer, backlog: 1024, shedding: None }
    }
}

/// The gate of one server, shared by its acceptors.
#[derive(Debug)]
pub(crate) struct Admission {
    limits: Limits,
    active: AtomicUsize,
    room: Event,
}

/// The right to hold one connection; given back when the last clone is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Permit(#[expect(dead_code, reason = "given back when dropped")] Arc<Room>);

#[derive(Debug)]
struct Room(Arc<Admission>);

impl Admission {
    pub(crate) fn new(limits: Limits) -> Self {
        let limits = Limits { connections_max: limits.at_once(), ..limits };
        Self { limits, active: AtomicUsize::new(0), room: Event::new() }
    }

    pub(crate) fn action(&self) -> Action {
        self.limits.action
    }

    pub(crate) fn active(&self) -> usize {
        self.active.load(Ordering::Acquire)
    }

    pub(crate) fn has_room(&self) -> bool {
        self.active() < self.limits.connections_max
    }

    /// Waits until there is room, without taking it. Cancel-safe.
    pub(crate) async fn room(&self) {
        loop {
            let room = self.room.listen();
            if self.has_room() {
                return;
            }
            room.await;
        }
    }

    /// A permit, if the limit allows one more.
    pub(crate) fn try_admit(self: &Arc<Self>) -> Option<Permit> {
        let one_more = |active: usize| (active < self.limits.connections_max).then_some(active + 1);
        self.active
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .ok()
            .map(|_| Permit(Arc::new(Room(Arc::clone(self)))))
    }

    /// A permit as soon as the limit allows one more. Cancel-safe.
    pub(crate) async fn admit(self: &Arc<Self>) -> Permit {
        loop {
            let room = self.room.listen();
            if let Some(permit) = self.try_admit() {
                return permit;
            }
            room.await;
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::AcqRel);
        // All: the one that is woken may only be looking (`room`).
        self.0.room.notify(usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use palco_threads::block_on;

    use super::*;

    #[test]
    fn a_limit_is_at_least_one_and_no_more_than_can_be_told_apart() {
        for (asked, had) in [(0, 1), (7, 7), (usize::MAX, CONNECTIONS_MAX)] {
            let limits = Limits { connections_max: asked, ..Limits::default() };
            assert_eq!(Admission::new(limits).limits.connections_max, had);
        }
    }

    #[test]
    fn one_more_than_the_limit_waits_until_one_has_gone() {
        let admission =
            Arc::new(Admission::new(Limits { connections_max: 2, ..Limits::default() }));
        let (first, _second) = (admission.try_admit().unwrap(), admission.try_admit().unwrap());
        assert!(admission.try_admit().is_none());
        let waiting = std::thread::spawn({
            let admission = Arc::clone(&admission);
            move || block_on(admission.admit())
        });
        drop(first);
        let _third = waiting.join().unwrap();
        assert_eq!(admission.active(), 2);
    }
}
