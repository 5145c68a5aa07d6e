//! Policy `solaris`: one queue for all LWPs, and one LWP more when all of them block.
//!
//! Solaris' kernel sent SIGWAITING when the last LWP of a process went into a call that might never return, and the
//! library added an LWP if a fiber was ready. Here the LWP that is the last to go into a call does the same itself.

use super::super::event::FiberId;
use super::super::fiber::Fiber;
use super::{Lwp, Origin, add};

impl Lwp<'_, '_> {
    pub(super) fn call_unless_all_block(&mut self, fiber: FiberId) {
        let mut ready = self.world.ready.lock();
        ready.unblocked -= 1;
        let is_signal = ready.unblocked == 0 && !ready.queue.is_empty();
        if is_signal {
            ready.unblocked += 1;
        }
        drop(ready);
        if is_signal {
            match add(self.world, self.scope, Origin::AllBlocked, Box::default()) {
                Ok(_) => self.world.count_added(),
                // No thread for it: all block.
                Err(_) => self.world.ready.lock().unblocked -= 1,
            }
        }
        self.block(fiber);
        self.world.ready.lock().unblocked += 1;
    }

    /// It gives way to whoever is first in the queue, if there is anybody.
    pub(super) fn put_in_common(&mut self, fiber: Fiber) {
        let mut ready = self.world.ready.lock();
        ready.queue.push_back(fiber);
        self.next_up = ready.queue.pop_front();
    }

    pub(super) fn next_in_common(&mut self) -> Option<Fiber> {
        self.next_up.take().or_else(|| match self.origin {
            Origin::Start | Origin::HandOff => self.wait_in_common(),
            Origin::AllBlocked => {
                let mut ready = self.world.ready.lock();
                let fiber = ready.queue.pop_front();
                if fiber.is_none() {
                    ready.unblocked -= 1;
                }
                fiber
            }
        })
    }

    /// The first in the common queue, as soon as there is one; nothing when all is over.
    pub(super) fn wait_in_common(&mut self) -> Option<Fiber> {
        let mut ready = self.world.ready.lock();
        while ready.queue.is_empty() && !self.world.is_over() {
            self.log.parks(self.now);
            self.world.ready_changed.wait(&mut ready);
            self.now = self.world.now();
        }
        ready.queue.pop_front()
    }
}
