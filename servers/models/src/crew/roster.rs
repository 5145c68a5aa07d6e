//! Which workers a server has, on which socket each accepts, and which of them serve.

use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use palco_actors::{PlaceKind, System};
use parking_lot::Mutex;
use socket2::SockRef;

use super::sockets::Source;
use super::{Affinity, CrewError};
use crate::listener::BindError;
use crate::model::{Plan, PlanError};
use crate::process::AcceptBy;
use crate::settings::{Listen, ServerSettings};
use crate::start_error::StartError;

/// The workers of one server, or whoever else accepts: by number, each with its socket.
#[derive(Debug)]
pub(crate) struct Roster {
    source: Source,
    address: SocketAddr,
    places: Mutex<BTreeMap<usize, Arc<TcpListener>>>,
    /// Whether a worker of this process serves; only kept where somebody wants to know.
    busy: Box<[AtomicBool]>,
}

impl Roster {
    /// For `count` who accept now, and never more than `most`.
    fn open(settings: &ServerSettings, count: usize, most: usize) -> Result<Arc<Self>, StartError> {
        let (source, sockets) = match (settings.accept_by(), &settings.listen) {
            (AcceptBy::OwnSockets, Listen::At(address)) => {
                Source::group(*address, settings.limits.backlog, count)?
            }
            (AcceptBy::Workers | AcceptBy::Dispatcher, _)
            | (AcceptBy::OwnSockets, Listen::On(_) | Listen::Taken(_)) => {
                let source = Source::shared(settings)?;
                let sockets = (0..count).map(|_| source.socket()).collect::<Result<_, _>>()?;
                (source, sockets)
            }
        };
        let places: BTreeMap<_, _> = sockets.into_iter().enumerate().collect();
        let first = places.first_key_value().map(|(_, socket)| socket.local_addr());
        let nobody = || Err(io::Error::other("nobody accepts"));
        let address = first.unwrap_or_else(nobody).map_err(StartError::Address)?;
        let busy = (0..most.max(count)).map(|_| AtomicBool::new(false)).collect();
        Ok(Arc::new(Self { source, address, places: Mutex::new(places), busy }))
    }

    /// For who accepts by this plan.
    pub(crate) fn of(
        system: &System,
        settings: &ServerSettings,
        plan: &Plan,
    ) -> Result<Arc<Self>, StartError> {
        let (workers, loops) = (plan.acceptors.len(), system.event_loops());
        if settings.place == PlaceKind::Task
            && settings.crew.affinity != Affinity::Off
            && workers > loops
        {
            return Err(PlanError::from(CrewError::Loops { workers, loops }).into());
        }
        let most = settings.bounds(plan).map_or(workers, |bounds| bounds.workers_max);
        Self::open(settings, workers, most)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many workers there may be.
    pub(crate) fn most(&self) -> usize {
        self.busy.len()
    }

    /// The numbers of those that there are.
    pub(crate) fn numbers(&self) -> Vec<usize> {
        self.places.lock().keys().copied().collect()
    }

    /// Whether all accept from one socket.
    pub(crate) fn is_shared(&self) -> bool {
        self.source.is_shared()
    }

    pub(crate) fn len(&self) -> usize {
        self.places.lock().len()
    }

    /// Where this one accepts.
    pub(crate) fn socket(&self, number: usize) -> Option<Arc<TcpListener>> {
        self.places.lock().get(&number).cloned()
    }

    /// One socket of the server.
    pub(crate) fn any_socket(&self) -> Option<Arc<TcpListener>> {
        self.places.lock().values().next().cloned()
    }

    /// Gives this number a place.
    pub(super) fn enter(&self, number: usize) -> Result<(), BindError> {
        let socket = self.source.socket()?;
        self.places.lock().insert(number, socket);
        Ok(())
    }

    /// Takes its place from this number. A socket of its own leaves the group at once, for all who have it.
    pub(super) fn leave(&self, number: usize) {
        let socket = self.places.lock().remove(&number);
        if let Some(socket) = socket
            && !self.source.is_shared()
        {
            let _ = SockRef::from(&*socket).shutdown(Shutdown::Read);
        }
    }

    /// Ends the listening, for all who have the sockets: who comes now is refused instead of left waiting.
    pub(crate) fn close(&self) {
        for socket in self.places.lock().values() {
            let _ = SockRef::from(&**socket).shutdown(Shutdown::Read);
            if self.source.is_shared() {
                return;
            }
        }
    }

    /// How many the kernel keeps until somebody accepts them.
    pub(crate) fn waiting(&self) -> u32 {
        let places = self.places.lock();
        let most = if self.source.is_shared() { 1 } else { usize::MAX };
        let queue = |socket: &Arc<TcpListener>| palco_sys::listen_queue(&**socket).ok();
        places.values().take(most).filter_map(queue).map(|queue| queue.waiting).sum()
    }

    /// Whether somebody waits to be accepted.
    pub(crate) fn is_anybody_waiting(&self) -> bool {
        let places = self.places.lock();
        let mut all = places.values();
        if self.source.is_shared() { all.next().is_some_and(has_queue) } else { all.any(has_queue) }
    }

    /// Whether somebody waits who can be accepted by this one only.
    pub(super) fn is_waited_for(&self, number: usize) -> bool {
        !self.source.is_shared() && self.socket(number).as_ref().is_some_and(has_queue)
    }

    /// Whether this one serves, if it says so.
    pub(super) fn is_busy(&self, number: usize) -> bool {
        self.busy.get(number).is_some_and(|busy| busy.load(Ordering::Acquire))
    }

    /// This one serves, or has served.
    pub(super) fn set_busy(&self, number: usize, is_busy: bool) {
        if let Some(busy) = self.busy.get(number) {
            busy.store(is_busy, Ordering::Release);
        }
    }
}

fn has_queue(socket: &Arc<TcpListener>) -> bool {
    let mut look = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    !matches!(poll(&mut look, PollTimeout::ZERO), Ok(0))
}
