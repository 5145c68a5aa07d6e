//! The side of the process that is succeeded.

use std::os::unix::net::UnixStream;
use std::process;
use std::sync::Arc;

use anyhow::{Context, Result};
use palco_superserver::Heritage;
use palco_threads::{STACK_BYTES_DEFAULT, block_on, spawn_named};

use super::{Offered, Open, Ready, Withdrawn};
use crate::stage::Stage;
use crate::succession::{ANSWER_WITHIN, Released, receive, send, send_sockets};

/// Gives everything to whoever is at the other end; when that works, this process ends with its last instance.
pub(crate) fn hand_over(stage: &Stage, stream: &UnixStream) -> Result<()> {
    let installed = stage.superserver.as_ref().context("this stage has no superserver")?;
    let superserver = &installed.superserver;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    let (addresses, sockets) = superserver.offer()?;
    send(stream, &Offered { pid: process::id(), addresses: addresses.clone() })?;
    send_sockets(stream, &sockets)?;
    let Ready =
        receive(stream).context("the successor did not become ready; nothing has changed")?;
    let heirs = superserver.withdraw();
    let succeeded = || -> Result<()> {
        send(stream, &Withdrawn { heirs })?;
        let Open = receive(stream)?;
        Ok(())
    };
    if let Err(error) = succeeded() {
        superserver.resume(Heritage::new(addresses, sockets))?;
        return Err(error.context("the successor has failed; this superserver goes on"));
    }
    drop(sockets);
    stage.release_control();
    // It may have gone again by now; what it has taken over is its own.
    let _told = send(stream, &Released);
    let superserver = Arc::clone(superserver);
    let leaving = move || {
        block_on(superserver.drained());
        process::exit(0);
    };
    spawn_named("palco-leaving", STACK_BYTES_DEFAULT, leaving)?;
    Ok(())
}
