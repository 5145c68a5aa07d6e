//! The address's end of the way to a process: two sockets, the shared page, and the process itself.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use palco_processes::{Child, Exit, Launch, LaunchError, Spawner, Zygote, bear};
use palco_sys::RingEnd;
use serde::Serialize;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Mould;
use super::child::Introduction;
use super::options::{ProcessOptions, Start, Transport};
use super::page::Page;
use super::ring::{Ring, spins_max};
use super::socket::{Heard, Socket};
use super::wire::{Incoming, ToChild, WireError, append};
use crate::portable::Passed;
use crate::{Failure, System};

/// How large a ring may be.
const RING_BYTES_MIN: usize = 4 << 10;
const RING_BYTES_MAX: usize = 16 << 20;

/// Bytes that may wait for a process that does not read; then no more messages are handed over.
const WAITING_BYTES_MAX: usize = 256 << 10;

/// The parent's end.
pub(super) struct Link {
    sockets: [Socket; 2],
    /// In place of the first socket, which is its doorbell then.
    ring: Option<Ring>,
    pub(super) incoming: Incoming,
    out: [Out; 2],
    pub(super) page: Arc<Page>,
    child: AsyncFd<Watched>,
    pub(super) frame_bytes_max: usize,
    pub(super) is_at_end: bool,
}

/// How to look for what has come through a ring. To a socket it is all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Glance,
    /// For a moment, because an answer may come at any time.
    Spin,
    /// And if there is nothing, to have the task woken by what comes.
    Rest,
}

/// A process that the event loop watches.
struct Watched(Child);

