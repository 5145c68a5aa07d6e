//! How a service is served: a dispatch policy times a placement.
//!
//! A policy ([`ModelKind`]) decides who accepts and who serves; a placement decides what a wait costs. Everything
//! else is shared: one connection without I/O, one acceptor, one admission, one drain. A policy file holds a plan and
//! a description of itself, nothing more.
//!
//! | file | what |
//! |---|---|
//! | `connection.rs` | [`Connection`]: bytes in, calls, bytes out; no I/O |
//! | `stream.rs`, `listener.rs` | sockets as each place waits for them |
//! | `deadlines.rs`, `timing.rs`, `timer.rs` | [`Deadlines`]: how long clients and handlers may take |
//! | `shedding.rs` | [`Shedding`]: who has waited too long to be accepted |
//! | `serve.rs`, `serve/`, `synch.rs` | drives one connection over one stream; urgent data for protocols that use it |
//! | `door.rs`, `acceptor.rs` | accepting; the actor that does, and serves inline or hands over to a fresh actor |
//! | `admission.rs`, `scoreboard.rs` | limits, which limit acted, and counts |
//! | `books.rs`, `seats.rs` | where that is written down, also by several processes, of which any may crash |
//! | `process.rs`, `process/` | acceptors and connections as processes; a state that processes share |
//! | `crew.rs`, `crew/` | who the workers are: spares, their lives, sockets and cores |
//! | `model.rs`, `iterative.rs`, `per_connection.rs`, `team.rs` | the policies and their profiles |
//! | `settings.rs`, `start_error.rs` | [`ServerSettings`], and what can be wrong with them |
//! | `server.rs`, `drain.rs` | [`Server`]: a supervised tree of the above; stop accepting, finish, give up |
//! | `leave.rs` | a server that nobody uses ends without losing who comes at that moment |
//! | `single.rs` | [`Single`]: one connection that somebody else has accepted |
//! | `holder.rs` | who holds a port that is in use |
//! | `requests.rs`, `requests/` | [`Urgent`]: interrupt, hold and prioritise a request that is being served |
//!
//! This room must never know a protocol; the services it serves must never know it.

#![forbid(unsafe_code)]

mod acceptor;
mod admission;
mod books;
mod connection;
mod crew;
mod deadlines;
mod door;
mod drain;
mod holder;
mod iterative;
mod leave;
mod listener;
mod model;
mod per_connection;
mod process;
mod requests;
mod scoreboard;
mod seats;
mod serve;
mod server;
mod settings;
mod shedding;
mod single;
mod slots;
mod start_error;
mod status;
mod stream;
mod synch;
mod team;
mod timer;
mod timing;

pub use admission::{Action, Limits};
pub use connection::{Connection, Progress, Step};
pub use crew::{Affinity, Crew, CrewError};
pub use deadlines::{DeadlineError, Deadlines, TimeLimit};
pub use drain::DrainReport;
pub use holder::holder_of_port;
pub use listener::BindError;
pub use model::{Concurrency, ModelKind, ModelProfile, PlanError, profile, profiles};
pub use process::{AcceptBy, ProcessSettings, RecycleSettings, players, players_that_share};
pub use requests::{RequestView, Urgent, UrgentSettings, UrgentStatus};
pub use scoreboard::{Ending, Scores};
pub use server::Server;
pub use settings::{Listen, ServerSettings};
pub use shedding::Shedding;
pub use single::Single;
pub use slots::{Slot, Slots};
pub use start_error::StartError;
pub use status::{ServerStatus, auto_text};
