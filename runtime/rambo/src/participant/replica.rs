//! What a replica answers to reads and writes, and to changes of keys of class cas. It answers everybody, member or
//! not: whose answers count is for the asker to know.

use super::reader_writer::can_be_held;
use super::{Asker, Participant, Turn};
use crate::flaw::flawed;
use crate::{Barrier, Body, Class, Key, Phase, Record, Tag, Tagged, Want};

impl Participant {
    /// Holds at least this; the barrier behind which that is so on disk.
    pub(super) fn hold(&mut self, key: &Key, tagged: &Tagged, turn: &mut Turn<'_>) -> Barrier {
        let next = self.next_barrier();
        let (changed, barrier) = self.store.put(key, tagged, next);
        if changed {
            self.persist(Record::Stored(key.clone(), tagged.clone()), turn);
        }
        barrier
    }

    pub(super) fn queried(
        &mut self,
        asker: Asker,
        phase: Phase,
        key: &Key,
        want: Want,
        turn: &mut Turn<'_>,
    ) {
        let body = match self.store.find(key) {
            None => {
                let value = (want == Want::Value).then_some(None);
                Body::Queried { phase, tag: Tag::ZERO, value, durable: true, confirmed: false }
            }
            Some(entry) => Body::Queried {
                phase,
                tag: entry.tagged.tag,
                value: (want == Want::Value).then(|| entry.tagged.value.clone()),
                // Of a key of class cas only votes can make a majority that nobody contradicts.
                durable: self.is_durable(entry.barrier)
                    && (key.class == Class::Register
                        || entry.voted
                        || flawed!(self.settings.flaws, CopiesVote)),
                confirmed: entry.confirmed,
            },
        };
        self.answer(asker, 0, body, turn);
    }

    /// The answer waits until what is held is on disk: also when that is a larger tag, which made this one a no-op.
    pub(super) fn propagated(
        &mut self,
        asker: Asker,
        phase: Phase,
        key: &Key,
        tagged: &Tagged,
        turn: &mut Turn<'_>,
    ) {
        if self.refuse_key(key, Some(Class::Register)).is_some() {
            self.refusals.foreign += 1;
            return;
        }
        let barrier = self.hold(key, tagged, turn);
        self.answer(asker, barrier, Body::Propagated { phase }, turn);
    }

    /// CASPaxos phase 1: promises a ballot above all that were promised or accepted, once.
    pub(super) fn cas_prepared(
        &mut self,
        asker: Asker,
        phase: Phase,
        key: &Key,
        ballot: Tag,
        turn: &mut Turn<'_>,
    ) {
        if self.refuse_key(key, Some(Class::Cas)).is_some() {
            self.refusals.foreign += 1;
            return;
        }
        let (promised, accepted, voted) =
            self.store.find(key).map_or_else(Default::default, |entry| {
                (entry.promised, entry.tagged.clone(), entry.voted)
            });
        if ballot < promised || ballot <= accepted.tag {
            let promised = promised.max(accepted.tag);
            self.answer(asker, 0, Body::CasRefused { phase, promised }, turn);
            return;
        }
        if ballot > promised {
            let barrier = self.persist(Record::CasPromised(key.clone(), ballot), turn);
            self.store.promise(key, ballot, barrier);
        }
        let barrier =
            self.store.find(key).map_or(0, |entry| entry.promise_barrier.max(entry.barrier));
        self.answer(asker, barrier, Body::CasPromised { phase, accepted, voted }, turn);
    }

    /// CASPaxos phase 2: accepts what is not below a promise.
    pub(super) fn cas_accepted(
        &mut self,
        asker: Asker,
        phase: Phase,
        key: &Key,
        accept: &Tagged,
        turn: &mut Turn<'_>,
    ) {
        if self.refuse_register(key, accept) {
            return;
        }
        let highest =
            self.store.find(key).map_or(Tag::ZERO, |entry| entry.promised.max(entry.tagged.tag));
        if accept.tag < highest {
            self.answer(asker, 0, Body::CasRefused { phase, promised: highest }, turn);
            return;
        }
        let barrier = self.hold(key, accept, turn);
        self.store.vote(key, accept.tag);
        self.answer(asker, barrier, Body::CasAccepted { phase }, turn);
    }

    /// Whether what somebody wants to have held cannot be.
    pub(super) fn refuse_register(&mut self, key: &Key, tagged: &Tagged) -> bool {
        let bad = self.refuse_key(key, None).is_some() || !can_be_held(key, tagged);
        self.refusals.foreign += u64::from(bad);
        bad
    }
}
