//! The actor: a participant of the protocol, its log, and what it has to say.
//!
//! Nothing goes out at once. The first thing to be said after a silence makes the actor tell itself [`Flush`], which it
//! handles after all that was queued before: so everything that was waiting shares one letter for each peer, and one write
//! to the log, without a timer.

use std::borrow::Cow;
use std::mem;
use std::path::PathBuf;
use std::time::Duration;

use palco_actors::{
    Actor, Context, ExitReason, Failure, Handler, Luggage, Message, MessageTable, Portable,
    Recipient,
};
use palco_core::Time;
use palco_rambo::{Barrier, Effect, Event, Member, NodeId, Participant, Quorums};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::keeper::{self, Keeper};
use crate::pack::unpack;
use crate::speech::Speech;
use crate::words::{
    Answer, Follow, Held, Letters, Look, Out, Request, Requests, Scan, Unreachable,
};
use crate::{HELD_KEYS_MAX, Holding, Page, Standing};

/// Who listens has no room: what must not be lost is said again then.
const SAY_AGAIN: Duration = Duration::from_millis(1);

/// What a replica is made from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplicaArgs {
    /// Which shard, from 0.
    pub shard: u16,
    /// Who it is: never somebody else's, never used again after its disk was lost.
    pub node: NodeId,
    /// How it begins if it keeps nothing yet.
    pub begin: Begin,
    /// Where it keeps what it promises.
    pub keep: Keep,
    /// Whom to ask for the configurations when nobody it knows answers.
    pub seeds: Vec<NodeId>,
}

/// How a participant begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Begin {
    /// As a member of the first configuration, which all of these begin with.
    Found {
        /// All members, in the same order for all; the first may propose the next configuration in one round.
        members: Vec<Member>,
        /// Which sets of them speak for all.
        quorums: Quorums,
    },
    /// By asking its seeds.
    Join,
}

/// Where what was promised is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Keep {
    /// On disk before it is promised, in this directory.
    Directory(PathBuf),
    /// In memory alone: who ends is gone, and must come back as somebody else.
    Memory,
}

/// A replica of one shard.
#[derive(Debug)]
pub struct Replica {
    args: ReplicaArgs,
    outlet: Recipient<Out>,
    alive: Option<Alive>,
}

/// One life.
#[derive(Debug)]
struct Alive {
    participant: Participant,
    speech: Speech,
    keeper: Keeper,
    /// Used again and again.
    effects: Vec<Effect>,
    /// When the participant wants to be told the time, and when this actor will look.
    wanted: Option<Time>,
    armed: Option<Time>,
    is_flush_queued: bool,
    malformed: u64,
}

/// Say all that there is to say.
#[derive(Debug)]
pub(crate) struct Flush;

/// Look at the clock.
#[derive(Debug)]
pub(crate) struct Tick;

/// Everything up to this barrier is on disk, or nothing ever will be again.
#[derive(Debug)]
pub(crate) struct Kept(pub(crate) Result<Barrier, String>);

impl Message for Flush {
    type Reply = ();
}

impl Message for Tick {
    type Reply = ();
}

impl Message for Kept {
    type Reply = ();
}

impl Actor for Replica {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        let mut alive = self.begin(cx).await?;
        alive.carry_out(cx);
        self.alive = Some(alive);
        Ok(())
    }

    async fn stopped(&mut self, _: &ExitReason, _: &mut Context<Self>) {
        if let Some(alive) = &mut self.alive {
            alive.keeper.keep(alive.speech.records());
            alive.speech.say(&self.outlet);
        }
    }

    fn state(&self) -> Value {
        let Some(alive) = &self.alive else { return Value::Null };
        let participant = &alive.participant;
        let map = participant.map();
        json!({
            "node": participant.node(),
            "boot": participant.boot(),
            "configuration": map.map(|map| map.top().to_string()),
            "active": map.map(|map| map.active().len()),
            "registers": participant.registers().len(),
            "operations": participant.operations(),
            "driving": participant.driving(),
            "malformed": alive.malformed,
            "letters lost here": alive.speech.lost(),
        })
    }
}

impl Portable for Replica {
    type Args = ReplicaArgs;

    fn kind() -> Cow<'static, str> {
        "replica".into()
    }

    fn messages(table: &mut MessageTable<Self>) {
        table
            .handles::<Requests>()
            .handles::<Letters>()
            .handles::<Unreachable>()
            .handles::<Look>()
            .handles::<Scan>()
            .handles::<Follow>()
            .handles::<Held>();
    }

    fn make(args: ReplicaArgs, mut luggage: Luggage) -> Result<Self, Failure> {
        let outlet = luggage.take_grant()?.recipient::<Out>()?;
        Ok(Self { args, outlet, alive: None })
    }
}

impl Replica {
    async fn begin(&self, cx: &Context<Self>) -> Result<Alive, Failure> {
        let args = self.args.clone();
        // A long log takes its time, and others live on this loop.
        let begun = cx.block(move || keeper::begin(&args)).await;
        let begun = begun.ok_or_else(|| Failure::new("reading the log panicked"))??;
        if begun.cut_bytes > 0 {
            tracing::info!(
                replica = cx.path(),
                bytes = begun.cut_bytes,
                "what was being written when the last life ended is not there; nobody was told that it is"
            );
        }
        Ok(Alive {
            participant: begun.participant,
            speech: Speech::of(self.args.shard, self.args.node),
            keeper: Keeper::start(begun.log, cx.actor_ref())?,
            effects: begun.effects,
            wanted: None,
            armed: None,
            is_flush_queued: false,
            malformed: 0,
        })
    }

