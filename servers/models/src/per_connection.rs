//! Model `per-connection`: a dispatcher hands each connection to a fresh actor (UNP §30.5 with processes, §30.7 with
//! threads).
//!
//! The dispatcher lives in the same kind of place; as a task, on the loop that its connections share; as a fiber, beside
//! connections that go to whichever LWP has time first. For processes it
//! is a task too: it accepts, and passes the open socket to a process that a zygote has forked for it.

use palco_actors::{Place, PlaceKind};

use crate::model::{Concurrency, ModelKind, ModelProfile, Plan, ServedBy};

pub(crate) const SENTENCE: &str =
    "a dispatcher hands each connection to a fresh actor, which ends with it";

pub(crate) fn plan(place: PlaceKind) -> Plan {
    let dispatcher = match place {
        PlaceKind::Process => Place::Task,
        PlaceKind::Task | PlaceKind::Thread | PlaceKind::Fiber | PlaceKind::Remote => place.into(),
    };
    Plan { acceptors: vec![("dispatcher".into(), dispatcher)], served_by: ServedBy::OwnActor }
}

pub(crate) fn profile(place: PlaceKind) -> ModelProfile {
    let (classic_name, concurrency, while_blocked, idle_connection_holds) = match place {
        PlaceKind::Task => (
            "async server, one event loop",
            Concurrency::Apparent,
            "waits, with all clients of that loop",
            "a task",
        ),
        PlaceKind::Thread => {
            ("thread per connection", Concurrency::Real, "does not notice", "a thread")
        }
        PlaceKind::Fiber => (
            "fiber per connection (M:N server)",
            Concurrency::Real,
            "waits if it shares the blocked LWP",
            "a fiber at rest, without a stack",
        ),
        PlaceKind::Process => {
            ("process per connection", Concurrency::Real, "does not notice", "a process")
        }
        // Refused by its plan.
        PlaceKind::Remote => ("not to be had", Concurrency::None, "-", "-"),
    };
    ModelProfile {
        model: ModelKind::PerConnection,
        place,
        classic_name,
        concurrency,
        connections: "up to connections-max",
        while_blocked,
        idle_connection_holds,
        workers: None,
    }
}
