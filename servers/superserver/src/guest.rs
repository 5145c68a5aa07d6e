//! A program from before a change of superservers: another process is its parent, but here it counts.

use std::io;
use std::time::Duration;

use palco_actors::{Actor, Context, Failure, Handler, Message};

use crate::gate::Permit;
use crate::watched::watch;

/// Stands for a program that another process has started; ends with it. What is asked of it is asked of its parent.
pub(crate) struct Guest {
    pub(crate) pid: i32,
    pub(crate) _permit: Permit,
}

/// Begin.
struct Stay;

impl Message for Stay {
    type Reply = ();
}

impl Actor for Guest {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.tell_after(Duration::ZERO, Stay);
        Ok(())
    }
}

impl Handler<Stay> for Guest {
    async fn handle(&mut self, _: Stay, cx: &mut Context<Self>) {
        cx.finish();
        cx.stands_for(self.pid, None);
        cx.note(|| "running, started by a superserver before this one");
        cx.unless_stopped(ended(self.pid)).await;
    }
}

/// Waits for the end of a process that need not be a child. At once if there is no such process. Cancel-safe.
pub(crate) async fn ended(pid: i32) {
    let pidfd = match palco_sys::open_pidfd(pid) {
        Ok(pidfd) => pidfd,
        Err(_) => return,
    };
    let wait = async || -> io::Result<()> {
        let watched = watch(pidfd)?;
        let _ended = watched.readable().await?;
        Ok(())
    };
    if let Err(error) = wait().await {
        tracing::warn!(pid, %error, "cannot wait for a process");
    }
}
