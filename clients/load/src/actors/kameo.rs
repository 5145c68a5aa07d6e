//! kameo, without its tracing and metrics.

use std::convert::Infallible;
use std::future::{Future, ready};

use kameo::Actor;
use kameo::actor::{ActorRef, Spawn};
use kameo::mailbox;
use kameo::message::{Context, Message};

use super::Question;
use super::contest::{Contestant, Load, Outcome, Refusal};
use super::memory::{Held, Holder};
use super::pace;
use super::question::{MAILBOX_MESSAGES, MAILBOX_MESSAGES_SMALL};
use super::runtimes::{Elsewhere, run_here};

struct Counter(u64);

struct Add(u64);

impl Actor for Counter {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(counter: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(counter)
    }
}

impl Message<Add> for Counter {
    type Reply = u64;

    async fn handle(&mut self, Add(number): Add, _: &mut Context<Self, u64>) -> u64 {
        self.0 += number;
        self.0
    }
}

/// Starts a counter on the current runtime.
fn start(mailbox: usize) -> ActorRef<Counter> {
    Counter::spawn_with_mailbox(Counter(0), mailbox::bounded(mailbox))
}

async fn ask(counter: &ActorRef<Counter>, number: u64) -> Result<u64, Refusal> {
    counter.ask(Add(number)).send().await.map_err(Refusal::failed)
}

async fn asks(load: Load, counter: ActorRef<Counter>) -> Outcome {
    pace::asks(load, |number| ask(&counter, number)).await
}

async fn try_tells(load: Load, counter: ActorRef<Counter>) -> Outcome {
    let tell = |number| ready(counter.tell(Add(number)).try_send().map_err(Refusal::failed));
    pace::tells(load, tell, || ask(&counter, 0)).await
}

async fn tells(load: Load, counter: ActorRef<Counter>) -> Outcome {
    let counter = &counter;
    let tell =
        |number| async move { counter.tell(Add(number)).send().await.map_err(Refusal::failed) };
    pace::tells(load, tell, || ask(counter, 0)).await
}

async fn live() -> Result<u64, Refusal> {
    let counter = start(MAILBOX_MESSAGES);
    let count = ask(&counter, 1).await?;
    counter.stop_gracefully().await.map_err(Refusal::failed)?;
    counter.wait_for_shutdown().await;
    Ok(count)
}

/// Both are tasks of one runtime with one thread.
fn here<F: Future<Output = Outcome> + Send + 'static>(
    mailbox: usize,
    job: impl FnOnce(ActorRef<Counter>) -> F + Send + 'static,
) -> Outcome {
    run_here(async move { job(start(mailbox)).await })
}

/// Tasks of two runtimes with one thread each.
fn elsewhere<F: Future<Output = Outcome> + Send + 'static>(
    load: Load,
    mailbox: usize,
    job: impl FnOnce(ActorRef<Counter>) -> F,
) -> Outcome {
    let other = Elsewhere::start(load)?;
    load.place_asker();
    let counter = other.run(async move { Ok(start(mailbox)) })?;
    run_here(job(counter))
}

fn hold(actors: usize) -> Result<Held, Refusal> {
    let runtime = Elsewhere::start(Question::MemoryTask.load(0))?;
    let counters = runtime.run(async move {
        let mut counters = Vec::with_capacity(actors);
        for _ in 0..actors {
            let counter = start(MAILBOX_MESSAGES);
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
    const ROOMY: usize = MAILBOX_MESSAGES;
    const NARROW: usize = MAILBOX_MESSAGES_SMALL;
    let one = "two tasks of one current_thread runtime; mailbox 1024";
    let one_narrow = "two tasks of one current_thread runtime; mailbox 64, waits";
    let two = "tasks of two current_thread runtimes; mailbox 1024";
    let two_narrow = "tasks of two current_thread runtimes; mailbox 64, waits";
    let (ask, try_tell, tell) = ("kameo", "kameo try_send", "kameo tell");
    let life = "by a task of its runtime; no supervisor";
    vec![
        Contestant::new(AskSameLoop, ask, one, |load| here(ROOMY, move |to| asks(load, to))),
        Contestant::new(AskOtherThread, ask, two, |load| {
            elsewhere(load, ROOMY, move |to| asks(load, to))
        }),
        Contestant::new(TellSameLoop, try_tell, one, |load| {
            here(ROOMY, move |to| try_tells(load, to))
        }),
        Contestant::new(TellSameLoop, tell, one_narrow, |load| {
            here(NARROW, move |to| tells(load, to))
        }),
        Contestant::new(TellOtherThread, try_tell, two, |load| {
            elsewhere(load, ROOMY, move |to| try_tells(load, to))
        }),
        Contestant::new(TellOtherThread, tell, two_narrow, |load| {
            elsewhere(load, NARROW, move |to| tells(load, to))
        }),
        Contestant::new(LifeTask, "kameo", life, |load| {
            run_here(async move { pace::lives(load, live).await })
        }),
    ]
}

pub(crate) fn holders() -> Vec<Holder> {
    let setting = "one runtime, mailbox 1024";
    vec![Holder { question: Question::MemoryTask, name: "kameo", setting, hold }]
}
