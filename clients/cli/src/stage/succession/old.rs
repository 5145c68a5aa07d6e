//! The side of the stage that is succeeded.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::{Offer, Offered, Open};
use crate::output;
use crate::stage::{Stage, run};
use crate::succession::{ANSWER_WITHIN, Released, receive, send, send_sockets};

/// Gives all sockets to whoever is at the other end; when that serves, this stage finishes what it serves and its process
/// ends.
pub(crate) fn hand_over(stage: &Arc<Stage>, stream: &UnixStream) -> Result<()> {
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    let (servers, sockets) = match offer(stage) {
        Ok(offered) => offered,
        Err(why) => return send(stream, &Offer::Refused(format!("{why:#}"))),
    };
    let urgent = stage.urgent.as_ref().map(|urgent| urgent.address());
    send(stream, &Offer::Made { servers, urgent })?;
    send_sockets(stream, &sockets)?;
    drop(sockets);
    let Open { pid, taken } =
        receive(stream).context("the successor did not come up; nothing has changed")?;
    *stage.shared.lock() = taken;
    stage.release();
    // It may have gone again by now; what it has taken over is its own.
    let _told = send(stream, &Released);
    output::talk(format!("pid {pid} has taken over; finishing what is being served"));
    let leaving = Arc::clone(stage);
    run::watch("palco-leaving", move || run::end(&leaving))
}

/// Servers and their sockets, and the urgent port's at the end.
fn offer(stage: &Stage) -> Result<(Vec<Offered>, Vec<OwnedFd>)> {
    ensure!(
        stage.registers.is_none() && stage.node.is_none(),
        "it keeps registers, and two processes cannot have their files; restart replicas one by one"
    );
    ensure!(stage.shared.lock().is_empty(), "it has a successor already");
    let (mut servers, mut sockets) = (Vec::new(), Vec::new());
    for (entry, server) in &stage.servers {
        let socket = server.socket().with_context(|| {
            format!(
                "each worker of server `{}` has a socket of its own, and nobody else can have its queue; use accept-by \
                 `workers`",
                entry.name()
            )
        })?;
        sockets.push(socket.try_clone()?.into());
        servers.push(Offered { name: entry.name().to_owned(), address: server.address() });
    }
    if let Some(urgent) = &stage.urgent {
        sockets.push(urgent.socket()?.into());
    }
    Ok((servers, sockets))
}
