//! One actor, every place.
//!
//! An [`Actor`] is written once and started in a [`Place`]; whoever holds its [`ActorRef`] cannot tell which. The
//! modules below are listed in the order of one message's way.
//!
//! | file | what |
//! |---|---|
//! | `actor.rs` | [`Actor`], [`Message`], [`Handler`] |
//! | `actor_ref.rs` | [`ActorRef`], [`UrgentRef`], [`Recipient`]: tell, ask, signal |
//! | `envelope.rs`, `reply.rs` | a message on its way, and its answer on the way back |
//! | `mailbox.rs`, `lane.rs`, `bell.rs` | two bounded lanes and the waking of their reader |
//! | `context.rs` | [`Context`]: what a handler may do |
//! | `life.rs`, `guard.rs` | from start to end: the loop that handles messages, and what signals do to a handler |
//! | `signal.rs` | [`Signal`], [`Effect`]: reach into a running handler |
//! | `placement.rs`, `placement/` | [`Place`]: `task` (event loop), `thread`, `fiber`, `process`, `remote` (another node) |
//! | `portable.rs`, `descriptor.rs`, `grant.rs` | [`Portable`], [`Parcel`], [`Descriptor`], [`Grant`]: what can cross to a process or node |
//! | `standing.rs` | an actor that stands for a process outside |
//! | `supervision.rs`, `supervisor.rs` | [`Restart`], [`Supervision`], [`Supervisor`] |
//! | `vitals.rs`, `activity.rs`, `snapshot.rs`, `ledger.rs` | what is known of an actor from outside, and that no message is lost |
//! | `observation.rs`, `observation/` | [`Closeness`], [`Notes`]: what is noted of messages while somebody looks |
//! | `system.rs`, `survey.rs`, `registry.rs`, `dead_letters.rs` | [`System`]: names, clock, event loops, dead letters; no globals |
//! | `clock.rs`, `clock/`, `stir.rs` | [`Clock`]: real or virtual time, timers, deadlines |
//!
//! The promises (order, delivery, what each failure does, what a signal reaches) are in `docs/SEMANTICS.md`.
//! Only `placement/task.rs` knows actix; nothing here knows sockets or servers. Other nodes are reached over a
//! [`Carrier`](palco_transport::Carrier), whatever that is: see [`Net`].

#![forbid(unsafe_code)]

mod activity;
mod actor;
mod actor_ref;
mod any_ref;
mod bell;
mod clock;
mod context;
mod dead_letters;
mod description;
mod descriptor;
mod envelope;
mod error;
mod grant;
mod guard;
mod lane;
mod ledger;
mod life;
mod mailbox;
mod observation;
mod placement;
mod portable;
mod registry;
mod reply;
mod signal;
mod snapshot;
mod standing;
mod stir;
mod supervision;
mod supervisor;
mod survey;
mod system;
mod vitals;

pub use actor::{Actor, Failure, Handler, Message};
pub use actor_ref::{ActorRef, Recipient, UrgentRef};
pub use any_ref::{AnyRef, Look};
pub use clock::{Clock, Sleep};
pub use context::{Context, Exited, Wait};
pub use dead_letters::{DeadLetter, DropReason};
pub use descriptor::Descriptor;
pub use error::{Abandoned, AskError, SendError, SpawnError};
pub use grant::Grant;
pub use ledger::Ledger;
pub use observation::{
    Caught, Closeness, LifeChange, LifeEvent, MessageNote, Met, Notes, Observing, Peeked, StepNote,
    Waiting,
};
pub use placement::process::{
    EnterError, ProcessOptions, Recycle, Repertoire, Start, Transport, enter,
};
pub use placement::remote::{
    Disconnected, JoinError, Net, PeerChange, PeerView, RemoteOptions, Watch, build,
};
pub use placement::task::{ActixMessage, actix_recipient};
pub use placement::{Place, PlaceKind, SpawnOptions};
pub use portable::{Luggage, MessageTable, Parcel, Portable, PortableMessage};
pub use signal::{Effect, Signal};
pub use snapshot::{ActorSnapshot, Inspection, NodeSnapshot, ProcessSnapshot, StateMark, Status};
pub use supervision::{Backoff, Intensity, Restart, Strategy, Supervision};
pub use supervisor::Supervisor;
pub use system::{System, SystemBuilder};

pub use palco_core::{ActorId, ExitReason, Time};
pub use palco_processes::{Confinement, FileAccess, Network, Syscalls, User};
