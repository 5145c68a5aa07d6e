//! Where actors live. A new place is one more file here and one more variant of [`Place`].

pub(crate) mod delivered;
pub(crate) mod fiber;
pub(crate) mod process;
pub(crate) mod remote;
pub(crate) mod task;
pub(crate) mod thread;
mod window;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use palco_transport::Peer;
use serde::{Deserialize, Serialize};

use crate::life::{EndGuard, run, short_type_name};
use crate::mailbox::Mailbox;
use crate::registry::check_name;
use crate::stir::{Ticket, counted};
use crate::supervisor::ChildExited;
use crate::vitals::{AnyCell, Birth, Cell, Vitals};
use crate::{Actor, ActorRef, Failure, Parcel, Portable, Recipient, Restart, SpawnError, System};
use process::ProcessOptions;
use remote::RemoteOptions;

/// Where to start an actor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// On an event loop: the parent's, if that is a task, else one after the other. Handlers must not block.
    #[default]
    Task,
    /// On the event loop with this number, from 0.
    Loop(usize),
    /// On a kernel thread of its own. Handlers may block.
    Thread,
    /// On a fiber: a user-level thread of whichever LWP has time first, where it then stays. Handlers may call what
    /// waits in the manner of a fiber (`palco_fibers`), also in code that is not async.
    Fiber,
    /// On a fiber of the LWP with this number, from 0.
    Lwp(usize),
    /// In a process of its own: a crash of the actor ends nothing else. Only for actors that are
    /// [`Portable`]. Handlers may block.
    Process,
    /// On another node, which hosts lives of others and is reached by this system's [`Net`](crate::Net): the node's end
    /// ends nothing else. Only for actors that are [`Portable`].
    Remote(Peer),
    /// On the loop of the system's own actors: supervisors, which must run while all other loops are stuck.
    SystemLoop,
}

/// The kind of place an actor lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlaceKind {
    /// An event loop that it shares with others.
    Task,
    /// A kernel thread of its own.
    Thread,
    /// A user-level thread on one of a few kernel threads, the LWPs.
    Fiber,
    /// A process of its own.
    Process,
    /// Another node.
    Remote,
}

impl PlaceKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Task, Self::Thread, Self::Fiber, Self::Process, Self::Remote];

    /// The kinds that need no other node.
    pub const OF_THIS_MACHINE: [Self; 4] = [Self::Task, Self::Thread, Self::Fiber, Self::Process];

    /// The kinds in which any actor can live, also one that is not made from data.
    pub const OF_THIS_PROCESS: [Self; 3] = [Self::Task, Self::Thread, Self::Fiber];

    /// The name used on the command line and in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::Thread => "thread",
            Self::Fiber => "fiber",
            Self::Process => "process",
            Self::Remote => "remote",
        }
    }

    /// Whether others of the same kind live on its thread: then a handler that blocks holds them up too.
    #[must_use]
    pub const fn shares_its_thread(self) -> bool {
        match self {
            Self::Task | Self::Fiber => true,
            Self::Thread | Self::Process | Self::Remote => false,
        }
    }
}

impl fmt::Display for PlaceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for PlaceKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no place `{name}`; places are: {names}")
        })
    }
}

/// `remote` alone names no node: to start an actor there is [`SpawnError::NoNode`].
impl From<PlaceKind> for Place {
    fn from(kind: PlaceKind) -> Self {
        match kind {
            PlaceKind::Task => Self::Task,
            PlaceKind::Thread => Self::Thread,
            PlaceKind::Fiber => Self::Fiber,
            PlaceKind::Process => Self::Process,
            PlaceKind::Remote => Self::Remote(remote::NOBODY),
        }
    }
}

impl Place {
    fn kind(self) -> PlaceKind {
        match self {
            Self::Task | Self::Loop(_) | Self::SystemLoop => PlaceKind::Task,
            Self::Thread => PlaceKind::Thread,
            Self::Fiber | Self::Lwp(_) => PlaceKind::Fiber,
            Self::Process => PlaceKind::Process,
            Self::Remote(_) => PlaceKind::Remote,
        }
    }
}

