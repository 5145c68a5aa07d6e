//! Who accepts and who serves, as the tree of a server shows it.

use palco_actors::AnyRef;
use palco_models::{AcceptBy, Server, ServerSettings, profile};

use crate::stage::until;

/// The acceptors of a server, once all of them run.
pub(crate) fn acceptors(server: &Server) -> Vec<AnyRef> {
    let ServerSettings { model, place, workers, .. } = *server.settings();
    let count = match server.settings().accept_by() {
        AcceptBy::Workers | AcceptBy::OwnSockets => {
            workers.or(profile(model, place).workers).unwrap_or(1)
        }
        AcceptBy::Dispatcher => 1,
    };
    let runs = |acceptor: &AnyRef| acceptor.snapshot().message.is_some();
    until("the acceptors run", || {
        let acceptors = server.acceptors();
        acceptors.len() == count && acceptors.iter().all(runs)
    });
    server.acceptors()
}

/// Whether somebody who serves is in the middle of writing.
pub(crate) fn is_writing(server: &Server) -> bool {
    let writes = |actor: &AnyRef| actor.snapshot().note.as_deref() == Some("writing");
    serving(server).iter().any(writes)
}

/// The actors of a server that live for one connection.
pub(crate) fn connections(server: &Server) -> Vec<AnyRef> {
    acceptors(server).iter().flat_map(AnyRef::children).collect()
}

/// All who are there whether or not there are connections: who accepts, and the workers of a team, each once.
pub(crate) fn standing(server: &Server) -> Vec<AnyRef> {
    each_once(acceptors(server).into_iter().chain(server.workers()))
}

/// All who accept or serve, each once.
pub(crate) fn everybody(server: &Server) -> Vec<AnyRef> {
    each_once(standing(server).into_iter().chain(connections(server)))
}

fn each_once(actors: impl Iterator<Item = AnyRef>) -> Vec<AnyRef> {
    let mut actors: Vec<AnyRef> = actors.collect();
    actors.sort_unstable_by_key(AnyRef::id);
    actors.dedup_by_key(|actor| actor.id());
    actors
}

/// Who serves the connections that are there: actors of their own if the model makes them, else
/// the workers.
pub(crate) fn serving(server: &Server) -> Vec<AnyRef> {
    let connections = connections(server);
    if connections.is_empty() { server.workers() } else { connections }
}
