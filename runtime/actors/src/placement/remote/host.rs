//! At the far end: lives of other nodes' actors. Each is an ordinary actor here, under `remote/<peer>`, that is never
//! started again; what its address is told of it is what anybody can see of an actor.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::select;

use super::dock::DockOf;
use super::home::Home;
use super::inlet::{Inlet, Serves};
use super::net::Shared;
use super::session::{Session, Their};
use super::wire::{AHEAD_MESSAGES_MAX, Frame, GRANTS_MAX, Nonsense, Role};
use crate::grant::Homeward;
use crate::guard::contained;
use crate::placement::PlaceKind;
use crate::portable::MessageTable;
use crate::signal::{self, INSPECT, INTERRUPT, RECYCLE, RESTART, STEP, STOP};
use crate::vitals::{Cell, Phase};
use crate::{
    ActorRef, AnyRef, ExitReason, Failure, Grant, Luggage, Parcel, Portable, Restart, SpawnError,
    SpawnOptions, Supervisor,
};

/// How long a life of a lost connection may take to stop before it is killed.
const GRACE: Duration = Duration::from_secs(1);

/// How long a life waits for the end of an earlier one of the same address before it has failed to start.
const FORMER_WITHIN: Duration = Duration::from_secs(10);

/// How often it is looked at what a handler says it is doing: at first, and at least.
const LOOK_FIRST: Duration = Duration::from_millis(2);
const LOOK_AT_LEAST: Duration = Duration::from_millis(64);

/// How much of that is told.
const NOTE_CHARS_MAX: usize = 48;

/// A life that is to begin.
pub(crate) struct Hosting {
    session: Arc<Session>,
    channel: u64,
    name: String,
    place: PlaceKind,
    grants: u32,
    args: Bytes,
    parent: Option<Arc<Cell<Supervisor>>>,
}

impl Hosting {
    pub(super) fn new(
        session: &Arc<Session>,
        channel: u64,
        name: String,
        place: PlaceKind,
        grants: u32,
        args: Bytes,
    ) -> Self {
        let session = Arc::clone(session);
        Self { session, channel, name, place, grants, args, parent: None }
    }

    fn refuse(&self, why: String) {
        Shared::refuse(&self.session, self.channel, why);
    }
}

impl Shared {
    /// A peer wants a life to begin here.
    pub(super) fn begin_life(
        self: &Arc<Self>,
        mut hosting: Hosting,
        role: &Role,
    ) -> Result<(), Nonsense> {
        if !hosting.session.accept(hosting.channel, Their::Starting)? {
            hosting.refuse("too many channels are open".to_owned());
            return Ok(());
        }
        if hosting.grants > GRANTS_MAX || !PlaceKind::OF_THIS_PROCESS.contains(&hosting.place) {
            return Err(Nonsense::OutOfTurn("a life that cannot be"));
        }
        if !self.hosts.load(Ordering::Acquire) {
            hosting.refuse("that node hosts no lives of others".to_owned());
            return Ok(());
        }
        let known = super::repertoire().and_then(|known| known.host(&role.kind));
        let Some((host, known_role)) = known else {
            hosting.refuse(format!("that node knows no actor of kind `{}`", role.kind));
            return Ok(());
        };
        if let Some(why) = known_role.objection(role) {
            hosting.refuse(why);
            return Ok(());
        }
        match self.parent(hosting.session.peer) {
            Ok(parent) => {
                hosting.parent = Some(parent);
                host(hosting);
            }
            Err(error) => hosting.refuse(error.to_string()),
        }
        Ok(())
    }
}

/// Begins a life of an `A`, and attends to it.
pub(crate) fn host<A: Portable>(hosting: Hosting) {
    let Some(system) = hosting.session.system() else { return };
    let session = Arc::clone(&hosting.session);
    let begun = system.loops().and_then(|loops| {
        // Where nobody blocks: not on the loop of the actor.
        loops.start_on_system(move || async move {
            let opened = begin::<A>(&hosting).await;
            match opened {
                Ok((actor, inlet)) => attend(&actor, &inlet).await,
                Err(why) => hosting.refuse(why),
            }
        })
    });
    if let Err(error) = begun {
        tracing::error!(peer = %session.peer, %error, "a life of its actor does not begin");
    }
}

