//! Model `per-connection`: a dispatcher hands each connection to a fresh actor (UNP §30.7 with threads).
//!
//! The dispatcher lives in the same kind of place; as a task, on the loop that its connections share.

use palco_actors::PlaceKind;

use crate::acceptor::Handover;
use crate::model::{Concurrency, ModelKind, ModelProfile, Plan};

pub(crate) const SENTENCE: &str =
    "a dispatcher hands each connection to a fresh actor, which ends with it";

pub(crate) fn plan(place: PlaceKind) -> Plan {
    Plan { acceptors: vec![("dispatcher".into(), place.into())], handover: Handover::Fresh }
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
