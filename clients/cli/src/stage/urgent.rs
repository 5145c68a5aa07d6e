//! The urgent port of a stage: where it listens, and what its thread is to get before the others.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use anyhow::{Context, Result};
use palco_models::{Urgent, UrgentSettings};
use palco_urgent::{Policy, StartError, ThreadSettings};
use serde::Deserialize;

use super::Port;

/// Where it listens unless told otherwise.
const DEFAULT_ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 7009);

/// What was said about the urgent port on the command line.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct UrgentArgs {
    /// Where the urgent port listens, or `off` [default: 127.0.0.1:7009, or a free port if that is taken]
    ///
    /// Requests that are being served are interrupted, held, resumed and prioritised there; see `palco urgent --help`.
    #[arg(long, value_name = "ADDRESS")]
    urgent: Option<Port>,
    /// How its thread gets before all others: fifo:PRIORITY, nice:N or usual [default: fifo:50]
    ///
    /// Where that is not permitted it takes the next best, and says so (`palco urgent`).
    #[arg(long, value_name = "POLICY")]
    urgent_policy: Option<Policy>,
}

/// What a stage file says about it; the command line has the last word.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UrgentEntry {
    /// Address and port, or `off`.
    listen: Option<Port>,
    /// `fifo:50`, `nice:-20` or `usual`.
    policy: Option<Policy>,
}

impl UrgentArgs {
    /// No port.
    pub(crate) fn off() -> Self {
        Self { urgent: Some(Port::Off), ..Self::default() }
    }

    /// Opens the port, on the socket of a predecessor if it is to listen there; none if it is off.
    pub(crate) fn open(
        &self,
        file: UrgentEntry,
        predecessor: Option<TcpListener>,
    ) -> Result<Option<Arc<Urgent>>> {
        let policy = self.urgent_policy.or(file.policy).unwrap_or_default();
        let thread = ThreadSettings { policy, ..ThreadSettings::default() };
        let open = |listen| Urgent::open(UrgentSettings { listen, thread });
        let wanted = self.urgent.or(file.listen);
        let is_there = |listener: &TcpListener| match wanted {
            None => true,
            Some(Port::At(wanted)) => listener.local_addr().is_ok_and(|there| {
                there.ip() == wanted.ip() && [0, there.port()].contains(&wanted.port())
            }),
            Some(Port::Off) => false,
        };
        let urgent = match wanted {
            _ if let Some(listener) = predecessor.filter(is_there) => {
                Urgent::open_on(listener, thread)
            }
            Some(Port::Off) => return Ok(None),
            Some(Port::At(address)) => open(address),
            None => match open(SocketAddr::from(DEFAULT_ADDRESS)) {
                // Another stage's, most likely.
                Err(StartError::Bind { source, .. })
                    if source.kind() == io::ErrorKind::AddrInUse =>
                {
                    open(SocketAddr::from((DEFAULT_ADDRESS.0, 0)))
                }
                opened => opened,
            },
        };
        urgent.map(Some).context("the urgent port; choose another with --urgent ADDRESS, or `off`")
    }
}
