//! The actor of the parent that watches how long calls take in the processes of a server, and kills a process whose call
//! does not end. Its supervisor replaces it; the connection that it served is lost, no other is touched.
//!
//! A process says no more than that a call has begun or returned, in its connection's line; the time is the parent's.
//! So a watched call reads no clock, and one that is held by somebody takes no time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use palco_actors::{
    Actor, Context, Failure, Handler, Place, Restart, Signal, SpawnOptions, Supervisor, Time,
};

use crate::acceptor::Run;
use crate::deadlines::TimeLimit;
use crate::requests::Serving;
use crate::seats::Seats;

/// Its name among the children of the server's supervisor.
pub(crate) const OVERSEER: &str = "overseer";

/// How often it looks: this part of the limit, and within these bounds.
const LOOKS: u32 = 16;
const LOOK_EVERY: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));

/// A call, told apart from all others on its line.
type Call = (u64, u64, u64);

struct Overseer {
    serving: Arc<Serving>,
    seats: Arc<Seats>,
    within: Duration,
    /// The calls that were going on when it looked last, by their line, and since when they have been seen.
    calls: HashMap<usize, (Call, Time)>,
}

/// Starts the overseer of processes that have these seats: a call may take so long.
pub(crate) fn oversee(
    cx: &Context<Supervisor>,
    serving: &Arc<Serving>,
    seats: &Arc<Seats>,
    within: Duration,
) -> Result<(), Failure> {
    let (serving, seats) = (Arc::clone(serving), Arc::clone(seats));
    let options =
        SpawnOptions::new().name(OVERSEER).place(Place::SystemLoop).restart(Restart::Always);
    let make = move || {
        let (serving, seats) = (Arc::clone(&serving), Arc::clone(&seats));
        Overseer { serving, seats, within, calls: HashMap::new() }
    };
    cx.supervise(options, make)?;
    Ok(())
}

impl Actor for Overseer {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.tell_after(Duration::ZERO, Run);
        Ok(())
    }
}

impl Handler<Run> for Overseer {
    /// Looks until a stop.
    async fn handle(&mut self, _: Run, cx: &mut Context<Self>) {
        let every = (self.within / LOOKS).clamp(LOOK_EVERY.0, LOOK_EVERY.1);
        while cx.unless_stopped(cx.sleep(every)).await.is_some() {
            self.look(cx);
        }
    }
}

impl Overseer {
    fn look(&mut self, cx: &Context<Self>) {
        let now = cx.system().clock().now();
        let before = std::mem::take(&mut self.calls);
        for (index, line) in self.serving.lines().all() {
            let (Some(call), Some(actor)) = (line.call(), self.serving.actor(index)) else {
                continue;
            };
            let since = match before.get(&index) {
                Some((seen, since)) if *seen == call && !actor.is_at_rest() => *since,
                _ => now,
            };
            if now.since(since) < self.within {
                self.calls.insert(index, (call, since));
                continue;
            }
            // Still the same call: its process has nobody else to serve.
            if line.call() == Some(call) {
                self.seats.mark_overdue(index);
                self.seats.count(index, TimeLimit::Worker.count(), 1);
                actor.signal(Signal::Kill);
                cx.note(TimeLimit::Worker.note());
                let (limit, request) = (TimeLimit::Worker.name(), call.2);
                tracing::warn!(
                    worker = %actor.path(),
                    connection = call.0,
                    request,
                    limit,
                    "killed: its call does not end"
                );
            }
        }
    }
}
