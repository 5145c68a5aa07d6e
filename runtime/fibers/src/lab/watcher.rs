//! The watcher: takes the processors of LWPs that stay in a call (policy `go`), as Go's sysmon does.

use std::thread::{self, Scope};
use std::time::Duration;

use super::event::{Lane, What};
use super::log::Log;
use super::lwp;
use super::world::World;

/// How often it looks, and how long a call may take before: "at least 20us" in Go's `retake`.
const LOOK_EVERY: Duration = Duration::from_micros(20);

/// Looks until it is over.
pub(super) fn watch<'scope>(world: &'scope World, scope: &'scope Scope<'scope, '_>) {
    // A sleep of 20 µs may otherwise take 50 µs longer (PR_SET_TIMERSLACK); then it only looks less often.
    let _ = nix::sys::prctl::set_timerslack(1);
    let mut log = Log::new(world, Lane::Watcher);
    while !world.is_over() {
        thread::sleep(LOOK_EVERY);
        let seats = world.seats.lock().all().to_vec();
        for seat in seats {
            let now = world.now();
            let begun_before = now.saturating_sub(LOOK_EVERY.as_nanos() as u64);
            let Some(processor) = seat.take_processor(begun_before, has_common_work(world)) else {
                continue;
            };
            match lwp::hand_over(world, scope, processor) {
                Ok(to) => {
                    world.count_handoff();
                    log.tell(now, What::HandedOff { from: seat.number(), to });
                }
                // No thread for it: back to where it was, as if nobody helped.
                Err(processor) => seat.give_processor(processor),
            }
        }
    }
}

fn has_common_work(world: &World) -> bool {
    !world.ready.lock().queue.is_empty()
}
