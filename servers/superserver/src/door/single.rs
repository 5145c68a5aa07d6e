//! A door that waits until there is something to start a program for, gives it the sockets, and waits until it has ended.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{select, select_all};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv};
use palco_actors::Context;
use palco_processes::Exit;
use socket2::Socket;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::{Door, Turn};
use crate::gate::Permit;
use crate::instance::{Instance, Task};
use crate::service::Counts;
use crate::spec::Action;
use crate::watched::watch;

/// A program that ends sooner than this, and leaves what it was started for, is not started again at once.
const RAN_AT_LEAST: Duration = Duration::from_secs(1);
/// The first pause; each one after it is twice as long.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// Programs in a row that end well, but at once, with more connections waiting: one for each, perhaps. Or it is a loop.
const QUICK_MAX: u32 = 100;
/// Bytes by which a datagram is known again.
const PEEKED_BYTES: usize = 32;
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(30);

impl Door {
    /// Starts a program whenever there is work and none runs, until a stop or a change.
    pub(super) async fn wait_for_work(&self, cx: &Context<Self>) -> io::Result<Turn> {
        if !self.wait_for_predecessor(cx).await? {
            return Ok(Turn::Stop);
        }
        let mut watched = Vec::new();
        for (_, socket) in self.way.copies()? {
            // Programs expect sockets that block; this handle only looks whether they are ready.
            socket.set_nonblocking(false)?;
            watched.push(watch(socket)?);
        }
        if watched.is_empty() {
            return Ok(Turn::Again);
        }
        let (mut pause, mut quick) = (Duration::ZERO, 0);
        loop {
            if self.is_changed() {
                return Ok(Turn::Again);
            }
            cx.note(|| "waiting for work");
            match self.unless_changed(cx, any_ready(&watched)).await {
                None => return Ok(Turn::Stop),
                Some(None) => return Ok(Turn::Again),
                Some(Some(ready)) => ready?,
            }
            let permit = match self.service.gate.try_admit(None, Instant::now()) {
                Ok(permit) => permit,
                Err(excess) if excess.action == Action::Defer => {
                    let begin = Instant::now();
                    self.service.gate.count(excess.limit);
                    if self.wait_for_room(cx, excess).await.is_none() {
                        return Ok(Turn::Stop);
                    }
                    self.service.gate.note_wait(excess.limit, begin.elapsed());
                    continue;
                }
                Err(excess) => {
                    for socket in &watched {
                        discard(socket.get_ref());
                    }
                    self.service.turn_away(excess, None);
                    continue;
                }
            };
            let before: Vec<_> = watched.iter().map(|socket| peek(socket.get_ref())).collect();
            if !self.run_once(cx, permit).await? {
                return Ok(Turn::Stop);
            }
            if !self.was_in_vain(&mut quick, &before, &watched) {
                pause = Duration::ZERO;
                continue;
            }
            pause = (pause * 2).clamp(PAUSE_FIRST, PAUSE_MAX);
            let reason = format!("looping: it ended at once and left its work; pause {pause:?}");
            self.service.house.journal.fail(&self.service.id, reason, None);
            cx.note(|| "pausing: the program ended at once and left its work");
            if self.unless_changed(cx, cx.sleep(pause)).await.is_none() {
                return Ok(Turn::Stop);
            }
        }
    }

    /// Has an instance run, and waits for its end. False is a stop.
    async fn run_once(&self, cx: &Context<Self>, permit: Permit) -> io::Result<bool> {
        let present = &self.way.present;
        let sockets = self.way.copies()?.into_iter().map(|(_, socket)| socket);
        let task = Task::Sockets(sockets.collect(), permit);
        Counts::add(&self.service.counts.accepted);
        let _earlier = present.take_latest();
        let instance = Instance::new(Arc::clone(&self.service), task, present.enter());
        let mut instance = Some(instance);
        let end_within = self.service.definition().spec.limits.end_within;
        let started = cx.spawn(Instance::options(end_within), move || {
            instance.take().expect("never restarted")
        });
        if let Err(error) = started {
            self.service.note_failure(format!("actor: {error}"), None);
        }
        cx.note(|| "the program has the sockets");
        Ok(self.wait_for_its_end(cx).await)
    }

    /// Until the program has ended, or the door is closed: then it may keep the sockets. False is a stop.
    async fn wait_for_its_end(&self, cx: &Context<Self>) -> bool {
        let present = &self.way.present;
        loop {
            let changed = self.way.changed();
            if self.way.is_closed() || present.count() == 0 {
                return true;
            }
            let nobody = pin!(present.nobody());
            if cx.unless_stopped(select(nobody, changed)).await.is_none() {
                return false;
            }
        }
    }

    /// Whether the program has done nothing about what it was started for, or cannot.
    fn was_in_vain(
        &self,
        quick: &mut u32,
        before: &[Option<Peeked>],
        watched: &[AsyncFd<Socket>],
    ) -> bool {
        let latest = self.way.present.take_latest();
        let ran_well = latest.is_some_and(|(exit, _)| exit == Exit::Exited(0));
        let ran_long = latest.is_some_and(|(_, ran)| ran >= RAN_AT_LEAST);
        if ran_long || !watched.iter().any(|socket| is_ready(socket.get_ref()).unwrap_or(false)) {
            *quick = 0;
            return false;
        }
        *quick += 1;
        let same = watched.iter().map(|socket| peek(socket.get_ref())).eq(before.iter().cloned())
            && before.iter().any(Option::is_some);
        !ran_well || same || *quick > QUICK_MAX
    }

    /// Waits for the end of a process that has the sockets from a superserver before this one. False is a stop.
    async fn wait_for_predecessor(&self, cx: &Context<Self>) -> io::Result<bool> {
        let Some(pid) = self.way.predecessor.lock().take() else { return Ok(true) };
        cx.note(|| "waiting for a process from before the change of superservers");
        Ok(cx.unless_stopped(crate::guest::ended(pid)).await.is_some())
    }
}

/// Waits until one of them has something. Cancel-safe.
async fn any_ready(watched: &[AsyncFd<Socket>]) -> io::Result<()> {
    let each = watched.iter().map(|socket| {
        Box::pin(socket.async_io(Interest::READABLE, |socket| match is_ready(socket)? {
            true => Ok(()),
            false => Err(io::ErrorKind::WouldBlock.into()),
        }))
    });
    select_all(each).await.0
}

/// Whether there is something to be accepted or received.
fn is_ready(socket: &Socket) -> io::Result<bool> {
    let mut asked = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    Ok(poll(&mut asked, PollTimeout::ZERO)? > 0)
}

/// Takes what a program was to be started for and throws it away.
fn discard(socket: &Socket) {
    if socket.is_listener().unwrap_or(false) {
        drop(socket.accept());
    } else {
        let _length = recv(socket.as_raw_fd(), &mut [0], MsgFlags::MSG_DONTWAIT);
    }
}

/// The begin of the next datagram, and who has sent it; none of a socket for connections.
type Peeked = ([u8; PEEKED_BYTES], usize, Option<SocketAddr>);

fn peek(socket: &Socket) -> Option<Peeked> {
    if socket.is_listener().unwrap_or(false) {
        return None;
    }
    let mut bytes = [0; PEEKED_BYTES];
    let from = socket.peek_sender().ok().and_then(|from| from.as_socket());
    let flags = MsgFlags::MSG_PEEK | MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
    let length = recv(socket.as_raw_fd(), &mut bytes, flags).ok()?;
    Some((bytes, length, from))
}