    /// Has the participant take in one thing after the other, and does what it asks for.
    fn step(&mut self, events: impl IntoIterator<Item = Event>, cx: &mut Context<Self>) {
        let Some(alive) = &mut self.alive else { return };
        let now = cx.system().clock().now();
        for event in events {
            alive.participant.step(now, event, &mut alive.effects);
        }
        alive.carry_out(cx);
    }
}

impl Alive {
    fn carry_out(&mut self, cx: &mut Context<Replica>) {
        for effect in self.effects.drain(..) {
            match effect {
                Effect::Send { to, after, message } => self.speech.send(to, after, message),
                Effect::Persist { barrier, record } => self.speech.keep(barrier, record),
                Effect::Reply { request, outcome, rounds } => {
                    let trail = self.participant.take_trail(request).map(Box::new);
                    self.speech.answer(Answer { number: request, outcome, rounds, trail });
                }
                Effect::SetTimer { at } => self.wanted = Some(at),
            }
        }
        self.arm(cx);
        if self.speech.has_something_to_say() && !mem::replace(&mut self.is_flush_queued, true) {
            // Full: then it is high time.
            if cx.actor_ref().try_tell(Flush).is_err() {
                cx.tell_after(Duration::ZERO, Flush);
            }
        }
    }

    fn arm(&mut self, cx: &mut Context<Replica>) {
        if let Some(wanted) = self.wanted
            && self.armed.is_none_or(|armed| wanted < armed)
        {
            self.armed = Some(wanted);
            cx.tell_after(wanted.since(cx.system().clock().now()), Tick);
        }
    }
}

impl Handler<Requests> for Replica {
    async fn handle(&mut self, message: Requests, cx: &mut Context<Self>) {
        let deadline = cx.system().clock().now() + message.within;
        let asked = message.requests.into_iter().map(|request| Event::Asked {
            request: request.number,
            deadline,
            command: request.command,
        });
        self.step(asked, cx);
    }
}

impl Handler<Letters> for Replica {
    async fn handle(&mut self, message: Letters, cx: &mut Context<Self>) {
        let from = message.from;
        let mut malformed = 0;
        let received = unpack(&message.packed).filter_map(|message| match message {
            Ok(message) => Some(Event::Received { from, message }),
            Err(_) => {
                malformed += 1;
                None
            }
        });
        self.step(received, cx);
        if let Some(alive) = &mut self.alive {
            alive.malformed += malformed;
        }
    }
}

impl Handler<Unreachable> for Replica {
    async fn handle(&mut self, message: Unreachable, cx: &mut Context<Self>) {
        self.step([Event::Unreachable(message.node)], cx);
    }
}

impl Handler<Flush> for Replica {
    async fn handle(&mut self, _: Flush, cx: &mut Context<Self>) {
        let Some(alive) = &mut self.alive else { return };
        alive.keeper.keep(alive.speech.records());
        alive.is_flush_queued = !alive.speech.say(&self.outlet);
        if alive.is_flush_queued {
            cx.tell_after(SAY_AGAIN, Flush);
        }
    }
}

impl Handler<Tick> for Replica {
    async fn handle(&mut self, _: Tick, cx: &mut Context<Self>) {
        let Some(alive) = &mut self.alive else { return };
        alive.armed = None;
        let now = cx.system().clock().now();
        if alive.wanted.is_some_and(|wanted| wanted <= now) {
            alive.wanted = None;
            self.step([Event::Timer], cx);
        } else {
            alive.arm(cx);
        }
    }
}

impl Handler<Kept> for Replica {
    async fn handle(&mut self, message: Kept, cx: &mut Context<Self>) {
        match message.0 {
            Ok(barrier) => {
                if let Some(alive) = &mut self.alive {
                    alive.speech.kept(barrier);
                }
                self.step([Event::Persisted(barrier)], cx);
            }
            // What was promised may not be on disk: this life says nothing more (RAMBO.md §6, pitfall 29).
            Err(why) => {
                self.alive = None;
                cx.fail(Failure::new(why));
            }
        }
    }
}

impl Handler<Look> for Replica {
    async fn handle(&mut self, _: Look, cx: &mut Context<Self>) -> Option<Standing> {
        let now = cx.system().clock().now();
        self.alive.as_ref().map(|alive| Standing::of(self.args.shard, &alive.participant, now))
    }
}

impl Handler<Scan> for Replica {
    async fn handle(&mut self, message: Scan, _: &mut Context<Self>) -> Page {
        let keys_max = usize::try_from(message.keys_max).unwrap_or(usize::MAX);
        let alive = self.alive.as_ref();
        alive.map_or_else(Page::default, |alive| {
            Page::of(&alive.participant, message.from, keys_max.min(Page::KEYS_MAX))
        })
    }
}

impl Handler<Follow> for Replica {
    async fn handle(&mut self, message: Follow, cx: &mut Context<Self>) {
        let Request { number: request, command } = message.request;
        if let Some(alive) = &mut self.alive {
            alive.participant.follow(request);
        }
        let deadline = cx.system().clock().now() + message.within;
        self.step([Event::Asked { request, deadline, command }], cx);
    }
}

impl Handler<Held> for Replica {
    async fn handle(&mut self, message: Held, _: &mut Context<Self>) -> Vec<Holding> {
        let keys = message.keys.iter().take(HELD_KEYS_MAX);
        let alive = self.alive.as_ref();
        alive.map_or_else(Vec::new, |alive| {
            keys.map(|key| Holding::of(&alive.participant, key)).collect()
        })
    }
}
