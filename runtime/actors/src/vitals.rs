//! What the system knows of one actor, whatever its type: identity, place in the tree, signals, counters, life.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use palco_core::{ActorId, ExitReason, Time};
use palco_transport::Peer;
use parking_lot::Mutex;
use serde_json::Value;

use crate::activity::Activity;
use crate::bell::{Bell, Listener};
use crate::description::Describes;
use crate::envelope::Envelope;
use crate::life::short_type_name;
use crate::mailbox::{LaneKind, Mailbox};
use crate::observation::{Notebook, Peeked, Stamp};
use crate::placement::PlaceKind;
use crate::placement::process::{Page, Post};
use crate::signal::Signals;
use crate::standing::OnHold;
use crate::supervisor::ChildExited;
use crate::{Actor, Recipient, Restart, System};

/// An actor's mailbox and vitals; what an address points to. Outlives every life of the actor.
pub(crate) struct Cell<A: Actor> {
    pub(crate) vitals: Vitals,
    pub(crate) mailbox: Mailbox<Box<dyn Envelope<A>>>,
}

/// A [`Cell`] without its type.
pub(crate) trait AnyCell: Send + Sync {
    fn vitals(&self) -> &Vitals;
    /// Has `waker` woken by the next message or signal.
    fn register(&self, waker: &Waker);
    fn wake(&self);
    fn queue(&self) -> Queue;
    /// The first messages of the mailbox, urgent ones first.
    fn peek(&self, max: usize) -> Vec<Peeked>;
}

/// What a mailbox shows to the outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    pub(crate) queued: u64,
    pub(crate) urgent: u64,
    pub(crate) capacity: u64,
    pub(crate) accepted: u64,
}

impl<A: Actor> Cell<A> {
    /// For a message that is about to be sent to it.
    pub(crate) fn stamp(&self, lane: LaneKind) -> Option<Stamp> {
        self.vitals.system.observation().stamp(&self.vitals, lane == LaneKind::Urgent, false)
    }

    /// The cell of an actor in its own process, whose address is elsewhere.
    pub(crate) fn in_process(system: &System, path: &str, post: Arc<Post>) -> Self {
        let vitals = Vitals::new(Birth {
            id: system.next_id(),
            name: Some(path.into()),
            actor_type: short_type_name::<A>(),
            place: PlaceKind::Process,
            system: system.clone(),
            parent: None,
            reports_to: None,
            restart: Restart::Never,
            stop_within: Duration::MAX,
        });
        let signals = Signals::in_page(post.page);
        // The address bounds what is handed over.
        let mailbox = Mailbox::new(usize::MAX, usize::MAX);
        Self { vitals: Vitals { signals, post: Some(post), ..vitals }, mailbox }
    }
}

impl<A: Actor> AnyCell for Cell<A> {
    fn vitals(&self) -> &Vitals {
        &self.vitals
    }

    fn register(&self, waker: &Waker) {
        self.mailbox.register(waker);
    }

    fn wake(&self) {
        self.mailbox.wake();
    }

    fn queue(&self) -> Queue {
        Queue {
            queued: self.mailbox.queued(),
            urgent: self.mailbox.urgent_queued(),
            capacity: self.mailbox.capacity(),
            accepted: self.mailbox.accepted(),
        }
    }

    fn peek(&self, max: usize) -> Vec<Peeked> {
        self.mailbox.peek(max, |kind, envelope| {
            let stamp = envelope.stamp();
            Peeked {
                message: envelope.message_type()(),
                urgent: kind == LaneKind::Urgent,
                ask: envelope.is_ask(),
                from: stamp.and_then(|stamp| stamp.from),
                sent: stamp.map(|stamp| stamp.sent),
            }
        })
    }
}

/// Where an actor is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    Starting,
    Running,
    /// A life has ended; the supervisor has not yet decided.
    Restarting,
    Stopping,
    Ended,
}

/// What a supervisor decides about a child whose life has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Restart,
    End,
}

pub(crate) struct Vitals {
    pub(crate) id: ActorId,
    /// The last part of the path; without one the id stands in its place.
    pub(crate) name: Option<Box<str>>,
    pub(crate) actor_type: &'static str,
    pub(crate) place: PlaceKind,
    pub(crate) system: System,
    pub(crate) parent: Option<Arc<dyn AnyCell>>,
    /// Whom to report the end of a life to; only under a supervisor.
    pub(crate) reports_to: Option<Recipient<ChildExited>>,
    pub(crate) restart: Restart,
    pub(crate) stop_within: Duration,
    pub(crate) children: Mutex<Children>,
    pub(crate) signals: Signals,
    /// Whether the running handler has others see something.
    pub(crate) has_description: AtomicBool,
    pub(crate) activity: Activity,
    pub(crate) life: Mutex<Life>,
    /// What is known of the actor's process, if it lives in one of its own or stands for one.
    process: Mutex<Option<Box<ProcessFacts>>>,
    /// What is known of the node that the actor lives on, if that is another one.
    node: Mutex<Option<Box<NodeFacts>>>,
    /// Told when the actor comes to rest and goes on.
    pub(crate) on_hold: Mutex<Option<OnHold>>,
    /// In that process: the way out.
    pub(crate) post: Option<Arc<Post>>,
    phase: AtomicU8,
    /// Rung at every change that someone may wait for.
    changed: Bell,
    /// Made with the first note.
    pub(crate) notebook: OnceLock<Box<Notebook>>,
    /// How many look at this actor alone.
    pub(crate) onlookers: AtomicU32,
    /// What had it started, if that is observed.
    pub(crate) birth: Option<Stamp>,
}

