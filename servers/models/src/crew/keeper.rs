//! The actor `crew`: looks once a second how many workers are idle, and has some started or stopped.
//!
//! It looks as Apache does, whether something has changed or not: to be told of every connection would cost each of them
//! something, a look at the seats costs nothing to anybody who serves.
//!
//! A worker is stopped only while it rests: suspended first, then looked at, so that nobody is accepted in between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use palco_actors::{
    Actor, ActorRef, AnyRef, Context, Failure, Handler, Message, Place, Restart, Signal,
    SpawnOptions, Supervisor,
};
use serde::{Deserialize, Serialize};

use super::pace::{Bounds, Decision, Pace};
use super::roster::Roster;
use crate::leave::Resting;
use crate::seats::Seats;
use crate::team;

/// Its name among the children of the server's supervisor.
pub(crate) const CREW: &str = "crew";

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Starts the worker with this number.
pub(crate) type Hire =
    Arc<dyn Fn(&ActorRef<Supervisor>, usize) -> Result<(), Failure> + Send + Sync>;

/// What the keeper of a crew must have.
#[derive(Clone)]
pub(crate) struct Keeping {
    pub(crate) roster: Arc<Roster>,
    /// Where processes say that they serve; in one process the roster knows.
    pub(crate) seats: Option<Arc<Seats>>,
    /// How many workers there are to be, if that follows the load.
    pub(crate) bounds: Option<Bounds>,
    pub(crate) hire: Hire,
}

/// Starts all who are on the roster, and who looks after them if there is need of that.
pub(crate) fn keep_crew(cx: &Context<Supervisor>, keeping: &Keeping) -> Result<(), Failure> {
    let supervisor = cx.actor_ref();
    for number in keeping.roster.numbers() {
        (keeping.hire)(&supervisor, number)?;
    }
    // Who has a socket of its own takes it along when a person stops it.
    if keeping.bounds.is_some() || !keeping.roster.is_shared() {
        let keeping = keeping.clone();
        let options =
            SpawnOptions::new().name(CREW).place(Place::SystemLoop).restart(Restart::Always);
        cx.supervise(options, move || Keeper {
            keeping: keeping.clone(),
            supervisor: supervisor.clone(),
            pace: keeping.bounds.map(Pace::new),
            is_full: false,
        })?;
    }
    Ok(())
}

struct Keeper {
    keeping: Keeping,
    supervisor: ActorRef<Supervisor>,
    pace: Option<Pace>,
    /// That there may not be more has been said.
    is_full: bool,
}

/// Look.
#[derive(Serialize, Deserialize)]
struct Look;

impl Message for Look {
    type Reply = ();
}

impl Actor for Keeper {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.ignore_interrupts();
        cx.tell_after(LOOK_EVERY, Look);
        Ok(())
    }

    fn state(&self) -> serde_json::Value {
        let workers = self.keeping.roster.len();
        serde_json::json!({ "workers": workers, "idle": workers - self.busy() })
    }
}

impl Handler<Look> for Keeper {
    async fn handle(&mut self, _: Look, cx: &mut Context<Self>) {
        self.look(cx).await;
        cx.tell_after(LOOK_EVERY, Look);
    }
}

impl Keeper {
    async fn look(&mut self, cx: &Context<Self>) {
        let living = self.living();
        let roster = Arc::clone(&self.keeping.roster);
        // A person has stopped them.
        for number in roster.numbers().iter().filter(|number| !living.contains_key(number)) {
            roster.leave(*number);
        }
        let (workers, busy) = (roster.len(), self.busy());
        let Some(pace) = &mut self.pace else { return };
        match pace.look(workers, workers.saturating_sub(busy)) {
            Decision::Stay => self.is_full = false,
            Decision::Start(more) => {
                self.is_full = false;
                // Not one whose last process is still ending.
                let free = (0..roster.most()).filter(|number| !living.contains_key(number));
                for number in free.take(more) {
                    self.start(number);
                }
            }
            Decision::Stop(surplus) => {
                // The latest numbers first: a fixed part of the team keeps its caches.
                let numbers = roster.numbers().into_iter().rev();
                for number in numbers.filter(|number| !self.is_busy(*number)).take(surplus) {
                    let Some(worker) = living.get(&number) else { continue };
                    if cx.unless_stopped(self.stop(number, worker)).await.is_none() {
                        return;
                    }
                }
            }
            Decision::Full if !self.is_full => {
                self.is_full = true;
                let server = self.supervisor.path();
                tracing::warn!(%server, workers, busy, "workers-max reached: who comes waits");
            }
            Decision::Full => {}
        }
    }

    /// The workers that have not ended, by number.
    fn living(&self) -> BTreeMap<usize, AnyRef> {
        let children = self.supervisor.any().children();
        let number = |child: AnyRef| Some((team::number_of(&child.path())?, child));
        children.into_iter().filter_map(number).collect()
    }

    fn is_busy(&self, number: usize) -> bool {
        match &self.keeping.seats {
            Some(seats) => seats.is_taken(number),
            None => self.keeping.roster.is_busy(number),
        }
    }

    fn busy(&self) -> usize {
        let numbers = self.keeping.roster.numbers();
        numbers.into_iter().filter(|number| self.is_busy(*number)).count()
    }

    fn start(&self, number: usize) {
        let entered = self.keeping.roster.enter(number).map_err(Failure::from);
        let started = entered.and_then(|()| (self.keeping.hire)(&self.supervisor, number));
        if let Err(error) = started {
            self.keeping.roster.leave(number);
            let server = self.supervisor.path();
            tracing::warn!(%server, number, ?error, "cannot start one more worker");
        }
    }

    /// Stops a worker that serves nobody, and nobody waits for; else leaves it alone.
    async fn stop(&self, number: usize, worker: &AnyRef) {
        let Some(resting) = Resting::all(vec![worker.clone()]).await else { return };
        let roster = &self.keeping.roster;
        if self.is_busy(number) || roster.is_waited_for(number) {
            return;
        }
        roster.leave(number);
        // In this order: it finds the stop when it goes on, and accepts nobody any more.
        resting.signal(Signal::Stop);
    }
}
