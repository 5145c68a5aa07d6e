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
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use palco_actors::{
    ActorRef, AnyRef, Context, ExitReason, Failure, Place, PlaceKind, Restart, Signal,
    SpawnOptions, Supervisor, System,
};
use palco_core::{Answer, RequestId, Verb};
use palco_service::{Codec, Relaunch, Service, SharedState};

use crate::acceptor::{Acceptor, Handover};
use crate::books::{Books, Ledger, Own};
use crate::crew::{CREW, Duties, Duty, Keeping, Roster, keep_crew};
use crate::door::Door;
use crate::drain::DrainReport;
use crate::model::{Plan, PlanError, ServedBy};
use crate::process::{Alone, Asking, KEEPER, Made, OVERSEER, keep};
use crate::requests::{Lines, RequestView, Requests, Serving};
use crate::scoreboard::Scores;
use crate::serve::Shared;
use crate::settings::{Listen, ServerSettings, acceptor_options};
use crate::start_error::StartError;
use crate::team;

/// A running server.
pub struct Server {
    system: System,
    settings: ServerSettings,
    address: SocketAddr,
    /// Not held: its sockets are closed when the last acceptor has ended, also without a drain.
    roster: Weak<Roster>,
    acceptor_within: Duration,
    /// A dispatcher passes connections to standing workers.
    passes: bool,
    /// Who serves goes on to serve others.
    pub(crate) is_standing: bool,
    supervisor: ActorRef<Supervisor>,
    ledger: Ledger,
    pub(crate) requests: Arc<Requests>,
    /// Whether it drains.
    pub(crate) is_ending: AtomicBool,
}

/// Who looks after the workers may take so long to stop: it waits for one worker at most.
const CREW_WITHIN: Duration = Duration::from_secs(2);

/// What starts the actors under the server's supervisor.
type Cast = dyn Fn(&Context<Supervisor>) -> Result<(), Failure> + Send + Sync;

impl Server {
    /// Binds, then starts the tree under the system's root. Clients are served from now on.
    ///
    /// For a service that exists already, so not for place `process`: a process can only have what it can make itself,
    /// see [`Server::launch`].
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub fn start<S: Service, C: Codec<S> + Sync>(
        system: &System,
        settings: ServerSettings,
        service: Arc<S>,
        codec: C,
    ) -> Result<Self, StartError> {
        let plan = settings.plan()?;
        if settings.place == PlaceKind::Process {
            return Err(StartError::NeedsLaunch);
        }
        let books = Own::new(settings.limits);
        let lines = Lines::create(settings.limits.at_once());
        let issue = settings.urgent.as_ref().map(|urgent| urgent.issue(&settings.name));
        let serving = Serving::new(lines.map_err(StartError::Memory)?, issue);
        let (deadlines, shedding) = (settings.deadlines, settings.limits.shedding);
        let shared = Arc::new(Shared { service, codec, deadlines });
        let at_the_door = Arc::clone(&books);
        let roster = Roster::of(system, &settings, &plan)?;
        let duties = Duties::of(&settings.crew).map_err(PlanError::from)?;
        let bounds = settings.bounds(&plan);
        let drain_within = settings.drain_within;
        let who = Arc::clone(&serving);
        let handover = match plan.served_by {
            ServedBy::Acceptor => Handover::Inline(who),
            ServedBy::OwnActor | ServedBy::Worker(_) => Handover::Fresh(who),
        };
        let within = settings.acceptor_within(plan.served_by);
        let loops = settings.ties_workers_to_loops().then(|| system.event_loops());
        let on_the_roster = Arc::clone(&roster);
        let hire = move |supervisor: &ActorRef<Supervisor>, number: usize| {
            let roster = Arc::clone(&on_the_roster);
            let Some(socket) = roster.socket(number) else { return Ok(()) };
            let books = Books::Own(Arc::clone(&at_the_door));
            let door = Door { shared: Arc::clone(&shared), socket, books, shedding };
            let (name, place) = plan.acceptor(number);
            let place = loops.map_or(place, |loops| Place::Loop(number % loops));
            let (handover, duties, mut lives) = (handover.clone(), duties.clone(), 0..);
            let make = move || {
                let life = lives.next().unwrap_or_default();
                let duty = Duty::from(duties.args(number, life));
                let duty = match bounds {
                    Some(_) => duty.telling(Arc::clone(&roster), number),
                    None => duty,
                };
                let (door, handover) = (door.clone(), handover.clone());
                Acceptor { door, handover, drain_within, duty }
            };
            supervisor.supervise(acceptor_options(&name, place, within), make)?;
            Ok(())
        };
        let (hire, of_the_crew) = (Arc::new(hire), Arc::clone(&roster));
        let keeping = Keeping { roster: of_the_crew, seats: None, bounds, hire };
        let cast = move |cx: &Context<Supervisor>| keep_crew(cx, &keeping);
        Self::open(system, settings, &roster, Ledger::Own(books), serving, Arc::new(cast))
    }

