//! actix: the peer that all others are compared with. Its asks have no deadline, its actors no supervisor.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::mpsc;

use actix::{Actor, ActorContext, Addr, AtomicResponse, Context, Handler, Message, WrapFuture};
use actix_rt::{Arbiter, ArbiterHandle, System};
use tokio::sync::oneshot;

use super::Question;
use super::contest::{Contestant, Load, Outcome, Refusal};
use super::memory::{Held, Holder};
use super::pace;
use super::question::MAILBOX_MESSAGES;

/// Counts; says when it has stopped, if anybody wants to know.
#[derive(Default)]
struct Counter {
    count: u64,
    ended: Option<oneshot::Sender<()>>,
}

struct Add(u64);

struct Stop;

impl Actor for Counter {
    type Context = Context<Self>;

    fn started(&mut self, cx: &mut Self::Context) {
        cx.set_mailbox_capacity(MAILBOX_MESSAGES);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if let Some(ended) = self.ended.take() {
            let _ = ended.send(());
        }
    }
}

impl Message for Add {
    type Result = u64;
}

impl Message for Stop {
    type Result = ();
}

impl Handler<Add> for Counter {
    type Result = u64;

    fn handle(&mut self, Add(number): Add, _: &mut Self::Context) -> u64 {
        self.count += number;
        self.count
    }
}

impl Handler<Stop> for Counter {
    type Result = ();

    fn handle(&mut self, _: Stop, cx: &mut Self::Context) {
        cx.stop();
    }
}

type Running = Pin<Box<dyn Future<Output = Outcome>>>;

/// Has asks made by an actor that handles nothing else meanwhile, as a palco actor does.
struct Drive(Load, Addr<Counter>);

struct Driver;

impl Actor for Driver {
    type Context = Context<Self>;
}

impl Message for Drive {
    type Result = Outcome;
}

impl Handler<Drive> for Driver {
    type Result = AtomicResponse<Self, Outcome>;

    fn handle(&mut self, Drive(load, counter): Drive, _: &mut Self::Context) -> Self::Result {
        AtomicResponse::new(Box::pin(asks(load, counter).into_actor(self)))
    }
}

async fn asks_from_handler(load: Load, counter: Addr<Counter>) -> Outcome {
    Driver.start().send(Drive(load, counter)).await.map_err(Refusal::failed)?
}

async fn ask(counter: &Addr<Counter>, number: u64) -> Result<u64, Refusal> {
    counter.send(Add(number)).await.map_err(Refusal::failed)
}

fn asks(load: Load, counter: Addr<Counter>) -> Running {
    Box::pin(async move { pace::asks(load, |number| ask(&counter, number)).await })
}

async fn do_sends(load: Load, counter: Addr<Counter>) -> Outcome {
    let tell = |number| {
        counter.do_send(Add(number));
        ready(Ok(()))
    };
    pace::tells(load, tell, || ask(&counter, 0)).await
}

async fn try_sends(load: Load, counter: Addr<Counter>) -> Outcome {
    let tell = |number| ready(counter.try_send(Add(number)).map_err(Refusal::failed));
    pace::tells(load, tell, || ask(&counter, 0)).await
}

async fn live() -> Result<u64, Refusal> {
    let (sender, ended) = oneshot::channel();
    let counter = Counter { ended: Some(sender), ..Counter::default() }.start();
    let count = ask(&counter, 1).await?;
    counter.do_send(Stop);
    ended.await.map_err(Refusal::failed)?;
    Ok(count)
}

fn thread_live() -> Result<u64, Refusal> {
    let arbiter = Arbiter::new();
    let count = on(&arbiter.handle(), || async {
        let counter = Counter::default().start();
        ask(&counter, 1).await
    });
    end([arbiter])?;
    count
}

/// Runs what `make` makes as a task of the arbiter and waits for it.
fn on<T: Send + 'static, F: Future<Output = Result<T, Refusal>> + 'static>(
    arbiter: &ArbiterHandle,
    make: impl FnOnce() -> F + Send + 'static,
) -> Result<T, Refusal> {
    let (sender, receiver) = mpsc::sync_channel(1);
    arbiter.spawn_fn(move || {
        actix_rt::spawn(async move { sender.send(make().await) });
    });
    receiver.recv().map_err(Refusal::failed)?
}

