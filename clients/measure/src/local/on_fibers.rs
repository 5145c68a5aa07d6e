//! Two fibers on a pool of one LWP, which alone is pinned and in real time: its helpers and its watchdog are not.

use std::any::Any;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use palco_fibers::{Handle, Pool, current, park, yield_now};

use super::apart::Outcome;
use super::meter::{Meter, Next, Plan};
use super::stand::take_stand;
use super::turns::{Player, pair};
use super::way::Way;
use crate::sides::Stopwatch;
use crate::touch::Touch;
use crate::{Raw, Section, Unavailable, Unit};

pub(super) const WAYS: [Way; 3] = [
    way(Section::Switch, "yield", by_yield),
    way(Section::Switch, "unpark", by_unpark),
    way(Section::WorkingSet, "yield", by_yield),
];

const fn way(section: Section, mechanism: &'static str, round: fn(&Plan) -> Outcome) -> Way {
    Way { section, unit: Unit::Fiber, mechanism, round }
}

/// A pool of one LWP.
pub(crate) fn pool() -> Result<Pool, Unavailable> {
    let built = Pool::builder().lwps(1).spares_max(0).build();
    built.map_err(|error| Unavailable(format!("no pool of fibers: {error}")))
}

pub(crate) fn no_fiber(error: &dyn std::fmt::Display) -> Unavailable {
    Unavailable(format!("no more fibers: {error}"))
}

/// Runs a round as a fiber of a new pool.
pub(crate) fn in_fiber(round: impl FnOnce(&Pool) -> Outcome + Send + 'static) -> Outcome {
    let pool = pool()?;
    let inside = pool.clone();
    let fiber = pool.spawn("lead", move || round(&inside)).map_err(|error| no_fiber(&error))?;
    let panicked = |_: Box<dyn Any + Send>| Unavailable("the leading fiber panicked".into());
    fiber.join().map_err(panicked)?
}

/// One of two fibers, with what it touches each time it has the turn.
struct Dancer {
    player: Player,
    touch: Touch,
}

impl Dancer {
    fn new(plan: &Plan, player: Player, side: u32) -> Result<Self, Unavailable> {
        let touch = Touch::of(&plan.key, side);
        let touch = touch.map_err(|error| Unavailable(format!("no working set: {error}")))?;
        Ok(Self { player, touch })
    }

    #[inline]
    fn hop(&mut self) {
        self.touch.hop();
        self.player.hop();
    }
}

/// What both fibers know of each other.
#[derive(Default)]
struct Floor {
    ready: AtomicBool,
    over: AtomicBool,
    leader: OnceLock<Handle>,
    follower: OnceLock<Handle>,
}

impl Floor {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Lets the other begin, and waits until it has.
    fn await_ready(&self) {
        while !self.ready.load(Ordering::Relaxed) {
            yield_now();
        }
    }
}

fn by_yield(plan: &Plan) -> Outcome {
    dance(plan, |_| yield_now(), |_| (), |_| yield_now())
}

fn by_unpark(plan: &Plan) -> Outcome {
    let wake = |handle: &OnceLock<Handle>| {
        if let Some(handle) = handle.get() {
            handle.unpark();
        }
    };
    dance(
        plan,
        move |floor| {
            wake(&floor.follower);
            park();
        },
        move |floor| wake(&floor.leader),
        |_| park(),
    )
}

/// `pass` gives the turn to the follower and returns when it is back; the follower answers with `answer` and waits for
/// the next turn with `wait`.
fn dance(
    plan: &Plan,
    pass: impl Fn(&Floor) + Send + 'static,
    answer: impl Fn(&Floor) + Send + 'static,
    wait: impl Fn(&Floor) + Send + 'static,
) -> Outcome {
    let plan = plan.clone();
    in_fiber(move |pool| {
        let [player, other] = pair();
        let (mut lead, mut follow) =
            (Dancer::new(&plan, player, 0)?, Dancer::new(&plan, other, 1)?);
        let floor = Arc::new(Floor::default());
        let floor_of_other = Arc::clone(&floor);
        let name_itself = |handle: &OnceLock<Handle>| {
            if let Some(this) = current() {
                let _ = handle.set(this);
            }
        };
        name_itself(&floor.leader);
        let follower = pool.spawn("follow", move || {
            let floor = floor_of_other;
            name_itself(&floor.follower);
            floor.ready.store(true, Ordering::Relaxed);
            loop {
                wait(&floor);
                if floor.is_over() {
                    return;
                }
                follow.hop();
                answer(&floor);
            }
        });
        let follower = follower.map_err(|error| no_fiber(&error))?;
        floor.await_ready();
        take_stand(&plan.key)?;
        let hot = lead.touch.hot_nanos(Stopwatch::new());
        let mut meter = Meter::start(&plan, 2)?;
        loop {
            lead.hop();
            pass(&floor);
            if meter.trip() == Next::Over {
                break;
            }
        }
        floor.over.store(true, Ordering::Relaxed);
        if let Some(handle) = floor.follower.get() {
            handle.unpark();
        }
        let _ = follower.join();
        Ok(Raw { out_of_turn: Some(lead.player.out_of_turn()), touch: hot, ..meter.raw() })
    })
}