impl AsRawFd for Watched {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

#[derive(Default)]
struct Out {
    bytes: Vec<u8>,
    written: usize,
    /// To go with the next byte.
    descriptors: Passed,
}

impl Link {
    /// Starts a process and connects to it.
    pub(super) async fn open(
        system: &System,
        options: &ProcessOptions,
        identity: &str,
        name: &str,
        luggage: &[OwnedFd],
    ) -> Result<Self, Failure> {
        let (normal, normal_there) = UnixStream::pair()?;
        let (urgent, urgent_there) = UnixStream::pair()?;
        let page = Arc::new(Page::create()?);
        let frame_bytes_max = options.frame_bytes_max;
        let ring = match options.transport {
            Transport::Socket => None,
            Transport::Ring { bytes } => {
                let bytes = bytes.clamp(RING_BYTES_MIN, RING_BYTES_MAX).next_power_of_two();
                Some(Ring::new(RingEnd::create(bytes)?, spins_max()))
            }
        };
        let introduction = Introduction {
            identity: identity.to_owned(),
            frame_bytes_max: frame_bytes_max as u64,
            has_ring: ring.is_some(),
            spins_max: spins_max(),
        };
        let mut fds = vec![normal_there.as_fd(), urgent_there.as_fd(), page.as_fd()];
        fds.extend(ring.iter().map(|ring| ring.end().as_fd()));
        fds.extend(luggage.iter().map(AsFd::as_fd));
        let child = start(system, options, name, &introduction.to_bytes(), &fds).await?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe; a child owns its pidfd as long as it lives"
        )]
        let child = AsyncFd::with_interest(Watched(child), Interest::READABLE)?;
        Ok(Self {
            sockets: [Socket::new(normal)?, Socket::new(urgent)?],
            ring,
            incoming: Incoming::default(),
            out: Default::default(),
            page,
            child,
            frame_bytes_max,
            is_at_end: false,
        })
    }

    pub(super) fn has_ring(&self) -> bool {
        self.ring.is_some()
    }

    /// The process.
    pub(super) fn child(&self) -> &Child {
        &self.child.get_ref().0
    }

    /// Whether a lane takes more without growing over its limit.
    pub(super) fn takes_more(&self, lane: usize) -> bool {
        self.out[lane].bytes.len() - self.out[lane].written < WAITING_BYTES_MAX
    }

    /// Puts a frame into a lane; [`Self::write`] sends it with all others.
    pub(super) fn put<H: Serialize>(
        &mut self,
        lane: usize,
        head: &H,
        body: &[u8],
    ) -> Result<(), WireError> {
        append(&mut self.out[lane].bytes, head, body, self.frame_bytes_max)
    }

    /// Passes what belongs to the next message of a lane. Always over the urgent socket: only there does the process
    /// read in the slower way that takes descriptors in.
    pub(super) fn pass(&mut self, lane: usize, descriptors: &Passed) -> Result<(), WireError> {
        if descriptors.is_empty() {
            return Ok(());
        }
        self.out[1].descriptors.extend_from_slice(descriptors);
        let head = ToChild::Passed { lane: lane as u8, descriptors: descriptors.len() as u8 };
        self.put(1, &head, &[])
    }

    /// Sends what waits, as far as there is room. A broken socket shows where it is read.
    pub(super) fn poll_write(&mut self, task: &mut Task<'_>) -> Result<(), WireError> {
        for lane in [1, 0] {
            let (socket, out) = (&mut self.sockets[lane], &mut self.out[lane]);
            if out.bytes.is_empty() {
                continue;
            }
            out.written += match &mut self.ring {
                Some(ring) if lane == 0 => {
                    let sent = ring.send(&out.bytes[out.written..])?;
                    if ring.must_ring() {
                        socket.ring();
                    }
                    sent
                }
                _ => {
                    let sent =
                        socket.poll_write(task, &out.bytes[out.written..], &mut out.descriptors).0;
                    if lane == 0 {
                        self.page.announce_bytes(sent);
                    }
                    sent
                }
            };
            if out.written == out.bytes.len() {
                out.bytes.clear();
                out.written = 0;
            }
        }
        Ok(())
    }

    /// Reads what has come; ready if there may be frames now. From sockets the task is woken by what comes later; with a
    /// ring only once it [rests](Look::Rest).
    pub(super) fn poll_read(
        &mut self,
        task: &mut Task<'_>,
        look: Look,
    ) -> Poll<Result<(), WireError>> {
        let Some(ring) = &mut self.ring else {
            let heard = ready!(self.sockets[0].poll_read(task, &mut self.incoming));
            self.is_at_end = !matches!(heard, Ok(Heard::Bytes(_)));
            return if self.is_at_end { Poll::Pending } else { Poll::Ready(Ok(())) };
        };
        let mut heard_bells = false;
        loop {
            if ring.receive(self.incoming.buffer())? {
                return Poll::Ready(Ok(()));
            }
            if self.is_at_end || look == Look::Glance {
                return Poll::Pending;
            }
            if ring.must_ring_for_room() {
                self.sockets[0].ring();
            }
            match look {
                Look::Spin if ring.spin() => continue,
                Look::Spin | Look::Glance => return Poll::Pending,
                Look::Rest if !ring.may_wait() => continue,
                Look::Rest => {}
            }
            if heard_bells {
                task.waker().wake_by_ref(); // bells alone must not keep the loop from the others
                return Poll::Pending;
            }
            let heard = ready!(self.sockets[0].poll_read(task, &mut Incoming::default()));
            self.is_at_end = !matches!(heard, Ok(Heard::Bytes(_)));
            heard_bells = true;
        }
    }

    /// How the process has ended, once it has.
    pub(super) fn poll_exit(&mut self, task: &mut Task<'_>) -> Poll<io::Result<Exit>> {
        loop {
            let mut ready = match self.child.poll_read_ready_mut(task) {
                Poll::Ready(Ok(ready)) => ready,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            };
            match ready.get_inner_mut().0.try_wait() {
                Ok(Some(exit)) => return Poll::Ready(Ok(exit)),
                Ok(None) => ready.clear_ready(),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

/// Has a process made, in the way that the options ask for.
async fn start(
    system: &System,
    options: &ProcessOptions,
    name: &str,
    introduction: &[u8],
    fds: &[BorrowedFd<'_>],
) -> Result<Child, Failure> {
    let program = || {
        let launch = match &options.program {
            Some(program) => Launch::new(program),
            None => Launch::this_program(),
        };
        // In a session of its own: what a terminal sends to this program (Ctrl-C) is this program's to deal with.
        let mut launch = launch.arg0(format!("palco: {name}")).inherit_env().new_session();
        if let Some(nice) = options.nice {
            launch = launch.nice(nice);
        }
        match &options.user {
            Some(user) => launch.user(user.clone()),
            None => launch,
        }
    };
    let spawner = system.processes().spawner()?;
    if options.start == Start::Exec {
        return Ok(bear(&spawner, program(), introduction, fds).await?);
    }
    if options.user.is_some() || options.nice.is_some() {
        return Err(Failure::new(
            "forks of a zygote have its user and niceness: a process with its own needs start `exec`",
        ));
    }
    let mould = (options.program.clone(), options.confinement.clone());
    let zygote = match system.processes().zygote(&mould) {
        Some(zygote) => zygote,
        None => new_zygote(system, mould.clone(), &spawner, program()).await?,
    };
    match zygote.fork(introduction, fds) {
        Ok(child) => Ok(child),
        Err(error) => {
            // It may have been killed; the next one is fresh.
            tracing::warn!(%error, "the zygote does not fork: another is started");
            let zygote = new_zygote(system, mould, &spawner, program()).await?;
            Ok(zygote.fork(introduction, fds)?)
        }
    }
}

async fn new_zygote(
    system: &System,
    mould: Mould,
    spawner: &Spawner,
    launch: Launch,
) -> Result<Arc<Zygote>, LaunchError> {
    let zygote = Zygote::start(spawner, launch.arg0("palco: zygote"), &mould.1).await?;
    Ok(system.processes().keep(mould, zygote))
}
