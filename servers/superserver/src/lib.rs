//! The superserver: one process that listens for many services and starts the program of each when somebody asks for it.
//!
//! Data flows one way: text is read into a [`Plan`], a plan is run by actors, actors are shown by a status.
//!
//! | file | what |
//! |---|---|
//! | `spec.rs`, `spec/` | [`Plan`], [`ServiceSpec`]: what is to be served, whatever it was written in |
//! | `config.rs`, `config/` | inetd.conf in four dialects, xinetd.conf and TOML, [`read`] into a plan; [`Remark`]s where they stumble |
//! | `config/explain.rs` | a service in short English phrases: [`explain`] |
//! | `bind.rs` | sockets bound as a plan wants them |
//! | `superserver.rs`, `superserver/` | [`Superserver`]: a plan as a tree of actors; from one plan, and one process, to the next |
//! | `service.rs` | what the actors of one service share: definition, gate, counters |
//! | `gate.rs`, `gate/` | limits: who may start now, who waits, what each limit has done |
//! | `door.rs`, `door/` | the actor that listens: accepts, answers datagrams, or waits to start a single program |
//! | `instance.rs`, `instance/` | the actor that serves one client, or stands for a program |
//! | `urgent.rs`, `urgent/` | urgent data of clients: it suspends, continues and ends their programs |
//! | `launch.rs`, `enclosure.rs`, `files.rs` | from a program's description and a client to what is started, and what it gives up |
//! | `journal.rs`, `status.rs` | START, EXIT, FAIL; what it looks like from outside |
//! | `access.rs`, `access/` | who may: `only_from`, `no_access`, `access_times`, hosts.allow and hosts.deny |
//! | `builtins.rs`, `builtins/` | echo, discard, daytime, time, chargen, tcpmux, redirection: served without a program |

#![forbid(unsafe_code)]

pub mod access;
mod bind;
pub mod builtins;
pub mod config;
mod door;
mod enclosure;
mod files;
mod gate;
mod guest;
mod instance;
mod journal;
mod launch;
mod service;
mod spec;
mod status;
mod superserver;
mod urgent;
mod watched;
mod within;

pub use palco_processes::Enclosure;

pub use config::{Dialect, Explanation, Options, ReadError, explain, read, read_text};
pub use gate::{Acted, Limit};
pub use journal::{Continued, Entry, Event, Sink};
pub use spec::{
    Account, Action, Address, Banners, Builtin, Control, Deaf, Descriptors, Endpoint, Environment,
    Limits, Listening, MuxName, Origin, Plan, Program, Rate, Remark, ResourceLimit, RpcNumbers,
    Run, ServiceSpec, Severity, Style, Urgent,
};
pub use status::{Ended, InstanceStatus, LimitStatus, ServiceStatus, Status, UrgentStatus};
pub use superserver::{Changes, Heir, Heritage, Refused, StartError, Superserver};