    /// As [`Server::start`], in any place, for a service that is made from its configuration. In place `process` every
    /// process makes its own, with a state of its own.
    ///
    /// Only a service that says how it is made again can be launched:
    ///
    /// ```compile_fail
    /// # use palco_actors::{PlaceKind, System};
    /// # use palco_models::{ModelKind, Server, ServerSettings};
    /// # use palco_service::{CallContext, Peer, Service};
    /// struct Unique;
    ///
    /// impl Service for Unique {
    ///     type Request = ();
    ///     type Response = ();
    ///     type Session = ();
    ///     fn open(&self, _: &Peer) {}
    ///     async fn call(&self, _: &mut (), _: (), _: &CallContext<'_>) {}
    /// }
    ///
    /// # let system = System::new().unwrap();
    /// let settings = ServerSettings::new("unique", ModelKind::Team, PlaceKind::Process);
    /// Server::launch::<Unique>(&system, settings, ());
    /// ```
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub fn launch<S: Relaunch>(
        system: &System,
        settings: ServerSettings,
        config: S::Config,
    ) -> Result<Self, StartError> {
        let (service, codec) = S::relaunch(&config)?;
        if settings.place != PlaceKind::Process {
            return Self::start(system, settings, Arc::new(service), codec);
        }
        let (read, write) = (S::read_paths(&config), S::write_paths(&config));
        let made = Made { config, read, write, service, codec };
        Self::in_processes::<Alone<S>>(system, settings, made, |_, _| Ok(None))
    }

