//! Model `iterative`: one acceptor serves each connection itself, one after the other (Stevens, UNP §30.2, design 0).

use palco_actors::PlaceKind;

use crate::model::{Concurrency, ModelKind, ModelProfile, Plan, ServedBy};

pub(crate) const SENTENCE: &str =
    "one acceptor serves each connection itself; the next client waits in the kernel's backlog";

pub(crate) fn plan(place: PlaceKind) -> Plan {
    Plan { acceptors: vec![("acceptor".into(), place.into())], served_by: ServedBy::Acceptor }
}

pub(crate) fn profile(place: PlaceKind) -> ModelProfile {
    let (classic_name, while_blocked, idle_connection_holds) = match place {
        PlaceKind::Task => (
            "event loop of one connection",
            "waits, and so does all else on that loop",
            "the whole server",
        ),
        PlaceKind::Thread => ("classic iterative server", "waits", "the whole server"),
        PlaceKind::Fiber => (
            "iterative server on a fiber",
            "waits, and so does all else on that LWP",
            "the whole server",
        ),
        PlaceKind::Process => (
            "one process (iterative, isolated)",
            "waits, also while a crash is mended",
            "the whole server",
        ),
        // Refused by its plan.
        PlaceKind::Remote => ("not to be had", "-", "-"),
    };
    ModelProfile {
        model: ModelKind::Iterative,
        place,
        classic_name,
        concurrency: Concurrency::None,
        connections: "1",
        while_blocked,
        idle_connection_holds,
        workers: None,
    }
}
