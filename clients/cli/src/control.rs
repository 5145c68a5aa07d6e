//! The control socket: how `palco ps`, `palco stop` and the others reach a running stage.
//!
//! A Unix socket that only its owner may open (mode 0600). One JSON object a line in each direction.

mod client;
mod protocol;
mod server;
mod socket;

pub(crate) use client::{ask, connect};
pub(crate) use protocol::{HeldView, Reply, Request, RequestsView};
pub(crate) use server::serve;
pub(crate) use socket::ControlSocket;
