//! The operations of a key as the search wants them.

use std::{collections::HashMap, ops::Range};

use foldhash::fast::FixedState;

use super::model::Model;
use crate::history::{Asked, Done, Operation, OperationId, Outcome};

/// An operation that was told something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Completed<'a> {
    pub(super) id: OperationId,
    pub(super) asked: &'a Asked,
    pub(super) told: &'a Done,
    /// The event of its call.
    pub(super) called: u32,
    /// How many completed operations returned before it did.
    pub(super) rank: u32,
}

/// Operations of unknown outcome that ask the same. Whoever may take the place of a later one may take that of an
/// earlier one, so they are used in the order of their calls.
#[derive(Debug)]
pub(super) struct Unknowns<'a> {
    pub(super) asked: &'a Asked,
    /// Which, and the event of the call of each, ascending.
    pub(super) calls: Vec<(OperationId, u32)>,
    /// Once everything that returned up to this event is in the order, the rest of these makes no difference.
    until: u32,
}

/// One key's operations. Those that failed are left out, and those of unknown outcome that make no difference.
#[derive(Debug)]
pub(super) struct Problem<'a> {
    /// In the order of their calls.
    pub(super) completed: Vec<Completed<'a>>,
    /// The events at which they returned, ascending.
    pub(super) returns: Vec<u32>,
    /// In the order of their first calls.
    pub(super) unknowns: Vec<Unknowns<'a>>,
    /// For each rank: before which of `unknowns` all have ceased to matter when it is the first outside the order.
    matter_from: Vec<u32>,
}

impl<'a> Problem<'a> {
    /// `operations` are in the order of their calls.
    pub(super) fn new<M: Model>(operations: &[Operation<'a>], model: &M) -> Self {
        let mut completed = Vec::new();
        let mut returned_at = Vec::new();
        let mut unknowns: Vec<Unknowns<'a>> = Vec::new();
        let mut places: HashMap<&Asked, usize, FixedState> = HashMap::default();
        for operation in operations {
            let (id, called, asked) = (operation.id, operation.event, &operation.invocation.asked);
            match operation.returned.map(|returned| (returned.event, returned.outcome)) {
                Some((event, Outcome::Done(told))) => {
                    completed.push(Completed { id, asked, told, called, rank: 0 });
                    returned_at.push(event);
                }
                Some((_, Outcome::Failed)) => {}
                Some((_, Outcome::Unknown)) | None => {
                    let Some(until) = model.matters_until(asked, called) else { continue };
                    let place = *places.entry(asked).or_insert_with(|| {
                        unknowns.push(Unknowns { asked, calls: Vec::new(), until });
                        unknowns.len() - 1
                    });
                    unknowns[place].calls.push((id, called));
                }
            }
        }
        let mut order: Vec<usize> = (0..completed.len()).collect();
        order.sort_unstable_by_key(|operation| returned_at[*operation]);
        for (rank, operation) in (0..).zip(&order) {
            completed[*operation].rank = rank;
        }
        returned_at.sort_unstable();
        let matter_from = matter_from(&unknowns, &returned_at);
        Self { completed, returns: returned_at, unknowns, matter_from }
    }

    /// The groups of unknown outcome that were called and may still matter when `first` is the lowest rank that is not
    /// in the order: all that do are among these.
    pub(super) fn mattering(&self, first: u32) -> Range<u32> {
        let Some(from) = self.matter_from.get(first as usize) else { return 0..0 };
        let deadline = self.deadline(first);
        let until = self.unknowns.partition_point(|unknowns| unknowns.calls[0].1 < deadline);
        *from..until as u32
    }

    /// Who comes next in an order must have been called before this event: nobody may come after an operation that
    /// returned before its call. `first` is the lowest rank that is not in the order yet.
    pub(super) fn deadline(&self, first: u32) -> u32 {
        self.returns.get(first as usize).copied().unwrap_or(u32::MAX)
    }
}

fn matter_from(unknowns: &[Unknowns<'_>], returns: &[u32]) -> Vec<u32> {
    let mut from = vec![unknowns.len() as u32; returns.len()];
    for (group, unknowns) in (0..).zip(unknowns) {
        let last = returns.partition_point(|event| *event <= unknowns.until);
        if let Some(last) = last.checked_sub(1) {
            from[last] = from[last].min(group);
        }
    }
    for rank in (1..from.len()).rev() {
        from[rank - 1] = from[rank - 1].min(from[rank]);
    }
    from
}
