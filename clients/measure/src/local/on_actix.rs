//! Two actix actors on one arbiter, which is the calling thread.

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, AtomicResponse, Context, Handler, Message,
    WrapFuture,
};
use actix_rt::System;
use tokio::sync::oneshot;

use super::apart::Outcome;
use super::meter::{Meter, Next, Plan};
use super::turns::{Player, pair};
use super::way::Way;
use crate::{Raw, Section, Unavailable, Unit};

pub(super) const WAYS: [Way; 2] = [task("actix-tell", by_tell), task("actix-ask", by_ask)];

const fn task(mechanism: &'static str, round: fn(&Plan) -> Outcome) -> Way {
    Way { section: Section::Switch, unit: Unit::Task, mechanism, round }
}

/// Where a round ends up: with the leader's meter.
type Done = oneshot::Sender<(Meter, Player)>;

fn on_arbiter(plan: &Plan, play: impl FnOnce(Lead) -> Result<(), actix::MailboxError>) -> Outcome {
    let [player, other] = pair();
    let meter = Meter::start(plan, 2)?;
    let (done, led) = oneshot::channel();
    let told = System::new().block_on(async {
        let follower = Follower { player: other, leader: None }.start();
        let lead = Lead { player, follower, course: Some((meter, done)) };
        play(lead).map_err(|error| Unavailable(format!("actix: {error}")))?;
        led.await.map_err(|_| Unavailable("an actix actor ended before its round".into()))
    });
    let (meter, player) = told?;
    Ok(Raw { out_of_turn: Some(player.out_of_turn()), ..meter.raw() })
}

/// The actor that leads.
struct Lead {
    player: Player,
    follower: Addr<Follower>,
    course: Option<(Meter, Done)>,
}

struct Follower {
    player: Player,
    leader: Option<Addr<Lead>>,
}

impl Actor for Lead {
    type Context = Context<Self>;
}

impl Actor for Follower {
    type Context = Context<Self>;
}

/// Who is to be answered.
struct Meet(Addr<Lead>);

/// A turn, told.
struct Ball;

/// A turn, asked for.
struct Question;

/// Ask until the round is over.
struct Begin;

impl Message for Meet {
    type Result = ();
}

impl Message for Ball {
    type Result = ();
}

impl Message for Question {
    type Result = ();
}

impl Message for Begin {
    type Result = ();
}

impl Handler<Meet> for Follower {
    type Result = ();

    fn handle(&mut self, Meet(leader): Meet, _: &mut Self::Context) {
        self.leader = Some(leader);
    }
}

impl Handler<Ball> for Follower {
    type Result = ();

    fn handle(&mut self, Ball: Ball, _: &mut Self::Context) {
        self.player.hop();
        if let Some(leader) = &self.leader {
            leader.do_send(Ball);
        }
    }
}

impl Handler<Ball> for Lead {
    type Result = ();

    /// The ball is back.
    fn handle(&mut self, Ball: Ball, _: &mut Self::Context) {
        let Some((mut meter, done)) = self.course.take() else { return };
        if meter.trip() == Next::Over {
            let _ = done.send((meter, self.player.clone()));
            return;
        }
        self.course = Some((meter, done));
        self.player.hop();
        self.follower.do_send(Ball);
    }
}

fn by_tell(plan: &Plan) -> Outcome {
    on_arbiter(plan, |mut lead| {
        Lead::create(|cx| {
            lead.follower.do_send(Meet(cx.address()));
            lead.player.hop();
            lead.follower.do_send(Ball);
            lead
        });
        Ok(())
    })
}

impl Handler<Question> for Follower {
    type Result = ();

    fn handle(&mut self, Question: Question, _: &mut Self::Context) {
        self.player.hop();
    }
}

impl Handler<Begin> for Lead {
    type Result = AtomicResponse<Self, ()>;

    /// Asks from inside a handler, which handles nothing else meanwhile, as an actor of palco's does.
    fn handle(&mut self, Begin: Begin, _: &mut Self::Context) -> Self::Result {
        let (mut player, follower) = (self.player.clone(), self.follower.clone());
        let course = self.course.take();
        let asks = async move {
            let Some((mut meter, done)) = course else { return };
            loop {
                player.hop();
                if follower.send(Question).await.is_err() {
                    return;
                }
                if meter.trip() == Next::Over {
                    let _ = done.send((meter, player));
                    return;
                }
            }
        };
        AtomicResponse::new(Box::pin(asks.into_actor(self).map(|(), _, _| ())))
    }
}

fn by_ask(plan: &Plan) -> Outcome {
    on_arbiter(plan, |lead| {
        lead.start().do_send(Begin);
        Ok(())
    })
}
