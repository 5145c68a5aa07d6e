//! Tasks and actors that have begun and wait for a message that never comes.

use palco_actors::{Actor, Context, Handler, Message, Place, SpawnOptions, System};

use super::scale::{PORTIONS, own, weigh};
use crate::local::apart::Outcome;
use crate::local::meter::Plan;
use crate::local::way::Way;
use crate::{Section, Unavailable, Unit};

pub(super) fn ways() -> Vec<Way> {
    let ways = vec![task("palco-actor", palco_actors)];
    #[cfg(feature = "peers")]
    let ways = [ways, peers::WAYS.to_vec()].concat();
    ways
}

const fn task(mechanism: &'static str, round: fn(&Plan) -> Outcome) -> Way {
    Way { section: Section::Memory, unit: Unit::Task, mechanism, round }
}

/// Tasks in a portion.
const TASKS: u64 = 1_000;

/// Room for the addresses of all that are held. Their 8 bytes a unit are weighed too: without an address it would be gone.
fn room<T>() -> Vec<T> {
    Vec::with_capacity(usize::try_from((PORTIONS + 1) * TASKS).unwrap_or(0))
}

struct Idle;

/// Is answered by whoever is idle.
struct Hello;

impl Actor for Idle {}

impl Message for Hello {
    type Reply = ();
}

impl Handler<Hello> for Idle {
    async fn handle(&mut self, Hello: Hello, _: &mut Context<Self>) {}
}

fn palco_actors(_: &Plan) -> Outcome {
    let failed = |error: &dyn std::fmt::Display| Unavailable(format!("no more actors: {error}"));
    let system = System::builder().event_loops(1).build().map_err(|error| failed(&error))?;
    let mut held = room();
    weigh(TASKS, own, |units| {
        let first = held.len();
        for _ in 0..units {
            let options = SpawnOptions::new().place(Place::Loop(0));
            held.push(system.spawn(options, || Idle).map_err(|error| failed(&error))?);
        }
        // Each has handled a message, and so is at rest behind it.
        for actor in &held[first..] {
            let answer = actor.ask(Hello, std::time::Duration::from_secs(60));
            palco_threads::block_on(answer).map_err(|error| failed(&error))?;
        }
        Ok(())
    })
}

#[cfg(feature = "peers")]
mod peers {
    //! Tasks of tokio and actors of actix.

    use std::future::pending;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use actix::{Context, MessageResult};
    use tokio::task::yield_now;

    use super::{Hello, Idle, Outcome, Plan, TASKS, Unavailable, Way, own, room, task, weigh};
    use crate::local::on_tokio::runtime;

    pub(super) const WAYS: [Way; 2] =
        [task("tokio-task", tokio_tasks), task("actix-actor", actix_actors)];

    fn tokio_tasks(_: &Plan) -> Outcome {
        let runtime = runtime()?;
        let waiting = Arc::new(AtomicU64::new(0));
        let mut held = room();
        weigh(TASKS, own, |units| {
            runtime.block_on(async {
                for _ in 0..units {
                    let waiting = Arc::clone(&waiting);
                    held.push(tokio::spawn(async move {
                        waiting.fetch_add(1, Ordering::Relaxed);
                        pending::<()>().await;
                    }));
                }
                while waiting.load(Ordering::Relaxed) < held.len() as u64 {
                    yield_now().await;
                }
            });
            Ok(())
        })
    }

    impl actix::Actor for Idle {
        type Context = Context<Self>;
    }

    impl actix::Message for Hello {
        type Result = ();
    }

    impl actix::Handler<Hello> for Idle {
        type Result = MessageResult<Hello>;

        fn handle(&mut self, Hello: Hello, _: &mut Self::Context) -> Self::Result {
            MessageResult(())
        }
    }

    fn actix_actors(_: &Plan) -> Outcome {
        let system = actix_rt::System::new();
        let mut held = room();
        weigh(TASKS, own, |units| {
            system.block_on(async {
                let first = held.len();
                for _ in 0..units {
                    held.push(actix::Actor::start(Idle));
                }
                for actor in &held[first..] {
                    let answer = actor.send(Hello).await;
                    answer.map_err(|error| Unavailable(format!("an actix actor: {error}")))?;
                }
                Ok(())
            })
        })
    }
}
