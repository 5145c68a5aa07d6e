//! tokio's channels without a framework around them: a task, an mpsc channel for messages, a oneshot for each reply.

use std::future::{Future, ready};

use tokio::sync::{mpsc, oneshot};

use super::Question;
use super::contest::{Contestant, Load, Outcome, Refusal};
use super::memory::{Held, Holder};
use super::pace;
use super::question::{MAILBOX_MESSAGES, MAILBOX_MESSAGES_SMALL};
use super::runtimes::{Elsewhere, run_here};

/// A number to add, and where the count goes.
type Add = (u64, Option<oneshot::Sender<u64>>);

type Counter = mpsc::Sender<Add>;

async fn count(mut receiver: mpsc::Receiver<Add>) {
    let mut count = 0;
    while let Some((number, reply)) = receiver.recv().await {
        count += number;
        if let Some(reply) = reply {
            let _ = reply.send(count);
        }
    }
}

async fn ask(counter: &Counter, number: u64) -> Result<u64, Refusal> {
    let (sender, reply) = oneshot::channel();
    counter.send((number, Some(sender))).await.map_err(Refusal::failed)?;
    reply.await.map_err(Refusal::failed)
}

async fn asks(load: Load, counter: Counter) -> Outcome {
    pace::asks(load, |number| ask(&counter, number)).await
}

async fn try_tells(load: Load, counter: Counter) -> Outcome {
    let tell = |number| ready(counter.try_send((number, None)).map_err(Refusal::failed));
    pace::tells(load, tell, || ask(&counter, 0)).await
}

async fn tells(load: Load, counter: Counter) -> Outcome {
    let counter = &counter;
    let tell = |number| async move { counter.send((number, None)).await.map_err(Refusal::failed) };
    pace::tells(load, tell, || ask(counter, 0)).await
}

/// Both are tasks of one runtime with one thread.
fn here<F: Future<Output = Outcome> + Send + 'static>(
    mailbox: usize,
    job: impl FnOnce(Counter) -> F + Send + 'static,
) -> Outcome {
    run_here(async move {
        let (sender, receiver) = mpsc::channel(mailbox);
        tokio::spawn(count(receiver));
        job(sender).await
    })
}

/// Tasks of two runtimes with one thread each.
fn elsewhere<F: Future<Output = Outcome> + Send + 'static>(
    load: Load,
    mailbox: usize,
    job: impl FnOnce(Counter) -> F,
) -> Outcome {
    let other = Elsewhere::start(load)?;
    load.place_asker();
    let (sender, receiver) = mpsc::channel(mailbox);
    other.handle.spawn(count(receiver));
    run_here(job(sender))
}

async fn live() -> Result<u64, Refusal> {
    let (sender, receiver) = mpsc::channel(MAILBOX_MESSAGES);
    let task = tokio::spawn(count(receiver));
    let count = ask(&sender, 1).await?;
    drop(sender);
    task.await.map_err(Refusal::failed)?;
    Ok(count)
}

fn hold(actors: usize) -> Result<Held, Refusal> {
    let runtime = Elsewhere::start(Question::MemoryTask.load(0))?;
    let counters = runtime.run(async move {
        let mut counters = Vec::with_capacity(actors);
        for _ in 0..actors {
            let (sender, receiver) = mpsc::channel(MAILBOX_MESSAGES);
            tokio::spawn(count(receiver));
            Refusal::unless_equal(1, ask(&sender, 1).await?)?;
            counters.push(sender);
        }
        Ok(counters)
    })?;
    Ok(Box::new(move || {
        drop(counters);
        drop(runtime);
    }))
}

pub(crate) fn contestants() -> Vec<Contestant> {
    use Question::{AskOtherThread, AskSameLoop, LifeTask, TellOtherThread, TellSameLoop};
    const ROOMY: usize = MAILBOX_MESSAGES;
    const NARROW: usize = MAILBOX_MESSAGES_SMALL;
    let one = "two tasks of one current_thread runtime; room for 1024";
    let one_narrow = "two tasks of one current_thread runtime; room for 64, waits";
    let two = "tasks of two current_thread runtimes; room for 1024";
    let two_narrow = "tasks of two current_thread runtimes; room for 64, waits";
    let (ask, try_send, send) =
        ("bare tokio mpsc + oneshot", "bare tokio try_send", "bare tokio send");
    let life = "spawned and awaited by a task of its runtime";
    vec![
        Contestant::new(AskSameLoop, ask, one, |load| here(ROOMY, move |to| asks(load, to))),
        Contestant::new(AskOtherThread, ask, two, |load| {
            elsewhere(load, ROOMY, move |to| asks(load, to))
        }),
        Contestant::new(TellSameLoop, try_send, one, |load| {
            here(ROOMY, move |to| try_tells(load, to))
        }),
        Contestant::new(TellSameLoop, send, one_narrow, |load| {
            here(NARROW, move |to| tells(load, to))
        }),
        Contestant::new(TellOtherThread, try_send, two, |load| {
            elsewhere(load, ROOMY, move |to| try_tells(load, to))
        }),
        Contestant::new(TellOtherThread, send, two_narrow, |load| {
            elsewhere(load, NARROW, move |to| tells(load, to))
        }),
        Contestant::new(LifeTask, "bare tokio task", life, |load| {
            run_here(async move { pace::lives(load, live).await })
        }),
    ]
}

pub(crate) fn holders() -> Vec<Holder> {
    vec![Holder {
        question: Question::MemoryTask,
        name: "bare tokio task",
        setting: "a task and an mpsc channel, room for 1024",
        hold,
    }]
}
