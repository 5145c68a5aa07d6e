//! The side of the process that takes over.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use anyhow::{Context, Result};
use palco_superserver::{Heir, Heritage};

use super::{Offered, Open, Ready, Withdrawn};
use crate::control::{Request, connect};
use crate::succession::{ANSWER_WITHIN, Released, receive, receive_sockets, send};

/// A change that has begun.
#[derive(Debug)]
pub(crate) struct Succession {
    stream: UnixStream,
}

impl Succession {
    /// Asks the superserver that runs for its sockets, which it goes on using.
    pub(crate) fn begin(control: Option<PathBuf>) -> Result<(Self, Heritage)> {
        let stream = connect(control, &Request::TakeOver)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        let offer = || -> Result<Heritage> {
            let Offered { addresses, .. } = receive(&stream)?;
            let sockets = receive_sockets(&stream, addresses.len())?;
            Ok(Heritage::new(addresses, sockets))
        };
        let heritage = offer().context("the superserver that runs does not hand over")?;
        Ok((Self { stream }, heritage))
    }

    /// From here on the old one accepts no more: the programs that it has running.
    pub(crate) fn ready(&self) -> Result<Vec<Heir>> {
        send(&self.stream, &Ready)?;
        let Withdrawn { heirs } =
            receive(&self.stream).context("the superserver that runs does not withdraw")?;
        Ok(heirs)
    }

    /// This one accepts. From here on the control socket is free.
    pub(crate) fn done(self) -> Result<()> {
        send(&self.stream, &Open)?;
        let Released = receive(&self.stream).context("the control socket was not released")?;
        Ok(())
    }
}
