//! Beside a program that rests: its end is noticed, and so is that nobody is left who could continue it.
//!
//! While an actor rests, nothing of it runs: it would not see that its program was killed, and would keep its duplicate of
//! the connection. And a client that has closed its side can say nothing any more: its program would rest for ever.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use palco_actors::Signal;
use socket2::Socket;

use super::Line;
use crate::guest::ended;
use crate::journal::Continued;
use crate::watched::watch;

/// Until the program goes on; then whoever has begun this drops it.
pub(super) async fn vigil(line: Arc<Line>) {
    let socket = line.socket.lock().as_ref().map(Socket::try_clone);
    let gone = async {
        match socket {
            Some(Ok(socket)) => hung_up(socket).await,
            Some(Err(error)) => Err(error),
            None => std::future::pending().await,
        }
    };
    let mut ended = pin!(ended(line.pid));
    match select(pin!(gone), ended.as_mut()).await {
        Either::Left((Ok(()), _)) => {
            line.go_on(Continued::ClientGone);
            // Still here: it rests because of others, and may do so.
            ended.await;
        }
        Either::Left((Err(error), _)) => {
            tracing::warn!(peer = %line.peer, %error, "cannot watch the client of a program that rests");
            line.go_on(Continued::ClientGone);
            ended.await;
        }
        Either::Right(((), _)) => {}
    }
    // Nothing is left to be held.
    line.actor.signal(Signal::Resume);
}

/// Waits until nothing can come from the other side any more. Has the kernel ask for it now and then in the meantime, since
/// a machine that has vanished does not say so.
async fn hung_up(socket: Socket) -> io::Result<()> {
    let _asking = Asking::begin(socket.try_clone()?)?;
    let socket = watch(socket)?;
    loop {
        let mut ready = socket.readable().await?;
        if ready.ready().is_read_closed() {
            return Ok(());
        }
        // Data for the program: it stays where it is.
        ready.clear_ready();
    }
}

/// `SO_KEEPALIVE`, as long as this lives; on the program's socket as well, which is the same.
struct Asking(Option<Socket>);

impl Asking {
    fn begin(socket: Socket) -> io::Result<Self> {
        if socket.keepalive()? {
            return Ok(Self(None));
        }
        socket.set_keepalive(true)?;
        Ok(Self(Some(socket)))
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(socket) = &self.0
            && let Err(error) = socket.set_keepalive(false)
        {
            tracing::debug!(%error, "keepalive of a connection");
        }
    }
}
