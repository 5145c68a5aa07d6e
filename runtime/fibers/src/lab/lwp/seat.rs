//! What others can reach of an LWP: its processor while it is in a call, its mail, and how it is woken.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

use parking_lot::Mutex;

use super::super::event::FiberId;
use super::Processor;

/// The seats of all LWPs. A number is used again when its LWP has ended.
#[derive(Default)]
pub(in super::super) struct Seats {
    all: Vec<Arc<Seat>>,
    free: Vec<u16>,
}

impl Seats {
    /// A new seat with a free number.
    pub(super) fn take_one(&mut self) -> Arc<Seat> {
        if let Some(number) = self.free.pop() {
            let seat = Arc::new(Seat::new(number));
            self.all[usize::from(number)] = seat.clone();
            return seat;
        }
        let number = u16::try_from(self.all.len()).expect("never more LWPs than LWPs and sleepers");
        let seat = Arc::new(Seat::new(number));
        self.all.push(seat.clone());
        seat
    }

    /// Its LWP has ended.
    pub(super) fn leave(&mut self, number: u16) {
        self.free.push(number);
    }

    /// All that there are, ended ones included.
    pub(in super::super) fn all(&self) -> &[Arc<Seat>] {
        &self.all
    }
}

#[derive(Default)]
struct Hold {
    processor: Option<Box<Processor>>,
    in_call_since: Option<u64>,
    is_dismissed: bool,
}

/// One LWP, seen from outside.
pub(in super::super) struct Seat {
    number: u16,
    thread: OnceLock<Thread>,
    hold: Mutex<Hold>,
    mail: Mutex<Vec<FiberId>>,
    has_mail: AtomicBool,
}

impl Seat {
    fn new(number: u16) -> Self {
        Self {
            number,
            thread: OnceLock::new(),
            hold: Mutex::default(),
            mail: Mutex::default(),
            has_mail: AtomicBool::new(false),
        }
    }

    pub(in super::super) fn number(&self) -> u16 {
        self.number
    }

    /// The calling thread is the LWP.
    pub(super) fn sit_down(&self) {
        self.thread.get_or_init(thread::current);
    }

    /// The mark before a call: from now on the processor can be taken.
    pub(super) fn enter_call(&self, now: u64, processor: Box<Processor>) {
        let mut hold = self.hold.lock();
        hold.processor = Some(processor);
        hold.in_call_since = Some(now);
    }

    /// The mark after a call: the processor, if it is still there.
    pub(super) fn leave_call(&self) -> Option<Box<Processor>> {
        let mut hold = self.hold.lock();
        hold.in_call_since = None;
        hold.processor.take()
    }

    /// Takes the processor of an LWP that went into a call at `begun_before` or earlier, if there is work for it.
    pub(in super::super) fn take_processor(
        &self,
        begun_before: u64,
        has_common_work: bool,
    ) -> Option<Box<Processor>> {
        let mut hold = self.hold.lock();
        let is_long = hold.in_call_since.is_some_and(|since| since <= begun_before);
        let has_work = |processor: &mut Box<Processor>| {
            is_long && (has_common_work || !processor.queue.is_empty())
        };
        hold.processor.take_if(has_work)
    }

    /// Gives a processor to an LWP that waits for one or is in a call.
    pub(in super::super) fn give_processor(&self, processor: Box<Processor>) {
        self.hold.lock().processor = Some(processor);
        self.unpark();
    }

    /// Waits for a processor; nothing when all is over.
    pub(super) fn wait_for_processor(&self) -> Option<Box<Processor>> {
        loop {
            let mut hold = self.hold.lock();
            if hold.is_dismissed {
                return None;
            }
            if let Some(processor) = hold.processor.take() {
                return Some(processor);
            }
            drop(hold);
            thread::park();
        }
    }

    /// All is over, also for who waits here.
    pub(in super::super) fn dismiss(&self) {
        self.hold.lock().is_dismissed = true;
        self.unpark();
    }

    /// The call of a fiber has come back.
    pub(in super::super) fn deliver(&self, fiber: FiberId) {
        self.mail.lock().push(fiber);
        self.has_mail.store(true, Ordering::Release);
        self.unpark();
    }

    /// Fibers whose calls have come back; usually none, for the price of a load.
    pub(super) fn take_mail(&self) -> Vec<FiberId> {
        if !self.has_mail.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let mut mail = self.mail.lock();
        self.has_mail.store(false, Ordering::Relaxed);
        mem::take(&mut mail)
    }

    /// Waits for mail; nothing when all is over.
    pub(super) fn wait_for_mail(&self) -> Vec<FiberId> {
        loop {
            let mail = mem::take(&mut *self.mail.lock());
            if !mail.is_empty() || self.hold.lock().is_dismissed {
                return mail;
            }
            thread::park();
        }
    }

    fn unpark(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_is_taken_from_a_long_call_with_work_waiting_and_from_nothing_else() {
        let seat = Seat::new(0);
        seat.give_processor(Box::default());
        assert!(seat.take_processor(u64::MAX, true).is_none(), "it is in no call");
        seat.enter_call(100, seat.leave_call().unwrap());
        assert!(seat.take_processor(99, true).is_none(), "its call is short");
        assert!(seat.take_processor(100, false).is_none(), "nobody needs it");
        assert!(seat.take_processor(100, true).is_some());
        assert!(seat.leave_call().is_none(), "it comes back without");
    }

    #[test]
    fn a_number_is_used_again_when_its_lwp_has_ended() {
        let mut seats = Seats::default();
        let numbers = [(); 2].map(|()| seats.take_one().number());
        seats.leave(0);
        assert_eq!((numbers, seats.take_one().number(), seats.take_one().number()), ([0, 1], 0, 2));
        assert_eq!(seats.all().len(), 3);
    }

    #[test]
    fn who_waits_is_woken_by_what_it_waits_for_or_by_the_end() {
        let seat = Arc::new(Seat::new(0));
        let wait = |seat: Arc<Seat>| {
            thread::spawn(move || {
                seat.sit_down();
                (seat.wait_for_mail(), seat.wait_for_processor().is_some())
            })
        };
        let waits = wait(seat.clone());
        seat.deliver(FiberId::Sleeper(3));
        seat.give_processor(Box::default());
        assert_eq!(waits.join().unwrap(), (vec![FiberId::Sleeper(3)], true));
        let seat = Arc::new(Seat::new(1));
        let waits = wait(seat.clone());
        seat.dismiss();
        assert_eq!(waits.join().unwrap(), (Vec::new(), false));
    }
}
