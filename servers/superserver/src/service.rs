//! What all actors of one service share: its definition, its gate, its counters; and what all services share.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use event_listener::{Event, EventListener};
use palco_processes::{Fence, Spawner};
use parking_lot::{Mutex, RwLock};

use crate::access::Names;
use crate::gate::{Excess, Gate};
use crate::journal::Journal;
use crate::spec::{Action, ResourceLimit, Run, ServiceSpec};
use crate::status::Ended;
use crate::urgent::Exchange;

/// Ends that are kept for those who ask later.
const ENDS_KEPT_MAX: usize = 8;

/// What all services of a superserver share.
pub(crate) struct House {
    pub(crate) journal: Journal,
    pub(crate) names: Names,
    pub(crate) spawner: Spawner,
    /// The superserver leaves: programs live on without it.
    pub(crate) leaving: AtomicBool,
    /// Where urgent data is heard, once a service wants it.
    pub(crate) exchange: OnceLock<Exchange>,
    pub(crate) services: RwLock<Vec<Arc<Service>>>,
}

/// One service, whatever it is defined as at the moment.
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) house: Arc<House>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) counts: Counts,
    definition: RwLock<Arc<Definition>>,
    shut: Mutex<Shut>,
    changed: Event,
    /// How often that was rung.
    changes: AtomicU64,
    ends: Mutex<VecDeque<Ended>>,
}

/// How a service is served from now on.
pub(crate) struct Definition {
    pub(crate) spec: ServiceSpec,
    /// What its program gives up, made ready.
    pub(crate) fence: Option<Arc<Fence>>,
    /// The limit of descriptors for programs that have none of their own, if it is not this process's.
    pub(crate) files: Option<ResourceLimit>,
}

/// Whether it may listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    Open,
    /// Not before then.
    Until(Instant, String),
    /// Not until it is defined anew.
    Off(String),
}

/// Counters of a service; they only grow.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Connections accepted, and programs started for datagrams.
    pub(crate) accepted: AtomicU64,
    /// Instances that have begun.
    pub(crate) started: AtomicU64,
    /// Of those the ones that have ended.
    pub(crate) ended: AtomicU64,
    /// Programs that could not be started.
    pub(crate) failed: AtomicU64,
    /// Clients that access control has refused.
    pub(crate) refused: AtomicU64,
    /// Clients turned away on account of a limit.
    pub(crate) turned_away: AtomicU64,
    /// Programs suspended by urgent data of their clients.
    pub(crate) suspended: AtomicU64,
    /// Of those the ones continued, by their clients or on their behalf.
    pub(crate) continued: AtomicU64,
    /// Programs that were asked to end by urgent data.
    pub(crate) killed: AtomicU64,
}

impl Counts {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl House {
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// The service that tcpmux starts under this name.
    pub(crate) fn by_mux_name(&self, name: &str) -> Option<Arc<Service>> {
        let is_it = |service: &&Arc<Service>| {
            let definition = service.definition();
            definition.spec.mux.as_ref().is_some_and(|mux| mux.name.eq_ignore_ascii_case(name))
        };
        self.services.read().iter().find(is_it).cloned()
    }

    /// All names that tcpmux knows, in order.
    pub(crate) fn mux_names(&self) -> Vec<String> {
        let services = self.services.read();
        let name =
            |service: &Arc<Service>| Some(service.definition().spec.mux.as_ref()?.name.clone());
        let mut names: Vec<String> = services.iter().filter_map(name).collect();
        names.sort_unstable();
        names
    }

    /// Ports on which datagrams are answered by the superserver itself: two of them could talk to each other for ever.
    pub(crate) fn echoing_ports(&self) -> Vec<u16> {
        let services = self.services.read();
        let mut ports = Vec::new();
        for service in services.iter() {
            let definition = service.definition();
            if matches!(definition.spec.run, Run::Builtin(_)) {
                let datagrams =
                    definition.spec.endpoints.iter().filter(|at| !at.address.has_connections());
                ports.extend(datagrams.filter_map(|at| at.address.socket()).map(|at| at.port()));
            }
        }
        ports
    }
}

impl Service {
    pub(crate) fn new(house: Arc<House>, definition: Definition) -> Self {
        Self {
            id: definition.spec.id.clone(),
            gate: Arc::new(Gate::new(&definition.spec.limits)),
            house,
            counts: Counts::default(),
            definition: RwLock::new(Arc::new(definition)),
            shut: Mutex::new(Shut::Open),
            changed: Event::new(),
            changes: AtomicU64::new(0),
            ends: Mutex::default(),
        }
    }

    pub(crate) fn definition(&self) -> Arc<Definition> {
        Arc::clone(&self.definition.read())
    }

    /// From now on it is this. What runs is not touched; a service that was off is on.
    pub(crate) fn redefine(&self, definition: Definition) {
        self.gate.set_limits(&definition.spec.limits);
        *self.definition.write() = Arc::new(definition);
        *self.shut.lock() = Shut::Open;
        self.announce();
    }

    /// Tells everybody who follows [`Service::changed`].
    pub(crate) fn announce(&self) {
        self.changes.fetch_add(1, Ordering::Release);
        self.changed.notify(usize::MAX);
    }

    /// Resolves at the next change; to be asked for before looking at what may change.
    pub(crate) fn changed(&self) -> EventListener {
        self.changed.listen()
    }

    /// How often it has changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Whether it may listen now.
    pub(crate) fn shut(&self) -> Shut {
        let mut shut = self.shut.lock();
        if matches!(&*shut, Shut::Until(until, _) if *until <= Instant::now()) {
            *shut = Shut::Open;
        }
        shut.clone()
    }

    /// A client is turned away, and perhaps those after it, as the limit that is exceeded says.
    pub(crate) fn turn_away(&self, excess: Excess, from: Option<String>) {
        self.gate.count(excess.limit);
        Counts::add(&self.counts.turned_away);
        self.house.journal.fail(&self.id, excess.limit.log_word(), from);
        let why = || format!("{} exceeded", excess.limit);
        let shut = match excess.action {
            Action::Defer | Action::Drop => return,
            Action::Close(time) => Shut::Until(Instant::now() + time, why()),
            Action::Fail => Shut::Off(why()),
        };
        *self.shut.lock() = shut;
        self.announce();
    }

    pub(crate) fn note_end(&self, pid: Option<i32>, how: &str, ran: Duration) {
        Counts::add(&self.counts.ended);
        let ran_ms = u64::try_from(ran.as_millis()).unwrap_or(u64::MAX);
        let ended = Ended { at: SystemTime::now(), pid, how: how.to_owned(), ran_ms };
        let mut ends = self.ends.lock();
        if ends.len() == ENDS_KEPT_MAX {
            ends.pop_front();
        }
        ends.push_back(ended);
        drop(ends);
        // Last: whoever reads of it finds it here.
        self.house.journal.exit(&self.id, pid, how, ran);
    }

    /// A program that could not be started, or a client that could not be served.
    pub(crate) fn note_failure(&self, reason: impl Into<String>, from: Option<String>) {
        Counts::add(&self.counts.failed);
        self.house.journal.fail(&self.id, reason, from);
    }

    pub(crate) fn ends(&self) -> Vec<Ended> {
        self.ends.lock().iter().cloned().collect()
    }
}
