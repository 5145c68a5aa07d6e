//! Who accepts and who serves, as the tree of a server shows it.

use palco_actors::AnyRef;
use palco_models::{Server, ServerSettings, profile};

use crate::stage::until;

/// The acceptors of a server, once all of them run.
pub(crate) fn acceptors(server: &Server) -> Vec<AnyRef> {
    let ServerSettings { model, place, workers, .. } = *server.settings();
    let count = workers.or(profile(model, place).workers).unwrap_or(1);
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

/// Who serves the connections that are there: actors of their own if the model makes them, else the acceptors.
pub(crate) fn serving(server: &Server) -> Vec<AnyRef> {
    let connections = connections(server);
    if connections.is_empty() { acceptors(server) } else { connections }
}
