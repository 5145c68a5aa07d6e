//! The urgent port for the requests of all servers of a stage.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Weak};

use palco_core::{Answer, Key, RequestId, RequestState, Verb};
use palco_urgent::{
    Bound, Desk, Secret, Soon, StartError, ThreadCounts, ThreadSettings, UrgentThread, Watch,
};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

use super::issue::{self, Issue};
use super::{RequestView, Requests};

/// How to open an urgent port.
#[derive(Clone, Debug)]
pub struct UrgentSettings {
    /// Where; port 0 takes a free one. Loopback unless told otherwise: the keys travel as they are.
    pub listen: SocketAddr,
    /// Its thread.
    pub thread: ThreadSettings,
}

impl Default for UrgentSettings {
    /// A free port of 127.0.0.1, real-time priority.
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { listen, thread: ThreadSettings::default() }
    }
}

/// The urgent port: where the requests of servers that are started with it can be interrupted, held, resumed and
/// prioritised while they are being served, and by whom TCP urgent data on their connections is heard.
///
/// Closed when dropped.
pub struct Urgent {
    directory: Arc<Directory>,
    address: SocketAddr,
    watch: Arc<Watch>,
    secret: Secret,
    /// For a successor.
    listener: TcpListener,
    /// None once it is closed.
    thread: Mutex<Option<UrgentThread>>,
}

/// How an urgent port is doing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UrgentStatus {
    /// Where it listens.
    pub address: SocketAddr,
    /// What its thread has obtained of the priority it wants, in words.
    pub obtained: String,
    /// What it has done.
    pub counts: ThreadCounts,
}

/// The servers.
#[derive(Debug)]
struct Directory {
    secret: Secret,
    servers: RwLock<Servers>,
}

#[derive(Debug, Default)]
struct Servers {
    by_name: HashMap<Box<str>, Weak<Requests>>,
    by_number: Vec<Weak<Requests>>,
}

impl Urgent {
    /// Opens the port and starts its thread.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub fn open(settings: UrgentSettings) -> Result<Arc<Self>, StartError> {
        Self::serve(Bound::bind(settings.listen)?, settings.thread)
    }

    /// Opens it on a socket that listens already: one that a predecessor has handed over.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub fn open_on(listener: TcpListener, thread: ThreadSettings) -> Result<Arc<Self>, StartError> {
        Self::serve(Bound::of(listener).map_err(StartError::Thread)?, thread)
    }

    fn serve(bound: Bound, thread: ThreadSettings) -> Result<Arc<Self>, StartError> {
        let secret =
            Secret::random().map_err(|error| StartError::Thread(io::Error::from(error)))?;
        let watch = Arc::new(Watch::new().map_err(StartError::Thread)?);
        let address = bound.address();
        let listener = bound.socket().map_err(StartError::Thread)?;
        let directory = Arc::new(Directory { secret: secret.clone(), servers: RwLock::default() });
        let desk = Arc::clone(&directory) as Arc<dyn Desk>;
        let thread = UrgentThread::start(thread, desk, Arc::clone(&watch), Some(bound))?;
        let thread = Mutex::new(Some(thread));
        Ok(Arc::new(Self { directory, address, watch, secret, listener, thread }))
    }

    /// Its socket, for a successor.
    ///
    /// # Errors
    /// The kernel's, when there are too many open files.
    pub fn socket(&self) -> io::Result<TcpListener> {
        self.listener.try_clone()
    }

    /// Hears nobody any more, neither at the port nor by urgent data. Its [socket](Self::socket) goes on listening where
    /// somebody else has it.
    pub fn close(&self) {
        drop(self.thread.lock().take());
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> UrgentStatus {
        let thread = self.thread.lock();
        let obtained = thread.as_ref().map(|thread| thread.obtained().to_string());
        UrgentStatus {
            address: self.address,
            obtained: obtained.unwrap_or_else(|| "closed".to_owned()),
            counts: thread.as_ref().map(UrgentThread::counts).unwrap_or_default(),
        }
    }

    /// What a server needs to issue tickets; its number is the next.
    pub(crate) fn issue(&self, server: &str) -> Arc<Issue> {
        let mut servers = self.directory.servers.write();
        servers.by_number.push(Weak::new());
        let number = servers.by_number.len() - 1;
        Arc::new(Issue {
            server: server.into(),
            number: u16::try_from(number).unwrap_or(u16::MAX),
            secret: self.secret.derive(server),
            address: self.address,
            watch: Arc::clone(&self.watch),
        })
    }

    /// From now on the server's requests are known.
    pub(crate) fn enter(&self, issue: &Issue, requests: &Arc<Requests>) {
        let mut servers = self.directory.servers.write();
        servers.by_name.insert(issue.server.clone(), Arc::downgrade(requests));
        if let Some(place) = servers.by_number.get_mut(usize::from(issue.number)) {
            *place = Arc::downgrade(requests);
        }
    }

    /// The requests of all servers that are being served, longest first; at most `max` of each server.
    #[must_use]
    pub fn requests(&self, max: usize) -> Vec<RequestView> {
        let servers: Vec<_> =
            self.directory.servers.read().by_name.values().filter_map(Weak::upgrade).collect();
        let mut views: Vec<_> = servers.iter().flat_map(|requests| requests.views(max)).collect();
        views.sort_by_key(|view| std::cmp::Reverse(view.age_ms));
        views
    }

    /// Does it without a key: for who runs the servers. Cancel-safe: what was begun stays begun.
    pub async fn act(&self, request: RequestId, verb: Verb) -> Answer {
        self.directory.act(request, verb).await
    }
}

impl Directory {
    fn by_name(&self, server: &str) -> Option<Arc<Requests>> {
        self.servers.read().by_name.get(server)?.upgrade()
    }

    fn by_number(&self, number: u16) -> Option<Arc<Requests>> {
        self.servers.read().by_number.get(usize::from(number))?.upgrade()
    }
}

impl Desk for Directory {
    fn admits(&self, request: &RequestId, key: &Key) -> bool {
        self.secret.derive(&request.server).admits(request.connection, key)
    }

    fn act(&self, request: RequestId, verb: Verb) -> Soon<Answer> {
        let requests = self.by_name(&request.server);
        Box::pin(async move {
            match requests {
                Some(requests) => requests.act(&request, verb).await,
                None => Answer::reached(RequestState::NotFound),
            }
        })
    }

    fn heard(&self, token: u64) -> Soon<()> {
        let (number, index, part) = issue::parts(token);
        let requests = self.by_number(number);
        Box::pin(async move {
            if let Some(requests) = requests {
                requests.hear(index, part).await;
            }
        })
    }
}

impl fmt::Debug for Urgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Urgent").field("address", &self.address).finish_non_exhaustive()
    }
}
