//! The actor of the parent that keeps a state for its processes: one question at a time, on a thread of its own.

use std::sync::Arc;
use std::time::Duration;

use palco_actors::{
    Actor, Context, Failure, Grant, Handler, Message, Place, Restart, SpawnOptions, Supervisor,
};
use palco_service::SharedState;
use serde::{Deserialize, Serialize};

/// Its name among the children of the server's supervisor.
pub(crate) const KEEPER: &str = "state";

/// How long a process waits for an answer.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A question about the state.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Asked<S: SharedState>(pub(crate) S::Question);

impl<S: SharedState> Message for Asked<S> {
    type Reply = S::Answer;
}

/// The state outlives the actor: it belongs to the server.
struct Keeper<S>(Arc<S>);

impl<S: SharedState> Actor for Keeper<S> {}

impl<S: SharedState> Handler<Asked<S>> for Keeper<S> {
    async fn handle(&mut self, asked: Asked<S>, _: &mut Context<Self>) -> S::Answer {
        self.0.answer(asked.0)
    }
}

/// Starts the keeper of `service`'s state; a grant to ask it.
pub(crate) fn keep<S: SharedState>(
    cx: &Context<Supervisor>,
    service: &Arc<S>,
) -> Result<Grant, Failure> {
    let service = Arc::clone(service);
    let options = SpawnOptions::new().name(KEEPER).place(Place::Thread).restart(Restart::Always);
    let keeper = cx.supervise(options, move || Keeper(Arc::clone(&service)))?;
    Ok(Grant::of(keeper.recipient::<Asked<S>>()))
}
