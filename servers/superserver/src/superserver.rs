//! A running superserver: its services as supervised trees of actors.
//!
//! ```text
//! inetd
//! ├─ ftp                        one supervisor per service
//! │  ├─ tcp:0.0.0.0:21          one door per socket (or one for all, if one program gets them all)
//! │  │  ├─ 192.0.2.7:40312      one instance per client, standing for its process
//! ```

mod changes;
mod heritage;
mod running;

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use palco_actors::{
    ActorRef, AnyRef, Place, SpawnError, SpawnOptions, Supervision, Supervisor, System,
};
use palco_processes::Spawner;
use palco_threads::block_on;
use palco_urgent::UrgentThread;
use parking_lot::{Mutex, RwLock};

pub use changes::{Changes, Refused};
pub use heritage::{Heir, Heritage};
use running::Running;

use crate::access::Names;
use crate::door::Doorway;
use crate::enclosure;
use crate::files;
use crate::journal::{Journal, Sink};
use crate::service::{Definition, House};
use crate::spec::{Plan, Remark, Run, ServiceSpec, Severity};
use crate::status::Status;
use crate::urgent::Exchange;

/// A superserver in a system of actors. Its services go on until the system is shut down.
pub struct Superserver {
    root: ActorRef<Supervisor>,
    house: Arc<House>,
    state: Mutex<State>,
    begun: Instant,
    /// Listens for urgent data, once a service wants it.
    thread: OnceLock<UrgentThread>,
}

struct State {
    plan: Plan,
    /// In the order of the plan.
    running: Vec<Running>,
    /// No longer in the plan, but with instances.
    departing: Vec<Running>,
    reloads: u64,
    /// Doors that were closed for a successor.
    withdrawn: Vec<Arc<Doorway>>,
}