async fn begin<A: Portable>(hosting: &Hosting) -> Result<(AnyRef, Arc<Inlet>), String> {
    let Hosting { session, channel, name, place, grants, args, parent } = hosting;
    let Some(parent) = parent else { return Err("it has no parent there".to_owned()) };
    let parent = ActorRef::new(Arc::clone(parent));
    let limit = parent.shared().vitals.system.clock().now() + FORMER_WITHIN;
    let home = Arc::new(Home::new(session, *channel));
    let actor = loop {
        let args = contained(|| postcard::from_bytes::<A::Args>(args));
        let args =
            args.map_err(|text| format!("its arguments panic when they are read: {text}"))?;
        let args = args.map_err(|error| format!("its arguments cannot be read: {error}"))?;
        let there = |number| Grant::there(Arc::clone(&home) as Arc<dyn Homeward>, number);
        let luggage =
            Luggage { descriptors: Vec::new(), grants: (0..*grants).map(there).collect() };
        let mut parcel = Some(Parcel::<A> { args, luggage });
        let pack = move || parcel.take().ok_or_else(|| Failure::new("it has one life there"));
        let options = SpawnOptions::new()
            .name(name.as_str())
            .place(*place)
            .restart(Restart::Never)
            .mailbox_messages_max(AHEAD_MESSAGES_MAX)
            .urgent_messages_max(AHEAD_MESSAGES_MAX);
        match parent.supervise_portable(options, pack) {
            Ok(actor) => break actor,
            // A life of the same address, whose connection was lost, and which is being ended.
            Err(SpawnError::NameTaken(path)) => {
                let system = &parent.shared().vitals.system;
                let rest = limit - system.clock().now();
                let Some(former) = system.find(&path) else { continue };
                if rest.is_zero() || system.within(rest, former.exited()).await.is_none() {
                    return Err("an earlier life of it does not end there".to_owned());
                }
            }
            Err(error) => return Err(error.to_string()),
        }
    };
    let cell = actor.shared();
    let dock = Arc::new(DockOf::new(Arc::clone(&cell), Arc::new(MessageTable::of())));
    let inlet = Inlet::new(session, *channel, Serves::Life(home), true, dock);
    if session.settle(*channel, &inlet) {
        inlet.send(0, &Frame::Opened { channel: *channel, takes_urgent: true }, &[]);
    } else {
        inlet.close(); // not wanted any more
    }
    Ok((actor.any(), inlet))
}

/// Tells the address what becomes of a life; ends the life when nobody wants it any more.
async fn attend(actor: &AnyRef, inlet: &Arc<Inlet>) {
    let cell = inlet.cell();
    let vitals = cell.vitals();
    let mut told = Told::default();
    let mut pause = LOOK_FIRST;
    loop {
        let (changed, news) = (vitals.listen(), inlet.listen());
        if inlet.is_closed() {
            return end(actor, inlet).await;
        }
        if let Some(reason) = vitals.exit() {
            told.tell(inlet);
            return say_end(inlet, reason);
        }
        let waits = select(changed, news);
        if told.tell(inlet) {
            // What a handler says it is doing, it says to nobody: that must be looked at.
            select(waits, vitals.system.clock().sleep(pause)).await;
            pause = (pause * 2).min(LOOK_AT_LEAST);
            continue;
        }
        pause = LOOK_FIRST;
        inlet.rest();
        if vitals.activity.current().is_none() {
            waits.await;
        }
    }
}

/// What an address has been told.
#[derive(Default)]
struct Told {
    has_started: bool,
    is_held: bool,
    note: Option<&'static str>,
}

impl Told {
    /// Tells what is new. Whether a handler runs.
    fn tell(&mut self, inlet: &Inlet) -> bool {
        let cell = inlet.cell();
        let vitals = cell.vitals();
        let channel = inlet.channel;
        let phase = vitals.phase();
        if !self.has_started && phase == Phase::Running {
            self.has_started = true;
            inlet.send(0, &Frame::Started { channel }, &[]);
        }
        let signals = inlet.taken(INTERRUPT | STEP | INSPECT);
        if signals & INSPECT != 0 {
            let state = vitals.life.lock().state.clone();
            let state = state.and_then(|(state, _)| serde_json::to_vec(&state).ok());
            inlet.send(0, &Frame::State { channel }, &state.unwrap_or_default());
        }
        if signals & !INSPECT != 0 {
            let signals = signals & !INSPECT;
            inlet.send(0, &Frame::Taken { channel, signals }, &[]);
        }
        let note = vitals.activity.noted();
        if note != self.note {
            self.note = note;
            let note = note.map(|note| note.chars().take(NOTE_CHARS_MAX).collect());
            inlet.send(0, &Frame::Doing { channel, note }, &[]);
        }
        let is_held = vitals.signals.is_held();
        if is_held != self.is_held {
            self.is_held = is_held;
            inlet.send(0, &Frame::Held { channel, is_held }, &[]);
        }
        vitals.activity.current().is_some() && !is_held
    }
}

/// The life is over, and the address wants to know.
fn say_end(inlet: &Inlet, reason: ExitReason) {
    let is_asked_for = inlet.was_raised(STOP | RECYCLE | RESTART);
    // Nobody asked for it there: it goes with its node.
    let reason = match reason {
        ExitReason::Stopped if !is_asked_for => ExitReason::NodeLost,
        reason => reason,
    };
    let head = Frame::Ended { channel: inlet.channel, done: inlet.done() };
    inlet.send(0, &head, &serde_json::to_vec(&reason).unwrap_or_default());
    inlet.session.drop_their(inlet.channel);
}

/// Nobody wants the life any more.
async fn end(actor: &AnyRef, inlet: &Inlet) {
    let cell = inlet.cell();
    let system = &cell.vitals().system;
    signal::send(&cell, STOP);
    if system.within(GRACE, actor.exited()).await.is_none() {
        inlet.kill();
        actor.exited().await;
    }
}
