//! The side of the stage that is succeeded.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::{Heir, Offer, Offered, Open};
use crate::output;
use crate::stage::{Stage, run};
use crate::succession::{ANSWER_WITHIN, Released, receive, send, send_sockets};

/// Gives all sockets to whoever is at the other end; when that serves, this stage finishes what it serves and its process
/// ends.
pub(crate) fn hand_over(stage: &Arc<Stage>, stream: &UnixStream) -> Result<()> {
    let refuse = |why: &str| send(stream, &Offer::Refused(why.to_owned()));
    if !expect(stage) {
        return refuse("it has a successor already, or one is coming up");
    }
    let handed_over = match offer(stage) {
        Ok((servers, sockets)) => hand_over_to(stage, stream, servers, &sockets),
        Err(why) => refuse(&format!("{why:#}")),
    };
    let mut heir = stage.heir.lock();
    if *heir == Heir::ComingUp {
        *heir = Heir::Nobody;
    }
    handed_over
}

/// One may come up; false if there is one.
fn expect(stage: &Stage) -> bool {
    let mut heir = stage.heir.lock();
    let is_first = *heir == Heir::Nobody;
    if is_first {
        *heir = Heir::ComingUp;
    }
    is_first
}

/// To one who waits for the offer.
fn hand_over_to(
    stage: &Arc<Stage>,
    stream: &UnixStream,
    servers: Vec<Offered>,
    sockets: &[OwnedFd],
) -> Result<()> {
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    let urgent = stage.urgent.as_ref().map(|urgent| urgent.address());
    send(stream, &Offer::Made { servers, urgent })?;
    send_sockets(stream, sockets)?;
    let Open { pid, taken } =
        receive(stream).context("the successor did not come up; nothing has changed")?;
    *stage.heir.lock() = Heir::Serves;
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