/// Why there is no superserver.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its supervisor could not be started.
    #[error(transparent)]
    Actors(#[from] SpawnError),
    /// The thread that starts programs could not be started.
    #[error("spawner thread: {0}")]
    Spawner(#[source] std::io::Error),
}

impl Superserver {
    /// Binds everything in `plan`, or takes it from `heritage`; nobody is served before [`Superserver::open`]. `name` is the
    /// path of its actors, `sink` is told what happens.
    ///
    /// The process may have as many descriptors as its hard limit allows from then on; its programs what it had before.
    ///
    /// A service that cannot be had is off, and a remark says why ([`Superserver::remarks`]); all others are on.
    ///
    /// # Errors
    /// [`StartError`]; nothing has been bound then.
    pub fn prepare(
        system: &System,
        name: &str,
        plan: Plan,
        mut heritage: Heritage,
        sink: Sink,
    ) -> Result<Self, StartError> {
        let policy = Supervision::default();
        let options = SpawnOptions::new().name(name).place(Place::SystemLoop);
        let root = system.spawn(options, move || Supervisor::new(policy))?;
        let house = Arc::new(House {
            journal: Journal::new(sink),
            names: Names::new(),
            spawner: Spawner::new().map_err(StartError::Spawner)?,
            leaving: AtomicBool::new(false),
            exchange: OnceLock::new(),
            services: RwLock::default(),
        });
        let superserver = Self {
            root,
            house,
            begun: Instant::now(),
            thread: OnceLock::new(),
            state: Mutex::new(State {
                plan: Plan::default(),
                running: Vec::new(),
                departing: Vec::new(),
                reloads: 0,
                withdrawn: Vec::new(),
            }),
        };
        superserver.state.lock().first(&superserver, plan, &mut heritage)?;
        Ok(superserver)
    }

    /// From now on clients are served.
    ///
    /// # Errors
    /// [`SpawnError`] when a door could not be started.
    pub fn open(&self) -> Result<(), SpawnError> {
        let mut state = self.state.lock();
        state.running.iter_mut().try_for_each(Running::open)
    }

    /// From now on as `plan` says. Instances and clients that are being served are not touched, sockets that are wanted as
    /// before neither. What is no longer wanted is closed, and ends when its last instance has.
    ///
    /// # Errors
    /// [`Refused`] when the plan has an error that the present one does not have, or an address cannot be had: nothing
    /// has changed then.
    pub fn reload(&self, plan: Plan) -> Result<Changes, Refused> {
        self.state.lock().change(self, plan)
    }

    /// Errors, warnings and notes about the present plan, and about what could not be had of it.
    #[must_use]
    pub fn remarks(&self) -> Vec<Remark> {
        self.state.lock().plan.remarks.clone()
    }

    /// What it looks like now.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut state = self.state.lock();
        state.forget_departed();
        let services = state.running.iter().chain(&state.departing).map(Running::status).collect();
        Status {
            pid: process::id(),
            uptime_s: self.begun.elapsed().as_secs(),
            files: state.plan.files.clone(),
            reloads: state.reloads,
            urgent: self.thread.get().map(|thread| thread.obtained().to_string()),
            services,
            remarks: state
                .plan
                .remarks
                .iter()
                .filter(|remark| remark.severity > Severity::Note)
                .map(ToString::to_string)
                .collect(),
            log: self.house.journal.latest(),
        }
    }

    /// The services that are on, in the order of the plan: id and addresses as they are bound.
    #[must_use]
    pub fn listening(&self) -> Vec<(String, Vec<String>)> {
        self.state.lock().running.iter().map(Running::listening).collect()
    }

    /// Begins to listen for urgent data when a service wants it.
    fn listen(&self, running: &[Running]) {
        let is_wanted = running.iter().any(|one| one.service.definition().spec.deaf().is_none());
        if !is_wanted || self.house.exchange.get().is_some() {
            return;
        }
        match Exchange::start() {
            // Nobody else sets it: the state is locked.
            Ok((exchange, thread)) => {
                let _set = (self.thread.set(thread), self.house.exchange.set(exchange));
            }
            Err(error) => tracing::warn!(%error, "no urgent data will be heard"),
        }
    }

    /// The actor at the top.
    #[must_use]
    pub fn supervisor(&self) -> AnyRef {
        self.root.any()
    }

    /// From now on programs outlive the superserver: a stop of its actors leaves them alone. Those that rest because of
    /// their clients go on.
    pub fn leave(&self) {
        self.house.leaving.store(true, Ordering::Release);
        if let Some(exchange) = self.house.exchange.get() {
            exchange.let_go();
        }
    }

    /// Takes in nobody any more and closes all sockets. Instances go on.
    pub fn close(&self) {
        let mut state = self.state.lock();
        for way in state.running.iter_mut().flat_map(|running| running.close(|_| true)) {
            block_on(way.released());
            way.remove_paths();
        }
    }

    /// How many programs and clients there are.
    #[must_use]
    pub fn instances(&self) -> usize {
        let state = self.state.lock();
        state.running.iter().chain(&state.departing).map(Running::instances).sum()
    }
}

/// With what its program is to give up made ready; the error is for people.
fn define(spec: &ServiceSpec) -> Result<Definition, String> {
    let fence = match &spec.run {
        Run::Program(program) => enclosure::prepare(&spec.id, program)
            .map_err(|error| format!("confinement: {error}"))?,
        Run::Builtin(_) => None,
    };
    Ok(Definition { spec: spec.clone(), fence, files: files::take_all() })
}

/// That a service is off.
fn off(spec: &ServiceSpec, text: String, remedy: &str) -> Remark {
    Remark {
        severity: Severity::Error,
        origin: spec.origin.clone(),
        service: Some(spec.id.clone()),
        text,
        remedy: remedy.to_owned(),
    }
}

impl House {
    /// Tells tcpmux and the judges of loops which services there are.
    fn enter(&self, running: &[Running]) {
        *self.services.write() = running.iter().map(|one| Arc::clone(&one.service)).collect();
    }
}

impl std::fmt::Debug for Superserver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Superserver").field("actor", &self.root.path()).finish_non_exhaustive()
    }
}
