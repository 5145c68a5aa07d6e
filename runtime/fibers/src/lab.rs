//! A lab: what a blocking call does to user-level threads, and what four policies do about it.
//!
//! Tickers give way again and again; sleepers make a blocking call ([`Call`]) again and again. Both are fibers, on a few
//! kernel threads (LWPs). When a sleeper blocks in the kernel, the LWP under it blocks, and with it all fibers that
//! have no other. Each [`Policy`] is an answer. All four run in this one small scheduler, so that they can be compared:
//!
//! | file | what |
//! |---|---|
//! | `settings.rs` | [`Settings`], [`Policy`]: what can be tried |
//! | `fiber.rs` | the bodies, a closed set |
//! | `lwp.rs`, `lwp/` | the loop of an LWP, and what each policy does around a call |
//! | `desk.rs` | threads that make calls for fibers (`offload`) |
//! | `watcher.rs` | the thread that takes processors from LWPs in calls (`go`) |
//! | `world.rs` | what all threads of a run share |
//! | `event.rs`, `log.rs` | [`Event`]: what happened where; gathered without locks |
//! | `calls.rs` | the figures |
//!
//! Fibers of `go` and `solaris` migrate: they are resumed by another thread than the one that suspended them. For fibers
//! of anybody that is unsound (rust-lang/unsafe-code-guidelines#602, llvm/llvm-project#98479), which is why palco's own
//! scheduler does not do it. Here nobody can bring a body, and the two that exist bear it: see `fiber.rs`.
//!
//! LWPs are scheduled in the usual way (SCHED_OTHER): in real time, equal ones on one core would starve each other.

mod calls;
mod desk;
mod event;
mod fiber;

mod log;
mod lwp;
mod settings;
#[cfg(test)]
mod tests;
mod watcher;
mod world;

use std::io;
use std::thread;
use std::time::Duration;

pub use event::{Event, FIBERS_MAX, FiberId, Fibers, Lane, What};
pub use settings::{
    BLOCKS_MAX, Call, Cores, LWPS_MAX, NoPolicy, Policy, Settings, SettingsError, TOTAL_MAX,
};

use calls::Figures;
use world::World;

/// How often a run tells what it knows.
const PULSE: Duration = Duration::from_millis(25);

/// Who watches a run, on the thread that asked for it, while it goes on.
pub trait Watch {
    /// Something happened; events of one lane come in order, those of different lanes up to some 50 ms apart.
    fn event(&mut self, event: &Event);

    /// The run has gone on for so long: called about 40 times a second, after the events that are known by then.
    fn pulse(&mut self, elapsed: Duration) {
        let _ = elapsed;
    }
}

/// Keeps everything, as long as there is memory.
impl Watch for Vec<Event> {
    fn event(&mut self, event: &Event) {
        self.push(*event);
    }
}

/// What a run has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Turns of all tickers.
    pub ticker_turns: u64,
    /// The longest time that a ticker stood still, after its first turn.
    pub gap_longest: Duration,
    /// For each call the longest gap of the worst-hit ticker in that time, at least 5 µs; of these the median.
    pub gap_median: Duration,
    /// Calls made by all sleepers.
    pub calls: usize,
    /// Those during which no ticker had a turn, from the wish for it until the sleeper ran again.
    pub calls_without_a_turn: usize,
    /// From the wish for a call until the sleeper ran again: the median.
    pub call_median: Duration,
    /// The longest.
    pub call_longest: Duration,
    /// From the start until the last sleeper was done.
    pub total: Duration,
    /// What that would be if nobody ever waited for anything but its own call.
    pub ideal: Duration,
    /// LWPs that there were at once, at most.
    pub lwps: usize,
    /// Threads that made calls for fibers.
    pub helpers: usize,
    /// Processors that were given to another LWP.
    pub handoffs: u64,
    /// LWPs that were added because all others blocked.
    pub added: u64,
    /// How often a fiber was resumed on another LWP than before.
    pub migrations: u64,
    /// Events that nobody was quick enough to take.
    pub dropped: u64,
}

/// Why a run did not take place.
#[derive(Debug)]
pub enum Error {
    /// The settings make no sense.
    Settings(SettingsError),
    /// The machine did not give a thread, a stack or a core.
    Machine(io::Error),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Settings(_) => f.write_str("the settings of the lab make no sense"),
            Self::Machine(_) => f.write_str("the machine did not give a thread, a stack or a core"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Settings(error) => Some(error),
            Self::Machine(error) => Some(error),
        }
    }
}

/// Runs the fibers under the policy until every sleeper has made its calls; `watch` is told what happens.
///
/// Blocks the calling thread, and leaves no thread behind. At most as many threads as LWPs and sleepers are started, and
/// one more under `go`.
///
/// # Errors
/// [`Error::Settings`] before anything was started; [`Error::Machine`] when a thread, a stack or a core was not to be had.
pub fn run(settings: &Settings, watch: &mut dyn Watch) -> Result<Outcome, Error> {
    settings.check().map_err(Error::Settings)?;
    let world = World::new(settings);
    thread::scope(|scope| {
        // A thread of its own, because what it starts inherits its core.
        let starter = world.spawn(scope, "lab", |world| lwp::start(world, scope))?;
        while world.is_alive() {
            thread::park_timeout(PULSE);
            world.take_events(|event| watch.event(event));
            watch.pulse(Duration::from_nanos(world.now()));
        }
        starter.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
    .map_err(Error::Machine)?;
    world.take_events(|event| watch.event(event));
    Ok(outcome(settings, &world))
}

fn outcome(settings: &Settings, world: &World) -> Outcome {
    let Figures {
        ticker_turns,
        migrations,
        calls,
        calls_without_a_turn,
        call_median,
        call_longest,
        gap_median,
        gap_longest,
    } = Figures::of(&world.records());
    let counts = world.counts();
    Outcome {
        ticker_turns,
        gap_longest,
        gap_median,
        calls,
        calls_without_a_turn,
        call_median,
        call_longest,
        total: counts.total,
        ideal: settings.call.length() * settings.blocks,
        lwps: counts.lwps,
        helpers: counts.helpers,
        handoffs: counts.handoffs,
        added: counts.added,
        migrations,
        dropped: counts.dropped,
    }
}
