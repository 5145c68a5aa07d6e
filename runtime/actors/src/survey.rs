//! What can be seen of a whole system at one moment.

use crate::dead_letters::DeadLetter;
use crate::ledger::Ledger;
use crate::snapshot::Status;
use crate::{ActorSnapshot, AnyRef, System};

impl System {
    /// The actors at the top of the tree, in the order in which they were started.
    #[must_use]
    pub fn top(&self) -> Vec<AnyRef> {
        self.root().map_or_else(Vec::new, |root| root.any().children())
    }

    /// All living actors, parents before children, siblings in the order in which they were started.
    #[must_use]
    pub fn snapshot(&self) -> Vec<ActorSnapshot> {
        self.survey().0.into_iter().map(|(_, actor)| actor).collect()
    }

    /// All living actors as in [`System::snapshot`], each with its address, and the account of all messages at the same
    /// time.
    #[must_use]
    pub fn survey(&self) -> (Vec<(AnyRef, ActorSnapshot)>, Ledger) {
        let mut ledger = self.ended_ledger();
        let root = self.root().map(|root| root.any().id());
        let mut survey = Vec::new();
        for actor in self.all() {
            let snapshot = actor.snapshot();
            // The root stays in sight after its end, and has its place among the ended by then.
            if snapshot.status != Status::Ended {
                ledger.add(&snapshot);
            }
            if Some(actor.id()) != root {
                survey.push((actor, snapshot));
            }
        }
        (survey, ledger)
    }

    /// The account of all messages, of living actors and of ended ones. See [`Ledger`] for when it is exact.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.survey().1
    }

    /// The latest dead letters, oldest first; at most 256 are kept.
    #[must_use]
    pub fn latest_dead_letters(&self) -> Vec<DeadLetter> {
        self.dead_letters().after(0).1
    }

    /// How many dead letters there have been, and of those after the first `seen` the ones that are kept, oldest first.
    #[must_use]
    pub fn dead_letters_after(&self, seen: u64) -> (u64, Vec<DeadLetter>) {
        self.dead_letters().after(seen)
    }
}
