//! Starting a server whose connections are served in processes.

use std::path::PathBuf;
use std::sync::Arc;

use palco_actors::{ActorRef, Context, Failure, Grant, Place, Supervisor, System};

use super::{Common, Desk, Kin, Workers, oversee, passing, work};
use crate::acceptor::{Acceptor, Handover};
use crate::admission::Limits;
use crate::books::{Books, Ledger, Own, Pool};
use crate::crew::{Duties, Duty, Keeping, Roster, keep_crew};
use crate::door::Door;
use crate::model::{PlanError, ServedBy};
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
        let roster = Roster::of(system, &settings, &plan)?;
        let duties = Duties::of(&settings.crew).map_err(PlanError::from)?;
        let bounds = settings.bounds(&plan);
        let process = settings.process.clone().unwrap_or_default();
        let options = process.options(settings.model, read, write);
        let (drain_within, deadlines) = (settings.drain_within, settings.deadlines);
        let (kill_after, shedding) = (deadlines.kill_after(), settings.limits.shedding);
        let issue = settings.urgent.as_ref().map(|urgent| urgent.issue(&settings.name));
        let service = Arc::new(service);
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
        match plan.served_by {
            ServedBy::Acceptor => {
                let seats = roster.most();
                let permits = settings.limits.at_once().min(seats);
                let seats = Seats::create(Layout { seats, permits }).map_err(StartError::Memory)?;
                let (ledger, action) =
                    (Ledger::Workers(Arc::clone(&seats)), settings.limits.action);
                let serving = Serving::new(Lines::Seats(Arc::clone(&seats)), issue);
                let who = Arc::clone(&serving);
                let on_the_roster = Arc::clone(&roster);
                let cast = move |cx: &Context<Supervisor>| {
                    let seats = Arc::clone(&seats);
                    if let Some(within) = kill_after {
                        oversee(cx, &who, &seats, within)?;
                    }
                    let roster = Arc::clone(&on_the_roster);
                    let common = common(cx, &who)?;
                    let duties = duties.clone();
                    let workers = Workers { common, roster, seats, action, shedding, duties };
                    let plan = plan.clone();
                    let (roster, seats) = (Arc::clone(&on_the_roster), Arc::clone(&workers.seats));
                    let hire = move |supervisor: &ActorRef<Supervisor>, number: usize| {
                        let (name, place) = plan.acceptor(number);
                        work(supervisor, &workers, acceptor_options(&name, place, within), number)
                    };
                    let (seats, hire) = (Some(seats), Arc::new(hire));
                    keep_crew(cx, &Keeping { roster, seats, bounds, hire })
                };
                Self::open(system, settings, &roster, ledger, serving, Arc::new(cast))
            }
            served_by @ (ServedBy::OwnActor | ServedBy::Worker(_)) => {
                let acceptors = plan.acceptors;
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
                let (who, on_the_roster) = (Arc::clone(&serving), Arc::clone(&roster));
                let cast = move |cx: &Context<Supervisor>| {
                    let Some(socket) = on_the_roster.any_socket() else { return Ok(()) };
                    let (shared, books) = (Arc::clone(&shared), Books::Own(Arc::clone(&books)));
                    let door = Door { shared, socket, books, shedding };
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
                            &duties,
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
                            duty: Duty::default(),
                        };
                        cx.supervise(acceptor_options(name, *place, within), make)?;
                    }
                    Ok(())
                };
                Self::open(system, settings, &roster, ledger, serving, Arc::new(cast))
            }
        }
    }
}