/// The living children, in the order in which they were started.
#[derive(Default)]
pub(crate) struct Children {
    pub(crate) by_id: BTreeMap<ActorId, Arc<dyn AnyCell>>,
    /// No more children: the parent is stopping.
    pub(crate) closed: bool,
}

#[derive(Default)]
pub(crate) struct Life {
    /// Set once, at the end of the last life.
    pub(crate) exit: Option<ExitReason>,
    /// Why the life before this one ended.
    pub(crate) last_exit: Option<ExitReason>,
    /// How many lives have ended.
    pub(crate) ended: u32,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) state: Option<(Value, Time)>,
    /// What the running handler has others see.
    pub(crate) describes: Option<Describes>,
    pub(crate) watchers: Vec<Watcher>,
}

/// What an address knows of its actor's process: the one it lives in, or the one it stands for.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProcessFacts {
    pub(crate) pid: Option<i32>,
    pub(crate) since: Option<Time>,
    pub(crate) page: Option<Arc<Page>>,
    /// What was really obtained, in words.
    pub(crate) confinement: Option<String>,
    /// How often a process was replaced although nothing was wrong.
    pub(crate) recycled: u32,
}

/// What an address knows of the node that its actor lives on.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeFacts {
    pub(crate) peer: Option<Peer>,
    pub(crate) is_connected: bool,
    /// What the handler there says it is doing.
    pub(crate) note: Option<String>,
}

/// Told once, when the actor has ended for good.
pub(crate) type Watcher = Box<dyn FnOnce(&Vitals, &ExitReason) + Send>;

/// What [`Vitals::new`] needs to know.
pub(crate) struct Birth {
    pub(crate) id: ActorId,
    pub(crate) name: Option<Box<str>>,
    pub(crate) actor_type: &'static str,
    pub(crate) place: PlaceKind,
    pub(crate) system: System,
    pub(crate) parent: Option<Arc<dyn AnyCell>>,
    pub(crate) reports_to: Option<Recipient<ChildExited>>,
    pub(crate) restart: Restart,
    pub(crate) stop_within: Duration,
}

impl Vitals {
    pub(crate) fn new(birth: Birth) -> Self {
        let Birth { id, name, actor_type, place, system, parent, reports_to, restart, stop_within } =
            birth;
        let birth = system.observation().birth(&system);
        let activity = Activity::default();
        activity.follow(birth.as_ref());
        Self {
            id,
            name,
            actor_type,
            place,
            system,
            parent,
            reports_to,
            restart,
            stop_within,
            children: Mutex::default(),
            signals: Signals::default(),
            has_description: AtomicBool::new(false),
            activity,
            life: Mutex::default(),
            process: Mutex::default(),
            node: Mutex::default(),
            on_hold: Mutex::default(),
            post: None,
            phase: AtomicU8::new(Phase::Starting as u8),
            changed: Bell::default(),
            notebook: OnceLock::new(),
            onlookers: AtomicU32::new(0),
            birth,
        }
    }

    /// The names from the root down, joined by `/`. An actor without a name shows its id.
    pub(crate) fn path(&self) -> String {
        let mut path = match &self.parent {
            // The root itself is not part of a path.
            Some(parent) if parent.vitals().parent.is_some() => parent.vitals().path() + "/",
            _ => String::new(),
        };
        match &self.name {
            Some(name) => path.push_str(name),
            None => path.push_str(&self.id.to_string()),
        }
        path
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Running,
            2 => Phase::Restarting,
            3 => Phase::Stopping,
            _ => Phase::Ended,
        }
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.store_phase(phase);
        if let Some(post) = &self.post {
            post.phase(phase);
        }
        self.notify();
    }

    /// Without telling anybody; [`Self::notify`] must follow.
    pub(crate) fn store_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    pub(crate) fn notify(&self) {
        self.changed.ring();
    }

    pub(crate) fn listen(&self) -> Listener<'_> {
        self.changed.listen()
    }

    /// Waits until `look` finds something. Cancel-safe.
    pub(crate) async fn until<T>(&self, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let listener = self.listen();
            if let Some(found) = look(self) {
                return found;
            }
            listener.await;
        }
    }

    /// In a process: whether its loop has urgent messages to read before the next one is handled.
    pub(crate) fn wants_a_turn(&self) -> bool {
        self.post.as_ref().is_some_and(|post| post.wants_a_turn())
    }

    /// In a process: the handler is alive.
    pub(crate) fn beat(&self) {
        if let Some(post) = &self.post {
            post.page.beat();
        }
    }

    /// Notes something about the actor's process.
    pub(crate) fn set_process(&self, note: impl FnOnce(&mut ProcessFacts)) {
        note(self.process.lock().get_or_insert_default());
        self.notify();
    }

    /// There is no process any more.
    pub(crate) fn forget_process(&self) {
        *self.process.lock() = None;
    }

    pub(crate) fn process(&self) -> Option<ProcessFacts> {
        self.process.lock().as_deref().cloned()
    }

    /// Notes something about the actor's node.
    pub(crate) fn set_node(&self, note: impl FnOnce(&mut NodeFacts)) {
        note(self.node.lock().get_or_insert_default());
        self.notify();
    }

    pub(crate) fn node(&self) -> Option<NodeFacts> {
        self.node.lock().as_deref().cloned()
    }

    pub(crate) fn exit(&self) -> Option<ExitReason> {
        self.life.lock().exit.clone()
    }
}

impl fmt::Debug for Vitals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vitals").field("path", &self.path()).field("place", &self.place).finish()
    }
}
