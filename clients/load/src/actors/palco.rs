//! palco: one actor, in the places that are compared.

mod portable;
mod rows;

use std::future::{Future, ready};
use std::pin::Pin;
use std::time::Duration;

use palco_actors::{
    Actor, ActorRef, Context, Failure, Handler, Message, Parcel, Place, ProcessOptions,
    SpawnOptions, System, Transport,
};
use palco_threads::block_on;
pub(crate) use portable::live_anywhere;
pub(crate) use rows::{contestants, holders};
use serde::{Deserialize, Serialize};

use super::Question;
use super::contest::{Load, Outcome, Refusal};
use super::memory::Held;
use super::pace;
use super::question::MAILBOX_MESSAGES;

/// The deadline that every ask carries; never reached.
const ASK_WITHIN: Duration = Duration::from_secs(60);
/// How long a round may take.
const ROUND_WITHIN: Duration = Duration::from_secs(3_600);

/// The count; and where it has to be kept.
pub(crate) struct Counter(u64, Load);

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Add(u64);

impl Actor for Counter {
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), Failure> {
        self.1.place_actor();
        Ok(())
    }
}

impl Message for Add {
    type Reply = u64;
}

impl Handler<Add> for Counter {
    async fn handle(&mut self, Add(number): Add, _: &mut Context<Self>) -> u64 {
        self.0 += number;
        self.0
    }
}

type Running = Pin<Box<dyn Future<Output = Outcome>>>;
type Job = fn(Load, Stage) -> Running;

/// What a job works with.
struct Stage {
    system: System,
    counter: ActorRef<Counter>,
}

/// Who asks.
#[derive(Clone, Copy)]
enum By {
    /// The handler of an actor in this place.
    Handler(Place),
    /// A bare task on the event loop with this number.
    Task(usize),
    /// The thread that runs the round.
    Thread,
}

/// Has a job run by an actor, inside its handler or beside it on its loop.
struct Drive {
    load: Load,
    system: System,
    counter: Counting,
    job: Job,
    beside: bool,
}

/// Who counts for whoever asks.
enum Counting {
    /// A counter that is there already.
    Known(ActorRef<Counter>),
    /// One in a process, which the driver starts: so its address is on the driver's loop.
    OwnProcess(Transport),
}

struct Driver;

impl Actor for Driver {}

impl Message for Drive {
    type Reply = Outcome;
}

impl Handler<Drive> for Driver {
    async fn handle(&mut self, drive: Drive, cx: &mut Context<Self>) -> Outcome {
        let Drive { load, system, counter, job, beside } = drive;
        load.place_asker();
        let counter = match counter {
            Counting::Known(counter) => counter,
            Counting::OwnProcess(transport) => cx
                .spawn_portable(in_process(transport), move || Ok(Parcel::new(load)))
                .map_err(Refusal::failed)?,
        };
        let job = job(load, Stage { system, counter });
        if beside {
            // The loop of a task is a tokio runtime with a local set.
            tokio::task::spawn_local(job).await.map_err(Refusal::failed)?
        } else {
            job.await
        }
    }
}

/// A counter in a process, with room for a burst.
fn in_process(transport: Transport) -> SpawnOptions {
    let process = ProcessOptions::new().transport(transport);
    SpawnOptions::new()
        .place(Place::Process)
        .process(process)
        .mailbox_messages_max(MAILBOX_MESSAGES)
}

/// One round: a new system with two loops, a counter, and somebody who does `job` with it.
fn round(load: Load, by: By, counter: SpawnOptions, job: Job) -> Outcome {
    on_system(|system| {
        let counter = system.spawn(counter, move || Counter(0, load)).map_err(Refusal::failed)?;
        act(system, load, by, Counting::Known(counter), job)
    })
}

/// One round with a counter in a process.
fn process_round(load: Load, by: By, transport: Transport, job: Job) -> Outcome {
    on_system(|system| act(system, load, by, Counting::OwnProcess(transport), job))
}

fn on_system(act: impl FnOnce(&System) -> Outcome) -> Outcome {
    let system = System::builder().event_loops(2).build().map_err(Refusal::failed)?;
    let outcome = act(&system);
    block_on(system.shutdown());
    let ledger = system.ledger();
    if outcome.is_ok() && !(ledger.is_balanced() && ledger.dropped == 0) {
        return Err(Refusal::failed(format_args!("messages are missing: {ledger:?}")));
    }
    outcome
}

fn act(system: &System, load: Load, by: By, counter: Counting, job: Job) -> Outcome {
    let (place, beside) = match by {
        By::Handler(place) => (place, false),
        By::Task(index) => (Place::Loop(index), true),
        By::Thread => {
            load.place_asker();
            let counter = match counter {
                Counting::Known(counter) => counter,
                Counting::OwnProcess(transport) => system
                    .spawn_portable(in_process(transport), move || Ok(Parcel::new(load)))
                    .map_err(Refusal::failed)?,
            };
            return block_on(job(load, Stage { system: system.clone(), counter }));
        }
    };
    let driver =
        system.spawn(SpawnOptions::new().place(place), || Driver).map_err(Refusal::failed)?;
    let drive = Drive { load, system: system.clone(), counter, job, beside };
    block_on(driver.ask(drive, ROUND_WITHIN)).map_err(Refusal::failed)?
}

async fn ask(counter: &ActorRef<Counter>, number: u64) -> Result<u64, Refusal> {
    counter.ask(Add(number), ASK_WITHIN).await.map_err(Refusal::failed)
}

fn asks(load: Load, stage: Stage) -> Running {
    Box::pin(async move { pace::asks(load, |number| ask(&stage.counter, number)).await })
}

fn try_tells(load: Load, Stage { counter, .. }: Stage) -> Running {
    Box::pin(async move {
        let tell = |number| ready(counter.try_tell(Add(number)).map_err(Refusal::failed));
        pace::tells(load, tell, || ask(&counter, 0)).await
    })
}

fn tells(load: Load, Stage { counter, .. }: Stage) -> Running {
    Box::pin(async move {
        let counter = &counter;
        let tell = |number| async move { counter.tell(Add(number)).await.map_err(Refusal::failed) };
        pace::tells(load, tell, || ask(counter, 0)).await
    })
}

fn task_lives(load: Load, Stage { system, .. }: Stage) -> Running {
    Box::pin(async move { pace::lives(load, || live(load, &system, Place::Task)).await })
}

fn thread_lives(load: Load, Stage { system, .. }: Stage) -> Running {
    Box::pin(async move { pace::lives(load, || live(load, &system, Place::Thread)).await })
}

async fn live(load: Load, system: &System, place: Place) -> Result<u64, Refusal> {
    let options = SpawnOptions::new().place(place);
    let counter = system.spawn(options, move || Counter(0, load)).map_err(Refusal::failed)?;
    let count = ask(&counter, 1).await?;
    counter.stop();
    counter.exited().await;
    Ok(count)
}

/// Keeps so many idle counters.
fn hold(actors: usize, place: Place) -> Result<Held, Refusal> {
    let system = System::builder().event_loops(1).build().map_err(Refusal::failed)?;
    let load = Question::MemoryTask.load(0);
    let mut counters = Vec::with_capacity(actors);
    for _ in 0..actors {
        let options = SpawnOptions::new().place(place);
        let counter = move || Counter(0, load);
        counters.push(system.spawn(options, counter).map_err(Refusal::failed)?);
    }
    for counter in &counters {
        Refusal::unless_equal(1, block_on(ask(counter, 1))?)?;
    }
    Ok(Box::new(move || {
        block_on(system.shutdown());
        drop(counters);
    }))
}