fn end(arbiters: impl IntoIterator<Item = Arbiter>) -> Result<(), Refusal> {
    for arbiter in arbiters {
        arbiter.stop();
        arbiter.join().map_err(|_| Refusal::Panicked)?;
    }
    Ok(())
}

/// Whether sender and counter share an arbiter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Same,
    Other,
}

/// An actix system with two arbiters, a counter on the first, and a task that does `job` with it.
fn round<F: Future<Output = Outcome> + 'static>(
    load: Load,
    side: Side,
    job: impl FnOnce(Addr<Counter>) -> F + Send + 'static,
) -> Outcome {
    let _system = System::new();
    let [first, second] = [Arbiter::new(), Arbiter::new()];
    let counter = on(&first.handle(), move || async move {
        load.place_actor();
        let counter = Counter::default().start();
        ask(&counter, 0).await?; // its capacity is set when it starts, which is later
        Ok(counter)
    })?;
    let arbiter = if side == Side::Same { &first } else { &second };
    let outcome = on(&arbiter.handle(), move || {
        load.place_asker();
        job(counter)
    });
    end([second, first])?;
    outcome
}

fn hold(actors: usize) -> Result<Held, Refusal> {
    let _system = System::new();
    let arbiter = Arbiter::new();
    let counters = on(&arbiter.handle(), move || async move {
        let mut counters = Vec::with_capacity(actors);
        for _ in 0..actors {
            let counter = Counter::default().start();
            Refusal::unless_equal(1, ask(&counter, 1).await?)?;
            counters.push(counter);
        }
        Ok(counters)
    })?;
    Ok(Box::new(move || {
        let _ = end([arbiter]);
        drop(counters);
    }))
}

pub(crate) fn contestants() -> Vec<Contestant> {
    use Question::{
        AskOtherThread, AskSameLoop, LifeTask, LifeThread, TellOtherThread, TellSameLoop,
    };
    let task = "asker a bare task on the actor's arbiter; mailbox 1024; no deadline";
    let handler = "both actors on one arbiter, asker in an AtomicResponse; mailbox 1024";
    let other = "task on one arbiter to actor on another; mailbox 1024";
    let (do_send, try_send) = ("actix do_send", "actix try_send");
    let unbounded = "task on the actor's arbiter; ignores the capacity";
    let bounded = "task on the actor's arbiter; mailbox 1024";
    let other_unbounded = "task on one arbiter to actor on another; ignores the capacity";
    vec![
        Contestant::new(AskSameLoop, "actix, from a task", task, |load| {
            round(load, Side::Same, move |to| asks(load, to))
        })
        .baseline(),
        Contestant::new(AskSameLoop, "actix, from a handler", handler, |load| {
            round(load, Side::Same, move |to| asks_from_handler(load, to))
        }),
        Contestant::new(AskOtherThread, "actix", other, |load| {
            round(load, Side::Other, move |to| asks(load, to))
        })
        .baseline(),
        Contestant::new(TellSameLoop, do_send, unbounded, |load| {
            round(load, Side::Same, move |to| do_sends(load, to))
        })
        .baseline(),
        Contestant::new(TellSameLoop, try_send, bounded, |load| {
            round(load, Side::Same, move |to| try_sends(load, to))
        }),
        Contestant::new(TellOtherThread, do_send, other_unbounded, |load| {
            round(load, Side::Other, move |to| do_sends(load, to))
        })
        .baseline(),
        Contestant::new(TellOtherThread, try_send, other, |load| {
            round(load, Side::Other, move |to| try_sends(load, to))
        }),
        Contestant::new(LifeTask, "actix", "by a task of its arbiter; no supervisor", |load| {
            round(load, Side::Same, move |_| async move { pace::lives(load, live).await })
        })
        .baseline(),
        Contestant::new(LifeThread, "actix", "an arbiter each, by a plain thread", |load| {
            let _system = System::new();
            palco_threads::block_on(pace::lives(load, || ready(thread_live())))
        })
        .baseline(),
    ]
}

pub(crate) fn holders() -> Vec<Holder> {
    let setting = "one arbiter, mailbox 1024";
    vec![Holder { question: Question::MemoryTask, name: "actix", setting, hold }]
}
