//! Starting a server whose connections are served in processes.

use std::path::PathBuf;
use std::sync::Arc;

use palco_actors::{Context, Failure, Grant, Place, Supervisor, System};

use super::{Common, Desk, Kin, Workers, oversee, passing, work};
use crate::acceptor::{Acceptor, Handover};
use crate::admission::Limits;
use crate::books::{Books, Ledger, Own, Pool};
use crate::door::Door;
use crate::listener;
use crate::model::{Plan, ServedBy};
use crate::requests::{Lines, Serving};
use crate::seats::{Layout, Seats};
use crate::serve::Shared;
use crate::settings::acceptor_options;
use crate::{Server, ServerSettings, StartError, team};

/// What the server's own process must have of a service that is served in others.
pub(crate) struct Made<K: Kin> {
    pub(crate) config: K::Config,
    /// What the service must be able to read.
    pub(crate) read: Vec<PathBuf>,
    /// Where it must be able to write.
    pub(crate) write: Vec<PathBuf>,
    /// The service, for its state.
    pub(crate) service: K::Service,
    /// Its codec, for the last words of who accepts.
    pub(crate) codec: K::Codec,
}

impl Server {
    /// Starts a server in processes; `keep` starts who keeps the service's state, if somebody does.
    pub(crate) fn in_processes<K: Kin>(
        system: &System,
        settings: ServerSettings,
        made: Made<K>,
        keep: impl Fn(&Context<Supervisor>, &Arc<K::Service>) -> Result<Option<Grant>, Failure>
        + Send
        + Sync
        + 'static,
    ) -> Result<Self, StartError> {
        let plan = settings.plan()?;
        let Made { config, read, write, service, codec } = made;
        let socket = listener::open(&settings.listen, settings.limits.backlog)?;
        let process = settings.process.clone().unwrap_or_default();
        let options = process.options(settings.model, read, write);
        let (drain_within, deadlines) = (settings.drain_within, settings.deadlines);
        let (kill_after, shedding) = (deadlines.kill_after(), settings.limits.shedding);
        let issue = settings.urgent.as_ref().map(|urgent| urgent.issue(&settings.name));
        let (service, shared_socket) = (Arc::new(service), Arc::clone(&socket));
        let common = {
            let service = Arc::clone(&service);
            move |cx: &Context<Supervisor>,
                  serving: &Arc<Serving>|
                  -> Result<Arc<Common<K>>, Failure> {
                let (config, options) = (config.clone(), options.clone());
                let (grant, serving) = (keep(cx, &service)?, Arc::clone(serving));
                Ok(Arc::new(Common { config, options, drain_within, deadlines, grant, serving }))
            }
        };
        let within = settings.acceptor_within(plan.served_by);
        let Plan { acceptors, served_by } = plan;
        match served_by {
            ServedBy::Acceptor => {
                let seats = acceptors.len();
                let permits = settings.limits.at_once().min(seats);
                let seats = Seats::create(Layout { seats, permits }).map_err(StartError::Memory)?;
                let (ledger, action) =
                    (Ledger::Workers(Arc::clone(&seats)), settings.limits.action);
                let serving = Serving::new(Lines::Seats(Arc::clone(&seats)), issue);
                let who = Arc::clone(&serving);
                let cast = move |cx: &Context<Supervisor>| {
                    let (socket, seats) = (Arc::clone(&shared_socket), Arc::clone(&seats));
                    if let Some(within) = kill_after {
                        oversee(cx, &who, &seats, within)?;
                    }
                    let common = common(cx, &who)?;
                    let workers = Workers { common, socket, seats, action, shedding };
                    for (seat, (name, place)) in acceptors.iter().enumerate() {
                        work(cx, &workers, acceptor_options(name, *place, within), seat)?;
                    }
                    Ok(())
                };
                Self::open(system, settings, &socket, ledger, serving, Arc::new(cast))
            }
            ServedBy::OwnActor | ServedBy::Worker(_) => {
                let most =
                    if let ServedBy::Worker(workers) = served_by { workers } else { usize::MAX };
                let connections_max = settings.limits.at_once().min(most);
                let seats = Seats::create(Layout { seats: connections_max, permits: 0 });
                let seats = seats.map_err(StartError::Memory)?;
                let serving = Serving::new(Lines::Seats(Arc::clone(&seats)), issue);
                let pool = Pool::new(Arc::clone(&seats));
                let books = Own::new(Limits { connections_max, ..settings.limits });
                let ledger = Ledger::Connections(Arc::clone(&books), Arc::clone(&pool));
                let shared = Arc::new(Shared { service, codec, deadlines });
                let books = Books::Own(books);
                let door = Door { shared, socket: shared_socket, books, shedding };
                let who = Arc::clone(&serving);
                let cast = move |cx: &Context<Supervisor>| {
                    if let Some(within) = kill_after {
                        oversee(cx, &who, &seats, within)?;
                    }
                    let (common, pool) = (common(cx, &who)?, Arc::clone(&pool));
                    let handover = if let ServedBy::Worker(workers) = served_by {
                        let options = |index| {
                            let name = team::worker(index);
                            acceptor_options(&name, Place::Process, drain_within)
                        };
                        Handover::Standing(Desk::open(
                            cx,
                            &common,
                            &pool,
                            (0..workers).map(options),
                        )?)
                    } else {
                        Handover::Process(passing(common, pool))
                    };
                    for (name, place) in &acceptors {
                        let (door, handover) = (door.clone(), handover.clone());
                        let make = move || Acceptor {
                            door: door.clone(),
                            handover: handover.clone(),
                            drain_within,
                        };
                        cx.supervise(acceptor_options(name, *place, within), make)?;
                    }
                    Ok(())
                };
                Self::open(system, settings, &socket, ledger, serving, Arc::new(cast))
            }
        }
    }
}
