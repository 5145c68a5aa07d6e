//! The actor that hears what this node's replicas say.

use std::sync::Arc;
use std::time::Duration;

use palco_actors::{Actor, Context, Failure, Handler, Message};
use serde_json::{Value, json};

use crate::domain::Inner;
use crate::words::{Letters, Out};

/// How often requests are looked for that no replica will answer any more.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A replica answers at its deadline; so much later it never will.
const GRACE: Duration = Duration::from_secs(1);

/// Settles answers and brings letters on their way.
#[derive(Debug)]
pub struct Desk {
    inner: Arc<Inner>,
}

/// Look for requests that nobody will answer.
#[derive(Debug)]
struct Sweep;

impl Message for Sweep {
    type Reply = ();
}

impl Desk {
    pub(crate) fn of(inner: Arc<Inner>) -> Self {
        Self { inner }
    }
}

impl Actor for Desk {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.tell_after(SWEEP_EVERY, Sweep);
        Ok(())
    }

    fn state(&self) -> Value {
        json!({ "batches waiting": self.inner.pending.lock().len() })
    }
}

impl Handler<Out> for Desk {
    async fn handle(&mut self, out: Out, _: &mut Context<Self>) {
        for letter in out.letters {
            let letters = Letters { from: out.node, packed: letter.packed };
            self.inner.post(out.shard, letter.to, letters);
        }
        if !out.answers.is_empty() {
            let mut pending = self.inner.pending.lock();
            for answer in out.answers {
                if let Some(trail) = answer.trail {
                    // Before the outcome: who waits for that finds the trail there.
                    self.inner.trails.lock().keep(answer.number, trail);
                }
                pending.settle(answer.number, answer.outcome);
            }
        }
    }
}

impl Handler<Sweep> for Desk {
    async fn handle(&mut self, _: Sweep, cx: &mut Context<Self>) {
        let now = self.inner.now();
        self.inner.pending.lock().give_up(|deadline| now.since(deadline) >= GRACE);
        cx.tell_after(SWEEP_EVERY, Sweep);
    }
}
