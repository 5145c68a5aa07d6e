//! Policy `go`: a mark before each call; who stays in it loses its processor.
//!
//! After Go's `entersyscall`, `exitsyscall` and `retake`. What Go does beyond it is left out: processors steal no work
//! from each other, and one whose LWP returns from a call late is not looked for among idle ones: its fiber goes to the
//! common queue, which wakes a processor that idles.

use std::thread::Scope;

use super::super::fiber::Fiber;
use super::super::world::World;
use super::{Lwp, Origin, Processor, add};

/// A processor looks into the common queue first every so many times, or fibers that always give way would keep those
/// in there from running for ever.
const LOOK_FIRST_EVERY: u32 = 61;

/// Gives a processor to an LWP without one, or to a new one; there are never more than LWPs and sleepers. It comes back
/// when there is no thread for it.
pub(in super::super) fn hand_over<'scope>(
    world: &'scope World,
    scope: &'scope Scope<'scope, '_>,
    processor: Box<Processor>,
) -> Result<u16, Box<Processor>> {
    let Some(number) = world.spare.lock().pop() else {
        return add(world, scope, Origin::HandOff, processor).map_err(|(_, processor)| processor);
    };
    let seat = world.seats.lock().all()[usize::from(number)].clone();
    seat.give_processor(processor);
    Ok(number)
}

impl Lwp<'_, '_> {
    pub(super) fn next_of_processor(&mut self) -> Option<Fiber> {
        let mut processor = match self.processor.take() {
            Some(processor) => processor,
            None => {
                self.log.parks(self.now);
                let processor = self.seat.wait_for_processor()?;
                self.now = self.world.now();
                processor
            }
        };
        processor.looks = processor.looks.wrapping_add(1);
        let mut fiber = None;
        if processor.looks.is_multiple_of(LOOK_FIRST_EVERY) {
            fiber = self.world.ready.lock().queue.pop_front();
        }
        let fiber = fiber.or_else(|| processor.queue.pop_front());
        self.processor = Some(processor);
        fiber.or_else(|| self.wait_in_common())
    }

    /// The call, with the processor where the watcher can take it.
    pub(super) fn call_with_a_mark(&mut self, fiber: Fiber) -> Option<Fiber> {
        let processor = self.processor.take().expect("who runs fibers has a processor");
        self.seat.enter_call(self.now, processor);
        self.block(fiber.id);
        self.processor = self.seat.leave_call();
        if self.processor.is_some() {
            return Some(fiber);
        }
        // First this: as soon as the fiber runs elsewhere, its next call may look for a spare LWP.
        self.world.spare.lock().push(self.seat.number());
        self.world.make_ready(fiber);
        None
    }
}
