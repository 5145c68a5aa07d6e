//! One client's line, and what is done about a byte that has come on it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::Signal;
use palco_actors::AnyRef;
use palco_core::RequestState;
use palco_urgent::{Call, Urgent, acknowledgement, send_urgent, take_urgent};
use parking_lot::Mutex;
use socket2::Socket;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::vigil::vigil;
use super::wish::{Deed, Wish};
use crate::instance::Family;
use crate::journal::{Continued, Event};
use crate::service::{Counts, Service};

/// A client whose urgent data is listened to, and the program that serves it.
pub(crate) struct Line {
    pub(super) service: Arc<Service>,
    pub(super) peer: SocketAddr,
    pub(super) pid: i32,
    pub(super) family: Arc<Family>,
    /// It stands for the program.
    pub(super) actor: AnyRef,
    /// The duplicate of the connection; none once it is closed.
    pub(super) socket: Mutex<Option<Socket>>,
    /// The event loop of the actor, for what must not hold up the thread that listens.
    pub(super) event_loop: Handle,
    pub(super) wish: Mutex<Wish>,
    /// A byte that means nothing has been told of.
    has_puzzled: AtomicBool,
    vigil: Mutex<Option<AbortHandle>>,
}

impl Line {
    pub(super) fn new(
        service: Arc<Service>,
        (socket, peer): (Socket, SocketAddr),
        (pid, family): (i32, Arc<Family>),
        actor: AnyRef,
    ) -> Arc<Self> {
        Arc::new(Self {
            service,
            peer,
            pid,
            family,
            actor,
            socket: Mutex::new(Some(socket)),
            event_loop: Handle::current(),
            wish: Mutex::default(),
            has_puzzled: AtomicBool::new(false),
            vigil: Mutex::default(),
        })
    }

    /// Urgent data has come. On the thread that listens: it never blocks.
    pub(super) fn hear(&self) {
        let taken = self.socket.lock().as_ref().map(take_urgent);
        match taken {
            Some(Ok(Urgent::Byte(byte))) => match Call::of(byte) {
                Some(call) => self.obey(call),
                None => self.puzzle(byte),
            },
            // Taken by the program, which uses it itself, or left in its stream as it wants (SO_OOBINLINE).
            Some(Ok(Urgent::Announced | Urgent::None)) | None => {}
            Some(Err(error)) => tracing::debug!(peer = %self.peer, %error, "urgent data"),
        }
    }

    fn obey(&self, call: Call) {
        let state = match call {
            Call::Hold => {
                self.rest();
                RequestState::Held
            }
            Call::Resume => {
                self.go_on(Continued::ByClient);
                RequestState::Running
            }
            Call::Cancel => {
                self.end();
                RequestState::Finished
            }
        };
        // Who has sent such a byte knows of the answer; who does not ask for it never sees it in the stream.
        if let Some(socket) = &*self.socket.lock()
            && let Err(error) = send_urgent(socket, acknowledgement(state, self.is(state)))
        {
            tracing::debug!(peer = %self.peer, %error, "an answer to urgent data");
        }
    }

    /// Whether the program is in this state, as far as signals that have been sent bring it about.
    fn is(&self, state: RequestState) -> bool {
        let rests = self.wish.lock().is_rest();
        match state {
            RequestState::Held => rests,
            RequestState::Running => !rests,
            // It may take its time.
            RequestState::Finished | RequestState::NotFound | RequestState::Queued => false,
        }
    }

    fn rest(&self) {
        // Held throughout: what others do in between comes before all of it, or after.
        let mut wish = self.wish.lock();
        if wish.rest() == Deed::Do {
            self.family.signal(Signal::SIGSTOP);
            self.actor.signal(palco_actors::Signal::Suspend);
            Counts::add(&self.service.counts.suspended);
            self.note(Event::Suspend { pid: self.pid, from: self.from() });
        }
    }

    /// The program goes on, if it rests because of its client; `by` whom it is continued.
    pub(super) fn go_on(&self, by: Continued) {
        let mut wish = self.wish.lock();
        if wish.go_on() == Deed::Do {
            self.family.signal(Signal::SIGCONT);
            self.actor.signal(palco_actors::Signal::Resume);
            Counts::add(&self.service.counts.continued);
            self.note(Event::Continue { pid: self.pid, by, from: self.from() });
        }
    }

    fn end(&self) {
        let mut wish = self.wish.lock();
        if wish.end() == Deed::Do {
            // Before it goes on, so that it does not go on as if nothing were.
            self.family.ask_to_end();
            Counts::add(&self.service.counts.killed);
            self.note(Event::Kill { pid: self.pid, from: self.from() });
            self.actor.signal(palco_actors::Signal::Resume);
            self.actor.signal(palco_actors::Signal::Stop);
        }
    }

    fn puzzle(&self, byte: u8) {
        if !self.has_puzzled.swap(true, Ordering::Relaxed) {
            self.note(Event::Puzzle { pid: self.pid, byte, from: self.from() });
        }
    }

    fn from(&self) -> String {
        self.peer.to_string()
    }

    /// Writes it down on the event loop: a disk must not hold up the thread that listens.
    fn note(&self, event: Event) {
        let service = Arc::clone(&self.service);
        self.event_loop.spawn(async move { service.house.journal.note(&service.id, event) });
    }

    /// The actor has come to rest, or goes on. On its event loop.
    pub(crate) fn note_rest(self: &Arc<Self>, rests: bool) {
        self.wish.lock().note(rests);
        let beside = rests.then(|| self.event_loop.spawn(vigil(Arc::clone(self))).abort_handle());
        if let Some(before) = std::mem::replace(&mut *self.vigil.lock(), beside) {
            before.abort();
        }
    }

    /// Nobody listens any more.
    pub(super) fn take_socket(&self) -> Option<Socket> {
        if let Some(vigil) = self.vigil.lock().take() {
            vigil.abort();
        }
        self.socket.lock().take()
    }
}
