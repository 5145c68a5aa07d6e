//! Processor time of a server, as far as it has threads or processes of its own.

use std::fs;

use palco_actors::AnyRef;
use palco_models::Server;

/// Beyond so many actors it costs more to look than the figure is worth.
const ACTORS_MAX: usize = 64;

/// Milliseconds; none where the server shares threads with others, has very many, or the kernel does not tell.
pub(super) fn of(server: &Server) -> Option<u64> {
    if server.settings().place.shares_its_thread() {
        return None;
    }
    let mut actors = Vec::new();
    collect(&server.supervisor(), &mut actors)?;
    let millis: Vec<u64> = actors
        .iter()
        .filter_map(|actor| {
            let actor = actor.snapshot();
            match (actor.process, actor.thread) {
                (Some(process), _) => process.cpu_ms,
                (None, Some(thread)) => of_thread(thread),
                (None, None) => None,
            }
        })
        .collect();
    (!millis.is_empty()).then(|| millis.iter().sum())
}

/// The actor and all below it; none if they are too many.
fn collect(actor: &AnyRef, actors: &mut Vec<AnyRef>) -> Option<()> {
    actors.push(actor.clone());
    if actors.len() > ACTORS_MAX {
        return None;
    }
    actor.children().iter().try_for_each(|child| collect(child, actors))
}

/// The first figure of `/proc/…/schedstat`: nanoseconds on a processor.
fn of_thread(thread: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/self/task/{thread}/schedstat")).ok()?;
    let nanos: u64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    Some(nanos / 1_000_000)
}
