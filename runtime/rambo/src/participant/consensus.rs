//! Consensus on the next configuration, as its acceptors see it: Paxos (Lamport, The Part-Time Parliament, 1998;
//! slides 22 to 25) among the members of the newest one, promises on its read quorums and votes on its write quorums
//! (Howard, Malkhi, Spiegelman, Flexible Paxos, 2016, §3).

use std::sync::Arc;

use super::{Asker, Participant, Turn};
use crate::flaw::flawed;
use crate::{Ballot, Barrier, Body, Configuration, Index, Phase, Record};

/// What is promised and accepted for one index: that behind the newest known. Of earlier ones the outcome is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Acceptor {
    index: Index,
    promised: Ballot,
    accepted: Option<(Ballot, Arc<Configuration>)>,
    barrier: Barrier,
    /// For which index this node, as its owner, has used round 0, and with what (rule O3).
    round_zero: Option<Arc<Configuration>>,
}

impl Acceptor {
    pub(super) fn look(&self, index: Index) -> (Ballot, Option<(Ballot, &Configuration)>) {
        if index != self.index {
            return (Ballot::ZERO, None);
        }
        (
            self.promised,
            self.accepted.as_ref().map(|(ballot, configuration)| (*ballot, &**configuration)),
        )
    }

    /// The configurations below are decided.
    pub(super) fn forget_below(&mut self, index: Index) {
        if self.index < index {
            self.index = index;
            self.promised = Ballot::ZERO;
            self.accepted = None;
        }
    }

    pub(super) fn promise(&mut self, index: Index, ballot: Ballot) {
        self.forget_below(index);
        if index == self.index {
            self.promised = self.promised.max(ballot);
        }
    }

    pub(super) fn accept(&mut self, ballot: Ballot, configuration: impl Into<Arc<Configuration>>) {
        let configuration = configuration.into();
        self.promise(configuration.index(), ballot);
        if configuration.index() == self.index
            && self.accepted.as_ref().is_none_or(|(old, _)| *old <= ballot)
        {
            self.accepted = Some((ballot, configuration));
        }
    }

    pub(super) fn use_round_zero(&mut self, configuration: impl Into<Arc<Configuration>>) {
        self.round_zero = Some(configuration.into());
    }

    pub(super) fn has_used_round_zero(&self, index: Index) -> bool {
        self.round_zero.as_ref().is_some_and(|used| used.index() >= index)
    }

    pub(super) fn snapshot(&self) -> impl Iterator<Item = Record> {
        let promised =
            (self.promised != Ballot::ZERO).then_some(Record::Promised(self.index, self.promised));
        let accepted = self.accepted.as_ref();
        let accepted = accepted
            .map(|(ballot, configuration)| Record::Accepted(*ballot, (**configuration).clone()));
        let round_zero = self.round_zero.as_ref().map(|used| Record::RoundZero((**used).clone()));
        round_zero.into_iter().chain(promised).chain(accepted)
    }
}

impl Participant {
    /// Phase 1: promises to accept nothing below, and tells what it accepted.
    pub(super) fn prepared(
        &mut self,
        asker: Asker,
        phase: Phase,
        index: Index,
        ballot: Ballot,
        turn: &mut Turn<'_>,
    ) {
        if !self.votes_for(asker, index, turn) {
            return;
        }
        if ballot < self.acceptor.promised {
            let promised = self.acceptor.promised;
            return self.answer(asker, 0, Body::Refused { phase, promised }, turn);
        }
        if ballot > self.acceptor.promised {
            self.acceptor.promise(index, ballot);
            self.acceptor.barrier = self.persist(Record::Promised(index, ballot), turn);
        }
        let accepted = self.acceptor.accepted.clone();
        self.answer(asker, self.acceptor.barrier, Body::Promised { phase, accepted }, turn);
    }

    /// Phase 2: votes for what is not below its promise.
    pub(super) fn accepted(
        &mut self,
        asker: Asker,
        phase: Phase,
        ballot: Ballot,
        configuration: &Arc<Configuration>,
        turn: &mut Turn<'_>,
    ) {
        let index = configuration.index();
        if !self.votes_for(asker, index, turn) {
            return;
        }
        if ballot < self.acceptor.promised {
            let promised = self.acceptor.promised;
            return self.answer(asker, 0, Body::Refused { phase, promised }, turn);
        }
        match &self.acceptor.accepted {
            Some((old, voted))
                if *old == ballot
                    && voted != configuration
                    && !flawed!(self.settings.flaws, RoundsAnew) =>
            {
                // Nobody uses a ballot twice; whoever seems to gets no vote.
                self.refusals.foreign += 1;
                return;
            }
            Some((old, _)) if *old >= ballot => {}
            Some(_) | None => {
                self.acceptor.accept(ballot, Arc::clone(configuration));
                let record = Record::Accepted(ballot, (**configuration).clone());
                self.acceptor.barrier = self.persist(record, turn);
            }
        }
        self.answer(asker, self.acceptor.barrier, Body::Accepted { phase }, turn);
    }

    /// Whether this node has a vote on the configuration with this index; tells or asks what is known otherwise.
    fn votes_for(&mut self, asker: Asker, index: Index, turn: &mut Turn<'_>) -> bool {
        let end = self.version().end;
        if index < end {
            self.refusals.past += 1;
            self.tell_map(asker.node, turn);
        } else if index > end {
            self.refusals.future += 1;
            self.ask_map(asker.node, turn);
        } else if !self.map.as_ref().is_some_and(|map| map.top().contains(self.settings.node)) {
            self.refusals.stranger += 1;
        } else {
            self.acceptor.forget_below(index);
            return true;
        }
        false
    }
}
