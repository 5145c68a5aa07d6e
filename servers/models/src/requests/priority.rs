//! Priority by place: the kernel's nice value for whoever has a thread; on an event loop, turns.

use std::path::Path;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use palco_actors::{
    Actor, AnyRef, Context, Failure, Handler, Message, Place, PlaceKind, SpawnOptions,
};
use palco_core::{Answer, Nice, RequestState};

use super::{Found, Requests};

/// One step of nice is this factor, as in the kernel's table of weights (`sched_prio_to_weight` in
/// kernel/sched/core.c).
const FACTOR: f64 = 1.25;

/// How often somebody looks whether a standing thread has to be given its usual priority back.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// On an event loop: how many turns others get for one turn of this request (nice), or how many turns this request
/// gets for one turn of the others (not nice). Both are at least 1.
pub(crate) fn turns(nice: i8) -> u32 {
    FACTOR.powi(i32::from(nice.unsigned_abs())).round() as u32
}

impl Requests {
    /// Gives the request a priority, as long as it lasts.
    pub(super) fn prioritize(
        &self,
        found: Found,
        number: u64,
        nice: Nice,
        actor: &AnyRef,
    ) -> Answer {
        let line = self.line(found);
        let (state, thread) = (self.state(found, number), line.thread());
        let Some(thread) = thread.filter(|_| !self.place.shares_its_thread()) else {
            line.set_nice(nice);
            let turns = turns(nice.value());
            return Answer::noted(
                state,
                match nice.value() {
                    0 => "nice 0: its turn at each checkpoint".to_owned(),
                    1.. => format!("nice {nice}: others get {turns} turns for one of its own"),
                    _ => format!("nice {nice}: it gets {turns} turns for one of the others"),
                },
            );
        };
        if self.is_standing && nice > Nice::USUAL && !palco_sys::may_set_nice(0).unwrap_or(false) {
            let why = format!(
                "nice {nice} would stay with a thread that serves others afterwards: without CAP_SYS_NICE or \
                 RLIMIT_NICE it cannot be taken back"
            );
            return Answer::pending(state, why);
        }
        let process = match self.place {
            PlaceKind::Process => actor.pid(),
            PlaceKind::Task | PlaceKind::Thread | PlaceKind::Fiber | PlaceKind::Remote => {
                i32::try_from(process::id()).ok()
            }
        };
        // In a process that has gone wrong the number could be anybody's.
        let is_there =
            process.is_some_and(|pid| Path::new(&format!("/proc/{pid}/task/{thread}")).exists());
        let set = match is_there {
            true => palco_sys::set_nice(thread, nice.value()),
            false => return Answer::reached(self.state(found, number)),
        };
        if let Err(error) = set {
            return Answer::pending(state, format!("nice {nice} for thread {thread}: {error}"));
        }
        line.set_nice(nice);
        if self.is_standing {
            self.take_back_later(found, number, thread);
        }
        match self.state(found, number) {
            RequestState::Finished => Answer::reached(RequestState::Finished),
            state => Answer::noted(state, format!("nice {nice} for thread {thread}")),
        }
    }

    fn take_back_later(&self, found: Found, number: u64, thread: i32) {
        let Some(requests) = self.me.upgrade() else { return };
        let options = SpawnOptions::new().place(Place::SystemLoop);
        let make = move || TakeBack { requests: requests.clone(), found, number, thread };
        if let Err(error) = self.system.spawn(options, make) {
            tracing::warn!(%error, "a priority stays with a thread");
        }
    }
}

/// Gives a thread its usual priority back when the request has ended.
struct TakeBack {
    requests: Arc<Requests>,
    found: Found,
    number: u64,
    thread: i32,
}

struct Run;

impl Message for Run {
    type Reply = ();
}

impl Actor for TakeBack {
    async fn started(&mut self, cx: &mut Context<Self>) -> Result<(), Failure> {
        cx.tell_after(Duration::ZERO, Run);
        Ok(())
    }
}

impl Handler<Run> for TakeBack {
    async fn handle(&mut self, _: Run, cx: &mut Context<Self>) {
        cx.finish();
        cx.note(|| "waiting for the end of a request");
        let is_served = || {
            let state = self.requests.state(self.found, self.number);
            matches!(state, RequestState::Running | RequestState::Held)
        };
        while is_served() && cx.unless_stopped(cx.sleep(LOOK_EVERY)).await.is_some() {}
        // The thread may have ended with its process.
        let _ = palco_sys::set_nice(self.thread, Nice::USUAL.value());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_follow_the_kernels_weights() {
        // 1024 is the weight of nice 0; the kernel's table says 88761 for −20 and 15 for 19.
        let expected = [(0, 1), (1, 1), (5, 3), (10, 9), (19, 69), (-5, 3), (-20, 87)];
        for (nice, times) in expected {
            assert_eq!(turns(nice), times, "nice {nice}");
        }
    }
}
