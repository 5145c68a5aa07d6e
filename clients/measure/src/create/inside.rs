//! What is made inside this process: memory, tasks, actors, threads.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use palco_actors::{Actor, Context, Failure, Handler, Message, Place, SpawnOptions, System};

use crate::local::apart::Outcome;
use crate::local::counted::Charged;
use crate::local::meter::{Meter, Next, Plan};
use crate::local::way::Way;
use crate::{Raw, Section, Unavailable, Unit};

pub(super) fn ways() -> Vec<Way> {
    let ways = vec![
        create(Unit::Inline, "box-64", boxed),
        create(Unit::Task, "palco-actor", palco_actor),
        create(Unit::Thread, "spawn-join", thread_),
    ];
    #[cfg(feature = "peers")]
    let ways = [ways, peers::WAYS.to_vec()].concat();
    ways
}

const fn create(unit: Unit, mechanism: &'static str, round: fn(&Plan) -> Outcome) -> Way {
    Way { section: Section::Create, unit, mechanism, round }
}

/// Counts the units that have been there.
#[derive(Clone, Debug, Default)]
pub(super) struct Roll(Arc<AtomicU64>);

impl Roll {
    /// One has been there.
    pub(super) fn sign(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// What the round saw, if all were there.
    pub(super) fn checked(&self, meter: Meter) -> Raw {
        let (made, seen) = (meter.made(), self.0.load(Ordering::Relaxed));
        let objection =
            (made != seen).then(|| format!("{made} units were made, and {seen} have been there"));
        meter.raw_with(objection)
    }
}

fn boxed(plan: &Plan) -> Outcome {
    let mut meter = Meter::start(plan, 1)?;
    meter.run(|| drop(black_box(Box::new([0_u64; 8]))));
    Ok(meter.raw())
}

/// A thread is started, ends and is joined: the kernel switches to it and back.
fn thread_(plan: &Plan) -> Outcome {
    let roll = Roll::default();
    let mut meter = Meter::charging(plan, 1, Charged::Process)?;
    let mut failed = None;
    meter.run(|| {
        let roll = roll.clone();
        match thread::Builder::new().spawn(move || roll.sign()) {
            Ok(thread) => drop(thread.join()),
            Err(error) => failed = Some(error),
        }
    });
    match failed {
        Some(error) => Err(Unavailable(format!("no more threads: {error}"))),
        None => Ok(Raw { switches_expected: None, ..roll.checked(meter) }),
    }
}

/// A child of an actor on the same event loop: started, stopped, and its end awaited.
fn palco_actor(plan: &Plan) -> Outcome {
    let failed =
        |error: &dyn std::fmt::Display| Unavailable(format!("no system of actors: {error}"));
    let system = System::builder().event_loops(1).build().map_err(|error| failed(&error))?;
    let (told, tells) = sync_channel(1);
    let plan = plan.clone();
    let maker = move || Maker { plan: plan.clone(), told: told.clone() };
    let maker = system
        .spawn(SpawnOptions::new().place(Place::Loop(0)), maker)
        .map_err(|error| failed(&error))?;
    maker.try_tell(Begin).map_err(|error| failed(&error))?;
    tells.recv().map_err(|error| failed(&error))?
}

struct Maker {
    plan: Plan,
    told: SyncSender<Outcome>,
}

struct Made(Roll);

struct Begin;

impl Actor for Maker {}

impl Actor for Made {
    async fn started(&mut self, _: &mut Context<Self>) -> Result<(), Failure> {
        self.0.sign();
        Ok(())
    }
}

impl Message for Begin {
    type Reply = ();
}

impl Handler<Begin> for Maker {
    async fn handle(&mut self, Begin: Begin, cx: &mut Context<Self>) {
        let outcome = make(&self.plan, cx).await;
        let _ = self.told.try_send(outcome);
    }
}

async fn make(plan: &Plan, cx: &Context<Maker>) -> Outcome {
    let roll = Roll::default();
    let mut meter = Meter::start(plan, 1)?;
    loop {
        let signs = roll.clone();
        let actor = cx
            .spawn(SpawnOptions::new(), move || Made(signs.clone()))
            .map_err(|error| Unavailable(format!("no more actors: {error}")))?;
        actor.stop();
        actor.exited().await;
        if meter.trip() == Next::Over {
            return Ok(roll.checked(meter));
        }
    }
}

#[cfg(feature = "peers")]
mod peers {
    //! Tasks of tokio and actors of actix.

    use actix::{Actor, ActorContext, Context, Handler, Message};
    use tokio::sync::oneshot;

    use super::{Meter, Next, Outcome, Plan, Roll, Unavailable, Unit, Way, create};
    use crate::local::on_tokio::runtime;

    pub(super) const WAYS: [Way; 2] = [
        create(Unit::Task, "tokio-spawn", tokio_spawn),
        create(Unit::Task, "actix-start", actix_start),
    ];

    fn tokio_spawn(plan: &Plan) -> Outcome {
        let roll = Roll::default();
        let meter = Meter::start(plan, 1)?;
        let signs = roll.clone();
        let lead = async move {
            let mut meter = meter;
            loop {
                let roll = signs.clone();
                tokio::spawn(async move { roll.sign() }).await?;
                if meter.trip() == Next::Over {
                    return Ok(meter);
                }
            }
        };
        let meter = runtime()?
            .block_on(async { tokio::spawn(lead).await? })
            .map_err(|error: tokio::task::JoinError| Unavailable(format!("a task: {error}")))?;
        Ok(roll.checked(meter))
    }

    struct Made {
        roll: Roll,
        ended: Option<oneshot::Sender<()>>,
    }

    struct Stop;

    impl Message for Stop {
        type Result = ();
    }

    impl Actor for Made {
        type Context = Context<Self>;

        fn started(&mut self, _: &mut Self::Context) {
            self.roll.sign();
        }

        fn stopped(&mut self, _: &mut Self::Context) {
            if let Some(ended) = self.ended.take() {
                let _ = ended.send(());
            }
        }
    }

    impl Handler<Stop> for Made {
        type Result = ();

        fn handle(&mut self, Stop: Stop, cx: &mut Self::Context) {
            cx.stop();
        }
    }

    fn actix_start(plan: &Plan) -> Outcome {
        let roll = Roll::default();
        let mut meter = Meter::start(plan, 1)?;
        actix_rt::System::new().block_on(async {
            loop {
                let (sender, ended) = oneshot::channel();
                let made = Made { roll: roll.clone(), ended: Some(sender) }.start();
                made.do_send(Stop);
                let ended = ended.await;
                ended.map_err(|_| Unavailable("an actix actor vanished".into()))?;
                if meter.trip() == Next::Over {
                    return Ok(roll.checked(meter));
                }
            }
        })
    }
}
