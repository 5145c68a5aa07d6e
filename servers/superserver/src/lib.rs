//! The superserver: one process that listens for many services and starts the program of each when somebody asks for it.
//!
//! Data flows one way: text is read into a [`Plan`], a plan is run by actors, actors are shown by a status.
//!
//! | file | what |
//! |---|---|
//! | `spec.rs`, `spec/` | [`Plan`], [`ServiceSpec`]: what is to be served, whatever it was written in |
//! | `config.rs`, `config/` | inetd.conf in four dialects, xinetd.conf and TOML, read into a plan; [`Remark`]s where they stumble |
//! | `access.rs`, `access/` | who may: `only_from`, `no_access`, `access_times`, hosts.allow and hosts.deny |
//! | `builtins.rs`, `builtins/` | echo, discard, daytime, time, chargen, tcpmux, redirection: served without a program |

#![forbid(unsafe_code)]

pub mod access;
pub mod builtins;
pub mod config;
mod spec;

pub use config::Dialect;
pub use spec::{
    Account, Action, Address, Banners, Builtin, Confinement, Control, Descriptors, Endpoint,
    Environment, Limits, Listening, MuxName, Origin, Plan, Program, Rate, Remark, ResourceLimit,
    RpcNumbers, Run, ServiceSpec, Severity, Style,
};