    /// As [`Server::launch`], and in place `process` all processes share one state, which an actor of this process
    /// keeps: they ask it. Elsewhere all connections share it anyway.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub fn launch_shared<S: SharedState>(
        system: &System,
        settings: ServerSettings,
        config: S::Config,
    ) -> Result<Self, StartError> {
        let (service, codec) = S::relaunch(&config)?;
        if settings.place != PlaceKind::Process {
            return Self::start(system, settings, Arc::new(service), codec);
        }
        let (read, write) = (S::read_paths(&config), S::write_paths(&config));
        let made = Made { config, read, write, service, codec };
        Self::in_processes::<Asking<S>>(system, settings, made, |cx, service| {
            keep(cx, service).map(Some)
        })
    }

    /// Starts the supervisor, and under it what is in `cast`.
    pub(crate) fn open(
        system: &System,
        settings: ServerSettings,
        roster: &Arc<Roster>,
        ledger: Ledger,
        serving: Arc<Serving>,
        cast: Arc<Cast>,
    ) -> Result<Self, StartError> {
        let address = roster.address();
        let Plan { served_by, .. } = settings.plan()?;
        for advice in settings.advice() {
            tracing::warn!(server = settings.name, "{advice}");
        }
        let acceptor_within = settings.acceptor_within(served_by);
        let is_standing = served_by != ServedBy::OwnActor;
        let requests = Requests::new(system, &settings.name, settings.place, is_standing, serving);
        if let (Some(urgent), Some(issue)) = (&settings.urgent, requests.issue()) {
            urgent.enter(issue, &requests);
        }
        let policy = settings.supervision;
        let options = SpawnOptions::new()
            .name(settings.name.as_str())
            .place(Place::SystemLoop)
            .restart(Restart::OnFailure)
            .stop_within(settings.supervisor_within());
        let supervisor = system.spawn(options, move || {
            let cast = Arc::clone(&cast);
            Supervisor::with_children(policy, move |cx| cast(cx))
        })?;
        Ok(Self {
            system: system.clone(),
            settings,
            address,
            roster: Arc::downgrade(roster),
            acceptor_within,
            passes: matches!(served_by, ServedBy::Worker(_)),
            is_standing,
            supervisor,
            ledger,
            requests,
            is_ending: AtomicBool::new(false),
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

    /// Who accepts on which socket, unless all have ended.
    pub(crate) fn roster(&self) -> Option<Arc<Roster>> {
        self.roster.upgrade()
    }

    /// How many connections the kernel keeps waiting on each listening socket: [`Limits::backlog`](crate::Limits::backlog),
    /// cut to `net.core.somaxconn`. None when nobody listens any more.
    #[must_use]
    pub fn backlog(&self) -> Option<u32> {
        let socket = self.roster()?.any_socket()?;
        palco_sys::listen_queue(&*socket).ok().map(|queue| queue.most)
    }

    /// What it has done so far.
    #[must_use]
    pub fn scores(&self) -> Scores {
        self.ledger.scores()
    }

    /// The requests that are being served now, longest first; at most `max`.
    #[must_use]
    pub fn requests(&self, max: usize) -> Vec<RequestView> {
        self.requests.views(max)
    }

    /// Does something about a request that is being served, and says where it stands then. The server's name in
    /// `request` is not looked at. Cancel-safe: what was begun stays begun.
    pub async fn act(&self, request: &RequestId, verb: Verb) -> Answer {
        self.requests.act(request, verb).await
    }

    /// The supervisor at the top of its tree.
    #[must_use]
    pub fn supervisor(&self) -> AnyRef {
        self.supervisor.any()
    }

    /// Who accepts.
    #[must_use]
    pub fn acceptors(&self) -> Vec<AnyRef> {
        let is_passed = |name: &str| self.passes && team::is_worker(name);
        self.children(|name| ![KEEPER, OVERSEER, CREW].contains(&name) && !is_passed(name))
    }

    /// Who accepts, once all of them have been started.
    pub(crate) fn all_acceptors(&self) -> Option<Vec<AnyRef>> {
        let count = self.roster()?.len();
        Some(self.acceptors()).filter(|acceptors| acceptors.len() == count)
    }

    /// Who looks after the workers, if somebody does.
    pub(crate) fn crew(&self) -> Vec<AnyRef> {
        self.children(|name| name == CREW)
    }

    /// Who serves, one connection after the other: the workers of a team that come by them from a dispatcher, else those
    /// who accept.
    #[must_use]
    pub fn workers(&self) -> Vec<AnyRef> {
        if self.passes { self.children(team::is_worker) } else { self.acceptors() }
    }

    fn children(&self, meant: impl Fn(&str) -> bool) -> Vec<AnyRef> {
        let parent = self.supervisor.path();
        let is_meant = |child: &AnyRef| {
            let path = child.path();
            path.strip_prefix(&*parent).and_then(|rest| rest.strip_prefix('/')).is_some_and(&meant)
        };
        self.supervisor.any().children().into_iter().filter(is_meant).collect()
    }

    /// The one listening socket, for a successor: who comes is served by whoever accepts first. None where each worker has a
    /// socket of its own, and when nobody listens any more.
    #[must_use]
    pub fn socket(&self) -> Option<Arc<TcpListener>> {
        let roster = self.roster()?;
        roster.is_shared().then(|| roster.any_socket()).flatten()
    }

    /// Stops listening, or only accepting where it listens on a socket of others ([`Listen::On`]); lets running requests
    /// finish, kills what is left after `drain_within`.
    pub async fn drain(&self) -> DrainReport {
        let is_its_own = !matches!(self.settings.listen, Listen::On(_));
        self.end(is_its_own).await
    }

    /// As [`drain`](Self::drain), but its [socket](Self::socket) goes on listening, for those who have it too: who comes
    /// from now on is theirs, and nobody is refused.
    /// Who has been accepted by now is served.
    pub async fn leave(&self) -> DrainReport {
        self.ledger.mark_succeeded();
        self.end(false).await
    }

    async fn end(&self, ends_listening: bool) -> DrainReport {
        let before = self.scores();
        self.is_ending.store(true, Ordering::Release);
        // First, so that nobody is started any more.
        for crew in self.crew() {
            crew.signal(Signal::Stop);
            if self.system.within(CREW_WITHIN, crew.exited()).await.is_none() {
                crew.signal(Signal::Kill); // somebody has suspended it
            }
        }
        // All acceptors at once: a supervisor alone would stop them one after the other.
        let acceptors = self.acceptors();
        for acceptor in &acceptors {
            acceptor.signal(Signal::Stop);
        }
        // On Linux this ends the listening for all handles at once, also for who would accept next (systemd.socket(5)
        // forbids it): who comes now is refused instead of left waiting.
        if ends_listening && let Some(roster) = self.roster() {
            roster.close();
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
