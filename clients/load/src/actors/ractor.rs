//! ractor, with its default features but for the propagation of tracing spans, which costs it time.

use std::future::{Future, ready};

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};

use super::Question;
use super::contest::{Contestant, Load, Outcome, Refusal};
use super::memory::{Held, Holder};
use super::pace;
use super::runtimes::{Elsewhere, run_here};

struct Counter;

enum Add {
    Tell(u64),
    Ask(u64, RpcReplyPort<u64>),
}

impl Actor for Counter {
    type Msg = Add;
    type State = u64;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Add>, (): ()) -> Result<u64, ActorProcessingErr> {
        Ok(0)
    }

    async fn handle(
        &self,
        _: ActorRef<Add>,
        message: Add,
        count: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Add::Tell(number) => *count += number,
            Add::Ask(number, reply) => {
                *count += number;
                reply.send(*count)?;
            }
        }
        Ok(())
    }
}

async fn start() -> Result<(ActorRef<Add>, JoinHandle<()>), Refusal> {
    Counter::spawn(None, Counter, ()).await.map_err(Refusal::failed)
}

async fn ask(counter: &ActorRef<Add>, number: u64) -> Result<u64, Refusal> {
    let reply = counter.call(|reply| Add::Ask(number, reply), None).await;
    reply.map_err(Refusal::failed)?.success_or_else(|| Refusal::failed("no reply"))
}

async fn asks(load: Load, counter: ActorRef<Add>) -> Outcome {
    pace::asks(load, |number| ask(&counter, number)).await
}

async fn tells(load: Load, counter: ActorRef<Add>) -> Outcome {
    let tell = |number| ready(counter.cast(Add::Tell(number)).map_err(Refusal::failed));
    pace::tells(load, tell, || ask(&counter, 0)).await
}

async fn live() -> Result<u64, Refusal> {
    let (counter, ended) = start().await?;
    let count = ask(&counter, 1).await?;
    counter.stop(None);
    ended.await.map_err(Refusal::failed)?;
    Ok(count)
}

/// Both are tasks of one runtime with one thread.
fn here<F: Future<Output = Outcome> + Send + 'static>(
    job: impl FnOnce(ActorRef<Add>) -> F + Send + 'static,
) -> Outcome {
    run_here(async move {
        let (counter, _) = start().await?;
        job(counter).await
    })
}

/// Tasks of two runtimes with one thread each.
fn elsewhere<F: Future<Output = Outcome> + Send + 'static>(
    load: Load,
    job: impl FnOnce(ActorRef<Add>) -> F,
) -> Outcome {
    let other = Elsewhere::start(load)?;
    load.place_asker();
    let (counter, _) = other.run(start())?;
    run_here(job(counter))
}

fn hold(actors: usize) -> Result<Held, Refusal> {
    let runtime = Elsewhere::start(Question::MemoryTask.load(0))?;
    let counters = runtime.run(async move {
        let mut counters = Vec::with_capacity(actors);
        for _ in 0..actors {
            let (counter, _) = start().await?;
            Refusal::unless_equal(1, ask(&counter, 1).await?)?;
            counters.push(counter);
        }
        Ok(counters)
    })?;
    Ok(Box::new(move || {
        drop(runtime);
        drop(counters);
    }))
}

pub(crate) fn contestants() -> Vec<Contestant> {
    use Question::{AskOtherThread, AskSameLoop, LifeTask, TellOtherThread, TellSameLoop};
    let one = "two tasks of one current_thread runtime; mailboxes are never bounded";
    let two = "tasks of two current_thread runtimes; mailboxes are never bounded";
    let life = "by a task of its runtime; no supervisor";
    vec![
        Contestant::new(AskSameLoop, "ractor", one, |load| here(move |to| asks(load, to))),
        Contestant::new(AskOtherThread, "ractor", two, |load| {
            elsewhere(load, move |to| asks(load, to))
        }),
        Contestant::new(TellSameLoop, "ractor", one, |load| here(move |to| tells(load, to))),
        Contestant::new(TellOtherThread, "ractor", two, |load| {
            elsewhere(load, move |to| tells(load, to))
        }),
        Contestant::new(LifeTask, "ractor", life, |load| {
            run_here(async move { pace::lives(load, live).await })
        }),
    ]
}

pub(crate) fn holders() -> Vec<Holder> {
    let setting = "one runtime, mailboxes are never bounded";
    vec![Holder { question: Question::MemoryTask, name: "ractor", setting, hold }]
}
