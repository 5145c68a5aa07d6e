//! Requests that wait for their answers.

use palco_core::Time;
use palco_rambo::{Command, Outcome};
use std::collections::HashMap;
use tokio::sync::oneshot;

use crate::domain::BATCH_MAX;
use crate::words::Request;

/// Requests on their way, by batches: those that came together are answered together.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    batches: HashMap<u64, Batch>,
    last: u64,
}

#[derive(Debug)]
struct Batch {
    outcomes: Vec<Option<Outcome>>,
    left: usize,
    deadline: Time,
    done: oneshot::Sender<Vec<Outcome>>,
}

/// For who waits for a batch, or several if there were many commands.
#[derive(Debug)]
pub(crate) struct Ticket(Vec<(usize, oneshot::Receiver<Vec<Outcome>>)>);

fn unknown() -> Outcome {
    Outcome::Unknown { tag: None }
}

impl Pending {
    /// Gives commands their numbers.
    pub(crate) fn enter(
        &mut self,
        commands: Vec<Command>,
        deadline: Time,
    ) -> (Ticket, Vec<Request>) {
        let mut requests = Vec::with_capacity(commands.len());
        let mut parts = Vec::with_capacity(1);
        let mut commands = commands.into_iter().peekable();
        while commands.peek().is_some() {
            self.last += 1;
            let first = self.last * BATCH_MAX as u64;
            let before = requests.len();
            let part = commands.by_ref().take(BATCH_MAX);
            requests
                .extend((first..).zip(part).map(|(number, command)| Request { number, command }));
            let count = requests.len() - before;
            let (done, receiver) = oneshot::channel();
            let batch = Batch { outcomes: vec![None; count], left: count, deadline, done };
            self.batches.insert(self.last, batch);
            parts.push((count, receiver));
        }
        (Ticket(parts), requests)
    }

    /// An answer has come. Who waits is told with the last of its batch.
    pub(crate) fn settle(&mut self, number: u64, outcome: Outcome) {
        let (name, place) = (number / BATCH_MAX as u64, number % BATCH_MAX as u64);
        let Some(batch) = self.batches.get_mut(&name) else { return };
        let slot = usize::try_from(place).ok().and_then(|place| batch.outcomes.get_mut(place));
        let Some(slot) = slot.filter(|slot| slot.is_none()) else { return };
        *slot = Some(outcome);
        batch.left -= 1;
        if batch.left == 0 {
            self.finish(name);
        }
    }

    /// Gives up those that should have been answered long ago: nobody knows what became of them.
    pub(crate) fn give_up(&mut self, is_over: impl Fn(Time) -> bool) {
        let over = self.batches.iter().filter(|(_, batch)| is_over(batch.deadline));
        let over: Vec<u64> = over.map(|(name, _)| *name).collect();
        over.into_iter().for_each(|name| self.finish(name));
    }

    fn finish(&mut self, name: u64) {
        if let Some(batch) = self.batches.remove(&name) {
            let outcomes =
                batch.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(unknown));
            // Who asked may have gone.
            let _ = batch.done.send(outcomes.collect());
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.batches.len()
    }
}

impl Ticket {
    /// The outcomes, in the order of the commands.
    pub(crate) async fn outcomes(self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for (count, part) in self.0 {
            match part.await {
                Ok(part) => outcomes.extend(part),
                Err(_) => outcomes.extend((0..count).map(|_| unknown())),
            }
        }
        outcomes
    }
}

#[cfg(test)]
mod tests {
    use palco_rambo::{Failure, Key};
    use palco_threads::block_on;

    use super::*;

    fn reads(count: usize) -> Vec<Command> {
        vec![Command::Read(Key::register("x")); count]
    }

    fn failed() -> Outcome {
        Outcome::Failed(Failure::Timeout)
    }

    #[test]
    fn outcomes_come_in_the_order_of_the_commands() {
        let mut pending = Pending::default();
        let (ticket, requests) = pending.enter(reads(3), Time::START);
        for request in requests.iter().rev() {
            let outcome =
                if request.number == requests[1].number { Outcome::Left } else { failed() };
            pending.settle(request.number, outcome);
        }
        assert_eq!(pending.len(), 0);
        assert_eq!(block_on(ticket.outcomes()), [failed(), Outcome::Left, failed()]);
    }

    #[test]
    fn what_is_given_up_is_unknown_and_what_was_answered_is_not() {
        let mut pending = Pending::default();
        let (ticket, requests) = pending.enter(reads(2), Time::START);
        pending.settle(requests[0].number, failed());
        pending.settle(requests[0].number, Outcome::Left); // twice is once
        pending.give_up(|deadline| deadline > Time::START);
        assert_eq!(pending.len(), 1);
        pending.give_up(|deadline| deadline <= Time::START);
        pending.settle(requests[1].number, Outcome::Left); // too late
        assert_eq!(block_on(ticket.outcomes()), [failed(), unknown()]);
    }

    #[test]
    fn many_commands_are_several_batches() {
        let mut pending = Pending::default();
        let (ticket, requests) = pending.enter(reads(BATCH_MAX + 1), Time::START);
        assert_eq!(pending.len(), 2);
        for request in requests {
            pending.settle(request.number, Outcome::Left);
        }
        assert_eq!(block_on(ticket.outcomes()).len(), BATCH_MAX + 1);
        assert!(block_on(pending.enter(Vec::new(), Time::START).0.outcomes()).is_empty());
    }
}