/// How to start an actor; every setting has a default.
#[derive(Clone, Debug)]
#[must_use]
pub struct SpawnOptions {
    name: Option<Box<str>>,
    place: Place,
    mailbox_messages_max: usize,
    urgent_messages_max: usize,
    restart: Restart,
    stop_within: Duration,
    stack_bytes: usize,
    process: ProcessOptions,
    remote: RemoteOptions,
}

impl Default for SpawnOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl SpawnOptions {
    /// A nameless task that is never restarted, with room for 1024 normal and 64 urgent messages and 5 s to stop.
    pub fn new() -> Self {
        Self {
            name: None,
            place: Place::Task,
            mailbox_messages_max: 1024,
            urgent_messages_max: 64,
            restart: Restart::Never,
            stop_within: Duration::from_secs(5),
            stack_bytes: palco_threads::STACK_BYTES_DEFAULT,
            process: ProcessOptions::new(),
            remote: RemoteOptions::new(),
        }
    }

    /// With a name: the last part of its path, unique among its siblings.
    pub fn name(self, name: impl Into<Box<str>>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// In this place.
    pub fn place(self, place: impl Into<Place>) -> Self {
        Self { place: place.into(), ..self }
    }

    /// With room for so many messages in the normal lane; at least 1.
    pub fn mailbox_messages_max(self, messages: usize) -> Self {
        Self { mailbox_messages_max: messages.max(1), ..self }
    }

    /// With room for so many messages in the urgent lane; at least 1.
    pub fn urgent_messages_max(self, messages: usize) -> Self {
        Self { urgent_messages_max: messages.max(1), ..self }
    }

    /// Started again when? Needs a supervisor as parent.
    pub fn restart(self, restart: Restart) -> Self {
        Self { restart, ..self }
    }

    /// Killed if it takes longer than this to stop.
    pub fn stop_within(self, limit: Duration) -> Self {
        Self { stop_within: limit, ..self }
    }

    /// With a stack of this size, if it gets a thread.
    pub fn stack_bytes(self, bytes: usize) -> Self {
        Self { stack_bytes: bytes, ..self }
    }

    /// With a process like this, if it gets one.
    pub fn process(self, process: ProcessOptions) -> Self {
        Self { process, ..self }
    }

    /// Talked to like this, if it lives on another node.
    pub fn remote(self, remote: RemoteOptions) -> Self {
        Self { remote, ..self }
    }
}

/// Starts an actor under `parent`.
pub(crate) fn spawn<A: Actor>(
    system: &System,
    parent: Arc<dyn AnyCell>,
    reports_to: Option<Recipient<ChildExited>>,
    options: SpawnOptions,
    mut make: impl FnMut() -> A + Send + 'static,
) -> Result<ActorRef<A>, SpawnError> {
    if matches!(options.place, Place::Process | Place::Remote(_)) {
        return Err(SpawnError::NotPortable(short_type_name::<A>()));
    }
    enter(system, parent, reports_to, &options, |cell| {
        start(system, &options, cell, move || Ok(make()))
    })
}

/// Starts an actor under `parent` on fibers, where it goes on on whichever LWP has time, turn by turn.
pub(crate) fn spawn_roving<A: Actor + Send>(
    system: &System,
    parent: Arc<dyn AnyCell>,
    reports_to: Option<Recipient<ChildExited>>,
    options: SpawnOptions,
    mut make: impl FnMut() -> A + Send + 'static,
) -> Result<ActorRef<A>, SpawnError> {
    let options = options.place(Place::Fiber);
    enter(system, parent, reports_to, &options, |cell| {
        fiber::roving::start(system, cell, move || Ok(make()))
    })
}

/// Starts an actor from data under `parent`, in any place.
pub(crate) fn spawn_portable<A: Portable>(
    system: &System,
    parent: Arc<dyn AnyCell>,
    reports_to: Option<Recipient<ChildExited>>,
    options: SpawnOptions,
    mut pack: impl FnMut() -> Result<Parcel<A>, Failure> + Send + 'static,
) -> Result<ActorRef<A>, SpawnError> {
    if options.place == Place::Process {
        let identity = process::check::<A>(system)?;
        return enter(system, parent, reports_to, &options, |cell| {
            process::start(system, options.process.clone(), identity, cell, pack)
        });
    }
    if let Place::Remote(peer) = options.place {
        let net = remote::check::<A>(system, peer, &options)?;
        return enter(system, parent, reports_to, &options, |cell| {
            remote::start(system, net, peer, &options, cell, pack)
        });
    }
    enter(system, parent, reports_to, &options, |cell| {
        start(system, &options, cell, move || pack()?.unpack())
    })
}

/// Makes the cell of an actor, enters it into the tree and has `start` start it.
fn enter<A: Actor>(
    system: &System,
    parent: Arc<dyn AnyCell>,
    reports_to: Option<Recipient<ChildExited>>,
    options: &SpawnOptions,
    start: impl FnOnce(Arc<Cell<A>>) -> Result<(), SpawnError>,
) -> Result<ActorRef<A>, SpawnError> {
    if let Some(name) = &options.name {
        check_name(name)?;
    }
    if options.restart != Restart::Never && reports_to.is_none() {
        return Err(SpawnError::NotSupervised(parent.vitals().path().into()));
    }
    let cell = new_cell::<A>(system, Some(Arc::clone(&parent)), reports_to, options);
    let any = Arc::clone(&cell) as Arc<dyn AnyCell>;
    if cell.vitals.name.is_some() {
        system.registry().insert(cell.vitals.path(), Arc::clone(&any))?;
    }
    {
        let mut children = parent.vitals().children.lock();
        if children.closed {
            drop(children);
            system.forget(&*any);
            return Err(SpawnError::ParentStopping(parent.vitals().path().into()));
        }
        children.by_id.insert(cell.vitals.id, Arc::clone(&any));
    }
    start(Arc::clone(&cell))?;
    Ok(ActorRef::new(cell))
}

/// Starts the actor that has no parent.
pub(crate) fn spawn_root<A: Actor>(
    system: &System,
    options: SpawnOptions,
    mut make: impl FnMut() -> A + Send + 'static,
) -> Result<ActorRef<A>, SpawnError> {
    let cell = new_cell::<A>(system, None, None, &options);
    start(system, &options, Arc::clone(&cell), move || Ok(make()))?;
    Ok(ActorRef::new(cell))
}

fn new_cell<A: Actor>(
    system: &System,
    parent: Option<Arc<dyn AnyCell>>,
    reports_to: Option<Recipient<ChildExited>>,
    options: &SpawnOptions,
) -> Arc<Cell<A>> {
    Arc::new(Cell {
        vitals: Vitals::new(Birth {
            id: system.next_id(),
            name: options.name.clone(),
            actor_type: short_type_name::<A>(),
            place: options.place.kind(),
            system: system.clone(),
            parent,
            reports_to,
            restart: options.restart,
            stop_within: options.stop_within,
        }),
        mailbox: Mailbox::new(options.mailbox_messages_max, options.urgent_messages_max),
    })
}

fn start<A: Actor>(
    system: &System,
    options: &SpawnOptions,
    cell: Arc<Cell<A>>,
    make: impl FnMut() -> Result<A, Failure> + Send + 'static,
) -> Result<(), SpawnError> {
    // From here on a place that refuses, or takes the life and drops it, ends the actor properly.
    let end = EndGuard::new(Arc::clone(&cell));
    let ticket = system.clock().is_virtual().then(|| Ticket::new(system.stir()));
    let life = move || counted(ticket, run(end, make));
    match options.place {
        Place::Task => system.loops()?.start_near(life),
        Place::Loop(index) => system.loops()?.start_on(index, life),
        Place::SystemLoop => system.loops()?.start_on_system(life),
        Place::Process | Place::Remote(_) => Err(SpawnError::NotPortable(short_type_name::<A>())),
        Place::Thread => thread::start(cell, options.stack_bytes, life),
        Place::Fiber => fiber::start(system, &cell, None, life),
        Place::Lwp(index) => fiber::start(system, &cell, Some(index), life),
    }
}
