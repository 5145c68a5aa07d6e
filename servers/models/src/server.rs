//! A server: a supervised tree of actors around one listening socket.
//!
//! ```text
//! echo                 supervisor, one for one
//! ├── echo/dispatcher  accepts                          (or acceptor, or worker-0, worker-1 …)
//! │   ├── #17          one connection, never restarted
//! │   └── #18
//! ```
//!
//! The socket belongs to the server, not to an acceptor: a restarted acceptor finds it as it was, and who was waiting
//! in the backlog is served.

use std::fmt;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::sync::{Arc, Weak};
use std::time::Duration;

use palco_actors::{
    ActorRef, AnyRef, ExitReason, Place, PlaceKind, Restart, Signal, SpawnError, SpawnOptions,
    Supervision, Supervisor, System,
};
use palco_service::{Codec, Service};
use socket2::SockRef;

use crate::acceptor::{Acceptor, Handover};
use crate::admission::{Admission, Limits};
use crate::drain::DrainReport;
use crate::listener::{BindError, bind};
use crate::model::{ModelKind, PlanError};
use crate::scoreboard::{Scoreboard, Scores};
use crate::serve::Shared;

/// An acceptor may take this much longer to stop than connections that are actors of their own.
const ACCEPTOR_GRACE: Duration = Duration::from_secs(2);

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The server's name: its place in the tree.
    pub name: String,
    /// Who accepts and who serves.
    pub model: ModelKind,
    /// Where.
    pub place: PlaceKind,
    /// How many workers a team has; the model's default if not given.
    pub workers: Option<usize>,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How many connections.
    pub limits: Limits,
    /// How long a connection may take to end when the server stops, before it is killed.
    pub drain_within: Duration,
    /// What happens when an acceptor fails.
    pub supervision: Supervision,
}

impl ServerSettings {
    /// On a free port of 127.0.0.1, with default limits and supervision and five seconds to drain.
    #[must_use]
    pub fn new(name: impl Into<String>, model: ModelKind, place: PlaceKind) -> Self {
        Self {
            name: name.into(),
            model,
            place,
            workers: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            limits: Limits::default(),
            drain_within: Duration::from_secs(5),
            supervision: Supervision::default(),
        }
    }
}

/// Why a server could not be started.
#[derive(thiserror::Error, Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The settings do not fit the model.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The listening socket does not tell its address.
    #[error("the listening socket does not tell its address")]
    Address(#[source] io::Error),
    /// Its actors cannot be started.
    #[error("cannot start an actor of the server")]
    Spawn(#[from] SpawnError),
}

/// A running server.
pub struct Server {
    system: System,
    settings: ServerSettings,
    address: SocketAddr,
    /// Not held: it is closed when the last acceptor has ended, also without a drain.
    socket: Weak<TcpListener>,
    acceptor_within: Duration,
    supervisor: ActorRef<Supervisor>,
    admission: Arc<Admission>,
    scoreboard: Arc<Scoreboard>,
}

impl Server {
    /// Binds, then starts the tree under the system's root. Clients are served from now on.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub fn start<S: Service, C: Codec<S> + Sync>(
        system: &System,
        settings: ServerSettings,
        service: Arc<S>,
        codec: C,
    ) -> Result<Self, StartError> {
        let plan = settings.model.plan(settings.place, settings.workers)?;
        let socket = Arc::new(bind(settings.listen, settings.limits.backlog)?);
        let address = socket.local_addr().map_err(StartError::Address)?;
        let admission = Arc::new(Admission::new(settings.limits));
        let scoreboard = Arc::new(Scoreboard::default());
        let shared = Arc::new(Shared {
            service,
            codec,
            admission: Arc::clone(&admission),
            scoreboard: Arc::clone(&scoreboard),
        });
        let (policy, drain_within) = (settings.supervision, settings.drain_within);
        let options = |name: &str| SpawnOptions::new().name(name).restart(Restart::Always);
        let acceptor_within = match plan.handover {
            Handover::Inline => drain_within,
            Handover::Fresh => drain_within + ACCEPTOR_GRACE,
        };
        let listening = Arc::downgrade(&socket);
        let init = move || {
            let (plan, shared, socket) = (plan.clone(), Arc::clone(&shared), Arc::clone(&socket));
            Supervisor::with_children(policy, move |cx| {
                for (name, place) in &plan.acceptors {
                    let (shared, socket) = (Arc::clone(&shared), Arc::clone(&socket));
                    let handover = plan.handover;
                    let options = options(name).place(*place).stop_within(acceptor_within);
                    cx.supervise(options, move || Acceptor {
                        shared: Arc::clone(&shared),
                        socket: Arc::clone(&socket),
                        handover,
                        drain_within,
                    })?;
                }
                Ok(())
            })
        };
        // A supervisor waits for its acceptors one after the other.
        let acceptors = u32::try_from(settings.workers.unwrap_or(8)).unwrap_or(u32::MAX);
        let limit = (drain_within + 2 * ACCEPTOR_GRACE).saturating_mul(acceptors.max(8));
        let supervisor = system.spawn(
            SpawnOptions::new()
                .name(settings.name.as_str())
                .place(Place::SystemLoop)
                .restart(Restart::OnFailure)
                .stop_within(limit),
            init,
        )?;
        Ok(Self {
            system: system.clone(),
            settings,
            address,
            socket: listening,
            acceptor_within,
            supervisor,
            admission,
            scoreboard,
        })
    }

    /// How it serves.
    #[must_use]
    pub fn settings(&self) -> &ServerSettings {
        &self.settings
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has done so far.
    #[must_use]
    pub fn scores(&self) -> Scores {
        self.scoreboard.scores(self.admission.active())
    }

    /// The supervisor at the top of its tree.
    #[must_use]
    pub fn supervisor(&self) -> AnyRef {
        self.supervisor.any()
    }

    /// Stops listening, lets running requests finish, kills what is left after `drain_within`.
    pub async fn drain(&self) -> DrainReport {
        let before = self.scores();
        // All acceptors at once: a supervisor alone would stop them one after the other.
        let acceptors = self.supervisor.any().children();
        for acceptor in &acceptors {
            acceptor.signal(Signal::Stop);
        }
        // On Linux this ends the listening for all handles at once: who comes now is refused instead of left waiting.
        if let Some(socket) = self.socket.upgrade() {
            let _ = SockRef::from(&*socket).shutdown(Shutdown::Read);
        }
        let all_ended = async {
            for acceptor in &acceptors {
                acceptor.exited().await;
            }
        };
        if self.system.within(self.acceptor_within, all_ended).await.is_none() {
            for acceptor in &acceptors {
                acceptor.signal(Signal::Kill);
            }
        }
        self.supervisor.stop();
        self.supervisor.exited().await;
        DrainReport::between(&before, &self.scores())
    }

    /// Completes when the server has ended: drained, or given up by its supervisor.
    pub async fn ended(&self) -> ExitReason {
        self.supervisor.exited().await
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("settings", &self.settings)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
