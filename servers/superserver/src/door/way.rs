//! The sockets of one door.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use event_listener::{Event, EventListener};
use parking_lot::Mutex;
use socket2::Socket;

use super::presence::Present;
use crate::spec::{Address, Endpoint, Plan};

/// The sockets of one door: one endpoint's, or those of all if one program gets them all.
#[derive(Debug)]
pub(crate) struct Doorway {
    endpoints: Vec<Endpoint>,
    /// One for each endpoint, until they are released.
    sockets: Mutex<Vec<Socket>>,
    pub(crate) present: Arc<Present>,
    /// It takes in nobody any more: the service is gone, or another superserver listens.
    closed: AtomicBool,
    is_released: AtomicBool,
    changed: Event,
    /// A process of a superserver before this one, which has these sockets until it ends.
    pub(crate) predecessor: Mutex<Option<i32>>,
}

impl Doorway {
    pub(crate) fn new(bound: Vec<(Endpoint, Socket)>) -> Self {
        let (endpoints, sockets) = bound.into_iter().unzip();
        Self {
            endpoints,
            sockets: Mutex::new(sockets),
            present: Arc::default(),
            closed: AtomicBool::new(false),
            is_released: AtomicBool::new(false),
            changed: Event::new(),
            predecessor: Mutex::new(None),
        }
    }

    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter()
    }

    /// As `tcp 0.0.0.0:21`, several joined by commas.
    pub(crate) fn addresses(&self) -> String {
        let addresses = self.endpoints.iter().map(|endpoint| endpoint.address.to_string());
        addresses.collect::<Vec<_>>().join(",")
    }

    /// The addresses with the ports that were really taken; none once they are released.
    pub(crate) fn bound(&self) -> Vec<Address> {
        let sockets = self.sockets.lock();
        let bound = self.endpoints.iter().zip(&*sockets).map(|(endpoint, socket)| {
            let local = socket.local_addr().ok().and_then(|local| local.as_socket());
            endpoint.address.with_port(local.map(|local| local.port()))
        });
        bound.collect()
    }

    /// Handles of the same sockets, each with its endpoint; none once they are released.
    pub(crate) fn copies(&self) -> io::Result<Vec<(Endpoint, Socket)>> {
        let sockets = self.sockets.lock();
        let copy =
            |(endpoint, socket): (&Endpoint, &Socket)| Ok((endpoint.clone(), socket.try_clone()?));
        self.endpoints.iter().zip(&*sockets).map(copy).collect()
    }

    pub(crate) fn each(&self, look: impl Fn(&Endpoint, &Socket)) {
        let sockets = self.sockets.lock();
        self.endpoints.iter().zip(&*sockets).for_each(|(endpoint, socket)| look(endpoint, socket));
    }

    /// No client is taken in from here on; those who are in stay.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.changed.notify(usize::MAX);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Resolves when it is closed or released; to be asked for before looking.
    pub(crate) fn changed(&self) -> EventListener {
        self.changed.listen()
    }

    /// Closes the sockets. By the one who uses them, when that is over.
    pub(crate) fn release(&self) {
        self.sockets.lock().clear();
        self.is_released.store(true, Ordering::Release);
        self.changed.notify(usize::MAX);
    }

    /// Waits until that has happened. Cancel-safe.
    pub(crate) async fn released(&self) {
        loop {
            let changed = self.changed();
            if self.is_released.load(Ordering::Acquire) {
                return;
            }
            changed.await;
        }
    }

    /// Removes its paths from the file system: nobody listens at them any more.
    pub(crate) fn remove_paths(&self) {
        self.remove_paths_but(&Plan::default());
    }

    /// As above, but for those where a plan wants to listen.
    pub(crate) fn remove_paths_but(&self, plan: &Plan) {
        let wanted = || plan.services.iter().flat_map(|spec| &spec.endpoints);
        for path in self.endpoints.iter().filter_map(|endpoint| endpoint.address.path()) {
            if !wanted().any(|endpoint| endpoint.address.path() == Some(path)) {
                // Somebody may have done so already.
                let _removed = fs::remove_file(path);
            }
        }
    }
}
