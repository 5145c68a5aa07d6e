//! Two actors of palco: on one event loop, on fibers of one LWP, and for comparison on two threads of one processor.
//!
//! Only the threads that take turns are pinned and in real time; those that the system keeps beside them are not.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use palco_actors::{Actor, ActorRef, Context, Handler, Message, Place, SpawnOptions, System};

use super::apart::Outcome;
use super::counted::{Charged, Counted};
use super::meter::{Meter, Next, Plan};
use super::stand::take_stand;
use super::turns::{Player, pair};
use super::way::Way;
use crate::{Raw, Section, Side, Unavailable, Unit};

pub(super) const WAYS: [Way; 4] = [
    way(Unit::Task, "palco-tell", tasks_tell),
    way(Unit::Task, "palco-ask", tasks_ask),
    way(Unit::Fiber, "palco-tell", fibers_tell),
    way(Unit::Thread, "palco-tell", threads_tell),
];

const fn way(unit: Unit, mechanism: &'static str, round: fn(&Plan) -> Outcome) -> Way {
    Way { section: Section::Switch, unit, mechanism, round }
}

/// The deadline that every ask carries; never reached.
const ASK_WITHIN: Duration = Duration::from_secs(60);

/// A loop of its own for the two tasks.
const LOOP: Place = Place::Loop(0);

fn tasks_tell(plan: &Plan) -> Outcome {
    round(plan, LOOP, Begin::Tell)
}

fn tasks_ask(plan: &Plan) -> Outcome {
    round(plan, LOOP, Begin::Ask)
}

fn fibers_tell(plan: &Plan) -> Outcome {
    round(plan, Place::Lwp(0), Begin::Tell)
}

/// Each waits for the other in the kernel, once a trip. A spin before that would be in vain on one processor, and the
/// parker learns so; a probe of it now and then costs no switch.
fn threads_tell(plan: &Plan) -> Outcome {
    let told = round(plan, Place::Thread, Begin::Tell)?;
    Ok(Raw { switches_expected: Some(0.5), ..told })
}

fn round(plan: &Plan, place: Place, begin: Begin) -> Outcome {
    let failed =
        |error: &dyn std::fmt::Display| Unavailable(format!("no system of actors: {error}"));
    let system =
        System::builder().event_loops(1).lwps(1).build().map_err(|error| failed(&error))?;
    let [player, other] = pair();
    let (told, tells) = sync_channel(2);
    let (key, out) = (plan.key.clone(), told.clone());
    let follower = system
        .spawn(SpawnOptions::new().place(place), move || Follower {
            key: key.clone(),
            player: other.clone(),
            leader: None,
            before: None,
            told: out.clone(),
        })
        .map_err(|error| failed(&error))?;
    let plan = plan.clone();
    let leader = system
        .spawn(SpawnOptions::new().place(place), move || Leader {
            plan: plan.clone(),
            player: player.clone(),
            follower: follower.clone(),
            meter: None,
            told: told.clone(),
        })
        .map_err(|error| failed(&error))?;
    leader.try_tell(begin).map_err(|error| failed(&error))?;
    let sides = if place == Place::Thread { 2 } else { 1 };
    outcome(tells.iter().take(sides))
}

/// What an actor tells the round.
enum Told {
    Led(Raw),
    Followed(Side),
    Unavailable(Unavailable),
}

fn outcome(tells: impl Iterator<Item = Told>) -> Outcome {
    let (mut raw, mut followers) = (Raw::default(), Vec::new());
    for told in tells {
        match told {
            Told::Led(led) => raw = led,
            Told::Followed(side) => followers.push(side),
            Told::Unavailable(why) => return Err(why),
        }
    }
    raw.sides.extend(followers);
    Ok(raw)
}

struct Leader {
    plan: Plan,
    player: Player,
    follower: ActorRef<Follower>,
    meter: Option<Meter>,
    told: SyncSender<Told>,
}

struct Follower {
    key: crate::Key,
    player: Player,
    leader: Option<ActorRef<Leader>>,
    before: Option<Counted>,
    told: SyncSender<Told>,
}

impl Actor for Leader {}

impl Actor for Follower {}

/// Starts a round.
#[derive(Debug)]
enum Begin {
    Tell,
    Ask,
}

/// Who is to be answered.
struct Meet(ActorRef<Leader>);

/// A turn, told, and whether the follower must look at its counts.
struct Ball(Next);

/// The turn is back.
struct Back;

/// A turn, asked for.
struct Question;

impl Message for Begin {
    type Reply = ();
}

impl Message for Meet {
    type Reply = ();
}

impl Message for Ball {
    type Reply = ();
}

impl Message for Back {
    type Reply = ();
}

impl Message for Question {
    type Reply = ();
}

impl Leader {
    fn pass(&mut self, next: Next) {
        self.player.hop();
        let _ = self.follower.try_tell(Ball(next));
    }

    fn tell(&self, meter: Meter) {
        let raw = Raw { out_of_turn: Some(self.player.out_of_turn()), ..meter.raw() };
        let _ = self.told.try_send(Told::Led(raw));
    }
}

impl Handler<Begin> for Leader {
    async fn handle(&mut self, begin: Begin, cx: &mut Context<Self>) {
        let mut meter = match Meter::start(&self.plan, 2) {
            Ok(meter) => meter,
            Err(why) => {
                let _ = self.told.try_send(Told::Unavailable(why));
                return;
            }
        };
        match begin {
            Begin::Tell => {
                let _ = self.follower.try_tell(Meet(cx.actor_ref()));
                self.meter = Some(meter);
                self.pass(Next::Play);
            }
            Begin::Ask => loop {
                self.player.hop();
                if self.follower.ask(Question, ASK_WITHIN).await.is_err() {
                    let why = Unavailable("an actor did not answer".into());
                    let _ = self.told.try_send(Told::Unavailable(why));
                    return;
                }
                if meter.trip() == Next::Over {
                    return self.tell(meter);
                }
            },
        }
    }
}

impl Handler<Back> for Leader {
    async fn handle(&mut self, Back: Back, _: &mut Context<Self>) {
        let Some(meter) = &mut self.meter else { return };
        let next = meter.trip();
        if next == Next::Over {
            let _ = self.follower.try_tell(Ball(Next::Over));
            if let Some(meter) = self.meter.take() {
                self.tell(meter);
            }
        } else {
            self.pass(next);
        }
    }
}

impl Handler<Meet> for Follower {
    async fn handle(&mut self, Meet(leader): Meet, _: &mut Context<Self>) {
        if let Err(why) = take_stand(&self.key) {
            let _ = self.told.try_send(Told::Unavailable(why));
        }
        self.leader = Some(leader);
    }
}

impl Handler<Ball> for Follower {
    async fn handle(&mut self, Ball(next): Ball, _: &mut Context<Self>) {
        match next {
            Next::Play => {}
            Next::Count => self.before = Counted::now(Charged::Thread).ok(),
            Next::Over => {
                let counted = self.before.zip(Counted::now(Charged::Thread).ok());
                let told = match counted {
                    Some((before, after)) => Told::Followed(after.since(before, 0)),
                    None => Told::Unavailable(Unavailable("the kernel counts no switches".into())),
                };
                let _ = self.told.try_send(told);
                return;
            }
        }
        self.player.hop();
        if let Some(leader) = &self.leader {
            let _ = leader.try_tell(Back);
        }
    }
}

impl Handler<Question> for Follower {
    async fn handle(&mut self, Question: Question, _: &mut Context<Self>) {
        self.player.hop();
    }
}
