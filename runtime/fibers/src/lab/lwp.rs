//! The loop of an LWP: take a fiber, run it until it stops, do what it asks for.

mod go;
mod offload;
mod seat;
mod solaris;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::Scope;

use nix::sched::{CpuSet, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

pub(super) use go::hand_over;
pub(super) use seat::{Seat, Seats};

use super::event::{FiberId, Lane};
use super::fiber::{Fiber, Step};
use super::log::Log;
use super::settings::{Cores, Policy};
use super::watcher;
use super::world::World;

/// The right to run fibers, and their queue.
#[derive(Default)]
pub(super) struct Processor {
    queue: VecDeque<Fiber>,
    looks: u32,
}

/// Why an LWP is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Since the start; it waits when it has nothing to run.
    Start,
    /// For a processor that another one lost; it waits likewise.
    HandOff,
    /// Because all others blocked; it ends when it has nothing to run.
    AllBlocked,
}

/// One LWP, on its own thread.
struct Lwp<'scope, 'env> {
    world: &'scope World,
    scope: &'scope Scope<'scope, 'env>,
    origin: Origin,
    seat: Arc<Seat>,
    log: Log<'scope>,
    /// The end of what it did last: one reading of the clock for each turn.
    now: u64,
    processor: Option<Box<Processor>>,
    /// Fibers whose calls helpers make.
    shipped: Vec<Fiber>,
    /// The fiber to run next, whatever the queue holds.
    next_up: Option<Fiber>,
}

/// Deals out the fibers and starts the LWPs.
///
/// # Errors
/// When a core, a stack or a thread is not to be had; then all is over.
pub(super) fn start<'scope>(
    world: &'scope World,
    scope: &'scope Scope<'scope, '_>,
) -> io::Result<()> {
    start_all(world, scope).inspect_err(|_| world.end())
}

fn start_all<'scope>(world: &'scope World, scope: &'scope Scope<'scope, '_>) -> io::Result<()> {
    let settings = world.settings();
    match settings.cores {
        Cores::One => stay_on_this_core()?,
        Cores::All => {}
    }
    let mut processors: Vec<Processor> = (0..settings.lwps).map(|_| Processor::default()).collect();
    // Whoever watches comes first: a ticker that is stood still for must have had a turn.
    for (number, at) in (0_u8..).zip(0..settings.tickers) {
        let ticker = Fiber::ticker(number, world.stop.clone())?;
        processors[at % settings.lwps].queue.push_back(ticker);
    }
    for (number, at) in (0_u8..).zip(0..settings.sleepers) {
        let sleeper = Fiber::sleeper(number, settings.blocks)?;
        processors[at % settings.lwps].queue.push_back(sleeper);
    }
    match settings.policy {
        Policy::Ult | Policy::Offload => {}
        Policy::Go => drop(world.spawn(scope, "watcher", |world| watcher::watch(world, scope))?),
        Policy::Solaris => {
            let mut ready = world.ready.lock();
            ready.unblocked = settings.lwps;
            for processor in &mut processors {
                ready.queue.append(&mut processor.queue);
            }
        }
    }
    for processor in processors {
        add(world, scope, Origin::Start, Box::new(processor)).map_err(|(error, _)| error)?;
    }
    Ok(())
}

/// The calling thread, and those that it starts, have the core that it runs on and no other.
fn stay_on_this_core() -> io::Result<()> {
    let mut core = CpuSet::new();
    core.set(sched_getcpu()?)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &core)?)
}

/// Starts an LWP with this processor, which comes back when there is no thread for it.
fn add<'scope>(
    world: &'scope World,
    scope: &'scope Scope<'scope, '_>,
    origin: Origin,
    processor: Box<Processor>,
) -> Result<u16, (io::Error, Box<Processor>)> {
    let seat = world.seats.lock().take_one();
    let number = seat.number();
    seat.give_processor(processor);
    let own = seat.clone();
    let run = move |world| Lwp::new(world, scope, origin, own).work();
    match world.spawn(scope, &format!("lwp-{number}"), run) {
        Ok(_) => Ok(number),
        Err(error) => {
            let processor = seat.leave_call().expect("nobody else has this seat");
            world.seats.lock().leave(number);
            Err((error, processor))
        }
    }
}

impl<'scope, 'env> Lwp<'scope, 'env> {
    fn new(
        world: &'scope World,
        scope: &'scope Scope<'scope, 'env>,
        origin: Origin,
        seat: Arc<Seat>,
    ) -> Self {
        seat.sit_down();
        world.lwp_begins();
        let log = Log::new(world, Lane::Lwp(seat.number()));
        let processor = seat.leave_call();
        let (shipped, next_up) = (Vec::new(), None);
        Self { world, scope, origin, seat, log, now: world.now(), processor, shipped, next_up }
    }

    fn work(mut self) {
        while !self.world.is_over() {
            let Some(fiber) = self.next() else { break };
            self.run(fiber);
        }
        self.world.lwp_ends();
        let number = self.seat.number();
        let world = self.world;
        // What it has to tell comes before another may have its number.
        drop(self);
        world.seats.lock().leave(number);
    }

    /// The next fiber; nothing when there will never be one here.
    fn next(&mut self) -> Option<Fiber> {
        match self.world.settings().policy {
            Policy::Ult => self.own_queue().pop_front(),
            Policy::Offload => self.next_or_returned(),
            Policy::Go => self.next_of_processor(),
            Policy::Solaris => self.next_in_common(),
        }
    }

    /// Runs a fiber until it gives way, waits for its call elsewhere, or is done.
    fn run(&mut self, mut fiber: Fiber) {
        loop {
            let (world, lwp) = (self.world, self.seat.number());
            if fiber.record.comes_from_elsewhere(lwp) {
                // What it did there may be later than what was done here last.
                self.now = world.now();
            }
            fiber.record.begins(self.now, lwp, || world.ticker_turns());
            let begun = self.now;
            let step = fiber.resume();
            self.now = world.now();
            fiber.record.had_turn(self.now);
            match fiber.id {
                FiberId::Ticker(number) => world.ticked(number, fiber.record.turns),
                FiberId::Sleeper(_) => {}
            }
            self.log.ran(fiber.id, begun, self.now);
            match step {
                Step::Yielded => return self.put_back(fiber),
                Step::Calls => match self.call(fiber) {
                    Some(returned) => fiber = returned,
                    None => return,
                },
                Step::Finished => return world.finish(fiber, self.now),
            }
        }
    }

    fn put_back(&mut self, fiber: Fiber) {
        match self.world.settings().policy {
            Policy::Ult | Policy::Offload | Policy::Go => self.own_queue().push_back(fiber),
            Policy::Solaris => self.put_in_common(fiber),
        }
    }

    /// Sees to the call of a fiber, which comes back if it goes on here and now.
    fn call(&mut self, mut fiber: Fiber) -> Option<Fiber> {
        fiber.record.calls(self.now, self.world.ticker_turns());
        match self.world.settings().policy {
            Policy::Ult => self.block(fiber.id),
            Policy::Offload => return self.ship(fiber),
            Policy::Go => return self.call_with_a_mark(fiber),
            Policy::Solaris => self.call_unless_all_block(fiber.id),
        }
        Some(fiber)
    }

    /// Makes the call here: the thread blocks in the kernel.
    fn block(&mut self, fiber: FiberId) {
        self.log.blocks(self.now, fiber);
        self.world.call();
        self.now = self.world.now();
        self.log.unblocks(self.now, fiber);
    }

    fn own_queue(&mut self) -> &mut VecDeque<Fiber> {
        &mut self.processor.as_mut().expect("who runs fibers has a processor").queue
    }
}
