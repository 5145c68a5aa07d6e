//! Policy `offload`: calls are made by helpers, fibers wait at home.

use super::super::desk;
use super::super::event::What;
use super::super::fiber::Fiber;
use super::Lwp;

impl Lwp<'_, '_> {
    /// Gives the call away. Without a helper it is made here, as if nobody helped.
    pub(super) fn ship(&mut self, fiber: Fiber) -> Option<Fiber> {
        let id = fiber.id;
        self.log.tell(self.now, What::Shipped { fiber: id });
        self.shipped.push(fiber);
        if desk::ship(self.world, self.scope, id, self.seat.clone()).is_ok() {
            self.now = self.world.now();
            return None;
        }
        self.block(id);
        self.shipped.pop()
    }

    pub(super) fn next_or_returned(&mut self) -> Option<Fiber> {
        let mut returned = self.seat.take_mail();
        if returned.is_empty() && self.own_queue().is_empty() && !self.shipped.is_empty() {
            self.log.parks(self.now);
            returned = self.seat.wait_for_mail();
            self.now = self.world.now();
        }
        for id in returned {
            let at = self.shipped.iter().position(|fiber| fiber.id == id);
            let fiber = self.shipped.swap_remove(at.expect("a call comes back once"));
            self.own_queue().push_back(fiber);
        }
        self.own_queue().pop_front()
    }
}
